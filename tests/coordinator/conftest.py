"""The coordinators' pages in front of a launched cohort, behind TLS as far as cookies can tell."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.database import Database
from testing.environments.web_env import WebEnv, web_env_of
from testing.servers.browser import browser  # noqa: F401
from tests.web.conftest import _launched  # noqa: F401
from web.server import server


@pytest.fixture
async def web_env(_launched: Path, tmp_path: Path) -> AsyncIterator[WebEnv]:  # noqa: F811
    """A launched cohort on SQLite; its pages are at https://pages.test."""
    shutil.copy(_launched, tmp_path / "launched.db")
    async with Database.open(f"sqlite+aiosqlite:///{tmp_path / 'launched.db'}") as database:
        yield web_env_of(database, "https://pages.test")


@pytest.fixture
async def served(web_env: WebEnv) -> AsyncIterator[WebEnv]:
    """The same, served on loopback without TLS, for a browser; `settings.public_url` says where."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        at_home = web_env_of(web_env.database, f"http://127.0.0.1:{listening.getsockname()[1]}")
        serving_it = server(at_home.app, at_home.settings)
        serving = asyncio.create_task(serving_it.serve(sockets=[listening]))
        yield at_home
        serving_it.should_exit = True
        await serving
