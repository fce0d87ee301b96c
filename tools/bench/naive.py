"""The naive workflow, to compare with: it does what a season does by one activity for each mail and one for each
record, as one writes it at first. The mails are worded, sent and recorded for real.

    python -m tools.bench.naive ADDRESS DATABASE_URL SMTP_PORT      works until it is told to stop
"""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, select
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker

from activities.delivery.smtp import Relay, SmtpTransport
from mail.compose import compose
from mail.preview import sample
from store.database import Database
from store.tables import EventRow, ParticipantRow
from workflows.payloads import DATA_CONVERTER

QUEUE = "naive"


@dataclass(frozen=True)
class Deed:
    """Something that happens in a season: so long (real seconds) after its begin, a mail or a record."""

    after: float
    what: str
    """`mail` or `record`."""
    name: str
    """Of the mail, or of the step."""
    person: str = ""


class NaiveActivities:
    """The activities."""

    def __init__(self, database: Database, transport: SmtpTransport) -> None:
        self.database = database
        self.transport = transport

    @activity.defn(name="mail")
    async def mail(self, deed: Deed) -> None:
        """Look the person up, word the mail, send it."""
        async with self.database.session() as session:
            person = await session.get_one(ParticipantRow, deed.person)
        composed = compose(sample(deed.name))
        await self.transport.send("mentoring@bench.example.org", person.email, composed.raw.encode())

    @activity.defn(name="record")
    async def record(self, mentorship: str, deed: Deed) -> None:
        """Write down what happened."""
        async with self.database.begin() as session:
            await session.execute(select(ParticipantRow.id).where(ParticipantRow.id == deed.person))
            await session.execute(
                insert(EventRow),
                {"cohort": "naive", "mentorship": mentorship, "at": datetime.now(UTC), "name": deed.name,
                 "person": deed.person, "detail": "", "by": ""},
            )  # fmt: skip


@workflow.defn(name="naive")
class NaiveWorkflow:
    """Sleeps until the next deed and does it; answers come as signals and are recorded."""

    def __init__(self) -> None:
        self.recorded = 0

    @workflow.run
    async def run(self, mentorship: str, deeds: list[Deed], answers: int) -> None:
        """The whole season."""
        began = workflow.now()
        for deed in deeds:
            left = began + timedelta(seconds=deed.after) - workflow.now()
            if left > timedelta():
                await workflow.sleep(left)
            await self.do(mentorship, deed)
        await workflow.wait_condition(lambda: self.recorded == answers)

    @workflow.signal
    async def answered(self, mentorship: str, deed: Deed) -> None:
        """Somebody answered."""
        await self.do(mentorship, deed)
        self.recorded += 1

    async def do(self, mentorship: str, deed: Deed) -> None:
        """One activity."""
        arguments: list[object] = [deed] if deed.what == "mail" else [mentorship, deed]
        await workflow.execute_activity(deed.what, args=arguments, start_to_close_timeout=timedelta(seconds=30))


async def _work(address: str, database_url: str, smtp_port: int) -> None:
    client = await Client.connect(address, data_converter=DATA_CONVERTER)
    transport = SmtpTransport(Relay("127.0.0.1", smtp_port, "none"))
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with Database.open(database_url) as database:
        activities = NaiveActivities(database, transport)
        worker = Worker(
            client,
            task_queue=QUEUE,
            workflows=[NaiveWorkflow],
            activities=[activities.mail, activities.record],
            workflow_runner=UnsandboxedWorkflowRunner(),
            workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
            activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        )
        async with worker:
            await stopped.wait()


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1], sys.argv[2], int(sys.argv[3])))
