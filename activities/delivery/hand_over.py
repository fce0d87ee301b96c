"""The last look before the body of a mail goes out: is the mail still ours, and will its claim last long enough?

What is confirmed is marked in the database first, so that the worker that takes over after a death knows which mails
may have been accepted and which certainly were not. That is a transaction, which costs as much as the whole rest of a
hand-over: so a mail that is ready waits a moment for those of which the relay is being told, and they share one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from activities.batches import write_batch
from store.database import Database
from store.delivery import outbox
from store.delivery.outbox import Mail

LONGEST_SEND = timedelta(minutes=2)
"""Real time that handing over a body can take; a claim that ends sooner is not used."""
FRESH = 2.0
"""Real seconds. A confirmation that took longer is asked for again: the process may have been stopped meanwhile."""
CONFIRMATIONS = 3
"""So often at most: a database that is always slow must not keep mail back."""
COMPANY = 0.005
"""Real seconds that a mail waits for others at most. Connections to a quick relay keep step by it; a slow one takes
many times as long for a mail."""


class Permit(StrEnum):
    """Whether a body may be sent."""

    GIVEN = "given"
    LOST = "lost"
    """Another worker has taken the mail over."""
    LATE = "late"
    """The claim does not last long enough for the longest send."""
    UNKNOWN = "unknown"
    """The database did not answer, or would not mark the mail."""


def real_seconds() -> float:
    """Real seconds from an unknown moment on; time in which the machine sleeps counts."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class HandOvers:
    """Confirms the mails of one round. `claim` is the round's token."""

    def __init__(self, database: Database, claim: str, speed: float) -> None:
        self._database = database
        self._claim = claim
        self._longest = LONGEST_SEND * speed
        self._ready: list[tuple[Mail, datetime, asyncio.Future[Permit]]] = []
        self._turn = asyncio.Lock()
        self._under_way: set[str] = set()
        self._all_ready = asyncio.Event()

    @contextmanager
    def under_way(self, mail: Mail) -> Iterator[None]:
        """For as long as the relay is told of this mail: others wait a moment until it is ready, too."""
        self._under_way.add(mail.id)
        self._all_ready.clear()
        try:
            yield
        finally:
            self._no_longer(mail)

    def _no_longer(self, mail: Mail) -> None:
        self._under_way.discard(mail.id)
        if not self._under_way:
            self._all_ready.set()

    async def confirm(self, mail: Mail, now: datetime) -> Permit:
        """Whether the body of this mail may be sent now (program time, UTC). Never raises for the database."""
        self._no_longer(mail)
        permit = Permit.LATE
        for _ in range(CONFIRMATIONS):
            began = real_seconds()
            permit = await self._asked(mail, now)
            if permit is not Permit.GIVEN or real_seconds() - began < FRESH:
                break
        return permit

    async def _asked(self, mail: Mail, now: datetime) -> Permit:
        if mail.claim_until is None or mail.claim_until - now < self._longest:
            return Permit.LATE
        answer: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
        self._ready.append((mail, now, answer))
        async with self._turn:
            if not answer.done():
                if self._under_way:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._all_ready.wait(), COMPANY)
                await self._confirm_all()
        return answer.result()

    async def _confirm_all(self) -> None:
        """Confirm everything that is ready by now."""
        ready, self._ready = self._ready, []
        confirmed: set[str] = set()
        unknown: set[str] = set()
        now = max(at for _, at, _ in ready)

        async def write(session: AsyncSession, mails: Sequence[Mail]) -> set[str]:
            ids = [mail.id for mail in mails]
            doubled = [mail.id for mail in mails if mail.again and not mail.noted]
            return await outbox.begin_bodies(session, ids, self._claim, now, doubled)

        try:
            written = await write_batch(self._database, [mail for mail, _, _ in ready], write)
            confirmed.update(*written.results)
            unknown.update(mail.id for mail, _ in written.failed)
        except Exception:  # the database is away: the round learns it when it writes down what came of its mails
            unknown.update(mail.id for mail, _, _ in ready)
        for mail, _, answer in ready:
            given = Permit.GIVEN if mail.id in confirmed else Permit.LOST
            if not answer.done():
                answer.set_result(Permit.UNKNOWN if mail.id in unknown else given)
