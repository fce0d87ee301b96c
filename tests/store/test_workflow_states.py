"""The state of a mentorship is written with each turn, and is what a workflow that is behind continues from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from lifecycle.advance import begin
from lifecycle.commands import Batch, Note
from lifecycle.saved_state import load, save, unanswered_questions
from lifecycle.state import Member, State
from store.database import Database
from store.mentorships.missing_workflows import (
    continuable,
    known_as_lost,
    mark,
    must_run,
    still_must_run,
    without_saved_state,
)
from store.tables import EventRow, MentorshipRow
from testing.cohorts.small_cohort import COHORT, GROUP, LAUNCH, PAIR, PROGRAM, START, applied, launched, turn

LATER = LAUNCH + timedelta(hours=1)
HERE = (COHORT, PAIR.key)


def state(number: int) -> State:
    """What the pair's workflow remembers after its turn of this number."""
    members = [Member("ada", "mentor", "Europe/Paris"), Member("ben", "mentee", "America/New_York")]
    found = begin(PROGRAM, COHORT, PAIR.key, START, "Europe/Paris", LAUNCH.date(), members, ["casey"])
    found.turn = number
    return found


def said(number: int, at: datetime = LAUNCH) -> Batch:
    """A turn with its state and a line for the record."""
    return replace(turn(number, at, notes=[Note(f"turn {number}")]), state=save(state(number)))


@pytest.fixture
async def season(database: Database) -> Database:
    """The small cohort, with two turns of the pair."""
    await launched(database)
    await applied(database, said(1), said(2, LATER))
    async with database.begin() as session:
        await session.execute(update(MentorshipRow).where(MentorshipRow.key == PAIR.key).values(state="running"))
    return database


async def noted(database: Database) -> list[str]:
    async with database.session() as session:
        return list(await session.scalars(select(EventRow.name).order_by(EventRow.id)))


async def test_a_workflow_that_is_behind_is_given_the_state_of_the_last_turn(season: Database) -> None:
    before = await noted(season)
    for again in (said(1, LATER + timedelta(days=1)), said(2, LATER + timedelta(days=1)), said(2, LAUNCH)):
        [answer] = await applied(season, again)
        assert (answer.fresh, answer.state) == (False, state(2)), "also where its clock is behind"
    assert await noted(season) == before, "nothing is written, and nothing taken back"
    [answer] = await applied(season, said(3, LATER + timedelta(days=2)))
    assert (answer.fresh, answer.state) == (True, None)


async def test_a_workflow_that_only_asks_writes_nothing(season: Database) -> None:
    before = await noted(season)
    for number in (3, 9):
        [answer] = await applied(season, replace(said(number, LATER + timedelta(days=1)), only_asks=True))
        assert (answer.fresh, answer.state) == (False, None)
    [answer] = await applied(season, replace(said(1, LATER + timedelta(days=1)), only_asks=True))
    assert answer.state == state(2)
    async with season.begin() as session:
        await session.execute(update(MentorshipRow).values(workflow_state=None))
    [answer] = await applied(season, replace(said(1, LATER + timedelta(days=1)), only_asks=True))
    assert (answer.fresh, answer.state) == (False, None), "an older release wrote it, and its turns stay"
    assert await noted(season) == before


async def test_a_second_try_to_write_the_last_turn_is_known(season: Database) -> None:
    [answer] = await applied(season, said(2, LATER))
    assert (answer.fresh, answer.state) == (False, None)


async def test_a_turn_of_an_older_release_leaves_no_state_behind(season: Database) -> None:
    """What it wrote over would be older than the turn: a workflow must not continue from it."""
    await applied(season, replace(said(3, LATER + timedelta(hours=1)), state=""))
    async with season.session() as session:
        assert await without_saved_state(session) == 1
        [found] = await continuable(session, COHORT, [PAIR.key])
    assert (found.turn, found.state) == (3, None)


async def test_a_state_that_is_older_than_its_turn_is_not_used(season: Database) -> None:
    """A worker of an older release wrote a turn and left the state as it was."""
    async with season.begin() as session:
        await session.execute(update(MentorshipRow).where(MentorshipRow.key == PAIR.key).values(turn=3))
        [found] = await continuable(session, COHORT, [PAIR.key])
    assert (found.turn, found.state) == (3, None)


async def test_what_must_run_and_what_is_lost(season: Database) -> None:
    async with season.begin() as session:
        assert await must_run(session) == {HERE}, "the group is planned only"
        assert await still_must_run(session, [HERE, (COHORT, GROUP.key)]) == {HERE}
        await mark(session, [HERE], datetime.now(UTC))
        assert await known_as_lost(session) == {HERE}
        await mark(session, [HERE], None)
        assert await known_as_lost(session) == set()
        its_row = update(MentorshipRow).where(MentorshipRow.key == PAIR.key)
        await session.execute(its_row.values(state="over", next_at=LATER))
        assert await must_run(session) == {HERE}, "its follow-up is ahead"
        await session.execute(its_row.values(next_at=None, open_tasks=1))
        assert await must_run(session) == {HERE}, "a coordinator must decide"
        await session.execute(its_row.values(open_tasks=0))
        assert await must_run(session) == set()
        assert await session.scalar(select(func.count(MentorshipRow.key))) == 2


def test_a_state_is_read_as_it_was_written() -> None:
    before = state(7)
    before.steps[0].assessing, before.steps[0].asked = True, ["ada", "ben"]
    assert load(save(before)) == before
    assert [(one.ask, [person for _, person, _ in one.requests]) for one in unanswered_questions(before, LATER)] == [  # pyright: ignore[reportAttributeAccessIssue]
        (before.steps[0].name, ["ada", "ben"])
    ]
