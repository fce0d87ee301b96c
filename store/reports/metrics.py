"""Counts everything in the database, for metrics and for the doctor. Only numbers: the result must not name a
person, a cohort or a mentorship.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from store import workflow_outbox as relays
from store.tables import ItemRow, MentorshipRow, MessageRow, RelayRow, RequestRow, TaskRow

MOST_RELAYS = 1000
"""Rows that are examined for the oldest one."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """Undecided tasks of one kind. `overdue` by the date in UTC."""

    open: int
    overdue: int
    oldest: datetime


@dataclass(slots=True)
class Totals:
    """The numbers. Instants are UTC, program time."""

    items: dict[str, int] = field(default_factory=dict[str, int])
    """Items that wait, by state: queued, held, sending."""
    items_due: int = 0
    """Of the queued ones, those whose time has come."""
    oldest_due: datetime | None = None
    """Since when the oldest waits of what should have been delivered: items not taken up, mails not accepted."""
    mails: dict[str, int] = field(default_factory=dict[str, int])
    """Mails that have not simply been sent, by state: sending, deferred, refused, ambiguous."""
    requests_open: dict[str, int] = field(default_factory=dict[str, int])
    """By what is asked."""
    requests_overdue: dict[str, int] = field(default_factory=dict[str, int])
    """Open though their close has passed: their workflow should have closed them."""
    tasks: dict[str, Tasks] = field(default_factory=dict[str, Tasks])
    """By kind."""
    running: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """Mentorships by phase and health."""
    paused: int = 0
    planned: int = 0
    """Launched, and their workflow has not begun."""
    over: int = 0
    late: int = 0
    """Mentorships in which something should have happened by now."""
    late_since: datetime | None = None
    lost: int = 0
    """Mentorships that must run and were found without a workflow in Temporal."""
    relays: int = 0
    """Answers and changes that workflows have not been told of."""
    oldest_relay: datetime | None = None


async def count_all(session: AsyncSession, now: datetime) -> Totals:
    """Count everything at `now` (UTC, program time)."""
    totals = Totals()
    await _postbox(session, totals, now)
    await _requests(session, totals, now)
    await _tasks(session, totals, now)
    await _mentorships(session, totals, now)
    await _lost(session, totals)
    await _relays(session, totals)
    return totals


async def _postbox(session: AsyncSession, totals: Totals, now: datetime) -> None:
    states = ("queued", "held", "sending")
    totals.items = dict.fromkeys(states, 0) | await _by(session, ItemRow.state, ItemRow.state.in_(states))
    due = and_(ItemRow.state == "queued", ItemRow.deliver_at <= now)
    [(totals.items_due, since)] = await session.execute(
        select(func.count(), func.min(ItemRow.deliver_at)).where(due)
    )  # fmt: skip
    states = ("sending", "deferred", "refused", "ambiguous")
    totals.mails = dict.fromkeys(states, 0) | await _by(session, MessageRow.state, MessageRow.state.in_(states))
    on_its_way = or_(
        MessageRow.state.in_(("sending", "deferred")),
        and_(MessageRow.state == "ambiguous", MessageRow.next_try_at.is_not(None)),
    )
    mail_since = await session.scalar(select(func.min(MessageRow.at)).where(on_its_way))
    totals.oldest_due = _first(since, mail_since)


async def _requests(session: AsyncSession, totals: Totals, now: datetime) -> None:
    overdue = and_(RequestRow.closes_at < now, MentorshipRow.paused_until == "", MentorshipRow.state == "running")
    rows = await session.execute(
        select(RequestRow.ask, func.count(), func.sum(case((overdue, 1), else_=0)))
        .join(
            MentorshipRow, and_(MentorshipRow.cohort == RequestRow.cohort, MentorshipRow.key == RequestRow.mentorship)
        )
        .where(RequestRow.state == "open")
        .group_by(RequestRow.ask)
    )
    for ask, count, late in rows:
        totals.requests_open[ask] = count
        totals.requests_overdue[ask] = late


async def _tasks(session: AsyncSession, totals: Totals, now: datetime) -> None:
    overdue = case((TaskRow.due < now.date(), 1), else_=0)
    rows = await session.execute(
        select(TaskRow.kind, func.count(), func.sum(overdue), func.min(TaskRow.opened_at))
        .where(TaskRow.closed_at.is_(None))
        .group_by(TaskRow.kind)
    )
    totals.tasks = {kind: Tasks(count, late, oldest) for kind, count, late, oldest in rows}


async def _mentorships(session: AsyncSession, totals: Totals, now: datetime) -> None:
    rows = await session.execute(
        select(MentorshipRow.phase, MentorshipRow.health, func.count())
        .where(MentorshipRow.state == "running")
        .group_by(MentorshipRow.phase, MentorshipRow.health)
    )
    totals.running = {(phase, health): count for phase, health, count in rows}
    states = await _by(session, MentorshipRow.state)
    totals.planned, totals.over = states.get("planned", 0), states.get("over", 0)
    totals.paused = await session.scalar(
        select(func.count()).where(MentorshipRow.state == "running", MentorshipRow.paused_until != "")
    ) or 0  # fmt: skip
    [(totals.late, totals.late_since)] = await session.execute(
        select(func.count(), func.min(MentorshipRow.next_at)).where(
            MentorshipRow.state == "running", MentorshipRow.next_at < now
        )
    )


async def _lost(session: AsyncSession, totals: Totals) -> None:
    totals.lost = await session.scalar(select(func.count()).where(MentorshipRow.lost_since.is_not(None))) or 0


async def _relays(session: AsyncSession, totals: Totals) -> None:
    totals.relays = await session.scalar(select(func.count(RelayRow.id))) or 0
    rows = await session.scalars(select(RelayRow).order_by(RelayRow.attempts.desc()).limit(MOST_RELAYS))
    totals.oldest_relay = _first(*(relays.happened(row) for row in rows))


async def _by(session: AsyncSession, column: Any, *where: Any) -> dict[str, int]:
    rows: Iterable[Any] = await session.execute(select(column, func.count()).where(*where).group_by(column))
    return dict(iter(rows))


def _first(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
