"""Changes of running mentorships a second, as a coordinator gives them in bulk, beside updates of the bare shape of a
turn, and beside updates that do nothing: the same server, as many in flight, sender and worker in two processes.

A change is written down with who and why, decided by the core, and on the record in SQL before it counts; of the bare
shape only the update, a local activity, a timer, the search attributes and the card are left.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from temporalio.client import Client

from operations.mentorships.change import CONCURRENCY, carry_out, extend, orders
from operations.mentorships.select import Filters, selected
from runtime.settings import Settings
from store.database import Database, migrate
from tools.bench.cpu import Meter, mean
from tools.bench.measures.launching import had_their_first_turn, launched
from tools.bench.servers import Server, process, temporal
from tools.bench.shape import QUEUE, Shape
from tools.bench.table import Line


@dataclass(frozen=True, slots=True)
class Measured:
    """So many a second, and CPU milliseconds of each process for one."""

    rate: float
    cpu: Mapping[str, float]

    @property
    def milliseconds(self) -> float:
        """CPU of all processes for one."""
        return sum(self.cpu.values())


async def measure(*, quick: bool) -> list[Line]:
    """Bare updates, a change in bulk, bare updates again; the floor is the mean of the two."""
    many = 200 if quick else 1000
    with TemporaryDirectory() as folder:
        async with (
            temporal(Path(folder)) as server,
            _engine(server, Path(folder)) as (settings, database, worker),
            _bare_worker(server, Path(folder)) as bare_worker,
        ):
            for name, count in (("warm", 20), ("bench", many)):
                await launched(server.client, settings, database, name, count)
                await had_their_first_turn(database, name)
            bare = _Bare(server, bare_worker)
            await _changed(server, worker, database, "warm")
            for type_ in ("shape", "waiting"):
                await bare.updated(type_, "warm", 50)
            shape = [await bare.updated("shape", "before", many)]
            empty = [await bare.updated("waiting", "before", many)]
            changed = await _changed(server, worker, database, "bench")
            empty.append(await bare.updated("waiting", "after", many))
            shape.append(await bare.updated("shape", "after", many))
    floor, least = _mean(shape), _mean(empty)
    rates = " and ".join(f"{each.rate:.0f}/s" for each in shape)
    words = f"updates of the bare shape of a turn, {CONCURRENCY} in flight: {rates}, before and after"
    return [
        Line(f"a change of {many:,} mentorships", changed.rate, "updates/s", floor.rate, words, 0.4,
             cpu=changed.cpu, floor_cpu=floor.cpu),
        Line("  CPU of all processes for one", changed.milliseconds, "ms", floor.milliseconds,
             "the same of the bare shape", 1 / 0.65, "less"),
        Line("  beside updates that do nothing", changed.rate, "updates/s", least.rate, "", floor_cpu=least.cpu),
    ]  # fmt: skip


def _mean(both: list[Measured]) -> Measured:
    return Measured(sum(each.rate for each in both) / len(both), mean(*(each.cpu for each in both)))


@asynccontextmanager
async def _engine(server: Server, folder: Path) -> AsyncIterator[tuple[Settings, Database, int]]:
    """A worker in a process of its own; the settings and the database of the sender, who is here."""
    values = {
        "data": str(folder),
        "secret": "only-for-measuring-only-for-measuring",
        "smtp_security": "none",
    }
    settings = Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        **values,  # pyright: ignore[reportArgumentType]
    )
    await asyncio.to_thread(migrate, settings.database)
    environment = {f"MENTORSHIP_{name.upper()}": value for name, value in values.items()}
    environment |= {"TEMPORAL_ADDRESS": server.address, "PYTHONDONTWRITEBYTECODE": ""}
    async with (
        Database.open(settings.database) as database,
        process("worker.py", environment=environment, log=folder / "worker.log") as worker,
    ):
        yield settings, database, worker


@asynccontextmanager
async def _bare_worker(server: Server, folder: Path) -> AsyncIterator[int]:
    log = folder / "shape.log"
    environment = {"PYTHONDONTWRITEBYTECODE": ""}
    async with process("-m", "tools.bench.shape", server.address, environment=environment, log=log) as pid:
        yield pid


async def _changed(server: Server, worker: int, database: Database, cohort: str) -> Measured:
    """Changes a second, from the selection to the last outcome on the record."""
    meter, began = Meter({"worker": worker, "server": server.pid}, here="sender"), time.perf_counter()
    now = datetime.now(UTC)
    places = await selected(database, cohort, now, Filters())
    change_orders = await orders(database, places, extend("4w"), now)
    outcomes = await carry_out(database, server.client, change_orders, now, why="measured")
    taken = time.perf_counter() - began
    assert all(outcome.outcome == "done" for outcome in outcomes)
    return Measured(len(outcomes) / taken, meter.each(len(outcomes)))


class _Bare:
    """Updates of workflows that a bare worker in another process works on."""

    def __init__(self, server: Server, worker: int) -> None:
        self.server = server
        self.worker = worker

    async def updated(self, type_: str, name: str, many: int) -> Measured:
        """So many workflows of this type, each updated once; they are ended after."""
        client = self.server.client
        concurrency = asyncio.Semaphore(CONCURRENCY)
        ids = [f"{type_}-{name}/{nth}" for nth in range(many)]

        async def start(id_: str) -> None:
            async with concurrency:
                await client.start_workflow(type_, Shape(), id=id_, task_queue=QUEUE)
                # It has had its first turn when it takes an update.
                await update(id_, "first")

        async def update(id_: str, nth: str) -> None:
            await client.get_workflow_handle(id_).execute_update("happen", id=f"{id_}/{nth}")

        async def second(id_: str) -> None:
            async with concurrency:
                await update(id_, "second")

        await asyncio.gather(*map(start, ids))
        meter = Meter({"worker": self.worker, "server": self.server.pid}, here="sender")
        began = time.perf_counter()
        await asyncio.gather(*map(second, ids))
        taken = time.perf_counter() - began
        measured = Measured(many / taken, meter.each(many))
        await self._ended(client, ids)
        return measured

    async def _ended(self, client: Client, ids: list[str]) -> None:
        for id_ in ids:
            await client.get_workflow_handle(id_).terminate()
