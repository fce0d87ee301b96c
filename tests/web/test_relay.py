"""What workflows could not be told is told later: in order, once, and a bad row stands in nobody's way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from runtime.outbox_relay import (
    AT_ONCE,
    GRACE,
    LAG,
    LONGEST_WAIT,
    hand_over,
    put_off,
    relay_forever,
    relay_once,
    relays_until,
)
from store import workflow_outbox
from store.database import Database
from store.tables import RelayRow
from store.workflow_outbox import OutboxEvent
from testing.environments.web_env import NOW

HOUR = timedelta(hours=1)


class Workflows:
    """Every workflow; those named in `broken` take nothing."""

    def __init__(self, *broken: str) -> None:
        self.broken = set(broken)
        self.taken: list[str] = []
        self.tried: list[str] = []

    async def tell(self, cohort: str, mentorship: str, event: str, payload: dict[str, Any], id_: str) -> None:
        self.tried.append(id_)
        if mentorship in self.broken or id_ in self.broken:
            raise RuntimeError("broken")
        self.taken.append(id_)


async def committed(database: Database, *rows: tuple[str, str], at: datetime = NOW) -> None:
    """Rows (id, mentorship), as if they had happened one after the other."""
    async with database.begin() as session:
        for number, (id_, mentorship) in enumerate(rows):
            payload = {"id": id_, "at": (at + timedelta(seconds=number)).isoformat()}
            await workflow_outbox.put(session, OutboxEvent(id_, "spring", mentorship, "Answered", payload), at)


async def left(database: Database) -> list[str]:
    async with database.session() as session:
        return sorted(await session.scalars(select(RelayRow.id)))


async def test_rows_are_told_once_and_in_the_order_in_which_they_happened(database: Database) -> None:
    await committed(database, ("z", "pair"), ("a", "pair"), ("m", "pair"))
    workflows = Workflows()
    assert await relay_once(database, workflows.tell, NOW + HOUR) == 3
    assert await relay_once(database, workflows.tell, NOW + 2 * HOUR) == 0
    assert workflows.taken == ["z", "a", "m"]
    assert await left(database) == []


async def test_a_bad_row_keeps_back_neither_others_nor_its_own_mentorship(database: Database) -> None:
    await committed(database, ("bad", "pair"), ("good", "pair"), ("other", "group"))
    workflows = Workflows("bad")
    for round_ in range(1, 4):
        await relay_once(database, workflows.tell, NOW + round_ * HOUR)
    assert sorted(workflows.taken) == ["good", "other"]
    assert await left(database) == ["bad"]


async def test_a_row_that_fails_is_put_off_further_and_further(database: Database) -> None:
    await committed(database, ("bad", "pair"))
    workflows = Workflows("bad")
    tries: list[int] = []
    for second in range(0, 400, 5):
        before = len(workflows.tried)
        await relay_once(database, workflows.tell, NOW + timedelta(seconds=second))
        if len(workflows.tried) > before:
            tries.append(second)
    assert tries == [0, 10, 30, 70, 150, 310]
    assert put_off(50) == LONGEST_WAIT


async def test_a_long_outage_costs_one_round_of_a_few_rows(database: Database) -> None:
    await committed(database, *((f"r{number:02}", f"m{number:02}") for number in range(40)))
    workflows = Workflows(*(f"m{number:02}" for number in range(40)))
    assert await relay_once(database, workflows.tell, NOW) == 0
    assert len(workflows.tried) == AT_ONCE
    workflows.broken.clear()
    assert await relay_once(database, workflows.tell, NOW + HOUR) == 40


async def test_processes_that_relay_at_the_same_moment_leave_nothing_behind(database: Database) -> None:
    await committed(database, *((f"r{number}", f"m{number}") for number in range(6)))
    workflows = Workflows()
    await asyncio.gather(*(relay_once(database, workflows.tell, NOW + HOUR) for _ in range(3)))
    # Two of them may tell the same row at the same moment: the id makes it one update.
    assert set(workflows.taken) == {f"r{number}" for number in range(6)}
    assert await left(database) == []


async def test_a_page_tells_what_waits_for_its_mentorship_up_to_the_first_failure(database: Database) -> None:
    await committed(database, ("one", "pair"), ("two", "pair"), ("three", "pair"), ("other", "group"))
    workflows = Workflows("two")
    assert await hand_over(database, workflows.tell, "spring", "pair", NOW) is False
    assert workflows.tried == ["one", "two"]
    workflows.broken.clear()
    assert await hand_over(database, workflows.tell, "spring", "pair", NOW) is True
    assert workflows.taken == ["one", "two", "three"]
    assert await left(database) == ["other"]


async def test_what_a_page_has_just_committed_is_told_without_being_read_or_claimed(database: Database) -> None:
    only = OutboxEvent("one", "spring", "pair", "Answered", {"id": "one"})
    async with database.begin() as session:
        assert await workflow_outbox.put(session, only, NOW + GRACE)
    workflows = Workflows("one")
    assert await hand_over(database, workflows.tell, "spring", "pair", NOW, only) is False
    # Its own process failed, so the row is left as it was: a worker takes it up when the grace is over.
    assert await relay_once(database, workflows.tell, NOW) == 0
    workflows.broken.clear()
    assert await relay_once(database, workflows.tell, NOW + GRACE) == 1
    async with database.begin() as session:
        assert await workflow_outbox.put(session, replace(only, id="two"), NOW + GRACE)
    assert await hand_over(database, workflows.tell, "spring", "pair", NOW, replace(only, id="two")) is True
    assert workflows.taken == ["one", "two"]
    assert await left(database) == []


async def test_a_row_knows_whether_others_wait_for_its_workflow(database: Database) -> None:
    await committed(database, ("one", "pair"), ("other", "group"))
    async with database.begin() as session:
        put = [
            await workflow_outbox.put(session, OutboxEvent(id_, "spring", mentorship, "Answered", {}), NOW)
            for id_, mentorship in (("two", "pair"), ("three", "alone"), ("four", "alone"))
        ]
    assert put == [False, True, False]


async def test_a_fast_clock_leaves_a_page_the_time_to_tell_what_it_has_committed(database: Database) -> None:
    speed = 50_000.0
    await committed(database, ("one", "pair"), at=NOW + GRACE)
    workflows = Workflows()

    async def relayed(later: timedelta) -> int:
        return await relay_once(database, workflows.tell, relays_until(NOW + later * speed, speed))

    assert await relayed(LAG - timedelta(seconds=0.5)) == 0
    assert await relayed(LAG + timedelta(seconds=0.5)) == 1
    assert relays_until(NOW, 1.0) == NOW


async def test_a_workflow_that_hangs_is_given_up_on(database: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr("runtime.outbox_relay.PATIENCE", 0.01)
    await committed(database, ("one", "pair"))

    async def hang(*_: Any) -> None:
        await asyncio.Event().wait()

    assert await relay_once(database, hang, NOW) == 0
    assert await left(database) == ["one"]


async def test_relaying_for_ever_ends_when_it_is_told_to(database: Database) -> None:
    await committed(database, ("one", "pair"))
    stop = asyncio.Event()

    async def tell(*_: Any) -> None:
        stop.set()

    await relay_forever(database, tell, lambda: NOW + HOUR, stop, every=0.01)
    assert await left(database) == []


async def test_a_database_that_is_away_does_not_end_the_relay() -> None:
    database = Database.open("sqlite+aiosqlite:////nowhere/at/all.db")
    stop = asyncio.Event()
    rounds: list[int] = []

    def now() -> datetime:
        rounds.append(1)
        if len(rounds) == 3:
            stop.set()
        return NOW

    await relay_forever(database, Workflows().tell, now, stop, every=0.01)
    assert len(rounds) == 3
    await database.close()
