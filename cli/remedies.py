"""What helps where something is refused, in the words of the command line: its options and its commands.

The reason comes from `operations` and `lifecycle` and stands on pages as well; here is what the command adds to it.
"""

from __future__ import annotations

from lifecycle.handlers import WISHES
from operations.errors import NotFound, Refused

REMEDIES = {
    "about": "Leave --about out, or write another --reason.",
    "backup": "Use pg_dump or continuous archiving (docs/operations.md), then run `mentorship backup --recorded`.",
    "decider": "Write --as with the id, name or address.",
    "details": "Write --name and --email, and --zone.",
    "exact": "Leave the filter out, or use --exact for your own eyes.",
    "leave": "Run `mentorship leave ID`.",
    "match": "Run `mentorship match COHORT`.",
    "mentorship": "Write --mentorship with one of them.",
    "new_folder": "Name a folder that is new or empty.",
    "newcomer": "Write --with ID, and --name, --email and --zone for somebody new.",
    "no_newcomer": "Leave --with out.",
    "person": "Leave --person out.",
    "publish": "Run `mentorship publish COHORT`.",
    "tasks": "`mentorship tasks` lists those that are open.",
    "until": "Leave --until out.",
    "voices": "`mentorship voices COHORT` lists them.",
}
"""What would help (`Refused.use`) to what to type."""
FOR_TASKS = {
    WISHES["address"]: "`mentorship show` says which; `mentorship correct` takes it over.",
    WISHES["erase"]: "`mentorship erase` does it.",
}
"""Reason of a task to what to type beside the decision."""
AGAIN = "--again does it once more"
"""What helps where something was done today already."""


def remedy_of(error: BaseException) -> str:
    """What to type; empty where the reason says all."""
    return REMEDIES[error.use] if isinstance(error, Refused | NotFound) and error.use else ""
