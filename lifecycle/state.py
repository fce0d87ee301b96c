"""The state of one mentorship: what a workflow remembers for a year, so it is small and holds ids only.

New fields must have a default: states of running mentorships are read back by newer code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from lifecycle import keys
from lifecycle.local_time import begins_for, ended_for
from program.models import Format, Program, Role

SCHEMA = 2
"""The rules by which a mentorship lives that begins now. One that runs keeps those with which its workflow run began,
for its history must replay; it takes over the newest where it continues as new.

2: each safety report is a task of its own; the last call bears the date of its step, and its days count from there; a
pause brings the winding down again; M counts as ahead in a pause without end; a late answer breaks a silence; the
snapshot says when the last sign of life was.
"""

Phase = Literal["onboarding", "expectations", "check_ins", "midpoint", "closure", "closed"]
Verb = Literal["ask", "tell"]
StepState = Literal["planned", "open", "settled", "skipped"]
Standing = Literal["invited", "accepted", "declined", "silent", "out"]


@dataclass(slots=True)
class Member:
    """A seat: a participant in a role. `out` means left, removed or replaced."""

    person: str
    role: Role
    zone: str
    standing: Standing = "invited"


@dataclass(slots=True)
class Step:
    """One step of the plan. Dates are calendar dates; `settled` is the date in the cohort's zone."""

    name: str
    phase: Phase
    number: int
    verb: Verb
    opens: date
    reminders: tuple[date, ...] = ()
    closes: date | None = None
    state: StepState = "planned"
    asked: list[str] = field(default_factory=lambda: [])
    answered: list[str] = field(default_factory=lambda: [])
    reminded: int = 0
    """How many reminder dates have been dealt with."""
    settled: date | None = None
    early: bool = False
    """Closure in its early wording."""
    assessing: bool = False
    """Settled, and its answers are being read."""
    assessed_at: datetime | None = None
    """The instant (UTC) up to which answers counted; None before, and where it is not known any more."""


@dataclass(slots=True)
class Agreement:
    """The document of the expectations phase: which version lies on the table, and who has signed it."""

    version: int = 0
    signed: list[str] = field(default_factory=lambda: [])
    turns: dict[str, int] = field(default_factory=lambda: {})
    """Whose turn it is: person to the number of their open request."""
    base: int = 0
    """The version that lay on the table when the agreement was last opened."""
    changes: int = 0
    """Changes to the first draft since the agreement was last opened."""
    handed_on: bool = False
    """Whether those whose turn it is have been asked about the version on the table."""
    concluded: int = 0
    """The version in force; 0 means none."""


@dataclass(slots=True)
class Task:
    """An open task; what was decided of closed ones is in the record."""

    key: str
    kind: str
    number: int
    opened: date
    due: date
    repeated: bool = False
    escalated: bool = False
    about: list[str] = field(default_factory=lambda: [])


@dataclass(slots=True)
class PauseSpan:
    """A pause: from `on`, for `days` days. An open one has no `until` and 0 days until it ends."""

    on: date
    days: int
    until: date | None = None
    remind_on: date | None = None
    """Open pause: when its coordinators are reminded of it next."""
    started: bool = False
    """The mentorship had begun before: its first day stays where it was."""


@dataclass(slots=True)
class PlannedPause:
    """A pause that begins later. One without end has no `until`."""

    on: date
    until: date | None = None

    @property
    def words(self) -> str:
        """Both dates, as ISO 8601 writes an interval; `open` where there is no end."""
        return f"{self.on}/{self.until or 'open'}"

    @classmethod
    def of(cls, words: str) -> PlannedPause:
        """The pause that such words say."""
        on, _, until = words.partition("/")
        return cls(date.fromisoformat(on), None if until == "open" else date.fromisoformat(until))


@dataclass(slots=True)
class State:
    """One mentorship. `zone` is the cohort's; `raw_*` are the dates before any pause was added."""

    cohort: str
    key: str
    program: Program
    zone: str
    launched_on: date
    raw_start: date
    raw_midpoint: date
    raw_end: date
    members: list[Member]
    coordinators: list[str]
    deputies: list[str] = field(default_factory=lambda: [])
    holidays: tuple[date, ...] = ()
    schema: int = SCHEMA

    phase: Phase = "onboarding"
    steps: list[Step] = field(default_factory=lambda: [])
    pauses: list[PauseSpan] = field(default_factory=lambda: [])
    paused: bool = False
    held: bool = False
    onboarded: bool = False
    seat_wait_until: date | None = None
    agreement: Agreement = field(default_factory=Agreement)
    tasks: dict[str, Task] = field(default_factory=lambda: {})
    """Open tasks by kind; further ones of a kind by kind and number."""
    counts: dict[str, int] = field(default_factory=lambda: {})
    """How often something with a running number has happened (tasks by kind, notices by name)."""
    no_meeting_before: bool = False
    silent_before: bool = False
    last_life: datetime | None = None
    """The last sign of life from anyone."""
    silence_armed: bool = False
    """An N3 has happened: the silence clock runs."""
    silence_told: date | None = None
    early: bool = False
    """Ending before the planned end."""
    spared: list[str] = field(default_factory=lambda: [])
    """Ids of those who get no closure form after an early end."""
    ending: str = ""
    reason: str = ""
    ready_to_close: bool = False
    """The closure ask has settled and been assessed; the end date may still be ahead."""
    closed: bool = False
    follow_up: list[str] = field(default_factory=lambda: [])
    seen: list[str] = field(default_factory=lambda: [])
    """Ids of the last events, so that a repeated event changes nothing."""
    turn: int = 0
    changes: int = 0
    """How many changes and decisions have been made: what a later change may be `based_on`."""
    last_change: str = ""
    """The last of them in words without names: what, when, and the id of who."""
    end_proposed: dict[str, str] = field(default_factory=lambda: {})
    """Participant id to the reason with which they have proposed to end, until a coordinator has decided about it."""
    end_task: str = ""
    """Key of the task that is about nothing but such a proposal."""
    version: str = ""
    """The hash of the version of the program that was taken up on the way; empty where it is the first one still."""
    wound_down_for: date | None = None
    """E as it was when people were last told that it draws near."""
    checked_in: int = 0
    """The number of the check-in that was assessed last; 0 where none was."""
    check_ins_before: int = 0
    """The number of the last check-in that was asked by an earlier version."""
    check_ins_from: date | None = None
    """Since another version holds: no check-in of it opens before this date, which has no pause in it."""
    pause_ahead: PlannedPause | None = None
    """The pause that begins later; there is one at most."""

    # -- who ---------------------------------------------------------------------------------------------------

    @property
    def format(self) -> Format:
        """The mentorship's format."""
        return self.program.format

    def member(self, person: str) -> Member | None:
        """The seat of this participant, taken or left."""
        for member in self.members:
            if member.person == person:
                return member
        return None

    def seats(self) -> list[Member]:
        """Everyone who has or is offered a seat."""
        return [member for member in self.members if member.standing != "out"]

    def active(self) -> list[str]:
        """Ids of those who take part now."""
        return [member.person for member in self.members if member.standing == "accepted"]

    def complete(self, *standings: Standing) -> bool:
        """Whether those who take part can have a mentorship: two of them, and not all on one side.

        With `standings`, whether those who stand so could have one.
        """
        roles = [member.role for member in self.members if member.standing in (standings or ("accepted",))]
        return len(roles) >= 2 if self.format == "peer" else "mentor" in roles and "mentee" in roles

    @property
    def running(self) -> bool:
        """Whether the mentorship has begun, and with it everything that comes after the onboarding."""
        return self.phase not in ("onboarding", "closed")

    def zones(self) -> tuple[str, ...]:
        """The zones that decide when a date begins and has ended for this mentorship: one for each seat, so some may
        be the same."""
        return tuple([member.zone for member in self.members if member.standing != "out"]) or (self.zone,)

    # -- when --------------------------------------------------------------------------------------------------

    def moved(self, raw: date, pauses: list[PauseSpan] | None = None) -> date:
        """A planned date with all pauses added, or with these."""
        for pause in self.pauses if pauses is None else pauses:
            if raw >= pause.on:
                raw += timedelta(days=pause.days)
        return raw

    def unmoved(self, on: date) -> date:
        """The date, before any pause was added, that has become this one."""
        for pause in reversed(self.pauses):
            if on >= pause.on:
                on = max(pause.on, on - timedelta(days=pause.days))
        return on

    def postponed(self, on: date, since: date) -> date:
        """A date that counts from `since`, with the pauses in between added."""
        for pause in self.pauses:
            over = pause.on + timedelta(days=pause.days)
            if over > since and pause.on <= on:
                on += over - max(since, pause.on)
        return on

    @property
    def start(self) -> date:
        """S: the first day."""
        return self.moved(self.raw_start, [pause for pause in self.pauses if not pause.started])

    @property
    def midpoint(self) -> date:
        """M: half way."""
        return self.moved(self.raw_midpoint)

    @property
    def end(self) -> date:
        """E: the last date of the mentorship proper."""
        return self.moved(self.raw_end)

    @property
    def pause(self) -> PauseSpan | None:
        """The pause that is running now."""
        return self.pauses[-1] if self.paused else None

    @property
    def paused_until(self) -> str:
        """ISO date on which the pause that is running ends, `open` where it has no end, or empty."""
        pause = self.pause
        return "" if pause is None else pause.until.isoformat() if pause.until else "open"

    def reached(self, today: date) -> date:
        """The date that the plan has reached: today, or the first day of the pause that is running. What has not
        happened before a pause is ahead all through it, also where its end is open and nothing has moved yet."""
        return self.pause.on if self.pause else today

    @property
    def end_decided(self) -> bool:
        """Whether an end has been decided: the mentorship ends early, or is over."""
        return self.early or self.closed

    def begins(self, on: date) -> datetime:
        """The instant (UTC) at which a date begins for this mentorship."""
        return begins_for(on, self.zones())

    def ended(self, on: date) -> datetime:
        """The instant (UTC) at which a date has ended for this mentorship."""
        return ended_for(on, self.zones())

    # -- what --------------------------------------------------------------------------------------------------

    def step(self, name: str, number: int) -> Step | None:
        """The step of this name and number."""
        for step in self.steps:
            if step.name == name and step.number == number:
                return step
        return None

    def last_number(self, name: str) -> int:
        """The highest number of a step of this name; 0 where there is none."""
        return max((step.number for step in self.steps if step.name == name), default=0)

    def open_asks(self) -> list[Step]:
        """Steps whose form is being asked now."""
        return [step for step in self.steps if step.state == "open" and step.verb == "ask"]

    @property
    def agreement_open(self) -> int:
        """The number of the agreement step that is open; 0 where none is."""
        for step in self.open_asks():
            if step.name == "agreement":
                return step.number
        return 0

    def request(self, step: Step, person: str, number: int | None = None) -> str:
        """Key of a person's request of this step; agreement: the request with this number (a version).

        An agreement that opens again may ask for a version that was asked for before and never written, so each
        opening has keys of its own.
        """
        name = step.name
        if name == "agreement" and step.number > 1:
            name = f"agreement.{step.number}"
        return keys.request_key(self.cohort, self.key, name, step.number if number is None else number, person)

    @property
    def finished(self) -> bool:
        """Whether nothing at all is left to do: closed, follow-up done, nobody waits for a coordinator."""
        return (
            self.closed
            and not self.tasks
            and not any(step.state in ("planned", "open") or step.assessing for step in self.steps)
        )
