"""Every shipped form, for every role, format and wording, shows and takes what a contented person says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lifecycle.keys import request_key
from mail.form_text import filled
from operations.forms.parse import read, typed_of
from program.forms import Question, consistent
from program.goals import without_ids
from store.tables import RequestRow
from testing.environments.web_env import COHORT, MENTORSHIPS, PROGRAMS, WebEnv, filled_in, hidden

SEATS = [
    (mentorship.key, person, role)
    for mentorship in MENTORSHIPS
    for person, role in mentorship.members()
    if (mentorship.key, person) not in {("pair-2", "mia"), ("pair-2", "ben"), ("group", "ben"), ("group", "cai")}
]
FORMS = sorted({form for loaded in PROGRAMS.values() for form in loaded.forms})


@pytest.mark.parametrize(("mentorship", "person", "role"), SEATS)
async def test_every_form_takes_contented_answers(web_env: WebEnv, mentorship: str, person: str, role: str) -> None:
    async with web_env.client() as client:
        for number, (ask, early) in enumerate([*((form, False) for form in FORMS), ("closure", True)], start=1):
            path = await web_env.ask(ask, person, mentorship, number, early=early)
            page = (await client.get(path)).text
            where = f"{ask} for the {role} of {mentorship}"
            assert "<form" in page, where
            assert not re.search(r"\{(partner|since|purpose|program)\}", page), where
            assert not re.search(r"[\x00-\x08\x0b-\x1f]", page), where
            ids = re.findall(r' id="([^"]+)"', page)
            assert len(ids) == len(set(ids)), where
            labels = re.findall(r'<label[^>]* for="([^"]+)"', page)
            assert set(labels) <= set(ids), where
            done = await client.post(path, data=hidden(page) | await filled_in(web_env, path))
            assert done.status_code == 200, (where, re.findall(r'href="#q-[^"]+">([^<]+)', done.text))
            answer = (await web_env.requested(path)).answer
            assert answer is not None
            told = (await web_env.requested(path)).form.contented(role, (await web_env.requested(path)).format, early)
            body = without_ids(answer.body)
            assert {name: body[name] for name in told} == told, where
            await web_env.change(
                RequestRow, {"key": request_key(COHORT, mentorship, ask, number, person)}, state="withdrawn"
            )
    assert len(web_env.told) == len(FORMS) + 1


@pytest.mark.parametrize(("mentorship", "person", "role"), SEATS)
async def test_every_form_says_what_is_missing(web_env: WebEnv, mentorship: str, person: str, role: str) -> None:
    async with web_env.client() as client:
        for ask in FORMS:
            path = await web_env.ask(ask, person, mentorship)
            questions = (await web_env.requested(path)).questions
            required = [
                each.id for each in questions if each.required and each.type != "date_ranges" and not each.when
            ]
            page = await client.post(path, data={})
            faults = [found.split(".")[0] for found in re.findall(r'href="#q-([^"]+)"', page.text)]
            assert faults == required, f"{ask} for the {role} of {mentorship}"
            for control in re.findall(r'href="#(q-[^"]+)"', page.text):
                assert f'id="{control}"' in page.text
            if not required:
                assert page.status_code == 200


# -- one question of each type ---------------------------------------------------------------------------------------


def question(type_: str, **parts: Any) -> Question:
    return Question.model_validate({"id": "q", "type": type_, "label": "Why?"} | parts)


TWO = ({"value": "a", "label": "A"}, {"value": "b", "label": "B"})
GROUP = (
    {"id": "what", "type": "text", "label": "What?", "required": True},
    {"id": "n", "type": "number", "label": "n"},
)

READ: list[tuple[Question, dict[str, list[str]], Any]] = [
    (question("scale"), {"q": ["3"]}, 3),
    (question("scale", required=True), {"q": ["unsure"]}, None),
    (question("scale"), {"q": ["0"]}, "Enter a number that is 1 or more under “Why?”"),
    (question("scale"), {"q": ["6"]}, "Enter a number that is 5 or less under “Why?”"),
    (question("scale", required=True), {}, "Choose an answer under “Why?”"),
    (question("yes_no"), {"q": ["no"]}, False),
    (question("yes_no"), {"q": ["maybe"]}, "Choose an answer under “Why?”"),
    (question("one", options=TWO), {"q": ["b"]}, "b"),
    (question("one", options=TWO), {"q": ["c"]}, "Choose one of the answers listed under “Why?”"),
    (question("many", options=TWO), {"q": ["b", "a"]}, ["a", "b"]),
    (question("many", options=TWO), {"q": ["a", "z"]}, "Choose among the answers listed under “Why?”"),
    (question("number", least=0, most=10), {"q": [" 7 "]}, 7),
    (question("number", least=0, most=10), {"q": ["+0"]}, 0),
    (question("number", least=0, most=10), {"q": ["11"]}, "Enter a number that is 10 or less under “Why?”"),
    (question("number"), {"q": ["1_000"]}, "Enter a whole number under “Why?”, such as 3"),
    (question("number"), {"q": ["9" * 5000]}, "Enter a whole number under “Why?”, such as 3"),
    (question("date"), {"q": ["2027-05-31"]}, "2027-05-31"),
    (question("date"), {"q": ["31.5.2027"]}, "2027-05-31"),
    (question("date"), {"q": ["31 May, 2027"]}, "2027-05-31"),
    (question("date"), {"q": ["2027-02-30"]}, "Enter a date under “Why?”, such as 2027-05-31 or 31 May 2027"),
    (question("date"), {"q": ["0027-02-03"]}, "Enter a date under “Why?”, such as 2027-05-31 or 31 May 2027"),
    (question("text", longest=3), {"q": [" a\r\nb "]}, "a\nb"),
    (question("text", longest=3), {"q": ["abcd"]}, "Use 3 characters or fewer under “Why?”; you have used 4"),
    (question("text", required=True), {"q": ["  \n "]}, "Write an answer under “Why?”"),
    (question("sign", required=True), {"q": ["  Ada   L "]}, "Ada L"),
    (question("sign", required=True), {}, "Type your name to sign"),
    (question("date_ranges"), {"q.0.from": ["2027-05-01"], "q.0.to": ["2027-05-01"]}, [["2027-05-01", "2027-05-01"]]),
    (question("date_ranges", required=True), {}, []),
    (question("date_ranges"), {"q.0.from": ["2027-05-01"]}, "Enter the last day as well, under “Why?”"),
    (
        question("date_ranges"),
        {"q.0.from": ["2027-05-02"], "q.0.to": ["2027-05-01"]},
        "The last day must be the same as the first or after it, under “Why?”",
    ),
    (
        question("group", fields=GROUP),
        {"q.0.what": ["x"], "q.2.what": ["y"], "q.2.n": ["2"]},
        [{"what": "x"}, {"what": "y", "n": 2}],
    ),
    (question("group", fields=GROUP), {"q.1.n": ["2"]}, "Write an answer under “What?”"),
    (question("group", fields=GROUP, required=True), {}, "Fill in at least one entry under “Why?”"),
    (question("group", fields=GROUP, most=1), {"q.0.what": ["x"], "q.1.what": ["y"]}, [{"what": "x"}]),
    (question("text", id="i_zone"), {"i_zone": ["new york"]}, "America/New_York"),
    (question("text", id="i_zone"), {"i_zone": ["Europe/Berlin"]}, "Europe/Berlin"),
    (
        question("text", id="i_zone"),
        {"i_zone": ["Europe/Berln"]},
        "“Europe/Berln” is no time zone that we know: did you mean Europe/Berlin?",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "typed", "expected"), READ)
def test_what_is_typed_is_read_or_said_to_be_wrong(
    asked: Question, typed: dict[str, list[str]], expected: Any
) -> None:
    reading = read([asked], typed)
    if reading.faults:
        assert [fault.message for fault in reading.faults] == [expected]
        return
    assert reading.answers == {asked.id: expected}
    again = read([asked], typed_of([asked], reading.answers))
    assert again.answers == reading.answers


ASKED = (
    question("yes_no", id="away", label="Away?"),
    question("date_ranges", id="days", label="When?", when={"away": True}),
    question("one", id="go", label="Go on?", required=True, options=TWO),
    question("text", id="why", label="Why B?", when={"go": "b"}, required=True),
    question("yes_no", id="call", label="Call?", when={"go": ["b"]}),
    question("yes_no", id="understood", label="It is.", tick="Understood", required=True),
)
GONE = {"go": ["a"], "understood": ["yes"]}
DATES = {"days.0.from": ["2027-05-01"], "days.0.to": ["2027-05-02"]}
NOT_B = (
    "You wrote something under “Why B?”. It is asked only with “B” under “Go on?”: choose that, or empty the field"
)
CONDITIONS: list[tuple[dict[str, list[str]], dict[str, Any], list[tuple[str, str]]]] = [
    (GONE, {"go": "a", "understood": True}, []),
    (GONE | {"go": ["b"]}, {}, [("why", "Write an answer under “Why B?”")]),
    (GONE | {"go": ["b"], "why": ["Hm"], "call": ["no"]}, {"why": "Hm", "call": False}, []),
    (GONE | {"call": ["yes"]}, {"go": "a"}, []),  # what was chosen is dropped
    (GONE | {"why": ["Hm"]}, {"go": "a"}, [("why", NOT_B)]),  # what was typed is not
    (GONE | {"why": ["Hm"], "go": []}, {}, [("go", "Choose an answer under “Go on?”")]),  # one thing after the other
    (GONE | DATES, {"away": True, "days": [["2027-05-01", "2027-05-02"]]}, []),  # dates say that somebody is away
    (GONE | {"away": ["yes"], "days.0.from": [""]}, {"away": True}, []),
    (
        GONE | DATES | {"away": ["no"]},
        {"away": False},
        [
            (
                "days.0.from",
                "You wrote something under “When?”. It is asked only with “Yes” under “Away?”: choose that, or empty "
                "the field",
            )
        ],
    ),
    (GONE | {"understood": []}, {}, [("understood", "Tick “Understood” under “It is.”")]),
    (GONE | {"understood": ["no"]}, {}, [("understood", "Tick “Understood” under “It is.”")]),
]


@pytest.mark.parametrize(("typed", "answers", "faults"), CONDITIONS)
def test_a_question_that_depends_on_another_is_read_with_its_answer_alone(
    typed: dict[str, list[str]], answers: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    reading = read(ASKED, typed)
    assert [(fault.control, fault.message) for fault in reading.faults] == faults
    assert {name: reading.answers[name] for name in answers} == answers
    if not faults:
        assert consistent(ASKED, reading.answers) == reading.answers
        assert {"why", "call", "days"} & reading.answers.keys() <= answers.keys()


def test_what_is_not_answered_is_left_out() -> None:
    asked = [
        question(type_, id=type_, options=TWO if type_ in ("one", "many") else ()) for type_ in ("scale", "text")
    ]
    assert read(asked, {"scale": [""], "text": ["  "]}).answers == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Have you met {partner}?", "Have you met {since}?"),
        ("{{partner}} and {partner.name} and {other}", "{partner} and {partner.name} and {other}"),
        ("%s $x {0} {}", "%s $x {0} {}"),
    ],
)
def test_only_four_places_are_filled_and_only_once(text: str, expected: str) -> None:
    words = {"partner": "{since}", "since": "s", "purpose": "p", "program": "g"}
    assert filled(text, words) == expected
