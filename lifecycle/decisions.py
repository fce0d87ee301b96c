"""What a coordinator's decision of a task does (lifecycle 7). A task never ends anything by itself."""

from __future__ import annotations

from lifecycle import changes, closure, expectations, onboarding, tasks
from lifecycle.events import Decided
from lifecycle.state import State, Task
from lifecycle.turn import Turn

ENDS_AS: dict[str, str] = {
    "safety": "safeguarding",
    "silent": "inactive",
    "withdrawn": "left",
    "small_group": "left",
    "bounced": "left",
}
"""Kind of task to the reason with which its decision `end` ends a mentorship; otherwise `no_fault`."""


def task_of(state: State, key: str) -> Task | None:
    """The open task of this key."""
    return next((task for task in state.tasks.values() if task.key == key), None)


def decide(turn: Turn, event: Decided) -> None:
    """Close the task and do what the decision says. The refusals have been checked before."""
    state = turn.state
    task = task_of(state, event.task)
    if task is None:
        return
    tasks.close_task(turn, task.kind, event.decision, event.by)
    if task.kind == "safety":
        changes.release(turn)
    match event.decision:
        case "wait":
            onboarding.wait(turn)
        case "nudge":
            changes.nudge(turn)
        case "pause":
            changes.pause(turn, event.until)
        case "replace":
            person = event.person or (task.about[0] if task.about else "")
            _replace(turn, person, event)
        case "reopen_agreement":
            expectations.reopen(turn)
        case "end":
            if task.kind == "seat_empty" and not state.onboarded:
                closure.never_started(turn, "seat_empty")
            else:
                closure.end_early(turn, ENDS_AS.get(task.kind, "no_fault"))
        case _:
            pass  # noted, continue, correct, release: the decision is the record


def _replace(turn: Turn, person: str, event: Decided) -> None:
    state = turn.state
    member = state.member(person)
    if member is None:
        return
    if member.standing != "out":
        changes.take_out(turn, person)
    changes.join(turn, event.newcomer, member.role, event.newcomer_zone)
