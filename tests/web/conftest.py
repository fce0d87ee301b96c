"""The pages in front of a real database; a real browser and a real server for those tests that need them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn

from store.database import Database
from tests.browser import browser  # noqa: F401
from tests.web.world import World, launched


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    """A launched cohort on SQLite."""
    async with Database.open(sqlite_url) as database:
        yield await launched(database)


@pytest.fixture
async def both(database: Database) -> World:
    """A launched cohort; the test runs on SQLite and on PostgreSQL."""
    return await launched(database)


@pytest.fixture
async def served(sqlite_url: str) -> AsyncIterator[World]:
    """A launched cohort whose pages are served on loopback; `settings.public_url` says where."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        async with Database.open(sqlite_url) as database:
            world = await launched(database, f"http://127.0.0.1:{port}")
            config = uvicorn.Config(world.app, access_log=False, log_config=None, lifespan="off")
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            yield world
            server.should_exit = True
            await serving
