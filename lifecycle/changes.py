"""Changing a mentorship while it runs (lifecycle 8). Every change is re-planning: the same builder, other dates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from lifecycle import plan, tasks
from lifecycle.build import replan
from lifecycle.commands import MoveRequest, Redeliver
from lifecycle.delivery.holds import STILL_PAUSED
from lifecycle.phases import check_ins, closure, expectations, onboarding
from lifecycle.state import Member, PauseSpan, State
from lifecycle.turn import Turn
from program.models import Program, Role

LONGEST_PAUSE = timedelta(days=3653)
"""A later end of a pause is a slip of the keyboard."""


# -- pause and resume ------------------------------------------------------------------------------------------


def pause(turn: Turn, until: date | None, since: date | None = None) -> None:
    """Nothing goes out and nothing falls due until `until`; what is not yet done lies later by as much.

    It begins today, or on the day `since` for which it was planned, however late that is noticed.

    Overlapping pauses merge: the later end counts. A pause without end has the end that it is given later.
    """
    state = turn.state
    on = since or turn.today
    running = state.pause
    if running is None:
        running = PauseSpan(on=on, days=0, started=state.running)
        state.pauses.append(running)
        state.paused = True
    elif until is not None and running.until is not None and until <= running.until:
        return turn.note("paused", detail=running.until.isoformat())
    running.until = until
    running.remind_on = None if until else _in_days(on, state.program.rules.open_pause_reminder)
    _shift(turn, running, (until - running.on).days if until else 0)
    return turn.note("paused", detail=until.isoformat() if until else "open")


def resume(turn: Turn, on: date | None = None) -> None:
    """The pause ends on this date, or today: what it had moved beyond that comes earlier again."""
    state = turn.state
    running = state.pauses[-1]
    _shift(turn, running, ((on or turn.today) - running.on).days)
    state.paused = False
    turn.note("resumed")


def remind_of_pause(turn: Turn) -> None:
    """A pause without end goes on: its coordinators are asked whether it still should."""
    state = turn.state
    running = state.pauses[-1]
    assert running.remind_on is not None
    running.remind_on = _in_days(running.remind_on, state.program.rules.open_pause_reminder)
    turn.tell(state.coordinators, STILL_PAUSED, number=turn.count(STILL_PAUSED), about=state.key)


def give_up_pausing(turn: Turn) -> None:
    """Nobody has ended a pause without end for so long that nobody will: the mentorship ends."""
    closure.end_early(turn, "inactive")


def _in_days(on: date, days: int) -> date | None:
    return on + timedelta(days=days) if days else None


def _shift(turn: Turn, running: PauseSpan, days: int) -> None:
    """Make a pause `days` long instead of what it was, and move everything not yet done."""
    state = turn.state
    delta, end = days - running.days, state.end
    running.days = days
    if delta == 0:
        return
    if state.end != end and state.schema >= 2:
        closure.wind_down_again(turn)
    for step in state.open_asks():
        plan.shift_open(step, delta)
        turn.record(step)
    if state.seat_wait_until is not None:
        state.seat_wait_until += timedelta(days=delta)
    move_windows(turn)
    replan(turn)


def move_windows(turn: Turn) -> None:
    """The windows that are open close at another moment than before: their dates or the zones have changed."""
    state = turn.state
    for step in state.open_asks():
        assert step.closes is not None
        turns = list(state.agreement.turns.items()) if step.name == "agreement" else [(p, None) for p in step.asked]
        for person, number in turns:
            key = state.request(step, person, number)
            turn.do(MoveRequest(key, step.closes, state.ended(step.closes)))
    if state.seat_wait_until is not None:
        onboarding.keep_open(turn)


# -- longer ----------------------------------------------------------------------------------------------------


def extend(turn: Turn, weeks: int) -> None:
    """E moves later by whole weeks; M too, as long as it and the midpoint form are still ahead."""
    state = turn.state
    ahead = _midpoint_ahead(turn)
    state.raw_end += timedelta(weeks=weeks)
    if ahead:
        state.raw_midpoint = state.raw_start + timedelta(days=(state.raw_end - state.raw_start).days // 2)
    closure.reopened(turn)
    turn.note("extended", detail=f"{weeks}w")
    replan(turn)


# -- another version of the program ----------------------------------------------------------------------------


def adopt(turn: Turn, program: Program, version: str) -> None:
    """What lies ahead follows another version of the program; what has begun stays as it was begun.

    So does E, unless it was extended beyond the new length: what people were given they keep.
    """
    state = turn.state
    times = len(state.program.phases.closure.winding_down)
    end, ahead = adopted_end(state, program), _midpoint_ahead(turn)
    later, moves = end > state.raw_end, end != state.raw_end
    state.program = program
    state.version = version
    if moves:
        state.raw_end = end
        half = state.raw_start + timedelta(days=(end - state.raw_start).days // 2)
        state.raw_midpoint = half if ahead else min(state.raw_midpoint, end)
    if state.running:
        check_ins.adopted(state, state.reached(turn.today))
    closure.adopted(state, times)
    if later:
        closure.reopened(turn)
    turn.note("adopted", detail=version[:12])
    replan(turn)


def adopted_end(state: State, program: Program) -> date:
    """E by another version of the program, before any pause was added."""
    end = state.raw_start + timedelta(days=program.length)
    extended = state.raw_end > state.raw_start + timedelta(days=state.program.length)
    return max(end, state.raw_end) if extended else end


def _midpoint_ahead(turn: Turn) -> bool:
    state = turn.state
    form = state.step("midpoint", 1)
    if state.pause and state.schema >= 2:
        ahead = state.midpoint >= state.reached(turn.today)
    else:
        ahead = state.midpoint > turn.today
    return ahead and (form is None or form.state == "planned")


# -- people ----------------------------------------------------------------------------------------------------


def join(turn: Turn, person: str, role: Role, zone: str) -> None:
    """A newcomer is offered a seat: invitation with a fresh window, the plan's dates stay."""
    newcomer = Member(person, role, zone or turn.state.zone)
    turn.state.members.append(newcomer)
    turn.state.end_proposed = {}
    turn.note("joined", person)
    onboarding.invite(turn, newcomer)


def take_out(turn: Turn, person: str) -> None:
    """Somebody's seat is theirs no longer: no further mail to them.

    What asks about a partner who is gone is asked no further.
    """
    state = turn.state
    member = state.member(person)
    assert member is not None
    took_part = member.standing == "accepted"
    member.standing = "out"
    turn.record_member(member)
    state.onboarded = state.running or (state.onboarded and state.complete())
    for step in state.open_asks():
        if person in step.asked:
            if person not in step.answered and step.name != "agreement":
                turn.end_request(step, person, "withdrawn")
            step.asked = [other for other in step.asked if other != person]
            step.answered = [other for other in step.answered if other != person]
            turn.record(step)
        if step.name in NEED_A_PARTNER and not state.complete():
            closure.withdraw(turn, step, "a partner is missing")
        elif step.name == "agreement" and took_part:
            expectations.withdrawn(turn, step, person)


NEED_A_PARTNER = ("introduction", "agreement", "fit_check", "check_in", "midpoint", "winding_down")
"""Steps that make no sense for somebody who is left alone."""


def replace(turn: Turn, person: str, newcomer: str, zone: str) -> None:
    """A newcomer is offered somebody's seat; who had it is out, if they are not already."""
    member = turn.state.member(person)
    assert member is not None
    if member.standing != "out":
        take_out(turn, person)
        turn.note("replaced", person)
    join(turn, newcomer, member.role, zone)


def leave(turn: Turn, person: str) -> None:
    """A person's own withdrawal: at once for them; a task asks a coordinator about the rest."""
    state = turn.state
    member = state.member(person)
    assert member is not None
    if state.closed:
        # Nothing is left but the follow-up.
        state.follow_up = [other for other in state.follow_up if other != person]
    took_part = state.running and member.standing == "accepted"
    take_out(turn, person)
    turn.note("left", person)
    if state.closed:
        return
    if took_part:
        number = turn.count("partner_left")
        turn.tell(state.active(), "partner_left", number=number, kind="urgent", about=person)
    _without(turn, person)
    if not state.closed and not state.early:
        seat_empty = not took_part and not state.complete("accepted", "invited")
        kind = "seat_empty" if seat_empty else "withdrawn"
        tasks.open_task(turn, kind, "Somebody has withdrawn; decide how the others go on.", [person])


def remove(turn: Turn, person: str) -> None:
    """A coordinator takes a member out of a group."""
    take_out(turn, person)
    turn.note("removed", person)
    _without(turn, person)


def _without(turn: Turn, person: str) -> None:
    """Somebody is gone: the mentorship may be over with it, or a group may have become too small."""
    state = turn.state
    member = state.member(person)
    if state.early or member is None:
        return
    if not (state.active() if state.running else state.seats()):
        return closure.end_early(turn, "left")
    mentees = [seat.person for seat in state.seats() if seat.role == "mentee"]
    if state.format == "group" and member.role == "mentee" and len(mentees) <= 1:
        reason = "One mentee is left in the group." if mentees else "No mentee is left in the group."
        tasks.open_task(turn, "small_group", reason, [person])
    return None


def propose_end(turn: Turn, person: str, reason: str) -> None:
    """Somebody wants to end. The engine ends nothing because one person said so: it takes everybody, or a
    coordinator."""
    state = turn.state
    state.end_proposed[person] = reason
    turn.note("end_proposed", person, reason)
    said = [state.end_proposed.get(other, "") for other in state.active()]
    task = state.tasks.get("help")
    if "" not in said:
        if task is not None and task.key == state.end_task:
            tasks.close_task(turn, "help", "end")
        return closure.end_early(turn, said[0] if len(set(said)) == 1 else "no_fault")
    tasks.open_task(turn, "help", "Somebody proposes to end this mentorship.", [person])
    if task is None:
        state.end_task = state.tasks["help"].key
    return None


def corrected(turn: Turn, person: str, by: str) -> None:
    """Mail reaches somebody again: the task that asked for it is done, unless it is about somebody else as well."""
    turn.note("corrected", person)
    task = turn.state.tasks.get("bounced")
    if task is None or person not in task.about:
        return
    task.about.remove(person)
    if not task.about:
        tasks.close_task(turn, "bounced", "correct", by)


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
                yield state.request(step, person, number)
            continue
        for person in step.asked:
            if person not in step.answered:
                yield state.request(step, person)


def release(turn: Turn) -> None:
    """The hold after a safety report ends, unless another report waits for its decision."""
    if not tasks.of_kind(turn.state, tasks.SAFETY):
        turn.state.held = False
        turn.note("released")


def cancel(turn: Turn) -> None:
    """The cohort is cancelled: everything stops. The one mail to each person comes from the cohort."""
    closure.close(turn, "cancelled")
