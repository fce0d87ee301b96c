"""Stores requested address changes until both addresses have confirmed them, or until they fail.

Closing a change drops its waiting mails in the same transaction. Must not change a person's address; that is
`store.people.correct`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.commands import Post
from lifecycle.delivery.holds import Standstill
from lifecycle.delivery.postbox import ADDRESS_NEW, ADDRESS_OLD
from lifecycle.keys import item_key
from lifecycle.local_time import begun_everywhere
from store.postbox import WAITING, Address, letterbox_rule, post
from store.shards import soonest
from store.tables import AddressChangeRow, CohortRow, EventRow, ItemRow, MessageRow, ParticipantRow

Side = Literal["old", "new"]
"""The current address, or the requested one."""
SIDES: tuple[Side, ...] = ("old", "new")
State = Literal["pending", "done", "denied", "withdrawn", "overtaken", "refused", "taken", "lapsed"]
"""The result of a change. `lapsed` is not stored: it is a pending change past its time."""


@dataclass(frozen=True, slots=True)
class AddressRequest:
    """Another address as somebody asks for it, at this moment (program time, UTC)."""

    id: str
    person: str
    cohort: str
    """In whose name the mails go."""
    email: str
    at: datetime
    lapses_at: datetime


@dataclass(frozen=True, slots=True)
class AddressChange:
    """Another address that somebody asked for, with what the pages say of it. Instants are UTC."""

    id: str
    person: str
    name: str
    zone: str
    cohort: str
    cohort_title: str
    organisation: str
    email: str
    asked_at: datetime
    lapses_at: datetime
    confirmed: frozenset[Side]
    state: State

    @property
    def missing(self) -> tuple[Side, ...]:
        """Those that have not confirmed it."""
        return tuple(side for side in SIDES if side not in self.confirmed)


async def find(session: AsyncSession, id_: str, now: datetime) -> AddressChange | None:
    """A change by its id; None where there is none, or its person was erased."""
    return await _first(session, now, AddressChangeRow.id == id_)


async def latest(session: AsyncSession, person: str, now: datetime) -> AddressChange | None:
    """What this person asked for last."""
    return await _first(session, now, AddressChangeRow.person == person)


async def asked_since(session: AsyncSession, person: str, since: datetime) -> int:
    """How often this person has asked for another address since this instant (UTC)."""
    count = select(func.count()).where(AddressChangeRow.person == person, AddressChangeRow.asked_at > since)
    return await session.scalar(count) or 0


async def other_holder(session: AsyncSession, email: str, person: str) -> str | None:
    """The id of somebody else who has this address."""
    return await session.scalar(
        select(ParticipantRow.id)
        .where(func.lower(ParticipantRow.email) == email.strip().lower(), ParticipantRow.id != person)
        .order_by(ParticipantRow.id)
        .limit(1)
    )


async def put(session: AsyncSession, asked: AddressRequest, *, shards: int) -> dict[int, datetime]:
    """Put down that a person asks for an address, and a mail into their postbox for either address. What they asked
    for before is overtaken. Needs a writing transaction.

    Returns shard to the moment (UTC) at which its postmaster must look.
    """
    await overtake(session, asked.person, asked.at)
    session.add(
        AddressChangeRow(
            id=asked.id, person=asked.person, cohort=asked.cohort, email=asked.email, asked_at=asked.at,
            lapses_at=asked.lapses_at,
        )
    )  # fmt: skip
    await session.flush()
    cohort = await session.get_one(CohortRow, asked.cohort)
    rule = letterbox_rule(cohort.letterbox, cohort.holidays)
    mails = [
        Post(
            key=item_key(asked.cohort, "address", asked.id, 1, asked.person, side),
            person=asked.person,
            kind="urgent",
            name=name,
            number=1,
            date=begun_everywhere(asked.at),
            about=asked.id,
            after_end=True,
        )
        for side, name in (("old", ADDRESS_OLD), ("new", ADDRESS_NEW))
    ]
    address = Address(asked.cohort, "", asked.at, rule, shards)
    return soonest(await post(session, address, mails, Standstill()))


async def confirm(session: AsyncSession, id_: str, side: Side, now: datetime) -> None:
    """Put down that a pending change is confirmed from one of the two."""
    await session.execute(
        update(AddressChangeRow)
        .where(AddressChangeRow.id == id_, AddressChangeRow.state == "pending")
        .values({"old_at" if side == "old" else "new_at": now})
        .execution_options(synchronize_session=False)
    )


async def close(session: AsyncSession, id_: str, state: State, now: datetime) -> bool:
    """Close a pending change; False where it was closed before."""
    return bool(await _close(session, AddressChangeRow.id == id_, state, now))


async def overtake(session: AsyncSession, person: str, now: datetime) -> None:
    """Whatever this person asked for and is still pending counts no more."""
    await _close(session, AddressChangeRow.person == person, "overtaken", now)


async def refused_by_it(session: AsyncSession, message: str, code: str, now: datetime) -> bool:
    """The address that a mail went to has refused it; whether it is one that was asked for and is nobody's yet.

    `code` is class and status. A change that is still pending is closed by it, with a line on the record.
    """
    change = await session.scalar(
        select(AddressChangeRow)
        .join(ItemRow, ItemRow.about == AddressChangeRow.id)
        .where(ItemRow.message == message, ItemRow.name == ADDRESS_NEW)
    )
    if change is None or change.state == "done":
        return False
    if await close(session, change.id, "refused", now):
        session.add(EventRow(cohort=change.cohort, at=now, name="address_refused", person=change.person, detail=code))
    return True


async def forget(session: AsyncSession, person: str) -> int:
    """Nothing is left of what this person asked for; how many there were."""
    gone = await session.scalars(
        delete(AddressChangeRow).where(AddressChangeRow.person == person).returning(AddressChangeRow.id)
    )
    return len(gone.all())


async def _first(session: AsyncSession, now: datetime, which: Any) -> AddressChange | None:
    rows = await session.execute(
        select(AddressChangeRow, ParticipantRow, CohortRow)
        .join(ParticipantRow, ParticipantRow.id == AddressChangeRow.person)
        .join(CohortRow, CohortRow.id == AddressChangeRow.cohort)
        .where(which, ParticipantRow.standing != "erased")
        .order_by(AddressChangeRow.state != "pending", AddressChangeRow.asked_at.desc(), AddressChangeRow.id)
        .limit(1)
        .execution_options(populate_existing=True)
    )
    row = rows.first()
    if row is None:
        return None
    row, person, cohort = row
    return _change(row, person, cohort, now)


def _change(row: AddressChangeRow, person: ParticipantRow, cohort: CohortRow, now: datetime) -> AddressChange:
    confirmed_at: dict[Side, datetime | None] = {"old": row.old_at, "new": row.new_at}
    lapsed = row.state == "pending" and now >= row.lapses_at
    return AddressChange(
        id=row.id,
        person=row.person,
        name=person.name,
        zone=person.zone,
        cohort=row.cohort,
        cohort_title=cohort.title,
        organisation=cohort.organisation,
        email=row.email,
        asked_at=row.asked_at,
        lapses_at=row.lapses_at,
        confirmed=frozenset(side for side, at in confirmed_at.items() if at is not None),
        state="lapsed" if lapsed else row.state,  # pyright: ignore[reportArgumentType]
    )


async def _close(session: AsyncSession, which: Any, state: State, now: datetime) -> list[str]:
    closed = await session.scalars(
        update(AddressChangeRow)
        .where(which, AddressChangeRow.state == "pending")
        .values(state=state, closed_at=now)
        .returning(AddressChangeRow.id)
        .execution_options(synchronize_session=False)
    )
    ids = list(closed)
    if not ids:
        return []
    doubtful = select(MessageRow.id).where(MessageRow.id == ItemRow.message, MessageRow.state == "ambiguous")
    dropped = await session.execute(
        update(ItemRow)
        .where(
            ItemRow.about.in_(ids),
            or_(ItemRow.state.in_(WAITING), and_(ItemRow.state == "sending", doubtful.exists())),
        )
        .values(state="dropped", reason="answered", done_at=now, deliver_at=None, message=None)
        .returning(ItemRow.key, ItemRow.cohort, ItemRow.person)
        .execution_options(synchronize_session=False)
    )
    line = {"mentorship": "", "at": now, "name": "dropped"}
    lines = [
        line | {"cohort": cohort, "person": person, "detail": f"{key} answered"} for key, cohort, person in dropped
    ]
    if lines:
        await session.execute(insert(EventRow), lines)
    return ids
