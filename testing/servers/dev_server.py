"""Temporal's development server for tests: one for the whole run, in memory, on ports of its own.

Import `dev_server` into the test module (or its conftest) that needs it. Workflow ids are the same in every
installation, so one at a time uses the server, and `cleared` ends what another one left. A mentorship is never
started twice under one id, so each test names its cohorts as no other does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from socket import socket

import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from embedded.temporal_server import DevServer
from workflows.payloads import DATA_CONVERTER


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens."""

    temporal: str
    ui: str


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


async def cleared(address: Address) -> Client:
    """A client of the server, on which nothing runs any more."""
    client = await Client.connect(address.temporal, data_converter=DATA_CONVERTER)
    async for execution in client.list_workflows("ExecutionStatus = 'Running'"):
        with suppress(RPCError):
            await client.get_workflow_handle(execution.id).terminate()
    return client


@pytest.fixture(scope="session")
async def dev_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Address]:
    """A running development server, with our search attributes; it ends with the run, however that ends."""
    server = DevServer(free_port(), free_port(), tmp_path_factory.mktemp("temporal") / "temporal.log")
    await server.start()
    try:
        yield Address(server.address, server.ui)
    finally:
        await server.stop()
