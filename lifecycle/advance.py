"""The only way a state changes: `advance(state, event, now)`. And what comes next: `next_moment(state)`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial

from lifecycle import changes, check_ins, closure, expectations, midpoint, onboarding, tasks
from lifecycle.calendar import begins, begins_for, ended_for, is_zone
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
from lifecycle.findings import Findings, Signals
from lifecycle.refusals import refusal
from lifecycle.state import Member, PauseSpan, State, Step
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
        overdue = (due for due in _due(turn.state) if due[0] <= turn.now)
        first = min(overdue, key=lambda due: due[:2], default=None)
        if first is None:
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
    pause = state.pause
    if pause is not None:
        yield from _pause_due(state, pause)
        return
    zones = state.zones()
    if state.seat_wait_until is not None:
        yield ended_for(state.seat_wait_until, zones), CLOSE, onboarding.waited
    if not state.onboarded and not state.closed:
        yield from _onboarding_due(state, zones)
        return
    yield from _steps_due(state.steps, zones)
    if state.closed:
        return
    silence = check_ins.silence_date(state)
    if silence is not None:
        yield begins_for(silence, zones), OPEN, check_ins.last_call
    inactive = check_ins.inactive_date(state)
    if inactive is not None:
        yield ended_for(inactive, zones), CLOSE, partial(closure.end_early, reason="inactive")
    if state.ready_to_close:
        yield begins_for(state.end, zones), OPEN, closure.say_farewell


def _pause_due(state: State, pause: PauseSpan) -> Iterator[Due]:
    if pause.until is not None:
        yield state.begins(pause.until), CLOSE, partial(changes.resume, on=pause.until)
        return
    longest = pause.on + timedelta(days=state.program.rules.open_pause_at_most)
    yield begins(longest, state.zone), CLOSE, changes.give_up_pausing
    if pause.remind_on is not None:
        yield begins(pause.remind_on, state.zone), TASK, changes.remind_of_pause


def _onboarding_due(state: State, zones: tuple[str, ...]) -> Iterator[Due]:
    yield from _steps_due([step for step in state.steps if step.name == "invitation"], zones)
    task = state.tasks.get("seat_empty")
    if task is not None:
        yield ended_for(onboarding.give_up_on(state, task), zones), CLOSE, onboarding.give_up


def _tasks_due(state: State) -> Iterator[Due]:
    for task in state.tasks.values():
        repeat_on = tasks.repeat_date(task)
        if repeat_on is not None:
            yield begins(repeat_on, state.zone), TASK, partial(tasks.repeat, task=task)
        if not task.escalated and state.deputies:
            yield begins(tasks.deputy_date(state, task), state.zone), TASK, partial(tasks.escalate, task=task)


def _steps_due(steps: list[Step], zones: tuple[str, ...]) -> Iterator[Due]:
    """What the open steps wait for, and the opening of the planned step that comes next."""
    upcoming: Step | None = None
    for step in steps:
        if step.state == "planned":
            if upcoming is None or step.opens < upcoming.opens:
                upcoming = step
        elif step.state == "open" and step.closes is not None:
            yield ended_for(step.closes, zones), CLOSE, partial(_settle, step=step)
            if step.reminded < len(step.reminders):
                yield begins_for(step.reminders[step.reminded], zones), REMIND, partial(_remind, step=step)
    if upcoming is not None:
        yield begins_for(upcoming.opens, zones), OPEN, partial(_open, step=upcoming)


# -- steps open, remind, settle --------------------------------------------------------------------------------


def _open(turn: Turn, step: Step) -> None:
    state = turn.state
    if step.closes is not None and state.ended(step.closes) <= turn.now:
        if step.name != "invitation":
            return _leave_out(turn, step, "its window has passed")
        onboarding.begin_afresh(turn, step)
    if step.name in changes.NEED_A_PARTNER and not state.complete():
        return _leave_out(turn, step, "a partner is missing")
    if step.phase != "closed":
        state.phase = step.phase
    if step.verb == "tell":
        step.state = "settled"
        step.settled = turn.today
        turn.record(step)
        which = closure.which_winding_down(state, step) if step.name == "winding_down" else None
        return turn.tell(state.active(), step.name, number=step.number, on=step.opens, which=which)
    step.asked = _whom(state, step)
    if not step.asked:
        return _leave_out(turn, step, "there is nobody to ask")
    step.state = "open"
    turn.record(step)
    if step.name == "agreement":
        return expectations.open_agreement(turn, step)
    for person in step.asked:
        turn.ask_one(step, person, on=step.opens)
    return None


def _whom(state: State, step: Step) -> list[str]:
    if step.name == "invitation":
        invited = [person for other in state.steps if other.name == "invitation" for person in other.asked]
        return [seat.person for seat in state.seats() if seat.person not in invited]
    return closure.may_be_asked(state, step) if step.name in ("closure", "follow_up") else state.active()


def _leave_out(turn: Turn, step: Step, why: str) -> None:
    turn.skip(step, why)
    if step.name == "closure":
        turn.state.ready_to_close = True


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
    if step.state != "open" or step.name == "agreement":
        return
    if not step.asked:
        _leave_out(turn, step, "nobody is left to answer")
    elif all(person in step.answered for person in step.asked):
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
    turn.by = getattr(event, "by", "")
    zones = state.zones()
    if not isinstance(event, Assessed | Bounced):
        check_ins.alive(turn)
    _take(turn, event)
    for step in state.open_asks():
        _settle_if_complete(turn, step)
    onboarding.seats_checked(turn)
    if state.zones() != zones:
        changes.move_windows(turn)
    turn.by = ""


def _take(turn: Turn, event: Event) -> None:
    state = turn.state
    match event:
        case Answered():
            _answered(turn, event)
        case Assessed():
            step = state.step(event.ask, event.number)
            if step is not None and step.assessing:
                _assessed(turn, step, event.findings)
        case Decided():
            decide(turn, event)
        case Pause():
            changes.pause(turn, event.until)
        case Resume():
            changes.resume(turn)
        case Extend():
            changes.extend(turn, event.weeks)
        case End():
            closure.end_early(turn, event.reason, [event.person] if event.person else [])
        case Replace():
            changes.replace(turn, event.person, event.newcomer, event.zone)
        case Add():
            changes.join(turn, event.person, event.role, event.zone)
        case Remove():
            changes.remove(turn, event.person)
        case Leave():
            changes.leave(turn, event.person)
        case Nudge():
            changes.nudge(turn)
        case Release():
            tasks.close_task(turn, "safety", "release", event.by)
            changes.release(turn)
        case Cancel():
            changes.cancel(turn)
        case Moved():
            _lives_in(state, event.person, event.zone)
        case Seen():
            pass  # a sign of life, nothing else
        case Bounced():
            _bounced(turn, event.person)


def _lives_in(state: State, person: str, zone: str) -> None:
    for member in state.members:
        if member.person == person:
            member.zone = zone


def _bounced(turn: Turn, person: str) -> None:
    turn.note("bounced", person)
    member = turn.state.member(person)
    if member is not None and member.standing != "out" and not turn.state.closed:
        tasks.open_task(turn, "bounced", "Mail to somebody is refused for good.", [person])


def _answered(turn: Turn, event: Answered) -> None:
    """Signals act at once; an answer in time counts, and the ask settles when everyone has answered."""
    state = turn.state
    _signalled(turn, event.person, event.signals)
    step = state.step(event.ask, event.number)
    if event.ask == "agreement":
        return expectations.acted(turn, event.person, event.signals)
    if event.ask == "invitation":
        if event.signals.accepted is None:
            return None
        _invited(turn, event.person, event.signals.accepted)
    if step is None or event.person not in step.asked or event.person in step.answered:
        return None
    if step.state != "open":
        return turn.note("late_answer", event.person, f"{event.ask}#{event.number}")
    step.answered.append(event.person)
    return turn.record(step)


def _signalled(turn: Turn, person: str, signals: Signals) -> None:
    state = turn.state
    if signals.zone and is_zone(signals.zone):
        _lives_in(state, person, signals.zone)
    if signals.safety:
        _safety(turn, person)
    if signals.help:
        tasks.open_task(turn, "help", "Somebody asks you to get in touch.", [person])
    if state.closed:
        return
    if signals.fit:
        expectations.fit_doubted(turn, person)
    if signals.stopped:
        tasks.open_task(turn, "silent", "Somebody says that the mentorship has stopped.", [person])


def _invited(turn: Turn, person: str, accepted: bool) -> None:
    """Whoever takes part and says no once it has begun leaves; when it is ending nobody joins."""
    state = turn.state
    member = state.member(person)
    if member is None or state.closed or state.early:
        return
    if state.running and member.standing == "accepted" and not accepted:
        changes.leave(turn, person)
    else:
        onboarding.answered(turn, member, accepted)


def _safety(turn: Turn, reporter: str) -> None:
    """A safety report: a coordinator hears at once, the pair's items are held, the partner is told nothing."""
    turn.state.held = True
    turn.note("held")
    tasks.open_task(turn, "safety", "A report about safety or conduct has come in.", [reporter])
    number = turn.count("safety_received")
    turn.tell([reporter], "safety_received", number=number, kind="receipt", after_end=True)
