"""The pages in front of a real database; a real browser and a real server for those tests that need them."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from store.database import Database
from testing.environments.web_env import WebEnv, launch, web_env_of
from testing.servers.browser import browser  # noqa: F401
from web.server import server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _launched(tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path) -> Path:
    path = tmp_path_factory.mktemp("web") / "launched.db"
    shutil.copy(_sqlite_template, path)
    async with Database.open(f"sqlite+aiosqlite:///{path}") as database:
        await launch(database)
    return path


@pytest.fixture
async def web_env(_launched: Path, tmp_path: Path) -> AsyncIterator[WebEnv]:
    """A launched cohort on SQLite."""
    shutil.copy(_launched, tmp_path / "launched.db")
    async with Database.open(f"sqlite+aiosqlite:///{tmp_path / 'launched.db'}") as database:
        yield web_env_of(database)


@pytest.fixture
async def both(database: Database) -> WebEnv:
    """A launched cohort; the test runs on SQLite and on PostgreSQL."""
    await launch(database)
    return web_env_of(database)


@pytest.fixture
async def served(web_env: WebEnv) -> AsyncIterator[WebEnv]:
    """A launched cohort whose pages are served on loopback; `settings.public_url` says where."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        at_home = web_env_of(web_env.database, f"http://127.0.0.1:{listening.getsockname()[1]}")
        serving_it = server(at_home.app, at_home.settings)
        serving = asyncio.create_task(serving_it.serve(sockets=[listening]))
        yield at_home
        serving_it.should_exit = True
        await serving
