"""Where the marks of a chart stand, in the units of its drawing. Draws nothing and counts nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports.answer_figures import Confidence
from reports.mentorship_figures import Dot
from reports.season_report import Report, least
from reports.statistics import Spread
from reports.tables import Table

WIDTH = 600.0
"""Width of a drawing; it is scaled to the page."""
SHADES = ("#e6eaee", "#cfdbe4", "#aac2d2", "#7ca3bb", "#3f7694", "#16465f")
"""One family of colours, from light to dark, readable in grey. They stand in the drawings themselves: the
PDF knows no style sheet there. `style.css` has them for what stands beside a drawing."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar. `shade` is 0 for the lightest; -1 is what the gate hid."""

    x: float
    width: float
    shade: int


def shade_of(table: Table, position: int) -> int:
    """The shade of a part: parts that are answers get darker in their order, others stay light."""
    answers = [place for place, cell in enumerate(table.cells) if cell.value]
    if not answers:
        return min(1 + position * 2, len(SHADES) - 1) if len(table.cells) < 4 else min(position, len(SHADES) - 1)
    if position not in answers:
        return 0
    place = answers.index(position)
    return 1 + round(place * (len(SHADES) - 2) / max(len(answers) - 1, 1))


def segments(table: Table) -> list[Segment]:
    """The parts of a table as one bar; nothing where its total or every part is hidden, or nobody is in it."""
    if table.total.state != "exact" or not any(cell.count for cell in table.cells):
        return []
    scale = WIDTH / table.total.count
    found: list[Segment] = []
    x = 0.0
    for position, cell in enumerate(table.cells):
        if cell.state == "exact" and cell.count:
            width = cell.count * scale
            found.append(Segment(round(x, 1), round(width, 1), shade_of(table, position)))
            x += width
    if x < WIDTH - 0.5:
        found.append(Segment(round(x, 1), round(WIDTH - x, 1), -1))
    return found


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage that mentorships come through. `count` is None where it is hidden and nothing is known of it."""

    label: str
    count: int | None
    at_least: bool
    width: float


def funnel(report: Report) -> list[Stage]:
    """How many mentorships came how far, from the tables of the report."""
    yes, furthest = report.table("reach.said_yes"), report.table("reach.furthest")
    if yes is None or yes.total.state != "exact":
        return []
    top = yes.total.count
    found = [_stage("matched", top, False, top)]
    found.append(_stage_of("everybody said yes", [(yes, "m/said_yes")], top))
    for name, label in (("agreed", "agreed on goals and rhythm"), ("met", "met at least once")):
        if (table := report.table(f"reach.{name}")) is not None:
            found.append(_stage_of(label, [(table, f"m/{name}")], top))
    if furthest is not None:
        completed = (furthest, "m/completed")
        found.append(_stage_of("came beyond the midpoint", [(furthest, "m/half_way"), completed], top))
        found.append(_stage_of("completed", [completed], top))
    return found


def _stage_of(label: str, parts: Iterable[tuple[Table, str]], top: int) -> Stage:
    cells = [table.cell(name) for table, name in parts]
    hidden = any(cell.state != "exact" for cell in cells)
    count = sum(map(least, cells))
    return _stage(label, count or (None if hidden else 0), hidden, top)


def _stage(label: str, count: int | None, hidden: bool, top: int) -> Stage:
    return Stage(label, count, hidden, round((count or 0) / max(top, 1) * WIDTH, 1))


# -- dots ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlacedDot:
    """A dot: where, and how many mentorships lie there."""

    x: float
    y: float
    size: float
    count: int
    expected: int
    told: int


HIGH = 240.0


def placed(dots: Sequence[Dot]) -> list[PlacedDot]:
    """Meetings told of (upwards) against those agreed on (to the right), both on the scale of `most`."""
    top = most(dots)
    lots: dict[tuple[int, int], int] = {}
    for dot in dots:
        lots[(dot.expected, dot.told)] = lots.get((dot.expected, dot.told), 0) + 1
    return [
        PlacedDot(
            round(40 + expected / top * (WIDTH - 60), 1), round(HIGH - 20 - told / top * (HIGH - 40), 1),
            round(3 + count**0.5, 1), count, expected, told,
        )
        for (expected, told), count in sorted(lots.items())
    ]  # fmt: skip


def most(dots: Sequence[Dot]) -> int:
    """The largest number on both axes."""
    return max((max(dot.expected, dot.told) for dot in dots), default=0) or 1


# -- slopes --------------------------------------------------------------------------------------------------------

MOMENTS = ("before", "half way", "at the end")
COLUMNS = (120.0, 300.0, 480.0)
THEN_AT = 40.0


@dataclass(frozen=True, slots=True)
class Mark:
    """Median and quartiles at one moment."""

    moment: str
    x: float
    low: float
    median: float
    high: float
    spread: Spread


def level(value: float) -> float:
    """How high a confidence of 0 to 10 stands."""
    return round(HIGH - 20 - value / 10 * (HIGH - 40), 1)


def marks(confidence: Confidence) -> list[Mark]:
    """The moments at which somebody said how confident they were."""
    moments = zip(MOMENTS, COLUMNS, (confidence.before, confidence.half_way, confidence.now), strict=True)
    found = [_mark(moment, x, each) for moment, x, each in moments if each is not None]
    if confidence.then is not None:
        found.append(_mark("the start, remembered at the end", THEN_AT, confidence.then))
    return found


def _mark(moment: str, x: float, each: Spread) -> Mark:
    return Mark(moment, x, level(each.low), level(each.median), level(each.high), each)


def lines(confidence: Confidence) -> list[str]:
    """One line for each person, as points of a polyline."""
    return [
        " ".join(f"{x:g},{level(value):g}" for x, value in zip(COLUMNS, line, strict=True) if value is not None)
        for line in confidence.lines
    ]
