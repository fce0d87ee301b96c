"""What falls due, and when: every moment that a mentorship waits for is named here, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial

from lifecycle import changes, pauses, steps, tasks
from lifecycle.local_time import begins
from lifecycle.phases import check_ins, closure, onboarding
from lifecycle.state import PauseSpan, State, Step
from lifecycle.turn import Turn

Due = tuple[datetime, int, Callable[[Turn], None]]

CLOSE, PAUSE, TASK, OPEN, REMIND = range(5)
"""Order of what falls due at the same instant: what ends comes before what begins, and a planned pause before what it
keeps back."""


def first_due(state: State, until: date = date.max) -> Due | None:
    """What falls due next: the instant (UTC), its rank among what falls due then, what happens. None where nothing
    waits for a moment. What bears a later date than `until` may be left out."""
    first: Due | None = None
    for due in _falls_due(state, until):
        if first is None or due[0] < first[0] or (due[0] == first[0] and due[1] < first[1]):
            first = due
    return first


def _falls_due(state: State, until: date) -> Iterator[Due]:
    """Everything that waits for its moment, without the steps and tasks that bear a later date than `until`: most of
    them do, and their instants need not be looked up."""
    if state.tasks:
        yield from _tasks_due(state, until)
    if state.pause_ahead is not None:
        yield begins(state.pause_ahead.on, state.zone), PAUSE, pauses.begin
    pause = state.pause
    if pause is not None:
        yield from _pause_due(state, pause)
        return
    if state.seat_wait_until is not None:
        yield state.ended(state.seat_wait_until), CLOSE, onboarding.waited
    if not state.onboarded and not state.closed:
        yield from _onboarding_due(state, until)
        return
    yield from _steps_due(state, state.steps, until)
    if state.closed:
        return
    silence = check_ins.silence_date(state)
    if silence is not None:
        yield state.begins(silence), OPEN, check_ins.last_call
    inactive = check_ins.inactive_date(state)
    if inactive is not None:
        yield state.ended(inactive), CLOSE, partial(closure.end_early, reason="inactive")
    if state.ready_to_close:
        yield state.begins(state.end), OPEN, closure.say_farewell


def _pause_due(state: State, pause: PauseSpan) -> Iterator[Due]:
    if pause.until is not None:
        yield state.begins(pause.until), CLOSE, partial(changes.resume, on=pause.until)
        return
    longest = pause.on + timedelta(days=state.program.rules.open_pause_at_most)
    yield begins(longest, state.zone), CLOSE, changes.give_up_pausing
    if pause.remind_on is not None:
        yield begins(pause.remind_on, state.zone), TASK, changes.remind_of_pause


def _onboarding_due(state: State, until: date) -> Iterator[Due]:
    yield from _steps_due(state, [step for step in state.steps if step.name == "invitation"], until)
    task = state.tasks.get("seat_empty")
    if task is not None:
        yield state.ended(onboarding.give_up_on(state, task)), CLOSE, onboarding.give_up


def _tasks_due(state: State, until: date) -> Iterator[Due]:
    for task in state.tasks.values():
        if task.due > until:
            continue  # Both of what follows come on its due date or later.
        repeat_on = tasks.repeat_date(task)
        if repeat_on is not None:
            yield begins(repeat_on, state.zone), TASK, partial(tasks.repeat, task=task)
        if not task.escalated and state.deputies:
            yield begins(tasks.deputy_date(state, task), state.zone), TASK, partial(tasks.escalate, task=task)


def _steps_due(state: State, plan: list[Step], until: date) -> Iterator[Due]:
    """What the open steps wait for, and the opening of the planned step that comes next."""
    upcoming: Step | None = None
    for step in plan:
        if step.state == "planned":
            if step.opens <= until and (upcoming is None or step.opens < upcoming.opens):
                upcoming = step
        elif step.state == "open" and step.closes is not None:
            if step.closes <= until:
                yield state.ended(step.closes), CLOSE, partial(steps.settle, step=step)
            if step.reminded < len(step.reminders) and (on := step.reminders[step.reminded]) <= until:
                yield state.begins(on), REMIND, partial(steps.remind, step=step)
    if upcoming is not None:
        yield state.begins(upcoming.opens), OPEN, partial(steps.open_step, step=upcoming)
