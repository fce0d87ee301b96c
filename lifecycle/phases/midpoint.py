"""Midpoint: each says how to go on, and the matrix decides (lifecycle 4 and 6; `lifecycle.decisions`)."""

from __future__ import annotations

from lifecycle import plan
from lifecycle.state import State, Step


def steps(state: State) -> list[Step]:
    """The re-evaluation, where the program has one."""
    phase = state.program.phases.midpoint
    return [] if phase is None else [plan.ask(state, "midpoint", "midpoint", 1, phase.window)]
