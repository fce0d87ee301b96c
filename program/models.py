"""Programs and cohorts as frozen models.

A program says how mentorships of one kind run; a cohort is one launch of a program. The words and the
default numbers are those of the lifecycle; every number can be written in the program's file.
"""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from program.durations import Days, StepDate

Format = Literal["one_to_one", "reverse", "peer", "group"]
Role = Literal["mentor", "mentee", "peer"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
Id = Annotated[str, Field(pattern=ID_PATTERN)]
"""An id that coordinators choose. Ids are visible in Temporal, so they must say nothing about a person."""


class Model(BaseModel):
    """Base of everything that is read from a file: immutable, and an unknown key is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _wall_time(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError(f'{value!r} is no time of day; write it in quotes, such as "09:00"')
    return value


WallTime = Annotated[time, BeforeValidator(_wall_time)]


def _calendar_date(value: Any) -> Any:
    if isinstance(value, int | float):
        raise ValueError(f"`{value}` is no date; write year-month-day, such as 2027-03-01")
    return value


CalendarDate = Annotated[date, BeforeValidator(_calendar_date)]
"""A date; a bare number, which could be read as seconds since 1970, is none."""


class Letterbox(Model):
    """When a person's mail may arrive: wall times in the person's own zone (lifecycle 2.4)."""

    opens: WallTime = time(9, 0)
    closes: WallTime = time(18, 0)
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")


class Window(Model):
    """When a form is asked: opens at a step date; reminders and close count in days from the opening."""

    opens: StepDate
    reminders: tuple[Days, ...] = ()
    closes: Days


class Onboarding(Model):
    """Invitation, until every seat is taken (lifecycle 4, onboarding)."""

    invitation: Window = Window(opens=StepDate(anchor="start", offset=-21), reminders=(4, 9), closes=14)
    wait: Days = 7
    give_up: StepDate = StepDate(anchor="start", offset=21)


class Expectations(Model):
    """Introduction, agreement, fit check (lifecycle 4, expectations). None leaves the step out."""

    introduction: StepDate = StepDate(anchor="start")
    agreement: Window | None = Window(opens=StepDate(anchor="start"), reminders=(14, 19), closes=21)
    fit_check: Window | None = Window(opens=StepDate(anchor="start", offset=14), closes=7)
    changes_before_task: int = Field(default=3, ge=1)


class CheckIns(Model):
    """Regular check-ins (lifecycle 4, check_ins). `every`, and the distances to midpoint and end, in days."""

    every: Days = 30
    reminders: tuple[Days, ...] = (3,)
    closes: Days = 10
    clear_of_midpoint: Days = 14
    clear_of_end: Days = 14
    at_most: int | None = Field(default=None, ge=0)


class Midpoint(Model):
    """Re-evaluation half way (lifecycle 4 and 6)."""

    window: Window = Window(opens=StepDate(anchor="midpoint", offset=-7), reminders=(6, 10), closes=14)


class FollowUp(Model):
    """A last question long after the end, to those who opted in. It can't reopen a mentorship."""

    window: Window = Window(opens=StepDate(anchor="end", offset=182), closes=21)


class Closure(Model):
    """Winding down, the closure form, the farewell (lifecycle 4, closure)."""

    winding_down: tuple[StepDate, ...] = (
        StepDate(anchor="end", offset=-28),
        StepDate(anchor="end", offset=-14),
    )
    window: Window = Window(opens=StepDate(anchor="end", offset=-3), reminders=(6, 13), closes=24)
    follow_up: FollowUp | None = FollowUp()
    certificate: bool = False


class Phases(Model):
    """The phases of a program. `check_ins` or `midpoint` set to nothing (`null`) leaves them out."""

    onboarding: Onboarding = Onboarding()
    expectations: Expectations = Expectations()
    check_ins: CheckIns | None = CheckIns()
    midpoint: Midpoint | None = Midpoint()
    closure: Closure = Closure()


class Rules(Model):
    """Thresholds of the rules after a check-in (lifecycle 5) and of tasks (lifecycle 7)."""

    low_score: int = Field(default=2, ge=1, le=5)
    differ_by: int = Field(default=2, ge=1, le=4)
    silence: Days = 90
    last_call: Days = 7
    open_pause_reminder: Days = 30
    open_pause_at_most: Days = 365
    """A pause without an end that nobody has ended by then ends the mentorship as `inactive`."""
    due: dict[str, int] = {}
    """Working days until a task of this kind is due, where the program wants other than the default."""


class Rhythm(Model):
    """The default rhythm of meetings, used while a mentorship has no agreement of its own."""

    every: Days = 14
    minutes: int = Field(default=60, ge=10, le=480)


class Program(Model):
    """How mentorships of one kind run: length, steps, windows, rules, forms, wording."""

    program: Id
    title: str
    format: Format = "one_to_one"
    length: Days = 182
    letterbox: Letterbox = Letterbox()
    rhythm: Rhythm = Rhythm()
    phases: Phases = Phases()
    rules: Rules = Rules()
    forms: dict[str, Id] = {}
    """Form to use for an ask, where it is another than the form of the same name."""
    about: str = ""
    """One or two sentences for the invitation: what this program is for."""
    first_meeting: str = ""
    """Markdown: the guide to the first meeting that goes with the introduction."""
    emergency: str = ""
    """What people in danger should do; shown where concerns are raised."""
    meetings_guides: tuple[str, ...] = ()
    """Concrete ways forward offered to a pair that has not met."""

    def form_for(self, ask: str) -> str:
        """Id of the form that the ask of this name uses."""
        return self.forms.get(ask, ask)


class Person(Model):
    """Somebody who gets mail: a participant, a coordinator or a deputy."""

    id: Id
    name: str = Field(min_length=1, max_length=200)
    email: str
    zone: str = ""
    """IANA zone; empty takes the cohort's zone."""
    language: str = "en"


class Participant(Person):
    """A person who takes part. Not a role: mentor in one mentorship, mentee in another."""

    profile: dict[str, str] = {}
    """Optional fields shown to the partner: title, place, anything the coordinator has."""
    mentees_at_most: int | None = Field(default=None, ge=0)
    """Capacity as a mentor; nothing means no limit."""


class Mentorship(Model):
    """One relationship of a cohort. In `peer`, write `peers`; otherwise `mentor` and `mentee` or `mentees`."""

    key: Id
    program: Id | None = None
    mentor: Id | None = None
    mentees: tuple[Id, ...] = ()
    peers: tuple[Id, ...] = ()
    start: CalendarDate | None = None
    """A late joiner's own start; otherwise the cohort's."""

    def members(self) -> tuple[tuple[str, Role], ...]:
        """(participant id, role) in the order in which they are named everywhere: mentor first."""
        mentor: tuple[tuple[str, Role], ...] = ((self.mentor, "mentor"),) if self.mentor else ()
        mentees: tuple[tuple[str, Role], ...] = tuple((person, "mentee") for person in self.mentees)
        peers: tuple[tuple[str, Role], ...] = tuple((person, "peer") for person in self.peers)
        return mentor + mentees + peers


class Cohort(Model):
    """One launch of a program: dates, zone, holidays, coordinators, participants, mentorships."""

    cohort: Id
    title: str
    program: Id
    start: CalendarDate
    zone: str
    language: str = "en"
    holidays: tuple[CalendarDate, ...] = ()
    coordinators: tuple[Person, ...] = Field(min_length=1)
    deputies: tuple[Person, ...] = ()
    participants: tuple[Participant, ...] = ()
    mentorships: tuple[Mentorship, ...] = ()
    organisation: str = ""

    def person(self, person_id: str) -> Person | None:
        """The participant, coordinator or deputy of this id."""
        for group in (self.participants, self.coordinators, self.deputies):
            for person in group:
                if person.id == person_id:
                    return person
        return None
