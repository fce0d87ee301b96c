"""The words of the coordinators' pages: every key that a page uses exists, and every key that exists is used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from web.coordinator.words import FOLDER, Words

ROOT = FOLDER.parent.parent
USED = re.compile(r"""words(?:\.plain)?\(\s*["']([a-z_.]+)["']""")
GROUP = re.compile(r"""words(?:\.plain)?\(\s*f?["']([a-z_]+)\.["'{]|words\.of\(\s*["']([a-z_.]+)["']""")
"""Keys that are put together: `words.of("proofs", …)`, `words("messages." ~ …)`, `words(f"messages.{…}")`."""


def sources() -> list[Path]:
    """Every file that can use a word."""
    return [*(ROOT / "templates" / "coordinator").glob("**/*.html"), *(ROOT / "web" / "coordinator").glob("**/*.py")]


def test_every_key_that_is_used_exists_and_every_key_is_used() -> None:
    used: set[str] = set()
    groups: set[str] = set()
    for path in sources():
        text = path.read_text("utf-8")
        used |= {key for key in USED.findall(text) if not key.endswith(".")}
        groups |= {first or second for first, second in GROUP.findall(text)}
    words = Words()
    assert sorted(used - set(words.texts)) == []
    texts = "".join(path.read_text("utf-8") for path in sources())
    grouped = {key for key in words.texts if any(key.startswith(f"{group}.") for group in groups)}
    assert sorted(key for key in {*words.texts} - grouped if f'"{key}"' not in texts) == []


def test_messages_have_a_heading_and_a_text() -> None:
    named: set[str] = set()
    for path in sources():
        named |= set(re.findall(r"""\.message\(\s*["']([a-z_]+)["']""", path.read_text("utf-8")))
    words = Words()
    for key in named:
        assert words.texts[f"messages.{key}.heading"]
        assert words.texts[f"messages.{key}.text"]


def test_plural_values_and_escaping(tmp_path: Path) -> None:
    (tmp_path / "en.yaml").write_text("a: {b: {one: '{n} <day> for {who}', other: '{n} days for {who}'}, c: '{who}'}")
    words = Words("en", tmp_path)
    assert words("a.b", 1, who="<b>") == "1 &lt;day&gt; for &lt;b&gt;"
    assert words("a.b", 12345, who="Ada") == "12,345 days for Ada"
    assert words.plain("a.b", 1, who="<b>") == "1 <day> for <b>"
    for call in (lambda: words("a.d"), lambda: words("a.b", who="Ada"), lambda: words("a.c")):
        with pytest.raises(KeyError):
            call()
