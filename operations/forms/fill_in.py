"""Fills {partner}, {since}, {purpose} and {program} in the wording of a form. Only these four, and by plain
replacement: what a person wrote is never read as a pattern.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mail.dates import day, listed
from program.forms import Option, Question
from store.forms.requests import Requested

_PLACE = re.compile(r"\{\{|\}\}|\{(partner|since|purpose|program)\}")
NO_PURPOSE = "what you want to get out of this"


def words_for(requested: Requested) -> dict[str, str]:
    """What the four places hold on this page."""
    names = [seat.name for seat in requested.partners]
    return {
        "partner": "your group" if requested.format == "group" else listed(names, "en") or "your partner",
        "since": day(requested.since, "en", requested.opens.year) if requested.since else "the start",
        "purpose": purpose_of(requested),
        "program": requested.program.title,
    }


def purpose_of(requested: Requested) -> str:
    """What the mentorship is for, in the words of the latest agreement that more than one has signed."""
    for version in reversed(requested.versions):
        purpose = version.body.get("a_purpose")
        if isinstance(purpose, str) and len(version.signed) > 1:
            return purpose
    return NO_PURPOSE


def filled(text: str, words: Mapping[str, str]) -> str:
    """The text with the four places filled; a doubled brace is one brace."""
    return _PLACE.sub(lambda found: words[found[1]] if found[1] else found[0][0], text)


def worded(questions: Sequence[Question], words: Mapping[str, str]) -> tuple[Question, ...]:
    """The questions with their wording filled."""
    return tuple(
        question.model_copy(
            update={
                "label": filled(question.label, words),
                "help": filled(question.help, words),
                "low": filled(question.low, words),
                "high": filled(question.high, words),
                "options": tuple(
                    Option(value=option.value, label=filled(option.label, words)) for option in question.options
                ),
                "fields": worded(question.fields, words),
            }
        )
        for question in questions
    )
