"""The progress of a cohort, in numbers that its workflow may hold."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from store.tables import CohortRow, MentorshipRow


async def by_state(session: AsyncSession, cohort: str) -> dict[str, int]:
    """Mentorships of a cohort by state: planned, running, over."""
    rows = await session.execute(
        select(MentorshipRow.state, func.count()).where(MentorshipRow.cohort == cohort).group_by(MentorshipRow.state)
    )
    return {state: count for state, count in rows}  # noqa: C416


async def launched_at(session: AsyncSession, cohort: str) -> datetime | None:
    """When this database first launched a cohort (program time, UTC); None for an unknown one."""
    row = await session.get(CohortRow, cohort)
    return row.launched_at if row else None


async def mark_over(session: AsyncSession, cohort: str) -> None:
    """Mark a running cohort as over: its last mentorship is over. Needs a writing transaction."""
    await session.execute(
        update(CohortRow).where(CohortRow.id == cohort, CohortRow.state == "running").values(state="over")
    )
