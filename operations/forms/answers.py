"""What participants answered, as a coordinator may read it: by mentorship and round, both sides beside each other.

Every answer passes `visibility.sight`. A concern ("about safety or conduct") is withheld until it is asked for by one
of those to whom its task went; that it was opened is then on the record. Must never be passed to Temporal or logged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mail.dates import listed
from mail.form_text import answer_text, worded
from operations.forms.visibility import CONCERN, Viewer, fields_shown, goal_titles_shown, sight
from operations.mentorships.concerns import readers_of
from operations.mentorships.status import known_cohort, local
from operations.people.deciders import who_decides
from program.forms import Question
from program.goals import GOAL_ID, NAME, TITLE, named
from store.database import Database
from store.forms import requests
from store.forms.answers import GivenAnswer, answers_of, members_of
from store.people import people

WITHHELD = "about safety or conduct: not shown here, see its task"
ConcernSight = Literal["unseen", "withheld", "opened"]
"""What a reader sees of a concern: nothing, that there is one, or what it says."""
NEUTRAL = {"partner": "the partner", "since": "the time before", "purpose": "what they want to get out of this"}
"""How a question is worded where the answers of several people stand beside it."""

COLUMNS = (
    "cohort", "mentorship", "form", "number", "person", "name", "role", "given", "late", "version", "question",
    "label", "entry", "answer", "value",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """The answer to one question. `value` is what is stored, `text` the same in words.

    The value of an agreed goal is its id, by which the agreement, the midpoint and the closure are joined.
    """

    question: str
    label: str
    text: str
    value: Any
    entry: int = 0
    """Of a group: which entry, from 1."""
    low: bool = False
    """A statement that was rated so low that it should be talked about (`low_score` of the program's rules)."""
    scale: bool = False
    """A statement that is rated from 1 to 5."""


@dataclass(frozen=True, slots=True)
class ShownForm:
    """What one person answered on one occasion. `at` is a local time of the cohort's zone."""

    cohort: str
    mentorship: str
    ask: str
    number: int
    title: str
    person: str
    name: str
    role: str
    at: datetime
    late: bool
    version: int
    answers: tuple[ShownAnswer, ...]
    concern: bool = False
    """It says that it is about safety or conduct."""


async def answers(
    database: Database,
    cohort: str,
    now: datetime,
    *,
    mentorship: str = "",
    person: str = "",
    ask: str = "",
    concerns: bool = False,
    by: str = "",
) -> list[ShownForm]:
    """What was answered in a cohort, as its coordinators see it. `now` is program time (UTC).

    With `concerns`, what was written about safety or conduct is shown to `by`, a coordinator or deputy to whom the
    tasks about it went, and each that is opened is noted on the record of its mentorship. Raises `NotFound` and
    `Refused`.
    """
    async with database.session() as session:
        zone = (await known_cohort(session, cohort)).zone
        given = await answers_of(session, cohort, mentorship=mentorship, person=person, ask=ask)
        members = await members_of(session, cohort)
        reader = who_decides(cohort, await people.deciders(session, cohort), by) if concerns else ""
        readers = await readers_of(session, cohort, [answer.mentorship for answer in given if is_concern(answer)])
    opened = [
        answer for answer in given if is_concern(answer) and reader and readers.may_read(answer.mentorship, reader)
    ]
    if opened:
        async with database.begin() as session:
            for answer in opened:
                request = f"{answer.ask} {answer.number}"
                await requests.note(
                    session, cohort, answer.mentorship, now, "concern_opened", answer.person, request, by=reader
                )
    return [
        shown(
            answer,
            "coordinator",
            words_of(answer, members.get((cohort, answer.mentorship), [])),
            zone,
            "opened" if answer in opened else "withheld",
        )
        for answer in given
    ]


def is_concern(given: GivenAnswer) -> bool:
    """Whether this answer says that it is about safety or conduct."""
    return given.body.get("p_help") == "safety"


def words_of(given: GivenAnswer, members: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """How the questions were worded for this person; `members` are (id, name) of everybody in the mentorship."""
    partners = listed([name for id_, name in members if id_ != given.person], "en")
    return NEUTRAL | {"partner": partners or "your partner", "program": given.program}


def shown(
    given: GivenAnswer, viewer: Viewer, words: Mapping[str, str], zone: str, concerns: ConcernSight
) -> ShownForm:
    """What a viewer sees of an answer. `words` fill the wording of the questions, `zone` is the cohort's."""
    concern = is_concern(given) and concerns != "unseen"
    body = named(given.body, given.goals if goal_titles_shown(viewer) else {})
    found: list[ShownAnswer] = []
    for question in worded(given.form.questions_for(given.role, given.format, given.early), words):
        if question.id not in given.body or sight(given.form, question, viewer) != "shown":
            continue
        if is_concern(given) and question.id in CONCERN and concerns != "opened":
            if question.id == "p_help" and concerns == "withheld":
                found.append(ShownAnswer(question.id, question.label, WITHHELD, "safety"))
            continue
        found += _answered(given, question, body[question.id], viewer)
    return ShownForm(
        given.cohort, given.mentorship, given.ask, given.number, given.form.title, given.person, given.name,
        given.role, local(given.at, zone), given.late, given.version, tuple(found), concern,
    )  # fmt: skip


def _answered(given: GivenAnswer, question: Question, value: Any, viewer: Viewer) -> Iterator[ShownAnswer]:
    if question.type != "group":
        scale = question.type == "scale"
        low = scale and isinstance(value, int) and value <= given.rules.low_score
        yield ShownAnswer(question.id, question.label, answer_text(question, value), value, low=low, scale=scale)
        return
    for nth, entry in enumerate(value, 1):
        for field in fields_shown(given.form, question, viewer):
            if field.id in entry:
                text = answer_text(field, entry[field.id])
                joins = GOAL_ID in entry and field.id in (TITLE, NAME)
                stored = entry[GOAL_ID] if joins else entry[field.id]
                yield ShownAnswer(f"{question.id}.{field.id}", field.label, text, stored, nth)


def rows(forms: Iterable[ShownForm]) -> Iterator[tuple[str, ...]]:
    """One row for each answer, in COLUMNS, for tables and spreadsheets. Times are local to the cohort."""
    for form in forms:
        for answer in form.answers:
            yield (
                form.cohort, form.mentorship, form.ask, str(form.number), form.person, form.name, form.role,
                f"{form.at:%Y-%m-%d %H:%M}", "late" if form.late else "", str(form.version), answer.question,
                answer.label, str(answer.entry or ""), answer.text, _plain(answer.value),
            )  # fmt: skip


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(_plain(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
    if value is None:
        return ""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
