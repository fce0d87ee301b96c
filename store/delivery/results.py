"""Writes down what came of sending: a mail reached its person, comes again later, or never will.

Whatever a mail did, it and its items, its requests, the person's day and the record say the same, in one
transaction. Nothing here may keep what a relay said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, String, and_, bindparam, case, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from store import workflow_outbox
from store.columns import Instant, bare
from store.database import upserting
from store.delivery.outbox import ITEMS
from store.people import address_changes
from store.prepared import Prepared
from store.tables import (
    EventRow,
    MembershipRow,
    MentorshipRow,
    MessageRow,
    ParticipantRow,
    RequestRow,
    SuppressionRow,
)
from store.workflow_outbox import OutboxEvent

MESSAGES, REQUESTS, PEOPLE = bare(MessageRow), bare(RequestRow), bare(ParticipantRow)

NOT_REPEATED = "not_repeated"
"""Error of an `ambiguous` mail that did not go again, because nothing in it was true any more or its reader gets no
mail: whether it ever arrived is for the relay's log to say. It counts as sent, so that nobody gets too much."""


@dataclass(frozen=True, slots=True)
class Result:
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
    requests: tuple[str, ...] = ()
    """Keys of the requests that the mail carries."""
    error: str = ""
    until: datetime | None = None
    burnt: bool = True
    claim: str = ""
    """The token with which the mail was claimed. Once another round has claimed it, this outcome is not written."""
    hopeless: bool = False
    """It has been put off so often that the coordinators get a task; it is tried further."""
    elsewhere: bool = False
    """It went to an address that is not the person's yet: nothing else waits for it, and what that address refuses
    says nothing of the person."""

    @property
    def reached(self) -> bool:
        """Whether the mail counts as delivered."""
        return self.state == "sent" or (self.state == "ambiguous" and self.until is None)


async def settle(session: AsyncSession, outcomes: Sequence[Result], now: datetime) -> list[str]:
    """Write down what came of some mails; ids of the people whose addresses turned out to refuse mail for good.

    A mail that is not claimed with the outcome's token any more is left as it is: another worker has taken it over,
    or it is settled already.
    """
    outcomes = await _still_held(session, outcomes)
    if not outcomes:
        return []
    reached = [outcome for outcome in outcomes if outcome.reached]
    await _settle_messages(session, outcomes, now)
    await _count_requests(session, reached)
    await _close_items(session, reached, "sent", "", now)
    await _use_up_the_day(session, [outcome for outcome in reached if not outcome.fast])
    await _put_back(session, [outcome for outcome in outcomes if outcome.state == "deferred"])
    doubtful = [
        outcome for outcome in outcomes if outcome.state == "ambiguous" and (outcome.reached or outcome.burnt)
    ]
    if doubtful:
        await _note(session, doubtful, "mail_ambiguous", now)
    await tell_of_bounces(
        session, {outcome.person: outcome.id for outcome in outcomes if outcome.hopeless}, now, soft=True
    )
    elsewhere = [outcome for outcome in outcomes if outcome.state == "refused" and outcome.elsewhere]
    await _close_items(session, elsewhere, "refused", "bounced", now)
    for outcome in elsewhere:
        await address_changes.refused_by_it(session, outcome.id, outcome.error, now)
    refused = [outcome for outcome in outcomes if outcome.state == "refused" and not outcome.elsewhere]
    if not refused:
        return []
    stale = await _to_an_older_address(session, refused)
    again = [{"its_message": outcome.id, "until": now} for outcome in refused if outcome.id in stale]
    await PUT_BACK.write(session, *again)
    refused = [outcome for outcome in refused if outcome.id not in stale]
    await _close_items(session, refused, "refused", "bounced", now)
    return await suppress(session, refused, now)


class ClaimLost(RuntimeError):
    """A mail was taken over between two statements of one transaction, which its row lock forbids."""


async def _still_held(session: AsyncSession, outcomes: Sequence[Result]) -> list[Result]:
    """Those of the outcomes whose mails are still claimed with their token. Locks these mails."""
    claims = dict(await CLAIMS.all(session, {"messages": [outcome.id for outcome in outcomes]}))
    return [outcome for outcome in outcomes if claims.get(outcome.id) == outcome.claim]


def _forgotten(column: ColumnElement[str]) -> ColumnElement[str]:
    """What a mail says goes once it need not be sent again, where somebody was erased of whom it may tell."""
    again = and_(bindparam("state") == "ambiguous", bindparam("next_try_at", type_=Instant()).is_not(None))
    return case((and_(MESSAGES.c.forget, ~again), ""), else_=column)


CLAIMS = Prepared(
    select(MESSAGES.c.id, MESSAGES.c.claim)
    .where(MESSAGES.c.id.in_(bindparam("messages", expanding=True)), MESSAGES.c.state == "sending")
    .order_by(MESSAGES.c.id)
    .with_for_update()
)
SETTLE_MESSAGES = Prepared(
    update(MESSAGES)
    .where(
        MESSAGES.c.id.in_(bindparam("ids", expanding=True)),
        MESSAGES.c.claim == bindparam("its_claim"),
        MESSAGES.c.state == "sending",
    )
    .values(
        state=bindparam("state"),
        local_date=bindparam("on"),
        # A mail that went out twice, perhaps, keeps the mark of it.
        error=func.coalesce(bindparam("mark", type_=String), MESSAGES.c.error),
        attempts=MESSAGES.c.attempts + bindparam("tries"),
        next_try_at=bindparam("next_try_at"),
        sent_at=bindparam("sent_at"),
        **{name: _forgotten(MESSAGES.c[name]) for name in ("raw", "subject", "recipient")},
    )
)
COUNT_REQUESTS = Prepared(
    update(REQUESTS)
    .where(REQUESTS.c.key.in_(bindparam("keys", expanding=True)))
    .values(mails=REQUESTS.c.mails + bindparam("times", type_=Integer), last_mail_on=bindparam("on"))
)
CLOSE_ITEMS = Prepared(
    update(ITEMS)
    .where(ITEMS.c.message.in_(bindparam("messages", expanding=True)), ITEMS.c.state == "sending")
    .values(state=bindparam("as"), reason=bindparam("why"), done_at=bindparam("at"), deliver_at=None)
)
PUT_BACK = Prepared(
    update(ITEMS)
    .where(ITEMS.c.message == bindparam("its_message"), ITEMS.c.state == "sending")
    .values(state="queued", message=None, deliver_at=bindparam("until"))
)
USE_UP_THE_DAY = Prepared(
    update(PEOPLE)
    .where(
        PEOPLE.c.id.in_(bindparam("people", expanding=True)),
        or_(PEOPLE.c.last_mail_on.is_(None), PEOPLE.c.last_mail_on < bindparam("on")),
    )
    .values(last_mail_on=bindparam("on"))
)


async def _settle_messages(session: AsyncSession, outcomes: Sequence[Result], now: datetime) -> None:
    alike: dict[tuple[Any, ...], list[str]] = {}
    for outcome in outcomes:
        # The items say when they come again; without a moment of its own the mail keeps no postbox shut.
        until = None if outcome.elsewhere and outcome.state == "deferred" else outcome.until
        what = (outcome.claim, outcome.state, outcome.on, outcome.error or None, int(outcome.burnt), until)
        alike.setdefault((*what, now if outcome.reached else None), []).append(outcome.id)
    settled = 0
    names = ("its_claim", "state", "on", "mark", "tries", "next_try_at", "sent_at")
    for what, ids in alike.items():
        settled += await SETTLE_MESSAGES.write(session, {"ids": ids, **dict(zip(names, what, strict=True))})
    if settled != len(outcomes):
        raise ClaimLost(f"{len(outcomes) - settled} of {len(outcomes)} mails are not ours any more")


async def _count_requests(session: AsyncSession, reached: Sequence[Result]) -> None:
    carried = Counter((outcome.on, request) for outcome in reached for request in outcome.requests)
    alike: dict[tuple[int, date], list[str]] = {}
    for (on, request), times in sorted(carried.items()):
        alike.setdefault((times, on), []).append(request)
    for (times, on), keys in alike.items():
        await COUNT_REQUESTS.write(session, {"keys": keys, "times": times, "on": on})


async def _close_items(
    session: AsyncSession, outcomes: Sequence[Result], state: str, reason: str, now: datetime
) -> None:
    if outcomes:
        messages = [outcome.id for outcome in outcomes]
        await CLOSE_ITEMS.write(session, {"messages": messages, "as": state, "why": reason, "at": now})


async def _use_up_the_day(session: AsyncSession, reached: Sequence[Result]) -> None:
    days: dict[date, list[str]] = {}
    for outcome in sorted(reached, key=lambda outcome: outcome.person):
        days.setdefault(outcome.on, []).append(outcome.person)
    for on, people in sorted(days.items()):
        await USE_UP_THE_DAY.write(session, {"people": people, "on": on})


async def _put_back(session: AsyncSession, deferred: Sequence[Result]) -> None:
    await PUT_BACK.write(session, *({"its_message": outcome.id, "until": outcome.until} for outcome in deferred))


async def _note(session: AsyncSession, outcomes: Sequence[Result], name: str, now: datetime) -> None:
    cohorts = await session.execute(
        select(MessageRow.id, MessageRow.cohort).where(MessageRow.id.in_([outcome.id for outcome in outcomes]))
    )
    cohort_of = dict(cohorts.all())
    await session.execute(
        insert(EventRow),
        [
            {
                "cohort": cohort_of.get(outcome.id, ""),
                "mentorship": "",
                "at": now,
                "name": name,
                "person": outcome.person,
                "detail": f"{outcome.id} {outcome.error}",
            }
            for outcome in outcomes
        ],
    )


async def _to_an_older_address(session: AsyncSession, outcomes: Sequence[Result]) -> set[str]:
    """Mails whose person's address was corrected while they were on their way: nobody has refused the new one."""
    stale = await session.scalars(
        select(MessageRow.id)
        .join(ParticipantRow, ParticipantRow.id == MessageRow.person)
        .where(
            MessageRow.id.in_([outcome.id for outcome in outcomes]),
            func.lower(MessageRow.recipient) != func.lower(ParticipantRow.email),
            ParticipantRow.standing != "erased",
        )
    )
    return set(stale)


async def suppress(session: AsyncSession, refused: Sequence[Result], now: datetime) -> list[str]:
    """Nobody writes to these addresses any more, and every mentorship of these people hears of it."""
    error_of = {outcome.person: outcome.error for outcome in refused}
    message_of = {outcome.person: outcome.id for outcome in refused}
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
    await _note(session, [outcome for outcome in refused if outcome.person in emails], "bounced", now)
    await tell_of_bounces(session, {person: message_of[person] for person in emails}, now)
    return sorted(emails)


async def tell_of_bounces(
    session: AsyncSession, messages: Mapping[str, str], now: datetime, *, soft: bool = False
) -> None:
    """Every mentorship of these people that runs (person to what did not reach them) has to hear of it."""
    if not messages:
        return
    for person, cohort, mentorship in await seats_of(session, messages):
        id_ = f"{'bounced_soft' if soft else 'bounced'}/{messages[person]}/{cohort}/{mentorship}"
        payload: dict[str, Any] = {"id": id_, "person": person} | ({"soft": True} if soft else {})
        await workflow_outbox.put(session, OutboxEvent(id_, cohort, mentorship, "Bounced", payload), now)


async def seats_of(session: AsyncSession, people: Iterable[str]) -> list[tuple[str, str, str]]:
    """(person, cohort, mentorship) of every seat of these people in a mentorship that runs."""
    seats = await session.execute(
        select(MembershipRow.person, MembershipRow.cohort, MembershipRow.mentorship)
        .join(
            MentorshipRow,
            and_(MentorshipRow.cohort == MembershipRow.cohort, MentorshipRow.key == MembershipRow.mentorship),
        )
        .where(
            MembershipRow.person.in_(list(people)),
            MembershipRow.standing != "out",
            MentorshipRow.state == "running",
        )
        .order_by(MembershipRow.person, MembershipRow.cohort, MembershipRow.mentorship)
    )
    return [(person, cohort, mentorship) for person, cohort, mentorship in seats]
