"""Who sees which answer on pages and in exports: every question of every form, by every role, from one table."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from operations.forms.answers import NEUTRAL, shown
from operations.forms.by_round import AskedPerson, FormRounds, Occasion, by_round
from operations.forms.visibility import sight
from operations.views.charts import band, line_chart
from operations.views.mail import without_links
from operations.views.reader import PageReader
from program.forms import Form, Question
from program.models import Rules
from store.forms.answers import GivenAnswer
from testing.environments.web_env import NOW, PROGRAMS

FORMS = {form.form: form for program in PROGRAMS.values() for form in program.forms.values()}
READERS = {
    "coordinator": PageReader("c1", {"spring": "coordinator"}),
    "deputy": PageReader("c1", {"spring": "deputy"}),
    "reader": PageReader("c1", {"spring": "reader"}),
    "administrator": PageReader("", {}, administrator=True),
    "coordinator elsewhere": PageReader("c1", {"autumn": "coordinator"}),
    "administrator who coordinates": PageReader("c1", {"spring": "coordinator"}, administrator=True),
}
READ = ("coordinator", "deputy", "administrator who coordinates")
"""Those who read answers of the cohort."""


def canary(question: Question) -> object:
    """An answer that can be found again."""
    return (
        [{field.id: f"canary-{question.id}-{field.id}" for field in question.fields}]
        if question.fields
        else (f"canary-{question.id}")
    )


def given(form: Form, role: str = "mentee", format_: str = "one_to_one", **body: object) -> GivenAnswer:
    """An answer to this form."""
    return GivenAnswer(
        "spring", "m1", form.form, 1, f"the-{role}", role.title(), role, format_, False, "Formal", form, dict(body),
        NOW, False, 1, {}, Rules(),
    )  # fmt: skip


@pytest.mark.parametrize("who", READERS)
@pytest.mark.parametrize("id_", sorted(FORMS))
def test_a_page_shows_of_each_form_what_the_table_says_for_each_role(id_: str, who: str) -> None:
    form, reader = FORMS[id_], READERS[who]
    viewer = reader.viewer("spring")
    assert reader.reads_answers("spring") == (who in READ)
    for role in ("mentee", "mentor", "peer"):
        for format_ in ("one_to_one", "group", "peer", "reverse"):
            asked = form.questions_for(role, format_)
            texts = [one for one in asked if one.type in ("text", "group")]
            answer = given(form, role, format_, **{one.id: canary(one) for one in texts})
            seen = repr(shown(answer, viewer, NEUTRAL | {"program": ""}, "UTC", "withheld").answers)
            for question in texts:
                assert (f"canary-{question.id}" in seen) == (sight(form, question, viewer) == "shown"), question.id


def occasion(number: int) -> Occasion:
    """A check-in that both were asked."""
    people = (("the-mentor", "mentor"), ("the-mentee", "mentee"))
    asked = tuple(AskedPerson(person, person, role, "answered", date(2027, 4, 10)) for person, role in people)
    return Occasion("check_in", number, date(2027, 3 + number, 1), asked)


def rounds_of(*answers: tuple[int, dict[str, object], dict[str, object]]) -> FormRounds:
    """The rounds of these check-ins: (number, the mentor's answers, the mentee's)."""
    words = NEUTRAL | {"program": ""}
    forms = [
        replace(
            shown(given(FORMS["check_in"], role, "one_to_one", **body), "coordinator", words, "UTC", "unseen"),
            number=number,
        )
        for number, mentor, mentee in answers
        for role, body in (("mentor", mentor), ("mentee", mentee))
    ]
    [rounds] = by_round([occasion(number) for number, _, _ in answers], forms, differ_by=2)
    return rounds


def test_mirrored_questions_share_a_row_and_what_is_low_or_apart_is_marked() -> None:
    rounds = rounds_of((1, {"m_open": 5, "m_help": 5, "p_met": "2"}, {"p_open": 2, "p_useful": 3, "p_met": "2"}))
    rows = {row.id: row for row in rounds.rows}
    assert [cell.answer.question for cell in rows["p_open"].cells if cell] == ["m_open", "p_open"]
    assert rows["p_open"].far
    assert rows["p_open"].low
    assert [part.roles for part in rows["p_open"].wordings] == [("mentor",), ("mentee",)]
    assert not rows["p_useful"].far, "two different questions are beside each other, and not compared"
    assert not rows["p_met"].far


def test_ratings_are_drawn_over_the_rounds_with_a_gap_where_there_is_none() -> None:
    rounds = rounds_of((1, {"m_open": 5}, {"p_open": 4}), (2, {}, {"p_open": 3}), (3, {"m_open": 4}, {"p_open": 2}))
    [series] = rounds.series
    assert {line.role: line.values for line in series.lines} == {"mentor": (5, None, 4), "mentee": (4, 3, 2)}
    chart = line_chart(series)
    mentor, mentee = chart.lines
    assert (len(mentor.runs), len(mentee.runs)) == (0, 1)
    assert mentor.mark != mentee.mark
    assert [mark.value for mark in mentor.marks] == [5, 4]
    heights = [mark.y for mark in mentee.marks]
    assert heights == sorted(heights), "a lower rating lies lower"


def test_the_band_of_a_mentorship_covers_its_time_and_says_where_today_is() -> None:
    launched, start, midpoint, end, closes = (date(2027, month, 1) for month in (2, 3, 6, 9, 10))
    shown_band = band(launched, start, midpoint, end, closes, date(2027, 7, 1))
    assert [segment.name for segment in shown_band.segments] == ["start", "first_half", "second_half", "closing"]
    assert [segment.now for segment in shown_band.segments] == [False, False, True, False]
    assert sum(segment.width for segment in shown_band.segments) == 1000
    assert band(launched, start, midpoint, end, closes, date(2028, 1, 1)).today is None


def test_links_that_let_somebody_in_are_taken_out_of_a_mail_and_others_stay() -> None:
    text = (
        'Open https://mentoring.example.org/f/abc.1.def_-x?p=1 or <a href="https://mentoring.example.org/x/me/abc.1.d">'
        "(https://mentoring.example.org/stop/a.1.b) https://example.org/guide/first"
    )
    assert without_links(text) == 'Open # or <a href="#">(#) https://example.org/guide/first'
