"""An attacker on the gate of reports: knows the rule, every dependence between numbers, and all that is shown.

Shares no code with the gate. It solves the linear equations exactly, and looks for unknowns that they fix.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random

from reports import season_report
from reports.rows import Season
from reports.season_report import Report
from reports.tables import Cell, Table


def learned(truth: Sequence[Table], shown: Sequence[Table]) -> dict[str, int]:
    """Name to value of every count of 1 to 4, or of fewer than five people, that the attacker can compute."""
    small: dict[str, int] = {}
    values: dict[str, int] = {}
    for table in truth:
        for cell in (table.total, *table.cells):
            values[cell.name] = cell.count
            if cell.count and min(cell.count, cell.people) < 5:
                small[cell.name] = cell.count
    open_ = {cell.name for table in shown for cell in (table.total, *table.cells) if cell.state == "exact"}
    found = {name: value for name, value in small.items() if name in open_}
    unknown = sorted({cell.name for table in shown for cell in (table.total, *table.cells)} - open_)
    column = {name: at for at, name in enumerate(unknown)}
    rows: list[list[Fraction]] = []
    for table in truth:
        row = [Fraction(0)] * (len(unknown) + 1)
        for sign, cells in ((1, (table.total,)), (-1, table.cells)):
            for cell in cells:
                if cell.name in column:
                    row[column[cell.name]] += sign
                else:
                    row[-1] -= sign * values[cell.name]
        if any(row[:-1]):
            rows.append(row)
    for at, value in _fixed(rows, len(unknown)).items():
        name = unknown[at]
        assert value == values[name], "the attacker computes a wrong number: the tables contradict each other"
        if name in small:
            found[name] = small[name]
    return found


def _fixed(rows: list[list[Fraction]], width: int) -> dict[int, Fraction]:
    """Gauss-Jordan: column to its value, of the unknowns that have only one."""
    pivots: list[tuple[int, list[Fraction]]] = []
    for row in rows:
        left = list(row)
        for at, pivot in pivots:
            if left[at]:
                left = [one - left[at] * other for one, other in zip(left, pivot, strict=True)]
        first = next((at for at in range(width) if left[at]), None)
        if first is None:
            continue
        left = [one / left[first] for one in left]
        pivots = [
            (
                at,
                [one - pivot[first] * other for one, other in zip(pivot, left, strict=True)]
                if pivot[first]
                else pivot,
            )
            for at, pivot in pivots
        ]
        pivots.append((first, left))
    return {at: row[-1] for at, row in pivots if sum(map(bool, row[:-1])) == 1}


def chance_tables(random: Random) -> list[Table]:
    """Tables as a report has them, by chance: who answered, and questions to those who did; one asked in two ways."""
    everybody = random.choice((3, 6, 10, 18, 30, 60, 200))
    answered = random.randint(0, everybody)
    silent = random.randint(0, min(everybody - answered, random.choice((3, 200))))

    def cell(name: str, count: int) -> Cell:
        people = count if random.random() < 0.8 else min(count, random.randint(1, max(count, 1)))
        return Cell(name, name, count, people if count else 0)

    given = cell("answered", answered)
    parts = (given, cell("silent", silent), cell("not_asked", everybody - answered - silent))
    tables = [Table("response", "", "", cell("all", everybody), parts)]
    for number in range(random.randint(1, 4)):
        tables.append(_split(random, cell, f"q{number}", given))
    if random.random() < 0.4:
        one, rest = _split_in(random, answered, 2)
        asked = cell("asked.a", one), cell("asked.b", rest)
        tables.append(Table("asked", "", "", given, asked, shown=False))
        tables += [_split(random, cell, f"variant{at}", total) for at, total in enumerate(asked)]
    return tables


def _split(random: Random, cell, name: str, total: Cell) -> Table:  # type: ignore[no-untyped-def]
    counts = _split_in(random, total.count, random.randint(2, 7))
    return Table(name, "", "", total, tuple(cell(f"{name}.{at}", count) for at, count in enumerate(counts)))


def _split_in(random: Random, total: int, parts: int) -> list[int]:
    weights = [random.random() ** 3 + 0.001 for _ in range(parts)]
    counts = [0] * parts
    for _ in range(total):
        counts[random.choices(range(parts), weights)[0]] += 1
    return counts


def learned_with_filters(rows: Season) -> int:
    """How many small numbers can be computed from the whole report and those of every format and program.

    Subtracted is what is within something else: a difference of two groups of other people is no number of people.
    """
    whole = season_report.for_passing_on(rows, {})
    filters = [{"format_": name} for name in sorted({one.format for one in rows.mentorships})]
    filters += [{"program": name} for name in rows.programs]
    reports = [whole, *(season_report.filtered_for_passing_on(rows, whole, {}, **each) for each in filters)]
    found = 0
    for outer in reports:
        for inner in reports:
            if {one.key for one in inner.season.mentorships} < {one.key for one in outer.season.mentorships}:
                found += _small_differences(outer, inner)
    return found


def _small_differences(outer: Report, inner: Report) -> int:
    shown = {table.id: table for table in inner.tables}
    found = 0
    for table in outer.tables:
        part = shown.get(table.id)
        if part is None:
            continue
        within = {cell.name: cell.count for cell in (part.total, *part.cells) if cell.state == "exact"}
        everything = [cell for cell in (table.total, *table.cells) if cell.state == "exact" and cell.name in within]
        found += sum(0 < cell.count - within[cell.name] < 5 for cell in everything)
    return found
