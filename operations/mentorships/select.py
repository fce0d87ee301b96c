"""Which mentorships a command is about: named, selected as `status` selects them, or found by who has a seat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from operations.errors import Refused
from operations.mentorships.change import MentorshipRef
from operations.mentorships.decide import Newcomer, known_newcomer
from operations.mentorships.status import Filters, StatusLine, find, known_cohort, status
from operations.people.find import known_person
from store.database import Database
from store.people.people import KnownPerson

__all__ = ["Filters", "Newcomer", "named", "newcomer_of", "seat_of", "selected"]


async def named(database: Database, keys: Sequence[str]) -> list[MentorshipRef]:
    """These mentorships, each once; a key may lack its cohort where only one has it. Raises `NotFound`."""
    async with database.session() as session:
        return await find(session, keys)


async def selected(
    database: Database, cohort: str, now: datetime, filters: Filters, *, awaiting: bool = False
) -> list[MentorshipRef]:
    """What `status` shows with these filters, without those that are over or have not been started."""
    statuses = await status(database, cohort, now, filters, awaiting=awaiting)
    return [
        (line.cohort, line.key)
        for cohort_status in statuses
        for line in cohort_status.lines
        if line.state == "running"
    ]


async def seat_of(database: Database, who: str, which: str, now: datetime) -> tuple[MentorshipRef, str]:
    """The mentorship in which a person has a seat, and the person's id. `which` says which, where there are several.

    Raises `Refused` and `NotFound`.
    """
    async with database.session() as session:
        person = (await known_person(session, who)).id
        if which:
            [ref] = await find(session, [which])
            return ref, person
    lines = [
        line
        for cohort_status in await status(database, "", now, Filters(person=person))
        for line in cohort_status.lines
    ]
    seated = [line for line in lines if line.state != "over" and _standing(line, person) != "out"]
    # Who has left is found where that was, and told so there.
    places = [(line.cohort, line.key) for line in seated or lines]
    if not places:
        raise Refused(f"{person} has no seat in a mentorship that runs")
    if len(places) > 1:
        several = ", ".join(f"{cohort}/{key}" for cohort, key in places)
        raise Refused(f"{person} has a seat in several: {several}", use="mentorship")
    return places[0], person


async def newcomer_of(database: Database, cohort: str, newcomer: Newcomer) -> KnownPerson:
    """Who comes into a mentorship of this cohort, known already or new. Raises `Refused`."""
    async with database.session() as session:
        row = await known_cohort(session, cohort)
    return await known_newcomer(database, newcomer, row.zone, row.language)


def _standing(line: StatusLine, person: str) -> str:
    return next((person_in_line.standing for person_in_line in line.people if person_in_line.id == person), "out")
