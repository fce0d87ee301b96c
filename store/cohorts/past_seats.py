"""Who had a seat with whom, in any cohort: for matching, and for the choice of a newcomer. Reads ids only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from store.tables import MembershipRow

PAGE = 500
"""Ids in one statement."""


async def refused_before(session: AsyncSession, newcomer: str, people: Collection[str]) -> list[str]:
    """Those of these people with whom `newcomer` was proposed a mentorship that one of the two refused."""
    mine, theirs = aliased(MembershipRow), aliased(MembershipRow)
    rows = await session.scalars(
        select(theirs.person)
        .join(mine, and_(theirs.cohort == mine.cohort, theirs.mentorship == mine.mentorship))
        .where(
            mine.person == newcomer,
            theirs.person.in_(list(people)),
            or_(mine.standing == "declined", theirs.standing == "declined"),
        )
        .order_by(theirs.person)
    )
    return list(dict.fromkeys(rows))


async def seated(session: AsyncSession, cohort: str) -> frozenset[str]:
    """Those who have, or had, a seat in a cohort."""
    return frozenset(
        await session.scalars(select(MembershipRow.person).where(MembershipRow.cohort == cohort).distinct())
    )


async def together_before(session: AsyncSession, people: Collection[str]) -> dict[str, frozenset[str]]:
    """For each of these people, those with whom they had a mentorship in any cohort, or were proposed one."""
    mine, theirs = aliased(MembershipRow), aliased(MembershipRow)
    found: dict[str, set[str]] = defaultdict(set)
    listed = sorted(people)
    for first in range(0, len(listed), PAGE):
        rows = await session.execute(
            select(mine.person, theirs.person)
            .join(theirs, and_(theirs.cohort == mine.cohort, theirs.mentorship == mine.mentorship))
            .where(mine.person.in_(listed[first : first + PAGE]), theirs.person != mine.person)
        )
        for one, other in rows:
            found[one].add(other)
    return {person: frozenset(others) for person, others in found.items()}
