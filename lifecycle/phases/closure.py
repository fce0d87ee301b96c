"""Closure: winding down, the closure form, the farewell, the ending, the follow-up (lifecycle 4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from lifecycle import plan, tasks
from lifecycle.commands import Finish, Withhold
from lifecycle.findings import Findings
from lifecycle.phases import expectations
from lifecycle.state import State, Step
from lifecycle.turn import Turn

WOUND_DOWN = "winding_down_again"
"""Counts how often the end moved after the winding down had begun."""

TRANSFERRED = "transferred"
"""The people go on in another mentorship: this one closes at once, and they look back at the end of the other."""

EARLY_REASONS = ("no_fault", "goals_reached", "left", "inactive", "safeguarding", TRANSFERRED)
"""Reasons with which a mentorship can be ended before its time."""


def steps(state: State, since: date | None = None) -> list[Step]:
    """Winding down and the closure form. Where the plan is rebuilt: no winding down before `since`."""
    phase = state.program.phases.closure
    again = state.counts.get(WOUND_DOWN, 0)
    found: list[Step] = []
    for which, on in enumerate(phase.winding_down, start=1):
        step = plan.tell(state, "winding_down", "closure", again * len(phase.winding_down) + which, on)
        if again and state.schema >= 2:
            # Counted from E as it is now: a pause lies between the date on which it was told and that E.
            step.opens = state.unmoved(on.on(state.start, state.midpoint, state.end))
        if since is None or state.moved(step.opens) >= since:
            found.append(step)
    begun = [step for step in state.steps if step.name == "closure" and step.state != "planned"]
    # One that was left out, for its window was past, is not planned once more.
    if not state.ready_to_close and all(step.state == "skipped" for step in begun):
        found.append(plan.ask(state, "closure", "closure", len(begun) + 1, phase.window))
    return found


def which_winding_down(state: State, step: Step) -> int:
    """1 for the first, 2 for the second, also when the end has moved and they come again."""
    return (step.number - 1) % len(state.program.phases.closure.winding_down) + 1


def forms_out(state: State) -> list[Step]:
    """The closure form that people have in hand, if it is out; none where it was withdrawn."""
    return [step for step in state.steps if step.name == "closure" and step.state in ("open", "settled")]


def nobody_joins(turn: Turn) -> None:
    """The closure form goes out: an invitation that is still open comes to nothing."""
    for step in turn.state.open_asks():
        if step.name == "invitation":
            withdraw(turn, step, "the closure form is out")


def may_be_asked(state: State, step: Step) -> list[str]:
    """Ids of those who get the closure form, or the follow-up."""
    if step.name == "follow_up":
        return [person for person in state.active() if person in state.follow_up]
    return [person for person in state.active() if person not in state.spared]


def reopened(turn: Turn) -> None:
    """The end was moved by hand: an open closure form is withdrawn, and it and the winding down come again."""
    state = turn.state
    state.ready_to_close = False
    wind_down_again(turn)
    for step in forms_out(state):
        for person in step.asked:
            turn.end_request(step, person, "withdrawn")
        turn.skip(step, "extended")


def wind_down_again(turn: Turn) -> None:
    """E is another date now: what was told of the old one comes again, as far as its new dates are ahead."""
    state = turn.state
    told = [step.number for step in state.steps if step.name == "winding_down" and step.state == "settled"]
    times = len(state.program.phases.closure.winding_down)
    again = state.counts.get(WOUND_DOWN, 0)
    if again and state.end == state.wound_down_for and max(told, default=0) <= again * times:
        # A pause was taken back: E is what everybody was told.
        state.counts[WOUND_DOWN] = again - 1
        return
    while times and told and max(told) > state.counts.get(WOUND_DOWN, 0) * times:
        turn.count(WOUND_DOWN)


def adopted(state: State, times: int) -> None:
    """Another version of the program winds down in another number of steps than `times`: those of an end that has
    moved since keep their numbers."""
    now, moved = len(state.program.phases.closure.winding_down), state.counts.get(WOUND_DOWN, 0)
    if now and moved:
        state.counts[WOUND_DOWN] = -(-moved * times // now)


def settled(turn: Turn, step: Step, findings: Findings) -> None:
    """The closure form is in, or its window is over. The farewell waits for the end date."""
    state = turn.state
    state.ready_to_close = True
    before = [person for person in state.follow_up if person not in step.asked]
    state.follow_up = [*before, *findings.follow_up]
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
    asked_again = follow_up(state)
    if asked_again is not None and state.follow_up:
        state.steps.append(asked_again)
        turn.record(asked_again)


def follow_up(state: State) -> Step | None:
    """The form for those who opted in, long after the end, where the program has one; planned at the farewell."""
    form = state.program.phases.closure.follow_up
    if form is None:
        return None
    opens = state.moved(plan.raw_date(state, form.window.opens))
    return plan.ask(state, "follow_up", "closed", 1, form.window, opens)


def end_early(turn: Turn, reason: str, concerned: Sequence[str] = ()) -> None:
    """E becomes today; the closure form opens tomorrow in its early wording; there is no winding down.

    Nobody whom a `safeguarding` or `left` ending concerns is sent a closure form; where it isn't said whom
    a safeguarding ending concerns, nobody is. A person who has filled one in already is not asked again.
    """
    state = turn.state
    if reason == TRANSFERRED:
        return transferred(turn)
    if not state.running:
        return never_started(turn, reason)
    turn.note("ending_early", detail=reason)
    have_said = [person for step in forms_out(state) for person in step.answered]
    state.steps = [step for step in state.steps if not (step.name == "closure" and step.state == "planned")]
    stop_everything(turn, "ended early")
    tasks.close_task(turn, "seat_empty", "lapsed")
    state.early = True
    state.reason = reason
    state.raw_start, state.raw_midpoint = (min(on, turn.today) for on in (state.start, state.midpoint))
    state.raw_end = turn.today
    state.pauses.clear()
    state.paused = False
    state.pause_ahead = None
    state.seat_wait_until = None
    state.silence_armed = False
    state.silence_told = None
    state.phase = "closure"
    state.spared = [*concerned, *have_said]
    if reason == "safeguarding" and not concerned:
        state.spared = state.active()
    number = state.last_number("closure") + 1
    opens = state.raw_end + timedelta(days=1)
    form = plan.ask(state, "closure", "closure", number, state.program.phases.closure.window, opens)
    form.early = True
    state.ready_to_close = not may_be_asked(state, form)
    if not state.ready_to_close:
        state.steps.append(form)
        turn.record(form)
    return None


def never_started(turn: Turn, reason: str) -> None:
    """The mentorship never starts; those who had accepted are told."""
    turn.tell(turn.state.active(), "not_starting", after_end=True)
    close(turn, "never_started", reason)


def transferred(turn: Turn) -> None:
    """The people go on in another mentorship; nobody is asked to look back in the middle of it."""
    turn.tell(turn.state.active(), TRANSFERRED, after_end=True)
    close(turn, TRANSFERRED)


def stop_everything(turn: Turn, why: str) -> None:
    """Nothing of the plan goes on: open requests are withdrawn, planned steps left out, findings wait for nobody."""
    for step in turn.state.steps:
        step.assessing = False
        if step.state == "open":
            withdraw(turn, step, why)
        elif step.state == "planned":
            turn.skip(step, why)


def withdraw(turn: Turn, step: Step, why: str) -> None:
    """An ask that is open goes no further; nobody is waited for."""
    if step.name == "agreement":
        expectations.drop_turns(turn, step, "withdrawn")
    else:
        for person in step.asked:
            if person not in step.answered:
                turn.end_request(step, person, "withdrawn")
    turn.skip(step, why)


def withhold(turn: Turn) -> None:
    """A report came before the end, and nothing of what was held goes out any more, the follow-up included."""
    turn.do(Withhold())
    turn.note("withheld")
    stop_everything(turn, "withheld")


def close(turn: Turn, ending: str, reason: str = "") -> None:
    """The record becomes final. Open tasks lapse, except where a person waits for a word from a coordinator."""
    state = turn.state
    stop_everything(turn, "over")
    state.ending = ending
    state.reason = reason
    state.phase = "closed"
    state.closed = True
    tasks.mentorship_closed(turn)
    state.paused = False
    state.pause_ahead = None
    state.seat_wait_until = None
    turn.do(Finish(ending, reason, turn.today))
