"""SQL about forms: requests, answers, versions of agreements."""
