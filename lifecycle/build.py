"""Building the whole plan, phase by phase, and rebuilding it after a change: the same builder with other dates."""

from __future__ import annotations

from datetime import date

from lifecycle import plan
from lifecycle.phases import check_ins, closure, expectations, midpoint, onboarding
from lifecycle.state import State, Step
from lifecycle.turn import Turn


def build(state: State, since: date | None = None) -> list[Step]:
    """All steps of the plan, in dates without pauses, phase by phase.

    Where the plan is rebuilt, what it lacked so far and what would have had to happen before `since` stays out.
    """
    return [
        *onboarding.steps(state),
        *expectations.steps(state),
        *check_ins.steps(state, since),
        *midpoint.steps(state),
        *closure.steps(state, since),
    ]


def replan(turn: Turn) -> None:
    """Rebuild the plan, keep what has begun, and record what moved."""
    state = turn.state
    before = {(step.name, step.number): step for step in state.steps if step.state == "planned"}
    reached = state.reached(turn.today)
    for step in plan.replan(state, build(state, reached if state.running else None)):
        was = before.pop((step.name, step.number), None)
        if was is None or (was.opens, was.closes) != (step.opens, step.closes):
            turn.record(step)
    for step in before.values():
        turn.skip(step, "no longer in the plan")
