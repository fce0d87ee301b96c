"""Reads who was told of reports about safety or conduct, and what was reported. Reads only; decides nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from store.lookups import Lookup, look_up
from store.tables import EventRow, ItemRow, ParticipantRow, TaskRow

PAGE = 500
"""Mentorships in one statement."""


@dataclass(frozen=True, slots=True)
class SafetyTask:
    """A task about a report. `told`: ids of those to whom it went, whether their mail arrived or not."""

    key: str
    mentorship: str
    opened_at: datetime
    number: int
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
    found: list[SafetyTask] = []
    for first in range(0, len(keys), PAGE):
        found += await look_up(session, safety_tasks_in(cohort, keys[first : first + PAGE]))
    return tuple(sorted(found, key=lambda task: (task.opened_at, task.number, task.key)))


def safety_tasks_in(cohort: str, mentorships: Sequence[str]) -> Lookup[tuple[SafetyTask, ...]]:
    """The same of not more than PAGE mentorships, to be looked up beside others."""
    query = (
        select(TaskRow.key, TaskRow.mentorship, TaskRow.opened_at, TaskRow.number, ItemRow.person)
        .outerjoin(ItemRow, ItemRow.task == TaskRow.key)
        .where(TaskRow.cohort == cohort, TaskRow.mentorship.in_(mentorships), TaskRow.kind == "safety")
        .order_by(TaskRow.opened_at, TaskRow.number, TaskRow.key)
    )

    def with_told(rows: Sequence[Any]) -> tuple[SafetyTask, ...]:
        told: dict[tuple[Any, ...], set[str]] = {}
        for *task, person in rows:
            told.setdefault(tuple(task), set()).update([person] if person else ())
        return tuple(
            SafetyTask(key, mentorship, at, number, frozenset(people))
            for (key, mentorship, at, number), people in told.items()
        )

    return Lookup(query, with_told)


def told_of(task: str) -> Lookup[tuple[str, ...]]:
    """The names of those to whom a task went, by their ids."""
    query = (
        select(ParticipantRow.name, ParticipantRow.id)
        .join(ItemRow, ItemRow.person == ParticipantRow.id)
        .where(ItemRow.task == task)
        .distinct()
        .order_by(ParticipantRow.id)
    )
    return Lookup(query, lambda rows: tuple(row.name for row in rows))


def raised(cohort: str, mentorship: str) -> Lookup[list[RaisedConcern]]:
    """What was raised on the own pages of a mentorship, the oldest first."""
    query = (
        select(EventRow.person, EventRow.at, EventRow.detail, EventRow.why)
        .where(EventRow.cohort == cohort, EventRow.mentorship == mentorship, EventRow.name == "concern_raised")
        .order_by(EventRow.id)
    )
    return Lookup(query, lambda rows: [RaisedConcern(*row) for row in rows])
