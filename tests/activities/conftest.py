"""A house for every test that delivers; each test runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from store.database import Database
from testing.delivery_env import House, opened
from testing.sink import Sink, running


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """A real SMTP server that does what it is told."""
    async with running() as sink:
        yield sink


@pytest.fixture
async def house(database: Database, sink: Sink) -> AsyncIterator[House]:
    """A post office with a small cohort."""
    async with opened(database, sink) as house:
        yield house
