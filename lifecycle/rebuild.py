"""A mentorship told to a database that was restored from a backup: everything that stands in its state, as one turn.

Nobody is told anything by it: what went out before the database was lost must not go out again.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime

from lifecycle.batch import batch
from lifecycle.commands import Batch, Finish, OpenTask
from lifecycle.state import State, Step
from lifecycle.tasks import decisions_of
from lifecycle.turn import Turn

REASON = "What this was about was lost with the database: ask those whom it concerns."
"""Of a task of which only the state knows."""


def as_one_turn(state: State, now: datetime) -> Batch:
    """The last turn of this state once more, with all that stands in it; `now` is program time (UTC).

    The state stays as it is.
    """
    turn = Turn(deepcopy(state), now)
    for member in state.members:
        turn.record_member(member)
    for step in state.steps:
        turn.record(step)
    for step in state.open_asks():
        for person, number in _awaited(state, step):
            turn.open_request(step, person, number)
    for task in state.tasks.values():
        decisions = decisions_of(state, task.kind)
        turn.do(OpenTask(task.key, task.kind, task.number, REASON, task.due, decisions, tuple(task.about)))
    if state.closed:
        turn.do(Finish(state.ending, state.reason, turn.today))
    turn.note("restored")
    turn.state.turn -= 1
    return batch(turn.state, turn.commands, now)


def _awaited(state: State, step: Step) -> list[tuple[str, int]]:
    """Whose answer is awaited, and under which number."""
    if step.name == "agreement":
        return list(state.agreement.turns.items())
    return [(person, step.number) for person in step.asked if person not in step.answered]
