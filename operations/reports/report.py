"""The report of a cohort: exact for its coordinators, or through the gate and remembered for passing on.

A report for passing on is kept as what it showed (numbers only), so that a later one shows nothing from which, by
subtraction, fewer than five people could be told apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.local_time import DAY, begins, local_date
from lifecycle.tasks import KINDS
from operations import audit
from operations.audit import AuditEntry
from operations.errors import Refused
from operations.mentorships.labels import in_words
from operations.mentorships.status import known_cohort
from operations.pdf import as_pdf
from operations.people.deciders import who_decides
from operations.reports.voices import live
from operations.spreadsheet import as_book, as_csv
from reports import html_report, season_report, sheets
from reports.answer_figures import ROLE_WORDS
from reports.charts import marks
from reports.html_report import Voice
from reports.method import method
from reports.releases import Release, filtered_following, following, showing
from reports.rows import Season
from reports.season_report import Compared, Headline, Report
from reports.tables import Cell, Table
from reports.tables import in_words as in_words_of
from reports.titles import titled
from runtime.private_files import only_for_us
from store.database import Database
from store.people import people
from store.people.voices import used as used_in
from store.reports import releases
from store.reports.season_rows import season_rows
from store.tables import CohortRow

TASK_LABELS: Mapping[str, str] = {kind: in_words(kind) for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Made:
    """A report with everything that goes on its page."""

    report: Report
    compared: Compared | None = None
    voices: Sequence[Voice] = ()
    change: str = ""

    def html(self) -> str:
        """One self-contained page."""
        return html_report.page(self.report, compared=self.compared, voices=self.voices, change=self.change)

    def body(self, *, folded: bool = False) -> str:
        """The same without its frame, for a page that has one. `folded`: the appendix opens by a click."""
        return html_report.body(
            self.report, compared=self.compared, voices=self.voices, change=self.change, folded=folded
        )

    def xlsx(self) -> bytes:
        """A workbook: one sheet a table."""
        return as_book(sheets.sheets(self.report))

    def csv(self, separator: str = ";") -> dict[str, str]:
        """Name of a file to its content: one a table."""
        found = sheets.sheets(self.report)
        return {f"{sheet.file}.csv": as_csv(sheet.columns, sheet.rows, separator) for sheet in found}

    def pdf(self) -> bytes:
        """The page as PDF. Raises Refused where WeasyPrint can't be used."""
        return as_pdf(self.html())


async def exact(
    database: Database,
    cohort: str,
    now: datetime,
    *,
    as_of: date | None = None,
    program: str = "",
    format_: str = "",
    compare: str = "",
) -> Made:
    """The report with exact numbers, for coordinators of the cohort. `now` is program time (UTC); `as_of` a date of
    the cohort's zone, today where it is left out.

    Raises NotFound, and Refused for a date before the launch, or a program or format that the cohort does not have.
    """
    async with database.session() as session:
        row = await known_cohort(session, cohort)
        season = await _season(session, row, now, as_of)
        _check_filter(season, program, format_)
        # In a thread: counting a large cohort must not keep other pages waiting.
        report = await asyncio.to_thread(season_report.exact, season, TASK_LABELS, program=program, format_=format_)
        other: Compared | None = None
        if compare:
            season = await _season(session, await known_cohort(session, compare), now, None)
            earlier = await asyncio.to_thread(season_report.exact, season, TASK_LABELS)
            report, other = season_report.compared(report, earlier)
        change = await releases.change_text(session, cohort)
        shown = await _voices(session, row, now, "", "")
    return Made(report, other, shown, change)


async def for_passing_on(
    database: Database,
    cohort: str,
    now: datetime,
    *,
    as_of: date | None = None,
    program: str = "",
    format_: str = "",
    compare: str = "",
) -> Made:
    """The report for readers, files and everybody else: through the gate, and kept as what it showed.

    Raises what `exact` raises, and Refused for a filter with which small numbers could be computed.
    """
    async with database.begin() as session:
        row = await known_cohort(session, cohort)
        whole = await _released(session, row, now, as_of)
        report = whole
        if program or format_:
            season = await _season(session, row, now, as_of)
            _check_filter(season, program, format_)
            earlier = await _earlier(session, cohort)
            report = season_report.filtered_for_passing_on(
                season, whole, TASK_LABELS, program=program, format_=format_
            )
            report = filtered_following(report, whole, earlier)
            await _keep(session, cohort, report, earlier, now)
            if not report.tables:
                reason = next(iter(report.withheld.values()), "nothing is left")
                raise Refused(f"a report with this filter can't be passed on: {reason}", use="exact")
        other: Compared | None = None
        if compare:
            earlier = await _released(session, await known_cohort(session, compare), now, None)
            report, other = season_report.compared(report, earlier)
        change = await releases.change_text(session, cohort)
        shown = await _voices(session, row, now, f"report as of {report.season.as_of}", "")
    return Made(report, other, shown, change)


async def _voices(session: AsyncSession, row: CohortRow, now: datetime, place: str, by: str) -> list[Voice]:
    """The words that everybody in them agrees to have in a report today; noted as used in `place`."""
    found = await live(session, row.id, "report", local_date(now, row.zone))
    for voice in found if place else ():
        await used_in(session, voice.id, place, by, now)
    return [Voice(voice.text, voice.signed) for voice in found]


async def say_what_changes(database: Database, cohort: str, text: str, by: str, now: datetime, proof: str) -> None:
    """Keep what the coordinators change for the next season; it stands in every report from now on.

    `by` is the id, name or address of a coordinator or deputy. Raises NotFound and Refused.
    """
    async with database.begin() as session:
        await known_cohort(session, cohort)
        who = who_decides(cohort, await people.deciders(session, cohort), by)
        await releases.put_change_text(session, cohort, text.strip(), who, now)
        await audit.put(session, now, AuditEntry("report --change", who, proof, cohort, result="done"))


def as_lines(report: Report) -> list[tuple[str, str]]:
    """The figures at the top, in words."""
    found = [(f"{line.title}, {line.of}", _headline_words(line)) for line in report.headlines]
    first = report.first_confidence
    if first is None or first.before is None or first.now is None:
        return found
    role = ROLE_WORDS[first.role]
    return [
        *found,
        (
            f"Confidence of {role}, median of 0 to 10",
            f"{first.before.median:g} before, {first.now.median:g} at the end",
        ),
    ]


def _headline_words(line: Headline) -> str:
    if line.count is None:
        return "not shown"
    words = f"{'at least ' if line.at_least else ''}{line.count} of {line.total}"
    if line.share is not None and line.share.percent is not None:
        words += f" ({line.share.percent} %)"
    return words if line.before is None else f"{words}; last season {_headline_words(line.before)}"


def table_lines(tables: Sequence[Table]) -> tuple[str, list[tuple[str, str]]]:
    """Tables that stand together, for the screen: their title, and (label, number in words) of each part, option or
    answer that somebody is in."""
    first = tables[0]
    total = first.total.label, in_words_of(first.total)
    if first.crossed:
        return titled(first), [
            (table.title, ", ".join(f"{cell.label} {in_words_of(cell)}" for cell in table.cells))
            for table in tables
            if _has_somebody(table.total)
        ]
    if first.option_of:
        options = [(table.title, in_words_of(table.cells[0])) for table in tables if _has_somebody(table.cells[0])]
        return titled(first), [*options, total]
    return titled(first), [*((cell.label, in_words_of(cell)) for cell in first.cells if _has_somebody(cell)), total]


def _has_somebody(cell: Cell) -> bool:
    return cell.count > 0 or cell.state != "exact"


def as_object(made: Made) -> dict[str, Any]:
    """The report for `--json`; what is hidden is `few` or `hidden`."""
    report = made.report
    return {
        "cohort": report.season.cohort,
        "as_of": report.season.as_of.isoformat(),
        "over": report.season.over,
        "exact": report.exact,
        "headlines": [
            {"title": line.title, "n": line.count, "of": line.total, "what": line.of, "at_least": line.at_least}
            for line in report.headlines
        ],
        "confidence": [
            {"role": each.role, "asked": mark.moment, "median": mark.spread.median}
            | {"lower": mark.spread.low, "upper": mark.spread.high, **({"n": mark.spread.n} if report.exact else {})}
            for each in report.confidence
            for mark in marks(each)
        ],
        "tables": [
            {
                "id": table.id,
                "section": table.section,
                "title": titled(table),
                **({"option": table.title} if table.option_of else {}),
                "total": _as_json(table.total),
                "parts": [{"label": cell.label, "n": _as_json(cell)} for cell in table.cells],
            }
            for table in report.tables
        ],
        "withheld": dict(report.withheld),
        "method": method(report, made.compared),
    }


def _as_json(cell: Cell) -> int | str:
    return cell.count if cell.state == "exact" else cell.state


async def _season(session: AsyncSession, row: CohortRow, now: datetime, as_of: date | None) -> Season:
    today = local_date(now, row.zone)
    on = min(as_of or today, today)
    if on < row.launched_on:
        raise Refused(f"{row.id} was launched on {row.launched_on}; on {on} there was nothing to report on")
    season = await season_rows(session, row.id, on, begins(on + DAY, row.zone))
    assert season is not None
    return season


def _check_filter(season: Season, program: str, format_: str) -> None:
    formats = sorted({one.format for one in season.mentorships})
    if program and program not in season.programs:
        raise Refused(f"{season.cohort} has no program {program!r}; it has {', '.join(season.programs)}")
    if format_ and format_ not in formats:
        raise Refused(f"{season.cohort} has no mentorship of the format {format_!r}; it has {', '.join(formats)}")


async def _released(session: AsyncSession, row: CohortRow, now: datetime, as_of: date | None) -> Report:
    season = await _season(session, row, now, as_of)
    earlier = await _earlier(session, row.id)
    report = following(await asyncio.to_thread(season_report.for_passing_on, season, TASK_LABELS), earlier)
    await _keep(session, row.id, report, earlier, now)
    return report


async def _earlier(session: AsyncSession, cohort: str) -> list[Release]:
    return [(each.on, each.shown) for each in await releases.of_cohort(session, cohort)]


async def _keep(
    session: AsyncSession, cohort: str, report: Report, earlier: Sequence[Release], now: datetime
) -> None:
    """Keep what a report shows, before it leaves; the same is kept once."""
    shown = showing(report)
    if shown and not any(dict(before) == shown for _, before in earlier):
        await releases.keep(session, cohort, report.season.as_of, shown, now)


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files of a report into a folder, which is made where it is missing."""
    with only_for_us():
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_text(content, "utf-8", newline="")
