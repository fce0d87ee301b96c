"""The rows of a cohort's report as of the end of a day: ids, dates and answers, in one statement a table.

Reads only. What came after that day is left out, and so are names, addresses and what coordinators wrote.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from reports.rows import (
    AnswerFacts,
    ApplicationFacts,
    MailFacts,
    MentorshipFacts,
    RequestFacts,
    Season,
    SeatFacts,
    TaskFacts,
    rhythm_days,
)
from store.programs import FrozenProgram, frozen_program
from store.reports.ledger import WENT_OUT
from store.tables import (
    AgreementRow,
    AnswerRow,
    ApplicationRow,
    CohortRow,
    EventRow,
    ItemRow,
    MembershipRow,
    MentorshipRow,
    MessageRow,
    OutcomeRow,
    RequestRow,
    TaskRow,
)

GONE = ("withdrawn", "superseded")


async def season_rows(session: AsyncSession, cohort: str, as_of: date, until: datetime) -> Season | None:
    """The rows of a cohort; None where there is none of this id.

    `as_of` is a date of the cohort's zone, `until` the instant (UTC) at which it has ended.
    """
    row = await session.get(CohortRow, cohort)
    if row is None:
        return None
    programs = await _programs(session, cohort)
    mentorships = await _mentorships(session, cohort, as_of, until, programs)
    requests, answers = await _answers(session, cohort, as_of, until, programs)
    titles = {one.program for one in mentorships}
    return Season(
        cohort=cohort,
        title=row.title,
        organisation=row.organisation,
        programs=tuple(sorted(titles)),
        start=row.start,
        as_of=as_of,
        state=row.state,
        mentorships=tuple(mentorships),
        seats=await _seats(session, cohort, {one.key for one in mentorships}),
        requests=tuple(requests),
        answers=tuple(answers),
        tasks=await _tasks(session, cohort, as_of),
        mails=await _mails(session, cohort, until),
        applications=await _applications(session, cohort, until),
    )


async def _programs(session: AsyncSession, cohort: str) -> dict[tuple[str, str], FrozenProgram]:
    """(program, hash) to each version that a mentorship of the cohort goes by, or went by when it was asked."""
    used = await session.execute(
        select(MentorshipRow.program, MentorshipRow.program_hash).where(MentorshipRow.cohort == cohort).distinct()
    )
    asked = await session.execute(
        select(MentorshipRow.program, RequestRow.program_hash)
        .join(
            RequestRow,
            (RequestRow.cohort == MentorshipRow.cohort) & (RequestRow.mentorship == MentorshipRow.key),
        )
        .where(MentorshipRow.cohort == cohort, RequestRow.program_hash != "")
        .distinct()
    )
    versions = {(program, version) for program, version in (*used, *asked)}
    return {version: await frozen_program(session, *version) for version in sorted(versions)}


async def _mentorships(
    session: AsyncSession, cohort: str, as_of: date, until: datetime, programs: dict[tuple[str, str], FrozenProgram]
) -> list[MentorshipFacts]:
    noted = await session.execute(
        select(EventRow.mentorship, EventRow.name).where(
            EventRow.cohort == cohort,
            EventRow.name.in_(("onboarded", "agreement_concluded")),
            EventRow.at < until,
        )
    )
    marks = {(mentorship, name) for mentorship, name in noted}
    ended = await session.execute(
        select(OutcomeRow.mentorship, OutcomeRow.ending, OutcomeRow.reason, OutcomeRow.on).where(
            OutcomeRow.cohort == cohort, OutcomeRow.on <= as_of
        )
    )
    outcomes = {mentorship: (ending, reason, on) for mentorship, ending, reason, on in ended}
    cadences = await _cadences(session, cohort, until)
    rows = await session.execute(
        select(
            MentorshipRow.key, MentorshipRow.program, MentorshipRow.program_hash, MentorshipRow.start,
            MentorshipRow.midpoint, MentorshipRow.end,
        )
        .where(MentorshipRow.cohort == cohort, MentorshipRow.launched_on <= as_of)
        .order_by(MentorshipRow.key)
    )  # fmt: skip
    found: list[MentorshipFacts] = []
    for key, program, version, start, midpoint, end in rows:
        frozen = programs[(program, version)].program
        ending, reason, on = outcomes.get(key, ("", "", None))
        agreed = (key, "agreement_concluded") in marks
        found.append(
            MentorshipFacts(
                key, frozen.title, frozen.format, start, midpoint, end, rhythm_days(frozen, cadences.get(key, "")),
                (key, "onboarded") in marks, agreed, ending, reason, on,
            )
        )  # fmt: skip
    return found


async def _cadences(session: AsyncSession, cohort: str, until: datetime) -> dict[str, str]:
    """Mentorship to the rhythm of the last version of its agreement."""
    rows = await session.execute(
        select(AgreementRow.mentorship, AgreementRow.body)
        .where(AgreementRow.cohort == cohort, AgreementRow.at < until)
        .order_by(AgreementRow.version)
    )
    return {mentorship: str(body.get("a_cadence", "")) for mentorship, body in rows}


async def _seats(session: AsyncSession, cohort: str, keys: set[str]) -> tuple[SeatFacts, ...]:
    rows = await session.execute(
        select(MembershipRow.mentorship, MembershipRow.person, MembershipRow.role)
        .where(MembershipRow.cohort == cohort)
        .order_by(MembershipRow.mentorship, MembershipRow.position, MembershipRow.person)
    )
    return tuple(SeatFacts(mentorship, person, role) for mentorship, person, role in rows if mentorship in keys)


async def _answers(
    session: AsyncSession, cohort: str, as_of: date, until: datetime, programs: dict[tuple[str, str], FrozenProgram]
) -> tuple[list[RequestFacts], list[AnswerFacts]]:
    carried = await _carried(session, cohort, until)
    given = await _given(session, cohort, until)
    rows = await session.execute(
        select(
            RequestRow.key, RequestRow.mentorship, RequestRow.ask, RequestRow.number, RequestRow.person,
            RequestRow.role, RequestRow.state, RequestRow.closes_at, RequestRow.early, RequestRow.program_hash,
            MentorshipRow.program, MentorshipRow.program_hash,
        )
        .join(
            MentorshipRow, (MentorshipRow.cohort == RequestRow.cohort) & (MentorshipRow.key == RequestRow.mentorship)
        )
        .where(RequestRow.cohort == cohort, RequestRow.opens <= as_of)
        .order_by(RequestRow.mentorship, RequestRow.opens, RequestRow.key)
    )  # fmt: skip
    requests: list[RequestFacts] = []
    answers: list[AnswerFacts] = []
    for key, mentorship, ask, number, person, role, state, closes, early, asked, program, version in rows:
        mails = carried.get(key, [])
        requests.append(
            RequestFacts(
                key, mentorship, ask, number, person, role, mails[0] if mails else None, len(mails),
                state in GONE, closed=state != "open" and closes < until,
            )
        )  # fmt: skip
        frozen = programs[(program, asked or version)]
        if key in given and frozen.program.form_for(ask) in frozen.forms:
            body, at = given[key]
            reminded = sum(mail <= at for mail in mails)
            answers.append(AnswerFacts(key, frozen.form_for(ask), frozen.program.format, early, body, at, reminded))
    return requests, answers


async def _given(session: AsyncSession, cohort: str, until: datetime) -> dict[str, tuple[dict[str, Any], datetime]]:
    """Request to its last answer, and when the first one came."""
    rows = await session.execute(
        select(AnswerRow.request, AnswerRow.body, AnswerRow.at)
        .join(RequestRow, RequestRow.key == AnswerRow.request)
        .where(RequestRow.cohort == cohort, AnswerRow.at < until)
        .order_by(AnswerRow.version)
    )
    found: dict[str, tuple[dict[str, Any], datetime]] = {}
    for request, body, at in rows:
        found[request] = body, found[request][1] if request in found else at
    return found


async def _carried(session: AsyncSession, cohort: str, until: datetime) -> dict[str, list[datetime]]:
    """Request to the moments at which mails carried it, the first first."""
    rows = await session.execute(
        select(ItemRow.request, MessageRow.at)
        .join(MessageRow, MessageRow.id == ItemRow.message)
        .where(ItemRow.cohort == cohort, ItemRow.request != "", MessageRow.state.in_(WENT_OUT), MessageRow.at < until)
        .order_by(MessageRow.at)
    )
    return _listed(rows)


def _listed(rows: Iterable[Any]) -> dict[str, list[datetime]]:
    found: dict[str, list[datetime]] = {}
    for request, at in rows:
        found.setdefault(request, []).append(at)
    return found


async def _tasks(session: AsyncSession, cohort: str, as_of: date) -> tuple[TaskFacts, ...]:
    rows = await session.execute(
        select(
            TaskRow.key, TaskRow.mentorship, TaskRow.kind, TaskRow.opened_on, TaskRow.due, TaskRow.closed_on,
            TaskRow.decision,
        )
        .where(TaskRow.cohort == cohort, TaskRow.opened_on <= as_of)
        .order_by(TaskRow.mentorship, TaskRow.opened_on, TaskRow.key)
    )  # fmt: skip
    return tuple(
        TaskFacts(key, mentorship, kind, opened, due, closed, decision)
        if closed is not None and closed <= as_of
        else TaskFacts(key, mentorship, kind, opened, due, None, "")
        for key, mentorship, kind, opened, due, closed, decision in rows
    )


async def _mails(session: AsyncSession, cohort: str, until: datetime) -> tuple[MailFacts, ...]:
    """Mails that went to people with a seat, whatever they carried; one that went for two cohorts counts in both."""
    of_cohort = select(ItemRow.message).where(ItemRow.cohort == cohort, ItemRow.message.is_not(None))
    rows = await session.execute(
        select(MessageRow.person, MessageRow.at)
        .where(MessageRow.id.in_(of_cohort), MessageRow.state.in_(WENT_OUT), MessageRow.at < until)
        .order_by(MessageRow.at, MessageRow.id)
    )
    return tuple(MailFacts(person, at) for person, at in rows)


async def _applications(session: AsyncSession, cohort: str, until: datetime) -> tuple[ApplicationFacts, ...]:
    """Who applied and confirmed it by mail; not who withdrew."""
    rows = await session.execute(
        select(ApplicationRow.person, ApplicationRow.body)
        .where(
            ApplicationRow.cohort == cohort, ApplicationRow.confirmed_at < until, ApplicationRow.state != "withdrawn"
        )
        .order_by(ApplicationRow.person)
    )  # fmt: skip
    said = ((person, body.get("b_confid")) for person, body in rows)
    return tuple(ApplicationFacts(person, number if isinstance(number, int) else None) for person, number in said)


async def programs_of(session: AsyncSession, cohort: str) -> list[FrozenProgram]:
    """The programs by which mentorships of the cohort go or went, each in its last version."""
    latest = {program: frozen for (program, _), frozen in (await _programs(session, cohort)).items()}
    return [latest[program] for program in sorted(latest)]
