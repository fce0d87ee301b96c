"""Reads a behaviour file against the cohort it is for. Every fault at once, with its place; nothing is run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from lifecycle.tasks import KINDS
from program.checks.complaints import validated
from program.checks.form_checks import fits
from program.checks.program_checks import ASKS
from program.faults import Fault, Faults, either, fault, quoted, suggestion
from program.files.reading import Source, read_yaml
from program.forms import Form, Question
from program.loader import Loaded
from rehearsal.behaviour import PROFILES, Behaviour
from rehearsal.script_checks import events_checked

APPLYING = ("apply", "confirm", "wish", "withdraw")
"""What somebody does at an open call, beside the forms of the lifecycle."""


def load_behaviour(
    path: Path | str, loaded: Loaded, applicants: Callable[[int], Collection[str]] | None = None
) -> Behaviour:
    """The behaviour in a file. `applicants` gives the ids of those who apply, from the number that the file says.

    Raises Faults: unknown people, forms, questions, answers that a form refuses …
    """
    source = read_yaml(Path(path))
    faults: list[Fault] = []
    behaviour = validated(Behaviour, source, faults)
    if behaviour is not None:
        faults += [
            *_people(behaviour, loaded, source, applicants(behaviour.applicants) if applicants else ()),
            *_mix(behaviour, source),
            *_decisions(behaviour, loaded, source),
            *events_checked(behaviour, loaded, source),
        ]
    if faults or behaviour is None:
        raise Faults(faults)
    return behaviour


def _people(behaviour: Behaviour, loaded: Loaded, source: Source, applicants: Collection[str]) -> Iterator[Fault]:
    known = [*(person.id for person in loaded.cohort.participants), *applicants]
    acts = (*ASKS, *APPLYING) if loaded.cohort.apply is not None else tuple(ASKS)
    for person, reactions in behaviour.people.items():
        if person not in known:
            yield fault(
                source.key_place("people", person),
                f"no participant has the id {quoted(person)}",
                suggestion(person, known, "Write the id of a participant of the cohort."),
            )
        for when, reaction in reactions.items():
            ask, _, number = when.partition("#")
            if when != "default" and (ask not in acts or (number and not number.isdigit())):
                yield fault(
                    source.key_place("people", person, when),
                    f"{quoted(when)} is no form of the lifecycle",
                    suggestion(
                        ask, acts, f"Write default, {either(acts)}, or one with its number, such as check_in#2."
                    ),
                )
                continue
            if ask in APPLYING:
                if reaction.answers:
                    problem = "what somebody writes into an application stands in the file of applicants"
                    yield fault(source.key_place("people", person, when), problem, "Take `answers` out.")
                continue
            forms = list(_forms_of(loaded, ask))
            for question, answer in reaction.answers.items():
                yield from _answer(forms, question, answer, source, ("people", person, when, "answers", question))


def _forms_of(loaded: Loaded, ask: str) -> Iterator[Form]:
    for used in loaded.used.values():
        if ask == "default":
            yield from (form for form in used.forms.values())
        elif used.program.form_for(ask) in used.forms:
            yield used.forms[used.program.form_for(ask)]


def _answer(forms: list[Form], id_: str, value: object, source: Source, trail: tuple[str, ...]) -> Iterator[Fault]:
    questions: list[Question] = [question for form in forms for question in form.questions if question.id == id_]
    if not questions:
        known = [question.id for form in forms for question in form.questions]
        yield fault(
            source.key_place(*trail),
            f"no form has the question {quoted(id_)}",
            suggestion(id_, known, "Answers stand under the form they belong to."),
        )
    elif not any(fits(question, value) for question in questions):
        question = questions[0]
        values = f" Write {either([option.value for option in question.options])}." if question.options else ""
        yield fault(
            source.place(*trail), f"the form would refuse this answer to {quoted(id_)} ({question.type})",
            values.strip() or f"Write an answer of type {question.type}.",
        )  # fmt: skip


def _mix(behaviour: Behaviour, source: Source) -> Iterator[Fault]:
    known = [*PROFILES, *behaviour.profiles]
    for name in behaviour.mix:
        if name not in known:
            yield fault(
                source.key_place("mix", name),
                f"there is no profile {quoted(name)}",
                suggestion(name, known, f"Write {either(known)}, or define it under `profiles`."),
            )
    total = sum(behaviour.mix.values())
    if behaviour.mix and abs(total - 1) > 0.005:
        yield fault(source.place("mix"), f"the shares add up to {total:.0%}", "Make them add up to 100%.")


def _decisions(behaviour: Behaviour, loaded: Loaded, source: Source) -> Iterator[Fault]:
    keys = [mentorship.key for mentorship in loaded.cohort.mentorships]
    for of, decision in behaviour.coordinator.decisions.items():
        trail = ("coordinator", "decisions", of)
        mentorship, _, kind = of.rpartition("/")
        if mentorship and mentorship not in keys and loaded.cohort.apply is None:
            yield fault(
                source.key_place(*trail),
                f"no mentorship has the key {quoted(mentorship)}",
                suggestion(mentorship, keys, f"Write the key of a mentorship before the slash, or {kind} alone."),
            )
        if kind not in KINDS:
            yield fault(
                source.key_place(*trail),
                f"there is no task of kind {quoted(kind)}",
                suggestion(kind, KINDS, f"Write {either(KINDS)}."),
            )
        elif decision.decision not in KINDS[kind][1]:
            yield fault(
                source.place(*trail),
                f"a task of kind {kind} can't be decided {quoted(decision.decision)}",
                f"Write {either(KINDS[kind][1])}.",
            )
