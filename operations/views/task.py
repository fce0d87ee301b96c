"""The page of one task: why it was opened, the answers behind it, what was decided before, and what each decision
would do.

Put together for one reader. What a report about safety or conduct says is on it only once it was opened, which is on
the record. It holds names and answers; it must not be passed to Temporal or written to a log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.decisions import SEAT_IS_CLEAR
from lifecycle.events import Decided
from lifecycle.gathering import MATCH
from lifecycle.local_time import local_date
from lifecycle.state import State
from lifecycle.tasks import SAFETY
from operations.errors import NotFound
from operations.forms.answers import NEUTRAL, ShownAnswer, shown
from operations.forms.by_round import Column, FormRounds, last_round
from operations.forms.visibility import CONCERN
from operations.matching.next_choices import NextChoice, choices_in
from operations.mentorships.concerns import ConcernReaders, readers_of
from operations.mentorships.dry_run import DryRun, foresee
from operations.mentorships.status import local
from operations.people.own_page import CONCERNS
from operations.views.agreement import Agreement, agreement_from, agreement_lookups
from operations.views.answers import MentorshipAnswers, answers_for, concerns_among
from operations.views.charts import LineChart, line_chart
from operations.views.evidence import BEHIND, about, tells
from operations.views.reader import PageReader
from store.cohorts import calls
from store.database import Database
from store.forms.answers import asked_of
from store.lookups import look_up_all
from store.mentorships import concerns
from store.mentorships.concerns import RaisedConcern
from store.reports import mentorship_page
from store.reports.mentorship_page import MentorshipFacts, TaskRecord

USUAL_PAUSE = timedelta(weeks=3)
"""The pause that is filled in until somebody writes another date."""
NEWCOMER = "somebody-new"
"""Stands in the dry run for the person who takes a seat and is not named yet."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report about safety or conduct. `answers` and `words` are empty until it was opened. `at` is local."""

    person: str
    name: str
    at: datetime
    ask: str
    """The form in which it was written; empty: on the person's own page."""
    number: int
    kind: str = ""
    """What kind of concern it is, in words; only once opened."""
    answers: tuple[ShownAnswer, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Highlight:
    """An answer that stands out: what was asked, who answered what, and what they said in the round before."""

    name: str
    label: str
    text: str
    low: bool
    far: bool
    before: str = ""


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision that is open, with what it would do. `outlook` is None where the mentorship has no state yet."""

    name: str
    outlook: DryRun | None
    needs_person: bool = False
    """It must be said whose seat is meant."""


@dataclass(frozen=True, slots=True)
class TaskView:
    """What the page of a task shows."""

    task: TaskRecord
    facts: MentorshipFacts
    today: date
    about: tuple[str, ...]
    """Names of those whom it concerns."""
    told: tuple[str, ...]
    """Names of those to whom a report went."""
    evidence: FormRounds | None
    highlights: tuple[Highlight, ...]
    """Of the evidence: what says most about the task, what is low, and what is far from the other side."""
    charts: tuple[LineChart, ...]
    agreement: Agreement | None
    reports: tuple[Report, ...]
    opened: bool
    """The reports are opened."""
    decisions: tuple[DecisionView, ...]
    before: tuple[TaskRecord, ...]
    """Other tasks of this mentorship, the latest first."""
    based_on: int
    """How many changes the mentorship had seen: what was looked at."""
    choices: tuple[NextChoice, ...]
    """Who could take the empty seat, of those who applied; the best first."""
    next_task: str
    """Public id of the task that is the most pressing beside this one; empty where nothing waits."""
    pause_until: date

    @property
    def overdue(self) -> bool:
        """Whether its due date has passed."""
        return self.task.closed_at is None and self.task.due < self.today

    @property
    def names(self) -> Mapping[str, str]:
        """Person id to name of everybody in the mentorship."""
        return {person.id: person.name for person in self.facts.people}


async def task_view(
    database: Database, public: str, reader: PageReader, now: datetime, *, opened: bool = False
) -> TaskView:
    """The page of a task (its public id) for a coordinator or deputy of its cohort; `now` is in UTC.

    With `opened`, what the reports behind it say is shown: call `operations.mentorships.concerns.opened` first.
    Raises `NotFound` where there is no such task, or this reader was not told of it.
    """
    async with database.session() as session:
        task = await mentorship_page.task_facts(session, public)
        if task is None or not reader.reads_answers(task.cohort):
            raise NotFound("there is no such task")
        cohort, key = task.cohort, task.mentorship
        decides_for = [each for each in reader.roles if reader.reads_answers(each)]
        row, people, safety, all_tasks, raised, asked, other, state, *agreed = await look_up_all(
            session, *mentorship_page.mentorship_facts(cohort, key), concerns.safety_tasks_in(cohort, [key]),
            mentorship_page.tasks_of(cohort, key), concerns.raised(cohort, key), asked_of(cohort, key),
            mentorship_page.next_open_task(reader.id, decides_for, task.key), mentorship_page.state_of(cohort, key),
            concerns.told_of(task.key), *agreement_lookups(cohort, key),
        )  # fmt: skip
        told, agreed = agreed[0], agreed[1:]
        readers = ConcernReaders(safety)
        hidden = readers.hidden_from(reader.id)
        if task.key in hidden:
            raise NotFound("there is no such task")
        facts = await mentorship_page.facts_from(session, row, people)
        answers = await answers_for(session, facts, asked, readers, reader.id)
        others = [each for each in all_tasks if each.key != task.key and each.key not in hidden]
        reports = _reports(task, facts, readers, answers, raised, reader, opened=opened)
        agreement = await _agreement(session, task, facts, agreed)
        choices = await _choices(session, task)
    today = local_date(now, facts.zone)
    behind = evidence(task, answers, now)
    names = {person.id: person.name for person in facts.people}
    return TaskView(
        task=task,
        facts=facts,
        today=today,
        about=tuple(names.get(person, person) for person in task.about),
        told=told if task.kind == SAFETY else (),
        evidence=behind,
        highlights=highlights(behind, answers, task.kind) if behind else (),
        charts=_charts(answers),
        agreement=agreement,
        reports=reports,
        opened=opened,
        decisions=tuple(_decision(name, task, state, reader.id, now, today) for name in task.decisions)
        if not task.closed_at
        else (),
        before=tuple(others),
        based_on=state.changes if state and not task.closed_at else 0,
        choices=choices,
        next_task=other,
        pause_until=today + USUAL_PAUSE,
    )


async def _choices(session: AsyncSession, task: TaskRecord) -> tuple[NextChoice, ...]:
    if task.closed_at is not None or "replace" not in task.decisions or task.kind != "seat_empty":
        return ()
    if await calls.find(session, task.cohort) is None:
        return ()
    return await choices_in(session, task.cohort, task.mentorship)


async def decided_at(database: Database, public: str) -> str:
    """The path of the page on which a task (its public id) of a whole cohort is decided; empty for any other task."""
    async with database.session() as session:
        task = await mentorship_page.task_facts(session, public)
    return f"/c/cohorts/{task.cohort}/matching" if task is not None and task.kind == MATCH else ""


async def decided(database: Database, public: str, reader: PageReader) -> TaskRecord | None:
    """A task that was decided, if this reader may see it."""
    async with database.session() as session:
        task = await mentorship_page.task_facts(session, public)
        if task is None or task.closed_at is None or not reader.reads_answers(task.cohort):
            return None
        readers = await readers_of(session, task.cohort, [task.mentorship])
    return None if task.key in readers.hidden_from(reader.id) else task


def evidence(task: TaskRecord, answers: MentorshipAnswers, now: datetime) -> FormRounds | None:
    """The round whose answers opened the task, both sides beside each other; None where no form is behind it."""
    asks = BEHIND.get(task.kind)
    if asks == ():
        return None
    until = task.closed_at or now
    given = [one for one in answers.given if one.at <= until and answers.of(one.ask) is not None]
    latest = max(about(task.kind, given), key=lambda one: one.at, default=None)
    if latest is None or task.kind == "silent":
        asked = [found for ask in asks or () if (found := answers.of(ask)) and found.rounds]
        rounds = max(asked, key=lambda one: one.rounds[-1][0].opens, default=None)
        return last_round(rounds) if rounds else None
    rounds = answers.of(latest.ask)
    assert rounds is not None
    numbers = [occasion.number for occasion, _ in rounds.rounds]
    found = last_round(rounds, numbers.index(latest.number)) if latest.number in numbers else None
    if found is None or task.kind != "safety":
        return found
    # What a report says is shown where it is opened, not among the answers.
    return replace(found, rows=tuple(row for row in found.rows if row.id not in CONCERN))


def highlights(behind: FormRounds, answers: MentorshipAnswers, kind: str) -> tuple[Highlight, ...]:
    """What stands out in a round: what says most about a task of this kind, low answers, and those far from the other
    side's."""
    whole = answers.of(behind.ask)
    found: list[Highlight] = []
    for row in behind.rows:
        for column, cell in zip(behind.columns, row.cells, strict=True):
            if cell is None:
                continue
            if tells(kind, cell.answer.question, cell.answer.value) or cell.answer.low or cell.far:
                before = _before(whole, column, row.id) if whole else ""
                answer = cell.answer
                found.append(Highlight(column.person.name, answer.label, answer.text, answer.low, cell.far, before))
    return tuple(found)


def _before(rounds: FormRounds, column: Column, question: str) -> str:
    """What the same person answered to the same question in the round before; empty where nothing."""
    row = next((row for row in rounds.rows if row.id == question), None)
    before = [
        cell.answer.text
        for other, cell in zip(rounds.columns, row.cells if row else (), strict=row is not None)
        if cell is not None
        and other.person.person == column.person.person
        and other.round.number < column.round.number
    ]
    return before[-1] if before else ""


def _charts(answers: MentorshipAnswers) -> tuple[LineChart, ...]:
    check_ins = answers.of("check_in")
    return tuple(line_chart(series) for series in check_ins.series) if check_ins else ()


async def _agreement(
    session: AsyncSession, task: TaskRecord, facts: MentorshipFacts, answers: Sequence[Any]
) -> Agreement | None:
    if task.kind not in ("expectations_differ", "no_agreement"):
        return None
    names = {person.id: person.name for person in facts.people}
    return await agreement_from(session, answers, facts, names, differing=task.kind == "expectations_differ")


# -- reports about safety or conduct ---------------------------------------------------------------------------


def _reports(
    task: TaskRecord,
    facts: MentorshipFacts,
    readers: ConcernReaders,
    answers: MentorshipAnswers,
    raised: Sequence[RaisedConcern],
    reader: PageReader,
    *,
    opened: bool,
) -> tuple[Report, ...]:
    """The reports behind a task. On a task that is no report: what was raised on an own page and needs no hold."""
    names = {person.id: person.name for person in facts.people}
    if task.kind not in ("safety", "help"):
        return ()
    found: list[Report] = []
    for given in concerns_among(answers.given) if task.kind == "safety" else ():
        form = shown(given, "coordinator", NEUTRAL | {"program": given.program}, facts.zone, "opened")
        said = tuple(answer for answer in form.answers if answer.question in CONCERN) if opened else ()
        found.append(Report(given.person, given.name, form.at, given.ask, given.number, answers=said))
    for one in raised:
        kind, _, danger = one.kind.partition(", ")
        if (kind == "interest" and not danger) != (task.kind == "help"):
            continue
        report = Report(one.person, names.get(one.person, one.person), local(one.at, facts.zone), "", 0)
        if opened:
            what = CONCERNS.get(kind, kind) + (f", {danger}" if danger else "")
            report = replace(report, kind=what, words=one.words)
        found.append(report)
    found.sort(key=lambda report: report.at)
    if task.kind == "help":
        return tuple(report for report in found if readers.may_read(task.mentorship, reader.id))
    return _of_task(task, found, readers, reader)


def _of_task(
    task: TaskRecord, reports: list[Report], readers: ConcernReaders, reader: PageReader
) -> tuple[Report, ...]:
    """Those that opened this task. Who was told of some reports only gets them where it is certain which they are."""
    tasks = readers.of(task.mentorship)
    place = next(index for index, one in enumerate(tasks) if one.key == task.key)
    if len(tasks) == len(reports):
        return (reports[place],)
    if not readers.may_read(task.mentorship, reader.id):
        return ()
    after = tasks[place - 1].opened_at if place else None
    last = place == len(tasks) - 1
    return tuple(
        report
        for report in reports
        if (after is None or report.at > after) and (last or report.at <= tasks[place].opened_at)
    )


# -- decisions ---------------------------------------------------------------------------------------------------


def _decision(name: str, task: TaskRecord, state: State | None, by: str, now: datetime, today: date) -> DecisionView:
    seat_is_clear = task.kind in SEAT_IS_CLEAR and len(task.about) == 1
    needs_person = name == "replace" and not seat_is_clear
    if state is None or name == "correct":
        return DecisionView(name, None, needs_person)
    person = _somebody(task, state) if needs_person else ""
    event = Decided(
        f"look/{task.key}/{name}",
        task.key,
        name,
        by,
        today + USUAL_PAUSE if name == "pause" else None,
        NEWCOMER if name == "replace" else "",
        state.zone if name == "replace" else "",
        person,
    )
    return DecisionView(name, foresee(state, event, now)[1], needs_person)


def _somebody(task: TaskRecord, state: State) -> str:
    """Whose seat is looked at until somebody says: that of whom the task concerns, or the first."""
    seated = [member.person for member in state.seats()]
    return next((person for person in task.about if person in seated), seated[0] if seated else "")
