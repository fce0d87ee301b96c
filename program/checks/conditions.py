"""Whether each question that appears only after another answer (`when`) can appear at all.

One question depends on one other, which stands before it: pages show and hide it by a stylesheet, in the order of the
form. Must not know how a page does that.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import cast, get_args

from program.faults import Fault, either, fault, suggestion
from program.files.reading import Source, Trail
from program.forms import Answer, Form, Question
from program.models import Format, Role

CONDITIONS = 24
"""Different conditions in one form: so many the stylesheet of the pages knows."""
KINDS = ("yes_no", "one", "many")
"""Types of questions on whose answer another can depend."""


def check_conditions(form: Form, source: Source) -> Iterator[Fault]:
    """Everything that is wrong with the conditions of a form."""
    conditions: set[object] = set()
    for index, question in enumerate(form.questions):
        if not question.when:
            continue
        at: Trail = ("questions", index, "when")
        conditions.add(question.condition)
        if len(conditions) > CONDITIONS:
            yield fault(
                source.key_place(*at),
                f"this form has more than {CONDITIONS} different conditions",
                "Ask some of these questions of everybody, or let several depend on the same answer.",
            )
            return
        if len(question.when) > 1:
            yield fault(
                source.key_place(*at),
                f"`{question.id}` depends on {len(question.when)} questions",
                "Keep the one that decides it.",
            )
            continue
        yield from _check_condition(form, source, index)


def _check_condition(form: Form, source: Source, index: int) -> Iterator[Fault]:
    question = form.questions[index]
    assert question.condition is not None
    other, wanted = question.condition
    at: Trail = ("questions", index, "when", other)
    others = [(place, each) for place, each in enumerate(form.questions) if each.id == other]
    if other == question.id:
        yield fault(
            source.key_place(*at),
            f"`{other}` depends on its own answer",
            "Name the question before it that decides whether this one is asked.",
        )
        return
    if not others:
        ids = [each.id for each in form.questions[:index] if each.type in KINDS]
        yield fault(
            source.key_place(*at),
            f"`{question.id}` depends on `{other}`, and this form has no such question",
            suggestion(other, ids, "Write the id of a question that stands before it in this form."),
        )
        return
    if any(each.condition and each.condition[0] == question.id for _, each in others):
        yield fault(
            source.key_place(*at),
            f"`{question.id}` and `{other}` each depend on the answer to the other",
            "Remove one of the two conditions.",
        )
        return
    before = [each for place, each in others if place < index]
    covered = {audience for each in before for audience in audiences(each)}
    missing = [audience for audience in audiences(question) if audience not in covered]
    if missing:
        later = {audience for place, each in others if place > index for audience in audiences(each)}
        if any(audience in later for audience in missing):
            problem, remedy = "stands after it", "Move it before this one."
        else:
            role, format_, wording = missing[0]
            problem = f"is not asked of everybody who gets this one, such as a {role} in the format {format_}"
            problem += " at an early end" if wording == "early" and question.wording == "both" else ""
            remedy = "Give both the same `roles`, `formats` and `wording`."
        yield fault(source.key_place(*at), f"`{question.id}` depends on `{other}`, which {problem}", remedy)
        return
    met = [each for each in before if not set(audiences(each)).isdisjoint(audiences(question))]
    yield from _check_other(question, met, wanted, source, at)


def _check_other(
    question: Question, others: list[Question], wanted: tuple[Answer, ...], source: Source, at: Trail
) -> Iterator[Fault]:
    other = next((each for each in others if each.when), others[0])
    if other.when:
        yield fault(
            source.key_place(*at),
            f"`{question.id}` depends on `{other.id}`, which depends on `{next(iter(other.when))}` itself",
            "Let both depend on the first of the three.",
        )
    elif other.type not in KINDS:
        yield fault(
            source.key_place(*at),
            f"`{question.id}` depends on `{other.id}`, which is of the type `{other.type}`",
            f"Only an answer to a question of the type {either(KINDS)} can be a condition.",
        )
    elif not wanted:
        yield fault(source.place(*at), f"no answer of `{other.id}` stands here", "Write one of its answers.")
    else:
        values: list[Answer] = (
            [True, False] if other.type == "yes_no" else [option.value for each in others for option in each.options]
        )
        for number, answer in enumerate(wanted):
            if not any(answer is value or (isinstance(answer, str) and answer == value) for value in values):
                known = ["true", "false"] if other.type == "yes_no" else list(dict.fromkeys(map(str, values)))
                yield fault(
                    source.place(*at, number) if len(wanted) > 1 else source.place(*at),
                    f"`{other.id}` has no answer `{_written(answer)}`",
                    suggestion(_written(answer), known, f"Its answers are {', '.join(known)}."),
                )


def _written(answer: Answer) -> str:
    return str(answer).lower() if isinstance(answer, bool) else str(answer)[:40]


def audiences(question: Question) -> Iterator[tuple[str, str, str]]:
    """Every (role, format, wording) in which a question is asked."""
    roles = question.roles or cast("tuple[str, ...]", get_args(Role))
    formats = question.formats or cast("tuple[str, ...]", get_args(Format))
    wordings = ("normal", "early") if question.wording == "both" else (question.wording,)
    return product(roles, formats, wordings)
