"""Finds mentorships that must run and have no running workflow in Temporal, and starts them again.

An operator may have terminated them, or Temporal may have lost them. The check costs one query in SQL and one listing
of the running workflows in Temporal (20 pages for 20,000 mentorships); only what seems to be missing is asked about
one by one. Every worker checks every two minutes (`MENTORSHIP_CHECK_WORKFLOWS_SECONDS`). Postmasters and cohorts are
started again at once, for they remember nothing. Mentorships are started by `mentorship reconcile`: the operator who
terminated them, or who moves them to another Temporal, decides when.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client
from temporalio.service import RPCError

from lifecycle.keys import MentorshipRef
from runtime.replay_state import RUNS, status_of
from runtime.settings import Settings
from runtime.temporal import Waker, start_cohort
from store.database import Database
from store.mentorships import missing_workflows
from workflows.ids import cohort_id, mentorship_id, postmaster_id

log = structlog.get_logger(__name__)

PAGE = 1000
"""Workflows in one page of the listing; more than Temporal gives by itself."""
ASKED = 100
"""Mentorships that seem to be missing and are asked about one by one. If none of so many runs, the listing is right
for the rest too; if one runs, the listing is late, and only what was asked about counts."""
AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Missing:
    """A mentorship that must run, and what Temporal says of its workflow: `terminated`, `unknown` …"""

    cohort: str
    key: str
    status: str


async def running_ids(client: Client, kind: str) -> set[str]:
    """Ids of all running workflows of a type."""
    found: set[str] = set()
    request = ListWorkflowExecutionsRequest(
        namespace=client.namespace,
        page_size=PAGE,
        query=f"WorkflowType = '{kind}' AND ExecutionStatus = 'Running'",
    )
    while True:
        page = await client.workflow_service.list_workflow_executions(request)
        found.update(one.execution.workflow_id for one in page.executions)
        if not page.next_page_token:
            return found
        request.next_page_token = page.next_page_token


async def find(database: Database, client: Client) -> list[Missing]:
    """Mentorships that must run and don't, by cohort and key. Raises RPCError where Temporal can't be asked."""
    async with database.session() as session:
        expected = await missing_workflows.must_run(session)
    running = await running_ids(client, "mentorship")
    suspects = sorted(place for place in expected if mentorship_id(*place) not in running)
    if not suspects:
        return []
    asked, rest = suspects[:ASKED], suspects[ASKED:]
    statuses = dict(zip(asked, await _statuses(client, asked), strict=True))
    missing = {place: status for place, status in statuses.items() if status != RUNS}
    if len(missing) == len(asked):
        missing |= dict.fromkeys(rest)
    async with database.session() as session:
        # What ended while Temporal was asked has its last turn in the database by now.
        still = await missing_workflows.still_must_run(session, missing)
    return [Missing(*place, _word(status)) for place, status in sorted(missing.items()) if place in still]


async def _statuses(client: Client, places: list[MentorshipRef]) -> list[WorkflowExecutionStatus.ValueType | None]:
    concurrency = asyncio.Semaphore(AT_ONCE)

    async def ask(place: MentorshipRef) -> WorkflowExecutionStatus.ValueType | None:
        async with concurrency:
            return await status_of(client, mentorship_id(*place))

    return await asyncio.gather(*(ask(place) for place in places))


def _word(status: WorkflowExecutionStatus.ValueType | None) -> str:
    if status is None:
        return "unknown"
    return WorkflowExecutionStatus.Name(status).removeprefix("WORKFLOW_EXECUTION_STATUS_").replace("_", " ").lower()


async def note(database: Database, missing: list[Missing], now: datetime) -> None:
    """Write down which mentorships have no workflow since when (`now`, real time in UTC), for status and metrics."""
    places = {(one.cohort, one.key) for one in missing}
    async with database.session() as session:
        known = await missing_workflows.known_as_lost(session)
    if places == known:
        return
    async with database.begin() as session:
        await missing_workflows.mark(session, places - known, now)
        await missing_workflows.mark(session, known - places, None)


async def missing_services(database: Database, client: Client, settings: Settings) -> tuple[list[int], list[str]]:
    """Shards whose postmaster does not run, and cohorts that are not over and have no running workflow."""
    async with database.session() as session:
        cohorts = await missing_workflows.running_cohorts(session)
    postmasters = await running_ids(client, "postmaster")
    running = await running_ids(client, "cohort") if cohorts else set[str]()
    return (
        [shard for shard in range(settings.shards) if postmaster_id(shard) not in postmasters],
        [cohort for cohort in cohorts if cohort_id(cohort) not in running],
    )


async def start_services(database: Database, client: Client, settings: Settings) -> list[str]:
    """Start the postmasters and cohorts that don't run; their workflow ids. One that runs after all is only woken."""
    shards, cohorts = await missing_services(database, client, settings)
    for shard in shards:
        await Waker(client, settings)(shard)
    for cohort in cohorts:
        await start_cohort(client, settings, cohort)
    return [*(postmaster_id(shard) for shard in shards), *(cohort_id(cohort) for cohort in cohorts)]


async def check(database: Database, client: Client, settings: Settings) -> None:
    """Start postmasters and cohorts that don't run, and write down which mentorships have no workflow."""
    for started in await start_services(database, client, settings):
        log.warning("workflow_started_again", workflow_id=started)
    missing = await find(database, client)
    await note(database, missing, datetime.now(UTC))
    by_status: dict[str, int] = defaultdict(int)
    for one in missing:
        by_status[one.status] += 1
    if missing:
        log.warning("workflows_missing", count=len(missing), **by_status)


async def check_forever(database: Database, client: Client, settings: Settings, stop: asyncio.Event) -> None:
    """Check until `stop` is set. A database or a Temporal that is away is tried again."""
    while not stop.is_set():
        try:
            await check(database, client, settings)
        except (RPCError, SQLAlchemyError) as failure:
            log.warning("workflows_not_checked", failure=type(failure).__name__)
        try:
            await asyncio.wait_for(stop.wait(), settings.check_workflows_seconds)
        except TimeoutError:
            continue


async def pages_of(missing: list[Missing]) -> AsyncIterator[tuple[str, list[str]]]:
    """The keys of these mentorships by cohort, in pages that one transaction can take."""
    by_cohort: dict[str, list[str]] = defaultdict(list)
    for one in missing:
        by_cohort[one.cohort].append(one.key)
    for cohort, keys in by_cohort.items():
        for first in range(0, len(keys), missing_workflows.PAGE):
            yield cohort, keys[first : first + missing_workflows.PAGE]
