"""What people write takes time in proportion to its length in every mail: one answer must not stop the delivery."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from mail import inserts
from mail.headers import mailbox, unstructured
from mail.markdown import Line, as_text, render
from program.limits import TEXT_CHARACTERS

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
        seconds = min(_spent(TRANSFORMS[transform], text) for _ in range(2))
        assert seconds < BUDGET, (transform, what, seconds)


def test_an_address_that_is_its_own_link_is_said_once() -> None:
    [line] = render("Write to <a@example.org> or [b](mailto:b@example.org).").lines
    text = as_text([line], ())
    assert text == "Write to a@example.org or b (mailto:b@example.org)."
    said = "a@b (mailto:a@b), xa@b (mailto:a@b) c (mailto:a@b) a (mailto:a) (mailto: a@b (mailto:a@b"
    assert as_text([Line(said, "", "", None, True)], ()) == said.replace("a@b (mailto:a@b)", "a@b", 2)


def _spent(transform: Callable[[str], object], text: str) -> float:
    began = time.process_time()
    transform(text)
    return time.process_time() - began
