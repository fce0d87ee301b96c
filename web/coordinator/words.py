"""The words of the coordinators' pages, from `templates/words/<language>.yaml`: keyed by page, with plural forms.

A key that is missing raises, and so does a value that a text names and nobody gave: no page shows half a sentence.
Values are escaped, so that a name can't become markup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.numbers import format_decimal
from markupsafe import Markup, escape
from ruamel.yaml import YAML

from mail.dates import locale_of

FOLDER = Path(__file__).parent.parent.parent / "templates" / "words"
_VALUE = re.compile(r"\{([a-z_]+)\}")


class Words:
    """The words of one language.

    `words("today.title")`, or with `n=3`: then, a text may have plural categories
    (`{one: …, other: …}`, by CLDR), and `{n}` is written as the language writes numbers.
    """

    def __init__(self, language: str = "en", folder: Path = FOLDER) -> None:
        self.language = language
        self._locale = locale_of(language)
        self.texts = _texts((folder / f"{language}.yaml").read_text("utf-8"))

    def __call__(self, key: str, n: int | None = None, **values: Any) -> Markup:
        """The text of a key, for a page. Raises KeyError for a key or a value that is missing."""
        text = self._text(key, n)
        given = {name: escape(value) for name, value in values.items()}
        if n is not None:
            given["n"] = escape(format_decimal(n, locale=self._locale))
        return Markup(_VALUE.sub(lambda named: given[named[1]], str(escape(text))))

    def plain(self, key: str, n: int | None = None, **values: Any) -> str:
        """The same without escaping: for a mail or a header."""
        given = {name: str(value) for name, value in values.items()}
        if n is not None:
            given["n"] = format_decimal(n, locale=self._locale)
        return _VALUE.sub(lambda named: given[named[1]], self._text(key, n))

    def of(self, group: str, id_: str) -> Markup:
        """The text of an id of the engine, such as a phase or a kind of task: the key `group.id_`."""
        return self(f"{group}.{id_}")

    def _text(self, key: str, n: int | None) -> str:
        text = self.texts[key]
        if isinstance(text, str):
            return text
        if n is None:
            raise KeyError(f"{key} has plural categories: it needs n")
        return text[self._locale.plural_form(n)]


@lru_cache(maxsize=8)
def _texts(written: str) -> Mapping[str, str | dict[str, str]]:
    return dict(_flat(YAML(typ="safe").load(written)))


def _flat(loaded: Mapping[str, Any], before: str = "") -> list[tuple[str, str | dict[str, str]]]:
    flat: list[tuple[str, str | dict[str, str]]] = []
    for key, value in loaded.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping) and "other" not in value:
            flat += _flat(value, f"{name}.")
        elif isinstance(value, Mapping):
            flat.append((name, {category: str(text) for category, text in value.items()}))
        else:
            flat.append((name, str(value)))
    return flat
