"""Keeps text from people out of Jinja and Markdown.

A template sees a placeholder in place of every name, goal, note, date and address; the finished text or HTML gets
the value put in last, escaped for where it stands. So a name can't become a link, a heading or a tag, whatever a
template does with it, and the costly steps (Markdown, inlining of CSS) can be remembered per template. Must never
put in a value without escaping it for the place.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

OPEN, CLOSE = "\ue000", "\ue001"
"""Placeholders stand between two private-use characters, which are removed from everything else."""

_INSERT = re.compile(f"{OPEN}(u?)(\\d+){CLOSE}")
_PRIVATE = re.compile("[\ue000-\ue00f]")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufff9-\ufffb\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ue000-\ue00f]"
)
"""Controls, overrides of the writing direction, marks that hide in a line."""
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
_QUOTED = re.compile(r'(?<![\w"])"([^"\n]{1,400}?)"(?![\w"])')
_DOTTED = re.compile(r"(?<=[^\s.])\.(?=\w{2})")
_URL = re.compile(r"^(?:https?://|mailto:)[^\s\"'<>\\^`{}|]+$", re.ASCII)


class BadInsert(ValueError):
    """A placeholder is broken or unknown, or an address in a letter is none. Says where, never the value."""


def passage(text: str) -> str:
    """Text of several lines as people wrote it, without controls and with plain line ends."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    plain = plain.replace("\u2028", "\n").replace("\u2029", "\n")
    return _INVISIBLE.sub("", plain).strip()


def typographic(text: str, language: str) -> str:
    """Text with the quotes of the mails: printed apostrophes, and in English printed double quotes.

    What a person is called or writes, and an id, must not go through here: they stay as they were written.
    """
    apostrophes = _APOSTROPHE.sub("’", text)
    if language.partition("-")[0] != "en":
        return apostrophes
    return _QUOTED.sub(r"“\1”", apostrophes)


def line(text: str) -> str:
    """Text as one line without controls."""
    if text.isprintable():  # most are; nothing that Python calls printable is invisible
        return " ".join(text.split())
    return " ".join(_INVISIBLE.sub(" ", text).split())


def name(text: str) -> str:
    """A person's name as one line that no mail program takes for an address.

    Programs turn `evil.example` into a link by themselves: a space after the dot, and none of `://`, stops them.
    """
    return _DOTTED.sub(". ", line(text).replace("://", " ").replace("@", " @ "))


def without_placeholders(text: str) -> str:
    """Wording that may be used in a template as it is (a program's Markdown)."""
    return _PRIVATE.sub("", unicodedata.normalize("NFC", text))


class Inserts:
    """The values of one section; the template gets what `put` returns."""

    def __init__(self) -> None:
        self.values: list[str] = []

    def put(self, text: str) -> str:
        """Placeholder of a text; an empty text stays empty, so that a template can ask whether there is one."""
        if not text:
            return ""
        self.values.append(text)
        return f"{OPEN}{len(self.values) - 1}{CLOSE}"

    def put_url(self, url: str) -> str:
        """Placeholder of an address (https, http, mailto): the only kind that may stand as the target of a
        link. Raises BadInsert for anything else."""
        if not url:
            return ""
        if not _URL.match(url):
            raise BadInsert("an address of the letter is no plain http, https or mailto address")
        self.values.append(url)
        return f"{OPEN}u{len(self.values) - 1}{CLOSE}"


def is_url_insert(text: str) -> bool:
    """Whether this is exactly the placeholder of an address."""
    match = _INSERT.fullmatch(text)
    return match is not None and match[1] == "u"


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A text cut at its placeholders, so that it need not be searched each time it is filled."""

    texts: tuple[str, ...]
    """What stands before, between and after the placeholders."""
    positions: tuple[int, ...]
    """Of the values that are put in."""

    @classmethod
    def of(cls, text: str) -> Skeleton:
        """A text with placeholders. Raises BadInsert for one that a template broke."""
        parts = _INSERT.split(text)
        return cls(tuple(map(_unbroken, parts[::3])), tuple(map(int, parts[2::3])))

    def filled(self, values: Sequence[str], escape: Callable[[str], str]) -> str:
        """Put the values in, each escaped. Raises BadInsert for a value that is not there, or could be a
        placeholder."""
        first, *others = self.texts
        if not others:
            return first
        parts = [first]
        try:
            for position, text in zip(self.positions, others, strict=True):
                parts += (escape(values[position]), text)
        except IndexError:
            raise BadInsert("a placeholder stands in another section than its value") from None
        return _unbroken("".join(parts))


def fill(skeleton: str, values: Sequence[str], escape: Callable[[str], str]) -> str:
    """Put the values into a text that is filled once. Raises BadInsert as `Skeleton` does."""
    if OPEN not in skeleton and CLOSE not in skeleton:
        return skeleton
    return Skeleton.of(skeleton).filled(values, escape)


def plain(text: str) -> str:
    """The escape of the text part: none."""
    return text


def for_html(text: str) -> str:
    """The escape of HTML, in text and in attributes; a line end becomes a line break."""
    return html.escape(text, quote=True).replace("\n", "<br>")


def _unbroken(text: str) -> str:
    if OPEN in text or CLOSE in text:
        raise BadInsert("a template took a value apart: use whole values only, no slices or letters of them")
    return text
