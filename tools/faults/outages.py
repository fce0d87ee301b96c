"""Processes that are killed, servers that are away, a disk that is full, a clock that is wrong."""

from __future__ import annotations

import asyncio
import resource
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from temporalio.service import RPCError

from lifecycle.delivery.postbox import FAST
from store.tables import ItemRow, MentorshipRow, RelayRow
from store.workflow_outbox import OutboxEvent, put
from tools.faults.installation import Town

DAYS = 8
"""Days of the season that a full disk lasts."""
OFF_BY = timedelta(days=10)
"""How wrong a clock is (program time)."""
PUT_OFF = timedelta(hours=5)
"""More than a mail is put off at most while the relay is away."""
LONG, SHORT = 3, 1
"""Days of the season that the parts are away in turn."""


async def worker_killed(here: Town) -> int:
    """Again and again, in the middle of whatever it does; another takes its place."""
    for _ in range(8):
        await here.days(here.chance.uniform(0.5, 3.5))
        here.kill(here.chance.choice(sorted(here.workers)))
        await here.add_worker()
    return here.kills


async def one_of_two_killed(here: Town) -> int:
    """The other has to do all the work."""
    await here.add_worker()
    await here.days(here.chance.uniform(5, 9))
    here.kill(here.chance.choice(sorted(here.workers)))
    await here.days(6)
    return here.kills


async def temporal_away(here: Town) -> int:
    """And back, with what its file holds."""
    await here.server.stop()
    await here.days(here.chance.uniform(4, 7))
    try:
        async with asyncio.timeout(2):
            await here.client.count_workflows()
        missed = 0
    except (RPCError, TimeoutError):
        missed = 1
    await here.server.start()
    return missed


async def postgresql_away(here: Town) -> int:
    """Twice, cutting whatever is under way."""
    missed = 0
    for _ in range(2):
        await _database_goes(here)
        await here.days(here.chance.uniform(1, 4))
        missed += await _database_missed(here)
        await _database_comes(here)
        await here.days(3)
    return missed


async def disk_full(here: Town) -> int:
    """No file of the worker or the pages may grow beyond a page: whatever SQLite writes fails half-way."""
    before = here.logged("OperationalError")
    _limit_files(here, 4096)  # those, too, that are started meanwhile: they have it from the one that they come of
    await here.days(DAYS)
    _limit_files(here, resource.RLIM_INFINITY)
    return here.logged("OperationalError") - before


def _limit_files(here: Town, size: int) -> None:
    for process in here.processes:
        with suppress(ProcessLookupError):
            resource.prlimit(process, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


async def clock_wrong(here: Town) -> int:
    """Workers run on a machine whose clock is ahead, then on one whose clock is behind."""
    await _with_clock(here, OFF_BY)
    early = await _told_too_early(here)
    await here.days(6)
    await _with_clock(here, -OFF_BY)
    await here.days(6)
    await _with_clock(here, timedelta(0))
    return early


async def _with_clock(here: Town, wrong: timedelta) -> None:
    clock = here.settings.clock
    here.told = f"MENTORSHIP_EPOCH={(clock.epoch + wrong / (1 - clock.speed)).isoformat()}"
    await here.restart_worker()


async def _told_too_early(here: Town) -> int:
    """A message to nobody, to be told in some days: by its worker's clock its time has come."""
    its_time = here.now() + OFF_BY  # as long ahead as can be: a worker looks only every few real seconds
    async with here.database.begin() as session:
        await put(
            session, OutboxEvent("to_nobody", "town", "nobody", "Bounced", {"id": "x", "person": "x"}), its_time
        )

    async def told() -> bool:
        async with here.database.session() as session:
            return await session.get(RelayRow, "to_nobody") is None

    await here.until(told)
    return int(here.now() < its_time)


# -- one after the other --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outage:
    """A part that can be away. `missed` counts up while it is, if anybody wants it."""

    goes: Callable[[Town], Awaitable[None]]
    comes: Callable[[Town], Awaitable[None]]
    missed: Callable[[Town], Awaitable[int]]


async def outage(here: Town) -> int:
    """Relay, worker and database are away in turn, each when something falls due; one of them for three days.

    Whatever waits for a person when a part is back must come in one mail. That this is on the first day back can't
    be seen at this speed, at which a second between two tries is more than a day: it is seen by
    `test_an_outage_of_three_days_is_one_mail_for_each`.
    """
    parts = [
        Outage(_relay_goes, _relay_comes, _relay_missed),
        Outage(_workers_go, _workers_come, _workers_missed),
        Outage(_database_goes, _database_comes, _database_missed_by_us),
    ]
    here.chance.shuffle(parts)
    long = here.chance.randrange(len(parts))
    for number, part in enumerate(parts):
        await here.until(here.falls_due_soon)
        before = await part.missed(here)
        await part.goes(here)
        await here.days(LONG if number == long else SHORT)
        await here.until(lambda part=part, before=before: _more(part, here, before))
        if part.goes is not _database_goes:
            await _waits_for_one_mail(here)
        await part.comes(here)
        if part.goes is _database_goes:
            await _waits_for_one_mail(here)
        back = here.now()
        await here.until(lambda back=back: _done_by(here, back))
    return len(parts)


async def _more(part: Outage, here: Town, before: int) -> bool:
    return await part.missed(here) > before


async def _done_by(here: Town, moment: datetime) -> bool:
    return await here.left_of(moment) == 0


async def _waits_for_one_mail(here: Town) -> None:
    """What waits for somebody now must come in one mail; asked when the season is over."""

    async def queued() -> Sequence[ItemRow]:
        due = here.now() + PUT_OFF
        waits = select(ItemRow).where(ItemRow.state == "queued", ItemRow.deliver_at <= due, ItemRow.kind.not_in(FAST))
        async with here.database.session() as session:
            return (await session.scalars(waits)).all()

    waiting: dict[str, set[str]] = defaultdict(set)
    for item in await here.once_there(queued):
        waiting[item.person].add(item.key)

    async def came_in_one() -> list[str]:
        async with here.database.session() as session:
            rows = await session.execute(select(ItemRow.key, ItemRow.message).where(ItemRow.state == "sent"))
        mail_of = dict(rows.all())
        mails = [{mail_of[key] for key in keys if key in mail_of} for keys in waiting.values()]
        return [f"what waited for one person came in {len(mails)} mails" for mails in mails if len(mails) > 1]

    here.asked_at_the_end.append(came_in_one)


async def _relay_goes(here: Town) -> None:
    await here.sink.stop()


async def _relay_missed(here: Town) -> int:
    return here.logged('"trouble": "queue')


async def _relay_comes(here: Town) -> None:
    await here.sink.start()


async def _workers_go(here: Town) -> None:
    await here.stop_workers()


async def _workers_missed(here: Town) -> int:
    return 0 if here.workers else await here.left_of(here.now())


async def _workers_come(here: Town) -> None:
    await here.add_worker()


async def _database_goes(here: Town) -> None:
    assert here.postgresql is not None
    await asyncio.to_thread(here.postgresql.go_away)


async def _database_comes(here: Town) -> None:
    assert here.postgresql is not None
    await asyncio.to_thread(here.postgresql.come_back)


async def _database_missed_by_us(here: Town) -> int:
    return here.logged("OperationalError")


async def _database_missed(here: Town) -> int:
    try:
        async with here.database.session() as session:
            await session.scalar(select(MentorshipRow.key))
    except SQLAlchemyError:
        return 1
    return 0
