"""Compares the database with Temporal, and repairs what can be repaired without sending a mail twice.

The database holds what was said and what was mailed, Temporal holds the time. Restored from different moments, they
disagree; docs/decisions/0010-after-a-restore.md says which side counts for what. After a restore no worker may run
meanwhile; starting what is missing (`start_what_is_missing`) needs no pause.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from temporalio.client import Client

from lifecycle.rebuild import as_one_turn
from lifecycle.state import State
from operations.health.missing_workflows import missing_services, start_services
from operations.health.restart import AGREEMENT, Restarted, forgotten, restart, restart_missing, told_again
from runtime.replay_state import RUNS, recall, status_of
from runtime.settings import Settings
from runtime.temporal import Waker, start_cohort
from store import workflow_outbox
from store.database import Database
from store.mentorships import restore, turns
from store.mentorships.missing_workflows import running_cohorts
from store.mentorships.restore import Standing
from workflows.ids import cohort_id, mentorship_id, postmaster_id

Restored = Literal["database", "temporal"]
"""What was restored from a backup: the other one is newer."""

Kind = Literal["mail", "behind", "ahead", "lost", "unknown", "unreadable", "cohort", "postmaster", "untold"]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A difference between database and Temporal. `says` states it, `does` says what repairs it."""

    kind: Kind
    what: str
    says: str
    does: str
    fixed: bool = False
    """`does` is done by this command; otherwise by a person, or by itself."""


async def reconcile(
    database: Database, client: Client, settings: Settings, now: datetime, restored: Restored, *, fix: bool
) -> AsyncIterator[Disagreement]:
    """Find what disagrees, and fix it unless this is a dry run. `now` is program time (UTC).

    What may have been mailed is put aside before anything else can be mailed.
    """
    if restored == "database":
        async for found in _mail(database, now, fix=fix):
            yield found
    async with database.session() as session:
        standings = await restore.standings(session)
        cohorts = await running_cohorts(session)
        untold = await restore.untold(session)
    for standing in standings:
        if standing.state != "planned":
            async for found in _mentorship(database, client, settings, now, standing, fix=fix):
                yield found
    for cohort in cohorts:
        if await status_of(client, cohort_id(cohort)) != RUNS:
            if fix:
                await start_cohort(client, settings, cohort)
            yield Disagreement("cohort", cohort, "its workflow does not run", "starts it", fixed=True)
    for shard in range(settings.shards):
        if await status_of(client, postmaster_id(shard)) != RUNS:
            yield Disagreement("postmaster", str(shard), "it does not run", "starts it", fixed=True)
        if fix:
            # One that sleeps may know of another moment than the database.
            await Waker(client, settings)(shard)
    if untold:
        says = f"{untold} answers or changes that their mentorship has not been told of"
        yield Disagreement("untold", "relay", says, "they are told as soon as workers run")


async def start_what_is_missing(
    database: Database, client: Client, settings: Settings, now: datetime, *, fix: bool
) -> AsyncIterator[Disagreement]:
    """Start everything that must run in Temporal and doesn't. Workers may run meanwhile; nothing is mailed twice.

    For workflows that were terminated or lost, and for a Temporal that has never known them. `now` is program time
    (UTC).
    """
    shards, cohorts = await missing_services(database, client, settings)
    for cohort in cohorts:
        yield Disagreement("cohort", cohort, "its workflow does not run", "starts it", fixed=True)
    for shard in shards:
        yield Disagreement("postmaster", str(shard), "it does not run", "starts it", fixed=True)
    if fix:
        await start_services(database, client, settings)
    async for again in restart_missing(database, client, settings, now, fix=fix):
        yield _started_again(again)


async def strangers(database: Database, client: Client) -> AsyncIterator[Disagreement]:
    """Mentorships that run in Temporal, and that the database never heard of."""
    async with database.session() as session:
        known = {mentorship_id(one.cohort, one.key) for one in await restore.standings(session)}
    does = "launch its cohort's file again if that was launched after the backup, then run this once more"
    async for one in client.list_workflows("WorkflowType = 'mentorship' AND ExecutionStatus = 'Running'"):
        if one.id not in known:
            place = one.id.partition("/")[2]
            yield Disagreement("unknown", place, "Temporal runs it, the database does not know it", does)


async def _mail(database: Database, now: datetime, *, fix: bool) -> AsyncIterator[Disagreement]:
    async with database.begin() as session:
        items, people = await restore.may_have_gone_out(session, now)
        if fix:
            await restore.put_aside(session, now)
    if items:
        says = f"{items} things for {people} people were due by now, and may have been mailed after the backup"
        does = (
            "they are not mailed again; `mentorship nudge` sends what is still open to those who may have missed it"
        )
        yield Disagreement("mail", "postbox", says, does, fixed=True)


async def _mentorship(
    database: Database, client: Client, settings: Settings, now: datetime, standing: Standing, *, fix: bool
) -> AsyncIterator[Disagreement]:
    place = f"{standing.cohort}/{standing.key}"
    try:
        state = await recall(client, standing.cohort, standing.key)
    except RuntimeError:
        does = "look at it in the Temporal UI; nothing is done about it here"
        yield Disagreement("unreadable", place, "this version can't go through its history", does)
        return
    if state is None:
        if standing.state == "running":
            yield await _lost(database, client, settings, now, standing, fix=fix)
        return
    if state.turn > standing.turn:
        says = f"Temporal has taken {state.turn - standing.turn} turns that the database lost"
        if fix:
            await _record_anew(database, settings, state, now)
        does = "writes down what its workflow knows; what was answered in between is lost"
        yield Disagreement("ahead", place, says, does, fixed=True)
    elif state.turn < standing.turn:
        says = f"the database holds {standing.turn - state.turn} turns that Temporal forgot"
        [again] = await restart(
            database, client, settings, now, standing.cohort, [standing.key], was={}, fix=fix, behind=True
        )
        if again.done:
            yield Disagreement("behind", place, says, "its workflow begins again from the database", fixed=True)
            return
        does = "its workflow takes them again"
        yield Disagreement("behind", place, says, does + ", when workers run")
        async with database.begin() as session:
            lost = forgotten(state, await restore.answers(session, standing.cohort, standing.key))
            for one in lost:
                if fix and one.ask != AGREEMENT:
                    await workflow_outbox.put(session, told_again(standing.cohort, standing.key, one), now)
        for one in lost:
            says = f"an answer ({one.ask} {one.number}) that Temporal forgot"
            if one.ask == AGREEMENT:
                yield Disagreement("behind", place, says, "`mentorship nudge` asks for it once more")
            else:
                yield Disagreement("behind", place, says, "tells it again", fixed=True)


async def _lost(
    database: Database, client: Client, settings: Settings, now: datetime, standing: Standing, *, fix: bool
) -> Disagreement:
    [again] = await restart(database, client, settings, now, standing.cohort, [standing.key], was={}, fix=fix)
    return _started_again(again)


def _started_again(again: Restarted) -> Disagreement:
    was = "does not know it" if again.was in ("", "unknown") else f"has it as {again.was}"
    says = f"it runs in the database, and Temporal {was}"
    if not again.done:
        return Disagreement("lost", f"{again.cohort}/{again.key}", says, again.how)
    told = f"; {again.told_again} answers are told again" if again.told_again else ""
    return Disagreement("lost", f"{again.cohort}/{again.key}", says, f"starts it again {again.how}{told}", fixed=True)


async def _record_anew(database: Database, settings: Settings, state: State, now: datetime) -> None:
    async with database.begin() as session:
        whole = as_one_turn(state, now)
        await restore.close_what_is_over(session, whole)
        batch = await restore.known_tasks(session, await restore.unanswered(session, whole))
        await turns.apply(session, batch, shards=settings.shards)
