"""A launch that is killed half-way, worker and all, is finished by running it again, and nobody is invited twice.

The letterbox is closed while mentorships start, so that the mails of the whole launch are looked at together.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from activities.messages import DeliverInput
from lifecycle.local_time import instant
from runtime.settings import Settings, now_of
from runtime.smtp import transport_of
from runtime.temporal import Waker
from store.database import Database, migrate
from store.tables import MentorshipRow
from testing.environments.cli_env import ConfigFolder, closed_now, mentorship, today
from testing.servers.dev_server import Address, cleared
from testing.servers.sink import running as running_sink
from worker import make_post_office
from worker import running as running_worker

PAIRS = 40
"""Many enough that the launch is still under way when it is killed."""
PROGRAM = [sys.executable, "-c", "from cli.main import main; main()"]

Reached = Callable[[Database], Awaitable[bool]]


@asynccontextmanager
async def process(*words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command in a process of its own, which is killed at the end, if not before."""
    root = Path(__file__).parent.parent.parent
    started = await asyncio.create_subprocess_exec(
        *PROGRAM, *words, env=os.environ | {"PYTHONPATH": str(root)},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield started
    finally:
        if started.returncode is None:
            started.send_signal(signal.SIGKILL)
        await started.wait()


async def how_many(database: Database, *which: object) -> int:
    """Mentorships in the store."""
    async with database.session() as session:
        return await session.scalar(select(func.count()).select_from(MentorshipRow).where(*which)) or 0  # pyright: ignore[reportArgumentType]


async def put_down(database: Database) -> bool:
    """The first are in the store."""
    return await how_many(database) > 0


async def first_turn(database: Database) -> bool:
    """The first workflow has had its first turn."""
    return await how_many(database, MentorshipRow.turn > 0) > 0


async def until(reached: Reached, database: Database) -> None:
    """Wait until a launch has come so far."""
    async with asyncio.timeout(90):
        while not await reached(database):
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("reached", [put_down, first_turn], ids=lambda reached: reached.__name__)
async def test_a_launch_killed_half_way_is_finished_by_the_next(
    reached: Reached, dev_server: Address, installation: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    letterbox, opens = closed_now()
    file = str(ConfigFolder.at(tmp_path / "config", letterbox).cohort(reached.__name__.replace("_", "-"), PAIRS))
    async with running_sink() as sink:
        installation.setenv("MENTORSHIP_SMTP_PORT", str(sink.port))
        installation.setenv("TEMPORAL_ADDRESS", dev_server.temporal)
        client = await cleared(dev_server)
        settings = Settings()  # pyright: ignore[reportCallIssue]
        await asyncio.to_thread(migrate, settings.database)
        async with Database.open(settings.database) as database:
            async with process("worker"), process("launch", file, "--yes"):
                await until(reached, database)
            assert await how_many(database, MentorshipRow.turn > 0) < PAIRS, (
                "the launch was over before it was killed"
            )

            async with running_worker(client, settings, lambda: now_of(settings)):
                await Waker(client, settings)(0)
                said = await asyncio.to_thread(mentorship, "launch", file, "--yes")
                assert said.code == 0, said.err
                assert await how_many(database, MentorshipRow.state == "running") == PAIRS

                async def all_began(database: Database) -> bool:
                    return await how_many(database, MentorshipRow.turn > 0) == PAIRS

                await until(all_began, database)
                again = await asyncio.to_thread(mentorship, "launch", file, "--yes", "--json")
                assert again.json["state"] == "nothing_to_do"

            assert sink.received == []
            transport = transport_of(settings)
            postmaster = make_post_office(settings, database, transport)
            morning = instant(today() + timedelta(days=1), opens, "UTC") + timedelta(minutes=1)
            for minutes in range(2):
                await postmaster.deliver(DeliverInput(0, morning + timedelta(minutes=minutes)))
            await transport.close()
        invitations = Counter(mail.recipient for mail in sink.received)
        assert len(invitations) == 2 * PAIRS
        assert set(invitations.values()) == {1}
        assert len({mail.id for mail in sink.received}) == 2 * PAIRS
