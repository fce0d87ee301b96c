"""What a cohort's file said when it was last launched, entry by entry.

A later launch compares three: what the file said, what it says now, and what runs. So what people and coordinators
have changed meanwhile is never taken for a change of the file, and an edit of the file is never taken for what
happened meanwhile. Of what could name a person only marks are kept: enough to see that it is another, and no more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from program.models import Cohort, Mentorship, Participant, Person
from store.database import putting
from store.programs import FrozenProgram
from store.tables import EntryRow

COHORT, PERSON, MENTORSHIP = "cohort", "person", "mentorship"
"""Kinds of entries."""

Said = dict[str, Any]
Entries = dict[tuple[str, str], Said]
"""(kind, id) to what the file said."""

PAGE = 500
"""Rows in one statement."""


def mark(person: str, field: str, value: object) -> str:
    """A short mark by which two values of a person's field are told apart; it says nothing about either."""
    written = json.dumps([person, field, value], sort_keys=True, ensure_ascii=False)
    return sha256(written.encode()).hexdigest()[:8]


def fields_of(person: Person, zone: str) -> dict[str, Any]:
    """What a file says of a person, as the store has it; `zone` is the cohort's."""
    return {
        "name": person.name,
        "email": person.email.strip(),
        "zone": person.zone or zone,
        "language": person.language,
        "profile": dict(person.profile) if isinstance(person, Participant) else {},
    }


def of_person(person: Person, zone: str) -> Said:
    """The same as an entry keeps it."""
    return person_said(person.id, **fields_of(person, zone))


def person_said(id_: str, name: str, email: str, zone: str, language: str, profile: Mapping[str, Any]) -> Said:
    """A person's fields as an entry keeps them."""
    return {
        "name": mark(id_, "name", name),
        "email": mark(id_, "email", email.casefold()),
        "zone": zone,
        "language": language,
        "profile": mark(id_, "profile", dict(profile)),
    }


def of_mentorship(mentorship: Mentorship, cohort: Cohort, programs: Mapping[str, FrozenProgram]) -> Said:
    """What a file says of a mentorship. `length` is its program's, in days."""
    program = mentorship.program or cohort.program
    return {
        "program": program,
        "start": (mentorship.start or cohort.start).isoformat(),
        "length": programs[program].program.length,
        "members": sorted([role, person] for person, role in mentorship.members()),
    }


def of_cohort(cohort: Cohort, frozen: FrozenProgram) -> Said:
    """What a file says of the cohort itself and of who coordinates it."""
    return {
        "title": cohort.title,
        "organisation": cohort.organisation,
        "language": cohort.language,
        "zone": cohort.zone,
        "start": cohort.start.isoformat(),
        "program": cohort.program,
        "version": frozen.hash,
        "letterbox": frozen.program.letterbox.model_dump(mode="json"),
        "holidays": [day.isoformat() for day in sorted(cohort.holidays)],
        "coordinators": sorted(person.id for person in cohort.coordinators),
        "deputies": sorted(person.id for person in cohort.deputies),
    }


async def read(session: AsyncSession, cohort: str) -> Entries:
    """Everything that the cohort's file said."""
    rows = await session.execute(select(EntryRow.kind, EntryRow.id, EntryRow.said).where(EntryRow.cohort == cohort))
    return {(kind, id_): said for kind, id_, said in rows}


async def write(session: AsyncSession, cohort: str, entries: Entries) -> None:
    """Keep what the file says now. Needs a writing transaction."""
    rows = [{"cohort": cohort, "kind": kind, "id": id_, "said": said} for (kind, id_), said in entries.items()]
    keeping = putting(session, EntryRow, ("cohort", "kind", "id"), ("said",))
    for first in range(0, len(rows), PAGE):
        await session.execute(keeping, rows[first : first + PAGE])


async def drop(session: AsyncSession, cohort: str, kind: str, ids: Iterable[str]) -> None:
    """These stand in the file no longer. Needs a writing transaction."""
    for id_ in ids:
        await session.execute(
            delete(EntryRow).where(EntryRow.cohort == cohort, EntryRow.kind == kind, EntryRow.id == id_)
        )


async def forget(session: AsyncSession, person: str) -> None:
    """Keep nothing of what any file said about a person. Needs a writing transaction."""
    await session.execute(delete(EntryRow).where(EntryRow.kind == PERSON, EntryRow.id == person))
