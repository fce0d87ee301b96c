"""Plays one mentorship over virtual time and keeps what happened, in words that tests can read.

People answer contentedly a day after they are asked, unless the script says otherwise; answers are read by
`lifecycle.rules`, as in production. Days are told as in the lifecycle: `S+14`, for the cohort's zone.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from lifecycle import assessment
from lifecycle.advance import advance, begin, next_moment
from lifecycle.batch import batch
from lifecycle.commands import Batch, Note, OpenRequest, Post, Refuse
from lifecycle.events import Answered, Assessed, Decided, Event
from lifecycle.findings import Signals
from lifecycle.local_time import instant, local_date
from lifecycle.state import SCHEMA, Member, State, Step
from program.models import Program, Role

START = date(2027, 1, 18)
"""S of every season: a Monday."""
LAUNCH = START - timedelta(days=30)
NOON = time(12)

PAIR: dict[str, Role] = {"mia": "mentor", "ned": "mentee"}
PEERS: dict[str, Role] = {"pia": "peer", "pat": "peer"}
GROUP: dict[str, Role] = {"mia": "mentor", "ned": "mentee", "noa": "mentee", "nia": "mentee"}
PEOPLE: dict[str, dict[str, Role]] = {"one_to_one": PAIR, "reverse": PAIR, "peer": PEERS, "group": GROUP}

CONTENTED: dict[str, dict[str, Any]] = {
    "invitation": {"accept": True},
    "fit_check": {"f_contact": "met", "f_fit": 5, "f_action": "fine"},
    "check_in": {"p_met": "2", "p_next": True, "p_useful": 5, "p_open": 5, "p_help": "no"},
    "midpoint": {"r_decide": "continue", "r_share": True, "p_help": "no"},
    "closure": {"c_contact": "regularly", "c_follow": True, "c_give": "later", "p_help": "no"},
    "follow_up": {},
    "are_you_there": {"state": "fine"},
}
"""What a contented person answers, as far as the rules read it."""


@dataclass(frozen=True)
class Reply:
    """What somebody does about a request: `after` so many days, at noon; agreement: `act` instead of answers."""

    answers: Mapping[str, Any] = field(default_factory=dict[str, Any])
    after: int = 1
    act: str = ""


SILENCE = Reply(after=-1)


@dataclass(frozen=True)
class ToldItem:
    """An item that went into a postbox, on this day after S."""

    day: int
    person: str
    kind: str
    name: str
    number: int
    post: Post


@dataclass
class TaskLine:
    """A task from its opening to its close; days after S."""

    kind: str
    key: str
    opened: int
    due: int
    reason: str
    about: tuple[str, ...]
    closed: int | None = None
    decision: str = ""


class OneMentorship:
    """One mentorship, its script, and the record of what happened."""

    def __init__(
        self,
        program: Program,
        people: Mapping[str, Role] | None = None,
        *,
        start: date = START,
        launch: date = LAUNCH,
        zone: str = "Europe/Berlin",
        zones: Mapping[str, str] | None = None,
        holidays: Iterable[date] = (),
        deputies: Iterable[str] = ("dora",),
        schema: int = SCHEMA,
    ) -> None:
        people = people or PEOPLE[program.format]
        zones = zones or {}
        self.start, self.zone = start, zone
        members = [Member(person, role, zones.get(person, zone)) for person, role in people.items()]
        self.state: State = begin(
            program, "c", "m", start, zone, launch, members, ["cora"], list(deputies), tuple(holidays), schema
        )
        self.now = instant(launch, time(0), zone)
        self.queue: list[tuple[datetime, int, Callable[[], Event]]] = []
        self.replies: dict[tuple[str, str], Reply] = {}
        self.decisions: dict[str, list[tuple[str, int, dict[str, Any]]]] = defaultdict(list)
        self.given: dict[str, tuple[datetime, dict[str, Any]]] = {}
        self.outage: tuple[datetime, datetime] | None = None
        self.batches: list[Batch] = []
        self.queued_at: dict[str, datetime] = {}
        """Key of an item to the instant (UTC) at which it was put into the postbox."""
        self.items: list[ToldItem] = []
        self.tasks: list[TaskLine] = []
        self.notes: list[tuple[int, Note]] = []
        self.requests: dict[str, OpenRequest] = {}
        self.refused: list[str] = []
        self.ending: tuple[str, str, int] | None = None
        self.ticket = 0
        self.last_call_on = start
        """The date from which the days after the last call count."""
        self.assess_before = True
        """Whether the check-in before is read once more, as older workers did not."""
        self.open_decisions: dict[str, tuple[str, ...]] = {}
        self.version = 0

    # -- the script ----------------------------------------------------------------------------------------------

    def says(self, person: str, ask: str, after: int = 1, act: str = "", **answers: Any) -> OneMentorship:
        """This person (or `everyone`) answers so; `ask` is a name, or a name and a number (`check_in 2`)."""
        name = ask.split()[0]
        self.replies[person, ask] = Reply({**CONTENTED.get(name, {}), **answers}, after, act)
        return self

    def silent(self, person: str, *asks: str) -> OneMentorship:
        """This person (or `everyone`) does not answer."""
        for ask in asks:
            self.replies[person, ask] = SILENCE
        return self

    def decides(self, kind: str, decision: str, after: int = 1, **more: Any) -> OneMentorship:
        """The coordinator decides the next task of this kind so, some days after it opened."""
        self.decisions[kind].append((decision, after, more))
        return self

    def on(self, day: int, event: Event | Callable[[State], Event], hour: int = 12) -> OneMentorship:
        """An event at this hour (cohort's zone) of a day after S; a function gets the state of that moment."""
        at = instant(self.day(day), time(hour), self.zone)
        self.schedule(at, (lambda: event(self.state)) if callable(event) else (lambda: event))
        return self

    def away(self, first: int, last: int) -> OneMentorship:
        """An outage from the morning of one day to the morning of another; answers are kept meanwhile."""
        self.outage = (instant(self.day(first), NOON, self.zone), instant(self.day(last), NOON, self.zone))
        return self

    def day(self, offset: int) -> date:
        """S + offset."""
        return self.start + timedelta(days=offset)

    def schedule(self, at: datetime, make: Callable[[], Event]) -> None:
        self.ticket += 1
        heapq.heappush(self.queue, (at, self.ticket, make))

    # -- the play ------------------------------------------------------------------------------------------------

    def play(self, until: int | None = None) -> OneMentorship:
        """Let time pass until nothing is left to do, or to noon of a day after S."""
        stop = instant(self.day(until), NOON, self.zone) if until is not None else datetime.max.replace(tzinfo=UTC)
        if not self.batches:
            self.turn(None)
        while not self.state.finished:
            due = next_moment(self.state)
            times = [moment for moment in (due, self.queue[0][0] if self.queue else None) if moment is not None]
            if not times or min(times) > stop:
                self.now = max(self.now, stop) if until is not None else self.now
                break
            moment = max(min(times), self.now)
            if self.outage and self.outage[0] <= moment < self.outage[1]:
                self.come_back()
                continue
            self.now = moment
            happens = bool(self.queue) and self.queue[0][0] <= moment
            self.turn(heapq.heappop(self.queue)[2]() if happens else None)
        return self

    def come_back(self) -> None:
        """The engine was away; the web went on keeping answers, and tells of them now."""
        assert self.outage is not None
        kept: list[Event] = []
        while self.queue and self.queue[0][0] < self.outage[1]:
            self.now, _, make = heapq.heappop(self.queue)
            kept.append(make())
        self.now = self.outage[1]
        self.turn(None)
        for event in kept:
            self.turn(event)

    def turn(self, event: Event | None) -> None:
        """One turn, and the assessments that follow from it."""
        commands = advance(self.state, event, self.now)
        self.refused += [command.reason for command in commands if isinstance(command, Refuse)]
        while any(not isinstance(command, Refuse) for command in commands):
            done = batch(self.state, commands, self.now)
            self.keep(done)
            commands = []
            for ask in done.assess:
                arguments = {
                    person: (role, self.given[key][1])
                    for key, person, role in ask.requests
                    if key in self.given and self.given[key][0] <= ask.closed_at
                }
                asked = [(person, role) for _, person, role in ask.requests]
                before = {person: (role, self.given[key][1]) for key, person, role in ask.before if key in self.given}
                program = self.state.program
                findings = assessment.assess(
                    ask.ask,
                    arguments,
                    program.rules,
                    program.format,
                    asked,
                    before if ask.before and self.assess_before else None,
                )
                assessed = Assessed(f"assessed/{ask.step}", ask.ask, ask.number, findings)
                commands += advance(self.state, assessed, self.now)

    def keep(self, done: Batch) -> None:
        """Write down what a batch says, and let people and coordinator react."""
        self.batches.append(done)
        self.last_call_on = self.state.silence_told or self.last_call_on
        today = local_date(done.now, self.zone)
        for post in done.posts:
            self.queued_at[post.key] = done.now
            day = self.offset(max(post.date, today))
            self.items.append(ToldItem(day, post.person, post.kind, post.name, post.number, post))
        for opened in done.open_requests:
            self.requests[opened.key] = opened
            self.reply_to(opened)
        self.open_decisions |= {task.key: task.decisions for task in done.open_tasks}
        self.open_decisions |= {growth.key: growth.decisions for growth in done.grow_tasks if growth.decisions}
        for task in done.open_tasks:
            line = TaskLine(task.kind, task.key, self.offset(today), self.offset(task.due), task.reason, task.about)
            self.tasks.append(line)
            if self.decisions[task.kind]:
                decision, after, more = self.decisions[task.kind].pop(0)
                made = Decided(f"decided/{task.key}", task.key, decision, "cora", **more)
                at = self.now if after == 0 else instant(today + timedelta(days=after), NOON, self.zone)
                self.schedule(at, lambda made=made: made)
        for growth in done.grow_tasks:
            line = next(line for line in self.tasks if line.key == growth.key)
            line.reason = f"{line.reason}\n{growth.reason}" if growth.reason else line.reason
        for closed in done.close_tasks:
            line = next(line for line in self.tasks if line.key == closed.key)
            line.closed, line.decision = self.offset(today), closed.decision
        self.notes += [(self.offset(today), note) for note in done.notes]
        if done.finish:
            self.ending = (done.finish.ending, done.finish.reason, self.offset(done.finish.on))

    def reply_to(self, request: OpenRequest) -> None:
        """Somebody was asked: what they do about it, and when."""
        reply = self.reply_of(request)
        if reply.after < 0:
            return
        at = instant(max(request.opens, local_date(self.now, self.zone)), NOON, self.zone)
        at = max(at + timedelta(days=reply.after), self.now)
        self.schedule(at, lambda: self.answer(request, reply))

    def reply_of(self, request: OpenRequest) -> Reply:
        for who in (request.person, "everyone"):
            for ask in (f"{request.ask} {request.number}", request.ask):
                if (who, ask) in self.replies:
                    return self.replies[who, ask]
        return Reply(CONTENTED.get(request.ask, {}))

    def answer(self, request: OpenRequest, reply: Reply) -> Event:
        """Commit an answer, and make the event that tells the mentorship of it."""
        if request.ask == "agreement":
            signals = self.act(request, reply.act)
        else:
            signals = assessment.signals(request.ask, dict(reply.answers))
            self.given.setdefault(request.key, (self.now, dict(reply.answers)))
        return Answered(f"answer/{request.key}", request.person, request.ask, request.number, signals, self.now)

    def act(self, request: OpenRequest, act: str) -> Signals:
        """Draft where nothing is on the table, sign what is, or change it where the script says so."""
        drafting = request.number > self.version
        act = act or ("draft" if drafting else "sign")
        if act != "sign":
            self.version += 1
        return Signals(act=act, version=self.version)  # type: ignore[arg-type]

    # -- the record ----------------------------------------------------------------------------------------------

    def decisions_now(self, task: str) -> tuple[str, ...]:
        """The decisions of a task that are open, as the record says."""
        return self.open_decisions[task]

    def offset(self, on: date) -> int:
        """Days after S."""
        return (on - self.start).days

    def mail(self, name: str, kind: str = "") -> dict[str, list[str]]:
        """Person to what they were told under this name: `request S+14`, `reminder S+17`."""
        mails: dict[str, list[str]] = {}
        for item in self.items:
            if item.name == name and kind in ("", item.kind):
                mails.setdefault(item.person, []).append(f"{item.kind} {s(item.day)}")
        return mails

    def told(self, name: str) -> dict[str, list[int]]:
        """Person to the days on which they were told this."""
        numbers: dict[str, list[int]] = {}
        for item in self.items:
            if item.name == name:
                numbers.setdefault(item.person, []).append(item.day)
        return numbers

    def everything_told(self, person: str) -> list[str]:
        """What one person was told: `S-21 request invitation`."""
        mine = (item for item in self.items if item.person == person)
        return [f"{s(item.day)} {item.kind} {item.name} {item.number}" for item in mine]

    def step(self, name: str, number: int = 1) -> Step:
        """A step of the plan as it stands."""
        step = self.state.step(name, number)
        assert step is not None, f"no step {name} {number}"
        return step

    def plan(self, *names: str) -> list[str]:
        """The plan: `check_in 1 S+30..40 settled S+31`."""
        lines: list[str] = []
        for step in sorted(self.state.steps, key=lambda step: (step.opens, step.number)):
            if names and step.name not in names:
                continue
            until = f"..{self.offset(step.closes)}" if step.closes else ""
            settled = f" {s(self.offset(step.settled))}" if step.settled else ""
            lines.append(f"{step.name} {step.number} {s(self.offset(step.opens))}{until} {step.state}{settled}")
        return lines

    def opens(self, name: str) -> list[int]:
        """On which days after S the steps of this name open or are told."""
        return [self.offset(step.opens) for step in self.state.steps if step.name == name]

    def task_lines(self, *kinds: str) -> list[str]:
        """`stalled S+61 due S+66 noted S+62`, oldest first."""
        return [
            f"{line.kind} {s(line.opened)} due {s(line.due)}"
            + (f" {line.decision} {s(line.closed)}" if line.closed is not None else "")
            for line in self.tasks
            if not kinds or line.kind in kinds
        ]

    def task(self, kind: str) -> TaskLine:
        """The one task of this kind."""
        [line] = [line for line in self.tasks if line.kind == kind]
        return line

    def noted(self, name: str) -> list[tuple[int, str, str]]:
        """(day, person, detail) of every line of the record with this name."""
        return [(day, note.person, note.detail) for day, note in self.notes if note.name == name]


def s(day: int) -> str:
    """A day as the lifecycle writes it."""
    return f"S{day:+d}"


def program(format_: str = "one_to_one", **more: Any) -> Program:
    """The formal program in a format; `more` replaces fields."""
    return Program.model_validate({"program": "formal", "title": "Formal", "format": format_, **more})


def one_mentorship(format_: str = "one_to_one", **more: Any) -> OneMentorship:
    """A season of the formal program in a format."""
    fields = {name: more.pop(name) for name in list(more) if name in Program.model_fields}
    return OneMentorship(program(format_, **fields), **more)
