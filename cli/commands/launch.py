"""Launching a cohort, and bringing a running one up to date with its file."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.plan import as_objects, found_file, print_faults, print_warnings
from cli.console import (
    EXIT_CODES,
    FAULTY,
    REFUSED,
    UNREACHABLE,
    fail,
    on,
    out,
    plainly,
    run,
    say_json,
    settings,
    text,
)
from cli.options import AsJson, By, DryRun, File, Why, Yes
from cli.progress import until_none_is_left
from program.faults import counted

if TYPE_CHECKING:
    from temporalio.client import Client

    from operations.cohorts.launch import ChangeResult, Difference, Launch
    from operations.cohorts.load import Loaded
    from operations.cohorts.plan import PlannedMail
    from program.models import Cohort
    from store.database import Database

PANEL = "A cohort"
AT_ONCE = timedelta(minutes=2)
"""A mail that is due so soon goes at once, for a person who waits."""
SOME = 12
"""How many of a kind are shown one by one."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(launch))


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    """How a launch is meant."""

    yes: bool
    dry_run: bool
    end_missing: bool
    wait: bool
    quiet: bool
    by: str
    why: str


def launch(
    file: File,
    yes: Yes = False,
    dry_run: DryRun = False,
    end_missing: Annotated[
        bool, typer.Option("--end-missing", help="End the mentorships that are no longer in the file.")
    ] = False,
    wait: Annotated[bool, typer.Option(help="Stay until every mentorship is started.")] = True,
    by: By = "",
    why: Why = "",
    json: AsJson = False,
) -> None:
    """Start a cohort, or bring a running one up to date with its file.

    Compares the file with what it said before and with what runs: new
    mentorships start, changes are shown, confirmed and done, and mentorships
    that are no longer in the file go on unless you say --end-missing. What can't
    be done while a mentorship runs is refused with what would work. The same
    file twice changes nothing and mails nobody, and what people and coordinators
    have changed since is left alone. A launch that broke off is finished by
    running it again. A file with faults starts nothing. Without a terminal
    nothing is asked, and changes to what runs need --yes.

    \b
    Examples:
      mentorship launch config/cohorts/small.yaml --dry-run
      mentorship launch config/cohorts/small.yaml
      mentorship launch config/cohorts/small.yaml --yes --why "late joiners"
      mentorship launch config/cohorts/small.yaml --end-missing --dry-run
    """
    from operations.cohorts.load import Faults

    options = LaunchOptions(yes, dry_run, end_missing, wait, json, by, why)
    try:
        result = run(lambda: _launch(file, options))
    except Faults as found:
        print_faults(found.faults, "red")
        fail(f"{counted(len(found.faults), 'fault')}. Nothing was started.", FAULTY)
    else:
        if json:
            say_json(result)
        if result["state"] == "unfinished":
            fail(
                "no worker takes up the work. Start one: mentorship worker\n"
                "The cohort is recorded; its mentorships start as soon as a worker runs.",
                UNREACHABLE,
            )
        if result["state"] != "dry_run" and any(one["refused"] for one in result["changes"]):
            fail("some changes in the file are not possible; the reasons are listed above", REFUSED)


async def _launch(file: Path, options: LaunchOptions) -> dict[str, Any]:
    from operations.audit import COMMAND_LINE, AuditEntry, record
    from operations.cohorts.files import launched_elsewhere, launched_from_disk, texts_on_disk
    from operations.cohorts.launch import carry_out, is_known, keep, look, still_to_start
    from operations.cohorts.load import cohort_in, load
    from operations.cohorts.plan import first_mails, plan
    from operations.cohorts.plan_export import local_time
    from runtime.connect import database, temporal
    from runtime.errors import Unreachable
    from runtime.settings import now_of

    installation = settings()
    now = now_of(installation)
    async with database(installation) as opened:
        file = found_file("cohorts", file)
        runs = await is_known(opened, cohort_in(file))
        loaded = load(file, now, runs=runs, own=installation.own_config)
        try:
            client = await temporal()
        except Unreachable:
            if not options.dry_run:
                raise
            client = None
        planned = await look(opened, client, loaded, now, end_missing=options.end_missing, by=options.by)
        first = first_mails(plan(loaded, now), planned.compared.new) if planned.compared.new else ()
        result = _as_object(loaded, planned)
        if first:
            result["first_mails"] = [local_time(mail) for mail in first]
        if not options.quiet:
            _show(loaded, planned, options)
            _say_first(first, now)
            print_warnings(loaded.warnings)
            other = await launched_elsewhere(opened, loaded.cohort.cohort, texts_on_disk(file))
            if other is not None:
                out().print(
                    f"[yellow]![/] What runs was launched from a browser as version {other.version} of the file, "
                    "which says other things than this one. Its page has it to download."
                )
        if options.dry_run or planned.nothing:
            if not options.dry_run:
                await keep(opened, loaded, planned)
            if not options.quiet:
                out().print("Nothing was done: this was a dry run." if options.dry_run else "Nothing to do.")
                if client is not None:
                    await _say_what_is_lost(opened, client, loaded.cohort.cohort)
            return result | {"state": "dry_run" if options.dry_run else "nothing_to_do", "started": 0}
        assert client is not None
        if not _wanted(loaded, planned, options):
            out().print("Nothing was done.")
            return result | {"state": "not_wanted", "started": 0}
        cohort, total, left = loaded.cohort.cohort, planned.to_start, 0

        async def started(count: int) -> None:
            nonlocal left
            left = await until_none_is_left("Starting", count, lambda: still_to_start(opened, cohort), options.quiet)

        touched = sorted({*planned.compared.new, *(change.mentorship for change in planned.possible)})
        entry = AuditEntry(
            "launch", planned.by, COMMAND_LINE, cohort, [f"{cohort}/{key}" for key in touched], reason=options.why
        )
        await record(opened, now, entry)
        given = await carry_out(
            opened, client, installation, loaded, planned, now,
            why=options.why, started=started if options.wait else None,
        )  # fmt: skip
        await launched_from_disk(opened, texts_on_disk(file), cohort, now, planned.by)
        _with_outcomes(result, given)
        if left:
            return result | {"state": "unfinished", "started": total - left}
        if not options.quiet:
            _say_done(loaded, planned, given, options.wait)
            _say_first(first, now)
        state = ("started" if options.wait else "starting") if total else "changed"
        return result | {"state": state, "started": total if options.wait else 0}


async def _say_what_is_lost(database: Database, client: Client, cohort: str) -> None:
    """Mentorships of this cohort whose workflow is missing: launching does not start them again."""
    from operations.health.missing_workflows import find

    lost = [one.key for one in await find(database, client) if one.cohort == cohort]
    if lost:
        more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
        out().print(f"[red]![/] {text(', '.join(lost[:5]))}{more} must run and have no workflow in Temporal.")
        out().print("    Start them again: mentorship reconcile", soft_wrap=True)


def _wanted(loaded: Loaded, planned: Launch, options: LaunchOptions) -> bool:
    """Whether to do it: as the options say, or as the person at the terminal answers."""
    if options.yes:
        return True
    typed = sys.stdin.isatty() and not options.quiet
    if not typed and (planned.possible or planned.taken_over):
        fail("this changes what runs: write --yes as well. Nothing was done.", REFUSED)
    if not typed and loaded.warnings:
        fail("the file has warnings: write --yes as well, if all of it is meant. Nothing was done.", REFUSED)
    return not typed or typer.confirm(_question(planned, len(loaded.warnings)), err=True)


def _question(planned: Launch, warnings: int) -> str:
    parts: list[str] = []
    if planned.to_start:
        parts.append(f"start {counted(planned.to_start, 'mentorship')}")
    if changes := len(planned.taken_over) + sum(one not in planned.ends for one in planned.possible):
        parts.append(f"make {counted(changes, 'change')}")
    if ends := sum(one in planned.ends for one in planned.possible):
        parts.append(f"end {counted(ends, 'mentorship')}")
    if planned.call:
        parts.append("open the call")
    asked = " and ".join(parts or ["take up the new people"])
    despite = f", with {counted(warnings, 'warning')}" if warnings else ""
    return f"{asked}{despite}?".capitalize()


# -- shown to a script -------------------------------------------------------------------------------------------


def _as_object(loaded: Loaded, planned: Launch) -> dict[str, Any]:
    compared = planned.compared
    changes: list[dict[str, Any]] = [
        {"about": one.kind, "id": one.id, "what": _difference(one), "refused": one.refused}
        for one in compared.differences
    ]
    changes += [
        {"about": "mentorship", "id": one.mentorship, "what": one.what, "refused": one.refused}
        for one in (*planned.wanted, *planned.ends)
    ]
    return {
        "cohort": loaded.cohort.cohort,
        "open_call": planned.call,
        "new": list(compared.new),
        "known": compared.unchanged + len(compared.altered),
        "unfinished_before": len(compared.waiting),
        "late": [
            {
                "mentorship": one.key,
                "start": one.start.isoformat(),
                "end": one.end.isoformat(),
                "left_out": [f"{name} {number}" for name, number in one.left_out],
                "first": f"{one.next_step[0]} {one.next_step[1]}",
                "first_on": one.next_on.isoformat() if one.next_on else None,
            }
            for one in planned.late
        ],
        "new_people": list(compared.new_people),
        "vanished_people": list(compared.vanished_people),
        "changes": changes,
        "vanished": list(compared.vanished),
        "warnings": as_objects(loaded.warnings),
    }


def _with_outcomes(result: dict[str, Any], given: Iterable[ChangeResult]) -> None:
    """What came of each change, where that is not what was expected."""
    outcomes = {(one.mentorship, one.what): one.outcome for one in given}
    for change in result["changes"]:
        outcome = outcomes.get((change["id"], change["what"]), "done")
        if change["about"] == "mentorship" and outcome != "done":
            change["refused"] = outcome


# -- shown to a coordinator --------------------------------------------------------------------------------------


def _show(loaded: Loaded, planned: Launch, options: LaunchOptions) -> None:
    cohort, compared, screen = loaded.cohort, planned.compared, out()
    since = f", launched {compared.launched_on}" if compared.launched_on else ", not launched yet"
    screen.print(
        f"[bold]{text(cohort.cohort)}[/]: {text(cohort.title)}, from {on(cohort.start)}{since}", soft_wrap=True
    )
    _lines("new", [_some(compared.new)])
    for one in planned.late[:SOME]:
        _lines("", [_late(one)])
    if cohort.apply is not None and planned.call:
        invited = f", {len(cohort.apply.invited)} invited" if cohort.apply.invited else ""
        _lines(
            "open call", [f"{on(cohort.apply.opens)} to {on(cohort.apply.closes)}{invited}, at {_page_of(cohort)}"]
        )
    known = str(compared.unchanged + len(compared.altered))
    waiting = f", {len(compared.waiting)} not yet started" if compared.waiting else ""
    _lines("known", [known + waiting])
    if compared.known and compared.new_people:
        _lines("new people", [_some(compared.new_people)])
    if compared.vanished_people:
        _lines("people", [f"{_some(compared.vanished_people)}: no longer in the file; their seats stay theirs"])
    _lines("changes", [_difference(one) for one in planned.taken_over])
    refused = {one.mentorship for one in planned.wanted if one.refused}
    for change in planned.wanted:
        if not change.refused:
            _lines("changes", [f"{change.mentorship}: {change.what}"])
    _outlooks(planned, {one.mentorship for one in planned.wanted if not one.refused})
    _lines(
        "impossible",
        [f"{_difference(one)}: {one.refused}" for one in compared.differences if one.refused]
        + [f"{one.mentorship}: {one.what}: {one.refused}" for one in planned.wanted if one.mentorship in refused],
    )
    if options.end_missing:
        ends = [one for one in planned.ends if not one.refused]
        _lines("ends", [f"{one.mentorship}: no longer in the file, ends early (no_fault)" for one in ends])
        _outlooks(planned, {one.mentorship for one in ends})
        _lines("impossible", [f"{one.mentorship}: {one.refused}" for one in planned.ends if one.refused])
    elif compared.vanished:
        _lines(
            "vanished",
            [f"{_some(compared.vanished)}: no longer in the file, and they go on; --end-missing ends them"],
        )


def _page_of(cohort: Cohort) -> str:
    return f"{settings().public_url.rstrip('/')}/apply/{cohort.cohort}"


def _say_first(first: Sequence[PlannedMail], now: datetime) -> None:
    """When the first mails of the new mentorships go; nothing where there are none."""
    from operations.cohorts.plan_export import local_time

    if not first:
        return
    day, _, clock = local_time(first[0]).partition("T")
    when = f"on {on(date.fromisoformat(day))} from {clock[:5]} {first[0].zone}"
    if first[0].at - now < AT_ONCE:
        when = "at once"
    people = counted(len({mail.person for mail in first}), "person", "people")
    _lines("first mails", [f"{when}, to {people} that day"])


def _lines(title: str, lines: Iterable[str]) -> None:
    for line in lines:
        out().print(f"  {title:<12}{text(line)}", soft_wrap=True)


def _outlooks(planned: Launch, keys: Iterable[str]) -> None:
    """Who is told what, and which end moves, for these mentorships."""
    from operations.mentorships.labels import step_words

    for key in sorted(keys)[:SOME]:
        outlook = planned.outlooks.get(key)
        if outlook is None:
            continue
        if outlook.end_after != outlook.end_before:
            _lines("", [f"{key} ends {on(outlook.end_after)} instead of {on(outlook.end_before)}"])
        told: dict[str, list[str]] = defaultdict(list)
        for person, name in outlook.told:
            told[step_words(name)].append(person)
        if told:
            said = "; ".join(f"{what} to {', '.join(people)}" for what, people in told.items())
            _lines("", [f"{key} tells: {said}"])


def _late(one: Any) -> str:
    from operations.mentorships.labels import step_words

    left_out = ", ".join(step_words(*step) for step in one.left_out)
    first = f"; first: {step_words(*one.next_step)} on {on(one.next_on)}" if one.next_on else "; nothing lies ahead"
    behind = f"; left out: {left_out}" if left_out else ""
    return f"{one.key} joins late: it runs from {on(one.start)} to {on(one.end)}{behind}{first}"


def _difference(one: Difference) -> str:
    """A difference on one line."""
    whose = "" if one.kind == "cohort" else f" of {one.id}"
    match one.field:
        case "entry":
            return f"the entry{whose}"
        case "profile" | "letterbox":
            return f"the {one.field}{whose}"
        case "version":
            keep = "those that run keep theirs until `mentorship adopt --file FILE`"
            return f"its program has another version, for mentorships that are new; {keep}"
        case field:
            name = {"email": "address"}.get(field, field)
            return f"the {name}{whose}: {_value(one.before)} → {_value(one.after)}"


def _value(value: Any) -> str:
    return (", ".join(str(one) for one in value) if isinstance(value, list) else str(value)) or "none"  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _some(keys: tuple[str, ...]) -> str:
    if not keys:
        return "0"
    return f"{len(keys)}  ({', '.join(keys[:SOME])}{', …' if len(keys) > SOME else ''})"


def _say_done(loaded: Loaded, planned: Launch, given: Iterable[ChangeResult], waited: bool) -> None:
    cohort = text(loaded.cohort.cohort)
    for one in given:
        if one.outcome != "done":
            _lines("not done", [f"{one.mentorship}: {one.what}: {one.outcome}"])
    changed = len(planned.taken_over) + sum(one.outcome == "done" for one in given)
    if planned.to_start:
        how = "started" if waited else "recorded; a worker starts them"
        out().print(f"[green]✓[/] {counted(planned.to_start, 'mentorship')} {how}. Next: mentorship status {cohort}")
    if changed:
        out().print(f"[green]✓[/] {counted(changed, 'change')} made.")
