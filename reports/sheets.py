"""The tables of a report for spreadsheets: one sheet a table, behind a contents sheet. It counts nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from reports.answer_figures import ROLE_WORDS
from reports.charts import marks
from reports.method import method
from reports.season_report import SECTIONS, Headline, Report
from reports.statistics import Spread, share
from reports.tables import Cell, Table, in_words
from reports.titles import titled, together

NUMBERS = ("n", "of", "percent", "interval from", "interval to")
LONGEST = 31
"""Characters of the name of a sheet."""

Value = str | int | float | date
Row = Sequence[Value]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table. A cell is a text, a number or a date."""

    name: str
    """Unique in the workbook, at most 31 characters."""
    file: str
    """Unique as a name of a file, without its ending."""
    columns: tuple[str, ...]
    """The first says what the table is about."""
    rows: Sequence[Row]


def sheets(report: Report) -> list[Sheet]:
    """The contents, the figures at the top, the method, the medians, and every table."""
    found: list[Sheet] = []
    contents: list[Row] = []
    for number, tables in enumerate(together(report.tables), 1):
        words = re.sub(r"[^A-Za-z0-9 _-]", " ", tables[0].id.split("/")[-1]).split()[0:3]
        name = f"{number:03} {' '.join(words)}"[:LONGEST].strip()
        file = re.sub(r"[^a-z0-9]+", "-", f"{number:03} {tables[0].id}".lower()).strip("-")
        found.append(_sheet(name, file, tables))
        contents.append((name, SECTIONS[tables[0].section], titled(tables[0])))
    first = [
        Sheet("The answer first", "000-headlines", ("figure", "n", "of", "of what"), list(_headlines(report))),
        Sheet("Method", "000-method", ("method", ""), _method(report)),
    ]
    if medians := _medians(report):
        columns = ("figure", "lower quartile", "median", "upper quartile", *(("n",) if report.exact else ()))
        first.insert(1, Sheet("Medians", "000-medians", columns, medians))
    overview = [(sheet.name, "", "") for sheet in first]
    return [Sheet("Contents", "000-contents", ("sheet", "section", "table"), overview + contents), *first, *found]


def _method(report: Report) -> list[Row]:
    season = report.season
    return [
        ("season", season.title),
        ("as of the end of", season.as_of),
        ("numbers", "exact, not for passing on" if report.exact else "for passing on"),
        *([("only", report.filtered)] if report.filtered else ()),
        *(("", line) for line in method(report)),
        *((f"left out: {title}", reason) for title, reason in report.withheld.items()),
    ]


def _headlines(report: Report) -> Iterator[Row]:
    for line in report.headlines:
        yield line.title, *_counts(line), line.of
        if line.before is not None:
            yield f"{line.title}, last season", *_counts(line.before), line.before.of


def _counts(line: Headline) -> tuple[Value, Value]:
    count = "not shown" if line.count is None else f"at least {line.count}" if line.at_least else line.count
    return count, "" if line.total is None else line.total


def _medians(report: Report) -> list[Row]:
    def _spread(words: str, each: Spread) -> Row:
        numbers = (round(number, 2) for number in (each.low, each.median, each.high))
        return (words, *numbers, *((each.n,) if report.exact else ()))

    found: list[Row] = [
        _spread(f"confidence of {ROLE_WORDS[each.role]}, 0 to 10: {mark.moment}", mark.spread)
        for each in report.confidence
        for mark in marks(each)
    ]
    found += [
        _spread(f"confidence of {ROLE_WORDS[each.role]}: change of those who said both", each.paired)
        for each in report.confidence
        if each.paired is not None
    ]
    if report.mails_a_week is not None:
        found.append(_spread("mails for each participant and week", report.mails_a_week))
    if report.mails_beyond is not None and (report.exact or not report.mails_beyond):
        found.append(("ordinary mails beyond one a day", "", report.mails_beyond, ""))
    if report.days_to_decision is not None:
        found.append(_spread("days to a decision", report.days_to_decision))
    if report.hours_to_answer is not None:
        found.append(("hours from the first mail to the answer", "", round(report.hours_to_answer, 1), ""))
    return found


def _sheet(name: str, file: str, tables: Sequence[Table]) -> Sheet:
    first = tables[0]
    notes: list[Row] = [(f"{table.title}: {table.note}",) for table in tables if table.note]
    if first.crossed:
        parts = tuple(cell.label for cell in first.cells)
        crossed: list[Row] = [(table.title, *map(_number, table.cells), _number(table.total)) for table in tables]
        crossed += notes
        return Sheet(
            name, file, (titled(first), *parts, first.total.label if first.line == "form" else "applied"), crossed
        )
    if first.option_of:
        rows = [_row(table.title, table, table.cells[0]) for table in tables]
    else:
        rows = [_row(cell.label, first, cell) for cell in first.cells]
    return Sheet(name, file, (titled(first), *NUMBERS), [*rows, (first.total.label, _number(first.total)), *notes])


def _row(label: str, table: Table, cell: Cell) -> Row:
    number, total = _number(cell), _number(table.total)
    if cell.state == "exact" and table.total.state == "exact" and table.total.count:
        part = share(cell.count, table.total.count)
        low, high = part.interval or ("", "")
        return (label, number, total, "" if part.percent is None else part.percent, low, high)
    return (label, number, total)


def _number(cell: Cell) -> str | int:
    return cell.count if cell.state == "exact" else in_words(cell)
