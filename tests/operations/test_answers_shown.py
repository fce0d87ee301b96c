"""Who sees which answer: the table, and what coordinators read of the forms that were really submitted."""

from __future__ import annotations

import csv
import io
from typing import get_args

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from operations.errors import NotFound, Refused
from operations.forms.answers import COLUMNS, WITHHELD, answers, rows
from operations.forms.submit import submit
from operations.forms.visibility import AGREEMENT_SHOWN, Sight, Viewer, sight
from operations.spreadsheet import as_csv, as_xlsx
from program.forms import Form, Question, Visible
from store.database import Database
from store.tables import EventRow
from testing.environments.web_env import COHORT, NOW, PROGRAMS, WebEnv, filled_in, launch, web_env_of

FORMS = {form.form: form for program in PROGRAMS.values() for form in program.forms.values()}

TABLE: dict[Visible, tuple[Sight, Sight, Sight, Sight]] = {
    # coordinator, reader, administrator, partner
    "coordinator": ("shown", "hidden", "hidden", "hidden"),
    "pair": ("shown", "hidden", "hidden", "shown"),
    "totals": ("totals", "totals", "totals", "hidden"),
    "me": ("hidden", "hidden", "hidden", "hidden"),
}
VIEWERS: tuple[Viewer, ...] = ("coordinator", "reader", "administrator", "partner")


@pytest.fixture
async def both(database: Database) -> WebEnv:
    """A launched cohort; the test runs on SQLite and on PostgreSQL."""
    await launch(database)
    return web_env_of(database)


async def submitted(web_env: WebEnv, ask: str, person: str, number: int = 1, **changes: str) -> None:
    """Fill in a form as a contented person does, with some answers changed, and submit it."""
    path = await web_env.ask(ask, person, number=number)
    link = web_env.links.read_request(path.removeprefix("/f/"))
    assert link is not None
    typed = await filled_in(web_env, path, **changes)
    await submit(web_env.database, *link, f"{ask}-{person}-{number}", typed, web_env.now)


@pytest.mark.parametrize("visible", get_args(Visible))
def test_the_table_says_who_sees_what(visible: Visible) -> None:
    question = Question(id="q", type="text", label="?", visible=visible)
    form = Form(form="check_in", title="?", who_sees="?", questions=(question,))
    assert tuple(sight(form, question, viewer) for viewer in VIEWERS) == TABLE[visible]


def test_of_an_agreement_coordinators_see_rhythm_dates_and_goals_only() -> None:
    form = FORMS["agreement"]
    shown = {question.id for question in form.questions if sight(form, question, "coordinator") == "shown"}
    for_the_pair = {question.id for question in form.questions if question.visible == "pair"}
    assert shown & for_the_pair == AGREEMENT_SHOWN & for_the_pair
    assert for_the_pair - shown >= {"a_purpose", "a_offer", "a_access", "a_feedback_e"}


@pytest.mark.parametrize("id_", sorted(FORMS))
def test_the_form_tells_its_reader_what_the_table_says(id_: str) -> None:
    """Where coordinators read answers, the form tells that before its first question."""
    form = FORMS[id_]
    read = any(sight(form, question, "coordinator") == "shown" for question in form.questions)
    assert not read or "oordinator" in form.who_sees


async def test_a_coordinator_reads_both_sides_and_sees_which_answer_was_low(both: WebEnv) -> None:
    await submitted(both, "check_in", "ada", p_open="2", p_word="It is hard to say no.")
    await submitted(both, "check_in", "mia")
    found = await answers(both.database, COHORT, NOW, mentorship="pair")
    assert [(form.person, form.role, form.number) for form in found] == [("ada", "mentee", 1), ("mia", "mentor", 1)]
    by_question = {answer.question: answer for answer in found[0].answers}
    assert by_question["p_open"].low
    assert by_question["p_open"].text == "2 of 5"
    assert not by_question["p_useful"].low
    assert by_question["p_word"].text == "It is hard to say no."
    assert not any(answer.low for answer in found[1].answers)


async def test_the_latest_version_counts(both: WebEnv) -> None:
    await submitted(both, "check_in", "ada", p_word="first")
    path = await both.ask("check_in", "ben", "pair-2")
    link = both.links.read_request(path.removeprefix("/f/"))
    assert link is not None
    for nth, word in enumerate(("one", "two", "three")):
        typed = await filled_in(both, path, p_word=word)
        await submit(both.database, *link, f"again-{nth}", typed, both.now)
    [form] = await answers(both.database, COHORT, NOW, person="ben")
    assert form.version == 3
    assert {answer.question: answer.text for answer in form.answers}["p_word"] == "three"


async def test_totals_are_not_shown_one_by_one(both: WebEnv) -> None:
    await submitted(both, "closure", "ada")
    [form] = await answers(both.database, COHORT, NOW, ask="closure")
    totals = {question.id for question in FORMS["closure"].questions if question.visible == "totals"}
    assert totals
    assert not totals & {answer.question for answer in form.answers}


async def test_a_concern_is_withheld_until_somebody_opens_it_and_that_is_recorded(both: WebEnv) -> None:
    await submitted(both, "check_in", "ada", p_help="safety", p_word="I was threatened.")
    [form] = await answers(both.database, COHORT, NOW)
    assert form.concern
    assert "threatened" not in repr(form)
    assert WITHHELD in [answer.text for answer in form.answers]
    async with both.database.session() as session:
        assert list(await session.scalars(select(EventRow).where(EventRow.name == "concern_opened"))) == []

    with pytest.raises(Refused, match="no coordinator or deputy"):
        await answers(both.database, COHORT, NOW, concerns=True, by="ada")
    [form] = await answers(both.database, COHORT, NOW, concerns=True, by="coco")
    assert "I was threatened." in [answer.text for answer in form.answers]
    async with both.database.session() as session:
        [event] = await session.scalars(select(EventRow).where(EventRow.name == "concern_opened"))
    assert (event.person, event.by, event.mentorship, event.detail) == ("ada", "coco", "pair", "check_in 1")


async def test_csv_and_xlsx_hold_the_same_rows_and_no_formula(both: WebEnv) -> None:
    await submitted(both, "check_in", "ada", p_word="=HYPERLINK(1)")
    found = await answers(both.database, COHORT, NOW)
    expected = [COLUMNS, *rows(found)]
    [*read] = csv.reader(io.StringIO(as_csv(COLUMNS, rows(found)).removeprefix("\ufeff")), delimiter=";")
    assert [[text.removeprefix("'") for text in row] for row in read] == [list(row) for row in expected]
    assert "'=HYPERLINK(1)" in {text for row in read for text in row}
    sheet = load_workbook(io.BytesIO(as_xlsx("Answers", COLUMNS, rows(found)))).worksheets[0]
    assert [[cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)] == [
        list(row) for row in expected
    ]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}


async def test_an_unknown_cohort_is_named(both: WebEnv) -> None:
    with pytest.raises(NotFound, match="did you mean spring"):
        await answers(both.database, "sprong", NOW)
