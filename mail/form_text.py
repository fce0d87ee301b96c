"""A form as text: the places in its wording filled, and an answer in words. Used by mails, pages and exports."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from mail.dates import listed, whole_day
from program.forms import Option, Question

_PLACE = re.compile(r"\{\{|\}\}|\{(partner|since|purpose|program)\}")

YES_NO: dict[str, tuple[str, str]] = {"en": ("Yes", "No"), "de": ("Ja", "Nein"), "fr": ("Oui", "Non")}
UNSURE = "can't say yet"
"""The text for a scale question that a person chose not to answer."""


def filled(text: str, words: Mapping[str, str]) -> str:
    """The text with {partner}, {since}, {purpose} and {program} filled; a doubled brace is one brace.

    Plain replacement: what a person wrote is never read as a pattern.
    """
    if not _has_places(text):
        return text
    return _PLACE.sub(lambda match: words[match[1]] if match[1] else match[0][0], text)


def worded(questions: Sequence[Question], words: Mapping[str, str]) -> tuple[Question, ...]:
    """The questions with their wording filled; those that have no place to fill as they are."""
    return tuple(_worded(question, words) for question in questions)


def _worded(question: Question, words: Mapping[str, str]) -> Question:
    changed: dict[str, Any] = {
        name: filled(text, words)
        for name in ("label", "help", "low", "high", "section", "fold", "tick")
        if _has_places(text := getattr(question, name))
    }
    if any(_has_places(option.label) for option in question.options):
        changed["options"] = tuple(
            Option(value=option.value, label=filled(option.label, words)) for option in question.options
        )
    fields = worded(question.fields, words)
    if any(new is not old for new, old in zip(fields, question.fields, strict=True)):
        changed["fields"] = fields
    return question.model_copy(update=changed) if changed else question


def _has_places(text: str) -> bool:
    return "{" in text or "}" in text


def answer_text(question: Question, value: Any, language: str = "en") -> str:
    """The answer to one question in words, or an empty text where nothing was answered.

    A group has no text of its own: each of its entries is shown field by field.
    """
    if question.type == "scale" and value is None:
        return UNSURE
    if value is None or value == "":
        return ""
    labels = {option.value: option.label for option in question.options}
    match question.type:
        case "yes_no":
            yes, no = YES_NO.get(language.split("-")[0], YES_NO["en"])
            return (question.tick or yes) if value else no
        case "one":
            return labels.get(value, str(value))
        case "many":
            return listed([labels.get(item, str(item)) for item in value], language)
        case "scale":
            least, most = question.least or 1, question.most or 5
            end = question.low if value == least else question.high if value == most else ""
            return f"{value} of {most}" + (f" ({end})" if end else "")
        case "date":
            return whole_day(date.fromisoformat(value), language)
        case "date_ranges":
            spans = [tuple(whole_day(date.fromisoformat(day), language) for day in span) for span in value]
            return "\n".join(first if first == last else f"{first} – {last}" for first, last in spans) or "None"
        case _:
            return str(value)
