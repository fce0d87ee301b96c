"""A season that has been played: what the tests look at afterwards, when the engine is gone."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import func, select
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHistory
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from operations.mentorships import notes
from program.loader import Loaded
from rehearsal.ledger import ledger as rehearsed_ledger
from rehearsal.script_actions import change_happens
from rehearsal.season import RehearsedSeason
from rehearsal.season_rows import season_rows
from reports.season_report import Report, exact
from store.database import Database
from store.reports import season_rows as report_rows
from store.tables import EventRow, NoteRow
from testing.cohorts.all_cases import launch_moment, load
from testing.cohorts.cases import CASES
from testing.environments.engine import Engine, run_engine, time_skipping
from testing.seasons.counted_again import differences
from testing.seasons.independent_count import of_database
from workflows.ids import cohort_id, mentorship_id, postmaster_id

CORE = "temporal_core"
OTHERS = ("httpx", "httpcore", "mail.log")
"""Loggers of the simulated people and of the relay, not of the engine."""


NOTED = "quill-of-the-coordinators"
"""Stands in a note about each mentorship."""
FAR = date(2040, 1, 1)
"""A day after the end of every season."""


@dataclass
class PlayedSeason:
    """A season in the past."""

    loaded: Loaded
    ledger: dict[str, Any]
    notes: dict[str, set[str]]
    """Key of a mentorship to the names of what stands in its record."""
    histories: list[WorkflowHistory] = field(default_factory=list)
    traces: list[bytes] = field(default_factory=list)
    """Everything that Temporal knows: histories and descriptions, with search attributes, memos, summaries."""
    logs: list[str] = field(default_factory=list)
    rehearsed: dict[str, Any] = field(default_factory=dict)
    reports: tuple[Report | None, Report | None] = (None, None)
    """The exact report of what happened, and that of the rehearsal."""
    notes_kept: int = 0
    """How many notes of coordinators are kept, each with NOTED in it."""
    miscounted: list[str] = field(default_factory=list[str])
    """Where the exact report is not what an independent count of the rows in SQL says."""


@contextmanager
def logs_kept() -> Iterator[list[str]]:
    """Everything that is logged meanwhile, by whatever means, as text."""
    kept: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not record.name.startswith(OTHERS):
                kept.append(self.format(record))

    def keep(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        kept.append(repr(event))
        raise structlog.DropEvent

    handler, root, before = Keep(), logging.getLogger(), structlog.get_config()
    level = root.level
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    structlog.configure(
        processors=[structlog.processors.format_exc_info, keep],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    try:
        yield kept
    finally:
        structlog.configure(**before)
        root.setLevel(level)
        root.removeHandler(handler)


def runtime() -> Runtime:
    """A runtime whose own log, too, goes to where Python logs."""
    forwarding = LogForwardingConfig(logger=logging.getLogger(CORE))
    return Runtime(
        telemetry=TelemetryConfig(
            logging=LoggingConfig(
                filter=TelemetryFilter(core_level="WARN", other_level="WARN"), forwarding=forwarding
            )
        )
    )


async def play(folder: Path, database_url: str) -> PlayedSeason:
    """All cases in one season, over virtual time."""
    loaded, behaviour = load(folder, CASES)
    with logs_kept() as logs:
        async with time_skipping(runtime()) as env, run_engine(env, database_url, loaded, behaviour) as engine:
            await engine.move_to(launch_moment(loaded))
            await engine.launch()
            await _write_notes(engine)
            await engine.play()
            played = await look_back(engine)
    played.logs = logs
    season = RehearsedSeason(
        loaded.cohort,
        loaded.programs,
        loaded.forms,
        behaviour,
        launched_at=launch_moment(loaded),
        script=change_happens,
    )
    played.rehearsed = rehearsed_ledger(season.play())
    of_rehearsal = exact(replace(season_rows(season), as_of=FAR), {})
    played.reports = (played.reports[0], of_rehearsal)
    return played


async def look_back(engine: Engine) -> PlayedSeason:
    """What there is to see of a season."""
    played = PlayedSeason(engine.loaded, await engine.ledger(), await _notes(engine.database, engine.cohort))
    async with engine.database.session() as session:
        kept = select(func.count()).select_from(NoteRow).where(NoteRow.text.contains(NOTED))
        played.notes_kept = await session.scalar(kept) or 0
    report = await report_of(engine.database, engine.cohort)
    played.reports = (report, None)
    played.miscounted = differences(report, await of_database(engine.database, engine.cohort, FAR))
    workflows = [mentorship_id(engine.cohort, mentorship.key) for mentorship in engine.loaded.cohort.mentorships]
    for workflow in (*workflows, cohort_id(engine.cohort), postmaster_id(0)):
        history, traces = await traces_of(engine.client, workflow)
        played.histories.append(history)
        played.traces += traces
    return played


async def report_of(database: Database, cohort: str) -> Report:
    """The exact report of a cohort whose season is over."""
    async with database.session() as session:
        rows = await report_rows.season_rows(session, cohort, FAR, datetime.combine(FAR, time(), UTC))
    assert rows is not None
    return exact(rows, {})


async def traces_of(client: Client, workflow: str) -> tuple[WorkflowHistory, list[bytes]]:
    """The history of a workflow, and everything that Temporal keeps of it, as it is kept."""
    history = await client.get_workflow_handle(workflow).fetch_history()
    asked = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow)
    )
    description = await client.workflow_service.describe_workflow_execution(asked)
    return history, [*(event.SerializeToString() for event in history.events), description.SerializeToString()]


async def _write_notes(engine: Engine) -> None:
    """A coordinator writes a note about each mentorship."""
    [author, *_] = engine.loaded.cohort.coordinators
    for mentorship in engine.loaded.cohort.mentorships:
        where = f"{engine.cohort}/{mentorship.key}"
        await notes.add(engine.database, where, f"Called them: {NOTED}.", engine.now, by=author.id)


async def _notes(database: Database, cohort: str) -> dict[str, set[str]]:
    notes: dict[str, set[str]] = defaultdict(set)
    async with database.session() as session:
        for event in await session.scalars(select(EventRow).where(EventRow.cohort == cohort)):
            notes[event.mentorship].add(event.name)
    return notes
