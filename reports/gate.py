"""The gate for small numbers: what every number passes that leaves for a reader, a file or a page of totals.

A count of 1 to 4, or of fewer than five people, is not shown; other counts are hidden where it could be computed
from them. A number that is hidden stays anywhere from 1 to 4 for a reader who knows this rule, every total, and how
the counts of a report depend on each other. A count of nobody is shown. The gate must not know what it counts.

Three ways lead to a hidden number. Within a report: `gated`. With a filter: `why_no_filter` refuses one that leaves
a number below five anywhere in the parts that all filters cut a table into, so that whatever is added or subtracted
is made of parts that may be shown. Over time: `may_follow` refuses to show a table again in which fewer than five
have moved since an earlier report; that one is shown again instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from math import inf

from reports.tables import Cell, Table

SMALLEST = 5
"""Numbers below this are not shown."""
MOST_HIDDEN = SMALLEST - 1
ROUNDS = 4
"""So often what is known of a number is carried on to the tables that share it."""


def is_small(cell: Cell) -> bool:
    """Whether so few people are behind this count that it is not shown."""
    return cell.count > 0 and (cell.count < SMALLEST or cell.people < SMALLEST)


def gated(tables: Sequence[Table]) -> list[Table]:
    """The tables with every number hidden that may not leave, in the same order."""
    hidden = _hidden(tables)
    return with_bounds(_masked_tables(tables, hidden))


def _masked_tables(tables: Sequence[Table], hidden: set[str]) -> list[Table]:
    # Of the parts of a small total nothing is told, wherever they stand: who knows that somebody is in each of four
    # parts knows them all.
    silent = {cell.name for table in tables if is_small(table.total) for cell in table.cells}
    return [
        replace(
            table,
            total=_masked(table.total, hidden, silent),
            cells=tuple(_masked(cell, hidden, silent) for cell in table.cells),
        )
        for table in tables
    ]


def _masked(cell: Cell, hidden: set[str], silent: set[str]) -> Cell:
    if cell.name in silent:
        return replace(cell, count=0, people=0, state="hidden")
    if cell.name not in hidden:
        return cell
    return replace(cell, count=0, people=0, state="few" if 0 < cell.count < SMALLEST else "hidden")


def bounds(tables: Iterable[Table]) -> dict[str, tuple[float, float]]:
    """Name of a count to the least and the most that a reader of these gated tables can know it to be."""
    tables = list(tables)
    known: dict[str, tuple[float, float]] = {}
    # Below a small total everything is hidden, also parts in which nobody is.
    all_hidden = [table for table in tables if all(cell.state == "hidden" for cell in table.cells)]
    maybe_nobody = {cell.name for table in all_hidden for cell in table.cells}
    for table in tables:
        for cell in (table.total, *table.cells):
            at_first = {"exact": (cell.count, cell.count), "few": (1, MOST_HIDDEN), "hidden": (SMALLEST, inf)}
            low, high = at_first[cell.state]
            low = 0 if cell.state == "hidden" and cell.name in maybe_nobody else low
            before = known.get(cell.name, (0, inf))
            known[cell.name] = max(low, before[0]), min(high, before[1])
    for _ in range(ROUNDS):
        for table in tables:
            _narrow(table, known)
    return known


def _narrow(table: Table, known: dict[str, tuple[float, float]]) -> None:
    """What a table says more closely of its own counts: its parts add up to its total."""
    parts = [cell.name for cell in table.cells]
    lows, highs = sum(known[name][0] for name in parts), sum(known[name][1] for name in parts)
    low, high = known[table.total.name]
    low, high = known[table.total.name] = max(low, lows), min(high, highs)
    for name in parts:
        least, most = known[name]
        others = sum(known[other][1] for other in parts if other != name)
        known[name] = max(least, low - others), min(most, high - (lows - least))


def with_bounds(tables: Sequence[Table]) -> list[Table]:
    """The gated tables with what a reader knows the hidden numbers to be at least: it tells nothing more."""
    known = bounds(tables)

    def bounded(cell: Cell) -> Cell:
        return cell if cell.state == "exact" else replace(cell, least=int(known[cell.name][0]))

    return [replace(table, total=bounded(table.total), cells=tuple(map(bounded, table.cells))) for table in tables]


def _hidden(tables: Sequence[Table]) -> set[str]:
    """The names of all counts that are not shown."""
    values = {cell.name: cell for table in tables for cell in (table.total, *table.cells)}
    hidden = {name for name, cell in values.items() if is_small(cell)}
    for table in tables:
        if is_small(table.total):
            hidden |= {cell.name for cell in table.cells}
    while True:
        more = [name for table in tables if (name := _one_more(table, values, hidden))]
        more = more or _given_away(tables, values, hidden)
        if not more:
            return hidden
        hidden.update(more)


def _one_more(table: Table, values: Mapping[str, Cell], hidden: set[str]) -> str:
    """A count that must be hidden too, by this table alone; empty where none must."""
    parts = [cell for cell in table.cells if cell.name in hidden]
    few = [cell for cell in parts if is_small(cell)]
    rest = sum(cell.count for cell in parts)
    others = len(parts) - len(few)
    # A reader knows `rest`, that each of the few is 1 to 4, and that each of the others is at least 5.
    up_to = rest - (len(few) - 1) - others * SMALLEST
    if table.total.name in hidden:
        # Other tables have the same total: each must leave it open by a number of its own that is not small.
        open_ = (others and up_to >= MOST_HIDDEN) if few else parts or not table.total.count
        return "" if open_ or is_small(table.total) else _smallest(table, values, hidden)
    down_to = 1 if others else rest - MOST_HIDDEN * (len(few) - 1)
    if not few or (up_to >= MOST_HIDDEN and down_to <= 1 and rest >= SMALLEST):
        return ""
    return _smallest(table, values, hidden)


def _smallest(table: Table, values: Mapping[str, Cell], hidden: set[str]) -> str:
    """The smallest count of a table that is still shown, its total last; empty where nothing is left."""
    left = [cell for cell in table.cells if cell.name not in hidden and cell.count]
    if left:
        return min(left, key=lambda cell: (cell.count, cell.name)).name
    return table.total.name if table.total.name not in hidden else ""


def _given_away(tables: Sequence[Table], values: Mapping[str, Cell], hidden: set[str]) -> list[str]:
    """What else must be hidden because all tables together give a small number away: by their equations, or because
    only one number is left between the least and the most that it can be."""
    known = determined([_equation(table, hidden) for table in tables])
    narrow = bounds(_masked_tables(tables, hidden))
    known |= {name for name in hidden if narrow[name][0] == narrow[name][1]}
    if not any(is_small(values[name]) for name in known):
        return []
    told = [table for table in tables if known & {table.total.name, *(cell.name for cell in table.cells)}]
    smallest = (_smallest(table, values, hidden) for table in told)
    return [*islice(filter(None, smallest), 1)]


def _equation(table: Table, hidden: set[str]) -> dict[str, int]:
    """What a table says of the hidden numbers: total less parts is a known number. Name to its factor."""
    factors = {cell.name: -1 for cell in table.cells if cell.name in hidden}
    if table.total.name in hidden:
        factors[table.total.name] = 1
    return factors


def determined(equations: Iterable[Mapping[str, int]]) -> set[str]:
    """The unknowns that linear equations fix. Each maps unknowns to factors; what it adds up to is known."""
    pivots: dict[str, dict[str, Fraction]] = {}
    for equation in equations:
        row = {name: Fraction(factor) for name, factor in equation.items() if factor}
        for name in list(row):
            if name in pivots and name in row:
                _subtract(row, pivots[name], row[name])
        if not row:
            continue
        pivot = next(iter(row))
        factor = row[pivot]
        row = {name: value / factor for name, value in row.items()}
        for other in pivots.values():
            if pivot in other:
                _subtract(other, row, other[pivot])
        pivots[pivot] = row
    return {pivot for pivot, row in pivots.items() if len(row) == 1}


def _subtract(row: dict[str, Fraction], other: Mapping[str, Fraction], factor: Fraction) -> None:
    for name, value in other.items():
        left = row.get(name, Fraction(0)) - factor * value
        if left:
            row[name] = left
        else:
            row.pop(name, None)


# -- filters -------------------------------------------------------------------------------------------------------


def why_no_filter(parts: Iterable[Sequence[Table]]) -> dict[str, str]:
    """Table id to the reason for which it can't be shown with a filter.

    `parts` are the tables of every smallest part of the cohort that a filter can tell apart, before the gate. Where
    no part has a small number, no sum or difference of filtered tables has one. A number counts by its name: where a
    part was never asked, its table is missing, but not the number of people in it.
    """
    listed = list(parts)
    small = {
        cell.name for tables in listed for table in tables for cell in (table.total, *table.cells) if is_small(cell)
    }
    return {
        table.id: f"fewer than {SMALLEST} people would be left in a part of it"
        for tables in listed
        for table in tables
        if small & {cell.name for cell in (table.total, *table.cells)}
    }


# -- dates ---------------------------------------------------------------------------------------------------------

Released = Mapping[str, int | str]
"""What a report has shown: name of a count to its number, or to `few` or `hidden`."""


def released(tables: Iterable[Table]) -> dict[str, int | str]:
    """What these gated tables show."""
    return {
        cell.name: cell.count if cell.state == "exact" else cell.state
        for table in tables
        if table.shown
        for cell in (table.total, *table.cells)
    }


def may_follow(table: Table, earlier: Released) -> bool:
    """Whether this gated table may be shown to people who have seen an `earlier` report of the cohort.

    It may where each number that both show, and what is left of the total, has changed by nothing or by at least
    five, and where both hide the same numbers.
    """
    changes: dict[str, int] = {}
    for name, now in released([replace(table, shown=True)]).items():
        before = earlier.get(name, now)
        if isinstance(now, str) or isinstance(before, str):
            if now != before:
                return False
        elif name in earlier:
            changes[name] = now - before
    total = changes.pop(table.total.name, None)
    rest = total - sum(changes.values()) if total is not None else 0
    return all(change == 0 or abs(change) >= SMALLEST for change in (total or 0, rest, *changes.values()))


def repeated(table: Table, earlier: Released) -> Table | None:
    """The table as an earlier report showed it; None where it did not."""
    if any(cell.name not in earlier for cell in (table.total, *table.cells)):
        return None

    def before(cell: Cell) -> Cell:
        shown = earlier[cell.name]
        if isinstance(shown, int):
            return replace(cell, count=shown, people=shown, state="exact")
        return replace(cell, count=0, people=0, state="few" if shown == "few" else "hidden")

    return replace(table, total=before(table.total), cells=tuple(before(cell) for cell in table.cells))
