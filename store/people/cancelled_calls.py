"""Tells those who applied that their cohort is cancelled, once, and drops what else would be mailed about it.

The reason stands in the log of commands (`store.operations_log`); a mail reads it there.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.commands import Post
from lifecycle.delivery.holds import Standstill
from lifecycle.keys import application_item_key
from lifecycle.local_time import begun_everywhere
from store.cohorts import past_seats
from store.people import applications
from store.people.applications import CALLED_OFF, COUNTS, NOBODY, OF_APPLICATIONS
from store.postbox import WAITING, Address, Moment, letterbox_rule, post
from store.shards import soonest
from store.tables import CohortRow, ItemRow

PAGE = 500
"""Mails in one statement."""


async def waiting_for_an_answer(session: AsyncSession, cohort: str) -> dict[str, str]:
    """Application to person of those who applied, have no seat, and did not hear that there is nobody for them."""
    applied = await applications.of_cohort(session, cohort, COUNTS)
    seated = await past_seats.seated(session, cohort)
    answered = await applications.told_at(session, cohort, NOBODY)
    return {
        each.id: each.person
        for each in applied
        if each.standing in ("active", "bounced") and each.person not in seated and each.id not in answered
    }


async def call_off(session: AsyncSession, cohort: str, now: datetime, *, shards: int) -> dict[int, datetime]:
    """Drop what waits for those who applied or were invited, and tell those who applied. Needs a writing transaction.

    Returns shard to the moment (UTC) at which its postmaster must look.
    """
    told = await waiting_for_an_answer(session, cohort)
    await session.execute(
        update(ItemRow)
        .where(
            ItemRow.cohort == cohort,
            ItemRow.name.in_(OF_APPLICATIONS),
            ItemRow.kind != "receipt",
            ItemRow.state.in_(WAITING),
        )
        .values(state="dropped", reason="over", done_at=now, deliver_at=None)
        .execution_options(synchronize_session=False)
    )
    row = await session.get_one(CohortRow, cohort)
    address = Address(cohort, "", now, letterbox_rule(row.letterbox, row.holidays), shards)
    mails = [_mail(cohort, *pair, now) for pair in told.items()]
    moments: list[Moment] = []
    for first in range(0, len(mails), PAGE):
        moments += await post(session, address, mails[first : first + PAGE], Standstill())
    return soonest(moments)


def _mail(cohort: str, application: str, person: str, now: datetime) -> Post:
    key = application_item_key(cohort, application, CALLED_OFF, 1)
    return Post(key, person, "urgent", CALLED_OFF, 1, begun_everywhere(now), about=application, after_end=True)
