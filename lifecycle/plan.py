"""Building and rebuilding the plan. Pausing, extending and joining late are the same builder with other dates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from lifecycle.state import Phase, State, Step
from program.durations import StepDate
from program.models import Window


def ask(state: State, name: str, phase: Phase, number: int, window: Window, opens: date | None = None) -> Step:
    """A planned ask. A reminder whose date is on or after the closing date is not sent (lifecycle 3)."""
    first = opens or raw_date(state, window.opens)
    closes = first + timedelta(days=window.closes)
    reminders = (first + timedelta(days=days) for days in window.reminders)
    return Step(
        name=name,
        phase=phase,
        number=number,
        verb="ask",
        opens=first,
        reminders=tuple(day for day in reminders if day < closes),
        closes=closes,
    )


def tell(state: State, name: str, phase: Phase, number: int, on: StepDate) -> Step:
    """A planned tell."""
    return Step(name=name, phase=phase, number=number, verb="tell", opens=raw_date(state, on))


def raw_date(state: State, on: StepDate) -> date:
    """A step date before any pause was added."""
    return on.on(state.raw_start, state.raw_midpoint, state.raw_end)


def replan(state: State, fresh: Iterable[Step]) -> list[Step]:
    """Lay freshly built steps (in dates without pauses) over those that have begun; the new planned steps.

    What has begun keeps what happened to it; what lies ahead takes the new dates.
    """
    begun = {(step.name, step.number): step for step in state.steps if step.state != "planned"}
    steps = list(begun.values())
    planned: list[Step] = []
    for step in fresh:
        if (step.name, step.number) in begun:
            continue
        step.opens = state.moved(step.opens)
        step.reminders = tuple(state.moved(day) for day in step.reminders)
        step.closes = state.moved(step.closes) if step.closes else None
        planned.append(step)
    state.steps = sorted(steps + planned, key=lambda step: step.opens)
    return planned


def shift_open(step: Step, days: int) -> None:
    """Move what is left of an open window by whole days."""
    delta = timedelta(days=days)
    done, ahead = step.reminders[: step.reminded], step.reminders[step.reminded :]
    step.reminders = done + tuple(day + delta for day in ahead)
    assert step.closes is not None
    step.closes += delta
