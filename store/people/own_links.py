"""Mails that bring somebody the link to their own page: which were asked for, and another one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.commands import Post
from lifecycle.keys import item_key
from lifecycle.local_time import local_date
from store import postbox
from store.postbox import Address, Moment, Standstill
from store.tables import CohortRow, ItemRow, MembershipRow, MentorshipRow

OWN_PAGE = "own_page"
"""Name of the mail."""
WAITING = ("queued", "sending", "deferred")


async def cohort_of(session: AsyncSession, person: str) -> str:
    """The cohort of the person's mentorship that runs, else of the one that began last; empty where there is none."""
    found = await session.scalar(
        select(MembershipRow.cohort)
        .join(
            MentorshipRow,
            (MentorshipRow.cohort == MembershipRow.cohort) & (MentorshipRow.key == MembershipRow.mentorship),
        )
        .where(MembershipRow.person == person)
        .order_by(MembershipRow.standing == "out", MentorshipRow.state == "over", MentorshipRow.start.desc())
        .limit(1)
    )
    return found or ""


async def asked(session: AsyncSession, person: str) -> tuple[bool, int]:
    """Whether one is on its way, and how many were asked for."""
    states = (
        await session.scalars(select(ItemRow.state).where(ItemRow.person == person, ItemRow.name == OWN_PAGE))
    ).all()
    return any(state in WAITING for state in states), len(states)


async def put(
    session: AsyncSession, person: str, cohort: str, number: int, now: datetime, *, shards: int
) -> list[Moment]:
    """Put the mail into their postbox. `now` is program time (UTC). Needs a writing transaction."""
    row = await session.get_one(CohortRow, cohort)
    rule = postbox.letterbox_rule(row.letterbox, row.holidays)
    post = Post(
        key=item_key(cohort, OWN_PAGE, person, number, person, "receipt"),
        person=person,
        kind="receipt",
        name=OWN_PAGE,
        number=number,
        date=local_date(now, row.zone),
        after_end=True,
    )
    return await postbox.post(session, Address(cohort, "", now, rule, shards), [post], Standstill())
