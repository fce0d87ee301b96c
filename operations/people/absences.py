"""When people are away, by their own word, for coordinators to read. Must never be passed to Temporal or logged."""

from __future__ import annotations

from store.database import Database
from store.people.absences import StatedAbsence, listed


async def absences_of(
    database: Database, cohort: str, *, mentorship: str = "", person: str = ""
) -> list[StatedAbsence]:
    """What people of a cohort stated, in one mentorship or one person alone: by the first day of each absence."""
    async with database.session() as session:
        return await listed(session, cohort=cohort, mentorship=mentorship, person=person)
