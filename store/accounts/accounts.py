"""Who may sign in to the coordinators' web, and which role they hold in which cohort.

Roles are read on every request and never copied into a session: a coordinator who is taken out of a cohort's file is
out with the next click.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, func, insert, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from store.lookups import Lookup, look_up
from store.tables import CohortPersonRow, CohortReaderRow, CohortRow, MembershipRow, ParticipantRow, TaskRow


@dataclass(frozen=True, slots=True)
class RoleHolder:
    """A person with a role in at least one cohort."""

    person: str
    name: str
    email: str
    roles: dict[str, str]
    """Cohort id to `coordinator`, `deputy` or `reader`: the highest of those that the person has there."""


async def holder_by_id(session: AsyncSession, person: str) -> RoleHolder | None:
    """The person of this id with their roles; None where there are none, or the person was erased."""
    return await look_up(session, holders(select(literal(person))))


def holders(person: Select[str]) -> Lookup[RoleHolder | None]:
    """The same of the one person whose id this selects."""
    return Lookup(_ROLES.where(ParticipantRow.id.in_(person)), _holder)


async def holder_by_address(session: AsyncSession, email: str) -> RoleHolder | None:
    """The person with this address (case-insensitive) who holds a role; the first by id where several do."""
    rows = await session.execute(
        _ROLES.where(func.lower(ParticipantRow.email) == email.strip().lower()).order_by(ParticipantRow.id)
    )
    return _holder(rows)


async def all_holders(session: AsyncSession) -> list[RoleHolder]:
    """Everybody with a role in some cohort, by id."""
    by_person: dict[str, list[Any]] = {}
    for row in await session.execute(_ROLES.order_by(ParticipantRow.id)):
        by_person.setdefault(row.id, []).append(row)
    return [holder for rows in by_person.values() if (holder := _holder(rows))]


async def cohorts_of_person(session: AsyncSession, person: str) -> set[str]:
    """The cohorts in which a person has a seat, or which they coordinate or read."""
    seats = select(MembershipRow.cohort).where(MembershipRow.person == person)
    roles = select(CohortPersonRow.cohort).where(CohortPersonRow.person == person)
    readers = select(CohortReaderRow.cohort).where(CohortReaderRow.person == person)
    return set(await session.scalars(union_all(seats, roles, readers)))


async def cohort_of_task(session: AsyncSession, task: str) -> str:
    """The cohort of a task, by its key or its public id; empty where there is no such task."""
    found = await session.scalar(
        select(TaskRow.cohort).where(or_(TaskRow.key == task, TaskRow.public_id == task)).limit(1)
    )
    return found or ""


async def all_cohorts(session: AsyncSession) -> dict[str, str]:
    """Cohort id to title, the latest launch first."""
    rows = await session.execute(
        select(CohortRow.id, CohortRow.title).order_by(CohortRow.launched_at.desc(), CohortRow.id)
    )
    return {row.id: row.title for row in rows}


async def put_readers(session: AsyncSession, cohort: str, people: Collection[str]) -> None:
    """Replace a cohort's readers by these. Needs a writing transaction."""
    await session.execute(delete(CohortReaderRow).where(CohortReaderRow.cohort == cohort))
    if people:
        await session.execute(insert(CohortReaderRow), [{"cohort": cohort, "person": person} for person in people])


async def readers_of(session: AsyncSession, cohort: str) -> list[str]:
    """The ids of a cohort's readers, sorted."""
    rows = await session.scalars(
        select(CohortReaderRow.person).where(CohortReaderRow.cohort == cohort).order_by(CohortReaderRow.person)
    )
    return list(rows)


_HELD = union_all(
    select(CohortPersonRow.person, CohortPersonRow.cohort, CohortPersonRow.role),
    select(CohortReaderRow.person, CohortReaderRow.cohort, literal("reader").label("role")),
).subquery()
_ROLES = (
    select(ParticipantRow.id, ParticipantRow.name, ParticipantRow.email, _HELD.c.cohort, _HELD.c.role)
    .join(_HELD, _HELD.c.person == ParticipantRow.id)
    .where(ParticipantRow.standing != "erased")
)
_RANK = ("reader", "deputy", "coordinator")


def _holder(rows: Iterable[Any]) -> RoleHolder | None:
    holder: RoleHolder | None = None
    for person, name, email, cohort, role in rows:
        if holder is None:
            holder = RoleHolder(person, name, email, {})
        if person == holder.person:
            before = holder.roles.get(cohort, role)
            holder.roles[cohort] = max(before, role, key=_RANK.index)
    return holder
