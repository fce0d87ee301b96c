"""What falls due, and when: every moment that a mentorship waits for is named here, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from lifecycle import changes, pauses, steps, tasks
from lifecycle.local_time import begins, begins_for, ended_for
from lifecycle.phases import check_ins, closure, onboarding
from lifecycle.state import PauseSpan, State, Step
from lifecycle.turn import Turn

Due = tuple[datetime, int, Callable[[Turn], None]]

CLOSE, PAUSE, TASK, OPEN, REMIND = range(5)
"""Order of what falls due at the same instant: what ends comes before what begins, and a planned pause before what it
keeps back."""


def falls_due(state: State) -> Iterator[Due]:
    """Everything that waits for its moment: the instant (UTC), its rank among what falls due then, what happens."""
    if state.tasks:
        yield from _tasks_due(state)
    if state.pause_ahead is not None:
        yield begins(state.pause_ahead.on, state.zone), PAUSE, pauses.begin
    pause = state.pause
    if pause is not None:
        yield from _pause_due(state, pause)
        return
    zones = state.zones()
    if state.seat_wait_until is not None:
        yield ended_for(state.seat_wait_until, zones), CLOSE, onboarding.waited
    if not state.onboarded and not state.closed:
        yield from _onboarding_due(state, zones)
        return
    yield from _steps_due(state.steps, zones)
    if state.closed:
        return
    silence = check_ins.silence_date(state)
    if silence is not None:
        yield begins_for(silence, zones), OPEN, check_ins.last_call
    inactive = check_ins.inactive_date(state)
    if inactive is not None:
        yield ended_for(inactive, zones), CLOSE, partial(closure.end_early, reason="inactive")
    if state.ready_to_close:
        yield begins_for(state.end, zones), OPEN, closure.say_farewell


def _pause_due(state: State, pause: PauseSpan) -> Iterator[Due]:
    if pause.until is not None:
        yield state.begins(pause.until), CLOSE, partial(changes.resume, on=pause.until)
        return
    longest = pause.on + timedelta(days=state.program.rules.open_pause_at_most)
    yield begins(longest, state.zone), CLOSE, changes.give_up_pausing
    if pause.remind_on is not None:
        yield begins(pause.remind_on, state.zone), TASK, changes.remind_of_pause


def _onboarding_due(state: State, zones: tuple[str, ...]) -> Iterator[Due]:
    yield from _steps_due([step for step in state.steps if step.name == "invitation"], zones)
    task = state.tasks.get("seat_empty")
    if task is not None:
        yield ended_for(onboarding.give_up_on(state, task), zones), CLOSE, onboarding.give_up


def _tasks_due(state: State) -> Iterator[Due]:
    for task in state.tasks.values():
        repeat_on = tasks.repeat_date(task)
        if repeat_on is not None:
            yield begins(repeat_on, state.zone), TASK, partial(tasks.repeat, task=task)
        if not task.escalated and state.deputies:
            yield begins(tasks.deputy_date(state, task), state.zone), TASK, partial(tasks.escalate, task=task)


def _steps_due(plan: list[Step], zones: tuple[str, ...]) -> Iterator[Due]:
    """What the open steps wait for, and the opening of the planned step that comes next."""
    upcoming: Step | None = None
    for step in plan:
        if step.state == "planned":
            if upcoming is None or step.opens < upcoming.opens:
                upcoming = step
        elif step.state == "open" and step.closes is not None:
            yield ended_for(step.closes, zones), CLOSE, partial(steps.settle, step=step)
            if step.reminded < len(step.reminders):
                yield begins_for(step.reminders[step.reminded], zones), REMIND, partial(steps.remind, step=step)
    if upcoming is not None:
        yield begins_for(upcoming.opens, zones), OPEN, partial(steps.open_step, step=upcoming)
