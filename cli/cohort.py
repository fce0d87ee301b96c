"""A cohort that is launched and looked at: launch, status, show, ledger."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.files import AsJson, File, print_faults
from cli.screen import (
    EXIT_CODES,
    FAULTY,
    UNREACHABLE,
    err,
    fail,
    names,
    on,
    out,
    plainly,
    run,
    say_json,
    settings,
    table,
    text,
)

if TYPE_CHECKING:
    from operations.checking import Loaded
    from operations.status import CohortStatus, Timeline
    from store.comparison import Comparison
    from store.database import Database

PANEL = "A cohort"
PATIENCE = 60.0
"""Real seconds without a further start after which the command says that a worker is missing."""
LOOK_EVERY = 0.2


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (launch, status, show, ledger):
        app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(command))


# -- launch ------------------------------------------------------------------------------------------------------


def launch(
    file: File,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Start without asking.")] = False,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Take over what the file says otherwise about people and cohort.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and do nothing.")] = False,
    wait: Annotated[bool, typer.Option(help="Stay until every mentorship is started.")] = True,
    json: AsJson = False,
) -> None:
    """Start a cohort, or bring a running one up to date with its file.

    Compares the file with what runs: new mentorships start, known ones are left
    alone, changes are shown and taken over only with --confirm, and mentorships
    that are no longer in the file go on. The same file twice changes nothing
    and mails nobody. A launch that broke off is finished by running it again. A
    file with faults starts nothing. With --json, and where nobody types,
    nothing is asked.

    \b
    Examples:
      mentorship launch config/cohorts/small.yaml
      mentorship launch config/cohorts/small.yaml --dry-run
      mentorship launch config/cohorts/small.yaml --yes --json
      mentorship launch config/cohorts/small.yaml --confirm
    """
    from operations.checking import Faults

    try:
        result = run(lambda: _launch(file, yes or json or not sys.stdin.isatty(), confirm, dry_run, wait, json))
    except Faults as found:
        print_faults(found.faults, "red")
        fail(f"{len(found.faults)} faults. Nothing was started.", FAULTY)
    else:
        if json:
            say_json(result)
        if result["state"] == "unfinished":
            fail(
                "nobody takes up the work: is a worker running? Start one: mentorship worker\n"
                "The cohort is put down; its mentorships start by themselves as soon as there is a worker.",
                UNREACHABLE,
            )


async def _launch(file: Path, yes: bool, confirm: bool, dry_run: bool, wait: bool, quiet: bool) -> dict[str, Any]:
    from operations.checking import cohort_in, load
    from operations.launch import compare, is_known, still_to_start
    from operations.launch import launch as start
    from operations.reach import database, now_of, temporal

    surroundings = settings()
    now = now_of(surroundings)
    async with database(surroundings) as opened:
        loaded = load(file, now, runs=await is_known(opened, cohort_in(file)))
        before = await compare(opened, loaded, now)
        applies = confirm and bool(before.put.changes)
        to_do = bool(before.put.new or before.waiting or applies)
        result = _as_object(loaded, before, applied=applies and not dry_run)
        if not quiet:
            _show_comparison(loaded, before, confirm)
        if dry_run or not to_do:
            if not quiet:
                out().print("Nothing was started: this was a dry run." if dry_run else "Nothing to do.")
            return result | {"state": "dry_run" if dry_run else "nothing_to_do", "started": 0}
        client = await temporal()
        if not yes and not typer.confirm(_question(before, applies), err=True):
            out().print("Nothing was started.")
            return result | {"state": "not_wanted", "started": 0}
        await start(opened, client, surroundings, loaded, now, confirm=confirm)
        total = len(before.put.new) + before.waiting
        left = await _until_started(opened, loaded.cohort.cohort, total, quiet, still_to_start) if wait else total
        if left and wait:
            return result | {"state": "unfinished", "started": total - left}
        if not quiet:
            _say_done(loaded, total, wait)
        return result | {"state": "started" if wait else "starting", "started": total if wait else 0}


def _as_object(loaded: Loaded, before: Comparison, *, applied: bool) -> dict[str, Any]:
    return {
        "cohort": loaded.cohort.cohort,
        "new": list(before.put.new),
        "known": before.put.known,
        "unfinished_before": before.waiting,
        "changes": list(before.put.changes),
        "changes_applied": applied,
        "vanished": list(before.put.vanished),
    }


def _show_comparison(loaded: Loaded, before: Comparison, confirm: bool) -> None:
    cohort, put, screen = loaded.cohort, before.put, out()
    since = f", launched {before.launched_on}" if before.launched_on else ", not launched yet"
    screen.print(
        f"[bold]{text(cohort.cohort)}[/]: {text(cohort.title)}, from {on(cohort.start)}{since}", soft_wrap=True
    )
    screen.print(f"  new         {_some(put.new)}", soft_wrap=True)
    screen.print(f"  known       {put.known}" + (f", {before.waiting} not yet started" if before.waiting else ""))
    if put.changes:
        screen.print(f"  otherwise   {len(put.changes)}")
        for change in put.changes:
            screen.print(f"              {text(change)}", soft_wrap=True)
        if not confirm:
            screen.print("              Left as they are; --confirm takes over what can still be changed.")
    if put.vanished:
        screen.print(f"  vanished    {_some(put.vanished)}: no longer in the file, and they go on", soft_wrap=True)


def _some(keys: tuple[str, ...]) -> str:
    if not keys:
        return "0"
    shown = ", ".join(keys[:12])
    return f"{len(keys)}  ({text(shown)}{', …' if len(keys) > 12 else ''})"


def _question(before: Comparison, applies: bool) -> str:
    parts = []
    if before.put.new or before.waiting:
        parts.append(f"Start {len(before.put.new) + before.waiting} mentorships")
    if applies:
        parts.append("take over the changes" if parts else "Take over the changes")
    return " and ".join(parts) + "?"


async def _until_started(database: Database, cohort: str, total: int, quiet: bool, still_to_start: Any) -> int:
    """Show how the mentorships start; how many are left where nothing has moved for a while."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    loop = asyncio.get_running_loop()
    left, moved = total, loop.time()
    bar = Progress(TextColumn("Starting"), BarColumn(), MofNCompleteColumn(), console=err(), disable=quiet)
    with bar:
        task = bar.add_task("", total=total)
        while True:
            now_left = min(await still_to_start(database, cohort), total)
            if now_left != left:
                left, moved = now_left, loop.time()
            bar.update(task, completed=total - left)
            if not left or loop.time() - moved > PATIENCE:
                return left
            await asyncio.sleep(LOOK_EVERY)


def _say_done(loaded: Loaded, total: int, waited: bool) -> None:
    cohort = text(loaded.cohort.cohort)
    if total:
        how = "started" if waited else "put down, to be started by a worker"
        out().print(f"[green]✓[/] {total} mentorships {how}. Next: mentorship status {cohort}")
    else:
        out().print("[green]✓[/] The changes are taken over.")


# -- status ------------------------------------------------------------------------------------------------------


def status(
    cohort: Annotated[str, typer.Argument(help="The cohort.", show_default="all that run")] = "",
    phase: Annotated[str, typer.Option(help="Only those in this phase.", show_default=False)] = "",
    health: Annotated[
        str,
        typer.Option(help="Only those in this health: good, quiet, attention, trouble, over.", show_default=False),
    ] = "",
    awaiting: Annotated[bool, typer.Option("--awaiting", help="Only those that wait for an answer.")] = False,
    person: Annotated[str, typer.Option(metavar="ID", help="Only those of this person.", show_default=False)] = "",
    json: AsJson = False,
) -> None:
    """One line a mentorship: phase, next step, whom it waits for, tasks.

    \b
    Examples:
      mentorship status
      mentorship status small
      mentorship status small --awaiting
      mentorship status small --health attention
      mentorship status --json | jq '.[].mentorships[].phase'
    """
    from operations import status as looks
    from operations.reach import database, now_of

    async def look() -> list[CohortStatus]:
        surroundings = settings()
        filters = looks.Filters(phase=phase, health=health, person=person)
        async with database(surroundings) as opened:
            return await looks.status(opened, cohort, now_of(surroundings), filters, awaiting=awaiting)

    found = run(look)
    if json:
        keys = ("id", "title", "state", "zone", "today", "counts")
        objects = [looks.as_object(one) for one in found]
        say_json([{key: one[key] for key in keys} | {"mentorships": one["lines"]} for one in objects])
        return
    if not found:
        out().print("No cohort was launched yet. Start one: mentorship launch config/cohorts/small.yaml")
    for one in found:
        _print_status(one)


_COLOURS = {"good": "green", "quiet": "yellow", "attention": "yellow", "trouble": "red", "over": "dim"}


def _print_status(cohort: CohortStatus) -> None:
    from operations.words import in_words, next_words

    title = f"{text(cohort.id)}: {text(cohort.title)} · {on(cohort.today)} · {cohort.state}"
    rows = table("mentorship", "people", "phase", "next", "on", "waits for", "health", "tasks", title=title)
    for line in cohort.lines:
        phase = in_words(line.phase)
        if line.paused_until:
            until = line.paused_until
            phase += " (paused, open end)" if until == "open" else f" (paused until {until})"
        if line.held:
            phase += " (held)"
        if line.ending:
            phase = in_words(line.ending) + (f": {in_words(line.reason).lower()}" if line.reason else "")
        elif line.state == "planned":
            phase = "Not yet started"
        health = "over" if line.state == "over" else line.health
        rows.add_row(
            text(line.key),
            names(line.people),
            phase,
            next_words(line.next_step),
            on(line.next_on),
            names(line.awaited),
            f"[{_COLOURS.get(health, 'default')}]{health}[/]",
            str(line.open_tasks or ""),
        )
    out().print(rows)
    counts = cohort.counts
    said = [f"{count} {state}" for state, count in sorted(counts.mentorships.items())]
    said.append(f"{counts.messages.get('sent', 0)} mails, {counts.answers} answers")
    if counts.tasks_open:
        overdue = f", {counts.tasks_overdue} overdue" if counts.tasks_overdue else ""
        said.append(f"{counts.tasks_open} tasks open{overdue}: mentorship tasks {text(cohort.id)}")
    if counts.relays:
        said.append(f"{counts.relays} not yet passed on to Temporal")
    out().print(" · ".join(said), soft_wrap=True)


# -- show --------------------------------------------------------------------------------------------------------


def show(
    mentorship: Annotated[str, typer.Argument(help="COHORT/KEY, or KEY alone where only one cohort has it.")],
    json: AsJson = False,
) -> None:
    """Everything that happened to a mentorship, and what comes next.

    What an answer says is not shown: only who gave it, and when. Times are
    those of the cohort's zone.

    \b
    Examples:
      mentorship show small/m1
      mentorship show m1
      mentorship show small/m1 --json
    """
    from operations import status as looks
    from operations.reach import database

    async def look() -> Timeline:
        async with database(settings()) as opened:
            return await looks.show(opened, mentorship)

    found = run(look)
    if json:
        say_json(looks.as_object(found))
        return
    _print_timeline(found)


def _print_timeline(timeline: Timeline) -> None:
    from cli.tasks import print_tasks
    from operations.status import local
    from operations.words import happening_words, in_words, step_words

    line = timeline.mentorship
    screen = out()
    screen.print(f"[bold]{text(line.cohort)}/{text(line.key)}[/]  {names(line.people)}", soft_wrap=True)
    ending = f" · {in_words(line.ending)} on {line.ended_on}" if line.ending else ""
    state = "not yet started" if line.state == "planned" else in_words(line.phase).lower()
    screen.print(
        f"{text(line.program)} ({line.format}) · {on(line.start)} to {on(line.end)}, midpoint {on(line.midpoint)} · "
        f"{state}{ending}",
        soft_wrap=True,
    )
    rows = table("when", "what", "who", title=f"What happened ({timeline.zone})")
    for one in timeline.happened:
        who = one.person.name if one.person else one.by
        why = f"\n[dim]“{text(one.why)}”[/]" if one.why else ""
        when = f"{local(one.at, timeline.zone):%a %Y-%m-%d %H:%M}"
        rows.add_row(when, text(happening_words(one)) + why, text(who))
    if timeline.happened:
        screen.print(rows)
    else:
        screen.print("Nothing has happened yet.")
    if timeline.tasks:
        print_tasks(timeline.tasks)
    ahead = table("from", "until", "what", "waits for", title="What comes next")
    for step in timeline.ahead:
        closes = step.closes.isoformat() if step.closes else ""
        ahead.add_row(on(step.opens), closes, step_words(step.name, step.number), names(step.awaited))
    if timeline.ahead:
        screen.print(ahead)
    else:
        screen.print("Nothing comes next.")


# -- ledger ------------------------------------------------------------------------------------------------------


def ledger(
    cohort: Annotated[str, typer.Argument(help="The cohort.")],
    json: AsJson = False,
) -> None:
    """The ledger of a cohort, by which two runs can be compared.

    Mails, dropped items, steps, answers, tasks and endings: ids only, sorted
    and stable. With --json all of it, as one object; otherwise how many of
    each.

    \b
    Examples:
      mentorship ledger small --json > ledger.json
      mentorship ledger small --json | jq '.endings'
    """
    from operations import status as looks
    from operations.reach import database

    async def look() -> dict[str, Any]:
        async with database(settings()) as opened:
            return await looks.ledger(opened, cohort)

    found = run(look)
    if json:
        say_json(found)
        return
    rows = table("what", "how many")
    for what, lines in found.items():
        rows.add_row(what, str(len(lines)))
    out().print(rows)
