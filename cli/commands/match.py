"""Matching people who stand in a file: who would be with whom, why, and what any other pair would cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import EXIT_CODES, REFUSED, err, fail, out, plainly, run, say_json, settings, table, text
from cli.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from operations.matching.board import Board, BoardPair
    from operations.matching.match import Matched
    from operations.matching.next_choices import NextChoice
    from operations.matching.pool import Pool

PANEL = "Before anybody is mailed"
HELPS_SHOWN = 3
"""Kinds of mentors that the screen names; `--json` and `--html` have all of them."""


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
        typer.Option(metavar="CSV", help="Pairs of an earlier run: these stay, only the rest is matched."),
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="Pairs of an earlier run: of results that are equally good, the nearest."),
    ] = None,
    explain: Annotated[str, typer.Option(metavar="PERSON", help="What every other mentor, or mentee, costs.")] = "",
    what_if: Annotated[str, typer.Option(metavar="MENTEE:MENTOR", help="What this pair would cost.")] = "",
    pairs: Annotated[
        Path | None, typer.Option("--out", metavar="CSV", help="Write the pairs, for `pairs:` of the cohort's file.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="HTML", help="Write everything as one page that opens without a network.")
    ] = None,
    next_for: Annotated[
        str,
        typer.Option(
            "--next", metavar="KEY", help="Who could take the empty seat of this mentorship.", show_default=False
        ),
    ] = "",
    json: AsJson = False,
) -> None:
    """Find the best pairs for those who applied, or for the people in a file. Nothing is stored.

    The rules and the points stand in the section `matching:` of the program.
    As many mentees as possible get a mentor; among those ways, the one with
    the most points; among those, the one whose weakest pair is strongest.
    Programs of peers and of groups are matched as well; groups need the
    extra `groups`.

    \b
    Examples:
      mentorship match open-call
      mentorship match open-call --next m07
      mentorship match open-call --pin a7k2:b9m4 --out pairs.csv
      mentorship match config/cohorts/open-call.yaml --people config/cohorts/open-call-people.csv
      mentorship match config/cohorts/open-call.yaml --people config/cohorts/open-call-people.csv --explain s07
      mentorship match config/cohorts/open-call.yaml --people config/cohorts/open-call-people.csv --what-if s07:m12
      mentorship match config/cohorts/open-call.yaml --people config/cohorts/open-call-people.csv --out pairs.csv
      mentorship match config/cohorts/open-call.yaml --people config/cohorts/open-call-people.csv --html pairs.html
    """
    from operations.cohorts.load import file_of
    from operations.matching.match import matched
    from operations.matching.match_page import page
    from operations.matching.pool import pairs_in, read_pool
    from runtime.private_files import write_private

    if next_for:
        _print_next(str(file), next_for, json)
        return
    if people is None:
        pool = run(lambda: _applied(str(file)))
    else:
        own = settings().own_config
        pool = read_pool(file_of("cohorts", file, own), people, own)
    for warning in pool.warnings:
        err().print(f"[yellow]![/] {text(warning)}", soft_wrap=True)
    wanted = pool.wanted(pin or (), ban or (), pairs_in(like) if like else ())
    result = matched(pool, wanted, pairs_in(keep) if keep else ())
    if pairs is not None:
        write_private(pairs, result.pairs_csv())
        err().print(f"[green]✓[/] {text(pairs)}: {len(result.ids)} pairs.", soft_wrap=True)
    if html is not None:
        write_private(html, page(result.board, pool.names))
        err().print(f"[green]✓[/] {text(html)}: open it in a browser.", soft_wrap=True)
    if explain:
        _print_others(result, pool, explain, json)
    elif what_if:
        _print_price(result, what_if, json)
    elif json:
        say_json(result.board.as_object())
    elif pairs is None and html is None:
        _print_board(result.board, pool)


def _print_next(cohort: str, key: str, json: bool) -> None:
    choices = run(lambda: _next(cohort, key))
    if json:
        say_json([choice.plain for choice in choices])
        return
    if not choices:
        out().print("No seat is empty there, or nobody who applied is free and passes the rules.", soft_wrap=True)
        return
    rows = table(
        "id", "name", "points", "why", "note", title=f"For the {choices[0].role} of {key}: nobody else moves"
    )
    for choice in choices:
        notes = ["on the waiting list"] if choice.waiting else []
        notes += [f"has said no {choice.refusals} times: you decide"] if choice.asks_twice else []
        rows.add_row(
            text(choice.person),
            text(choice.name),
            str(choice.score),
            text("\n".join(choice.because)),
            ", ".join(notes),
        )
    out().print(rows)


async def _next(cohort: str, key: str) -> Sequence[NextChoice]:
    from operations.matching.next_choices import next_choices
    from runtime.connect import database

    async with database(settings()) as opened:
        return await next_choices(opened, cohort, key)


async def _applied(cohort: str) -> Pool:
    from operations.matching.publish import pool_of
    from runtime.connect import database

    async with database(settings()) as opened:
        return await pool_of(opened, cohort)


def _print_board(board: Board, pool: Pool) -> None:
    names, totals, screen = pool.names, board.totals, out()
    peers = board.format == "peer"
    slots = any(pair.slot for pair in board.pairs)
    rows = table(
        *(("one", "other") if peers else ("mentor", "mentee")), "points", "why", *(["slot"] if slots else [])
    )
    for pair in board.pairs:
        cells = [_person(pair.mentor, names), _person(pair.mentee, names), str(pair.score), _why(pair)]
        rows.add_row(*cells, *([pair.slot] if slots else []))
    screen.print(rows)
    what = ("peers", "a partner") if peers else ("mentees", "a group" if board.format == "group" else "a mentor")
    served = f"{totals.served} of {board.of} {what[0]} have {what[1]}"
    screen.print(f"{served} · {totals.score} points · weakest pair {totals.worst}", soft_wrap=True)
    for note in board.notes:
        screen.print(f"[yellow]![/] {text(note)}.", soft_wrap=True)
    if board.nobody:
        rows = table("has nobody", "why", title=f"Without {what[1]}")
        for one in board.nobody:
            rows.add_row(_person(one.id, names), text(one.why))
        screen.print(rows)
        for words in board.helps[:HELPS_SHOWN]:
            screen.print(f"What would help: {text(words)}.", soft_wrap=True)
    if board.free:
        free = ", ".join(f"{text(mentor)} {places}" for mentor, places in board.free)
        screen.print(f"Free places: {free}", soft_wrap=True)
    for fared in board.fairness:
        if fared.warning:
            share = f"{fared.served} of {fared.people} of {fared.field} {fared.value} are served"
            screen.print(f"[yellow]![/] {text(share)}: {text(fared.warning)}.", soft_wrap=True)


def _why(pair: BoardPair) -> str:
    return "\n".join(f"{part.points:>3}  {text(part.words)}" for part in pair.parts)


def _print_others(result: Matched, pool: Pool, person: str, json: bool) -> None:
    others = result.others(pool.known(person))
    if json:
        say_json(
            [
                {"id": other.id, "score": other.score, "price": other.price, "moves": list(other.moves)}
                for other in others
            ]
        )
        return
    rows = table("other", "points", "beside the best result", "who would move", title=f"Others for {person}")
    for other in others:
        moves = text("\n".join(other.moves))
        rows.add_row(_person(other.id, pool.names), str(other.score), other.price, moves)
    out().print(rows)
    three = _three_with(result, pool, person)
    if three:
        names = ", ".join(f"{pool.names.get(id_, id_)} {id_}" for id_ in three)
        out().print(text(f"{names} meet as three; this shows what others cost."), soft_wrap=True)


def _three_with(result: Matched, pool: Pool, person: str) -> tuple[str, ...]:
    """The group of three peers in which somebody is."""
    pairs = result.board.pairs if pool.format == "peer" else ()
    return next((pair.three for pair in pairs if person in pair.three), ())


def _print_price(result: Matched, what_if: str, json: bool) -> None:
    one, colon, other = (part.strip() for part in what_if.partition(":"))
    if not colon:
        fail("--what-if takes MENTEE:MENTOR, such as s07:m3", REFUSED)
    words, moves = result.price(one, other)
    if json:
        say_json({"pair": [one, other], "price": words, "moves": list(moves)})
        return
    out().print(text(". ".join([words[:1].upper() + words[1:], *moves]) + "."), soft_wrap=True)


def _person(id_: str, names: Mapping[str, str]) -> str:
    return f"{text(names.get(id_, id_))} [dim]{text(id_)}[/]"
