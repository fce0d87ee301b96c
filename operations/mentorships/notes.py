"""Notes that coordinators write for each other about a mentorship, or about one person in it.

Participants do not see them, but get them with the rest of their own data. They stay in SQL: no note may reach
Temporal, a log or a mail.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from lifecycle.keys import MentorshipRef
from operations import audit
from operations.audit import AuditEntry
from operations.errors import NotFound, Refused
from operations.mentorships.status import find
from operations.people.deciders import who_decides
from program.text import CONTROLS
from store.database import Database
from store.forms import requests
from store.people import notes, people
from store.people.notes import Note
from store.reports import status

__all__ = ["LONGEST", "Note", "NoteTaken", "add", "remove"]

LONGEST = 2000
"""Characters of a note."""


@dataclass(frozen=True, slots=True)
class NoteTaken:
    """A note that was written. `before`: the same was there already."""

    id: str
    cohort: str
    mentorship: str
    person: str
    by: str
    before: bool = False


async def add(
    database: Database,
    mentorship: str,
    text: str,
    now: datetime,
    *,
    person: str = "",
    by: str = "",
    submission: str = "",
    proof: str = "",
) -> NoteTaken:
    """Write a note about `COHORT/KEY`. `person` is the id of somebody in it, or empty; `now` is program time (UTC).

    The same text by the same coordinator on the same submission (or, without one, at the same moment) is one note.
    With a `proof` the audit says who wrote it, by it; not what. Raises `NotFound` and `Refused`.
    """
    words = CONTROLS.sub("", text.replace("\r\n", "\n")).strip()
    if not words:
        raise Refused("a note needs some text")
    if len(words) > LONGEST:
        raise Refused(f"a note has at most {LONGEST} characters; this one has {len(words)}")
    async with database.session() as session:
        [where] = await find(session, [mentorship])
        members = (await status.people_of(session, where[0], [where[1]]))[where[1]]
        author = who_decides(where[0], await people.deciders(session, where[0]), by)
    if person and person not in {member.id for member in members}:
        raise NotFound(f"{person} has no seat in {where[0]}/{where[1]}")
    content = "\n".join((*where, author, person, words, submission or now.isoformat()))
    id_ = sha256(content.encode()).hexdigest()[:20]
    async with database.begin() as session:
        if proof:
            await audit.put(session, now, AuditEntry("note", author, proof, where[0], ["/".join(where)]))
        new = await notes.put(session, id_, where, words, author, now, person=person)
    return NoteTaken(id_, *where, person, author, before=not new)


async def remove(
    database: Database, where: MentorshipRef, note: str, now: datetime, *, by: str = "", proof: str = ""
) -> None:
    """Remove a note. `now` is program time (UTC); with a `proof` the audit says who did, by it.

    Raises `NotFound` and `Refused`.
    """
    async with database.session() as session:
        author = who_decides(where[0], await people.deciders(session, where[0]), by)
    async with database.begin() as session:
        if not await notes.remove(session, where, note):
            raise NotFound("there is no such note any more")
        if proof:
            entry = AuditEntry("note", author, proof, where[0], ["/".join(where)], result="removed")
            await audit.put(session, now, entry)
        await requests.note(session, *where, now, "note_removed", by=author)


async def notes_of(database: Database, mentorship: str) -> tuple[MentorshipRef, list[Note]]:
    """The notes of `COHORT/KEY`, the latest first. Raises `NotFound`."""
    async with database.session() as session:
        [where] = await find(session, [mentorship])
        return where, await notes.of_mentorship(session, where)
