"""What stands on a joint sheet: the questions of the midpoint that are marked `joint`, all sides beside each other.

Only what `visibility.sight` lets a partner see; never who else was asked to share.
"""

from __future__ import annotations

from dataclasses import dataclass

from mail.form_text import worded
from operations.forms.fill_in import NO_PURPOSE
from operations.forms.visibility import sight
from program.forms import Answers, Question
from store.people.joint_sheet import JointSheet, Side


@dataclass(frozen=True, slots=True)
class SharedAnswer:
    """What one person answered to a question of the sheet; `body` holds the answer, or nothing where it is blank."""

    person: str
    name: str
    question: Question
    body: Answers


def rows_of(sheet: JointSheet) -> list[tuple[Question, tuple[SharedAnswer, ...]]]:
    """Question by question, in the order of the form, with what each side answered. A question that nobody answered
    is left out."""
    words = {
        "partner": "your group" if sheet.format == "group" else "your partner",
        "since": "the start",
        "purpose": NO_PURPOSE,
        "program": sheet.program,
    }
    found: dict[str, tuple[Question, list[SharedAnswer]]] = {}
    for side in sheet.sides:
        for question in worded(_joint(side, sheet.format), words):
            body = {question.id: side.body[question.id]} if question.id in side.body else {}
            shared = SharedAnswer(side.person, side.name, question, body)
            found.setdefault(question.id, (question, []))[1].append(shared)
    return [(question, tuple(sides)) for question, sides in found.values() if any(side.body for side in sides)]


def _joint(side: Side, format_: str) -> tuple[Question, ...]:
    asked = side.form.questions_for(side.role, format_, side.early)
    return tuple(one for one in asked if one.joint and sight(side.form, one, "partner") == "shown")
