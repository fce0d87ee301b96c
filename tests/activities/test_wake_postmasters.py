"""One look in SQL for the turns of a moment: postmasters that would sleep too long are woken, and none is missed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from activities import wake_postmasters
from activities.wake_postmasters import PostmasterWaking
from store.database import Database
from store.delivery import outbox

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Postmasters:
    """Those that were woken, in order; those in `broken` can't be reached."""

    def __init__(self, database: Database, *broken: int) -> None:
        self.woken: list[int] = []
        self.broken = broken
        self.waking = PostmasterWaking(database, self.wake)
        self.looks: list[str] = []
        event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *seen: self.looks.append(seen[2]))

    async def wake(self, shard: int) -> None:
        if shard in self.broken:
            raise ConnectionError
        self.woken.append(shard)

    async def turn(self, earliest: dict[int, datetime], *, takes: float = 0.0) -> None:
        async with self.waking.turn():
            await asyncio.sleep(takes)
            await self.waking.wake(earliest, NOW)

    @property
    def looked(self) -> int:
        """How often it was looked."""
        return len([text for text in self.looks if "FROM postmasters" in text])


async def sleeping(database: Database, **until: datetime) -> None:
    async with database.begin() as session:
        for shard, at in until.items():
            await outbox.write_wake(session, int(shard.removeprefix("shard")), at)


async def test_turns_of_one_moment_are_looked_after_together(database: Database) -> None:
    await sleeping(database, shard0=NOW + HOUR, shard1=NOW + 3 * HOUR)
    postmasters = Postmasters(database)
    earlier, later = {0: NOW + 2 * HOUR}, {1: NOW + 2 * HOUR, 2: NOW + HOUR}
    await asyncio.gather(*(postmasters.turn(earliest) for earliest in (earlier, later, later, earlier) * 3))
    assert sorted(postmasters.woken) == [1, 2]  # 0 wakes early enough by itself, 2 has never slept
    assert postmasters.looked == 1


async def test_a_turn_that_is_alone_waits_for_nobody(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake_postmasters, "APART", 60.0)
    postmasters = Postmasters(database)
    async with asyncio.timeout(20):
        for shard in range(3):
            await postmasters.turn({shard: NOW})
    assert postmasters.woken == [0, 1, 2]


async def test_a_turn_that_takes_long_keeps_the_others_for_a_moment_only(database: Database) -> None:
    postmasters = Postmasters(database)
    await postmasters.turn({0: NOW})
    long = asyncio.create_task(postmasters.turn({3: NOW}, takes=60.0))
    async with asyncio.timeout(20):
        await asyncio.gather(*(postmasters.turn({shard: NOW}) for shard in (1, 2)))
    assert sorted(postmasters.woken) == [0, 1, 2]
    long.cancel()
    with pytest.raises(asyncio.CancelledError):
        await long


async def test_a_turn_that_comes_while_it_is_looked_gets_a_look_of_its_own(database: Database) -> None:
    await sleeping(database, shard0=NOW + HOUR)
    postmasters = Postmasters(database)
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def hold(shard: int) -> None:
        postmasters.woken.append(shard)
        reached.set()
        await go_on.wait()

    postmasters.waking._wake = hold
    first = asyncio.create_task(postmasters.turn({1: NOW}))
    await reached.wait()
    second = asyncio.create_task(postmasters.turn({0: NOW}))
    go_on.set()
    async with asyncio.timeout(20):
        await asyncio.gather(first, second)
    assert postmasters.woken == [1, 0]
    assert postmasters.looked == 2


async def test_every_turn_hears_that_a_postmaster_could_not_be_woken(database: Database) -> None:
    postmasters = Postmasters(database, 1)
    outcomes = await asyncio.gather(*(postmasters.turn({shard: NOW}) for shard in (0, 1)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionError, ConnectionError]
    await postmasters.turn({2: NOW})
    assert postmasters.woken == [0, 2]


async def begin_round(database: Database, shard: int) -> None:
    async with database.begin() as session:
        await outbox.begin_round(session, shard)


async def test_a_postmaster_is_woken_once_in_a_round(database: Database) -> None:
    postmasters = Postmasters(database)
    for round_ in (1, 2, 3):  # the first one finds no row of its shard
        for _ in range(4):
            await postmasters.turn({0: NOW})
        assert postmasters.woken == [0] * round_
        await begin_round(database, 0)
    await sleeping(database, shard0=NOW + HOUR)
    for earlier in (30, 20, 10):
        await postmasters.turn({0: NOW + timedelta(minutes=earlier)})
    assert postmasters.woken == [0] * 4, "woken from the sleep after a round"


async def test_who_could_not_be_woken_is_woken_by_the_next_turn(database: Database) -> None:
    postmasters = Postmasters(database, 0)
    with pytest.raises(ConnectionError):
        await postmasters.turn({0: NOW})
    postmasters.broken = ()
    await postmasters.turn({0: NOW})
    assert postmasters.woken == [0]


async def test_who_begins_no_round_for_long_is_woken_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    postmasters = Postmasters(database)
    await postmasters.turn({0: NOW})
    monkeypatch.setattr(wake_postmasters, "WOKEN", 0.0)
    await postmasters.turn({0: NOW})
    assert postmasters.woken == [0, 0]
