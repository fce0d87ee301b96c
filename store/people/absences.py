"""When people are away, by their own word: kept here only, never in Temporal.

What an answer states takes the place of what the same person stated before on the same form; the absences of several
forms and mentorships add up. Decides nothing: what an absence does to a reminder is `lifecycle.delivery.absences`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.delivery.absences import Absence
from store.columns import bare
from store.lookups import Lookup, look_up
from store.prepared import Prepared
from store.tables import AbsenceRow, ParticipantRow

AGREEMENT = "agreement"


@dataclass(frozen=True, slots=True)
class AbsenceForm:
    """The form on which a person states absences: of one mentorship, on one occasion. All versions and openings of an
    agreement are one."""

    person: str
    cohort: str
    mentorship: str
    ask: str
    number: int

    @property
    def occasion(self) -> int:
        """The number under which its absences are kept."""
        return 0 if self.ask == AGREEMENT else self.number


@dataclass(frozen=True, slots=True)
class StatedAbsence:
    """An absence as it was stated. Days are in the person's own zone; `at` is an instant (UTC)."""

    person: str
    name: str
    cohort: str
    mentorship: str
    ask: str
    first: date
    last: date
    at: datetime


async def state(session: AsyncSession, form: AbsenceForm, absences: Sequence[Absence], at: datetime) -> bool:
    """Keep what a person states on a form, in the place of what they stated there before; whether that is new."""
    where = {
        "its_person": form.person, "its_cohort": form.cohort, "its_mentorship": form.mentorship,
        "its_ask": form.ask, "its_number": form.occasion,
    }  # fmt: skip
    before = sorted((first, last) for first, last in await ON_FORM.all(session, where))
    if before == sorted(absences):
        return False
    await FORGET_FORM.write(session, where)
    if absences:
        row = {
            "person": form.person, "cohort": form.cohort, "mentorship": form.mentorship, "ask": form.ask,
            "number": form.occasion, "at": at,
        }  # fmt: skip
        await KEEP.write(session, *(row | {"first_day": first, "last_day": last} for first, last in absences))
    return True


async def of_people(session: AsyncSession, people: Collection[str]) -> dict[str, tuple[Absence, ...]]:
    """Person to everything that they have stated; nobody who has stated nothing."""
    found: dict[str, tuple[Absence, ...]] = {}
    if not people:
        return found
    for person, first, last in await OF_PEOPLE.all(session, {"people": sorted(people)}):
        found[person] = (*found.get(person, ()), (first, last))
    return found


async def listed(
    session: AsyncSession, *, cohort: str = "", mentorship: str = "", person: str = ""
) -> list[StatedAbsence]:
    """Absences as people stated them in a cohort, in one mentorship, or as one person: by their first day."""
    return await look_up(session, stated(cohort=cohort, mentorship=mentorship, person=person))


def stated(*, cohort: str = "", mentorship: str = "", person: str = "") -> Lookup[list[StatedAbsence]]:
    """The same, to be looked up beside others."""
    query = select(
        AbsenceRow.person, ParticipantRow.name, AbsenceRow.cohort, AbsenceRow.mentorship, AbsenceRow.ask,
        AbsenceRow.first_day, AbsenceRow.last_day, AbsenceRow.at,
    ).join(ParticipantRow, ParticipantRow.id == AbsenceRow.person)  # fmt: skip
    for column, wanted in (
        (AbsenceRow.cohort, cohort), (AbsenceRow.mentorship, mentorship), (AbsenceRow.person, person),
    ):  # fmt: skip
        if wanted:
            query = query.where(column == wanted)
    query = query.order_by(AbsenceRow.first_day, AbsenceRow.person, AbsenceRow.id)
    return Lookup(query, lambda rows: [StatedAbsence(*row) for row in rows])


async def forget(session: AsyncSession, person: str) -> int:
    """Delete everything that a person has stated; how many absences."""
    gone = await session.scalars(delete(AbsenceRow).where(AbsenceRow.person == person).returning(AbsenceRow.id))
    return len(gone.all())


# -- the statements: prepared once, for building them costs more than running them ---------------------------------

ABSENCES = bare(AbsenceRow)
_FORM = (
    ABSENCES.c.person == bindparam("its_person"),
    ABSENCES.c.cohort == bindparam("its_cohort"),
    ABSENCES.c.mentorship == bindparam("its_mentorship"),
    ABSENCES.c.ask == bindparam("its_ask"),
    ABSENCES.c.number == bindparam("its_number"),
)
ON_FORM = Prepared(select(ABSENCES.c.first_day, ABSENCES.c.last_day).where(*_FORM))
FORGET_FORM, KEEP = Prepared(delete(ABSENCES).where(*_FORM)), Prepared(insert(ABSENCES))
OF_PEOPLE = Prepared(
    select(ABSENCES.c.person, ABSENCES.c.first_day, ABSENCES.c.last_day)
    .where(ABSENCES.c.person.in_(bindparam("people", expanding=True)))
    .order_by(ABSENCES.c.person, ABSENCES.c.first_day, ABSENCES.c.last_day)
)
