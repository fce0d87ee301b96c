"""What an independent count of a season starts from: its mentorships, requests and tasks, before any is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from program.forms import Question


@dataclass
class Pair:
    """A mentorship."""

    format: str
    start: date
    midpoint: date
    end: date
    every: int
    happened: set[str]
    ending: str = ""
    reason: str = ""
    on: date | None = None
    goals: int = 0
    """Of the last draft of the agreement."""

    @property
    def begun(self) -> bool:
        return "onboarded" in self.happened or self.ending.startswith(("completed", "ended_early"))


@dataclass
class Asked:
    """A request with what was answered to it last."""

    pair: str
    ask: str
    number: int
    person: str
    role: str
    gone: bool
    mails: list[datetime]
    questions: list[Question] = field(default_factory=list[Question])
    body: Mapping[str, Any] | None = None
    at: datetime | None = None

    @property
    def seat(self) -> tuple[str, str]:
        return self.pair, self.person


@dataclass
class Task:
    """Something to decide."""

    pair: str
    kind: str
    opened: date
    due: date
    closed: date | None
    decision: str


@dataclass
class Applicant:
    """Somebody who applied and confirmed it, as it was when the pairs were published."""

    role: str
    seated: bool
    answers: Mapping[str, Sequence[str]]


@dataclass
class Facts:
    """What is known of a cohort, before anything is counted."""

    as_of: date
    pairs: dict[str, Pair] = field(default_factory=dict[str, Pair])
    seats: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    """(mentorship, person, role)"""
    asked: list[Asked] = field(default_factory=list[Asked])
    tasks: list[Task] = field(default_factory=list[Task])
    mails: list[tuple[str, datetime]] = field(default_factory=list[tuple[str, datetime]])
    """(person, moment)"""
    ordinary: list[tuple[str, date]] = field(default_factory=list[tuple[str, date]])
    """(person, their date) of each mail that is neither a receipt nor urgent."""
    applied: dict[str, int | None] = field(default_factory=dict[str, int | None])
    """Who applied to the call and confirmed it, to the confidence that they named."""
    applicants: list[Applicant] = field(default_factory=list[Applicant])
    compared: dict[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """What the rules of the matching compare, to the values that the form offers; an empty one stands before them
    where only one can be chosen, for those who chose none."""
