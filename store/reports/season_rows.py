"""The rows of a cohort's report as of the end of a day: ids, dates and answers, in a few statements.

Reads only. What came after that day is left out, and so are names, addresses and what coordinators wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, case, func, select, union
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from program.goals import AGREED
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
from store.columns import Instant
from store.lookups import Lookup, look_up_all
from store.programs import FrozenProgram, asked_with, frozen_program
from store.reports.applied import applied
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
    mentorships, frozen = await _mentorships(session, cohort, as_of, until)
    requests, answers = await _answers(session, cohort, as_of, until, frozen)
    tasks, applications = await look_up_all(session, _tasks(cohort, as_of), _applications(cohort, until))
    counts, published = await applied(session, cohort, until)
    return Season(
        cohort=cohort,
        title=row.title,
        organisation=row.organisation,
        programs=tuple(sorted({one.program for one in mentorships})),
        start=row.start,
        as_of=as_of,
        state=row.state,
        mentorships=tuple(mentorships),
        seats=await _seats(session, cohort, {one.key for one in mentorships}),
        requests=tuple(requests),
        answers=tuple(answers),
        tasks=tasks,
        mails=await _mails(session, cohort, until),
        applications=applications,
        applied=counts,
        published=published,
    )


async def _mentorships(
    session: AsyncSession, cohort: str, as_of: date, until: datetime
) -> tuple[list[MentorshipFacts], dict[str, FrozenProgram]]:
    """The mentorships, and by key the program by which each goes."""
    noted = (
        select(
            EventRow.mentorship,
            _any(EventRow.name == "onboarded").label("onboarded"),
            _any(EventRow.name == "agreement_concluded").label("agreed"),
        )
        .where(
            EventRow.cohort == cohort, EventRow.name.in_(("onboarded", "agreement_concluded")), EventRow.at < until
        )
        .group_by(EventRow.mentorship)
        .subquery()
    )
    last = (
        select(AgreementRow.mentorship, func.max(AgreementRow.version).label("version"))
        .where(AgreementRow.cohort == cohort, AgreementRow.at < until)
        .group_by(AgreementRow.mentorship)
        .subquery()
    )
    cadences = (
        select(
            AgreementRow.mentorship,
            AgreementRow.body["a_cadence"].as_string().label("cadence"),
            func.json_array_length(AgreementRow.body[AGREED]).label("goals"),
        )
        .join(last, and_(last.c.mentorship == AgreementRow.mentorship, last.c.version == AgreementRow.version))
        .where(AgreementRow.cohort == cohort)
        .subquery()
    )
    rows = await session.execute(
        select(
            MentorshipRow.key, MentorshipRow.program, MentorshipRow.program_hash, MentorshipRow.start,
            MentorshipRow.midpoint, MentorshipRow.end, noted.c.onboarded, noted.c.agreed, cadences.c.cadence,
            cadences.c.goals, OutcomeRow.ending, OutcomeRow.reason, OutcomeRow.on, MentorshipRow.launched_on,
        )
        .outerjoin(noted, noted.c.mentorship == MentorshipRow.key)
        .outerjoin(cadences, cadences.c.mentorship == MentorshipRow.key)
        .outerjoin(
            OutcomeRow,
            and_(
                OutcomeRow.cohort == MentorshipRow.cohort, OutcomeRow.mentorship == MentorshipRow.key,
                OutcomeRow.on <= as_of,
            ),
        )
        .where(MentorshipRow.cohort == cohort)
        .order_by(MentorshipRow.key)
    )  # fmt: skip
    found: list[MentorshipFacts] = []
    programs: dict[str, FrozenProgram] = {}
    for key, program, version, start, midpoint, end, onboarded, agreed, cadence, goals, *ended in rows:
        ending, reason, on, launched = ended
        programs[key] = frozen = await frozen_program(session, program, version)
        if launched <= as_of:
            found.append(
                MentorshipFacts(
                    key, frozen.program.title, frozen.program.format, start, midpoint, end,
                    rhythm_days(frozen.program, cadence or ""), bool(onboarded), bool(agreed), ending or "",
                    reason or "", on, goals or 0,
                )
            )  # fmt: skip
    return found, programs


def _any(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """Of a group: 1 where it holds for one row at least."""
    return func.max(case((condition, 1), else_=0))


async def _seats(session: AsyncSession, cohort: str, keys: set[str]) -> tuple[SeatFacts, ...]:
    rows = await session.execute(
        select(MembershipRow.mentorship, MembershipRow.person, MembershipRow.role)
        .where(MembershipRow.cohort == cohort)
        .order_by(MembershipRow.mentorship, MembershipRow.position, MembershipRow.person)
    )
    return tuple(SeatFacts(mentorship, person, role) for mentorship, person, role in rows if mentorship in keys)


async def _answers(
    session: AsyncSession, cohort: str, as_of: date, until: datetime, programs: dict[str, FrozenProgram]
) -> tuple[list[RequestFacts], list[AnswerFacts]]:
    """The requests with the last version of each answer, in one pass over requests, answers and mails."""
    mails = _mails_by_request(cohort, until)
    rows = await session.execute(
        select(
            RequestRow.mentorship, RequestRow.opens, RequestRow.key, func.coalesce(AnswerRow.version, 0),
            RequestRow.ask, RequestRow.number, RequestRow.person, RequestRow.role, RequestRow.state,
            RequestRow.closes_at, RequestRow.early, RequestRow.program_hash, AnswerRow.body, AnswerRow.at,
            mails.c.first, mails.c.number, mails.c.before,
        )
        .outerjoin(mails, mails.c.request == RequestRow.key)
        .outerjoin(AnswerRow, and_(AnswerRow.request == RequestRow.key, AnswerRow.at < until))
        .where(RequestRow.cohort == cohort, RequestRow.opens <= as_of)
    )  # fmt: skip
    requests: list[RequestFacts] = []
    answers: dict[str, AnswerFacts] = {}
    seen = ""
    # Sorted here: the rows are wide, and the database would sort them on its disk.
    for row in sorted(rows, key=itemgetter(0, 1, 2, 3)):
        mentorship, _, key, _, ask, number, person, role, state, closes, early, asked, body, at, *carried = row
        first, mailed, before = carried
        if key != seen:
            seen = key
            requests.append(
                RequestFacts(
                    key, mentorship, ask, number, person, role, first, mailed or 0, state in GONE,
                    closed=state != "open" and closes < until,
                )
            )  # fmt: skip
        if body is None:
            continue
        if earlier := answers.get(key):
            answers[key] = replace(earlier, body=body)
            continue
        frozen = await asked_with(session, programs[mentorship], asked)
        if frozen.program.form_for(ask) in frozen.forms:
            form = frozen.form_for(ask)
            answers[key] = AnswerFacts(key, form, frozen.program.format, early, body, at, before or 0)
    return requests, list(answers.values())


def _mails_by_request(cohort: str, until: datetime) -> Subquery:
    """Of each request: when the first mail that carried it went out, how many did, and how many before its answer."""
    given = aliased(AnswerRow)
    return (
        select(
            ItemRow.request,
            func.min(MessageRow.at, type_=Instant()).label("first"),
            func.count().label("number"),
            func.count().filter(MessageRow.at <= given.at).label("before"),
        )
        .join(MessageRow, MessageRow.id == ItemRow.message)
        .outerjoin(given, and_(given.request == ItemRow.request, given.version == 1))
        .where(ItemRow.cohort == cohort, ItemRow.request != "", MessageRow.state.in_(WENT_OUT), MessageRow.at < until)
        .group_by(ItemRow.request)
        .subquery()
    )


def _tasks(cohort: str, as_of: date) -> Lookup[tuple[TaskFacts, ...]]:
    query = (
        select(
            TaskRow.key, TaskRow.mentorship, TaskRow.kind, TaskRow.opened_on, TaskRow.due, TaskRow.closed_on,
            TaskRow.decision,
        )
        .where(TaskRow.cohort == cohort, TaskRow.opened_on <= as_of)
        .order_by(TaskRow.mentorship, TaskRow.opened_on, TaskRow.key)
    )  # fmt: skip
    return Lookup(
        query,
        lambda rows: tuple(
            TaskFacts(key, mentorship, kind, opened, due, closed, decision)
            if closed is not None and closed <= as_of
            else TaskFacts(key, mentorship, kind, opened, due, None, "")
            for key, mentorship, kind, opened, due, closed, decision in rows
        ),
    )


async def _mails(session: AsyncSession, cohort: str, until: datetime) -> tuple[MailFacts, ...]:
    """Mails that went to people with a seat, whatever they carried; one that went for two cohorts counts in both."""
    of_cohort = select(ItemRow.message).where(ItemRow.cohort == cohort, ItemRow.message.is_not(None))
    rows = await session.execute(
        select(
            MessageRow.person,
            func.count(),
            func.min(MessageRow.at, type_=Instant()),
            func.count().filter(~MessageRow.fast)
            - func.count(MessageRow.local_date.distinct()).filter(~MessageRow.fast),
        )
        .where(MessageRow.id.in_(of_cohort), MessageRow.state.in_(WENT_OUT), MessageRow.at < until)
        .group_by(MessageRow.person)
        .order_by(MessageRow.person)
    )
    return tuple(MailFacts(person, number, first, beyond) for person, number, first, beyond in rows)


def _applications(cohort: str, until: datetime) -> Lookup[tuple[ApplicationFacts, ...]]:
    """Who applied and confirmed it by mail; not who withdrew."""
    query = (
        select(ApplicationRow.person, ApplicationRow.body)
        .where(
            ApplicationRow.cohort == cohort, ApplicationRow.confirmed_at < until, ApplicationRow.state != "withdrawn"
        )
        .order_by(ApplicationRow.person)
    )

    def confident(rows: Sequence[Any]) -> tuple[ApplicationFacts, ...]:
        said = ((person, body.get("b_confid")) for person, body in rows)
        return tuple(ApplicationFacts(person, number if isinstance(number, int) else None) for person, number in said)

    return Lookup(query, confident)


async def programs_of(session: AsyncSession, cohort: str) -> list[FrozenProgram]:
    """The programs by which mentorships of the cohort go or went, each in its last version."""
    used = select(MentorshipRow.program, MentorshipRow.program_hash).where(MentorshipRow.cohort == cohort)
    asked = (
        select(MentorshipRow.program, RequestRow.program_hash)
        .join(
            RequestRow,
            (RequestRow.cohort == MentorshipRow.cohort) & (RequestRow.mentorship == MentorshipRow.key),
        )
        .where(MentorshipRow.cohort == cohort, RequestRow.program_hash != "")
    )
    versions = sorted((program, version) for program, version in await session.execute(union(used, asked)))
    return [await frozen_program(session, program, version) for program, version in dict(versions).items()]
