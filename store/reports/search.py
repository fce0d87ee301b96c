"""Finds people, mentorships and cohorts by a few letters, for coordinators to open.

It holds names and addresses, for people to read; it must not be passed to Temporal or written to a log.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.keys import MentorshipRef
from store.reports.status import ListedPerson
from store.reports.today import people_of
from store.tables import CohortPersonRow, CohortReaderRow, CohortRow, MembershipRow, MentorshipRow, ParticipantRow

MOST_FOUND = 50
"""Rows of each kind; more are not shown, and the page tells that."""


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """A person."""

    id: str
    name: str
    email: str
    standing: str


@dataclass(frozen=True, slots=True)
class FoundMentorship:
    """A mentorship with its people."""

    cohort: str
    title: str
    """Of the cohort."""
    key: str
    phase: str
    people: tuple[ListedPerson, ...]

    @property
    def ref(self) -> MentorshipRef:
        """Which it is."""
        return self.cohort, self.key


@dataclass(frozen=True, slots=True)
class FoundCohort:
    """A cohort."""

    id: str
    title: str
    state: str


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, each kind at most MOST_FOUND."""

    people: tuple[FoundPerson, ...] = ()
    mentorships: tuple[FoundMentorship, ...] = ()
    cohorts: tuple[FoundCohort, ...] = ()

    @property
    def is_cut(self) -> bool:
        """Whether there may be more."""
        return MOST_FOUND in (len(self.people), len(self.mentorships), len(self.cohorts))


async def search(session: AsyncSession, words: str, cohorts: Collection[str] | None) -> Found:
    """What has every word in its name, address, title or id, within these cohorts (within all, where None)."""
    wanted = words.split()
    if not wanted:
        return Found()
    person = _has(wanted, ParticipantRow.name, ParticipantRow.email, ParticipantRow.id)
    people = select(ParticipantRow).where(person, ParticipantRow.standing != "erased")
    places = select(MembershipRow.cohort, MembershipRow.mentorship).join(
        ParticipantRow, ParticipantRow.id == MembershipRow.person
    )
    mentorships = select(MentorshipRow.cohort, CohortRow.title, MentorshipRow.key, MentorshipRow.phase).join(
        CohortRow, CohortRow.id == MentorshipRow.cohort
    )
    titles = select(CohortRow.id, CohortRow.title, CohortRow.state).where(_has(wanted, CohortRow.title, CohortRow.id))
    if cohorts is not None:
        within = list(cohorts)
        known = [
            select(row.person).where(row.cohort.in_(within))
            for row in (MembershipRow, CohortPersonRow, CohortReaderRow)
        ]
        people = people.where(or_(*(ParticipantRow.id.in_(ids) for ids in known)))
        places = places.where(MembershipRow.cohort.in_(within))
        mentorships = mentorships.where(MentorshipRow.cohort.in_(within))
        titles = titles.where(CohortRow.id.in_(within))
    seated = (
        places.where(person)
        .where(MembershipRow.cohort == MentorshipRow.cohort, MembershipRow.mentorship == MentorshipRow.key)
        .correlate(MentorshipRow)
        .exists()
    )
    found = (
        await session.execute(
            mentorships.where(or_(seated, _has(wanted, MentorshipRow.key)))
            .order_by(CohortRow.launched_at.desc(), MentorshipRow.cohort, MentorshipRow.key)
            .limit(MOST_FOUND)
        )
    ).all()
    members = await people_of(session, [(row.cohort, row.key) for row in found])
    rows = await session.scalars(people.order_by(ParticipantRow.name, ParticipantRow.id).limit(MOST_FOUND))
    return Found(
        tuple(FoundPerson(row.id, row.name, row.email, row.standing) for row in rows),
        tuple(
            FoundMentorship(row.cohort, row.title, row.key, row.phase, members[row.cohort, row.key]) for row in found
        ),
        tuple(
            FoundCohort(*row)
            for row in await session.execute(titles.order_by(CohortRow.launched_at.desc()).limit(MOST_FOUND))
        ),
    )


def _has(wanted: list[str], *columns: Any) -> ColumnElement[bool]:
    # SQLite lowers ASCII letters only: a word typed as it is written is found by either database.
    return and_(
        *(
            or_(
                *(func.lower(column).contains(word.lower(), autoescape=True) for column in columns),
                *(column.contains(word, autoescape=True) for column in columns),
            )
            for word in wanted
        )
    )
