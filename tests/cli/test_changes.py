"""A coordinator changes mentorships that run, one and many, from a terminal. Temporal and SQL are real."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from lifecycle.events import Answered
from lifecycle.findings import Signals
from lifecycle.state import State
from operations.mentorships import change as changes
from operations.mentorships.dry_run import state_of
from operations.mentorships.select import named
from runtime.temporal import send
from store.operations_log import Operation, put_operations
from store.tables import EventRow, ItemRow, OperationRow
from testing.environments.cli_env import ConfigFolder, today
from tests.cli.conftest import CliEnv
from tests.cli.test_cancel import typed
from tests.cli.test_launch import accepted, edited, seats, told, with_person

WEEK = timedelta(days=7)


async def launched(cli_env: CliEnv, config_folder: ConfigFolder, name: str, pairs: int = 1) -> Path:
    """A cohort that runs, everybody of it invited."""
    path = config_folder.cohort(name, pairs)
    said = await cli_env.mentorship("launch", str(path), "--yes")
    assert said.code == 0, said.err
    await told(cli_env, name, people=2 * pairs)
    return path


async def state(cli_env: CliEnv, name: str, key: str = "m1") -> State:
    """What the mentorship remembers."""
    found = await state_of(cli_env.client, name, key)
    assert found is not None
    return found


def dates(found: State) -> dict[str, tuple[str, ...]]:
    """Every date of the plan that is still ahead, as text."""
    ahead = [step for step in found.steps if step.state in ("planned", "open")]
    plan = {f"{one.name} {one.number}": (str(one.opens), str(one.closes)) for one in ahead}
    return plan | {name: (str(getattr(found, name)),) for name in ("start", "midpoint", "end")}


def foretold(before: Mapping[str, tuple[str, ...]], shown: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The dates that there will be, by what a dry run says of those that there are."""
    plan = dict(before)
    for one in shown["left_out"]:
        del plan[f"{one['name']} {one['number']}"]
    for one in shown["comes"]:
        plan[f"{one['name']} {one['number']}"] = (one["opens"], str(one["closes"]))
    for one in shown["moved"]:
        name = one["name"] if f"{one['name']} {one['number']}" not in plan else f"{one['name']} {one['number']}"
        if one["name"] in ("start", "end") or (one["name"] == "midpoint" and one["closes"] is None):
            assert plan[one["name"]] == (one["opens"][0],)
            plan[one["name"]] = (one["opens"][1],)
            continue
        closes = [str(day) for day in one["closes"]] if one["closes"] else ["None", "None"]
        assert plan[name] == (one["opens"][0], closes[0])
        plan[name] = (one["opens"][1], closes[1])
    return plan


async def operation(cli_env: CliEnv, name: str, kind: str) -> list[OperationRow]:
    """The commands of this kind that are on the record of a cohort."""
    async with cli_env.database.session() as session:
        rows = await session.scalars(
            select(OperationRow)
            .where(OperationRow.cohort == name, OperationRow.kind == kind)
            .order_by(OperationRow.id)
        )
        return list(rows)


TRIED = {
    "m1": (False, ["pause", "--until", "3w"]),
    "m2": (True, ["pause", "--until", "3w"]),
    "m3": (True, ["extend", "--by", "4w"]),
    "m4": (True, ["end", "--reason", "goals_reached"]),
    "m5": (False, ["end", "--reason", "no_fault"]),
    "m6": (False, ["nudge"]),
}
"""Mentorships of one cohort: whether each has begun, and what is done to it."""
OTHERS = ("m7", "m8", "m9", "m10", "m11")
"""Further ones, each for a test of its own."""


@pytest.fixture(scope="module")
async def tried(cli_env: CliEnv, tmp_path_factory: pytest.TempPathFactory) -> CliEnv:
    """The cohort `tried`, some of it begun."""
    config_folder = ConfigFolder.at(tmp_path_factory.mktemp("tried") / "config")
    begun = [key for key, (has, _) in TRIED.items() if has]
    keys = [*TRIED, *OTHERS]
    path = config_folder.cohort("tried", keys)
    file = edited(path, *((f"{{key: {key},", f"{{key: {key}, start: {today()},") for key in begun))
    assert (await cli_env.mentorship("launch", file, "--yes")).code == 0
    await told(cli_env, "tried", people=2 * len(keys))
    for key in begun:
        await accepted(cli_env, "tried", (f"a{key[1:]}", f"b{key[1:]}"), key)
    return cli_env


async def posted(cli_env: CliEnv, name: str, key: str) -> set[str]:
    """What was put into postboxes of one mentorship."""
    async with cli_env.database.session() as session:
        rows = await session.execute(
            select(ItemRow.name, ItemRow.person).where(ItemRow.cohort == name, ItemRow.mentorship == key)
        )
        return {f"{item} to {person}" for item, person in rows}


# -- one ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", TRIED)
async def test_what_a_dry_run_shows_is_what_then_happens(tried: CliEnv, key: str) -> None:
    kind, *options = TRIED[key][1]
    words = [kind, f"tried/{key}", *options]
    before, queued = await state(tried, "tried", key), await posted(tried, "tried", key)

    shown = await tried.mentorship(*words, "--dry-run", "--json")
    assert (shown.code, shown.json["outcome"]) == (0, "dry_run"), shown.err
    assert await state(tried, "tried", key) == before

    done = await tried.mentorship(*words, "--yes", "--why", f"they asked {key}", "--json")
    assert (done.code, done.json["outcome"]) == (0, "done"), done.err
    assert {**done.json, "outcome": ""} == {**shown.json, "outcome": ""}
    after = await state(tried, "tried", key)
    assert dates(after) == foretold(dates(before), shown.json)
    assert after.ending == shown.json["ending"]
    tells = {f"{one['name']} to {one['person']}" for one in shown.json["told"]}
    assert await posted(tried, "tried", key) - queued == tells - queued
    async with tried.database.session() as session:
        event = await session.scalar(select(EventRow).where(EventRow.why == f"they asked {key}"))
        row = await session.get_one(OperationRow, shown.json["operation"])
    assert event is not None
    assert {(one.mentorship, one.by) for one in (event, row)} == {(key, "tried-c1")}
    assert (row.kind, row.result) == (kind, "done")

    again = await tried.mentorship(*words, "--yes", "--json")
    assert (again.code, again.json["outcome"]) == (0, "nothing_to_do"), again.err
    assert await state(tried, "tried", key) == after


async def test_what_is_shown_names_dates_mails_and_people(tried: CliEnv) -> None:
    end = today() + timedelta(days=10 + 182)
    said = await tried.mentorship("pause", "tried/m7", "--until", "3w", "--dry-run")
    assert f"moves       End {end:%a} {end} → {end + 3 * WEEK:%a} {end + 3 * WEEK}" in said.out
    assert "moves       Invitation until" in said.out
    assert "Nothing was changed: this was a dry run." in said.out
    said = await tried.mentorship("leave", "tried-b7", "--dry-run")
    assert "left out    Invitation" not in said.out
    assert "task        Seat empty, due" in said.out
    assert "told        tried-c1: Task opened" in said.out
    said = await tried.mentorship("nudge", "tried/m7", "--dry-run")
    assert "told        tried-a7, tried-b7: Invitation, with the next letterbox, from" in said.out


async def test_a_pause_ends_where_somebody_resumes_and_a_longer_end_once_more_where_it_is_meant(
    tried: CliEnv,
) -> None:
    end = (await state(tried, "tried", "m8")).end
    assert (await tried.mentorship("pause", "tried/m8")).code == 0
    same = await tried.mentorship("pause", "tried/m8", "--again")
    assert "it is paused without an end already. Nothing to do." in same.out
    assert (await tried.mentorship("resume", "tried/m8")).code == 0
    found = await state(tried, "tried", "m8")
    assert (found.paused, found.end) == (False, end)
    refused = await tried.mentorship("resume", "tried/m8", "--again")
    assert (refused.code, "the mentorship is not paused; there is nothing to resume" in refused.err) == (2, True)

    first = today() + 2 * WEEK
    ahead = ("pause", "tried/m8", "--begin", str(first), "--until", "3w")
    shown = await tried.mentorship(*ahead, "--dry-run")
    assert f"moves       End {end:%a} {end} → {end + 3 * WEEK:%a} {end + 3 * WEEK}" in shown.out
    assert f"later       from {first:%a} {first} nothing goes out" in shown.out
    assert (await tried.mentorship(*ahead)).code == 0
    found = await state(tried, "tried", "m8")
    assert (found.paused, found.end) == (False, end)
    assert found.pause_ahead is not None
    assert (found.pause_ahead.on, found.pause_ahead.until) == (first, first + 3 * WEEK)
    looked_at = (await tried.mentorship("status", "tried")).out
    assert [word in looked_at for word in ("(pause", f"{first}", f"{first + 3 * WEEK})")] == [True] * 3
    assert "this pause is planned already. Nothing to do." in (await tried.mentorship(*ahead, "--again")).out
    back = await tried.mentorship("resume", "tried/m8", "--again")
    assert f"taken back  the pause from {first:%a} {first}" in back.out
    assert (await state(tried, "tried", "m8")).pause_ahead is None

    for words, longer in (((), 4), ((), 4), (("--again",), 8), ((), 8)):
        assert (await tried.mentorship("extend", "tried/m8", "--by", "4w", *words)).code == 0
        assert (await state(tried, "tried", "m8")).end == end + longer * WEEK


async def test_people_come_and_go(cli_env: CliEnv, config_folder: ConfigFolder) -> None:
    path = config_folder.cohort("circle", 2)
    program = config_folder.folder / "programs" / "trial.yaml"
    program.write_text(program.read_text().replace("format: one_to_one", "format: group"))
    edited(
        path,
        with_person(path, "x1"),
        ("  - {key: m2, mentor: circle-a2, mentee: circle-b2}\n", ""),
        ("mentee: circle-b1", "mentees: [circle-b1, circle-b2]"),
    )
    assert (await cli_env.mentorship("launch", str(path), "--yes")).code == 0
    someone = ("--name", "Ada Ng", "--email", "ada@circle.example.org", "--zone", "Asia/Tokyo")
    shown = await cli_env.mentorship("add", "circle-n1", "--mentorship", "circle/m1", *someone, "--dry-run", "--json")
    assert [(one["name"], one["person"]) for one in shown.json["told"]] == [("invitation", "circle-n1")]
    assert (await cli_env.mentorship("add", "circle-n1", "--mentorship", "circle/m1", *someone)).code == 0
    refused = await cli_env.mentorship("remove", "circle-b1")
    assert (refused.code, "this can't be taken back: write --yes as well" in refused.err) == (2, True)
    for words in (
        ["remove", "circle-b1", "--yes"],
        ["leave", "circle-b2", "--yes", "--why", "told me"],
        ["replace", "circle-a1", "--with", "circle-x1", "--yes"],
    ):
        for _ in range(2):
            assert (await cli_env.mentorship(*words)).code == 0
    assert await seats(cli_env, "circle") == {
        "a1": "out", "b1": "out", "b2": "out", "n1": "invited", "x1": "invited",
    }  # fmt: skip
    shown = (await cli_env.mentorship("show", "circle/m1")).out
    assert "(formerly Person a1, Person b1, Person b2)" in " ".join(shown.split())
    assert "formerly" in (await cli_env.mentorship("status", "circle")).out
    gone = await cli_env.mentorship("replace", "circle-b2", "--with", "circle-x1", "--yes")
    assert (gone.code, "circle-b2 has no seat in this mentorship; those who have: " in gone.err) == (2, True)
    [left] = await operation(cli_env, "circle", "leave")
    assert (left.by, left.why, left.result) == ("circle-c1", "told me", "done")


async def test_what_makes_no_sense_is_refused_in_words(tried: CliEnv) -> None:
    for words, says in (
        (["pause", "tried/m99"], "there is no mentorship 'tried/m99'; did you mean"),
        (["pause", "tried/m11", "--until", "soon"], "'soon' is no date; write one such as"),
        (["pause", "tried/m11", "--until", "2020-01-01"], "a pause must end after today"),
        (["pause", "tried/m11", "--begin", "2020-01-01"], "a pause can't begin in the past (2020-01-01); write"),
        (["pause"], "say which: COHORT/KEY, --from FILE, or a selection"),
        (["pause", "tried/m11", "--cohort", "tried"], "write either which mentorships, or a selection"),
        (["pause", "tried/m11", "--as", "nobody"], "'nobody' is no coordinator or deputy of tried"),
        (["extend", "tried/m11", "--by", "10d"], "'10d' is no number of whole weeks; write one such as 4w"),
        (["end", "tried/m11", "--reason", "boredom"], "'boredom' is no reason to end early; write one of"),
        (["release", "tried/m11"], "nothing is held; there is nothing to release"),
        (["add", "tried-b7", "--mentorship", "tried/m11"], "takes no further member; use replace"),
        (["remove", "tried-a11", "--yes"], "can't lose a member and go on; use replace or end"),
        (["replace", "tried-a11", "--with", "nobody"], "nobody is not known yet; add a name and an address"),
    ):
        refused = await tried.mentorship(*words)
        assert refused.code == 2, (words, refused.out)
        assert says in refused.err, words
    async with tried.database.session() as session:
        rows = await session.scalars(select(OperationRow).where(OperationRow.mentorship == "m11"))
        assert rows.all() == []


async def test_a_report_is_held_until_it_is_released(tried: CliEnv) -> None:
    report = Answered("report/tried/m9", "tried-a9", "invitation", 1, Signals(safety=True), datetime.now(UTC))
    await send(tried.client, "tried", "m9", report)
    assert (await state(tried, "tried", "m9")).held
    done = await tried.mentorship("release", "tried/m9", "--json")
    assert done.json["tasks_closed"] == ["tried/m9/task.safety#1"]
    assert not (await state(tried, "tried", "m9")).held


# -- two at once -------------------------------------------------------------------------------------------------


async def test_a_change_that_was_confirmed_is_refused_where_another_came_first(tried: CliEnv) -> None:
    now = datetime.now(UTC)
    places = await named(tried.database, ["tried/m10"])
    given = [
        order
        for change in (changes.extend("2w"), changes.end("no_fault"))
        for order in await changes.orders(tried.database, places, change, now)
    ]
    seen = await changes.look_at_all(tried.database, tried.client, given, now)
    outcomes = [(await changes.carry_out(tried.database, tried.client, [one.confirmed], now))[0] for one in seen]
    assert [one.outcome for one in outcomes] == ["done", "refused"]
    assert outcomes[1].reason == (
        f"it was changed meanwhile (Extend on {today()} by tried-c1); look again before you decide"
    )
    # Typed at a terminal: shown, and asked.
    code, said = await asyncio.to_thread(typed, ["end", "tried/m10", "--reason", "no_fault"], "n")
    assert (code, "Nothing was changed." in said, "left out" in said) == (2, True, True), said
    code, said = await asyncio.to_thread(typed, ["end", "tried/m10", "--reason", "no_fault"], "y")
    assert (code, (await state(tried, "tried", "m10")).ending) == (0, "never_started"), said


# -- many --------------------------------------------------------------------------------------------------------


async def test_many_are_changed_in_one_command_and_a_repeat_goes_on(
    cli_env: CliEnv, config_folder: ConfigFolder, tmp_path: Path
) -> None:
    await launched(cli_env, config_folder, "many", 6)
    assert (await cli_env.mentorship("end", "many/m6", "--reason", "no_fault", "--yes")).code == 0
    keys = [f"many/m{n}" for n in range(1, 7)]
    ends = {key: (await state(cli_env, "many", key[5:])).end for key in keys[:5]}
    listed = tmp_path / "keys.txt"
    listed.write_text("# all of them\n" + "\n".join(keys) + "\n")
    words = ["extend", "--from", str(listed), "--by", "2w"]

    unsure = await cli_env.mentorship(*words)
    assert (unsure.code, "Extend 6 mentorships: write --yes as well" in unsure.err) == (2, True)
    shown = await cli_env.mentorship(*words, "--dry-run", "--json")
    assert [bool(one["refused"]) for one in shown.json["mentorships"]] == [False] * 5 + [True]

    # As after an interruption: one is done and on the record, one is done and nobody knows, the rest is written down.
    now, places = datetime.now(UTC), await named(cli_env.database, keys[:5])
    orders = await changes.orders(cli_env.database, places, changes.extend("2w"), now)
    await changes.carry_out(cli_env.database, cli_env.client, orders[:1], now)
    async with cli_env.database.begin() as session:
        rest = [Operation(one.event.id, "extend", one.cohort, one.mentorship, one.by) for one in orders[1:]]
        await put_operations(session, rest, "", now)
    await send(cli_env.client, "many", "m2", orders[1].event)

    done = await cli_env.mentorship(*words, "--yes", "--json", "--why", "exams")
    assert done.code == 2, done.err
    assert done.json["counts"] == {"done_before": 1, "done": 4, "refused": 1}
    assert done.json["mentorships"][5]["reason"].startswith(("the mentorship is closed", "it has not been started"))
    again = await cli_env.mentorship(*words, "--yes")
    assert "many/m1  nothing to do: this was done today already" in again.out
    assert "many/m6  refused: " in again.out
    for key in keys[:5]:
        assert (await state(cli_env, "many", key[5:])).end == ends[key] + 2 * WEEK

    # What status selects is what is changed.
    selection = ["--cohort", "many", "--phase", "onboarding", "--awaiting"]
    lines = (await cli_env.mentorship("status", *selection, "--json")).json[0]["mentorships"]
    paused = await cli_env.mentorship("pause", *selection, "--yes", "--json")
    assert paused.code == 0, paused.err
    assert [one["mentorship"] for one in paused.json["mentorships"]] == [f"many/{line['key']}" for line in lines]
    assert len(lines) == 5
    nobody = await cli_env.mentorship("nudge", "--cohort", "many", "--phase", "closure")
    assert "No mentorship that runs is selected. Nothing to do." in nobody.out
