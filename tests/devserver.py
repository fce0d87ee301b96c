"""Temporal's development server for tests: one for the whole run, in memory, on ports of its own.

Import `dev_server` into the test module (or its conftest) that needs it. Tests keep apart by task queues and cohorts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from socket import socket

import pytest

from operations.dev_server import DevServer


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens."""

    temporal: str
    ui: str


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="session")
async def dev_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Address]:
    """A running development server, with our search attributes; it ends with the run, however that ends."""
    server = DevServer(free_port(), free_port(), tmp_path_factory.mktemp("temporal") / "temporal.log")
    await server.start()
    try:
        yield Address(server.address, server.ui)
    finally:
        await server.stop()
