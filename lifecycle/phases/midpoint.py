"""Midpoint: each says how to go on, and the matrix decides (lifecycle 4 and 6)."""

from __future__ import annotations

from lifecycle import changes, plan, tasks
from lifecycle.findings import Findings
from lifecycle.phases import closure, expectations
from lifecycle.state import State, Step
from lifecycle.turn import Turn


def steps(state: State) -> list[Step]:
    """The re-evaluation, where the program has one."""
    phase = state.program.phases.midpoint
    return [] if phase is None else [plan.ask(state, "midpoint", "midpoint", 1, phase.window)]


def settled(turn: Turn, findings: Findings) -> None:
    """The decision of the matrix takes effect. The engine never ends a pair because one person said so."""
    turn.note("midpoint_decided", detail=findings.midpoint)
    if findings.reason:
        tasks.open_task(turn, "midpoint", findings.reason, findings.concerned)
    match findings.midpoint:
        case "reopen_agreement":
            expectations.reopen(turn)
        case "pause":
            until = findings.pause_until
            # Whoever answers early may name a day that is past when the ask ends.
            if until is not None and until > turn.today:
                changes.pause(turn, min(until, turn.today + changes.LONGEST_PAUSE))
        case "end":
            closure.end_early(turn, "no_fault")
        case "are_you_there":
            expectations.are_you_there(turn)
        case _:
            pass
