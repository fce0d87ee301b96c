"""People as commands and links find them: by id or name, with the cohorts and coordinators they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from store.operations_log import Decider, KnownPerson
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


async def restart_reminders(session: AsyncSession, person: str) -> bool:
    """Send this person reminders again; False where they had not been stopped. Needs a writing transaction."""
    restarted = await session.execute(
        update(ParticipantRow)
        .where(ParticipantRow.id == person, ParticipantRow.reminders_stopped.is_(True))
        .values(reminders_stopped=False)
        .returning(ParticipantRow.id)
    )
    return restarted.one_or_none() is not None


async def lock(session: AsyncSession, person: str) -> None:
    """Keep everybody else from changing this person until the transaction ends."""
    await session.execute(select(ParticipantRow.id).where(ParticipantRow.id == person).with_for_update())


async def revoke_links(session: AsyncSession, person: str) -> None:
    """No link to this person's own page opens anything any more. Needs a writing transaction."""
    await session.execute(
        update(ParticipantRow)
        .where(ParticipantRow.id == person)
        .values(generation=ParticipantRow.generation + 1)
        .execution_options(synchronize_session=False)
    )


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


async def called(session: AsyncSession, name: str) -> list[KnownPerson]:
    """Everybody of this name; case doesn't count."""
    rows = await session.scalars(
        select(ParticipantRow)
        .where(
            # SQLite lowers ASCII letters only: a name typed as it is written is found by either database.
            or_(func.lower(ParticipantRow.name) == name.lower(), ParticipantRow.name == name),
            ParticipantRow.standing != "erased",
        )
        .order_by(ParticipantRow.id)
    )
    return [KnownPerson(row.id, row.name, row.email, row.zone, row.language, row.standing) for row in rows]


async def ids(session: AsyncSession) -> list[str]:
    """The ids of everybody."""
    return list(await session.scalars(select(ParticipantRow.id).order_by(ParticipantRow.id)))


async def deciders_for(session: AsyncSession, person: str) -> tuple[Decider, ...]:
    """Who may decide about a person: the coordinators and deputies of the cohorts in which they have a seat, or which
    they coordinate themselves. Each of them once."""
    seats = select(MembershipRow.cohort).where(MembershipRow.person == person)
    desks = select(CohortPersonRow.cohort).where(CohortPersonRow.person == person)
    rows = await session.execute(
        select(ParticipantRow.id, ParticipantRow.name, ParticipantRow.email, func.min(CohortPersonRow.role))
        .join(CohortPersonRow, CohortPersonRow.person == ParticipantRow.id)
        .where(CohortPersonRow.cohort.in_(seats.union(desks)))
        .group_by(ParticipantRow.id, ParticipantRow.name, ParticipantRow.email)
        .order_by(func.min(CohortPersonRow.role), ParticipantRow.id)
    )
    return tuple(Decider(*row) for row in rows)
