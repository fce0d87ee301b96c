"""A report as one page: self-contained, without a script, printable on A4 and Letter, readable in grey.

Shows what the report holds; must not count, and must not be given a name that nobody consented to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from markupsafe import Markup

from mail.compiled_templates import page_environment
from reports import charts
from reports.answer_figures import ROLE_WORDS
from reports.applied_figures import SEATS
from reports.evidence import Standard
from reports.method import method
from reports.season_report import SECTIONS, Compared, Report, days, question_of
from reports.statistics import PERCENT_FROM, share
from reports.tables import Table
from reports.titles import titled, together

TEMPLATES = Path(__file__).parent.parent / "templates" / "reports"
FIRST: Mapping[str, Sequence[str]] = {
    "reach": SEATS,
    "satisfaction": ("c_sat", "c_learn", "c_org", "c_nps"),
    "confidence": (),
    "appendix": (),
}
"""Section to the tables (by their ids or questions) that stand in front; those of other sections do all of them. The
appendix has what is left."""
BESIDE = ("goals", "satisfaction")
"""Sections in which mentees and mentors stand beside each other."""


@dataclass(frozen=True, slots=True)
class Voice:
    """What somebody agreed to see in a report, in their words. `name` is empty where they want to stay unnamed."""

    text: str
    name: str = ""


def page(report: Report, *, compared: Compared | None = None, voices: Sequence[Voice] = (), change: str = "") -> str:
    """The page as HTML. `change` is what the coordinators wrote about what they change."""
    context = _context(report, compared, voices, change)
    style = Markup((TEMPLATES / "style.css").read_text("utf-8"))
    return page_environment(TEMPLATES).get_template("page.html").render(style=style, folded=False, **context)


def body(
    report: Report,
    *,
    compared: Compared | None = None,
    voices: Sequence[Voice] = (),
    change: str = "",
    folded: bool = False,
) -> str:
    """What stands on that page, for a page with a head and a style sheet of its own. `folded`: the appendix opens by
    a click."""
    context = _context(report, compared, voices, change)
    return page_environment(TEMPLATES).get_template("body.html").render(folded=folded, **context)


def _context(report: Report, compared: Compared | None, voices: Sequence[Voice], change: str) -> dict[str, Any]:
    seen = [table for table in report.tables if _has_somebody(table)]
    first = {table.id for table in seen if _is_first(table)}
    dots = charts.placed(report.dots)
    return {
        "report": report,
        "season": report.season,
        "exact": report.exact,
        "last": days(report.season)[1],
        "sections": SECTIONS,
        "front": {name: _figures(name, [table for table in seen if table.id in first]) for name in SECTIONS},
        "appendix": {name: _figures(name, [table for table in seen if table.id not in first]) for name in SECTIONS},
        "stages": charts.funnel(report) if report.season.mentorships else [],
        "dots": dots,
        "top": charts.most(report.dots),
        "marks": charts.marks,
        "lines": charts.lines,
        "level": charts.level,
        "segments": charts.segments,
        "shows": _shows,
        "shades": charts.SHADES,
        "shade_of": charts.shade_of,
        "share": share,
        "percent_from": PERCENT_FROM,
        "role_words": ROLE_WORDS,
        "confidence_first": report.first_confidence,
        "confidence_before": compared.earlier.first_confidence if compared else None,
        "titled": titled,
        "beside": {now.id: before for now, before in compared.same} if compared else {},
        "apart": compared.only_now if compared else (),
        "earlier_title": compared.earlier.season.title if compared else "",
        "lookup": _lookup,
        "voices": voices,
        "change": change,
        "method": method(report, compared),
        "day": _day,
    }


@dataclass(frozen=True, slots=True)
class Figure:
    """Tables that stand together. `starts`: it begins a line, for what stands beside it is about the same."""

    tables: Sequence[Table]
    starts: bool


def _figures(section: str, tables: Iterable[Table]) -> list[Figure]:
    found: list[Figure] = []
    before = ""
    for group in together([table for table in tables if table.section == section]):
        about = _about(group[0])
        found.append(Figure(group, section in BESIDE and about != before))
        before = about
    return found


def _about(table: Table) -> str:
    return question_of(table) if table.wording else table.id.rpartition(".")[2]


def _is_first(table: Table) -> bool:
    chosen = FIRST.get(table.section)
    return chosen is None or table.id in chosen or question_of(table) in chosen


def _has_somebody(table: Table) -> bool:
    """Whether there is anything to see in a table: in that of nobody there is not."""
    return table.total.state != "exact" or table.total.count > 0


def _shows(table: Table) -> bool:
    """Whether the parts of a table tell anything: below a total of fewer than five people they do not."""
    return any(cell.state != "hidden" or cell.least for cell in table.cells)


def _lookup(table: Table, name: str) -> str:
    """What an earlier season's table says of a part that stands elsewhere in it."""
    cell = next((cell for cell in table.cells if cell.name == name), None)
    if cell is None:
        return ""
    return str(cell.count) if cell.state == "exact" else "not shown"


def _day(on: date) -> str:
    return f"{on.day} {on:%B %Y}"


def evidence_pages(title: str, standards: Sequence[Standard]) -> dict[str, str]:
    """Name of a file to its page: an index, and one page for each standard."""
    template = page_environment(TEMPLATES).get_template("evidence.html")
    style = Markup((TEMPLATES / "style.css").read_text("utf-8"))
    pages = {"index.html": template.render(title=title, style=style, standard=None, standards=standards)}
    for each in standards:
        pages[each.file] = template.render(title=each.title, style=style, standard=each, standards=standards)
    return pages
