"""Workflow ids. They are built from ids that coordinators chose, so that people find a mentorship by its key."""

from __future__ import annotations


def mentorship_id(cohort: str, mentorship: str) -> str:
    """`mentorship/spring-27/m3`."""
    return f"mentorship/{cohort}/{mentorship}"


def cohort_id(cohort: str) -> str:
    """`cohort/spring-27`."""
    return f"cohort/{cohort}"


def postmaster_id(shard: int) -> str:
    """`postmaster/0`."""
    return f"postmaster/{shard}"
