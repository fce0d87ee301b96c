"""The embedded stack: all parts of an installation on loopback, with its data in one folder.

Temporal's development server with its UI, SQLite, a mailbox for all mail, the pages, the inbox
and the worker. One process, and Temporal's. Nothing of it may be reached from, or reach out to, the network.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr
from temporalio.client import Client

from embedded.inbox_page import create_inbox_page
from embedded.mailbox import Inbox, Sink
from embedded.temporal_server import DevServer
from operations.accounts.printed_links import print_link
from operations.health.metrics import ProcessHealth
from runtime import running_stack
from runtime.errors import INTERRUPTED, Unreachable
from runtime.private_files import make_private, only_for_us
from runtime.running_stack import StackRecord
from runtime.settings import KEPT_SECRET, Settings, stack_of
from runtime.temporal import Teller, Waker
from runtime.temporal_ui import TemporalUI
from store.database import Database, migrate
from web.app import create_app, plans_running
from web.server import serving
from worker import running as running_worker
from worker import watched

LOOPBACK = "127.0.0.1"
OURS = ("*.db", "*.db-wal", "*.db-shm", "*.log", "*.json", "inbox", "inbox/*.eml", KEPT_SECRET)
"""What the stack keeps in its data folder."""
NAMESPACE = "default"
"""The namespace that Temporal's development server has."""


class PortTaken(Unreachable):
    """Another program uses one of our ports; the message has the remedy."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of all parts, for people to open."""

    coordinators: str
    inbox: str
    pages: str
    temporal_ui: str
    temporal: str
    smtp: str


@dataclass(frozen=True, slots=True)
class Stack:
    """A running embedded stack."""

    settings: Settings
    """As it runs: with the ports that were free and the secret that was made."""
    addresses: Addresses
    client: Client
    database: Database
    inbox: Inbox
    now: Callable[[], datetime]
    """Program time, UTC."""
    server: DevServer


async def up(settings: Settings) -> None:
    """Start the embedded stack, print its addresses, and run until Ctrl-C (or SIGTERM).

    Raises PortTaken, StackRuns, DevServerFailed and MissingProgram, each with what to do about it.
    """
    async with until_told_to_stop() as stopped, running(settings) as stack:
        link = await print_link(stack.database, stack.settings)
        print(greeting(stack.addresses, settings.data, link.url), flush=True)
        if stack_of(settings) is None:
            print(
                "The environment (or .env) names another Temporal server: commands go there, not to this stack. "
                "Unset TEMPORAL_ADDRESS, TEMPORAL_PROFILE and TEMPORAL_CONFIG_FILE to reach this one.",
                flush=True,
            )
        await stopped.wait()
        print("Stopping: what is on its way is finished first. Ctrl-C again ends it at once.", flush=True)


def greeting(addresses: Addresses, data: Path, link: str) -> str:
    """The text that `up` prints when everything runs. `link` signs in to the coordinators' pages, once."""
    lines = [
        ("Sign in", f"{link}  (as administrator, once, within 15 minutes)"),
        ("Coordinators", f"{addresses.coordinators}  (mentorship sign-in ID signs a coordinator in)"),
        ("Inbox", f"{addresses.inbox}  (every mail lands here, none leaves this machine)"),
        ("Pages", addresses.pages),
        ("Temporal UI", addresses.temporal_ui),
        ("Data", f"{data.absolute()}"),
    ]
    return "\n".join(["The embedded stack runs. Ctrl-C ends it.", *(f"  {name:<13} {what}" for name, what in lines)])


@asynccontextmanager
async def running(settings: Settings, *, in_memory: bool = False, any_port: bool = False) -> AsyncIterator[Stack]:
    """The embedded stack while the block runs; stopped in order, so that no mail in flight is interrupted.

    `in_memory`: Temporal forgets everything at the end (faster; for a demo in a fresh folder). `any_port`: where a
    port is taken, another is used. Raises PortTaken, StackRuns, DevServerFailed and MissingProgram.
    """
    data = settings.data
    make_private(data, OURS)
    async with AsyncExitStack() as stack:
        stack.enter_context(only_for_us())
        stack.enter_context(running_stack.lock(data))
        ports = Ports(stack, any_port)
        smtp = ports.listen(settings.smtp_port, "MENTORSHIP_SMTP_PORT", "mail server")
        pages = ports.listen(settings.web_port, "MENTORSHIP_WEB_PORT", "pages")
        inbox_socket = ports.listen(settings.inbox_port, "MENTORSHIP_INBOX_PORT", "inbox")
        server = DevServer(
            ports.free(settings.temporal_port, "MENTORSHIP_TEMPORAL_PORT", "Temporal"),
            ports.free(settings.temporal_ui_port, "MENTORSHIP_TEMPORAL_UI_PORT", "Temporal UI"),
            data / "temporal.log",
            None if in_memory else data / "temporal.db",
        )
        settings = _as_it_runs(settings, port_of(smtp), port_of(pages), server.ui)
        addresses = Addresses(
            coordinators=f"{settings.public_url.rstrip('/')}/c/",
            inbox=f"http://{LOOPBACK}:{port_of(inbox_socket)}/",
            pages=settings.public_url,
            temporal_ui=server.ui,
            temporal=server.address,
            smtp=f"{LOOPBACK}:{port_of(smtp)}",
        )
        running_stack.write(data, _record(settings, addresses))
        clock = settings.clock

        def now() -> datetime:
            return clock.program(datetime.now(UTC))

        # The first entered stops last: the worker outlives the pages, Temporal outlives the worker.
        stack.push_async_callback(server.stop)
        client = await server.start()
        await asyncio.to_thread(migrate, settings.database)
        inbox = Inbox(data / "inbox", now)
        sink = Sink(inbox, smtp)
        await sink.start()
        stack.push_async_callback(sink.stop)
        database = await stack.enter_async_context(running_worker(client, settings, now))
        await stack.enter_async_context(watched(settings, ProcessHealth(database, client, now, needs_temporal=True)))
        wake = Waker(client, settings)
        for shard in range(settings.shards):
            await wake(shard)
        app = create_app(settings, database, Teller(client), now, wake, client)
        await stack.enter_async_context(plans_running(app))
        await stack.enter_async_context(serving(app, pages))
        inbox_page = create_inbox_page(
            inbox, now, addresses.coordinators, TemporalUI(server.ui, client.namespace).workflows
        )
        await stack.enter_async_context(serving(inbox_page, inbox_socket))
        yield Stack(settings, addresses, client, database, inbox, now, server)


def _record(settings: Settings, addresses: Addresses) -> StackRecord:
    return StackRecord(
        pid=os.getpid(),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        namespace=NAMESPACE,
        task_queue=settings.task_queue,
        shards=settings.shards,
        speed=settings.speed,
        epoch=settings.epoch.isoformat(),
        **asdict(addresses),
    )


def _as_it_runs(settings: Settings, smtp_port: int, web_port: int, temporal_ui: str) -> Settings:
    changes: dict[str, object] = {
        "smtp_host": LOOPBACK,
        "smtp_port": smtp_port,
        "smtp_security": "none",
        "smtp_user": "",
        "web_host": LOOPBACK,
        "web_port": web_port,
        "temporal_ui": temporal_ui,
        "secret": SecretStr(_secret(settings)),
    }
    if "public_url" not in settings.model_fields_set:
        changes["public_url"] = f"http://{LOOPBACK}:{web_port}"
    return settings.model_copy(update=changes)


def _secret(settings: Settings) -> str:
    """The secret of the settings, or one created once in the data folder, readable by its owner only."""
    if secret := settings.secret.get_secret_value():
        return secret
    path = settings.data / KEPT_SECRET
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
    return path.read_text().strip()


# -- ports ----------------------------------------------------------------------------------------------------------


class Ports:
    """Takes ports on loopback, or says who should choose another."""

    def __init__(self, stack: AsyncExitStack, any_port: bool) -> None:
        self.stack = stack
        self.any_port = any_port

    def listen(self, port: int, variable: str, what: str) -> socket.socket:
        """A socket that listens; 0 takes any free port. Raises PortTaken."""
        for wanted in (port, 0) if self.any_port else (port,):
            listening = socket.socket()
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind((LOOPBACK, wanted))
            except OSError:
                listening.close()
                continue
            self.stack.callback(listening.close)
            listening.listen(128)
            return listening
        raise PortTaken(
            f"port {port} of this machine, where the {what} should be, is taken. Is the stack running already? "
            f"End the program that has it, or choose another port: {variable}={port + 1}"
        )

    def free(self, port: int, variable: str, what: str) -> int:
        """A port that another process of ours will listen on. Raises PortTaken."""
        listening = self.listen(port, variable, what)
        port = port_of(listening)
        listening.close()
        return port


def port_of(listening: socket.socket) -> int:
    """The port that a socket listens on."""
    return listening.getsockname()[1]


# -- stopping -------------------------------------------------------------------------------------------


@asynccontextmanager
async def until_told_to_stop() -> AsyncIterator[asyncio.Event]:
    """An event that Ctrl-C, SIGTERM or the end of the terminal sets; a second one ends the process at once."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if stopped.is_set():
            sys.stdout.flush()
            os._exit(INTERRUPTED)  # the development server ends with us, see WHILE_WE_LIVE
        stopped.set()

    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for name in names:
        loop.add_signal_handler(name, stop)
    try:
        yield stopped
    finally:
        for name in names:
            loop.remove_signal_handler(name)
