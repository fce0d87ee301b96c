"""The outbox: mails frozen before they are sent, and what came of each.

`queued → sending → sent | deferred | refused | ambiguous`. A message row in `sending` is claimed until `next_try_at`
by the round whose token stands in `claim`. A claim that lapses, or is taken over, means that its holder may be dead:
a mail whose body had not begun was certainly not accepted; of any other nobody knows. Every write of a holder has its
token in the condition, so a holder that comes back late changes nothing. The items of a deferred mail wait again.
Nothing here may be sent, composed or decided; and no mail may be forgotten.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Executable, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from store.columns import bare
from store.database import inserting
from store.delivery.due import NO_MAIL_ON_ITS_WAY, ON_ITS_WAY
from store.prepared import Prepared, putting
from store.tables import (
    EventRow,
    ItemRow,
    MessageRow,
    PostmasterRow,
)

ITEMS, MESSAGES = bare(ItemRow), bare(MessageRow)
Rows = list[dict[str, Any]]

NEVER_SENT = and_(MessageRow.state == "sending", MessageRow.body_begun.is_(False), MessageRow.error != "ambiguous")
"""Whether the body of a claimed message has never begun, neither now nor under an earlier claim."""

NEXT_ITEM = Prepared(
    select(func.min(ItemRow.deliver_at)).where(
        ItemRow.shard == bindparam("shard"), ItemRow.state == "queued", NO_MAIL_ON_ITS_WAY
    )
)
NEXT_MAIL = Prepared(
    select(func.min(MessageRow.next_try_at)).where(MessageRow.shard == bindparam("shard"), ON_ITS_WAY)
)
WRITE_WAKE = putting(PostmasterRow, ("shard",), ("wakes_at",))


def _begin_round(dialect: str) -> Executable:
    first = inserting(dialect, PostmasterRow)
    again = {"wakes_at": None, "rounds": bare(PostmasterRow).c.rounds + 1}
    return first.on_conflict_do_update(index_elements=("shard",), set_=again)


BEGIN_ROUND = Prepared(_begin_round)
FREEZE, NOTE = Prepared(insert(MESSAGES)), Prepared(insert(bare(EventRow)))
FORGET_PUT_OFF = Prepared(
    delete(MESSAGES).where(
        MESSAGES.c.person.in_(bindparam("people", expanding=True)),
        MESSAGES.c.state == "deferred",
        ~select(ITEMS.c.key).where(ITEMS.c.message == MESSAGES.c.id).exists(),
    )
)
"""A mail takes the place of one that was put off, unless items refer to that one."""
BEGIN_BODIES = Prepared(
    update(MESSAGES)
    .where(
        MESSAGES.c.id.in_(bindparam("messages", expanding=True)),
        MESSAGES.c.claim == bindparam("its_claim"),
        MESSAGES.c.state == "sending",
    )
    .values(body_begun=True)
    .returning(MESSAGES.c.id, MESSAGES.c.cohort, MESSAGES.c.person)
)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, worded and frozen. `items` are the keys of what it carries; one that goes again comes without them."""

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
    claim_until: datetime | None = None
    """When its claim ends (program time, UTC); None before it is claimed."""
    again: bool = False
    """Nobody knows whether it was accepted, so it goes a second time under the same Message-ID."""
    noted: bool = True
    """Of one that goes again: the record says already that it is in doubt."""
    twice: bool = False
    """It has been handed over twice, both times without an answer."""


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
    failures: int = 0
    """How often no mail could be made of it by now."""


@dataclass(slots=True)
class Page:
    """Everything that one look at some postboxes decided."""

    mails: list[Mail] = field(default_factory=list[Mail])
    dropped: list[Fate] = field(default_factory=list[Fate])
    held: list[Fate] = field(default_factory=list[Fate])
    later: list[Fate] = field(default_factory=list[Fate])
    broken: list[Fate] = field(default_factory=list[Fate])
    """Can't be worded: put back until `at`, with the reason on the record."""


async def freeze(session: AsyncSession, page: Page, now: datetime, claim_until: datetime, claim: str) -> None:
    """Write down what was decided and claim its mails with the token `claim` until `claim_until` (UTC), all in this
    transaction.

    Call it with the people locked (`store.delivery.due.unchanged`) and found unchanged since the decision.
    """
    if page.mails:
        people = {mail.person for mail in page.mails}
        await FORGET_PUT_OFF.write(session, {"people": list(people)})
        await FREEZE.write(session, *(_message(mail, claim_until, claim) for mail in page.mails))
        claimed = [{"its_key": key, "its_message": mail.id} for mail in page.mails for key in mail.items]
        await CLAIM_ITEM.write(session, *claimed)
    dropped = [{"its_key": fate.key, "why": fate.reason, "at": now} for fate in page.dropped]
    await DROP_ITEM.write(session, *dropped)
    await HOLD_ITEM.write(session, *({"its_key": fate.key} for fate in page.held))
    await PUT_OFF_ITEM.write(session, *({"its_key": fate.key, "until": fate.at} for fate in page.later))
    broken = [{"its_key": fate.key, "until": fate.at, "why": fate.reason} for fate in page.broken]
    await PUT_BACK_ITEM.write(session, *broken)
    events = [_event(fate, "dropped", now) for fate in page.dropped]
    events += [_event(fate, "mail_failed", now) for fate in page.broken]
    await NOTE.write(session, *events)


async def unsettled(session: AsyncSession, shard: int, now: datetime, *, all_claims: bool) -> list[str]:
    """Ids of mails that are nobody's any more, or to be tried again now. `all_claims`: the round before this one has
    ended without a word, so whatever it held is taken over."""
    rows = await session.scalars(
        select(MessageRow.id)
        .where(MessageRow.shard == shard, _again(now, all_claims))
        .order_by(MessageRow.at, MessageRow.id)
    )
    return list(rows)


async def release_unsent(session: AsyncSession, messages: Collection[str], now: datetime, *, all_claims: bool) -> int:
    """Give back the mails whose body had not begun when their holder was lost; how many. Nobody has got them: their
    items wait again, and it was no try."""
    # A worker that stands still can hold the lock of a row: that row is left for later, and the others are released.
    unsent = await session.scalars(
        select(MessageRow.id)
        .where(MessageRow.id.in_(messages), _again(now, all_claims), NEVER_SENT)
        .order_by(MessageRow.id)
        .with_for_update(skip_locked=True)
    )
    ids = list(unsent)
    if ids:
        await session.execute(
            update(MessageRow)
            .where(MessageRow.id.in_(ids))
            .values(state="deferred", next_try_at=now, claim="")
            .execution_options(synchronize_session=False)
        )
        await session.execute(
            update(ItemRow)
            .where(ItemRow.message.in_(ids), ItemRow.state == "sending")
            .values(state="queued", message=None, deliver_at=now)
            .execution_options(synchronize_session=False)
        )
    return len(ids)


async def claim_again(
    session: AsyncSession,
    messages: Collection[str],
    now: datetime,
    claim_until: datetime,
    claim: str,
    *,
    all_claims: bool,
) -> list[Mail]:
    """Claim mails in doubt for their second try; those that another worker has claimed meanwhile are left out."""
    rows = await session.scalars(
        select(MessageRow)
        .where(MessageRow.id.in_(messages), _again(now, all_claims), ~NEVER_SENT)
        .order_by(MessageRow.at, MessageRow.id)
        .with_for_update(skip_locked=True)
    )
    mails: list[Mail] = []
    for row in rows:
        tried_again = row.error == "ambiguous" and row.state == "sending"
        lost = row.state == "sending" and row.body_begun
        mails.append(
            Mail(
                row.id, row.person, row.cohort, row.shard, row.fast, row.at, row.local_date, row.recipient,
                row.subject, row.raw, items=(), attempts=row.attempts + lost, claim_until=claim_until, again=True,
                noted=row.state == "ambiguous" or tried_again, twice=lost and tried_again,
            )
        )  # fmt: skip
        row.attempts += lost
        row.state, row.error, row.next_try_at = "sending", "ambiguous", claim_until
        row.claim, row.body_begun = claim, False
    await session.flush()
    return mails


async def begin_bodies(
    session: AsyncSession, messages: Collection[str], claim: str, now: datetime, doubled: Collection[str]
) -> set[str]:
    """Mark that the bodies of these mails go out now; those that are still claimed with this token. Of the `doubled`
    ones the record says from now on that a first copy may have arrived."""
    rows = await BEGIN_BODIES.all(session, {"messages": list(messages), "its_claim": claim})
    persons = {id_: (cohort, person) for id_, cohort, person in rows}
    events = [
        {
            "cohort": persons[id_][0],
            "mentorship": "",
            "at": now,
            "name": "mail_ambiguous",
            "person": persons[id_][1],
            "detail": f"{id_} ambiguous",
        }
        for id_ in doubled
        if id_ in persons
    ]
    await NOTE.write(session, *events)
    return set(persons)


async def next_wake(session: AsyncSession, shard: int, now: datetime) -> datetime | None:
    """When something is next to be looked at in this shard (UTC); None while nothing is."""
    moments = [await query.scalar(session, {"shard": shard, "now": now}) for query in (NEXT_ITEM, NEXT_MAIL)]
    return min((at for at in moments if at is not None), default=None)


async def begin_round(session: AsyncSession, shard: int) -> None:
    """Put down that a shard's postmaster begins a round: until it sleeps again, what is queued wakes it."""
    await BEGIN_ROUND.write(session, {"shard": shard, "wakes_at": None, "rounds": 1})


async def write_wake(session: AsyncSession, shard: int, wakes_at: datetime | None) -> None:
    """Put down when the postmaster of a shard wakes; None: when it is woken."""
    await WRITE_WAKE.write(session, {"shard": shard, "wakes_at": wakes_at})


def _message(mail: Mail, claim_until: datetime, claim: str) -> dict[str, Any]:
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
        "claim": claim,
        "body_begun": False,
        "error": "",
    }


def _event(fate: Fate, name: str, now: datetime) -> dict[str, Any]:
    return {
        "cohort": fate.cohort,
        "mentorship": fate.mentorship,
        "at": now,
        "name": name,
        "person": fate.person,
        "detail": f"{fate.key} {fate.reason}",
    }


def _again(now: datetime, all_claims: bool) -> Any:
    lapsed = MessageRow.next_try_at <= now
    return or_(
        and_(MessageRow.state == "ambiguous", lapsed),
        MessageRow.state == "sending" if all_claims else and_(MessageRow.state == "sending", lapsed),
    )


def _change(**values: Any) -> Prepared:
    """Changes a queued item, by its key."""
    return Prepared(
        update(ITEMS).where(ITEMS.c.key == bindparam("its_key"), ITEMS.c.state == "queued").values(**values)
    )


CLAIM_ITEM = _change(state="sending", reason="", message=bindparam("its_message"))
DROP_ITEM = _change(state="dropped", done_at=bindparam("at"), deliver_at=None, reason=bindparam("why"))
HOLD_ITEM = _change(state="held", deliver_at=None)
PUT_OFF_ITEM = _change(deliver_at=bindparam("until"))
PUT_BACK_ITEM = _change(deliver_at=bindparam("until"), reason=bindparam("why"), failures=ITEMS.c.failures + 1)
