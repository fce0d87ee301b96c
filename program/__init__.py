"""What a coordinator writes: models of programs, cohorts and forms, and the loader that reports every error.

Nothing here knows Temporal, SQL or mail. Every other room may import this one.
"""
