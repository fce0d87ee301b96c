"""People and pairs from CSV files, for cohorts that are too large to write out.

Whatever spreadsheet the file comes from: UTF-8 with or without byte order mark; comma, semicolon or tab between
the cells. Cells stay text; the models turn them into numbers and dates.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from program.faults import Fault, Faults, Place, fault, nearest, quoted
from program.limits import CSV_BYTES, CSV_COLUMNS, CSV_ROWS
from program.reading import Trail, read_text

PERSON_COLUMNS = ("id", "name", "email", "zone", "language", "mentees_at_most")
PAIR_COLUMNS = ("key", "program", "mentor", "mentees", "peers", "start")


@dataclass(slots=True)
class Rows:
    """The rows of a CSV file as data of the models, where each cell stands, and what to warn of."""

    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    places: dict[Trail, Place] = field(default_factory=dict[Trail, Place])
    faults: list[Fault] = field(default_factory=list[Fault])
    warnings: list[Fault] = field(default_factory=list[Fault])


def read_people(path: Path) -> Rows:
    """Participants from a CSV; columns beyond PERSON_COLUMNS become the profile. Raises Faults (no such file)."""
    found = Rows()
    table = _Table(path, found.faults)
    table.needs("id", "name", "email")
    for column in table.columns:
        near = nearest(column, PERSON_COLUMNS)
        if column not in PERSON_COLUMNS and near and near[0] not in table.columns:
            found.warnings.append(
                fault(
                    table.header[column],
                    f"the column {quoted(column)} becomes part of the profile, which partners see",
                    f"If you meant `{near[0]}`, write that.",
                )
            )
    for index, (place, cells) in enumerate(table.records()):
        row: dict[str, Any] = {}
        profile: dict[str, str] = {}
        found.places[(index,)] = place
        for column, (text, at) in cells.items():
            if column in PERSON_COLUMNS:
                row[column] = text
                found.places[(index, column)] = at
            else:
                profile[column] = text
                found.places[(index, "profile", column)] = at
        if profile:
            row["profile"] = profile
        found.rows.append(row)
    return found


def read_pairs(path: Path) -> Rows:
    """Mentorships from a CSV; several mentees or peers in a cell are parted by spaces or `|`. Raises Faults."""
    found = Rows()
    table = _Table(path, found.faults)
    table.needs("key")
    for column in table.columns:
        if column not in PAIR_COLUMNS:
            near = nearest(column, PAIR_COLUMNS)
            found.faults.append(
                fault(
                    table.header[column],
                    f"unknown column {quoted(column)}",
                    f"Did you mean `{near[0]}`?" if near else f"Known are {', '.join(PAIR_COLUMNS)}.",
                )
            )
    for index, (place, cells) in enumerate(table.records()):
        row: dict[str, Any] = {}
        found.places[(index,)] = place
        for column, (text, at) in cells.items():
            found.places[(index, column)] = at
            if column in ("mentees", "peers"):
                row[column] = text.replace("|", " ").split()
                for member in range(len(row[column])):
                    found.places[(index, column, member)] = at
            elif column in PAIR_COLUMNS:
                row[column] = text
        found.rows.append(row)
    return found


class _Table:
    """A CSV file with a header, read row by row; every cell knows its line and the column it begins in."""

    def __init__(self, path: Path, faults: list[Fault]) -> None:
        self._file = str(path)
        self._faults = faults
        self._lines = list(io.StringIO(read_text(path, CSV_BYTES), newline=""))
        self.header: dict[str, Place] = {}
        head = self._lines[0] if self._lines else ""
        self._delimiter = max(",;\t", key=head.count)
        self._reader = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        self._names: list[str] = []
        self._measured = 0
        self._starts: list[int] = []
        header = next(self._safely(), (1, list[str]()))[1]
        if len(header) > CSV_COLUMNS:
            problem = f"the first line names {len(header):,} columns, and at most {CSV_COLUMNS} are read"
            raise Faults([Fault(self._file, 1, 1, problem, "Is it the right file? Leave out what nobody needs.")])
        for number, written in enumerate(header):
            name = written.strip().lower().replace(" ", "_").replace("-", "_")
            place = self._cell(1, number)
            if name in self.header:
                faults.append(fault(place, f"the column {quoted(name)} stands here twice", "Keep one."))
            if name:
                self.header.setdefault(name, place)
            self._names.append(name)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.header)

    def needs(self, *columns: str) -> None:
        """Say which columns are missing."""
        for column in columns:
            if column not in self.header:
                near = nearest(column, self.columns)
                hint = f"Is it the one called `{near[0]}`? " if near else ""
                self._faults.append(
                    Fault(
                        self._file,
                        1,
                        1,
                        f"the column `{column}` is missing",
                        f"{hint}The first line must name the columns, such as {','.join(columns)}.",
                    )
                )

    def records(self) -> Iterator[tuple[Place, dict[str, tuple[str, Place]]]]:
        """(place of the row, column to (text, place)) of every row that is not empty; empty cells are left out."""
        rows = 0
        for line, cells in self._safely():
            if not any(cell.strip() for cell in cells):
                continue
            rows += 1
            if rows > CSV_ROWS:
                problem = f"the table has more than {CSV_ROWS:,} rows"
                self._faults.append(Fault(self._file, line, 1, problem, "Divide the cohort."))
                return
            if len(cells) > len(self._names):
                self._faults.append(
                    fault(
                        self._cell(line, len(self._names)),
                        f"this row has {len(cells)} cells, the header only {len(self._names)}",
                        f'Put a cell that holds a "{self._delimiter}" in double quotes.',
                    )
                )
            yield (
                Place(self._file, line),
                {
                    name: (cell.strip(), self._cell(line, number))
                    for number, (name, cell) in enumerate(zip(self._names, cells, strict=False))
                    if name and cell.strip()
                },
            )

    def _safely(self) -> Iterator[tuple[int, list[str]]]:
        """(line in which the record begins, its cells); a malformed rest ends the reading with a fault."""
        while True:
            begins = self._reader.line_num + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                remedy = "Check the double quotes from here on."
                self._faults.append(Fault(self._file, begins, 1, f"this is no valid CSV: {error}", remedy))
                return
            yield begins, cells

    def _cell(self, line: int, number: int) -> Place:
        """Where a cell begins, by the delimiters before it that stand outside quotes."""
        if line != self._measured:
            self._measured, self._starts = line, list(self._starts_in(line))
        return Place(self._file, line, self._starts[number] if number < len(self._starts) else 1)

    def _starts_in(self, line: int) -> Iterator[int]:
        """The columns in which the cells of a line begin, of as many as a table may have and one more."""
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        yield 1
        within, found = False, 0
        for at, character in enumerate(text, 2):
            within ^= character == '"'
            if character == self._delimiter and not within:
                yield at
                found += 1
                if found > CSV_COLUMNS:
                    return
