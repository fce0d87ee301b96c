"""What an open call must be before anybody applies: dates in order, addresses that exist, and a form that asks what
the program's matching reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from program.addresses import problem_of_address
from program.faults import Fault, either, fault, nearest, quoted
from program.files.reading import Source
from program.forms import Form, Question
from program.gathering import Apply, Wishes
from program.models import Cohort, Program

ROLE_QUESTION = "role"
"""The question of an application form that says as what somebody applies."""
KNOWN_FIELDS = frozenset({"email", "zone"})
"""Fields that every applicant has, whatever the form asks."""

_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE)


def wishes_dates(apply: Apply, wishes: Wishes) -> tuple[date, date]:
    """The first and the last day of the wishes, calendar dates in the cohort's zone."""
    opens = wishes.opens or apply.closes + timedelta(days=1)
    return opens, wishes.closes or opens + timedelta(days=7)


def check_gathering(source: Source, cohort: Cohort, program: Program | None, form: Form | None) -> Iterator[Fault]:
    """Everything that is wrong with `apply:` and `wishes:` of a cohort; `form` is the one that the call names."""
    apply = cohort.apply
    if apply is None:
        if cohort.wishes is not None:
            remedy = "Write `apply:` with the dates of the call, or take the wishes out."
            yield fault(source.key_place("wishes"), "there are wishes, and nobody can apply", remedy)
        return
    if program is not None and program.matching is None:
        remedy = f"Write it in the program `{program.program}`, see docs/matching.md, or take `apply:` out."
        yield fault(source.key_place("apply"), "the program has no section `matching:` to find pairs by", remedy)
    yield from _check_dates(source, cohort, apply)
    yield from _check_addresses(source, apply)
    if program is not None and form is not None:
        yield from _check_form(source, apply, program, form)


def _check_dates(source: Source, cohort: Cohort, apply: Apply) -> Iterator[Fault]:
    if apply.closes < apply.opens:
        remedy = f"Write {apply.opens} or a later date."
        yield fault(source.place("apply", "closes"), "the call closes before it opens", remedy)
    if apply.closes >= cohort.start:
        remedy = f"Write a date before {cohort.start}: the pairs are found and invited before they start."
        yield fault(source.place("apply", "closes"), "the call closes after the cohort starts", remedy)
    if cohort.wishes is None:
        return
    opens, closes = wishes_dates(apply, cohort.wishes)
    if opens <= apply.closes:
        remedy = f"Write a date after {apply.closes}, or leave it out."
        yield fault(source.place("wishes", "opens"), "wishes open before the call has closed", remedy)
    elif closes < opens:
        yield fault(source.place("wishes", "closes"), "wishes close before they open", f"Write {opens} or later.")
    elif closes >= cohort.start:
        remedy = f"Write a date before {cohort.start}."
        yield fault(source.place("wishes", "closes"), "wishes close after the cohort starts", remedy)


def _check_addresses(source: Source, apply: Apply) -> Iterator[Fault]:
    for index, domain in enumerate(apply.domains):
        if not _DOMAIN.fullmatch(domain):
            remedy = "Write it as it stands behind the @, such as example.org."
            yield fault(source.place("apply", "domains", index), f"{quoted(domain)} is no domain", remedy)
    seen: dict[str, int] = {}
    for index, invited in enumerate(apply.invited):
        place = source.place("apply", "invited", index, "email")
        problem, remedy = problem_of_address(invited.email)
        if problem:
            yield fault(place, problem, remedy)
            continue
        first = seen.setdefault(invited.email.casefold(), index)
        if first != index:
            line = source.place("apply", "invited", first).line
            yield fault(place, f"this address is invited twice, first in line {line}", "Keep one of the two.")
        elif not allowed(invited.email, apply.domains):
            remedy = "Add its domain to `domains`, or take the address out."
            yield fault(place, "this address is of none of the `domains`", remedy)


def allowed(email: str, domains: tuple[str, ...]) -> bool:
    """Whether an address is of one of these domains; of all, where none is named. A subdomain is another domain."""
    return not domains or email.rpartition("@")[2].strip().casefold() in {domain.casefold() for domain in domains}


def _check_form(source: Source, apply: Apply, program: Program, form: Form) -> Iterator[Fault]:
    place = source.place("apply", "form") if "form" in apply.model_fields_set else source.key_place("apply")
    asked = {question.id: question for question in form.questions}
    roles = offered_roles(form, program.format)
    if not roles:
        remedy = f"Add a question `{ROLE_QUESTION}` of the type `one`, see config/forms/application.yaml."
        yield fault(place, f"the form `{form.form}` does not ask as what somebody applies", remedy)
    for index, role in enumerate(apply.roles):
        if roles and role not in roles:
            remedy = f"Write {either(roles)}, or add it to the question `{ROLE_QUESTION}`."
            yield fault(source.place("apply", "roles", index), f"nobody can apply as {quoted(role)} here", remedy)
    for role in apply.limit:
        if roles and role not in (apply.roles or roles):
            remedy = f"Write {either(apply.roles or roles)}."
            yield fault(source.key_place("apply", "limit", role), f"nobody can apply as {quoted(role)} here", remedy)
    matching = program.matching
    if matching is None:
        return
    reads = [rule.field for rule in matching.rules if rule.field]
    reads += [name for score in matching.score for name in (score.field, score.offered, score.only_if) if name]
    for name in dict.fromkeys(reads):
        if name not in asked and name not in KNOWN_FIELDS:
            near = nearest(name, asked)
            hint = f"Is it the question `{near[0]}`? " if near else ""
            problem = f"`matching:` of the program reads `{name}`, and the form `{form.form}` does not ask it"
            yield fault(place, problem, f"{hint}Add a question `{name}`, or take it out of the program.")
    for rule in matching.rules:
        question = asked.get(rule.field)
        if rule.kind == "above" and question is not None:
            missing = [option.value for option in question.options if option.value not in (rule.order or ())]
            if missing:
                problem = f"`order` of `{rule.field}` in the program lacks {either(missing)}, which the form offers"
                yield fault(place, problem, "Add it to `order`, or take it out of the form.")


def offered_roles(form: Form, format_: str) -> tuple[str, ...]:
    """As what people can apply by this form, in the order of its options."""
    return tuple(option.value for question in _role_questions(form, format_) for option in question.options)


def _role_questions(form: Form, format_: str) -> Iterator[Question]:
    for question in form.questions:
        if question.id == ROLE_QUESTION and (not question.formats or format_ in question.formats):
            yield question
