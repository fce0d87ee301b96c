"""Mentorships launched a second, from the cohort's launch activity, beside bare starts of an empty workflow on the
same server with as many in flight. Either way one process starts them and works on what it has started.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker

from activities.launch import CONCURRENCY
from lifecycle.local_time import local_date
from operations.cohorts.launch import launch
from program.loader import Loaded
from runtime.settings import Settings
from runtime.smtp import transport_of
from store.database import Database, migrate
from store.tables import MentorshipRow
from tools.bench.cpu import Meter
from tools.bench.pairs import pairs
from tools.bench.servers import temporal
from tools.bench.table import Line
from worker import make_worker
from workflows.ids import cohort_id


@workflow.defn(name="empty")
class EmptyWorkflow:
    """Ends at once."""

    @workflow.run
    async def run(self) -> None:
        """Nothing."""


async def measure(*, quick: bool) -> list[Line]:
    """Bare starts, a launch, bare starts again; the floor is the mean of the two."""
    many = 200 if quick else 1000
    with TemporaryDirectory() as folder:
        async with temporal(Path(folder)) as server, engine(server.client, Path(folder)) as running:
            await launched(server.client, *running, "warm", 20)
            await had_their_first_turn(running[1], "warm")
            await _bare(server.client, "warm", 20)
            meter = Meter({"server": server.pid}, here="starter and worker")
            before = await _bare(server.client, "before", many)
            bare_cpu = meter.each(many)
            meter, began = Meter({"server": server.pid}, here="starter and worker"), time.perf_counter()
            started = await launched(server.client, *running, "bench", many)
            await had_their_first_turn(running[1], "bench")
            lived, cpu = many / (time.perf_counter() - began), meter.each(many)
            after = await _bare(server.client, "after", many)
    rates = f"{before:.0f}/s before and {after:.0f}/s after"
    floor = f"`start_workflow` of an empty workflow, {CONCURRENCY} in flight: {rates}"
    bare = (before + after) / 2
    return [
        Line(f"launch of {many:,} mentorships", started, "starts/s", bare, floor, aim=0.8),
        Line("  until each has had its first turn", lived, "starts/s", bare, cpu=cpu, floor_cpu=bare_cpu),
    ]


async def had_their_first_turn(database: Database, name: str) -> None:
    """Everybody's invitation is written down."""
    waiting = select(MentorshipRow.key).where(MentorshipRow.cohort == name, MentorshipRow.turn == 0).limit(1)
    while True:
        async with database.session() as session:
            if await session.scalar(waiting) is None:
                return
        await asyncio.sleep(0.1)


@asynccontextmanager
async def engine(client: Client, folder: Path) -> AsyncIterator[tuple[Settings, Database]]:
    """A worker with a database of its own."""
    settings = Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        data=folder,
        secret="only-for-measuring-only-for-measuring",  # pyright: ignore[reportArgumentType]
        smtp_security="none",
    )
    await asyncio.to_thread(migrate, settings.database)
    transport = transport_of(settings)
    async with Database.open(settings.database) as database:
        async with make_worker(client, settings, database, transport):
            yield settings, database
        await transport.close()


async def launched(client: Client, settings: Settings, database: Database, name: str, many: int) -> float:
    """Starts a second while the launch activity ran, by its own history."""
    loaded = at_night(name, many)
    await launch(database, client, settings, loaded, datetime.now(UTC))
    history = client.get_workflow_handle(cohort_id(name))
    ends: list[datetime] = []
    while len(ends) < 2:
        await asyncio.sleep(0.2)
        ends = [
            event.event_time.ToDatetime(UTC)
            async for event in history.fetch_history_events()
            if event.event_type
            in (EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED, EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
        ]
    return many / (ends[1] - ends[0]).total_seconds()


def at_night(name: str, many: int) -> Loaded:
    """So many pairs where it is night now, as when most things are decided: their mail waits for the morning."""
    now = datetime.now(UTC)
    east = (1 - now.hour + 12) % 24 - 12
    zone = f"Etc/GMT{-east:+d}" if east else "Etc/GMT"
    return pairs(name, many, local_date(now, zone) + timedelta(days=14), zone, (zone,))


async def _bare(client: Client, name: str, many: int) -> float:
    queue = f"empty-{name}"
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[EmptyWorkflow],
        workflow_runner=UnsandboxedWorkflowRunner(),
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
    )
    numbers = iter(range(many))

    async def start() -> None:
        for nth in numbers:
            await client.start_workflow(EmptyWorkflow.run, id=f"{queue}/{nth}", task_queue=queue)

    async with worker:
        began = time.perf_counter()
        await asyncio.gather(*(start() for _ in range(CONCURRENCY)))
        return many / (time.perf_counter() - began)
