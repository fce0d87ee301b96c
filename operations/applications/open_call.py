"""The open call of a cohort's file, put into the database: its dates and form, and those whom it invites.

Launching the same file again changes nothing. The cohort's workflow mails those who are invited.
"""

from __future__ import annotations

from datetime import datetime

from operations.applications.apply import new_id
from program.loader import Loaded
from store.cohorts import calls
from store.cohorts.calls import Values
from store.database import Database
from store.people import applications, people
from store.people.applications import NewApplication


async def differs(database: Database, loaded: Loaded) -> bool:
    """Whether the file's call is another than the one that is stored; False for a cohort without a call."""
    values = _values(loaded)
    if values is None:
        return False
    async with database.session() as session:
        if await calls.differs(session, loaded.cohort.cohort, values):
            return True
        known = {each.email.casefold() for each in await applications.of_cohort(session, loaded.cohort.cohort)}
    assert loaded.cohort.apply is not None
    return any(invited.email.casefold() not in known for invited in loaded.cohort.apply.invited)


async def put(database: Database, loaded: Loaded, now: datetime) -> None:
    """Store the call of a cohort that is stored already, and an application for each who is invited."""
    values, cohort = _values(loaded), loaded.cohort
    if values is None or cohort.apply is None:
        return
    async with database.begin() as session:
        await calls.put(session, cohort.cohort, values)
        for invited in cohort.apply.invited:
            if await applications.of_address(session, cohort.cohort, invited.email) is not None:
                continue
            known = await people.find(session, email=invited.email)
            person = known.id if known else "a" + new_id()
            if known is None:
                await applications.add_person(
                    session, person, invited.name, invited.email, cohort.zone, cohort.language
                )
            await applications.add(
                session,
                NewApplication(
                    new_id(), cohort.cohort, person, "", invited.name, {}, 1, now, state="invited", invited=True
                ),
            )


def _values(loaded: Loaded) -> Values | None:
    cohort = loaded.cohort
    if cohort.apply is None or loaded.application is None:
        return None
    program = loaded.used[cohort.program].program
    return calls.values_of(cohort.apply, cohort.wishes, loaded.application, program)
