"""Those who applied to an open call: listed, exported, taken from the waiting list, withdrawn on request."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.plan import write_as_it_is
from cli.console import (
    EXIT_CODES,
    REFUSED,
    err,
    fail,
    on,
    out,
    plainly,
    run,
    say_json,
    settings,
    table,
    text,
)
from cli.options import AsJson, By, Separator, Why
from program.faults import counted

if TYPE_CHECKING:
    from operations.applications.applicants import Applied
    from operations.applications.edit import Edited
    from operations.applications.import_applicants import ImportMap, ImportResult
    from program.faults import Fault
    from store.cohorts.calls import Call

PANEL = "Before anybody is mailed"
STATES = ("confirmed", "waiting", "unconfirmed", "invited", "withdrawn")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(applicants))


def applicants(
    cohort: Annotated[str, typer.Argument(help="The cohort; or the word import.", show_default=False)],
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="With import: a CSV or XLSX file of applicants.", show_default=False),
    ] = None,
    by_map: Annotated[
        Path | None,
        typer.Option(
            "--map", metavar="MAP", help="With import: which column answers which question.", show_default=False
        ),
    ] = None,
    into: Annotated[
        str,
        typer.Option(
            "--cohort", metavar="COHORT", help="With import: the cohort, else as the map says.", show_default=False
        ),
    ] = "",
    state: Annotated[
        str, typer.Option(metavar="STATE", help=f"Only these: {', '.join(STATES)}.", show_default=False)
    ] = "",
    role: Annotated[
        str, typer.Option(metavar="ROLE", help="Only these: mentor, mentee, both, peer.", show_default=False)
    ] = "",
    csv: Annotated[
        bool, typer.Option("--csv", help="As CSV, with all answers, as `mentorship match --people` reads it.")
    ] = False,
    separator: Separator = ",",
    xlsx: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the same rows to an XLSX file.", show_default=False)
    ] = None,
    accept: Annotated[
        str,
        typer.Option(metavar="WHO", help="Take them from the waiting list: id or address.", show_default=False),
    ] = "",
    withdraw: Annotated[
        str,
        typer.Option(metavar="WHO", help="Delete their application: id or address.", show_default=False),
    ] = "",
    edit: Annotated[
        str,
        typer.Option(metavar="WHO", help="Edit their application: id or address, with --set.", show_default=False),
    ] = "",
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=ANSWER", help="With --edit: an answer; several values parted by |, empty: none."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --withdraw and import: do it.")] = False,
    by: By = "",
    why: Why = "",
    json: AsJson = False,
) -> None:
    """Show who applied to a cohort with an open call.

    An application counts (confirmed) once its address has confirmed it. Who came
    after the close or above a limit waits, until you take them in with --accept.
    --withdraw deletes an application when somebody asks you to; people can do it
    themselves by the link in their mail. --edit changes answers, also after the
    close. All three are on the record.
    import reads people who were collected elsewhere; docs/open-call.md shows a
    map. Without --yes it only says what it would do. Nobody is mailed.

    \b
    Examples:
      mentorship applicants open-call
      mentorship applicants open-call --state waiting
      mentorship applicants open-call --csv > people.csv
      mentorship applicants open-call --accept ada@example.org --why "a place came free"
      mentorship applicants open-call --edit ada@example.org --set grade=SEO --set "languages=de|en"
      mentorship applicants open-call --json | jq 'map(select(.missing != []))'
      mentorship applicants import people.xlsx --map map.yaml --cohort open-call
    """
    if cohort == "import" or file is not None or by_map is not None:
        _import(cohort, file, by_map, into, yes, by, why, json)
        return
    if state and state not in STATES:
        fail(f"there is no state {state!r}; write one of {', '.join(STATES)}", REFUSED)
    if edit or changes:
        _edit(cohort, edit, changes or [], by, why, json)
        return
    if accept or withdraw:
        _act(cohort, accept, withdraw, yes, by, why, json)
        return
    call, found = run(lambda: _read(cohort, state, role, bool(csv or xlsx or json), by))
    if json:
        say_json([each.plain for each in found])
        return
    if csv or xlsx is not None:
        from operations.applications.applicants import as_rows
        from operations.spreadsheet import as_csv, as_xlsx
        from runtime.private_files import write_private

        columns, rows = as_rows(call, found)
        if csv:
            write_as_it_is(as_csv(columns, rows, separator))
        if xlsx is not None:
            write_private(xlsx, as_xlsx("Applicants", columns, rows))
            err().print(f"[green]✓[/] {text(xlsx)}: {counted(len(rows), 'row')}.")
        return
    _print(call, found)


def _import(
    word: str, file: Path | None, by_map: Path | None, cohort: str, yes: bool, by: str, why: str, json: bool
) -> None:
    from operations.applications.import_applicants import read_map

    if word != "import" or file is None or by_map is None:
        fail("write `mentorship applicants import FILE --map MAP.yaml`", REFUSED)
        return
    path, mapped = file, read_map(by_map)
    into = cohort or mapped.cohort or ""
    if not into:
        fail("name the cohort with --cohort, or as `cohort:` in the map", REFUSED)
    result, warnings = run(lambda: _imported(path, mapped, into, yes, by, why))
    for warning in warnings:
        err().print(f"[yellow]![/] {text(warning)}", soft_wrap=True)
    if json:
        say_json({"new": result.new, "changed": result.changed, "same": result.same, "stored": yes})
        return
    said = f"{counted(result.new, 'new application')}, {result.changed} changed, {result.same} the same"
    if yes:
        out().print(f"[green]✓[/] {text(into)}: {said}.", soft_wrap=True)
    else:
        out().print(f"{text(into)}: {said}. Nothing was stored; write --yes to do it.", soft_wrap=True)


async def _imported(
    file: Path, mapped: ImportMap, cohort: str, yes: bool, by: str, why: str
) -> tuple[ImportResult, tuple[Fault, ...]]:
    from operations.applications.import_applicants import call_for, put_applicants, read_applicants
    from operations.audit import COMMAND_LINE
    from runtime.connect import database
    from runtime.settings import now_of

    environment = settings()
    async with database(environment) as opened:
        rows, warnings = read_applicants(file, mapped, await call_for(opened, cohort))
        result = await put_applicants(
            opened, cohort, rows, now_of(environment), dry_run=not yes, by=by, why=why, proof=COMMAND_LINE
        )
    return result, warnings


async def _read(cohort: str, state: str, role: str, download: bool, by: str) -> tuple[Call, list[Applied]]:
    from operations.applications.applicants import applied
    from operations.audit import COMMAND_LINE, AuditEntry, record
    from operations.people.deciders import who_decides
    from runtime.connect import database
    from runtime.settings import now_of
    from store.people import people

    environment = settings()
    async with database(environment) as opened:
        call, found = await applied(opened, cohort, state=state, role=role)
        if download:
            async with opened.session() as session:
                deciders = await people.deciders(session, cohort)
            reader = who_decides(cohort, deciders, by) if by else ""
            await record(opened, now_of(environment), AuditEntry("applicants", reader, COMMAND_LINE, cohort))
    return call, found


def _edit(cohort: str, who: str, changes: Sequence[str], by: str, why: str, json: bool) -> None:
    pairs = [change.partition("=") for change in changes]
    if not who or not pairs or not all(name.strip() and equals for name, equals, _ in pairs):
        fail("write --edit WHO --set FIELD=ANSWER, such as --set grade=SEO", REFUSED)
    edited = run(lambda: _edited(cohort, who, {name.strip(): answer for name, _, answer in pairs}, by, why))
    for wrong in edited.faults:
        err().print(f"[red]✗[/] {text(wrong.control)}: {text(wrong.message)}", soft_wrap=True)
    if edited.faults:
        fail("nothing was changed", REFUSED)
    if json:
        say_json({"id": edited.person, "changed": not edited.same})
    else:
        done = "says this already" if edited.same else "is changed"
        out().print(f"[green]✓[/] The application of {text(edited.person)} {done}.")


async def _edited(cohort: str, who: str, changes: dict[str, str], by: str, why: str) -> Edited:
    from operations.applications.edit import edit_on_request, fields_with
    from operations.audit import COMMAND_LINE
    from runtime.connect import database
    from runtime.settings import now_of

    environment = settings()
    async with database(environment) as opened:
        typed = await fields_with(opened, cohort, who, changes, by)
        now = now_of(environment)
        return await edit_on_request(opened, cohort, who, typed, now, by=by, why=why, proof=COMMAND_LINE)


def _act(cohort: str, accept: str, withdraw: str, yes: bool, by: str, why: str, json: bool) -> None:
    if accept and withdraw:
        fail("--accept and --withdraw are two acts; give one at a time", REFUSED)
    if withdraw and not yes:
        if json or not sys.stdin.isatty():
            fail("this deletes what somebody wrote: write --yes as well. Nothing was done.", REFUSED)
        if not typer.confirm(f"Delete the application of {withdraw}? It can't be taken back.", err=True):
            out().print("Nothing was done.")
            return
    person = run(lambda: _acted(cohort, accept, withdraw, by, why))
    state = "confirmed" if accept else "withdrawn"
    if json:
        say_json({"id": person, "state": state})
    else:
        done = "counts from now on" if accept else "is withdrawn, and what it said is deleted"
        out().print(f"[green]✓[/] The application of {text(person)} {done}.")


async def _acted(cohort: str, accept: str, withdraw: str, by: str, why: str) -> str:
    from operations.applications.applicants import take_from_waiting_list, withdraw_on_request
    from operations.audit import COMMAND_LINE
    from runtime.connect import database
    from runtime.settings import now_of

    environment = settings()
    now = now_of(environment)
    async with database(environment) as opened:
        if accept:
            taken = await take_from_waiting_list(opened, cohort, accept, now, by=by, why=why, proof=COMMAND_LINE)
            return taken.id
        return await withdraw_on_request(opened, cohort, withdraw, now, by=by, why=why, proof=COMMAND_LINE)


def _print(call: Call, found: Sequence[Applied]) -> None:
    from runtime.settings import now_of

    gathering = call.gathering
    screen = out()
    stage = call.stage(now_of(settings()))
    screen.print(
        f"[bold]{text(call.title)}[/]: {stage}, open {on(gathering.opens)} to {on(gathering.closes)}", soft_wrap=True
    )
    numbers = Counter((each.state, each.role) for each in found)
    for state in STATES:
        of_state = {role: count for (each, role), count in numbers.items() if each == state}
        if of_state:
            parts = ", ".join(f"{count} {role}" for role, count in sorted(of_state.items()) if role)
            screen.print(f"  {state:<12}{sum(of_state.values())}{f' ({parts})' if parts else ''}")
    if not found:
        screen.print("Nobody has applied yet.")
        return
    rows = table("id", "name", "address", "as", "state", "on", "missing")
    for each in found:
        rows.add_row(
            text(each.id), text(each.name), text(each.email), each.role, each.state, on(each.at.date()),
            ", ".join(each.missing),
        )  # fmt: skip
    screen.print(rows)
