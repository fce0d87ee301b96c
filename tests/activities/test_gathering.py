"""What falls due in an open call, and that a worker that dies in the middle of it mails nobody twice."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context

import pytest
from sqlalchemy import select, update

import activities.gathering
from activities.gathering import Gatherer
from activities.messages import CohortQuestion, Gathered
from operations.applications import forget_applications as forgetting
from operations.applications.apply import KEPT, LAPSES, apply, confirm
from operations.applications.forget_applications import forget_applications
from program.gathering import Wishes
from store.database import Database
from store.people import applications
from store.tables import ApplicationRow, CallRow, ItemRow, MembershipRow, ParticipantRow, TaskRow
from testing.environments.open_call import CLOSED, COHORT, OPEN, launch_call, loaded_call, typed_application

INVITED = [f"p{number}@example.org" for number in range(5)]
BEFORE = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)


async def wake(_shard: int) -> None:
    """Nobody sleeps here."""


async def gathered(database: Database, now: datetime) -> Gathered:
    """What is due by now is done, twice: the second time changes nothing."""
    gatherer = Gatherer(database, wake, forget_applications)
    await gatherer.gather(CohortQuestion(COHORT, now))
    before = await items(database)
    found = await gatherer.gather(CohortQuestion(COHORT, now))
    assert await items(database) == before
    return found


async def items(database: Database) -> Counter[tuple[str, int, str]]:
    """(name, number, state) of the mails of the call, to how many."""
    async with database.session() as session:
        rows = await session.execute(
            select(ItemRow.name, ItemRow.number, ItemRow.state).where(ItemRow.cohort == COHORT)
        )
        return Counter((name, number, state) for name, number, state in rows)


async def applies(database: Database, email: str, now: datetime, role: str = "mentee") -> None:
    """Somebody applies and confirms."""
    typed = typed_application(role, "A Person", email)
    await apply(database, COHORT, typed, role, timedelta(minutes=1), now)
    async with database.session() as session:
        found = await applications.of_address(session, COHORT, email)
    assert found is not None
    await confirm(database, found.id, found.generation, now)


async def test_a_call_opens_reminds_closes_asks_for_wishes_and_asks_the_coordinators(database: Database) -> None:
    await launch_call(database, loaded_call(Wishes(), invited=INVITED), BEFORE)
    found = await gathered(database, BEFORE)
    assert (found.stage, found.next_name) == ("planned", "invite")
    assert not await items(database)
    found = await gathered(database, datetime(2027, 1, 11, 8, tzinfo=UTC))
    assert (found.stage, found.next_name) == ("applying", "remind_invited")
    assert await items(database) == {("application_invited", 1, "queued"): 5}
    assert found.counts == {"invited": 5}
    await applies(database, INVITED[0], OPEN)
    await gathered(database, datetime(2027, 1, 21, 8, tzinfo=UTC))
    assert (await items(database))["application_invited", 2, "queued"] == 4
    await gathered(database, datetime(2027, 1, 29, 8, tzinfo=UTC))
    assert (await items(database))["application_invited", 3, "queued"] == 4
    found = await gathered(database, CLOSED)
    assert (found.stage, found.next_name) == ("wishing", "match")
    after = await items(database)
    assert after["application_wishes", 1, "queued"] == 1
    assert not any(name == "application_invited" and state == "queued" for name, _, state in after)
    found = await gathered(database, datetime(2027, 2, 9, 8, tzinfo=UTC))
    assert (found.stage, found.next_name) == ("matching", "match_repeated")
    async with database.session() as session:
        task = (await session.scalars(select(TaskRow))).one()
    assert (task.kind, task.due, task.mentorship) == ("match", date(2027, 2, 15), "")
    assert "1 mentee" in task.reason
    assert (await items(database))["application_wishes", 1, "dropped"] == 1, "nobody is asked for wishes any more"
    await gathered(database, datetime(2027, 2, 15, 8, tzinfo=UTC))
    found = await gathered(database, datetime(2027, 2, 17, 8, tzinfo=UTC))
    assert (found.stage, found.next_at) == ("matching", None)
    told = await items(database)
    assert (told["task_opened", 1, "queued"], told["task_repeated", 1, "queued"]) == (1, 1)


async def test_an_engine_that_was_away_tells_the_last_thing_only(database: Database) -> None:
    await launch_call(database, loaded_call(invited=INVITED), BEFORE)
    await gathered(database, datetime(2027, 1, 29, 8, tzinfo=UTC))
    assert await items(database) == {("application_invited", 1, "queued"): 5}, "a first mail is no reminder"
    await gathered(database, CLOSED)
    assert (await items(database))["application_invited", 1, "dropped"] == 5


async def test_a_cancelled_cohort_gathers_nobody(database: Database) -> None:
    from store.tables import CohortRow

    await launch_call(database, loaded_call(invited=INVITED), BEFORE)
    async with database.begin() as session:
        await session.execute(update(CohortRow).values(state="cancelled"))
    assert (await gathered(database, OPEN)).stage == "over"
    assert not await items(database)


async def test_applications_are_deleted_when_their_time_is_over(database: Database) -> None:
    await launch_call(database, loaded_call(), BEFORE)
    await apply(
        database, COHORT, typed_application("mentee", "X", "x@example.org"), "mentee", timedelta(minutes=1), OPEN
    )
    await applies(database, "left@example.org", OPEN)
    await applies(database, "placed@example.org", OPEN)
    await gathered(database, OPEN + timedelta(days=7))
    async with database.session() as session:
        emails = {each.email for each in await applications.of_cohort(session, COHORT)}
        placed = await applications.of_address(session, COHORT, "placed@example.org")
    assert emails == {"left@example.org", "placed@example.org"}
    assert placed is not None
    async with database.begin() as session:
        await session.execute(update(CallRow).values(published_at=CLOSED))
        from store.tables import MentorshipRow

        row = {"cohort": COHORT, "key": "m01", "program": "open-call", "program_hash": "", "format": "one_to_one",
               "start": date(2027, 4, 5), "midpoint": date(2027, 7, 5), "end": date(2027, 10, 4),
               "launched_on": date(2027, 2, 1)}  # fmt: skip
        session.add(MentorshipRow(**row))
        await session.flush()
        session.add(MembershipRow(cohort=COHORT, mentorship="m01", person=placed.person, role="mentee"))
    await forget_applications(database, COHORT, CLOSED + KEPT - timedelta(days=1))
    async with database.session() as session:
        assert len((await session.scalars(select(ApplicationRow))).all()) == 2
    await forget_applications(database, COHORT, CLOSED + KEPT)
    async with database.session() as session:
        [kept] = (await session.scalars(select(ApplicationRow))).all()
        left = (await session.scalars(select(ParticipantRow.email).where(ParticipantRow.id != placed.person))).all()
    assert kept.person == placed.person
    assert kept.body.get("b_confid") == 5
    assert "leading a team" not in repr(kept.body)
    assert "left@example.org" not in left


def _dies_after(path: str, posts: int) -> None:
    """A worker that is killed after so many mails are in postboxes."""
    import asyncio

    real = activities.gathering.post
    done = 0

    async def post(*arguments: Sequence[object]) -> object:
        nonlocal done
        if done == posts:
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1
        return await real(*arguments)  # pyright: ignore[reportArgumentType]

    async def run() -> None:
        activities.gathering.post = post  # pyright: ignore[reportAttributeAccessIssue]
        activities.gathering.PAGE = 1
        async with Database.open(path) as database:
            await Gatherer(database, wake, forget_applications).gather(CohortQuestion(COHORT, OPEN))

    asyncio.run(run())


async def test_a_worker_that_is_killed_loses_no_application_and_mails_nobody_twice(sqlite_url: str) -> None:
    async with Database.open(sqlite_url) as database:
        await launch_call(database, loaded_call(invited=INVITED), BEFORE)
        await applies(database, INVITED[4], OPEN)
        for posts in (0, 2, 1):
            worker = get_context("spawn").Process(target=_dies_after, args=(sqlite_url, posts))
            worker.start()
            worker.join(60)
            assert worker.exitcode == -signal.SIGKILL
        await gathered(database, OPEN)
        async with database.session() as session:
            rows = await session.scalars(select(ItemRow.person).where(ItemRow.name == "application_invited"))
            told = Counter(rows)
            counted = await applications.of_cohort(session, COHORT, ("confirmed",))
        assert sorted(told.values()) == [1] * 4
        assert [each.email for each in counted] == [INVITED[4]]


async def test_who_applies_twice_before_the_mail_leaves_is_asked_once_to_confirm(database: Database) -> None:
    await launch_call(database, loaded_call(Wishes()))
    typed = typed_application("mentee", "A Person", "twice@example.org")
    for hours in (0, 1):
        await apply(database, COHORT, typed, "mentee", timedelta(minutes=1), OPEN + timedelta(hours=hours))
    waiting = [name for name, _, state in (await items(database)).elements() if state == "queued"]
    assert waiting == [applications.CONFIRM]


async def test_who_confirms_while_lapsed_applications_are_deleted_stays(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await launch_call(database, loaded_call(Wishes()))
    for name in ("early", "late"):
        typed = typed_application("mentee", "A Person", f"{name}@example.org")
        await apply(database, COHORT, typed, "mentee", timedelta(minutes=1), OPEN)
    confirmed: list[str] = []

    async def another_confirms(*_: object, **__: object) -> None:
        """Between two deletions, the other one confirms."""
        async with database.session() as session:
            for left in await applications.of_cohort(session, COHORT):
                assert await confirm(database, left.id, left.generation, OPEN + LAPSES) is not None
                confirmed.append(left.id)

    monkeypatch.setattr(forgetting, "clean_up", another_confirms)
    await forget_applications(database, COHORT, OPEN + LAPSES)
    async with database.session() as session:
        stored = await applications.of_cohort(session, COHORT)
    assert len(confirmed) == 1, "one lapsed and was deleted"
    assert [(each.id, each.state) for each in stored] == [(confirmed[0], "confirmed")]
