"""Names and addresses that a person had before a correction.

They are kept for one purpose: erasing the person must find them in what others wrote. They are shown to nobody but
the person, among what is held on them, and go when the person is erased.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from program.limits import FORMER_NAMES
from store.database import putting
from store.tables import AddressChangeRow, FormerNameRow


class ChangedTooOften(ValueError):
    """A person had so many names and addresses that no further one can be kept. Says how many."""


@dataclass(frozen=True, slots=True)
class FormerName:
    """A name or an address (`field`: name, email), and until when (UTC) the person had it."""

    field: str
    value: str
    until: datetime


async def keep(session: AsyncSession, person: str, field: str, value: str, now: datetime) -> None:
    """Keep what a person was called until now. Needs a writing transaction. Raises `ChangedTooOften`."""
    if not value:
        return
    row = {"person": person, "field": field, "value": value, "until": now}
    await session.execute(putting(session, FormerNameRow, ("person", "field", "value"), ("until",)), [row])
    kept = await session.scalar(select(func.count()).where(FormerNameRow.person == person)) or 0
    if kept > FORMER_NAMES:
        raise ChangedTooOften(FORMER_NAMES)


async def of_person(session: AsyncSession, person: str) -> list[FormerName]:
    """What a person was called before, the oldest first."""
    return [FormerName(*row) for row in await session.execute(names_of(person))]


def names_of(person: str) -> Select[str, str, datetime]:
    """The (field, value, until) of what a person was called before, the oldest first."""
    return (
        select(FormerNameRow.field, FormerNameRow.value, FormerNameRow.until)
        .where(FormerNameRow.person == person)
        .order_by(FormerNameRow.until, FormerNameRow.field, FormerNameRow.value)
    )


async def addresses_asked_for(session: AsyncSession, person: str) -> list[str]:
    """Addresses that the person once asked for on their page, whatever came of it."""
    rows = await session.scalars(
        select(AddressChangeRow.email).where(AddressChangeRow.person == person).order_by(AddressChangeRow.id)
    )
    return list(rows)


async def forget(session: AsyncSession, person: str) -> int:
    """Keep nothing of it; how many there were. Needs a writing transaction."""
    gone = await session.scalars(
        delete(FormerNameRow).where(FormerNameRow.person == person).returning(FormerNameRow.value)
    )
    return len(gone.all())
