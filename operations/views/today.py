"""A coordinator's day: the tasks that wait with the answers behind them, what needs a look, and what goes out next.

Read from SQL with names, for human eyes; nothing of it may be passed to Temporal or written to a log. What somebody
may see is decided by their role in each cohort, and for answers by `operations.forms.visibility`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from lifecycle.keys import MentorshipRef
from lifecycle.local_time import local_date
from operations.forms.answers import ShownAnswer, ShownForm, shown, words_of
from operations.views import evidence
from store.database import Database
from store.forms.answers import GivenAnswer, answers_in
from store.lookups import look_up_all
from store.reports import today as sql
from store.reports.status import ListedPerson
from store.reports.today import (
    MOST_LISTED,
    BouncedPerson,
    DeskCohort,
    DeskMentorship,
    DeskTask,
    Outgoing,
    Told,
)

WITHOUT = ("safety", "match", "bounced", "expectations_differ", "seat_empty")
"""Kinds of task that show no answer on the first page."""
PAGE = 40
"""Tasks on one page."""
MOST_SHOWN = 3
"""Answers that stand under one task; its page has all."""
LOOK_BACK = timedelta(days=7)
LOOK_AHEAD = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Behind:
    """An answer behind a task: who said what to which question."""

    person: str
    name: str
    role: str
    answer: ShownAnswer


@dataclass(frozen=True, slots=True)
class DayTask:
    """A task of the day."""

    task: DeskTask
    cohort: DeskCohort
    when: str
    """overdue, today, week, later: by the due date, in the cohort's zone."""
    behind: tuple[Behind, ...]


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody wrote to the coordinators in a form. `at` is a local time of the cohort's zone."""

    form: ShownForm
    text: str


@dataclass(frozen=True, slots=True)
class Day:
    """The first page. `today` is the date in the zone of the latest cohort."""

    today: date
    zone: str
    cohorts: tuple[DeskCohort, ...]
    tasks: tuple[DayTask, ...] = ()
    """Of one page, the most pressing first."""
    waiting: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many tasks there are on all pages, by `when`."""
    page: int = 1
    pages: int = 1
    quiet: tuple[DeskMentorship, ...] = ()
    """The first of them, as the lists that follow; `numbers` counts all."""
    bounced: tuple[BouncedPerson, ...] = ()
    ended: tuple[DeskMentorship, ...] = ()
    words: tuple[Word, ...] = ()
    """One page of them, the latest first."""
    words_page: int = 1
    more_words: bool = False
    """There is another page of them."""
    numbers: Mapping[str, int] = field(default_factory=dict[str, int])
    outgoing: tuple[Outgoing, ...] = ()
    told: tuple[Told, ...] = ()
    """The first of those to whom it goes, of the cohorts in which the reader decides."""
    ahead: tuple[tuple[date, str, int], ...] = ()

    def of(self, *when: str) -> tuple[DayTask, ...]:
        """The tasks that are due then."""
        return tuple(task for task in self.tasks if task.when in when)

    def number(self, *when: str) -> int:
        """How many tasks are due then."""
        return sum(self.waiting.get(each, 0) for each in when)


async def day_of(
    database: Database,
    now: datetime,
    *,
    person: str,
    deciding: Collection[str],
    looking: Collection[str] | None,
    page: int = 1,
    words_page: int = 1,
) -> Day:
    """The day of somebody who decides in the cohorts `deciding`, and sees the status of those in `looking` (of all,
    where None), with this page of their tasks and of what people wrote to them. `now` is program time (UTC)."""
    async with database.session() as session:
        cohorts = await sql.cohorts(session, looking)
        zone = cohorts[0].zone if cohorts else "UTC"
        today = local_date(now, zone)
        by_id = {cohort.id: cohort for cohort in cohorts}
        seen = [cohort.id for cohort in cohorts]
        mine = [cohort for cohort in seen if cohort in deciding]
        if not seen:
            return Day(today, zone, ())
        ahead_of = sql.coming(seen, now, now + LOOK_AHEAD, today, today + LOOK_AHEAD)
        if not mine:
            outgoing, ahead = await look_up_all(session, *ahead_of)
            return Day(today, zone, tuple(cohorts), outgoing=tuple(outgoing), ahead=tuple(ahead))
        outgoing, ahead, quiet, ended, bounced, wrote, told, rows, counts = await look_up_all(
            session, *ahead_of, *sql.to_look_at(mine, today - LOOK_BACK),
            sql.with_words(mine, now - LOOK_BACK, (words_page - 1) * MOST_LISTED),
            sql.told(mine, now, now + LOOK_AHEAD),
            *sql.tasks_for(person, mine, (page - 1) * PAGE, PAGE),
        )  # fmt: skip
        pages = max(1, -(-sum(number for _, _, number in counts) // PAGE))
        if page > pages:
            page = pages
            rows, _ = await look_up_all(session, *sql.tasks_for(person, mine, (page - 1) * PAGE, PAGE))
        shows = [row for row in rows if row.kind not in WITHOUT]
        behind = [(row.cohort, row.mentorship) for row in shows]
        asks = evidence.asks_behind(row.kind for row in shows)
        given = await answers_in(session, behind, asks, [row.id for row in wrote[:MOST_LISTED]])
        looked_at = [(row.cohort, row.key) for row in (*quiet.rows, *ended.rows)]
        people = await sql.people_of(session, [(row.cohort, row.mentorship) for row in (*rows, *given)] + looked_at)
    tasks = [sql.named(row, people[row.cohort, row.mentorship]) for row in rows]
    known = {ref: [(one.id, one.name) for one in members] for ref, members in people.items()}
    by_request = {(one.cohort, one.mentorship, one.ask, one.number, one.person): one for one in given}
    written = [by_request[tuple(row)[1:]] for row in wrote[:MOST_LISTED]]
    waiting: dict[str, int] = defaultdict(int)
    for cohort, due, number in counts:
        waiting[_when(due, local_date(now, by_id[cohort].zone))] += number
    by_mentorship: dict[MentorshipRef, list[GivenAnswer]] = defaultdict(list)
    for answer in given:
        by_mentorship[answer.cohort, answer.mentorship].append(answer)
    return Day(
        today=today,
        zone=zone,
        cohorts=tuple(cohorts),
        tasks=tuple(
            DayTask(
                task,
                by_id[task.cohort],
                _when(task.due, local_date(now, by_id[task.cohort].zone)),
                _behind(task, by_mentorship[task.ref], known, by_id[task.cohort].zone),
            )
            for task in tasks
        ),
        waiting=waiting,
        page=page,
        pages=pages,
        quiet=tuple(_listed(row, people) for row in quiet.rows),
        bounced=tuple(BouncedPerson(row.id, row.name) for row in bounced.rows),
        ended=tuple(_listed(row, people) for row in ended.rows),
        numbers={"quiet": quiet.number, "bounced": bounced.number, "ended": ended.number},
        words=tuple(word for answer in written for word in _words(answer, known, by_id[answer.cohort].zone)),
        words_page=words_page,
        more_words=len(wrote) > MOST_LISTED,
        outgoing=tuple(outgoing),
        told=tuple(told),
        ahead=tuple(ahead),
    )


def _listed(row: Any, people: Mapping[MentorshipRef, tuple[ListedPerson, ...]]) -> DeskMentorship:
    return DeskMentorship(row.cohort, row.key, people[row.cohort, row.key], row.ended_on, row.ending)


def _when(due: date, today: date) -> str:
    if due < today:
        return "overdue"
    if due == today:
        return "today"
    return "week" if due <= today + timedelta(days=7 - today.isoweekday()) else "later"


def _behind(
    task: DeskTask, given: Sequence[GivenAnswer], known: Mapping[MentorshipRef, list[tuple[str, str]]], zone: str
) -> tuple[Behind, ...]:
    """The answers behind a task, of the round that opened it: low ones, and those that say most about it."""
    if task.kind in WITHOUT:
        return ()
    concerned = evidence.about(task.kind, given)
    last = concerned[0] if concerned else None
    found: list[Behind] = []
    for answer in given:
        if last is None or (answer.ask, answer.number) != (last.ask, last.number):
            continue
        form = shown(answer, "coordinator", words_of(answer, known[task.ref]), zone, "withheld")
        found += [
            Behind(answer.person, answer.name, answer.role, one)
            for one in form.answers
            if one.text and (one.low or evidence.tells(task.kind, one.question, one.value))
        ]
    return tuple(found[:MOST_SHOWN])


def _words(answer: GivenAnswer, known: Mapping[MentorshipRef, list[tuple[str, str]]], zone: str) -> list[Word]:
    members = known.get((answer.cohort, answer.mentorship), [])
    form = shown(answer, "coordinator", words_of(answer, members), zone, "withheld")
    return [Word(form, one.text) for one in form.answers if one.question == sql.WORDS and one.text]
