"""An installation for the command line: its environment, a development server, a sink, a production worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client

from lifecycle.events import Answered
from lifecycle.findings import Signals
from operations.cohorts import load
from runtime.settings import Settings, now_of
from runtime.temporal import Waker, send
from store.database import Database, migrate
from store.tables import TaskRow
from testing.environments.cli_env import SECRET, CommandResult, ConfigFolder, check_templates_once, mentorship
from testing.servers.dev_server import Address, cleared, dev_server
from testing.servers.sink import Sink
from testing.servers.sink import running as running_sink
from worker import running as running_worker

__all__ = ["dev_server"]


@pytest.fixture
def config_folder(tmp_path: Path) -> ConfigFolder:
    """A config folder."""
    return ConfigFolder.at(tmp_path / "config")


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment in which nothing answers: no database, no Temporal, no relay."""
    settle(monkeypatch, tmp_path)
    return monkeypatch


def settle(environment: pytest.MonkeyPatch, folder: Path) -> None:
    """Set what an installation needs to know, for a folder of its own and servers that are not there."""
    environment.chdir(folder)
    variables = {
        "MENTORSHIP_DATA": str(folder / "data"),
        "MENTORSHIP_SECRET": SECRET,
        "MENTORSHIP_SMTP_SECURITY": "none",
        "MENTORSHIP_SMTP_PORT": "9",
        "MENTORSHIP_MAIL_FROM": "mentoring@engine.example.org",
        "MENTORSHIP_PUBLIC_URL": "http://127.0.0.1:9",
        "MENTORSHIP_TASK_QUEUE": f"cli-{uuid4().hex[:8]}",
        "TEMPORAL_ADDRESS": "127.0.0.1:9",
    }
    for name, value in variables.items():
        environment.setenv(name, value)
    environment.setattr(load, "check_templates", check_templates_once)


@dataclass
class CliEnv:
    """A running installation, and the command typed at it."""

    client: Client
    settings: Settings
    database: Database
    sink: Sink

    async def mentorship(self, *words: str, typed: str | None = None) -> CommandResult:
        """Type a command while the worker works on."""
        return await asyncio.to_thread(mentorship, *words, typed=typed)

    async def until(self, what: Callable[[], Coroutine[Any, Any, bool]] | Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(90):
            while True:
                found = what()
                if found if isinstance(found, bool) else await found:
                    return
                await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
async def cli_env(dev_server: Address, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CliEnv]:
    """A running installation: a migrated database, Temporal, a relay that takes every mail, a worker."""
    folder = tmp_path_factory.mktemp("office")
    with pytest.MonkeyPatch.context() as environment:
        async with running_sink() as sink:
            settle(environment, folder)
            environment.setenv("MENTORSHIP_SMTP_PORT", str(sink.port))
            environment.setenv("TEMPORAL_ADDRESS", dev_server.temporal)
            # Half a minute, for which mails wait for each other, passes in three seconds.
            environment.setenv("MENTORSHIP_SPEED", "10")
            environment.setenv("MENTORSHIP_EPOCH", datetime.now(UTC).isoformat())
            client = await cleared(dev_server)
            settings = Settings()  # pyright: ignore[reportCallIssue]
            await asyncio.to_thread(migrate, settings.database)
            async with running_worker(client, settings, lambda: now_of(settings)) as database:
                await Waker(client, settings)(0)
                yield CliEnv(client, settings, database, sink)


async def invited(cli_env: CliEnv, name: str, people: int) -> None:
    """Wait until so many people of a cohort have their invitation."""

    def all_have() -> bool:
        return len({mail.recipient for mail in cli_env.sink.received if f"@{name}." in mail.recipient}) >= people

    await cli_env.until(all_have)


async def declined(cli_env: CliEnv, name: str, person: str = "a1", key: str = "m1") -> str:
    """Somebody declines; the key of the task that opens."""
    event = Answered(
        f"decline/{name}/{person}", f"{name}-{person}", "invitation", 1, Signals(accepted=False), datetime.now(UTC)
    )
    await send(cli_env.client, name, key, event)
    task = f"{name}/{key}/task.seat_empty#1"

    async def opened() -> bool:
        async with cli_env.database.session() as session:
            return await session.get(TaskRow, task) is not None

    await cli_env.until(opened)
    return task
