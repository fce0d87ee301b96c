"""Messages that coordinators write: drafts, what was sent to whom, and what decides about one that waits.

The text stays in SQL. Sending and delivering are elsewhere (`operations.mentorships.message`, `store.delivery`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.delivery.holds import Standstill
from lifecycle.delivery.messages import MESSAGE, MessagePlace
from lifecycle.delivery.notices import SeatStanding
from store.columns import bare
from store.tables import (
    ItemRow,
    MembershipRow,
    MentorshipRow,
    MessagePlaceRow,
    MessageRow,
    ParticipantRow,
    WrittenMessageRow,
)

DRAFT, SENT = "draft", "sent"


@dataclass(frozen=True, slots=True)
class WrittenMessage:
    """A message as it was written. Instants are program time (UTC)."""

    id: str
    cohort: str
    by: str
    state: str
    """draft, sent"""
    mentorships: tuple[str, ...]
    """Keys of those that it is about; empty: about the whole cohort."""
    people: tuple[str, ...]
    """Ids of those whom alone it is for; empty: everybody there."""
    subject: str
    text: str
    version: int
    changed_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class MessageReader:
    """Somebody whom a message may reach, as they stand now."""

    id: str
    name: str
    zone: str
    language: str
    standing: str
    last_mail_on: Any


@dataclass(frozen=True, slots=True)
class MessageDelivery:
    """What became of a message to one person."""

    person: str
    name: str
    state: str
    """queued, held, sending, sent, dropped, refused"""
    reason: str
    at: datetime | None
    """When it went out or was dropped (UTC)."""
    mail: str
    """Id of the mail that carried it, or nothing."""


async def find(session: AsyncSession, id_: str, *, lock: bool = False) -> WrittenMessage | None:
    """The message with this id. `lock` keeps others from it until the transaction ends."""
    row = await session.get(WrittenMessageRow, id_, with_for_update=lock or None)
    return _message(row) if row else None


async def listed(session: AsyncSession, cohort: str) -> list[WrittenMessage]:
    """The messages of a cohort: drafts first, then what was sent, the latest first."""
    rows = await session.scalars(
        select(WrittenMessageRow)
        .where(WrittenMessageRow.cohort == cohort)
        .order_by(WrittenMessageRow.state, WrittenMessageRow.changed_at.desc(), WrittenMessageRow.id)
    )
    return [_message(row) for row in rows]


async def put(session: AsyncSession, message: WrittenMessage) -> None:
    """Keep a message, in the place of the one with its id."""
    await session.merge(
        WrittenMessageRow(
            id=message.id, cohort=message.cohort, by=message.by, state=message.state,
            mentorships=list(message.mentorships), people=list(message.people), subject=message.subject,
            text=message.text, version=message.version, changed_at=message.changed_at, sent_at=message.sent_at,
        )
    )  # fmt: skip
    await session.flush()


async def remove(session: AsyncSession, id_: str) -> bool:
    """Remove a draft; False where there is none with this id."""
    gone = await session.scalars(
        delete(WrittenMessageRow)
        .where(WrittenMessageRow.id == id_, WrittenMessageRow.state == DRAFT)
        .returning(WrittenMessageRow.id)
    )
    return bool(gone.all())


async def seats(
    session: AsyncSession, cohort: str, mentorships: Collection[str] = ()
) -> list[tuple[str, SeatStanding]]:
    """The seats of these mentorships, or of all of a cohort, in the order in which they are named everywhere."""
    query = (
        select(MembershipRow.mentorship, MembershipRow.person, MembershipRow.role, MembershipRow.standing)
        .where(MembershipRow.cohort == cohort)
        .order_by(MembershipRow.mentorship, MembershipRow.position, MembershipRow.person)
    )
    if mentorships:
        query = query.where(MembershipRow.mentorship.in_(mentorships))
    rows = await session.execute(query)
    return [(mentorship, (person, role, standing)) for mentorship, person, role, standing in rows]


async def readers(session: AsyncSession, people: Collection[str]) -> dict[str, MessageReader]:
    """These people as they stand now, by id."""
    rows = await session.execute(
        select(
            ParticipantRow.id, ParticipantRow.name, ParticipantRow.zone, ParticipantRow.language,
            ParticipantRow.standing, ParticipantRow.last_mail_on,
        ).where(ParticipantRow.id.in_(people))
    )  # fmt: skip
    return {row.id: MessageReader(*row) for row in rows}


async def put_places(session: AsyncSession, message: str, cohort: str, of: Mapping[str, Sequence[str]]) -> None:
    """Keep which mentorships a message is about, for each person."""
    rows = [
        {"message": message, "person": person, "mentorship": mentorship, "cohort": cohort}
        for person, mentorships in of.items()
        for mentorship in mentorships
    ]
    if rows:
        await session.execute(insert(bare(MessagePlaceRow)), rows)


async def standstills(
    session: AsyncSession, cohort: str, mentorships: Collection[str]
) -> dict[str, tuple[Standstill, str]]:
    """Key of a mentorship to what keeps its items back now, and until when it is paused (ISO, `open`, or empty)."""
    rows = await session.execute(
        select(MentorshipRow.key, MentorshipRow.state, MentorshipRow.paused_until, MentorshipRow.held).where(
            MentorshipRow.cohort == cohort, MentorshipRow.key.in_(mentorships)
        )
    )
    return {key: (_still(state, paused, held), paused) for key, state, paused, held in rows}


async def places_of(session: AsyncSession, items: Iterable[Any]) -> dict[tuple[str, str], tuple[MessagePlace, ...]]:
    """(message, person) to the places that decide about it, for items that bring a message; no question without one.

    One about the whole cohort has the person's seats in it, and nothing keeps it back.
    """
    wanted = [(item.about, item.person, item.cohort) for item in items if item.name == MESSAGE]
    if not wanted:
        return {}
    found: dict[tuple[str, str], tuple[MessagePlace, ...]] = {}
    rows = await session.execute(
        select(
            MessagePlaceRow.message, MessagePlaceRow.person, MessagePlaceRow.mentorship, MembershipRow.standing,
            MentorshipRow.state, MentorshipRow.paused_until, MentorshipRow.held,
        )
        .join(
            MembershipRow,
            and_(
                MembershipRow.cohort == MessagePlaceRow.cohort,
                MembershipRow.mentorship == MessagePlaceRow.mentorship,
                MembershipRow.person == MessagePlaceRow.person,
            ),
        )
        .join(
            MentorshipRow,
            and_(
                MentorshipRow.cohort == MessagePlaceRow.cohort, MentorshipRow.key == MessagePlaceRow.mentorship
            ),
        )
        .where(tuple_(MessagePlaceRow.message, MessagePlaceRow.person).in_([one[:2] for one in wanted]))
        .order_by(MessagePlaceRow.message, MessagePlaceRow.person, MessagePlaceRow.mentorship)
    )  # fmt: skip
    for message, person, mentorship, standing, state, paused, held in rows:
        place = MessagePlace(mentorship, standing, _still(state, paused, held))
        found[message, person] = (*found.get((message, person), ()), place)
    everywhere = [one for one in wanted if one[:2] not in found]
    if everywhere:
        own = await session.execute(
            select(
                MembershipRow.cohort, MembershipRow.person, MembershipRow.mentorship, MembershipRow.standing
            )
            .where(tuple_(MembershipRow.cohort, MembershipRow.person).in_([(one[2], one[1]) for one in everywhere]))
            .order_by(MembershipRow.mentorship)
        )  # fmt: skip
        seats_of: dict[tuple[str, str], tuple[MessagePlace, ...]] = {}
        for cohort, person, mentorship, standing in own:
            before = seats_of.get((cohort, person), ())
            seats_of[cohort, person] = (*before, MessagePlace(mentorship, standing))
        for message, person, cohort in everywhere:
            found[message, person] = seats_of.get((cohort, person), ())
    return found


async def deliveries(session: AsyncSession, message: str) -> list[MessageDelivery]:
    """What became of a message, by the names of the people."""
    rows = await session.execute(
        select(
            ItemRow.person, ParticipantRow.name, ItemRow.state, ItemRow.reason, ItemRow.done_at, MessageRow.sent_at,
            ItemRow.message,
        )
        .join(ParticipantRow, ParticipantRow.id == ItemRow.person)
        .outerjoin(MessageRow, MessageRow.id == ItemRow.message)
        .where(ItemRow.name == MESSAGE, ItemRow.about == message)
        .order_by(ParticipantRow.name, ItemRow.person)
    )  # fmt: skip
    return [
        MessageDelivery(person, name, state, reason, sent_at or done_at, mail or "")
        for person, name, state, reason, done_at, sent_at, mail in rows
    ]


async def counts(session: AsyncSession, messages: Collection[str]) -> dict[str, tuple[int, int, int]]:
    """Message to (whom it was for, whom it reached, for whom it waits or is on its way)."""
    rows = await session.execute(
        select(ItemRow.about, ItemRow.state, func.count())
        .where(ItemRow.name == MESSAGE, ItemRow.about.in_(messages))
        .group_by(ItemRow.about, ItemRow.state)
    )
    found: dict[str, tuple[int, int, int]] = {}
    for message, state, count in rows:
        every, arrived, waiting = found.get(message, (0, 0, 0))
        found[message] = (
            every + count,
            arrived + (count if state == "sent" else 0),
            waiting + (count if state in ("queued", "held", "sending") else 0),
        )
    return found


async def forget(
    session: AsyncSession, person: str, cohorts: Collection[str], without_name: Callable[[str], str]
) -> int:
    """Take a person who is erased out of what was written: gone where they alone were written to, without the name
    (`without_name` takes it out) in the others of these cohorts. Returns how many changed."""
    readers_of = select(ItemRow.person).where(ItemRow.name == MESSAGE, ItemRow.about == WrittenMessageRow.id)
    alone = and_(
        readers_of.where(ItemRow.person == person).exists(), ~readers_of.where(ItemRow.person != person).exists()
    )
    rows = await session.execute(
        select(WrittenMessageRow, alone.label("alone")).where(WrittenMessageRow.cohort.in_(cohorts))
    )
    changed = 0
    for row, to_them_alone in rows.all():
        gone = to_them_alone or row.people == [person]
        words = ("", "") if gone else (without_name(row.subject), without_name(row.text))
        if words != (row.subject, row.text):
            row.subject, row.text = words
            changed += 1
    await session.flush()
    return changed


def _still(state: str, paused_until: str, held: bool) -> Standstill:
    return Standstill(held, bool(paused_until) and state != "over")


def _message(row: WrittenMessageRow) -> WrittenMessage:
    return WrittenMessage(
        row.id, row.cohort, row.by, row.state, tuple(row.mentorships), tuple(row.people), row.subject, row.text,
        row.version, row.changed_at, row.sent_at,
    )  # fmt: skip
