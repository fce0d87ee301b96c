"""A morning on which very many people are due at the same moment: from the postmasters' waking to the last mail, with
one worker process and with two, beside bare aiosmtplib over as many connections, and beside the same mails where each
workflow sends for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from sqlalchemy import Select, func, select
from temporalio.client import Client

from program.models import Letterbox
from runtime.settings import Settings
from runtime.temporal import Waker
from store.database import Database, migrate
from store.tables import MessageRow, PostmasterRow
from tools.bench import naive
from tools.bench.cpu import Meter
from tools.bench.measures.delivering import bare, begun, mails
from tools.bench.naive import Deed
from tools.bench.pairs import pairs
from tools.bench.servers import Server, postgresql, postgresql_server, process, temporal
from tools.bench.smtp_sink import sink
from tools.bench.table import Line
from workflows.ids import postmaster_id

SECRET = "only-for-measuring-only-for-measuring"
SHARDS = 4
ANY_TIME = Letterbox(opens=time(0), closes=time(23, 59), days=("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
"""So that it is morning whenever this is measured."""
STARTS = 40
"""Workflows a second that are surely started before the moment at which they all send."""


async def measure(*, quick: bool) -> list[Line]:
    """With one worker, with two, bare, and naively."""
    people = 600 if quick else 5000
    with TemporaryDirectory() as folder:
        async with temporal(Path(folder)) as server, sink() as port:
            one = await _Morning(server, Path(folder), port, people, "one").live(workers=1)
            morning = _Morning(server, Path(folder), port, people, "two")
            two = await morning.live(workers=2)
            floor = await bare(morning.ready_made, port, morning.settings.smtp_connections)
            by_itself = await _naively(server, morning, people)
    same = f"ready-made mails by bare aiosmtplib over {morning.settings.smtp_connections} kept connections"
    return [
        Line(f"{people:,} people due at once, one worker", people / one.seconds, "mails/s", floor.mails, same, 0.5,
             cpu=one.cpu, floor_cpu={"workers": floor.cpu}),
        Line("  two workers on the same two cores", people / two.seconds, "mails/s", floor.mails, "", 0.5,
             cpu=two.cpu),
        Line("  time to the last mail, one worker", one.seconds, "s", by_itself, "each workflow sends for itself",
             0.25, "less"),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Took:
    """Seconds from the waking to the last mail, and CPU milliseconds of each process for one mail."""

    seconds: float
    cpu: Mapping[str, float]


class _Morning:
    """One installation in which so many people are due."""

    ready_made: list[tuple[str, bytes]]

    def __init__(self, server: Server, folder: Path, smtp_port: int, people: int, name: str) -> None:
        self.server = server
        self.folder = folder
        self.people = people
        self.name = name
        self.values = {
            "secret": SECRET,
            "smtp_port": str(smtp_port),
            "smtp_security": "none",
            "mail_from": "mentoring@bench.example.org",
            "public_url": "https://mentoring.bench.example.org",
            "shards": str(SHARDS),
            "task_queue": f"morning-{name}",
        }
        self.database_url = ""

    @property
    def settings(self) -> Settings:
        """As the workers have them too."""
        return Settings(
            _env_file=None,  # pyright: ignore[reportCallIssue]
            database_url=self.database_url,
            **self.values,  # pyright: ignore[reportArgumentType]
        )

    async def live(self, workers: int) -> _Took:
        """From the waking of the postmasters to the last mail."""
        with postgresql_server() as (self.database_url, postgres):
            await asyncio.to_thread(migrate, self.database_url)
            named = self.values | {"database_url": self.database_url}
            environment = {f"MENTORSHIP_{name.upper()}": value for name, value in named.items()}
            environment |= {"TEMPORAL_ADDRESS": self.server.address, "PYTHONDONTWRITEBYTECODE": ""}
            async with Database.open(self.database_url) as database, AsyncExitStack() as running:
                pids: list[int] = []
                for nth in range(workers):
                    log = self.folder / f"{self.name}{nth}.log"
                    working = process("worker.py", environment=environment, log=log)
                    pids.append(await running.enter_async_context(working))
                await self._wake(self.server.client)
                await _until(database, select(func.count()).select_from(PostmasterRow), SHARDS)
                await self.post(database)
                began, meters = perf_counter(), [Meter({"workers": pid}) for pid in pids]
                rest = Meter({"PostgreSQL": postgres, "server": self.server.pid})
                await self._wake(self.server.client)
                await _until(database, select(func.count()).where(MessageRow.state == "sent"), self.people)
                seconds, each = perf_counter() - began, [meter.each(self.people)["workers"] for meter in meters]
                took = _Took(seconds, {"workers": sum(each), **rest.each(self.people)})
                self.ready_made = await mails(database)
            for shard in range(SHARDS):
                await self.server.client.get_workflow_handle(postmaster_id(shard)).terminate()
            return took

    async def _wake(self, client: Client) -> None:
        waker = Waker(client, self.settings)
        for shard in range(SHARDS):
            await waker(shard)

    async def post(self, database: Database) -> None:
        """Everybody's invitation is due since a minute ago."""
        now = datetime.now(UTC)
        loaded = pairs(self.name, self.people // 2, now.date() + timedelta(days=14), zones=("Europe/Berlin",))
        used = {
            id_: replace(program, program=program.program.model_copy(update={"letterbox": ANY_TIME}))
            for id_, program in loaded.used.items()
        }
        await begun(database, replace(loaded, used=used), now - timedelta(minutes=1), SHARDS)


async def _naively(server: Server, morning: _Morning, people: int) -> float:
    """The same in workflows that send for themselves, all at one moment; seconds from it to the last."""
    with postgresql() as database_url:
        await asyncio.to_thread(migrate, database_url)
        morning.database_url = database_url
        async with Database.open(database_url) as database:
            await morning.post(database)
        arguments = ("-m", "tools.bench.naive", server.address, database_url, morning.values["smtp_port"])
        async with process(*arguments, environment={}, log=morning.folder / "naive.log"):
            moment = perf_counter() + people / STARTS
            numbers = iter(range(people))

            async def start() -> None:
                for nth in numbers:
                    deed = Deed(max(moment - perf_counter(), 0), "mail", "invitation", f"two-p{nth:05}")
                    await server.client.start_workflow(
                        "naive", args=["", [deed], 0], id=f"alone/{nth}", task_queue=naive.QUEUE
                    )

            await asyncio.gather(*(start() for _ in range(8)))
            late = perf_counter() - moment
            assert late < 0, f"the workflows were started {late:.0f} s too late to send at one moment"
            query = "WorkflowType = 'naive' AND ExecutionStatus = 'Completed'"
            while (await server.client.count_workflows(query)).count < people:
                await asyncio.sleep(0.1)
            return perf_counter() - moment


async def _until(database: Database, count: Select[int], wanted: int) -> None:
    while True:
        async with database.session() as session:
            if (await session.scalar(count) or 0) >= wanted:
                return
        await asyncio.sleep(0.05)
