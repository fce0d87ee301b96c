"""Requests as their page needs them, and the answers, versions and drafts given to them.

Every function takes a session; writers pass one from `Database.begin()`. All instants come in as
arguments. Nothing here decides whether an answer counts: that is `operations.forms.submit`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import String, bindparam, case, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from program.forms import Answers, Form, Question
from program.goals import Goal, goals_of, titles_of
from program.models import Program
from store.columns import Instant, bare
from store.forms import agreements
from store.forms.agreements import Version
from store.mentorships.turns import NOTE
from store.programs import asked_with, frozen_program
from store.tables import (
    AnswerRow,
    ApplicationRow,
    CohortPersonRow,
    CohortRow,
    DraftRow,
    MembershipRow,
    MentorshipRow,
    ParticipantRow,
    RequestRow,
)

BASELINE = "b_confid"
"""The question for the confidence at the beginning: in the application, or in the invitation where there is none."""


@dataclass(frozen=True, slots=True)
class PageMember:
    """A member of the mentorship as the page names them. `standing` as in `memberships`."""

    person: str
    name: str
    role: str
    standing: str


@dataclass(frozen=True, slots=True)
class LatestAnswer:
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
    members: tuple[PageMember, ...]
    coordinators: tuple[tuple[str, str], ...]
    """(name, address) of whom to ask."""
    answer: LatestAnswer | None
    draft: dict[str, list[str]] | None
    versions: tuple[Version, ...] = ()
    """Of the mentorship's agreement, oldest first."""
    since: date | None = None
    """The day since which a check-in asks."""
    others: tuple[Other, ...] = field(default=())
    """Open requests of the same person in the same cohort, this one left out."""
    agreement_in_force: int = 0
    """The version of the agreement that everybody signed last; 0 where there is none."""
    proposed: bool = False
    """The people of the mentorship were matched: its invitation is a proposal."""
    because: tuple[str, ...] = ()
    """Why they were matched, in words about neither by name."""
    applied: bool = False
    """The person has applied to the cohort."""
    answered_before: bool = False
    """The person has answered another form: they have read once who sees what."""

    @property
    def is_out(self) -> bool:
        """The person has no seat in the mentorship any more: left, removed, replaced."""
        return any(seat.person == self.person and seat.standing == "out" for seat in self.members)

    @property
    def partners(self) -> tuple[PageMember, ...]:
        """Everybody else who takes part."""
        return tuple(
            seat for seat in self.members if seat.person != self.person and seat.standing not in ("out", "declined")
        )

    @property
    def goals(self) -> tuple[Goal, ...]:
        """The goals of the agreement in force."""
        return next((goals_of(each.body) for each in self.versions if each.number == self.agreement_in_force), ())

    @property
    def goal_titles(self) -> dict[str, str]:
        """Goal id to title of every goal that a version of the agreement has or had."""
        return titles_of(version.body for version in self.versions)

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions that this person sees. The baseline is not asked again where the application has asked it."""
        asked = self.form.questions_for(self.role, self.format, self.early)
        if self.ask != "invitation" or not self.applied:
            return asked
        return tuple(question for question in asked if question.id != BASELINE)


async def find(session: AsyncSession, public_id: str, generation: int, *, to_show: bool = True) -> Requested | None:
    """The request of a link, or None where there is none, the link is revoked, or the person is erased.

    Not `to_show`, it lacks what only stands on its page: the draft, whom to ask, what else is open, and the agreement
    where it asks about neither that nor its goals.
    Raises UnknownProgram, and KeyError where the program was frozen without the form.
    """
    row = (await session.execute(OF_LINK, {"public_id": public_id, "generation": generation})).one_or_none()
    if row is None or row.standing == "erased":
        return None
    key = {"cohort": row.cohort, "mentorship": row.mentorship}
    frozen = await frozen_program(session, row.program, row.program_hash)
    asked = await asked_with(session, frozen, row.asked_with)
    members = await session.execute(MEMBERS, key)
    coordinators = await session.execute(COORDINATORS, {"cohort": row.cohort}) if to_show else ()
    documented = to_show or row.ask in ("agreement", "midpoint", "closure")
    return Requested(
        key=row.key,
        public_id=public_id,
        generation=generation,
        cohort=row.cohort,
        cohort_title=row.cohort_title,
        cohort_zone=row.cohort_zone,
        organisation=row.organisation,
        mentorship=row.mentorship,
        mentorship_state=row.mentorship_state,
        paused=bool(row.paused_until),
        format=row.format,
        start=row.start,
        midpoint=row.midpoint,
        end=row.end,
        ask=row.ask,
        number=row.number,
        person=row.person,
        name=row.name,
        zone=row.zone or row.cohort_zone,
        language=row.language,
        profile=dict(row.profile),
        standing=row.standing,
        role=row.role,
        early=row.early,
        opens=row.opens,
        closes=row.closes,
        closes_at=row.closes_at,
        state=row.state,
        form=asked.form_for(row.ask),
        program=frozen.program,
        members=tuple(PageMember(*member) for member in members),
        coordinators=tuple(coordinators),
        answer=await latest_answer(session, row.key),
        draft=await session.scalar(DRAFT, {"key": row.key}) if to_show else None,
        versions=await agreements.versions(session, row.cohort, row.mentorship) if documented else (),
        since=await _since(session, row) or row.start,
        others=await _others(session, row) if to_show else (),
        agreement_in_force=row.agreement_in_force,
        proposed=row.proposed,
        because=tuple(row.because),
        applied=row.applied,
        answered_before=to_show
        and bool(await session.scalar(ANSWERED_BEFORE, {"person": row.person, "key": row.key})),
    )


async def _since(session: AsyncSession, request: Any) -> date | None:
    """When the check-in before this one was opened; the same day for everybody in the mentorship."""
    if request.ask != "check_in":
        return None
    before = {"cohort": request.cohort, "mentorship": request.mentorship, "number": request.number}
    return await session.scalar(CHECK_IN_BEFORE, before)


async def _others(session: AsyncSession, request: Any) -> tuple[Other, ...]:
    mine = {"cohort": request.cohort, "person": request.person}
    others = (await session.execute(OTHERS, {**mine, "key": request.key})).all()
    if not others:
        return ()
    about: dict[str, list[str]] = {}
    for mentorship, name in await session.execute(
        PARTNERS, {**mine, "mentorships": [other.mentorship for other in others]}
    ):
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
        for other in others
    )


# -- answers -----------------------------------------------------------------------------------------------------


async def latest_answer(session: AsyncSession, request: str) -> LatestAnswer | None:
    """The answer to a request that counts: the highest version."""
    row = (await session.execute(LATEST_ANSWER, {"request": request})).one_or_none()
    return LatestAnswer(*row) if row else None


async def answer_of(session: AsyncSession, submission: str) -> tuple[str, Answers] | None:
    """(request key, answers) of a submission that was kept before."""
    row = (await session.execute(ANSWER_OF, {"submission": submission})).one_or_none()
    return (row.request, row.body) if row else None


async def lock(session: AsyncSession, public_id: str, generation: int) -> None:
    """Keep other writers from this request until the transaction ends, and from its mentorship's agreement where it
    is about that. Call it before `find`, so that what is found is what the others left."""
    if session.get_bind().dialect.name == "sqlite":
        return  # SQLite has one writer
    link = {"public_id": public_id, "generation": generation}
    if (await session.execute(LOCK_UNLESS_AGREEMENT, link)).one_or_none() is not None:
        return
    about = (await session.execute(AGREEMENT_OF_LINK, link)).one_or_none()
    if about is not None:
        # The mentorship before the request: the same order as where a workflow's turn is written.
        await agreements.lock(session, about.cohort, about.mentorship)
        await session.execute(LOCK, link)


async def keep_answer(
    session: AsyncSession, requested: Requested, submission: str, body: Answers, at: datetime, *, late: bool
) -> int:
    """Keep what was submitted as the next version, and drop the draft; the version.

    Raises IntegrityError when the submission is kept already, or somebody else kept this version first.
    """
    version = requested.answer.version + 1 if requested.answer else 1
    answer = {
        "request": requested.key,
        "version": version,
        "submission": submission,
        "person": requested.person,
        "form": requested.form.form,
        "form_version": requested.form.version,
        "body": body,
        "at": at,
        "late": late,
    }
    await session.execute(KEEP_ANSWER, answer)
    await session.execute(ANSWERED_LATE if late else ANSWERED, {"request_key": requested.key, "at": at})
    await session.execute(DROP_DRAFT, {"request_key": requested.key})
    return version


async def keep_draft(session: AsyncSession, request: str, typed: dict[str, list[str]], at: datetime) -> None:
    """Keep a form as far as it is filled in, in the place of an earlier draft."""
    await session.merge(DraftRow(request=request, body=dict(typed), at=at))
    await session.flush()


async def update_profile(session: AsyncSession, requested: Requested, profile: dict[str, str], zone: str) -> None:
    """Take over what somebody says about themselves: an empty value removes the field, an empty zone changes none."""
    merged = {name: value for name, value in {**requested.profile, **profile}.items() if value != ""}
    await session.execute(INTRODUCE, {"person_id": requested.person, "profile": merged, "zone": zone})


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
    """Put a line on the record; ids and words of the lifecycle, and `why` in the words of the author `by`."""
    line = {"cohort": cohort, "mentorship": mentorship, "at": at, "name": name, "person": person, "detail": detail}
    await session.execute(NOTE, {**line, "by": by, "why": why})


# -- the statements: built once, for building them costs more than running them ------------------------------------

REQUESTS, ANSWERS, DRAFTS = bare(RequestRow), bare(AnswerRow), bare(DraftRow)
MENTORSHIPS, MEMBERSHIPS, PEOPLE = bare(MentorshipRow), bare(MembershipRow), bare(ParticipantRow)
COHORTS, STAFF, APPLICATIONS = bare(CohortRow), bare(CohortPersonRow), bare(ApplicationRow)
LINK = (REQUESTS.c.public_id == bindparam("public_id"), REQUESTS.c.generation == bindparam("generation"))

OF_LINK = (
    select(
        REQUESTS.c.key, REQUESTS.c.program_hash.label("asked_with"), REQUESTS.c.ask, REQUESTS.c.number,
        REQUESTS.c.role, REQUESTS.c.early, REQUESTS.c.opens, REQUESTS.c.closes, REQUESTS.c.closes_at,
        REQUESTS.c.state, REQUESTS.c.cohort, REQUESTS.c.mentorship, REQUESTS.c.person,
        MENTORSHIPS.c.state.label("mentorship_state"), MENTORSHIPS.c.paused_until, MENTORSHIPS.c.format,
        MENTORSHIPS.c.proposed, MENTORSHIPS.c.because,
        MENTORSHIPS.c.agreement_in_force, MENTORSHIPS.c.start, MENTORSHIPS.c.midpoint, MENTORSHIPS.c.end,
        MENTORSHIPS.c.program, MENTORSHIPS.c.program_hash,
        COHORTS.c.title.label("cohort_title"), COHORTS.c.zone.label("cohort_zone"), COHORTS.c.organisation,
        PEOPLE.c.name, PEOPLE.c.zone, PEOPLE.c.language, PEOPLE.c.profile, PEOPLE.c.standing,
        exists()
        .where(APPLICATIONS.c.cohort == REQUESTS.c.cohort, APPLICATIONS.c.person == REQUESTS.c.person)
        .label("applied"),
    )
    .select_from(REQUESTS)
    .join(
        MENTORSHIPS,
        (MENTORSHIPS.c.cohort == REQUESTS.c.cohort) & (MENTORSHIPS.c.key == REQUESTS.c.mentorship),
    )
    .join(COHORTS, COHORTS.c.id == REQUESTS.c.cohort)
    .join(PEOPLE, PEOPLE.c.id == REQUESTS.c.person)
    .where(*LINK)
)  # fmt: skip
MEMBERS = (
    select(MEMBERSHIPS.c.person, PEOPLE.c.name, MEMBERSHIPS.c.role, MEMBERSHIPS.c.standing)
    .select_from(MEMBERSHIPS)
    .join(PEOPLE, PEOPLE.c.id == MEMBERSHIPS.c.person)
    .where(MEMBERSHIPS.c.cohort == bindparam("cohort"), MEMBERSHIPS.c.mentorship == bindparam("mentorship"))
    .order_by(MEMBERSHIPS.c.position, MEMBERSHIPS.c.person)
)
COORDINATORS = (
    select(PEOPLE.c.name, PEOPLE.c.email)
    .select_from(PEOPLE)
    .join(STAFF, STAFF.c.person == PEOPLE.c.id)
    .where(STAFF.c.cohort == bindparam("cohort"), STAFF.c.role == "coordinator")
    .order_by(PEOPLE.c.id)
)
ANSWERED_BEFORE = select(
    exists().where(
        REQUESTS.c.person == bindparam("person"),
        REQUESTS.c.answered_at.is_not(None),
        REQUESTS.c.key != bindparam("key"),
    )
)
DRAFT = select(DRAFTS.c.body).where(DRAFTS.c.request == bindparam("key"))
CHECK_IN_BEFORE = select(func.max(REQUESTS.c.opens)).where(
    REQUESTS.c.cohort == bindparam("cohort"),
    REQUESTS.c.mentorship == bindparam("mentorship"),
    REQUESTS.c.ask == "check_in",
    REQUESTS.c.number < bindparam("number"),
)
OTHERS = (
    select(REQUESTS.c.public_id, REQUESTS.c.generation, REQUESTS.c.mentorship, REQUESTS.c.ask, REQUESTS.c.number)
    .where(
        REQUESTS.c.person == bindparam("person"),
        REQUESTS.c.cohort == bindparam("cohort"),
        REQUESTS.c.state == "open",
        REQUESTS.c.key != bindparam("key"),
    )
    .order_by(REQUESTS.c.opens, REQUESTS.c.number, REQUESTS.c.key)
)
PARTNERS = (
    select(MEMBERSHIPS.c.mentorship, PEOPLE.c.name)
    .select_from(MEMBERSHIPS)
    .join(PEOPLE, PEOPLE.c.id == MEMBERSHIPS.c.person)
    .where(
        MEMBERSHIPS.c.cohort == bindparam("cohort"),
        MEMBERSHIPS.c.mentorship.in_(bindparam("mentorships", expanding=True)),
        MEMBERSHIPS.c.person != bindparam("person"),
        MEMBERSHIPS.c.standing.not_in(("out", "declined")),
    )
    .order_by(MEMBERSHIPS.c.position)
)
LATEST_ANSWER = (
    select(ANSWERS.c.version, ANSWERS.c.submission, ANSWERS.c.body, ANSWERS.c.at, ANSWERS.c.late)
    .where(ANSWERS.c.request == bindparam("request"))
    .order_by(ANSWERS.c.version.desc())
    .limit(1)
)
ANSWER_OF = select(ANSWERS.c.request, ANSWERS.c.body).where(ANSWERS.c.submission == bindparam("submission"))

LOCK = select(REQUESTS.c.key).where(*LINK).with_for_update()
LOCK_UNLESS_AGREEMENT = LOCK.where(REQUESTS.c.ask != "agreement")
AGREEMENT_OF_LINK = select(REQUESTS.c.cohort, REQUESTS.c.mentorship).where(*LINK)
KEEP_ANSWER = insert(ANSWERS)
ANSWERED_LATE = (
    update(REQUESTS)
    .where(REQUESTS.c.key == bindparam("request_key"))
    .values(answered_at=func.coalesce(REQUESTS.c.answered_at, bindparam("at", type_=Instant())))
)
ANSWERED = ANSWERED_LATE.values(state=case((REQUESTS.c.state == "open", "answered"), else_=REQUESTS.c.state))
DROP_DRAFT = delete(DRAFTS).where(DRAFTS.c.request == bindparam("request_key"))
INTRODUCE = (
    update(PEOPLE)
    .where(PEOPLE.c.id == bindparam("person_id"))
    .values(
        profile=bindparam("profile"),
        zone=func.coalesce(func.nullif(bindparam("zone", type_=String), ""), PEOPLE.c.zone),
    )
)
