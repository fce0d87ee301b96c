"""A mentorship of a random program lives through random events, sensible or not, at random times; then everybody
falls silent and time runs on. A witness holds every turn against the promises (architecture, The core).
"""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from pydantic import TypeAdapter

from lifecycle import assessment, plan
from lifecycle.advance import advance, begin, next_moment
from lifecycle.batch import batch
from lifecycle.build import build
from lifecycle.commands import (
    Assess,
    CloseTask,
    Command,
    EndRequest,
    Finish,
    GrowTask,
    MoveRequest,
    OpenRequest,
    OpenTask,
    Post,
    Redeliver,
    Refuse,
)
from lifecycle.events import (
    Add,
    Adopt,
    Answered,
    Assessed,
    Bounced,
    Cancel,
    Corrected,
    Decided,
    End,
    Event,
    Extend,
    Leave,
    Moved,
    Nudge,
    Pause,
    ProposeEnd,
    Release,
    Remove,
    Replace,
    Resume,
    Seen,
    Staffed,
)
from lifecycle.findings import Signals
from lifecycle.local_time import instant, local_date
from lifecycle.phases.closure import EARLY_REASONS
from lifecycle.state import Member, State
from lifecycle.tasks import KINDS, OUTLIVE
from testing.cohorts.one_mentorship import PEOPLE
from testing.cohorts.strategies import ZONES, MentorshipCase, TimedEvent

AFTER_CLOSE = ("farewell", "transferred", "follow_up", "safety_received")
IN_A_PAUSE = ("still_paused", "partner_paused", "task_repeated", "task_to_deputy")
OFFERS = re.compile(r"; |write |say who|those who have|its record is final|can be decided|must end after")
"""How a refusal says what would work, or that nothing will."""
STATES: TypeAdapter[State] = TypeAdapter(State)


# -- one life ----------------------------------------------------------------------------------------------------


class Witness:
    """Lives one life, and holds every turn against the promises."""

    def __init__(self, life: MentorshipCase) -> None:
        self.life = life
        self.random = Random(life.seed)
        people = list(PEOPLE[life.program.format].items())
        people = people[: 1 + life.mentees] if life.program.format == "group" else people
        self.zone = life.zones[4]
        members = [Member(person, role, zone) for (person, role), zone in zip(people, life.zones, strict=False)]
        launched = life.start + timedelta(days=life.launched)
        self.state = begin(life.program, "c", "m", life.start, self.zone, launched, members, ["cora"], ["dora"])
        self.shadow: State | None = None
        self.now = instant(launched, time(8), self.zone)
        self.events: list[Event] = []
        self.waiting: list[tuple[datetime, Answered]] = []
        self.bodies: dict[str, tuple[datetime, dict[str, Any]]] = {}
        self.keys: set[str] = set()
        self.closes: dict[str, date] = {}
        self.open: dict[str, OpenRequest] = {}
        self.tasks: set[str] = set()
        self.finishes: list[Finish] = []

    def live(self) -> State:
        self.turn(None)
        happenings = list(self.life.happenings)
        at = self.now
        halfway = len(happenings) // 2
        while happenings and not self.state.finished:
            happening = happenings.pop(0)
            at = max(self.now, at + timedelta(hours=happening.hours))
            self.pass_time(at)
            if len(happenings) == halfway:
                # From here on a state that was written down and read back lives beside the other.
                self.shadow = STATES.validate_json(STATES.dump_json(self.state))
            event = self.event(happening)
            self.events.append(event)
            self.now = at
            self.turn(event)
        self.pass_time(None)
        return self.state

    def pass_time(self, until: datetime | None) -> None:
        """Everything that falls due, and the answers that come in, until a moment; None: until nothing is left."""
        for _ in range(5000):
            self.waiting.sort(key=lambda pair: pair[0])
            answer = self.waiting[0][0] if self.waiting else None
            moments = [moment for moment in (next_moment(self.state), answer) if moment is not None]
            if not moments or (until is not None and min(moments) > until):
                return
            assert not (until is None and self.state.finished and answer is None)
            self.now = max(self.now, min(moments))
            self.turn(self.waiting.pop(0)[1] if answer is not None and answer <= self.now else None)
        raise AssertionError("time does not pass")

    def turn(self, event: Event | None) -> None:
        commands = self.advance(event)
        while commands:
            done = batch(self.state, commands, self.now)
            if self.shadow is not None:
                assert batch(self.shadow, commands, self.now) == done
            commands = []
            for ask in done.assess:
                commands += self.advance(self.assessed(ask))
        assert self.state.closed or next_moment(self.state) is not None, "stuck: nothing will ever happen"

    def assessed(self, ask: Assess) -> Assessed:
        program = self.state.program
        given = {
            person: (role, self.bodies[key][1])
            for key, person, role in ask.requests
            if key in self.bodies and self.bodies[key][0] <= ask.closed_at
        }
        asked = [(person, role) for _, person, role in ask.requests]
        before = {person: (role, self.bodies[key][1]) for key, person, role in ask.before if key in self.bodies}
        findings = assessment.assess(
            ask.ask, given, program.rules, program.format, asked, before if ask.before else None
        )
        return Assessed(f"as/{ask.step}", ask.ask, ask.number, findings)

    # -- the promises --------------------------------------------------------------------------------------------

    def advance(self, event: Event | None) -> list[Command]:
        state = self.state
        out = {member.person for member in state.members if member.standing == "out"}
        closed = state.closed
        before = None if event is None else STATES.dump_json(state)
        paused = state.pause
        commands = advance(state, event, self.now)
        if event is None and paused is not None and state.pause is paused:
            told = {command.name for command in commands if isinstance(command, Post)}
            assert told <= set(IN_A_PAUSE), "nothing falls due in a pause"
        if self.shadow is not None:
            assert advance(self.shadow, event, self.now) == commands, "same state, same event, same commands"
        for command in commands:
            self.holds(command, out, closed)
        if event is not None and [type(command) for command in commands] == [Refuse]:
            assert STATES.dump_json(state) == before, "what is refused changes nothing"
            [refused] = commands
            assert isinstance(refused, Refuse)
            assert OFFERS.search(refused.reason), f"says what would work: {refused.reason}"
        elif event is not None and not any(isinstance(command, Refuse) for command in commands):
            after = STATES.dump_json(state)
            assert advance(state, event, self.now) == [], "twice is once"
            assert STATES.dump_json(state) == after
            self.planned_anew(state)
        moment = next_moment(state)
        assert moment is None or moment > self.now, "what has fallen due has happened"
        self.stands(state)
        return commands

    def holds(self, command: Command, out: set[str], closed: bool) -> None:
        match command:
            case Post():
                assert command.key not in self.keys, "the key of an item is unique for all time"
                self.keys.add(command.key)
                assert command.person not in out, "nothing for somebody who is out"
                assert not closed or command.task or command.name in AFTER_CLOSE, "nothing new after the close"
                if command.kind == "reminder":
                    assert command.date < self.closes[command.request], "no reminder on or after the close"
                if command.request:
                    assert command.request in self.closes
            case OpenRequest():
                assert command.key not in self.closes, "a request is opened once"
                assert command.person not in out
                self.closes[command.key] = command.closes
                self.open[command.key] = command
                self.answer_sometime(command)
            case MoveRequest():
                self.closes[command.key] = command.closes
            case EndRequest():
                assert command.key in self.closes
            case Redeliver():
                assert all(key in self.closes for key in command.requests)
            case OpenTask():
                assert command.key not in self.tasks
                self.tasks.add(command.key)
            case GrowTask():
                assert command.key in self.tasks
            case CloseTask():
                self.tasks.remove(command.key)
            case Finish():
                self.finishes.append(command)
            case _:
                pass

    def planned_anew(self, state: State) -> None:
        """What comes next is no second opinion: to plan again changes nothing."""
        if state.closed or state.early:
            return
        again = deepcopy(state)
        reached = state.pause.on if state.pause else local_date(self.now, self.zone)
        fresh = plan.replan(again, build(again, reached if state.running else None))
        ahead = [(step.name, step.number, step.opens, step.reminders, step.closes) for step in fresh]
        planned = [step for step in state.steps if step.state == "planned"]
        assert sorted(ahead) == sorted((s.name, s.number, s.opens, s.reminders, s.closes) for s in planned)

    def stands(self, state: State) -> None:
        """What is true of every state."""
        assert state.start <= state.midpoint <= state.end
        asks = state.open_asks()
        assert len([step for step in asks if step.name == "agreement"]) <= 1, "one document"
        for step in asks:
            assert step.asked
            assert set(step.asked) <= {seat.person for seat in state.seats()}
            assert set(step.answered) <= set(step.asked)
        if not any(step.name == "agreement" for step in asks):
            assert not state.agreement.turns, "nobody's turn without a document"
        if not state.running and not state.closed:
            assert all(step.name == "invitation" for step in asks), "nothing but invitations before the start"
        numbers = [(step.name, step.number) for step in state.steps]
        assert len(set(numbers)) == len(numbers), "a step is there once"
        assert {task.key for task in state.tasks.values()} == self.tasks
        if state.closed:
            assert len(self.finishes) == 1
            assert {task.kind for task in state.tasks.values()} <= set(OUTLIVE)
            assert all(step.name == "follow_up" for step in state.steps if step.state in ("planned", "open"))

    # -- what people do ------------------------------------------------------------------------------------------

    def answer_sometime(self, request: OpenRequest) -> None:
        willing = self.life.willing and request.ask == "invitation"
        if self.random.random() >= self.life.diligence and not willing:
            return
        at = self.now + timedelta(hours=self.random.randint(1, 24 if willing else 24 * 20))
        self.waiting.append((at, self.answer(request, at)))

    def answer(self, request: OpenRequest, at: datetime) -> Answered:
        if request.ask == "agreement":
            act = self.random.choice(["draft", "change", "sign", "sign", "sign"])
            version = request.number + (act == "change")
            signals = Signals(act=act, version=version)  # type: ignore[arg-type]
        else:
            body = self.body(request.ask)
            signals = assessment.signals(request.ask, body)
            self.bodies[request.key] = (at, body)
        return Answered(f"answer/{request.key}/{at}", request.person, request.ask, request.number, signals, at)

    def body(self, ask: str) -> dict[str, Any]:
        chance = self.random.choice
        until = local_date(self.now, self.zone) + timedelta(days=self.random.randint(-5, 60))
        return {
            "accept": self.life.willing or self.random.random() < 0.9,
            "p_help": chance(["no"] * 12 + ["yes", "private", "safety"]),
            "f_contact": chance(["met", "nothing"]),
            "f_fit": chance([1, 5, 5, None]),
            "f_action": chance(["fine", "nudge", "word", "someone_else"]),
            "p_met": chance(["0", "2"]),
            "p_next": chance([True, False, False]),
            "p_open": chance([1, 4, 5, 5]),
            "p_goal": chance(["changed", "on_track", "on_track"]),
            "r_decide": chance(["continue", "change", "pause", "new_partner", "end", "unsure"]),
            "r_until": until.isoformat(),
            "c_follow": chance([True, False]),
            "c_give": chance(["yes", "no"]),
            "state": chance(["fine", "stuck", "stopped"]),
        }

    def event(self, happening: TimedEvent) -> Event:
        a, b, state = happening.a, happening.b, self.state
        id_ = f"e{len(self.events)}"
        people = [member.person for member in state.members] + ["nobody"]
        person = people[a % len(people)]
        newcomer = f"new{b}"
        zone = (*ZONES, "", "Not/AZone")[b % (len(ZONES) + 2)]
        until = local_date(self.now, self.zone) + timedelta(days=(b - 2) * 7)
        based_on = (None, None, state.changes, state.changes - 1)[a % 4]
        match happening.what:
            case "answer" if self.open:
                request = list(self.open.values())[-1 - a % len(self.open)]
                return self.answer(request, self.now)
            case "decide" if state.tasks:
                task = list(state.tasks.values())[a % len(state.tasks)]
                decisions = (*KINDS[task.kind][1], "nonsense")
                whose = person if b % 3 == 0 else ""
                return Decided(id_, task.key, decisions[b % len(decisions)], "cora", until, newcomer, zone, whose)
            case "pause":
                return Pause(id_, until, "cora", based_on)
            case "planned pause":
                begins = local_date(self.now, self.zone) + timedelta(days=(a - 1) * 4)
                ends = None if b == 0 else begins + timedelta(days=(b - 1) * 5)
                return Pause(id_, ends, person, based_on, begins, tell=b % 2 == 0)
            case "open pause":
                return Pause(id_, None, person)
            case "resume":
                return Resume(id_, "cora")
            case "extend":
                return Extend(id_, b - 1, "cora", based_on)
            case "adopt":
                edited = self.life.edited[b % 2]
                numbers = edited.model_dump(mode="json") | {"format": edited.format if b == 5 else state.format}
                return Adopt(id_, numbers, f"version {b}", "cora", based_on)
            case "end":
                reasons = (*EARLY_REASONS, "boredom")
                return End(id_, reasons[b % len(reasons)], "cora", person if a % 2 else "", based_on)
            case "propose":
                return ProposeEnd(id_, person, ("no_fault", "goals_reached", "left")[b % 3])
            case "correct":
                return Corrected(id_, person, "cora")
            case "staff":
                return Staffed(id_, ("cora", "carl")[: 1 + a % 2], ("dora", "dirk")[: b % 3], (until,))
            case "replace":
                return Replace(id_, person, newcomer, zone, "cora")
            case "add":
                return Add(id_, newcomer, ("mentee", "mentor", "peer")[a % 3], zone, "cora")
            case "remove":
                return Remove(id_, person, "cora")
            case "leave":
                return Leave(id_, person, erased=b % 2 == 0)
            case "nudge":
                return Nudge(id_, "cora")
            case "release":
                return Release(id_, "cora")
            case "cancel" if a == 0:
                return Cancel(id_, "cora")
            case "move":
                return Moved(id_, person, zone)
            case "bounce":
                return Bounced(id_, person)
            case "again" if self.events:
                return self.events[a % len(self.events)]
            case "assessed":
                step = state.steps[a % len(state.steps)]
                given = {person: ("mentee", self.body(step.name))}
                findings = assessment.assess(step.name, given, state.program.rules, state.format)
                return Assessed(id_, step.name, step.number + b % 2, findings)
            case "nonsense":
                accepted = (None, True, False)[b % 3]
                signals = Signals(accepted=accepted, act="sign", version=b, zone=zone, stopped=b == 1)
                step = state.steps[a % len(state.steps)]
                return Answered(id_, person, step.name, step.number + b % 3, signals, self.now)
            case _:
                return Seen(id_, person)
