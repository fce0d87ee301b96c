"""Stores a cohort and reads it back: frozen programs, people, planned mentorships, workflow inputs.

Storing the same cohort twice changes nothing (lifecycle 9), and known rows stay as they are: `store.cohorts.compare`
finds the differences of a file. Nothing here starts a mentorship or sends a mail.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mail.own_templates import SHARED, OwnTemplates
from program.models import Cohort, Mentorship, Person, Role
from store.accounts import accounts
from store.cohorts import file_entries, mail_templates
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
    "FrozenProgram", "KnownOtherwise", "Planned", "Put", "StartingMember", "UnknownCohort", "freeze_program",
    "frozen_program", "known_people", "mark_running", "mentorship", "people_in", "planned", "put", "put_coordinators",
]  # fmt: skip

PAGE = 500
"""Mentorships stored in one transaction: few enough that other writers do not wait long."""

Rows = list[dict[str, Any]]


class KnownOtherwise(ValueError):
    """A person of the cohort cannot be stored: the id seems to belong to somebody else. The message holds
    ids only."""


class UnknownCohort(LookupError):
    """There is no cohort or mentorship with this id."""


@dataclass(frozen=True, slots=True)
class Put:
    """The result of storing a cohort."""

    new: tuple[str, ...]
    """Keys of mentorships that were not known before."""
    known: int


@dataclass(frozen=True, slots=True)
class StartingMember:
    """A member of a mentorship about to start. `zone` is the person's own."""

    person: str
    role: Role
    zone: str


@dataclass(frozen=True, slots=True)
class SeatNow:
    """A seat as it stands now."""

    person: str
    role: str
    standing: str
    over: bool
    """Its mentorship is over."""

    @property
    def takes_part(self) -> bool:
        """Whether the seat is taken or offered, in a mentorship that is not over."""
        return not self.over and self.standing in ("invited", "accepted")


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that a cohort's file would say, from the database."""

    row: CohortRow
    staff: Mapping[str, tuple[str, ...]]
    """`coordinator` and `deputy` to ids."""
    programs: Mapping[str, FrozenProgram]
    mentorships: Mapping[str, MentorshipRow]
    """By key, in order."""
    seats: Mapping[str, Sequence[StartingMember]]
    """Key to those who have a seat and were not taken out."""
    people: Mapping[str, ParticipantRow]


@dataclass(frozen=True, slots=True)
class Planned:
    """The input of a mentorship's workflow, in ids and dates."""

    cohort: str
    key: str
    program: str
    program_hash: str
    start: date
    launched_on: date
    launched_at: datetime
    """When its cohort was first launched: tells this database's mentorship from one of another database."""
    zone: str
    """The cohort's."""
    members: tuple[StartingMember, ...]
    coordinators: tuple[str, ...]
    deputies: tuple[str, ...]
    holidays: tuple[date, ...]


# -- storing a cohort ------------------------------------------------------------------------------------------


async def put(
    database: Database,
    cohort: Cohort,
    programs: Mapping[str, FrozenProgram],
    launched_on: date,
    now: datetime,
    *,
    mails: OwnTemplates = SHARED,
    page: int = PAGE,
) -> Put:
    """Store the new parts of a cohort, a page in each transaction; running it again finishes an interrupted run.

    `programs` holds a frozen program for every program id that the cohort names; `launched_on` is today in the
    cohort's zone. Known rows stay as they are. `mails` are the mail templates that a new cohort has of its own.
    """
    async with database.begin() as session:
        if await _put_cohort(session, cohort, programs[cohort.program], launched_on, now):
            await mail_templates.put(session, cohort.cohort, mails)
    new: list[str] = []
    for first in range(0, len(cohort.mentorships), page):
        async with database.begin() as session:
            page_of_mentorships = cohort.mentorships[first : first + page]
            new += await _put_mentorships(session, cohort, programs, page_of_mentorships, launched_on)
    return Put(tuple(new), len(cohort.mentorships) - len(new))


async def put_in(
    session: AsyncSession,
    cohort: Cohort,
    programs: Mapping[str, FrozenProgram],
    launched_on: date,
    because: Mapping[str, Sequence[str]],
) -> list[str]:
    """Store new mentorships of a cohort that is stored already, all in this transaction; returns their keys.

    `because` says, for each key, why its people were matched: their invitation is a proposal.
    """
    new: list[str] = []
    for first in range(0, len(cohort.mentorships), PAGE):
        page = cohort.mentorships[first : first + PAGE]
        new += await _put_mentorships(session, cohort, programs, page, launched_on)
    for key in new:
        if key in because:
            await session.execute(
                update(MentorshipRow)
                .where(MentorshipRow.cohort == cohort.cohort, MentorshipRow.key == key)
                .values(proposed=True, because=list(because[key]))
            )
    return new


def people_in(cohort: Cohort) -> dict[str, Person]:
    """All people in a file, by id."""
    return {
        person.id: person
        for person in (*cohort.readers, *cohort.coordinators, *cohort.deputies, *cohort.participants)
    }


async def known_people(session: AsyncSession, ids: Iterable[str]) -> dict[str, ParticipantRow]:
    """The known ones of these people, by id."""
    known: dict[str, ParticipantRow] = {}
    wanted = list(ids)
    for first in range(0, len(wanted), PAGE):
        page = wanted[first : first + PAGE]
        rows = await session.scalars(select(ParticipantRow).where(ParticipantRow.id.in_(page)))
        known |= {row.id: row for row in rows}
    return known


async def _put_cohort(
    session: AsyncSession, cohort: Cohort, frozen: FrozenProgram, launched_on: date, now: datetime
) -> bool:
    """Store the cohort and its people, if they are new; whether the cohort was. A person known from another cohort
    stays unchanged."""
    people = people_in(cohort)
    known = await known_people(session, people)
    new = [
        {"id": id_} | file_entries.fields_of(person, cohort.zone)
        for id_, person in people.items()
        if id_ not in known
    ]
    if new:
        await session.execute(insert(ParticipantRow), new)
    entries: file_entries.Entries = {
        (file_entries.PERSON, row["id"]): file_entries.of_person(people[row["id"]], cohort.zone) for row in new
    }
    is_new = await session.get(CohortRow, cohort.cohort) is None
    if is_new:
        session.add(
            CohortRow(
                id=cohort.cohort,
                title=cohort.title,
                organisation=cohort.organisation,
                program=cohort.program,
                program_hash=frozen.hash,
                zone=cohort.zone,
                language=cohort.language,
                start=cohort.start,
                holidays=[day.isoformat() for day in sorted(cohort.holidays)],
                letterbox=frozen.program.letterbox.model_dump(mode="json"),
                launched_on=launched_on,
                launched_at=now,
            )
        )
        await session.flush()
        await put_coordinators(session, cohort.cohort, cohort)
        entries |= {
            (file_entries.PERSON, id_): file_entries.of_person(person, cohort.zone) for id_, person in people.items()
        }
        entries[(file_entries.COHORT, cohort.cohort)] = file_entries.of_cohort(cohort, frozen)
    await file_entries.write(session, cohort.cohort, entries)
    return is_new


async def put_coordinators(session: AsyncSession, cohort: str, says: Cohort) -> None:
    """Replace a cohort's coordinators, deputies and readers by those in its file."""
    await accounts.put_readers(session, cohort, [person.id for person in says.readers])
    wanted = {person.id: "deputy" for person in says.deputies}
    wanted |= {person.id: "coordinator" for person in says.coordinators}
    await session.execute(delete(CohortPersonRow).where(CohortPersonRow.cohort == cohort))
    await session.execute(
        insert(CohortPersonRow),
        [{"cohort": cohort, "person": person, "role": role} for person, role in wanted.items()],
    )


async def _put_mentorships(
    session: AsyncSession,
    cohort: Cohort,
    programs: Mapping[str, FrozenProgram],
    mentorships: Sequence[Mentorship],
    launched_on: date,
) -> list[str]:
    """Store new mentorships as planned; known ones stay as they are. Returns the new keys."""
    keys = [mentorship.key for mentorship in mentorships]
    known = set(
        await session.scalars(
            select(MentorshipRow.key).where(MentorshipRow.cohort == cohort.cohort, MentorshipRow.key.in_(keys))
        )
    )
    rows: Rows = []
    memberships: Rows = []
    entries: file_entries.Entries = {}
    for mentorship in mentorships:
        if mentorship.key in known:
            continue
        program = mentorship.program or cohort.program
        start = mentorship.start or cohort.start
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
        entries[(file_entries.MENTORSHIP, mentorship.key)] = file_entries.of_mentorship(mentorship, cohort, programs)
    if rows:
        await session.execute(insert(MentorshipRow), rows)
        await session.execute(insert(MembershipRow), memberships)
        await file_entries.write(session, cohort.cohort, entries)
    return [row["key"] for row in rows]


async def standings(session: AsyncSession, cohort: str) -> dict[str, list[SeatNow]]:
    """Key to the seats of each mentorship of a cohort, in order."""
    rows = await session.execute(
        select(
            MembershipRow.mentorship, MembershipRow.person, MembershipRow.role, MembershipRow.standing,
            MentorshipRow.state,
        )
        .join(
            MentorshipRow,
            and_(MentorshipRow.cohort == MembershipRow.cohort, MentorshipRow.key == MembershipRow.mentorship),
        )
        .where(MembershipRow.cohort == cohort)
        .order_by(MembershipRow.mentorship, MembershipRow.position, MembershipRow.person)
    )  # fmt: skip
    found: dict[str, list[SeatNow]] = defaultdict(list)
    for key, person, role, standing, state in rows:
        found[key].append(SeatNow(person, role, standing, state == "over"))
    return dict(found)


# -- reading it back -------------------------------------------------------------------------------------------


async def planned(session: AsyncSession, cohort: str, after: str = "", limit: int = 100) -> list[Planned]:
    """A page of mentorships not yet started, by key; `after` is the last key of the previous page."""
    return await _planned(session, cohort, MentorshipRow.state == "planned", MentorshipRow.key > after, limit=limit)


async def contents(session: AsyncSession, cohort: str) -> Contents | None:
    """A cohort with its mentorships and people; None where none was launched under this id."""
    row = await session.get(CohortRow, cohort)
    if row is None:
        return None
    found = await session.scalars(
        select(MentorshipRow).where(MentorshipRow.cohort == cohort).order_by(MentorshipRow.key)
    )
    mentorships = {each.key: each for each in found}
    seats = await _seats(session, cohort, list(mentorships), MembershipRow.standing != "out")
    staff: dict[str, list[str]] = {"coordinator": [], "deputy": []}
    for person, role in await session.execute(
        select(CohortPersonRow.person, CohortPersonRow.role)
        .where(CohortPersonRow.cohort == cohort)
        .order_by(CohortPersonRow.person)
    ):
        staff[role].append(person)
    versions = {(each.program, each.program_hash) for each in mentorships.values()} | {
        (row.program, row.program_hash)
    }
    programs = {program: await frozen_program(session, program, digest) for program, digest in sorted(versions)}
    staff["reader"] = await accounts.readers_of(session, cohort)
    ids = {seat.person for of in seats.values() for seat in of} | {id_ for group in staff.values() for id_ in group}
    people = await known_people(session, sorted(ids))
    by_role = {role: tuple(ids) for role, ids in staff.items()}
    return Contents(row, by_role, programs, mentorships, seats, people)


async def mentorship(session: AsyncSession, cohort: str, key: str) -> Planned:
    """The workflow input of this mentorship, started or not. Raises `UnknownCohort`."""
    planned_mentorships = await _planned(session, cohort, MentorshipRow.key == key, limit=1)
    if not planned_mentorships:
        raise UnknownCohort(f"no mentorship {key!r} in the cohort {cohort!r}")
    return planned_mentorships[0]


async def several(session: AsyncSession, cohort: str, keys: Sequence[str]) -> list[Planned]:
    """What the workflows of these mentorships of a cohort have to know, started or not. Raises `UnknownCohort`."""
    return await _planned(session, cohort, MentorshipRow.key.in_(keys), limit=len(keys))


async def mark_running(session: AsyncSession, cohort: str, keys: Iterable[str]) -> None:
    """Mark these mentorships as running: their workflows have started."""
    await session.execute(
        update(MentorshipRow)
        .where(MentorshipRow.cohort == cohort, MentorshipRow.key.in_(keys), MentorshipRow.state == "planned")
        .values(state="running")
    )


async def _planned(session: AsyncSession, cohort: str, *which: Any, limit: int) -> list[Planned]:
    row = await session.get(CohortRow, cohort)
    if row is None:
        raise UnknownCohort(f"no cohort {cohort!r} was launched")
    rows = await session.execute(
        select(
            MentorshipRow.key, MentorshipRow.program, MentorshipRow.program_hash, MentorshipRow.start,
            MentorshipRow.launched_on,
        )
        .where(MentorshipRow.cohort == cohort, *which)
        .order_by(MentorshipRow.key)
        .limit(limit)
    )  # fmt: skip
    mentorships = rows.all()
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
            launched_at=row.launched_at,
            zone=row.zone,
            members=tuple(seats[key]),
            coordinators=tuple(person for person, role in roles if role == "coordinator"),
            deputies=tuple(person for person, role in roles if role == "deputy"),
            holidays=tuple(date.fromisoformat(day) for day in row.holidays),
        )
        for key, program, program_hash, start, launched_on in mentorships
    ]


async def _seats(
    session: AsyncSession, cohort: str, keys: Sequence[str], *which: Any
) -> Mapping[str, list[StartingMember]]:
    seats: dict[str, list[StartingMember]] = defaultdict(list)
    if not keys:
        return seats
    rows = await session.execute(
        select(MembershipRow.mentorship, MembershipRow.person, MembershipRow.role, ParticipantRow.zone)
        .join(ParticipantRow, ParticipantRow.id == MembershipRow.person)
        .where(MembershipRow.cohort == cohort, MembershipRow.mentorship.in_(keys), *which)
        .order_by(MembershipRow.mentorship, MembershipRow.position, MembershipRow.person)
    )
    for key, person, role, zone in rows:
        seats[key].append(StartingMember(person, role, zone))  # pyright: ignore[reportArgumentType]
    return seats
