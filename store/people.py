"""What a person's own links change about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from store.tables import CohortPersonRow, CohortRow, MembershipRow, ParticipantRow


@dataclass(frozen=True, slots=True)
class Reader:
    """A person as their own page greets them."""

    name: str
    reminders_stopped: bool


@dataclass(frozen=True, slots=True)
class CohortDesk:
    """A cohort and who coordinates it; letterbox and holidays as in its row."""

    id: str
    letterbox: dict[str, Any]
    holidays: list[str]
    coordinators: tuple[str, ...]


async def reader(session: AsyncSession, person: str, generation: int) -> Reader | None:
    """The person of a link; None where unknown, erased, or the link was revoked."""
    row = (
        await session.execute(
            select(ParticipantRow.name, ParticipantRow.reminders_stopped).where(
                ParticipantRow.id == person,
                ParticipantRow.generation == generation,
                ParticipantRow.standing != "erased",
            )
        )
    ).one_or_none()
    return Reader(*row) if row else None


async def stop_reminders(session: AsyncSession, person: str, generation: int) -> bool | None:
    """Send this person no reminders any more; False where that was so before, None where there is no such person."""
    stopped = await session.execute(
        update(ParticipantRow)
        .where(
            ParticipantRow.id == person,
            ParticipantRow.generation == generation,
            ParticipantRow.standing != "erased",
            ParticipantRow.reminders_stopped.is_(False),
        )
        .values(reminders_stopped=True)
        .returning(ParticipantRow.id)
    )
    if stopped.one_or_none() is not None:
        return True
    return None if await reader(session, person, generation) is None else False


async def cohorts_of(session: AsyncSession, person: str) -> list[CohortDesk]:
    """The running cohorts in which this person takes part, with their coordinators."""
    rows = await session.execute(
        select(CohortRow.id, CohortRow.letterbox, CohortRow.holidays, CohortPersonRow.person)
        .join(CohortPersonRow, CohortPersonRow.cohort == CohortRow.id)
        .where(
            CohortRow.state == "running",
            CohortPersonRow.role == "coordinator",
            CohortRow.id.in_(select(MembershipRow.cohort).where(MembershipRow.person == person)),
        )
        .order_by(CohortRow.id, CohortPersonRow.person)
    )
    found: dict[str, CohortDesk] = {}
    for cohort, letterbox, holidays, coordinator in rows:
        known = found.get(cohort)
        coordinators = (*known.coordinators, coordinator) if known else (coordinator,)
        found[cohort] = CohortDesk(cohort, letterbox, holidays, coordinators)
    return list(found.values())
