"""How a step goes: it opens, it reminds, it settles, and its findings come in. What follows then is for its phase."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from lifecycle import changes, decisions
from lifecycle.delivery import notices
from lifecycle.findings import Findings
from lifecycle.phases import check_ins, closure, expectations, onboarding
from lifecycle.state import State, Step
from lifecycle.turn import Turn


def open_step(turn: Turn, step: Step) -> None:
    """A step's date begins: everyone is told, or everyone is asked. What can't be any more is left out."""
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
        if step.name == "winding_down":
            state.wound_down_for = state.end
        which = closure.which_winding_down(state, step) if step.name == "winding_down" else None
        return turn.tell(
            state.active(), step.name, number=step.number, on=step.opens, which=which, about=_about(state, step)
        )
    step.asked = _whom(state, step)
    if not step.asked:
        return _leave_out(turn, step, "there is nobody to ask")
    step.state = "open"
    if step.name == "closure":
        closure.nobody_joins(turn)
    turn.record(step)
    if step.name == "agreement":
        return expectations.open_agreement(turn, step)
    for person in step.asked:
        turn.ask_one(step, person, on=step.opens)
    return None


def _about(state: State, step: Step) -> str | Callable[[str], str]:
    """What a notice of the plan is queued for, so that it can be seen at delivery whether it still holds."""
    if step.name == "winding_down":
        return state.end.isoformat()
    return partial(notices.partners_of, state)


def _whom(state: State, step: Step) -> list[str]:
    if step.name == "invitation":
        invited = [person for other in state.steps if other.name == "invitation" for person in other.asked]
        return [seat.person for seat in state.seats() if seat.person not in invited]
    return closure.may_be_asked(state, step) if step.name in ("closure", "follow_up") else state.active()


def _leave_out(turn: Turn, step: Step, why: str) -> None:
    turn.skip(step, why)
    if step.name == "closure":
        turn.state.ready_to_close = True


def remind(turn: Turn, step: Step) -> None:
    """The next reminder date of an open ask: a person who has not answered gets a reminder."""
    on = step.reminders[step.reminded]
    step.reminded += 1
    if step.name == "agreement":
        expectations.remind(turn, step, step.reminded, on)
        return
    for person in step.asked:
        if person not in step.answered:
            turn.remind(step, person, step.reminded, on)


def settle(turn: Turn, step: Step) -> None:
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


def settle_if_complete(turn: Turn, step: Step) -> None:
    """An open ask ends as soon as everyone has answered."""
    if step.state != "open" or step.name == "agreement":
        return
    if not step.asked:
        _leave_out(turn, step, "nobody is left to answer")
    elif all(person in step.answered for person in step.asked):
        settle(turn, step)


def assessed(turn: Turn, step: Step, findings: Findings) -> None:
    """The answers of a settled ask have been read: its phase says what follows."""
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
        decisions.midpoint_settled(turn, step, findings)
    elif step.name == "closure":  # pragma: no branch
        closure.settled(turn, step, findings)
