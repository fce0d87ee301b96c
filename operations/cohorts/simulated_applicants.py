"""Those who apply in a rehearsal or a demo: read from a file of applicants, or made up from the form of the call; and
what matching makes of them, by the code that publishes a real call.

Needs no database, and nobody is mailed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from lifecycle.delivery.letterbox import rule_of
from lifecycle.gathering import Gathering
from matching.applicants import Applicant
from matching.candidates import ReportingCircle, UnknownStep, candidates
from operations.applications.applicants import LINES, applicant_of
from operations.applications.apply import CAPACITY, EMAIL, NAME, ROLE, ZONE
from operations.applications.import_applicants import ImportMap, read_applicants
from operations.applications.wishes import Side, shown_to
from operations.errors import Refused
from operations.matching.pool import Pool
from operations.matching.publish import mentorships_of, pairs_of
from program.faults import Faults, fault
from program.files.people import Row, read_rows
from program.forms import Answers, Question, consistent
from program.loader import Loaded
from program.models import Cohort, Participant
from rehearsal.applicants import SimulatedApplicant
from rehearsal.gathering import OpenCall, SimulatedPairs, Wished
from store.cohorts import calls
from store.cohorts.calls import Call, Terms
from store.people.applications import Application

IDS = ("wishes", "would_take")
"""Columns of ids of other applicants."""
MENTORS = 0.4
"""Share of mentors among people who are made up."""
PICKS = 2
"""Wishes of somebody who is made up."""
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)


def call_in(loaded: Loaded) -> Call | None:
    """The open call of a cohort's file, as it would be stored; None where there is none."""
    cohort = loaded.cohort
    if cohort.apply is None or loaded.application is None:
        return None
    program = loaded.used[cohort.program].program
    values = calls.values_of(cohort.apply, cohort.wishes, loaded.application, program)
    gathering = Gathering(
        zone=cohort.zone,
        opens=values["opens"],
        closes=values["closes"],
        wishes_open=values["wishes_open"],
        wishes_close=values["wishes_close"],
        days=frozenset(program.letterbox.days),
        holidays=frozenset(cohort.holidays),
    )
    assert program.matching is not None, "a file with an open call is not loaded without it"
    return Call(
        cohort=cohort.cohort,
        title=cohort.title,
        organisation=cohort.organisation,
        program=program,
        language=cohort.language,
        start=cohort.start,
        gathering=gathering,
        terms=Terms.model_validate(values["terms"]),
        form=loaded.application,
        matching=program.matching,
        state="running",
        rule=rule_of(program.letterbox, cohort.holidays),
    )


# -- who applies ---------------------------------------------------------------------------------------------------


def read_simulated(path: Path, call: Call) -> list[SimulatedApplicant]:
    """The applicants in a file as `mentorship match --people` reads it. What the form asks and the file does not say
    is answered as by somebody content. Raises Faults with every fault and its line."""
    rows, columns, _ = read_rows(path, ("id", NAME, EMAIL))
    asked = {NAME, EMAIL, ROLE} | {question.id for role in call.terms.roles for question in call.questions(role)}
    usual = call.terms.roles[0] if ROLE not in columns else None
    mapped = ImportMap(columns={column: column for column in columns if column in asked}, separator="|", role=usual)
    imported, _ = read_applicants(path, mapped, call)
    emails = {_cell(row, "id"): _cell(row, EMAIL) for row in rows}
    faults = [
        fault(row.place, "this person has no id", "Write one, such as s01.") for row in rows if not _cell(row, "id")
    ]
    if faults:
        raise Faults(faults)
    found: list[SimulatedApplicant] = []
    for row, read in zip(rows, imported, strict=True):
        answers = _whole(call, read.role, read.answers)
        for name in (*LINES, "manager"):
            if isinstance(answers.get(name), str):
                answers[name] = _addresses(answers[name], emails)
        wishes, would_take = (tuple(_cell(row, name).replace("|", " ").split()) for name in IDS)
        zone = str(answers.get(ZONE) or call.zone)
        found.append(
            SimulatedApplicant(_cell(row, "id"), read.name, read.email, zone, read.role, answers, wishes, would_take)
        )
    return found


def _cell(row: Row, column: str) -> str:
    return row.cells[column][0].strip() if column in row.cells else ""


def _addresses(text: str, emails: Mapping[str, str]) -> str:
    """Ids of the file as addresses, one on each line: a page knows no ids."""
    return "\n".join(emails.get(part, part) for part in text.replace("|", " ").split() if part)


def everybody(
    call: Call, cohort: Cohort, given: Sequence[SimulatedApplicant] | None, count: int, seed: int
) -> list[SimulatedApplicant]:
    """Everybody who applies or is invited: those of a file, those invited, or else `count` who are made up."""
    invited = [(each.name, each.email) for each in cohort.apply.invited] if cohort.apply is not None else []
    if given is None:
        return made_up(call, invited, count, seed)
    known = {each.email.casefold() for each in given}
    others = made_up(call, [each for each in invited if each[1].casefold() not in known], 0, seed)
    return [*given, *others]


def with_applicants(cohort: Cohort, applicants: Sequence[SimulatedApplicant]) -> Cohort:
    """The cohort with its applicants among the participants: whom mails can reach."""
    known = {person.id for person in cohort.participants}
    added = tuple(
        Participant(id=each.id, name=each.name, email=each.email, zone=each.zone)
        for each in applicants
        if each.id not in known
    )
    return cohort.model_copy(update={"participants": (*cohort.participants, *added)})


def made_up(call: Call, invited: Sequence[tuple[str, str]], count: int, seed: int) -> list[SimulatedApplicant]:
    """People who are invited, as (name, address), or so many others, with answers drawn from those that the form
    offers. The same seed gives the same people."""
    named = invited or [(f"Applicant {number}", f"applicant{number}@example.org") for number in range(1, count + 1)]
    found: list[SimulatedApplicant] = []
    for number, (name, email) in enumerate(named, 1):
        chance = Random(f"applicant/{seed}/{number}")
        role = _role(call, chance)
        answers = _whole(
            call,
            role,
            {question.id: _drawn(question, chance) for question in call.questions(role) if _drawable(question)},
        )
        id_ = f"a{number:03}"
        found.append(SimulatedApplicant(id_, name or email, email, call.zone, role, answers, picks=PICKS))
    return found


def _role(call: Call, chance: Random) -> str:
    """Mentors and mentees by their usual shares; anything else where the call has no such roles."""
    roles = call.terms.roles
    if "mentor" in roles and "mentee" in roles:
        return "mentor" if chance.random() < MENTORS else "mentee"
    return chance.choice(roles)


def _drawable(question: Question) -> bool:
    return question.type in ("one", "many", "group", "number") and question.id != CAPACITY


def _drawn(question: Question, chance: Random) -> Any:
    match question.type:
        case "one":
            return chance.choice(question.options).value
        case "many":
            values = [option.value for option in question.options]
            chosen = set(chance.sample(values, chance.randint((len(values) + 1) // 2, len(values))))
            return [value for value in values if value in chosen]
        case "group":
            part, most = question.fields[0], question.most or 1
            values = [option.value for option in part.options]
            return [{part.id: value} for value in chance.sample(values, min(most, len(values)))] if values else None
        case _:
            return chance.randint(question.least or 0, question.most or 10)


def _whole(call: Call, role: str, answers: Answers) -> Answers:
    """These answers, and those of somebody content to what else the form asks for this role."""
    questions = call.questions(role)
    contented = {question.id: question.contented for question in questions if question.contented is not None}
    said = {id_: answer for id_, answer in answers.items() if answer is not None}
    return consistent(questions, contented | said)


# -- what matching makes of them -----------------------------------------------------------------------------------


class SimulatedMatching:
    """What the pages and `mentorship publish` do with those who applied, without a database."""

    def __init__(self, call: Call, applicants: Sequence[SimulatedApplicant]) -> None:
        self.call = call
        self._people = {each.id: each for each in applicants}
        self._named = {word: one.id for one in applicants for word in (one.email.casefold(), one.name.casefold())}

    def shown(self, person: str, counted: Wished) -> Mapping[Side, Sequence[str]]:
        """Whom somebody can wish for at this moment."""
        people = self._pool(counted)
        try:
            possible = candidates(people, self.call.matching, self.call.start)
        except (UnknownStep, ReportingCircle):
            return {}
        return shown_to(possible, person, self._people[person].role)

    def publish(self, counted: Wished, taken: Collection[str]) -> SimulatedPairs:
        """What publishing the best pairs makes."""
        call = self.call
        names = {id_: self._people[id_].name for id_ in counted}
        pool = Pool(call.title, call.program.format, call.start, call.matching, self._pool(counted), names)
        try:
            pairs, nobody = pairs_of(pool)
        except Refused as refused:
            return SimulatedPairs((), {}, str(refused))
        if not pairs:
            return SimulatedPairs((), {}, "no pair can be made of those who applied")
        return SimulatedPairs(tuple(mentorships_of(call.program.format, sorted(pairs), taken)), nobody)

    def _pool(self, counted: Wished) -> tuple[Applicant, ...]:
        return tuple(self._applicant(self._people[id_], *wished) for id_, wished in sorted(counted.items()))

    def _applicant(self, one: SimulatedApplicant, wishes: tuple[str, ...], would_take: tuple[str, ...]) -> Applicant:
        application = Application(
            id=one.id, cohort=self.call.cohort, person=one.id, generation=0, person_name=one.name, email=one.email,
            zone=one.zone, language=self.call.language, standing="active", state="confirmed", role=one.role,
            name=one.name, body=one.answers, invited=False, at=_NEVER, confirmed_at=_NEVER, mails=0, mailed_on=None,
            mails_that_day=0, wishes=wishes, would_take=would_take, wished_at=None,
        )  # fmt: skip
        return applicant_of(self.call, application, frozenset(), self._named)


def open_call_of(call: Call, applicants: Sequence[SimulatedApplicant], invited: Collection[str]) -> OpenCall:
    """The open call of a file for a rehearsal. `invited`: addresses; somebody who is invited and no applicant must be
    among the applicants as well."""
    addresses = {address.casefold() for address in invited}
    return OpenCall(
        gathering=call.gathering,
        applicants=applicants,
        matching=SimulatedMatching(call, applicants),
        invited=frozenset(each.id for each in applicants if each.email.casefold() in addresses),
        limit=call.terms.limit,
        wishes_at_most=call.terms.wishes_at_most,
    )
