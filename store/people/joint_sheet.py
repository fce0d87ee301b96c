"""Reads the joint sheet of a midpoint: who shares it, and the answers with which they shared it.

Who shares was decided once, when the ask was assessed: those who got the notice `joint_sheet` (lifecycle 4).
Reads nothing of anybody else, so that no page can tell who refused. Which answers stand on it decides `operations`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.keys import MentorshipRef, step_key
from program.forms import Answers, Form
from program.goals import named
from store.goals import goal_titles
from store.programs import asked_with, frozen_program
from store.tables import AnswerRow, CohortRow, ItemRow, MembershipRow, MentorshipRow, ParticipantRow, RequestRow

NOTICE = "joint_sheet"


@dataclass(frozen=True, slots=True)
class Side:
    """What one person shared."""

    person: str
    name: str
    role: str
    early: bool
    form: Form
    body: Answers


@dataclass(frozen=True, slots=True)
class JointSheet:
    """A joint sheet as one of those who share it may read it. `at` is the instant (UTC) of the answers."""

    cohort: str
    cohort_title: str
    mentorship: str
    number: int
    format: str
    program: str
    """Title of the program."""
    at: datetime
    sides: tuple[Side, ...]
    """In the order in which people are named everywhere; nobody who was erased."""


def was_told(items: FromClause) -> ColumnElement[bool]:
    """Whether somebody was told of an item: not while a pause or a hold keeps it back, nor where it was dropped."""
    return or_(items.c.state.in_(("sending", "sent", "refused")), items.c.reason == "bounced")


TOLD = was_told(ItemRow.__table__)
"""Of the items in a statement."""


async def places(session: AsyncSession, person: str) -> list[MentorshipRef]:
    """The mentorships of which this person can read a joint sheet."""
    rows = await session.execute(
        select(ItemRow.cohort, ItemRow.mentorship)
        .where(ItemRow.person == person, ItemRow.name == NOTICE, TOLD)
        .distinct()
        .order_by(ItemRow.cohort, ItemRow.mentorship)
    )
    return [(cohort, mentorship) for cohort, mentorship in rows]


async def find(session: AsyncSession, person: str, cohort: str, mentorship: str) -> JointSheet | None:
    """The last joint sheet that this person shares in a mentorship; None where they were told of none."""
    own = await session.execute(
        select(ItemRow.number, ItemRow.about)
        .where(
            ItemRow.cohort == cohort, ItemRow.mentorship == mentorship, ItemRow.name == NOTICE,
            ItemRow.person == person, TOLD,
        )
        .order_by(ItemRow.number.desc())
        .limit(1)
    )  # fmt: skip
    notice = own.one_or_none()
    if notice is None:
        return None
    at = datetime.fromisoformat(notice.about)
    row = (
        await session.execute(
            select(MentorshipRow, CohortRow.title)
            .join(CohortRow, CohortRow.id == MentorshipRow.cohort)
            .where(MentorshipRow.cohort == cohort, MentorshipRow.key == mentorship)
        )
    ).one()
    stands: MentorshipRow = row.MentorshipRow
    frozen = await frozen_program(session, stands.program, stands.program_hash)
    goals = (await goal_titles(session, [(cohort, mentorship)])).get((cohort, mentorship), {})
    sides: list[Side] = []
    for shared in await _shared(session, cohort, mentorship, notice.number, at):
        asked = await asked_with(session, frozen, shared.program_hash)
        form = asked.form_for("midpoint")
        body = named(shared.body, goals)
        sides.append(Side(shared.person, shared.name, shared.role, shared.early, form, body))
    title = frozen.program.title
    return JointSheet(cohort, row.title, mentorship, notice.number, stands.format, title, at, tuple(sides))


async def _shared(session: AsyncSession, cohort: str, mentorship: str, number: int, at: datetime) -> Collection[Any]:
    """The answer of everybody who shares, as it was when the ask was assessed (`turns.read_answers`)."""
    rows = await session.execute(
        select(
            RequestRow.person, ParticipantRow.name, RequestRow.role, RequestRow.early, RequestRow.program_hash,
            RequestRow.closes_at, AnswerRow.body, AnswerRow.at,
        )
        .join(
            ItemRow,
            and_(
                ItemRow.cohort == RequestRow.cohort, ItemRow.mentorship == RequestRow.mentorship,
                ItemRow.person == RequestRow.person, ItemRow.name == NOTICE, ItemRow.number == number,
            ),
        )
        .join(ParticipantRow, ParticipantRow.id == RequestRow.person)
        .join(
            MembershipRow,
            and_(
                MembershipRow.cohort == RequestRow.cohort, MembershipRow.mentorship == RequestRow.mentorship,
                MembershipRow.person == RequestRow.person,
            ),
        )
        .join(AnswerRow, AnswerRow.request == RequestRow.key)
        .where(
            RequestRow.step == step_key(cohort, mentorship, "midpoint", number),
            ParticipantRow.standing != "erased",
        )
        .order_by(MembershipRow.position, RequestRow.person, AnswerRow.version)
    )  # fmt: skip
    counting: dict[str, Any] = {}
    for row in rows:
        if row.at <= at or (row.at <= row.closes_at and row.person not in counting):
            counting[row.person] = row
    return counting.values()
