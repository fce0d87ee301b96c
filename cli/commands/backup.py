"""Copying the databases of one machine, and keeping on record that another tool did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.doctor import PANEL
from cli.console import EXIT_CODES, out, plainly, run, say_json, settings, text
from cli.options import AsJson


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(backup))


def backup(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="FOLDER", help="A new or empty folder for the copies.", show_default=False),
    ] = None,
    recorded: Annotated[
        bool, typer.Option("--recorded", help="Copy nothing: another tool has just made the backup.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Copy the databases into a folder while everything runs.

    For the embedded stack, and for any installation on SQLite: Temporal's
    database, ours, and the secret that signs the links. To restore, stop
    everything, copy the files back into the data folder, and start it again.
    For PostgreSQL, use its own tools and run this with --recorded afterwards:
    the page of the installation shows how old the last backup is.

    \b
    Examples:
      mentorship backup backups/monday
      mentorship backup --recorded
    """
    from operations.errors import Refused
    from operations.health.backup import CopiedFile, back_up, record
    from runtime.connect import database
    from runtime.settings import now_of

    if (folder is None) != recorded:
        raise Refused(
            "give either a folder for the copies, or --recorded\nAn example: mentorship backup backups/monday"
        )
    installation = settings()

    async def make() -> list[CopiedFile]:
        async with database(installation) as opened:
            copied = [] if folder is None else await back_up(installation, folder)
            await record(opened, now_of(installation))
            return copied

    copied = run(make)
    if json:
        say_json([{"name": one.name, "bytes": one.size} for one in copied])
        return
    for one in copied:
        out().print(f"[green]✓[/] {text(one.name)} ({one.size / 1_000_000:.1f} MB)")
    where = f"The backup is in {text(folder)}." if folder else "The backup is on record."
    out().print(f"{where} Keep it on another machine: it holds personal data.", soft_wrap=True)
