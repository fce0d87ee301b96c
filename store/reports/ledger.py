"""The ledger of a cohort: mails, answers, decisions and endings, so that runs can be compared.

Sorted and stable: the same season gives the same text. Ids only; it must not hold a name, an address or an answer.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.local_time import zone
from store.tables import (
    AnswerRow,
    ItemRow,
    MessageRow,
    OutcomeRow,
    ParticipantRow,
    RequestRow,
    StepRow,
    TaskRow,
)

WENT_OUT = ("sent", "ambiguous")
"""States of a message that has reached the relay, or may have."""

NEVER_WENT = ("dropped", "refused")
"""States of an item that nobody will get."""

Lines = list[dict[str, Any]]


async def ledger(session: AsyncSession, cohort: str) -> dict[str, Lines]:
    """The whole ledger. Instants are ISO local times of the person's zone with offset, to the minute; dates are
    those of the cohort's zone."""
    return {
        "mails": await _mails(session, cohort),
        "dropped": await _dropped(session, cohort),
        "steps": await _steps(session, cohort),
        "answers": await _answers(session, cohort),
        "tasks": await _tasks(session, cohort),
        "endings": await _endings(session, cohort),
    }


def local_time(at: datetime, zone_name: str) -> str:
    """An instant as a person in this zone reads it: `2026-03-02T09:00+01:00`."""
    return at.astimezone(zone(zone_name)).isoformat(timespec="minutes")


async def _mails(session: AsyncSession, cohort: str) -> Lines:
    rows = await session.execute(
        select(
            MessageRow.id, MessageRow.person, MessageRow.at, ParticipantRow.zone,
            ItemRow.key, ItemRow.kind, ItemRow.name, ItemRow.number, ItemRow.mentorship,
        )
        .join(MessageRow, MessageRow.id == ItemRow.message)
        .join(ParticipantRow, ParticipantRow.id == MessageRow.person)
        .where(ItemRow.cohort == cohort, MessageRow.state.in_(WENT_OUT))
        .order_by(MessageRow.at, MessageRow.person, MessageRow.id, ItemRow.key)
    )  # fmt: skip
    mails: dict[str, dict[str, Any]] = {}
    minute: dict[str, datetime] = {}
    for message, person, at, zone_name, key, kind, name, number, mentorship in rows:
        mail = mails.setdefault(message, {"person": person, "at": local_time(at, zone_name), "items": []})
        minute[message] = at.replace(second=0, microsecond=0)
        mail["items"].append({"key": key, "kind": kind, "name": name, "number": number, "mentorship": mentorship})
    # The order within a minute is random, and the ledger must be the same for every run.
    order = sorted(
        mails,
        key=lambda message_id: (
            minute[message_id],
            mails[message_id]["person"],
            mails[message_id]["items"][0]["key"],
        ),
    )
    return [mails[message] for message in order]


async def _dropped(session: AsyncSession, cohort: str) -> Lines:
    rows = await session.execute(
        select(ItemRow.key, ItemRow.reason, ItemRow.state, ItemRow.done_at, ParticipantRow.zone)
        .join(ParticipantRow, ParticipantRow.id == ItemRow.person)
        .where(ItemRow.cohort == cohort, ItemRow.state.in_(NEVER_WENT))
        .order_by(ItemRow.key)
    )
    return [
        {"key": key, "reason": reason or state, "at": local_time(at, zone_name) if at else None}
        for key, reason, state, at, zone_name in rows
    ]


async def _steps(session: AsyncSession, cohort: str) -> Lines:
    rows = await session.scalars(
        select(StepRow)
        .where(StepRow.cohort == cohort)
        .order_by(StepRow.mentorship, StepRow.opens, StepRow.name, StepRow.number)
    )
    return [
        {
            "mentorship": step.mentorship,
            "name": step.name,
            "number": step.number,
            "opens": _day(step.opens),
            "closes": _day(step.closes),
            "settled": _day(step.settled),
            "state": step.state,
        }
        for step in rows
    ]


async def _answers(session: AsyncSession, cohort: str) -> Lines:
    rows = await session.execute(
        select(
            RequestRow.mentorship, AnswerRow.person, AnswerRow.form, RequestRow.number, AnswerRow.at,
            AnswerRow.late, ParticipantRow.zone,
        )
        .join(RequestRow, RequestRow.key == AnswerRow.request)
        .join(ParticipantRow, ParticipantRow.id == RequestRow.person)
        .where(RequestRow.cohort == cohort)
        .order_by(RequestRow.mentorship, AnswerRow.at, RequestRow.key, AnswerRow.version)
    )  # fmt: skip
    return [
        {
            "mentorship": mentorship,
            "person": person,
            "form": form,
            "number": number,
            "at": local_time(at, zone_name),
            "late": late,
        }
        for mentorship, person, form, number, at, late, zone_name in rows
    ]


async def _tasks(session: AsyncSession, cohort: str) -> Lines:
    rows = await session.scalars(
        select(TaskRow)
        .where(TaskRow.cohort == cohort)
        .order_by(TaskRow.mentorship, TaskRow.opened_on, TaskRow.kind, TaskRow.number)
    )
    return [
        {
            "mentorship": task.mentorship,
            "kind": task.kind,
            "opened": _day(task.opened_on),
            "due": _day(task.due),
            "closed": _day(task.closed_on),
            "decision": task.decision,
        }
        for task in rows
    ]


async def _endings(session: AsyncSession, cohort: str) -> Lines:
    rows = await session.scalars(
        select(OutcomeRow).where(OutcomeRow.cohort == cohort).order_by(OutcomeRow.mentorship)
    )
    return [
        {
            "mentorship": outcome.mentorship,
            "ending": outcome.ending,
            "reason": outcome.reason,
            "on": _day(outcome.on),
        }
        for outcome in rows
    ]


def _day(on: date | None) -> str | None:
    return on.isoformat() if on else None
