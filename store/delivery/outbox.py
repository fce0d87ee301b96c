"""The outbox: mails frozen before they are sent, and what came of each.

`queued → sending → sent | deferred | refused | ambiguous`. A message row in `sending` holds the claim of whoever
sends it until `next_try_at`; a claim that lapses means that its holder died and nobody knows whether the relay
took the mail. A deferred mail was certainly not accepted: its items wait again and are looked at anew. Nothing
here may be sent, composed or decided; and no mail may be forgotten.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from store.columns import bare
from store.database import upserting
from store.delivery.due import NO_MAIL_ON_ITS_WAY, ON_ITS_WAY
from store.tables import (
    EventRow,
    ItemRow,
    MessageRow,
    PostmasterRow,
)

ITEMS, MESSAGES = bare(ItemRow), bare(MessageRow)
Rows = list[dict[str, Any]]

NEXT_ITEM = select(func.min(ItemRow.deliver_at)).where(
    ItemRow.shard == bindparam("shard"), ItemRow.state == "queued", NO_MAIL_ON_ITS_WAY
)
NEXT_MAIL = select(func.min(MessageRow.next_try_at)).where(MessageRow.shard == bindparam("shard"), ON_ITS_WAY)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, rendered and about to be frozen. `items` are the keys of what it carries."""

    id: str
    person: str
    cohort: str
    shard: int
    fast: bool
    at: datetime
    local_date: date
    recipient: str
    subject: str
    raw: str
    items: tuple[str, ...]
    requests: tuple[str, ...] = ()
    """Keys of the requests that it carries."""
    elsewhere: bool = False
    """Goes to an address that is not the person's yet."""
    attempts: int = 0
    put_off: bool = False
    """Takes the place of a mail that was put off."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of an item that does not go now; `where` is its mentorship, for the record."""

    key: str
    person: str
    cohort: str
    mentorship: str
    reason: str = ""
    at: datetime | None = None
    """When to look at it again, UTC."""


@dataclass(slots=True)
class Page:
    """Everything that one look at some postboxes decided."""

    mails: list[Mail] = field(default_factory=list[Mail])
    dropped: list[Fate] = field(default_factory=list[Fate])
    held: list[Fate] = field(default_factory=list[Fate])
    later: list[Fate] = field(default_factory=list[Fate])
    broken: list[Fate] = field(default_factory=list[Fate])
    """Can't be worded: put back until `at`, with the reason on the record."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A mail that may or may not have been accepted, and is to be sent again under the same Message-ID."""

    id: str
    person: str
    recipient: str
    raw: str
    local_date: date
    fast: bool


async def freeze(session: AsyncSession, page: Page, now: datetime, claim_until: datetime) -> None:
    """Write down what was decided and claim its mails until `claim_until` (UTC), all in this transaction.

    Call it with the people locked (`store.delivery.due.unchanged`) and found unchanged since the decision.
    """
    if page.mails:
        people = {mail.person for mail in page.mails}
        await session.execute(delete(MessageRow).where(MessageRow.person.in_(people), MessageRow.state == "deferred"))
        await session.execute(insert(MESSAGES), [_message(mail, claim_until) for mail in page.mails])
        claimed = [{"its_key": key, "message": mail.id} for mail in page.mails for key in mail.items]
        await _change_items(session, claimed, state="sending", reason="")
    done: dict[str, Any] = {"state": "dropped", "done_at": now, "deliver_at": None}
    await _change_items(session, [{"its_key": one.key, "reason": one.reason} for one in page.dropped], **done)
    await _change_items(session, [{"its_key": one.key} for one in page.held], state="held", deliver_at=None)
    await _change_items(session, [{"its_key": one.key, "deliver_at": one.at} for one in page.later])
    await _change_items(
        session, [{"its_key": one.key, "deliver_at": one.at, "reason": one.reason} for one in page.broken]
    )
    events = [_event(one, "dropped", now) for one in page.dropped]
    events += [_event(one, "mail_failed", now) for one in page.broken]
    if events:
        await session.execute(insert(EventRow), events)


async def unsettled(session: AsyncSession, shard: int, now: datetime, *, all_claims: bool) -> list[Unsettled]:
    """Mails that nobody knows the end of. `all_claims`: whoever held a claim here is known to be dead."""
    rows = await session.execute(
        select(MessageRow).where(MessageRow.shard == shard, _again(now, all_claims)).order_by(MessageRow.at)
    )
    return [Unsettled(row.id, row.person, row.recipient, row.raw, row.local_date, row.fast) for row in rows.scalars()]


async def claim_again(
    session: AsyncSession, messages: Collection[str], now: datetime, claim_until: datetime, *, all_claims: bool
) -> set[str]:
    """Claim mails for their second try; those that another worker has claimed meanwhile are left out."""
    if not messages:
        return set()
    rows = await session.execute(
        update(MessageRow)
        .where(MessageRow.id.in_(messages), _again(now, all_claims))
        .values(state="sending", next_try_at=claim_until, error="ambiguous", attempts=MessageRow.attempts + 1)
        .returning(MessageRow.id)
        .execution_options(synchronize_session=False)
    )
    return set(rows.scalars())


async def being_sent(session: AsyncSession, messages: Collection[str]) -> set[str]:
    """Those of these mails of which it is not written down what came of them."""
    if not messages:
        return set()
    rows = await session.scalars(
        select(MessageRow.id).where(MessageRow.id.in_(messages), MessageRow.state == "sending")
    )
    return set(rows)


async def next_wake(session: AsyncSession, shard: int, now: datetime) -> datetime | None:
    """When something is next to be looked at in this shard (UTC); None while nothing is."""
    found = [await session.scalar(query, {"shard": shard, "now": now}) for query in (NEXT_ITEM, NEXT_MAIL)]
    return min((at for at in found if at is not None), default=None)


async def write_wake(session: AsyncSession, shard: int, wakes_at: datetime | None) -> None:
    """Put down when the postmaster of a shard wakes; None while it is awake, so that everybody wakes it."""
    row = upserting(session, PostmasterRow).values(shard=shard, wakes_at=wakes_at)
    await session.execute(
        row.on_conflict_do_update(index_elements=["shard"], set_={"wakes_at": row.excluded.wakes_at})
    )


def _message(mail: Mail, claim_until: datetime) -> dict[str, Any]:
    return {
        "id": mail.id,
        "person": mail.person,
        "cohort": mail.cohort,
        "shard": mail.shard,
        "fast": mail.fast,
        "at": mail.at,
        "local_date": mail.local_date,
        "recipient": mail.recipient,
        "subject": mail.subject,
        "raw": mail.raw,
        "state": "sending",
        "attempts": mail.attempts,
        "next_try_at": claim_until,
        "error": "",
    }


def _event(one: Fate, name: str, now: datetime) -> dict[str, Any]:
    return {
        "cohort": one.cohort,
        "mentorship": one.mentorship,
        "at": now,
        "name": name,
        "person": one.person,
        "detail": f"{one.key} {one.reason}",
    }


def _again(now: datetime, all_claims: bool) -> Any:
    lapsed = MessageRow.next_try_at <= now
    return or_(
        and_(MessageRow.state == "ambiguous", lapsed),
        MessageRow.state == "sending" if all_claims else and_(MessageRow.state == "sending", lapsed),
    )


async def _change_items(session: AsyncSession, rows: Rows, **all_of_them: Any) -> None:
    """Change queued items by key; `rows` hold what differs from one to the next."""
    if not rows:
        return
    own = {name: bindparam(name) for name in rows[0] if name != "its_key"}
    await (await session.connection()).execute(
        update(ITEMS).where(ITEMS.c.key == bindparam("its_key"), ITEMS.c.state == "queued").values(own | all_of_them),
        rows,
    )
