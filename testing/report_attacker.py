"""An attacker on the gate of reports: knows the rule, every dependence between numbers, and all that is shown.

Shares no code with the gate. It solves the linear equations, and looks for numbers of fewer than five that they fix.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from random import Random

from reports.tables import Cell, Table

P = (1 << 61) - 1
"""Equations are solved modulo this prime: what they fix there they fix over the rationals."""

Unknown = Hashable
"""A number that the attacker does not know."""


class Equations:
    """Linear equations over unknown numbers."""

    def __init__(self) -> None:
        self._columns: dict[Unknown, int] = {}
        self._pivots: dict[int, tuple[dict[int, int], int]] = {}

    def add(self, factors: Mapping[Unknown, int], value: int) -> None:
        """The sum of these factors times unknowns is `value`."""
        row, left = self._reduced(factors, value)
        if not row:
            assert not left, "what is shown contradicts itself"
            return
        first = min(row)
        by = pow(row[first], -1, P)
        self._pivots[first] = {at: factor * by % P for at, factor in row.items()}, left * by % P

    def fixes(self, factors: Mapping[Unknown, int], value: int) -> bool:
        """Whether the equations say what this sum is; `value` is what it is in truth."""
        row, left = self._reduced(factors, value)
        assert row or not left, "the attacker computes a wrong number"
        return not row

    def _reduced(self, factors: Mapping[Unknown, int], value: int) -> tuple[dict[int, int], int]:
        row: dict[int, int] = {}
        for unknown, factor in factors.items():
            row[self._columns.setdefault(unknown, len(self._columns))] = factor % P
        left, done = value % P, -1
        while open_ := [at for at in row if at > done and at in self._pivots]:
            done = min(open_)
            pivot, constant = self._pivots[done]
            factor = row[done]
            for at, other in pivot.items():
                if changed := (row.get(at, 0) - factor * other) % P:
                    row[at] = changed
                else:
                    row.pop(at, None)
            left = (left - factor * constant) % P
        return row, left


def learned(truth: Sequence[Table], shown: Sequence[Table]) -> dict[str, int]:
    """Name to value of every count of 1 to 4, or of fewer than five people, that these tables give away."""
    known = Equations()
    for table in shown:
        for cell in (table.total, *table.cells):
            if cell.state == "exact":
                known.add({cell.name: 1}, cell.count)
    small: dict[str, int] = {}
    for table in truth:
        known.add(_structure(table), 0)
        small |= {cell.name: cell.count for cell in (table.total, *table.cells) if is_small(cell)}
    return {name: count for name, count in small.items() if known.fixes({name: 1}, count)}


def is_small(cell: Cell) -> bool:
    """Whether fewer than five people are told of."""
    return cell.count > 0 and min(cell.count, cell.people) < 5


def _structure(table: Table) -> dict[Unknown, int]:
    return {table.total.name: 1, **{cell.name: -1 for cell in table.cells}}


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
