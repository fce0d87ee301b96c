"""Finds people by id, name, address or link, with the cohorts and coordinators they belong to; adds newcomers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from store.tables import CohortPersonRow, CohortRow, MembershipRow, ParticipantRow


@dataclass(frozen=True, slots=True)
class Decider:
    """Somebody who may decide: a coordinator or a deputy of the cohort."""

    id: str
    name: str
    email: str
    role: str


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A person in the database, as far as a command needs them."""

    id: str
    name: str
    email: str
    zone: str
    language: str
    standing: str


@dataclass(frozen=True, slots=True)
class Reader:
    """A person, as the page that stops reminders greets them."""

    name: str
    reminders_stopped: bool


@dataclass(frozen=True, slots=True)
class CohortCoordinators:
    """A cohort and its coordinators; letterbox and holidays as in its row."""

    id: str
    letterbox: dict[str, Any]
    holidays: list[str]
    coordinators: tuple[str, ...]


async def find(session: AsyncSession, id_: str = "", *, email: str = "") -> KnownPerson | None:
    """The person with this id, or with this address (case-insensitive)."""
    condition = func.lower(ParticipantRow.email) == email.strip().lower() if email else ParticipantRow.id == id_
    row = await session.scalar(select(ParticipantRow).where(condition).order_by(ParticipantRow.id).limit(1))
    return _known(row) if row else None


async def profile(session: AsyncSession, person: str) -> dict[str, Any]:
    """What is known of somebody for a partner to see: field to text."""
    return dict(await session.scalar(select(ParticipantRow.profile).where(ParticipantRow.id == person)) or {})


async def add(session: AsyncSession, newcomer: KnownPerson) -> None:
    """Add a newcomer. Their seat comes with the first turn that offers it to them. Needs a writing transaction."""
    session.add(
        ParticipantRow(
            id=newcomer.id,
            name=newcomer.name,
            email=newcomer.email,
            zone=newcomer.zone,
            language=newcomer.language,
        )
    )
    await session.flush()


async def deciders(session: AsyncSession, cohort: str) -> tuple[Decider, ...]:
    """Those who may decide in a cohort: its coordinators, then its deputies."""
    rows = await session.execute(
        select(ParticipantRow.id, ParticipantRow.name, ParticipantRow.email, CohortPersonRow.role)
        .join(CohortPersonRow, CohortPersonRow.person == ParticipantRow.id)
        .where(CohortPersonRow.cohort == cohort)
        .order_by(CohortPersonRow.role, ParticipantRow.id)
    )
    return tuple(Decider(*row) for row in rows)


async def all_deciders(session: AsyncSession) -> tuple[Decider, ...]:
    """The coordinators and deputies of all cohorts, each person once."""
    rows = await session.execute(
        select(ParticipantRow.id, ParticipantRow.name, ParticipantRow.email, func.min(CohortPersonRow.role))
        .join(CohortPersonRow, CohortPersonRow.person == ParticipantRow.id)
        .group_by(ParticipantRow.id, ParticipantRow.name, ParticipantRow.email)
        .order_by(ParticipantRow.id)
    )
    return tuple(Decider(*row) for row in rows)


async def reader(session: AsyncSession, person: str, generation: int) -> Reader | None:
    """The person of a link; None if unknown or erased, or if the link is revoked."""
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


async def generation_of(session: AsyncSession, person: str) -> int | None:
    """The generation of a person's own links; None for nobody and for who was erased."""
    return await session.scalar(
        select(ParticipantRow.generation).where(ParticipantRow.id == person, ParticipantRow.standing != "erased")
    )


async def stop_reminders(session: AsyncSession, person: str, generation: int) -> bool | None:
    """Stop reminders to this person; False if they were stopped before, None if there is no such person."""
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
    """Send reminders to this person again; False if they were not stopped. Needs a writing transaction."""
    restarted = await session.execute(
        update(ParticipantRow)
        .where(ParticipantRow.id == person, ParticipantRow.reminders_stopped.is_(True))
        .values(reminders_stopped=False)
        .returning(ParticipantRow.id)
    )
    return restarted.one_or_none() is not None


async def lock(session: AsyncSession, person: str) -> None:
    """Lock this person's row until the transaction ends."""
    await session.execute(select(ParticipantRow.id).where(ParticipantRow.id == person).with_for_update())


async def revoke_links(session: AsyncSession, person: str) -> None:
    """Revoke all links to this person's own page. Needs a writing transaction."""
    await session.execute(
        update(ParticipantRow)
        .where(ParticipantRow.id == person)
        .values(generation=ParticipantRow.generation + 1)
        .execution_options(synchronize_session=False)
    )


async def cohorts_of(session: AsyncSession, person: str) -> list[CohortCoordinators]:
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
    cohorts: dict[str, CohortCoordinators] = {}
    for cohort, letterbox, holidays, coordinator in rows:
        known = cohorts.get(cohort)
        coordinators = (*known.coordinators, coordinator) if known else (coordinator,)
        cohorts[cohort] = CohortCoordinators(cohort, letterbox, holidays, coordinators)
    return list(cohorts.values())


async def named(session: AsyncSession, name: str) -> list[KnownPerson]:
    """Everybody with this name (case-insensitive), except erased people."""
    rows = await session.scalars(
        select(ParticipantRow)
        .where(
            # SQLite lowers ASCII letters only: a name typed as it is written is found by either database.
            or_(func.lower(ParticipantRow.name) == name.lower(), ParticipantRow.name == name),
            ParticipantRow.standing != "erased",
        )
        .order_by(ParticipantRow.id)
    )
    return [_known(row) for row in rows]


async def ids(session: AsyncSession) -> list[str]:
    """The ids of all people."""
    return list(await session.scalars(select(ParticipantRow.id).order_by(ParticipantRow.id)))


async def deciders_for(session: AsyncSession, person: str) -> tuple[Decider, ...]:
    """Those who may decide about a person: the coordinators and deputies of the cohorts in which the person has a
    seat, or which they coordinate themselves. Each of them once."""
    seats = select(MembershipRow.cohort).where(MembershipRow.person == person)
    coordinated = select(CohortPersonRow.cohort).where(CohortPersonRow.person == person)
    rows = await session.execute(
        select(ParticipantRow.id, ParticipantRow.name, ParticipantRow.email, func.min(CohortPersonRow.role))
        .join(CohortPersonRow, CohortPersonRow.person == ParticipantRow.id)
        .where(CohortPersonRow.cohort.in_(seats.union(coordinated)))
        .group_by(ParticipantRow.id, ParticipantRow.name, ParticipantRow.email)
        .order_by(func.min(CohortPersonRow.role), ParticipantRow.id)
    )
    return tuple(Decider(*row) for row in rows)


def _known(row: ParticipantRow) -> KnownPerson:
    return KnownPerson(row.id, row.name, row.email, row.zone, row.language, row.standing)


async def reachable(session: AsyncSession, people: Collection[str]) -> dict[str, tuple[str, str]]:
    """Id to (name, address) of those among these people who take part and whose address takes mail."""
    rows = await session.execute(
        select(ParticipantRow.id, ParticipantRow.name, ParticipantRow.email).where(
            ParticipantRow.id.in_(list(people)), ParticipantRow.standing == "active"
        )
    )
    return {person: (name, email) for person, name, email in rows}
