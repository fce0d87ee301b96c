"""A coordinator edits an application when somebody asks for it, also after the close; it is on the record.

What is shown only in totals is not shown here and stays as it is. The person is not mailed: they asked for it, and
their own page shows what stands there now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from operations.applications.applicants import find_application, put_act
from operations.applications.apply import ZONE
from operations.errors import Refused
from operations.forms.parse import FieldFault, Typed, read, typed_of
from operations.transactions import committed
from program.forms import Question
from store.cohorts.calls import Call
from store.database import Database
from store.forms import requests
from store.people import applications
from store.people.applications import Application

SEVERAL = "|"
"""Parts the values of an answer that can have several, where it is written as one text."""
YES = ("yes", "true", "1")


@dataclass(frozen=True, slots=True)
class Edited:
    """What became of it. With `faults` nothing was stored; `same` where the application says this already."""

    person: str
    faults: tuple[FieldFault, ...] = ()
    same: bool = False


def questions_for(call: Call, application: Application) -> tuple[Question, ...]:
    """The questions whose answers a coordinator sees and can edit."""
    return tuple(question for question in call.questions(application.role) if question.visible != "totals")


def may_edit(call: Call, application: Application) -> str:
    """Why this application can't be edited; empty where it can."""
    if application.state not in applications.COUNTS:
        return f"the application is {application.state}"
    if call.state != "running":
        return f"{call.cohort} is {call.state}"
    if call.gathering.published and application.state == "confirmed":
        return "the pairs are published; change the mentorship itself"
    return ""


async def edit_on_request(
    database: Database, cohort: str, who: str, typed: Typed, now: datetime, *, by: str, why: str = "", proof: str
) -> Edited:
    """Store what these fields say as the answers of somebody (an id or an address); a field that is left out is an
    answer that is taken out. `now` is program time (UTC). Raises Refused and NotFound."""

    async def carry_out(session: AsyncSession) -> Edited:
        call, found, decider = await find_application(session, cohort, who, by)
        if reason := may_edit(call, found):
            raise Refused(reason)
        asked = questions_for(call, found)
        reading = read(asked, typed)
        if reading.faults:
            return Edited(found.person, tuple(reading.faults))
        hidden = {question.id for question in call.questions(found.role)} - {question.id for question in asked}
        body = {id_: answer for id_, answer in found.body.items() if id_ in hidden} | reading.answers
        if body == found.body:
            return Edited(found.person, same=True)
        await applications.change(session, found.id, body=body, form_version=call.form.version, at=now)
        if body.get(ZONE) and await applications.only_applied(session, found.person, besides=found.id):
            await applications.change_person(session, found.person, zone=body[ZONE])
        await requests.note(session, cohort, "", now, "application_changed", found.person, by=decider, why=why)
        await put_act(session, now, decider, proof, "applicants --edit", cohort, found.person, why)
        return Edited(found.person)

    return await committed(database, carry_out)


async def fields_with(database: Database, cohort: str, who: str, changes: Mapping[str, str], by: str) -> Typed:
    """The fields of an application with these changes: question to the answer as one text; an empty one takes the
    answer out. Several values are parted by `|`. Raises Refused for a question that is not asked."""
    async with database.session() as session:
        call, found, _ = await find_application(session, cohort, who, by)
    asked = {question.id: question for question in questions_for(call, found)} if found.role else {}
    if unknown := [name for name in changes if name not in asked]:
        raise Refused(f"the form asks no {unknown[0]!r} of them; it asks {', '.join(asked)}")
    answers: dict[str, Any] = {id_: answer for id_, answer in found.body.items() if id_ in asked}
    for name, text in changes.items():
        answers.pop(name, None)
        if text.strip():
            answers[name] = _answer(asked[name], text.strip())
    return typed_of(list(asked.values()), answers)


def _answer(question: Question, text: str) -> Any:
    """A text as an answer; what is no answer is left for the form to refuse."""
    if question.type == "group":
        part = question.fields[0]
        return [{part.id: _meant(said, part)} for said in _several(text)]
    match question.type:
        case "many":
            return [_meant(said, question) for said in _several(text)]
        case "one":
            return _meant(text, question)
        case "yes_no":
            return text.casefold() in YES
        case "number" | "scale":
            return int(text) if text.isdecimal() and len(text) < 7 else text
        case _:
            return text


def _several(text: str) -> Sequence[str]:
    return [said.strip() for said in text.split(SEVERAL) if said.strip()]


def _meant(said: str, question: Question) -> str:
    labels = {name.casefold(): one.value for one in question.options for name in (one.value, one.label)}
    return labels.get(said.casefold(), said)
