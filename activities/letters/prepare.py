"""Prepares the mails of one page of people: decide, word, lock and compare, freeze.

If a postbox has changed while its mail was worded, the person is left for the next round. A letter that can't be
worded is put back alone; other letters go out.

Wording costs most, so the mails of the next opening are worded ahead. Each mail is still decided, and its letter
filled, when it is due; the prepared wording is used only for an identical letter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy.ext.asyncio import AsyncSession

from activities.batches import is_away, write_batch
from activities.letters.fill_letters import LetterWriter, PlannedLetter
from lifecycle.delivery.letterbox import NeverOpenError
from lifecycle.delivery.postbox import ADDRESS_NEW, LOOK_AFTER, Delivery, ItemFacts, logical_moment, sort_out
from lifecycle.keys import message_key
from lifecycle.local_time import local_date
from mail.letters import Letter, WordedMail
from store.database import Database
from store.delivery import due, outbox, results
from store.delivery.due import Item, Postbox
from store.delivery.outbox import Fate, Mail, Page

Compose = Callable[[Letter], WordedMail]

PAGE = 200
"""People decided about, and mails frozen, in one transaction."""
BREATH = 0.002
"""Real seconds of wording after which whatever else the event loop has to do has its turn."""
PUT_BACK = timedelta(hours=1)
"""How long an item waits after a failed try to word it (program time)."""
LONGEST_REST = timedelta(hours=4)
"""The same, after `TRIES_TO_MAKE` failures."""
TRIES_TO_MAKE = 12
"""After so many failures the coordinators get a task: otherwise the person is blamed for silence."""


@dataclass(slots=True)
class Prepared:
    """A page after freezing: the claimed mails, receipts and urgent ones first, and counts of the rest."""

    mails: list[Mail] = field(default_factory=list[Mail])
    dropped: int = 0
    held: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class WordedLetter:
    """A letter as a mail; or the items that can't be worded (key to the error)."""

    person: str
    fast: bool
    mail: Mail | None = None
    broken: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class Look:
    """One look at some postboxes: their state, the decisions, and the letters that go."""

    boxes: Mapping[str, Postbox]
    decided: Mapping[str, Delivery]
    planned_letters: list[tuple[PlannedLetter, bool]] = field(default_factory=list[tuple[PlannedLetter, bool]])
    """With whether it is a fast one."""
    letters: Sequence[Letter | Exception] = ()
    """For each planned letter, in order."""
    unreadable: Mapping[str, str] = field(default_factory=dict[str, str])
    """People about whom nothing could be decided (person to the error)."""

    def with_(self, other: Look) -> Look:
        """Both as one."""
        return Look(
            {**self.boxes, **other.boxes},
            {**self.decided, **other.decided},
            [*self.planned_letters, *other.planned_letters],
            [*self.letters, *other.letters],
            {**self.unreadable, **other.unreadable},
        )


@dataclass(frozen=True, slots=True)
class PreparedMail:
    """A mail worded ahead, with its letter."""

    letter: Letter
    subject: str
    raw: str


class Preparer:
    """Prepares pages. `compose` words a letter."""

    def __init__(self, database: Database, letter_writer: LetterWriter, compose: Compose) -> None:
        self.database = database
        self.letter_writer = letter_writer
        self.compose = compose
        self._ahead: dict[int, dict[str, PreparedMail]] = {}
        """Shard to what was worded ahead, by message."""

    async def prepare(
        self,
        people: Collection[str],
        now: datetime,
        claim_until: datetime,
        behind: Collection[str] = (),
        claim: str = "",
    ) -> Prepared:
        """Decide about these people's postboxes at this moment, and claim what is to be sent (UTC) with a token.

        The ordinary mail of people who are `behind` waits: more of it is about to come.
        """
        look = await self._look(people, now, behind)
        worded: list[WordedLetter] = []
        breathed = monotonic()
        for (planned, fast), letter in zip(look.planned_letters, look.letters, strict=True):
            worded.append(await self._word(planned, fast, letter, look.boxes[planned.person], claim_until))
            if monotonic() - breathed > BREATH:
                await asyncio.sleep(0)  # let mails of earlier pages be sent
                breathed = monotonic()
        return await self._freeze(look, worded, now, claim_until, claim)

    async def word_ahead(self, shard: int, at: datetime, most: int) -> int:
        """Word what will be due in this shard at this moment (UTC), for at most so many people; how many mails.

        What was worded ahead before and not used is forgotten. Writes nothing down.
        """
        async with self.database.session() as session:
            people = await due.people_due(session, shard, at, most)
        ahead = self._ahead[shard] = {}
        for start in range(0, len(people), PAGE):
            look = await self._look(people[start : start + PAGE], at)
            for (planned, _), letter in zip(look.planned_letters, look.letters, strict=True):
                with suppress(Exception):  # what can't be worded is told of when it is due
                    if isinstance(letter, Letter):
                        composed = self.compose(letter)
                        ahead[planned.id] = PreparedMail(letter, composed.subject, composed.raw)
                await asyncio.sleep(0)
        return len(ahead)

    async def _look(self, people: Collection[str], now: datetime, behind: Collection[str] = ()) -> Look:
        """Look at all of them at once; where a row can't be made sense of, at one after the other."""
        try:
            return await self._look_at(people, now, behind)
        except Exception as error:  # whatever a row holds, the others get their mail
            if is_away(error):
                raise
            if len(people) == 1:
                return Look({}, {}, unreadable=dict.fromkeys(people, type(error).__name__))
        found = Look({}, {})
        for person in people:
            found = found.with_(await self._look([person], now, behind))
        return found

    async def _look_at(self, people: Collection[str], now: datetime, behind: Collection[str]) -> Look:
        async with self.database.session() as session:
            boxes = await due.postboxes(session, people, now)
            look = Look(boxes, {person: decide(box, now) for person, box in boxes.items()})
            for person, delivery in look.decided.items():
                if person in behind:
                    delivery.later += [(item, now) for item in delivery.ordinary]
                    delivery.ordinary = []
                for some, fast in delivery.mails:
                    box = boxes[person]
                    at = now if fast else logical_moment(box.person.zone, some, now)
                    id_ = message_key((item.key for item in some), box.corrections)
                    planned = PlannedLetter(id_, person, _items(box, some), at)
                    look.planned_letters.append((planned, fast))
            look.letters = await self.letter_writer.letters(session, [planned for planned, _ in look.planned_letters])
        return look

    async def _word(
        self, planned: PlannedLetter, fast: bool, letter: Letter | Exception, box: Postbox, claim_until: datetime
    ) -> WordedLetter:
        if isinstance(letter, Letter):
            ahead = self._ahead.get(box.shard, {}).pop(planned.id, None)
            try:
                worded = ahead if ahead is not None and ahead.letter == letter else self.compose(letter)
            except Exception as error:  # whatever a template does, the others go out
                letter = error
            else:
                mail = _mail(planned, fast, letter, worded.subject, worded.raw, box, claim_until)
                return WordedLetter(planned.person, fast, mail)
        return WordedLetter(planned.person, fast, broken=await self._culprits(planned, letter))

    async def _culprits(self, planned: PlannedLetter, error: Exception) -> dict[str, str]:
        """Which items of a mail can't be worded; the others go out without them, in the next round."""
        if len(planned.items) == 1:
            return {planned.items[0].key: type(error).__name__}
        found: dict[str, str] = {}
        for item in planned.items:
            alone = replace(planned, items=(item,))
            async with self.database.session() as session:
                [letter] = await self.letter_writer.letters(session, [alone])
            if isinstance(letter, Letter):
                try:
                    self.compose(letter)
                except Exception as its_error:
                    letter = its_error
            if not isinstance(letter, Letter):
                found[item.key] = type(letter).__name__
        return found or {item.key: type(error).__name__ for item in planned.items}

    async def _freeze(
        self, look: Look, worded: Iterable[WordedLetter], now: datetime, claim_until: datetime, claim: str
    ) -> Prepared:
        of_person: dict[str, list[WordedLetter]] = {}
        for one in worded:
            of_person.setdefault(one.person, []).append(one)

        async def freeze(session: AsyncSession, people: Sequence[str]) -> Page:
            page = await self._page(session, look, of_person, people, now)
            await outbox.freeze(session, page, now, claim_until, claim)
            hopeless = {fate.person: fate.key for fate in page.broken if fate.failures == TRIES_TO_MAKE}
            await results.tell_of_bounces(session, hopeless, now, soft=True)
            return page

        async def put_back(session: AsyncSession, people: Sequence[str]) -> Page:
            page = Page(broken=await _all_due(session, unwritable, people, now))
            await outbox.freeze(session, page, now, claim_until, claim)
            hopeless = {fate.person: fate.key for fate in page.broken if fate.failures == TRIES_TO_MAKE}
            await results.tell_of_bounces(session, hopeless, now, soft=True)
            return page

        written = await write_batch(self.database, [*look.boxes, *look.unreadable], freeze)
        unwritable = {person: type(error).__name__ for person, error in written.failed}
        rest = await write_batch(self.database, list(unwritable), put_back)
        pages = written.results + rest.results
        broken = [fate for page in pages for fate in page.broken]
        trouble = f"not worded: {broken[0].reason}" if broken else ""
        if rest.failed:
            trouble = trouble or f"not written: {type(rest.failed[0][1]).__name__}"
        return Prepared(
            mails=sorted((mail for page in pages for mail in page.mails), key=lambda mail: not mail.fast),
            dropped=sum(len(page.dropped) for page in pages),
            held=sum(len(page.held) for page in pages),
            trouble=trouble,
        )

    async def _page(
        self,
        session: AsyncSession,
        look: Look,
        worded: Mapping[str, Sequence[WordedLetter]],
        people: Sequence[str],
        now: datetime,
    ) -> Page:
        """What was decided about these people, as far as it is still true. Locks them."""
        page = Page()
        boxes = {person: look.boxes[person] for person in people if person in look.boxes}
        for person in sorted(await due.unchanged(session, boxes, now)):
            _put_down(page, boxes[person], look.decided[person])
            for one in worded.get(person, ()):
                if one.mail is not None:
                    page.mails.append(one.mail)
                for key, reason in one.broken.items():
                    item = boxes[person].items[key]
                    page.broken.append(
                        replace(
                            _fate(item, f"{item.name}: {reason}", now + rest_of(item.failures)),
                            failures=item.failures + 1,
                        )
                    )
        page.broken += await _all_due(
            session, look.unreadable, [person for person in people if person in look.unreadable], now
        )
        return page


async def _all_due(
    session: AsyncSession, reasons: Mapping[str, str], people: Sequence[str], now: datetime
) -> list[Fate]:
    """Everything that is due for these people, put back for their reasons without reading what it says."""
    return [
        Fate(
            place.key, place.person, place.cohort, place.mentorship,
            f"{place.name}: {reasons[place.person]}", now + rest_of(place.failures), place.failures + 1,
        )
        for place in await due.places_due(session, people, now)
    ]  # fmt: skip


def rest_of(failures: int) -> timedelta:
    """How long an item rests of which no mail could be made, after so many failures before (program time)."""
    return PUT_BACK if failures < TRIES_TO_MAKE else LONGEST_REST


def decide(box: Postbox, now: datetime) -> Delivery:
    """What becomes of a postbox. A letterbox that never opens is a fault of the program; what waits for it is
    looked at again later, and everything else goes its way."""
    try:
        return sort_out(box.person, box.waiting, now)
    except NeverOpenError:
        found = sort_out(box.person, [item for item in box.waiting if item.fast], now)
        found.later += [(item, now + PUT_BACK) for item in box.waiting if not item.fast]
        return found


def goes_elsewhere(items: Iterable[Item]) -> bool:
    """Whether a mail with these items goes to an address that is not its person's yet."""
    return any(item.name == ADDRESS_NEW for item in items)


def _items(box: Postbox, some: Iterable[ItemFacts]) -> tuple[Item, ...]:
    return tuple(box.items[item.key] for item in some)


def _mail(
    planned: PlannedLetter, fast: bool, letter: Letter, subject: str, raw: str, box: Postbox, claim_until: datetime
) -> Mail:
    return Mail(
        id=planned.id,
        person=planned.person,
        cohort=letter.cohort,
        shard=box.shard,
        fast=fast,
        at=planned.at,
        local_date=local_date(planned.at, box.person.zone),
        recipient=letter.recipient.email,
        subject=subject,
        raw=raw,
        items=tuple(item.key for item in planned.items),
        requests=tuple({item.request: None for item in planned.items if item.request}),
        elsewhere=goes_elsewhere(planned.items),
        attempts=box.put_off or 0,
        put_off=box.put_off is not None,
        claim_until=claim_until,
    )


def _fate(item: Item, reason: str = "", at: datetime | None = None) -> Fate:
    return Fate(item.key, item.person, item.cohort, item.mentorship, reason, at)


def _put_down(page: Page, box: Postbox, delivery: Delivery) -> None:
    page.dropped += [_fate(box.items[item.key], reason.value) for item, reason in delivery.dropped]
    page.held += [_fate(box.items[item.key]) for item in delivery.held]
    page.later += [_fate(box.items[item.key], at=moment + LOOK_AFTER) for item, moment in delivery.later]
