"""What reports for passing on have shown, and what coordinators say they change. Numbers only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from store.database import upserting
from store.tables import ReportChangeRow, ReportReleaseRow


@dataclass(frozen=True, slots=True)
class Release:
    """A report that was passed on: as of which day, and what it showed."""

    on: date
    shown: Mapping[str, int | str]


async def of_cohort(session: AsyncSession, cohort: str) -> list[Release]:
    """All of a cohort, the oldest first."""
    rows = await session.scalars(
        select(ReportReleaseRow).where(ReportReleaseRow.cohort == cohort).order_by(ReportReleaseRow.id)
    )
    return [Release(row.on, row.shown) for row in rows]


async def keep(session: AsyncSession, cohort: str, on: date, shown: Mapping[str, int | str], now: datetime) -> None:
    """Keep what a report shows, before it leaves. `now` is program time (UTC)."""
    session.add(ReportReleaseRow(cohort=cohort, on=on, at=now, shown=dict(shown)))
    await session.flush()


async def change_text(session: AsyncSession, cohort: str) -> str:
    """What the coordinators change; empty where they wrote nothing."""
    row = await session.get(ReportChangeRow, cohort)
    return row.text if row else ""


async def put_change_text(session: AsyncSession, cohort: str, text: str, by: str, now: datetime) -> None:
    """Keep it in place of what was there."""
    values = {"text": text, "by": by, "at": now}
    row = upserting(session, ReportChangeRow).values(cohort=cohort, **values)
    await session.execute(row.on_conflict_do_update(index_elements=("cohort",), set_=values))
