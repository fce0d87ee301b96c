"""Putting the mail templates of a version in force for a cohort that runs: shown first, then confirmed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.console import EXIT_CODES, REFUSED, confirm, fail, out, plainly, run, say_json, settings, text
from cli.options import AsJson, By, DryRun, Why, Yes

if TYPE_CHECKING:
    from operations.cohorts.reword import Rewording

PANEL = "A cohort"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(reword))


def reword(
    cohort: Annotated[str, typer.Argument(help="The cohort.")],
    version: Annotated[
        int,
        typer.Option(min=0, help="Version of the cohort's file whose mails are taken.", show_default="the latest"),
    ] = 0,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="FOLDER", help="First keep the templates of this folder (en/check_in.md) as a version."
        ),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    by: By = "",
    why: Why = "",
    json: AsJson = False,
) -> None:
    """Word the mails of a cohort by the templates that a version of its file has of its own.

    A cohort has templates of its own where a coordinator has edited a mail on
    the pages, or with --from. They are in force from the first launch on; for
    a cohort that runs, an edit takes effect only with this. It shows first
    which mails change and what waits. Mails that are worded already go out as
    they are. To go back, name an earlier version.

    \b
    Examples:
      mentorship reword small --dry-run
      mentorship reword small --from own-mails --yes --why "a shorter check-in"
      mentorship reword small --version 3 --yes
    """
    if json and not dry_run and not yes:
        fail("--json asks nothing: write --yes as well, or --dry-run. Nothing was changed.", REFUSED)
    if folder is not None and version:
        fail("--from makes a new version; leave --version out. Nothing was changed.", REFUSED)
    result = run(lambda: _reword(cohort, version, folder, by, why, dry_run=dry_run, yes=yes, quiet=json))
    if json:
        say_json(result)


async def _reword(
    cohort: str, version: int, folder: Path | None, by: str, why: str, *, dry_run: bool, yes: bool, quiet: bool
) -> dict[str, Any]:
    from operations.audit import COMMAND_LINE
    from operations.cohorts import reword as rewording
    from runtime.connect import database
    from runtime.settings import now_of

    installation = settings()
    async with database(installation) as opened:
        now = now_of(installation)
        if folder is not None:
            seen = await rewording.outlook(opened, installation, cohort, own=rewording.in_folder(folder))
        else:
            seen = await rewording.outlook(opened, installation, cohort, version)
        result = _as_object(seen)
        if not quiet:
            _show(seen)
        if dry_run or seen.nothing:
            if not quiet:
                out().print("Nothing was changed: this was a dry run." if dry_run else "Nothing to do.")
            return result
        if not yes:
            _confirmed()
        if folder is not None:
            seen = await rewording.keep(opened, seen, now, by=by, proof=COMMAND_LINE)
        done = await rewording.reword(opened, seen, now, by=by, why=why, proof=COMMAND_LINE)
        if not quiet:
            out().print(
                f"[green]✓[/] the mails of {text(cohort)} have the words of version {seen.version} from now on"
            )
        return result | {"version": seen.version, "changed": done}


def _as_object(seen: Rewording) -> dict[str, Any]:
    return {
        "cohort": seen.cohort, "version": seen.version, "own": list(seen.own), "shared": list(seen.shared),
        "waiting": dict(seen.waiting), "worded": seen.on_their_way.worded, "changed": False,
    }  # fmt: skip


def _show(seen: Rewording) -> None:
    screen = out()
    version = f"version {seen.version}" if seen.version else "the folder"
    screen.print(f"[bold]{text(seen.cohort)}[/]: the mails of {version}", soft_wrap=True)
    for name in seen.own:
        screen.print(f"  own words     {text(name)}", soft_wrap=True)
    for name in seen.shared:
        screen.print(f"  shared again  {text(name)}", soft_wrap=True)
    if seen.nothing:
        screen.print("  they are in force already")
        return
    waits = ", ".join(f"{count} × {name}" for name, count in seen.waiting.items())
    screen.print(f"  waits         {waits or 'nothing that changes'}", soft_wrap=True)
    if seen.on_their_way.worded:
        screen.print(f"  worded        {seen.on_their_way.worded} mails, which go out as they are")


def _confirmed() -> None:
    unasked = "nobody can be asked here: write --yes to do it. Nothing was changed."
    confirm("Word the mails like this from now on?", unasked, "Nothing was changed.")
