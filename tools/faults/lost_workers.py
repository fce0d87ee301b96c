"""Workers that are lost while they live: one that stands still, and one that only Temporal can't reach.

Another worker takes over, and the lost one comes back in the middle of its round.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from sqlalchemy import func, select

from store.tables import MessageRow
from testing.servers.sink import ACCEPT, SLOW
from tools.faults.installation import Town

TAKEN_OVER = 60.0
"""Real seconds within which another worker has taken over: three times the longest silence of a worker."""
AFTER = 4
"""Days of the season that pass after the lost worker is back."""


async def worker_paused(here: Town) -> int:
    """A worker is stopped while it sends, until another one has sent everything; then it wakes up."""
    return await _lost(here, _stopped)


async def temporal_cut_off(here: Town) -> int:
    """A worker loses Temporal only while it sends, until another one has sent everything; then Temporal is back."""
    async with _cut_when_asked(here) as cut:

        async def lose(here: Town, worker: int) -> Callable[[], None]:
            return await cut()

        return await _lost(here, lose)


Lose = Callable[[Town, int], Awaitable[Callable[[], None]]]
"""Loses a worker (its process id) and returns what brings it back."""


async def _lost(here: Town, lose: Lose) -> int:
    [worker] = sorted(here.workers)
    here.sink.script("", SLOW)
    await here.until(lambda: _sends(here))
    claims = await _claims(here)
    back = await lose(here, worker)
    told, here.told = here.told, ""
    await here.add_worker()
    here.sink.script("", ACCEPT)
    await here.until(lambda: _taken_over(here, claims), TAKEN_OVER)
    back()
    here.told = told
    await here.days(AFTER)
    return 1


async def _stopped(here: Town, worker: int) -> Callable[[], None]:
    os.kill(worker, signal.SIGSTOP)

    def back() -> None:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGCONT)

    return back


async def _claims(here: Town) -> set[str]:
    async with here.database.session() as session:
        return set(await session.scalars(select(MessageRow.claim).where(MessageRow.state == "sending")))


async def _sends(here: Town) -> bool:
    return bool(await _claims(here))


async def _taken_over(here: Town, claims: set[str]) -> bool:
    """Whether nothing is held by the lost worker any more."""
    async with here.database.session() as session:
        held = await session.scalar(
            select(func.count(MessageRow.id)).where(MessageRow.state == "sending", MessageRow.claim.in_(claims))
        )
    return not held


@asynccontextmanager
async def _cut_when_asked(here: Town) -> AsyncIterator[Callable[[], Awaitable[Callable[[], None]]]]:
    """The worker reaches Temporal through a line that can be cut; afterwards directly again."""
    host, _, port = here.server.address.partition(":")
    whole = asyncio.Event()
    whole.set()
    pipes: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                await whole.wait()  # a line that is cut says nothing: neither data nor that it has ended
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole.wait()
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        for task in (carry(reader, far_writer), carry(far_reader, writer)):
            pipe = asyncio.create_task(task)
            pipes.add(pipe)
            pipe.add_done_callback(pipes.discard)

    async def cut() -> Callable[[], None]:
        whole.clear()
        return whole.set

    line = await asyncio.start_server(connected, "127.0.0.1")
    here.told = f"TEMPORAL_ADDRESS=127.0.0.1:{line.sockets[0].getsockname()[1]}"
    await here.restart_worker()
    try:
        yield cut
    finally:
        whole.set()
        here.told = ""
        await here.restart_worker()
        line.close()
        for pipe in pipes:
            pipe.cancel()
