"""Answers as people read them again: the page that shows what was answered, and the agreement with what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mail.form_text import answer_text, worded
from operations.forms.agreements import in_document
from operations.forms.fill_in import words_for
from program.forms import Answers, Question
from store.forms.requests import Requested
from web.forms.fields import ordinal


@dataclass(slots=True)
class Row:
    """One answer under its question. `change`: empty, `Added`, `Changed` or `Removed`; `before`: what stood there."""

    label: str
    text: str = ""
    change: str = ""
    before: str = ""
    rows: list[Row] = field(default_factory=list["Row"])
    """The fields of an entry of a group."""


def answered_rows(questions: Sequence[Question], answers: Answers) -> list[Row]:
    """What was answered, question by question; what was left out is left out."""
    return [row for row in _rows(questions, answers, None) if row.text or row.rows]


def document_rows(requested: Requested, body: Answers, before: Answers | None) -> list[Row]:
    """The agreement as everybody reads it, with what differs from `before` (None: nothing is marked)."""
    return [row for row in _rows(document_questions(requested), body, before) if row.text or row.rows or row.change]


def changed_rows(rows: Sequence[Row]) -> list[Row]:
    """Only what changed."""
    return [row for row in rows if row.change or any(part.change for part in row.rows)]


def document_questions(requested: Requested) -> tuple[Question, ...]:
    """The questions of the document, of each member of the mentorship; each id once."""
    questions: dict[str, Question] = {}
    for question in requested.form.questions:
        if question.formats and requested.format not in question.formats:
            continue
        if in_document(question.type, question.visible):
            questions.setdefault(question.id, question)
    return worded(tuple(questions.values()), words_for(requested))


def _rows(questions: Sequence[Question], answers: Answers, before: Answers | None) -> list[Row]:
    rows: list[Row] = []
    for question in questions:
        if question.type == "group":
            rows += _entries(question, answers, before)
        else:
            rows.append(_row(question, answers, before))
    return rows


def _row(question: Question, answers: Answers, before: Answers | None) -> Row:
    now = answer_text(question, answers[question.id]) if question.id in answers else ""
    if before is None:
        return Row(question.label, now)
    then = answer_text(question, before[question.id]) if question.id in before else ""
    if now == then:
        return Row(question.label, now)
    return Row(question.label, now, "Added" if not then else "Removed" if not now else "Changed", then)


def _entries(question: Question, answers: Answers, before: Answers | None) -> list[Row]:
    now = answers.get(question.id, [])
    then = before.get(question.id, []) if before is not None else None
    rows: list[Row] = []
    for index in range(max(len(now), len(then or ()))):
        entry = now[index] if index < len(now) else {}
        old = None if then is None else then[index] if index < len(then) else {}
        parts = [_row(part, entry, old) for part in question.fields]
        row = Row(
            f"{question.label}: {ordinal(index).lower()}", rows=[part for part in parts if part.text or part.change]
        )
        if old is not None and (not entry or not old):
            row.change = "Added" if entry else "Removed"
            for part in row.rows:
                part.change = ""
                part.text = part.text or part.before
        rows.append(row)
    return rows
