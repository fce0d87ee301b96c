"""Takes a person out of what people wrote: what they wrote themselves goes, and their name where others wrote it.

Pure functions over what the tables hold. Bare numbers of closed questions stay: a cohort's outcome is counted by
them. Must never lose anything else of what others wrote.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from program.forms import Answers, Form

NUMBERS = ("scale", "number")
"""Questions whose answers stay."""
WRITTEN = ("text", "group", "sign")
"""Questions that are answered in somebody's own words."""
SHORTEST_PART = 3
"""Letters of a part of a name by which a person is recognised."""
SAME_WORDS = 16
"""So many characters in a row that two texts share are one person's words."""


@dataclass(frozen=True, slots=True)
class Words:
    """By what a person is named: the name, its parts as whole words, the address."""

    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, name: str, email: str) -> Words:
        """The words for this name and address; those that are empty are left out."""
        whole = [f"(?i:{re.escape(word)})" for word in (email.strip(), name.strip()) if word]
        parts = [part for part in re.findall(r"\w+", name) if len(part) >= SHORTEST_PART]
        patterns = [*whole, *(rf"\b{re.escape(part)}\b" for part in parts)]
        return cls(re.compile("|".join(patterns)) if patterns else None)

    def out_of(self, value: Any) -> Any:
        """The same value, in all its depth, with an ellipsis wherever the person was named."""
        if self.pattern is None:
            return value
        match value:
            case str():
                return self.pattern.sub("…", value)
            case list():
                return [self.out_of(entry) for entry in value]  # pyright: ignore[reportUnknownVariableType]
            case dict():
                return {key: self.out_of(entry) for key, entry in value.items()}  # pyright: ignore[reportUnknownVariableType]
            case _:
                return value


def numbers_only(body: Answers, form: Form | None) -> Answers:
    """What stays of somebody's answers: the numbers of scales and counts, and of nothing else."""
    kept = {question.id for question in form.questions if question.type in NUMBERS} if form else set[str]()
    return {name: value for name, value in body.items() if name in kept and isinstance(value, int | float)}


@dataclass(frozen=True, slots=True)
class AgreementDraft:
    """A version of an agreement, and who wrote it."""

    by: str
    body: Answers


def without_words_of(person: str, versions: Iterable[AgreementDraft], form: Form | None) -> list[Answers]:
    """The bodies of an agreement's versions, oldest first, without what this person wrote of their own: neither where
    they wrote it nor where somebody took it over. What was chosen from a list stays, the others' dates hang on it."""
    chosen = {question.id for question in form.questions if question.type not in WRITTEN} if form else set[str]()
    theirs: dict[str, list[str]] = {}
    before: Answers = {}
    bodies: list[Answers] = []
    for version in versions:
        for name, value in version.body.items():
            if name not in chosen and version.by == person and value != before.get(name):
                theirs.setdefault(name, []).append(str(value))
        before = version.body
        bodies.append(
            {name: value for name, value in version.body.items() if not _shares(str(value), theirs.get(name, ()))}
        )
    return bodies


def _shares(text: str, theirs: Collection[str]) -> bool:
    for own in theirs:
        match = SequenceMatcher(None, text, own, autojunk=False).find_longest_match()
        if text == own or match.size >= SAME_WORDS:
            return True
    return False
