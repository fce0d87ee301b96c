"""Database and Temporal are brought together again: after a restore, or when workflows were terminated or lost."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from cli.commands.doctor import PANEL
from cli.console import EXIT_CODES, out, plainly, run, say_json, settings, text
from cli.options import AsJson


class Restored(StrEnum):
    """What came from a backup."""

    DATABASE = "database"
    TEMPORAL = "temporal"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(reconcile))


def reconcile(
    restored: Annotated[
        Restored | None,
        typer.Option(help="What was restored from a backup. If both were, from different times: the older one."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what disagrees, and change nothing.")] = False,
    json: AsJson = False,
) -> None:
    """Start again what Temporal terminated or lost; after a restore, compare both sides.

    Without --restored: every mentorship, cohort and postmaster that must run in
    Temporal and doesn't is started from the database. Workers may go on. Nobody
    is asked or mailed twice. The same command moves an installation to another
    Temporal: set TEMPORAL_ADDRESS, run `mentorship register`, then this.

    After a restore, stop all workers and pages first. With a database from a
    backup, whatever was due by now is not mailed, for it may have been.
    Lines that start with ! need you; the others are fixed, or fix themselves.

    \b
    Examples:
      mentorship reconcile --dry-run
      mentorship reconcile
      mentorship reconcile --restored database --dry-run
      mentorship reconcile --restored database
      mentorship reconcile --restored temporal --json | jq '.[] | select(.fixed | not)'
    """
    from operations.audit import COMMAND_LINE, AuditEntry, record
    from operations.health.restore import Disagreement, reconcile, start_what_is_missing, strangers
    from runtime import connect
    from runtime.settings import now_of

    async def compare() -> list[Disagreement]:
        installation = settings()
        client = await connect.temporal()
        found: list[Disagreement] = []
        async with connect.database(installation) as database:
            now = now_of(installation)
            if not dry_run:
                came = restored.value if restored else ""
                await record(database, now, AuditEntry("reconcile", proof=COMMAND_LINE, result=came))
            if restored is None:
                asked = start_what_is_missing(database, client, installation, now, fix=not dry_run)
            else:
                asked = reconcile(database, client, installation, now, restored.value, fix=not dry_run)
            found += [one async for one in asked]
            found += [one async for one in strangers(database, client)]
        return found

    found = run(compare)
    if json:
        keys = ("kind", "what", "says", "does", "fixed")
        say_json([{key: getattr(one, key) for key in keys} for one in found])
        return
    for one in found:
        mark = "[green]✓[/]" if one.fixed else "[yellow]![/]"
        out().print(f"{mark} [bold]{text(one.what)}[/]: {text(one.says)}", soft_wrap=True)
        out().print(f"    {text(one.does)}", soft_wrap=True)
    if not found:
        out().print("[green]✓[/] Database and Temporal agree.")
    elif dry_run:
        out().print("Nothing was done: this was a dry run.")
