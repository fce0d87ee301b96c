"""Who would take part again as a mentor: the list that the next call for applications begins with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from lifecycle.local_time import DAY, begins, local_date
from operations.mentorships.status import known_cohort
from reports.answer_figures import would_go_on
from reports.rows import Index
from store.database import Database
from store.people.people import reachable
from store.reports.season_rows import season_rows


@dataclass(frozen=True, slots=True)
class Volunteer:
    """Somebody who said at the closure that they would mentor in the next round."""

    id: str
    name: str
    email: str
    was: Literal["mentee", "mentor"]
    """Who they were: a mentee (or peer) who would mentor now, or a mentor who would again."""


async def volunteers(database: Database, cohort: str, now: datetime) -> list[Volunteer]:
    """Everybody who said yes and can still be written to, each once: first mentees who would mentor, by name.

    `now` is program time (UTC). Who left, was erased, or can't be reached is not listed. Raises NotFound.
    """
    async with database.session() as session:
        row = await known_cohort(session, cohort)
        today = local_date(now, row.zone)
        season = await season_rows(session, cohort, today, begins(today + DAY, row.zone))
        assert season is not None
        said = would_go_on(Index(season))
        people = await reachable(session, said["mentees"] | said["mentors"])
    found = [
        Volunteer(person, name, email, "mentee" if person in said["mentees"] else "mentor")
        for person, (name, email) in people.items()
    ]
    return sorted(found, key=lambda one: (one.was != "mentee", one.name, one.id))
