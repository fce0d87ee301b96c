"""The agreement of a mentorship as its coordinators may read it: status, versions, who signed, and what changed.

The document belongs to the pair. Coordinators see the rows that `operations.forms.visibility` names; where the pair
can't agree, also the rows in which the last two versions differ. Must never show more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from mail.form_text import answer_text, worded
from operations.forms.agreements import in_document
from operations.forms.answers import NEUTRAL
from operations.forms.visibility import sight
from operations.mentorships.status import local
from program.forms import Answers, Form, Question
from program.goals import TITLE
from store.cohorts.program_versions import agreement_hashes, form_of_agreement
from store.forms import agreements
from store.forms.agreements import Version
from store.lookups import Lookup
from store.reports.mentorship_page import MentorshipFacts

_ROW = tuple[str, int]


@dataclass(frozen=True, slots=True)
class AgreedRow:
    """One row of the document. `before` is what the version before says, where it differs."""

    question: str
    entry: int
    """Of a group: which entry, from 1."""
    label: str
    text: str
    change: str = ""
    """added, changed, removed, or nothing"""
    before: str = ""


@dataclass(frozen=True, slots=True)
class AgreedVersion:
    """One version. Instants are local to the cohort's zone."""

    number: int
    by: str
    """Name of who wrote it."""
    at: datetime
    signed: tuple[tuple[str, datetime], ...]
    """(name of the person, when), the first to sign first."""
    rows: tuple[AgreedRow, ...]

    @property
    def changed(self) -> tuple[AgreedRow, ...]:
        """The rows that are different from the version before."""
        return tuple(row for row in self.rows if row.change)


@dataclass(frozen=True, slots=True)
class Agreement:
    """All versions, the latest first. `in_force`: number of the version that holds; 0 where none does."""

    versions: tuple[AgreedVersion, ...]
    in_force: int
    differing: tuple[AgreedRow, ...] = ()
    """Where the pair can't agree: every row in which the last two versions differ."""

    @property
    def latest(self) -> AgreedVersion | None:
        """The version on the table."""
        return self.versions[0] if self.versions else None


def agreement_lookups(cohort: str, mentorship: str) -> tuple[Lookup[Any], Lookup[Any]]:
    """What `agreement_from` takes the answers to."""
    return agreement_hashes((cohort, mentorship)), agreements.versions_of(cohort, mentorship)


async def agreement_from(
    session: AsyncSession,
    answers: Sequence[Any],
    facts: MentorshipFacts,
    names: Mapping[str, str],
    *,
    differing: bool = False,
) -> Agreement:
    """The agreement of a mentorship. `names`: person id to name. `differing`: the rows that differ are shown."""
    hashes: list[str] = answers[0]
    versions: tuple[Version, ...] = answers[1]
    in_force, zone = facts.agreement_in_force, facts.zone
    form = await form_of_agreement(session, facts.program, hashes)
    if form is None or not versions:
        return Agreement((), in_force)
    document = _document(form, facts.format)
    shown = [question for question in document if sight(form, question, "coordinator") == "shown"]
    bodies: list[Mapping[_ROW, tuple[str, str]]] = [_rows(shown, version.body, titles=True) for version in versions]
    found = [
        AgreedVersion(
            version.number,
            names.get(version.by, version.by),
            local(version.at, zone),
            tuple(
                (names.get(person, person), local(signature.at, zone))
                for person, signature in sorted(version.signed.items(), key=lambda one: one[1].at)
            ),
            tuple(_compared(bodies[nth], bodies[nth - 1] if nth else None)),
        )
        for nth, version in enumerate(versions)
    ]
    rows: Iterable[AgreedRow] = ()
    if differing and len(versions) > 1:
        last, before = (_rows(document, version.body, titles=False) for version in reversed(versions[-2:]))
        rows = (row for row in _compared(last, before) if row.change)
    return Agreement(tuple(reversed(found)), in_force, tuple(rows))


def _document(form: Form, format_: str) -> list[Question]:
    """The questions of the document, with each id once."""
    found: dict[str, Question] = {}
    for question in form.questions:
        if (not question.formats or format_ in question.formats) and in_document(question.type, question.visible):
            found.setdefault(question.id, question)
    return list(worded(tuple(found.values()), NEUTRAL | {"program": ""}))


def _rows(questions: Iterable[Question], body: Answers, *, titles: bool) -> dict[_ROW, tuple[str, str]]:
    """(label, text) of each row that says something. With `titles`, of a group only its titles."""
    rows: dict[_ROW, tuple[str, str]] = {}
    for question in questions:
        if question.id not in body:
            continue
        if question.type != "group":
            rows[question.id, 0] = (question.label, answer_text(question, body[question.id]))
            continue
        for nth, entry in enumerate(body[question.id], 1):
            for part in question.fields:
                if part.id in entry and (part.id == TITLE or not titles):
                    rows[f"{question.id}.{part.id}", nth] = (part.label, answer_text(part, entry[part.id]))
    return {row: said for row, said in rows.items() if said[1]}


def _compared(
    now: Mapping[_ROW, tuple[str, str]], then: Mapping[_ROW, tuple[str, str]] | None
) -> Iterable[AgreedRow]:
    for (question, entry), (label, text) in now.items():
        before = then.get((question, entry), ("", ""))[1] if then is not None else text
        change = "" if before == text else "changed" if before else "added"
        yield AgreedRow(question, entry, label, text, change, before if change else "")
    for (question, entry), (label, text) in (then or {}).items():
        if (question, entry) not in now:
            yield AgreedRow(question, entry, label, "", "removed", text)
