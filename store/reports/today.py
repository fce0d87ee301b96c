"""What a coordinator finds on the first page: tasks that wait, what needs a look, and what goes out next.

It holds names, for people to read; it must not be passed to Temporal or written to a log. Each function is a fixed
number of statements, however many cohorts and mentorships there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Date, Select, and_, cast, func, literal, null, or_, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.keys import MentorshipRef
from lifecycle.tasks import SAFETY
from store.columns import Instant
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

MOST_LISTED = 50
"""Rows of one list on the first page; the figure before it counts all."""
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


async def tasks_for(session: AsyncSession, person: str, cohorts: Collection[str]) -> list[TaskRow]:
    """Open tasks in these cohorts that wait for a coordinator, or have gone to a deputy; the most pressing first.

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
    rows = await session.scalars(
        select(TaskRow)
        .where(
            TaskRow.closed_at.is_(None),
            TaskRow.cohort.in_(list(cohorts)),
            or_(and_(coordinates, TaskRow.kind != SAFETY), told),
        )
        .order_by(TaskRow.due, TaskRow.key)
    )
    return list(rows)


def named(task: TaskRow, people: tuple[ListedPerson, ...]) -> DeskTask:
    """A task with the people of its mentorship."""
    return DeskTask(
        task.key, task.public_id, task.cohort, task.mentorship, task.kind, task.reason, pick(people, task.about),
        people, tuple(task.decisions), task.due, task.opened_on,
    )  # fmt: skip


async def to_look_at(session: AsyncSession, cohorts: Collection[str], since: date) -> list[MentorshipRow]:
    """Mentorships without an open task that need a look: running ones in which nobody answered the last check-in, and
    those that ended on the day `since` or later; the latest ended first."""
    rows = await session.scalars(
        select(MentorshipRow)
        .where(
            MentorshipRow.cohort.in_(list(cohorts)),
            or_(
                and_(MentorshipRow.state == "running", MentorshipRow.health == "quiet"),
                MentorshipRow.ended_on >= since,
            ),
        )
        .order_by(MentorshipRow.ended_on.desc(), MentorshipRow.cohort, MentorshipRow.key)
        .limit(2 * MOST_LISTED)
    )
    return list(rows)


def with_words(cohorts: Collection[str], since: datetime) -> Select[int]:
    """The ids of the answers since an instant in which somebody wrote to the coordinators, as a subquery."""
    return (
        select(AnswerRow.id)
        .join(RequestRow, RequestRow.key == AnswerRow.request)
        .where(
            RequestRow.cohort.in_(list(cohorts)),
            RequestRow.answered_at >= since,
            AnswerRow.body[WORDS].as_string() != "",
        )
        .order_by(AnswerRow.at.desc(), AnswerRow.id)
        .limit(MOST_LISTED)
    )


async def coming(
    session: AsyncSession, cohorts: Collection[str], now: datetime, until: datetime, first: date, last: date
) -> tuple[list[Outgoing], list[tuple[date, str, int]]]:
    """Mails that wait for a moment before `until` (program time, UTC; what is due counts as now), and (day, next step
    such as `check_in 2`, mentorships) of what opens from `first` to `last`."""
    mails = (
        select(
            ItemRow.deliver_at.label("at"),
            cast(null(), Date).label("on"),
            literal("").label("step"),
            func.count(func.distinct(ItemRow.person)).label("number"),
        )
        .where(ItemRow.cohort.in_(list(cohorts)), ItemRow.state == "queued", ItemRow.deliver_at < until)
        .group_by(ItemRow.deliver_at)
    )
    steps = (
        select(cast(null(), Instant), MentorshipRow.next_on, MentorshipRow.next_step, func.count())
        .where(
            MentorshipRow.cohort.in_(list(cohorts)),
            MentorshipRow.state == "running",
            MentorshipRow.next_on >= first,
            MentorshipRow.next_on <= last,
            MentorshipRow.next_step != "",
        )
        .group_by(MentorshipRow.next_on, MentorshipRow.next_step)
    )
    rows = (await session.execute(union_all(mails, steps))).all()
    outgoing = [Outgoing(max(at, now), number) for at, _, _, number in rows if at is not None]
    ahead = [(on, step, number) for at, on, step, number in rows if at is None and on is not None]
    return sorted(outgoing, key=lambda one: one.at), sorted(ahead)


async def people_of(
    session: AsyncSession, refs: Sequence[MentorshipRef]
) -> Mapping[MentorshipRef, tuple[ListedPerson, ...]]:
    """The members of these mentorships, in the order in which they are named everywhere."""
    people, _ = await people_and_bounced(session, refs, ())
    return people


async def people_and_bounced(
    session: AsyncSession, refs: Sequence[MentorshipRef], cohorts: Collection[str]
) -> tuple[Mapping[MentorshipRef, tuple[ListedPerson, ...]], list[BouncedPerson]]:
    """The members of these mentorships, and everybody in these cohorts whose mail comes back."""
    bounced: dict[str, BouncedPerson] = {}
    people: dict[MentorshipRef, tuple[ListedPerson, ...]] = defaultdict(tuple)
    wanted = sorted(set(refs))
    for first in range(0, max(len(wanted), 1), 500):
        rows = await session.execute(
            select(
                MembershipRow.cohort, MembershipRow.mentorship, MembershipRow.person, ParticipantRow.name,
                MembershipRow.role, MembershipRow.standing, ParticipantRow.standing,
            )
            .join(ParticipantRow, ParticipantRow.id == MembershipRow.person)
            .where(
                or_(
                    tuple_(MembershipRow.cohort, MembershipRow.mentorship).in_(wanted[first : first + 500]),
                    and_(ParticipantRow.standing == "bounced", MembershipRow.cohort.in_(list(cohorts))),
                )
            )
            .order_by(MembershipRow.cohort, MembershipRow.mentorship, MembershipRow.position, MembershipRow.person)
        )  # fmt: skip
        inside = set(wanted[first : first + 500])
        for cohort, key, person, name, role, standing, reached in rows:
            if (cohort, key) in inside:
                people[cohort, key] += (ListedPerson(person, name, role, standing),)
            if reached == "bounced" and cohort in cohorts:
                bounced[person] = BouncedPerson(person, name)
    return people, sorted(bounced.values(), key=lambda one: (one.name, one.id))
