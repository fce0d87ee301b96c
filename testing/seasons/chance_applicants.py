"""People who apply to a call by chance, with skewed answers: to test figures of those who were left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from random import Random
from typing import Any

from program.files.folders import SHIPPED
from program.forms import Form, Question
from program.loader import load_form, load_program
from program.matching import Matching, Score
from reports.rows import ApplicantFacts

ROLES = {"mentee": ("mentee", "mentee", "mentee", "both"), "mentor": ("mentor",), "peer": ("peer",)}
"""Role of a seat to the roles in which somebody may have applied who got it."""


@lru_cache(maxsize=1)
def call() -> tuple[Form, Matching]:
    """The shipped form of an application, and the shipped rules; by a shared identity, too, where somebody asked."""
    matching = load_program(SHIPPED / "programs" / "open-call.yaml").program.matching
    assert matching is not None
    shared = Score(shared="identity", only_if="identity_wanted", points=6)
    return (
        load_form(SHIPPED / "forms" / "application.yaml"),
        matching.model_copy(update={"score": (*matching.score, shared)}),
    )


def applicants(random: Random, seated: Iterable[str], without: int) -> list[ApplicantFacts]:
    """Those who got these seats (their roles), and some who applied and got none."""
    asked = [*{question.id: question for question in call()[0].questions}.values()]
    weights = [[random.random() ** 3 + 0.01 for _ in question.options] for question in asked]
    roles = [random.choice(ROLES[seat]) for seat in seated]
    others = [random.choice(("mentee", "mentee", "mentor", "both")) for _ in range(without)]
    return [
        ApplicantFacts(role, at < len(roles), _answers(random, asked, weights))
        for at, role in enumerate((*roles, *others))
    ]


def _answers(random: Random, asked: Sequence[Question], weights: Sequence[Sequence[float]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for question, likely in zip(asked, weights, strict=True):
        if random.random() < 0.07:
            continue
        values = [option.value for option in question.options]
        match question.type:
            case "one":
                found[question.id] = random.choices((*values, "Elsewhere"), (*likely, 0.02))[0]
            case "many":
                each = zip(values, likely, strict=True)
                found[question.id] = [value for value, weight in each if random.random() < weight * 2]
            case "yes_no":
                found[question.id] = random.random() < 0.5
            case _:
                found[question.id] = "Words that no figure may show."
    return found
