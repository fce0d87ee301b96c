"""Rehearsing a season before anybody is mailed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.plan import PANEL, as_of, found_file, print_faults
from cli.console import EXIT_CODES, FAULTY, err, on, out, plainly, say_json, settings, table, text
from cli.options import File
from program.faults import counted

if TYPE_CHECKING:
    from rich.progress import Progress

    from operations.cohorts.rehearse import Rehearsed
    from rehearsal.gathering_report import GatheringReport

PEOPLE_SHOWN = 10


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(rehearse))


def rehearse(
    file: File,
    people: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="How the simulated people behave.", show_default="a common mix"),
    ] = None,
    applicants: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A CSV of those who apply to the cohort's open call.",
            show_default="made up from its form",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same season.")] = 1,
    runs: Annotated[int, typer.Option(min=1, max=10000, help="Play so many seasons, and show ranges.")] = 1,
    launched: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], metavar="DATE", help="The launch date.", show_default="28 days before the start"
        ),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the ledger; - prints it instead of the summary.", show_default=False
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page to look at.", show_default=False)
    ] = None,
) -> None:
    """Play a whole season in seconds, with the same rules as a real run and with
    simulated people: who gets what and when, where mails pile up, how much work
    lands on your desk, how the mentorships end. Of an open call, its dates, its
    mails and what matching makes of those who apply. No mail is sent.

    \b
    Examples:
      mentorship rehearse config/cohorts/realistic.yaml
      mentorship rehearse config/cohorts/small.yaml --people config/people/quiet-mentors.yaml
      mentorship rehearse config/cohorts/realistic.yaml --runs 200
      mentorship rehearse config/cohorts/open-call.yaml --applicants config/cohorts/open-call-people.csv
      mentorship rehearse config/cohorts/realistic.yaml --html season.html --json season.json
    """
    from operations.cohorts.load import Faults, load
    from operations.cohorts.rehearse import rehearse as play

    try:
        loaded = load(found_file("cohorts", file), as_of(None), runs=True, own=settings().own_config)
        with _progress() as bar:
            task = bar.add_task("rehearsing", total=1.0)
            played = play(
                loaded,
                found_file("people", people) if people else None,
                now=as_of(None),
                launched=launched.date() if launched else None,
                seed=seed,
                runs=runs,
                applicants=found_file("cohorts", applicants) if applicants else None,
                progress=lambda share: bar.update(task, completed=share),
            )
    except Faults as found:
        print_faults(found.faults, "red")
        err().print(f"[bold red]✗[/] {counted(len(found.faults), 'fault')}. Nothing was rehearsed.")
        raise typer.Exit(FAULTY) from None
    if html is not None:
        html.write_text(played.html(), encoding="utf-8")
    if json is not None and str(json) == "-":
        say_json(played.ledger)
        return
    if json is not None:
        json.write_text(_as_text(played.ledger), encoding="utf-8")
    _show(played)
    for written in (html, json):
        if written is not None:
            out().print(f"Written: {text(written)}")


def _as_text(ledger: object) -> str:
    from json import dumps

    return dumps(ledger, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _progress() -> Progress:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn(),
        console=err(), transient=True,
    )  # fmt: skip


def _show_gathering(gathering: GatheringReport) -> None:
    screen = out()
    dates = table("Date", "what", title="The open call")
    for due in gathering.dates:
        dates.add_row(on(due.on), text(due.what))
    screen.print(dates)
    mails = table("Mail", "first", "last", "mails", "people", title="Mails of the open call")
    for line in gathering.mails:
        mails.add_row(text(line.what), on(line.first), on(line.last), str(line.mails), str(line.people))
    screen.print(mails)
    counts = table("People", "number", title="What came of it")
    for what, number in gathering.counts:
        counts.add_row(text(what), str(number))
    screen.print(counts)


def _show(played: Rehearsed) -> None:
    report, cohort = played.report, played.loaded.cohort
    names = {person.id: person.name for person in (*cohort.participants, *cohort.coordinators, *cohort.deputies)}
    screen = out()
    screen.print(
        f"[bold]{text(report.title)}[/], {on(report.first)} to {on(report.last)}: {report.mails} mails to "
        f"{len(report.mails_by)} people, {report.answers} answers to {report.requests} requests, "
        f"{sum(report.kinds.values())} tasks.",
        soft_wrap=True,
    )
    if report.busiest_day and report.busiest_person:
        person, most = report.busiest_person
        day, count = report.busiest_day
        screen.print(f"Busiest day: {on(day)}, {count} mails. Busiest person: {text(names[person])}, {most} mails.")
    if report.gathering is not None:
        _show_gathering(report.gathering)
    busy = table("Person", "mails", "most in a week", title="Mails by person")
    by_person = sorted(report.mails_by.items(), key=lambda one: (-sum(one[1].values()), one[0]))
    for person, weeks in by_person[:PEOPLE_SHOWN]:
        busy.add_row(text(names[person]), str(sum(weeks.values())), str(max(weeks.values())))
    screen.print(busy)
    if len(by_person) > PEOPLE_SHOWN:
        screen.print(f"… and {len(by_person) - PEOPLE_SHOWN} more; --html shows everybody, week by week.")
    if report.tasks:
        work = table("Week of", "tasks", "kinds", title="Tasks for coordinators")
        for week, kinds in sorted(report.tasks.items()):
            listed = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
            work.add_row(on(week), str(sum(kinds.values())), listed)
        screen.print(work)
    endings = table("Ending", "mentorships", title="Endings")
    for ending, count in sorted(report.endings.items()):
        endings.add_row(text(ending), str(count))
    screen.print(endings)
    if played.ranges:
        many = table("Number", "least", "middle", "most", title=f"{played.seasons} seasons")
        for name, span in played.ranges.items():
            many.add_row(text(name), f"{span.least:g}", f"{span.middle:g}", f"{span.most:g}")
        screen.print(many)
    for line in report.warnings:
        screen.print(f"[yellow]![/] {text(line)}", soft_wrap=True)
