"""A full house: thousands of open mentorships on one worker, what they weigh, how long a cold start takes, and a
minute in which many people answer at once, posted to the pages as browsers do.

The floor of the answers is a page that reads a form and commits one row, under the same load on the same machine.
Latency counts from the moment at which an answer was due to be sent, so that a page that falls behind can't hide it.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psutil
from sqlalchemy import Select, func, select
from temporalio.client import Client

from operations.cohorts.launch import launch
from operations.mentorships.status import ledger, status
from runtime.links import Links
from runtime.settings import Settings
from store.database import Database, migrate
from store.tables import AnswerRow, MentorshipRow, RelayRow, RequestRow
from tools.bench.cpu import Meter
from tools.bench.measures.launching import at_night
from tools.bench.servers import Server, free_port, postgresql, process, temporal
from tools.bench.table import Line
from workflows.ids import mentorship_id

SECRET = "only-for-measuring-only-for-measuring"
COHORT = "crowd"
CONCURRENCY = 200
"""Connections of all browsers together."""
EVERYTHING_TAKEN = 600.0
"""Real seconds after which answers that no workflow has taken count as lost."""


async def measure(*, quick: bool) -> list[Line]:
    """Launch so many, weigh, start cold, ask for the whole, and let people answer."""
    many, rate, seconds = (500, 50, 15) if quick else (10_000, 200, 60)
    with TemporaryDirectory() as folder, postgresql() as database_url:
        async with temporal(Path(folder)) as server:
            house = _House(server, Path(folder), database_url)
            await asyncio.to_thread(migrate, house.settings.database)
            async with Database.open(house.settings.database) as database:
                return await _lines(house, database, many, rate, seconds)


async def _lines(house: _House, database: Database, many: int, rate: int, seconds: int) -> list[Line]:
    async with house.worker():
        await launch(database, house.server.client, house.settings, at_night(COHORT, many), datetime.now(UTC))
        await _until(database, select(func.count()).where(MentorshipRow.turn > 0), many)
        weight = memory(house.server.pid)
    began = time.perf_counter()
    async with house.worker() as worker:
        await _takes_a_question(house.server.client)
        cold = time.perf_counter() - began
        listed = await _seconds(status(database, COHORT, datetime.now(UTC)))
        told = await _seconds(ledger(database, COHORT))
        async with house.web(0) as (first, one), house.web(1) as (second, other):
            tokens = await _tokens(database, house.settings, rate * seconds)
            pages = [f"{(first, second)[nth % 2]}/f/{token}" for nth, token in enumerate(tokens)]
            meter = Meter({"one": one, "other": other, "worker": worker, "server": house.server.pid})
            waits = await answers(pages, rate)
            each = meter.each(waits.thanked)
        used = {"pages": each.pop("one") + each.pop("other"), **each}
        began = time.perf_counter()
        await _until(database, select(func.count()).select_from(RelayRow), 0, EVERYTHING_TAKEN)
        caught_up = time.perf_counter() - began
        async with database.session() as session:
            kept = await session.scalar(select(func.count()).select_from(AnswerRow)) or 0
        worker_weight = memory(worker)
    async with _bare_page(house.folder) as (base_url, pid):
        meter = Meter({"pages": pid})
        bare = await answers([base_url] * (rate * seconds), rate)
        bare_cpu = meter.each(bare.thanked)
    floor = f"one process whose page commits one row, at the same {rate} a second"
    return [
        Line(f"{many:,} open mentorships, memory of Temporal's server", weight, "MB"),
        Line("  memory of the worker that has taken the answers", worker_weight, "MB"),
        Line("  from a cold worker to its first answer", cold, "s"),
        Line("  `status` of all of them", listed, "s"),
        Line("  `ledger` of all of them", told, "s"),
        Line(f"answers to two page processes, {rate} a second: thanked", waits.a_second, "/s", bare.a_second, floor,
             cpu=used, floor_cpu=bare_cpu),
        Line("  median of the wait for it", waits.median, "ms", bare.median, "", None, "less"),
        Line("  99 of 100 within", waits.p99, "ms", bare.p99, "", None, "less"),
        Line("  thanked, of all that were sent", waits.thanked / len(pages), "", aim=1.0),
        Line("  kept, of those that the page said thanks for", kept / waits.thanked, "", aim=1.0),
        Line("  until every workflow had its own", caught_up, "s"),
    ]  # fmt: skip


class _House:
    """The settings and processes of one installation, on PostgreSQL."""

    def __init__(self, server: Server, folder: Path, database_url: str) -> None:
        self.server = server
        self.folder = folder
        self.values = {
            "database_url": database_url,
            "secret": SECRET,
            "smtp_security": "none",
            "mail_from": "mentoring@bench.example.org",
            "public_url": "http://127.0.0.1:8080",
        }
        self.settings = Settings(
            _env_file=None,  # pyright: ignore[reportCallIssue]
            **self.values,  # pyright: ignore[reportArgumentType]
        )

    @property
    def environment(self) -> dict[str, str]:
        """As the processes have it."""
        named = {f"MENTORSHIP_{name.upper()}": value for name, value in self.values.items()}
        return named | {"TEMPORAL_ADDRESS": self.server.address, "PYTHONDONTWRITEBYTECODE": ""}

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[int]:
        """A worker; its process id."""
        async with process("worker.py", environment=self.environment, log=self.folder / "worker.log") as pid:
            yield pid

    @asynccontextmanager
    async def web(self, nth: int) -> AsyncIterator[tuple[str, int]]:
        """A process that serves the pages; its address and its id."""
        port = free_port()
        environment = self.environment | {"MENTORSHIP_WEB_PORT": str(port)}
        arguments = ("-c", "from cli.main import app; app()", "web")
        async with process(*arguments, environment=environment, log=self.folder / f"web{nth}.log") as pid:
            await _answers_at(f"http://127.0.0.1:{port}/healthz")
            yield f"http://127.0.0.1:{port}", pid


@dataclass(frozen=True, slots=True)
class Waits:
    """How long people waited, in milliseconds, and how many got their thanks, in all and each second."""

    median: float
    p99: float
    thanked: int
    a_second: float


async def answers(pages: Sequence[str], rate: float) -> Waits:
    """Post an accepted invitation to each of these pages, so many a second."""
    waits: list[float] = []
    limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
    # Those who have to wait for a connection wait here: httpx looks through all who wait at every turn.
    connections = asyncio.Semaphore(CONCURRENCY)
    async with httpx.AsyncClient(limits=limits, timeout=60) as browser:
        began = time.perf_counter()

        async def post(nth: int, url: str) -> None:
            due = began + nth / rate
            await asyncio.sleep(due - time.perf_counter())
            async with connections:
                if await _sent(browser, url, nth):
                    waits.append((time.perf_counter() - due) * 1000)

        await asyncio.gather(*(post(nth, url) for nth, url in enumerate(pages)))
        took = time.perf_counter() - began
    cuts = statistics.quantiles(waits, n=100)
    return Waits(cuts[49], cuts[98], len(waits), len(waits) / took)


async def _sent(browser: httpx.AsyncClient, url: str, nth: int) -> bool:
    """Whether the page said thanks. Where a connection breaks off it is sent once more, as browsers do."""
    for _ in range(2):
        try:
            page = await browser.post(url, data={"accept": "yes", "submission_id": f"bench-{nth:08}"})
        except httpx.TransportError:
            continue
        return page.status_code == 303
    return False


def memory(pid: int) -> float:
    """Resident memory of a process and its children, in MB."""
    whole = psutil.Process(pid)
    return sum(process.memory_info().rss for process in (whole, *whole.children(recursive=True))) / 1e6


async def _takes_a_question(client: Client) -> None:
    """The worker is up when a mentorship that it has never seen tells its state."""
    await client.get_workflow_handle(mentorship_id(COHORT, "m00000")).query("state")


async def _tokens(database: Database, settings: Settings, many: int) -> list[str]:
    links = Links.of(settings)
    query = select(RequestRow.public_id, RequestRow.generation).order_by(RequestRow.person).limit(many)
    async with database.session() as session:
        return [links.request_token(*row) for row in await session.execute(query)]


async def _seconds(work: Coroutine[Any, Any, object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def _until(database: Database, count: Select[int], wanted: int, within: float = 3600) -> None:
    async with asyncio.timeout(within):
        while True:
            async with database.session() as session:
                number = await session.scalar(count)
            if number == wanted:
                return
            await asyncio.sleep(0.5)


async def _answers_at(url: str) -> None:
    async with httpx.AsyncClient() as browser, asyncio.timeout(60):
        while True:
            try:
                await browser.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return


@asynccontextmanager
async def _bare_page(folder: Path) -> AsyncIterator[tuple[str, int]]:
    port = free_port()
    arguments = ("-m", "tools.bench.bare_page", str(folder / "bare.db"), str(port))
    async with process(*arguments, environment={}, log=folder / "bare.log") as pid:
        await _answers_at(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}", pid
