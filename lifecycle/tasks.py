"""Tasks: what a coordinator must decide, when, and what happens while nobody does (lifecycle 7)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from lifecycle import keys
from lifecycle.commands import CloseTask, GrowTask, OpenTask, Post
from lifecycle.local_time import working_days_after
from lifecycle.state import State, Task
from lifecycle.turn import Turn

_USUAL = ("noted", "nudge", "pause", "replace", "end")

KINDS: dict[str, tuple[int, tuple[str, ...]]] = {
    "seat_empty": (3, ("wait", "replace", "end")),
    "expectations_differ": (5, _USUAL),
    "no_agreement": (5, _USUAL),
    "low_score": (5, _USUAL),
    "stalled": (5, _USUAL),
    "silent": (5, _USUAL),
    "fit": (2, _USUAL),
    "help": (2, _USUAL),
    "midpoint": (5, ("continue", "reopen_agreement", "pause", "replace", "end")),
    "safety": (0, ("release", "end", "withhold")),
    "withdrawn": (3, ("noted", "replace", "end")),
    "small_group": (3, ("noted", "replace", "end")),
    "bounced": (2, ("noted", "correct", "end")),
}
"""Task kind to (due in working days, decisions of which the first changes nothing)."""

SAFETY = "safety"
"""Kind of task for a report about safety or conduct: each report is a task of its own."""

ONCE_CLOSED, BEFORE = ("withhold",), ("end",)
"""Decisions of a safety task that are open only once the mentorship is closed, or only before."""

OUTLIVE = (SAFETY, "help")
"""Kinds that do not lapse when their mentorship closes: a person waits for a word."""

DEPUTY_AFTER = 2
"""Working days after the due date until the deputies hear of an undecided task."""


def working_day(turn: Turn, on: date, count: int) -> date:
    """`count` working days after a date, in the cohort's calendar."""
    state = turn.state
    return working_days_after(on, count, state.program.letterbox.days, state.holidays)


def open_task(turn: Turn, kind: str, reason: str, about: Iterable[str] = (), not_to: Collection[str] = ()) -> None:
    """Open a task, or let the open one of this kind grow; its coordinators are told, but for those in `not_to`."""
    state = turn.state
    concerned = tuple(about)
    task = state.tasks.get(kind)
    if task is not None and (kind != SAFETY or state.schema < 2):
        task.about += [person for person in concerned if person not in task.about]
        turn.do(GrowTask(task.key, reason, concerned))
        if kind == SAFETY:
            _tell_of(turn, task, "task_opened", _told(state, not_to), nth=turn.count("told_again") + 1)
        return
    number = turn.count(f"task.{kind}")
    working_days, _ = KINDS[kind]
    task = Task(
        key=keys.task_key(state.cohort, state.key, kind, number),
        kind=kind,
        number=number,
        opened=turn.today,
        due=working_day(turn, turn.today, state.program.rules.due.get(kind, working_days)),
        about=list(concerned),
    )
    state.tasks[f"{kind}#{number}" if kind in state.tasks else kind] = task
    turn.do(OpenTask(task.key, kind, number, reason, task.due, decisions_of(state, kind), concerned))
    _tell_of(turn, task, "task_opened", _told(state, not_to))


def decisions_of(state: State, kind: str) -> tuple[str, ...]:
    """What can be decided about a task of this kind now; of a closed mentorship a report is released or withheld."""
    shut = BEFORE if state.closed else ONCE_CLOSED
    return tuple(one for one in KINDS[kind][1] if kind != SAFETY or one not in shut)


def of_kind(state: State, kind: str) -> list[Task]:
    """The open tasks of this kind, the oldest first."""
    return [task for task in state.tasks.values() if task.kind == kind]


def _told(state: State, not_to: Collection[str]) -> list[str]:
    """Coordinators whom a task is not about; where there is none left, deputies."""
    coordinators = [person for person in state.coordinators if person not in not_to]
    return coordinators or [person for person in state.deputies if person not in not_to]


def close_task(turn: Turn, kind: str, decision: str, by: str = "") -> None:
    """Close the open tasks of this kind, if there are any."""
    for task in of_kind(turn.state, kind):
        close(turn, task, decision, by)


def close(turn: Turn, task: Task, decision: str, by: str = "") -> None:
    """Close this open task."""
    turn.state.tasks = {name: other for name, other in turn.state.tasks.items() if other is not task}
    turn.do(CloseTask(task.key, decision, by))


def mentorship_closed(turn: Turn) -> None:
    """The mentorship has just closed: its tasks lapse, except where a person waits for a word; of those the decisions
    that are open are others now."""
    for task in list(turn.state.tasks.values()):
        if task.kind not in OUTLIVE:
            close(turn, task, "lapsed")
        elif task.kind == SAFETY:
            turn.do(GrowTask(task.key, "", decisions=decisions_of(turn.state, SAFETY)))


def repeat_date(task: Task) -> date | None:
    """The date on which an undecided task is told again; None when that is past or the day it was opened."""
    return None if task.repeated or task.due <= task.opened else task.due


def deputy_date(state: State, task: Task) -> date:
    """The date on which the deputies hear of an undecided task."""
    return working_days_after(task.due, DEPUTY_AFTER, state.program.letterbox.days, state.holidays)


def repeat(turn: Turn, task: Task) -> None:
    """Tell the coordinators again of an undecided task, on its due date."""
    task.repeated = True
    turn.note("task_repeated", detail=task.key)
    _tell_of(turn, task, "task_repeated", turn.state.coordinators)


def escalate(turn: Turn, task: Task) -> None:
    """Tell the deputies of an undecided task, two working days after its due date."""
    task.escalated = True
    turn.note("task_to_deputy", detail=task.key)
    _tell_of(turn, task, "task_to_deputy", turn.state.deputies)


def staffed(turn: Turn, coordinators: Iterable[str], deputies: Iterable[str], holidays: Iterable[date]) -> None:
    """Others coordinate the cohort now: who is new among them hears of the tasks that are open.

    A due date that was given stays; deputies who are new hear of a task that had gone to the deputies before.
    """
    state = turn.state
    joined = [person for person in coordinators if person not in state.coordinators]
    stand_in = [person for person in deputies if person not in state.deputies]
    state.coordinators, state.deputies = list(coordinators), list(deputies)
    state.holidays = tuple(holidays)
    turn.note("staffed")
    # Somebody may come back who was told of the same task before, and lost it when they went.
    nth = turn.count("told_again") + 1
    for task in state.tasks.values():
        _tell_of(turn, task, "task_opened", joined, nth)
        if task.escalated:
            _tell_of(turn, task, "task_to_deputy", stand_in, nth)


def _tell_of(turn: Turn, task: Task, name: str, people: Iterable[str], nth: int = 0) -> None:
    state = turn.state
    for person in people:
        turn.do(
            Post(
                key=keys.task_item_key(task.key, person, name, nth),
                person=person,
                kind="urgent" if task.kind == SAFETY else "notice",
                name=name,
                number=task.number,
                date=turn.at_once,
                task=task.key,
                about=state.key,
                after_end=True,
            )
        )
