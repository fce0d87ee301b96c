"""Takes over mails whose holder was lost: a worker that died, was stopped, or was cut off from Temporal.

What certainly was not accepted waits again. What may have been accepted goes once more under the same Message-ID, if
what it says is still true; otherwise it counts as sent. A row that can't be read or written keeps no other back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from activities.batches import is_away, write_batch
from activities.letters.prepare import PUT_BACK, decide, goes_elsewhere
from lifecycle.local_time import local_date
from store.database import Database
from store.delivery import due, outbox
from store.delivery.due import Postbox
from store.delivery.outbox import Mail
from store.delivery.results import NOT_REPEATED, Result


@dataclass(slots=True)
class TakenOver:
    """What came of the mails whose holder was lost."""

    mails: list[Mail] = field(default_factory=list[Mail])
    """To be sent once more, claimed."""
    results: list[Result] = field(default_factory=list[Result])
    """Of those that don't go now."""
    troubles: list[str] = field(default_factory=list[str])
    """What was in the way, by class."""


@dataclass(frozen=True, slots=True)
class Successor:
    """Who takes over: with this token, at this moment of program time (UTC), until then. `all_claims`: the round
    before has ended without a word, so what it holds is taken over before its claims end."""

    database: Database
    shard: int
    claim: str
    now: datetime
    claim_until: datetime
    all_claims: bool

    async def take_over(self, known: Collection[str]) -> TakenOver:
        """Take over what is nobody's any more. Of the `known` mails this process knows what came of them."""
        async with self.database.session() as session:
            found = await outbox.unsettled(session, self.shard, self.now, all_claims=self.all_claims)
        found = [message for message in found if message not in known]

        async def release(session: AsyncSession, messages: Sequence[str]) -> int:
            return await outbox.release_unsent(session, messages, self.now, all_claims=self.all_claims)

        async def claim(session: AsyncSession, messages: Sequence[str]) -> list[Mail]:
            return await outbox.claim_again(
                session, messages, self.now, self.claim_until, self.claim, all_claims=self.all_claims
            )

        released = await write_batch(self.database, found, release)
        claimed = await write_batch(self.database, found, claim)
        failed = [*released.failed, *claimed.failed]
        taken = TakenOver(troubles=[f"not taken over: {type(error).__name__}" for _, error in failed])
        mails = [mail for part in claimed.results for mail in part]
        postboxes = await self._postboxes([mail.id for mail in mails], taken)
        for mail in mails:
            self._sort(mail, postboxes.get(mail.id), taken)
        return taken

    async def _postboxes(self, messages: Sequence[str], taken: TakenOver) -> dict[str, Postbox]:
        """Message to its person and what it carries, as far as the rows can be read."""
        try:
            async with self.database.session() as session:
                return await due.of_messages(session, messages)
        except Exception as error:
            if is_away(error):
                raise
            if len(messages) == 1:
                taken.troubles.append(f"not decided: {type(error).__name__}")
                return {}
        found: dict[str, Postbox] = {}
        for message in messages:
            found |= await self._postboxes([message], taken)
        return found

    def _sort(self, mail: Mail, postbox: Postbox | None, taken: TakenOver) -> None:
        items = postbox.items.values() if postbox else ()
        requests = tuple({item.request: None for item in items if item.request})
        doubtful = Result(
            mail.id, mail.person, "ambiguous", mail.local_date, mail.fast, requests, "ambiguous",
            burnt=False, claim=self.claim,
        )  # fmt: skip
        not_repeated = replace(doubtful, error=NOT_REPEATED)
        if postbox is None or not mail.raw or postbox.person.standing != "active" or mail.twice:
            taken.results.append(not_repeated)
            return
        try:
            delivery = decide(postbox, self.now)
        except Exception as error:  # whatever a row holds, the others get their mail
            taken.troubles.append(f"not decided: {type(error).__name__}")
            taken.results.append(replace(doubtful, until=self.now + PUT_BACK))
            return
        goes = bool(delivery.ordinary or delivery.fast)
        if goes:
            today = local_date(self.now, postbox.person.zone)
            taken.mails.append(
                replace(mail, local_date=today, requests=requests, elsewhere=goes_elsewhere(items), attempts=0)
            )
        elif delivery.later:
            taken.results.append(replace(doubtful, until=delivery.next_at))
        else:
            taken.results.append(not_repeated)
