"""The tables of a report for spreadsheets: one sheet a table, behind a contents sheet. It counts nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reports.method import method
from reports.season_report import SECTIONS, Report
from reports.statistics import share
from reports.tables import Cell, Table, in_words
from reports.titles import titled

COLUMNS = ("what", "n", "of", "percent", "interval from", "interval to")
LONGEST = 31
"""Characters of the name of a sheet."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table. A cell is a text or a number."""

    name: str
    """Unique in the workbook, at most 31 characters."""
    file: str
    """Unique as a name of a file, without its ending."""
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str | int | float]]


def sheets(report: Report) -> list[Sheet]:
    """The contents, the headlines, every table and the method."""
    found: list[Sheet] = []
    contents: list[Sequence[str | int | float]] = []
    for number, table in enumerate(report.tables, 1):
        name = f"{number:03} {re.sub(r'[^A-Za-z0-9 _-]', ' ', table.id.split('/')[-1])}"[:LONGEST].strip()
        file = re.sub(r"[^a-z0-9]+", "-", f"{number:03} {table.id}".lower()).strip("-")
        found.append(Sheet(name, file, COLUMNS, _rows(table)))
        contents.append((name, SECTIONS[table.section], titled(table)))
    lines = [
        (
            line.title,
            "" if line.count is None else f"at least {line.count}" if line.at_least else line.count,
            "" if line.total is None else line.total,
            line.of,
        )
        for line in report.headlines
    ]
    says = [
        "exact numbers, not for passing on" if report.exact else "for passing on",
        *method(report),
        *(f"left out: {title}: {reason}" for title, reason in report.withheld.items()),
    ]
    return [
        Sheet("Contents", "000-contents", ("sheet", "section", "table"), contents),
        Sheet("The answer first", "000-headlines", ("figure", "n", "of", "of what"), lines),
        Sheet("Method", "000-method", ("method",), [(line,) for line in says]),
        *found,
    ]


def _rows(table: Table) -> list[Sequence[str | int | float]]:
    total = (table.total.label, _number(table.total), "", "", "", "")
    return [*(_row(table, cell) for cell in table.cells), total]


def _row(table: Table, cell: Cell) -> Sequence[str | int | float]:
    number, total = _number(cell), _number(table.total)
    if cell.state == "exact" and table.total.state == "exact" and table.total.count:
        part = share(cell.count, table.total.count)
        low, high = part.interval or ("", "")
        return (cell.label, number, total, "" if part.percent is None else part.percent, low, high)
    return (cell.label, number, total, "", "", "")


def _number(cell: Cell) -> str | int:
    return cell.count if cell.state == "exact" else in_words(cell)
