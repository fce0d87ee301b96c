"""Reads what the page of a person shows: details, seats, open forms, mails.

It holds names and addresses, for coordinators to read; it must not be passed to Temporal or written to a log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from lifecycle.keys import MentorshipRef
from store.lookups import Lookup, look_up_all
from store.tables import (
    AddressChangeRow,
    CohortPersonRow,
    CohortRow,
    MembershipRow,
    MentorshipRow,
    MessageRow,
    ParticipantRow,
    RequestRow,
    SuppressionRow,
)


@dataclass(frozen=True, slots=True)
class MailLine:
    """A mail in a list."""

    id: str
    at: datetime
    subject: str
    state: str
    bounce: str
    error: str
    cohort: str


@dataclass(frozen=True, slots=True)
class OpenForm:
    """A form that is open for a person."""

    cohort: str
    mentorship: str
    ask: str
    number: int
    opens: date
    closes: date
    mails: int


@dataclass(frozen=True, slots=True)
class PersonSeat:
    """A seat that a person has or had."""

    cohort: str
    title: str
    mentorship: str
    role: str
    standing: str
    phase: str
    state: str
    ending: str
    start: date
    end: date
    partners: tuple[tuple[str, str], ...]
    """(id, name)."""


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A person as the store has them."""

    id: str
    name: str
    email: str
    zone: str
    language: str
    standing: str
    reminders_stopped: bool
    generation: int
    coordinates: tuple[tuple[str, str], ...]
    """(cohort, role) of the cohorts that they coordinate."""
    refused: tuple[tuple[str, str, datetime], ...]
    """(address, reason, when) of addresses of theirs that refuse mail."""
    new_address: tuple[str, datetime] | None
    """An address that waits to be confirmed, and until when."""


async def person_facts(session: AsyncSession, person: str) -> tuple[PersonFacts | None, list[PersonSeat]]:
    """A person with every seat that they have or had, those that run first; in one statement. None where there is no
    such person."""
    rows, roles, refused, changes, seats, partners = await look_up_all(session, *_details(person), *_seats(person))
    row = next(iter(rows), None)
    if row is None:
        return None, []
    change = next(((change.email, change.lapses_at) for change in changes), None)
    facts = PersonFacts(
        row.id, row.name, row.email, row.zone, row.language, row.standing, row.reminders_stopped, row.generation,
        tuple((role.cohort, role.role) for role in roles),
        tuple((line.email, line.reason, line.at) for line in refused),
        change,
    )  # fmt: skip
    found = [
        PersonSeat(
            seat.cohort, seat.title, seat.mentorship, seat.role, seat.standing, seat.phase, seat.state, seat.ending,
            seat.start, seat.end, tuple(partners[seat.cohort, seat.mentorship]),
        )
        for seat in seats
    ]  # fmt: skip
    return facts, sorted(found, key=lambda seat: (seat.state == "over", seat.standing == "out"))


def _details(person: str) -> Sequence[Lookup[Sequence[Any]]]:
    row = select(
        ParticipantRow.id, ParticipantRow.name, ParticipantRow.email, ParticipantRow.zone, ParticipantRow.language,
        ParticipantRow.standing, ParticipantRow.reminders_stopped, ParticipantRow.generation,
    ).where(ParticipantRow.id == person)  # fmt: skip
    roles = (
        select(CohortPersonRow.cohort, CohortPersonRow.role)
        .where(CohortPersonRow.person == person)
        .order_by(CohortPersonRow.cohort)
    )
    email = select(ParticipantRow.email).where(ParticipantRow.id == person).scalar_subquery()
    refused = (
        select(SuppressionRow.email, SuppressionRow.reason, SuppressionRow.at)
        .where(or_(SuppressionRow.person == person, SuppressionRow.email == email))
        .order_by(SuppressionRow.at)
    )
    change = (
        select(AddressChangeRow.email, AddressChangeRow.lapses_at)
        .where(AddressChangeRow.person == person, AddressChangeRow.state == "pending")
        .order_by(AddressChangeRow.asked_at.desc())
        .limit(1)
    )
    return [Lookup(query, list[Any]) for query in (row, roles, refused, change)]


def _seats(person: str) -> tuple[Lookup[Sequence[Any]], Lookup[dict[MentorshipRef, list[tuple[str, str]]]]]:
    """The seats of a person, and by mentorship the (id, name) of those who share it."""
    seats = (
        select(
            MembershipRow.cohort, CohortRow.title, MembershipRow.mentorship, MembershipRow.role,
            MembershipRow.standing, MentorshipRow.phase, MentorshipRow.state, MentorshipRow.ending,
            MentorshipRow.start, MentorshipRow.end,
        )
        .join(
            MentorshipRow,
            (MentorshipRow.cohort == MembershipRow.cohort) & (MentorshipRow.key == MembershipRow.mentorship),
        )
        .join(CohortRow, CohortRow.id == MembershipRow.cohort)
        .where(MembershipRow.person == person)
        .order_by(MentorshipRow.start.desc(), MentorshipRow.cohort, MentorshipRow.key)
    )  # fmt: skip
    own = aliased(MembershipRow)
    partners = (
        select(MembershipRow.cohort, MembershipRow.mentorship, ParticipantRow.id, ParticipantRow.name)
        .join(own, and_(own.cohort == MembershipRow.cohort, own.mentorship == MembershipRow.mentorship))
        .join(ParticipantRow, ParticipantRow.id == MembershipRow.person)
        .where(own.person == person, MembershipRow.person != person)
        .order_by(MembershipRow.position, MembershipRow.person)
    )

    def by_mentorship(rows: Sequence[Any]) -> dict[MentorshipRef, list[tuple[str, str]]]:
        found: dict[MentorshipRef, list[tuple[str, str]]] = defaultdict(list)
        for cohort, key, id_, name in rows:
            found[cohort, key].append((id_, name))
        return found

    return Lookup(seats, list[Any]), Lookup(partners, by_mentorship)


def open_forms(person: str) -> Lookup[list[OpenForm]]:
    """The forms that are open for a person, the first to close first."""
    query = (
        select(
            RequestRow.cohort, RequestRow.mentorship, RequestRow.ask, RequestRow.number, RequestRow.opens,
            RequestRow.closes, RequestRow.mails,
        )
        .where(RequestRow.person == person, RequestRow.state == "open")
        .order_by(RequestRow.closes, RequestRow.key)
    )  # fmt: skip
    return Lookup(query, lambda rows: [OpenForm(*row) for row in rows])


def mails_to(person: str, most: int) -> Lookup[list[MailLine]]:
    """The mails to a person, the latest first, at most so many."""
    query = (
        select(
            MessageRow.id, MessageRow.at, MessageRow.subject, MessageRow.state, MessageRow.bounce, MessageRow.error,
            MessageRow.cohort,
        )
        .where(MessageRow.person == person)
        .order_by(MessageRow.at.desc(), MessageRow.id)
        .limit(most)
    )  # fmt: skip
    return Lookup(query, lambda rows: [MailLine(*row) for row in rows])


def ids_of_mails_to(person: str, most: int) -> Select[str]:
    """The ids of the same mails."""
    latest = mails_to(person, most).query.subquery()
    return select(latest.c.id)
