"""Changes of running mentorships a second, as a coordinator gives them in bulk, beside bare updates of a workflow
that does nothing on the same server with as many in flight. Either way one process sends them and works on them.

A change is written down with who and why, decided by the core, and on the record in SQL before it counts; a bare
update is none of that. So the ratio is what all of it costs.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker

from operations.mentorships.change import CONCURRENCY, carry_out, extend, orders
from operations.mentorships.select import Filters, selected
from store.database import Database
from tools.bench.launching import engine, had_their_first_turn, launched
from tools.bench.servers import temporal
from tools.bench.table import Line


@workflow.defn(name="waiting")
class WaitingWorkflow:
    """Waits, and takes updates."""

    @workflow.run
    async def run(self) -> None:
        """Without end."""
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def change(self, said: str) -> str:
        """Nothing."""
        return said


async def measure(*, quick: bool) -> list[Line]:
    """Bare updates, a change in bulk, bare updates again; the floor is the mean of the two."""
    many = 200 if quick else 1000
    with TemporaryDirectory() as folder:
        async with temporal(Path(folder)) as server, engine(server.client, Path(folder)) as (settings, database):
            for name, count in (("warm", 20), ("bench", many)):
                await launched(server.client, settings, database, name, count)
                await had_their_first_turn(database, name)
                await _bare(server.client, name, 20)
            await _changed(server.client, database, "warm")
            before = await _bare(server.client, "before", many)
            changed = await _changed(server.client, database, "bench")
            after = await _bare(server.client, "after", many)
    rates = f"{before:.0f}/s before, {after:.0f}/s after"
    floor = f"updates of a workflow that does nothing, {CONCURRENCY} in flight: {rates}"
    return [
        Line(f"a change of {many:,} mentorships", changed, "updates/s", (before + after) / 2, floor, aim=0.7),
    ]


async def _changed(client: Client, database: Database, cohort: str) -> float:
    """Changes a second, from the selection to the last outcome on the record."""
    began = time.perf_counter()
    now = datetime.now(UTC)
    places = await selected(database, cohort, now, Filters())
    change_orders = await orders(database, places, extend("4w"), now)
    outcomes = await carry_out(database, client, change_orders, now, why="measured")
    taken = time.perf_counter() - began
    assert all(outcome.outcome == "done" for outcome in outcomes)
    return len(outcomes) / taken


async def _bare(client: Client, name: str, many: int) -> float:
    queue = f"waiting-{name}"
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[WaitingWorkflow],
        workflow_runner=UnsandboxedWorkflowRunner(),
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        max_cached_workflows=2 * many,
    )
    concurrency = asyncio.Semaphore(CONCURRENCY)

    async def start(nth: int) -> WorkflowHandle[WaitingWorkflow, None]:
        async with concurrency:
            return await client.start_workflow(WaitingWorkflow.run, id=f"{queue}/{nth}", task_queue=queue)

    async def update(handle: WorkflowHandle[WaitingWorkflow, None]) -> None:
        async with concurrency:
            await handle.execute_update(WaitingWorkflow.change, "x", id=f"{handle.id}/change")

    async with worker:
        handles = await asyncio.gather(*(start(nth) for nth in range(many)))
        began = time.perf_counter()
        await asyncio.gather(*(update(handle) for handle in handles))
        return many / (time.perf_counter() - began)
