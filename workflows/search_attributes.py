"""The search attributes by which the Temporal UI lists and filters: one registry, used by the workflows that
set them, by the starter of the embedded server and by `mentorship doctor`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from lifecycle.commands import Snapshot

COHORT = SearchAttributeKey.for_keyword("Cohort")
PROGRAM = SearchAttributeKey.for_keyword("Program")
PHASE = SearchAttributeKey.for_keyword("Phase")
HEALTH = SearchAttributeKey.for_keyword("Health")
NEXT_STEP_AT = SearchAttributeKey.for_datetime("NextStepAt")
OPEN_TASKS = SearchAttributeKey.for_int("OpenTasks")
PAUSED = SearchAttributeKey.for_bool("Paused")

ALL: dict[SearchAttributeKey[Any], str] = {
    COHORT: "Id of the cohort.",
    PROGRAM: "Id of the program.",
    PHASE: "onboarding, expectations, check_ins, midpoint, closure or closed.",
    HEALTH: "good, quiet (nobody answered the last check-in), attention (a task is open), trouble (safety), over.",
    NEXT_STEP_AT: "When the next step of the plan begins (UTC, program time).",
    OPEN_TASKS: "How many tasks a coordinator must decide.",
    PAUSED: "Whether the mentorship is paused.",
}
"""Every attribute with what it says."""

Shown = tuple[str, str, datetime | None, int, bool]


def at_start(cohort: str, program: str) -> TypedSearchAttributes:
    """What a mentorship shows from its first moment."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(COHORT, cohort),
            SearchAttributePair(PROGRAM, program),
            SearchAttributePair(PHASE, "onboarding"),
            SearchAttributePair(HEALTH, "good"),
            SearchAttributePair(OPEN_TASKS, 0),
            SearchAttributePair(PAUSED, False),
        ]
    )


def shown(snapshot: Snapshot, next_step_at: datetime | None) -> Shown:
    """The values of a snapshot that the search attributes show."""
    return snapshot.phase, snapshot.health, next_step_at, snapshot.open_tasks, bool(snapshot.paused_until)


def changes(before: Shown, now: Shown) -> list[SearchAttributeUpdate[Any]]:
    """Updates for what changed, so that a step that changes nothing costs nothing."""
    keys: tuple[SearchAttributeKey[Any], ...] = (PHASE, HEALTH, NEXT_STEP_AT, OPEN_TASKS, PAUSED)
    found: list[SearchAttributeUpdate[Any]] = []
    values: tuple[Any, ...] = now
    for key, old, new in zip(keys, before, values, strict=True):
        if old != new:
            found.append(key.value_unset() if new is None else key.value_set(new))
    return found


AT_START: Shown = ("onboarding", "good", None, 0, False)
"""What `at_start` set."""
