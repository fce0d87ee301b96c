"""Requests as their page needs them, and the answers, versions and drafts given to them.

Every function takes a session; writers pass one from `Database.begin()`. All instants come in as
arguments. Nothing here decides whether an answer counts: that is `operations.forms.submit`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from program.forms import Answers, Form, Question
from program.goals import Goal, goals_of, titles_of
from program.models import Program
from store.forms import agreements
from store.forms.agreements import Version
from store.forms.request_statements import (
    AGREEMENT_OF_LINK,
    ANSWER_OF,
    ANSWERED,
    ANSWERED_LATE,
    COORDINATORS,
    DROP_DRAFT,
    INTRODUCE,
    KEEP_ANSWER,
    LOCK,
    LOCK_UNLESS_AGREEMENT,
    MEMBERS,
    OF_LINK,
    OTHERS,
    PARTNERS,
)
from store.mentorships.turn_statements import NOTE
from store.programs import asked_with, frozen_program
from store.tables import DraftRow

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
    repeats: bool = False
    """What is being submitted is kept already, for this request or another."""

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


async def find(
    session: AsyncSession, public_id: str, generation: int, *, to_show: bool = True, submission: str = ""
) -> Requested | None:
    """The request of a link, or None where there is none, the link is revoked, or the person is erased.

    `submission` is the id of what is being submitted: the request says whether it repeats an answer.
    Not `to_show`, it lacks what only stands on its page: whom to ask, what else is open, and the agreement where it
    asks about neither that nor its goals.
    Raises UnknownProgram, and KeyError where the program was frozen without the form.
    """
    link = {"public_id": public_id, "generation": generation, "submission": submission}
    row = await OF_LINK.one_or_none(session, link)
    if row is None or row.standing == "erased":
        return None
    key = {"cohort": row.cohort, "mentorship": row.mentorship}
    frozen = await frozen_program(session, row.program, row.program_hash)
    asked = await asked_with(session, frozen, row.asked_with)
    members = await MEMBERS.all(session, key)
    coordinators = await COORDINATORS.all(session, {"cohort": row.cohort}) if to_show else ()
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
        answer=_latest_answer(row),
        draft=row.draft,
        versions=await agreements.versions(session, row.cohort, row.mentorship) if documented else (),
        since=row.check_in_before or row.start,
        others=await _others(session, row) if to_show else (),
        agreement_in_force=row.agreement_in_force,
        proposed=row.proposed,
        because=tuple(row.because),
        applied=row.applied,
        answered_before=row.answered_before,
        repeats=row.repeats,
    )


def _latest_answer(row: Any) -> LatestAnswer | None:
    """The answer that counts: the highest version."""
    return LatestAnswer(row.version, row.submission, row.body, row.at, row.late) if row.version else None


async def _others(session: AsyncSession, request: Any) -> tuple[Other, ...]:
    mine = {"cohort": request.cohort, "person": request.person}
    others = await OTHERS.all(session, {**mine, "key": request.key})
    if not others:
        return ()
    about: dict[str, list[str]] = {}
    for mentorship, name in await PARTNERS.all(
        session, {**mine, "mentorships": [other.mentorship for other in others]}
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


async def answer_of(session: AsyncSession, submission: str) -> tuple[str, Answers] | None:
    """(request key, answers) of a submission that was kept before."""
    row = await ANSWER_OF.one_or_none(session, {"submission": submission})
    return (row.request, row.body) if row else None


async def lock(session: AsyncSession, public_id: str, generation: int) -> None:
    """Keep other writers from this request until the transaction ends, and from its mentorship's agreement where it
    is about that. Call it before `find`, so that what is found is what the others left."""
    if session.get_bind().dialect.name == "sqlite":
        return  # SQLite has one writer
    link = {"public_id": public_id, "generation": generation}
    if await LOCK_UNLESS_AGREEMENT.one_or_none(session, link) is not None:
        return
    about = await AGREEMENT_OF_LINK.one_or_none(session, link)
    if about is not None:
        # The mentorship before the request: the same order as where a workflow's turn is written.
        await agreements.lock(session, about.cohort, about.mentorship)
        await LOCK.one_or_none(session, link)


async def keep_answer(
    session: AsyncSession,
    requested: Requested,
    submission: str,
    body: Answers,
    at: datetime,
    *,
    late: bool,
    met: bool = False,
) -> int:
    """Keep what was submitted as the next version, and drop the draft; the version. `met`: it says that people have
    met.

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
    await KEEP_ANSWER.write(session, answer)
    answered = {"request_key": requested.key, "at": at, "met": met}
    await (ANSWERED_LATE if late else ANSWERED).write(session, answered)
    if requested.draft is not None:
        await DROP_DRAFT.write(session, {"request_key": requested.key})
    return version


async def keep_draft(session: AsyncSession, request: str, typed: dict[str, list[str]], at: datetime) -> None:
    """Keep a form as far as it is filled in, in the place of an earlier draft."""
    await session.merge(DraftRow(request=request, body=dict(typed), at=at))
    await session.flush()


async def update_profile(session: AsyncSession, requested: Requested, profile: dict[str, str], zone: str) -> None:
    """Take over what somebody says about themselves: an empty value removes the field, an empty zone changes none."""
    merged = {name: value for name, value in {**requested.profile, **profile}.items() if value != ""}
    if merged == requested.profile and not zone:
        return
    await INTRODUCE.write(session, {"person_id": requested.person, "profile": merged, "zone": zone})


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
    await NOTE.write(session, {**line, "by": by, "why": why})
