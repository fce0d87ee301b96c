"""Sending somebody the link to their own page once more."""

from __future__ import annotations

from typing import Any

import typer

from cli.console import EXIT_CODES, err, out, plainly, run, say_json, settings, text
from cli.options import AsJson, By, DryRun, PersonArgument, Why

PANEL = "People"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("send-link", rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(send_link))


def send_link(
    person: PersonArgument, dry_run: DryRun = False, by: By = "", why: Why = "", json: AsJson = False
) -> None:
    """Send somebody the link to their own page once more, by a mail of its own.

    For somebody who has lost their mails. It goes at once, and only to the
    address that is known here. The links in older mails stay good. While one is
    on its way, nothing more is sent.

    \b
    Examples:
      mentorship send-link s1 --dry-run
      mentorship send-link amelie@example.org --why "asked on the phone"
    """
    result = run(lambda: _send(person, by, why, dry_run=dry_run, quiet=json))
    if json:
        say_json(result)


async def _send(person: str, by: str, why: str, *, dry_run: bool, quiet: bool) -> dict[str, Any]:
    from operations.audit import COMMAND_LINE
    from operations.mentorships.status import as_object
    from operations.people import send_link as sending
    from runtime.connect import database, temporal
    from runtime.errors import Unreachable
    from runtime.settings import now_of
    from runtime.temporal import Waker

    installation = settings()
    async with database(installation) as opened:
        seen = await sending.outlook(opened, person)
        result = as_object(seen) | {"done": False}
        if not quiet:
            what = "one is on its way already" if seen.waits else f"the link to their own page, to {text(seen.email)}"
            out().print(f"[bold]{text(seen.person)}[/] ({text(seen.name)}): {what}", soft_wrap=True)
        if dry_run or seen.waits:
            if not quiet:
                out().print("Nothing was sent: this was a dry run." if dry_run else "Nothing to do.")
            return result
        try:
            wake = Waker(await temporal(), installation)
        except Unreachable as away:
            wake = None
            err().print(f"{away}\nIt is kept, and goes out as soon as Temporal and a worker are back.")
        done = await sending.send_link(
            opened, seen.person, now_of(installation), by=by, why=why, proof=COMMAND_LINE,
            shards=installation.shards, wake=wake,
        )  # fmt: skip
        if not quiet:
            out().print("[green]✓[/] it goes out")
        return result | {"done": done}
