"""The least that a season needs of Temporal: counted from the rehearsal of the same season, and then lived through by
a workflow that does nothing else, so that its events and bytes are measured and not guessed.

The least is: one start, one timer for each due moment that was waited for, one update for each answer or decision,
and one (local) activity for each turn that had something to write down. Some due moments are waited for and never
come, as a reminder that an answer makes needless: a workflow that does not know the future needs a timer for them
too. Where several such moments follow each other, one timer is enough, so only one is counted.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker

from lifecycle.commands import Batch
from lifecycle.events import Event
from rehearsal.records import Running
from rehearsal.season import RehearsedSeason

QUEUE = "least"


@dataclass(slots=True)
class Needs:
    """What one mentorship's season needs: due moments that came, others that were waited for in vain, events from
    outside, turns written down."""

    timers: int = 0
    overtaken: int = 0
    updates: int = 0
    turns: int = 0

    @property
    def actions(self) -> int:
        """Temporal's actions, with the start."""
        return 1 + self.timers + self.overtaken + self.updates + self.turns


class Counted(RehearsedSeason):
    """A rehearsal that counts what each mentorship's turns need."""

    needs: dict[str, Needs]
    _armed: dict[str, datetime | None]
    """When the timer of a mentorship goes off, if only an earlier moment resets it."""
    _wrote: bool = False

    def play(self, progress: object = None) -> RehearsedSeason:
        """Run to the end."""
        self.needs = {key: Needs() for key in self.running}
        self._armed = {}
        return super().play()

    def turn(self, running: Running, event: Event | None) -> None:
        """One turn, with what it needs."""
        key = running.state.key
        needs = self.needs[key]
        first = key not in self._armed
        armed = self._armed.get(key)
        if armed is not None and armed < self.now:
            needs.overtaken += 1  # it went off for nothing, and the one that was due then was set
            armed = running.due_at
        self._wrote = False
        super().turn(running, event)
        needs.turns += self._wrote
        if event is not None:
            needs.updates += 1
        elif not first:
            needs.timers += 1
            armed = None
        due = running.due_at
        if armed is not None and due is not None and due < armed:
            needs.overtaken += 1
        self._armed[key] = due if armed is None or (due is not None and due < armed) else armed

    def carry_out(self, running: Running, turn: Batch) -> None:
        """Something was written down."""
        self._wrote = True
        super().carry_out(running, turn)


@activity.defn(name="write")
async def write() -> None:
    """Where the engine writes a turn down."""


@workflow.defn(name="least")
class LeastWorkflow:
    """Waits, is updated and calls a local activity as often as a mentorship must, and says nothing."""

    @workflow.init
    def __init__(self, timers: int, overtaken: int, updates: int) -> None:
        self.updated = 0
        self.overtaken = overtaken
        self.alarm: asyncio.Task[None] | None = None

    @workflow.run
    async def run(self, timers: int, overtaken: int, updates: int) -> None:
        """First the updates come, then as many timers, one after another."""
        await self.write()
        await workflow.wait_condition(lambda: self.updated == updates)
        for _ in range(timers):
            await workflow.sleep(timedelta(milliseconds=1))
            await self.write()

    @workflow.update
    async def answer(self) -> None:
        """An answer."""
        if self.alarm is not None:
            self.alarm.cancel()
            self.alarm = None
        if self.overtaken:
            self.overtaken -= 1
            self.alarm = asyncio.create_task(workflow.sleep(timedelta(days=1)))
        await self.write()
        self.updated += 1

    async def write(self) -> None:
        """One local activity."""
        await workflow.execute_local_activity(write, start_to_close_timeout=timedelta(seconds=5))


async def live(client: Client, needs: list[Needs]) -> None:
    """Live through the least of each of these mentorships."""
    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[LeastWorkflow],
        activities=[write],
        workflow_runner=UnsandboxedWorkflowRunner(),
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
    )

    async def one(nth: int, need: Needs) -> None:
        handle = await client.start_workflow(
            LeastWorkflow.run, args=[need.timers, need.overtaken, need.updates], id=f"least/{nth}", task_queue=QUEUE
        )
        for _ in range(need.updates):
            await handle.execute_update(LeastWorkflow.answer)
        await handle.result()

    async with worker:
        await asyncio.gather(*(one(nth, need) for nth, need in enumerate(needs)))
