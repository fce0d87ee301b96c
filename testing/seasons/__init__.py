"""Seasons that real workflows have played, for tests that look at them afterwards."""
