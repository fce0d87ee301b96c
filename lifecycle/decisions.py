"""What decisions do: a coordinator's about a task (lifecycle 7), and that of the midpoint matrix (lifecycle 6). A
task never ends anything by itself."""

from __future__ import annotations

from lifecycle import changes, tasks
from lifecycle.events import Decided
from lifecycle.findings import Findings
from lifecycle.phases import closure, expectations, onboarding
from lifecycle.state import State, Step, Task
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
    tasks.close(turn, task, event.decision, event.by)
    if event.decision == "withhold":
        closure.withhold(turn)
    if task.kind == tasks.SAFETY:
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


def midpoint_settled(turn: Turn, step: Step, findings: Findings) -> None:
    """The decision of the midpoint matrix takes effect (lifecycle 6). The engine never ends a pair because one person
    said so. Those who share their answers are told of the joint sheet, unless it has just come to an end."""
    turn.note("midpoint_decided", detail=findings.midpoint)
    if findings.reason:
        tasks.open_task(turn, "midpoint", findings.reason, findings.concerned)
    match findings.midpoint:
        case "reopen_agreement":
            expectations.reopen(turn)
        case "pause":
            until = findings.pause_until
            # A person who answers early may name a day that is past when the ask ends.
            if until is not None and until > turn.today:
                changes.pause(turn, min(until, turn.today + changes.LONGEST_PAUSE))
        case "end":
            closure.end_early(turn, "no_fault")
        case "are_you_there":
            expectations.are_you_there(turn)
        case _:
            pass
    if not turn.state.end_decided:
        _share(turn, step, findings)


def _share(turn: Turn, step: Step, findings: Findings) -> None:
    """Tell those who share their answers where these stand beside each other: as they were when the ask was assessed,
    which is the moment (UTC, ISO 8601) that the notice is about."""
    sharing = [person for person in findings.joint_sheet if person in turn.state.active()]
    assessed_at = step.assessed_at or turn.now
    turn.tell(sharing, "joint_sheet", number=step.number, about=assessed_at.isoformat())
