"""Launching: putting a cohort down and having its mentorships started. Launching again finishes what broke off."""

from __future__ import annotations

from datetime import datetime

from temporalio.client import Client

from lifecycle.calendar import local_date
from operations.settings import Settings
from operations.temporal import start_cohort
from program.loader import Loaded
from store import cohorts
from store.cohorts import Put
from store.database import Database


async def launch(
    database: Database, client: Client, settings: Settings, loaded: Loaded, now: datetime, *, confirm: bool = False
) -> Put:
    """Put the cohort down and start what is new. `now` is program time (UTC); the same file twice changes nothing.

    `confirm` applies what would change of people and of the cohort; otherwise it is only listed. Raises
    `KnownOtherwise` before anything is written.
    """
    async with database.begin() as session:
        frozen = {
            id_: await cohorts.freeze_program(session, used.program, used.forms, now)
            for id_, used in loaded.used.items()
        }
    today = local_date(now, loaded.cohort.zone)
    put = await cohorts.put(database, loaded.cohort, frozen, today, now, confirm=confirm)
    await start_cohort(client, settings, loaded.cohort.cohort)
    return put
