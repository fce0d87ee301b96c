"""Looking after an installation: doctor, migrate, register."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from cli.console import EXIT_CODES, FAULTY, err, out, plainly, run, say_json, settings, text
from cli.options import AsJson
from program.faults import counted

PANEL = "The installation"

_MARKS = {"good": "[green]✓[/]", "fixed": "[green]✓[/]", "warning": "[yellow]![/]", "fault": "[bold red]✗[/]"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for name, command in (("doctor", doctor), ("migrate", migrate), ("register", register_attributes)):
        app.command(name, rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(command))


def doctor(
    fix: Annotated[
        bool, typer.Option("--fix", help="Register search attributes and bring the database up to date.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Examine the installation; each finding says what to do.

    Looks at settings, database, what has piled up, Temporal, worker, mail relay,
    the sender's domain (SPF, DKIM, DMARC) and pages. Mails nobody and starts
    nothing. Ends with 1 where something is wrong; warnings alone end with 0.

    \b
    Examples:
      mentorship doctor
      mentorship doctor --fix
      mentorship doctor --json | jq '.[] | select(.state == "fault")'
    """
    from operations.health.doctor import examine
    from operations.health.findings import Finding

    async def look() -> list[Finding]:
        found: list[Finding] = []
        async for one in examine(settings(), fix=fix):
            found.append(one)
            if not json:
                fixed = "fixed: " if one.state == "fixed" else ""
                out().print(f"{_MARKS[one.state]} [bold]{one.what}[/]: {fixed}{text(one.says)}", soft_wrap=True)
                if one.remedy:
                    out().print(f"    {text(one.remedy)}", soft_wrap=True)
        return found

    found = run(look)
    if any(one.state == "fixed" for one in found):
        run(lambda: _on_record("doctor --fix"))
    if json:
        say_json([{"what": one.what, "state": one.state, "says": one.says, "remedy": one.remedy} for one in found])
    faults = sum(one.state == "fault" for one in found)
    if faults:
        err().print(f"[bold red]✗[/] {counted(faults, 'fault')} to fix.")
        raise typer.Exit(FAULTY)


async def _on_record(what: str) -> None:
    """Note in the audit that the installation was changed. A database that is not there or not migrated has none."""
    from operations.audit import COMMAND_LINE, AuditEntry, record
    from runtime.connect import database
    from runtime.errors import ExpectedError
    from runtime.settings import now_of

    installation = settings()
    with suppress(ExpectedError):
        async with database(installation) as opened:
            await record(opened, now_of(installation), AuditEntry(what, proof=COMMAND_LINE))


def migrate() -> None:
    """Bring the database to this version of the engine.

    Creates its tables, or changes those of an older version. Running it again
    does nothing. On PostgreSQL several processes may run it at once.

    \b
    Examples:
      mentorship migrate
      MENTORSHIP_DATABASE_URL=postgresql://user@db/name mentorship migrate
    """
    from runtime.connect import bring_up_to_date, shown

    url = settings().database
    changed = bring_up_to_date(url)
    run(lambda: _on_record("migrate"))
    out().print(
        f"[green]✓[/] {'Up to date now' if changed else 'Up to date already'}: {text(shown(url))}", soft_wrap=True
    )


def register_attributes() -> None:
    """Teach Temporal the search attributes by which mentorships are found.

    Without them no mentorship can be started. Running it again does nothing.

    \b
    Examples:
      mentorship register
      TEMPORAL_ADDRESS=temporal:7233 TEMPORAL_NAMESPACE=mentorship mentorship register
    """
    from runtime.connect import temporal
    from runtime.temporal import register_search_attributes

    async def teach() -> list[str]:
        return await register_search_attributes(await temporal())

    added = run(teach)
    run(lambda: _on_record("register"))
    out().print(
        f"[green]✓[/] {'Registered: ' + ', '.join(added) if added else 'All of them were registered before.'}"
    )
