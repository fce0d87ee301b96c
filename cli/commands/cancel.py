"""Cancelling a whole cohort: shown first, then confirmed by typing its id."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import EXIT_CODES, REFUSED, err, fail, names, out, plainly, run, say_json, settings, text
from cli.options import AsJson, By, DryRun, Why
from cli.progress import until_none_is_left

if TYPE_CHECKING:
    from operations.cohorts.cancel import CancelPreview

PANEL = "A cohort"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("cancel-cohort", rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(cancel_cohort))


def cancel_cohort(
    cohort: Annotated[str, typer.Argument(help="The cohort.")],
    dry_run: DryRun = False,
    confirm: Annotated[
        str, typer.Option(metavar="COHORT", help="The cohort's id once more, instead of typing it when asked.")
    ] = "",
    by: By = "",
    why: Why = "",
    json: AsJson = False,
) -> None:
    """Cancel a whole cohort: one plain mail to each person, and everything stops.

    Everybody who takes part or is invited is told at once, in one mail, for all
    of their mentorships. Open forms are withdrawn, nothing that waits is sent any
    more, and every mentorship ends as cancelled. This can't be taken back, so it asks you to type the
    cohort's id. An interruption does no harm: what was begun is finished by
    itself, and the same command again does nothing twice.

    \b
    Examples:
      mentorship cancel-cohort small --dry-run
      mentorship cancel-cohort small --why "the budget was withdrawn"
      mentorship cancel-cohort small --confirm small --json
    """
    result = run(lambda: _cancel(cohort, dry_run, confirm, by, why, json))
    if json:
        say_json(result)


async def _cancel(cohort: str, dry_run: bool, confirm: str, by: str, why: str, quiet: bool) -> dict[str, Any]:
    from operations.audit import COMMAND_LINE
    from operations.cohorts.cancel import cancel, outlook, still_to_tell
    from operations.mentorships.status import as_object
    from runtime.connect import database, temporal
    from runtime.errors import Unreachable
    from runtime.settings import now_of
    from runtime.temporal import Waker

    installation = settings()
    async with database(installation) as opened:
        before = await outlook(opened, cohort)
        result = as_object(before)
        if not quiet:
            _show(before)
        if dry_run:
            if not quiet:
                out().print("Nothing was cancelled: this was a dry run.")
            return result
        if before.state == "running":
            _confirmed(cohort, confirm, quiet)
        try:
            client = await temporal()
        except Unreachable as away:
            client = None
            err().print(f"{away}\nWhat is recorded now is done as soon as Temporal and a worker are back.")
        wake = Waker(client, installation) if client else None
        fresh = await cancel(
            opened, cohort, now_of(installation), by=by, why=why, proof=COMMAND_LINE, shards=installation.shards,
            wake=wake,
        )  # fmt: skip
        left = await still_to_tell(opened, cohort)
        if client:
            left = await until_none_is_left("Stopping", left, lambda: still_to_tell(opened, cohort), quiet)
        if not quiet:
            _say_done(before, fresh, left)
        return result | {"state": "cancelled", "fresh": fresh, "left": left}


def _confirmed(cohort: str, confirm: str, quiet: bool) -> None:
    """Make sure that this cohort is meant."""
    if confirm and confirm != cohort:
        fail(f"--confirm {confirm} is not {cohort}. Nothing was cancelled.", REFUSED)
    if confirm:
        return
    if quiet or not sys.stdin.isatty():
        fail(f"this can't be taken back: write --confirm {cohort} as well. Nothing was cancelled.", REFUSED)
    typed = typer.prompt(f"This can't be taken back. Type {cohort} to cancel it", err=True)
    if typed.strip() != cohort:
        fail("That is not its id. Nothing was cancelled.", REFUSED)


def _show(before: CancelPreview) -> None:
    screen = out()
    screen.print(f"[bold]{text(before.cohort)}[/]: {text(before.title)}, {before.state}", soft_wrap=True)
    if before.state != "running":
        return
    some = before.people[:12]
    more = ", …" if len(before.people) > len(some) else ""
    who = f"  ({names(some)}{more})" if some else ""
    screen.print(f"  ends        {len(before.mentorships)} mentorships, as cancelled")
    screen.print(f"  told        {len(before.people)} people, one mail each, at once{who}", soft_wrap=True)
    if before.applicants:
        screen.print(
            f"  applied     {before.applicants} of them applied, and read the reason of --why", soft_wrap=True
        )
    screen.print(f"  withdrawn   {before.forms} open forms, {before.items} mails that wait")
    if before.tasks:
        screen.print(f"  tasks       {before.tasks} open; those lapse in which nobody waits for a word")


def _say_done(before: CancelPreview, fresh: bool, left: int) -> None:
    cohort = text(before.cohort)
    if left:
        err().print(
            f"{cohort} is cancelled. {left} mentorships have still to hear of it: they do by themselves, as soon as "
            "a worker runs."
        )
    elif fresh:
        out().print(f"[green]✓[/] {cohort} is cancelled: {len(before.people)} people are told.")
    else:
        out().print(f"{cohort} was cancelled before. Nothing to do.")
