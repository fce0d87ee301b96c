"""Launching: putting a cohort down and having its mentorships started. Launching again finishes what broke off."""

from __future__ import annotations

from datetime import datetime

from temporalio.client import Client

from lifecycle.calendar import local_date
from operations.settings import Settings
from operations.temporal import start_cohort
from program.loader import Loaded
from store import cohorts, comparison, progress
from store.cohorts import FrozenProgram, Put
from store.comparison import Comparison, is_known
from store.database import Database

__all__ = ["compare", "is_known", "launch", "still_to_start"]


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


async def compare(database: Database, loaded: Loaded, now: datetime) -> Comparison:
    """What launching this file would come to; nothing is written and nothing starts. Raises `KnownOtherwise`."""
    frozen = {id_: FrozenProgram(used.program, used.hash, used.forms) for id_, used in loaded.used.items()}
    return await comparison.compare(database, loaded.cohort, frozen, local_date(now, loaded.cohort.zone), now)


async def still_to_start(database: Database, cohort: str) -> int:
    """How many mentorships of a cohort are put down and not started."""
    async with database.session() as session:
        return (await progress.by_state(session, cohort)).get("planned", 0)
