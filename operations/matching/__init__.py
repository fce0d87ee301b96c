"""Matching a cohort's people: the pool, the board, drafts, next choices, and publishing the pairs."""
