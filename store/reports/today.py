"""What a coordinator finds on the first page: tasks that wait, what needs a look, and what goes out next.

It holds names, for people to read; it must not be passed to Temporal or written to a log. Each function is a fixed
number of statements, however many cohorts and mentorships there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.keys import MentorshipRef
from lifecycle.tasks import SAFETY
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
    SuppressionRow,
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
    """Somebody whose mail comes back. `at` is program time (UTC)."""

    id: str
    name: str
    at: datetime | None


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


async def tasks_for(session: AsyncSession, person: str, cohorts: Collection[str]) -> list[DeskTask]:
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
    tasks = rows.all()
    people = await people_of(session, [(task.cohort, task.mentorship) for task in tasks])
    return [
        DeskTask(
            task.key, task.public_id, task.cohort, task.mentorship, task.kind, task.reason,
            pick(people[task.cohort, task.mentorship], task.about), people[task.cohort, task.mentorship],
            tuple(task.decisions), task.due, task.opened_on,
        )
        for task in tasks
    ]  # fmt: skip


async def quiet(session: AsyncSession, cohorts: Collection[str]) -> list[DeskMentorship]:
    """Running mentorships in which nobody answered the last check-in, without an open task about it."""
    rows = await session.execute(
        select(MentorshipRow.cohort, MentorshipRow.key)
        .where(
            MentorshipRow.cohort.in_(list(cohorts)),
            MentorshipRow.state == "running",
            MentorshipRow.health == "quiet",
        )
        .order_by(MentorshipRow.cohort, MentorshipRow.key)
        .limit(MOST_LISTED)
    )
    refs = [(cohort, key) for cohort, key in rows]
    people = await people_of(session, refs)
    return [DeskMentorship(*ref, people[ref]) for ref in refs]


async def ended(session: AsyncSession, cohorts: Collection[str], since: date) -> list[DeskMentorship]:
    """Mentorships that ended on this day or later, the latest first."""
    rows = await session.execute(
        select(MentorshipRow.cohort, MentorshipRow.key, MentorshipRow.ended_on, MentorshipRow.ending)
        .where(MentorshipRow.cohort.in_(list(cohorts)), MentorshipRow.ended_on >= since)
        .order_by(MentorshipRow.ended_on.desc(), MentorshipRow.cohort, MentorshipRow.key)
        .limit(MOST_LISTED)
    )
    found = rows.all()
    people = await people_of(session, [(row.cohort, row.key) for row in found])
    return [
        DeskMentorship(row.cohort, row.key, people[row.cohort, row.key], row.ended_on, row.ending) for row in found
    ]


async def bounced(session: AsyncSession, cohorts: Collection[str]) -> list[BouncedPerson]:
    """People of these cohorts whose mail comes back."""
    rows = await session.execute(
        select(ParticipantRow.id, ParticipantRow.name, func.max(SuppressionRow.at))
        .join(MembershipRow, MembershipRow.person == ParticipantRow.id)
        .outerjoin(SuppressionRow, SuppressionRow.person == ParticipantRow.id)
        .where(ParticipantRow.standing == "bounced", MembershipRow.cohort.in_(list(cohorts)))
        .group_by(ParticipantRow.id, ParticipantRow.name)
        .order_by(ParticipantRow.name, ParticipantRow.id)
        .limit(MOST_LISTED)
    )
    return [BouncedPerson(*row) for row in rows]


async def with_words(session: AsyncSession, cohorts: Collection[str], since: datetime) -> list[int]:
    """Ids of the answers since an instant in which somebody wrote to the coordinators, the latest first."""
    rows = await session.scalars(
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
    return list(rows)


async def going_out(
    session: AsyncSession, cohorts: Collection[str], now: datetime, until: datetime
) -> list[Outgoing]:
    """How many mails wait for which moment before `until` (program time, UTC); those that are due count as now."""
    rows = await session.execute(
        select(ItemRow.deliver_at, func.count(func.distinct(ItemRow.person)))
        .where(ItemRow.cohort.in_(list(cohorts)), ItemRow.state == "queued", ItemRow.deliver_at < until)
        .group_by(ItemRow.deliver_at)
        .order_by(ItemRow.deliver_at)
    )
    return [Outgoing(max(at, now), mails) for at, mails in rows if at is not None]


async def steps_ahead(
    session: AsyncSession, cohorts: Collection[str], first: date, last: date
) -> list[tuple[date, str, int]]:
    """(day, next step such as `check_in 2`, mentorships) of what opens from `first` to `last`."""
    rows = await session.execute(
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
    return [(on, step, count) for on, step, count in rows if on is not None]


async def people_of(
    session: AsyncSession, refs: Sequence[MentorshipRef]
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
