"""Reads a task before a coordinator decides it, and stores the reason of a decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from store.people.people import Decider, deciders
from store.tables import CohortRow, TaskRow


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """A task, as far as a command needs it."""

    key: str
    cohort: str
    mentorship: str
    kind: str
    decisions: tuple[str, ...]
    closed_on: date | None
    decision: str
    by: str
    zone: str
    """The cohort's zone."""
    language: str
    deciders: tuple[Decider, ...]


async def find(session: AsyncSession, key: str) -> TaskFacts | None:
    """The task with this key, open or closed."""
    row = await session.get(TaskRow, key)
    if row is None:
        return None
    cohort = await session.get_one(CohortRow, row.cohort)
    return TaskFacts(
        key=row.key,
        cohort=row.cohort,
        mentorship=row.mentorship,
        kind=row.kind,
        decisions=tuple(row.decisions),
        closed_on=row.closed_on,
        decision=row.decision,
        by=row.by,
        zone=cohort.zone,
        language=cohort.language,
        deciders=await deciders(session, row.cohort),
    )


async def close_of_cohort(
    session: AsyncSession, cohort: str, kind: str, decision: str, by: str, why: str, now: datetime, today: date
) -> None:
    """Close the open tasks of a kind that are about a whole cohort. Needs a writing transaction."""
    await session.execute(
        update(TaskRow)
        .where(TaskRow.cohort == cohort, TaskRow.mentorship == "", TaskRow.kind == kind, TaskRow.closed_at.is_(None))
        .values(decision=decision, by=by, why=why, closed_at=now, closed_on=today)
        .execution_options(synchronize_session=False)
    )


async def store_reason(session: AsyncSession, key: str, why: str) -> None:
    """Store why a task was decided. Needs a writing transaction."""
    await session.execute(update(TaskRow).where(TaskRow.key == key).values(why=why))
