"""What a rehearsal remembers: postboxes, requests, and the record of everything that happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal

from lifecycle.commands import Note, Post, StepRecord
from lifecycle.delivery.absences import Absence
from lifecycle.delivery.holds import Standstill
from lifecycle.delivery.postbox import MentorshipFacts, PersonFacts, RequestFacts
from lifecycle.findings import Signals
from lifecycle.state import State
from program.forms import Answers, Form
from program.models import Program
from rehearsal.people import ReceivedRequest, Reply


@dataclass(slots=True)
class QueuedItem:
    """An item in a simulated postbox."""

    post: Post
    queued_at: datetime
    mentorship: Running | None
    """None for what is about an application, or about the cohort's task to match."""
    state: Literal["queued", "held"] = "queued"
    message: tuple[Running, ...] | None = None
    """Of a message: the mentorships that it is about; none where it is about the whole cohort."""

    @property
    def where(self) -> str:
        """The key of its mentorship; empty for what is about the whole cohort."""
        return "" if self.message == () or self.mentorship is None else self.mentorship.state.key


@dataclass(slots=True)
class SentMail:
    """A mail that went out: to whom, when (UTC), with which items."""

    person: str
    at: datetime
    items: tuple[tuple[Post, str], ...]
    """(item, key of its mentorship)"""


@dataclass(slots=True)
class AnswerRecord:
    """An answer in the record."""

    mentorship: str
    person: str
    ask: str
    form: str
    number: int
    at: datetime
    late: bool


@dataclass(slots=True)
class TaskRecord:
    """A task in the record. Dates in the cohort's zone."""

    mentorship: str
    kind: str
    number: int
    opened: date
    due: date
    closed: date | None = None
    decision: str = ""


@dataclass(slots=True)
class Running:
    """A mentorship that runs in the rehearsal."""

    state: State
    program: Program
    forms: Mapping[str, Form]
    facts: MentorshipFacts = field(default_factory=MentorshipFacts)
    still: Standstill = field(default_factory=Standstill)
    requests: dict[str, Request] = field(default_factory=dict[str, "Request"])
    due_at: datetime | None = None
    ending: tuple[str, str, date] | None = None
    notes: list[tuple[datetime, Note]] = field(default_factory=list[tuple[datetime, Note]])
    """The record of what happened, with its moments (UTC)."""
    steps: dict[tuple[str, int], StepRecord] = field(default_factory=dict[tuple[str, int], StepRecord])

    def answers_to(self, requests: Iterable[tuple[str, str, str]]) -> dict[str, tuple[str, Answers]]:
        """Participant id to (role, answers) of everyone who has answered one of these (request key, person, role)."""
        found = ((person, role, self.requests[key].answers) for key, person, role in requests)
        return {person: (role, answers) for person, role, answers in found if answers is not None}

    def sign(self, reply: Reply, signals: Signals) -> Signals:
        """Draft, change or sign the agreement that is on the table."""
        drafted = self.state.agreement.version > self.state.agreement.base
        act = "sign" if drafted and reply.act != "change" else "change" if drafted else "draft"
        version = self.state.agreement.version
        return replace(signals, act=act, version=version if act == "sign" else version + 1)


def seats_of(running: Mapping[str, Running], person: str) -> list[Running]:
    """The mentorships that are not over and in which somebody has a seat."""
    found = [one for one in running.values() if not one.facts.over]
    seats = [(one, one.state.member(person)) for one in found]
    return [one for one, member in seats if member is not None and member.standing != "out"]


@dataclass(slots=True)
class Request:
    """A request in the rehearsal: its facts, who was asked, what was answered last."""

    facts: RequestFacts
    asked: ReceivedRequest
    step: str
    answers: Answers | None = None
    seen: bool = False


@dataclass(slots=True)
class SimulatedPostbox:
    """A person's postbox in the rehearsal."""

    person: PersonFacts
    letters: dict[str, QueuedItem] = field(default_factory=dict[str, QueuedItem])
    look_at: datetime | None = None
    refuses: bool = False
    """The address refuses mail for good, whether anybody knows it yet or not."""
    stated: dict[tuple[str, str, int], tuple[Absence, ...]] = field(
        default_factory=dict[tuple[str, str, int], tuple[Absence, ...]]
    )
    """(mentorship, form, number of the occasion) to the absences that the person stated there."""
    lost: dict[str, QueuedItem] = field(default_factory=dict[str, QueuedItem])
    """What the address did not take."""
