"""How frugal a page of the coordinators' web must be: the aims that a test holds, and the bench measures.

They hold with 10,000 mentorships on PostgreSQL. The sign-in counts: it is one of the statements.
"""

from __future__ import annotations

STATEMENTS = 8
KILOBYTES = 100.0
FILES = ("audit_csv", "audit_xlsx", "list_xlsx", "report_file")
"""Names of routes that give a file to keep: it holds every row, and has no aim of size."""
P95_MS = 150.0
"""Of server time."""

MORE_STATEMENTS = {
    "personal_data": 24,
    "report": 10,
    "report_file": 13,
    "installation": 20,
    "cohort_file": 12,
    "file_plan": 16,
    "file_launch": 16,
    "matching_board": 14,
}
"""Name of a route to what it may take: it is no page to look something up, but a file or a report of everything that
there is, or it checks a whole installation or cohort. None of these numbers grows with what there is."""

LONGER_MS = {
    "report": 10_000.0,
    "file_plan": 1_000.0,
    "audit_csv": 2_000.0,
    "audit_xlsx": 5_000.0,
    "installation": 1_000.0,
}
"""Name of a route to its p95. The report reads every answer of the cohort, a file of the audit every row, the plan
works a hundred mentorships out, and the installation looks at every part of it."""


def most_statements(route: str) -> int:
    """How many statements the route of this name may take."""
    return MORE_STATEMENTS.get(route, STATEMENTS)
