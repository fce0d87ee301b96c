"""One Markdown source, two renderings: HTML, and text for people who read mail as text.

Raw HTML in a source is shown, not obeyed. An image is a link to it: no mail loads anything. A link's target is either
written out in the source or the placeholder of an address (`mail.inserts`); any other placeholder there is no link.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from mail.inserts import OPEN, Skeleton, is_url_insert, plain

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
    skeleton: Skeleton = field(init=False, repr=False, compare=False)
    rows: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The block as it stands in every mail; empty where something is put in."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "skeleton", Skeleton.of(self.text))
        object.__setattr__(self, "rows", () if self.skeleton.positions else tuple(_rows(self, self.text)))


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
        rows += line.rows or _rows(line, line.skeleton.filled(values, plain))
    return "\n".join(rows)


def _rows(line: Line, filled: str) -> list[str]:
    rows: list[str] = []
    first = line.first
    if _MAILTO in filled:
        filled = _said_once(filled)
    for part in filled.split("\n"):
        if line.literal or len(first) + len(part) <= WIDTH:
            rows.append(first + part if line.literal else (first + _SPACES.sub(" ", part)).rstrip())
        else:
            rows += wrapped(part, first, line.rest)
        first = line.rest
    return rows


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


def wrapped(paragraph: str, first: str, rest: str) -> list[str]:
    """A paragraph in rows of `WIDTH` characters at most, the first and the others behind their marks. A longer word
    stands alone."""
    if not paragraph.isprintable() or "  " in paragraph or paragraph != paragraph.strip(" ") or not paragraph:
        return textwrap.wrap(
            paragraph,
            WIDTH,
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
    # Words with one space between, as nearly all are: the same without a look at each of them.
    rows: list[str] = []
    mark = first
    while len(mark) + len(paragraph) > WIDTH:
        end = paragraph.rfind(" ", 0, max(WIDTH - len(mark), 0) + 1)
        end = paragraph.find(" ") if end < 0 else end
        if end < 0:
            break
        rows.append(mark + paragraph[:end])
        mark, paragraph = rest, paragraph[end + 1 :]
    return [*rows, mark + paragraph]
