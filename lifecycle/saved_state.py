"""The state of a mentorship as text: it is stored with each turn, and a mentorship can continue from it.

The text holds ids, dates and decisions only, as the state does. The state is written in full: another default in a
later release must not change a running mentorship. The program is written as in the input of a workflow, without what
is default: a test keeps the meaning of programs that run.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import TypeAdapter

from lifecycle.commands import Command
from lifecycle.state import State
from lifecycle.turn import Turn

WORDING = {"title", "about", "first_meeting", "emergency", "meetings_guides"}
"""Fields of a program that only mails and pages need; they stay out of Temporal and out of saved states."""

_STATE: TypeAdapter[State] = TypeAdapter(State)
_REQUIRED = {"title"}
"""Wording without which a program can't be read."""


def save(state: State) -> str:
    """The state as JSON."""
    rest = _STATE.dump_json(state, exclude={"program"}).decode()
    program = state.program.model_dump_json(exclude=WORDING - _REQUIRED, exclude_defaults=True)
    return f'{rest[:-1]},"program":{program}}}'


def load(text: str) -> State:
    """The state that was saved. Raises ValueError where this release can't read it."""
    return _STATE.validate_json(text)


def unanswered_questions(state: State, now: datetime) -> list[Command]:
    """What a mentorship must ask again that continues from a saved state: how to read the answers of settled asks.

    The reply to such a question is part of the next turn. A state that was saved before that turn waits for it.
    """
    turn = Turn(state, now)
    for step in state.steps:
        if step.assessing:
            turn.assess(step)
    return turn.commands
