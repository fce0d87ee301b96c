"""A cohort that begins with an open call, played until its mentorships run, over Temporal's test server.

Shared by the tests of workflows and by what records histories.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from temporalio.client import WorkflowHistory

from lifecycle.local_time import local_date
from operations.applications.apply import apply, confirm
from operations.audit import COMMAND_LINE
from operations.cohorts.launch import launch
from operations.matching.publish import draft, publish
from program.gathering import Wishes
from program.loader import Loaded
from rehearsal.behaviour import Behaviour
from store.database import Database, migrate
from store.people import applications
from store.tables import ItemRow, MentorshipRow, TaskRow
from testing.environments.engine import Engine, run_engine, time_skipping
from testing.environments.open_call import COHORT, loaded_call, typed_application
from workflows.ids import cohort_id

A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PlayedGathering:
    """What came of it."""

    history: WorkflowHistory
    """Of the cohort's workflow."""
    mentorships: tuple[str, ...]
    """Keys of those that run."""
    task: tuple[str, str]
    """Decision of the task to match, and by whom."""


async def play_gathering(folder: Path) -> PlayedGathering:
    """Two people are invited, apply, are asked for wishes, matched and published."""
    url = f"sqlite+aiosqlite:///{folder / 'call.db'}"
    migrate(url)
    async with time_skipping() as env:
        today = local_date(await env.get_current_time(), "Europe/Berlin")
        says = loaded_call(
            Wishes(), opens=today + A_DAY, closes=today + 8 * A_DAY, invited=["mo@example.org", "ella@example.org"]
        )
        cohort = says.cohort.model_copy(update={"start": today + 60 * A_DAY})
        loaded = Loaded(cohort, says.used, application=says.application)
        async with run_engine(env, url, loaded, Behaviour()) as engine:
            await launch(engine.database, engine.client, engine.settings, loaded, engine.now)
            return await _gathered(engine)


async def _gathered(engine: Engine) -> PlayedGathering:
    database = engine.database

    async def told(name: str, count: int) -> bool:
        async with database.session() as session:
            return len((await session.scalars(select(ItemRow.key).where(ItemRow.name == name))).all()) == count

    async def running() -> list[str]:
        async with database.session() as session:
            rows = await session.scalars(select(MentorshipRow.key).where(MentorshipRow.state == "running"))
            return list(rows)

    async def one_runs() -> bool:
        return bool(await running())

    await _go_on(engine, 2 * A_DAY)
    await until(lambda: told("application_invited", 2))
    await _applies(database, "mentor", "mo", engine.now, grade="G7", unit="Finance")
    await _applies(database, "mentee", "ella", engine.now, grade="SEO", unit="Health")
    await _go_on(engine, 8 * A_DAY)
    await until(lambda: told("application_wishes", 2))
    await _go_on(engine, 9 * A_DAY)
    await until(lambda: told("task_opened", 1))
    made = await draft(database, COHORT)
    await publish(database, engine.client, engine.settings, made, engine.now, by="coco", proof=COMMAND_LINE)
    await until(one_runs)
    async with database.session() as session:
        task = (await session.scalars(select(TaskRow).where(TaskRow.kind == "match"))).one()
    history = await engine.client.get_workflow_handle(cohort_id(COHORT)).fetch_history()
    return PlayedGathering(history, tuple(await running()), (task.decision, task.by))


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait in real time until the worker has done its part."""
    for _ in range(600):
        if await holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the worker has not done its part")


async def _applies(database: Database, role: str, name: str, now: datetime, **answers: Any) -> None:
    email = f"{name}@example.org"
    typed = typed_application(role, name, email, **answers)
    await apply(database, COHORT, typed, role, timedelta(minutes=1), now)
    async with database.session() as session:
        found = await applications.of_address(session, COHORT, email)
    assert found is not None
    await confirm(database, found.id, found.generation, now)


async def _go_on(engine: Engine, span: timedelta) -> None:
    """Let time pass, a day at a time."""
    ends = engine.now + span
    while engine.now < ends:
        left = min(A_DAY, ends - engine.now)
        await engine.env.sleep(left)
        engine.now += left
        await asyncio.sleep(0.2)
