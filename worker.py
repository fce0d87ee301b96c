"""The composition root: here the rooms are put together, and nowhere else.

`python worker.py` (or `mentorship worker`) runs the workflows, the activities and the relay of one process. Any
number of workers may run; each does the same work.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import (
    PollerBehaviorAutoscaling,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerDeploymentConfig,
    WorkflowRunner,
)

from activities.delivery.deliver import PostOffice
from activities.delivery.delivery_settings import PostOfficeRules, Sender
from activities.gathering import Gatherer
from activities.launch import Launcher
from activities.letters.fill_letters import LetterWriter
from activities.record_turn import Recorder
from mail.compose import Composer
from operations.applications.forget_applications import forget_applications, forget_forever
from operations.health.metrics import ProcessHealth, watched_runtime
from operations.health.missing_workflows import check_forever
from operations.matching.next_choices import reasons_with
from program.files.folders import template_folders
from runtime.links import Links
from runtime.logs import set_up_logs
from runtime.outbox_relay import relay_forever, relays_until
from runtime.settings import Settings, load_settings
from runtime.smtp import transport_of
from runtime.temporal import Starter, Teller, Waker, connect
from runtime.tracing import traced
from store.database import Database
from web.app import serve
from web.health import shown
from workflows.cohort import CohortWorkflow
from workflows.mentorship import MentorshipWorkflow
from workflows.postmaster import PostmasterWorkflow

log = structlog.get_logger(__name__)

WORKFLOWS = (MentorshipWorkflow, CohortWorkflow, PostmasterWorkflow)

GRACE = timedelta(seconds=30)
"""Real time that a worker which is told to stop gives to mails on their way."""

HEARTBEATS = timedelta(seconds=5)
"""The SDK keeps heartbeats back for up to this long: the shortest time-out of one leaves a slow moment its time."""

CACHED_WORKFLOWS = 5000
"""Mentorships kept in memory. More than wake together in a night, or replay doubles the night's work."""

TURNS_AT_ONCE = 8
"""Turns of mentorships that one worker takes at once. More would only wait for the database with their workflow
tasks open, and be given up and begun again: in the night when a thousand wake, they wait at the server instead."""


def make_worker(
    client: Client,
    settings: Settings,
    database: Database,
    transport: Sender,
    *,
    cached: int = CACHED_WORKFLOWS,
    runner: WorkflowRunner | None = None,
) -> Worker:
    """A worker with everything in it; tests and the embedded stack use this factory too.

    Workflows run without the SDK's sandbox unless a test gives it as `runner`. `tools/scripts/determinism.py` checks
    their code for what a replay could not repeat.
    """
    recorder = Recorder(database, Waker(client, settings), settings.shards)
    launcher = Launcher(database, Starter(client, settings), forget_applications)
    gatherer = Gatherer(database, Waker(client, settings), forget_applications, settings.shards)
    office = make_post_office(settings, database, transport)
    return Worker(
        client,
        task_queue=settings.task_queue,
        workflows=WORKFLOWS,
        activities=[
            recorder.carry_out,
            launcher.start_mentorships,
            launcher.cohort_progress,
            gatherer.gather,
            office.deliver,
        ],
        workflow_runner=runner or UnsandboxedWorkflowRunner(),
        max_cached_workflows=cached,
        max_concurrent_workflow_tasks=TURNS_AT_ONCE,
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        graceful_shutdown_timeout=GRACE,
        max_heartbeat_throttle_interval=HEARTBEATS,
        deployment_config=_deployment(settings),
    )


def make_post_office(
    settings: Settings, database: Database, transport: Sender, composer: Composer | None = None
) -> PostOffice:
    """The delivery side: links are signed, letters worded and sent as these settings say. `composer` is one that has
    read its templates before."""
    secret = settings.secrets[0]
    composer = composer or Composer(template_folders(None, settings.own_config))
    letter_writer = LetterWriter(
        Links.of(settings),
        settings.mail_from,
        settings.mail_from_name,
        settings.redirect_all_to,
        composer.language_of,
        secret=secret,
        why_matched=reasons_with,
    )
    rules = PostOfficeRules(
        sender=settings.mail_from,
        bounce_address=settings.bounce_address,
        secret=secret,
        mails_per_second=settings.mails_per_second,
        redirected=bool(settings.redirect_all_to),
        speed=settings.speed,
    )
    return PostOffice(database, transport, letter_writer, composer.compose, rules)


def _deployment(settings: Settings) -> WorkerDeploymentConfig | None:
    """With a build id, workflows stay on the version they began with until a quiet moment (`workflows.versions`)."""
    if not settings.build_id:
        return None
    version = WorkerDeploymentVersion(deployment_name=settings.deployment, build_id=settings.build_id)
    return WorkerDeploymentConfig(
        version=version, use_worker_versioning=True, default_versioning_behavior=VersioningBehavior.PINNED
    )


@asynccontextmanager
async def running(client: Client, settings: Settings, now: Callable[[], datetime]) -> AsyncIterator[Database]:
    """A worker with its relay, stopped in order at the end of the block: nothing in flight is cut off."""
    database = Database.open(settings.database)
    transport = transport_of(settings)
    stop = asyncio.Event()

    def relay_now() -> datetime:
        return relays_until(now(), settings.speed)

    relay = asyncio.create_task(relay_forever(database, Teller(client), relay_now, stop))
    checks = asyncio.create_task(check_forever(database, client, settings, stop))
    forgets = asyncio.create_task(forget_forever(database, now, stop))
    try:
        async with make_worker(client, settings, database, transport):
            yield database
    finally:
        stop.set()
        await asyncio.gather(relay, checks, forgets)
        await transport.close()
        await database.close()


@asynccontextmanager
async def watched(settings: Settings, process_health: ProcessHealth) -> AsyncIterator[None]:
    """For the length of a block this process can be watched, where the settings name a port for it."""
    if not settings.metrics_port:
        yield
        return
    async with shown(process_health, settings.metrics_host, settings.metrics_port, settings.other_hosts):
        yield


async def main() -> None:
    """Run a worker until it is told to stop by SIGTERM or SIGINT."""
    settings = load_settings()
    set_up_logs()
    runtime, sdk = watched_runtime(settings)
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    clock = settings.clock

    def now() -> datetime:
        return clock.program(datetime.now(UTC))

    async with traced() as interceptors:
        client = await connect(runtime, interceptors=interceptors)
        async with (
            running(client, settings, now) as database,
            watched(settings, ProcessHealth(database, client, now, needs_temporal=True, sdk=sdk)),
        ):
            for shard in range(settings.shards):
                await Waker(client, settings)(shard)
            log.info("worker_runs", task_queue=settings.task_queue, namespace=client.namespace)
            await stopped.wait()
            log.info("worker_stops")


async def serve_pages() -> None:
    """Serve the participants' pages until told to stop by SIGTERM or SIGINT.

    What they can't tell a workflow at once is left to the relay of a worker, without which no workflow would hear of
    it anyway: so a crowd has the pages for itself.
    """
    settings = load_settings()
    set_up_logs()
    runtime, sdk = watched_runtime(settings)
    clock = settings.clock

    def now() -> datetime:
        return clock.program(datetime.now(UTC))

    async with traced() as interceptors, Database.open(settings.database) as database:
        client = await connect(runtime, lazy=True, interceptors=interceptors)
        async with watched(settings, ProcessHealth(database, client, now, needs_temporal=False, sdk=sdk)):
            log.info("pages_run", host=settings.web_host, port=settings.web_port)
            await serve(settings, database, Teller(client), now, Waker(client, settings), client)
        log.info("pages_stop")


if __name__ == "__main__":
    asyncio.run(main())
