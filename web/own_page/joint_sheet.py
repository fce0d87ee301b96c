"""The joint sheet of a midpoint, behind the link of those who share it. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from operations.forms.joint_sheet import SharedAnswer, rows_of
from program.forms import Question
from store.people.joint_sheet import JointSheet
from web.forms.answers_text import Row, answered_rows


@dataclass(frozen=True, slots=True)
class ShownSide:
    """What one person answered: a text, or the entries of a group; neither where they left it open."""

    name: str
    you: bool
    text: str
    entries: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class ShownQuestion:
    """A question of the sheet with all sides, the reader's own first."""

    id: str
    label: str
    sides: tuple[ShownSide, ...]


def shown(sheet: JointSheet, reader: str) -> list[ShownQuestion]:
    """The sheet as this person reads it."""
    return [
        ShownQuestion(
            question.id,
            question.label,
            tuple(_side(question, one, reader) for one in sorted(sides, key=lambda one: one.person != reader)),
        )
        for question, sides in rows_of(sheet)
    ]


def _side(question: Question, shared: SharedAnswer, reader: str) -> ShownSide:
    rows = answered_rows((shared.question,), shared.body)
    text = rows[0].text if rows and question.type != "group" else ""
    entries = tuple(rows) if question.type == "group" else ()
    return ShownSide(shared.name, shared.person == reader, text, entries)
