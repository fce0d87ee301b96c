"""The answers of a cohort as they were given, with the form that asked. Reads only.

Decides nothing about who may see them: that is `operations.forms.visibility`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, select, tuple_, union
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.keys import MentorshipRef
from program.forms import Answers, Form
from program.models import Rules
from store.goals import goal_titles
from store.lookups import Lookup
from store.programs import asked_with, frozen_program
from store.tables import AnswerRow, MembershipRow, MentorshipRow, ParticipantRow, RequestRow

ASK_ABOUT_GOALS = ("midpoint", "closure")
"""Asks whose answers name goals of the agreement by their ids."""


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """The latest version of an answer to a request. `at` is an instant (UTC)."""

    cohort: str
    mentorship: str
    ask: str
    number: int
    person: str
    name: str
    role: str
    format: str
    early: bool
    program: str
    """Title of the program."""
    form: Form
    body: Answers
    at: datetime
    late: bool
    version: int
    """How often it was submitted."""
    goals: Mapping[str, str]
    """Goal id to title, as the agreement of the mentorship says it."""
    rules: Rules
    """Of the program."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A person who was asked to fill in a form on one occasion. `opens` and `closes` are days of the cohort."""

    ask: str
    number: int
    person: str
    name: str
    role: str
    state: str
    """open, answered, closed"""
    opens: date
    closes: date


async def answers_of(
    session: AsyncSession, cohort: str, *, mentorship: str = "", person: str = "", ask: str = ""
) -> list[GivenAnswer]:
    """The latest answers of a cohort, of one mentorship, person or ask: by mentorship, in the order of asking."""
    wanted = [
        column == value
        for column, value in (
            (RequestRow.mentorship, mentorship), (AnswerRow.person, person), (RequestRow.ask, ask),
        )
        if value
    ]  # fmt: skip
    return await _latest(session, RequestRow.cohort == cohort, *wanted)


async def answers_of_person(session: AsyncSession, person: str, cohorts: Collection[str]) -> list[GivenAnswer]:
    """The latest answers of a person in these cohorts: by cohort and mentorship, in the order of asking."""
    return await _latest(session, RequestRow.person == person, RequestRow.cohort.in_(sorted(cohorts)))


async def _latest(session: AsyncSession, *where: ColumnElement[bool]) -> list[GivenAnswer]:
    query = _ANSWERS.where(*where).order_by(
        RequestRow.cohort, RequestRow.mentorship, RequestRow.opens, RequestRow.ask, RequestRow.number, RequestRow.key,
        AnswerRow.version,
    )  # fmt: skip
    latest: dict[str, tuple[Any, ...]] = {}
    for row in await session.execute(query):
        latest[row[0].request] = tuple(row)  # a later version takes the place of an earlier one
    return await _all_given(session, latest.values())


async def answers_in(
    session: AsyncSession, mentorships: Collection[MentorshipRef], asks: Collection[str], ids: Collection[int]
) -> list[GivenAnswer]:
    """The latest answers to these asks in these mentorships of any cohorts, and those of these ids: the latest given
    first."""
    in_one = tuple_(RequestRow.cohort, RequestRow.mentorship).in_(list(mentorships))
    theirs = select(AnswerRow.id).join(RequestRow, RequestRow.key == AnswerRow.request)
    theirs = theirs.where(in_one, RequestRow.ask.in_(list(asks)))
    # Not `or`: with it PostgreSQL reads every answer that there is.
    wanted = union(theirs, select(AnswerRow.id).where(AnswerRow.id.in_(list(ids))))
    query = _ANSWERS.where(AnswerRow.id.in_(wanted)).order_by(
        AnswerRow.at.desc(), AnswerRow.version.desc(), AnswerRow.id
    )
    latest: dict[str, tuple[Any, ...]] = {}
    for row in await session.execute(query):
        latest.setdefault(row[0].request, tuple(row))
    return await _all_given(session, latest.values())


async def _all_given(session: AsyncSession, rows: Collection[tuple[Any, ...]]) -> list[GivenAnswer]:
    about_goals = {(row[1].cohort, row[1].mentorship) for row in rows if row[1].ask in ASK_ABOUT_GOALS}
    goals = await goal_titles(session, about_goals) if about_goals else {}
    return [await _given(session, goals, *row) for row in rows]


async def _given(
    session: AsyncSession,
    goals: Mapping[MentorshipRef, Mapping[str, str]],
    answer: AnswerRow,
    request: RequestRow,
    mentorship: MentorshipRow,
    name: str,
) -> GivenAnswer:
    frozen = await frozen_program(session, mentorship.program, mentorship.program_hash)
    asked = await asked_with(session, frozen, request.program_hash)
    return GivenAnswer(
        cohort=request.cohort,
        mentorship=request.mentorship,
        ask=request.ask,
        number=request.number,
        person=answer.person,
        name=name,
        role=request.role,
        format=mentorship.format,
        early=request.early,
        program=frozen.program.title,
        form=asked.form_for(request.ask),
        body=answer.body,
        at=answer.at,
        late=answer.late,
        version=answer.version,
        goals=goals.get((request.cohort, request.mentorship), {}),
        rules=frozen.program.rules,
    )


def asked_of(cohort: str, mentorship: str) -> Lookup[list[Asked]]:
    """Who was asked what in a mentorship, in the order of asking; what was withdrawn is left out."""
    query = (
        select(
            RequestRow.ask, RequestRow.number, RequestRow.person, ParticipantRow.name, RequestRow.role,
            RequestRow.state, RequestRow.opens, RequestRow.closes,
        )
        .join(ParticipantRow, ParticipantRow.id == RequestRow.person)
        .outerjoin(
            MembershipRow,
            (MembershipRow.cohort == RequestRow.cohort)
            & (MembershipRow.mentorship == RequestRow.mentorship)
            & (MembershipRow.person == RequestRow.person),
        )
        .where(
            RequestRow.cohort == cohort,
            RequestRow.mentorship == mentorship,
            RequestRow.state.in_(("open", "answered", "closed")),
        )
        .order_by(RequestRow.opens, RequestRow.ask, RequestRow.number, MembershipRow.position, RequestRow.person)
    )  # fmt: skip
    return Lookup(query, lambda rows: [Asked(*row) for row in rows])


async def members_of(session: AsyncSession, cohort: str) -> dict[MentorshipRef, list[tuple[str, str]]]:
    """(id, name) of everybody who has or had a seat, by mentorship."""
    rows = await session.execute(
        select(MembershipRow.mentorship, ParticipantRow.id, ParticipantRow.name)
        .join(ParticipantRow, ParticipantRow.id == MembershipRow.person)
        .where(MembershipRow.cohort == cohort)
        .order_by(MembershipRow.position, ParticipantRow.id)
    )
    members: dict[MentorshipRef, list[tuple[str, str]]] = {}
    for mentorship, person, name in rows:
        members.setdefault((cohort, mentorship), []).append((person, name))
    return members


_ANSWERS = (
    select(AnswerRow, RequestRow, MentorshipRow, ParticipantRow.name)
    .join(RequestRow, RequestRow.key == AnswerRow.request)
    .join(
        MentorshipRow,
        (MentorshipRow.cohort == RequestRow.cohort) & (MentorshipRow.key == RequestRow.mentorship),
    )
    .join(ParticipantRow, ParticipantRow.id == AnswerRow.person)
)
