"""Reads the titles of the goals that were agreed, for the forms that ask about them one by one."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.keys import MentorshipRef
from program.forms import Answers
from program.goals import titles_of
from store.tables import AgreementRow

AT_ONCE = 400
"""Mentorships that one statement asks about."""


async def goal_titles(
    session: AsyncSession, mentorships: Collection[MentorshipRef]
) -> dict[MentorshipRef, dict[str, str]]:
    """The titles of the goals of these mentorships, by goal id; those without an agreement are left out."""
    bodies: dict[MentorshipRef, list[Answers]] = {}
    refs = sorted(mentorships)
    for first in range(0, len(refs), AT_ONCE):
        some = refs[first : first + AT_ONCE]
        rows = await session.execute(
            select(AgreementRow.cohort, AgreementRow.mentorship, AgreementRow.body)
            .where(tuple_(AgreementRow.cohort, AgreementRow.mentorship).in_(some))
            .order_by(AgreementRow.version)
        )
        for cohort, mentorship, body in rows:
            bodies.setdefault((cohort, mentorship), []).append(body)
    return {ref: titles_of(versions) for ref, versions in bodies.items()}
