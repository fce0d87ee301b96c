"""Cancels a whole cohort in one transaction: afterwards no person is asked or reminded again.

Rows of the workflow outbox, written in the same transaction, tell the workflows. A turn in progress finds its
mentorship cancelled and posts no items. Must not change a mentorship that has already ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.batch import CANCELLED
from lifecycle.commands import Batch, Post
from lifecycle.delivery.holds import Standstill
from lifecycle.delivery.messages import MESSAGE
from lifecycle.keys import item_key
from lifecycle.local_time import begun_everywhere, local_date
from store.database import putting, upserting
from store.postbox import WAITING, Address, Moment, letterbox_rule, post
from store.shards import soonest
from store.tables import (
    CohortRow,
    EventRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    OutcomeRow,
    ParticipantRow,
    RelayRow,
    RequestRow,
    TaskRow,
)

PAGE = 500
"""Rows in one statement."""


@dataclass(frozen=True, slots=True)
class Stops:
    """The effect of cancelling a cohort, in ids and numbers."""

    state: str
    """Of the cohort."""
    mentorships: tuple[str, ...]
    """Keys of the mentorships that end."""
    people: tuple[str, ...]
    """Ids of those who get the mail: people who have, or are offered, a seat in a running mentorship."""
    forms: int
    """Number of open requests that are withdrawn."""
    items: int
    """Number of waiting items that are dropped."""
    tasks: int
    """Number of open tasks."""


async def stops(session: AsyncSession, cohort: str) -> Stops:
    """The effect of cancelling this cohort. Raises NoResultFound for an unknown cohort."""
    row = await session.get_one(CohortRow, cohort)
    alive = await session.scalars(
        select(MentorshipRow.key)
        .where(MentorshipRow.cohort == cohort, MentorshipRow.state != "over")
        .order_by(MentorshipRow.key)
    )
    people = await session.scalars(
        select(MembershipRow.person)
        .join(ParticipantRow, ParticipantRow.id == MembershipRow.person)
        .join(
            MentorshipRow,
            (MentorshipRow.cohort == MembershipRow.cohort) & (MentorshipRow.key == MembershipRow.mentorship),
        )
        .where(
            MembershipRow.cohort == cohort,
            MembershipRow.standing.in_(("invited", "accepted", "silent")),
            MentorshipRow.state == "running",
            ParticipantRow.standing.in_(("active", "bounced")),
        )
        .distinct()
        .order_by(MembershipRow.person)
    )
    forms = select(func.count()).select_from(RequestRow).where(*_open(cohort))
    items = select(func.count()).select_from(ItemRow).where(*_waiting(cohort))
    tasks = select(func.count()).select_from(TaskRow).where(TaskRow.cohort == cohort, TaskRow.closed_at.is_(None))
    return Stops(
        state=row.state,
        mentorships=tuple(alive),
        people=tuple(people),
        forms=await session.scalar(forms) or 0,
        items=await session.scalar(items) or 0,
        tasks=await session.scalar(tasks) or 0,
    )


async def stop(
    session: AsyncSession,
    cohort: str,
    now: datetime,
    by: str,
    why: str,
    *,
    shards: int,
) -> dict[int, datetime]:
    """Cancel a cohort that is not cancelled yet. Needs a writing transaction.

    Returns shard to the moment (UTC) at which its postmaster must look.
    """
    row = await session.get_one(CohortRow, cohort, with_for_update=True)
    stopped = await stops(session, cohort)
    row.state = CANCELLED
    await session.flush()
    # The mentorships first: turns lock them too, so the statements below see everything written before.
    await _end_mentorships(session, row, now, by, why)
    await session.execute(update(RequestRow).where(*_open(cohort)).values(state="withdrawn"))
    await _drop_items(session, cohort, now)
    rule = letterbox_rule(row.letterbox, row.holidays)
    address = Address(cohort, "", now, rule, shards)
    moments: list[Moment] = []
    for first in range(0, len(stopped.people), PAGE):
        mails = [_mail(cohort, person, now) for person in stopped.people[first : first + PAGE]]
        moments += await post(session, address, mails, Standstill())
    return soonest(moments)


def relay_id(cohort: str, mentorship: str) -> str:
    """Id of the outbox row, and of the update, that tells a mentorship of its cohort's cancellation."""
    return f"cancel/{cohort}/{mentorship}"


async def tell_again(session: AsyncSession, batch: Batch) -> dict[int, datetime]:
    """Tell the workflow of a turn taken in a cancelled cohort, unless this turn ends it.

    Returns shard to the moment (UTC) at which mails of the cancellation wait there: the process that should have
    woken the postmaster may have died.
    """
    if not batch.snapshot.over:
        id_ = relay_id(batch.cohort, batch.mentorship)
        row = _relay(batch.cohort, batch.mentorship, id_, "", batch.now)
        await session.execute(putting(session, RelayRow, ("id",)), [row])
    moments = await session.execute(
        select(ItemRow.shard, func.min(ItemRow.deliver_at))
        .where(
            ItemRow.cohort == batch.cohort,
            ItemRow.mentorship == "",
            ItemRow.name == CANCELLED,
            ItemRow.state == "queued",
        )
        .group_by(ItemRow.shard)
    )
    return {shard: at for shard, at in moments if at is not None}


async def still_to_tell(session: AsyncSession, cohort: str) -> int:
    """Number of mentorships of a cancelled cohort that do not know it yet."""
    waiting = select(func.count()).select_from(RelayRow).where(RelayRow.cohort == cohort, RelayRow.event == "Cancel")
    return await session.scalar(waiting) or 0


def _open(cohort: str) -> tuple[Any, ...]:
    return RequestRow.cohort == cohort, RequestRow.state == "open"


def _waiting(cohort: str) -> tuple[Any, ...]:
    """Conditions for the waiting items of a cohort's people; items about tasks belong to coordinators."""
    return (
        ItemRow.cohort == cohort,
        or_(ItemRow.mentorship != "", ItemRow.name == MESSAGE),
        ItemRow.task == "",
        ItemRow.kind != "receipt",
        ItemRow.state.in_(WAITING),
    )


def _mail(cohort: str, person: str, now: datetime) -> Post:
    key = item_key(cohort, "all", CANCELLED, 1, person, "urgent")
    return Post(key, person, "urgent", CANCELLED, 1, begun_everywhere(now), after_end=True)


def _relay(cohort: str, key: str, id_: str, by: str, now: datetime) -> dict[str, Any]:
    return {
        "id": id_,
        "cohort": cohort,
        "mentorship": key,
        "event": "Cancel",
        "payload": {"id": id_, "by": by},
        "at": now,
        "attempts": 0,
    }


async def _end_mentorships(session: AsyncSession, cohort: CohortRow, now: datetime, by: str, why: str) -> None:
    today = local_date(now, cohort.zone)
    before = await session.execute(
        select(MentorshipRow.key, MentorshipRow.state)
        .where(MentorshipRow.cohort == cohort.id, MentorshipRow.state != "over")
        .order_by(MentorshipRow.key)
        .with_for_update()
    )
    states = {key: state for key, state in before}  # noqa: C416
    keys = list(states)
    for first in range(0, len(keys), PAGE):
        page = keys[first : first + PAGE]
        await session.execute(
            update(MentorshipRow)
            .where(MentorshipRow.cohort == cohort.id, MentorshipRow.key.in_(page))
            .values(state="over", ending=CANCELLED, reason="", ended_on=today)
        )
    if not keys:
        return
    outcome: dict[str, Any] = {"cohort": cohort.id, "ending": CANCELLED, "reason": "", "on": today, "at": now}
    new = upserting(session, OutcomeRow).on_conflict_do_nothing(index_elements=("cohort", "mentorship"))
    await session.execute(new, [outcome | {"mentorship": key} for key in keys])
    event: dict[str, Any] = {"cohort": cohort.id, "at": now, "name": CANCELLED, "by": by, "why": why}
    await session.execute(insert(EventRow), [event | {"mentorship": key} for key in keys])
    # A planned mentorship has no workflow to tell; if it starts just now, its first turn finds the cancellation.
    relays = [
        _relay(cohort.id, key, relay_id(cohort.id, key), by, now)
        for key, state in states.items()
        if state == "running"
    ]
    if relays:
        await session.execute(putting(session, RelayRow, ("id",)), relays)


async def _drop_items(session: AsyncSession, cohort: str, now: datetime) -> None:
    dropped = await session.execute(
        update(ItemRow)
        .where(*_waiting(cohort))
        .values(state="dropped", reason="over", done_at=now, deliver_at=None)
        .returning(ItemRow.key, ItemRow.person, ItemRow.mentorship)
        .execution_options(synchronize_session=False)
    )
    events: Sequence[dict[str, Any]] = [
        {"cohort": cohort, "mentorship": mentorship, "at": now, "name": "dropped", "person": person,
         "detail": f"{key} over"}
        for key, person, mentorship in dropped
    ]  # fmt: skip
    if events:
        await session.execute(insert(EventRow), list(events))
