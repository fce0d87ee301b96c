"""Puts a cohort down and reads it back: frozen programs, people, planned mentorships, workflow inputs.

Putting the same cohort twice changes nothing (lifecycle 9). What would change something that is known already
is listed for a coordinator to confirm. Nothing here starts a mentorship or tells anybody of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from program.models import Cohort, Mentorship, Participant, Person, Role
from store.database import Database
from store.programs import FrozenProgram, freeze_program, frozen_program
from store.tables import (
    CohortPersonRow,
    CohortRow,
    MembershipRow,
    MentorshipRow,
    ParticipantRow,
)

__all__ = [
    "FrozenProgram", "KnownOtherwise", "Planned", "Put", "Seat", "UnknownCohort", "freeze_program",
    "frozen_program", "mark_running", "mentorship", "planned", "put", "put_cohort", "put_mentorships",
]  # fmt: skip

PAGE = 500
"""Mentorships put down in one transaction: few enough that nobody else waits for long."""

Rows = list[dict[str, Any]]


class KnownOtherwise(ValueError):
    """A person of the cohort can't be put down: the id belongs to somebody else, it seems. Says ids only."""


class UnknownCohort(LookupError):
    """No cohort or mentorship of this id was put down."""


@dataclass(frozen=True, slots=True)
class Put:
    """What putting a cohort down came to, in keys and plain words without names."""

    new: tuple[str, ...]
    """Keys of mentorships that were not known before."""
    known: int
    vanished: tuple[str, ...]
    """Keys of mentorships that have not ended and are no longer in the file."""
    changes: tuple[str, ...]
    """What the file says otherwise than the store. Applied if confirmed, as far as it is not a mentorship's."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A member of a mentorship about to start. `zone` is the person's own."""

    person: str
    role: Role
    zone: str


@dataclass(frozen=True, slots=True)
class Planned:
    """A mentorship that is put down and not started: what its workflow has to know, in ids and dates."""

    cohort: str
    key: str
    program: str
    program_hash: str
    start: date
    launched_on: date
    zone: str
    """The cohort's."""
    members: tuple[Seat, ...]
    coordinators: tuple[str, ...]
    deputies: tuple[str, ...]
    holidays: tuple[date, ...]


# -- putting a cohort down -------------------------------------------------------------------------------------


async def put(
    database: Database,
    cohort: Cohort,
    programs: Mapping[str, FrozenProgram],
    launched_on: date,
    now: datetime,
    *,
    confirm: bool = False,
    page: int = PAGE,
) -> Put:
    """Put a whole cohort down, in transactions of a page each; running it again finishes what broke off.

    `programs` holds a frozen program for every program id that the cohort names; `launched_on` is today in the
    cohort's zone. Raises `KnownOtherwise` before anything is written.
    """
    async with database.begin() as session:
        changes = await put_cohort(session, cohort, programs, launched_on, now, confirm=confirm)
    new: list[str] = []
    for first in range(0, len(cohort.mentorships), page):
        async with database.begin() as session:
            mentorships = cohort.mentorships[first : first + page]
            put_down, otherwise = await put_mentorships(session, cohort, programs, mentorships, launched_on)
            new += put_down
            changes += otherwise
    in_file = {mentorship.key for mentorship in cohort.mentorships}
    async with database.session() as session:
        alive = await session.scalars(
            select(MentorshipRow.key)
            .where(MentorshipRow.cohort == cohort.cohort, MentorshipRow.state != "over")
            .order_by(MentorshipRow.key)
        )
        vanished = tuple(key for key in alive if key not in in_file)
    return Put(tuple(new), len(in_file) - len(new), vanished, tuple(changes))


async def put_cohort(
    session: AsyncSession,
    cohort: Cohort,
    programs: Mapping[str, FrozenProgram],
    launched_on: date,
    now: datetime,
    *,
    confirm: bool = False,
) -> list[str]:
    """Put the cohort and its people down, without its mentorships; what it would change, in plain words.

    A cohort and people that are known stay as they are unless `confirm` is set: a zone may have been corrected
    by the person since. Raises `KnownOtherwise` when an id is known with another email address.
    """
    people = {person.id: person for person in (*cohort.coordinators, *cohort.deputies, *cohort.participants)}
    changes = await _put_people(session, cohort, people, confirm)
    frozen = programs[cohort.program]
    settled = {"program": cohort.program, "zone": cohort.zone, "start": cohort.start}
    open_to_change = {
        "title": cohort.title,
        "organisation": cohort.organisation,
        "program_hash": frozen.hash,
        "language": cohort.language,
        "holidays": [day.isoformat() for day in sorted(cohort.holidays)],
        "letterbox": frozen.program.letterbox.model_dump(mode="json"),
    }
    row = await session.get(CohortRow, cohort.cohort)
    if row is None:
        launched = {"launched_on": launched_on, "launched_at": now}
        session.add(CohortRow(id=cohort.cohort, **settled, **open_to_change, **launched))
        await session.flush()
    else:
        changes += [f"the cohort's {name}" for name, value in settled.items() if getattr(row, name) != value]
        for name, value in open_to_change.items():
            if getattr(row, name) != value:
                changes.append(f"the cohort's {name}")
                if confirm:
                    setattr(row, name, value)
        await session.flush()
    return changes + await _put_coordinators(session, cohort, confirm)


async def put_mentorships(
    session: AsyncSession,
    cohort: Cohort,
    programs: Mapping[str, FrozenProgram],
    mentorships: Sequence[Mentorship],
    launched_on: date,
) -> tuple[list[str], list[str]]:
    """Put mentorships down as planned; known ones stay as they are. Returns (new keys, changes in words)."""
    keys = [mentorship.key for mentorship in mentorships]
    known = await session.execute(
        select(MentorshipRow.key, MentorshipRow.program, MentorshipRow.start, MentorshipRow.state).where(
            MentorshipRow.cohort == cohort.cohort, MentorshipRow.key.in_(keys)
        )
    )
    known_rows = {key: (program, start, state) for key, program, start, state in known}
    seats = await _seats(session, cohort.cohort, list(known_rows))
    rows: Rows = []
    memberships: Rows = []
    changes: list[str] = []
    for mentorship in mentorships:
        program = mentorship.program or cohort.program
        start = mentorship.start or cohort.start
        if mentorship.key in known_rows:
            its_program, its_start, state = known_rows[mentorship.key]
            if its_program != program:
                changes.append(f"the program of mentorship {mentorship.key}")
            # Once it runs, a pause may have moved its dates.
            if its_start != start and state == "planned":
                changes.append(f"the start of mentorship {mentorship.key}")
            seated = {(seat.person, seat.role) for seat in seats[mentorship.key]}
            if seated != set(mentorship.members()):
                changes.append(f"the people of mentorship {mentorship.key}")
            continue
        frozen = programs[program]
        length = frozen.program.length
        rows.append(
            {
                "cohort": cohort.cohort,
                "key": mentorship.key,
                "program": program,
                "program_hash": frozen.hash,
                "format": frozen.program.format,
                "start": start,
                "midpoint": start + timedelta(days=length // 2),
                "end": start + timedelta(days=length),
                "launched_on": launched_on,
            }
        )
        memberships += [
            {
                "cohort": cohort.cohort,
                "mentorship": mentorship.key,
                "person": person,
                "role": role,
                "position": position,
            }
            for position, (person, role) in enumerate(mentorship.members())
        ]
    if rows:
        await session.execute(insert(MentorshipRow), rows)
        await session.execute(insert(MembershipRow), memberships)
    return [row["key"] for row in rows], changes


async def _put_people(
    session: AsyncSession, cohort: Cohort, people: Mapping[str, Person], confirm: bool
) -> list[str]:
    known: dict[str, ParticipantRow] = {}
    ids = list(people)
    for first in range(0, len(ids), PAGE):
        rows = await session.scalars(select(ParticipantRow).where(ParticipantRow.id.in_(ids[first : first + PAGE])))
        known |= {row.id: row for row in rows}
    others = sorted(
        row.id for row in known.values() if row.email.casefold() != people[row.id].email.strip().casefold()
    )
    if others:
        raise KnownOtherwise(
            f"known already with another email address: {', '.join(others)}. "
            "If it is somebody else, choose another id; if the address has changed, correct it first."
        )
    new: Rows = []
    changes: list[str] = []
    for person in people.values():
        values: dict[str, Any] = {
            "name": person.name,
            "zone": person.zone or cohort.zone,
            "language": person.language,
            "profile": dict(person.profile) if isinstance(person, Participant) else {},
        }
        row = known.get(person.id)
        if row is None:
            new.append({"id": person.id, "email": person.email.strip()} | values)
            continue
        for name, value in values.items():
            # The profile grows by what people write themselves; the file may add to it, not empty it.
            if name == "profile":
                value = {**row.profile, **value}
            if getattr(row, name) != value:
                changes.append(f"the {name} of {person.id}")
                if confirm:
                    setattr(row, name, value)
    if new:
        await session.execute(insert(ParticipantRow), new)
    await session.flush()
    return changes


async def _put_coordinators(session: AsyncSession, cohort: Cohort, confirm: bool) -> list[str]:
    wanted = {person.id: "deputy" for person in cohort.deputies}
    wanted |= {person.id: "coordinator" for person in cohort.coordinators}
    rows = await session.scalars(select(CohortPersonRow).where(CohortPersonRow.cohort == cohort.cohort))
    known = {row.person: row.role for row in rows}
    if known == wanted:
        return []
    if known and not confirm:
        return ["the coordinators or deputies"]
    await session.execute(delete(CohortPersonRow).where(CohortPersonRow.cohort == cohort.cohort))
    await session.execute(
        insert(CohortPersonRow),
        [{"cohort": cohort.cohort, "person": person, "role": role} for person, role in wanted.items()],
    )
    return ["the coordinators or deputies"] if known else []


# -- reading it back -------------------------------------------------------------------------------------------


async def planned(session: AsyncSession, cohort: str, after: str = "", limit: int = 100) -> list[Planned]:
    """A page of mentorships still to start, by key; `after` is the last key of the page before."""
    return await _planned(session, cohort, MentorshipRow.state == "planned", MentorshipRow.key > after, limit=limit)


async def mentorship(session: AsyncSession, cohort: str, key: str) -> Planned:
    """What the workflow of this mentorship has to know, started or not. Raises `UnknownCohort`."""
    found = await _planned(session, cohort, MentorshipRow.key == key, limit=1)
    if not found:
        raise UnknownCohort(f"no mentorship {key!r} in the cohort {cohort!r}")
    return found[0]


async def mark_running(session: AsyncSession, cohort: str, keys: Iterable[str]) -> None:
    """The workflows of these mentorships have been started."""
    await session.execute(
        update(MentorshipRow)
        .where(MentorshipRow.cohort == cohort, MentorshipRow.key.in_(keys), MentorshipRow.state == "planned")
        .values(state="running")
    )


async def _planned(session: AsyncSession, cohort: str, *which: Any, limit: int) -> list[Planned]:
    row = await session.get(CohortRow, cohort)
    if row is None:
        raise UnknownCohort(f"no cohort {cohort!r} was launched")
    found = await session.execute(
        select(
            MentorshipRow.key, MentorshipRow.program, MentorshipRow.program_hash, MentorshipRow.start,
            MentorshipRow.launched_on,
        )
        .where(MentorshipRow.cohort == cohort, *which)
        .order_by(MentorshipRow.key)
        .limit(limit)
    )  # fmt: skip
    mentorships = found.all()
    seats = await _seats(session, cohort, [key for key, *_ in mentorships])
    staff = await session.execute(
        select(CohortPersonRow.person, CohortPersonRow.role)
        .where(CohortPersonRow.cohort == cohort)
        .order_by(CohortPersonRow.person)
    )
    roles = staff.all()
    return [
        Planned(
            cohort=cohort,
            key=key,
            program=program,
            program_hash=program_hash,
            start=start,
            launched_on=launched_on,
            zone=row.zone,
            members=tuple(seats[key]),
            coordinators=tuple(person for person, role in roles if role == "coordinator"),
            deputies=tuple(person for person, role in roles if role == "deputy"),
            holidays=tuple(date.fromisoformat(day) for day in row.holidays),
        )
        for key, program, program_hash, start, launched_on in mentorships
    ]


async def _seats(session: AsyncSession, cohort: str, keys: Sequence[str]) -> Mapping[str, list[Seat]]:
    seats: dict[str, list[Seat]] = defaultdict(list)
    if not keys:
        return seats
    found = await session.execute(
        select(MembershipRow.mentorship, MembershipRow.person, MembershipRow.role, ParticipantRow.zone)
        .join(ParticipantRow, ParticipantRow.id == MembershipRow.person)
        .where(MembershipRow.cohort == cohort, MembershipRow.mentorship.in_(keys))
        .order_by(MembershipRow.mentorship, MembershipRow.position, MembershipRow.person)
    )
    for key, person, role, zone in found:
        seats[key].append(Seat(person, role, zone))  # pyright: ignore[reportArgumentType]
    return seats
