"""Waking postmasters for what was put into postboxes, where nobody does it from a workflow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from store.database import Database
from store.shards import shards_to_wake

Wake = Callable[[int], Awaitable[None]]
"""Wakes the postmaster of a shard."""


async def wake_in_time(
    database: Database, earliest: Mapping[int, datetime], now: datetime, wake: Wake | None
) -> None:
    """Wake those that would sleep past what was queued (shard to its earliest moment, UTC), after the commit.

    `wake` may raise where Temporal is away.
    """
    if wake is None or not earliest:
        return
    async with database.session() as session:
        due = await shards_to_wake(session, earliest, now)
    for shard in due:
        await wake(shard)
