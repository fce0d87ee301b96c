"""Who would mentor next time, and inviting them to the call of the next cohort: choose, see, confirm."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.plan import write_as_it_is
from cli.console import EXIT_CODES, REFUSED, confirm, err, fail, out, plainly, run, say_json, settings, text
from cli.options import AsJson, By, DryRun, Yes
from program.faults import counted

if TYPE_CHECKING:
    from operations.reports.giving_back import NextCall, Volunteer
    from store.database import Database

PANEL = "A cohort"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("giving-back", rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(giving_back))


def giving_back(
    cohort: Annotated[str, typer.Argument(help="The cohort whose people said so.")],
    into: Annotated[
        str,
        typer.Option(
            metavar="COHORT | FILE",
            help="The cohort with the next call: its file on disk, or the file that its pages keep.",
            show_default=False,
        ),
    ] = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    by: By = "",
    json: AsJson = False,
) -> None:
    """List who would mentor next time, and invite them to the next call.

    They said so at the closure: mentees who would mentor now, and mentors who
    would again. Who has left, was erased or can't be reached is not listed.
    With --into it shows who would be added to `invited:` of that cohort's file,
    and asks. Nobody gets a mail before you launch it and its call opens.

    \b
    Examples:
      mentorship giving-back spring
      mentorship giving-back spring --into config/cohorts/autumn.yaml --dry-run
      mentorship giving-back spring --into autumn --yes --as carla@example.org
    """
    if not into:
        _print(run(lambda: _volunteers(cohort)), json)
        return
    if json and not dry_run and not yes:
        fail("--json asks nothing: write --yes as well, or --dry-run. Nothing was changed.", REFUSED)
    result = run(lambda: _invite(cohort, into, by, dry_run=dry_run, yes=yes, quiet=json))
    if json:
        say_json(result)


async def _volunteers(cohort: str) -> list[Volunteer]:
    from operations.reports.giving_back import volunteers
    from runtime.connect import database
    from runtime.settings import now_of

    environment = settings()
    async with database(environment) as opened:
        return await volunteers(opened, cohort, now_of(environment))


def _print(found: list[Volunteer], json: bool) -> None:
    """The addresses as a list for `invited:`, or everything as JSON."""
    if json:
        say_json([_as_object(one) for one in found])
    elif not found:
        err().print("Nobody has said so yet: it is asked at the closure.")
    else:
        write_as_it_is("invited:\n" + "\n".join(f"  - {one.email}  # {_who(one)}" for one in found) + "\n")


def _people(number: int) -> str:
    return counted(number, "person", "people")


def _who(one: Volunteer) -> str:
    return f"{one.name}, was a {one.was}"


def _as_object(one: Volunteer) -> dict[str, str]:
    return {"id": one.id, "name": one.name, "email": one.email, "was": one.was}


async def _invite(cohort: str, into: str, by: str, *, dry_run: bool, yes: bool, quiet: bool) -> dict[str, Any]:
    from operations.reports.giving_back import next_call, next_call_on_disk
    from runtime.connect import database
    from runtime.settings import now_of

    environment = settings()
    now = now_of(environment)
    file = Path(into) if Path(into).suffix in (".yaml", ".yml") else None
    async with database(environment) as opened:
        if file is not None:
            call = await next_call_on_disk(opened, cohort, file, now)
        else:
            call = await next_call(opened, cohort, into, now, [into])
        result: dict[str, Any] = {
            "into": into,
            "added": [_as_object(one) for one in call.added],
            "already": [_as_object(one) for one in call.already],
            "only_invited_from_now_on": call.shuts,
            "version": None,
            "done": False,
        }
        if not quiet:
            _show(call)
        if dry_run or not call.added:
            if not quiet:
                out().print("Nothing was changed: this was a dry run." if dry_run else "Nothing to do.")
            return result
        if not yes:
            _confirmed(call)
        version = await _write(opened, cohort, call, file, by)
        if not quiet:
            kept = f"version {version} of the file of {text(into)}" if version else text(into)
            out().print(f"[green]✓[/] {_people(len(call.added))} added: {kept}", soft_wrap=True)
        return result | {"version": version, "done": True}


async def _write(database: Database, cohort: str, call: NextCall, file: Path | None, by: str) -> int | None:
    """Save what was shown; the version of the file that the pages keep, or None of a file on disk."""
    from operations.audit import COMMAND_LINE, AuditEntry, record
    from operations.reports.giving_back import invite, invite_on_disk, who_invites
    from runtime.settings import now_of

    now = now_of(settings())
    who = await who_invites(database, cohort, by)
    version = None
    if file is not None:
        await invite_on_disk(database, cohort, call.mark, file, now)
    else:
        version = await invite(database, cohort, call.mark, call.into, now, [call.into], by=who, proof=COMMAND_LINE)
    ids = (call.into if file is None else file.name, str(version or ""))
    await record(database, now, AuditEntry("giving-back", who, COMMAND_LINE, cohort, ids, result="done"))
    return version


def _show(call: NextCall) -> None:
    screen = out()
    screen.print(f"Into the call of {text(call.into)}: {_people(len(call.added))}", soft_wrap=True)
    for one in call.added:
        screen.print(f"  {text(_who(one))}, {text(one.email)}", soft_wrap=True)
    if call.already:
        screen.print(f"It invites {len(call.already)} of them already.")
    if call.shuts:
        screen.print("[bold]So far everybody with the link can apply; then only those who are invited can.[/]")


def _confirmed(call: NextCall) -> None:
    unasked = "this changes the file: write --yes as well. Nothing was changed."
    confirm(f"Invite {_people(len(call.added))}?", unasked, "Nothing was changed.")
