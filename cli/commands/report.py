"""What came of a cohort: the report on the screen, as a page, a workbook, CSV files or PDF."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import EXIT_CODES, REFUSED, err, fail, out, plainly, run, say_json, settings, table, text
from cli.options import AsJson, Separator

if TYPE_CHECKING:
    from operations.reports.report import Made

PANEL = "A cohort"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(report))


def report(
    cohort: Annotated[str, typer.Argument(help="The cohort.")],
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it as one page, for a browser or a printer.")
    ] = None,
    xlsx: Annotated[Path | None, typer.Option(metavar="FILE", help="Write its tables as a workbook.")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write its tables as CSV files.")] = None,
    pdf: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it as PDF; needs the extra pdf.")] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write what quality standards ask for, as pages."),
    ] = None,
    compare: Annotated[
        str, typer.Option(metavar="COHORT", help="An earlier season to stand beside it.", show_default=False)
    ] = "",
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="As of the end of this day.", show_default="today"),
    ] = None,
    program: Annotated[
        str, typer.Option(metavar="TITLE", help="Only the mentorships of this program.", show_default=False)
    ] = "",
    format_: Annotated[
        str, typer.Option("--format", help="Only mentorships of this format, such as group.", show_default=False)
    ] = "",
    exact: Annotated[
        bool, typer.Option("--exact", help="Exact numbers, for the cohort's coordinators: not for passing on.")
    ] = False,
    change: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="What you change next time; stands in the report.", show_default=False),
    ] = None,
    by: Annotated[
        str,
        typer.Option("--as", metavar="WHO", help="With --change: who you are, by id, name or address."),
    ] = "",
    separator: Separator = ";",
    json: AsJson = False,
) -> None:
    """Show what came of a cohort, at its end or while it runs.

    Numbers of fewer than five people are hidden, and so is everything from
    which they could be computed. What was passed on is remembered, so that two
    reports can't be subtracted either: make one at the end rather than one
    each week. --exact shows coordinators everything, at any time.

    \b
    Examples:
      mentorship report small
      mentorship report small --html season.html --xlsx season.xlsx
      mentorship report small --exact --html own.html
      mentorship report small --compare last-year --pdf season.pdf
      mentorship report small --change "One reminder less." --as carla@example.org
      mentorship report small --evidence evidence
    """
    if change is not None:
        if not by:
            fail("--change is signed: say who you are with --as", REFUSED)
        words = change
        run(lambda: _change(cohort, words, by))
        err().print("[green]✓[/] Kept: it stands in the report from now on.")
        return
    on = as_of.date() if as_of else None
    made = run(lambda: _make(cohort, exact, on, program, format_, compare))
    _write(made, html, xlsx, csv, pdf, separator)
    if evidence is not None:
        if exact:
            fail("--evidence is for passing on: leave --exact out", REFUSED)
        run(lambda: _evidence(made, evidence))
    if json:
        from operations.reports.report import as_object

        say_json(as_object(made))
    elif not any((html, xlsx, csv, pdf, evidence)):
        _print(made)


def _write(
    made: Made, html: Path | None, xlsx: Path | None, csv: Path | None, pdf: Path | None, separator: str
) -> None:
    from operations.reports.report import write_files
    from runtime.private_files import write_private

    if html is not None:
        write_private(html, made.html())
        _wrote(html)
    if xlsx is not None:
        write_private(xlsx, made.xlsx())
        _wrote(xlsx)
    if csv is not None:
        write_files(csv, made.csv(separator))
        _wrote(csv)
    if pdf is not None:
        write_private(pdf, made.pdf())
        _wrote(pdf)


def _wrote(path: Path) -> None:
    err().print(f"[green]✓[/] {text(path)}", soft_wrap=True)


async def _make(cohort: str, exact: bool, on: date | None, program: str, format_: str, compare: str) -> Made:
    from operations.audit import COMMAND_LINE, AuditEntry, record
    from operations.reports import report as reports
    from runtime.connect import database
    from runtime.settings import now_of

    environment = settings()
    now = now_of(environment)
    make = reports.exact if exact else reports.for_passing_on
    async with database(environment) as opened:
        made = await make(opened, cohort, now, as_of=on, program=program, format_=format_, compare=compare)
        what = "report --exact" if exact else "report"
        await record(opened, now, AuditEntry(what, proof=COMMAND_LINE, cohort=cohort, result="read"))
    return made


async def _evidence(made: Made, folder: Path) -> None:
    from operations.reports.evidence import evidence_pack
    from operations.reports.report import write_files
    from runtime.connect import database
    from runtime.settings import now_of

    environment = settings()
    async with database(environment) as opened:
        write_files(folder, await evidence_pack(opened, made, now_of(environment)))
    _wrote(folder)


async def _change(cohort: str, words: str, by: str) -> None:
    from operations.audit import COMMAND_LINE
    from operations.reports.report import say_what_changes
    from runtime.connect import database
    from runtime.settings import now_of

    environment = settings()
    async with database(environment) as opened:
        await say_what_changes(opened, cohort, words, by, now_of(environment), COMMAND_LINE)


def _print(made: Made) -> None:
    """The answer first, then every table."""
    from operations.reports.report import as_lines, table_lines
    from reports.season_report import SECTIONS
    from reports.titles import together

    screen = out()
    screen.print(f"[bold]{text(made.report.season.title)}[/], as of {made.report.season.as_of}")
    if made.report.exact:
        screen.print("[bold]Exact numbers, not for passing on.[/]")
    elif not made.report.season.over:
        screen.print("The season is still running: shown is only what can't change any more.")
    for words, number in as_lines(made.report):
        screen.print(f"{words}: {number}")
    for name, heading in SECTIONS.items():
        rows = table("", "n", title=heading)
        for tables in together(made.report.section(name)):
            title, cells = table_lines(tables)
            rows.add_row(f"[bold]{text(title)}[/]", "")
            for label, number in cells:
                rows.add_row(f"  {text(label)}", number)
        if rows.row_count:
            screen.print(rows)
