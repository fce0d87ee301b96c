"""Adds addresses to the `invited:` of a cohort's file, and leaves every other letter of it as it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from program.gathering import as_invited


class NoCall(ValueError):
    """The text has no section `apply:` to which somebody could be added; the message says what to do."""


def invited_in(text: str) -> set[str]:
    """The addresses that the file invites, in small letters. Raises NoCall."""
    _, value = _entry(_apply_of(text), "invited")
    return {_address(node).strip().lower() for node in _items(value)}


def _address(entry: Any) -> str:
    pairs = {key.value: value.value for key, value in _items(entry)}
    said: Any = pairs or as_invited(entry.value)
    return str(said.get("email", ""))


def with_invited(text: str, people: Sequence[tuple[str, str]]) -> str:
    """The text with these people, (name, address), invited before all others. Raises NoCall."""
    if not people:
        return text
    apply = _apply_of(text)
    key, value = _entry(apply, "invited")
    entries = [json.dumps(f"{name} <{address}>" if name else address, ensure_ascii=False) for name, address in people]
    if value is None:
        column = apply.start_mark.column
        lines = [f"{' ' * column}invited:", *(f"{' ' * column}  - {entry}" for entry in entries)]
        return _inserted(text, apply.start_mark.line, lines)
    if value.tag.endswith(":null"):
        column = key.start_mark.column + 2
        return _inserted(text, key.end_mark.line + 1, [f"{' ' * column}- {entry}" for entry in entries])
    if value.flow_style:
        at = value.start_mark.index + 1
        return f"{text[:at]}{', '.join(entries)}{', ' if _items(value) else ''}{text[at:]}"
    column = value.start_mark.column
    return _inserted(text, value.start_mark.line, [f"{' ' * column}- {entry}" for entry in entries])


def _apply_of(text: str) -> Any:
    try:
        reader: Any = YAML()
        top: Any = reader.compose(text)
    except (YAMLError, RecursionError, ValueError, TypeError, LookupError, AttributeError) as broken:
        raise NoCall("its file can't be read; open it and correct the faults first") from broken
    apply = _entry(top, "apply")[1]
    if not _items(apply):
        raise NoCall("its file has no section `apply:`; write one with `opens:` and `closes:` first")
    if apply.flow_style:
        raise NoCall("its file has `apply:` in braces; write each of its entries on a line of its own first")
    return apply


def _items(node: Any) -> list[Any]:
    """The entries of a list, the (key, value) of a mapping; nothing of a word or of None."""
    found: Any = getattr(node, "value", None)
    return cast("list[Any]", found) if isinstance(found, list) else []


def _entry(mapping: Any, name: str) -> tuple[Any, Any]:
    found: tuple[Any, Any] = None, None
    for key, value in _items(mapping) if str(getattr(mapping, "tag", "")).endswith(":map") else ():
        if key.value == name:
            found = key, value
    return found


def _inserted(text: str, line: int, lines: Sequence[str]) -> str:
    """The text with these lines before the line of this number, counted from 0."""
    before = text.splitlines(keepends=True)
    if before and not before[-1].endswith("\n"):
        before[-1] += "\n"
    return "".join([*before[:line], *(f"{each}\n" for each in lines), *before[line:]])
