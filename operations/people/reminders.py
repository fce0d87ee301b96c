"""Stops the reminders of one person, as the one-click link of every mail promises (RFC 8058).

Requests still come and forms can still be answered: this is never a silent removal from a match. The coordinators
of the person's cohorts are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from activities.wake_postmasters import Wake, wake_in_time
from lifecycle.commands import Post
from lifecycle.keys import item_key
from lifecycle.local_time import begun_everywhere
from store import postbox
from store.database import Database
from store.forms import requests
from store.people import people
from store.postbox import Address, Moment, Standstill
from store.shards import soonest


@dataclass(frozen=True, slots=True)
class Stopped:
    """The reminders are stopped. `fresh`: they were not before."""

    fresh: bool


async def stop_reminders(
    database: Database, person: str, generation: int, now: datetime, *, shards: int = 1, wake: Wake | None = None
) -> Stopped | None:
    """Stop a person's reminders, write it on the record and tell the coordinators; doing it twice changes nothing.

    None for a person who is unknown or erased, or a link that was revoked. `now` is program time, UTC.
    """
    moments: list[Moment] = []
    async with database.begin() as session:
        stopped = await people.stop_reminders(session, person, generation)
        if stopped is None:
            return None
        if not stopped:
            return Stopped(fresh=False)
        for cohort in await people.cohorts_of(session, person):
            await requests.note(session, cohort.id, "", now, "reminders_stopped", person)
            rule = postbox.letterbox_rule(cohort.letterbox, cohort.holidays)
            address = Address(cohort.id, "", now, rule, shards)
            posts = [
                Post(
                    key=item_key(cohort.id, "reminders", f"of.{person}", 1, coordinator, "notice"),
                    person=coordinator,
                    kind="notice",
                    name="reminders_stopped",
                    number=1,
                    date=begun_everywhere(now),
                    about=person,
                    after_end=True,
                )
                for coordinator in cohort.coordinators
            ]
            moments += await postbox.post(session, address, posts, Standstill())
    await wake_in_time(database, soonest(moments), now, wake)
    return Stopped(fresh=True)
