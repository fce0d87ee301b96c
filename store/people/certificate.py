"""Reads what stands on a certificate of participation, for the person whose it is.

There is one where the program gives it, the mentorship came to its planned end, and the farewell went out: under a
hold after a safety report the farewell waits, and so does the certificate. Says nothing of how well anybody did.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from store.people.joint_sheet import TOLD
from store.programs import frozen_program
from store.tables import (
    AnswerRow,
    CohortPersonRow,
    CohortRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    OutcomeRow,
    ParticipantRow,
    RequestRow,
)

COMPLETED = ("completed", "completed_partial", "completed_silent")


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is certified. Dates are calendar dates."""

    cohort: str
    cohort_title: str
    organisation: str
    mentorship: str
    program: str
    """Title of the program."""
    role: str
    format: str
    start: date
    end: date
    meetings: int | None
    """How often they met, as this person said at the closure; None where they did not say."""
    coordinator: str
    """Name of the first coordinator of the cohort."""


async def find(session: AsyncSession, person: str, cohort: str, mentorship: str) -> Certificate | None:
    """The certificate of this person; None where there is none (yet)."""
    only = (MentorshipRow.cohort == cohort, MentorshipRow.key == mentorship)
    row = (await session.execute(_given(person).where(*only))).first()
    if row is None:
        return None
    facts, role, of_cohort = row
    program = (await frozen_program(session, facts.program, facts.program_hash)).program
    if not program.phases.closure.certificate:
        return None
    return Certificate(
        cohort, of_cohort.title, of_cohort.organisation, mentorship, program.title, role, facts.format, facts.start,
        facts.end, await _meetings(session, person, cohort, mentorship),
        await _coordinator(session, cohort),
    )  # fmt: skip


def _given(person: str) -> Select[MentorshipRow, str, CohortRow]:
    farewell = select(ItemRow.key).where(
        ItemRow.cohort == MentorshipRow.cohort, ItemRow.mentorship == MentorshipRow.key, ItemRow.person == person,
        ItemRow.name == "farewell", TOLD,
    )  # fmt: skip
    outcome = and_(OutcomeRow.cohort == MentorshipRow.cohort, OutcomeRow.mentorship == MentorshipRow.key)
    seat = and_(MembershipRow.cohort == MentorshipRow.cohort, MembershipRow.mentorship == MentorshipRow.key)
    return (
        select(MentorshipRow, MembershipRow.role, CohortRow)
        .join(MembershipRow, seat)
        .join(OutcomeRow, outcome)
        .join(CohortRow, CohortRow.id == MentorshipRow.cohort)
        .where(
            MembershipRow.person == person, MembershipRow.standing == "accepted",
            OutcomeRow.ending.in_(COMPLETED), MentorshipRow.held.is_(False), farewell.exists(),
        )
        .order_by(MentorshipRow.cohort, MentorshipRow.key)
    )  # fmt: skip


async def _meetings(session: AsyncSession, person: str, cohort: str, mentorship: str) -> int | None:
    body = await session.scalar(
        select(AnswerRow.body)
        .join(RequestRow, RequestRow.key == AnswerRow.request)
        .where(RequestRow.cohort == cohort, RequestRow.mentorship == mentorship)
        .where(RequestRow.person == person, RequestRow.ask == "closure")
        .order_by(AnswerRow.id.desc())
        .limit(1)
    )
    told = (body or {}).get("c_meet")
    return told if isinstance(told, int) else None


async def _coordinator(session: AsyncSession, cohort: str) -> str:
    return await session.scalar(
        select(ParticipantRow.name)
        .join(CohortPersonRow, CohortPersonRow.person == ParticipantRow.id)
        .where(CohortPersonRow.cohort == cohort, CohortPersonRow.role == "coordinator")
        .order_by(ParticipantRow.id)
        .limit(1)
    ) or ""  # fmt: skip
