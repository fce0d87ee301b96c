"""An installation for the command line: its environment, a development server, a sink, a production worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from operations.reach import now_of
from operations.settings import Settings
from operations.temporal import Waker
from store.database import Database
from tests.cli.desk import SECRET, Desk, Said, mentorship
from tests.devserver import Address, dev_server
from tests.sink import Sink
from tests.sink import running as running_sink
from worker import running as running_worker

__all__ = ["dev_server"]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A config folder."""
    return Desk.at(tmp_path / "config")


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment in which nothing answers: no database, no Temporal, no relay."""
    monkeypatch.chdir(tmp_path)
    variables = {
        "MENTORSHIP_DATA": str(tmp_path / "data"),
        "MENTORSHIP_SECRET": SECRET,
        "MENTORSHIP_SMTP_SECURITY": "none",
        "MENTORSHIP_SMTP_PORT": "9",
        "MENTORSHIP_MAIL_FROM": "mentoring@engine.example.org",
        "MENTORSHIP_PUBLIC_URL": "http://127.0.0.1:9",
        "MENTORSHIP_TASK_QUEUE": f"cli-{uuid4().hex[:8]}",
        "TEMPORAL_ADDRESS": "127.0.0.1:9",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@dataclass
class Office:
    """A running installation, and the command typed at it."""

    client: Client
    settings: Settings
    database: Database
    sink: Sink

    async def mentorship(self, *words: str, typed: str | None = None) -> Said:
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


@pytest.fixture
async def office(
    installation: pytest.MonkeyPatch, sqlite_url: str, dev_server: Address
) -> AsyncIterator[Office]:
    """A running installation: a migrated database, Temporal, a relay that takes every mail, a worker."""
    async with running_sink() as sink:
        installation.setenv("MENTORSHIP_DATABASE_URL", sqlite_url)
        installation.setenv("MENTORSHIP_SMTP_PORT", str(sink.port))
        installation.setenv("TEMPORAL_ADDRESS", dev_server.temporal)
        settings = Settings()  # pyright: ignore[reportCallIssue]
        client = await Client.connect(dev_server.temporal, data_converter=pydantic_data_converter)
        async with running_worker(client, settings, lambda: now_of(settings)) as database:
            await Waker(client, settings)(0)
            yield Office(client, settings, database, sink)
