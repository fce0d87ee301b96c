"""Answers as people read them: the rows of an agreement, and what differs between two versions of it.

Shows what is meant for the pair and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mail.form_text import answer_text, filled
from mail.letters import AgreementChange
from program.forms import Answers, Form, Question


def rows(
    form: Form, answers: Answers, format_: str, language: str, words: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """(label, text) of everything in the document that was filled in, in the form's order."""
    return tuple((label, text) for _, label, text in _written(form, answers, format_, language, words) if text)


def changes(
    form: Form, before: Answers, after: Answers, format_: str, language: str, words: Mapping[str, str]
) -> tuple[AgreementChange, ...]:
    """The rows that differ between two versions, in the form's order."""
    old = {name: text for name, _, text in _written(form, before, format_, language, words)}
    return tuple(
        AgreementChange(label, old.get(name, ""), text)
        for name, label, text in _written(form, after, format_, language, words)
        if old.get(name, "") != text
    )


def _written(
    form: Form, answers: Answers, format_: str, language: str, words: Mapping[str, str]
) -> list[tuple[str, str, str]]:
    found: dict[str, tuple[str, str, str]] = {}
    for question in form.questions:
        shown = question.visible == "pair" and question.type != "sign"
        if shown and question.id not in found and (not question.formats or format_ in question.formats):
            text = _text(question, answers.get(question.id), language)
            found[question.id] = (question.id, filled(question.label, words), text)
    return list(found.values())


def _text(question: Question, value: Any, language: str) -> str:
    if question.type == "group":
        return "\n".join(f"{nth}. {_entry(question, entry, language)}" for nth, entry in enumerate(value or (), 1))
    if value is None or value == []:
        return ""
    return answer_text(question, value, language)


def _entry(question: Question, entry: Mapping[str, Any], language: str) -> str:
    """One entry of a group: what it says first stands alone, the rest with its label."""
    parts = [(part.label, _text(part, entry.get(part.id), language)) for part in question.fields]
    said = [(label, text) for label, text in parts if text]
    first = said[0][1] if said else ""
    return "\n".join([first, *(f"{label} {text}" for label, text in said[1:])])
