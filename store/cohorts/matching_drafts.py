"""Versions of the pairs that coordinators review before publishing. Ids only; a version is never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from store.tables import MatchingDraftRow

PairOfIds = tuple[str, str]
"""(mentor, mentee); in a program of peers the two peers."""


@dataclass(frozen=True, slots=True)
class MatchingDraft:
    """One version. `at` is UTC."""

    version: int
    pins: tuple[PairOfIds, ...]
    bans: tuple[PairOfIds, ...]
    pairs: tuple[PairOfIds, ...]
    act: str
    """What made it: match, lock, unlock, ban, unban"""
    by: str
    at: datetime


async def versions(session: AsyncSession, cohort: str, at_most: int = 20) -> list[MatchingDraft]:
    """The versions of a cohort, the latest first."""
    rows = await session.scalars(
        select(MatchingDraftRow)
        .where(MatchingDraftRow.cohort == cohort)
        .order_by(MatchingDraftRow.version.desc())
        .limit(at_most)
    )
    return [
        MatchingDraft(row.version, _pairs(row.pins), _pairs(row.bans), _pairs(row.pairs), row.act, row.by, row.at)
        for row in rows
    ]


async def find(session: AsyncSession, cohort: str, version: int) -> MatchingDraft | None:
    """One version; None where there is none."""
    row = await session.get(MatchingDraftRow, (cohort, version))
    if row is None:
        return None
    return MatchingDraft(row.version, _pairs(row.pins), _pairs(row.bans), _pairs(row.pairs), row.act, row.by, row.at)


async def add(session: AsyncSession, cohort: str, draft: MatchingDraft) -> None:
    """Store a version. Raises IntegrityError where somebody else stored the same number meanwhile."""
    session.add(
        MatchingDraftRow(
            cohort=cohort,
            version=draft.version,
            pins=[list(pair) for pair in draft.pins],
            bans=[list(pair) for pair in draft.bans],
            pairs=[list(pair) for pair in draft.pairs],
            act=draft.act,
            by=draft.by,
            at=draft.at,
        )
    )
    await session.flush()


def _pairs(stored: list[list[str]]) -> tuple[PairOfIds, ...]:
    return tuple((one, other) for one, other in stored)
