"""Exports all personal data of one person, for that person to read and download.

Must not hold answers of other people, nor what coordinators wrote about others: only the person's own texts, the
record and the notes about them, and the documents that they wrote or signed together with others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from store.lookups import Lookup, look_up_all
from store.people import absences, applications, former_names, joint_sheet, notes, own_page, voices
from store.people.own_page import OwnMentorship
from store.tables import (
    AddressChangeRow,
    AgreementRow,
    AnswerRow,
    DraftRow,
    EventRow,
    MembershipRow,
    MessageRow,
    OperationRow,
    ParticipantRow,
    RequestRow,
    SuppressionRow,
)

PersonalData = dict[str, Any]
"""Plain values that JSON knows; instants and dates are ISO 8601."""


async def personal_data(session: AsyncSession, person: str) -> PersonalData:
    """All that is held on this person. Raises NoResultFound where there is no such person."""
    row = await session.get_one(ParticipantRow, person)
    seats = await own_page.seats(session, person)
    held = (
        _former_names(person), _answers(person), _drafts(person), _agreements(person), _absences(person),
        _mails(person), _refused(person), _new_addresses(person), _record(person), _operations(person),
        _notes(person),
    )  # fmt: skip
    names, answers, drafts, agreements, away, mails, refused, new, record, asked_for, about = await look_up_all(
        session, *held
    )
    return {
        "person": {
            "id": row.id,
            "name": row.name,
            "email": row.email,
            "zone": row.zone,
            "language": row.language,
            "profile": dict(row.profile),
            "mail_reaches_you": row.standing != "bounced",
            "reminders_stopped": row.reminders_stopped,
        },
        "former_names": names,
        "mentorships": [_mentorship(seat) for seat in seats],
        "answers": answers,
        "applications": await _applications(session, person),
        "drafts": drafts,
        "agreements": agreements,
        "absences": away,
        "joint_sheets": await _joint_sheets(session, person),
        "mails": mails,
        "refused_addresses": refused,
        "new_addresses": new,
        "record": record,
        "asked_for": asked_for,
        "notes": about,
        "voices": await _voices(session, person),
    }


def _mentorship(seat: OwnMentorship) -> PersonalData:
    return {
        "cohort": seat.cohort,
        "cohort_title": seat.cohort_title,
        "mentorship": seat.mentorship,
        "program": seat.program_title,
        "format": seat.format,
        "role": seat.role,
        "standing": seat.standing,
        "state": seat.state,
        "phase": seat.phase,
        "partners": list(seat.partners),
        "start": seat.start.isoformat(),
        "end": seat.end.isoformat(),
        "ended_on": seat.ended_on.isoformat() if seat.ended_on else None,
        "paused_until": seat.paused_until or None,
        "pause_ahead": seat.pause_ahead or None,
        "forms": [
            {
                "form": form.ask,
                "number": form.number,
                "opened": form.opens.isoformat(),
                "closes": form.closes.isoformat(),
                "state": form.state,
                "answered_at": form.answered_at.isoformat() if form.answered_at else None,
            }
            for form in seat.asked
        ],
    }


async def _applications(session: AsyncSession, person: str) -> list[PersonalData]:
    """What they wrote in applications to open calls, and whom they wish for, by id."""
    return [
        {
            "cohort": application.cohort,
            "state": application.state,
            "role": application.role,
            "name": application.name,
            "at": application.at.isoformat(),
            "confirmed_at": application.confirmed_at.isoformat() if application.confirmed_at else None,
            "answers": application.body,
            "wishes": list(application.wishes),
            "would_take": list(application.would_take),
        }
        for application in await applications.of_person(session, person)
    ]


def _former_names(person: str) -> Lookup[list[PersonalData]]:
    return _lookup(
        former_names.names_of(person),
        lambda row: {"what": row.field, "value": row.value, "until": row.until.isoformat()},
    )


def _answers(person: str) -> Lookup[list[PersonalData]]:
    """Every version of every answer that they gave, oldest first."""
    query = (
        select(
            RequestRow.cohort, RequestRow.mentorship, RequestRow.number, AnswerRow.form, AnswerRow.form_version,
            AnswerRow.version, AnswerRow.at, AnswerRow.late, AnswerRow.body,
        )
        .join(RequestRow, RequestRow.key == AnswerRow.request)
        .where(RequestRow.person == person, AnswerRow.person == person)
        .order_by(AnswerRow.id)
    )  # fmt: skip
    return _lookup(
        query,
        lambda row: {
            "cohort": row.cohort,
            "mentorship": row.mentorship,
            "form": row.form,
            "number": row.number,
            "form_version": row.form_version,
            "version": row.version,
            "at": row.at.isoformat(),
            "late": row.late,
            "answers": row.body,
        },
    )


def _drafts(person: str) -> Lookup[list[PersonalData]]:
    query = (
        select(RequestRow.cohort, RequestRow.mentorship, RequestRow.ask, DraftRow.at, DraftRow.body)
        .join(RequestRow, RequestRow.key == DraftRow.request)
        .where(RequestRow.person == person)
        .order_by(DraftRow.request)
    )
    return _lookup(
        query,
        lambda row: {
            "cohort": row.cohort,
            "mentorship": row.mentorship,
            "form": row.ask,
            "at": row.at.isoformat(),
            "fields": row.body,
        },
    )


def _agreements(person: str) -> Lookup[list[PersonalData]]:
    """The versions that they wrote or signed: the document that they share with the others."""
    query = (
        select(
            AgreementRow.cohort, AgreementRow.mentorship, AgreementRow.version, AgreementRow.at, AgreementRow.by,
            AgreementRow.signed, AgreementRow.body,
        )
        .join(
            MembershipRow,
            (MembershipRow.cohort == AgreementRow.cohort) & (MembershipRow.mentorship == AgreementRow.mentorship),
        )
        .where(MembershipRow.person == person)
        .order_by(AgreementRow.cohort, AgreementRow.mentorship, AgreementRow.version)
    )  # fmt: skip
    return Lookup(
        query,
        lambda rows: [
            {
                "cohort": row.cohort,
                "mentorship": row.mentorship,
                "version": row.version,
                "at": row.at.isoformat(),
                "written_by_you": row.by == person,
                "your_signature": row.signed.get(person),
                "text": row.body,
            }
            for row in rows
            if person in (row.by, *row.signed)
        ],
    )


def _absences(person: str) -> Lookup[list[PersonalData]]:
    """When they said that they are away, on which form."""
    return _lookup(
        absences.stated(person=person).query,
        lambda row: {
            "cohort": row.cohort,
            "mentorship": row.mentorship,
            "form": row.ask,
            "from": row.first_day.isoformat(),
            "to": row.last_day.isoformat(),
            "at": row.at.isoformat(),
        },
    )


async def _joint_sheets(session: AsyncSession, person: str) -> list[PersonalData]:
    """Which answers of theirs others see, since when, and who these are."""
    found: list[PersonalData] = []
    for cohort, mentorship in await joint_sheet.places(session, person):
        sheet = await joint_sheet.find(session, person, cohort, mentorship)
        if sheet is None:
            continue
        own = next((side for side in sheet.sides if side.person == person), None)
        joint = {question.id for question in own.form.questions if question.joint} if own else set[str]()
        found.append(
            {
                "cohort": cohort,
                "mentorship": mentorship,
                "number": sheet.number,
                "at": sheet.at.isoformat(),
                "shared_with": [side.name for side in sheet.sides if side.person != person],
                "your_answers": {id_: answer for id_, answer in own.body.items() if id_ in joint} if own else {},
            }
        )
    return found


def _mails(person: str) -> Lookup[list[PersonalData]]:
    query = (
        select(MessageRow.at, MessageRow.recipient, MessageRow.subject, MessageRow.state)
        .where(MessageRow.person == person)
        .order_by(MessageRow.at, MessageRow.id)
    )
    return _lookup(
        query,
        lambda row: {
            "at": row.at.isoformat(),
            "to": row.recipient,
            "subject": row.subject,
            "state": row.state,
        },
    )


def _refused(person: str) -> Lookup[list[PersonalData]]:
    query = select(SuppressionRow.email, SuppressionRow.at).where(SuppressionRow.person == person)
    return _lookup(query, lambda row: {"address": row.email, "at": row.at.isoformat()})


def _new_addresses(person: str) -> Lookup[list[PersonalData]]:
    """Every other address that was asked for on their page, and what came of it."""
    query = (
        select(
            AddressChangeRow.email, AddressChangeRow.asked_at, AddressChangeRow.old_at, AddressChangeRow.new_at,
            AddressChangeRow.state,
        )
        .where(AddressChangeRow.person == person)
        .order_by(AddressChangeRow.asked_at)
    )  # fmt: skip
    return _lookup(
        query,
        lambda row: {
            "address": row.email,
            "asked_at": row.asked_at.isoformat(),
            "confirmed_from_the_old_address": row.old_at.isoformat() if row.old_at else None,
            "confirmed_from_the_new_address": row.new_at.isoformat() if row.new_at else None,
            "state": row.state,
        },
    )


def _record(person: str) -> Lookup[list[PersonalData]]:
    """Lines about them. Reasons only where they are their own words."""
    query = (
        select(
            EventRow.at, EventRow.name, EventRow.cohort, EventRow.mentorship, EventRow.by, EventRow.why,
            EventRow.detail,
        )
        .where(EventRow.person == person, EventRow.name != "dropped")
        .order_by(EventRow.id)
    )  # fmt: skip
    return _lookup(query, lambda row: _line(row.at.isoformat(), row.name, row, {"detail": row.detail}, person))


def _operations(person: str) -> Lookup[list[PersonalData]]:
    query = (
        select(
            OperationRow.at, OperationRow.kind, OperationRow.cohort, OperationRow.mentorship, OperationRow.by,
            OperationRow.why, OperationRow.detail,
        )
        .where(OperationRow.id.startswith(f"own/{person}/"), OperationRow.cohort != "")
        .order_by(OperationRow.at, OperationRow.id)
    )  # fmt: skip
    return _lookup(query, lambda row: _line(row.at.isoformat(), row.kind, row, row.detail, person))


async def _voices(session: AsyncSession, person: str) -> list[PersonalData]:
    """Words of theirs that may be shown, or in which they are named, what they said to it, and where it was shown."""
    found: list[PersonalData] = []
    for voice in await voices.with_person(session, person):
        consent = voice.consent_of(person)
        found.append(
            {
                "text": voice.text,
                "yours": voice.person == person,
                "uses": list(voice.uses),
                "asked_at": voice.asked_at.isoformat(),
                "your_answer": consent.answer if consent else "",
                "until": consent.until.isoformat() if consent and consent.until else None,
                "shown_in": list(voice.places),
            }
        )
    return found


def _notes(person: str) -> Lookup[list[PersonalData]]:
    """What coordinators noted about them, and about their mentorships as a whole."""
    return _lookup(
        notes.about(person),
        lambda row: {
            "at": row.at.isoformat(),
            "cohort": row.cohort,
            "mentorship": row.mentorship,
            "about": "you" if row.person else "the mentorship",
            "text": row.text,
        },
    )


def _lookup(query: Select[*tuple[Any, ...]], entry: Callable[[Any], PersonalData]) -> Lookup[list[PersonalData]]:
    return Lookup(query, lambda rows: [entry(row) for row in rows])


def _line(at: str, what: str, row: Any, detail: Mapping[str, Any], person: str) -> PersonalData:
    own_words = row.why if row.by == person else ""
    kept: Iterable[tuple[str, Any]] = (*detail.items(), ("your_words", own_words))
    return {"at": at, "what": what, "cohort": row.cohort, "mentorship": row.mentorship} | {
        name: value for name, value in kept if value
    }
