"""Characters that no text of a file may hold, because a database, a mail header, a terminal or a reader's eye would
take them for something else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from program.faults import Fault, fault, printable
from program.files.reading import Source, Trail
from program.text import CONTROLS

PROSE = frozenset(
    {
        "about", "answers", "contented", "emergency", "first_meeting", "help", "intro", "label", "meetings_guides",
        "profile", "thanks", "who_sees",
    }
)  # fmt: skip
"""Keys whose text, and all text below them, may have several lines."""

LONGEST_LINE = 300
"""Characters in a text of one line, such as a title."""
LONGEST_PROSE = 20_000
"""Characters in any other text."""

_LINE_BREAK = re.compile("[\n\t]")


def check_texts(source: Source) -> Iterator[tuple[Trail, Fault]]:
    """(where, fault) for each text of the file, keys included, that holds what it may not."""
    for trail, text, is_key in _texts(source.data, ()):
        found = _problem(text, one_line=is_key or PROSE.isdisjoint(trail))
        if found:
            yield trail, fault(source.key_place(*trail) if is_key else source.place(*trail), *found)


def line_problem(text: str) -> str:
    """Why this can't be a text of one line, such as a name, without the text itself; empty where it can."""
    found = _problem(text, one_line=True)
    return found[0] if found else ""


def _texts(value: Any, trail: Trail) -> Iterator[tuple[Trail, str, bool]]:
    """(trail, text, whether it is a key) of everything below a value."""
    if isinstance(value, str):
        yield trail, value, False
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _texts(item, (*trail, index))
    elif isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield (*trail, key), key, True
            yield from _texts(item, (*trail, key))


def _problem(text: str, one_line: bool) -> tuple[str, str] | None:
    """What is wrong and what to do. The text itself is not quoted: it may be a name."""
    bad = CONTROLS.search(text)
    if bad:
        return f"this text holds {_named(bad[0])}", "Delete that character; type the text again if you can't see it."
    if one_line and (bad := _LINE_BREAK.search(text)):
        what = "a tab" if bad[0] == "\t" else "a line break"
        return f"this text holds {what}", "Write it on one line."
    most = LONGEST_LINE if one_line else LONGEST_PROSE
    if len(text) > most:
        return f"this text has {len(text)} characters", f"Write {most} at most."
    return None


def _named(character: str) -> str:
    code = f"U+{ord(character):04X}"
    if character == "\x00":
        return f"a NUL character ({code})"
    if "\ud800" <= character <= "\udfff":
        return f"half a character ({code})"
    if "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069":
        return f"a character that turns the direction of the text around ({code})"
    if character == "\r":
        return f"a carriage return ({code})"
    if character in "\x85\u2028\u2029":
        return f"a line break ({code})"
    return f"an invisible character ({code}, {printable(character)})"
