"""The shipped application form asks what the shipped rules read, in the words of the shipped vocabulary."""

from __future__ import annotations

import pytest

from matching.applicants import Applicant, half_days
from program.forms import Question
from program.loader import SHIPPED, load_form, load_program
from program.models import Format
from tests.matching.test_optimum import ON

FORM = load_form(SHIPPED / "forms" / "application.yaml")
PROGRAMS = ["formal", "reverse", "peer", "group", "informal", "open-call"]


def asked(format_: Format) -> dict[str, Question]:
    """Every question of the application to a program of this format, by id."""
    roles = ("peer",) if format_ == "peer" else ("mentor", "mentee")
    return {question.id: question for role in roles for question in FORM.questions_for(role, format_)}


@pytest.mark.parametrize("id_", PROGRAMS)
def test_the_rules_read_what_the_form_asks_in_the_same_words(id_: str) -> None:
    program = load_program(SHIPPED / "programs" / f"{id_}.yaml").program
    matching = program.matching
    assert matching is not None
    questions = asked(program.format)
    read = {rule.field for rule in matching.rules if rule.field}
    read |= {name for score in matching.score for name in (score.field, score.offered, score.only_if) if name}
    assert read <= questions.keys()
    tags = {tag.tag for tag in matching.tags}
    for options in (questions["wants"].fields[0].options, questions["offers"].options):
        assert {option.value for option in options} == tags
    for rule in matching.rules:
        values = {option.value for option in questions[rule.field].options} if rule.field else set[str]()
        if rule.kind == "above":
            assert values == set(rule.order or ())
        if rule.kind == "overlap":
            everybody = Applicant("e", fields={rule.field: tuple(values)})
            assert len(half_days(everybody, rule.field, ON)) == len(values)
