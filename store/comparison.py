"""What putting a cohort down would come to. Must never leave anything written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from program.models import Cohort
from store.cohorts import PAGE, Put, put_cohort, put_mentorships
from store.database import Database
from store.programs import FrozenProgram
from store.tables import CohortRow, MentorshipRow


@dataclass(frozen=True, slots=True)
class Comparison:
    """A cohort's file beside what the store has of it."""

    put: Put
    """What putting it down would come to."""
    waiting: int
    """Known mentorships that no workflow has been started for: a launch broke off."""
    known: bool
    """Whether the cohort was launched before."""
    launched_on: date | None = None


class _Undo(Exception):
    """Ends a transaction without a trace."""


async def compare(
    database: Database, cohort: Cohort, programs: Mapping[str, FrozenProgram], launched_on: date, now: datetime
) -> Comparison:
    """What `store.cohorts.put` would come to, by doing it and taking it back. Raises `KnownOtherwise`."""
    found: list[Comparison] = []
    try:
        async with database.begin() as session:
            row = await session.get(CohortRow, cohort.cohort)
            of_cohort = MentorshipRow.cohort == cohort.cohort
            waiting = await session.scalar(
                select(func.count()).select_from(MentorshipRow).where(of_cohort, MentorshipRow.state == "planned")
            )
            alive = set(
                await session.scalars(select(MentorshipRow.key).where(of_cohort, MentorshipRow.state != "over"))
            )
            before = row.launched_on if row else None
            changes = await put_cohort(session, cohort, programs, launched_on, now)
            new: list[str] = []
            for first in range(0, len(cohort.mentorships), PAGE):
                some = cohort.mentorships[first : first + PAGE]
                put_down, otherwise = await put_mentorships(session, cohort, programs, some, launched_on)
                new += put_down
                changes += otherwise
            vanished = sorted(alive - {mentorship.key for mentorship in cohort.mentorships})
            put = Put(tuple(new), len(cohort.mentorships) - len(new), tuple(vanished), tuple(changes))
            found.append(Comparison(put, waiting or 0, row is not None, before))
            raise _Undo
    except _Undo:
        return found[0]


async def is_known(database: Database, cohort: str) -> bool:
    """Whether a cohort of this id was launched before."""
    async with database.session() as session:
        return await session.get(CohortRow, cohort) is not None
