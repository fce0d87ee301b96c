"""What is wrong with a file, said to the person who wrote it: where, what, and what to write instead.

A fault may quote ids, zones, dates and keys, but never a person's name or address: faults end up in terminals,
tickets and logs.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a file; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1
    inherited: str = ""
    """What else the reader must know of a value that another file holds, such as "inherited from …"."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing to fix. Printed as `file:line:column: problem. remedy`, which editors can jump to."""

    file: str
    line: int
    column: int
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.problem}. {self.remedy}".rstrip()


class Faults(Exception):
    """Every fault of a file and of the files it uses, at once and in the order of their places."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(set(faults)))
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


def fault(place: Place, problem: str, remedy: str) -> Fault:
    """A fault at a place."""
    said = f"{problem} ({place.inherited})" if place.inherited else problem
    return Fault(place.file, place.line, place.column, said, remedy)


def quoted(value: object) -> str:
    """A value as it is shown in a fault: on one line, not too long, and without characters that act on a terminal."""
    text = printable(" ".join(str(value)[:200].split()))
    return f"`{text[:57]}...`" if len(text) > 60 else f"`{text}`"


def printable(text: str) -> str:
    """The text with control, format and half characters written out, such as `\\x1b` or `\\u202e`."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def nearest(written: str, known: Iterable[str], at_most: int = 1) -> list[str]:
    """The known words nearest to a written one, best first; none where nothing is near."""
    by_folded: dict[str, str] = {}
    for word in known:
        by_folded.setdefault(_folded(word), word)
    found = difflib.get_close_matches(_folded(written[:100]), by_folded, n=at_most, cutoff=0.55)
    return [by_folded[word] for word in found]


def _folded(word: str) -> str:
    return word.casefold().replace("-", "_").replace(" ", "_")


def either(words: Iterable[str]) -> str:
    """`a`, `b` or `c`, to be read in a sentence."""
    shown = [f"`{word}`" for word in words]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}" if shown else ""


def listed(words: Iterable[str]) -> str:
    """`a`, `b` and `c`, to be read in a sentence."""
    shown = [f"`{word}`" for word in words]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""


def counted(number: int, noun: str, plural: str = "") -> str:
    """How many of something: `1 fault`, `2,000 faults`; `plural` is the word where it is not the noun with an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def suggestion(written: str, known: Iterable[str], otherwise: str) -> str:
    """`Did you mean …?` with the nearest known word, or what to do where none is near."""
    near = nearest(written, known)
    return f"Did you mean `{near[0]}`?" if near else otherwise
