"""A table of counts: one total, split into parts that do not overlap. What the gate, the charts and the sheets read.

A part that two tables share has one name in both, so that the gate knows that it is the same number. The number of
different people behind each count goes with it: five answers of one person are one person's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Cell:
    """One count. `name` is unique in a report for what is counted: the same name is the same number."""

    name: str
    label: str
    count: int
    people: int
    """Different people behind it."""
    value: str = ""
    """The stored value of an answer that is counted here; empty where it is none (silent, not asked …)."""
    state: Literal["exact", "few", "hidden"] = "exact"
    """After the gate: `few` is 1 to 4, `hidden` is not shown so that no `few` can be computed."""
    least: int = 0
    """After the gate, where it is hidden: what a reader of the whole report knows it to be at least."""


@dataclass(frozen=True, slots=True)
class Table:
    """A total and its parts. `unit` says what is counted."""

    id: str
    title: str
    unit: str
    total: Cell
    cells: tuple[Cell, ...]
    section: str = ""
    wording: str = ""
    """A mark of the wording of the question: two seasons with the same mark asked the same."""
    option_of: str = ""
    """Of a table that stands together with others: what they are all about; this one is about one of its options."""
    line: str = ""
    """Of a table whose neighbours have the same parts, so that each is one line with a column for each part: what the
    lines are, such as `form`."""
    note: str = ""
    shown: bool = True
    """Whether it is a table of the report; others only tell the gate how numbers depend on each other."""

    def __post_init__(self) -> None:
        exact = all(cell.state == "exact" for cell in (self.total, *self.cells))
        parts = sum(cell.count for cell in self.cells)
        if exact and parts != self.total.count:
            raise ValueError(f"the parts of {self.id} add up to {parts}, its total is {self.total.count}")

    @property
    def crossed(self) -> bool:
        """Whether it is shown as one line among its neighbours."""
        return bool(self.line)

    def cell(self, name: str) -> Cell:
        """The part of this name. Raises KeyError."""
        for cell in self.cells:
            if cell.name == name:
                return cell
        raise KeyError(name)

    @property
    def withheld(self) -> bool:
        """Whether the gate hid something of it."""
        return any(cell.state != "exact" for cell in (self.total, *self.cells))


def in_words(cell: Cell) -> str:
    """A count as a reader may see it."""
    if cell.state == "exact":
        return str(cell.count)
    if cell.state == "few":
        return "fewer than 5"
    return f"at least {cell.least}" if cell.least > 4 else "not shown"


def counted(name: str, label: str, people: Iterable[str], value: str = "") -> Cell:
    """A count of one for each of `people` (ids, with repetitions)."""
    listed = list(people)
    return Cell(name, label, len(listed), len(set(listed)), value)
