"""Takes in that a mail has come back after the relay had accepted it.

For good: it counts as refused, like one that was refused at once. For the time being: it was not delivered, and three
of the last five make a task. A mail to an address that was corrected meanwhile goes to the new one instead, and
nobody's mail is stopped for it. One that should have confirmed a new address says that this one is none. The same
report again changes nothing.

A report is signed when it came to the signed envelope address of the mail. One that is not only knows the mail's
Message-ID: it counts for mails of the last days, at most so often a day, and never stops a person's mail alone. The
first one opens a task, a second one about another mail stops the mail.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.delivery.postbox import ALONE
from store.delivery import results
from store.delivery.results import Result
from store.people import address_changes, correct
from store.postbox import Moment
from store.tables import EventRow, ItemRow, MessageRow, ParticipantRow, RequestRow

Kind = Literal["hard", "soft", "policy"]
"""What a report says of an address, or (policy) of us."""
Effect = Literal[
    "bounced", "unsigned", "soft", "often", "policy", "late", "elsewhere", "known", "early", "gone", "too_many"
]  # fmt: skip

LAST_MAILS, SOFT_AT_MOST = 5, 2
"""More soft ones than these of the last so many make a task."""
UNSIGNED = "bounced_unsigned"
"""Name of the event that an unsigned report of a failure for good has come in."""
UNSIGNED_FOR = timedelta(days=10)
"""Program time after sending in which an unsigned report about a mail can be true; servers give up after five days
(RFC 5321 4.5.4.1)."""
UNSIGNED_A_DAY = 20
"""Unsigned reports of failures for good that count in a day (program time), over all people."""


@dataclass(frozen=True, slots=True)
class BounceResult:
    """What came of a report. `moments` are when postmasters must look."""

    result: Effect
    person: str
    moments: tuple[Moment, ...] = ()


async def to_recipient(session: AsyncSession, address: str, now: datetime, most: int = 500) -> list[str]:
    """Ids of the mails that were sent to this address in the last days, the newest first."""
    rows = await session.scalars(
        select(MessageRow.id)
        .where(
            func.lower(MessageRow.recipient) == address.lower(),
            MessageRow.recipient != "",
            or_(MessageRow.sent_at.is_(None), MessageRow.sent_at >= now - UNSIGNED_FOR),
        )
        .order_by(MessageRow.at.desc(), MessageRow.id)
        .limit(most)
    )
    return list(rows)


async def take(
    session: AsyncSession,
    message: str,
    kind: Kind,
    code: str,
    now: datetime,
    *,
    signed: bool = True,
) -> BounceResult | None:
    """A report about a mail has come in; None where there is no such mail. Needs a writing transaction.

    `signed`: it came to the signed address of this mail. `code` is the status (`5.1.1`), `now` program time (UTC).
    """
    mail = await session.get(MessageRow, message, with_for_update=True)
    if mail is None:
        return None
    if mail.bounce in (kind, "hard") or mail.state == "refused":
        return BounceResult("known", mail.person)
    if mail.state == "sending" or (mail.state == "ambiguous" and mail.next_try_at is not None):
        return BounceResult("early", mail.person)
    person = await session.get_one(ParticipantRow, mail.person)
    if person.standing == "erased":
        return BounceResult("gone", person.id)
    if kind == "hard" and not signed and await _unsigned_of_a_day(session, now) >= UNSIGNED_A_DAY:
        return BounceResult("too_many", person.id)
    others = await _soft(session, person, but=mail.id)
    mail.bounce, mail.error = kind, f"{kind} {code}"
    await session.flush()
    if kind == "policy":
        _note(session, mail, "mail_refused_by_policy", now)
        return BounceResult("policy", person.id)
    if await address_changes.refused_by_it(session, mail.id, mail.error, now):
        await _not_delivered(session, mail, now)
        mail.state = "refused"
        return BounceResult("elsewhere", person.id)
    if mail.recipient.lower() != person.email.lower():
        moments = await _to_the_new_address(session, mail, person, now)
        return BounceResult("late", person.id, moments)
    await _not_delivered(session, mail, now)
    if kind == "hard" and not signed:
        _note(session, mail, UNSIGNED, now)
        if not await _refused_before(session, person, mail):
            await results.tell_of_bounces(session, {person.id: mail.id}, now, soft=True)
            return BounceResult("unsigned", person.id)
    if kind == "hard":
        mail.state = "refused"
        await session.flush()
        refused = Result(mail.id, person.id, "refused", mail.local_date, error=mail.error)
        await results.suppress(session, [refused], now)
        return BounceResult("bounced", person.id)
    # Once: not again with every further one, as long as there are so many.
    if others <= SOFT_AT_MOST < await _soft(session, person) and person.standing == "active":
        _note(session, mail, "bounced_often", now)
        await results.tell_of_bounces(session, {person.id: mail.id}, now, soft=True)
        return BounceResult("often", person.id)
    return BounceResult("soft", person.id)


async def _unsigned_of_a_day(session: AsyncSession, now: datetime) -> int:
    """How many unsigned reports of failures for good have counted since yesterday."""
    count = await session.scalar(
        select(func.count(EventRow.id)).where(EventRow.name == UNSIGNED, EventRow.at > now - timedelta(days=1))
    )
    return count or 0


async def _refused_before(session: AsyncSession, person: ParticipantRow, but: MessageRow) -> bool:
    """Whether another mail to the person's address has come back for good."""
    known = await session.scalar(
        select(MessageRow.id)
        .where(
            MessageRow.person == person.id,
            func.lower(MessageRow.recipient) == person.email.lower(),
            MessageRow.bounce == "hard",
            MessageRow.id != but.id,
        )
        .limit(1)
    )
    return known is not None


async def _soft(session: AsyncSession, person: ParticipantRow, but: str = "") -> int:
    """How many of the last mails to this address came back for the time being; `but` leaves one out."""
    last = await session.scalars(
        select(MessageRow.bounce)
        .where(
            MessageRow.person == person.id,
            func.lower(MessageRow.recipient) == person.email.lower(),
            MessageRow.sent_at.is_not(None),
            MessageRow.id != but,
        )
        .order_by(MessageRow.sent_at.desc(), MessageRow.id)
        .limit(LAST_MAILS)
    )
    return list(last).count("soft")


async def _not_delivered(session: AsyncSession, mail: MessageRow, now: datetime) -> list[ItemRow]:
    """What the mail carried has reached nobody: neither its items nor its requests count as told."""
    rows = await session.scalars(
        select(ItemRow)
        .where(ItemRow.message == mail.id, ItemRow.state == "sent")
        .order_by(ItemRow.key)
        .with_for_update()
    )
    items = list(rows)
    for item in items:
        item.state, item.reason, item.done_at = "refused", "bounced", now
    await session.flush()
    requests = sorted({item.request for item in items if item.request})
    await session.execute(
        update(RequestRow)
        .where(RequestRow.key.in_(requests), RequestRow.mails > 0)
        .values(mails=RequestRow.mails - 1)
        .execution_options(synchronize_session=False)
    )
    return items


async def _to_the_new_address(
    session: AsyncSession, mail: MessageRow, person: ParticipantRow, now: datetime
) -> tuple[Moment, ...]:
    items = await _not_delivered(session, mail, now)
    mail.state, mail.raw = "refused", ""
    await session.flush()
    if person.standing != "active":
        return ()
    items = [item for item in items if item.name not in ALONE]  # what asked the old address asks it no more
    _, moments = await correct.queue(session, person, items, now)
    return tuple(moments)


def _note(session: AsyncSession, mail: MessageRow, name: str, now: datetime) -> None:
    session.add(EventRow(cohort=mail.cohort, at=now, name=name, person=mail.person, detail=f"{mail.id} {mail.error}"))
