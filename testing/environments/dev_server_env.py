"""An engine on Temporal's development server, for what the time-skipping server can't show: refusals in words,
search attributes and cards as people see them, continuing as new, retries in real time.

The server suggests to continue as new very early, so that every workflow here does it again and again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import func, select
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle

from activities.delivery.smtp import SmtpTransport
from embedded.temporal_server import DevServer
from lifecycle.events import Event
from operations.cohorts.launch import launch
from program.loader import Loaded, load_cohort
from runtime.settings import Settings
from runtime.smtp import transport_of
from runtime.temporal import send
from store.database import Database
from store.tables import EventRow, MentorshipRow
from testing.cohorts.all_cases import behaviour_of, cohort_of, written
from testing.cohorts.cases import Case
from testing.environments.engine import SECRET
from testing.sandbox import sandbox
from testing.servers.dev_server import Address, cleared
from testing.servers.sink import Sink
from testing.servers.sink import running as running_sink
from worker import make_worker
from workflows.ids import mentorship_id

EARLY = 40
"""Events in a history after which this server suggests to continue as new."""


class EarlyServer(DevServer):
    """A development server that finds histories long early."""

    @property
    def arguments(self) -> list[str]:
        return [*super().arguments, "--dynamic-config-value", f"limit.historyCount.suggestContinueAsNew={EARLY}"]


@dataclass
class DevServerEnv:
    """A running engine in real time, with one cohort."""

    client: Client
    settings: Settings
    database: Database
    sink: Sink
    loaded: Loaded
    transport: SmtpTransport
    shift: AsyncExitStack = field(default_factory=AsyncExitStack)
    """The worker that works now."""

    async def begin_work(self) -> None:
        """A worker works from now on: that of production, but in the sandbox."""
        worker = make_worker(self.client, self.settings, self.database, self.transport, runner=sandbox())
        await self.shift.enter_async_context(worker)

    async def end_work(self) -> None:
        """Nobody works; what comes in waits."""
        await self.shift.aclose()

    @property
    def now(self) -> datetime:
        """Program time, UTC."""
        return self.settings.clock.program(datetime.now(UTC))

    @property
    def cohort(self) -> str:
        """The id of the cohort, as no other test has it."""
        return self.loaded.cohort.cohort

    async def launch(self) -> None:
        """Launch the cohort now, and wait until all its mentorships wait for somebody to do something."""
        await launch(self.database, self.client, self.settings, self.loaded, self.now)
        await until(self.has_begun)
        for mentorship in self.loaded.cohort.mentorships:
            await self.card(mentorship.key)  # is answered between two turns

    async def has_begun(self) -> bool:
        """Whether every mentorship has had its first turn."""
        async with self.database.session() as session:
            turns = await session.scalars(select(MentorshipRow.turn).where(MentorshipRow.cohort == self.cohort))
            return all(list(turns)) and await session.scalar(select(func.count(MentorshipRow.key))) != 0

    async def send(self, key: str, event: Event) -> str:
        """Let an event happen to a mentorship."""
        return await send(self.client, self.cohort, key, event)

    def workflow(self, key: str) -> WorkflowHandle[object, object]:
        """The workflow of a mentorship."""
        return self.client.get_workflow_handle(mentorship_id(self.cohort, key))

    async def card(self, key: str) -> str:
        """What ops see of a mentorship in the Temporal UI, in Markdown."""
        metadata = await self.workflow(key).query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        return metadata.current_details.replace("\N{EM SPACE}", "")

    async def runs(self, key: str) -> int:
        """How many runs the workflow of a mentorship has had."""
        history = await self.workflow(key).fetch_history()
        first = history.events[0].workflow_execution_started_event_attributes
        count, run = 1, first.continued_execution_run_id
        while run:
            count += 1
            handle = self.client.get_workflow_handle(mentorship_id(self.cohort, key), run_id=run)
            began = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
            run = began.continued_execution_run_id
        return count

    async def noted(self, key: str) -> list[str]:
        """The names of what stands in the record of a mentorship, in order."""
        async with self.database.session() as session:
            events = await session.scalars(
                select(EventRow.name)
                .where(EventRow.cohort == self.cohort, EventRow.mentorship == key)
                .order_by(EventRow.id)
            )
            return list(events)


@asynccontextmanager
async def run_on_dev_server(
    address: Address, database_url: str, folder: Path, *cases: Case, build_id: str = "", speed: float = 1
) -> AsyncIterator[DevServerEnv]:
    """An engine with a production worker; the start of its cohort is ten days away. `build_id`: its version."""
    client = await cleared(address)
    file = cohort_of(cases, f"stage-{uuid4().hex[:8]}") | {
        "start": datetime.now(UTC).date() + timedelta(days=10),
        "program": "clock",
    }
    cohort, _ = written(folder, file, behaviour_of(cases))
    async with running_sink() as sink, Database.open(database_url) as database:
        settings = Settings(
            _env_file=None,  # pyright: ignore[reportCallIssue]
            database_url=database_url,
            secret=SECRET,  # pyright: ignore[reportArgumentType]
            smtp_port=sink.port,
            smtp_security="none",
            mail_from="mentoring@engine.example.org",
            task_queue=file["cohort"],
            deployment=file["cohort"],
            build_id=build_id,
            speed=speed,
            epoch=datetime.now(UTC),
        )
        transport = transport_of(settings)
        env = DevServerEnv(client, settings, database, sink, load_cohort(cohort), transport)
        await env.begin_work()
        try:
            yield env
        finally:
            await env.end_work()
            await transport.close()


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    """Wait until something holds, in real time. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not await holds():
            await asyncio.sleep(0.05)
