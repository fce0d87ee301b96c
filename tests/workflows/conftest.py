"""The one season that the tests of this room and of the rehearsal share, and a server for real time."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from store.database import migrate
from testing.environments.dev_server_env import EarlyServer
from testing.seasons.played_season import PlayedSeason, play
from testing.servers.dev_server import Address, free_port

_played: list[PlayedSeason] = []


@pytest.fixture(scope="session")
async def season(tmp_path_factory: pytest.TempPathFactory) -> PlayedSeason:
    """All cases, played once a run over Temporal's time-skipping server."""
    if not _played:
        folder = tmp_path_factory.mktemp("season")
        url = f"sqlite+aiosqlite:///{folder / 'season.db'}"
        migrate(url)
        _played.append(await play(folder, url))
    return _played[0]


@pytest.fixture(scope="session")
async def early_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Address]:
    """A development server that suggests to continue as new very early."""
    server = EarlyServer(free_port(), free_port(), tmp_path_factory.mktemp("temporal") / "temporal.log")
    await server.start()
    try:
        yield Address(server.address, server.ui)
    finally:
        await server.stop()
