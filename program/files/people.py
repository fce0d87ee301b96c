"""People and pairs from CSV files, for cohorts that are too large to write out.

Every spreadsheet can write one: in the encodings of `program.files.tables`, or an XLSX; comma, semicolon or tab
between the cells, or what Excel's first line `sep=;` says. Cells stay text; the models turn them into numbers and
dates.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from program.faults import Fault, Faults, Place, fault, listed, nearest, quoted, suggestion
from program.files.reading import Trail
from program.files.tables import read_table
from program.limits import CSV_COLUMNS, CSV_ROWS

PERSON_COLUMNS = ("id", "name", "email", "zone", "language", "mentees_at_most")
PAIR_COLUMNS = ("key", "program", "mentor", "mentees", "peers", "start")

FAULTY_ROWS_AT_MOST = 20
"""Rows with the wrong number of cells that are named one by one; there are usually none or all of them."""

_CSV_ERRORS = (
    ("unexpected end of data", "a double quote that is opened here is never closed"),
    ("expected after", "a double quote stands in the middle of a cell"),
    ("field limit", "a cell is longer than 131072 characters"),
    ("NUL", "a row holds a NUL character"),
)
"""What Python's reader says, and the same in words."""

_OTHER_NAMES = {
    "email": (
        "mail",
        "e_mail",
        "email_address",
        "mail_address",
        "e_mail_adresse",
        "mailadresse",
        "address",
        "courriel",
    ),
    "name": ("full_name", "participant", "person", "vor_und_nachname", "nom", "nombre", "first_name", "vorname"),
    "id": ("person_id", "participant_id", "number", "no", "nr", "key", "kennung"),
    "key": ("id", "pair", "pair_id", "mentorship", "number", "no", "nr"),
}
"""How people call the needed columns."""


@dataclass(slots=True)
class Rows:
    """The rows of a CSV file as data of the models, where each cell stands, and what to warn of."""

    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    places: dict[Trail, Place] = field(default_factory=dict[Trail, Place])
    faults: list[Fault] = field(default_factory=list[Fault])
    warnings: list[Fault] = field(default_factory=list[Fault])
    columns: tuple[str, ...] = ()
    """All columns of people's profiles that the table names, also those that are empty in every row."""
    whole: bool = True
    """Whether every row could be read. Where not, the cause is among the faults, and nothing can be said of what the
    rows lack."""


def read_people(path: Path) -> Rows:
    """Participants from a CSV; columns beyond PERSON_COLUMNS become the profile.

    Raises Faults where there is no such file, or its header lacks a needed column: every other fault would be a
    consequence of that.
    """
    table = _Table(path, PERSON_COLUMNS)
    table.needs("id", "name", "email")
    found = Rows(columns=tuple(column for column in table.header if column not in PERSON_COLUMNS))
    for column in table.header:
        near = nearest(column, PERSON_COLUMNS)
        if column not in PERSON_COLUMNS and near and near[0] not in table.header:
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
    if not found.rows:
        found.faults.append(table.without_rows("people"))
    return table.finished(found)


def read_pairs(path: Path) -> Rows:
    """Mentorships from a CSV; several mentees or peers in a cell are parted by spaces or `|`. Raises Faults as
    `read_people` does, and for columns that are unknown."""
    table = _Table(path, PAIR_COLUMNS)
    table.needs("key")
    table.knows_all()
    found = Rows()
    for index, (place, cells) in enumerate(table.records()):
        row: dict[str, Any] = {}
        found.places[(index,)] = place
        for column, (text, at) in cells.items():
            found.places[(index, column)] = at
            if column in ("mentees", "peers"):
                row[column] = text.replace("|", " ").split()
                for member in range(len(row[column])):
                    found.places[(index, column, member)] = at
            else:
                row[column] = text
        found.rows.append(row)
    if not found.rows:
        found.warnings.append(table.without_rows("mentorships"))
    return table.finished(found)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of any table: where it stands, and column to (text, place) of the cells that hold something."""

    place: Place
    cells: dict[str, tuple[str, Place]]


def read_rows(path: Path, needed: tuple[str, ...]) -> tuple[list[Row], tuple[str, ...], str]:
    """The rows of a table with these columns, named as `column_name` names them; all its columns; and the encoding,
    where it was guessed. Raises Faults."""
    table = _Table(path, needed)
    table.needs(*needed)
    rows = [Row(place, cells) for place, cells in table.records()]
    finished = table.finished(Rows())
    if finished.faults:
        raise Faults(finished.faults)
    return rows, tuple(table.header), table.guessed


def column_name(written: str) -> str:
    """A column's name as it is compared: lower case, with an underscore for blanks and hyphens."""
    return written.strip().lower().replace(" ", "_").replace("-", "_")


class _Table:
    """A CSV file with a header, read row by row; every cell knows its line and the column it begins in."""

    def __init__(self, path: Path, known: tuple[str, ...]) -> None:
        self._file = str(path)
        self._known = known
        self._faults: list[Fault] = []
        table = read_table(path)
        text, self.guessed = table.text, table.guessed
        if not text.strip():
            raise Faults([Fault(self._file, 1, 1, "the file is empty", self._example())])
        self._lines = list(io.StringIO(text, newline=""))
        self.header: dict[str, Place] = {}
        self._first = 2 if self._lines[0].strip().lower().startswith("sep=") else 1
        if self._first == 2:
            self._delimiter = self._lines[0].lstrip().rstrip("\r\n")[4:5] or ","
        else:
            self._delimiter = max(",;\t", key=self._lines[0].count)
        rest = self._lines[self._first - 1 :]
        self._reader = csv.reader(rest, delimiter=self._delimiter, strict=True)
        self._names: list[str] = []
        self._measured = 0
        self._starts: list[int] = []
        header = next(self._safely(), (self._first, list[str]()))[1]
        if len(header) > CSV_COLUMNS:
            problem = f"the first line names {len(header):,} columns, and at most {CSV_COLUMNS} are read"
            raise Faults([Fault(self._file, 1, 1, problem, "Is it the right file? Leave out what nobody needs.")])
        for number, written in enumerate(header):
            name = column_name(written)
            place = self._cell(self._first, number)
            if name in self.header:
                self._faults.append(fault(place, f"the column {quoted(name)} stands here twice", "Keep one."))
            if name:
                self.header.setdefault(name, place)
            self._names.append(name)
        if not self._names and self._faults:
            raise Faults(self._faults)

    def needs(self, *columns: str) -> None:
        """Raises Faults where columns are missing, or stand there twice: nothing is known of the rows then."""
        missing = [column for column in columns if column not in self.header]
        if missing:
            named = f"the column `{missing[0]}` is" if len(missing) == 1 else f"the columns {listed(missing)} are"
            place = Place(self._file, self._first)
            self._faults.append(fault(place, f"{named} missing", self._remedy(missing)))
        if self._faults:
            raise Faults(self._faults)

    def knows_all(self) -> None:
        """Raises Faults where there are columns that mean nothing here."""
        for column, place in self.header.items():
            if column not in self._known:
                known = f"Known are {', '.join(self._known)}."
                self._faults.append(
                    fault(place, f"unknown column {quoted(column)}", suggestion(column, self._known, known))
                )
        if self._faults:
            raise Faults(self._faults)

    def _remedy(self, missing: list[str]) -> str:
        """Which of the columns that the file has may be meant; or how a header looks."""
        free = [column for column in self.header if column not in self._known]
        meant: list[str] = []
        for column in missing:
            near = next((one for one in free if one in _OTHER_NAMES.get(column, ())), "") or next(
                iter(nearest(column, free)), ""
            )
            if near:
                meant.append(f"Is `{column}` the one called {quoted(near)}?")
                free.remove(near)
        if meant:
            return " ".join(meant)
        if len(self.header) < 2:
            return self._example()
        found = ", ".join(quoted(column) for column in list(self.header)[:12])
        return f"This line has {found}. {self._example()}"

    def _example(self) -> str:
        return f"The first line must name the columns, such as {','.join(self._known)}."

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
            if len(cells) > len(self._names) and any(cell.strip() for cell in cells[len(self._names) :]):
                self._too_many(line, len(cells))
            yield (
                Place(self._file, line),
                {
                    name: (cell.strip().replace("\r\n", "\n"), self._cell(line, number))
                    for number, (name, cell) in enumerate(zip(self._names, cells, strict=False))
                    if name and cell.strip()
                },
            )

    def _too_many(self, line: int, cells: int) -> None:
        self._faults.append(
            fault(
                self._cell(line, len(self._names)),
                f"this row has {cells} cells, the header only {len(self._names)}",
                f'Put a cell that holds a "{self._delimiter}" in double quotes.',
            )
        )
        if len(self._faults) >= FAULTY_ROWS_AT_MOST:
            raise Faults(self._faults)

    def without_rows(self, what: str) -> Fault:
        """Say that nothing stands below the header."""
        place = Place(self._file, self._first)
        return fault(place, f"the file names columns and no {what}", "Write one row below for each.")

    def finished(self, found: Rows) -> Rows:
        """The rows, with the faults that reading them has found, and a warning where the encoding was guessed."""
        if self.guessed:
            found.warnings.append(
                Fault(
                    self._file, 1, 1, f"the file does not say its encoding, and was read as {self.guessed}",
                    "Look at a name with an umlaut or accent; save the file as CSV UTF-8 to be sure.",
                )
            )  # fmt: skip
        found.whole = not (self._faults or found.faults)
        found.faults += self._faults
        return found

    def _safely(self) -> Iterator[tuple[int, list[str]]]:
        """(line in which the record begins, its cells); a malformed rest ends the reading with a fault."""
        while True:
            begins = self._reader.line_num + self._first
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                said = next((words for part, words in _CSV_ERRORS if part in str(error)), "it can't be taken apart")
                remedy = "Check the double quotes from here on."
                self._faults.append(Fault(self._file, begins, 1, f"this is no valid CSV: {said}", remedy))
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
