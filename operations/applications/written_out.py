"""A cohort as the file that would launch it, from the database: for matching, for publishing, and for who wants to go
on with the file.

Holds names and addresses, as a cohort's file does; nothing of it may be passed to Temporal or written to a log.
"""

from __future__ import annotations

import io
from datetime import date
from typing import Any

from ruamel.yaml import YAML
from sqlalchemy.ext.asyncio import AsyncSession

from operations.errors import NotFound
from program.loader import Loaded, LoadedProgram
from program.models import Cohort, Mentorship, Participant, Person
from store.cohorts import calls, cohorts
from store.cohorts.cohorts import Contents
from store.database import Database


async def written_out(session: AsyncSession, cohort: str) -> Loaded:
    """The cohort with its people and mentorships as they stand. Raises NotFound."""
    contents = await cohorts.contents(session, cohort)
    if contents is None:
        raise NotFound(f"no cohort {cohort!r} was launched")
    call = await calls.find(session, cohort)
    used = {
        id_: LoadedProgram(
            frozen.program.model_copy(update={"matching": call.matching}) if call and id_ == call.program.program
            else frozen.program,
            dict(frozen.forms),
            frozen.hash,
        )
        for id_, frozen in contents.programs.items()
    }  # fmt: skip
    return Loaded(_cohort(contents), used, application=call.form if call else None)


def _cohort(contents: Contents) -> Cohort:
    row = contents.row
    seated = {seat.person for seats in contents.seats.values() for seat in seats}
    return Cohort(
        cohort=row.id,
        title=row.title,
        organisation=row.organisation,
        program=row.program,
        start=row.start,
        zone=row.zone,
        language=row.language,
        holidays=tuple(date.fromisoformat(day) for day in row.holidays),
        coordinators=tuple(_person(contents, id_) for id_ in contents.staff["coordinator"]),
        deputies=tuple(_person(contents, id_) for id_ in contents.staff["deputy"]),
        readers=tuple(_person(contents, id_) for id_ in contents.staff["reader"]),
        participants=tuple(
            Participant(**_fields(contents, id_), profile={name: str(text) for name, text in profile.items()})
            for id_ in sorted(seated)
            for profile in (contents.people[id_].profile,)
            if contents.people[id_].standing != "erased"
        ),
        mentorships=tuple(_mentorship(contents, key) for key in contents.mentorships),
    )


def _fields(contents: Contents, id_: str) -> dict[str, Any]:
    person = contents.people[id_]
    return {
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "zone": person.zone,
        "language": person.language,
    }


def _person(contents: Contents, id_: str) -> Person:
    return Person(**_fields(contents, id_))


def _mentorship(contents: Contents, key: str) -> Mentorship:
    row = contents.mentorships[key]
    of: dict[str, list[str]] = {"mentor": [], "mentee": [], "peer": []}
    for seat in contents.seats.get(key, ()):
        if contents.people[seat.person].standing != "erased":
            of[seat.role].append(seat.person)
    return Mentorship(
        key=key,
        program=row.program if row.program != contents.row.program else None,
        mentor=of["mentor"][0] if of["mentor"] else None,
        mentees=tuple(of["mentee"]),
        peers=tuple(of["peer"]),
        start=row.start if row.start != contents.row.start else None,
    )


async def as_file(database: Database, cohort: str) -> str:
    """The cohort as YAML, as `mentorship launch` takes it. Raises NotFound."""
    async with database.session() as session:
        loaded = await written_out(session, cohort)
    plain = loaded.cohort.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    for mentorship in plain.get("mentorships", ()):
        if len(mentorship.get("mentees", ())) == 1:
            mentorship["mentee"] = mentorship.pop("mentees")[0]
    written = io.StringIO()
    yaml = YAML()
    yaml.width = 4096
    yaml.dump(plain, written)  # pyright: ignore[reportUnknownMemberType]
    return written.getvalue()
