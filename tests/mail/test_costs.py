"""What people write takes time in proportion to its length in every mail: one answer must not stop the delivery."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mail import inserts
from mail.headers import mailbox, unstructured
from mail.markdown import WIDTH, Line, as_text, render, wrapped
from program.limits import TEXT_CHARACTERS
from testing.cpu_budget import within

BUDGET = 0.25
"""Seconds of CPU."""

TEXTS = {
    "addresses": "a@" * 4_000 + " (mailto:",
    "addresses said twice": "a@b (mailto:a@b) " * 500,
    "links": "(mailto:" * 1_200,
    "quotes": '"a ' * 3_000,
    "dots": "a." * 5_000,
    "apostrophes": "a'" * 5_000,
    "spaces": " " * 10_000,
    "one word": "x" * 10_000,
    "stars": "*a" * 5_000,
    "marks of markup": "_[`<" * 2_500,
    "controls": "\x00\u202e" * 5_000,
}

TRANSFORMS: dict[str, Callable[[str], object]] = {
    "a passage": inserts.passage,
    "a line": inserts.line,
    "a name": inserts.name,
    "quotes": lambda text: inserts.typographic(text, "en"),
    "the text part": lambda text: as_text([Line(text, "", "", None, False)], ()),
    "a subject": lambda text: unstructured(text, "Subject"),
    "a mailbox": lambda text: mailbox(text[:200], "a@example.org", "To"),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_what_people_write_costs_little(transform: str) -> None:
    for what, text in TEXTS.items():
        assert len(text) <= TEXT_CHARACTERS
        assert any(within(_spent(TRANSFORMS[transform], text), BUDGET) for _ in range(2)), (transform, what)


def test_an_address_that_is_its_own_link_is_said_once() -> None:
    [line] = render("Write to <a@example.org> or [b](mailto:b@example.org).").lines
    text = as_text([line], ())
    assert text == "Write to a@example.org or b (mailto:b@example.org)."
    said = "a@b (mailto:a@b), xa@b (mailto:a@b) c (mailto:a@b) a (mailto:a) (mailto: a@b (mailto:a@b"
    assert as_text([Line(said, "", "", None, True)], ()) == said.replace("a@b (mailto:a@b)", "a@b", 2)


WORDS = st.lists(st.text("abcé-.\t\xa0", min_size=0, max_size=90) | st.text("ab", max_size=9), max_size=40)


@given(WORDS, st.sampled_from(["", "- ", "> ", "1. ", " " * 80]), st.sampled_from(["", "  ", "> > ", " " * 73]))
@settings(max_examples=500)
def test_a_paragraph_is_wrapped_as_a_library_wraps_it(words: list[str], first: str, rest: str) -> None:
    paragraph = " ".join(words)
    expected = textwrap.wrap(
        paragraph, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
    assert wrapped(paragraph, first, rest) == expected


def _spent(transform: Callable[[str], object], text: str) -> float:
    began = time.process_time()
    transform(text)
    return time.process_time() - began
