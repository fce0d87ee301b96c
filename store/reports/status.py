"""Status for coordinators: one line for each mentorship, open tasks, and the numbers of a cohort.

It holds names, for people to read; it must not be passed to Temporal or written to a log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from store.tables import (
    AnswerRow,
    CohortPersonRow,
    CohortRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    MessageRow,
    ParticipantRow,
    RelayRow,
    RequestRow,
    TaskRow,
)


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """A person as a coordinator sees them in a list."""

    id: str
    name: str
    role: str = ""
    standing: str = ""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which mentorships to show; what is left empty filters nothing."""

    phase: str = ""
    health: str = ""
    state: str = ""
    program: str = ""
    person: str = ""
    """Participant id."""
    with_tasks: bool = False

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same in SQL."""
        conditions: list[ColumnElement[bool]] = []
        for name in ("phase", "health", "state", "program"):
            if value := getattr(self, name):
                conditions.append(getattr(MentorshipRow, name) == value)
        if self.with_tasks:
            conditions.append(MentorshipRow.open_tasks > 0)
        if self.person:
            seat = select(MembershipRow.person).where(
                MembershipRow.cohort == MentorshipRow.cohort,
                MembershipRow.mentorship == MentorshipRow.key,
                MembershipRow.person == self.person,
            )
            conditions.append(seat.exists())
        return conditions


@dataclass(frozen=True, slots=True)
class StatusLine:
    """One mentorship at a glance. Dates are calendar dates of the cohort's zone."""

    cohort: str
    key: str
    program: str
    format: str
    state: str
    phase: str
    health: str
    people: tuple[ListedPerson, ...]
    next_step: str
    next_on: date | None
    awaited: tuple[ListedPerson, ...]
    open_tasks: int
    paused_until: str
    pause_ahead: str
    held: bool
    start: date
    midpoint: date
    end: date
    ending: str
    reason: str
    ended_on: date | None
    lost: bool = False
    """Temporal runs no workflow for it, so nothing happens in it until `mentorship reconcile`."""


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task with what it takes to decide it."""

    key: str
    cohort: str
    mentorship: str
    kind: str
    reason: str
    about: tuple[ListedPerson, ...]
    people: tuple[ListedPerson, ...]
    """Everybody in the mentorship."""
    decisions: tuple[str, ...]
    due: date
    opened_on: date


@dataclass(slots=True)
class Counts:
    """The numbers of a status page."""

    mentorships: dict[str, int] = field(default_factory=dict[str, int])
    """By state: planned, running, over."""
    phases: dict[str, int] = field(default_factory=dict[str, int])
    """Of those that run."""
    health: dict[str, int] = field(default_factory=dict[str, int])
    """Of those that run."""
    endings: dict[str, int] = field(default_factory=dict[str, int])
    requests: dict[str, int] = field(default_factory=dict[str, int])
    items: dict[str, int] = field(default_factory=dict[str, int])
    messages: dict[str, int] = field(default_factory=dict[str, int])
    answers: int = 0
    tasks_open: int = 0
    tasks_overdue: int = 0
    relays: int = 0
    """Answers and operations that the workflows have not been told of yet."""


async def cohorts(session: AsyncSession) -> list[CohortRow]:
    """All cohorts, the latest first."""
    return list(await session.scalars(select(CohortRow).order_by(CohortRow.launched_at.desc(), CohortRow.id)))


async def places(session: AsyncSession) -> list[tuple[str, str]]:
    """(cohort, key) of every mentorship, those of the latest cohort first."""
    rows = await session.execute(
        select(MentorshipRow.cohort, MentorshipRow.key)
        .join(CohortRow, CohortRow.id == MentorshipRow.cohort)
        .order_by(CohortRow.launched_at.desc(), MentorshipRow.cohort, MentorshipRow.key)
    )
    return [(cohort, key) for cohort, key in rows]


async def places_of(session: AsyncSession, person: str) -> list[tuple[str, str]]:
    """(cohort, key) of every mentorship in which this person has or had a seat, those of the latest cohort first."""
    rows = await session.execute(
        select(MembershipRow.cohort, MembershipRow.mentorship)
        .join(CohortRow, CohortRow.id == MembershipRow.cohort)
        .where(MembershipRow.person == person)
        .order_by(CohortRow.launched_at.desc(), MembershipRow.cohort, MembershipRow.mentorship)
    )
    return [(cohort, key) for cohort, key in rows]


async def status(session: AsyncSession, cohort: str, filters: Filters | None = None) -> list[StatusLine]:
    """One line a mentorship, by key."""
    rows = await session.scalars(
        select(MentorshipRow)
        .where(MentorshipRow.cohort == cohort, *(filters or Filters()).conditions())
        .order_by(MentorshipRow.key)
    )
    mentorships = rows.all()
    people = await people_of(session, cohort, [row.key for row in mentorships])
    return [status_line(row, people[row.key]) for row in mentorships]


async def open_tasks(
    session: AsyncSession,
    cohort: str = "",
    mentorship: str = "",
    *,
    kind: str = "",
    told: str = "",
    due_by: date | None = None,
) -> list[TaskLine]:
    """Undecided tasks, the most pressing first; of all cohorts where none is named.

    `told` is the id of a coordinator, or of a deputy to whom they must have gone.
    """
    where: list[ColumnElement[bool]] = [TaskRow.closed_at.is_(None)]
    if cohort:
        where.append(TaskRow.cohort == cohort)
    if mentorship:
        where.append(TaskRow.mentorship == mentorship)
    if kind:
        where.append(TaskRow.kind == kind)
    if told:
        at_desk = select(CohortPersonRow.person).where(
            CohortPersonRow.cohort == TaskRow.cohort, CohortPersonRow.person == told
        )
        has_heard = select(ItemRow.key).where(ItemRow.task == TaskRow.key, ItemRow.person == told)
        coordinates = at_desk.where(CohortPersonRow.role == "coordinator").exists()
        where.append(or_(coordinates, and_(at_desk.exists(), has_heard.exists())))
    if due_by:
        where.append(TaskRow.due <= due_by)
    rows = await session.scalars(select(TaskRow).where(*where).order_by(TaskRow.due, TaskRow.key))
    tasks = rows.all()
    keys: dict[str, list[str]] = defaultdict(list)
    for task in tasks:
        keys[task.cohort].append(task.mentorship)
    people = {name: await people_of(session, name, of_cohort) for name, of_cohort in keys.items()}
    return [_task_line(task, people[task.cohort][task.mentorship]) for task in tasks]


async def counts(session: AsyncSession, cohort: str, today: date) -> Counts:
    """The numbers of one cohort; `today` is the date in its zone."""
    of_cohort = MentorshipRow.cohort == cohort
    running = (of_cohort, MentorshipRow.state == "running")
    tasks = await session.execute(select(TaskRow.due).where(TaskRow.cohort == cohort, TaskRow.closed_at.is_(None)))
    due = tasks.scalars().all()
    answers = (
        select(func.count(AnswerRow.id))
        .join(RequestRow, RequestRow.key == AnswerRow.request)
        .where(RequestRow.cohort == cohort)
    )
    return Counts(
        mentorships=await _by(session, MentorshipRow.state, of_cohort),
        phases=await _by(session, MentorshipRow.phase, *running),
        health=await _by(session, MentorshipRow.health, *running),
        endings=await _by(session, MentorshipRow.ending, of_cohort, MentorshipRow.ending != ""),
        requests=await _by(session, RequestRow.state, RequestRow.cohort == cohort),
        items=await _by(session, ItemRow.state, ItemRow.cohort == cohort),
        messages=await _by(session, MessageRow.state, MessageRow.cohort == cohort),
        answers=await session.scalar(answers) or 0,
        tasks_open=len(due),
        tasks_overdue=sum(on < today for on in due),
        relays=sum((await _by(session, RelayRow.cohort, RelayRow.cohort == cohort)).values()),
    )


# -- names -----------------------------------------------------------------------------------------------------


async def people_of(
    session: AsyncSession, cohort: str, keys: Sequence[str]
) -> Mapping[str, tuple[ListedPerson, ...]]:
    """Mentorship key to its members in the order in which they are named everywhere."""
    people: dict[str, tuple[ListedPerson, ...]] = defaultdict(tuple)
    rows = await session.execute(
        select(
            MembershipRow.mentorship, MembershipRow.person, ParticipantRow.name, MembershipRow.role,
            MembershipRow.standing,
        )
        .join(ParticipantRow, ParticipantRow.id == MembershipRow.person)
        .where(MembershipRow.cohort == cohort, _among(MembershipRow.mentorship, keys))
        .order_by(MembershipRow.mentorship, MembershipRow.position, MembershipRow.person)
    )  # fmt: skip
    for key, person, name, role, standing in rows:
        people[key] += (ListedPerson(person, name, role, standing),)
    return people


async def names_of(session: AsyncSession, ids: Sequence[str]) -> tuple[ListedPerson, ...]:
    """These people, by name; who is not known is left out."""
    people: list[ListedPerson] = []
    for first in range(0, len(ids), 1000):
        rows = await session.execute(
            select(ParticipantRow.id, ParticipantRow.name).where(ParticipantRow.id.in_(ids[first : first + 1000]))
        )
        people += [ListedPerson(person, name) for person, name in rows]
    return tuple(sorted(people, key=lambda person: (person.name, person.id)))


def _among(column: Any, keys: Sequence[str]) -> ColumnElement[bool]:
    # Databases limit how many values a statement may name; a long list is most of the cohort anyway.
    return column.in_(keys) if len(keys) <= 1000 else column.is_not(None)


def pick(people: Iterable[ListedPerson], ids: Iterable[str]) -> tuple[ListedPerson, ...]:
    """Those of `people` whose ids these are, in the order of the ids; somebody else is shown by their id."""
    by_id = {person.id: person for person in people}
    return tuple(by_id.get(person, ListedPerson(person, person)) for person in ids)


def status_line(row: MentorshipRow, people: tuple[ListedPerson, ...]) -> StatusLine:
    """A mentorship's row with its people named."""
    return StatusLine(
        cohort=row.cohort,
        key=row.key,
        program=row.program,
        format=row.format,
        state=row.state,
        phase=row.phase,
        health=row.health,
        people=people,
        next_step=row.next_step,
        next_on=row.next_on,
        awaited=pick(people, row.awaited),
        open_tasks=row.open_tasks,
        paused_until=row.paused_until,
        pause_ahead=row.pause_ahead,
        held=row.held,
        start=row.start,
        midpoint=row.midpoint,
        end=row.end,
        ending=row.ending,
        reason=row.reason,
        ended_on=row.ended_on,
        lost=row.lost_since is not None,
    )


def _task_line(task: TaskRow, people: tuple[ListedPerson, ...]) -> TaskLine:
    return TaskLine(
        key=task.key,
        cohort=task.cohort,
        mentorship=task.mentorship,
        kind=task.kind,
        reason=task.reason,
        about=pick(people, task.about),
        people=people,
        decisions=tuple(task.decisions),
        due=task.due,
        opened_on=task.opened_on,
    )


async def _by(session: AsyncSession, column: Any, *where: ColumnElement[bool]) -> dict[str, int]:
    rows = await session.execute(select(column, func.count()).where(*where).group_by(column).order_by(column))
    return dict(iter(rows))
