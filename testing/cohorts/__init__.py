"""Cohorts for tests: the cases of the lifecycle, random ones, and one mentorship over virtual time."""
