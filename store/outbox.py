"""The outbox: mails frozen before they are sent, and what came of each.

`queued → sending → sent | deferred | refused | ambiguous`. A message row in `sending` holds the claim of whoever
sends it until `next_try_at`; a claim that lapses means that its holder died and nobody knows whether the relay
took the mail. A deferred mail was certainly not accepted: its items wait again and are looked at anew. Nothing
here may be sent, composed or decided; and no mail may be forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import String, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from store import relays
from store.database import upserting
from store.relays import Relay
from store.tables import (
    Base,
    EventRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    MessageRow,
    ParticipantRow,
    PostmasterRow,
    RequestRow,
    SuppressionRow,
)
from store.waiting import NO_MAIL_ON_ITS_WAY, ON_ITS_WAY

# The bare tables: their rows are changed by the driver's executemany, without the ORM's bookkeeping.
ITEMS, MESSAGES, REQUESTS, PEOPLE = (
    Base.metadata.tables[row.__tablename__] for row in (ItemRow, MessageRow, RequestRow, ParticipantRow)
)
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
    attempts: int = 0


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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of sending one mail. `state` is that of the message row.

    `until` is when to try again (UTC); an `ambiguous` mail without it is counted as sent. `burnt`: it was the
    mail's own fault, so the next wait is longer.
    """

    id: str
    person: str
    state: str
    on: date
    """Local date of the person at the moment of sending."""
    fast: bool = False
    error: str = ""
    until: datetime | None = None
    burnt: bool = True

    @property
    def reached(self) -> bool:
        """Whether the mail counts as delivered."""
        return self.state == "sent" or (self.state == "ambiguous" and self.until is None)


async def freeze(session: AsyncSession, page: Page, now: datetime, claim_until: datetime) -> None:
    """Write down what was decided and claim its mails until `claim_until` (UTC), all in this transaction.

    Call it with the people locked (`store.waiting.unchanged`) and found unchanged since the decision.
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


async def settle(session: AsyncSession, outcomes: Sequence[Outcome], now: datetime) -> list[str]:
    """Write down what came of some mails; ids of the people whose addresses turned out to refuse mail for good.

    Settling a mail again as sent changes nothing but its row.
    """
    reached = [one for one in outcomes if one.reached]
    await _settle_messages(session, outcomes, now)
    await _count_requests(session, reached)
    await _close_items(session, [one.id for one in reached], "sent", "", now)
    await _use_up_the_day(session, [one for one in reached if not one.fast])
    await _put_back(session, [one for one in outcomes if one.state == "deferred"])
    doubtful = [one for one in outcomes if one.state == "ambiguous" and (one.reached or one.burnt)]
    if doubtful:
        await _note(session, doubtful, "mail_ambiguous", now)
    refused = [one for one in outcomes if one.state == "refused"]
    if not refused:
        return []
    await _close_items(session, [one.id for one in refused], "refused", "bounced", now)
    return await _suppress(session, refused, now)


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


async def _settle_messages(session: AsyncSession, outcomes: Sequence[Outcome], now: datetime) -> None:
    rows = [
        {
            "its_id": one.id,
            "state": one.state,
            "on": one.on,
            # A mail that went out twice, perhaps, keeps the mark of it.
            "mark": one.error or None,
            "tries": int(one.burnt),
            "next_try_at": one.until,
            "sent_at": now if one.reached else None,
        }
        for one in outcomes
    ]
    if rows:
        await (await session.connection()).execute(
            update(MESSAGES)
            .where(MESSAGES.c.id == bindparam("its_id"))
            .values(
                state=bindparam("state"),
                local_date=bindparam("on"),
                error=func.coalesce(bindparam("mark", type_=String), MESSAGES.c.error),
                attempts=MESSAGES.c.attempts + bindparam("tries"),
                next_try_at=bindparam("next_try_at"),
                sent_at=bindparam("sent_at"),
            ),
            rows,
        )


async def _count_requests(session: AsyncSession, reached: Sequence[Outcome]) -> None:
    on = {one.id: one.on for one in reached}
    carried = await session.execute(
        select(ItemRow.request, ItemRow.message)
        .where(ItemRow.message.in_(on), ItemRow.state == "sending", ItemRow.request != "")
        .distinct()
        .order_by(ItemRow.request)
    )
    rows = [{"its_key": request, "on": on[message]} for request, message in carried if message]
    if rows:
        await (await session.connection()).execute(
            update(REQUESTS)
            .where(REQUESTS.c.key == bindparam("its_key"))
            .values(mails=REQUESTS.c.mails + 1, last_mail_on=bindparam("on")),
            rows,
        )


async def _close_items(
    session: AsyncSession, messages: Sequence[str], state: str, reason: str, now: datetime
) -> None:
    if messages:
        await session.execute(
            update(ItemRow)
            .where(ItemRow.message.in_(messages), ItemRow.state == "sending")
            .values(state=state, reason=reason, done_at=now, deliver_at=None)
            .execution_options(synchronize_session=False)
        )


async def _use_up_the_day(session: AsyncSession, reached: Sequence[Outcome]) -> None:
    rows = [{"its_id": one.person, "on": one.on} for one in sorted(reached, key=lambda one: one.person)]
    if rows:
        await (await session.connection()).execute(
            update(PEOPLE)
            .where(
                PEOPLE.c.id == bindparam("its_id"),
                or_(PEOPLE.c.last_mail_on.is_(None), PEOPLE.c.last_mail_on < bindparam("on")),
            )
            .values(last_mail_on=bindparam("on")),
            rows,
        )


async def _put_back(session: AsyncSession, deferred: Sequence[Outcome]) -> None:
    rows = [{"its_message": one.id, "deliver_at": one.until} for one in deferred]
    if rows:
        await (await session.connection()).execute(
            update(ITEMS)
            .where(ITEMS.c.message == bindparam("its_message"), ITEMS.c.state == "sending")
            .values(state="queued", message=None, deliver_at=bindparam("deliver_at")),
            rows,
        )


async def _note(session: AsyncSession, outcomes: Sequence[Outcome], name: str, now: datetime) -> None:
    cohorts = await session.execute(
        select(MessageRow.id, MessageRow.cohort).where(MessageRow.id.in_([one.id for one in outcomes]))
    )
    cohort_of = dict(cohorts.all())
    await session.execute(
        insert(EventRow),
        [
            {
                "cohort": cohort_of.get(one.id, ""),
                "mentorship": "",
                "at": now,
                "name": name,
                "person": one.person,
                "detail": f"{one.id} {one.error}",
            }
            for one in outcomes
        ],
    )


async def _suppress(session: AsyncSession, refused: Sequence[Outcome], now: datetime) -> list[str]:
    """Nobody writes to these addresses any more, and every mentorship of these people hears of it."""
    error_of = {one.person: one.error for one in refused}
    message_of = {one.person: one.id for one in refused}
    bounced = await session.execute(
        update(ParticipantRow)
        .where(ParticipantRow.id.in_(error_of), ParticipantRow.standing == "active")
        .values(standing="bounced")
        .returning(ParticipantRow.id, ParticipantRow.email)
        .execution_options(synchronize_session=False)
    )
    emails = dict(bounced.all())
    if not emails:
        return []
    await session.execute(
        upserting(session, SuppressionRow).on_conflict_do_nothing(index_elements=["email"]),
        [
            {"email": email, "person": person, "reason": error_of[person], "at": now}
            for person, email in emails.items()
        ],
    )
    await _note(session, [one for one in refused if one.person in emails], "bounced", now)
    seats = await session.execute(
        select(MembershipRow.person, MembershipRow.cohort, MembershipRow.mentorship)
        .join(
            MentorshipRow,
            and_(MentorshipRow.cohort == MembershipRow.cohort, MentorshipRow.key == MembershipRow.mentorship),
        )
        .where(
            MembershipRow.person.in_(emails),
            MembershipRow.standing != "out",
            MentorshipRow.state == "running",
        )
    )
    for person, cohort, mentorship in seats:
        id_ = f"bounced/{message_of[person]}/{cohort}/{mentorship}"
        payload = {"id": id_, "person": person}
        await relays.put(session, Relay(id_, cohort, mentorship, "Bounced", payload), now)
    return sorted(emails)
