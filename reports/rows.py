"""The rows that figures are counted from: ids, dates and answers of one cohort, without a name or an address.

Everything is as of one moment. The store and the rehearsal both make these rows, so both can be reported on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from program.forms import Answers, Form
from program.models import Program

COMPLETED = ("completed", "completed_partial", "completed_silent")
"""Endings of a mentorship that came to its planned end."""
CADENCES = {"weekly": 7, "every_2_weeks": 14, "every_3_weeks": 21, "monthly": 30, "every_6_weeks": 42}
"""Answer to `a_cadence` of the agreement to days; any other leaves the rhythm of the program."""


def rhythm_days(program: Program, cadence: str) -> int:
    """How far apart people meet who answered this to `a_cadence`, in days."""
    return max(CADENCES.get(cadence, program.rhythm.every), 1)


@dataclass(frozen=True, slots=True)
class MentorshipFacts:
    """One mentorship. Dates are calendar dates."""

    key: str
    program: str
    """Title of its program."""
    format: str
    start: date
    midpoint: date
    end: date
    rhythm_days: int
    """How far apart the two agreed to meet, in days; without an agreement, as the program says."""
    onboarded: bool = False
    """Everybody had accepted."""
    agreed: bool = False
    """An agreement was concluded."""
    ending: str = ""
    """How it ended, in the words of the lifecycle; empty while it goes on."""
    reason: str = ""
    """With an early end: why."""
    ended_on: date | None = None
    goals: int = 0
    """How many goals the last version of its agreement names."""


@dataclass(frozen=True, slots=True)
class SeatFacts:
    """A person's place in one mentorship."""

    mentorship: str
    person: str
    role: str


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """One form for one person on one occasion."""

    key: str
    mentorship: str
    ask: str
    number: int
    person: str
    role: str
    first_mail: datetime | None = None
    """When the first mail that carried it went out (UTC)."""
    mails: int = 0
    """How many mails carried it: the first, and reminders."""
    withdrawn: bool = False
    """Taken back before it was answered."""
    closed: bool = True
    """Its window is over: no answer changes any more."""


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """The last version of an answer. `at` is an instant (UTC): when it was first given."""

    request: str
    form: Form
    format: str
    early: bool
    body: Answers
    at: datetime
    reminded: int = 0
    """How many mails had carried the request by then."""


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """Something that a coordinator had to decide. Dates of the cohort's zone."""

    key: str
    mentorship: str
    kind: str
    opened: date
    due: date
    closed: date | None
    decision: str


@dataclass(frozen=True, slots=True)
class ApplicantFacts:
    """Somebody whose application counts, at the moment at which it is counted."""

    role: str
    """mentee, mentor, both or peer"""
    seated: bool
    answers: Mapping[str, Any]
    """Question to answer, as it is stored."""


@dataclass(frozen=True, slots=True)
class Part:
    """Those who gave one answer: how many got a seat, and how many got none. `value` is empty for those who gave none
    of the answers to choose from."""

    value: str
    label: str
    placed: int
    others: int


@dataclass(frozen=True, slots=True)
class Attribute:
    """An answer by which people are compared. `several`: somebody can be in more than one part."""

    field: str
    title: str
    mark: str
    """Stands for the wording of its question."""
    several: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Lot:
    """Those who applied as `mentee`, `mentor` or `peer`; who would be both counts as a mentee."""

    role: str
    placed: int
    others: int
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class ApplicationFacts:
    """Somebody who applied and confirmed it. `confidence` is 0 to 10, asked before anything began; None: not said."""

    person: str
    confidence: int | None = None


@dataclass(frozen=True, slots=True)
class MailFacts:
    """The mails that went out to one person."""

    person: str
    number: int
    first: datetime
    """When the first of them went out (UTC)."""
    beyond: int = 0
    """How many were ordinary, and not the first ordinary one of their day (the local date of the person)."""


@dataclass(frozen=True, slots=True)
class Season:
    """The rows of one cohort as of the end of a day."""

    cohort: str
    title: str
    organisation: str
    programs: tuple[str, ...]
    """Titles of its programs."""
    start: date
    as_of: date
    state: str
    """running, cancelled or over."""
    mentorships: tuple[MentorshipFacts, ...] = ()
    seats: tuple[SeatFacts, ...] = ()
    requests: tuple[RequestFacts, ...] = ()
    answers: tuple[AnswerFacts, ...] = ()
    tasks: tuple[TaskFacts, ...] = ()
    mails: tuple[MailFacts, ...] = ()
    applications: tuple[ApplicationFacts, ...] = ()
    """Of an open call; none where people were named in the cohort's file."""
    applied: tuple[Lot, ...] = ()
    """How many of those who applied got a seat: as it was when the pairs were published, before that as it stands."""
    published: bool = False
    """Whether the pairs of the call are published: from then on `applied` stays as it is."""

    @property
    def over(self) -> bool:
        """Whether every mentorship has ended."""
        return all(mentorship.ending for mentorship in self.mentorships)

    def only(self, *, program: str = "", format_: str = "") -> Season:
        """The rows of the mentorships of one program (its title) or format; all rows where neither is named."""
        if not program and not format_:
            return self
        kept = tuple(
            mentorship
            for mentorship in self.mentorships
            if program in ("", mentorship.program) and format_ in ("", mentorship.format)
        )
        keys = {mentorship.key for mentorship in kept}
        requests = tuple(request for request in self.requests if request.mentorship in keys)
        asked = {request.key for request in requests}
        seats = tuple(seat for seat in self.seats if seat.mentorship in keys)
        people = {seat.person for seat in seats}
        return replace(
            self,
            mentorships=kept,
            seats=seats,
            requests=requests,
            answers=tuple(answer for answer in self.answers if answer.request in asked),
            tasks=tuple(task for task in self.tasks if task.mentorship in keys),
            mails=tuple(mail for mail in self.mails if mail.person in people),
            applications=tuple(each for each in self.applications if each.person in people),
            applied=(),
        )


class Index:
    """The rows of a season, joined once: answers by ask and role."""

    def __init__(self, season: Season) -> None:
        self.season = season
        self.roles = [
            role for role in ("mentee", "mentor", "peer") if any(seat.role == role for seat in season.seats)
        ]
        self.seats = {role: [seat for seat in season.seats if seat.role == role] for role in self.roles}
        self._answers = {answer.request: answer for answer in season.answers}
        self._asked: dict[str, list[RequestFacts]] = {}
        self._asked_of: dict[tuple[str, str], list[tuple[RequestFacts, AnswerFacts | None]]] = {}
        for request in season.requests:
            self._asked.setdefault(request.ask, []).append(request)
            answer = self._answers.get(request.key)
            if answer is not None or not request.withdrawn:
                self._asked_of.setdefault((request.ask, request.role), []).append((request, answer))
        self._by_seat: dict[tuple[str, str, int], Mapping[SeatFacts, AnswerFacts | None]] = {}

    def numbers(self, ask: str) -> list[int]:
        """The numbers under which this was asked."""
        return sorted({request.number for request in self._asked.get(ask, ())})

    def asked(self, ask: str, role: str, number: int = 0) -> Iterator[tuple[RequestFacts, AnswerFacts | None]]:
        """The requests of an ask (of all numbers, or one) to a role, with their answers; withdrawn ones count only
        where they were answered."""
        for request, answer in self._asked_of.get((ask, role), ()):
            if number in (0, request.number):
                yield request, answer

    def by_seat(self, ask: str, role: str, number: int = 0) -> Mapping[SeatFacts, AnswerFacts | None]:
        """Seat to its last answer to this ask, or None where it was asked and is silent."""
        found = self._by_seat.get((ask, role, number))
        if found is None:
            found = self._by_seat[ask, role, number] = self._of_seats(ask, role, number)
        return found

    def _of_seats(self, ask: str, role: str, number: int) -> dict[SeatFacts, AnswerFacts | None]:
        found: dict[SeatFacts, AnswerFacts | None] = {}
        for request, answer in self.asked(ask, role, number):
            seat = SeatFacts(request.mentorship, request.person, role)
            before = found.get(seat)
            if answer is None or (before is not None and before.at > answer.at):
                found.setdefault(seat, None)
            else:
                found[seat] = answer
        return found

    def settled(self, ask: str, number: int) -> bool:
        """Whether this was asked in every mentorship that goes on, and no answer to it can change any more."""
        asked = [request for request in self._asked.get(ask, ()) if number in (0, request.number)]
        within = {request.mentorship for request in asked}
        goes_on = {one.key for one in self.season.mentorships if not one.ending}
        # After the end of a mentorship only the follow-up takes answers.
        still = goes_on if ask != "follow_up" else within
        return goes_on <= within and all(request.closed for request in asked if request.mentorship in still)
