"""The only way a state changes: `advance(state, event, now)`. And what comes next: `next_moment(state)`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial

from lifecycle import changes, check_ins, closure, expectations, midpoint, onboarding, tasks
from lifecycle.calendar import begins, begins_for, ended_for
from lifecycle.commands import Command, Refuse
from lifecycle.decisions import decide
from lifecycle.events import (
    Add,
    Answered,
    Assessed,
    Bounced,
    Cancel,
    Decided,
    End,
    Event,
    Extend,
    Leave,
    Moved,
    Nudge,
    Pause,
    Release,
    Remove,
    Replace,
    Resume,
    Seen,
)
from lifecycle.findings import Findings
from lifecycle.refusals import refusal
from lifecycle.state import Member, State, Step
from lifecycle.turn import Turn
from program.models import Program

SEEN_AT_MOST = 200
"""Event ids that are remembered, so that a repeated event changes nothing."""

Due = tuple[datetime, int, Callable[[Turn], None]]


def begin(
    program: Program,
    cohort: str,
    key: str,
    start: date,
    zone: str,
    launched_on: date,
    members: list[Member],
    coordinators: list[str],
    deputies: list[str] | None = None,
    holidays: tuple[date, ...] = (),
) -> State:
    """A new mentorship with its whole plan. Dates are calendar dates, `zone` the cohort's IANA zone."""
    end = start + timedelta(days=program.length)
    state = State(
        cohort=cohort,
        key=key,
        program=program,
        zone=zone,
        launched_on=launched_on,
        raw_start=start,
        raw_midpoint=start + timedelta(days=program.length // 2),
        raw_end=end,
        members=members,
        coordinators=coordinators,
        deputies=deputies or [],
        holidays=holidays,
    )
    state.steps = sorted(changes.build(state), key=lambda step: step.opens)
    return state


def advance(state: State, event: Event | None, now: datetime) -> list[Command]:
    """Let everything that has fallen due happen, then the event, then what the event made due.

    Changes `state` and returns what the world must do. `now` is program time (UTC). An event that makes no
    sense changes nothing and is answered by a single `Refuse` among what fell due; an event whose id was
    seen before changes nothing.
    """
    turn = Turn(state, now)
    if state.last_life is None:
        _plan_recorded(turn)
    run_due(turn)
    if event is not None and event.id not in state.seen:
        why = refusal(state, event, turn.today)
        if why:
            turn.do(Refuse(why))
        else:
            state.seen = [*state.seen[-SEEN_AT_MOST + 1 :], event.id]
            _happen(turn, event)
            run_due(turn)
    return turn.commands


def next_moment(state: State) -> datetime | None:
    """The instant (UTC) at which something falls due next; None when only an event can change anything."""
    return min((moment for moment, _, _ in _due(state)), default=None)


def run_due(turn: Turn) -> None:
    """Everything that has fallen due, in the order in which it fell due, each once (lifecycle 2.9)."""
    while True:
        first = min(_due(turn.state), key=lambda due: due[:2], default=None)
        if first is None or first[0] > turn.now:
            return
        first[2](turn)


def _plan_recorded(turn: Turn) -> None:
    """The first turn puts the whole plan on the record."""
    turn.state.last_life = turn.now
    for step in turn.state.steps:
        turn.record(step)


# -- what falls due, and when ----------------------------------------------------------------------------------

CLOSE, TASK, OPEN, REMIND = range(4)
"""Order of what falls due at the same instant: what ends comes before what begins."""


def _due(state: State) -> Iterator[Due]:
    yield from _tasks_due(state)
    if state.paused:
        until = state.pauses[-1].until
        if until is not None:
            yield state.begins(until), CLOSE, partial(changes.resume, on=until)
        return
    if state.closed:
        for step in state.steps:
            if step.name == "follow_up":
                yield from _step_due(step, state.zones())
        return
    zones = state.zones()
    if not state.onboarded:
        yield from _onboarding_due(state, zones)
        return
    for step in state.steps:
        if step.state in ("planned", "open"):
            yield from _step_due(step, zones)
    if state.seat_wait_until is not None:
        yield state.ended(state.seat_wait_until), CLOSE, onboarding.waited
    silence = check_ins.silence_date(state)
    if silence is not None and state.phase != "closure":
        yield state.begins(silence), OPEN, check_ins.last_call
    inactive = check_ins.inactive_date(state)
    if inactive is not None and state.phase != "closure":
        yield state.ended(inactive), CLOSE, partial(closure.end_early, reason="inactive")
    if state.ready_to_close:
        yield state.begins(state.end), OPEN, closure.say_farewell


def _onboarding_due(state: State, zones: tuple[str, ...]) -> Iterator[Due]:
    for step in state.steps:
        if step.name == "invitation":
            yield from _step_due(step, zones)
    if state.seat_wait_until is not None:
        yield state.ended(state.seat_wait_until), CLOSE, onboarding.waited
    task = state.tasks.get("seat_empty")
    if task is not None:
        yield state.ended(onboarding.give_up_on(state, task)), CLOSE, onboarding.give_up


def _tasks_due(state: State) -> Iterator[Due]:
    for task in state.tasks.values():
        repeat_on = tasks.repeat_date(task)
        if repeat_on is not None:
            yield begins(repeat_on, state.zone), TASK, partial(tasks.repeat, task=task)
        if not task.escalated and state.deputies:
            yield begins(tasks.deputy_date(state, task), state.zone), TASK, partial(tasks.escalate, task=task)


def _step_due(step: Step, zones: tuple[str, ...]) -> Iterator[Due]:
    if step.state == "planned":
        yield begins_for(step.opens, zones), OPEN, partial(_open, step=step)
    elif step.state == "open" and step.closes is not None:
        yield ended_for(step.closes, zones), CLOSE, partial(_settle, step=step)
        if step.reminded < len(step.reminders):
            yield begins_for(step.reminders[step.reminded], zones), REMIND, partial(_remind, step=step)


# -- steps open, remind, settle --------------------------------------------------------------------------------


def _open(turn: Turn, step: Step) -> None:
    state = turn.state
    if step.closes is not None and state.ended(step.closes) <= turn.now:
        turn.skip(step, "its window has passed")
        if step.name == "closure":
            state.ready_to_close = True
        return
    needs_partner = step.name in ("introduction", "agreement", "fit_check", "check_in", "midpoint")
    if needs_partner and state.onboarded and not state.complete():
        turn.skip(step, "a partner is missing")
        return
    if step.phase != "closed":
        state.phase = step.phase
    if step.verb == "tell":
        step.state = "settled"
        step.settled = turn.today
        turn.record(step)
        turn.tell(state.active(), step.name, number=step.number, on=step.opens)
        return
    step.state = "open"
    if step.name == "agreement":
        expectations.open_agreement(turn, step)
        return
    if not step.asked:
        step.asked = [seat.person for seat in state.seats()] if step.name == "invitation" else state.active()
    turn.record(step)
    for person in step.asked:
        turn.ask_one(step, person, on=step.opens)


def _remind(turn: Turn, step: Step) -> None:
    on = step.reminders[step.reminded]
    step.reminded += 1
    if step.name == "agreement":
        expectations.remind(turn, step, step.reminded, on)
        return
    for person in step.asked:
        if person not in step.answered:
            turn.remind(step, person, step.reminded, on)


def _settle(turn: Turn, step: Step) -> None:
    """An ask ends: everyone has answered, or its closing date has ended."""
    step.state = "settled"
    step.settled = turn.today
    turn.record(step)
    if step.name == "agreement":
        expectations.closed(turn, step)
        return
    missing = [person for person in step.asked if person not in step.answered]
    for person in missing:
        turn.end_request(step, person, "closed")
    if step.name == "follow_up" or (step.name == "invitation" and not missing):
        return
    turn.assess(step)


def _settle_if_complete(turn: Turn, step: Step) -> None:
    if step.state == "open" and step.name != "agreement" and all(p in step.answered for p in step.asked):
        _settle(turn, step)


def _assessed(turn: Turn, step: Step, findings: Findings) -> None:
    step.assessing = False
    in_time = [person for person in step.asked if person in findings.answered]
    step.answered += [person for person in in_time if person not in step.answered]
    turn.record(step)
    if step.name == "invitation":
        onboarding.settled(turn, step, findings)
    elif step.name == "fit_check":
        expectations.fit_settled(turn, findings)
    elif step.name == "check_in":
        check_ins.settled(turn, step, findings)
    elif step.name == "midpoint":
        midpoint.settled(turn, findings)
    elif step.name == "closure":
        closure.settled(turn, findings)


# -- events ----------------------------------------------------------------------------------------------------


def _happen(turn: Turn, event: Event) -> None:
    state = turn.state
    match event:
        case Answered():
            _answered(turn, event)
        case Assessed():
            step = state.step(event.ask, event.number)
            if step is not None and step.assessing:
                _assessed(turn, step, event.findings)
        case Decided():
            check_ins.alive(turn)
            decide(turn, event)
        case Pause():
            check_ins.alive(turn)
            changes.pause(turn, event.until)
        case Resume():
            check_ins.alive(turn)
            changes.resume(turn)
        case Extend():
            check_ins.alive(turn)
            changes.extend(turn, event.weeks)
        case End():
            closure.end_early(turn, event.reason, [event.person] if event.person else [])
        case Replace():
            role = next(member.role for member in state.members if member.person == event.person)
            changes.take_out(turn, event.person)
            changes.join(turn, event.newcomer, role, event.zone)
        case Add():
            changes.join(turn, event.person, event.role, event.zone)
        case Remove():
            changes.remove(turn, event.person)
        case Leave():
            changes.leave(turn, event.person)
            _settle_open(turn)
        case Nudge():
            changes.nudge(turn)
        case Release():
            tasks.close_task(turn, "safety", "release", event.by)
            changes.release(turn)
        case Cancel():
            changes.cancel(turn)
        case Moved():
            for member in state.members:
                if member.person == event.person:
                    member.zone = event.zone
        case Seen():
            check_ins.alive(turn)
        case Bounced():
            turn.note("bounced", event.person)
            tasks.open_task(turn, "bounced", "Mail to somebody is refused for good.", [event.person])


def _settle_open(turn: Turn) -> None:
    for step in turn.state.open_asks():
        _settle_if_complete(turn, step)


def _answered(turn: Turn, event: Answered) -> None:
    """An answer is a sign of life; its signals act at once; the ask settles when everyone has answered."""
    state = turn.state
    check_ins.alive(turn)
    member = state.member(event.person)
    if member is None:
        return
    signals = event.signals
    if signals.zone:
        member.zone = signals.zone
    if signals.safety:
        _safety(turn, event.person)
    if signals.help:
        tasks.open_task(turn, "help", "Somebody asks you to get in touch.", [event.person])
    if signals.fit:
        expectations.fit_doubted(turn, event.person)
    if signals.stopped:
        tasks.open_task(turn, "silent", "Somebody says that the mentorship has stopped.", [event.person])
    if event.ask == "agreement":
        return expectations.acted(turn, event.person, signals)
    if event.ask == "invitation" and signals.accepted is not None:
        running = state.onboarded and state.start <= turn.today
        newcomer = member.standing != "accepted"
        if running and not newcomer and not signals.accepted:
            return changes.leave(turn, event.person)
        onboarding.answered(turn, member, signals.accepted)
        if running and newcomer and signals.accepted:
            changes.welcomed(turn, event.person)
    step = state.step(event.ask, event.number)
    if step is None or event.person not in step.asked:
        return None
    if step.state != "open":
        return turn.note("late_answer", event.person, f"{event.ask}#{event.number}")
    if event.person not in step.answered:
        step.answered.append(event.person)
        turn.record(step)
    return _settle_if_complete(turn, step)


def _safety(turn: Turn, reporter: str) -> None:
    """A safety report: a coordinator hears at once, the pair's items are held, the partner is told nothing."""
    turn.state.held = True
    turn.note("held")
    tasks.open_task(turn, "safety", "A report about safety or conduct has come in.", [reporter])
    number = turn.count("safety_received")
    turn.tell([reporter], "safety_received", number=number, kind="receipt", after_end=True)
