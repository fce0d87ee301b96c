"""The log of coordinators' commands, on both databases."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from store import operations_log
from store.database import Database
from store.tables import OperationRow
from testing.cohorts.small_cohort import COHORT, LAUNCH, PAIR, launched


async def test_a_command_is_written_once_and_its_reason_can_become_clearer(database: Database) -> None:
    await launched(database)
    for why in ("first", "", "clearer"):
        async with database.begin() as session:
            at = LAUNCH + timedelta(minutes=len(why))
            await operations_log.put_operation(
                session, "decide/x", "decide", COHORT, PAIR.key, {"task": "x"}, "casey", why, at
            )
        async with database.session() as session:
            [row] = await session.scalars(select(OperationRow))
        assert row.why == why or (why == "" and row.why == "first")
    async with database.begin() as session:
        await operations_log.finish_operation(session, "decide/x", "done")
    async with database.session() as session:
        [row] = await session.scalars(select(OperationRow))
    assert (row.result, row.why, row.by) == ("done", "clearer", "casey")
