"""The SQL of signing in: who holds which role, sessions, one-time links."""
