"""What a coordinator's command needs to know before it is given, and what stays of it on the record.

A command is written down with who gave it and why before any workflow hears of it: reasons in a person's own words
stay in SQL.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from store.database import upserting
from store.tables import CohortPersonRow, CohortRow, ItemRow, OperationRow, ParticipantRow, TaskRow

CHANGES = (
    "pause", "resume", "extend", "adopt", "end", "replace", "add", "remove", "leave", "nudge", "release",
)  # fmt: skip
"""Kinds of commands that change one mentorship, as the lifecycle names them."""
GIVEN = select(OperationRow.by, OperationRow.why).where(
    OperationRow.id == bindparam("its_id"), OperationRow.kind.in_(CHANGES)
)
"""Who gave a change, and why."""
PAGE = 500
"""Ids that one statement names."""


@dataclass(frozen=True, slots=True)
class Decider:
    """Somebody who may decide: a coordinator or a deputy of the cohort."""

    id: str
    name: str
    email: str
    role: str


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """A task as a command finds it."""

    key: str
    cohort: str
    mentorship: str
    kind: str
    decisions: tuple[str, ...]
    closed_on: date | None
    decision: str
    by: str
    zone: str
    """The cohort's zone."""
    language: str
    deciders: tuple[Decider, ...]


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A person of the store, as far as a command must know them."""

    id: str
    name: str
    email: str
    zone: str
    language: str
    standing: str


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """A mail of a mentorship that waits in somebody's postbox."""

    person: str
    kind: str
    name: str
    number: int
    request: str
    task: str
    after_end: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """A command as it is written down. `result`: empty while nobody knows, `done`, or why it was refused."""

    id: str
    kind: str
    cohort: str
    mentorship: str
    by: str
    result: str = ""


async def task(session: AsyncSession, key: str) -> TaskFacts | None:
    """The task of this key, open or closed."""
    row = await session.get(TaskRow, key)
    if row is None:
        return None
    cohort = await session.get_one(CohortRow, row.cohort)
    return TaskFacts(
        key=row.key,
        cohort=row.cohort,
        mentorship=row.mentorship,
        kind=row.kind,
        decisions=tuple(row.decisions),
        closed_on=row.closed_on,
        decision=row.decision,
        by=row.by,
        zone=cohort.zone,
        language=cohort.language,
        deciders=await deciders(session, row.cohort),
    )


async def deciders(session: AsyncSession, cohort: str) -> tuple[Decider, ...]:
    """Who may decide in a cohort: its coordinators, then its deputies."""
    found = await session.execute(
        select(ParticipantRow.id, ParticipantRow.name, ParticipantRow.email, CohortPersonRow.role)
        .join(CohortPersonRow, CohortPersonRow.person == ParticipantRow.id)
        .where(CohortPersonRow.cohort == cohort)
        .order_by(CohortPersonRow.role, ParticipantRow.id)
    )
    return tuple(Decider(*one) for one in found)


async def all_deciders(session: AsyncSession) -> tuple[Decider, ...]:
    """Everybody who coordinates a cohort or is a deputy of one, each of them once."""
    found = await session.execute(
        select(ParticipantRow.id, ParticipantRow.name, ParticipantRow.email, func.min(CohortPersonRow.role))
        .join(CohortPersonRow, CohortPersonRow.person == ParticipantRow.id)
        .group_by(ParticipantRow.id, ParticipantRow.name, ParticipantRow.email)
        .order_by(ParticipantRow.id)
    )
    return tuple(Decider(*one) for one in found)


async def person(session: AsyncSession, id_: str = "", *, email: str = "") -> KnownPerson | None:
    """The person of this id, or of this address (case doesn't count)."""
    which = func.lower(ParticipantRow.email) == email.strip().lower() if email else ParticipantRow.id == id_
    row = await session.scalar(select(ParticipantRow).where(which).order_by(ParticipantRow.id).limit(1))
    if row is None:
        return None
    return KnownPerson(row.id, row.name, row.email, row.zone, row.language, row.standing)


async def put_person(session: AsyncSession, someone: KnownPerson) -> None:
    """Put somebody down who is not known yet. Their seat comes with the first turn that offers it to them."""
    session.add(
        ParticipantRow(
            id=someone.id,
            name=someone.name,
            email=someone.email,
            zone=someone.zone,
            language=someone.language,
        )
    )
    await session.flush()


async def put_operation(
    session: AsyncSession,
    id_: str,
    kind: str,
    cohort: str,
    mentorship: str,
    detail: dict[str, Any],
    by: str,
    why: str,
    at: datetime,
) -> None:
    """Write a command down before it is given; given again, the reason may have become clearer."""
    operation = upserting(session, OperationRow).values(
        id=id_, kind=kind, cohort=cohort, mentorship=mentorship, detail=detail, by=by, why=why, at=at, result=""
    )
    again = {"by": by} | ({"why": why} if why else {})
    await session.execute(operation.on_conflict_do_update(index_elements=("id",), set_=again))


async def is_known(session: AsyncSession, id_: str) -> bool:
    """Whether a command of this id was given before."""
    return await session.scalar(select(OperationRow.id).where(OperationRow.id == id_)) is not None


async def mark_known(session: AsyncSession, id_: str, kind: str, by: str, at: datetime) -> None:
    """Keep the id of a command that was carried out, so that the same one changes nothing; one that was written down
    stays as it is."""
    operation = upserting(session, OperationRow).values(id=id_, kind=kind, cohort="", by=by, at=at, detail={})
    await session.execute(operation.on_conflict_do_nothing(index_elements=("id",)))


async def finish_operation(session: AsyncSession, id_: str, result: str) -> None:
    """What came of a command: `done`, or why it was refused."""
    await session.execute(update(OperationRow).where(OperationRow.id == id_).values(result=result))


async def put_operations(session: AsyncSession, operations: Sequence[Operation], why: str, at: datetime) -> None:
    """Write many commands down before they are given; `why` holds for all."""
    if not operations:
        return
    rows = [
        {
            "id": one.id, "kind": one.kind, "cohort": one.cohort, "mentorship": one.mentorship, "by": one.by,
            "detail": {}, "why": why, "at": at, "result": "",
        }
        for one in operations
    ]  # fmt: skip
    written = upserting(session, OperationRow)
    again = {"by": written.excluded.by} | ({"why": why} if why else {})
    await session.execute(written.on_conflict_do_update(index_elements=("id",), set_=again), rows)


async def finish_operations(session: AsyncSession, results: Mapping[str, str]) -> None:
    """What came of many commands, by their ids."""
    by_result: dict[str, list[str]] = {}
    for id_, result in results.items():
        by_result.setdefault(result, []).append(id_)
    for result, ids in by_result.items():
        for first in range(0, len(ids), PAGE):
            some = OperationRow.id.in_(ids[first : first + PAGE])
            await session.execute(update(OperationRow).where(some).values(result=result))


async def operations(session: AsyncSession, kind: str, cohorts: Collection[str]) -> dict[str, Operation]:
    """Commands of this kind that were given in these cohorts, by their ids."""
    rows = await session.execute(
        select(
            OperationRow.id, OperationRow.kind, OperationRow.cohort, OperationRow.mentorship, OperationRow.by,
            OperationRow.result,
        ).where(OperationRow.kind == kind, OperationRow.cohort.in_(cohorts))
    )  # fmt: skip
    return {row.id: Operation(*row) for row in rows}


async def change_behind(session: AsyncSession, id_: str) -> Row[str, str] | None:
    """Who gave the coordinator's change with this id (`by`), and `why`; None where it was something else."""
    return (await session.execute(GIVEN, {"its_id": id_})).one_or_none()


async def waiting_items(session: AsyncSession, cohort: str, mentorship: str) -> list[WaitingItem]:
    """The mails of a mentorship that wait, also those that a pause or a hold keeps back."""
    rows = await session.execute(
        select(
            ItemRow.person, ItemRow.kind, ItemRow.name, ItemRow.number, ItemRow.request, ItemRow.task,
            ItemRow.after_end,
        )
        .where(
            ItemRow.cohort == cohort, ItemRow.mentorship == mentorship, ItemRow.state.in_(("queued", "held")),
        )
        .order_by(ItemRow.key)
    )  # fmt: skip
    return [WaitingItem(*row) for row in rows]


async def say_why(session: AsyncSession, task_key: str, why: str) -> None:
    """Why a task was decided as it was."""
    await session.execute(update(TaskRow).where(TaskRow.key == task_key).values(why=why))
