"""Stores and reads the notes that coordinators write for each other about a mentorship."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, delete, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.keys import MentorshipRef
from store.database import putting
from store.lookups import Lookup, look_up
from store.tables import MembershipRow, NoteRow, ParticipantRow


@dataclass(frozen=True, slots=True)
class Note:
    """A note. `at` is an instant (UTC); `person` is the id of whom it is about, empty for the mentorship."""

    id: str
    cohort: str
    mentorship: str
    person: str
    by: str
    by_name: str
    at: datetime
    text: str


async def put(
    session: AsyncSession,
    id_: str,
    where: MentorshipRef,
    text: str,
    by: str,
    at: datetime,
    *,
    person: str = "",
) -> bool:
    """Store a note; False where one with this id is there already. Needs a writing transaction."""
    if await session.get(NoteRow, id_) is not None:
        return False
    cohort, mentorship = where
    row = {"id": id_, "cohort": cohort, "mentorship": mentorship, "person": person, "by": by, "at": at, "text": text}
    await session.execute(putting(session, NoteRow, ("id",)), [row])
    return True


async def of_mentorship(session: AsyncSession, where: MentorshipRef) -> list[Note]:
    """The notes of a mentorship, the latest first."""
    return await look_up(session, notes_of(where))


def notes_of(where: MentorshipRef) -> Lookup[list[Note]]:
    """The same, to be looked up beside others."""
    cohort, mentorship = where
    query = (
        select(
            NoteRow.id, NoteRow.cohort, NoteRow.mentorship, NoteRow.person, NoteRow.by,
            func.coalesce(ParticipantRow.name, NoteRow.by).label("by_name"), NoteRow.at, NoteRow.text,
        )
        .outerjoin(ParticipantRow, ParticipantRow.id == NoteRow.by)
        .where(NoteRow.cohort == cohort, NoteRow.mentorship == mentorship)
        .order_by(NoteRow.at.desc(), NoteRow.id)
    )  # fmt: skip
    return Lookup(query, lambda rows: [Note(*row) for row in rows])


async def remove(session: AsyncSession, where: MentorshipRef, id_: str) -> bool:
    """Remove a note of this mentorship; False where there is none. Needs a writing transaction."""
    cohort, mentorship = where
    gone = await session.scalars(
        delete(NoteRow)
        .where(NoteRow.id == id_, NoteRow.cohort == cohort, NoteRow.mentorship == mentorship)
        .returning(NoteRow.id)
    )
    return gone.one_or_none() is not None


def about(person: str) -> Select[datetime, str, str, str, str]:
    """The notes about a person, and those about a mentorship in which they have or had a seat, oldest first."""
    return (
        select(NoteRow.at, NoteRow.cohort, NoteRow.mentorship, NoteRow.person, NoteRow.text)
        .join(
            MembershipRow,
            and_(MembershipRow.cohort == NoteRow.cohort, MembershipRow.mentorship == NoteRow.mentorship),
        )
        .where(MembershipRow.person == person, or_(NoteRow.person == "", NoteRow.person == person))
        .order_by(NoteRow.at, NoteRow.id)
    )


async def forget(session: AsyncSession, person: str, refs: Collection[MentorshipRef]) -> int:
    """Remove the notes about a person and about their mentorships: what they say of others may tell of the person as
    well. Returns how many. Needs a writing transaction."""
    of_refs = and_(
        tuple_(NoteRow.cohort, NoteRow.mentorship).in_(list(refs)),
        or_(NoteRow.person == "", NoteRow.person == person),
    )
    gone = await session.scalars(
        delete(NoteRow)
        .where(or_(NoteRow.person == person, of_refs) if refs else NoteRow.person == person)
        .returning(NoteRow.id)
    )
    return len(gone.all())
