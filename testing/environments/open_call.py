"""An open call on a database, and what somebody types into its page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from operations.applications import open_call
from operations.applications.apply import Received, apply
from operations.forms.parse import Typed, typed_of
from program.files.folders import SHIPPED
from program.forms import Form
from program.gathering import Apply, Wishes
from program.loader import Loaded, LoadedProgram, load_form, load_program
from program.matching import Matching
from program.models import Cohort, Format, Person
from runtime.links import Links
from store.cohorts import calls
from store.cohorts.cohorts import put
from store.database import Database
from store.people import applications
from store.programs import freeze_program

COHORT = "call"
OPENS, CLOSES, START = date(2027, 1, 11), date(2027, 1, 31), date(2027, 4, 5)
OPEN = datetime(2027, 1, 20, 10, 0, tzinfo=UTC)
"""While people can apply."""
CLOSED = datetime(2027, 2, 1, 10, 0, tzinfo=UTC)
PROGRAM: LoadedProgram = load_program(SHIPPED / "programs" / "open-call.yaml")
FORM: Form = load_form(SHIPPED / "forms" / "application.yaml")


def loaded_call(
    wishes: Wishes | None = None, cohort: str = COHORT, program: LoadedProgram = PROGRAM, **terms: Any
) -> Loaded:
    """A cohort's file with an open call; `terms` are fields of `apply:`."""
    says = Cohort(
        cohort=cohort,
        title="Across the departments",
        organisation="Northern Lights",
        program=program.program.program,
        start=START,
        zone="Europe/Berlin",
        coordinators=(Person(id="coco", name="Coco Marchetti", email="coco@example.org", zone="Europe/Rome"),),
        apply=Apply.model_validate({"opens": OPENS, "closes": CLOSES, **terms}),
        wishes=wishes,
    )
    return Loaded(says, {says.program: program}, application=FORM)


def call_program(name: str, **matching: Any) -> LoadedProgram:
    """A shipped program; `matching` are fields of its section `matching:`."""
    found = load_program(SHIPPED / "programs" / f"{name}.yaml")
    assert found.program.matching is not None
    changed = Matching.model_validate(found.program.matching.model_dump() | matching)
    return replace(found, program=found.program.model_copy(update={"matching": changed}))


def asked_only_with(form: Form, id_: str, when: dict[str, Any]) -> Form:
    """The form with one of its questions required, and asked only with another answer."""
    questions = tuple(
        question.model_copy(update={"when": when, "required": True}) if question.id == id_ else question
        for question in form.questions
    )
    return form.model_copy(update={"questions": questions})


async def launch_call(database: Database, loaded: Loaded, now: datetime = OPEN) -> None:
    """Put the cohort and its call down, as a launch does."""
    [(name, used)] = loaded.used.items()
    async with database.begin() as session:
        program = await freeze_program(session, used.program, used.forms, now)
    await put(database, loaded.cohort, {name: program}, now.date(), now)
    await open_call.put(database, loaded, now)


async def open_call_of(database: Database, cohort: str, now: datetime) -> None:
    """Let people apply to a cohort that is launched already, around this moment."""
    says = Apply(opens=now.date() - timedelta(days=7), closes=now.date() + timedelta(days=7))
    async with database.begin() as session:
        await calls.put(session, cohort, calls.values_of(says, Wishes(), FORM, PROGRAM.program))


async def applied(database: Database, links: Links, name: str, email: str, cohort: str, now: datetime) -> str:
    """Somebody applies as a mentee, without the page; the path of their own page."""
    typed = typed_application("mentee", name, email)
    outcome = await apply(database, cohort, typed, "mentee", timedelta(minutes=1), now)
    assert isinstance(outcome, Received), outcome
    return await link_of(database, links, email, cohort)


def typed_application(role: str, name: str, email: str, format_: Format = "one_to_one", **answers: Any) -> Typed:
    """What a contented person types who applies in this role; `answers` are other answers, as they are stored."""
    roles = ("mentor", "mentee") if role == "both" else (role,)
    contented: dict[str, Any] = {}
    for each in roles:
        contented |= FORM.contented(each, format_)
    contented.pop("role", None)
    questions = tuple({question.id: question for question in FORM.questions}.values())
    return typed_of(questions, contented | answers) | {"name": [name], "email": [email]}


async def link_of(database: Database, links: Links, email: str, cohort: str = COHORT) -> str:
    """The path of somebody's own page, as the mail brings it."""
    async with database.session() as session:
        found = await applications.of_address(session, cohort, email)
    assert found is not None, "nobody has applied with this address"
    return f"/application/{links.application_token(found.id, found.generation)}"


def opened(page: str) -> str:
    """The field of a page that says when it was served."""
    found = re.search(r'name="opened" value="([^"]+)"', page)
    assert found is not None
    return found[1]
