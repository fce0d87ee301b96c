"""Closure: winding down, the closure form, the farewell, the ending, the follow-up (lifecycle 4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from lifecycle import expectations, plan, tasks
from lifecycle.commands import Finish
from lifecycle.findings import Findings
from lifecycle.state import State, Step
from lifecycle.turn import Turn

EARLY_REASONS = ("no_fault", "goals_reached", "left", "inactive", "safeguarding")
"""Reasons with which a mentorship can end early."""


def steps(state: State) -> list[Step]:
    """Winding down and the closure form; after an early end only the form, in its early wording."""
    phase = state.program.phases.closure
    if state.early:
        return _early_steps(state)
    found: list[Step] = []
    told = [step for step in state.steps if step.name == "winding_down" and step.state != "planned"]
    for on in phase.winding_down:
        date = plan.raw_date(state, on)
        if any(step.opens == state.moved(date) for step in told):
            continue
        number = len(told) + len(found) + 1
        found.append(plan.tell(state, "winding_down", "closure", number, on))
    begun = [step for step in state.steps if step.name == "closure" and step.state != "planned"]
    if not any(step.state in ("open", "settled") for step in begun):
        found.append(plan.ask(state, "closure", "closure", len(begun) + 1, phase.window))
    return found


def _early_steps(state: State) -> list[Step]:
    asked = [person for person in state.active() if person not in state.spared]
    if not asked or any(step.early and step.state != "planned" for step in state.steps):
        return []
    window = state.program.phases.closure.window
    number = state.last_number("closure") + (0 if any(step.early for step in state.steps) else 1)
    step = plan.ask(state, "closure", "closure", number, window, state.raw_end + timedelta(days=1))
    step.early = True
    step.asked = asked
    return [step]


def settled(turn: Turn, findings: Findings) -> None:
    """The closure form is in, or its window is over. The farewell waits for the end date."""
    turn.state.ready_to_close = True
    turn.state.follow_up = list(findings.follow_up)
    for person in findings.would_mentor:
        turn.note("would_mentor", person)


def say_farewell(turn: Turn) -> None:
    """The mentorship is closed and its record final; who opted in is asked once more, much later."""
    state = turn.state
    turn.tell(state.active(), "farewell", after_end=True, about=state.reason)
    step = max((s for s in state.steps if s.name == "closure"), key=lambda s: s.number, default=None)
    answered, asked = (len(step.answered), len(step.asked)) if step else (0, 0)
    if state.early:
        ending = "ended_early"
    elif answered == 0:
        ending = "completed_silent"
    else:
        ending = "completed" if answered == asked else "completed_partial"
    close(turn, ending, state.reason)
    follow_up = state.program.phases.closure.follow_up
    if follow_up is not None and state.follow_up:
        opens = state.end + timedelta(days=follow_up.window.opens.offset)
        asked_again = plan.ask(state, "follow_up", "closed", 1, follow_up.window, opens)
        asked_again.asked = [person for person in state.follow_up if person in state.active()]
        state.steps.append(asked_again)
        turn.record(asked_again)


def end_early(turn: Turn, reason: str, concerned: Iterable[str] = ()) -> None:
    """E becomes today; the closure form opens tomorrow in its early wording; there is no winding down.

    Nobody whom a `safeguarding` or `left` ending concerns is sent a closure form; where it isn't said whom
    a safeguarding ending concerns, nobody is.
    """
    state = turn.state
    if not state.onboarded:
        return never_started(turn, reason)
    state.early = True
    state.reason = reason
    state.raw_start, state.raw_midpoint = state.start, min(state.midpoint, turn.today)
    state.raw_end = turn.today
    state.pauses.clear()
    state.paused = False
    state.silence_armed = False
    state.silence_told = None
    turn.note("ending_early", detail=reason)
    state.steps = [step for step in state.steps if not (step.name == "closure" and step.state == "planned")]
    stop_everything(turn, "ended early")
    state.spared = list(concerned)
    if reason == "safeguarding" and not state.spared:
        state.spared = state.active()
    state.phase = "closure"
    forms = _early_steps(state)
    state.steps += forms
    for step in forms:
        turn.record(step)
    state.ready_to_close = not forms
    return None


def never_started(turn: Turn, reason: str) -> None:
    """The mentorship never starts; those who had accepted are told."""
    state = turn.state
    turn.tell(state.active(), "not_starting", after_end=True)
    stop_everything(turn, "never started")
    close(turn, "never_started", reason)


def stop_everything(turn: Turn, why: str) -> None:
    """Nothing of the plan goes on: open requests are withdrawn, planned steps left out."""
    state = turn.state
    for step in state.steps:
        if step.state == "open" and step.verb == "ask":
            if step.name == "agreement":
                expectations.drop_turns(turn, step, "withdrawn")
            else:
                for person in step.asked:
                    if person not in step.answered:
                        turn.end_request(step, person, "withdrawn")
            turn.skip(step, why)
        elif step.state == "planned":
            turn.skip(step, why)


def close(turn: Turn, ending: str, reason: str = "") -> None:
    """The record becomes final. Open tasks lapse, except a safety report, which somebody must decide."""
    state = turn.state
    for kind in list(state.tasks):
        if kind != "safety":
            tasks.close_task(turn, kind, "lapsed")
    for step in state.open_asks():
        turn.skip(step, "over")
    state.ending = ending
    state.reason = reason
    state.phase = "closed"
    state.closed = True
    turn.do(Finish(ending, reason, turn.today))
