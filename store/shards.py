"""Which postmaster serves a person, and whether it must be woken. A shard is a number from 0; a person keeps their
shard while the number of shards stays the same. Must not send or queue anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from zlib import crc32

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from store.prepared import Prepared
from store.tables import PostmasterRow

WAKES = Prepared(
    select(PostmasterRow.shard, PostmasterRow.wakes_at, PostmasterRow.rounds).where(
        PostmasterRow.shard.in_(bindparam("shards", expanding=True))
    )
)


def shard_of(person: str, shards: int) -> int:
    """The shard of this person; the same on every machine and in every run."""
    return crc32(person.encode()) % shards


def soonest(moments: Iterable[tuple[int, datetime]]) -> dict[int, datetime]:
    """Shard to the earliest of its moments."""
    earliest: dict[int, datetime] = {}
    for shard, at in moments:
        earliest[shard] = min(at, earliest.get(shard, at))
    return earliest


async def shards_to_wake(session: AsyncSession, earliest: Mapping[int, datetime], now: datetime) -> dict[int, int]:
    """The shards whose postmaster would sleep past what was queued, in order, with the number of rounds that it has
    begun. `earliest` is shard to its earliest `deliver_at` (UTC).

    Call it in a transaction begun after the one that queued has been committed: a postmaster writes down when
    it wakes before it looks for what is due, so one of the two always sees the other.
    """
    if not earliest:
        return {}
    rows = await WAKES.all(session, {"shards": list(earliest)})
    sleeping: dict[int, tuple[datetime | None, int]] = {shard: (wakes_at, rounds) for shard, wakes_at, rounds in rows}
    found: dict[int, int] = {}
    for shard, deliver_at in sorted(earliest.items()):
        wakes_at, rounds = sleeping.get(shard, (None, 0))
        if wakes_at is None or wakes_at <= now or deliver_at < wakes_at:
            found[shard] = rounds
    return found
