"""The timeline of one mentorship: everything that happened to it, in order, and what comes next.

It holds names, for people to read; it must not be passed to Temporal or written to a log. It does not hold the
content of answers: only that, when and by whom they were given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from store.lookups import Lookup, look_up_all
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
    by_name: str = ""
    """Of who acted (`by`), where they are known."""


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


@dataclass(frozen=True, slots=True)
class Story:
    """What happened to a mentorship, in order, and the steps that are open or come."""

    happened: tuple[TimelineEntry, ...]
    ahead: tuple[UpcomingStep, ...]
    names: Mapping[str, str]
    """Person id to name of those who acted."""


async def timeline(session: AsyncSession, cohort: str, key: str) -> Timeline:
    """Everything that happened to a mentorship and what comes next. Raises `UnknownMentorship`."""
    row = await session.get(MentorshipRow, (cohort, key))
    cohort_row = await session.get(CohortRow, cohort)
    if row is None or cohort_row is None:
        raise MentorshipNotFound(f"no mentorship {key!r} in the cohort {cohort!r}")
    people = (await people_of(session, cohort, [key]))[key]
    found = await story(session, cohort, key, people)
    return Timeline(
        mentorship=status_line(row, people),
        zone=cohort_row.zone,
        happened=found.happened,
        ahead=found.ahead,
        tasks=tuple(await open_tasks(session, cohort, key)),
    )


async def story(session: AsyncSession, cohort: str, key: str, people: tuple[ListedPerson, ...]) -> Story:
    """The past and the future of a mentorship with these people, in one statement."""
    events, items, answers, tasks, steps = await look_up_all(
        session, _events(cohort, key), _items(cohort, key), _answers(cohort, key), _tasks(cohort, key),
        _steps(cohort, key),
    )  # fmt: skip
    happened = [*events, *items, *answers, *tasks]
    named = {person.id: person for person in people}
    return Story(
        happened=tuple(
            replace(entry, person=named.get(entry.person.id, entry.person) if entry.person else None)
            for entry in sorted(happened, key=lambda entry: (entry.at, _RANK[entry.what]))
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
        names={entry.by: entry.by_name for entry in happened if entry.by_name},
    )


# -- the parts of a timeline -----------------------------------------------------------------------------------

_RANK = {name: rank for rank, name in enumerate(("answer", "event", "task_closed", "task_opened", "dropped", "mail"))}
"""The order of what happened at the same moment: cause before consequence."""
_BY = aliased(ParticipantRow)


def _events(cohort: str, key: str) -> Lookup[list[TimelineEntry]]:
    query = (
        select(
            EventRow.at, EventRow.name, EventRow.person, ParticipantRow.name.label("person_name"), EventRow.detail,
            EventRow.by, EventRow.why, _BY.name.label("by_name"),
        )
        .outerjoin(ParticipantRow, ParticipantRow.id == EventRow.person)
        .outerjoin(_BY, _BY.id == EventRow.by)
        # A dropped item is told from its own row, which says of what.
        .where(EventRow.cohort == cohort, EventRow.mentorship == key, EventRow.name != "dropped")
        .order_by(EventRow.id)
    )  # fmt: skip
    return Lookup(
        query,
        lambda rows: [
            TimelineEntry(
                row.at, "event", row.name, _person(row), detail=row.detail, by=row.by, why=row.why,
                by_name=row.by_name or "",
            )
            for row in rows
        ],
    )  # fmt: skip


def _items(cohort: str, key: str) -> Lookup[list[TimelineEntry]]:
    """Mails, each for what it told of this mentorship, and what was dropped."""
    query = (
        select(
            ItemRow.name, ItemRow.person, ParticipantRow.name.label("person_name"), ItemRow.number, ItemRow.kind,
            ItemRow.state, ItemRow.reason, ItemRow.done_at, ItemRow.queued_at, ItemRow.message, MessageRow.at,
            MessageRow.state.label("message_state"), MessageRow.error,
        )
        .outerjoin(MessageRow, MessageRow.id == ItemRow.message)
        .outerjoin(ParticipantRow, ParticipantRow.id == ItemRow.person)
        .where(
            ItemRow.cohort == cohort,
            ItemRow.mentorship == key,
            or_(ItemRow.message.is_not(None), ItemRow.state == "dropped"),
        )
        .order_by(ItemRow.queued_at, ItemRow.key)
    )  # fmt: skip
    return Lookup(query, lambda rows: [entry for row in rows for entry in _entries_of_item(row)])


def _entries_of_item(row: Any) -> Iterable[TimelineEntry]:
    if row.at is not None:
        detail = "" if row.message_state == "sent" else f"{row.message_state} {row.error}".strip()
        yield TimelineEntry(
            row.at, "mail", row.name, _person(row), row.number, row.kind, detail=detail, ref=row.message or ""
        )
    if row.state == "dropped":
        yield TimelineEntry(
            row.done_at or row.queued_at, "dropped", row.name, _person(row), row.number, row.kind, detail=row.reason
        )


def _answers(cohort: str, key: str) -> Lookup[list[TimelineEntry]]:
    query = (
        select(
            AnswerRow.at, AnswerRow.form, AnswerRow.person, ParticipantRow.name.label("person_name"), AnswerRow.late,
            RequestRow.number, RequestRow.ask,
        )
        .join(RequestRow, RequestRow.key == AnswerRow.request)
        .outerjoin(ParticipantRow, ParticipantRow.id == AnswerRow.person)
        .where(RequestRow.cohort == cohort, RequestRow.mentorship == key)
        .order_by(AnswerRow.id)
    )  # fmt: skip
    return Lookup(
        query,
        lambda rows: [
            TimelineEntry(
                row.at, "answer", row.form, _person(row), row.number, detail="late" if row.late else "", ref=row.ask
            )
            for row in rows
        ],
    )


def _tasks(cohort: str, key: str) -> Lookup[list[TimelineEntry]]:
    query = (
        select(
            TaskRow.key, TaskRow.kind, TaskRow.number, TaskRow.reason, TaskRow.opened_at, TaskRow.closed_at,
            TaskRow.decision, TaskRow.by, TaskRow.why, _BY.name.label("by_name"),
        )
        .outerjoin(_BY, _BY.id == TaskRow.by)
        .where(TaskRow.cohort == cohort, TaskRow.mentorship == key)
        .order_by(TaskRow.opened_at)
    )  # fmt: skip
    return Lookup(query, lambda rows: [entry for row in rows for entry in _entries_of_task(row)])


def _entries_of_task(row: Any) -> Iterable[TimelineEntry]:
    yield TimelineEntry(row.opened_at, "task_opened", row.kind, number=row.number, detail=row.reason, ref=row.key)
    if row.closed_at is not None:
        yield TimelineEntry(
            row.closed_at, "task_closed", row.kind, number=row.number, detail=row.decision, by=row.by, why=row.why,
            ref=row.key, by_name=row.by_name or "",
        )  # fmt: skip


def _steps(cohort: str, key: str) -> Lookup[Sequence[Any]]:
    query = (
        select(
            StepRow.name, StepRow.number, StepRow.verb, StepRow.state, StepRow.opens, StepRow.closes, StepRow.asked,
            StepRow.answered,
        )
        .where(StepRow.cohort == cohort, StepRow.mentorship == key, StepRow.state.in_(("planned", "open")))
        .order_by(StepRow.opens, StepRow.name, StepRow.number)
    )  # fmt: skip
    return Lookup(query, list[Any])


def _person(row: Any) -> ListedPerson | None:
    return ListedPerson(row.person, row.person_name or "") if row.person else None
