"""Takes out of the tables what a person wrote of their own, and names them nowhere in what others wrote.

Pure functions over what the tables hold; names are found by `store.people.name_matcher`. Bare numbers of closed
questions stay: a cohort's outcome is counted by them. Nothing else of what others wrote may be lost. Every function
takes time in proportion to what it is given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from program.forms import Answers, Form
from store.people.name_matcher import NameMatcher

NUMBERS = ("scale", "number")
"""Questions whose answers stay."""
WRITTEN = ("text", "group", "sign")
"""Questions that are answered in somebody's own words."""
SAME_WORDS = 16
"""So many characters in a row that two texts share are one person's words."""


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
    chosen = _chosen(form)
    theirs: dict[str, _OwnWords] = defaultdict(_OwnWords)
    before: Answers = {}
    bodies: list[Answers] = []
    for version in versions:
        for name, value in version.body.items():
            if name not in chosen and version.by == person and value != before.get(name):
                theirs[name].add(str(value))
        before = version.body
        bodies.append(
            {
                name: value
                for name, value in version.body.items()
                if name not in theirs or not theirs[name].are_in(str(value))
            }
        )
    return bodies


class _OwnWords:
    """What a person wrote into one field, by every run of `SAME_WORDS` characters in it."""

    def __init__(self) -> None:
        self._whole: set[str] = set()
        self._runs: set[str] = set()

    def add(self, text: str) -> None:
        """They wrote this."""
        self._whole.add(text)
        self._runs |= _runs_of(text)

    def are_in(self, text: str) -> bool:
        """Whether a text is, or holds, words of theirs."""
        return text in self._whole or not self._runs.isdisjoint(_runs_of(text))


def _runs_of(text: str) -> set[str]:
    return {text[first : first + SAME_WORDS] for first in range(len(text) - SAME_WORDS + 1)}


def without_names(body: Answers, form: Form | None, matcher: NameMatcher) -> Answers:
    """What stays of somebody else's answers: everything but the person's names. What was chosen from a list is a word
    of the form, and stays as it is."""
    chosen = _chosen(form)
    return {name: value if name in chosen else matcher.out_of(value) for name, value in body.items()}


def _chosen(form: Form | None) -> set[str]:
    return {question.id for question in form.questions if question.type not in WRITTEN} if form else set()
