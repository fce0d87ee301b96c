"""Takes what a participant submits: an answer is committed before anything else, together with the row that tells
the workflow of it, and is never lost whatever Temporal does. Nobody waits for the workflow: the caller hands the
row over (`relay.hand_over`) when the page is out.

The page shows an outcome; it decides nothing. No name and no answer stands in an event, a log or an exception.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle import request_access
from lifecycle.assessment import ABSENCES, absences, signals, tells_of_meeting
from lifecycle.events import Answered
from lifecycle.findings import AgreementAct, Signals
from lifecycle.request_access import Access
from mail.form_text import worded
from operations.forms import agreements
from operations.forms.fill_in import words_for
from operations.forms.parse import FieldFault, Typed, read
from operations.submissions import submission_id
from operations.transactions import in_one
from program.forms import Answers
from program.goals import with_ids, without_ids
from program.limits import DRAFT_CHARACTERS, DRAFT_VALUES
from program.text import clean
from runtime import outbox_relay
from store import workflow_outbox
from store.database import Database
from store.forms import requests
from store.forms.requests import Requested
from store.people import absences as stated_absences
from store.people import correct
from store.people.absences import AbsenceForm
from store.people.correct import CorrectionOrder
from store.workflow_outbox import OutboxEvent

PROFILE = {
    "i_goals": "goals",
    "i_offer": "offer",
    "i_language": "languages",
    "i_availability": "availability",
    "i_easier": "easier",
}
"""Questions of the invitation to the fields of a participant's profile."""
ZONE = "i_zone"

_ANSWERED = TypeAdapter(Answered)


@dataclass(frozen=True, slots=True)
class Saved:
    """The answer is in. `repeated`: it was in before, and nothing has changed."""

    version: int
    late: bool = False
    repeated: bool = False
    to_tell: tuple[str, str] = field(default=("", ""), compare=False, repr=False)
    """(cohort, mentorship) whose workflow has something to be told."""
    only: OutboxEvent | None = field(default=None, compare=False, repr=False)
    """What it has to be told, where that is all that waits for it."""


@dataclass(frozen=True, slots=True)
class Faulty:
    """Something must be fixed first; nothing was kept."""

    faults: tuple[FieldFault, ...]


@dataclass(frozen=True, slots=True)
class Differs:
    """Another content came under a submission that is kept already: nothing was kept, and the person is asked."""


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Agreement: the document has changed since the version that the person had seen. Nothing was kept."""

    seen: int


@dataclass(frozen=True, slots=True)
class Shut:
    """The link takes no answers any more."""

    access: Access


@dataclass(frozen=True, slots=True)
class UnknownRequest:
    """No such request, or the link was revoked."""


SubmitResult = Saved | Faulty | Differs | Overtaken | Shut | UnknownRequest


def access_of(requested: Requested, now: datetime) -> Access:
    """What the link of this request lets its holder do at this moment (UTC, program time)."""
    if requested.standing == "left" or requested.is_out:
        return "withdrawn"
    return request_access.access_of(
        requested.ask,
        requested.state,
        requested.closes_at,
        now,
        paused=requested.paused,
        over=requested.mentorship_state == "over",
    )


async def submit(
    database: Database, public_id: str, generation: int, submission: str, typed: Typed, now: datetime
) -> SubmitResult:
    """Keep what somebody submitted. `typed` are the fields as the browser sent them.

    The same submission twice is one answer. Raises SQLAlchemyError where the database can't be reached.
    """
    submission = submission_id(submission, public_id, sorted(typed.items()))
    return await in_one(database, lambda session: _commit(session, public_id, generation, submission, typed, now))


async def save_draft(
    database: Database, public_id: str, generation: int, typed: Typed, now: datetime
) -> SubmitResult:
    """Keep a form as it is, half filled in, for the same link to go on with. Nothing is checked, nobody is told."""
    async with database.begin() as session:
        await requests.lock(session, public_id, generation)
        requested = await requests.find(session, public_id, generation)
        if requested is None:
            return UnknownRequest()
        access = access_of(requested, now)
        if access not in ("open", "late"):
            return Shut(access)
        fields = {question.id for question in requested.questions}
        kept = {
            name: [clean(value)[:DRAFT_CHARACTERS] for value in values[:DRAFT_VALUES]]
            for name, values in typed.items()
            if name.partition(".")[0] in fields or name in fields
        }
        await requests.keep_draft(session, requested.key, kept, now)
    return Saved(requested.answer.version if requested.answer else 0)


async def _commit(
    session: AsyncSession, public_id: str, generation: int, submission: str, typed: Typed, now: datetime
) -> SubmitResult:
    await requests.lock(session, public_id, generation)
    requested = await requests.find(session, public_id, generation, to_show=False, submission=submission)
    if requested is None:
        return UnknownRequest()
    to_tell = (requested.cohort, requested.mentorship)
    questions = worded(requested.questions, words_for(requested))
    act = agreements.act_of(requested, typed) if requested.ask == "agreement" else ""
    if act == "sign":
        questions = tuple(question for question in questions if question.type == "sign")
    reading = read(questions, typed, requested.goal_titles)
    earlier = await requests.answer_of(session, submission) if requested.repeats else None
    if earlier is not None and earlier[0] != requested.key:
        # It was minted with the page of another form, and that one has it by now.
        other = submission_id("", submission, public_id)
        again = await requests.answer_of(session, other)
        if again is not None or requested.answer is None:
            submission, earlier = other, again
    if earlier is not None and requested.answer is not None:
        same = earlier[0] == requested.key and without_ids(earlier[1]) == without_ids(reading.answers)
        if not same or reading.faults:
            return Differs()
        return Saved(requested.answer.version, requested.answer.late, repeated=True, to_tell=to_tell)
    access = access_of(requested, now)
    if access not in ("open", "late"):
        return Shut(access)
    if access == "late":
        act = ""  # what comes after the close is kept, and makes no version and no signature
    if act and not agreements.may(requested, act):
        return Shut("superseded")
    if act and agreements.seen_version(typed) != agreements.on_the_table(requested):
        return Overtaken(agreements.seen_version(typed))
    faults = _faults_that_count(requested, reading.answers, reading.faults)
    if faults:
        return Faulty(faults)
    findings = signals(requested.ask, reading.answers, requested.program.rules)
    if requested.ask == "invitation":
        findings = await _introduce(session, requested, submission, reading.answers, findings, now)
    if act and act != "sign":
        reading.answers = with_ids(reading.answers, [each.body for each in requested.versions])
    if act:
        version = await agreements.act(session, requested, reading.answers, act, now)
        findings = replace(findings, act=act, version=version)
    late = access == "late"
    met = tells_of_meeting(requested.ask, reading.answers)
    version = await requests.keep_answer(session, requested, submission, reading.answers, now, late=late, met=met)
    if _states_absences(requested, act):
        await _keep_absences(session, requested, reading.answers, now)
    event = Answered(submission, requested.person, requested.ask, requested.number, findings, now)
    payload = _ANSWERED.dump_python(event, mode="json")
    row = OutboxEvent(submission, requested.cohort, requested.mentorship, "Answered", payload)
    alone = await workflow_outbox.put(session, row, now + outbox_relay.GRACE)
    runs = requested.mentorship_state == "running"
    return Saved(version, late, to_tell=to_tell, only=row if alone and runs else None)


def _faults_that_count(requested: Requested, answers: Answers, faults: list[FieldFault]) -> tuple[FieldFault, ...]:
    # A person who declines need not fill in the rest.
    if requested.ask == "invitation" and answers.get("accept") is False:
        return ()
    return tuple(faults)


def _states_absences(requested: Requested, act: AgreementAct) -> bool:
    """Whether the form asks when somebody is away. Of an agreement, those of the author of the version count."""
    if requested.ask == "agreement" and act not in ("draft", "change"):
        return False
    return any(question.id in ABSENCES for question in requested.questions)


async def _keep_absences(session: AsyncSession, requested: Requested, answers: Answers, now: datetime) -> None:
    found = absences(answers)
    cohort, mentorship, person = requested.cohort, requested.mentorship, requested.person
    form = AbsenceForm(person, cohort, mentorship, requested.ask, requested.number)
    if await stated_absences.state(session, form, found, now):
        days = ", ".join(f"{first}/{last}" for first, last in found)
        name = "absence_stated" if found else "absence_taken_back"
        await requests.note(session, cohort, mentorship, now, name, person, days)


async def _introduce(
    session: AsyncSession, requested: Requested, submission: str, answers: Answers, findings: Signals, now: datetime
) -> Signals:
    """What an accepted invitation says about the person goes into their profile; a new zone moves their dates."""
    if answers.get("accept") is not True:
        return findings
    profile = {name: str(answers.get(question, "")) for question, name in PROFILE.items()}
    shown = {question.id for question in requested.questions}
    profile = {name: profile[name] for question, name in PROFILE.items() if question in shown}
    zone = answers.get(ZONE)
    moved = zone if isinstance(zone, str) and zone != requested.zone else ""
    await requests.update_profile(session, requested, profile, moved)
    if not moved:
        return findings
    order = CorrectionOrder(f"moved/{submission}", requested.person, "", now, now + outbox_relay.GRACE)
    await correct.move(session, requested.person, order, (requested.cohort, requested.mentorship))
    return replace(findings, zone=moved)
