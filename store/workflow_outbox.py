"""What the workflows have not been told yet: rows committed together with what they tell of.

A row is deleted once its workflow has it. A row that fails is put off, so that it never stands in the way of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from store.columns import Instant, bare
from store.prepared import Prepared
from store.tables import MentorshipRow, RelayRow

RELAYS, MENTORSHIPS = bare(RelayRow), bare(MentorshipRow)
STARTED = ~exists().where(
    and_(
        MENTORSHIPS.c.cohort == RELAYS.c.cohort,
        MENTORSHIPS.c.key == RELAYS.c.mentorship,
        MENTORSHIPS.c.state == "planned",
    )
)
"""Whether there is somebody to tell: what waits for a mentorship that is not started yet is told when it is."""


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """One event on its way to a workflow; `id` is also the id of the update."""

    id: str
    cohort: str
    mentorship: str
    event: str
    payload: dict[str, Any]
    attempts: int = 0


async def put(session: AsyncSession, relay: OutboxEvent, not_before: datetime) -> bool:
    """Write a row; no other process takes it up before this instant. Whether it is all that waits for its workflow.

    Raises IntegrityError for an id used before.
    """
    row = {
        "id": relay.id,
        "cohort": relay.cohort,
        "mentorship": relay.mentorship,
        "event": relay.event,
        "payload": relay.payload,
        "at": not_before,
        "attempts": relay.attempts,
    }
    its = {"its_id": relay.id, "its_cohort": relay.cohort, "its_mentorship": relay.mentorship}
    return not await PUT.scalar(session, row | its)


async def due(session: AsyncSession, now: datetime, most: int) -> tuple[tuple[str, str], ...]:
    """(cohort, mentorship) of those that have a row to be tried now, the one that waits longest first."""
    return tuple(await DUE.all(session, {"now": now, "most": most}))


async def waiting(session: AsyncSession, cohort: str, mentorship: str) -> tuple[OutboxEvent, ...]:
    """Everything that this mentorship's workflow has not been told, in the order in which it happened."""
    rows = await WAITING.all(session, {"cohort": cohort, "mentorship": mentorship})
    return tuple(
        OutboxEvent(row.id, row.cohort, row.mentorship, row.event, row.payload, row.attempts)
        for row in sorted(rows, key=lambda row: (happened(row), row.id))
    )


def happened(row: RelayRow | Row[Any]) -> datetime:
    """When that happened of which a row tells (UTC)."""
    at = row.payload.get("at")
    return datetime.fromisoformat(at) if isinstance(at, str) else row.at


async def claim(session: AsyncSession, relay: OutboxEvent, next_try: datetime) -> bool:
    """Take a row up for one attempt and put it off until `next_try`; False where another process was faster."""
    taken = {"its_id": relay.id, "so_far": relay.attempts, "next_try": next_try}
    return await CLAIM.one_or_none(session, taken) is not None


async def make_due(session: AsyncSession, cohort: str, mentorships: Sequence[str], now: datetime) -> None:
    """Let what waits for these mentorships be tried now: they can be told again."""
    await session.execute(
        update(RELAYS)
        .where(RELAYS.c.cohort == cohort, RELAYS.c.mentorship.in_(mentorships), RELAYS.c.at > now)
        .values(at=now)
    )


async def done(session: AsyncSession, id_: str) -> None:
    """The workflow has it."""
    await DONE.write(session, {"its_id": id_})


# -- the statements: built once, for building them costs more than running them ------------------------------------

BEFORE = RELAYS.alias("before")
PUT = Prepared(
    insert(RELAYS).returning(
        exists().where(
            BEFORE.c.cohort == bindparam("its_cohort"),
            BEFORE.c.mentorship == bindparam("its_mentorship"),
            BEFORE.c.id != bindparam("its_id"),
        )
    )
)
"""Says whether something else waits for the same workflow."""
DUE = Prepared(
    select(RELAYS.c.cohort, RELAYS.c.mentorship)
    .where(RELAYS.c.at <= bindparam("now", type_=Instant()), STARTED)
    .group_by(RELAYS.c.cohort, RELAYS.c.mentorship)
    .order_by(func.min(RELAYS.c.at), RELAYS.c.cohort, RELAYS.c.mentorship)
    .limit(bindparam("most"))
)
WAITING = Prepared(
    select(*RELAYS.c).where(
        RELAYS.c.cohort == bindparam("cohort"), RELAYS.c.mentorship == bindparam("mentorship"), STARTED
    )
)
CLAIM = Prepared(
    update(RELAYS)
    .where(RELAYS.c.id == bindparam("its_id"), RELAYS.c.attempts == bindparam("so_far"))
    .values(attempts=RELAYS.c.attempts + 1, at=bindparam("next_try", type_=Instant()))
    .returning(RELAYS.c.id)
)
DONE = Prepared(delete(RELAYS).where(RELAYS.c.id == bindparam("its_id")))
