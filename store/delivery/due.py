"""Reads postboxes: who has something due, and everything that decides what becomes of it. Writes nothing.

A person with a mail on its way (being sent, put off, or perhaps accepted) is left alone until that mail is
settled: this is what keeps two mails from crossing on one day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, case, exists, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.delivery.absences import Absence
from lifecycle.delivery.letterbox import LetterboxRule
from lifecycle.delivery.messages import MESSAGE, MessagePlace, facts_of
from lifecycle.delivery.notices import OF_PARTNERS, OF_SILENCE, TRUE_WHILE, NoticeFacts, SeatStanding, who_takes_part
from lifecycle.delivery.postbox import FAST, ItemFacts, MentorshipFacts, PersonFacts, RequestFacts
from store.columns import Instant
from store.people import absences, written_messages
from store.postbox import letterbox_rule
from store.prepared import Prepared
from store.tables import (
    CohortRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    MessageRow,
    ParticipantRow,
    RequestRow,
    TaskRow,
)


@dataclass(frozen=True, slots=True)
class Item:
    """An item beyond what decides about it: what it says, and of what."""

    key: str
    person: str
    kind: str
    name: str
    number: int
    cohort: str
    mentorship: str
    date: date
    queued_at: datetime
    request: str
    task: str
    about: str
    failures: int = 0
    """How often no mail could be made of it."""


@dataclass(slots=True)
class Postbox:
    """One person with everything that waits for them."""

    person: PersonFacts
    shard: int
    waiting: list[ItemFacts] = field(default_factory=list[ItemFacts])
    items: dict[str, Item] = field(default_factory=dict[str, Item])
    """Item key to item."""
    seen: list[Any] = field(default_factory=list[Any])
    """What can change, as it was read."""
    put_off: int | None = None
    """How often a mail to this person was refused for the time being; None where none is put off."""
    corrections: int = 0
    """How often the person's address was corrected."""


NOW = bindparam("now", type_=Instant())
"""The moment (UTC) that a statement is about; the statements are built once, which is most of their cost."""

ON_ITS_WAY: ColumnElement[bool] = and_(
    MessageRow.next_try_at.is_not(None),
    or_(
        MessageRow.state.in_(("sending", "ambiguous")),
        and_(MessageRow.state == "deferred", MessageRow.next_try_at > NOW),
    ),
)
"""Whether a message still keeps its person's postbox shut."""

NO_MAIL_ON_ITS_WAY = ~exists().where(MessageRow.person == ItemRow.person, ON_ITS_WAY)
"""Whether an item's person waits for no mail."""

DUE_NOW: ColumnElement[bool] = and_(
    ItemRow.person.in_(bindparam("people", expanding=True)),
    ItemRow.state == "queued",
    # An item that was put back has its reason; until its time has come it is as if it weren't there.
    or_(ItemRow.reason == "", ItemRow.deliver_at <= NOW),
    NO_MAIL_ON_ITS_WAY,
)
OLDEST_FIRST = (ItemRow.person, ItemRow.date, ItemRow.queued_at, ItemRow.key)

WHAT_CAN_CHANGE = (
    ItemRow.person, ItemRow.key,
    ParticipantRow.zone, ParticipantRow.standing, ParticipantRow.reminders_stopped, ParticipantRow.last_mail_on,
    ParticipantRow.corrections,
    RequestRow.state.label("request_state"), RequestRow.closes_at, RequestRow.mails,
    RequestRow.last_mail_on.label("request_last_on"),
    MentorshipRow.state.label("mentorship_state"), MentorshipRow.paused_until, MentorshipRow.held,
    MentorshipRow.erasures, MentorshipRow.ending_decided, MentorshipRow.end, MentorshipRow.pause_ahead,
    MentorshipRow.agreement_open, MentorshipRow.agreement_in_force,
    and_(ItemRow.name.in_(OF_SILENCE), MentorshipRow.last_life > ItemRow.queued_at).label("alive_since"),
    MembershipRow.standing.label("seat"),
    TaskRow.closed_at,
    ItemRow.name, ItemRow.cohort, ItemRow.mentorship, ItemRow.kind, ItemRow.about,
)  # fmt: skip
"""Columns that decide about an item and can change while it waits."""


async def people_due(session: AsyncSession, shard: int, now: datetime, limit: int) -> list[str]:
    """Ids of those with something due, receipts and urgent items first, then those who wait longest."""
    return await PEOPLE_DUE.scalars(session, {"shard": shard, "now": now, "most": limit})


async def behind(session: AsyncSession, people: Collection[str], since: datetime) -> set[str]:
    """Those of these people with a mentorship in which something fell due before `since` (UTC) that has not happened
    yet."""
    return set(await BEHIND.scalars(session, {"people": list(people), "since": since}))


async def lock_people(session: AsyncSession, people: Collection[str]) -> set[str]:
    """Keep other postmasters from these people until the transaction ends; those whom one holds are left out."""
    if session.get_bind().dialect.name == "sqlite":
        return set(people)  # the writer is alone
    return set(await FREE_PEOPLE.scalars(session, {"people": list(people)}))


async def postboxes(session: AsyncSession, people: Collection[str], now: datetime) -> dict[str, Postbox]:
    """The postboxes of these people as they stand now; nobody with a mail on its way is among them."""
    if not people:
        return {}
    rows = await WAITING_ITEMS.all(session, {"people": list(people), "now": now})
    return await _assembled(session, rows)


async def unchanged(session: AsyncSession, boxes: Mapping[str, Postbox], now: datetime) -> set[str]:
    """Those of these people whose postboxes are as they were when they were read. Locks them for the transaction,
    so that it stays so; a person who is locked by another postmaster counts as changed."""
    if not boxes:
        return set()
    free = await lock_people(session, boxes)
    rows = await WAITING_CHANGES.all(session, {"people": sorted(free), "now": now})
    seats = await _seats(session, rows)
    away = await _absences(session, rows)
    places = await written_messages.places_of(session, rows)
    items_of: dict[str, list[Any]] = {}
    for row in rows:
        items_of.setdefault(row.person, []).append(_what_can_change(row, seats, away, places))
    return {person for person, seen in items_of.items() if seen == boxes[person].seen}


async def places_due(session: AsyncSession, people: Collection[str], now: datetime) -> Sequence[Any]:
    """What is due for these people (key, person, cohort, mentorship, name, failures), without reading what it says.
    Locks the people for the transaction; those whom another postmaster holds are left out."""
    if not people:
        return []
    free = await lock_people(session, people)
    rows = await session.execute(
        select(ItemRow.key, ItemRow.person, ItemRow.cohort, ItemRow.mentorship, ItemRow.name, ItemRow.failures)
        .where(ItemRow.person.in_(free), ItemRow.state == "queued", ItemRow.deliver_at <= now)
        .order_by(ItemRow.key)
    )
    return rows.all()


async def of_messages(session: AsyncSession, messages: Collection[str]) -> dict[str, Postbox]:
    """Message id to its person and the items that it carries, as if they were still waiting."""
    if not messages:
        return {}
    rows = await session.execute(ITEMS.where(ItemRow.message.in_(messages)))
    by_message: dict[str, list[Row[Any]]] = {}
    for row in rows:
        by_message.setdefault(row.message, []).append(row)
    postboxes: dict[str, Postbox] = {}
    for message, keys_of_one in by_message.items():
        [postboxes[message]] = (await _assembled(session, keys_of_one)).values()
    return postboxes


def _with_facts(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        query.join(ParticipantRow, ParticipantRow.id == ItemRow.person)
        .outerjoin(RequestRow, RequestRow.key == ItemRow.request)
        .outerjoin(
            MentorshipRow,
            and_(MentorshipRow.cohort == ItemRow.cohort, MentorshipRow.key == ItemRow.mentorship),
        )
        .outerjoin(
            MembershipRow,
            and_(
                MembershipRow.cohort == ItemRow.cohort,
                MembershipRow.mentorship == ItemRow.mentorship,
                MembershipRow.person == ItemRow.person,
            ),
        )
        .outerjoin(TaskRow, TaskRow.key == ItemRow.task)
    )


ITEMS = _with_facts(
    select(
        *WHAT_CAN_CHANGE,
        ItemRow.number, ItemRow.date, ItemRow.queued_at, ItemRow.request, ItemRow.task,
        ItemRow.after_end, ItemRow.shard, ItemRow.message, ItemRow.failures, MentorshipRow.last_life,
        select(func.max(MessageRow.attempts))
        .where(MessageRow.person == ItemRow.person, MessageRow.state == "deferred")
        .correlate(ItemRow)
        .scalar_subquery()
        .label("put_off"),
    )
)  # fmt: skip
WAITING_ITEMS = Prepared(ITEMS.where(DUE_NOW).order_by(*OLDEST_FIRST))
WAITING_CHANGES = Prepared(_with_facts(select(*WHAT_CAN_CHANGE)).where(DUE_NOW).order_by(*OLDEST_FIRST))
PEOPLE_DUE = Prepared(
    select(ItemRow.person)
    .where(
        ItemRow.shard == bindparam("shard"), ItemRow.state == "queued", ItemRow.deliver_at <= NOW, NO_MAIL_ON_ITS_WAY
    )
    .group_by(ItemRow.person)
    .order_by(func.min(case((ItemRow.kind.in_(FAST), 0), else_=1)), func.min(ItemRow.deliver_at), ItemRow.person)
    .limit(bindparam("most"))
)


FREE_PEOPLE = Prepared(
    select(ParticipantRow.id)
    .where(ParticipantRow.id.in_(bindparam("people", expanding=True)))
    .order_by(ParticipantRow.id)
    .with_for_update(skip_locked=True, key_share=True)
)
RULES = Prepared(
    select(CohortRow.id, CohortRow.letterbox, CohortRow.holidays).where(
        CohortRow.id.in_(bindparam("cohorts", expanding=True))
    )
)
BEHIND = Prepared(
    select(MembershipRow.person)
    .join(
        MentorshipRow,
        and_(MentorshipRow.cohort == MembershipRow.cohort, MentorshipRow.key == MembershipRow.mentorship),
    )
    .where(
        MembershipRow.person.in_(bindparam("people", expanding=True)),
        MembershipRow.standing != "out",
        MentorshipRow.state == "running",
        MentorshipRow.next_at < bindparam("since", type_=Instant()),
    )
    .distinct()
)


async def _assembled(session: AsyncSession, rows: Sequence[Row[Any]]) -> dict[str, Postbox]:
    rules = await _rules(session, {row.cohort for row in rows})
    seats = await _seats(session, rows)
    away = await _absences(session, rows)
    places = await written_messages.places_of(session, rows)
    requests: dict[str, RequestFacts] = {}
    postboxes: dict[str, Postbox] = {}
    for row in rows:
        box = postboxes.get(row.person)
        if box is None:
            person = PersonFacts(
                row.person, row.zone, row.standing, row.reminders_stopped, row.last_mail_on, away.get(row.person, ())
            )
            box = Postbox(person, row.shard, put_off=row.put_off, corrections=row.corrections)
            postboxes[row.person] = box
        box.items[row.key] = Item(
            row.key, row.person, row.kind, row.name, row.number, row.cohort, row.mentorship, row.date,
            row.queued_at, row.request, row.task, row.about, row.failures,
        )  # fmt: skip
        box.waiting.append(_waiting(row, rules[row.cohort], requests, seats, places))
        box.seen.append(_what_can_change(row, seats, away, places))
    return postboxes


Seats = Mapping[tuple[str, str], Sequence[SeatStanding]]
"""(cohort, mentorship) to its seats."""


async def _seats(session: AsyncSession, rows: Iterable[Row[Any]]) -> Seats:
    """Who takes part in the mentorships of which these items tell, where that decides about them."""
    of = {(row.cohort, row.mentorship) for row in rows if row.name in OF_PARTNERS}
    seats: dict[tuple[str, str], list[SeatStanding]] = {}
    for cohort, mentorship, *seat in await SEATS.all(session, {"of": sorted(of)}) if of else ():
        seats.setdefault((cohort, mentorship), []).append((seat[0], seat[1], seat[2]))
    return seats


Away = Mapping[str, tuple[Absence, ...]]
"""Person to the absences that they have stated."""


async def _absences(session: AsyncSession, rows: Iterable[Row[Any]]) -> Away:
    """When those are away whom these items remind of something: one question, and none where nothing reminds."""
    return await absences.of_people(session, {row.person for row in rows if row.kind == "reminder"})


Places = Mapping[tuple[str, str], tuple[MessagePlace, ...]]
"""(message, person) to the places that decide about it."""


def _what_can_change(row: Row[Any], seats: Seats, away: Away, places: Places) -> tuple[Any, ...]:
    of = seats.get((row.cohort, row.mentorship)) if row.name in OF_PARTNERS else None
    absent = away.get(row.person) if row.kind == "reminder" else None
    return *row[: len(WHAT_CAN_CHANGE)], of, absent, places.get((row.about, row.person))


def _facts(row: Row[Any], seats: Seats) -> NoticeFacts | None:
    """What the condition of a notice looks at, where it has one; for coordinators as for participants."""
    if row.name not in TRUE_WHILE or row.mentorship_state is None:
        return None
    takes_part, partners, present = who_takes_part(seats.get((row.cohort, row.mentorship), ()), row.person)
    return NoticeFacts(
        takes_part,
        partners,
        present,
        ending=row.ending_decided,
        end=row.end,
        last_life=row.last_life,
        agreement_open=row.agreement_open,
        agreement_in_force=row.agreement_in_force,
        paused_until=row.paused_until if row.mentorship_state != "over" else "",
        pause_ahead=row.pause_ahead,
        task_open=row.closed_at is None,
    )


def _waiting(
    row: Row[Any], rule: LetterboxRule, requests: dict[str, RequestFacts], seats: Seats, places: Places
) -> ItemFacts:
    request = None
    if row.request_state is not None:
        request = requests.get(row.request)
        if request is None:
            request = requests[row.request] = RequestFacts(
                row.request, row.request_state, row.closes_at, row.mails, row.request_last_on
            )
    # A person who has no seat in the mentorship gets the item as a coordinator.
    mentorship = None
    if row.task == "" and row.seat is not None:
        mentorship = MentorshipFacts(bool(row.paused_until), row.held, row.mentorship_state == "over")
    out = mentorship is not None and row.seat == "out"
    if row.name == MESSAGE:
        mentorship, out = facts_of(places.get((row.about, row.person), ()))
    return ItemFacts(
        key=row.key,
        kind=row.kind,
        name=row.name,
        date=row.date,
        queued_at=row.queued_at,
        rule=rule,
        request=request,
        mentorship=mentorship,
        out=out,
        after_end=row.after_end,
        number=row.number,
        about=row.about,
        facts=_facts(row, seats),
    )


SEATS = Prepared(
    select(
        MembershipRow.cohort, MembershipRow.mentorship, MembershipRow.person, MembershipRow.role,
        MembershipRow.standing,
    )
    .where(tuple_(MembershipRow.cohort, MembershipRow.mentorship).in_(bindparam("of", expanding=True)))
    .order_by(MembershipRow.cohort, MembershipRow.mentorship, MembershipRow.person)
)  # fmt: skip


async def _rules(session: AsyncSession, cohorts: Collection[str]) -> dict[str, LetterboxRule]:
    rows = await RULES.all(session, {"cohorts": list(cohorts)})
    return {cohort: letterbox_rule(letterbox, holidays) for cohort, letterbox, holidays in rows}
