"""What the workflows have not been told yet: rows committed together with what they tell of.

A row is deleted once its workflow has it. A row that fails is put off, so that it never stands in the way of others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from store.tables import MentorshipRow, RelayRow

STARTED = ~exists().where(
    and_(
        MentorshipRow.cohort == RelayRow.cohort,
        MentorshipRow.key == RelayRow.mentorship,
        MentorshipRow.state == "planned",
    )
)
"""Whether there is somebody to tell: what waits for a mentorship that is not started yet is told when it is."""


@dataclass(frozen=True, slots=True)
class Relay:
    """One event on its way to a workflow; `id` is also the id of the update."""

    id: str
    cohort: str
    mentorship: str
    event: str
    payload: dict[str, Any]
    attempts: int = 0


async def put(session: AsyncSession, relay: Relay, not_before: datetime) -> None:
    """Write a row; nobody else takes it up before this instant. Raises IntegrityError for an id used before."""
    session.add(
        RelayRow(
            id=relay.id,
            cohort=relay.cohort,
            mentorship=relay.mentorship,
            event=relay.event,
            payload=relay.payload,
            at=not_before,
            attempts=relay.attempts,
        )
    )
    await session.flush()


async def due(session: AsyncSession, now: datetime, most: int) -> tuple[tuple[str, str], ...]:
    """(cohort, mentorship) of those that have a row to be tried now, the one that waits longest first."""
    rows = await session.execute(
        select(RelayRow.cohort, RelayRow.mentorship)
        .where(RelayRow.at <= now, STARTED)
        .group_by(RelayRow.cohort, RelayRow.mentorship)
        .order_by(func.min(RelayRow.at), RelayRow.cohort, RelayRow.mentorship)
        .limit(most)
    )
    return tuple(rows)


async def waiting(session: AsyncSession, cohort: str, mentorship: str) -> tuple[Relay, ...]:
    """Everything that this mentorship's workflow has not been told, in the order in which it happened."""
    rows = (
        await session.execute(
            select(RelayRow).where(RelayRow.cohort == cohort, RelayRow.mentorship == mentorship, STARTED)
        )
    ).scalars()
    return tuple(
        Relay(row.id, row.cohort, row.mentorship, row.event, row.payload, row.attempts)
        for row in sorted(rows, key=lambda row: (happened(row), row.id))
    )


def happened(row: RelayRow) -> datetime:
    """When that happened of which a row tells (UTC)."""
    at = row.payload.get("at")
    return datetime.fromisoformat(at) if isinstance(at, str) else row.at


async def claim(session: AsyncSession, relay: Relay, next_try: datetime) -> bool:
    """Take a row up for one attempt and put it off until `next_try`; False where another process was faster."""
    claimed = await session.execute(
        update(RelayRow)
        .where(RelayRow.id == relay.id, RelayRow.attempts == relay.attempts)
        .values(attempts=relay.attempts + 1, at=next_try)
        .returning(RelayRow.id)
    )
    return claimed.one_or_none() is not None


async def done(session: AsyncSession, id_: str) -> None:
    """The workflow has it."""
    await session.execute(delete(RelayRow).where(RelayRow.id == id_))
