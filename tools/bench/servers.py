"""Processes to measure: Temporal's development server in memory, PostgreSQL, workers."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket

import psutil
from temporalio.client import Client

from embedded.temporal_server import DevServer
from testing.servers.postgresql import PostgreSQL

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Server:
    """A running development server."""

    client: Client
    address: str
    pid: int


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@asynccontextmanager
async def temporal(folder: Path) -> AsyncIterator[Server]:
    """A server in memory for the length of a block."""
    server = DevServer(free_port(), free_port(), folder / "temporal.log")
    client = await server.start()
    try:
        [ours] = [child for child in psutil.Process().children() if _listens(child, server.port)]
        yield Server(client, server.address, ours.pid)
    finally:
        await server.stop()


@contextmanager
def postgresql() -> Iterator[str]:
    """An empty PostgreSQL for the length of a block; its URL."""
    with postgresql_server() as (url, _):
        yield url


@contextmanager
def postgresql_server() -> Iterator[tuple[str, int]]:
    """An empty PostgreSQL for the length of a block; its URL, and the process that has all others as its children."""
    server = PostgreSQL.start()
    try:
        yield server.url("postgres"), server.guard.pid
    finally:
        server.stop()


class Ended(RuntimeError):
    """A process ended before it was told to; the message shows the end of what it said."""


@asynccontextmanager
async def process(*arguments: str, environment: Mapping[str, str], log: Path) -> AsyncIterator[int]:
    """A Python process of ours for the length of a block; its id. It is told to stop by SIGTERM.

    Raises Ended, and breaks the block off, where it ends by itself.
    """
    with log.open("wb") as file:
        running = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, cwd=ROOT, env={**os.environ, **environment}, stdout=file, stderr=file
        )

    async def watch() -> None:
        status = await running.wait()
        end_of_log = log.read_text(errors="replace")[-2000:]
        raise Ended(f"{' '.join(arguments[:2])} ended with {status}. It said:\n{end_of_log}")

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch())
        try:
            yield running.pid
        finally:
            watching.cancel()
            if running.returncode is None:
                running.terminate()
                await running.wait()


def _listens(shell: psutil.Process, port: int) -> bool:
    return str(port) in shell.cmdline()
