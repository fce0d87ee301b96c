"""The geometry of the charts on coordinators' pages: where lines, marks and bands lie. Pure; draws nothing.

Each chart has its figures in a table beside it, and each line its own mark and dashes: colour says nothing alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from operations.forms.by_round import Series

STEP, ROW, LEFT, TOP = 48, 15, 22, 10
"""Distances of a line chart in its own units: between rounds, between values, and to the left and the top."""
MARKS = ("circle", "square", "diamond", "triangle")
DASHES = ("", "6 4", "2 3", "8 3 2 3")
BAND = 1000
"""Width of a band in its own units."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One rating in a chart: where it lies, what it is, and in which round."""

    x: int
    y: int
    value: int
    number: int


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """The ratings of one person. `runs` are the points of each unbroken part, as SVG writes them."""

    name: str
    role: str
    mark: str
    dash: str
    runs: tuple[str, ...]
    marks: tuple[Mark, ...]
    values: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class LineChart:
    """A statement rated over the rounds. `levels` are (y, value), `rounds` (x, number, day)."""

    series: Series
    width: int
    height: int
    levels: tuple[tuple[int, int], ...]
    rounds: tuple[tuple[int, int, date], ...]
    lines: tuple[DrawnLine, ...]

    @property
    def moves(self) -> bool:
        """Whether somebody's rating changed."""
        return any(len({mark.value for mark in line.marks}) > 1 for line in self.lines)


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a band: `start`, `first_half`, `second_half` or `closing`. Days; `until` is not part of it."""

    name: str
    first: date
    until: date
    x: int
    width: int
    now: bool
    """Today lies in it."""


@dataclass(frozen=True, slots=True)
class Band:
    """A mentorship against the calendar. `today`: where today lies; None where it lies outside."""

    first: date
    last: date
    segments: tuple[Segment, ...]
    today: int | None
    months: tuple[tuple[int, date], ...]
    """(x, first day) of the months in it."""


def line_chart(series: Series) -> LineChart:
    """Where the ratings lie: rounds to the right, high values at the top."""
    span = series.most - series.least
    xs = [LEFT + STEP // 2 + index * STEP for index in range(len(series.numbers))]

    def y(value: int) -> int:
        return TOP + (series.most - value) * ROW

    lines: list[DrawnLine] = []
    for nth, line in enumerate(series.lines):
        marks = [
            Mark(x, y(value), value, number)
            for x, value, number in zip(xs, line.values, series.numbers, strict=True)
            if value is not None
        ]
        runs: list[list[str]] = [[]]
        for x, value in zip(xs, line.values, strict=True):
            if value is None:
                runs.append([])
            else:
                runs[-1].append(f"{x},{y(value)}")
        lines.append(
            DrawnLine(
                line.name,
                line.role,
                MARKS[nth % len(MARKS)],
                DASHES[nth % len(DASHES)],
                tuple(" ".join(run) for run in runs if len(run) > 1),
                tuple(marks),
                line.values,
            )
        )
    return LineChart(
        series,
        LEFT + STEP * len(series.numbers),
        TOP + span * ROW + 28,
        tuple((y(value), value) for value in range(series.most, series.least - 1, -1)),
        tuple(zip(xs, series.numbers, series.days, strict=True)),
        tuple(lines),
    )


def band(launched: date, start: date, midpoint: date, end: date, closes: date, today: date) -> Band:
    """The parts of a mentorship between the day of its launch and the day on which its closure form closes."""
    first = min(launched, start)
    last = max(closes, end, start)
    days = max((last - first).days, 1)

    def x(day: date) -> int:
        return round(min(max((day - first).days, 0), days) * BAND / days)

    parts = (
        ("start", first, start),
        ("first_half", start, midpoint),
        ("second_half", midpoint, end),
        ("closing", end, last),
    )
    return Band(
        first,
        last,
        tuple(
            Segment(name, begins, until, x(begins), x(until) - x(begins), begins <= today < until)
            for name, begins, until in parts
            if begins < until
        ),
        x(today) if first <= today <= last else None,
        tuple((x(day), day) for day in _months(first, last)),
    )


def _months(first: date, last: date) -> Sequence[date]:
    months: list[date] = []
    day = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    while day <= last:
        months.append(day)
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return months
