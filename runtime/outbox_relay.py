"""Sends committed events to the workflows until each has been taken.

The code that commits an event writes a row in the same transaction and sends it once at once. Every worker sends the
rest from here. A row that keeps failing waits longer and longer, and does not delay other rows. A row is deleted only
when its workflow has taken it, or will never take it: a mentorship whose workflow is missing still can.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog
from sqlalchemy.exc import SQLAlchemyError

from runtime.temporal import NoSuchMentorship
from store import workflow_outbox
from store.database import Database
from store.mentorships.missing_workflows import must_a_workflow_run
from store.workflow_outbox import OutboxEvent

log = structlog.get_logger(__name__)

Tell = Callable[[str, str, str, dict[str, Any], str], Awaitable[None]]
"""(cohort, mentorship, name of the event, its fields, update id): tells a mentorship's workflow, and returns when it
has it or will never take it. Whatever it raises means: try again later."""

GRACE = timedelta(seconds=20)
"""The writer of a row sends it first; others leave it alone for this long (program time)."""
PATIENCE = 3.0
"""Real seconds that one attempt may take: a page waits for it."""
LONGEST_WAIT = timedelta(minutes=5)
AT_ONCE = 8
"""Rows told at the same time."""
PAGE = 200
LAG = timedelta(seconds=2 * PATIENCE)
"""Real time by which the relay of a fast clock is behind, for there `GRACE` ends before a page has sent anything."""


async def hand_over(
    database: Database, tell: Tell, cohort: str, mentorship: str, now: datetime, only: OutboxEvent | None = None
) -> bool:
    """Tell one workflow everything that waits for it, in order, up to the first failure; whether none failed.

    For a page that has just committed something: it never raises for what the workflow does. `only` is what it
    committed, where that is all that waits: `GRACE` reserves it, so it is told without being read or claimed.
    """
    if only is not None:
        return await _told(database, tell, only) == "told"
    async with database.session() as session:
        rows = await workflow_outbox.waiting(session, cohort, mentorship)
    for relay in rows:
        # One that another process has in hand just now is no reason to wait.
        if await _try(database, tell, relay, now) == "failed":
            return False
    return True


async def relay_once(database: Database, tell: Tell, now: datetime) -> int:
    """Try what is due at this program time; how many rows are done with.

    One mentorship's rows are told in order, and a row that fails doesn't keep back those after it. Stops early
    when nothing gets through, so that a long outage costs little.
    """
    async with database.session() as session:
        mentorships = await workflow_outbox.due(session, now, PAGE)
    told = 0
    for start in range(0, len(mentorships), AT_ONCE):
        batch = mentorships[start : start + AT_ONCE]
        outcomes = await asyncio.gather(*(_all_of(database, tell, *key, now) for key in batch))
        told += sum(outcomes)
        if len(batch) == AT_ONCE and not any(outcomes):
            break
    return told


async def relay_forever(
    database: Database,
    tell: Tell,
    clock_now: Callable[[], datetime],
    stop: asyncio.Event,
    every: float = 2.0,
) -> None:
    """Relay until `stop` is set; `every` is in real seconds. A database that fails is tried again."""
    while not stop.is_set():
        try:
            await relay_once(database, tell, clock_now())
        except SQLAlchemyError as failure:
            log.warning("relay_has_no_database", failure=type(failure).__name__)
        try:
            await asyncio.wait_for(stop.wait(), every)
        except TimeoutError:
            continue


def relays_until(now: datetime, speed: float) -> datetime:
    """Up to which program time the relay takes rows up at program time `now`, where time passes so fast."""
    return now - LAG * (speed - 1) if speed > 1 else now


def put_off(attempts: int) -> timedelta:
    """How long a row waits after so many failed attempts: 10 s, 20 s, 40 s … up to five minutes."""
    return min(timedelta(seconds=10) * 2 ** min(attempts, 10), LONGEST_WAIT)


async def _all_of(database: Database, tell: Tell, cohort: str, mentorship: str, now: datetime) -> int:
    async with database.session() as session:
        rows = await workflow_outbox.waiting(session, cohort, mentorship)
    return [await _try(database, tell, relay, now) for relay in rows].count("told")


async def _try(
    database: Database, tell: Tell, relay: OutboxEvent, now: datetime
) -> Literal["told", "failed", "not_ours"]:
    """One attempt, unless another process makes it."""
    async with database.begin() as session:
        if not await workflow_outbox.claim(session, relay, now + put_off(relay.attempts)):
            return "not_ours"
    return await _told(database, tell, relay)


async def _told(database: Database, tell: Tell, relay: OutboxEvent) -> Literal["told", "failed"]:
    """One attempt for a row that no other process has in hand; deletes it once its workflow has it."""
    try:
        async with asyncio.timeout(PATIENCE):
            await tell(relay.cohort, relay.mentorship, relay.event, relay.payload, relay.id)
    except NoSuchMentorship:
        if await _is_lost(database, relay):
            return "failed"
    except Exception as failure:
        # Its text may hold anything; its class says enough.
        log.warning("relay_failed", relay=relay.id, attempts=relay.attempts + 1, failure=type(failure).__name__)
        return "failed"
    async with database.begin() as session:
        await workflow_outbox.done(session, relay.id)
    return "told"


async def _is_lost(database: Database, relay: OutboxEvent) -> bool:
    """Whether the workflow that was not there must run: the row waits until it is started again."""
    async with database.session() as session:
        lost = await must_a_workflow_run(session, relay.cohort, relay.mentorship)
    level = log.warning if lost else log.info
    level("no_workflow", cohort=relay.cohort, mentorship=relay.mentorship, event_name=relay.event, waits=lost)
    return lost
