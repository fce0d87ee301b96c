"""Reads the data of a participant's own page: details, mentorships, open forms, answers, what comes next.

Every function takes a session and only reads. The data is for the person alone: it holds no answers of others, and
must not reach Temporal or a log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.keys import MentorshipRef
from store.people import certificate, joint_sheet
from store.programs import FrozenProgram, asked_with, frozen_program
from store.tables import (
    AnswerRow,
    CohortPersonRow,
    CohortRow,
    EventRow,
    MembershipRow,
    MentorshipRow,
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
    wanted = select(ParticipantRow).where(
        ParticipantRow.id == person,
        ParticipantRow.generation == generation,
        ParticipantRow.standing != "erased",
    )
    row = await session.scalar(wanted.with_for_update(key_share=True) if to_write else wanted)
    if row is None:
        return None
    bounced = row.standing == "bounced"
    return Holder(row.id, row.name, row.email, row.zone, row.language, row.generation, row.reminders_stopped, bounced)


async def seats(session: AsyncSession, person: str) -> list[OwnMentorship]:
    """Every mentorship in which this person has or had a seat, those that run first."""
    rows = await session.execute(
        select(MembershipRow, MentorshipRow, CohortRow)
        .join(
            MentorshipRow,
            (MentorshipRow.cohort == MembershipRow.cohort) & (MentorshipRow.key == MembershipRow.mentorship),
        )
        .join(CohortRow, CohortRow.id == MembershipRow.cohort)
        .where(MembershipRow.person == person)
        .order_by(MentorshipRow.start.desc(), MentorshipRow.cohort, MentorshipRow.key)
    )
    rows = rows.all()
    refs = [(membership.cohort, membership.mentorship) for membership, _, _ in rows]
    partners = await _partners(session, person, refs)
    coordinators = await _coordinators(session, [cohort for cohort, _ in refs])
    asked = await _asked(session, person, refs)
    coming = await _coming(session, person, refs)
    waiting = await _waiting(session, person, refs)
    early = await _ending_early(session, refs)
    shared = await joint_sheet.places(session, person)
    certified = await certificate.places(session, person)
    seats: list[OwnMentorship] = []
    for membership, mentorship, cohort in rows:
        ref = (cohort.id, mentorship.key)
        frozen = await frozen_program(session, mentorship.program, mentorship.program_hash)
        known = mentorship.phase != "onboarding" and membership.standing == "accepted"
        seats.append(
            OwnMentorship(
                cohort=cohort.id,
                cohort_title=cohort.title,
                organisation=cohort.organisation,
                cohort_zone=cohort.zone,
                mentorship=mentorship.key,
                format=mentorship.format,
                role=membership.role,
                standing=membership.standing,
                state=mentorship.state,
                phase=mentorship.phase,
                paused_until=mentorship.paused_until,
                pause_ahead=mentorship.pause_ahead,
                start=mentorship.start,
                end=mentorship.end,
                ended_on=mentorship.ended_on,
                ending_early=ref in early,
                program_title=frozen.program.title,
                emergency=frozen.program.emergency,
                partners=tuple(partners[ref]) if known else (),
                coordinators=tuple(coordinators[cohort.id]),
                asked=tuple(
                    [_as_asked(request, await _title(session, frozen, request), at) for request, at in asked[ref]]
                ),
                coming=tuple(coming[ref]),
                waiting=tuple(waiting[ref]),
                joint_sheet=ref in shared,
                certificate=ref in certified,
            )
        )
    return sorted(seats, key=lambda seat: not seat.lives)


async def _title(session: AsyncSession, now: FrozenProgram, request: RequestRow) -> str:
    """The title of a request's form, in the version of the program with which it was asked."""
    asked = await asked_with(session, now, request.program_hash)
    form = asked.forms.get(asked.program.form_for(request.ask))
    return form.title if form else request.ask


def _as_asked(request: RequestRow, title: str, answered_at: datetime | None) -> AskedForm:
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
        answered_at=answered_at,
    )


async def _partners(
    session: AsyncSession, person: str, refs: Sequence[MentorshipRef]
) -> dict[MentorshipRef, list[str]]:
    rows = await session.execute(
        select(MembershipRow.cohort, MembershipRow.mentorship, ParticipantRow.name)
        .join(ParticipantRow, ParticipantRow.id == MembershipRow.person)
        .where(
            tuple_(MembershipRow.cohort, MembershipRow.mentorship).in_(refs),
            MembershipRow.person != person,
            MembershipRow.standing == "accepted",
            ParticipantRow.standing != "erased",
        )
        .order_by(MembershipRow.position, MembershipRow.person)
    )
    partners: dict[MentorshipRef, list[str]] = defaultdict(list)
    for cohort, mentorship, name in rows:
        partners[cohort, mentorship].append(name)
    return partners


async def _coordinators(session: AsyncSession, cohorts: Sequence[str]) -> dict[str, list[PageCoordinator]]:
    rows = await session.execute(
        select(
            CohortPersonRow.cohort, ParticipantRow.id, ParticipantRow.name, ParticipantRow.email, CohortPersonRow.role
        )
        .join(ParticipantRow, ParticipantRow.id == CohortPersonRow.person)
        .where(CohortPersonRow.cohort.in_(cohorts))
        .order_by(CohortPersonRow.role, ParticipantRow.id)
    )
    coordinators: dict[str, list[PageCoordinator]] = defaultdict(list)
    for cohort, *columns in rows:
        coordinators[cohort].append(PageCoordinator(*columns))
    return coordinators


async def _asked(
    session: AsyncSession, person: str, refs: Sequence[MentorshipRef]
) -> dict[MentorshipRef, list[tuple[RequestRow, datetime | None]]]:
    requests = await session.scalars(
        select(RequestRow)
        .where(RequestRow.person == person, tuple_(RequestRow.cohort, RequestRow.mentorship).in_(refs))
        .order_by(RequestRow.opens, RequestRow.ask, RequestRow.number)
    )
    answered: dict[str, datetime] = {}
    for request, at in await session.execute(
        select(AnswerRow.request, AnswerRow.at).where(AnswerRow.person == person).order_by(AnswerRow.version)
    ):
        answered[request] = at
    asked: dict[MentorshipRef, list[tuple[RequestRow, datetime | None]]] = defaultdict(list)
    for request in requests:
        asked[request.cohort, request.mentorship].append((request, answered.get(request.key)))
    return asked


async def _coming(
    session: AsyncSession, person: str, refs: Sequence[MentorshipRef]
) -> dict[MentorshipRef, list[Coming]]:
    rows = await session.scalars(
        select(StepRow)
        .where(tuple_(StepRow.cohort, StepRow.mentorship).in_(refs), StepRow.state == "planned")
        .order_by(StepRow.opens, StepRow.name, StepRow.number)
    )
    coming: dict[MentorshipRef, list[Coming]] = defaultdict(list)
    for step in rows:
        # Only people who opted in get the follow-up.
        if step.name != "follow_up" or person in step.asked:
            coming[step.cohort, step.mentorship].append(Coming(step.name, step.number, step.opens))
    return coming


async def _waiting(
    session: AsyncSession, person: str, refs: Sequence[MentorshipRef]
) -> dict[MentorshipRef, list[str]]:
    rows = await session.execute(
        select(RelayRow.cohort, RelayRow.mentorship, RelayRow.event, RelayRow.payload)
        .where(tuple_(RelayRow.cohort, RelayRow.mentorship).in_(refs))
        .order_by(RelayRow.id)
    )
    waiting: dict[MentorshipRef, list[str]] = defaultdict(list)
    for cohort, mentorship, event, payload in rows:
        if person in (payload.get("person"), payload.get("by")):
            waiting[cohort, mentorship].append(event)
    return waiting


async def _ending_early(session: AsyncSession, refs: Sequence[MentorshipRef]) -> set[MentorshipRef]:
    rows: Any = await session.execute(
        select(EventRow.cohort, EventRow.mentorship).where(
            tuple_(EventRow.cohort, EventRow.mentorship).in_(refs), EventRow.name == "ending_early"
        )
    )
    return {(cohort, mentorship) for cohort, mentorship in rows}
