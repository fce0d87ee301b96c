"""Reads a task before a coordinator decides it, and stores the reason of a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from store.columns import public_id
from store.database import putting
from store.people.people import Decider, deciders
from store.tables import CohortRow, ItemRow, TaskRow


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """A task, as far as a command needs it."""

    key: str
    cohort: str
    mentorship: str
    kind: str
    reason: str
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
        reason=row.reason,
        decisions=tuple(row.decisions),
        closed_on=row.closed_on,
        decision=row.decision,
        by=row.by,
        zone=cohort.zone,
        language=cohort.language,
        deciders=await deciders(session, row.cohort),
    )


async def open_of_cohort(
    session: AsyncSession,
    cohort: str,
    key: str,
    kind: str,
    reason: str,
    decisions: Sequence[str],
    due: date,
    now: datetime,
    today: date,
) -> None:
    """Open a task that is about a whole cohort; one with this key stays as it is. Needs a writing transaction."""
    row = {
        "key": key, "public_id": public_id(key), "cohort": cohort, "mentorship": "", "kind": kind, "number": 1,
        "reason": reason, "about": [], "decisions": list(decisions), "due": due, "opened_at": now, "opened_on": today,
        "decision": "", "by": "", "why": "", "turn": 0, "closed_in": 0,
    }  # fmt: skip
    await session.execute(putting(session, TaskRow, ("key",)), [row])


async def is_open(session: AsyncSession, key: str) -> bool:
    """Whether there is such a task and nobody has decided it."""
    found = await session.scalar(select(TaskRow.key).where(TaskRow.key == key, TaskRow.closed_at.is_(None)))
    return found is not None


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
    of_kind = select(TaskRow.key).where(TaskRow.cohort == cohort, TaskRow.mentorship == "", TaskRow.kind == kind)
    await session.execute(
        update(ItemRow)
        .where(ItemRow.task.in_(of_kind), ItemRow.state.in_(("queued", "held")))
        .values(state="dropped", reason="untrue", done_at=now, deliver_at=None)
        .execution_options(synchronize_session=False)
    )


async def store_reason(session: AsyncSession, key: str, why: str) -> None:
    """Store why a task was decided. Needs a writing transaction."""
    await session.execute(update(TaskRow).where(TaskRow.key == key).values(why=why))
