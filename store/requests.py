"""Requests as their page needs them, and the answers, versions and drafts given to them.

Every function takes a session; whoever writes passes one from `Database.begin()`. All instants come in as
arguments. Nothing here decides whether an answer counts: that is `operations.answers`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from program.forms import Answers, Form, Question
from program.models import Program
from store import agreements
from store.agreements import Version
from store.programs import asked_with, frozen_program
from store.tables import (
    AnswerRow,
    CohortPersonRow,
    CohortRow,
    DraftRow,
    EventRow,
    MembershipRow,
    MentorshipRow,
    ParticipantRow,
    RequestRow,
)


@dataclass(frozen=True, slots=True)
class Seat:
    """A member of the mentorship as the page names them. `standing` as in `memberships`."""

    person: str
    name: str
    role: str
    standing: str


@dataclass(frozen=True, slots=True)
class Given:
    """The latest answer to a request."""

    version: int
    submission: str
    body: Answers
    at: datetime
    late: bool


@dataclass(frozen=True, slots=True)
class Other:
    """Another open request of the same person: `about` names the partners."""

    public_id: str
    generation: int
    mentorship: str
    ask: str
    number: int
    about: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Requested:
    """A request with everything that its page needs. Dates are calendar dates, instants UTC."""

    key: str
    public_id: str
    generation: int
    cohort: str
    cohort_title: str
    cohort_zone: str
    organisation: str
    mentorship: str
    mentorship_state: str
    """planned, running, over"""
    paused: bool
    format: str
    start: date
    midpoint: date
    end: date
    ask: str
    number: int
    person: str
    name: str
    zone: str
    language: str
    profile: dict[str, Any]
    standing: str
    """The person's: active, left, erased, bounced."""
    role: str
    early: bool
    opens: date
    closes: date
    closes_at: datetime
    state: str
    """open, answered, closed, withdrawn, superseded"""
    form: Form
    program: Program
    members: tuple[Seat, ...]
    coordinators: tuple[tuple[str, str], ...]
    """(name, address) of whom to ask."""
    answer: Given | None
    draft: dict[str, list[str]] | None
    versions: tuple[Version, ...] = ()
    """Of the mentorship's agreement, oldest first."""
    since: date | None = None
    """The day since which a check-in asks."""
    others: tuple[Other, ...] = field(default=())
    """Open requests of the same person in the same cohort, this one left out."""

    @property
    def partners(self) -> tuple[Seat, ...]:
        """Everybody else who takes part."""
        return tuple(
            seat for seat in self.members if seat.person != self.person and seat.standing not in ("out", "declined")
        )

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions that this person sees."""
        return self.form.questions_for(self.role, self.format, self.early)


async def find(session: AsyncSession, public_id: str, generation: int, *, to_show: bool = True) -> Requested | None:
    """The request of a link, or None where there is none, the link is revoked, or the person is erased.

    Not `to_show`, it lacks what only stands on its page: the draft, whom to ask, and what else is open.
    Raises UnknownProgram, and KeyError where the program was frozen without the form.
    """
    row = (
        await session.execute(
            select(RequestRow, MentorshipRow, CohortRow, ParticipantRow)
            .join(
                MentorshipRow,
                (MentorshipRow.cohort == RequestRow.cohort) & (MentorshipRow.key == RequestRow.mentorship),
            )
            .join(CohortRow, CohortRow.id == RequestRow.cohort)
            .join(ParticipantRow, ParticipantRow.id == RequestRow.person)
            .where(RequestRow.public_id == public_id, RequestRow.generation == generation)
        )
    ).one_or_none()
    if row is None or row.ParticipantRow.standing == "erased":
        return None
    request, mentorship, cohort, person = row
    frozen = await frozen_program(session, mentorship.program, mentorship.program_hash)
    asked = await asked_with(session, frozen, request.program_hash)
    return Requested(
        key=request.key,
        public_id=request.public_id,
        generation=request.generation,
        cohort=cohort.id,
        cohort_title=cohort.title,
        cohort_zone=cohort.zone,
        organisation=cohort.organisation,
        mentorship=mentorship.key,
        mentorship_state=mentorship.state,
        paused=bool(mentorship.paused_until),
        format=mentorship.format,
        start=mentorship.start,
        midpoint=mentorship.midpoint,
        end=mentorship.end,
        ask=request.ask,
        number=request.number,
        person=person.id,
        name=person.name,
        zone=person.zone or cohort.zone,
        language=person.language,
        profile=dict(person.profile),
        standing=person.standing,
        role=request.role,
        early=request.early,
        opens=request.opens,
        closes=request.closes,
        closes_at=request.closes_at,
        state=request.state,
        form=asked.form_for(request.ask),
        program=frozen.program,
        members=await _members(session, cohort.id, mentorship.key),
        coordinators=await _coordinators(session, cohort.id) if to_show else (),
        answer=await latest_answer(session, request.key),
        draft=await _draft(session, request.key) if to_show else None,
        versions=await agreements.versions(session, cohort.id, mentorship.key),
        since=await _since(session, request) or mentorship.start,
        others=await _others(session, request) if to_show else (),
    )


async def _members(session: AsyncSession, cohort: str, mentorship: str) -> tuple[Seat, ...]:
    rows = await session.execute(
        select(MembershipRow.person, ParticipantRow.name, MembershipRow.role, MembershipRow.standing)
        .join(ParticipantRow, ParticipantRow.id == MembershipRow.person)
        .where(MembershipRow.cohort == cohort, MembershipRow.mentorship == mentorship)
        .order_by(MembershipRow.position, MembershipRow.person)
    )
    return tuple(Seat(*row) for row in rows)


async def _coordinators(session: AsyncSession, cohort: str) -> tuple[tuple[str, str], ...]:
    rows = await session.execute(
        select(ParticipantRow.name, ParticipantRow.email)
        .join(CohortPersonRow, CohortPersonRow.person == ParticipantRow.id)
        .where(CohortPersonRow.cohort == cohort, CohortPersonRow.role == "coordinator")
        .order_by(ParticipantRow.id)
    )
    return tuple(rows)


async def _draft(session: AsyncSession, request: str) -> dict[str, list[str]] | None:
    return (await session.execute(select(DraftRow.body).where(DraftRow.request == request))).scalar_one_or_none()


async def _since(session: AsyncSession, request: RequestRow) -> date | None:
    """When the check-in before this one was opened; the same day for everybody in the mentorship."""
    if request.ask != "check_in":
        return None
    return (
        await session.execute(
            select(func.max(RequestRow.opens)).where(
                RequestRow.cohort == request.cohort,
                RequestRow.mentorship == request.mentorship,
                RequestRow.ask == "check_in",
                RequestRow.number < request.number,
            )
        )
    ).scalar_one_or_none()


async def _others(session: AsyncSession, request: RequestRow) -> tuple[Other, ...]:
    rows = (
        await session.execute(
            select(RequestRow)
            .where(
                RequestRow.person == request.person,
                RequestRow.cohort == request.cohort,
                RequestRow.state == "open",
                RequestRow.key != request.key,
            )
            .order_by(RequestRow.opens, RequestRow.number, RequestRow.key)
        )
    ).scalars()
    found = list(rows)
    if not found:
        return ()
    named = await session.execute(
        select(MembershipRow.mentorship, ParticipantRow.name)
        .join(ParticipantRow, ParticipantRow.id == MembershipRow.person)
        .where(
            MembershipRow.cohort == request.cohort,
            MembershipRow.mentorship.in_({other.mentorship for other in found}),
            MembershipRow.person != request.person,
            MembershipRow.standing.not_in(("out", "declined")),
        )
        .order_by(MembershipRow.position)
    )
    about: dict[str, list[str]] = {}
    for mentorship, name in named:
        about.setdefault(mentorship, []).append(name)
    return tuple(
        Other(
            other.public_id,
            other.generation,
            other.mentorship,
            other.ask,
            other.number,
            tuple(about.get(other.mentorship, ())),
        )
        for other in found
    )


# -- answers -----------------------------------------------------------------------------------------------------


async def latest_answer(session: AsyncSession, request: str) -> Given | None:
    """The answer to a request that counts: the highest version."""
    row = (
        await session.execute(
            select(AnswerRow).where(AnswerRow.request == request).order_by(AnswerRow.version.desc()).limit(1)
        )
    ).scalar_one_or_none()
    return Given(row.version, row.submission, row.body, row.at, row.late) if row else None


async def answer_of(session: AsyncSession, submission: str) -> tuple[str, Answers] | None:
    """(request key, answers) of a submission that was kept before."""
    row = (
        await session.execute(select(AnswerRow.request, AnswerRow.body).where(AnswerRow.submission == submission))
    ).one_or_none()
    return (row.request, row.body) if row else None


async def lock(session: AsyncSession, public_id: str, generation: int) -> None:
    """Keep other writers from this request until the transaction ends, and from its mentorship's agreement where it
    is about that. Call it before `find`, so that what is found is what the others left."""
    if session.get_bind().dialect.name == "sqlite":
        return  # whoever writes is alone
    of_link = (RequestRow.public_id == public_id, RequestRow.generation == generation)
    about = (
        await session.execute(select(RequestRow.cohort, RequestRow.mentorship, RequestRow.ask).where(*of_link))
    ).one_or_none()
    if about is not None and about.ask == "agreement":
        # The mentorship before the request: the same order as where a workflow's turn is written.
        await agreements.lock(session, about.cohort, about.mentorship)
    await session.execute(select(RequestRow.key).where(*of_link).with_for_update())


async def keep_answer(
    session: AsyncSession, requested: Requested, submission: str, body: Answers, at: datetime, *, late: bool
) -> int:
    """Keep what was submitted as the next version, and drop the draft; the version.

    Raises IntegrityError when the submission is kept already, or somebody else kept this version first.
    """
    version = requested.answer.version + 1 if requested.answer else 1
    session.add(
        AnswerRow(
            request=requested.key,
            version=version,
            submission=submission,
            person=requested.person,
            form=requested.form.form,
            form_version=requested.form.version,
            body=body,
            at=at,
            late=late,
        )
    )
    row = await session.get_one(RequestRow, requested.key)
    if not late and row.state == "open":
        row.state = "answered"
    if row.answered_at is None:
        row.answered_at = at
    await session.execute(delete(DraftRow).where(DraftRow.request == requested.key))
    await session.flush()
    return version


async def keep_draft(session: AsyncSession, request: str, typed: dict[str, list[str]], at: datetime) -> None:
    """Keep a form as far as it is filled in, in the place of an earlier draft."""
    await session.merge(DraftRow(request=request, body=dict(typed), at=at))
    await session.flush()


async def update_profile(session: AsyncSession, person: str, profile: dict[str, str], zone: str | None) -> None:
    """Take over what somebody says about themselves; an empty value removes the field. `zone` None: as before."""
    row = await session.get_one(ParticipantRow, person)
    merged = {**row.profile, **profile}
    row.profile = {name: value for name, value in merged.items() if value != ""}
    if zone:
        row.zone = zone
    await session.flush()


async def note(
    session: AsyncSession,
    cohort: str,
    mentorship: str,
    at: datetime,
    name: str,
    person: str = "",
    detail: str = "",
    *,
    by: str = "",
    why: str = "",
) -> None:
    """Put a line on the record; ids and words of the lifecycle, and `why` in the words of whoever it is `by`."""
    session.add(
        EventRow(cohort=cohort, mentorship=mentorship, at=at, name=name, person=person, detail=detail, by=by, why=why)
    )
    await session.flush()
