"""The bare shape of a turn: an update or a timer, a local activity, the next timer, an upsert of search attributes
and the card. No core, no SQL, no sandbox: what is left is what Temporal and its SDK take for it.

    python -m tools.bench.shape ADDRESS      works until it is told to stop; its CPU is the floor of a worker's
"""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker

from mail.compose import compose
from mail.preview import sample

QUEUE = "shape"
OPEN_TASKS = SearchAttributeKey.for_int("OpenTasks")
CARD = "| | |\n| --- | --- |\n" + "\n".join(f"| Row {nth} | what stands in a card |" for nth in range(6))
WITHOUT_END = 1_000_000
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Shape:
    """A life of so many turns. `every` is the real seconds from one timer to the next."""

    timers: int = 0
    updates: int = WITHOUT_END
    overtaken: int = WITHOUT_END
    """Updates that set the timer again."""
    upserts: int = WITHOUT_END
    every: float = 0.001
    mails: list[str] = field(default_factory=list[str])
    """Names of the mails to be worded on the way; two in a turn at most."""


@activity.defn(name="word")
async def word(mails: list[str]) -> int:
    """Word mails, and do nothing with them; how many characters they have."""
    return sum(len(compose(sample(name)).raw) for name in mails)


@workflow.defn(name="shape")
class ShapeWorkflow:
    """Takes updates and waits for timers; each is a turn."""

    @workflow.init
    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.mails = list(shape.mails)
        self.turns = self.updated = self.upserted = 0
        self.alarm: asyncio.Task[None] | None = None

    @workflow.run
    async def run(self, shape: Shape) -> None:
        """One turn after another; at the end, what mails are left."""
        await self.turn()
        for _ in range(shape.timers):
            await workflow.sleep(timedelta(seconds=shape.every))
            await self.turn()
        await workflow.wait_condition(lambda: self.updated >= shape.updates)
        while self.mails:
            await self.turn()

    @workflow.update
    async def happen(self) -> str:
        """Something happens from outside."""
        await self.turn()
        if self.updated < self.shape.overtaken:
            if self.alarm is not None:
                self.alarm.cancel()
            self.alarm = asyncio.create_task(workflow.sleep(A_DAY))
        self.updated += 1
        return "done"

    async def turn(self) -> None:
        """A local activity, an upsert, the card."""
        self.turns += 1
        mails, self.mails = self.mails[:2], self.mails[2:]
        await workflow.execute_local_activity(word, mails, start_to_close_timeout=timedelta(seconds=10))
        if self.upserted < self.shape.upserts:
            self.upserted += 1
            workflow.upsert_search_attributes([OPEN_TASKS.value_set(self.turns)])
        workflow.set_current_details(CARD)


@workflow.defn(name="waiting")
class WaitingWorkflow:
    """Waits without end, and takes updates that do nothing."""

    @workflow.run
    async def run(self, _: Shape) -> None:
        """Nothing."""
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def happen(self) -> str:
        """Nothing."""
        return "done"


async def _work(address: str) -> None:
    client = await Client.connect(address)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[ShapeWorkflow, WaitingWorkflow],
        activities=[word],
        workflow_runner=UnsandboxedWorkflowRunner(),
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        max_cached_workflows=5000,
    )
    async with worker:
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1]))
