"""What the doctor says of the workflows that must run in Temporal. Looks, and starts nothing."""

from __future__ import annotations

from collections import Counter

from temporalio.client import Client

from operations.health.findings import Finding
from operations.health.missing_workflows import Missing, find, missing_services
from runtime.settings import Settings
from store.database import Database
from store.mentorships.missing_workflows import must_run, without_saved_state

NAMED = 5
"""Mentorships that are named; more are counted."""


async def examine_workflows(client: Client, settings: Settings) -> list[Finding]:
    """Whether everything runs in Temporal that must run, and what the database could start again."""
    async with Database.open(settings.database) as database:
        missing = await find(database, client)
        shards, cohorts = await missing_services(database, client, settings)
        async with database.session() as session:
            expected, unsaved = len(await must_run(session)), await without_saved_state(session)
    return [_mentorships(missing, expected), *_services(shards, cohorts), *_unsaved(unsaved)]


def _mentorships(missing: list[Missing], expected: int) -> Finding:
    if not missing:
        return Finding("workflows", "good", f"all {expected} mentorships that must run have one in Temporal")
    named = ", ".join(f"{one.cohort}/{one.key} ({one.status})" for one in missing[:NAMED])
    more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    says = f"{len(missing)} of {expected} mentorships must run and have none in Temporal: {named}{more}"
    remedy = (
        "Start them again from the database: mentorship reconcile. If you are moving to another Temporal, that is "
        "the command for it."
    )
    return Finding("workflows", "fault", says, remedy)


def _services(shards: list[int], cohorts: list[str]) -> list[Finding]:
    ids = [*(f"postmaster/{shard}" for shard in shards), *(f"cohort/{cohort}" for cohort in cohorts)]
    if not ids:
        return []
    kinds = Counter(id_.partition("/")[0] for id_ in ids)
    counted = " and ".join(f"{count} {kind} workflows" for kind, count in kinds.items())
    says = f"{counted} do not run: {', '.join(ids[:NAMED])}"
    return [Finding("workflows", "warning", says, "A worker starts them within minutes; is one running?")]


def _unsaved(count: int) -> list[Finding]:
    if not count:
        return []
    says = (
        f"{count} mentorships can't be started again from the database alone yet: an older release wrote their last "
        "turn. The next turn of each saves its state"
    )
    return [Finding("saved states", "good", says)]
