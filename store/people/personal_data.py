"""Exports all personal data of one person, for that person to read and download.

Must not hold answers of other people, nor what coordinators wrote about others: only the person's own texts, the
record and the notes about them, and the documents that they wrote or signed together with others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

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
        "former_names": [
            {"what": each.field, "value": each.value, "until": each.until.isoformat()}
            for each in await former_names.of_person(session, person)
        ],
        "mentorships": [_mentorship(seat) for seat in seats],
        "answers": await _answers(session, person),
        "applications": await _applications(session, person),
        "drafts": await _drafts(session, person),
        "agreements": await _agreements(session, person),
        "absences": await _absences(session, person),
        "joint_sheets": await _joint_sheets(session, person),
        "mails": await _mails(session, person),
        "refused_addresses": await _refused(session, person),
        "new_addresses": await _new_addresses(session, person),
        "record": await _record(session, person),
        "asked_for": await _operations(session, person),
        "notes": await _notes(session, person),
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


async def _answers(session: AsyncSession, person: str) -> list[PersonalData]:
    """Every version of every answer that they gave, oldest first."""
    rows = await session.execute(
        select(AnswerRow, RequestRow.cohort, RequestRow.mentorship, RequestRow.number)
        .join(RequestRow, RequestRow.key == AnswerRow.request)
        .where(AnswerRow.person == person)
        .order_by(AnswerRow.id)
    )
    return [
        {
            "cohort": cohort,
            "mentorship": mentorship,
            "form": answer.form,
            "number": number,
            "form_version": answer.form_version,
            "version": answer.version,
            "at": answer.at.isoformat(),
            "late": answer.late,
            "answers": answer.body,
        }
        for answer, cohort, mentorship, number in rows
    ]


async def _drafts(session: AsyncSession, person: str) -> list[PersonalData]:
    rows = await session.execute(
        select(DraftRow, RequestRow.cohort, RequestRow.mentorship, RequestRow.ask)
        .join(RequestRow, RequestRow.key == DraftRow.request)
        .where(RequestRow.person == person)
        .order_by(DraftRow.request)
    )
    return [
        {"cohort": cohort, "mentorship": mentorship, "form": ask, "at": draft.at.isoformat(), "fields": draft.body}
        for draft, cohort, mentorship, ask in rows
    ]


async def _agreements(session: AsyncSession, person: str) -> list[PersonalData]:
    """The versions that they wrote or signed: the document that they share with the others."""
    rows = await session.scalars(
        select(AgreementRow)
        .join(
            MembershipRow,
            (MembershipRow.cohort == AgreementRow.cohort) & (MembershipRow.mentorship == AgreementRow.mentorship),
        )
        .where(MembershipRow.person == person)
        .order_by(AgreementRow.cohort, AgreementRow.mentorship, AgreementRow.version)
    )
    return [
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
    ]


async def _absences(session: AsyncSession, person: str) -> list[PersonalData]:
    """When they said that they are away, on which form."""
    return [
        {
            "cohort": absence.cohort,
            "mentorship": absence.mentorship,
            "form": absence.ask,
            "from": absence.first.isoformat(),
            "to": absence.last.isoformat(),
            "at": absence.at.isoformat(),
        }
        for absence in await absences.listed(session, person=person)
    ]


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


async def _mails(session: AsyncSession, person: str) -> list[PersonalData]:
    rows = await session.scalars(
        select(MessageRow).where(MessageRow.person == person).order_by(MessageRow.at, MessageRow.id)
    )
    return [
        {"at": row.at.isoformat(), "to": row.recipient, "subject": row.subject, "state": row.state} for row in rows
    ]


async def _refused(session: AsyncSession, person: str) -> list[PersonalData]:
    rows = await session.scalars(select(SuppressionRow).where(SuppressionRow.person == person))
    return [{"address": row.email, "at": row.at.isoformat()} for row in rows]


async def _new_addresses(session: AsyncSession, person: str) -> list[PersonalData]:
    """Every other address that was asked for on their page, and what came of it."""
    rows = await session.scalars(
        select(AddressChangeRow).where(AddressChangeRow.person == person).order_by(AddressChangeRow.asked_at)
    )
    return [
        {
            "address": row.email,
            "asked_at": row.asked_at.isoformat(),
            "confirmed_from_the_old_address": row.old_at.isoformat() if row.old_at else None,
            "confirmed_from_the_new_address": row.new_at.isoformat() if row.new_at else None,
            "state": row.state,
        }
        for row in rows
    ]


async def _record(session: AsyncSession, person: str) -> list[PersonalData]:
    """Lines about them. Reasons only where they are their own words."""
    rows = await session.scalars(
        select(EventRow).where(EventRow.person == person, EventRow.name != "dropped").order_by(EventRow.id)
    )
    return [_line(row.at.isoformat(), row.name, row, {"detail": row.detail}, person) for row in rows]


async def _operations(session: AsyncSession, person: str) -> list[PersonalData]:
    rows = await session.scalars(
        select(OperationRow)
        .where(OperationRow.id.startswith(f"own/{person}/"), OperationRow.cohort != "")
        .order_by(OperationRow.at, OperationRow.id)
    )
    return [_line(row.at.isoformat(), row.kind, row, row.detail, person) for row in rows]


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


async def _notes(session: AsyncSession, person: str) -> list[PersonalData]:
    """What coordinators noted about them, and about their mentorships as a whole."""
    return [
        {
            "at": note.at.isoformat(),
            "cohort": note.cohort,
            "mentorship": note.mentorship,
            "about": "you" if note.person else "the mentorship",
            "text": note.text,
        }
        for note in await notes.about(session, person)
    ]


def _line(at: str, what: str, row: EventRow | OperationRow, detail: Mapping[str, Any], person: str) -> PersonalData:
    own_words = row.why if row.by == person else ""
    kept: Iterable[tuple[str, Any]] = (*detail.items(), ("your_words", own_words))
    return {"at": at, "what": what, "cohort": row.cohort, "mentorship": row.mentorship} | {
        name: value for name, value in kept if value
    }
