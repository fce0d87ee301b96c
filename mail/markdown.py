"""One Markdown source, two renderings: HTML, and text for people who read mail as text.

Raw HTML in a source is shown, not obeyed. An image is a link to it: no mail loads anything. A link's target is either
written out in the source or the placeholder of an address (`mail.inserts`); any other placeholder there is no link.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from mail.inserts import OPEN, fill, is_url_insert, plain

WIDTH = 74


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        if OPEN in url:
            return is_url_insert(url)
        return url.startswith(("https://", "http://", "mailto:"))

    def normalizeLink(self, url: str) -> str:
        return url if OPEN in url else super().normalizeLink(url)


_MARKDOWN = _Markdown("commonmark", {"html": False}).enable("table").disable("image")


@dataclass(frozen=True, slots=True)
class Line:
    """One block of the text part, still with placeholders. `first` and `rest` are put before its lines."""

    text: str
    first: str = ""
    rest: str = ""
    gap: str | None = ""
    """What stands between the block before and this one: an empty line, a quotation mark, two empty lines, or,
    with None, nothing."""
    literal: bool = False
    """Not wrapped: commands."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A source with both renderings, still with placeholders."""

    html: str
    lines: tuple[Line, ...]


def render(source: str, below: int = 1) -> Rendered:
    """Both renderings of a Markdown source. Headings in it come out one level deeper than `below`."""
    tokens = _MARKDOWN.parse(source)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, below + int(token.tag[1:]))}"
    return Rendered(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}), tuple(_lines(tokens)))


def _inline(token: Token) -> str:
    """The text of an inline token: a link is followed by its target where the two differ."""
    parts: list[str] = []
    target = ""
    start = 0
    for child in token.children or []:
        if child.type in ("text", "code_inline"):
            parts.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            parts.append("\n" if child.type == "hardbreak" else " ")
        elif child.type == "link_open":
            target, start = str(child.attrGet("href") or ""), len(parts)
        elif child.type == "link_close" and "".join(parts[start:]) != target.removeprefix("mailto:"):
            parts.append(f" ({target})")
    return "".join(parts)


def _lines(tokens: Sequence[Token]) -> list[Line]:
    lines: list[Line] = []
    margins: list[str] = []
    counters: list[int | None] = []
    bullet = ""
    tight = fresh = quoted = False
    opened = ""
    cells: list[str] | None = None
    rows, heads = 0, False
    for token in tokens:
        opened = token.type if token.nesting == 1 else opened
        if token.type in ("thead_open", "tbody_open"):
            heads, rows = token.type == "thead_open", 0
        if token.type == "tr_open":
            cells = []
        if token.type == "tr_close" and cells is not None:
            if not heads:  # a list instead of a table: what a column is called is seen from what stands in it
                lines.append(Line(" · ".join(filter(None, cells)), "- ", "  ", None if rows else ""))
            cells, rows = None, rows + 1
        if cells is not None:
            if token.type == "inline":
                cells.append(_inline(token))
            continue
        if token.type in ("bullet_list_open", "ordered_list_open"):
            counters.append(int(token.attrGet("start") or 1) if token.type[0] == "o" else None)
            fresh = True
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            counters.pop()
        elif token.type == "list_item_open":
            count = counters[-1]
            bullet = "- " if count is None else f"{count}. "
            counters[-1] = None if count is None else count + 1
            margins.append(" " * len(bullet))
        elif token.type in ("list_item_close", "blockquote_close"):
            margins.pop()
        elif token.type == "blockquote_open":
            margins.append("> ")
            quoted = False
        elif token.type == "paragraph_open":
            tight = token.hidden
        elif token.type in ("inline", "fence", "code_block"):
            rest = "".join(margins)
            first = "".join(margins[:-1]) + bullet if bullet else rest
            literal = token.type != "inline"
            text = token.content.rstrip("\n") if literal else _inline(token)
            if opened == "heading_open":
                gap = "\n" if lines else ""
            else:
                gap = None if tight and not fresh else ">" if quoted and margins and margins[-1] == "> " else ""
            lines.append(Line(text, first, rest, gap, literal))
            bullet, tight, fresh, quoted = "", False, False, True
    return lines


_MAILTO = " (mailto:"
_SPACES = re.compile(r"[ \t]+")


def as_text(lines: Sequence[Line], values: Sequence[str]) -> str:
    """The text part: values put in, paragraphs wrapped, quotes and lists with their marks."""
    rows: list[str] = []
    for line in lines:
        if rows and line.gap is not None:
            rows.append(line.gap)
        first = line.first
        filled = fill(line.text, values, plain)
        if _MAILTO in filled:
            filled = _said_once(filled)
        for part in filled.split("\n"):
            if line.literal or len(first) + len(part) <= WIDTH:
                rows.append(first + part if line.literal else (first + _SPACES.sub(" ", part)).rstrip())
            else:
                # Where something is put in, it is another person's in every mail: that isn't remembered.
                wrapped = _remembered if filled == line.text else _wrapped
                rows += wrapped(part, first, line.rest)
            first = line.rest
    return "\n".join(rows)


def _said_once(text: str) -> str:
    """`a@example.org (mailto:a@example.org)` is the address alone. Every text is passed once: what people write may
    hold thousands of addresses, or of what looks like one."""
    before, *linked = text.split(_MAILTO)
    parts = [before]
    for part in linked:
        address, closed, rest = part.partition(")")
        said = bool(closed) and "@" in address and not re.search(r"\s", address) and parts[-1].endswith(address)
        parts.append(rest if said else f"{_MAILTO}{part}")
    return "".join(parts)


def _wrapped(paragraph: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        paragraph,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


_remembered = lru_cache(2048)(_wrapped)
"""Most paragraphs are the same in many mails, and wrapping them costs more than all else in a text."""
