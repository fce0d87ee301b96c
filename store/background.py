"""Reads what letters tell of, for many letters at once: people, cohorts, mentorships, requests, documents, tasks.

Nothing here words anything or decides who gets to see what; it must never be asked for one letter at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Select, and_, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from program.forms import Answers
from store.programs import FrozenProgram, frozen_program
from store.tables import (
    AgreementRow,
    AnswerRow,
    Base,
    CohortPersonRow,
    CohortRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    MessageRow,
    ParticipantRow,
    RequestRow,
    TaskRow,
)
from store.waiting import Item

Place = tuple[str, str]
"""(cohort, mentorship)"""

WITH_AGREEMENT = frozenset({"agreement", "agreement_concluded", "agreement_reopened"})
WITH_CLOSURE = frozenset({"farewell"})


@dataclass(slots=True)
class Background:
    """What is known of everything that some items tell of; each field by its natural key."""

    people: dict[str, ParticipantRow] = field(default_factory=dict[str, ParticipantRow])
    cohorts: dict[str, CohortRow] = field(default_factory=dict[str, CohortRow])
    desks: dict[str, list[Place]] = field(default_factory=dict[str, list[Place]])
    """Cohort to (person, role) of those who coordinate it; coordinators before deputies."""
    mentorships: dict[Place, MentorshipRow] = field(default_factory=dict[Place, MentorshipRow])
    seats: dict[Place, list[MembershipRow]] = field(default_factory=dict[Place, list[MembershipRow]])
    """In the order in which they are named everywhere."""
    programs: dict[Place, FrozenProgram] = field(default_factory=dict[Place, FrozenProgram])
    """By (cohort, mentorship)."""
    requests: dict[str, RequestRow] = field(default_factory=dict[str, RequestRow])
    check_ins: dict[Place, list[tuple[int, date]]] = field(default_factory=dict[Place, list[tuple[int, date]]])
    """(number, opened on) of the check-ins so far."""
    agreements: dict[Place, list[AgreementRow]] = field(default_factory=dict[Place, list[AgreementRow]])
    """Versions, oldest first."""
    agreement_requests: dict[tuple[str, str, str], RequestRow] = field(
        default_factory=dict[tuple[str, str, str], RequestRow]
    )
    """(cohort, mentorship, person) to the last request about the agreement."""
    closures: dict[Place, dict[str, Answers]] = field(default_factory=dict[Place, dict[str, Answers]])
    """Person to what they said at closure."""
    tasks: dict[str, TaskRow] = field(default_factory=dict[str, TaskRow])
    threads: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Request to the messages that have carried it, oldest first."""


async def background(session: AsyncSession, items: Collection[Item], people: Iterable[str]) -> Background:
    """Everything that letters with these items to these people may need."""
    found = Background()
    places = {(item.cohort, item.mentorship) for item in items if item.mentorship}
    requests = {item.request for item in items if item.request}
    tasks = {item.task for item in items if item.task}
    for row in await _all(session, _rows(CohortRow).where(CohortRow.id.in_({item.cohort for item in items}))):
        found.cohorts[row.id] = row
    await _read_desks(session, found)
    if places:
        await _read_mentorships(session, found, places)
    if requests:
        for row in await _all(session, _rows(RequestRow).where(RequestRow.key.in_(requests))):
            found.requests[row.key] = row
        await _read_threads(session, found, {item.request for item in items if item.kind == "reminder"})
        await _read_check_ins(session, found)
    if tasks:
        for row in await _all(session, _rows(TaskRow).where(TaskRow.key.in_(tasks))):
            found.tasks[row.key] = row
    if agreed := {(item.cohort, item.mentorship) for item in items if item.name in WITH_AGREEMENT}:
        await _read_agreements(session, found, agreed)
    if closed := {(item.cohort, item.mentorship) for item in items if item.name in WITH_CLOSURE}:
        await _read_closures(session, found, closed)
    await _read_people(session, found, {*people, *(item.about for item in items if item.about)})
    return found


def _rows(table: type[Base]) -> Select[Any]:
    """All columns of a table; what comes back reads like the table's class and is quicker to make."""
    return select(*Base.metadata.tables[table.__tablename__].c)


async def _all(session: AsyncSession, query: Select[Any]) -> list[Any]:
    return list(await session.execute(query))


async def _read_desks(session: AsyncSession, found: Background) -> None:
    rows = await session.execute(
        select(CohortPersonRow.cohort, CohortPersonRow.person, CohortPersonRow.role)
        .where(CohortPersonRow.cohort.in_(found.cohorts))
        .order_by(CohortPersonRow.role, CohortPersonRow.person)
    )
    for cohort, person, role in rows:
        found.desks.setdefault(cohort, []).append((person, role))


async def _read_mentorships(session: AsyncSession, found: Background, places: set[Place]) -> None:
    its_place = tuple_(MentorshipRow.cohort, MentorshipRow.key)
    for row in await _all(session, _rows(MentorshipRow).where(its_place.in_(places))):
        found.mentorships[row.cohort, row.key] = row
        found.programs[row.cohort, row.key] = await frozen_program(session, row.program, row.program_hash)
    seats = (
        _rows(MembershipRow)
        .where(tuple_(MembershipRow.cohort, MembershipRow.mentorship).in_(places))
        .order_by(MembershipRow.position, MembershipRow.person)
    )
    for row in await _all(session, seats):
        found.seats.setdefault((row.cohort, row.mentorship), []).append(row)


async def _read_threads(session: AsyncSession, found: Background, reminded: set[str]) -> None:
    if not reminded:
        return
    rows = await session.execute(
        select(ItemRow.request, MessageRow.id)
        .join(MessageRow, MessageRow.id == ItemRow.message)
        .where(ItemRow.request.in_(reminded), ItemRow.state == "sent")
        .order_by(MessageRow.at, MessageRow.id)
    )
    for request, message in rows:
        thread = found.threads.setdefault(request, [])
        if message not in thread:
            thread.append(message)


async def _read_check_ins(session: AsyncSession, found: Background) -> None:
    places = {(row.cohort, row.mentorship) for row in found.requests.values() if row.ask == "check_in"}
    if not places:
        return
    rows = await session.execute(
        select(RequestRow.cohort, RequestRow.mentorship, RequestRow.number, func.max(RequestRow.opens))
        .where(tuple_(RequestRow.cohort, RequestRow.mentorship).in_(places), RequestRow.ask == "check_in")
        .group_by(RequestRow.cohort, RequestRow.mentorship, RequestRow.number)
        .order_by(RequestRow.number)
    )
    for cohort, mentorship, number, opened in rows:
        found.check_ins.setdefault((cohort, mentorship), []).append((number, opened))


async def _read_agreements(session: AsyncSession, found: Background, places: set[Place]) -> None:
    versions = (
        _rows(AgreementRow)
        .where(tuple_(AgreementRow.cohort, AgreementRow.mentorship).in_(places))
        .order_by(AgreementRow.version)
    )
    for row in await _all(session, versions):
        found.agreements.setdefault((row.cohort, row.mentorship), []).append(row)
    asked = (
        _rows(RequestRow)
        .where(tuple_(RequestRow.cohort, RequestRow.mentorship).in_(places), RequestRow.ask == "agreement")
        .order_by(RequestRow.number)
    )
    for row in await _all(session, asked):
        found.agreement_requests[row.cohort, row.mentorship, row.person] = row


async def _read_closures(session: AsyncSession, found: Background, places: set[Place]) -> None:
    rows = await session.execute(
        select(RequestRow.cohort, RequestRow.mentorship, RequestRow.person, AnswerRow.body)
        .join(AnswerRow, AnswerRow.request == RequestRow.key)
        .where(
            and_(tuple_(RequestRow.cohort, RequestRow.mentorship).in_(places), RequestRow.ask == "closure"),
            RequestRow.state != "withdrawn",
        )
        .order_by(RequestRow.number, AnswerRow.version)
    )
    for cohort, mentorship, person, body in rows:
        found.closures.setdefault((cohort, mentorship), {})[person] = body


async def _read_people(session: AsyncSession, found: Background, people: set[str]) -> None:
    people |= {row.person for seats in found.seats.values() for row in seats}
    people |= {person for desk in found.desks.values() for person, _ in desk}
    people |= {person for task in found.tasks.values() for person in task.about}
    people |= {row.by for versions in found.agreements.values() for row in versions}
    for row in await _all(session, _rows(ParticipantRow).where(ParticipantRow.id.in_(people))):
        found.people[row.id] = row
