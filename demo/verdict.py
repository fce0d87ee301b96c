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

from demo.call_checks import call_checks
from demo.check import Check
from demo.season import DemoSeason
from lifecycle.delivery.letterbox import LetterboxRule, next_open, opening, ready_at
from lifecycle.local_time import DAY, begins, local_date
from operations.mentorships.labels import phrase
from store.postbox import letterbox_rule
from store.reports.ledger import WENT_OUT, ledger, local_time
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
    TaskRow,
)

TOO_LATE = timedelta(seconds=3)
"""Real time for which something may wait although nothing but us is in its way. Of a mail, only the hours count in
which its letterbox was open: a mail that misses Friday evening by a moment waits for Monday by the rules."""

FAST = ("receipt", "urgent")


async def verdict(season: DemoSeason) -> list[Check]:
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
            *await call_checks(season),
            await _endings(session, season),
            await nothing_left(session, season),
            await _told(session),
            _the_same_mails(season, sent),
            await _the_same_ledger(session, season, sent),
            _none_twice(season),
            _one_a_day(sent),
            await _answers(session, season),
            await _punctual(session, season, sent),
            *await decisions(session, season),
        ]
    failed = await season.stack.client.count_workflows(
        "ExecutionStatus IN ('Failed', 'Terminated', 'TimedOut', 'Canceled')"
    )
    checks += [
        Check(
            season.slowest <= TOO_LATE,
            "no mentorship was overdue",
            f"the worst was overdue by {_seconds(season.slowest)} real seconds",
            speed=True,
        ),
        Check(
            not season.crowd.missed,
            "everybody came in time who meant to",
            f"{season.crowd.missed} came after their window",
            speed=True,
        ),
        Check(not failed.count, "no workflow failed", f"{failed.count} failed"),
        Check(not season.troubles, "no page turned anybody away", "; ".join(season.troubles[:3]) or "0 troubles"),
    ]
    return checks


async def _endings(session: AsyncSession, season: DemoSeason) -> Check:
    ended = set(await session.scalars(select(OutcomeRow.mentorship).where(OutcomeRow.cohort == season.cohort)))
    stuck = sorted({line.key for line in season.lines} - ended)
    counted = f"{len(ended)} of {len(season.lines)}{_some(stuck)}"
    return Check(bool(ended) and not stuck, "every mentorship has an ending", counted)


async def nothing_left(session: AsyncSession, season: DemoSeason) -> Check:
    """Whether something waits in a postbox. What a report holds back may, where the person who watches decides."""
    waiting = select(ItemRow.key).where(ItemRow.cohort == season.cohort)
    left = list(await session.scalars(waiting.where(ItemRow.state.in_(("queued", "sending")))))
    held = list(await session.scalars(waiting.where(ItemRow.state == "held")))
    if season.taken_over and held and not left:
        counted = f"{len(held)} items are held back until you decide what was reported"
        return Check(True, "nothing waits in a postbox", counted, waits=True)
    left += held
    return Check(not left, "nothing waits in a postbox", f"{len(left)} items{_some(left)}")


async def decisions(session: AsyncSession, season: DemoSeason) -> list[Check]:
    """What waits for the person who took over the coordinator; nothing where nobody did."""
    if not season.taken_over:
        return []
    undecided = await session.scalars(
        select(TaskRow).where(TaskRow.cohort == season.cohort, TaskRow.closed_at.is_(None)).order_by(TaskRow.due)
    )
    return [
        Check(
            True,
            f"a decision of yours: {phrase(task.kind)}",
            f"{task.mentorship or 'the open call'}{' of ' + _people(season, task) if task.about else ''}, "
            f"due on {task.due:%d %b %Y}",
            waits=True,
        )
        for task in undecided
    ]


def _people(season: DemoSeason, task: TaskRow) -> str:
    return " and ".join(season.name_of(person) for person in task.about)


async def _told(session: AsyncSession) -> Check:
    left = list(await session.scalars(select(RelayRow.id)))
    return Check(not left, "every workflow has been told everything", f"{len(left)} rows left to relay")


def _the_same_mails(season: DemoSeason, sent: Iterable[MessageRow]) -> Check:
    rows = list(sent)
    emptied = Counter(season.address_of(row.person) for row in rows if not row.raw)
    received = season.stack.inbox.received
    in_sink = {mail.id for mail in received if mail.recipient.casefold() not in emptied}
    in_store = {_id_of(row.raw) for row in rows if row.raw}
    counted = f"{len(in_sink)} in the sink, {len(in_store)} in the store"
    if emptied:
        counted += f"; {emptied.total()} of {len(emptied)} applicants whose data is deleted"
    if Counter(mail.recipient.casefold() for mail in received if mail.recipient.casefold() in emptied) != emptied:
        return Check(False, _SAME_MAILS, f"{counted}, and another number in the sink")
    if in_sink != in_store:
        counted += f"; only in the sink {len(in_sink - in_store)}, only in the store {len(in_store - in_sink)}"
    return Check(in_sink == in_store and bool(in_sink), _SAME_MAILS, counted)


_SAME_MAILS = "every mail in the sink is in the store and the reverse"


async def _the_same_ledger(session: AsyncSession, season: DemoSeason, sent: Iterable[MessageRow]) -> Check:
    zones = await _zones(session)
    in_ledger = Counter((line["person"], line["at"]) for line in (await ledger(session, season.cohort))["mails"])
    in_store = Counter((row.person, local_time(row.at, zones[row.person])) for row in sent)
    counted = f"{in_ledger.total()} in the ledger, {in_store.total()} in the store"
    return Check(in_ledger == in_store, "the ledger tells of each of these mails once", counted)


def _none_twice(season: DemoSeason) -> Check:
    ids = Counter(mail.id for mail in season.stack.inbox.received)
    doubled = [id_ for id_, count in ids.items() if count > 1]
    return Check(not doubled, "no mail came twice", f"{len(doubled)} of {len(ids)} Message-IDs came twice")


def _one_a_day(sent: Iterable[MessageRow]) -> Check:
    days = Counter((row.person, row.local_date) for row in sent if not row.fast)
    crowded = [(person, on.isoformat()) for (person, on), count in days.items() if count > 1]
    return Check(
        not crowded, "nobody got two ordinary mails on one day", f"{len(crowded)} of {len(days)} days{_some(crowded)}"
    )


async def _answers(session: AsyncSession, season: DemoSeason) -> Check:
    stored = await session.scalar(
        select(func.count(AnswerRow.id))
        .join(RequestRow, RequestRow.key == AnswerRow.request)
        .where(RequestRow.cohort == season.cohort)
    )
    answers = season.crowd.answers
    return Check(
        answers == stored and answers > 0, "every answer was kept, once", f"{answers} posted, {stored} in the store"
    )


async def _punctual(session: AsyncSession, season: DemoSeason, sent: list[MessageRow]) -> Check:
    waits = await _waits(session, season, sent)
    idle = sorted(season.real(wait.open) for wait in waits)
    worst, middle = (idle[-1], idle[len(idle) // 2]) if idle else (timedelta(), timedelta())
    longest = max((season.real(wait.whole) for wait in waits), default=timedelta())
    counted = (
        f"past its moment, while the letterbox was open: worst {_seconds(worst)}, median {_seconds(middle)} real "
        f"seconds over {len(idle)} items; worst with nights and weekends {_seconds(longest)}"
    )
    return Check(worst <= TOO_LATE, "no mail was late", counted, speed=True)


@dataclass(frozen=True, slots=True)
class Wait:
    """How long an item waited past the earliest moment of its delivery (program time)."""

    whole: timedelta
    open: timedelta
    """Of that, with an open letterbox."""


async def _waits(session: AsyncSession, season: DemoSeason, sent: list[MessageRow]) -> list[Wait]:
    """How long each item waited past the earliest moment of lifecycle 2.5: its date had begun, the engine had it,
    nothing held it, the letterbox was open, and the person had had no mail that day."""
    cohort = await session.get_one(CohortRow, season.cohort)
    rule = letterbox_rule(cohort.letterbox, cohort.holidays)
    zones = await _zones(session)
    freed = await _freed(session, season)
    items: dict[str, list[ItemRow]] = {}
    came_out = select(ItemRow).where(ItemRow.cohort == season.cohort, ItemRow.state == "sent")
    for item in await session.scalars(came_out):
        items.setdefault(item.message or "", []).append(item)
    arrived = {mail.id: mail.arrived for mail in season.stack.inbox.received}
    had: dict[str, datetime] = {}
    waits: list[Wait] = []
    for mail in sent:
        zone = zones[mail.person]
        came = arrived.get(_id_of(mail.raw)) or mail.at
        for item in items.get(mail.id, []):
            held_until = [at for at in freed.get(item.mentorship, []) if item.queued_at < at <= mail.at]
            ready = max([ready_at(item.date, zone, item.queued_at), *held_until])
            if item.kind in FAST:
                waits.append(Wait(came - ready, came - ready))
                continue
            due = next_open(rule, zone, max(ready, had.get(mail.person, ready)))
            waits.append(Wait(came - due, _open_time(rule, zone, due, came)))
        if not mail.fast:
            had[mail.person] = begins(mail.local_date + DAY, zone)
    return waits


def _open_time(rule: LetterboxRule, zone: str, since: datetime, until: datetime) -> timedelta:
    """For how long a letterbox was open between two instants."""
    total = timedelta()
    day = opening(rule, zone, local_date(since, zone))
    while day.opens < until:
        total += max(min(day.closes, until) - max(day.opens, since), timedelta())
        day = opening(rule, zone, day.on + DAY)
    return total


async def _freed(session: AsyncSession, season: DemoSeason) -> dict[str, list[datetime]]:
    """Mentorship to the instants at which a hold or a pause of it ended."""
    freed: dict[str, list[datetime]] = {}
    ended = select(EventRow.mentorship, EventRow.at).where(
        EventRow.cohort == season.cohort, EventRow.name.in_(("released", "resumed"))
    )
    for mentorship, at in await session.execute(ended):
        freed.setdefault(mentorship, []).append(at)
    return freed


async def _zones(session: AsyncSession) -> dict[str, str]:
    return {row.id: row.zone for row in await session.scalars(select(ParticipantRow))}


def _id_of(raw: str) -> str:
    return str(message_from_string(raw.partition("\r\n\r\n")[0], policy=policy.default)["Message-ID"])


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.2f}"


def _some(what: Iterable[object]) -> str:
    named = [str(entry) for entry in what][:3]
    return f": {', '.join(named)}" if named else ""
