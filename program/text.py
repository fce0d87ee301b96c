"""Text from outside in a form that is safe to keep and to show: composed, with plain line ends, without controls.

Every function takes time in proportion to the length of its text, whatever the text holds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from program.limits import MARKS_IN_A_ROW

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""C0 without tab and line feed, DEL, C1, byte order marks, line separators, bidirectional overrides, and halves of
surrogate pairs: none is text, and terminals, browsers and databases act on them."""


def normalised(text: str) -> str:
    """The text in Unicode's composed form (NFC), in linear time.

    The usual algorithm sorts the combining marks after a letter in quadratic time, so runs of more than
    `MARKS_IN_A_ROW` are cut off first (UAX #15 section 13 bounds them in the same way).
    """
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _long_runs().sub(r"\1", text))


def harmless(text: str) -> str:
    """The text as it may stand in a field again: normalised, plain line ends, no controls."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return normalised(CONTROLS.sub("", plain))


def clean(text: str) -> str:
    """The text as it is kept: harmless, and without white space around it."""
    return harmless(text).strip()


def one_line(text: str) -> str:
    """The text as it may be written into one line of a terminal or one cell of a table."""
    return " ".join(CONTROLS.sub("", text).split())


def whole_number(text: str, digits: int = 6, otherwise: int = 0) -> int:
    """The number that a link or a hidden field holds: plain digits, so many at most; `otherwise` for any other text.

    `str.isdigit` alone is no check: it lets through letters such as ² and numbers that no database holds.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else otherwise


@lru_cache(maxsize=1)
def _long_runs() -> re.Pattern[str]:
    marks = _ranges(code for code in range(0x300, 0x20000) if _is_mark(chr(code)))
    return re.compile(f"([{marks}]{{{MARKS_IN_A_ROW}}})[{marks}]+")


def _is_mark(character: str) -> bool:
    """Whether a character, or the first of what it decomposes to, is moved when marks are sorted."""
    return unicodedata.combining(unicodedata.normalize("NFD", character)[0]) != 0


def _ranges(codes: Iterable[int]) -> str:
    """Code points, in ascending order, as the inside of a character class."""
    found: list[list[int]] = []
    for code in codes:
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for first, last in found)
