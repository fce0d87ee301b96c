"""Reads what the pages of a mentorship and a task show beside the timeline: contact, tasks, mails.

It holds names and addresses, for coordinators to read; it must not be passed to Temporal or written to a log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle import saved_state
from lifecycle.state import State
from store.lookups import Lookup, look_up
from store.programs import FrozenProgram, frozen_program
from store.tables import CohortRow, ItemRow, MembershipRow, MentorshipRow, MessageRow, ParticipantRow, TaskRow

MailItem = tuple[str, str, str, str]
"""(name, cohort, mentorship, task) of one thing that a mail tells of."""


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


def mentorship_facts(cohort: str, key: str) -> tuple[Lookup[Any], Lookup[tuple[Contact, ...]]]:
    """A mentorship with its cohort, and its people: what `facts_from` makes the facts of."""
    row = (
        select(
            MentorshipRow.cohort, MentorshipRow.key, MentorshipRow.format, MentorshipRow.program,
            MentorshipRow.program_hash, MentorshipRow.state, MentorshipRow.phase, MentorshipRow.health,
            MentorshipRow.start, MentorshipRow.midpoint, MentorshipRow.end, MentorshipRow.ended_on,
            MentorshipRow.ending, MentorshipRow.reason, MentorshipRow.paused_until, MentorshipRow.pause_ahead,
            MentorshipRow.held, MentorshipRow.agreement_in_force, MentorshipRow.agreement_open, CohortRow.title,
            CohortRow.zone,
        )
        .join(CohortRow, CohortRow.id == MentorshipRow.cohort)
        .where(MentorshipRow.cohort == cohort, MentorshipRow.key == key)
    )  # fmt: skip
    people = (
        select(
            ParticipantRow.id, ParticipantRow.name, ParticipantRow.email, ParticipantRow.zone, MembershipRow.role,
            MembershipRow.standing, ParticipantRow.standing.label("reached"),
        )
        .join(MembershipRow, MembershipRow.person == ParticipantRow.id)
        .where(MembershipRow.cohort == cohort, MembershipRow.mentorship == key)
        .order_by(MembershipRow.position, MembershipRow.person)
    )  # fmt: skip
    return (
        Lookup(row, lambda rows: next(iter(rows), None)),
        Lookup(people, lambda rows: tuple(Contact(*person) for person in rows)),
    )


async def facts_from(session: AsyncSession, row: Any, people: tuple[Contact, ...]) -> MentorshipFacts:
    """The facts of a mentorship; of the answers to `mentorship_facts`."""
    names = [name for name in MentorshipFacts.__dataclass_fields__ if name not in ("program", "people")]
    program = await frozen_program(session, row.program, row.program_hash)
    return MentorshipFacts(**{name: getattr(row, name) for name in names}, program=program, people=people)


def state_of(cohort: str, key: str) -> Lookup[State | None]:
    """What the workflow of a mentorship remembers after its last turn; None before the first."""
    query = select(MentorshipRow.workflow_state).where(
        MentorshipRow.cohort == cohort, MentorshipRow.key == key, MentorshipRow.workflow_state.is_not(None)
    )
    return Lookup(query, lambda rows: next((saved_state.load(row.workflow_state) for row in rows), None))


async def task_facts(session: AsyncSession, public: str) -> TaskRecord | None:
    """The task with this public id."""
    found = await look_up(session, _tasks(TaskRow.public_id == public, TaskRow.public_id != ""))
    return found[0] if found else None


def next_open_task(person: str, cohorts: Collection[str], but: str) -> Lookup[str]:
    """The public id of the most pressing open task of these cohorts but this one, empty where there is none; of
    reports, of those of which the person was told."""
    told = select(ItemRow.key).where(ItemRow.task == TaskRow.key, ItemRow.person == person)
    query = (
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
    return Lookup(query, lambda rows: next((row.public_id for row in rows), ""))


def tasks_of(cohort: str, mentorship: str) -> Lookup[list[TaskRecord]]:
    """All tasks of a mentorship, the latest first."""
    return _tasks(TaskRow.cohort == cohort, TaskRow.mentorship == mentorship)


def _tasks(*where: ColumnElement[bool]) -> Lookup[list[TaskRecord]]:
    query = (
        select(
            TaskRow.key, TaskRow.public_id, TaskRow.cohort, TaskRow.mentorship, TaskRow.kind, TaskRow.number,
            TaskRow.reason, TaskRow.about, TaskRow.decisions, TaskRow.due, TaskRow.opened_at, TaskRow.opened_on,
            TaskRow.closed_at, TaskRow.closed_on, TaskRow.decision,
            func.coalesce(ParticipantRow.name, TaskRow.by).label("decided_by"), TaskRow.why,
        )
        .outerjoin(ParticipantRow, ParticipantRow.id == TaskRow.by)
        .where(*where)
        .order_by(TaskRow.opened_at.desc(), TaskRow.key.desc())
    )  # fmt: skip
    return Lookup(query, lambda rows: [_task(*row) for row in rows])


def _task(*columns: Any) -> TaskRecord:
    task = TaskRecord(*columns)
    return replace(task, about=tuple(task.about), decisions=tuple(task.decisions))


def zone_of(cohort: str) -> Lookup[str]:
    """The zone of a cohort; UTC where there is no such cohort."""
    query = select(CohortRow.zone).where(CohortRow.id == cohort)
    return Lookup(query, lambda rows: next((row.zone for row in rows), "UTC"))


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
    names = await look_up(session, names_of([row.person]))
    return SentMail(
        row.id, row.person, names.get(row.person, row.person), row.recipient, row.at, row.subject, row.raw, row.state,
        row.bounce, tuple((name, number, cohort, key, task) for name, number, cohort, key, task in items),
    )  # fmt: skip


def items_of_mails(of: Select[str] | Select[str | None]) -> Lookup[dict[str, list[MailItem]]]:
    """Mail to what it tells of; of the mails whose ids this selects."""
    query = select(ItemRow.message, ItemRow.name, ItemRow.cohort, ItemRow.mentorship, ItemRow.task).where(
        ItemRow.message.in_(of)
    )

    def by_mail(rows: Sequence[Any]) -> dict[str, list[MailItem]]:
        found: dict[str, list[MailItem]] = defaultdict(list)
        for message, name, cohort, mentorship, task in rows:
            found[message].append((name, cohort, mentorship, task))
        return found

    return Lookup(query, by_mail)


def mails_of_mentorship(cohort: str, key: str) -> Select[str | None]:
    """The ids of the mails that tell of something in a mentorship."""
    return select(ItemRow.message).where(
        ItemRow.cohort == cohort, ItemRow.mentorship == key, ItemRow.message.is_not(None)
    )


def names_of(ids: Collection[str]) -> Lookup[dict[str, str]]:
    """Person id to name, by id; who is not known is left out."""
    query = (
        select(ParticipantRow.id, ParticipantRow.name)
        .where(ParticipantRow.id.in_(sorted(ids)[:1000]))
        .order_by(ParticipantRow.id)
    )
    return Lookup(query, lambda rows: {row.id: row.name for row in rows})
