"""The log of coordinators' commands: who gave each, why, and its result.

A command is stored before it is sent to a workflow, so that reasons in a person's own words stay in SQL.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from store.database import upserting
from store.prepared import Prepared
from store.tables import OperationRow

CHANGES = (
    "pause", "resume", "extend", "adopt", "end", "replace", "add", "remove", "leave", "nudge", "release",
)  # fmt: skip
"""Kinds of commands that change one mentorship, as the lifecycle names them."""
AUTHOR_AND_REASON = Prepared(
    select(OperationRow.by, OperationRow.why).where(
        OperationRow.id == bindparam("operation_id"), OperationRow.kind.in_(CHANGES)
    )
)
"""The author and the reason of a change."""
PAGE = 500
"""Ids in one statement."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A stored command. `result`: empty while unknown, `done`, or the reason of a refusal."""

    id: str
    kind: str
    cohort: str
    mentorship: str
    by: str
    result: str = ""


def cancelled_by(cohort: str) -> str:
    """Id of the command that cancels a cohort: there is one at most."""
    return f"cancel/{cohort}"


async def reason_of(session: AsyncSession, id_: str) -> str:
    """Why a command was given, in the words of who gave it; empty where no reason is known."""
    return await session.scalar(select(OperationRow.why).where(OperationRow.id == id_)) or ""


async def given_at(session: AsyncSession, id_: str) -> datetime | None:
    """When a command was given (program time, UTC); None where it was not."""
    return await session.scalar(select(OperationRow.at).where(OperationRow.id == id_))


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
    """Store a command before it is sent; sent again, a new reason replaces the old one."""
    operation = upserting(session, OperationRow).values(
        id=id_, kind=kind, cohort=cohort, mentorship=mentorship, detail=detail, by=by, why=why, at=at, result=""
    )
    again = {"by": by} | ({"why": why} if why else {})
    await session.execute(operation.on_conflict_do_update(index_elements=("id",), set_=again))


async def is_known(session: AsyncSession, id_: str) -> bool:
    """Whether a command with this id was given before."""
    return await session.scalar(select(OperationRow.id).where(OperationRow.id == id_)) is not None


async def mark_known(session: AsyncSession, id_: str, kind: str, by: str, at: datetime) -> None:
    """Store the id of a command that was carried out, so that repeating it changes nothing; a stored command stays as
    it is."""
    operation = upserting(session, OperationRow).values(id=id_, kind=kind, cohort="", by=by, at=at, detail={})
    await session.execute(operation.on_conflict_do_nothing(index_elements=("id",)))


async def finish_operation(session: AsyncSession, id_: str, result: str) -> None:
    """Store the result of a command: `done`, or the reason of the refusal."""
    await session.execute(update(OperationRow).where(OperationRow.id == id_).values(result=result))


async def put_operations(session: AsyncSession, operations: Sequence[Operation], why: str, at: datetime) -> None:
    """Store many commands before they are sent, all with the same reason."""
    if not operations:
        return
    rows = [
        {
            "id": operation.id, "kind": operation.kind, "cohort": operation.cohort,
            "mentorship": operation.mentorship, "by": operation.by,
            "detail": {}, "why": why, "at": at, "result": "",
        }
        for operation in operations
    ]  # fmt: skip
    written = upserting(session, OperationRow)
    again = {"by": written.excluded.by} | ({"why": why} if why else {})
    await session.execute(written.on_conflict_do_update(index_elements=("id",), set_=again), rows)


async def finish_operations(session: AsyncSession, results: Mapping[str, str]) -> None:
    """Store the results of many commands: id to result."""
    by_result: dict[str, list[str]] = {}
    for id_, result in results.items():
        by_result.setdefault(result, []).append(id_)
    for result, ids in by_result.items():
        for first in range(0, len(ids), PAGE):
            in_page = OperationRow.id.in_(ids[first : first + PAGE])
            await session.execute(update(OperationRow).where(in_page).values(result=result))


async def operations(session: AsyncSession, kind: str, cohorts: Collection[str]) -> dict[str, Operation]:
    """The commands of this kind in these cohorts, by id."""
    rows = await session.execute(
        select(
            OperationRow.id, OperationRow.kind, OperationRow.cohort, OperationRow.mentorship, OperationRow.by,
            OperationRow.result,
        ).where(OperationRow.kind == kind, OperationRow.cohort.in_(cohorts))
    )  # fmt: skip
    return {row.id: Operation(*row) for row in rows}


async def change_behind(session: AsyncSession, id_: str) -> Row[str, str] | None:
    """The author (`by`) and the reason (`why`) of the coordinator's change with this id; None if it is no change."""
    return await AUTHOR_AND_REASON.one_or_none(session, {"operation_id": id_})
