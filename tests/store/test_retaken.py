"""A worker that dies after a turn was written and before Temporal knew: the workflow takes the turn again, later, and
what it decides then is what counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from lifecycle.commands import CloseTask, Finish, MoveRequest, Note, OpenTask
from lifecycle.keys import task_key
from store.database import Database
from store.tables import AnswerRow, EventRow, ItemRow, MentorshipRow, OutcomeRow, RequestRow, TaskRow
from testing.cohorts.small_cohort import COHORT, LAUNCH, PAIR, applied, ask, item, launched, states, turn

LATER = LAUNCH + timedelta(days=2)
STALLED = OpenTask(
    key=task_key(COHORT, PAIR.key, "stalled", 1), kind="stalled", number=1, reason="They have not met.",
    due=date(2026, 3, 9), decisions=("noted", "end"), about=("ben",),
)  # fmt: skip
FIRST = turn(
    1,
    open_requests=[ask("ada", "mentor"), ask("ben")],
    posts=[item("ada"), item("ben")],
    open_tasks=[STALLED],
    notes=[Note("one_silent", "ben", "check_in#1")],
)


@pytest.fixture
async def season(database: Database) -> Database:
    """The small cohort, put down, with one turn of the pair."""
    await launched(database)
    await applied(database, FIRST)
    return database


async def rows(database: Database, entity: type[Any]) -> list[Any]:
    async with database.session() as session:
        return list(await session.scalars(select(entity)))


async def answer(database: Database, person: str) -> None:
    async with database.begin() as session:
        key = ask(person).key
        await session.execute(
            insert(AnswerRow),
            [{"request": key, "version": 1, "submission": person, "person": person, "form": "check_in",
              "form_version": 1, "body": {}, "at": LATER}],
        )  # fmt: skip
        await session.execute(
            update(RequestRow).where(RequestRow.key == key).values(state="answered", answered_at=LATER)
        )


async def pair(database: Database) -> MentorshipRow:
    [row] = [row for row in await rows(database, MentorshipRow) if row.key == PAIR.key]
    return row


async def test_what_fell_due_while_nobody_worked_is_written_too(season: Database) -> None:
    """The ending would be lost if a turn counted as known by its number alone."""
    ending = Finish("completed", "", date(2026, 3, 4))
    [again] = await applied(
        season, replace(FIRST, now=LATER, snapshot=replace(FIRST.snapshot, over=True), finish=ending)
    )
    assert again.fresh
    [outcome] = await rows(season, OutcomeRow)
    assert (outcome.ending, (await pair(season)).state) == ("completed", "over")


async def test_nothing_is_there_twice(season: Database) -> None:
    before = await states(season)
    await applied(season, replace(FIRST, now=LATER))
    assert await states(season) == before
    assert [row.name for row in await rows(season, EventRow)] == ["one_silent"]
    [task] = await rows(season, TaskRow)
    assert (task.decision, task.closed_at) == ("", None)


async def test_a_mail_that_went_out_and_an_answer_that_came_in_stay(season: Database) -> None:
    async with season.begin() as session:
        await session.execute(update(ItemRow).where(ItemRow.person == "ben").values(state="sent"))
    await answer(season, "ben")
    moved = MoveRequest(ask("ben").key, date(2026, 3, 20), LATER + timedelta(days=20), reopen=True)
    await applied(season, turn(2, move_requests=[moved]))
    await answer_again(season, "ben")
    await applied(season, replace(FIRST, now=LATER), turn(2, LATER, move_requests=[moved]))
    found = {row.person: (row.state, row.answered_at) for row in await rows(season, RequestRow)}
    assert found == {"ada": ("open", None), "ben": ("answered", LATER)}
    assert (await states(season))["check_in#1/ben/request"] == "sent"


async def answer_again(database: Database, person: str) -> None:
    async with database.begin() as session:
        await session.execute(
            update(RequestRow).where(RequestRow.key == ask(person).key).values(state="answered", answered_at=LATER)
        )


async def test_a_decision_and_an_ending_that_the_workflow_has_forgotten_are_taken_back(season: Database) -> None:
    end = Finish("ended_early", "no_fault", date(2026, 3, 3))
    decided = turn(2, close_tasks=[CloseTask(STALLED.key, "end", "casey")], notes=[Note("task_decided")], finish=end)
    await applied(season, decided)
    await applied(season, turn(2, LATER, health="good"))
    [task] = await rows(season, TaskRow)
    assert (task.decision, task.by, task.closed_at) == ("", "", None)
    assert await rows(season, OutcomeRow) == []
    assert [row.name for row in await rows(season, EventRow)] == ["one_silent"]
    assert ((await pair(season)).ending, (await pair(season)).turn) == ("", 2)


async def test_a_task_that_is_not_opened_again_waits_for_nobody(season: Database) -> None:
    await applied(season, replace(FIRST, now=LATER, open_tasks=[]))
    [task] = await rows(season, TaskRow)
    assert (task.decision, task.closed_at) == ("overtaken", LATER)
    await applied(season, turn(2, LATER, open_tasks=[STALLED]))
    [task] = await rows(season, TaskRow)
    assert (task.decision, task.closed_at) == ("", None)


async def test_what_a_dead_worker_sends_late_changes_nothing(season: Database) -> None:
    await applied(season, replace(FIRST, now=LATER), turn(2, LATER, phase="midpoint"))
    late = [replace(FIRST, notes=[Note("nonsense")]), turn(2, LAUNCH, notes=[Note("nonsense")])]
    assert [one.fresh for one in await applied(season, *late)] == [False, False]
    assert [row.name for row in await rows(season, EventRow)] == ["one_silent"]
    assert (await pair(season)).phase == "midpoint"
