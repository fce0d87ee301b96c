"""What a coordinator's decision of a task does (lifecycle 7). A task never ends anything by itself."""

from __future__ import annotations

from lifecycle import changes, tasks
from lifecycle.events import Decided
from lifecycle.phases import closure, expectations, onboarding
from lifecycle.state import State, Task
from lifecycle.turn import Turn

ENDS_AS: dict[str, str] = {
    "safety": "safeguarding",
    "silent": "inactive",
    "withdrawn": "left",
    "small_group": "left",
    "bounced": "left",
}
"""Kind of task to the reason with which its decision `end` ends a running mentorship; otherwise `no_fault`."""

SEAT_IS_CLEAR = ("seat_empty", "withdrawn", "small_group")
"""Kinds of task that are about one person's seat: `replace` need not say whose it is."""


def task_of(state: State, key: str) -> Task | None:
    """The open task of this key."""
    return next((task for task in state.tasks.values() if task.key == key), None)


def seat_of(task: Task, event: Decided) -> str:
    """Whose seat a newcomer takes; empty where neither the decision nor the task says so."""
    clear = task.kind in SEAT_IS_CLEAR and len(task.about) == 1
    return event.person or (task.about[0] if clear else "")


def decide(turn: Turn, event: Decided) -> None:
    """Close the task and do what the decision says. The refusals have been checked before."""
    state = turn.state
    task = task_of(state, event.task)
    if task is None:
        return
    tasks.close_task(turn, task.kind, event.decision, event.by)
    if task.kind == "safety":
        changes.release(turn)
    if task.kind == "help":
        state.end_proposed = {}
    match event.decision:
        case "wait":
            onboarding.wait(turn)
        case "nudge":
            changes.nudge(turn)
        case "pause":
            changes.pause(turn, event.until)
        case "replace":
            changes.replace(turn, seat_of(task, event), event.newcomer, event.newcomer_zone)
        case "reopen_agreement":
            expectations.reopen(turn)
        case "end" if not state.running:
            closure.never_started(turn, task.kind)
        case "end":
            concerned = [event.person] if event.person else []
            closure.end_early(turn, ENDS_AS.get(task.kind, "no_fault"), concerned)
        case _:
            pass  # noted, continue, correct, release: the decision is the record
