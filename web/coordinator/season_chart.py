"""A rehearsed season drawn: the phases of each mentorship against the calendar, and mails and tasks by week.

Only numbers for the template: where a bar begins and how long it is, in percent. Every chart has its table beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from rehearsal.report import Report


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a line: `left` and `width` in percent of the season."""

    phase: str
    left: float
    width: float
    begins: date
    ends: date


@dataclass(frozen=True, slots=True)
class Week:
    """A week, named by its Monday; `height` is the share of the fullest week in percent."""

    monday: date
    mails: int
    tasks: int
    left: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class SeasonChart:
    """What the page draws."""

    lines: tuple[tuple[str, tuple[Bar, ...]], ...]
    """(key of the mentorship, its phases)."""
    weeks: tuple[Week, ...]
    phases: tuple[str, ...]
    """The phases that occur, in their order."""


def chart_of(report: Report) -> SeasonChart:
    """The chart of one season."""
    days = max((report.last - report.first).days, 1)

    def at(on: date) -> float:
        return round(min(max((on - report.first).days / days * 100, 0), 100), 2)

    lines = tuple(
        (
            key,
            tuple(
                Bar(band.phase, at(band.begins), round(at(band.ends) - at(band.begins), 2), band.begins, band.ends)
                for band in bands
            ),
        )
        for key, bands in sorted(report.bands.items())
    )
    mails = {week: sum(weeks[week] for weeks in report.mails_by.values()) for week in report.weeks}
    most = max(mails.values(), default=0) or 1
    width = round(100 / max(len(mails), 1), 3)
    weeks = tuple(
        Week(week, count, sum(report.tasks[week].values()) if week in report.tasks else 0, round(place * width, 3),
             width, round(count / most * 100, 1))
        for place, (week, count) in enumerate(mails.items())
    )  # fmt: skip
    phases = tuple(dict.fromkeys(bar.phase for _, bars in lines for bar in bars))
    return SeasonChart(lines, weeks, phases)
