"""A rehearsed season as one page: self-contained, printable, readable by a screen reader, light and dark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mail.compiled_templates import page_environment
from program.models import Cohort
from rehearsal.report import Range, Report

TEMPLATES = Path(__file__).parent.parent / "templates" / "rehearsal"
SHADES = 4
"""Steps of the heat map above an empty week."""


@dataclass(frozen=True, slots=True)
class Stripe:
    """A phase drawn on the time axis: where it begins and how wide it is, in percent."""

    phase: str
    left: float
    width: float
    begins: date
    ends: date


def page(report: Report, cohort: Cohort, many: Mapping[str, Range] | None = None, seasons: int = 1) -> str:
    """The page of a season as HTML; with `many`, numbers of many seasons stand beside it."""
    names = {person.id: person.name for person in (*cohort.participants, *cohort.coordinators, *cohort.deputies)}
    most = max((count for weeks in report.mails_by.values() for count in weeks.values()), default=1)
    template = page_environment(TEMPLATES).get_template("page.html")
    return template.render(
        report=report,
        cohort=cohort,
        names=names,
        people=sorted(report.mails_by, key=lambda person: (-sum(report.mails_by[person].values()), person)),
        shade=lambda count: 0 if not count else max(1, round(count / most * SHADES)),
        stripes={key: _stripes(report, key) for key in report.bands},
        months=_months(report),
        most_tasks=max((sum(kinds.values()) for kinds in report.tasks.values()), default=1),
        many=many or {},
        seasons=seasons,
    )


def _stripes(report: Report, key: str) -> list[Stripe]:
    return [
        Stripe(
            band.phase,
            _at(report, band.begins),
            _at(report, band.ends) - _at(report, band.begins),
            band.begins,
            band.ends,
        )
        for band in report.bands[key]
    ]


def _months(report: Report) -> list[tuple[str, float]]:
    """First of each month with its place on the axis."""
    found: list[tuple[str, float]] = []
    year, month = report.first.year, report.first.month
    while (first := date(year, month, 1)) <= report.last:
        if first >= report.first:
            found.append((f"{first:%b}" if month != 1 else f"{first:%b %Y}", _at(report, first)))
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found


def _at(report: Report, on: date) -> float:
    """Where a date lies on the axis, in percent."""
    return round((on - report.first).days / max((report.last - report.first).days, 1) * 100, 2)
