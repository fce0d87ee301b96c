"""Reads what the pages of a mentorship, a task and a person show beside the timeline: contact, mails, requests.

It holds names and addresses, for coordinators to read; it must not be passed to Temporal or written to a log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle import saved_state
from lifecycle.keys import MentorshipRef
from lifecycle.state import State
from store.programs import FrozenProgram, frozen_program
from store.tables import (
    AddressChangeRow,
    CohortPersonRow,
    CohortRow,
    EventRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    MessageRow,
    ParticipantRow,
    RequestRow,
    SuppressionRow,
    TaskRow,
)


@dataclass(frozen=True, slots=True)
class Contact:
    """A person in a mentorship, and how they can be reached. `standing` is that of the seat."""

    id: str
    name: str
    email: str
    zone: str
    role: str
    standing: str
    reached: str
    """active, left, erased, bounced"""


@dataclass(frozen=True, slots=True)
class MentorshipFacts:
    """A mentorship with what its page needs. Dates are days of the cohort's zone."""

    cohort: str
    title: str
    """Of the cohort."""
    zone: str
    key: str
    format: str
    program: FrozenProgram
    state: str
    phase: str
    health: str
    start: date
    midpoint: date
    end: date
    ended_on: date | None
    ending: str
    reason: str
    paused_until: str
    pause_ahead: str
    held: bool
    agreement_in_force: int
    agreement_open: int
    people: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task, open or decided, with its author's name. `decided_by` is empty where the engine closed it."""

    key: str
    public_id: str
    """Stands in the address of its page."""
    cohort: str
    mentorship: str
    kind: str
    number: int
    reason: str
    about: tuple[str, ...]
    decisions: tuple[str, ...]
    due: date
    opened_at: datetime
    opened_on: date
    closed_at: datetime | None
    closed_on: date | None
    decision: str
    decided_by: str
    why: str


@dataclass(frozen=True, slots=True)
class SentMail:
    """A mail as it went out. `items` are (name, number, cohort, mentorship, task) of what it tells of."""

    id: str
    person: str
    name: str
    recipient: str
    at: datetime
    subject: str
    raw: str
    state: str
    bounce: str
    items: tuple[tuple[str, int, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class MailLine:
    """A mail in a list."""

    id: str
    at: datetime
    subject: str
    state: str
    bounce: str
    error: str
    cohort: str


@dataclass(frozen=True, slots=True)
class OpenForm:
    """A form that is open for a person."""

    cohort: str
    mentorship: str
    ask: str
    number: int
    opens: date
    closes: date
    mails: int


@dataclass(frozen=True, slots=True)
class PersonSeat:
    """A seat that a person has or had."""

    cohort: str
    title: str
    mentorship: str
    role: str
    standing: str
    phase: str
    state: str
    ending: str
    start: date
    end: date
    partners: tuple[tuple[str, str], ...]
    """(id, name)."""


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A person as the store has them."""

    id: str
    name: str
    email: str
    zone: str
    language: str
    standing: str
    reminders_stopped: bool
    generation: int
    coordinates: tuple[tuple[str, str], ...]
    """(cohort, role) of the cohorts that they coordinate."""
    refused: tuple[tuple[str, str, datetime], ...]
    """(address, reason, when) of addresses of theirs that refuse mail."""
    new_address: tuple[str, datetime] | None
    """An address that waits to be confirmed, and until when."""


async def mentorship_facts(session: AsyncSession, cohort: str, key: str) -> MentorshipFacts | None:
    """A mentorship; None where there is none."""
    row = await session.get(MentorshipRow, (cohort, key))
    of = await session.get(CohortRow, cohort)
    if row is None or of is None:
        return None
    people = await session.execute(
        select(
            ParticipantRow.id, ParticipantRow.name, ParticipantRow.email, ParticipantRow.zone, MembershipRow.role,
            MembershipRow.standing, ParticipantRow.standing,
        )
        .join(MembershipRow, MembershipRow.person == ParticipantRow.id)
        .where(MembershipRow.cohort == cohort, MembershipRow.mentorship == key)
        .order_by(MembershipRow.position, MembershipRow.person)
    )  # fmt: skip
    return MentorshipFacts(
        cohort=cohort,
        title=of.title,
        zone=of.zone,
        key=key,
        format=row.format,
        program=await frozen_program(session, row.program, row.program_hash),
        state=row.state,
        phase=row.phase,
        health=row.health,
        start=row.start,
        midpoint=row.midpoint,
        end=row.end,
        ended_on=row.ended_on,
        ending=row.ending,
        reason=row.reason,
        paused_until=row.paused_until,
        pause_ahead=row.pause_ahead,
        held=row.held,
        agreement_in_force=row.agreement_in_force,
        agreement_open=row.agreement_open,
        people=tuple(Contact(*person) for person in people),
    )


async def zone_of(session: AsyncSession, cohort: str) -> str:
    """The zone of a cohort; UTC where there is no such cohort."""
    return await session.scalar(select(CohortRow.zone).where(CohortRow.id == cohort)) or "UTC"


async def state_of(session: AsyncSession, cohort: str, key: str) -> State | None:
    """What the workflow of a mentorship remembers after its last turn; None before the first."""
    text = await session.scalar(
        select(MentorshipRow.workflow_state).where(MentorshipRow.cohort == cohort, MentorshipRow.key == key)
    )
    return saved_state.load(text) if text else None


async def key_of_task(session: AsyncSession, public: str) -> str | None:
    """The key of the task with this public id."""
    return await session.scalar(select(TaskRow.key).where(TaskRow.public_id == public, TaskRow.public_id != ""))


async def task_facts(session: AsyncSession, key: str) -> TaskRecord | None:
    """The task with this key."""
    row = await session.get(TaskRow, key)
    return _task(row, await names_of(session, [row.by])) if row else None


async def next_open_task(session: AsyncSession, person: str, cohorts: Collection[str], but: str) -> str | None:
    """The public id of the most pressing open task of these cohorts but this one; of reports, of those of which the
    person was told."""
    told = select(ItemRow.key).where(ItemRow.task == TaskRow.key, ItemRow.person == person)
    return await session.scalar(
        select(TaskRow.public_id)
        .where(
            TaskRow.cohort.in_(list(cohorts)),
            TaskRow.closed_at.is_(None),
            TaskRow.key != but,
            or_(TaskRow.kind != "safety", told.exists()),
        )
        .order_by(TaskRow.due, TaskRow.key)
        .limit(1)
    )


async def tasks_of(session: AsyncSession, cohort: str, mentorship: str) -> list[TaskRecord]:
    """All tasks of a mentorship, the latest first."""
    rows = (
        await session.scalars(
            select(TaskRow)
            .where(TaskRow.cohort == cohort, TaskRow.mentorship == mentorship)
            .order_by(TaskRow.opened_at.desc(), TaskRow.key.desc())
        )
    ).all()
    names = await names_of(session, [row.by for row in rows])
    return [_task(row, names) for row in rows]


async def mail(session: AsyncSession, id_: str) -> SentMail | None:
    """A mail with all that it says."""
    row = await session.get(MessageRow, id_)
    if row is None:
        return None
    items = await session.execute(
        select(ItemRow.name, ItemRow.number, ItemRow.cohort, ItemRow.mentorship, ItemRow.task)
        .where(ItemRow.message == id_)
        .order_by(ItemRow.key)
    )
    names = await names_of(session, [row.person])
    return SentMail(
        row.id, row.person, names.get(row.person, row.person), row.recipient, row.at, row.subject, row.raw, row.state,
        row.bounce, tuple((name, number, cohort, key, task) for name, number, cohort, key, task in items),
    )  # fmt: skip


async def items_of_mails(session: AsyncSession, ids: Collection[str]) -> dict[str, list[tuple[str, str, str, str]]]:
    """Mail to the (name, cohort, mentorship, task) of what each tells of."""
    found: dict[str, list[tuple[str, str, str, str]]] = defaultdict(list)
    wanted = sorted(ids)
    for first in range(0, len(wanted), 500):
        rows = await session.execute(
            select(ItemRow.message, ItemRow.name, ItemRow.cohort, ItemRow.mentorship, ItemRow.task).where(
                ItemRow.message.in_(wanted[first : first + 500])
            )
        )
        for message, name, cohort, mentorship, task in rows:
            found[message or ""].append((name, cohort, mentorship, task))
    return found


async def person_facts(session: AsyncSession, person: str) -> PersonFacts | None:
    """A person; None where there is none."""
    row = await session.get(ParticipantRow, person)
    if row is None:
        return None
    desks = await session.execute(
        select(CohortPersonRow.cohort, CohortPersonRow.role)
        .where(CohortPersonRow.person == person)
        .order_by(CohortPersonRow.cohort)
    )
    refused = await session.scalars(
        select(SuppressionRow)
        .where(or_(SuppressionRow.person == person, SuppressionRow.email == row.email))
        .order_by(SuppressionRow.at)
    )
    change = await session.scalar(
        select(AddressChangeRow)
        .where(AddressChangeRow.person == person, AddressChangeRow.state == "pending")
        .order_by(AddressChangeRow.asked_at.desc())
        .limit(1)
    )
    return PersonFacts(
        row.id, row.name, row.email, row.zone, row.language, row.standing, row.reminders_stopped, row.generation,
        tuple((cohort, role) for cohort, role in desks),
        tuple((line.email, line.reason, line.at) for line in refused),
        (change.email, change.lapses_at) if change else None,
    )  # fmt: skip


async def person_seats(session: AsyncSession, person: str) -> list[PersonSeat]:
    """Every seat that a person has or had, those that run first."""
    rows = (
        await session.execute(
            select(MembershipRow, MentorshipRow, CohortRow.title)
            .join(
                MentorshipRow,
                (MentorshipRow.cohort == MembershipRow.cohort) & (MentorshipRow.key == MembershipRow.mentorship),
            )
            .join(CohortRow, CohortRow.id == MembershipRow.cohort)
            .where(MembershipRow.person == person)
            .order_by(MentorshipRow.start.desc(), MentorshipRow.cohort, MentorshipRow.key)
        )
    ).all()
    partners = await _partners(session, person, [(seat.cohort, seat.mentorship) for seat, _, _ in rows])
    seats = [
        PersonSeat(
            seat.cohort, title, seat.mentorship, seat.role, seat.standing, row.phase, row.state, row.ending,
            row.start, row.end, tuple(partners[seat.cohort, seat.mentorship]),
        )
        for seat, row, title in rows
    ]  # fmt: skip
    return sorted(seats, key=lambda seat: (seat.state == "over", seat.standing == "out"))


async def open_forms(session: AsyncSession, person: str) -> list[OpenForm]:
    """The forms that are open for a person, the first to close first."""
    rows = await session.scalars(
        select(RequestRow)
        .where(RequestRow.person == person, RequestRow.state == "open")
        .order_by(RequestRow.closes, RequestRow.key)
    )
    return [
        OpenForm(row.cohort, row.mentorship, row.ask, row.number, row.opens, row.closes, row.mails) for row in rows
    ]


async def mails_to(session: AsyncSession, person: str, most: int) -> list[MailLine]:
    """The mails to a person, the latest first, at most so many."""
    rows = await session.execute(
        select(
            MessageRow.id, MessageRow.at, MessageRow.subject, MessageRow.state, MessageRow.bounce, MessageRow.error,
            MessageRow.cohort,
        )
        .where(MessageRow.person == person)
        .order_by(MessageRow.at.desc(), MessageRow.id)
        .limit(most)
    )  # fmt: skip
    return [MailLine(*row) for row in rows]


async def record_of(session: AsyncSession, person: str, cohorts: Sequence[str]) -> list[EventRow]:
    """Lines on the record about a person in these cohorts, the latest first; what was dropped is left out."""
    rows = await session.scalars(
        select(EventRow)
        .where(EventRow.person == person, EventRow.cohort.in_(cohorts), EventRow.name != "dropped")
        .order_by(EventRow.id.desc())
        .limit(100)
    )
    return list(rows)


def _task(row: TaskRow, names: dict[str, str]) -> TaskRecord:
    return TaskRecord(
        row.key, row.public_id, row.cohort, row.mentorship, row.kind, row.number, row.reason, tuple(row.about),
        tuple(row.decisions), row.due, row.opened_at, row.opened_on, row.closed_at, row.closed_on, row.decision,
        names.get(row.by, row.by), row.why,
    )  # fmt: skip


async def names_of(session: AsyncSession, ids: Collection[str]) -> dict[str, str]:
    """Person id to name, by id; who is not known is left out."""
    wanted = sorted({id_ for id_ in ids if id_})
    rows = await session.execute(
        select(ParticipantRow.id, ParticipantRow.name)
        .where(ParticipantRow.id.in_(wanted[:1000]))
        .order_by(ParticipantRow.id)
    )
    return dict(iter(rows))


async def _partners(
    session: AsyncSession, person: str, refs: Sequence[MentorshipRef]
) -> dict[MentorshipRef, list[tuple[str, str]]]:
    found: dict[MentorshipRef, list[tuple[str, str]]] = defaultdict(list)
    cohorts = sorted({cohort for cohort, _ in refs})
    keys = sorted({key for _, key in refs})
    rows = await session.execute(
        select(MembershipRow.cohort, MembershipRow.mentorship, ParticipantRow.id, ParticipantRow.name)
        .join(ParticipantRow, ParticipantRow.id == MembershipRow.person)
        .where(
            MembershipRow.cohort.in_(cohorts),
            MembershipRow.mentorship.in_(keys),
            MembershipRow.person != person,
        )
        .order_by(MembershipRow.position, MembershipRow.person)
    )
    for cohort, key, id_, name in rows:
        found[cohort, key].append((id_, name))
    return found
