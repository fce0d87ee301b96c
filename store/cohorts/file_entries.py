"""Stores the content of a cohort's file at its last launch, entry by entry.

A later launch compares these entries with the file and with what runs, so that it can tell an edit of the file from
changes that people and coordinators have made since. Values that could identify a person are stored as short hashes:
enough to see that they differ, and no more.
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

FileEntry = dict[str, Any]
Entries = dict[tuple[str, str], FileEntry]
"""(kind, id) to the fields of the entry."""

PAGE = 500
"""Rows in one statement."""


def mark(person: str, field: str, value: object) -> str:
    """A short hash that tells two values of a person's field apart and reveals neither."""
    written = json.dumps([person, field, value], sort_keys=True, ensure_ascii=False)
    return sha256(written.encode()).hexdigest()[:8]


def fields_of(person: Person, zone: str) -> dict[str, Any]:
    """A person's fields in a file, as the database stores them; `zone` is the cohort's."""
    return {
        "name": person.name,
        "email": person.email.strip(),
        "zone": person.zone or zone,
        "language": person.language,
        "profile": dict(person.profile) if isinstance(person, Participant) else {},
    }


def of_person(person: Person, zone: str) -> FileEntry:
    """A person of a file as an entry; `zone` is the cohort's."""
    return person_entry(person.id, **fields_of(person, zone))


def person_entry(id_: str, name: str, email: str, zone: str, language: str, profile: Mapping[str, Any]) -> FileEntry:
    """A person's fields as an entry."""
    return {
        "name": mark(id_, "name", name),
        "email": mark(id_, "email", email.casefold()),
        "zone": zone,
        "language": language,
        "profile": mark(id_, "profile", dict(profile)),
    }


def of_mentorship(mentorship: Mentorship, cohort: Cohort, programs: Mapping[str, FrozenProgram]) -> FileEntry:
    """A mentorship of a file as an entry. `length` is its program's, in days."""
    program = mentorship.program or cohort.program
    return {
        "program": program,
        "start": (mentorship.start or cohort.start).isoformat(),
        "length": programs[program].program.length,
        "members": sorted([role, person] for person, role in mentorship.members()),
    }


def of_cohort(cohort: Cohort, frozen: FrozenProgram) -> FileEntry:
    """The cohort of a file, with its coordinators and deputies, as an entry."""
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
        "readers": sorted(person.id for person in cohort.readers),
    }


async def read(session: AsyncSession, cohort: str) -> Entries:
    """All stored entries of a cohort."""
    rows = await session.execute(select(EntryRow.kind, EntryRow.id, EntryRow.said).where(EntryRow.cohort == cohort))
    return {(kind, id_): fields for kind, id_, fields in rows}


async def write(session: AsyncSession, cohort: str, entries: Entries) -> None:
    """Store entries. Needs a writing transaction."""
    rows = [{"cohort": cohort, "kind": kind, "id": id_, "said": fields} for (kind, id_), fields in entries.items()]
    keeping = putting(session, EntryRow, ("cohort", "kind", "id"), ("said",))
    for first in range(0, len(rows), PAGE):
        await session.execute(keeping, rows[first : first + PAGE])


async def drop(session: AsyncSession, cohort: str, kind: str, ids: Iterable[str]) -> None:
    """Delete the entries of ids that are no longer in the file. Needs a writing transaction."""
    for id_ in ids:
        await session.execute(
            delete(EntryRow).where(EntryRow.cohort == cohort, EntryRow.kind == kind, EntryRow.id == id_)
        )


async def forget(session: AsyncSession, person: str) -> None:
    """Delete all entries of a person. Needs a writing transaction."""
    await session.execute(delete(EntryRow).where(EntryRow.kind == PERSON, EntryRow.id == person))
