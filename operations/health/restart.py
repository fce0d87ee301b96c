"""Starts mentorships again that Temporal terminated, timed out, or lost, from what the database holds.

The state that was written with the last turn is what the workflow continues from, so nobody is asked or mailed twice.
What people did after that turn waits in the workflow outbox, or is told again. Works while workers run, and against a
Temporal that has never known the mentorships: see docs/decisions/0011-continue-from-the-database.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession
from temporalio.client import Client

from lifecycle.assessment import signals
from lifecycle.events import Answered
from lifecycle.state import State
from operations.health.missing_workflows import find, pages_of
from runtime.replay_state import recall
from runtime.settings import Settings
from runtime.temporal import Starter
from store import workflow_outbox
from store.cohorts.cohorts import FrozenProgram, frozen_program
from store.database import Database
from store.mentorships import missing_workflows, restore
from store.mentorships.missing_workflows import Continuable
from store.mentorships.restore import StoredAnswer
from store.workflow_outbox import OutboxEvent

AGREEMENT = "agreement"
"""What an answer to it set off depends on the document of that moment, so it can't be told again."""
AT_ONCE = 20
"""Workflows that are started at the same time."""
NO_STATE = (
    "an older release wrote its last turn, so the database does not hold what its workflow remembered; "
    "restore Temporal's database as well, from the same time or a later one"
)
OTHERWISE = (
    "a workflow runs by now, or came to its end by itself while the database expects more; "
    "if the database is from a backup, use --restored database"
)
JUST_BEFORE = timedelta(minutes=10)
"""Real time: an answer so much older than the last turn can be later for the workflow, if clocks disagree."""

_ANSWERED = TypeAdapter(Answered)


@dataclass(frozen=True, slots=True)
class Restarted:
    """What came of a mentorship that had no workflow. `done` is False where nothing could be done, and in a dry run
    of what can't be done."""

    cohort: str
    key: str
    was: str
    """What Temporal said of its workflow: `terminated`, `unknown` …"""
    done: bool
    how: str
    """From what it continues, or what stands in the way."""
    told_again: int = 0
    """Answers that the workflow had not been told of, or that were not in its state, and that it is told again."""


async def restart_missing(
    database: Database, client: Client, settings: Settings, now: datetime, *, fix: bool
) -> AsyncIterator[Restarted]:
    """Start every mentorship that must run and has no workflow; with `fix` False only say so.

    `now` is program time (UTC). Raises RPCError where Temporal does not answer.
    """
    missing = await find(database, client)
    was = {(one.cohort, one.key): one.status for one in missing}
    async for cohort, keys in pages_of(missing):
        for one in await restart(database, client, settings, now, cohort, keys, was=was, fix=fix):
            yield one


async def restart(
    database: Database,
    client: Client,
    settings: Settings,
    now: datetime,
    cohort: str,
    keys: list[str],
    *,
    was: dict[tuple[str, str], str],
    fix: bool,
    behind: bool = False,
) -> list[Restarted]:
    """Start these mentorships of one cohort from the database. `behind`: also where a workflow runs."""
    async with database.session() as session:
        page = await missing_workflows.continuable(session, cohort, keys)
        programs = {
            which: await frozen_program(session, *which)
            for which in {(one.planned.program, one.planned.program_hash) for one in page}
        }
    starter = Starter(client, settings)
    concurrency = asyncio.Semaphore(AT_ONCE)

    async def one(found: Continuable) -> Restarted:
        async with concurrency:
            frozen = programs[(found.planned.program, found.planned.program_hash)]
            return await _one(client, starter, found, frozen, was.get((cohort, found.planned.key), ""), fix, behind)

    results = await asyncio.gather(*(one(found) for found in page))
    started = [found for found, result in zip(page, results, strict=True) if result.done]
    if not fix or not started:
        return list(results)
    async with database.begin() as session:
        keys = [found.planned.key for found in started]
        await missing_workflows.mark(session, [(cohort, key) for key in keys], None)
        told = {found.planned.key: await _tell_again(session, found, settings, now) for found in started}
        await workflow_outbox.make_due(session, cohort, keys, now)
    return [replace(result, told_again=told.get(result.key, 0)) for result in results]


async def _one(
    client: Client, starter: Starter, found: Continuable, frozen: FrozenProgram, was: str, fix: bool, behind: bool
) -> Restarted:
    planned, state, how = found.planned, found.state, "from the database"
    if state is None and found.turn:
        state, how = await _from_history(client, found), "from the history of the workflow that was ended"
        if state is None:
            return Restarted(planned.cohort, planned.key, was, False, NO_STATE)
    elif state is None:
        how = "from its beginning: it has not taken a turn"
    if fix and not await starter.start_again(planned, frozen, state, replace=behind):
        return Restarted(planned.cohort, planned.key, was, False, OTHERWISE)
    return Restarted(planned.cohort, planned.key, was, True, how)


async def _from_history(client: Client, found: Continuable) -> State | None:
    """What a workflow of an older release remembered, as far as Temporal still has its history."""
    try:
        state = await recall(client, found.planned.cohort, found.planned.key, ended_by_force=True)
    except RuntimeError:
        return None
    return state if state is not None and state.turn >= found.turn else None


async def _tell_again(session: AsyncSession, found: Continuable, settings: Settings, now: datetime) -> int:
    """Put answers into the outbox that came after the last turn, and that this turn does not know of; how many."""
    if found.state is None or found.turn_at is None:
        return 0
    since = found.turn_at - JUST_BEFORE * settings.speed
    given = await restore.answers(session, found.planned.cohort, found.planned.key)
    again = [one for one in forgotten(found.state, given) if one.at >= since and one.ask != AGREEMENT]
    for one in again:
        await workflow_outbox.put(session, told_again(found.planned.cohort, found.planned.key, one), now)
    return len(again)


def forgotten(state: State, given: list[StoredAnswer]) -> list[StoredAnswer]:
    """The last answers of those whom the workflow still waits for, or has not asked yet."""
    last = {(one.person, one.ask, one.number): one for one in given}
    knows = {(person, step.name, step.number) for step in state.steps for person in step.answered}
    if state.agreement.concluded:
        last = {which: one for which, one in last.items() if one.ask != AGREEMENT}
    return [one for which, one in last.items() if which not in knows and one.submission not in state.seen]


def told_again(cohort: str, key: str, given: StoredAnswer) -> OutboxEvent:
    """The event of an answer, for the outbox."""
    event = Answered(
        given.submission, given.person, given.ask, given.number, signals(given.ask, given.body), given.at
    )
    return OutboxEvent(given.submission, cohort, key, "Answered", _ANSWERED.dump_python(event, mode="json"))
