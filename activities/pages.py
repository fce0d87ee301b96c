"""A page of people on its way to the outbox: decided, worded, decided again under lock, frozen.

The decision is `lifecycle.postbox.sort_out` both times; whoever's postbox has changed in between is left for the
next look. A letter that can't be worded is put back by itself and keeps nobody else's back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from activities.letters import Draft, LettersDesk
from lifecycle.calendar import local_date
from lifecycle.keys import message_key
from lifecycle.letterbox import NeverOpenError
from lifecycle.postbox import Delivery, Waiting, sort_out
from mail.letters import Composed, Letter
from store import outbox, waiting
from store.database import Database
from store.outbox import Fate, Mail, Page
from store.waiting import Item, Postbox

Compose = Callable[[Letter], Composed]

PUT_BACK = timedelta(hours=1)
"""How long an item rests that can't be worded (program time)."""


@dataclass(slots=True)
class Prepared:
    """A page after freezing: the claimed mails, receipts and urgent ones first, and what became of the rest."""

    mails: list[Mail] = field(default_factory=list[Mail])
    dropped: int = 0
    held: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Worded:
    """A mail worded, or the items that can't be (key to what is in the way)."""

    person: str
    fast: bool
    mail: Mail | None = None
    broken: Mapping[str, str] = field(default_factory=dict[str, str])


class Preparer:
    """Prepares pages. `compose` words a letter."""

    def __init__(self, database: Database, desk: LettersDesk, compose: Compose) -> None:
        self.database = database
        self.desk = desk
        self.compose = compose

    async def prepare(self, people: Collection[str], now: datetime, claim_until: datetime) -> Prepared:
        """Decide about these people's postboxes at this moment, and claim what is to be sent (UTC)."""
        async with self.database.session() as session:
            boxes = await waiting.postboxes(session, people, now)
            decided = {person: decide(box, now) for person, box in boxes.items()}
            drafts = [
                (Draft(message_key(item.key for item in some), person, _items(boxes[person], some), now), fast)
                for person, delivery in decided.items()
                for some, fast in ((delivery.fast, True), (delivery.ordinary, False))
                if some
            ]
            letters = await self.desk.letters(session, [draft for draft, _ in drafts])
        worded: list[Worded] = []
        for (draft, fast), letter in zip(drafts, letters, strict=True):
            worded.append(await self._word(draft, fast, letter, boxes[draft.person]))
            await asyncio.sleep(0)  # mails of the page before are on their way: let them go on
        return await self._freeze(decided, worded, now, claim_until)

    async def _word(self, draft: Draft, fast: bool, letter: Letter | Exception, box: Postbox) -> Worded:
        if isinstance(letter, Letter):
            try:
                composed = self.compose(letter)
            except Exception as error:  # whatever a template does, the others go out
                letter = error
            else:
                return Worded(draft.person, fast, _mail(draft, fast, letter, composed, box))
        return Worded(draft.person, fast, broken=await self._culprits(draft, letter))

    async def _culprits(self, draft: Draft, error: Exception) -> dict[str, str]:
        """Which items of a mail can't be worded; the others go out without them, in the next round."""
        if len(draft.items) == 1:
            return {draft.items[0].key: type(error).__name__}
        found: dict[str, str] = {}
        for item in draft.items:
            alone = replace(draft, items=(item,))
            async with self.database.session() as session:
                [letter] = await self.desk.letters(session, [alone])
            if isinstance(letter, Letter):
                try:
                    self.compose(letter)
                except Exception as its_error:
                    letter = its_error
            if not isinstance(letter, Letter):
                found[item.key] = type(letter).__name__
        return found or {item.key: type(error).__name__ for item in draft.items}

    async def _freeze(
        self, decided: Mapping[str, Delivery], worded: Iterable[Worded], now: datetime, claim_until: datetime
    ) -> Prepared:
        page = Page()
        found = Prepared()
        async with self.database.begin() as session:
            free = await waiting.lock_people(session, decided)
            boxes = await waiting.postboxes(session, free, now)
            unchanged: dict[str, Delivery] = {}
            for person, box in boxes.items():
                delivery = decide(box, now)
                if _mails(delivery) == _mails(decided[person]):
                    unchanged[person] = delivery
                    _put_down(page, box, delivery)
            for one in worded:
                if one.person not in unchanged:
                    continue
                if one.mail is not None:
                    page.mails.append(one.mail)
                for key, reason in one.broken.items():
                    item = boxes[one.person].items[key]
                    page.broken.append(_fate(item, f"{item.name}: {reason}", now + PUT_BACK))
            await outbox.freeze(session, page, now, claim_until)
        found.mails = sorted(page.mails, key=lambda mail: not mail.fast)
        found.dropped, found.held = len(page.dropped), len(page.held)
        found.trouble = f"not worded: {page.broken[0].reason}" if page.broken else ""
        return found


def decide(box: Postbox, now: datetime) -> Delivery:
    """What becomes of a postbox. A letterbox that never opens is a fault of the program; what waits for it is
    looked at again later, and everything else goes its way."""
    try:
        return sort_out(box.person, box.waiting, now)
    except NeverOpenError:
        found = sort_out(box.person, [item for item in box.waiting if item.fast], now)
        found.later += [(item, now + PUT_BACK) for item in box.waiting if not item.fast]
        return found


def _mails(delivery: Delivery) -> tuple[list[str], list[str]]:
    return [item.key for item in delivery.fast], [item.key for item in delivery.ordinary]


def _items(box: Postbox, some: Iterable[Waiting]) -> tuple[Item, ...]:
    return tuple(box.items[item.key] for item in some)


def _mail(draft: Draft, fast: bool, letter: Letter, composed: Composed, box: Postbox) -> Mail:
    return Mail(
        id=draft.id,
        person=draft.person,
        cohort=letter.cohort,
        shard=box.shard,
        fast=fast,
        at=draft.at,
        local_date=local_date(draft.at, box.person.zone),
        recipient=letter.recipient.email,
        subject=composed.subject,
        raw=composed.raw,
        items=tuple(item.key for item in draft.items),
        attempts=box.attempts,
    )


def _fate(item: Item, reason: str = "", at: datetime | None = None) -> Fate:
    return Fate(item.key, item.person, item.cohort, item.mentorship, reason, at)


def _put_down(page: Page, box: Postbox, delivery: Delivery) -> None:
    page.dropped += [_fate(box.items[item.key], reason.value) for item, reason in delivery.dropped]
    page.held += [_fate(box.items[item.key]) for item in delivery.held]
    page.later += [_fate(box.items[item.key], at=moment) for item, moment in delivery.later]
