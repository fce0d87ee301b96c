"""After a restore: the turns of the mentorships in the database, and the mails that must not be sent again.

Must never queue anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.commands import Batch
from store.tables import AnswerRow, ItemRow, MentorshipRow, MessageRow, RelayRow, RequestRow, TaskRow

RESTORED = "restored"
"""Why an item is not mailed, and a mail not tried again: it may have gone out after the backup was made."""
UNFINISHED = ("sending", "deferred", "ambiguous")


@dataclass(frozen=True, slots=True)
class Standing:
    """A mentorship as the database has it."""

    cohort: str
    key: str
    state: str
    turn: int


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer that the database holds; `submission` is its id."""

    submission: str
    person: str
    ask: str
    number: int
    body: dict[str, Any]
    at: datetime


async def standings(session: AsyncSession) -> list[Standing]:
    """All mentorships that were ever launched."""
    rows = await session.execute(
        select(MentorshipRow.cohort, MentorshipRow.key, MentorshipRow.state, MentorshipRow.turn).order_by(
            MentorshipRow.cohort, MentorshipRow.key
        )
    )
    return [Standing(*row) for row in rows]


async def untold(session: AsyncSession) -> int:
    """How many events no workflow has been told of."""
    return await session.scalar(select(func.count(RelayRow.id))) or 0


async def answers(session: AsyncSession, cohort: str, mentorship: str) -> list[StoredAnswer]:
    """The answers of one mentorship that count, and that wait for nobody to tell of them."""
    rows = await session.execute(
        select(
            AnswerRow.submission, AnswerRow.person, RequestRow.ask, RequestRow.number, AnswerRow.body, AnswerRow.at
        )
        .join(RequestRow, RequestRow.key == AnswerRow.request)
        .where(
            RequestRow.cohort == cohort,
            RequestRow.mentorship == mentorship,
            RequestRow.state == "answered",
            AnswerRow.late.is_(False),
            AnswerRow.submission.not_in(select(RelayRow.id)),
        )
        .order_by(AnswerRow.at, AnswerRow.id)
    )
    return [StoredAnswer(*row) for row in rows]


async def unanswered(session: AsyncSession, batch: Batch) -> Batch:
    """The same batch without requests that the database holds an answer to."""
    keys = [request.key for request in batch.open_requests]
    answered = set(
        await session.scalars(select(RequestRow.key).where(RequestRow.key.in_(keys), RequestRow.state == "answered"))
    )
    batch.open_requests = [request for request in batch.open_requests if request.key not in answered]
    return batch


async def close_what_is_over(session: AsyncSession, batch: Batch) -> None:
    """Requests and tasks of this mentorship that are open in the database and not in its state any more."""
    still = [request.key for request in batch.open_requests]
    await session.execute(
        update(RequestRow)
        .where(
            RequestRow.cohort == batch.cohort,
            RequestRow.mentorship == batch.mentorship,
            RequestRow.state == "open",
            RequestRow.key.not_in(still),
        )
        .values(state="closed")
    )
    open_tasks = [task.key for task in batch.open_tasks]
    await session.execute(
        update(TaskRow)
        .where(
            TaskRow.cohort == batch.cohort,
            TaskRow.mentorship == batch.mentorship,
            TaskRow.decision == "",
            TaskRow.key.not_in(open_tasks),
        )
        .values(decision=RESTORED, closed_at=batch.now, closed_on=batch.now.date(), closed_in=batch.turn)
    )


async def known_tasks(session: AsyncSession, batch: Batch) -> Batch:
    """The same batch without tasks that the database has as they are: their reason stays."""
    keys = [task.key for task in batch.open_tasks]
    known = set(await session.scalars(select(TaskRow.key).where(TaskRow.key.in_(keys))))
    batch.open_tasks = [task for task in batch.open_tasks if task.key not in known]
    return batch


async def may_have_gone_out(session: AsyncSession, now: datetime) -> tuple[int, int]:
    """How many items were due by now and are not done, and for how many people."""
    counted = await session.execute(
        select(func.count(ItemRow.key), func.count(func.distinct(ItemRow.person))).where(
            (ItemRow.state == "sending") | ((ItemRow.state == "queued") & (ItemRow.deliver_at <= now))
        )
    )
    items, people = counted.one()
    return items, people


async def put_aside(session: AsyncSession, now: datetime) -> None:
    """Whatever was due by now is never mailed: it may have been, after the backup was made."""
    await session.execute(
        update(MessageRow)
        .where(MessageRow.state.in_(UNFINISHED))
        .values(state="sent", error=RESTORED, next_try_at=None, sent_at=now)
    )
    await session.execute(
        update(ItemRow).where(ItemRow.state == "sending").values(state="sent", reason=RESTORED, done_at=now)
    )
    await session.execute(
        update(ItemRow)
        .where(ItemRow.state == "queued", ItemRow.deliver_at <= now)
        .values(state="dropped", reason=RESTORED, done_at=now, deliver_at=None)
    )
