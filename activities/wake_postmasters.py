"""Wakes the postmasters that would sleep past what was queued. The turns of one moment are looked after together.

A look is a transaction of its own, after the commits, and in a busy night as many turns are written in the same few
milliseconds as a worker takes at once. A turn that is alone waits for nobody.

A postmaster that was woken runs another round after the one that it is in, or from which it sleeps, and that one sees
all that was committed before it began. So it is woken once a round, however many turns queue something meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from store.database import Database
from store.shards import shards_to_wake, soonest

Wake = Callable[[int], Awaitable[None]]
"""Wakes the postmaster of a shard."""

WOKEN = 5.0
"""Real seconds after which a postmaster that began no round is woken again: Temporal may have been restored."""
APART = 0.03
"""Real seconds from one look to the next, while other turns are being written."""


async def wake_in_time(
    database: Database, earliest: Mapping[int, datetime], now: datetime, wake: Wake | None
) -> None:
    """Wake those that would sleep past what was queued (shard to its earliest moment, UTC), after the commit.

    `wake` may raise where Temporal is away.
    """
    if wake is None or not earliest:
        return
    async with database.session() as session:
        due = await shards_to_wake(session, earliest, now)
    for shard in due:
        await wake(shard)


class PostmasterWaking:
    """For the turns of one process, on one event loop."""

    def __init__(self, database: Database, wake: Wake) -> None:
        self._database = database
        self._wake = wake
        self._turns = self._waiting = 0
        self._all_wait = asyncio.Event()
        self._looked_at = float("-inf")
        self._earliest: dict[int, datetime] = {}
        self._now = datetime.min.replace(tzinfo=UTC)
        self._look: asyncio.Task[None] | None = None
        self._woken: dict[int, tuple[int, float]] = {}
        """Shard to how many rounds its postmaster had begun when it was woken, and when that was."""

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """For the length of a turn: others may be about to queue something too."""
        self._turns += 1
        try:
            yield
        finally:
            self._turns -= 1
            self._check()

    async def wake(self, earliest: Mapping[int, datetime], now: datetime) -> None:
        """Wake whom it takes, after the commit of a turn: shard to the earliest `deliver_at` of what it queued (UTC),
        and the turn's moment of program time. Raises what looking or waking raises."""
        self._earliest = soonest((*self._earliest.items(), *earliest.items()))
        self._now = max(self._now, now)
        if self._look is None:
            self._look = asyncio.create_task(self._look_and_wake())
        self._waiting += 1
        self._check()
        try:
            await asyncio.shield(self._look)
        finally:
            self._waiting -= 1

    def _check(self) -> None:
        if self._waiting >= self._turns:
            self._all_wait.set()
        else:
            self._all_wait.clear()

    async def _look_and_wake(self) -> None:
        clock = asyncio.get_running_loop().time
        with suppress(TimeoutError):
            await asyncio.wait_for(self._all_wait.wait(), max(self._looked_at + APART - clock(), 0))
        self._looked_at = clock()
        # A turn that comes from here on may have committed later than this look sees: it waits for the next one.
        earliest, self._earliest, self._look = self._earliest, {}, None
        async with self._database.session() as session:
            due = await shards_to_wake(session, earliest, self._now)
        for shard, rounds in due.items():
            woken_in, woken_at = self._woken.get(shard, (-1, 0.0))
            if woken_in != rounds or clock() >= woken_at + WOKEN:
                await self._wake(shard)
                self._woken[shard] = rounds, clock()
