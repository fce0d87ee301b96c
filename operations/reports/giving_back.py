"""Who would take part again as a mentor: the list that the next call for applications begins with."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from lifecycle.local_time import DAY, begins, local_date
from operations.cohorts.files import staff_of
from operations.errors import Refused
from operations.mentorships.status import known_cohort
from operations.people.deciders import who_decides
from program.files.inviting import NoCall, invited_in, with_invited
from reports.giving_back_figures import GOES_ON
from store.cohorts import files
from store.cohorts.files import CohortTexts
from store.database import Database
from store.people.people import deciders, reachable
from store.people.volunteers import said_yes


@dataclass(frozen=True, slots=True)
class Volunteer:
    """Somebody who said at the closure that they would mentor in the next round."""

    id: str
    name: str
    email: str
    was: Literal["mentee", "mentor"]
    """Who they were: a mentee (or peer) who would mentor now, or a mentor who would again."""


async def volunteers(database: Database, cohort: str, now: datetime) -> list[Volunteer]:
    """Everybody who said yes and can still be written to, each once: first mentees who would mentor, by name.

    `now` is program time (UTC). Who left, was erased, or can't be reached is not listed. Raises NotFound.
    """
    async with database.session() as session:
        row = await known_cohort(session, cohort)
        today = local_date(now, row.zone)
        said = await said_yes(session, cohort, list(GOES_ON.values()), begins(today + DAY, row.zone))
        people = await reachable(session, set().union(*said.values()))
    found = [
        Volunteer(person, name, email, "mentee" if person in said[GOES_ON["mentees"]] else "mentor")
        for person, (name, email) in people.items()
    ]
    return sorted(found, key=lambda one: (one.was != "mentee", one.name, one.id))


@dataclass(frozen=True, slots=True)
class NextCall:
    """What inviting them to the call of another cohort would write into that cohort's file."""

    into: str
    """The cohort, or the path of its file on disk."""
    version: int
    """The version of the file that it is based on; 0 of a file on disk."""
    added: tuple[Volunteer, ...]
    already: tuple[Volunteer, ...]
    """Those whom the file invites already."""
    texts: CohortTexts = field(repr=False)
    """The next version."""
    shuts: bool = False
    """Whether everybody with the link could apply before, and only those who are invited can from then on."""

    @property
    def mark(self) -> str:
        """Stands for exactly this change: what was seen is what is saved."""
        return f"{self.version}.{self.texts.digest}"


async def next_call(
    database: Database, cohort: str, into: str, now: datetime, may_write: Collection[str]
) -> NextCall:
    """What inviting the volunteers of `cohort` into the call of `into` comes to; nothing is saved.

    `may_write` are the cohorts whose files this account may write. Raises NotFound and Refused.
    """
    if into not in may_write or into == cohort:
        raise Refused(f"the file of {into} is not yours to write")
    people = await volunteers(database, cohort, now)
    async with database.session() as session:
        kept = await files.versions(session, into)
        texts = await files.texts_of(session, into, kept[0].version) if kept else None
    if texts is None:
        raise Refused(f"no file of {into} is kept")
    return await asyncio.to_thread(_with_them, people, into, kept[0].version, texts)


async def next_call_on_disk(database: Database, cohort: str, file: Path, now: datetime) -> NextCall:
    """The same for a cohort's file on disk; nothing is written. Raises NotFound and Refused."""
    people = await volunteers(database, cohort, now)
    try:
        text = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise Refused(f"{file} can't be read ({type(why).__name__})") from why
    return await asyncio.to_thread(_with_them, people, str(file), 0, CohortTexts(text))


def _with_them(people: Sequence[Volunteer], into: str, version: int, texts: CohortTexts) -> NextCall:
    try:
        there = invited_in(texts.file)
        added = tuple(one for one in people if one.email.lower() not in there)
        text = with_invited(texts.file, [(one.name, one.email) for one in added])
    except NoCall as missing:
        raise Refused(f"{into}: {missing}") from missing
    already = tuple(one for one in people if one not in added)
    return NextCall(into, version, added, already, replace(texts, file=text), shuts=bool(added) and not there)


async def invite(
    database: Database, cohort: str, seen: str, into: str, now: datetime, may_write: Collection[str], *,
    by: str, proof: str,
) -> int:  # fmt: skip
    """Save what was seen (its mark) as the next version of the file of `into`; the number of that version.

    Raises Refused where the list or the file has changed since, and what `next_call` raises.
    """
    call = await next_call(database, cohort, into, now, may_write)
    _check(call, seen)
    staff = await staff_of(call.texts)
    async with database.begin() as session:
        latest = await files.versions(session, into)
        if latest[0].version != call.version:
            raise Refused("the file has changed since you saw it; look again")
        return await files.add(session, into, call.texts, now, by, proof, staff)


async def invite_on_disk(database: Database, cohort: str, seen: str, file: Path, now: datetime) -> None:
    """Write what was seen (its mark) into the file. Raises what `next_call_on_disk` raises, and Refused where the
    list or the file has changed since, or it can't be written; it is then as it was."""
    call = await next_call_on_disk(database, cohort, file, now)
    _check(call, seen)
    beside = file.with_name(f".{file.name}.new")
    try:
        beside.write_bytes(call.texts.file.encode("utf-8"))
        beside.chmod(file.stat().st_mode)
        beside.replace(file)
    except OSError as why:
        beside.unlink(missing_ok=True)
        raise Refused(f"{file} can't be written ({type(why).__name__})") from why


def _check(call: NextCall, seen: str) -> None:
    if call.mark != seen:
        raise Refused("the list or the file has changed since you saw it; look again")


async def who_invites(database: Database, cohort: str, by: str) -> str:
    """The id of the coordinator or deputy of `cohort` who invites them. Raises NotFound and Refused."""
    async with database.session() as session:
        await known_cohort(session, cohort)
        return who_decides(cohort, await deciders(session, cohort), by)
