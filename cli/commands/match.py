"""Matching people who stand in a file: who would be with whom, why, and what any other pair would cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import EXIT_CODES, REFUSED, err, fail, out, plainly, run, say_json, settings, table, text
from cli.options import AsJson

if TYPE_CHECKING:
    from operations.cohorts.match import Explained, Pool

PANEL = "Before anybody is mailed"
HELPS_SHOWN = 3
"""Kinds of mentors that the screen names; `--json` has all of them."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, epilog=EXIT_CODES)(plainly(match))


def match(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="COHORT",
            help="A cohort that was launched with an open call; with --people the cohort's file.",
            show_default=False,
        ),
    ],
    people: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV", help="The people from a file: id, name, email, role, and their fields.", show_default=False
        ),
    ] = None,
    pin: Annotated[
        list[str] | None,
        typer.Option(metavar="MENTOR:MENTEE", help="This pair for certain; more mentees after a comma."),
    ] = None,
    ban: Annotated[list[str] | None, typer.Option(metavar="MENTOR:MENTEE", help="Never this pair.")] = None,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="Pairs of an earlier run: kept wherever they are as good as others."),
    ] = None,
    explain: Annotated[str, typer.Option(metavar="MENTEE", help="What every other mentor would cost.")] = "",
    what_if: Annotated[str, typer.Option(metavar="MENTEE:MENTOR", help="What this pair would cost.")] = "",
    pairs: Annotated[
        Path | None, typer.Option("--out", metavar="CSV", help="Write the pairs, for `pairs:` of the cohort's file.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Find the best pairs for those who applied, or for the people in a file. Nothing is stored.

    The rules and the points stand in the section `matching:` of the program.
    As many mentees as possible get a mentor; among those ways, the one with
    the most points; among those, the one whose weakest pair is strongest.

    \b
    Examples:
      mentorship match open-call
      mentorship match open-call --pin a7k2:b9m4 --out pairs.csv
      mentorship match config/cohorts/open-call.yaml --people config/cohorts/open-call-people.csv
      mentorship match config/cohorts/open-call.yaml --people config/cohorts/open-call-people.csv --explain s07
      mentorship match config/cohorts/open-call.yaml --people config/cohorts/open-call-people.csv --out pairs.csv
    """
    from operations.cohorts.match import Explained, pairs_in, read_pool

    pool = read_pool(file, people) if people is not None else run(lambda: _applied(str(file)))
    for warning in pool.warnings:
        err().print(f"[yellow]![/] {text(warning)}", soft_wrap=True)
    wanted = pool.wanted(pin or (), ban or (), pairs_in(keep) if keep else ())
    explained = Explained(pool, pool.result(wanted))
    if pairs is not None:
        pairs.write_text(explained.pairs_csv(), "utf-8", newline="")
        err().print(f"[green]✓[/] {text(pairs)}: {len(explained.pairs)} pairs.")
    if explain:
        _print_prices(explained, explain, json)
    elif what_if:
        _print_price(explained, what_if, json)
    elif json:
        say_json(explained.as_object())
    elif pairs is None:
        _print_result(explained)


async def _applied(cohort: str) -> Pool:
    from operations.cohorts.publish import pool_of
    from runtime.connect import database

    async with database(settings()) as opened:
        return await pool_of(opened, cohort)


def _print_result(explained: Explained) -> None:
    names = explained.pool.names
    totals = explained.result.totals
    screen = out()
    rows = table("mentor", "mentee", "points", "why")
    for mentor, mentee, score, parts in explained.pairs:
        why = "\n".join(f"{part.points:>3}  {text(part.words)}" for part in parts)
        rows.add_row(_person(mentor, names[mentor]), _person(mentee, names[mentee]), str(score), why)
    screen.print(rows)
    served = f"{totals.served} of {len(explained.result.candidates.mentees)} mentees have a mentor"
    screen.print(f"{served} · {totals.score} points · weakest pair {totals.worst}", soft_wrap=True)
    if explained.nobody:
        rows = table("has nobody", "why", title="Without a mentor")
        for mentee, why in explained.nobody:
            rows.add_row(_person(mentee, names[mentee]), text(why))
        screen.print(rows)
        for words in explained.helps[:HELPS_SHOWN]:
            screen.print(f"What would help: {text(words)}.", soft_wrap=True)
    if explained.free_mentors:
        free = ", ".join(f"{text(mentor)} {places}" for mentor, places in explained.free_mentors)
        screen.print(f"Free places: {free}", soft_wrap=True)


def _print_prices(explained: Explained, mentee: str, json: bool) -> None:
    prices = explained.prices(mentee)
    if json:
        keys = ("mentor", "score", "price", "moves")
        say_json([dict(zip(keys, price, strict=True)) for price in prices])
        return
    rows = table("mentor", "points", "beside the best result", "who would move", title=f"Other mentors for {mentee}")
    for mentor, score, words, moves in prices:
        rows.add_row(_person(mentor, explained.pool.names[mentor]), str(score), words, text("\n".join(moves)))
    out().print(rows)


def _print_price(explained: Explained, what_if: str, json: bool) -> None:
    mentee, colon, mentor = what_if.partition(":")
    if not colon:
        fail("--what-if takes MENTEE:MENTOR, such as s07:m3", REFUSED)
    words, moves = explained.price(mentee.strip(), explained.pool.known(mentor))
    if json:
        say_json({"mentee": mentee, "mentor": mentor, "price": words, "moves": list(moves)})
        return
    out().print(text(". ".join([words[:1].upper() + words[1:], *moves]) + "."), soft_wrap=True)


def _person(id_: str, name: str) -> str:
    return f"{text(name)} [dim]{text(id_)}[/]"
