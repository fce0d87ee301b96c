"""Deletes applications whose time is over: what nobody confirmed, and what was written once the pairs are long out.

Runs from the cohort's workflow, again and again; each run does what is left.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from operations.applications.apply import KEPT, LAPSES, forget
from operations.people.erase import Erasure, clean_up
from operations.transactions import in_one
from store.cohorts import calls, past_seats
from store.database import Database
from store.people import applications
from store.people.applications import Application
from store.people.redaction import numbers_only


async def forget_applications(database: Database, cohort: str, now: datetime) -> None:
    """Delete what is over by now (program time, UTC). Of who was matched, numbers stay for the report."""
    async with database.session() as session:
        call = await calls.find(session, cohort)
        published_at = await calls.published_at(session, cohort)
        listed = await applications.of_cohort(session, cohort)
        over = published_at is not None and published_at + KEPT <= now
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
