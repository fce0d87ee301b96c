"""Real servers for tests: Temporal, PostgreSQL, SMTP, a browser, and workers that can be killed."""
