"""Reads who was told of reports about safety or conduct, and what was reported. Reads only; decides nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from store.tables import EventRow, ItemRow, TaskRow

PAGE = 500
"""Mentorships in one statement."""


@dataclass(frozen=True, slots=True)
class SafetyTask:
    """A task about a report. `told`: ids of those to whom it went, whether their mail arrived or not."""

    key: str
    mentorship: str
    opened_at: datetime
    told: frozenset[str]


@dataclass(frozen=True, slots=True)
class RaisedConcern:
    """A concern that somebody raised on their own page. `at` is an instant (UTC)."""

    person: str
    at: datetime
    kind: str
    """Of `operations.people.own_page.CONCERNS`, perhaps with `, in danger now`."""
    words: str


async def safety_tasks(session: AsyncSession, cohort: str, mentorships: Collection[str]) -> tuple[SafetyTask, ...]:
    """The tasks about reports in these mentorships, open or decided, the oldest first."""
    keys = sorted(set(mentorships))
    found: list[TaskRow] = []
    told: dict[str, set[str]] = defaultdict(set)
    for first in range(0, len(keys), PAGE):
        tasks = await session.scalars(
            select(TaskRow).where(
                TaskRow.cohort == cohort,
                TaskRow.mentorship.in_(keys[first : first + PAGE]),
                TaskRow.kind == "safety",
            )
        )
        found += tasks.all()
    for first in range(0, len(found), PAGE):
        rows = await session.execute(
            select(ItemRow.task, ItemRow.person).where(
                ItemRow.task.in_([task.key for task in found[first : first + PAGE]])
            )
        )
        for task, person in rows:
            told[task].add(person)
    ordered = sorted(found, key=lambda task: (task.opened_at, task.number, task.key))
    return tuple(SafetyTask(task.key, task.mentorship, task.opened_at, frozenset(told[task.key])) for task in ordered)


async def raised(session: AsyncSession, cohort: str, mentorship: str) -> list[RaisedConcern]:
    """What was raised on the own pages of a mentorship, the oldest first."""
    rows = await session.scalars(
        select(EventRow)
        .where(EventRow.cohort == cohort, EventRow.mentorship == mentorship, EventRow.name == "concern_raised")
        .order_by(EventRow.id)
    )
    return [RaisedConcern(row.person, row.at, row.detail, row.why) for row in rows]
