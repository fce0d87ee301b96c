"""How an installation fares, for those who watch it: metrics for Prometheus, and whether a process can work.

The numbers of the database are counted when somebody asks, at most every few seconds, in every process alike: they
are those of the whole installation, so take the largest of several, never their sum. What stands here holds no name,
no address and no id, and labels take their values from short lists that our code knows.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from socket import socket

import httpx
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import RPCError

from lifecycle.gathering import MATCH
from lifecycle.tasks import KINDS
from runtime.settings import Settings
from store.database import Database
from store.reports.metrics import Totals, count_all

PATIENCE = 3.0
"""Real seconds that database and Temporal each have to answer."""
COUNTED_EVERY = 10.0
"""Real seconds for which a count is good enough."""
TYPE = "text/plain; version=0.0.4; charset=utf-8"

PHASES = ("onboarding", "expectations", "check_ins", "midpoint", "closure")
HEALTH = ("good", "quiet", "attention", "trouble", "over")


class ProcessHealth:
    """Knows how this process and its installation fare.

    `sdk` is where Temporal's SDK shows its own metrics. `needs_temporal`: without Temporal this process is of no use.
    """

    def __init__(
        self,
        database: Database,
        client: Client,
        now: Callable[[], datetime],
        *,
        needs_temporal: bool,
        sdk: str = "",
    ) -> None:
        self._database = database
        self._client = client
        self._now = now
        self._needs_temporal = needs_temporal
        self._sdk = sdk
        self._counting = asyncio.Lock()
        self._counted: tuple[float, Totals, datetime] | None = None

    async def missing(self) -> list[str]:
        """What this process needs and does not get, in plain words; empty when it is ready for work."""
        database, temporal = await asyncio.gather(self._database_answers(), self._temporal_answers())
        found = [] if database else ["the database does not answer"]
        return found + (["Temporal does not answer"] if self._needs_temporal and not temporal else [])

    async def metrics(self) -> bytes:
        """Everything, as Prometheus reads it. What can't be counted now is left out; `mentorship_up` says why."""
        temporal, totals, sdk = await asyncio.gather(self._temporal_answers(), self._totals(), self._of_sdk())
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Fixed([_up(totals is not None, temporal), *(_families(*totals) if totals else ())]))
        return generate_latest(REGISTRY) + generate_latest(registry) + sdk

    async def _totals(self) -> tuple[Totals, datetime] | None:
        async with self._counting:
            if self._counted and time.monotonic() - self._counted[0] < COUNTED_EVERY:
                return self._counted[1:]
            now = self._now()
            try:
                async with asyncio.timeout(PATIENCE), self._database.session() as session:
                    totals = await count_all(session, now)
            except (SQLAlchemyError, OSError, TimeoutError):
                return None
            self._counted = time.monotonic(), totals, now
            return totals, now

    async def _database_answers(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE), self._database.session() as session:
                await session.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError, TimeoutError):
            return False
        return True

    async def _temporal_answers(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._client.service_client.check_health(timeout=timedelta(seconds=PATIENCE))
        except (RPCError, RuntimeError, OSError, TimeoutError):
            return False

    async def _of_sdk(self) -> bytes:
        if not self._sdk:
            return b""
        try:
            async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
                return (await http.get(self._sdk)).content
        except httpx.HTTPError:
            return b""


def watched_runtime(settings: Settings) -> tuple[Runtime, str]:
    """A runtime of Temporal's SDK whose logs go with ours, and the address where it shows its metrics, or nothing.

    It shows them on this machine only, and where the settings want this process to be watched.
    """
    filtered = TelemetryFilter(core_level="WARN", other_level="ERROR")
    logs = LoggingConfig(filter=filtered, forwarding=LogForwardingConfig(logger=logging.getLogger("temporalio.core")))
    if not settings.metrics_port:
        return Runtime(telemetry=TelemetryConfig(logging=logs)), ""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    metrics = PrometheusConfig(bind_address=address, durations_as_seconds=True, counters_total_suffix=True)
    return Runtime(telemetry=TelemetryConfig(logging=logs, metrics=metrics)), f"http://{address}/metrics"


class _Fixed(Collector):
    """Shows what it was given."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


def _up(database: bool, temporal: bool) -> Metric:
    up = GaugeMetricFamily("mentorship_up", "1 where this process reaches it, 0 where it does not.", labels=["what"])
    up.add_metric(["database"], database)
    up.add_metric(["temporal"], temporal)
    return up


def _families(totals: Totals, now: datetime) -> Iterator[Metric]:
    """The numbers of the database. What there is none of shows as 0, so that a first one is a change."""

    def age(since: datetime | None) -> float:
        return max((now - since).total_seconds(), 0.0) if since else 0.0

    def one(name: str, what: str, value: float) -> Metric:
        return GaugeMetricFamily(f"mentorship_{name}", what, value=value)

    def each(name: str, what: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
        family = GaugeMetricFamily(f"mentorship_{name}", what, labels=[label])
        for value, number in values:
            family.add_metric([value], number)
        return family

    yield each("items", "Items in the postbox that wait.", "state", totals.items.items())
    yield one("items_due", "Queued items whose time has come.", totals.items_due)
    yield one("oldest_due_seconds", "How late the oldest thing to be delivered is.", age(totals.oldest_due))
    yield each("mail_rows", "Mails that have not simply been sent.", "state", totals.mails.items())

    yield each("requests_open", "Requests that wait for an answer.", "ask", totals.requests_open.items())
    yield each("requests_overdue", "Requests open past their close.", "ask", totals.requests_overdue.items())

    tasks = {kind: totals.tasks.get(kind) for kind in (*KINDS, MATCH)}
    yield each("tasks_open", "Undecided tasks.", "kind", ((k, t.open if t else 0) for k, t in tasks.items()))
    yield each(
        "tasks_overdue", "Tasks undecided past their due date.", "kind",
        ((k, t.overdue if t else 0) for k, t in tasks.items()),
    )  # fmt: skip
    yield each(
        "tasks_oldest_seconds", "Age of the oldest undecided task.", "kind",
        ((k, age(t.oldest) if t else 0) for k, t in tasks.items()),
    )  # fmt: skip

    running = GaugeMetricFamily("mentorship_running", "Mentorships that run.", labels=["phase", "health"])
    for key in sorted({(phase, health) for phase in PHASES for health in HEALTH} | totals.running.keys()):
        running.add_metric(list(key), totals.running.get(key, 0))
    yield running
    yield one("paused", "Running mentorships that are paused.", totals.paused)
    yield one("planned", "Mentorships launched whose workflow has not begun.", totals.planned)
    yield one("over", "Mentorships that are over.", totals.over)
    yield one("late", "Mentorships in which something should have happened by now.", totals.late)
    yield one("lost", "Mentorships that must run and have no workflow in Temporal.", totals.lost)
    yield one("late_seconds", "How late the latest of them is.", age(totals.late_since))

    yield one("relays", "Answers and changes that workflows have not been told of.", totals.relays)
    yield one("oldest_relay_seconds", "Age of the oldest of them.", age(totals.oldest_relay))
