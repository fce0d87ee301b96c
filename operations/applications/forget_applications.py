"""Deletes applications whose time is over: what nobody confirmed, and what was written once the pairs are long out or
the cohort is long cancelled.

The workflow of a cohort runs this again and again as long as it runs. Of a cohort whose workflow has ended, every
worker does (`forget_forever`). Each run does what is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from operations.applications.apply import KEPT, LAPSES, forget
from operations.people.erase import Erasure, clean_up
from operations.transactions import in_one
from store import operations_log
from store.cohorts import calls, past_seats
from store.database import Database
from store.people import applications
from store.people.applications import Application
from store.people.redaction import numbers_only

FORGETS_EVERY = timedelta(hours=1)
"""So often, in real time, a worker looks at the applications of cohorts that run no more."""

log = structlog.get_logger(__name__)


async def forget_applications(database: Database, cohort: str, now: datetime) -> None:
    """Delete what is over by now (program time, UTC). Of who was matched, numbers stay for the report."""
    async with database.session() as session:
        call = await calls.find(session, cohort)
        ended = await calls.published_at(session, cohort)
        ended = ended or await operations_log.given_at(session, operations_log.cancelled_by(cohort))
        listed = await applications.of_cohort(session, cohort)
        over = ended is not None and ended + KEPT <= now
        seated = await past_seats.seated(session, cohort) if over else frozenset[str]()
    if call is None:
        return
    for found in listed:
        if over and found.person in seated:
            kept = numbers_only(found.body, call.form)
            if kept != found.body or found.name:
                async with database.begin() as session:
                    await applications.change(session, found.id, body=kept, name="", wishes=[], would_take=[])
            continue
        if over or _has_lapsed(found, now):
            await _forget(database, found.id, now, over=over)


async def forget_where_nothing_runs(database: Database, now: datetime) -> None:
    """The same for every cohort that is cancelled or over. `now` is program time (UTC)."""
    async with database.session() as session:
        cohorts = await calls.no_longer_running(session)
    for cohort in cohorts:
        await forget_applications(database, cohort, now)


async def forget_forever(
    database: Database, now: Callable[[], datetime], stop: asyncio.Event, every: timedelta = FORGETS_EVERY
) -> None:
    """Forget until `stop` is set; `now` says the program time, `every` is real time. A database that fails is tried
    again."""
    while not stop.is_set():
        try:
            await forget_where_nothing_runs(database, now())
        except SQLAlchemyError as failure:
            log.warning("applications_not_forgotten", failure=type(failure).__name__)
        try:
            await asyncio.wait_for(stop.wait(), every.total_seconds())
        except TimeoutError:
            continue


def _has_lapsed(application: Application, now: datetime) -> bool:
    return application.state == "unconfirmed" and application.at + LAPSES <= now


async def _forget(database: Database, id_: str, now: datetime, *, over: bool) -> None:
    async def carry_out(session: AsyncSession) -> Erasure | None:
        found = await applications.find(session, id_, lock=True)
        # It may have been confirmed since it was listed.
        if found is None or not (over or _has_lapsed(found, now)):
            return None
        return await forget(session, found, now, "", keep_invited=False)

    erasure = await in_one(database, carry_out)
    if erasure is not None:
        await clean_up(database, erasure, now, tell=None)
