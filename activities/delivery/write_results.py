"""Writes down what came of the mails of a round, while the others are still being sent.

A result that can't be written keeps no other back: it is kept in memory and tried again by the next round.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from activities.batches import Written, is_away, write_batch
from store.database import Database
from store.delivery import results
from store.delivery.results import Result

WRITE_DOWN = 0.05
"""Real seconds after which results are written down: so much is in doubt when the process dies."""
TRIES_TO_WRITE = 5


class ResultWriter:
    """Writes the results of one round at `now` (program time, UTC). `remember` takes what was in the way."""

    def __init__(self, database: Database, now: datetime, remember: Callable[[str], None]) -> None:
        self._database = database
        self._now = now
        self._remember = remember
        self._unwritable: list[tuple[Result, Exception]] = []
        self._written = 0
        self.done: list[Result] = []
        """Results that are not written yet; add to it."""
        self.bounced: list[str] = []
        """Ids of those whose address turned out to refuse mail for good."""

    @property
    def left(self) -> list[Result]:
        """What could not be written."""
        return [*self.done, *(result for result, _ in self._unwritable)]

    @property
    def failure(self) -> Exception | None:
        """Why nothing at all could be written: that is the database, not a row."""
        return self._unwritable[0][1] if self._unwritable and not self._written else None

    async def write_left(self, left: Sequence[Result]) -> list[Result]:
        """Write what the rounds before could not write; what still can't be written. Without it, mails that the relay
        has would go once more."""
        return [result for result, _ in await self._write(left)]

    async def run(self, finished: asyncio.Event, failed: Callable[[], None]) -> None:
        """Write whatever is done until the round has finished. Calls `failed` when the database is away, and raises
        its error."""
        clock = asyncio.get_running_loop().time
        pause = WRITE_DOWN
        while not finished.is_set() or self.done:
            with suppress(TimeoutError):
                await asyncio.wait_for(finished.wait(), pause)
            some, self.done[:] = self.done[:], []
            began = clock()
            try:
                unwritable = await self._write(some)
            except BaseException:
                failed()  # what is sent now could not be written down either
                self.done[:0] = some
                raise
            self._unwritable += unwritable
            self._written += len(some) - len(unwritable)
            pause = max(WRITE_DOWN, 2 * (clock() - began))  # a slow database is not asked more often for it

    async def _write(self, some: Sequence[Result]) -> list[tuple[Result, Exception]]:
        """Write these results; those that can't be written, and why. What came of a mail must not be lost to a
        deadlock or a busy database, so that is tried several times before it is raised."""

        async def settle(session: AsyncSession, part: Sequence[Result]) -> list[str]:
            return await results.settle(session, part, self._now)

        for attempt in range(1, TRIES_TO_WRITE):
            try:
                return self._counted(await write_batch(self._database, some, settle))
            except Exception as error:
                if not is_away(error):
                    raise
                await asyncio.sleep(0.1 * 2**attempt)
        return self._counted(await write_batch(self._database, some, settle))

    def _counted(self, written: Written[Result, list[str]]) -> list[tuple[Result, Exception]]:
        self.bounced += [person for part in written.results for person in part]
        for _, error in written.failed:
            self._remember(f"not written: {type(error).__name__}")
        return written.failed
