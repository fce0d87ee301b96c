"""Pauses that begin later, and what the others are told of a pause (lifecycle 8).

A planned pause changes no date until it begins; then it is a pause as if somebody had given it on that day.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import date

from lifecycle import changes
from lifecycle.delivery.holds import PARTNER_PAUSED
from lifecycle.events import Pause
from lifecycle.local_time import begins
from lifecycle.state import PlannedPause, State
from lifecycle.turn import Turn


def given(turn: Turn, event: Pause) -> None:
    """Somebody pauses: at once, or from a later date on."""
    state = turn.state
    if event.begins is None or event.begins <= turn.today:
        changes.pause(turn, event.until)
        running = state.pause
        assert running is not None
        span = PlannedPause(running.on, running.until)
    else:
        span = planned_with(state, event.begins, event.until)
        state.pause_ahead = span
        turn.note("pause_planned", detail=span.words)
    if event.tell:
        others = [person for person in state.active() if person != event.by]
        number = turn.count(PARTNER_PAUSED)
        turn.tell(others, PARTNER_PAUSED, number=number, kind="urgent", about=span.words)


def planned_with(state: State, on: date, until: date | None) -> PlannedPause:
    """A planned pause together with the one that is planned already, if that touches it; by the rules for pauses that
    run: the later end counts, and a pause without end has the end that it is given later."""
    other = state.pause_ahead
    if other is None or not touches(other, on, until):
        return PlannedPause(on, until)
    end = max(until, other.until) if until and other.until else until
    return PlannedPause(min(on, other.on), end)


def touches(planned: PlannedPause, on: date, until: date | None) -> bool:
    """Whether a pause overlaps a planned one, or one begins on the day on which the other ends."""
    return (planned.until is None or on <= planned.until) and (until is None or planned.on <= until)


def begin(turn: Turn) -> None:
    """The day of a planned pause has come."""
    planned = turn.state.pause_ahead
    assert planned is not None
    turn.state.pause_ahead = None
    changes.pause(turn, planned.until, planned.on)


def take_back(turn: Turn) -> None:
    """A planned pause does not come."""
    planned = turn.state.pause_ahead
    assert planned is not None
    turn.state.pause_ahead = None
    turn.note("pause_taken_back", detail=planned.words)


def as_begun(state: State) -> State:
    """The state as it would be if its planned pause began, so that it can be said beforehand what will move.

    What opens before that day has opened by then, and what closes before it is left where it is.
    """
    found = deepcopy(state)
    planned = found.pause_ahead
    if planned is None:
        return found
    for step in found.steps:
        if step.state == "open" or (step.state == "planned" and step.opens < planned.on):
            step.state = "settled" if step.closes is None or step.closes < planned.on else "open"
    if found.pause is not None and (over := found.pause.until) is not None and over < planned.on:
        found.paused = False
    begin(Turn(found, begins(planned.on, found.zone)))
    return found
