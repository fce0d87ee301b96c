"""What the tables of a report are called, on pages, sheets and the screen."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from reports.answer_figures import ROLE_WORDS
from reports.tables import Table

PLACES = {
    "{partner}": "your partner",
    "{since}": "the time before",
    "{purpose}": "what this is for",
    "{program}": "this program",
}
"""What stands in a question in place of the words of one mentorship."""


def titled(table: Table) -> str:
    """The title of a table, with who was asked and when where it is a question."""
    title = table.option_of or table.title
    for place, words in PLACES.items():
        title = title.replace(place, words)
    if not table.wording:
        return title
    role, occasion, _ = table.id.split("/", 2)
    number = occasion.lstrip("abcdefghijklmnopqrstuvwxyz_")
    words = occasion.removesuffix(number).replace("_", "-")
    return f"{title} ({ROLE_WORDS[role]}, {words}{f' {number}' if number else ''})"


def together(tables: Iterable[Table]) -> list[list[Table]]:
    """The tables with those beside each other that are about options of the same question."""
    return [[*group] for _, group in groupby(tables, _stands_with)]


def _stands_with(table: Table) -> str:
    if not table.option_of:
        return table.id
    return table.option_of if table.crossed else table.id.partition(f".{table.wording}.")[0]
