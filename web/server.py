"""The web server of every page of ours: the participants' pages, the metrics, the embedded stack's inbox.

None writes an access log, because paths hold tokens, and none names its software. Requests in flight are finished.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from socket import socket
from typing import Any

import uvicorn
from starlette.applications import Starlette

from runtime.settings import Settings

PAGES_FINISH_WITHIN = 10
"""Real seconds that requests in flight have when the pages are told to stop."""


def server(app: Starlette, settings: Settings) -> uvicorn.Server:
    """The server of the participants' pages, which ends at SIGTERM and SIGINT."""
    return _UntilSignal(_config(app, PAGES_FINISH_WITHIN, host=settings.web_host, port=settings.web_port))


@asynccontextmanager
async def serving(app: Starlette, listening: socket, finish_within: int = 5) -> AsyncIterator[None]:
    """Serve an application on a socket for the length of a block; signals are left to the process.

    `finish_within`: real seconds that requests in flight have at the end.
    """
    running = _WithoutSignals(_config(app, finish_within, lifespan="off"))
    task = asyncio.create_task(running.serve(sockets=[listening]))
    try:
        while not running.started and not task.done():
            await asyncio.sleep(0.01)
        yield
    finally:
        running.should_exit = True
        await task


def _config(app: Starlette, finish_within: int, **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app, access_log=False, log_config=None, server_header=False, proxy_headers=False,
        timeout_graceful_shutdown=finish_within, **more,
    )  # fmt: skip


class _WithoutSignals(uvicorn.Server):
    """Leaves signals alone: they are for the whole process."""

    def capture_signals(self) -> AbstractContextManager[None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return nullcontext()


class _UntilSignal(uvicorn.Server):
    """Ends at a signal and lets its process end in order as well; uvicorn would raise the signal once more."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        names = (signal.SIGINT, signal.SIGTERM)
        for name in names:
            loop.add_signal_handler(name, self.handle_exit, name, None)
        try:
            yield
        finally:
            for name in names:
                loop.remove_signal_handler(name)
