"""Compares a cohort's file with its last launch and with what runs. Writes nothing.

The comparison has three sides: the entries of the last launch (`store.cohorts.file_entries`), the file now, and the
database. Only an edit of the file is a difference; changes by decisions or by the people themselves are none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from program.models import Cohort, Person
from store.accounts import accounts
from store.cohorts import file_entries
from store.cohorts.cohorts import PAGE, KnownOtherwise, known_people, people_in
from store.cohorts.file_entries import Entries, FileEntry
from store.database import Database
from store.programs import FrozenProgram, frozen_program
from store.tables import CohortPersonRow, CohortRow, EventRow, MembershipRow, MentorshipRow, ParticipantRow

FIXED = ("zone",)
"""Fields of a cohort that cannot change once it runs: dates, tasks and "today" depend on them."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of the cohort, or of a person, that was edited in the file. May hold names and addresses."""

    kind: Literal["cohort", "person"]
    id: str
    field: str
    before: Any
    """The value in the database."""
    after: Any
    """The value in the file."""
    refused: str = ""
    """Why it cannot be applied, and an alternative."""


@dataclass(frozen=True, slots=True)
class Seated:
    """A person who has, or had, a seat."""

    person: str
    role: str
    standing: str


@dataclass(frozen=True, slots=True)
class Altered:
    """A known mentorship that was edited in the file. `said`: its entry at the last launch, `says`: its entry now."""

    key: str
    state: str
    """planned, running, over"""
    ending: str
    format: str
    said: FileEntry
    says: FileEntry
    seats: tuple[Seated, ...]
    """The seats now, in the database."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of comparing a cohort's file with the database."""

    known: bool
    """Whether the cohort was launched before."""
    state: str = ""
    """Of the cohort: running, cancelled, over; empty for a new cohort."""
    launched_on: date | None = None
    new: tuple[str, ...] = ()
    """Keys of mentorships that are new in the file."""
    unchanged: int = 0
    waiting: tuple[str, ...] = ()
    """Keys of known mentorships without a workflow: a launch was interrupted."""
    vanished: tuple[str, ...] = ()
    """Keys of mentorships that are no longer in the file, have not ended and are not ending."""
    new_people: tuple[str, ...] = ()
    vanished_people: tuple[str, ...] = ()
    """Ids that are no longer in the file."""
    differences: tuple[Difference, ...] = ()
    altered: tuple[Altered, ...] = ()


async def compare(database: Database, cohort: Cohort, programs: Mapping[str, FrozenProgram]) -> Comparison:
    """Compare a file with the database. Raises `KnownOtherwise` if another cohort knows an id with another
    address."""
    async with database.session() as session:
        row = await session.get(CohortRow, cohort.cohort)
        entries = await file_entries.read(session, cohort.cohort)
        people = people_in(cohort)
        known = await known_people(session, people)
        legacy = row is not None and (file_entries.COHORT, cohort.cohort) not in entries
        if row is not None and legacy:
            entries = await _as_it_runs(session, row, known)
        differences = await _of_people(session, cohort, known, entries, new=row is None)
        if row is None:
            keys = tuple(mentorship.key for mentorship in cohort.mentorships)
            new_people = tuple(id_ for id_ in people if id_ not in known)
            return Comparison(False, new=keys, new_people=new_people, differences=tuple(differences))
        differences = [*await _of_cohort(session, cohort, row, programs, entries), *differences]
        mentorships = await _of_mentorships(session, cohort, programs, entries)
        return Comparison(
            known=True,
            state=row.state,
            launched_on=row.launched_on,
            **mentorships,
            new_people=tuple(id_ for id_ in people if id_ not in known),
            vanished_people=tuple(
                sorted(id_ for kind, id_ in entries if kind == file_entries.PERSON and id_ not in people)
            ),
            differences=tuple(differences),
        )


async def is_known(database: Database, cohort: str) -> bool:
    """Whether a cohort with this id was launched before."""
    async with database.session() as session:
        return await session.get(CohortRow, cohort) is not None


# -- the parts ---------------------------------------------------------------------------------------------------


async def _of_people(
    session: AsyncSession, cohort: Cohort, known: Mapping[str, ParticipantRow], entries: Entries, *, new: bool
) -> list[Difference]:
    people = people_in(cohort)
    strangers = sorted(
        id_
        for id_, row in known.items()
        if (file_entries.PERSON, id_) not in entries
        and row.standing != "erased"
        and row.email.casefold() != people[id_].email.strip().casefold()
    )
    if strangers:
        raise KnownOtherwise(
            f"known already with another email address: {', '.join(strangers)}. "
            "If it is somebody else, choose another id; if the address has changed, correct it first."
        )
    if new:
        return []
    differences: list[Difference] = []
    for id_, row in known.items():
        before = entries.get((file_entries.PERSON, id_))
        if before is not None:
            differences += await _of_person(session, people[id_], cohort.zone, row, before)
    return differences


async def _of_person(
    session: AsyncSession, person: Person, zone: str, row: ParticipantRow, before: FileEntry
) -> list[Difference]:
    now = file_entries.of_person(person, zone)
    changed = {field for field, value in now.items() if before.get(field) != value}
    if not changed:
        return []
    if row.standing == "erased":
        gone = "this person was erased; take them out of the file"
        return [Difference("person", row.id, "entry", "", "", refused=gone)]
    if {"name", "email"} <= changed:
        other = "another name and another address: somebody new needs an id of their own"
        return [Difference("person", row.id, "entry", "", "", refused=other)]
    values = file_entries.fields_of(person, zone)
    # People add to their profile themselves; the file may add to it, not empty it.
    values["profile"] = {**row.profile, **values["profile"]}
    differences: list[Difference] = []
    for field in ("name", "email", "zone", "language", "profile"):
        has = getattr(row, field)
        if field not in changed or has == values[field]:
            continue
        refused = ""
        if field == "email":
            same = await session.scalar(
                select(ParticipantRow.id).where(
                    func.lower(ParticipantRow.email) == values[field].lower(), ParticipantRow.id != row.id
                )
            )
            refused = f"this address is known as {same}" if same else ""
        differences.append(Difference("person", row.id, field, has, values[field], refused))
    return differences


async def _of_cohort(
    session: AsyncSession, cohort: Cohort, row: CohortRow, programs: Mapping[str, FrozenProgram], entries: Entries
) -> list[Difference]:
    now = file_entries.of_cohort(cohort, programs[cohort.program])
    before = entries[(file_entries.COHORT, cohort.cohort)]
    has = _cohort_entry(row, await _coordinators(session, cohort.cohort))
    return [
        Difference(
            "cohort", cohort.cohort, field, has[field], value,
            "it stays while the cohort runs: its dates are counted by it" if field in FIXED else "",
        )
        for field, value in now.items()
        if before.get(field) != value and has[field] != value
    ]  # fmt: skip


async def _of_mentorships(
    session: AsyncSession, cohort: Cohort, programs: Mapping[str, FrozenProgram], entries: Entries
) -> dict[str, Any]:
    rows = await session.execute(
        select(MentorshipRow.key, MentorshipRow.state, MentorshipRow.ending, MentorshipRow.format)
        .where(MentorshipRow.cohort == cohort.cohort)
        .order_by(MentorshipRow.key)
    )
    known = {key: (state, ending, format_) for key, state, ending, format_ in rows}
    in_file = {mentorship.key: mentorship for mentorship in cohort.mentorships}
    ending = set(
        await session.scalars(
            select(EventRow.mentorship).where(EventRow.cohort == cohort.cohort, EventRow.name == "ending_early")
        )
    )
    says = {
        key: file_entries.of_mentorship(mentorship, cohort, programs)
        for key, mentorship in in_file.items()
        if key in known
    }
    before = {key: says[key] | entries.get((file_entries.MENTORSHIP, key), {}) for key in says}
    otherwise = [key for key in says if before[key] != says[key]]
    seats = await _seats(session, cohort.cohort, otherwise)
    return {
        "new": tuple(key for key in in_file if key not in known),
        "unchanged": len(says) - len(otherwise),
        "waiting": tuple(key for key, (state, *_) in known.items() if state == "planned"),
        "vanished": tuple(
            key for key, (state, *_) in known.items() if state != "over" and key not in in_file and key not in ending
        ),
        "altered": tuple(
            Altered(key, *known[key], before[key], says[key], tuple(seats.get(key, ()))) for key in otherwise
        ),
    }


# -- entries from the database -----------------------------------------------------------------------------------


async def _as_it_runs(session: AsyncSession, row: CohortRow, known: Mapping[str, ParticipantRow]) -> Entries:
    """Entries for a cohort that was launched before entries were stored, made from the database. Without the start of
    its mentorships, because a pause may have moved it."""
    entries: Entries = {(file_entries.COHORT, row.id): _cohort_entry(row, await _coordinators(session, row.id))}
    for person in known.values():
        entries[(file_entries.PERSON, person.id)] = file_entries.person_entry(
            person.id, person.name, person.email, person.zone, person.language, person.profile
        )
    rows = await session.execute(
        select(MentorshipRow.key, MentorshipRow.program, MentorshipRow.program_hash).where(
            MentorshipRow.cohort == row.id
        )
    )
    mentorships = rows.all()
    seats = await _seats(session, row.id, [key for key, *_ in mentorships])
    for key, program, digest in mentorships:
        frozen = await frozen_program(session, program, digest)
        entries[(file_entries.MENTORSHIP, key)] = {
            "program": program,
            "length": frozen.program.length,
            "members": sorted([seat.role, seat.person] for seat in seats.get(key, ()) if seat.standing != "out"),
        }
    return entries


def _cohort_entry(row: CohortRow, staff: Mapping[str, list[str]]) -> FileEntry:
    return {
        "title": row.title,
        "organisation": row.organisation,
        "language": row.language,
        "zone": row.zone,
        "start": row.start.isoformat(),
        "program": row.program,
        "version": row.program_hash,
        "letterbox": row.letterbox,
        "holidays": row.holidays,
        "coordinators": staff["coordinator"],
        "deputies": staff["deputy"],
        "readers": staff["reader"],
    }


async def _coordinators(session: AsyncSession, cohort: str) -> dict[str, list[str]]:
    rows = await session.execute(
        select(CohortPersonRow.person, CohortPersonRow.role)
        .where(CohortPersonRow.cohort == cohort)
        .order_by(CohortPersonRow.person)
    )
    staff: dict[str, list[str]] = {"coordinator": [], "deputy": []}
    staff["reader"] = await accounts.readers_of(session, cohort)
    for person, role in rows:
        staff[role].append(person)
    return staff


async def _seats(session: AsyncSession, cohort: str, keys: list[str]) -> dict[str, list[Seated]]:
    seats: dict[str, list[Seated]] = {}
    for first in range(0, len(keys), PAGE):
        rows = await session.execute(
            select(MembershipRow.mentorship, MembershipRow.person, MembershipRow.role, MembershipRow.standing)
            .where(MembershipRow.cohort == cohort, MembershipRow.mentorship.in_(keys[first : first + PAGE]))
            .order_by(MembershipRow.position, MembershipRow.person)
        )
        for key, person, role, standing in rows:
            seats.setdefault(key, []).append(Seated(person, role, standing))
    return seats
