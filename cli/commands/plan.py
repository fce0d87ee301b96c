"""What can be done with a file alone, before anybody is mailed: validate, plan, preview."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import (
    EXIT_CODES,
    FAULTY,
    REFUSED,
    err,
    fail,
    on,
    out,
    plainly,
    run,
    say_json,
    say_text,
    settings,
    table,
    text,
)
from cli.options import AsJson, File, Separator, Today
from program.faults import counted

if TYPE_CHECKING:
    from operations.cohorts.load import Fault, Loaded
    from operations.cohorts.plan import Plan

PANEL = "Before anybody is mailed"
MAILS_SHOWN = 100
"""A plan of more mails shows its summary alone."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (validate, plan, preview):
        app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(command))


def validate(
    file: File,
    running: Annotated[
        bool, typer.Option("--running", help="The cohort runs already: its start may be past.")
    ] = False,
    today: Today = None,
    json: AsJson = False,
) -> None:
    """Check a cohort's file and everything that it uses.

    The programs, forms, people and mail templates are checked with it. Every
    fault is shown at once: file, line and column, what is wrong, and what to
    write instead. Nothing is started, and neither database nor Temporal is
    needed.

    \b
    Examples:
      mentorship validate config/cohorts/small.yaml
      mentorship validate config/cohorts/spring.yaml --running
      mentorship validate config/cohorts/small.yaml --json | jq '.faults[].problem'
    """
    from operations.cohorts.load import Faults, load

    file = found_file("cohorts", file)
    try:
        loaded = load(file, as_of(today), runs=running, own=settings().own_config)
    except Faults as found:
        if json:
            say_json({"file": str(file), "valid": False, "faults": as_objects(found.faults), "warnings": []})
        else:
            print_faults(found.faults, "red")
            err().print(f"[bold red]✗[/] {counted(len(found.faults), 'fault')}. Nothing was started.")
        raise typer.Exit(FAULTY) from None
    if json:
        say_json({"file": str(file), "valid": True, "faults": [], "warnings": as_objects(loaded.warnings)})
        return
    print_warnings(loaded.warnings)
    cohort = loaded.cohort
    out().print(
        f"[green]✓[/] {text(cohort.cohort)}: {text(cohort.title)}, from {on(cohort.start)} ({cohort.zone}). "
        f"{counted(len(cohort.mentorships), 'mentorship')}, {len(cohort.participants)} people, "
        f"programs {', '.join(sorted(loaded.programs))}.",
        soft_wrap=True,
    )


def plan(
    file: File,
    mentorship: Annotated[
        str, typer.Option("--mentorship", "-m", metavar="KEY", help="Only this mentorship.", show_default=False)
    ] = "",
    today: Today = None,
    json: AsJson = False,
    every: Annotated[
        bool, typer.Option("--all", help="List every mail, also of a large cohort, below the summary.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print a table for a spreadsheet.")] = False,
    separator: Separator = ";",
    ics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a calendar file; - prints it.", show_default=False)
    ] = None,
) -> None:
    """Show who would get what, and when. No mail is sent.

    A summary first, then each mail: of a small cohort, of one mentorship, or
    with --all. The plan is that of a launch right now. Times are in each
    reader's own zone, on days on which their letterbox is open. It assumes that
    everybody accepts the invitation and answers no form in time; who answers
    gets no reminder. What follows from answers, such as the partner's turn at
    the agreement or a task for you, is in no plan.

    \b
    Examples:
      mentorship plan config/cohorts/small.yaml
      mentorship plan config/cohorts/small.yaml --mentorship m1
      mentorship plan config/cohorts/large.yaml --all | less
      mentorship plan config/cohorts/small.yaml --csv > plan.csv
      mentorship plan config/cohorts/small.yaml --ics plan.ics
    """
    from operations.cohorts import plan_export
    from operations.cohorts.plan import plan as plan_of

    if json + csv + (ics is not None) > 1:
        fail("choose one of --json, --csv and --ics", REFUSED)
    now = as_of(today)
    planned = plan_of(_loaded(file, now), now, mentorship)
    if json:
        say_json(plan_export.as_object(planned))
    elif csv:
        write_as_it_is(plan_export.as_csv(planned, separator))
    elif ics is not None and str(ics) == "-":
        sys.stdout.write(plan_export.as_ics(planned).decode())
    elif ics is not None:
        ics.write_bytes(plan_export.as_ics(planned))
        err().print(f"[green]✓[/] {text(ics)} is ready for a calendar.")
    else:
        _print_totals(planned)
        if every or mentorship or len(planned.mails) <= MAILS_SHOWN:
            _print_mails(planned)
        else:
            out().print("--all lists every mail, --mentorship KEY those of one mentorship, --csv a spreadsheet.")


def preview(
    name: Annotated[str, typer.Argument(help="The mail, such as invitation, check_in or task_opened.")] = "",
    cohort: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="As in the cohort of this file: title, program, forms, dates.", show_default=False
        ),
    ] = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format", help="one_to_one, reverse, peer or group.", show_default="one_to_one, or the cohort's"
        ),
    ] = "",
    role: Annotated[str, typer.Option(help="mentor, mentee or peer.", show_default="mentee, or peer")] = "",
    reminder: Annotated[int, typer.Option(min=0, max=2, help="1 or 2: as first or second reminder.")] = 0,
    number: Annotated[int, typer.Option(min=1, help="Number of the check-in, or version of the agreement.")] = 1,
    early: Annotated[bool, typer.Option("--early", help="As after an early end.")] = False,
    task: Annotated[str, typer.Option(help="Kind of task, for mails to coordinators.")] = "stalled",
    language: Annotated[
        str, typer.Option(metavar="CODE", help="In this language.", show_default="the reader's, or the cohort's")
    ] = "",
    person: Annotated[
        str,
        typer.Option(
            metavar="WHO",
            help="Addressed to a real person, of the file or of the database: id, name or address.",
            show_default=False,
        ),
    ] = "",
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the HTML to a file; - prints it.", show_default=False)
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the HTML in a browser.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Print the complete message, headers included.")] = False,
) -> None:
    """Show a mail, with invented people in it; without a name, list all.

    Links in it look like the real ones and lead to no form.

    \b
    Examples:
      mentorship preview invitation
      mentorship preview invitation --cohort config/cohorts/small.yaml
      mentorship preview check_in --number 2 --role mentor --open
      mentorship preview closure --format group --reminder 1
      mentorship preview task_opened --task safety
      mentorship preview invitation --person p07 --html invitation.html
    """
    from mail.letters import NAMES
    from operations.cohorts.preview import PreviewOptions, reader, reader_in
    from operations.cohorts.preview import preview as compose
    from runtime.connect import database

    if not name:
        for one in NAMES:
            out().print(one)
        return
    installation = settings()
    loaded = _loaded(cohort, as_of(None), runs=True) if cohort else None

    async def known() -> Any:
        async with database(installation) as opened:
            return await reader(opened, person)

    reads = None
    if person:
        reads = reader_in(loaded, person) if loaded else run(known)
    options = PreviewOptions(format_, role, reminder, number, early, task, language)
    mail = compose(name, options, installation, loaded=loaded, person=reads)
    if open_:
        html = html if html and str(html) != "-" else _somewhere(name)
    if raw:
        sys.stdout.write(mail.raw.replace("\r\n", "\n"))
    elif html is not None and str(html) == "-":
        say_text(mail.html)
    elif html is not None:
        html.write_text(mail.html, "utf-8")
        err().print(f"[green]✓[/] {text(html)}")
        if open_:
            typer.launch(html.absolute().as_uri())
    else:
        out().print(f"[bold]{text(mail.subject)}[/]\n", soft_wrap=True)
        say_text(mail.text.rstrip() + "\n")


# -- what they share ---------------------------------------------------------------------------------------------


def as_of(today: datetime | None) -> datetime:
    """Program time (UTC); noon of the given date where one is given."""
    from datetime import UTC

    from runtime.settings import now_of

    return today.replace(hour=12, tzinfo=UTC) if today else now_of(settings())


def _loaded(file: Path, now: datetime, *, runs: bool = False) -> Loaded:
    """A file without faults; otherwise they are printed and the command ends. `runs`: its start may be past."""
    from operations.cohorts.load import Faults, load

    try:
        return load(found_file("cohorts", file), now, runs=runs, own=settings().own_config)
    except Faults as found:
        print_faults(found.faults, "red")
        err().print(f"[bold red]✗[/] Fix {'this' if len(found.faults) == 1 else 'these'} first.")
        raise typer.Exit(FAULTY) from None


def found_file(kind: str, written: Path) -> Path:
    """The file that a command names, looked for in the own folder first; says which, where it is another path."""
    from operations.cohorts.load import file_of

    found = file_of(kind, written, settings().own_config)
    if found != written:
        err().print(f"Reading {text(found)}", soft_wrap=True)
    return found


def print_faults(faults: tuple[Fault, ...], colour: str, label: str = "") -> None:
    """One line each, as editors can jump to it: file, line, column, what is wrong, what to write instead."""
    for one in faults:
        place = f"{one.file}:{one.line}:{one.column}:"
        said = f"{label}{text(one.problem)}. {text(one.remedy)}".rstrip()
        err().print(f"[{colour}]{text(place)}[/] {said}", soft_wrap=True)


def print_warnings(warnings: tuple[Fault, ...]) -> None:
    """What is odd and may be meant, each with its label."""
    print_faults(warnings, "yellow", "warning: ")


def as_objects(faults: tuple[Fault, ...]) -> list[dict[str, Any]]:
    """For a script."""
    return [
        {"file": one.file, "line": one.line, "column": one.column, "problem": one.problem, "remedy": one.remedy}
        for one in faults
    ]


def write_as_it_is(text: str) -> None:
    """To standard output in UTF-8, with the line ends that it has."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def _print_totals(planned: Plan) -> None:
    from operations.cohorts.plan import totals
    from operations.mentorships.labels import step_words

    rows = table("what", "first", "last", "people", title=f"{text(planned.title)}, as planned")
    for one in totals(planned):
        what = step_words(one.name, one.number) + (": reminder" if one.kind == "reminder" else "")
        rows.add_row(what, on(one.first), on(one.last) if one.last != one.first else "", str(one.people))
    out().print(rows)
    out().print(
        f"{len(planned.mails)} mails to {len({mail.person for mail in planned.mails})} people, if everybody accepts "
        "and nobody answers in time. What follows from answers comes on top.",
        soft_wrap=True,
    )


def _print_mails(planned: Plan) -> None:
    from operations.cohorts.plan_export import local_time
    from operations.mentorships.labels import step_words

    rows = table("date", "time", "person", "mentorship", "what", "until", title="Each mail")
    last = ""
    for mail in planned.mails:
        day, _, at = local_time(mail).partition("T")
        for nth, item in enumerate(mail.items):
            what = step_words(item.name, item.number) + (": reminder" if item.kind == "reminder" else "")
            condition = f" [dim]({item.condition})[/]" if item.condition else ""
            rows.add_row(
                on(date.fromisoformat(day)) if day != last else "",
                f"{at[:5]} {mail.zone}" if not nth else "",
                text(planned.people[mail.person]) if not nth else "",
                text(item.mentorship),
                what + condition,
                item.closes.isoformat() if item.closes else "",
            )
            last = day
    out().print(rows)


def _somewhere(name: str) -> Path:
    import tempfile

    return Path(tempfile.mkdtemp(prefix="mentorship-")) / f"{name}.html"
