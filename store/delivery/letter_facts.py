"""Reads what letters tell of, for many letters at once: people, cohorts, mentorships, requests, documents, tasks.

Nothing here words anything or decides who gets to see what; it must never be asked for one letter at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Select, bindparam, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.delivery.messages import MESSAGE
from lifecycle.delivery.postbox import ALONE
from lifecycle.keys import MentorshipRef
from mail.own_templates import OwnTemplates
from program.forms import Answers
from store.cohorts import calls, mail_templates
from store.cohorts.calls import Call
from store.columns import bare
from store.delivery.due import Item
from store.operations_log import cancelled_by, reason_of
from store.people import applications
from store.people.applications import CALLED_OFF, OF_APPLICATIONS, Application
from store.prepared import Prepared
from store.programs import FrozenProgram, asked_with, frozen_program
from store.tables import (
    AddressChangeRow,
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
    WrittenMessageRow,
)

WITH_AGREEMENT = frozenset({"agreement", "agreement_concluded", "agreement_reopened"})
WITH_CLOSURE = frozenset({"farewell"})


@dataclass(slots=True)
class Background:
    """What is known of everything that some items tell of; each field by its natural key."""

    people: dict[str, ParticipantRow] = field(default_factory=dict[str, ParticipantRow])
    cohorts: dict[str, CohortRow] = field(default_factory=dict[str, CohortRow])
    own_templates: dict[str, OwnTemplates] = field(default_factory=dict[str, OwnTemplates])
    """Cohort to its own mail templates, of those that have some."""
    deciders: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])
    """Cohort to (person, role) of those who coordinate it; coordinators before deputies."""
    mentorships: dict[MentorshipRef, MentorshipRow] = field(default_factory=dict[MentorshipRef, MentorshipRow])
    seats: dict[MentorshipRef, list[MembershipRow]] = field(default_factory=dict[MentorshipRef, list[MembershipRow]])
    """In the order in which they are named everywhere."""
    programs: dict[MentorshipRef, FrozenProgram] = field(default_factory=dict[MentorshipRef, FrozenProgram])
    """By (cohort, mentorship)."""
    requests: dict[str, RequestRow] = field(default_factory=dict[str, RequestRow])
    asked: dict[str, FrozenProgram] = field(default_factory=dict[str, FrozenProgram])
    """Request to the version of the program whose form it asks."""
    check_ins: dict[MentorshipRef, list[tuple[int, date]]] = field(
        default_factory=dict[MentorshipRef, list[tuple[int, date]]]
    )
    """(number, opened on) of the check-ins so far."""
    agreements: dict[MentorshipRef, list[AgreementRow]] = field(
        default_factory=dict[MentorshipRef, list[AgreementRow]]
    )
    """Versions, oldest first."""
    agreement_requests: dict[tuple[str, str, str], RequestRow] = field(
        default_factory=dict[tuple[str, str, str], RequestRow]
    )
    """(cohort, mentorship, person) to the last request about the agreement."""
    closures: dict[MentorshipRef, dict[str, Answers]] = field(default_factory=dict[MentorshipRef, dict[str, Answers]])
    """Person to what they said at closure."""
    closed_with: dict[MentorshipRef, FrozenProgram] = field(default_factory=dict[MentorshipRef, FrozenProgram])
    """The version of the program whose closure form was asked."""
    tasks: dict[str, TaskRow] = field(default_factory=dict[str, TaskRow])
    address_changes: dict[str, AddressChangeRow] = field(default_factory=dict[str, AddressChangeRow])
    applications: dict[str, Application] = field(default_factory=dict[str, Application])
    calls: dict[str, Call] = field(default_factory=dict[str, Call])
    reasons: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Key of an invitation to why its reader was chosen, where they came in the place of another."""
    cancelled_why: dict[str, str] = field(default_factory=dict[str, str])
    """Cohort to why it was cancelled, where somebody who applied is told."""
    """Cohort to its open call, of those of which a letter tells."""
    messages: dict[str, WrittenMessageRow] = field(default_factory=dict[str, WrittenMessageRow])
    """Messages of coordinators, by id."""
    threads: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Request to the messages that have carried it, oldest first."""


async def background(session: AsyncSession, items: Collection[Item], people: Iterable[str]) -> Background:
    """Everything that letters with these items to these people may need."""
    facts = Background()
    cohorts = {item.cohort for item in items}
    for row in await _read(session, COHORTS, cohorts):
        facts.cohorts[row.id] = row
        if row.mails:
            facts.own_templates[row.id] = await mail_templates.known(session, row.mails)
    for cohort, person, role in await _read(session, DECIDERS, cohorts):
        facts.deciders.setdefault(cohort, []).append((person, role))
    await _read_mentorships(session, facts, {(item.cohort, item.mentorship) for item in items if item.mentorship})
    await _read_requests(session, facts, items)
    for row in await _read(session, TASKS, {item.task for item in items if item.task}):
        facts.tasks[row.key] = row
    agreed = {(item.cohort, item.mentorship) for item in items if item.name in WITH_AGREEMENT}
    for row in await _read(session, AGREEMENTS, agreed):
        facts.agreements.setdefault((row.cohort, row.mentorship), []).append(row)
    for row in await _read(session, AGREEMENT_REQUESTS, agreed):
        facts.agreement_requests[row.cohort, row.mentorship, row.person] = row
        facts.asked[row.key] = await _asked(session, facts, row)
    closed = {(item.cohort, item.mentorship) for item in items if item.name in WITH_CLOSURE}
    for row in await _read(session, CLOSURES, closed):
        ref = (row.cohort, row.mentorship)
        facts.closures.setdefault(ref, {})[row.person] = row.body
        facts.closed_with[ref] = await _asked(session, facts, row)
    for row in await _read(session, ADDRESS_CHANGES, {item.about for item in items if item.name in ALONE}):
        facts.address_changes[row.id] = row
    await _read_applications(session, facts, {item.about for item in items if item.name in OF_APPLICATIONS})
    for cohort in {item.cohort for item in items if item.name == CALLED_OFF}:
        facts.cancelled_why[cohort] = await reason_of(session, cancelled_by(cohort))
    for row in await _read(session, MESSAGES, {item.about for item in items if item.name == MESSAGE}):
        facts.messages[row.id] = row
    concerned = {*people, *(item.about for item in items if item.about)}
    for row in await _read(session, PEOPLE, concerned | set(_named(facts))):
        facts.people[row.id] = row
    return facts


async def _read(session: AsyncSession, statement: Prepared, keys: Collection[Any]) -> Sequence[Any]:
    return await statement.all(session, {"keys": list(keys)}) if keys else ()


async def _read_mentorships(session: AsyncSession, facts: Background, places: set[MentorshipRef]) -> None:
    for row in await _read(session, MENTORSHIPS, places):
        facts.mentorships[row.cohort, row.key] = row
        facts.programs[row.cohort, row.key] = await frozen_program(session, row.program, row.program_hash)
    for row in await _read(session, SEATS, places):
        facts.seats.setdefault((row.cohort, row.mentorship), []).append(row)


async def _read_applications(session: AsyncSession, facts: Background, ids: set[str]) -> None:
    if not ids:
        return
    facts.applications = {found.id: found for found in await applications.several(session, ids)}
    for cohort in {found.cohort for found in facts.applications.values()}:
        if (call := await calls.find(session, cohort)) is not None:
            facts.calls[cohort] = call


async def _asked(session: AsyncSession, facts: Background, row: Any) -> FrozenProgram:
    """The version of the program with which a request was asked: its form stays, also where the program went on."""
    return await asked_with(session, facts.programs[row.cohort, row.mentorship], row.program_hash)


async def _read_requests(session: AsyncSession, facts: Background, items: Collection[Item]) -> None:
    for row in await _read(session, REQUESTS, {item.request for item in items if item.request}):
        facts.requests[row.key] = row
        facts.asked[row.key] = await _asked(session, facts, row)
    for request, message in await _read(
        session, THREADS, {item.request for item in items if item.kind == "reminder"}
    ):
        thread = facts.threads.setdefault(request, [])
        if message not in thread:
            thread.append(message)
    places = {(row.cohort, row.mentorship) for row in facts.requests.values() if row.ask == "check_in"}
    for cohort, mentorship, number, opened in await _read(session, CHECK_INS, places):
        facts.check_ins.setdefault((cohort, mentorship), []).append((number, opened))


def _named(facts: Background) -> Iterator[str]:
    """Everybody whose name may have to be said."""
    for seats in facts.seats.values():
        yield from (seat.person for seat in seats)
    for staff in facts.deciders.values():
        yield from (person for person, _ in staff)
    for task in facts.tasks.values():
        yield from task.about
    for message in facts.messages.values():
        yield message.by
    for versions in facts.agreements.values():
        yield from (version.by for version in versions)


# -- the statements: prepared once, for building them costs more than running them ---------------------------------

KEYS = bindparam("keys", expanding=True)


def _named_columns(table: type[Base], names: str) -> Select[*tuple[Any, ...]]:
    """These columns of a table: what a letter needs, for some rows are large."""
    return select(*(bare(table).c[name] for name in names.split()))


COHORTS = Prepared(_named_columns(CohortRow, "id title organisation zone mails").where(CohortRow.id.in_(KEYS)))
DECIDERS = Prepared(
    select(CohortPersonRow.cohort, CohortPersonRow.person, CohortPersonRow.role)
    .where(CohortPersonRow.cohort.in_(KEYS))
    .order_by(CohortPersonRow.role, CohortPersonRow.person)
)
MENTORSHIPS = Prepared(
    _named_columns(
        MentorshipRow, "cohort key program program_hash format start end phase ending proposed because"
    ).where(tuple_(MentorshipRow.cohort, MentorshipRow.key).in_(KEYS))
)
SEATS = Prepared(
    _named_columns(MembershipRow, "cohort mentorship person role standing")
    .where(tuple_(MembershipRow.cohort, MembershipRow.mentorship).in_(KEYS))
    .order_by(MembershipRow.position, MembershipRow.person)
)
_REQUESTS = _named_columns(
    RequestRow, "key public_id generation cohort mentorship ask number person early closes program_hash"
)
REQUESTS = Prepared(_REQUESTS.where(RequestRow.key.in_(KEYS)))
THREADS = Prepared(
    select(ItemRow.request, MessageRow.id)
    .join(MessageRow, MessageRow.id == ItemRow.message)
    .where(ItemRow.request.in_(KEYS), ItemRow.state == "sent")
    .order_by(MessageRow.at, MessageRow.id)
)
CHECK_INS = Prepared(
    select(RequestRow.cohort, RequestRow.mentorship, RequestRow.number, func.max(RequestRow.opens))
    .where(tuple_(RequestRow.cohort, RequestRow.mentorship).in_(KEYS), RequestRow.ask == "check_in")
    .group_by(RequestRow.cohort, RequestRow.mentorship, RequestRow.number)
    .order_by(RequestRow.number)
)
TASKS = Prepared(
    _named_columns(TaskRow, "key kind reason due opened_on decisions about").where(TaskRow.key.in_(KEYS))
)
AGREEMENTS = Prepared(
    _named_columns(AgreementRow, "cohort mentorship version by body signed")
    .where(tuple_(AgreementRow.cohort, AgreementRow.mentorship).in_(KEYS))
    .order_by(AgreementRow.version)
)
AGREEMENT_REQUESTS = Prepared(
    _REQUESTS.where(
        tuple_(RequestRow.cohort, RequestRow.mentorship).in_(KEYS), RequestRow.ask == "agreement"
    ).order_by(RequestRow.number)
)
CLOSURES = Prepared(
    select(RequestRow.cohort, RequestRow.mentorship, RequestRow.person, RequestRow.program_hash, AnswerRow.body)
    .join(AnswerRow, AnswerRow.request == RequestRow.key)
    .where(
        tuple_(RequestRow.cohort, RequestRow.mentorship).in_(KEYS),
        RequestRow.ask == "closure",
        RequestRow.state != "withdrawn",
    )
    .order_by(RequestRow.number, AnswerRow.version)
)
ADDRESS_CHANGES = Prepared(
    _named_columns(AddressChangeRow, "id email lapses_at").where(AddressChangeRow.id.in_(KEYS))
)
MESSAGES = Prepared(_named_columns(WrittenMessageRow, "id by subject text").where(WrittenMessageRow.id.in_(KEYS)))
PEOPLE = Prepared(
    _named_columns(ParticipantRow, "id name email zone language profile standing generation").where(
        ParticipantRow.id.in_(KEYS)
    )
)
