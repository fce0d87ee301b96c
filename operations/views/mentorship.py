"""The page of one mentorship: its story from invitation to end, its people, answers, agreement, tasks and notes.

Put together for one reader: what they may not see is not in it. It holds names and answers; it must not be passed to
Temporal or written to a log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time

from lifecycle.local_time import local_date, zone
from lifecycle.state import PlannedPause
from operations.errors import NotFound
from operations.mentorships.concerns import ConcernReaders
from operations.mentorships.labels import happening_words, step_words
from operations.mentorships.status import local
from operations.views.agreement import Agreement, agreement_from, agreement_lookups
from operations.views.answers import MentorshipAnswers, answers_for
from operations.views.charts import Band, LineChart, band, line_chart
from operations.views.mail import is_for_coordinators
from operations.views.reader import PageReader
from store.columns import public_id
from store.database import Database
from store.forms.answers import asked_of
from store.lookups import look_up_all
from store.mentorships import concerns
from store.people import absences, notes
from store.people.absences import StatedAbsence
from store.people.notes import Note
from store.reports import mentorship_page
from store.reports.mentorship_page import MailItem, MentorshipFacts, TaskRecord
from store.reports.status import ListedPerson
from store.reports.timeline import TimelineEntry, UpcomingStep
from store.reports.timeline import story as story_of

ABOUT_CONCERNS = frozenset({"concern_raised", "concern_opened", "held", "released", "withheld"})
"""Lines of the record that tell of a report about safety or conduct."""
RECEIPT = "safety_received"
"""The mail to somebody who has reported something."""
NEAR = 6
"""So many entries back the same thing for another person is looked for."""
AGREEMENT_LINES = frozenset({"agreement_drafted", "agreement_changed", "agreement_signed", "agreement_concluded"})


@dataclass(frozen=True, slots=True)
class StoryPerson:
    """Somebody in an entry of the story. `mail`: id of the mail that went to them, if it can be opened."""

    id: str
    name: str
    mail: str = ""


@dataclass(frozen=True, slots=True)
class StoryEntry:
    """One thing that happened. `at` is local to the cohort; `door` is what can be opened behind it."""

    at: datetime
    what: str
    """event, mail, dropped, answer, task_opened, task_closed, absence"""
    name: str
    words: str
    people: tuple[StoryPerson, ...]
    by: str
    """Id of who did it, where it was no participant's own act."""
    by_name: str
    why: str
    door: str = ""
    """`answers`, `task`, `agreement`, or nothing"""
    until: date | None = None
    """Last day of an absence."""
    ref: str = ""
    """Of the door: the anchor of the answers, or the public id of the task."""


@dataclass(frozen=True, slots=True)
class ComingEntry:
    """One thing that comes. Days are the cohort's."""

    opens: date
    closes: date | None
    words: str
    open: bool
    awaited: tuple[str, ...]
    away: str = ""
    """Name of who is away; then it is no step, and the days are in their own zone."""


@dataclass(frozen=True, slots=True)
class MentorshipView:
    """What the page shows. For a reader without answers, `answers`, `agreement` and `notes` are empty."""

    facts: MentorshipFacts
    today: date
    reads_answers: bool
    story: tuple[StoryEntry, ...]
    coming: tuple[ComingEntry, ...]
    answers: MentorshipAnswers
    agreement: Agreement
    tasks: tuple[TaskRecord, ...]
    notes: tuple[Note, ...]
    absences: tuple[StatedAbsence, ...]
    held: bool
    """Mail is held back after a report, and the reader was told of it."""
    band: Band

    @property
    def paused_until(self) -> date | None:
        """Until when it is paused; None where the end is open, or it is not."""
        until = self.facts.paused_until
        return date.fromisoformat(until) if until and until != "open" else None

    @property
    def pause_ahead(self) -> PlannedPause | None:
        """A pause that begins later."""
        return PlannedPause.of(self.facts.pause_ahead) if self.facts.pause_ahead else None

    @property
    def person_names(self) -> Mapping[str, str]:
        """Person id to name of everybody with a seat."""
        return {person.id: person.name for person in self.facts.people}

    def charts_of(self, ask: str) -> tuple[LineChart, ...]:
        """The statements of this form over time."""
        rounds = self.answers.of(ask)
        return tuple(line_chart(series) for series in rounds.series) if rounds else ()

    @property
    def open_tasks(self) -> tuple[TaskRecord, ...]:
        """Those that wait for a decision, the most pressing first."""
        return tuple(sorted((task for task in self.tasks if not task.closed_at), key=lambda task: task.due))

    @property
    def names(self) -> str:
        """Those who take part, by name; everybody who had a seat where nobody does."""
        seated = [person.name for person in self.facts.people if person.standing not in ("out", "declined")]
        return " · ".join(seated or [person.name for person in self.facts.people])


async def mentorship_view(
    database: Database, cohort: str, key: str, reader: PageReader, now: datetime
) -> MentorshipView:
    """The page of a mentorship for this reader; `now` is program time (UTC). Raises `NotFound`."""
    full = reader.reads_answers(cohort)
    async with database.session() as session:
        row, people, safety, all_tasks = await look_up_all(
            session, *mentorship_page.mentorship_facts(cohort, key), concerns.safety_tasks_in(cohort, [key]),
            mentorship_page.tasks_of(cohort, key),
        )  # fmt: skip
        if row is None:
            raise NotFound(f"there is no mentorship {key!r} in {cohort!r}")
        facts = await mentorship_page.facts_from(session, row, people)
        listed = tuple(ListedPerson(person.id, person.name, person.role, person.standing) for person in people)
        past = await story_of(session, cohort, key, listed)
        readers = ConcernReaders(safety)
        tasks = [task for task in all_tasks if task.key not in readers.hidden_from(reader.id)]
        answers = MentorshipAnswers((), ())
        agreement = Agreement((), facts.agreement_in_force)
        written: list[Note] = []
        away: list[StatedAbsence] = []
        mails: dict[str, list[MailItem]] = {}
        if full:
            asked, written, away, mails, *agreed = await look_up_all(
                session, asked_of(cohort, key), notes.notes_of((cohort, key)),
                absences.stated(cohort=cohort, mentorship=key),
                mentorship_page.items_of_mails(mentorship_page.mails_of_mentorship(cohort, key)),
                *agreement_lookups(cohort, key),
            )  # fmt: skip
            answers = await answers_for(session, facts, asked, readers, reader.id)
            names = {person.id: person.name for person in people}
            agreement = await agreement_from(session, agreed, facts, names)
    today = local_date(now, facts.zone)
    visible = [entry for entry in past.happened if _is_shown(entry, facts, readers, reader)]
    names = {**past.names} | {person.id: person.name for person in facts.people}
    openable = {id_ for id_, items in mails.items() if is_for_coordinators(items, reader)} if full else set[str]()
    return MentorshipView(
        facts,
        today,
        full,
        _with_absences(story(visible, facts.zone, openable, names, full=full), away, facts.zone, today),
        tuple(sorted((*map(_coming, past.ahead), *_to_come(away, today)), key=lambda entry: entry.opens)),
        answers,
        agreement,
        tuple(tasks if full else (replace(task, reason="", why="") for task in tasks)),
        tuple(written),
        tuple(away),
        facts.held and full and readers.may_read(key, reader.id),
        band(
            min([local(entry.at, facts.zone).date() for entry in past.happened] + [facts.start]),
            facts.start,
            facts.midpoint,
            facts.end,
            max([step.closes or step.opens for step in past.ahead if step.name == "closure"] + [facts.end]),
            today,
        ),
    )


def _is_shown(entry: TimelineEntry, facts: MentorshipFacts, readers: ConcernReaders, reader: PageReader) -> bool:
    if entry.what == "mail" and entry.person and entry.person.id not in {person.id for person in facts.people}:
        return False  # mails to coordinators about their tasks
    if reader.reads_answers(facts.cohort) and readers.may_read(facts.key, reader.id):
        return True
    hidden = readers.hidden_from(reader.id) or {task.key for task in readers.of(facts.key)}
    return entry.name not in (*ABOUT_CONCERNS, RECEIPT) and entry.ref not in hidden and entry.detail not in hidden


def story(
    entries: Iterable[TimelineEntry], zone: str, openable: set[str], names: Mapping[str, str], *, full: bool
) -> Iterable[StoryEntry]:
    """The past in order; what happened to several people on one day for the same reason is one entry.

    `openable` are ids of mails, `names` those of who acted. Without `full` no reasons and no doors are given.
    """
    found: list[StoryEntry] = []
    for entry in entries:
        one = _entry(entry, zone, openable, names, full)
        same = next(
            (index for index, other in enumerate(found[-6:], max(len(found) - 6, 0)) if _same(other, one)), None
        )
        if same is None:
            found.append(one)
        else:
            found[same] = replace(found[same], people=(*found[same].people, *one.people))
    return found


def _with_absences(
    entries: Iterable[StoryEntry], away: Iterable[StatedAbsence], zone_name: str, today: date
) -> tuple[StoryEntry, ...]:
    """The story with the absences that have begun."""
    begun = [
        StoryEntry(
            datetime.combine(absence.first, time(), zone(zone_name)),
            "absence",
            absence.ask,
            "",
            (StoryPerson(absence.person, absence.name),),
            "",
            "",
            "",
            until=absence.last,
        )
        for absence in away
        if absence.first < today
    ]
    return tuple(sorted((*entries, *begun), key=lambda entry: entry.at))


def _to_come(away: Iterable[StatedAbsence], today: date) -> Iterable[ComingEntry]:
    """The absences that have not begun."""
    return [
        ComingEntry(absence.first, absence.last, "", open=False, awaited=(), away=absence.name)
        for absence in away
        if absence.first >= today
    ]


def _entry(entry: TimelineEntry, zone: str, openable: set[str], names: Mapping[str, str], full: bool) -> StoryEntry:
    door, ref = "", ""
    match entry.what:
        case "answer" if entry.ref and entry.ref != "agreement":
            door, ref = "answers", f"{entry.ref}-{entry.number}"
        case "answer":
            door = "agreement"
        case "task_opened" | "task_closed":
            door, ref = "task", public_id(entry.ref)
        case "event" if entry.name in AGREEMENT_LINES:
            door = "agreement"
        case _:
            pass
    reason = entry.detail if entry.what == "task_opened" else ""
    shown = replace(entry, detail="") if reason or (entry.name in ABOUT_CONCERNS) else entry
    mail = entry.ref if entry.what == "mail" and entry.ref in openable else ""
    return StoryEntry(
        local(entry.at, zone),
        entry.what,
        entry.name,
        happening_words(shown),
        (StoryPerson(entry.person.id, entry.person.name, mail),) if entry.person else (),
        entry.by,
        names.get(entry.by, entry.by),
        (reason or ("" if entry.name in ABOUT_CONCERNS else entry.why)) if full else "",
        door if full or door == "task" else "",
        ref=ref,
    )


def _same(one: StoryEntry, other: StoryEntry) -> bool:
    return bool(
        one.people
        and other.people
        and one.at.date() == other.at.date()
        and (one.what, one.name, one.words, one.by, one.why)
        == (other.what, other.name, other.words, other.by, other.why)
    )


def _coming(step: UpcomingStep) -> ComingEntry:
    return ComingEntry(
        step.opens,
        step.closes,
        step_words(step.name, step.number),
        step.state == "open",
        tuple(person.name for person in step.awaited),
    )
