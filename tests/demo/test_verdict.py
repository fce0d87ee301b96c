"""What the verdict of a demo says of tasks and of what is held back, taken over and not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from sqlalchemy import update

from demo.check import Check
from demo.crowd import Crowd
from demo.season import DemoSeason
from demo.verdict import decisions, nothing_left
from operations.matching.publish import draft
from rehearsal.behaviour import Behaviour
from store.columns import public_id
from store.database import Database
from store.tables import ItemRow, TaskRow
from testing.environments.open_call import CLOSED, COHORT, launch_call, loaded_call
from tests.operations.test_publish import MENTEES, MENTORS, apply_as, published

DUE = CLOSED.date() + timedelta(days=5)
NOTHING_WAITS = "nothing waits in a postbox"


async def a_season(database: Database, *, taken_over: bool) -> tuple[DemoSeason, str]:
    """A season with a pair in which the mentee has reported something, and an open call whose pairs wait; the mentee.

    Only what the verdict reads of it is there: the rows, the cohort, and how people are known."""
    loaded = loaded_call()
    await launch_call(database, loaded)
    await apply_as(database, "mentor", "mo", mentees_at_most=1, **MENTORS)
    mentee = await apply_as(database, "mentee", "ella", **MENTEES)
    await published(database, await draft(database, COHORT))
    async with database.begin() as session:
        await session.execute(update(ItemRow).values(state="sent"))
        for kind, mentorship, about in (("match", "", []), ("safety", "m01", [mentee])):
            key = f"{COHORT}/{mentorship}/task.{kind}#1"
            session.add(
                TaskRow(
                    key=key, public_id=public_id(key), cohort=COHORT, mentorship=mentorship, kind=kind, number=1,
                    reason="", about=about, decisions=["publish"], due=DUE, opened_at=CLOSED, opened_on=CLOSED.date(),
                )
            )  # fmt: skip
    unused = cast("Any", None)
    crowd = Crowd(loaded, Behaviour(), database, unused, unused, lambda: CLOSED, unused)
    crowd.known_as[mentee] = "d05"
    playing = DemoSeason(unused, loaded, crowd, lambda _: None, taken_over=taken_over)
    playing._seats["d05"] = "Ella Quist"
    return playing, mentee


async def holds(database: Database, person: str, state: str) -> None:
    """Something waits in somebody's postbox in this state."""
    async with database.begin() as session:
        session.add(
            ItemRow(
                key=f"{COHORT}/m01/{state}", person=person, kind="request", name="check_in", number=1, cohort=COHORT,
                mentorship="m01", date=CLOSED.date(), queued_at=CLOSED, state=state,
            )
        )  # fmt: skip


async def left(database: Database, playing: DemoSeason) -> Check:
    """What is said of the postboxes."""
    async with database.session() as session:
        return await nothing_left(session, playing)


async def test_whoever_took_over_is_told_each_task_with_its_people_and_its_date(database: Database) -> None:
    playing, _ = await a_season(database, taken_over=True)
    async with database.session() as session:
        told = await decisions(session, playing)
    assert [(check.promise, check.counted, check.kept, check.waits) for check in told] == [
        ("a decision of yours: match", f"the open call, due on {DUE:%d %b %Y}", True, True),
        ("a decision of yours: safety", f"m01 of Ella Quist, due on {DUE:%d %b %Y}", True, True),
    ]
    async with database.begin() as session:
        await session.execute(update(TaskRow).where(TaskRow.kind == "safety").values(closed_at=CLOSED))
    async with database.session() as session:
        assert [check.promise for check in await decisions(session, playing)] == ["a decision of yours: match"]


async def test_nobody_is_told_of_tasks_of_a_season_that_nobody_took_over(database: Database) -> None:
    playing, _ = await a_season(database, taken_over=False)
    async with database.session() as session:
        assert await decisions(session, playing) == []


async def test_what_a_report_holds_back_waits_for_whoever_took_over_and_is_wrong_otherwise(
    database: Database,
) -> None:
    playing, mentee = await a_season(database, taken_over=True)
    assert (await left(database, playing)) == Check(True, NOTHING_WAITS, "0 items")
    await holds(database, mentee, "held")
    waits = await left(database, playing)
    assert (waits.kept, waits.waits) == (True, True)
    assert waits.counted == "1 items are held back until you decide what was reported"
    playing.taken_over = False
    assert not (await left(database, playing)).kept, "the simulated coordinator decides everything"
    playing.taken_over = True
    await holds(database, mentee, "queued")
    stuck = await left(database, playing)
    assert (stuck.kept, stuck.waits) == (False, False)
    assert stuck.counted.startswith("2 items: ")
