"""Fills the postbox: items go in once, wait during a pause or a hold of their mentorship, and are queued again after.

Delivery decides what leaves the postbox, and when (`lifecycle.delivery.postbox`). An item that is already in stays as
it is: its key is unique for all time.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.commands import ItemKind, Post, Redeliver
from lifecycle.delivery.holds import Fate, Standstill, fate_of
from lifecycle.delivery.letterbox import LetterboxRule, rule_of
from lifecycle.delivery.messages import MESSAGE
from lifecycle.delivery.postbox import look_at
from lifecycle.keys import MentorshipRef
from program.models import Letterbox
from store.prepared import Prepared, putting
from store.shards import shard_of
from store.tables import EventRow, ItemRow, MembershipRow, MessagePlaceRow, ParticipantRow, RequestRow

FACTS = Prepared(
    select(ParticipantRow.id, ParticipantRow.zone, ParticipantRow.last_mail_on).where(
        ParticipantRow.id.in_(bindparam("people", expanding=True))
    )
)
PUT = putting(ItemRow, ("key",))

WAITING = ("queued", "held")
"""States of an item that is still to be delivered and that nobody is delivering now."""
AT_ONCE = 500
"""Mentorships that one statement asks about."""


@dataclass(frozen=True, slots=True)
class ParticipantFacts:
    """What must be known of a person to say when an item may reach them."""

    id: str
    zone: str
    last_mail_on: date | None
    rule: LetterboxRule
    """The letterbox of the item's cohort."""


Moment = tuple[int, datetime]
"""A shard, and the instant (UTC) at which its postmaster must look at something there."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a mentorship's items go in, at this moment of program time (UTC)."""

    cohort: str
    mentorship: str
    now: datetime
    rule: LetterboxRule
    shards: int


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """A mail of a mentorship that waits in somebody's postbox."""

    person: str
    kind: str
    name: str
    number: int
    request: str
    task: str
    after_end: bool


class UnknownPerson(LookupError):
    """An item is for somebody whom the store does not know. Says the id only."""


def letterbox_rule(letterbox: dict[str, Any], holidays: Iterable[str]) -> LetterboxRule:
    """The letterbox of a cohort, from its row."""
    return _letterbox_rule(json.dumps(letterbox, sort_keys=True), tuple(holidays))


@lru_cache(maxsize=256)
def _letterbox_rule(letterbox: str, holidays: tuple[str, ...]) -> LetterboxRule:
    return rule_of(Letterbox.model_validate_json(letterbox), map(date.fromisoformat, holidays))


async def post(session: AsyncSession, address: Address, posts: Sequence[Post], still: Standstill) -> list[Moment]:
    """Put items into the postbox; those that are in already stay as they are. Raises `UnknownPerson`.

    Returns the moments at which the queued ones are to be looked at.
    """
    if not posts:
        return []
    people = await _facts(session, {post.person for post in posts}, address.rule)
    rows: list[dict[str, Any]] = []
    for item in posts:
        person = people.get(item.person)
        if person is None:
            raise UnknownPerson(f"no participant has the id {item.person!r}")
        fate = fate_of(item.kind, item.name, item.task, still)
        rows.append(
            {
                "key": item.key,
                "person": item.person,
                "kind": item.kind,
                "name": item.name,
                "number": item.number,
                "cohort": address.cohort,
                "mentorship": address.mentorship,
                "date": item.date,
                "request": item.request,
                "task": item.task,
                "about": item.about,
                "after_end": item.after_end,
                "queued_at": address.now,
                "shard": shard_of(item.person, address.shards),
            }
            | _standing(fate, address, person, item)
        )
    await PUT.write(session, *rows)
    return [(row["shard"], row["deliver_at"]) for row in rows if row["deliver_at"] is not None]


async def redelivered(session: AsyncSession, orders: Iterable[Redeliver]) -> list[Post]:
    """The items that deliver open requests again; a request that waits in the postbox anyway gets none."""
    posts: list[Post] = []
    for order in orders:
        waiting = select(ItemRow.request).where(
            ItemRow.request == RequestRow.key, ItemRow.kind == "request", ItemRow.state.in_(WAITING)
        )
        rows = await session.execute(
            select(RequestRow.key, RequestRow.person, RequestRow.ask, RequestRow.number)
            .where(RequestRow.key.in_(order.requests), RequestRow.state == "open", ~waiting.exists())
            .order_by(RequestRow.key)
        )
        posts += [
            Post(f"{key}/request.nudge{order.nth}", person, "request", ask, number, order.date, request=key)
            for key, person, ask, number in rows
        ]
    return posts


async def waiting_items(
    session: AsyncSession, mentorships: Collection[MentorshipRef]
) -> dict[MentorshipRef, list[WaitingItem]]:
    """The mails of each of these mentorships that wait, also those that a pause or a hold keeps back."""
    found: dict[MentorshipRef, list[WaitingItem]] = {ref: [] for ref in mentorships}
    refs = list(found)
    for first in range(0, len(refs), AT_ONCE):
        rows = await session.execute(
            select(
                ItemRow.cohort, ItemRow.mentorship, ItemRow.person, ItemRow.kind, ItemRow.name, ItemRow.number,
                ItemRow.request, ItemRow.task, ItemRow.after_end,
            )
            .where(
                tuple_(ItemRow.cohort, ItemRow.mentorship).in_(refs[first : first + AT_ONCE]),
                ItemRow.state.in_(("queued", "held")),
            )
            .order_by(ItemRow.key)
        )  # fmt: skip
        for cohort, mentorship, person, kind, name, number, request, task, after_end in rows:
            found[cohort, mentorship].append(WaitingItem(person, kind, name, number, request, task, after_end))
    return found


async def stand_still(session: AsyncSession, address: Address, still: Standstill) -> list[Moment]:
    """Hold or queue the waiting items of a mentorship's members when a pause or a hold begins, changes or ends.

    Items are held or queued again, with a new moment of delivery; reminders that a pause holds, and what a
    coordinator withholds, are dropped, with an event that names the reason. Returns the moments of those that are
    queued again.
    """
    of_mentorship = (ItemRow.cohort == address.cohort, ItemRow.mentorship == address.mentorship)
    members = select(MembershipRow.person).where(
        MembershipRow.cohort == address.cohort, MembershipRow.mentorship == address.mentorship
    )
    # A delivery to these people in progress has decided by the old state; wait until its result is stored,
    # or an item could be put on hold after the hold has ended.
    await session.execute(
        select(ParticipantRow.id)
        .where(ParticipantRow.id.in_(members))
        .order_by(ParticipantRow.id)
        .with_for_update(key_share=True)
    )
    rows = await session.scalars(
        select(ItemRow)
        .where(*of_mentorship, ItemRow.state.in_(WAITING), ItemRow.person.in_(members), ItemRow.name != MESSAGE)
        .order_by(ItemRow.key)
        .with_for_update()
    )
    items = [*rows.all(), *await _messages(session, address, still)]
    people = await _facts(session, {item.person for item in items}, address.rule)
    moments: list[Moment] = []
    changes: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for item in items:
        fate = fate_of(item.kind, item.name, item.task, still)
        if fate == item.state:
            continue
        standing = _standing(fate, address, people[item.person], post_of(item))
        changes.append({"its_key": item.key} | standing)
        if standing["deliver_at"] is not None:
            moments.append((item.shard, standing["deliver_at"]))
        if fate not in WAITING:
            events.append(
                {
                    "cohort": address.cohort,
                    "mentorship": address.mentorship,
                    "at": address.now,
                    "name": "dropped",
                    "person": item.person,
                    "detail": f"{item.key} {standing['reason']}",
                }
            )
    if changes:
        names = ("state", "reason", "deliver_at", "done_at")
        await (await session.connection()).execute(
            update(ItemRow)
            .where(ItemRow.key == bindparam("its_key"))
            .values({name: bindparam(name) for name in names}),
            changes,
        )
    if events:
        await session.execute(insert(EventRow), events)
    return moments


async def _messages(session: AsyncSession, address: Address, still: Standstill) -> Sequence[ItemRow]:
    """The messages that wait for the end of this standstill, when it ends: delivery looks at them again, for they may
    be about several mentorships. When what is held is withheld, those about this one alone."""
    if still and not still.withheld:
        return ()
    place = (
        MessagePlaceRow.message == ItemRow.about,
        MessagePlaceRow.person == ItemRow.person,
        MessagePlaceRow.cohort == address.cohort,
    )
    here = select(MessagePlaceRow.message).where(*place, MessagePlaceRow.mentorship == address.mentorship)
    elsewhere = select(MessagePlaceRow.message).where(*place, MessagePlaceRow.mentorship != address.mentorship)
    query = select(ItemRow).where(ItemRow.name == MESSAGE, ItemRow.state == "held", here.exists())
    if still.withheld:
        query = query.where(~elsewhere.exists())
    return (await session.scalars(query.order_by(ItemRow.key).with_for_update())).all()


def _standing(fate: Fate, address: Address, person: ParticipantFacts, item: Post) -> dict[str, Any]:
    dropped = fate not in WAITING
    return {
        "state": "dropped" if dropped else fate,
        "reason": fate if dropped else "",
        "deliver_at": deliver_at(person, item, address.now) if fate == "queued" else None,
        "done_at": address.now if dropped else None,
    }


def deliver_at(person: ParticipantFacts, post: Post, now: datetime) -> datetime:
    """When the postmaster must look at an item that is queued now (UTC): see `lifecycle.delivery.postbox.look_at`."""
    return look_at(person.rule, person.zone, person.last_mail_on, post.kind, post.date, now)


def post_of(item: ItemRow) -> Post:
    """An item that waits, as it was put in."""
    kind: ItemKind = item.kind  # pyright: ignore[reportAssignmentType]
    return Post(
        item.key, item.person, kind, item.name, item.number, item.date, item.request, item.task, item.about,
        item.after_end,
    )  # fmt: skip


async def _facts(session: AsyncSession, people: Iterable[str], rule: LetterboxRule) -> dict[str, ParticipantFacts]:
    rows = await FACTS.all(session, {"people": list(people)})
    return {person: ParticipantFacts(person, zone, last, rule) for person, zone, last in rows}
