"""Figures about answers: who answered what, how answers are distributed, what became of goals, who would go on.

Words that somebody wrote are in no figure, nor is an answer that only its giver sees (`visible: me`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from statistics import median

from program.forms import Form, Question
from reports.rows import AnswerFacts, Index, SeatFacts
from reports.statistics import Spread, spread
from reports.tables import Cell, Table, counted

ASKS = ("invitation", "fit_check", "check_in", "midpoint", "closure", "follow_up")
"""The asks whose answers are counted. The agreement belongs to the pair, and `are_you_there` is no question."""
ASK_WORDS = {
    "invitation": "invitation",
    "fit_check": "fit check",
    "check_in": "check-in",
    "midpoint": "midpoint",
    "closure": "closure",
    "follow_up": "follow-up",
}
ROLE_WORDS = {"mentee": "mentees", "mentor": "mentors", "peer": "peers"}
COUNTED = ("scale", "yes_no", "one", "many", "number")
"""Types of questions whose answers are counted."""
NEVER = frozenset({"p_help", "p_contact", "c_quote"})
"""Questions of which no distribution is made: a concern, and what is between one person and the coordinators."""
BRIEF = {
    "invitation": ("b_confid",),
    "check_in": ("p_met", "p_useful", "p_open", "p_goal", "m_help", "m_open", "m_follow", "m_load", "m_goal"),
}
"""Of these asks only some questions are counted: the others are a profile, or many times the same."""
CONFIDENCE = (("invitation", "b_confid"), ("midpoint", "r_confid"), ("closure", "c_now"))
"""The same question before, half way and at the end: (ask, question)."""
THEN = ("closure", "c_then")
"""The start as it is remembered at the end: told apart, since it is no measurement before."""
BINS = ((0, 3), (4, 6), (7, 8), (9, 10))
"""How numbers from 0 to 10 are put together."""
OWN_BINS = {
    "c_nps": ((0, 6), (7, 8), (9, 10)),  # Reichheld 2003
    "c_meet": ((0, 0), (1, 3), (4, 6), (7, 10), (11, 15), (16, 200)),
    "c_meet_minutes": ((0, 29), (30, 44), (45, 60), (61, 90), (91, 480)),
    "c_again_n": ((1, 1), (2, 2), (3, 3), (4, 5), (6, 20)),
}
"""How the numbers of these questions are put together."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A question in one wording; two forms may ask the same id in different words."""

    id: str
    question: Question
    mark: str
    """Stands for wording, options and ends of the scale."""


def wording(question: Question) -> str:
    """A mark that two questions share exactly if they ask the same: type, label, options and ends."""
    options = [f"{option.value}={option.label}" for option in question.options]
    parts = (question.type, question.label, *options, question.low, question.high)
    return sha256("\x1f".join(parts).encode()).hexdigest()[:8]


def responses(index: Index) -> list[Table]:
    """Of all seats: who answered, who was asked and is silent, who was not asked."""
    return [
        _response(index, ask, number, role) for role in index.roles for ask in ASKS for number in _rounds(index, ask)
    ]


def _rounds(index: Index, ask: str) -> Sequence[int]:
    numbers = index.numbers(ask)
    return numbers if ask == "check_in" else numbers[:1] and (0,)


def _occasion(ask: str, number: int) -> str:
    return f"{ask}{number or ''}"


def _response(index: Index, ask: str, number: int, role: str) -> Table:
    asked = index.by_seat(ask, role, number)
    place = f"{role}/{_occasion(ask, number)}"
    words = f"{ASK_WORDS[ask]} {number or ''}".strip()
    given = [seat.person for seat, answer in asked.items() if answer is not None]
    silent = [seat.person for seat, answer in asked.items() if answer is None]
    spared = [seat.person for seat in index.seats[role] if seat not in asked]
    return Table(
        f"answers.{place}",
        words.capitalize(),
        ROLE_WORDS[role],
        counted(f"{role}/all", "everybody", [seat.person for seat in index.seats[role]]),
        (
            counted(f"{place}/answered", "answered", given),
            counted(f"{place}/silent", "did not answer", silent),
            counted(f"{place}/not_asked", "were not asked", spared),
        ),
        option_of=f"Who answered ({ROLE_WORDS[role]})",
        line="form",
    )


def questions(index: Index) -> list[Table]:
    """The distribution of the answers to every question that is counted, by ask, role and wording."""
    found: list[Table] = []
    for ask in ASKS:
        for number in _rounds(index, ask):
            for role in index.roles:
                found += _of_round(index, ask, number, role)
    return found


def _of_round(index: Index, ask: str, number: int, role: str) -> list[Table]:
    given = {seat: answer for seat, answer in index.by_seat(ask, role, number).items() if answer is not None}
    place = f"{role}/{_occasion(ask, number)}"
    answered = counted(f"{place}/answered", "answered", [seat.person for seat in given])
    found: list[Table] = []
    variants_by_id, marks = _variants(given.values(), role, ask)
    for id_, variants in variants_by_id.items():
        asked = {mark: _asked(given, marks, id_, mark) for mark in variants}
        totals: dict[str, Cell] = {}
        for mark in variants:
            same = len(asked[mark]) == len(given)
            name = answered.name if same else f"{place}/{id_}.{mark}/asked"
            totals[mark] = answered if same else counted(name, "asked and answered", _of(asked[mark]))
        if len(variants) > 1 or next(iter(totals.values())) is not answered:
            # What the tables of several wordings have to do with each other, for the gate.
            others = [seat.person for seat in given if not any(seat in seats for seats in asked.values())]
            rest = counted(f"{place}/{id_}/not_asked", "not asked this", others)
            found.append(Table(f"asked.{place}.{id_}", "", "", answered, (*totals.values(), rest), shown=False))
        for mark, variant in variants.items():
            found += _distribution(place, variant, totals[mark], asked[mark])
    return found


_Kind = tuple[int, str, bool]
"""What decides which questions stood on a form: the form, the format, and whether it was an early closing."""


def _kind(answer: AnswerFacts) -> _Kind:
    return id(answer.form), answer.format, answer.early


def _variants(
    answers: Iterable[AnswerFacts], role: str, ask: str
) -> tuple[dict[str, dict[str, Variant]], dict[_Kind, set[tuple[str, str]]]]:
    """Question id to its wordings, in the order of the forms; and the (question, wording) of each kind of form.

    Of the answers of one round and role.
    """
    found: dict[str, dict[str, Variant]] = {}
    marks: dict[_Kind, set[tuple[str, str]]] = {}
    for answer in answers:
        if (kind := _kind(answer)) in marks:
            continue
        marks[kind] = set()
        for question in answer.form.questions_for(role, answer.format, answer.early):
            mark = wording(question)
            marks[kind].add((question.id, mark))
            if is_counted(question) and (ask not in BRIEF or question.id in BRIEF[ask]):
                found.setdefault(question.id, {}).setdefault(mark, Variant(question.id, question, mark))
    return found, marks


def _asked(
    given: dict[SeatFacts, AnswerFacts], marks: dict[_Kind, set[tuple[str, str]]], id_: str, mark: str
) -> dict[SeatFacts, AnswerFacts]:
    """Of these answers, those to forms in which this question stood in this wording."""
    kinds = {kind for kind, asked in marks.items() if (id_, mark) in asked}
    if len(kinds) == len(marks):
        return given
    return {seat: answer for seat, answer in given.items() if _kind(answer) in kinds}


def is_counted(question: Question) -> bool:
    """Whether a distribution of its answers is made at all."""
    return question.type in COUNTED and question.visible != "me" and question.id not in NEVER


def _of(answers: Iterable[SeatFacts]) -> list[str]:
    return [seat.person for seat in answers]


def _distribution(place: str, variant: Variant, total: Cell, answers: dict[SeatFacts, AnswerFacts]) -> list[Table]:
    question = variant.question
    id_ = f"{place}/{variant.id}.{variant.mark}"
    title = question.label
    role = place.split("/", 1)[0]
    if question.type == "many":
        return [
            Table(
                f"{id_}.{option.value}", option.label, ROLE_WORDS[role], total,
                (
                    counted(f"{id_}.{option.value}/yes", "chosen", _chose(answers, variant.id, option.value), "1"),
                    counted(f"{id_}.{option.value}/no", "not chosen", _not(answers, variant.id, option.value)),
                ),
                wording=variant.mark, option_of=title,
            )
            for option in question.options
        ]  # fmt: skip
    lots: dict[str, tuple[str, list[str]]] = {value: (label, []) for value, label in _choices(question)}
    empty: list[str] = []
    for seat, answer in answers.items():
        value = _value(question, answer.body.get(variant.id))
        lots.get(value, ("", empty))[1].append(seat.person)
    cells = [counted(f"{id_}/{value}", label, people, value) for value, (label, people) in lots.items()]
    open_ = "can’t say yet, or left open" if question.type == "scale" else "left open"
    cells.append(counted(f"{id_}/open", open_, empty))
    return [Table(id_, title, ROLE_WORDS[role], total, tuple(cells), wording=variant.mark)]


def _chose(answers: dict[SeatFacts, AnswerFacts], id_: str, value: str) -> list[str]:
    return [seat.person for seat, answer in answers.items() if value in (answer.body.get(id_) or ())]


def _not(answers: dict[SeatFacts, AnswerFacts], id_: str, value: str) -> list[str]:
    return [seat.person for seat, answer in answers.items() if value not in (answer.body.get(id_) or ())]


def _choices(question: Question) -> list[tuple[str, str]]:
    match question.type:
        case "scale":
            ends = {1: question.low, 5: question.high}
            return [(str(step), f"{step} {ends.get(step, '')}".strip()) for step in range(1, 6)]
        case "yes_no":
            return [("yes", "yes"), ("no", "no")]
        case "one":
            return [(option.value, option.label) for option in question.options]
        case _:
            return [_bin_words(low, high) for low, high in _bins(question)]


def _bins(question: Question) -> tuple[tuple[int, int], ...]:
    if question.id in OWN_BINS:
        return OWN_BINS[question.id]
    if (question.least or 0) == 0 and question.most == BINS[-1][1]:
        return BINS
    least, most = question.least or 0, question.most or 1000
    step = max((most - least + 1) // 5, 1)
    edges = [*range(least, most + 1, step)][:5]
    return tuple((edge, most if edge == edges[-1] else edge + step - 1) for edge in edges)


def _bin_words(low: int, high: int) -> tuple[str, str]:
    words = str(low) if low == high else f"{low} to {high}"
    return words, words


def _value(question: Question, answer: object) -> str:
    """Into which part of its table an answer goes; empty where nothing was said, or the word was erased."""
    if answer is None or isinstance(answer, list | dict):
        return ""
    if question.type == "yes_no":
        return "yes" if answer is True else "no" if answer is False else ""
    if question.type == "number":
        number = answer if isinstance(answer, int) else -1
        return next((str(_bin_words(low, high)[0]) for low, high in _bins(question) if low <= number <= high), "")
    return str(answer)


# -- goals ---------------------------------------------------------------------------------------------------

CAME = {
    "reached": "reached",
    "mostly": "mostly",
    "partly": "partly",
    "no": "not",
    "dropped": "dropped or replaced",
}
UNSAID = "unsaid"
"""A goal of which somebody said nothing at the closure: they did not answer, or were not asked (yet)."""


def goals(index: Index) -> list[Table]:
    """What became of the goals of the agreements, by format and role: each counts for everybody with a seat. What
    somebody looked back at counts also where no agreement names it (any more)."""
    mentorships = {one.key: one for one in index.season.mentorships}
    found: list[Table] = []
    for role in index.roles:
        lots: dict[str, dict[str, list[str]]] = {}
        closed = index.by_seat("closure", role)
        for seat in index.seats[role]:
            of, answer = mentorships[seat.mentorship], closed.get(seat)
            said = answer.body.get("c_goals") or () if answer is not None else ()
            came = [goal.get("came") for goal in said if goal.get("came") in CAME]
            came += [UNSAID] * ((of.goals if of.agreed else 0) - len(came))
            for each in came:
                lots.setdefault(of.format, {}).setdefault(each, []).append(seat.person)
        for format_, by_came in sorted(lots.items()):
            place = f"goals/{role}/{format_}"
            cells = (
                *(counted(f"{place}/{came}", label, by_came.get(came, ()), came) for came, label in CAME.items()),
                counted(f"{place}/{UNSAID}", "nobody said", by_came.get(UNSAID, ())),
            )
            everybody = [person for people in by_came.values() for person in people]
            found.append(
                Table(
                    f"goals.{role}.{format_}",
                    f"Goals, {ROLE_WORDS[role]}, {format_.replace('_', ' ')}",
                    "goals",
                    counted(f"{place}/all", "goals", everybody),
                    cells,
                )
            )
    return sorted(found, key=lambda table: table.id.rpartition(".")[2])


# -- confidence ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Confidence:
    """Confidence of one role, 0 to 10: before, half way, at the end, and the start as it is remembered at the end."""

    role: str
    before: Spread | None
    half_way: Spread | None
    now: Spread | None
    then: Spread | None
    paired: Spread | None
    """Now less before, of those who said both."""
    lines: tuple[tuple[int | None, int | None, int | None], ...]
    """One for each seat that said something at two of the three moments: not for passing on."""


def confidence(index: Index) -> list[Confidence]:
    """Confidence over time of each role that was asked."""
    found: list[Confidence] = []
    for role in index.roles:
        by_moment = [_numbers(index, role, ask, question) for ask, question in CONFIDENCE]
        by_moment[0] = _applied_with(index, role) | by_moment[0]
        then = _numbers(index, role, *THEN)
        if not any((*by_moment, then)):
            continue
        seats = sorted(
            {seat for numbers in by_moment for seat in numbers}, key=lambda seat: (seat.mentorship, seat.person)
        )
        lines = [tuple(numbers.get(seat) for numbers in by_moment) for seat in seats]
        both = [by_moment[2][seat] - by_moment[0][seat] for seat in by_moment[0] if seat in by_moment[2]]
        first, middle, last = (spread([*numbers.values()]) for numbers in by_moment)
        found.append(
            Confidence(
                role, first, middle, last, spread([*then.values()]), spread(both),
                tuple((a, b, c) for a, b, c in lines if sum(each is not None for each in (a, b, c)) > 1),
            )
        )  # fmt: skip
    return found


def _applied_with(index: Index, role: str) -> dict[SeatFacts, int]:
    """What people said about their confidence in their application, where this role is asked at the end, too."""
    said = {each.person: each.confidence for each in index.season.applications}
    if role == "mentor":
        return {}
    return {seat: number for seat in index.seats[role] if (number := said.get(seat.person)) is not None}


def _numbers(index: Index, role: str, ask: str, question: str) -> dict[SeatFacts, int]:
    found: dict[SeatFacts, int] = {}
    for seat, answer in index.by_seat(ask, role).items():
        if answer is not None and isinstance(number := answer.body.get(question), int):
            found[seat] = number
    return found


# -- answers and reminders -----------------------------------------------------------------------------------


def by_reminder(index: Index) -> list[Table]:
    """Answers by the number of mails that had carried their request: by the first mail, after a reminder."""
    found: list[Table] = []
    for ask in ASKS:
        given = [
            (request, answer)
            for role in index.roles
            for request, answer in index.asked(ask, role)
            if answer is not None
        ]
        if not given:
            continue
        lots: dict[str, list[str]] = {"1": [], "2": [], "3": []}
        for request, answer in given:
            lots[str(min(max(answer.reminded, 1), 3))].append(request.person)
        words = {"1": "1 mail", "2": "2 mails", "3": "3 mails"}
        found.append(
            Table(
                f"reminders.{ask}",
                ASK_WORDS[ask].capitalize(),
                "answers",
                counted(f"reminders/{ask}/all", "answers", [request.person for request, _ in given]),
                tuple(counted(f"reminders/{ask}/{lot}", words[lot], people) for lot, people in lots.items()),
                option_of="How many mails it took until the answer",
                line="form",
            )
        )
    return found


def hours_to_answer(index: Index) -> float | None:
    """The median of the hours from the first mail of a request to its answer; None where nothing was answered."""
    hours = [
        (answer.at - request.first_mail).total_seconds() / 3600
        for ask in ASKS
        for role in index.roles
        for request, answer in index.asked(ask, role)
        if answer is not None and request.first_mail is not None
    ]
    return median(hours) if hours else None


def versions(forms: Iterable[Form]) -> dict[str, tuple[int, ...]]:
    """Form id to the versions among these, for the method."""
    found: dict[str, set[int]] = {}
    for form in forms:
        found.setdefault(form.form, set()).add(form.version)
    return {name: tuple(sorted(numbers)) for name, numbers in sorted(found.items())}
