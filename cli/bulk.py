"""How every change is given from a terminal: looked at, shown, confirmed where it must be, done, reported.

One mentorship is shown with everything that the change does to it. Many are counted, confirmed and reported line by
line; giving the same command again goes on where it broke off.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cli.console import REFUSED, UNREACHABLE, err, fail, out, run, say_json, settings, text
from cli.dry_run import as_object, show
from cli.options import Again, AsJson, Awaiting, By, Cohort, DryRun, From, Health, Keys, Person, Phase, Why, Yes
from cli.remedies import AGAIN

if TYPE_CHECKING:
    from datetime import datetime

    from temporalio.client import Client

    from operations.mentorships.change import Change, ChangeOrder, ChangeOutcome, MentorshipRef, Prospect
    from runtime.settings import Settings
    from store.database import Database

SOME = 12
"""How many mentorships are shown one by one in the dry run of many."""
WORDS = {"done": "done", "done_before": "nothing to do", "refused": "refused", "not_reached": "not reached"}


@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """How a change is meant."""

    dry_run: bool = False
    yes: bool = False
    again: bool = False
    by: str = ""
    why: str = ""
    json: bool = False

    @property
    def typed(self) -> bool:
        """Whether somebody sits at a terminal who can be asked."""
        return sys.stdin.isatty() and not self.json


@dataclass(frozen=True, slots=True)
class Which:
    """Which mentorships are meant: by key, from a file, or as `status` selects them."""

    keys: Sequence[str] = ()
    file: str = ""
    filters: dict[str, str] = field(default_factory=dict[str, str])
    """cohort, phase, health, person."""
    awaiting: bool = False

    @property
    def one(self) -> bool:
        """Whether a single mentorship is named."""
        return len(self.keys) == 1 and not self.file

    @property
    def selects(self) -> bool:
        """Whether mentorships are selected instead of named."""
        return self.awaiting or any(self.filters.values())

    def of(self, cohort: str) -> Which:
        """Those of this cohort: all of them, if none is named."""
        named = [key if "/" in key else f"{cohort}/{key}" for key in self.keys]
        if named or self.file:
            return replace(self, keys=named)
        return replace(self, filters={**self.filters, "cohort": cohort})


Find = Callable[["Database", "Settings"], Awaitable["tuple[list[MentorshipRef], Change]"]]
"""Finds which mentorships a command is about, and what is to be done to them."""


def change(find: Find, options: ChangeOptions, *, one: bool) -> None:
    """Give a change to one mentorship, or to many."""
    run(lambda: _give(find, options, one))


async def places_of(which: Which, database: Database, installation: Settings) -> list[MentorshipRef]:
    """The mentorships that are meant. Raises `NotFound`, and ends the command where none is named."""
    from operations.mentorships.select import Filters, named, selected
    from runtime.settings import now_of

    keys = [*which.keys, *(_keys_in(which.file) if which.file else ())]
    if keys and which.selects:
        fail("write either which mentorships, or a selection such as --cohort and --phase", REFUSED)
    if keys:
        return await named(database, keys)
    if not which.selects:
        if which.file:
            fail(f"{which.file} names no mentorship", REFUSED)
        fail("say which: COHORT/KEY, --from FILE, or a selection such as --cohort and --phase", REFUSED)
    says = which.filters.get
    filters = Filters(phase=says("phase", ""), health=says("health", ""), person=says("person", ""))
    return await selected(database, says("cohort", ""), now_of(installation), filters, awaiting=which.awaiting)


def _keys_in(file: str) -> list[str]:
    """One mentorship a line; what follows # is a remark."""
    lines = (sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")).splitlines()
    return [key for line in lines if (key := line.partition("#")[0].strip())]


async def _give(find: Find, options: ChangeOptions, one: bool) -> None:
    from operations.mentorships.change import orders
    from runtime.connect import database, temporal
    from runtime.settings import now_of

    installation = settings()
    async with database(installation) as opened:
        places, wanted = await find(opened, installation)
        if not places:
            _say_none(wanted, options)
            return
        client, now = await temporal(), now_of(installation)
        given = await orders(opened, places, wanted, now, by=options.by, again=options.again)
        command = _ChangeCommand(opened, client, now, options)
        await (command.one(given[0]) if one else command.many(wanted, given))


def _say_none(wanted: Change, options: ChangeOptions) -> None:
    if options.json:
        say_json({"change": wanted.kind, "dry_run": options.dry_run, "mentorships": [], "counts": {}})
    else:
        out().print("No mentorship that runs is selected. Nothing to do.")


@dataclass(frozen=True, slots=True)
class _ChangeCommand:
    database: Database
    client: Client
    now: datetime
    options: ChangeOptions

    async def one(self, order: ChangeOrder) -> None:
        """One mentorship, shown whole."""
        from operations.audit import COMMAND_LINE
        from operations.mentorships.change import carry_out, look_at_all

        options = self.options
        [seen] = await look_at_all(self.database, self.client, [order], self.now)
        if seen.outlook.refused:
            fail(f"{order.place}: {seen.outlook.refused}", REFUSED)
        result = as_object(seen) | {"outcome": "nothing_to_do" if seen.nothing_to_do else "dry_run"}
        if seen.nothing_to_do:
            if not options.json:
                out().print(f"{text(order.place)}: {text(_nothing(seen))}. Nothing to do.", soft_wrap=True)
        elif options.dry_run:
            if not options.json:
                show(seen)
                out().print("Nothing was changed: this was a dry run.")
        else:
            confirmed = self._confirmed(seen)
            [outcome] = await carry_out(
                self.database, self.client, [seen.confirmed if confirmed else order], self.now,
                why=options.why, proof=COMMAND_LINE,
            )  # fmt: skip
            if outcome.outcome != "done":
                fail(
                    f"{order.place}: {outcome.reason}",
                    REFUSED if outcome.outcome == "refused" else UNREACHABLE,
                )
            result["outcome"] = outcome.outcome
            if not options.json:
                show(seen, done=True, brief=confirmed)
        if options.json:
            say_json(result)

    def _confirmed(self, seen: Prospect) -> bool:
        """Whether the change was shown and confirmed; ends the command if it was refused."""
        options, final = self.options, seen.order.change.final
        if not final or options.yes:
            return False
        if not options.typed:
            fail("this can't be taken back: write --yes as well. Nothing was changed.", REFUSED)
        show(seen)
        if not typer.confirm(f"This can't be taken back. {seen.order.change.kind.capitalize()}?", err=True):
            fail("Nothing was changed.", REFUSED)
        return True

    async def many(self, wanted: Change, given: Sequence[ChangeOrder]) -> None:
        """Many mentorships: counted, confirmed, reported line by line."""
        from operations.audit import COMMAND_LINE
        from operations.mentorships.change import carry_out, look_at_all

        options = self.options
        if options.dry_run:
            seen = await look_at_all(self.database, self.client, given, self.now)
            _show_many(wanted, seen, options)
            if any(one.outlook.refused for one in seen):
                raise typer.Exit(REFUSED)
            return
        left = sum(not one.done for one in given)
        if left and not options.yes:
            what = f"{wanted.kind.capitalize()} {left} mentorships" + (
                f" ({len(given) - left} more were done before)" if left < len(given) else ""
            )
            if not options.typed:
                fail(f"{what}: write --yes as well. Nothing was changed.", REFUSED)
            if not typer.confirm(f"{what}?", err=True):
                fail("Nothing was changed.", REFUSED)
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        quiet = options.json or not sys.stderr.isatty()
        bar = Progress(
            TextColumn(wanted.kind), BarColumn(), MofNCompleteColumn(), console=err(), disable=quiet, transient=True
        )
        with bar:
            task = bar.add_task("", total=len(given))

            def said(_: ChangeOutcome) -> None:
                bar.advance(task)

            outcomes = await carry_out(
                self.database, self.client, given, self.now, why=options.why, proof=COMMAND_LINE, said=said
            )
        _report(wanted, outcomes, options)


def _show_many(wanted: Change, seen: Sequence[Prospect], options: ChangeOptions) -> None:
    if options.json:
        say_json({"change": wanted.kind, "dry_run": True, "mentorships": [as_object(one) for one in seen]})
        return
    screen = out()
    doing = [one for one in seen if not one.outlook.refused and not one.nothing_to_do]
    for one in doing[:SOME]:
        show(one)
    if len(doing) > SOME:
        screen.print(f"… and {len(doing) - SOME} more; --json shows all of them")
    for one in seen:
        if why := one.outlook.refused or _nothing(one):
            word = "refused" if one.outlook.refused else "nothing to do"
            screen.print(f"  {text(one.order.place)}  {word}: {text(why)}", soft_wrap=True)
    screen.print(f"{len(doing)} of {len(seen)} would be changed. Nothing was changed: this was a dry run.")


def _nothing(seen: Prospect) -> str:
    """Why there is nothing to do, and what does it all the same."""
    again = f"; {AGAIN}" if seen.order.done and not seen.order.change.once else ""
    return f"{seen.nothing_to_do}{again}" if seen.nothing_to_do else ""


def _report(wanted: Change, outcomes: Sequence[ChangeOutcome], options: ChangeOptions) -> None:
    counts = Counter(one.outcome for one in outcomes)
    if options.json:
        lines = [{"mentorship": one.mentorship, "outcome": one.outcome, "reason": one.reason} for one in outcomes]
        say_json({"change": wanted.kind, "dry_run": False, "mentorships": lines, "counts": dict(counts)})
    else:
        for one in outcomes:
            again = f"; {AGAIN}" if one.outcome == "done_before" and not wanted.once else ""
            reason = f": {text(one.reason)}{again}" if one.reason else ""
            out().print(f"  {text(one.mentorship)}  {WORDS[one.outcome]}{reason}", soft_wrap=True)
        said = ", ".join(f"{count} {WORDS[outcome]}" for outcome, count in counts.items())
        out().print(f"{wanted.kind}: {said}")
    if counts["not_reached"]:
        err().print("What was not reached is done by the same command again; nothing is done twice.")
    if counts["refused"]:
        raise typer.Exit(REFUSED)
    if counts["not_reached"]:
        raise typer.Exit(UNREACHABLE)


# -- what every command of many is told ------------------------------------------------------------------------

FILTERS = {"cohort": Cohort, "phase": Phase, "health": Health, "person": Person}
SHARED: dict[str, tuple[Any, Any]] = {
    "listed": (From, ""),
    **{name: (option, "") for name, option in FILTERS.items()},
    "awaiting": (Awaiting, False),
    "again": (Again, False),
    "dry_run": (DryRun, False),
    "yes": (Yes, False),
    "by": (By, ""),
    "why": (Why, ""),
    "json": (AsJson, False),
}
"""Options that follow those of the command itself: name to its type and what it is where it is left out."""


def of_many(*, without: tuple[str, ...] = ()) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command that changes mentorships. It gets `which` and `options`, made of those of SHARED that it has."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parameters = signature(command, eval_str=True).parameters
        own = [one for name, one in parameters.items() if name not in ("which", "options")]
        shared = [_option(name, *SHARED[name]) for name in SHARED if name not in without]
        options = [_option("keys", Keys, None), *(one.replace(kind=Parameter.KEYWORD_ONLY) for one in own), *shared]

        @wraps(command)
        def told(**said: Any) -> None:
            filters = {name: said.pop(name, "") for name in FILTERS}
            which = Which(said.pop("keys") or (), said.pop("listed"), filters, said.pop("awaiting"))
            options = ChangeOptions(
                **{one.name: said.pop(one.name) for one in fields(ChangeOptions) if one.name in said}
            )
            command(which=which, options=options, **said)

        # What typer reads.
        told.__signature__ = Signature(options)  # pyright: ignore[reportAttributeAccessIssue]
        told.__annotations__ = {one.name: one.annotation for one in options}
        return told

    return decorate


def _option(name: str, annotation: Any, default: Any) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
