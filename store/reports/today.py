"""What a coordinator finds on the first page: tasks that wait, what needs a look, and what goes out next.

It holds names, for people to read; it must not be passed to Temporal or written to a log. Each function is a fixed
number of statements, however many cohorts and mentorships there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from lifecycle.keys import MentorshipRef
from lifecycle.tasks import SAFETY
from store.lookups import Lookup
from store.reports.status import ListedPerson, pick
from store.tables import (
    AnswerRow,
    CohortPersonRow,
    CohortRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    ParticipantRow,
    RequestRow,
    TaskRow,
)

MOST_LISTED = 20
"""Rows of one list beside the tasks; the figure before it counts all."""
MOST_TOLD = 60
"""People who are named where it stands what goes out."""
ASKS_FOR_WORDS = ("check_in",)
"""Forms that have that question."""
WORDS = "p_word"
"""The question of a check-in in which people write to the coordinators."""


@dataclass(frozen=True, slots=True)
class DeskCohort:
    """A cohort at a glance. `today` and other dates are those of its zone."""

    id: str
    title: str
    organisation: str
    zone: str
    state: str
    start: date
    end: date | None
    running: int
    quiet: int
    open_tasks: int


@dataclass(frozen=True, slots=True)
class DeskTask:
    """A task that waits for a decision."""

    key: str
    public_id: str
    """Stands in its address."""
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

    @property
    def ref(self) -> MentorshipRef:
        """Its mentorship."""
        return self.cohort, self.mentorship


@dataclass(frozen=True, slots=True)
class DeskMentorship:
    """A mentorship in a list of what needs a look."""

    cohort: str
    key: str
    people: tuple[ListedPerson, ...]
    on: date | None = None
    ending: str = ""


@dataclass(frozen=True, slots=True)
class BouncedPerson:
    """Somebody whose mail comes back."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Listed:
    """The first rows of a list, and how many it has."""

    rows: tuple[Any, ...]
    number: int

    @classmethod
    def of(cls, rows: Sequence[Any]) -> Listed:
        """Of rows that each say how many there are."""
        return cls(tuple(rows), rows[0].number if rows else 0)


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody for whom mail waits until a moment (program time, UTC)."""

    at: datetime
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Mails that wait for one moment (program time, UTC)."""

    at: datetime
    mails: int


async def cohorts(session: AsyncSession, ids: Collection[str] | None) -> list[DeskCohort]:
    """These cohorts (all, where None is given) that are not over, the latest first; all, where all are over."""
    running = MentorshipRow.state == "running"
    counted = (
        select(
            MentorshipRow.cohort.label("cohort"),
            func.count().filter(running).label("running"),
            func.count().filter(and_(running, MentorshipRow.health == "quiet")).label("quiet"),
            func.sum(MentorshipRow.open_tasks).label("tasks"),
            func.max(MentorshipRow.end).label("ends"),
        )
        .group_by(MentorshipRow.cohort)
        .subquery()
    )
    query = (
        select(CohortRow, counted.c.running, counted.c.quiet, counted.c.tasks, counted.c.ends)
        .outerjoin(counted, counted.c.cohort == CohortRow.id)
        .order_by(CohortRow.launched_at.desc(), CohortRow.id)
    )
    if ids is not None:
        query = query.where(CohortRow.id.in_(list(ids)))
    found = [
        DeskCohort(
            row.id, row.title, row.organisation, row.zone, row.state, row.start, ends, running or 0, quiet or 0,
            tasks or 0,
        )
        for row, running, quiet, tasks, ends in await session.execute(query)
    ]  # fmt: skip
    return [cohort for cohort in found if cohort.state == "running"] or found


def tasks_for(
    person: str,
    cohorts: Collection[str],
    first: int,
    most: int,
    mentorships: Collection[MentorshipRef] | None = None,
) -> tuple[Lookup[Sequence[Any]], Lookup[list[tuple[str, date, int]]]]:
    """Open tasks in these cohorts that wait for a coordinator, or have gone to a deputy, the most pressing first: a
    page of them, and of all of them (cohort, due date, number). With `mentorships`: those of these alone.

    A report about safety or conduct is there only for those to whom its task went.
    """
    told = select(ItemRow.key).where(ItemRow.task == TaskRow.key, ItemRow.person == person).exists()
    coordinates = (
        select(CohortPersonRow.person)
        .where(
            CohortPersonRow.cohort == TaskRow.cohort,
            CohortPersonRow.person == person,
            CohortPersonRow.role == "coordinator",
        )
        .exists()
    )
    waiting = [
        TaskRow.closed_at.is_(None),
        TaskRow.cohort.in_(list(cohorts)),
        or_(and_(coordinates, TaskRow.kind != SAFETY), told),
    ]
    if mentorships is not None:
        waiting.append(tuple_(TaskRow.cohort, TaskRow.mentorship).in_(sorted(mentorships)))
    page = (
        select(
            TaskRow.key, TaskRow.public_id, TaskRow.cohort, TaskRow.mentorship, TaskRow.kind, TaskRow.reason,
            TaskRow.about, TaskRow.decisions, TaskRow.due, TaskRow.opened_on,
        )
        .where(*waiting)
        .order_by(TaskRow.due, TaskRow.key)
        .offset(first)
        .limit(most)
    )  # fmt: skip
    counts = select(TaskRow.cohort, TaskRow.due, func.count()).where(*waiting).group_by(TaskRow.cohort, TaskRow.due)
    return Lookup(page, list[Any]), Lookup(
        counts, lambda rows: [(cohort, due, number) for cohort, due, number in rows]
    )


def named(task: Any, people: tuple[ListedPerson, ...]) -> DeskTask:
    """A task with the people of its mentorship."""
    return DeskTask(
        task.key, task.public_id, task.cohort, task.mentorship, task.kind, task.reason, pick(people, task.about),
        people, tuple(task.decisions), task.due, task.opened_on,
    )  # fmt: skip


def to_look_at(cohorts: Collection[str], since: date) -> tuple[Lookup[Listed], Lookup[Listed], Lookup[Listed]]:
    """What needs a look, each the first of all: running mentorships in which nobody answered the last check-in, those
    that ended on the day `since` or later (the latest first), and people whose mail comes back."""
    ours = MentorshipRow.cohort.in_(list(cohorts))
    columns = (
        MentorshipRow.cohort, MentorshipRow.key, MentorshipRow.ended_on, MentorshipRow.ending, _ALL.label("number"),
    )  # fmt: skip
    quiet = (
        select(*columns)
        .where(ours, MentorshipRow.state == "running", MentorshipRow.health == "quiet")
        .order_by(MentorshipRow.cohort, MentorshipRow.key)
        .limit(MOST_LISTED)
    )
    ended = (
        select(*columns)
        .where(ours, MentorshipRow.ended_on >= since)
        .order_by(MentorshipRow.ended_on.desc(), MentorshipRow.cohort, MentorshipRow.key)
        .limit(MOST_LISTED)
    )
    seat = select(MembershipRow.person).where(
        MembershipRow.person == ParticipantRow.id, MembershipRow.cohort.in_(list(cohorts))
    )
    bounced = (
        select(ParticipantRow.id, ParticipantRow.name, _ALL.label("number"))
        .where(ParticipantRow.standing == "bounced", seat.exists())
        .order_by(ParticipantRow.name, ParticipantRow.id)
        .limit(MOST_LISTED)
    )
    return Lookup(quiet, Listed.of), Lookup(ended, Listed.of), Lookup(bounced, Listed.of)


def with_words(cohorts: Collection[str], since: datetime, first: int) -> Lookup[Sequence[Any]]:
    """The answers since an instant in which somebody wrote to the coordinators, the latest first: the id of each and
    who gave it on which occasion. MOST_LISTED of them, from the `first` on, and one more where there are more.

    What was written about safety or conduct is not among them, nor what was taken back by a later version.
    """
    later = aliased(AnswerRow)
    overtaken = select(later.id).where(later.request == AnswerRow.request, later.version > AnswerRow.version)
    query = (
        select(
            AnswerRow.id,
            RequestRow.cohort,
            RequestRow.mentorship,
            RequestRow.ask,
            RequestRow.number,
            AnswerRow.person,
        )
        .join(RequestRow, RequestRow.key == AnswerRow.request)
        .where(
            AnswerRow.at >= since,
            AnswerRow.form.in_(ASKS_FOR_WORDS),
            RequestRow.cohort.in_(list(cohorts)),
            AnswerRow.body[WORDS].as_string() != "",
            func.coalesce(AnswerRow.body["p_help"].as_string(), "") != SAFETY,
            ~overtaken.exists(),
        )
        .order_by(AnswerRow.at.desc(), AnswerRow.id.desc())
        .offset(first)
        .limit(MOST_LISTED + 1)
    )
    return Lookup(query, list[Any])


def coming(
    cohorts: Collection[str], now: datetime, until: datetime, first: date, last: date
) -> tuple[Lookup[list[Outgoing]], Lookup[list[tuple[date, str, int]]]]:
    """Mails that wait for a moment before `until` (program time, UTC; what is due counts as now), and (day, next step
    such as `check_in 2`, mentorships) of what opens from `first` to `last`."""
    mails = (
        select(ItemRow.deliver_at, func.count(func.distinct(ItemRow.person)))
        .where(ItemRow.cohort.in_(list(cohorts)), ItemRow.state == "queued", ItemRow.deliver_at < until)
        .group_by(ItemRow.deliver_at)
        .order_by(ItemRow.deliver_at)
    )
    steps = (
        select(MentorshipRow.next_on, MentorshipRow.next_step, func.count())
        .where(
            MentorshipRow.cohort.in_(list(cohorts)),
            MentorshipRow.state == "running",
            MentorshipRow.next_on >= first,
            MentorshipRow.next_on <= last,
            MentorshipRow.next_step != "",
        )
        .group_by(MentorshipRow.next_on, MentorshipRow.next_step)
        .order_by(MentorshipRow.next_on, MentorshipRow.next_step)
    )
    return (
        Lookup(mails, lambda rows: [Outgoing(max(at, now), number) for at, number in rows]),
        Lookup(steps, lambda rows: [(on, step, number) for on, step, number in rows]),
    )


def told(cohorts: Collection[str], now: datetime, until: datetime) -> Lookup[list[Told]]:
    """The first of those for whom mail waits before `until`, as `coming` counts them."""
    query = (
        select(ItemRow.deliver_at, ItemRow.person, ParticipantRow.name)
        .distinct()
        .join(ParticipantRow, ParticipantRow.id == ItemRow.person)
        .where(ItemRow.cohort.in_(list(cohorts)), ItemRow.state == "queued", ItemRow.deliver_at < until)
        .order_by(ItemRow.deliver_at, ParticipantRow.name, ItemRow.person)
        .limit(MOST_TOLD)
    )
    return Lookup(query, lambda rows: [Told(max(at, now), person, name) for at, person, name in rows])


async def people_of(
    session: AsyncSession, refs: Collection[MentorshipRef]
) -> Mapping[MentorshipRef, tuple[ListedPerson, ...]]:
    """The members of these mentorships, in the order in which they are named everywhere."""
    people: dict[MentorshipRef, tuple[ListedPerson, ...]] = defaultdict(tuple)
    wanted = sorted(set(refs))
    for first in range(0, len(wanted), 500):
        rows = await session.execute(
            select(
                MembershipRow.cohort, MembershipRow.mentorship, MembershipRow.person, ParticipantRow.name,
                MembershipRow.role, MembershipRow.standing,
            )
            .join(ParticipantRow, ParticipantRow.id == MembershipRow.person)
            .where(tuple_(MembershipRow.cohort, MembershipRow.mentorship).in_(wanted[first : first + 500]))
            .order_by(MembershipRow.cohort, MembershipRow.mentorship, MembershipRow.position, MembershipRow.person)
        )  # fmt: skip
        for cohort, key, person, name, role, standing in rows:
            people[cohort, key] += (ListedPerson(person, name, role, standing),)
    return people


_ALL = func.count().over()
"""How many rows there are, with those beyond the limit."""
