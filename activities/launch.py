"""Starts the mentorships of a cohort, page by page, and counts what still runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from temporalio import activity

from activities.messages import COHORT_PROGRESS, START_MENTORSHIPS, CohortProgress, CohortQuestion, Started
from store.cohorts import calls, cohorts, progress
from store.cohorts.cohorts import FrozenProgram, Planned
from store.database import Database

PAGE = 100
"""Mentorships that are started before the store is told so."""

CONCURRENCY = 20
"""Starts that are under way at once; more gain nothing."""

Start = Callable[[Planned, FrozenProgram], Awaitable[bool]]
"""Starts the workflow of one mentorship; does nothing if it has been started before. False where another database's
mentorship has its id."""
Forget = Callable[[Database, str, datetime], Awaitable[None]]
"""Deletes applications whose time is over, of one cohort."""


class Launcher:
    """Starts what a coordinator has launched."""

    def __init__(self, database: Database, start: Start, forget: Forget | None = None) -> None:
        self.database = database
        self.start = start
        self.forget = forget

    @activity.defn(name=START_MENTORSHIPS)
    async def start_mentorships(self, question: CohortQuestion) -> Started:
        """Start every planned mentorship. One that was started by an attempt that died is only marked; one whose id
        another database has used stays planned."""
        started, last = 0, ""
        concurrency = asyncio.Semaphore(CONCURRENCY)
        while True:
            async with self.database.session() as session:
                page = await cohorts.planned(session, question.cohort, after=last, limit=PAGE)
                programs = {
                    which: await cohorts.frozen_program(session, *which)
                    for which in {(planned.program, planned.program_hash) for planned in page}
                }
            if not page:
                return Started(started)

            async def one(planned: Planned, programs: dict[tuple[str, str], FrozenProgram] = programs) -> bool:
                async with concurrency:
                    ours = await self.start(planned, programs[(planned.program, planned.program_hash)])
                    activity.heartbeat()  # at every start: Temporal may be slow, and a page long
                    return ours

            ours = await asyncio.gather(*(one(planned) for planned in page))
            run = [planned.key for planned, is_ours in zip(page, ours, strict=True) if is_ours]
            async with self.database.begin() as session:
                await cohorts.mark_running(session, question.cohort, run)
            started, last = started + len(run), page[-1].key

    @activity.defn(name=COHORT_PROGRESS)
    async def cohort_progress(self, question: CohortQuestion) -> CohortProgress:
        """Count the mentorships by state; with none left to run, the cohort is over. Applications whose time is over
        are deleted by the way."""
        if self.forget is not None:
            await self.forget(self.database, question.cohort, question.now)
        async with self.database.begin() as session:
            states = await progress.by_state(session, question.cohort)
            result = CohortProgress(
                states.get("planned", 0),
                states.get("running", 0),
                states.get("over", 0),
                await calls.is_gathering(session, question.cohort),
            )
            if result.planned == result.running == 0 and not result.gathering:
                await progress.mark_over(session, question.cohort)
        return result
