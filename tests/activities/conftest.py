"""The environment of every test that delivers; each test runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from store.database import Database
from testing.environments.delivery_env import DeliveryEnv, open_delivery_env
from testing.servers.sink import Sink, running


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """A real SMTP server that does what it is told."""
    async with running() as sink:
        yield sink


@pytest.fixture
async def delivery_env(database: Database, sink: Sink) -> AsyncIterator[DeliveryEnv]:
    """A post office with a small cohort."""
    async with open_delivery_env(database, sink) as delivery_env:
        yield delivery_env
