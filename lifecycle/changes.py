"""Changing a mentorship while it runs (lifecycle 8). Every change is re-planning: the same builder, other dates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from lifecycle import check_ins, closure, expectations, midpoint, onboarding, plan, tasks
from lifecycle.commands import MoveRequest, Redeliver
from lifecycle.keys import request_key
from lifecycle.state import Member, PauseSpan, State, Step
from lifecycle.turn import Turn
from program.models import Role


def build(state: State) -> list[Step]:
    """All steps of the plan, in dates without pauses, phase by phase."""
    return [
        *onboarding.steps(state),
        *expectations.steps(state),
        *check_ins.steps(state),
        *midpoint.steps(state),
        *closure.steps(state),
    ]


def replan(turn: Turn) -> None:
    """Build the plan anew, keep what has begun, and record what moved."""
    state = turn.state
    before = {(s.name, s.number): (s.opens, s.closes) for s in state.steps if s.state == "planned"}
    for step in plan.replan(state, build(state)):
        if before.pop((step.name, step.number), None) != (step.opens, step.closes):
            turn.record(step)


# -- pause and resume ------------------------------------------------------------------------------------------


def pause(turn: Turn, until: date | None) -> None:
    """Nothing goes out and nothing falls due until `until`; what is not yet done lies later by as much.

    Overlapping pauses merge: the later end counts, and a pause without end outlasts every other.
    """
    state = turn.state
    if state.paused:
        running = state.pauses[-1]
        if until is None:
            _shift(turn, running, 0)
            running.until = None
        elif running.until is not None and until > running.until:
            _shift(turn, running, (until - running.on).days)
            running.until = until
    else:
        running = PauseSpan(on=turn.today, days=0, until=until)
        state.pauses.append(running)
        state.paused = True
        _shift(turn, running, (until - turn.today).days if until else 0)
    turn.note("paused", detail=running.until.isoformat() if running.until else "open")


def resume(turn: Turn, on: date | None = None) -> None:
    """The pause ends on this date, or today: what it had moved beyond that comes earlier again."""
    state = turn.state
    running = state.pauses[-1]
    _shift(turn, running, ((on or turn.today) - running.on).days)
    running.until = None
    state.paused = False
    if state.silence_told is not None and running.days:
        state.silence_told += timedelta(days=running.days)
    if state.last_life is not None:
        state.last_life += timedelta(days=running.days)
    turn.note("resumed")


def _shift(turn: Turn, running: PauseSpan, days: int) -> None:
    """Make a pause `days` long instead of what it was, and move everything not yet done."""
    state = turn.state
    delta = days - running.days
    running.days = days
    if delta == 0:
        return
    for step in state.open_asks():
        closes = step.closes
        plan.shift_open(step, running.on, delta)
        if step.closes != closes:
            _move_requests(turn, step)
            turn.record(step)
    if state.seat_wait_until is not None:
        state.seat_wait_until += timedelta(days=delta)
    replan(turn)


def _move_requests(turn: Turn, step: Step) -> None:
    state = turn.state
    if step.closes is None:
        return
    waiting = (
        state.agreement.turns.items()
        if step.name == "agreement"
        else [(person, step.number) for person in step.asked]
    )
    for person, number in waiting:
        key = request_key(state.cohort, state.key, step.name, number, person)
        turn.do(MoveRequest(key, step.closes, state.ended(step.closes)))


# -- longer ----------------------------------------------------------------------------------------------------


def extend(turn: Turn, weeks: int) -> None:
    """E moves later by whole weeks, and M if it is still ahead; an open closure form comes again."""
    state = turn.state
    ahead = state.midpoint > turn.today
    state.raw_end += timedelta(weeks=weeks)
    if ahead:
        state.raw_midpoint = state.raw_start + timedelta(days=(state.raw_end - state.raw_start).days // 2)
    state.ready_to_close = False
    for step in state.steps:
        if step.name == "closure" and step.state in ("open", "settled"):
            for person in step.asked:
                turn.end_request(step, person, "withdrawn")
            turn.skip(step, "extended")
    turn.note("extended", detail=f"{weeks}w")
    replan(turn)


# -- people ----------------------------------------------------------------------------------------------------


def join(turn: Turn, person: str, role: Role, zone: str) -> None:
    """A newcomer is offered a seat: invitation with a fresh window, the plan's dates stay."""
    newcomer = Member(person, role, zone)
    turn.state.members.append(newcomer)
    turn.note("joined", person)
    onboarding.invite(turn, newcomer)


def welcomed(turn: Turn, person: str) -> None:
    """A newcomer to a running mentorship accepted: introduction for everyone, and a new agreement."""
    state = turn.state
    turn.tell(state.active(), "introduction", number=turn.count("introduction") + 1, about=person)
    step = expectations.current(state)
    if step is not None:
        expectations.drop_turns(turn, step)
        turn.skip(step, "somebody new has joined")
    expectations.reopen(turn)


def take_out(turn: Turn, person: str) -> None:
    """Somebody's seat is theirs no longer: no further mail to them; the rest may now be complete."""
    state = turn.state
    member = state.member(person)
    assert member is not None
    member.standing = "out"
    turn.record_member(member)
    expectations.withdrawn(turn, person)
    for step in state.open_asks():
        if person in step.asked and step.name != "agreement":
            if person not in step.answered:
                turn.end_request(step, person, "withdrawn")
            step.asked.remove(person)
            if person in step.answered:
                step.answered.remove(person)


def leave(turn: Turn, person: str) -> None:
    """A person's own withdrawal: at once for them; a task asks a coordinator about the rest."""
    state = turn.state
    known = state.onboarded and state.start <= turn.today
    take_out(turn, person)
    turn.note("left", person)
    rest = state.active()
    if not state.onboarded:
        tasks.open_task(turn, "seat_empty", "Somebody withdrew before the start.", [person])
        return
    if known:
        turn.tell(rest, "partner_left", number=turn.count("partner_left"), kind="urgent", about=person)
    if not rest:
        closure.end_early(turn, "left")
        return
    tasks.open_task(turn, "withdrawn", "Somebody has withdrawn; decide how the others go on.", [person])
    _small_group(turn)


def remove(turn: Turn, person: str) -> None:
    """A coordinator takes a member out of a group."""
    take_out(turn, person)
    turn.note("removed", person)
    onboarding.seats_checked(turn)
    _small_group(turn)


def _small_group(turn: Turn) -> None:
    state = turn.state
    mentees = [member.person for member in state.seats() if member.role == "mentee"]
    if state.format == "group" and len(mentees) == 1:
        tasks.open_task(turn, "small_group", "One mentee is left in the group.", mentees)


# -- smaller things --------------------------------------------------------------------------------------------


def nudge(turn: Turn) -> None:
    """The open requests go out again with the next letterbox (they count toward the three mails)."""
    keys = tuple(open_requests(turn.state))
    if keys:
        turn.do(Redeliver(keys, turn.count("nudge"), turn.at_once))
    turn.note("nudged", detail=str(len(keys)))


def open_requests(state: State) -> Iterable[str]:
    """Keys of the requests that wait for an answer."""
    for step in state.open_asks():
        if step.name == "agreement":
            for person, number in state.agreement.turns.items():
                yield request_key(state.cohort, state.key, step.name, number, person)
            continue
        for person in step.asked:
            if person not in step.answered:
                yield request_key(state.cohort, state.key, step.name, step.number, person)


def release(turn: Turn) -> None:
    """The hold after a safety report ends."""
    turn.state.held = False
    turn.note("released")


def cancel(turn: Turn) -> None:
    """The cohort is cancelled: everything stops. The one mail to each person comes from the cohort."""
    closure.stop_everything(turn, "cancelled")
    turn.state.held = False
    for kind in list(turn.state.tasks):
        tasks.close_task(turn, kind, "cancelled")
    closure.close(turn, "cancelled")
