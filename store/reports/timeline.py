"""The timeline of one mentorship: everything that happened to it, in order, and what comes next.

It holds names, for people to read; it must not be passed to Temporal or written to a log. It does not hold the
content of answers: only that, when and by whom they were given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from store.reports.status import ListedPerson, StatusLine, TaskLine, open_tasks, people_of, pick, status_line
from store.tables import (
    AnswerRow,
    CohortRow,
    EventRow,
    ItemRow,
    MentorshipRow,
    MessageRow,
    ParticipantRow,
    RequestRow,
    StepRow,
    TaskRow,
)


class MentorshipNotFound(LookupError):
    """No such mentorship, or no such cohort, is in the store."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of a timeline. `at` is an instant (UTC)."""

    at: datetime
    what: str
    """event, mail, dropped, answer, task_opened, task_closed"""
    name: str
    """Name of the event, of the item, of the form, or kind of the task."""
    person: ListedPerson | None = None
    number: int = 0
    kind: str = ""
    """Of an item: request, reminder, notice, receipt, urgent."""
    detail: str = ""
    by: str = ""
    why: str = ""
    ref: str = ""
    """Id of the mail, key of the task, or the ask that was answered."""


@dataclass(frozen=True, slots=True)
class UpcomingStep:
    """A step that is open or still to come."""

    name: str
    number: int
    verb: str
    state: str
    opens: date
    closes: date | None
    awaited: tuple[ListedPerson, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything that happened to a mentorship, in order, and what comes next."""

    mentorship: StatusLine
    zone: str
    happened: tuple[TimelineEntry, ...]
    ahead: tuple[UpcomingStep, ...]
    tasks: tuple[TaskLine, ...]


async def timeline(session: AsyncSession, cohort: str, key: str) -> Timeline:
    """Everything that happened to a mentorship and what comes next. Raises `UnknownMentorship`."""
    row = await session.get(MentorshipRow, (cohort, key))
    cohort_row = await session.get(CohortRow, cohort)
    if row is None or cohort_row is None:
        raise MentorshipNotFound(f"no mentorship {key!r} in the cohort {cohort!r}")
    people = (await people_of(session, cohort, [key]))[key]
    happened: list[TimelineEntry] = [
        *await _events(session, cohort, key),
        *await _mails(session, cohort, key),
        *await _dropped(session, cohort, key),
        *await _answers(session, cohort, key),
        *await _tasks(session, cohort, key),
    ]
    named = {person.id: person for person in people}
    named |= await _named(session, {h.person.id for h in happened if h.person} - named.keys())
    steps = await session.scalars(
        select(StepRow)
        .where(StepRow.cohort == cohort, StepRow.mentorship == key, StepRow.state.in_(("planned", "open")))
        .order_by(StepRow.opens, StepRow.name, StepRow.number)
    )
    return Timeline(
        mentorship=status_line(row, people),
        zone=cohort_row.zone,
        happened=tuple(
            _with_name(happening, named) for happening in sorted(happened, key=lambda h: (h.at, _RANK[h.what]))
        ),
        ahead=tuple(
            UpcomingStep(
                step.name,
                step.number,
                step.verb,
                step.state,
                step.opens,
                step.closes,
                pick(people, [person for person in step.asked if person not in step.answered]),
            )
            for step in steps
        ),
        tasks=tuple(await open_tasks(session, cohort, key)),
    )


# -- the parts of a timeline -----------------------------------------------------------------------------------

_RANK = {name: rank for rank, name in enumerate(("answer", "event", "task_closed", "task_opened", "dropped", "mail"))}
"""The order of what happened at the same moment: cause before consequence."""


async def _events(session: AsyncSession, cohort: str, key: str) -> Iterable[TimelineEntry]:
    rows = await session.scalars(
        # A dropped item is told from its own row, which says of what.
        select(EventRow)
        .where(EventRow.cohort == cohort, EventRow.mentorship == key, EventRow.name != "dropped")
        .order_by(EventRow.id)
    )
    return [
        TimelineEntry(row.at, "event", row.name, _id(row.person), detail=row.detail, by=row.by, why=row.why)
        for row in rows
    ]


async def _mails(session: AsyncSession, cohort: str, key: str) -> Iterable[TimelineEntry]:
    rows = await session.execute(
        select(ItemRow, MessageRow.at, MessageRow.state, MessageRow.error)
        .join(MessageRow, MessageRow.id == ItemRow.message)
        .where(ItemRow.cohort == cohort, ItemRow.mentorship == key)
        .order_by(ItemRow.queued_at, ItemRow.key)
    )
    return [
        TimelineEntry(
            at, "mail", item.name, _id(item.person), item.number, item.kind,
            detail="" if state == "sent" else f"{state} {error}".strip(), ref=item.message or "",
        )
        for item, at, state, error in rows
    ]  # fmt: skip


async def _dropped(session: AsyncSession, cohort: str, key: str) -> Iterable[TimelineEntry]:
    rows = await session.scalars(
        select(ItemRow)
        .where(ItemRow.cohort == cohort, ItemRow.mentorship == key, ItemRow.state == "dropped")
        .order_by(ItemRow.queued_at, ItemRow.key)
    )
    return [
        TimelineEntry(
            item.done_at or item.queued_at, "dropped", item.name, _id(item.person), item.number, item.kind,
            detail=item.reason,
        )
        for item in rows
    ]  # fmt: skip


async def _answers(session: AsyncSession, cohort: str, key: str) -> Iterable[TimelineEntry]:
    rows = await session.execute(
        select(AnswerRow, RequestRow.number, RequestRow.ask)
        .join(RequestRow, RequestRow.key == AnswerRow.request)
        .where(RequestRow.cohort == cohort, RequestRow.mentorship == key)
        .order_by(AnswerRow.id)
    )
    return [
        TimelineEntry(
            answer.at,
            "answer",
            answer.form,
            _id(answer.person),
            number,
            detail="late" if answer.late else "",
            ref=ask,
        )
        for answer, number, ask in rows
    ]


async def _tasks(session: AsyncSession, cohort: str, key: str) -> Iterable[TimelineEntry]:
    rows = await session.scalars(
        select(TaskRow).where(TaskRow.cohort == cohort, TaskRow.mentorship == key).order_by(TaskRow.opened_at)
    )
    entries: list[TimelineEntry] = []
    for task in rows:
        entries.append(
            TimelineEntry(
                task.opened_at, "task_opened", task.kind, number=task.number, detail=task.reason, ref=task.key
            )
        )
        if task.closed_at is not None:
            entries.append(
                TimelineEntry(
                    task.closed_at, "task_closed", task.kind, number=task.number, detail=task.decision,
                    by=task.by, why=task.why, ref=task.key,
                )
            )  # fmt: skip
    return entries


# -- names --------------------------------------------------------------------------------------------------


async def _named(session: AsyncSession, ids: Iterable[str]) -> dict[str, ListedPerson]:
    rows = await session.execute(
        select(ParticipantRow.id, ParticipantRow.name).where(ParticipantRow.id.in_(list(ids)))
    )
    return {person: ListedPerson(person, name) for person, name in rows}


def _id(person: str) -> ListedPerson | None:
    return ListedPerson(person, "") if person else None


def _with_name(happening: TimelineEntry, named: Mapping[str, ListedPerson]) -> TimelineEntry:
    if happening.person is None:
        return happening
    return replace(happening, person=named.get(happening.person.id, happening.person))
