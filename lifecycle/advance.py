"""The only way a state changes: `advance(state, event, now)`. And what comes next: `next_moment(state)`."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from lifecycle.build import build
from lifecycle.commands import Command, Refuse
from lifecycle.events import Event
from lifecycle.handlers import happen
from lifecycle.local_time import begun_somewhere
from lifecycle.refusals import refusal
from lifecycle.state import SCHEMA, Member, State
from lifecycle.timers import first_due
from lifecycle.turn import Turn
from program.models import Program

SEEN_AT_MOST = 200
"""Event ids that are remembered, so that a repeated event changes nothing."""


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
    schema: int = SCHEMA,
) -> State:
    """A new mentorship with its whole plan. Dates are calendar dates, `zone` the cohort's IANA zone; `schema` says by
    which rules it lives (`lifecycle.state.SCHEMA`)."""
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
        schema=schema,
    )
    state.steps = sorted(build(state), key=lambda step: step.opens)
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
            happen(turn, event)
            run_due(turn)
    return turn.commands


def next_moment(state: State) -> datetime | None:
    """The instant (UTC) at which something falls due next; None when only an event can change anything."""
    due = first_due(state)
    return due[0] if due else None


def run_due(turn: Turn) -> None:
    """Everything that has fallen due, in the order in which it fell due, each once (lifecycle 2.9)."""
    begun = begun_somewhere(turn.now)
    while (due := first_due(turn.state, begun)) and due[0] <= turn.now:
        due[2](turn)


def _plan_recorded(turn: Turn) -> None:
    """The first turn puts the whole plan on the record."""
    turn.state.last_life = turn.now
    for step in turn.state.steps:
        turn.record(step)
