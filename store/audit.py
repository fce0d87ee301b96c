"""The audit in SQL: rows are added and read, and never changed but for an erasure.

It holds ids and reasons; must never hold an answer, a name or an address.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from store.columns import bare
from store.tables import AuditRow

ABOUT_REPORTS = ("concern opened", "answers --concerns", "show --concerns", "release", "plan release")
"""Acts that say by their name that something was reported."""
MOST_IDS = 100
"""Ids that one row names; the plan and the log of operations have each."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row to add. What is left empty does not apply."""

    what: str
    by: str = ""
    proof: str = ""
    cohort: str = ""
    ids: Sequence[str] = ()
    plan: str = ""
    reason: str = ""
    result: str = ""
    count: int = 0
    """How many it is about, where `ids` names some of them only."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A row that was written. `at` is program time (UTC); `count` counts what `ids` names at most in part."""

    id: int
    at: datetime
    by: str
    proof: str
    what: str
    cohort: str
    ids: tuple[str, ...]
    count: int
    plan: str
    reason: str
    result: str


@dataclass(frozen=True, slots=True)
class AuditFilters:
    """Which rows to read; what is left empty filters nothing."""

    by: str = ""
    proof: str = ""
    what: str = ""
    cohort: str = ""
    id: str = ""
    """One of the ids, whole."""
    plan: str = ""
    since: datetime | None = None
    until: datetime | None = None
    """Before this instant (UTC)."""
    reader: str = ""
    """Id of a coordinator: others' rows about reports of safety or conduct, which may name them, are left out."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same in SQL."""
        conditions: list[ColumnElement[bool]] = []
        for name in ("by", "proof", "what", "cohort", "plan"):
            if value := getattr(self, name):
                conditions.append(getattr(AuditRow, name) == value)
        if self.id:
            conditions.append(cast(AuditRow.ids, String).contains(f'"{self.id}"', autoescape=True))
        if self.reader:
            about_report = AuditRow.what.in_(ABOUT_REPORTS) | cast(AuditRow.ids, String).contains("/task.safety#")
            conditions.append((AuditRow.by == self.reader) | ~about_report)
        if self.since:
            conditions.append(AuditRow.at >= self.since)
        if self.until:
            conditions.append(AuditRow.at < self.until)
        return conditions


async def add(session: AsyncSession, at: datetime, entry: AuditEntry) -> None:
    """Add a row, in an open writing transaction."""
    await session.execute(
        insert(bare(AuditRow)).values(
            at=at, by=entry.by, proof=entry.proof, what=entry.what, cohort=entry.cohort,
            ids=list(entry.ids[:MOST_IDS]), count=max(entry.count, len(entry.ids)), plan=entry.plan,
            reason=entry.reason, result=entry.result,
        )
    )  # fmt: skip


async def read(
    session: AsyncSession,
    filters: AuditFilters,
    *,
    cohorts: Collection[str] | None = None,
    first: int = 0,
    most: int = 50,
) -> tuple[list[AuditLine], int]:
    """Rows, the latest first, and how many there are; with `cohorts`, of those only."""
    where = filters.conditions()
    if cohorts is not None:
        where.append(AuditRow.cohort.in_(list(cohorts)))
    table = bare(AuditRow)
    rows = await session.execute(select(table).where(*where).order_by(AuditRow.id.desc()).offset(first).limit(most))
    total = await session.scalar(select(func.count()).select_from(table).where(*where)) or 0
    return [_line(row) for row in rows.mappings()], total


async def forget(
    session: AsyncSession, person: str, cohorts: Collection[str], without_name: Callable[[str], str]
) -> int:
    """Take a person who is erased out of the reasons: gone where the act was theirs or about them, without the name
    (`without_name` takes it out) in the others of these cohorts. The rows stay. Returns how many changed."""
    table = bare(AuditRow)
    about = cast(table.c.ids, String).contains(f'"{person}"', autoescape=True)
    concerned = (table.c.by == person) | about | table.c.cohort.in_(list(cohorts)) | (table.c.cohort == "")
    rows = await session.execute(
        select(table.c.id, table.c.by, table.c.ids, table.c.reason).where(table.c.reason != "", concerned)
    )
    changed = 0
    for id_, by, ids, reason in rows.all():
        left = "" if person == by or person in ids else without_name(reason)
        if left != reason:
            await session.execute(update(table).where(table.c.id == id_).values(reason=left))
            changed += 1
    return changed


def _line(row: Any) -> AuditLine:
    return AuditLine(**{**row, "ids": tuple(row["ids"])})
