"""What a season must have kept, looked up in the sink, in the store and in Temporal when it is over.

Every check says what it counted, so that a good result can be doubted and a bad one found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_string, policy

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from demo.season import Season
from lifecycle.calendar import DAY, begins
from lifecycle.letterbox import next_open, ready_at
from store.ledger import WENT_OUT, ledger, local_time
from store.postbox import letterbox_rule
from store.tables import (
    AnswerRow,
    CohortRow,
    EventRow,
    ItemRow,
    MessageRow,
    OutcomeRow,
    ParticipantRow,
    RelayRow,
    RequestRow,
)

TOO_LATE = timedelta(seconds=5)
"""Real time. At speed 1 a night takes half a second and a weekend less than four: a mail that misses a Friday
because the machine was busy for a moment is not late, one that misses a Friday and a Monday is."""

FAST = ("receipt", "urgent")


@dataclass(frozen=True, slots=True)
class Check:
    """One promise: whether it was kept, and what was counted."""

    kept: bool
    promise: str
    counted: str


async def verdict(season: Season) -> list[Check]:
    """Whether anything is stuck, lost, doubled or late."""
    async with season.stack.database.session() as session:
        sent = list(
            await session.scalars(
                select(MessageRow)
                .where(MessageRow.cohort == season.cohort, MessageRow.state.in_(WENT_OUT))
                .order_by(MessageRow.at)
            )
        )
        checks = [
            await _endings(session, season),
            await _nothing_left(session, season),
            await _told(session),
            _the_same_mails(season, sent),
            await _the_same_ledger(session, season, sent),
            _none_twice(season),
            _one_a_day(sent),
            await _answers(session, season),
            await _punctual(session, season, sent),
        ]
    failed = await season.stack.client.count_workflows(
        "ExecutionStatus IN ('Failed', 'Terminated', 'TimedOut', 'Canceled')"
    )
    checks += [
        Check(
            season.slowest <= TOO_LATE,
            "no mentorship was overdue for longer than it takes to look",
            f"the worst was overdue by {_seconds(season.slowest)} real seconds",
        ),
        Check(not failed.count, "no workflow failed", f"{failed.count} failed"),
        Check(not season.troubles, "no page turned anybody away", "; ".join(season.troubles[:3]) or "0 troubles"),
    ]
    return checks


async def _endings(session: AsyncSession, season: Season) -> Check:
    ended = set(await session.scalars(select(OutcomeRow.mentorship).where(OutcomeRow.cohort == season.cohort)))
    stuck = sorted({line.key for line in season.lines} - ended)
    counted = f"{len(ended)} of {len(season.lines)}{_some(stuck)}"
    return Check(bool(ended) and not stuck, "every mentorship has an ending", counted)


async def _nothing_left(session: AsyncSession, season: Season) -> Check:
    waiting = ItemRow.state.in_(("queued", "held", "sending"))
    left = list(await session.scalars(select(ItemRow.key).where(ItemRow.cohort == season.cohort, waiting)))
    return Check(not left, "nothing waits in a postbox", f"{len(left)} items{_some(left)}")


async def _told(session: AsyncSession) -> Check:
    left = list(await session.scalars(select(RelayRow.id)))
    return Check(not left, "every workflow has been told everything", f"{len(left)} rows left to relay")


def _the_same_mails(season: Season, sent: Iterable[MessageRow]) -> Check:
    in_sink = {mail.id for mail in season.stack.inbox.received}
    in_store = {_id_of(row.raw) for row in sent}
    counted = f"{len(in_sink)} in the sink, {len(in_store)} in the store"
    if in_sink != in_store:
        counted += f"; only in the sink {len(in_sink - in_store)}, only in the store {len(in_store - in_sink)}"
    return Check(
        in_sink == in_store and bool(in_sink), "every mail in the sink is in the store and the reverse", counted
    )


async def _the_same_ledger(session: AsyncSession, season: Season, sent: Iterable[MessageRow]) -> Check:
    zones = await _zones(session)
    in_ledger = Counter((line["person"], line["at"]) for line in (await ledger(session, season.cohort))["mails"])
    in_store = Counter((row.person, local_time(row.at, zones[row.person])) for row in sent)
    counted = f"{in_ledger.total()} in the ledger, {in_store.total()} in the store"
    return Check(in_ledger == in_store, "the ledger tells of each of these mails once", counted)


def _none_twice(season: Season) -> Check:
    ids = Counter(mail.id for mail in season.stack.inbox.received)
    doubled = [id_ for id_, count in ids.items() if count > 1]
    return Check(not doubled, "no mail came twice", f"{len(doubled)} of {len(ids)} Message-IDs came twice")


def _one_a_day(sent: Iterable[MessageRow]) -> Check:
    days = Counter((row.person, row.local_date) for row in sent if not row.fast)
    crowded = [(person, on.isoformat()) for (person, on), count in days.items() if count > 1]
    return Check(
        not crowded, "nobody got two ordinary mails on one day", f"{len(crowded)} of {len(days)} days{_some(crowded)}"
    )


async def _answers(session: AsyncSession, season: Season) -> Check:
    stored = await session.scalar(
        select(func.count(AnswerRow.id))
        .join(RequestRow, RequestRow.key == AnswerRow.request)
        .where(RequestRow.cohort == season.cohort)
    )
    given = season.crowd.answers
    return Check(
        given == stored and given > 0, "every answer was kept, once", f"{given} posted, {stored} in the store"
    )


async def _punctual(session: AsyncSession, season: Season, sent: list[MessageRow]) -> Check:
    late = sorted(season.real(span) for span in await _lateness(session, season, sent))
    worst = late[-1] if late else timedelta()
    middle = late[len(late) // 2] if late else timedelta()
    hours = worst * season.stack.settings.speed / timedelta(hours=1)
    counted = (
        f"from the moment an item was due to its arrival: worst {_seconds(worst)} ({hours:.0f} hours of the season), "
        f"median {_seconds(middle)} real seconds over {len(late)} items"
    )
    return Check(worst <= TOO_LATE, "no mail was late", counted)


async def _lateness(session: AsyncSession, season: Season, sent: list[MessageRow]) -> list[timedelta]:
    """By how much (program time) each item came later than at the earliest moment of lifecycle 2.5: its date had
    begun, the engine had it, nothing held it, the letterbox was open, and the person had had no mail that day."""
    cohort = await session.get_one(CohortRow, season.cohort)
    rule = letterbox_rule(cohort.letterbox, cohort.holidays)
    zones = await _zones(session)
    freed: dict[str, list[datetime]] = {}
    for mentorship, at in await session.execute(
        select(EventRow.mentorship, EventRow.at).where(EventRow.name.in_(("released", "resumed")))
    ):
        freed.setdefault(mentorship, []).append(at)
    items: dict[str, list[ItemRow]] = {}
    for item in await session.scalars(
        select(ItemRow).where(ItemRow.cohort == season.cohort, ItemRow.state == "sent")
    ):
        items.setdefault(item.message or "", []).append(item)
    arrived = {mail.id: mail.arrived for mail in season.stack.inbox.received}
    had: dict[str, datetime] = {}
    found: list[timedelta] = []
    for mail in sent:
        zone = zones[mail.person]
        for item in items.get(mail.id, []):
            ready = max([ready_at(item.date, zone, item.queued_at), *(
                at for at in freed.get(item.mentorship, []) if item.queued_at < at <= mail.at
            )])  # fmt: skip
            due = ready
            if item.kind not in FAST:
                due = next_open(rule, zone, max(ready, had.get(mail.person, ready)))
            came = arrived.get(_id_of(mail.raw))
            found.append(max((came or mail.at) - due, timedelta()))
        if not mail.fast:
            had[mail.person] = begins(mail.local_date + DAY, zone)
    return found


async def _zones(session: AsyncSession) -> dict[str, str]:
    return {row.id: row.zone for row in await session.scalars(select(ParticipantRow))}


def _id_of(raw: str) -> str:
    return str(message_from_string(raw.partition("\r\n\r\n")[0], policy=policy.default)["Message-ID"])


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.2f}"


def _some(what: Iterable[object]) -> str:
    named = [str(one) for one in what][:3]
    return f": {', '.join(named)}" if named else ""
