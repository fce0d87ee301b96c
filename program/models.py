"""Programs and cohorts as frozen models.

A program says how mentorships of one kind run; a cohort is one launch of a program. The words and the
default numbers are those of the lifecycle; every number can be written in the program's file.
"""

from __future__ import annotations

from datetime import time
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from program.base import CalendarDate, Id, Model
from program.durations import Days, StepDate
from program.gathering import Apply, Wishes
from program.matching import Matching

Format = Literal["one_to_one", "reverse", "peer", "group"]
Role = Literal["mentor", "mentee", "peer"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _wall_time(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError(f'{value!r} is no time of day; write it in quotes, such as "09:00"')
    return value


WallTime = Annotated[time, BeforeValidator(_wall_time)]


class Letterbox(Model):
    """When a person's mail may arrive: wall times in the person's own zone (lifecycle 2.4)."""

    opens: WallTime = time(9, 0)
    """When mail begins to arrive; a time in quotes."""
    closes: WallTime = time(18, 0)
    """When the last mail of a day has arrived."""
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    """Days on which mail arrives, less the cohort's holidays."""


class Window(Model):
    """When a form is asked: opens at a step date; reminders and close count in days from the opening."""

    opens: StepDate
    """The date on which everybody is asked."""
    reminders: tuple[Days, ...] = ()
    """How long after the opening each reminder goes to those who have not answered; two are sent at most."""
    closes: Days
    """How long after the opening the form closes."""


class Onboarding(Model):
    """Invitation, until every seat is taken (lifecycle 4, onboarding)."""

    invitation: Window = Window(opens=StepDate(anchor="start", offset=-21), reminders=(4, 9), closes=14)
    """The invitation, to accept or decline."""
    wait: Days = 7
    """How much longer an invitation stays open when a coordinator decides to wait."""
    give_up: StepDate = StepDate(anchor="start", offset=21)
    """A seat still empty at the end of this date: the mentorship never starts."""


class Expectations(Model):
    """Introduction, agreement, fit check (lifecycle 4, expectations). None leaves the step out."""

    introduction: StepDate = StepDate(anchor="start")
    """When everybody is told who their partner is."""
    agreement: Window | None = Window(opens=StepDate(anchor="start"), reminders=(14, 19), closes=21)
    """The agreement; `null` leaves it out."""
    fit_check: Window | None = Window(opens=StepDate(anchor="start", offset=14), closes=7)
    """The question whether this is the right match; `null` leaves it out."""
    changes_before_task: int = Field(default=3, ge=1)
    """So many changes without an agreement, and a coordinator is asked to help."""


class CheckIns(Model):
    """Regular check-ins (lifecycle 4, check_ins). `every`, and the distances to midpoint and end, in days."""

    every: Days = 30
    """How far apart check-ins open, counted from the start."""
    reminders: tuple[Days, ...] = (3,)
    """How long after the opening each reminder goes out."""
    closes: Days = 10
    """How long after the opening a check-in closes."""
    clear_of_midpoint: Days = 14
    """None opens this close to the midpoint, before or after."""
    clear_of_end: Days = 14
    """None opens this close to the end."""
    at_most: int | None = Field(default=None, ge=0)
    """How many there are at most; `null` is as many as fit."""


class Midpoint(Model):
    """Re-evaluation half way (lifecycle 4 and 6)."""

    window: Window = Window(opens=StepDate(anchor="midpoint", offset=-7), reminders=(6, 10), closes=14)
    """The form half way, which each fills in alone."""


class FollowUp(Model):
    """A last question long after the end, to those who opted in. It can't reopen a mentorship."""

    window: Window = Window(opens=StepDate(anchor="end", offset=182), closes=21)
    """The question long after the end."""


class Closure(Model):
    """Winding down, the closure form, the farewell (lifecycle 4, closure)."""

    winding_down: tuple[StepDate, ...] = (
        StepDate(anchor="end", offset=-28),
        StepDate(anchor="end", offset=-14),
    )
    """The dates of the mails that the end is near."""
    window: Window = Window(opens=StepDate(anchor="end", offset=-3), reminders=(6, 13), closes=24)
    """The last form. When it is done, and not before the end, everybody gets the farewell."""
    follow_up: FollowUp | None = FollowUp()
    """A question long afterwards, to those who said yes to it; `null` leaves it out."""
    certificate: bool = False
    """Whether a certificate of participation goes with the farewell."""


class Phases(Model):
    """The phases of a program. `check_ins` or `midpoint` set to nothing (`null`) leaves them out."""

    onboarding: Onboarding = Onboarding()
    """Invitation, until every seat is taken."""
    expectations: Expectations = Expectations()
    """Introduction, agreement, fit check."""
    check_ins: CheckIns | None = CheckIns()
    """Short forms again and again; `null` leaves them out."""
    midpoint: Midpoint | None = Midpoint()
    """The look back half way; `null` leaves it out."""
    closure: Closure = Closure()
    """The end."""


class Rules(Model):
    """Thresholds of the rules after a check-in (lifecycle 5) and of tasks (lifecycle 7)."""

    low_score: int = Field(default=2, ge=1, le=5)
    """An answer of 1 to this number, of 5, about the relationship opens a task."""
    differ_by: int = Field(default=2, ge=1, le=4)
    """Two views of the same thing this far apart are shown to coordinators."""
    silence: Days = 90
    """So long without a sign of life, after two check-ins that nobody answered, and a last call goes out."""
    last_call: Days = 7
    """So much later a silent mentorship ends as inactive."""
    open_pause_reminder: Days = 30
    """How often coordinators are reminded of a pause without an end."""
    open_pause_at_most: Days = 365
    """A pause without an end that nobody has ended by then ends the mentorship as `inactive`."""
    due: dict[str, int] = {}
    """Working days until a task of this kind is due. [The kinds](#tasks)."""


class Rhythm(Model):
    """The default rhythm of meetings, used while a mentorship has no agreement of its own."""

    every: Days = 14
    """How far apart people meet."""
    minutes: int = Field(default=60, ge=10, le=480)
    """How long a meeting takes."""


class Program(Model):
    """How mentorships of one kind run: length, steps, windows, rules, forms, wording."""

    program: Id
    """The program's id: the file's name without `.yaml`."""
    title: str
    """How mails and pages call it."""
    format: Format = "one_to_one"
    """Who meets: a mentor and a mentee, the same with the senior person as mentee, two peers, or a mentor and several
    mentees."""
    length: Days = 182
    """From start to end; the midpoint lies half way."""
    letterbox: Letterbox = Letterbox()
    """When mail may arrive, on the clock of the person who gets it."""
    rhythm: Rhythm = Rhythm()
    """How often people meet as long as they have agreed on nothing else."""
    phases: Phases = Phases()
    """The steps and their dates."""
    rules: Rules = Rules()
    """Thresholds, and when tasks are due."""
    forms: dict[str, Id] = {}
    """Which form an ask uses, where it is another than the form of the same name."""
    about: str = ""
    """One or two sentences for the invitation: what this program is for."""
    first_meeting: str = ""
    """Markdown: the guide to the first meeting that goes with the introduction."""
    emergency: str = ""
    """What people in danger should do; shown where concerns are raised."""
    meetings_guides: tuple[str, ...] = ()
    """Concrete ways forward offered to a pair that has not met."""
    matching: Matching | None = Field(default=None, exclude=True)
    """Who can meet whom, and what makes a pair good. Only read before a launch, so it is not frozen with the rest."""

    def form_for(self, ask: str) -> str:
        """Id of the form that the ask of this name uses."""
        return self.forms.get(ask, ask)


class Person(Model):
    """Somebody who gets mail: a participant, a coordinator or a deputy."""

    id: Id
    """Stable, visible to operators: never a name. Such as `p01`."""
    name: str = Field(min_length=1, max_length=200)
    """As mails call the person."""
    email: str
    """One address belongs to one person."""
    zone: str = ""
    """IANA zone such as `Asia/Kolkata`; empty takes the cohort's."""
    language: str = "en"
    """Code such as `de` or `pt-BR`; where it is left out, the cohort's."""


class Participant(Person):
    """A person who takes part. Not a role: mentor in one mentorship, mentee in another."""

    profile: dict[str, str] = {}
    """Anything that the partner may see before the first meeting: name of the field to its text. `called` is the name
    for greetings."""
    mentees_at_most: int | None = Field(default=None, ge=0)
    """How many mentees this person takes as a mentor; nothing means no limit."""


class Mentorship(Model):
    """One relationship of a cohort. In `peer`, write `peers`; otherwise `mentor` and `mentee` or `mentees`."""

    key: Id
    """Id of the mentorship within its cohort; it stays the same."""
    program: Id | None = None
    """Its program, where it is another than the cohort's."""
    mentor: Id | None = None
    """Id of the mentor."""
    mentees: tuple[Id, ...] = ()
    """Ids of the mentees. For a single one write `mentee: p02`."""
    peers: tuple[Id, ...] = ()
    """In a program of peers: both ids, and no mentor or mentee."""
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
    """Id of this launch; use the file's name."""
    title: str
    """How mails and pages call it."""
    program: Id
    """Id of the program that it follows."""
    start: CalendarDate
    """The first day."""
    zone: str
    """The coordinators' zone: what `today` means in commands, and whose days count for tasks."""
    language: str = "en"
    """Of those who have no other."""
    holidays: tuple[CalendarDate, ...] = ()
    """Days without mail."""
    coordinators: tuple[Person, ...] = Field(min_length=1)
    """Who decides, and hears of every task."""
    deputies: tuple[Person, ...] = ()
    """Who hears of a decision that was not taken two working days after it was due."""
    readers: tuple[Person, ...] = ()
    """Who may see how the cohort stands, its numbers and reports on the coordinators' pages, but no answer."""
    participants: tuple[Participant, ...] = ()
    """Everybody who takes part; a person is listed once, whatever they are in their mentorships."""
    mentorships: tuple[Mentorship, ...] = ()
    """Who meets whom."""
    organisation: str = ""
    """Who runs it; stands in the footer of every mail."""
    apply: Apply | None = None
    """The open call: people apply on a page, and their pairs are found by matching."""
    wishes: Wishes | None = None
    """After the close of the call: applicants say whom they would like to meet."""

    def person(self, person_id: str) -> Person | None:
        """The participant, coordinator, deputy or reader of this id."""
        for group in (self.participants, self.coordinators, self.deputies, self.readers):
            for person in group:
                if person.id == person_id:
                    return person
        return None
