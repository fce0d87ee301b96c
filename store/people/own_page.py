"""Reads the data of a participant's own page: details, mentorships, open forms, answers, what comes next.

Every function takes a session and only reads. The data is for the person alone: it holds no answers of others, and
must not reach Temporal or a log.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, bindparam, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.keys import MentorshipRef
from store.columns import bare
from store.people import certificate, joint_sheet
from store.people.joint_sheet import was_told
from store.prepared import Prepared
from store.programs import FrozenProgram, asked_with, frozen_program
from store.tables import (
    AnswerRow,
    CohortPersonRow,
    CohortRow,
    EventRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    OutcomeRow,
    ParticipantRow,
    RelayRow,
    RequestRow,
    StepRow,
)


@dataclass(frozen=True, slots=True)
class Holder:
    """The owner of the page."""

    id: str
    name: str
    email: str
    zone: str
    language: str
    generation: int
    reminders_stopped: bool
    bounced: bool
    """The address refuses mail."""


@dataclass(frozen=True, slots=True)
class PageCoordinator:
    """A coordinator or a deputy, as participants see them."""

    id: str
    name: str
    email: str
    role: str


@dataclass(frozen=True, slots=True)
class AskedForm:
    """A form that the person was asked to fill in. Instants are UTC."""

    public_id: str
    generation: int
    ask: str
    number: int
    title: str
    opens: date
    closes: date
    closes_at: datetime
    state: str
    answered_at: datetime | None
    """When the person last answered."""


@dataclass(frozen=True, slots=True)
class Coming:
    """A step of the plan that is still ahead."""

    name: str
    number: int
    on: date


@dataclass(frozen=True, slots=True)
class OwnMentorship:
    """One mentorship of the person, with everything that the page shows. Dates are calendar dates."""

    cohort: str
    cohort_title: str
    organisation: str
    cohort_zone: str
    mentorship: str
    format: str
    role: str
    standing: str
    """The person's: invited, accepted, declined, silent, out."""
    state: str
    """planned, running, over"""
    phase: str
    paused_until: str
    """ISO date, `open`, or empty"""
    pause_ahead: str
    """A pause that begins later: `2027-03-01/2027-04-19`, `2027-03-01/open`, or empty"""
    start: date
    end: date
    ended_on: date | None
    ending_early: bool
    program_title: str
    emergency: str
    partners: tuple[str, ...]
    """Names of the partners; none before the introduction."""
    coordinators: tuple[PageCoordinator, ...]
    asked: tuple[AskedForm, ...]
    coming: tuple[Coming, ...]
    waiting: tuple[str, ...]
    """Names of the person's events that the workflow does not know yet."""
    joint_sheet: bool
    """Whether they were told of a joint sheet."""
    certificate: bool
    """Whether there is a certificate of participation."""

    @property
    def ref(self) -> MentorshipRef:
        """Which mentorship it is."""
        return self.cohort, self.mentorship

    @property
    def lives(self) -> bool:
        """Whether there is anything left to change for this person."""
        return self.state != "over" and self.standing != "out"

    @property
    def running(self) -> bool:
        """Whether it has begun, and is not over."""
        return self.state == "running" and self.phase not in ("onboarding", "closed")


async def holder(session: AsyncSession, person: str, generation: int, *, to_write: bool = False) -> Holder | None:
    """The person of a link; None where unknown or erased, or the link was revoked. `to_write` keeps others from the
    person until the transaction ends."""
    link = {"person": person, "generation": generation}
    row = await (HOLDER_TO_WRITE if to_write else HOLDER).one_or_none(session, link)
    if row is None:
        return None
    bounced = row.standing == "bounced"
    return Holder(row.id, row.name, row.email, row.zone, row.language, row.generation, row.reminders_stopped, bounced)


async def seats(session: AsyncSession, person: str) -> list[OwnMentorship]:
    """Every mentorship in which this person has or had a seat, those that run first."""
    mine = {"mine": person}
    rows = await SEATS.all(session, mine)
    if not rows:
        return []
    partners = await _partners(session, mine)
    coordinators = await _coordinators(session, mine)
    asked = await _asked(session, mine)
    coming = await _coming(session, mine)
    waiting = await _waiting(session, mine)
    seats: list[OwnMentorship] = []
    for row in rows:
        ref = (row.cohort, row.mentorship)
        frozen = await frozen_program(session, row.program, row.program_hash)
        known = row.phase != "onboarding" and row.standing == "accepted"
        seats.append(
            OwnMentorship(
                cohort=row.cohort,
                cohort_title=row.title,
                organisation=row.organisation,
                cohort_zone=row.zone,
                mentorship=row.mentorship,
                format=row.format,
                role=row.role,
                standing=row.standing,
                state=row.state,
                phase=row.phase,
                paused_until=row.paused_until,
                pause_ahead=row.pause_ahead,
                start=row.start,
                end=row.end,
                ended_on=row.ended_on,
                ending_early=row.ending_early,
                program_title=frozen.program.title,
                emergency=frozen.program.emergency,
                partners=tuple(partners[ref]) if known else (),
                coordinators=tuple(coordinators[row.cohort]),
                asked=tuple([_as_asked(request, await _title(session, frozen, request)) for request in asked[ref]]),
                coming=tuple(coming[ref]),
                waiting=tuple(waiting[ref]),
                joint_sheet=row.joint_sheet,
                certificate=row.certified and frozen.program.phases.closure.certificate,
            )
        )
    return sorted(seats, key=lambda seat: not seat.lives)


async def _title(session: AsyncSession, now: FrozenProgram, request: Any) -> str:
    """The title of a request's form, in the version of the program with which it was asked."""
    asked = await asked_with(session, now, request.program_hash)
    form = asked.forms.get(asked.program.form_for(request.ask))
    return form.title if form else request.ask


def _as_asked(request: Any, title: str) -> AskedForm:
    return AskedForm(
        public_id=request.public_id,
        generation=request.generation,
        ask=request.ask,
        number=request.number,
        title=title,
        opens=request.opens,
        closes=request.closes,
        closes_at=request.closes_at,
        state=request.state,
        answered_at=request.answered_last,
    )


async def _partners(session: AsyncSession, mine: dict[str, str]) -> dict[MentorshipRef, list[str]]:
    partners: dict[MentorshipRef, list[str]] = defaultdict(list)
    for cohort, mentorship, name in await PARTNERS.all(session, mine):
        partners[cohort, mentorship].append(name)
    return partners


async def _coordinators(session: AsyncSession, mine: dict[str, str]) -> dict[str, list[PageCoordinator]]:
    coordinators: dict[str, list[PageCoordinator]] = defaultdict(list)
    for cohort, *columns in await COORDINATORS.all(session, mine):
        coordinators[cohort].append(PageCoordinator(*columns))
    return coordinators


async def _asked(session: AsyncSession, mine: dict[str, str]) -> dict[MentorshipRef, list[Any]]:
    asked: dict[MentorshipRef, list[Any]] = defaultdict(list)
    for request in await ASKED.all(session, mine):
        asked[request.cohort, request.mentorship].append(request)
    return asked


async def _coming(session: AsyncSession, mine: dict[str, str]) -> dict[MentorshipRef, list[Coming]]:
    coming: dict[MentorshipRef, list[Coming]] = defaultdict(list)
    for step in await COMING.all(session, mine):
        # Only people who opted in get the follow-up.
        if step.name != "follow_up" or mine["mine"] in step.asked:
            coming[step.cohort, step.mentorship].append(Coming(step.name, step.number, step.opens))
    return coming


async def _waiting(session: AsyncSession, mine: dict[str, str]) -> dict[MentorshipRef, list[str]]:
    waiting: dict[MentorshipRef, list[str]] = defaultdict(list)
    for cohort, mentorship, event, payload in await WAITING.all(session, mine):
        if mine["mine"] in (payload.get("person"), payload.get("by")):
            waiting[cohort, mentorship].append(event)
    return waiting


# -- the statements: prepared once, for building them costs more than running them ---------------------------------

SEAT, OTHER, PEOPLE = bare(MembershipRow).alias("seat"), bare(MembershipRow), bare(ParticipantRow)
MENTORSHIPS, COHORTS, STAFF = bare(MentorshipRow), bare(CohortRow), bare(CohortPersonRow)
REQUESTS, ANSWERS, STEPS = bare(RequestRow), bare(AnswerRow), bare(StepRow)
ITEMS, EVENTS, RELAYS, OUTCOMES = bare(ItemRow), bare(EventRow), bare(RelayRow), bare(OutcomeRow)
MINE = SEAT.c.person == bindparam("mine")
"""The seats of the person whose page it is."""
KEPT = ANSWERS.alias("kept")


def _there(table: FromClause) -> ColumnElement[bool]:
    """Whether a row is about the mentorship of the person's seat."""
    return and_(table.c.cohort == SEAT.c.cohort, table.c.mentorship == SEAT.c.mentorship)


def _of_mine(table: FromClause) -> ColumnElement[bool]:
    """Whether a row is about a mentorship in which the person has a seat."""
    return exists().where(_there(table), MINE)


_HOLDER = select(
    PEOPLE.c.id, PEOPLE.c.name, PEOPLE.c.email, PEOPLE.c.zone, PEOPLE.c.language, PEOPLE.c.generation,
    PEOPLE.c.reminders_stopped, PEOPLE.c.standing,
).where(
    PEOPLE.c.id == bindparam("person"), PEOPLE.c.generation == bindparam("generation"), PEOPLE.c.standing != "erased"
)  # fmt: skip
HOLDER, HOLDER_TO_WRITE = Prepared(_HOLDER), Prepared(_HOLDER.with_for_update(key_share=True))
SEATS = Prepared(
    select(
        SEAT.c.cohort, SEAT.c.mentorship, SEAT.c.role, SEAT.c.standing,
        MENTORSHIPS.c.format, MENTORSHIPS.c.state, MENTORSHIPS.c.phase, MENTORSHIPS.c.paused_until,
        MENTORSHIPS.c.pause_ahead, MENTORSHIPS.c.start, MENTORSHIPS.c.end, MENTORSHIPS.c.ended_on,
        MENTORSHIPS.c.program, MENTORSHIPS.c.program_hash,
        COHORTS.c.title, COHORTS.c.organisation, COHORTS.c.zone,
        exists().where(_there(EVENTS), EVENTS.c.name == "ending_early").label("ending_early"),
        exists()
        .where(_there(ITEMS), ITEMS.c.person == SEAT.c.person, ITEMS.c.name == joint_sheet.NOTICE, was_told(ITEMS))
        .label("joint_sheet"),
        and_(
            SEAT.c.standing == "accepted",
            MENTORSHIPS.c.held.is_(False),
            exists().where(_there(OUTCOMES), OUTCOMES.c.ending.in_(certificate.COMPLETED)),
            exists().where(
                _there(ITEMS), ITEMS.c.person == SEAT.c.person, ITEMS.c.name == "farewell", was_told(ITEMS)
            ),
        ).label("certified"),
    )
    .select_from(SEAT)
    .join(MENTORSHIPS, and_(MENTORSHIPS.c.cohort == SEAT.c.cohort, MENTORSHIPS.c.key == SEAT.c.mentorship))
    .join(COHORTS, COHORTS.c.id == SEAT.c.cohort)
    .where(MINE)
    .order_by(MENTORSHIPS.c.start.desc(), SEAT.c.cohort, SEAT.c.mentorship)
)  # fmt: skip
PARTNERS = Prepared(
    select(OTHER.c.cohort, OTHER.c.mentorship, PEOPLE.c.name)
    .join(PEOPLE, PEOPLE.c.id == OTHER.c.person)
    .where(
        _of_mine(OTHER),
        OTHER.c.person != bindparam("mine"),
        OTHER.c.standing == "accepted",
        PEOPLE.c.standing != "erased",
    )
    .order_by(OTHER.c.position, OTHER.c.person)
)
COORDINATORS = Prepared(
    select(STAFF.c.cohort, PEOPLE.c.id, PEOPLE.c.name, PEOPLE.c.email, STAFF.c.role)
    .join(PEOPLE, PEOPLE.c.id == STAFF.c.person)
    .where(exists().where(SEAT.c.cohort == STAFF.c.cohort, MINE))
    .order_by(STAFF.c.role, PEOPLE.c.id)
)
LATEST = select(func.max(KEPT.c.version)).where(KEPT.c.request == REQUESTS.c.key).scalar_subquery()
ASKED = Prepared(
    select(
        REQUESTS.c.cohort, REQUESTS.c.mentorship, REQUESTS.c.public_id, REQUESTS.c.generation, REQUESTS.c.ask,
        REQUESTS.c.number, REQUESTS.c.opens, REQUESTS.c.closes, REQUESTS.c.closes_at, REQUESTS.c.state,
        REQUESTS.c.program_hash, ANSWERS.c.at.label("answered_last"),
    )
    .select_from(REQUESTS)
    .outerjoin(ANSWERS, and_(ANSWERS.c.request == REQUESTS.c.key, ANSWERS.c.version == LATEST))
    .where(REQUESTS.c.person == bindparam("mine"), _of_mine(REQUESTS))
    .order_by(REQUESTS.c.opens, REQUESTS.c.ask, REQUESTS.c.number)
)  # fmt: skip
COMING = Prepared(
    select(STEPS.c.cohort, STEPS.c.mentorship, STEPS.c.name, STEPS.c.number, STEPS.c.opens, STEPS.c.asked)
    .where(_of_mine(STEPS), STEPS.c.state == "planned")
    .order_by(STEPS.c.opens, STEPS.c.name, STEPS.c.number)
)
WAITING = Prepared(
    select(RELAYS.c.cohort, RELAYS.c.mentorship, RELAYS.c.event, RELAYS.c.payload)
    .where(_of_mine(RELAYS))
    .order_by(RELAYS.c.id)
)
