"""The activity that delivers what is due in a shard.

No mail is lost. A mail is sent twice only if it cannot be known whether the relay accepted it (RFC 1047), and then as
the same message.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict

from temporalio import activity

from activities.delivery.delivery_round import Round
from activities.delivery.delivery_settings import Office, PostOfficeRules, RateLimiter, Sender
from activities.letters.fill_letters import LetterWriter
from activities.letters.prepare import Compose, Preparer
from activities.messages import DELIVER, DeliverInput, DeliverResult
from store.database import Database

log = logging.getLogger("mentorship.delivery")


class PostOffice:
    """Delivers mail. One for each process; rounds of different shards may run at the same time."""

    def __init__(
        self,
        database: Database,
        transport: Sender,
        letter_writer: LetterWriter,
        compose: Compose,
        rules: PostOfficeRules,
    ) -> None:
        preparer = Preparer(database, letter_writer, compose)
        self._office = Office(database, transport, preparer, rules, RateLimiter(rules.mails_per_second))
        self._turns: dict[int, asyncio.Lock] = {}

    @activity.defn(name=DELIVER)
    async def deliver(self, order: DeliverInput) -> DeliverResult:
        """Deliver what is due. A cancelled round finishes the mails in flight and writes their results."""
        # Temporal has given up the attempt before this one. It may still run, so its claims are taken over.
        retry = activity.in_activity() and activity.info().attempt > 1
        async with self._turns.setdefault(order.shard, asyncio.Lock()):
            this = Round(self._office, order.shard, order.now, all_claims=retry)
            work = asyncio.create_task(this.run())
            beats = asyncio.create_task(_beat())
            try:
                result = await asyncio.shield(work)
                _tell(order.shard, result)
                return result
            except asyncio.CancelledError:
                this.cancel()
                await asyncio.wait([work])
                raise
            except ExceptionGroup as failures:
                # The Temporal UI shows what is raised here: one cause instead of a group.
                raise _first_of(failures) from None
            finally:
                beats.cancel()


def _tell(shard: int, result: DeliverResult) -> None:
    """Log one line for each round that did something or met trouble: counts, class and code of the trouble."""
    told = {name: value for name, value in asdict(result).items() if value and name != "bounced"}
    if told.keys() - {"next_at"}:
        log.info("delivered", extra={"round": {"shard": shard, **told}})


def _first_of(failures: ExceptionGroup[Exception]) -> Exception:
    first = failures.exceptions[0]
    return _first_of(first) if isinstance(first, ExceptionGroup) else first


async def _beat() -> None:
    """Send heartbeats to Temporal for as long as the round runs. Most end before the first one."""
    if not activity.in_activity():
        return
    timeout = activity.info().heartbeat_timeout
    every = min(timeout.total_seconds() / 4, 10) if timeout else 10
    while True:
        await asyncio.sleep(every)
        activity.heartbeat()
