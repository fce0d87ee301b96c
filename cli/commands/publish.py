"""Publishing the pairs of a cohort with an open call, and writing a cohort out as the file that would launch it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.plan import write_as_it_is
from cli.console import EXIT_CODES, REFUSED, err, fail, out, plainly, run, say_json, settings, table, text
from cli.options import AsJson, By, DryRun, Why, Yes
from program.faults import counted

if TYPE_CHECKING:
    from operations.matching.publish import Draft, Published

PANEL = "A cohort"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(publish))
    app.command("export-cohort", rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(export_cohort))


def publish(
    cohort: Annotated[str, typer.Argument(help="The cohort.", show_default=False)],
    pairs: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="These pairs instead of the best ones, as `mentorship match --out` writes them.",
            show_default=False,
        ),
    ] = None,
    pin: Annotated[
        list[str] | None,
        typer.Option(metavar="MENTOR:MENTEE", help="This pair for certain; more mentees after a comma."),
    ] = None,
    ban: Annotated[list[str] | None, typer.Option(metavar="MENTOR:MENTEE", help="Never this pair.")] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    by: By = "",
    why: Why = "",
    json: AsJson = False,
) -> None:
    """Publish the pairs of a cohort with an open call: they start, and each is asked.

    Matches those who applied, as `mentorship match COHORT` shows it, and writes
    the pairs into the cohort. Each gets an invitation that names the partner and
    says why, and can refuse. Those for whom there is nobody are told so, and
    why. It can't be taken back, so you see everything first. Publishing again
    changes nothing and mails nobody.

    \b
    Examples:
      mentorship publish open-call --dry-run
      mentorship publish open-call --why "as agreed on Monday"
      mentorship match open-call --out pairs.csv
      mentorship publish open-call --pairs pairs.csv --yes
    """
    made, done = run(lambda: _publish(cohort, pairs, pin or [], ban or [], yes, dry_run, by, why, json))
    if json:
        say_json(_as_object(made, done))
    elif made.published or (done is not None and not done.mentorships):
        out().print(f"The pairs of {text(cohort)} were published before. Nothing to do.")
    elif done is None:
        out().print("Nothing was published: this was a dry run." if dry_run else "Nothing was done.")
    else:
        started = counted(len(done.mentorships), "mentorship")
        told = f"; {done.told} are told that there is nobody for them" if done.told else ""
        out().print(f"[green]✓[/] {started} of {text(cohort)} start{told}.", soft_wrap=True)


async def _publish(
    cohort: str,
    pairs: Path | None,
    pin: list[str],
    ban: list[str],
    yes: bool,
    dry_run: bool,
    by: str,
    why: str,
    json: bool,
) -> tuple[Draft, Published | None]:
    from operations.audit import COMMAND_LINE
    from operations.matching.pool import pairs_in
    from operations.matching.publish import draft
    from operations.matching.publish import publish as do_publish
    from runtime.connect import database, temporal
    from runtime.settings import now_of

    environment = settings()
    async with database(environment) as opened:
        given = pairs_in(pairs) if pairs is not None else None
        made = await draft(opened, cohort, pins=pin, bans=ban, pairs=given)
        if not json and not made.published:
            _show(made)
        if dry_run:
            return made, None
        if not made.published and not _wanted(made, yes, json):
            return made, None
        client = await temporal()
        now = now_of(environment)
        return made, await do_publish(opened, client, environment, made, now, by=by, why=why, proof=COMMAND_LINE)


def _wanted(made: Draft, yes: bool, json: bool) -> bool:
    if yes:
        return True
    if json or not sys.stdin.isatty():
        fail("this invites people and can't be taken back: write --yes as well. Nothing was done.", REFUSED)
    return typer.confirm(f"Publish {counted(len(made.pairs), 'pair')}? It can't be taken back.", err=True)


def _show(made: Draft) -> None:
    screen = out()
    rows = table("mentor", "mentee", "because", title=made.title)
    for pair in made.pairs:
        mentor, mentee = pair
        rows.add_row(
            f"{text(made.names[mentor])} [dim]{text(mentor)}[/]",
            f"{text(made.names[mentee])} [dim]{text(mentee)}[/]",
            text("\n".join(f"{part.points:>3}  {part.words}" for part in made.because[pair])),
        )
    screen.print(rows)
    if made.nobody:
        listed = ", ".join(f"{made.names[person]} ({person})" for person in sorted(made.nobody))
        screen.print(f"Nobody for {text(listed)}: they are told so.", soft_wrap=True)


def _as_object(made: Draft, done: Published | None) -> dict[str, Any]:
    return {
        "cohort": made.cohort,
        "pairs": [
            {"mentor": mentor, "mentee": mentee, "because": [part.words for part in made.because[mentor, mentee]]}
            for mentor, mentee in made.pairs
        ],
        "nobody": sorted(made.nobody),
        "published": made.published or done is not None,
        "mentorships": list(done.mentorships) if done else [],
    }


def export_cohort(
    cohort: Annotated[str, typer.Argument(help="The cohort.", show_default=False)],
    to: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it to this file.", show_default=False)
    ] = None,
) -> None:
    """Write a cohort out as the file that would launch it.

    With the people and mentorships as they stand now. After publishing the pairs
    of an open call, this is the cohort's file to go on with: launching it
    changes nothing. It holds names and addresses.

    \b
    Examples:
      mentorship export-cohort open-call
      mentorship export-cohort open-call --out config/cohorts/open-call.yaml
    """
    written = run(lambda: _export(cohort))
    if to is None:
        write_as_it_is(written)
        return
    from runtime.private_files import write_private

    write_private(to, written)
    err().print(f"[green]✓[/] {text(to)}")


async def _export(cohort: str) -> str:
    from operations.applications.written_out import as_file
    from runtime.connect import database

    async with database(settings()) as opened:
        return await as_file(opened, cohort)
