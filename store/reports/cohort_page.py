"""What the pages of cohorts show: all cohorts, the figures of one, and its list by filters.

Figures are counted when they are asked for. Each page takes a fixed number of statements, however large the cohort.
It holds names, for people to read; it must not be passed to Temporal or written to a log.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date

from sqlalchemy import ColumnElement, String, and_, case, cast, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from store.reports.status import ListedPerson
from store.tables import (
    CohortPersonRow,
    CohortRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    ParticipantRow,
    RequestRow,
    TaskRow,
)

PHASES = ("onboarding", "expectations", "check_ins", "midpoint", "closure", "closed")
HEALTH = ("trouble", "attention", "quiet", "good")
SORTS = ("key", "phase", "health", "next", "tasks", "start", "end")
REACHED = ("invited", "accepted", "agreement", "met", "midpoint", "closed")
"""The stations of the funnel, in order."""
MAIL = ("queued", "sent", "bounced")
BOUNCED = ("bounced",)
SAFETY = "safety"
NOTHING_UNSEEN: frozenset[str] = frozenset()
NOT_IN = ("invited", "silent", "declined")
"""Standings of a seat whose holder has not accepted."""


@dataclass(frozen=True, slots=True)
class ListFilters:
    """Which mentorships of a cohort, and in which order; what is left empty filters nothing."""

    phase: str = ""
    health: str = ""
    state: str = ""
    """planned, running, over"""
    awaited: str = ""
    """`yes`: somebody's answer is awaited."""
    task: str = ""
    """A kind of task that is open, or `any`."""
    format: str = ""
    program: str = ""
    person: str = ""
    """Id of somebody who has or had a seat."""
    ask: str = ""
    answered: str = ""
    """With `ask`: `yes` or `no`, whether such a request is answered, or not."""
    reached: str = ""
    """A station of the funnel."""
    ending: str = ""
    mail: str = ""
    """queued, sent or bounced: such a mail to one of its people."""
    text: str = ""
    """Part of a key or of a name."""
    sort: str = "key"
    down: str = ""
    """`yes`: the other way round."""

    @property
    def given(self) -> dict[str, str]:
        """Those that say something, for a query string."""
        values = {one.name: str(getattr(self, one.name)) for one in fields(self)}
        return {name: value for name, value in values.items() if value and (name, value) != ("sort", "key")}


@dataclass(frozen=True, slots=True)
class CohortFacts:
    """A cohort and who coordinates it."""

    id: str
    title: str
    organisation: str
    program: str
    zone: str
    state: str
    start: date
    launched_on: date
    size: int
    """How many mentorships it has."""
    staff: tuple[ListedPerson, ...] = ()
    """Its coordinators and deputies; `role` says which."""
    mentorships: Mapping[str, int] = field(default_factory=dict[str, int])
    """State to number of mentorships; on the list of cohorts only."""
    tasks: int = 0
    """Open tasks; on the list of cohorts only."""


@dataclass(frozen=True, slots=True)
class ListLine:
    """One mentorship of the list. Dates are calendar dates of the cohort's zone."""

    key: str
    program: str
    format: str
    state: str
    phase: str
    health: str
    next_step: str
    next_on: date | None
    awaited: tuple[str, ...]
    """Ids."""
    open_tasks: int
    paused_until: str
    held: bool
    start: date
    midpoint: date
    end: date
    ending: str
    people: tuple[ListedPerson, ...]


# -- cohorts -----------------------------------------------------------------------------------------------------


async def unseen_by(session: AsyncSession, cohorts: Collection[str], account: str) -> dict[str, frozenset[str]]:
    """Cohort to the keys of those of its mentorships in which something was reported about safety or conduct that
    this account was not told of: no page may show it that there is a report."""
    told = select(ItemRow.key).where(ItemRow.person == account, ItemRow.task == TaskRow.key)
    rows = await session.execute(
        select(TaskRow.cohort, TaskRow.mentorship).where(
            TaskRow.cohort.in_(list(cohorts)), TaskRow.kind == SAFETY, ~told.exists()
        )
    )
    found: dict[str, set[str]] = {}
    for cohort, key in rows:
        found.setdefault(cohort, set()).add(key)
    return {cohort: frozenset(keys) for cohort, keys in found.items()}


async def cohorts(session: AsyncSession, only: Collection[str] | None, account: str = "") -> list[CohortFacts]:
    """These cohorts (None: all) with their numbers, the latest first, as this account may see them."""
    wanted = select(CohortRow).order_by(CohortRow.launched_at.desc(), CohortRow.id)
    if only is not None:
        wanted = wanted.where(CohortRow.id.in_(list(only)))
    rows = (await session.scalars(wanted)).all()
    found = await session.execute(
        select(MentorshipRow.cohort, MentorshipRow.state, func.count(), func.sum(MentorshipRow.open_tasks))
        .where(MentorshipRow.cohort.in_([row.id for row in rows]))
        .group_by(MentorshipRow.cohort, MentorshipRow.state)
    )
    numbers: dict[str, dict[str, int]] = {}
    tasks: dict[str, int] = {}
    for cohort, state, count, open_tasks in found:
        numbers.setdefault(cohort, {})[state] = count
        tasks[cohort] = tasks.get(cohort, 0) + int(open_tasks or 0)
    told = select(ItemRow.key).where(ItemRow.person == account, ItemRow.task == TaskRow.key)
    unseen = await session.execute(
        select(TaskRow.cohort, func.count())
        .where(TaskRow.kind == SAFETY, TaskRow.closed_at.is_(None), ~told.exists())
        .group_by(TaskRow.cohort)
    )
    for cohort, count in unseen:
        tasks[cohort] = tasks.get(cohort, 0) - count
    return [
        _facts(row, sum(numbers.get(row.id, {}).values()), (), numbers.get(row.id, {}), tasks.get(row.id, 0))
        for row in rows
    ]


async def cohort(session: AsyncSession, id_: str) -> CohortFacts | None:
    """A cohort and who coordinates it; None where there is none such."""
    size = select(func.count()).select_from(MentorshipRow).where(MentorshipRow.cohort == id_).scalar_subquery()
    rows = await session.execute(
        select(CohortRow, ParticipantRow.id, ParticipantRow.name, CohortPersonRow.role, size)
        .outerjoin(CohortPersonRow, CohortPersonRow.cohort == CohortRow.id)
        .outerjoin(ParticipantRow, ParticipantRow.id == CohortPersonRow.person)
        .where(CohortRow.id == id_)
        .order_by(CohortPersonRow.role, ParticipantRow.id)
    )
    found = rows.all()
    if not found:
        return None
    staff = tuple(ListedPerson(person, name, role) for _, person, name, role, _ in found if person)
    return _facts(found[0][0], found[0][4], staff, {}, 0)


def _facts(
    row: CohortRow, size: int, staff: tuple[ListedPerson, ...], numbers: Mapping[str, int], tasks: int
) -> CohortFacts:
    return CohortFacts(
        row.id, row.title, row.organisation, row.program, row.zone, row.state, row.start, row.launched_on, size,
        staff, numbers, tasks,
    )  # fmt: skip


# -- what a mentorship is like, for somebody who must not see the reports of some ----------------------------------


def open_tasks(unseen: frozenset[str]) -> ColumnElement[int]:
    """How many open tasks a mentorship has, without those about a report that must not be seen."""
    if not unseen:
        return MentorshipRow.open_tasks  # pyright: ignore[reportReturnType]
    reports = (
        select(func.count())
        .select_from(TaskRow)
        .where(
            TaskRow.cohort == MentorshipRow.cohort, TaskRow.mentorship == MentorshipRow.key,
            TaskRow.kind == SAFETY, TaskRow.closed_at.is_(None),
        )
        .scalar_subquery()
    )  # fmt: skip
    return case((MentorshipRow.key.in_(unseen), MentorshipRow.open_tasks - reports), else_=MentorshipRow.open_tasks)


def health(unseen: frozenset[str]) -> ColumnElement[str]:
    """The health of a mentorship, without what a report makes of it that must not be seen."""
    if not unseen:
        return MentorshipRow.health  # pyright: ignore[reportReturnType]
    otherwise = case((open_tasks(unseen) > 0, "attention"), else_="good")
    hidden = and_(MentorshipRow.key.in_(unseen), MentorshipRow.health.in_(("trouble", "attention")))
    return case((hidden, otherwise), else_=MentorshipRow.health)


AWAITED = cast(MentorshipRow.awaited, String) != "[]"
MET = (RequestRow.ask.in_(("check_in", "fit_check")), RequestRow.met.is_(True))
AT_MIDPOINT = (RequestRow.ask == "midpoint", RequestRow.state == "answered")


def _seat(*more: ColumnElement[bool]) -> ColumnElement[bool]:
    return (
        select(MembershipRow.person)
        .where(MembershipRow.cohort == MentorshipRow.cohort, MembershipRow.mentorship == MentorshipRow.key, *more)
        .exists()
    )


def _request(*more: ColumnElement[bool]) -> ColumnElement[bool]:
    return (
        select(RequestRow.key)
        .where(RequestRow.cohort == MentorshipRow.cohort, RequestRow.mentorship == MentorshipRow.key, *more)
        .exists()
    )


def reached(station: str) -> ColumnElement[bool]:
    """Whether a mentorship has come so far."""
    launched = MentorshipRow.state != "planned"
    match station:
        case "accepted":
            return and_(launched, ~_seat(MembershipRow.standing.in_(NOT_IN)))
        case "agreement":
            return MentorshipRow.agreement_in_force > 0
        case "met":
            return _request(*MET)
        case "midpoint":
            return _request(*AT_MIDPOINT)
        case "closed":
            return MentorshipRow.state == "over"
        case _:
            return launched


# -- the list ----------------------------------------------------------------------------------------------------


def _conditions(id_: str, filters: ListFilters, unseen: frozenset[str]) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [MentorshipRow.cohort == id_]
    if filters.health:
        where.append(health(unseen) == filters.health)
    for name in ("phase", "state", "format", "program", "ending"):
        if value := getattr(filters, name):
            where.append(getattr(MentorshipRow, name) == value)
    if (filters.phase and filters.phase != "closed") or filters.health or filters.awaited or filters.task:
        where.append(MentorshipRow.state == "running")
    if filters.awaited:
        where.append(AWAITED)
    if filters.task == "any":
        where.append(open_tasks(unseen) > 0)
    elif filters.task:
        where.append(_task(TaskRow.kind == filters.task))
        if filters.task == SAFETY and unseen:
            where.append(MentorshipRow.key.not_in(unseen))
    if filters.person:
        where.append(_seat(MembershipRow.person == filters.person))
    if filters.ask:
        answered = RequestRow.state == "answered"
        states = {"yes": (answered,), "no": (~answered, RequestRow.state != "withdrawn")}.get(filters.answered, ())
        where.append(_request(RequestRow.ask == filters.ask, *states))
    if filters.reached:
        where.append(reached(filters.reached))
    if filters.mail == "bounced":
        bounced = select(ParticipantRow.id).where(
            ParticipantRow.id == MembershipRow.person, ParticipantRow.standing.in_(BOUNCED)
        )
        where.append(_seat(bounced.exists()))
    elif filters.mail:
        items = select(ItemRow.key).where(
            ItemRow.cohort == MentorshipRow.cohort, ItemRow.mentorship == MentorshipRow.key,
            ItemRow.state == filters.mail,
        )  # fmt: skip
        where.append(items.exists())
    if text := filters.text.strip().lower():
        named = select(ParticipantRow.id).where(
            ParticipantRow.id == MembershipRow.person, func.lower(ParticipantRow.name).contains(text, autoescape=True)
        )
        in_key = func.lower(MentorshipRow.key).contains(text, autoescape=True)
        where.append(or_(in_key, _seat(named.exists())))
    return where


def _task(*more: ColumnElement[bool]) -> ColumnElement[bool]:
    return (
        select(TaskRow.key)
        .where(
            TaskRow.cohort == MentorshipRow.cohort, TaskRow.mentorship == MentorshipRow.key,
            TaskRow.closed_at.is_(None), *more,
        )
        .exists()
    )  # fmt: skip


def _order(filters: ListFilters, unseen: frozenset[str]) -> list[ColumnElement[object]]:
    phase = case({name: nth for nth, name in enumerate(PHASES)}, value=MentorshipRow.phase, else_=len(PHASES))
    by_health = case({name: nth for nth, name in enumerate(HEALTH)}, value=health(unseen), else_=len(HEALTH))
    by = {
        "phase": phase, "health": by_health, "next": func.coalesce(MentorshipRow.next_on, date.max),
        "tasks": -open_tasks(unseen), "start": MentorshipRow.start, "end": MentorshipRow.end,
    }.get(filters.sort)  # fmt: skip
    keys = [func.length(MentorshipRow.key), MentorshipRow.key]
    order = keys if by is None else [by, *keys]
    return [one.desc() for one in order] if filters.down else order  # pyright: ignore[reportReturnType]


async def keys(
    session: AsyncSession, id_: str, filters: ListFilters, unseen: frozenset[str] = NOTHING_UNSEEN
) -> list[str]:
    """Keys of all mentorships of a cohort that the filters let through, in their order, for somebody who must not see
    the reports of `unseen`."""
    wanted = select(MentorshipRow.key).where(*_conditions(id_, filters, unseen)).order_by(*_order(filters, unseen))
    return list(await session.scalars(wanted))


async def list_lines(
    session: AsyncSession, id_: str, wanted: Sequence[str], unseen: frozenset[str] = NOTHING_UNSEEN
) -> list[ListLine]:
    """These mentorships of a cohort with their people, in this order, for somebody who must not see the reports of
    `unseen`."""
    seen = {
        "health": health(unseen).label("health"),
        "open_tasks": open_tasks(unseen).label("open_tasks"),
        "held": case((MentorshipRow.key.in_(unseen), false()), else_=MentorshipRow.held).label("held"),
    }
    names = [one.name for one in fields(ListLine) if one.name != "people"]
    columns = [seen.get(name, getattr(MentorshipRow, name)) for name in names]
    found: dict[str, tuple[dict[str, object], list[ListedPerson]]] = {}
    for first in range(0, len(wanted), 1000):
        rows = await session.execute(
            select(*columns, MembershipRow.person, ParticipantRow.name, MembershipRow.role, MembershipRow.standing)
            .outerjoin(
                MembershipRow,
                and_(MembershipRow.cohort == MentorshipRow.cohort, MembershipRow.mentorship == MentorshipRow.key),
            )
            .outerjoin(ParticipantRow, ParticipantRow.id == MembershipRow.person)
            .where(MentorshipRow.cohort == id_, MentorshipRow.key.in_(wanted[first : first + 1000]))
            .order_by(MembershipRow.position, MembershipRow.person)
        )
        for row in rows.mappings():
            values = {name: row[name] for name in names}
            _, people = found.setdefault(row["key"], (values, []))
            if row["person"]:
                people.append(ListedPerson(row["person"], row["name"], row["role"], row["standing"]))
    lines: list[ListLine] = []
    for key in wanted:
        if key in found:
            values, people = found[key]
            awaited = values.pop("awaited")
            lines.append(ListLine(**values, awaited=tuple(awaited), people=tuple(people)))  # pyright: ignore[reportArgumentType]
    return lines
