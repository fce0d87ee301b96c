"""What the people of one mentorship answered, by round: questions down, people and rounds across.

Mirrored questions stand in one row, statements that are asked again get a line over time. Pure: it arranges what
`operations.forms.answers` lets a coordinator see, and shows nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from lifecycle.assessment import MEETINGS
from operations.forms.answers import ShownAnswer, ShownForm

MIRRORED = {"m_open": "p_open", "m_help": "p_useful", "m_goal": "p_goal", "m_block": "p_block"}
"""The mentor's question to the mentee's of the same matter: one row."""
COMPARED = frozenset({"p_open"})
"""Rows of two questions whose answers can be compared; answers to one question always can."""
SCALE = (1, 5)


@dataclass(frozen=True, slots=True)
class AskedPerson:
    """A person who was asked in one round. Days are those of the cohort."""

    person: str
    name: str
    role: str
    state: str
    """open, answered, closed"""
    closes: date


@dataclass(frozen=True, slots=True)
class Occasion:
    """One round of a form, with everybody who was asked."""

    ask: str
    number: int
    opens: date
    asked: tuple[AskedPerson, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """The answers of one person in one round. `form` is None where nothing was answered."""

    round: Occasion
    person: AskedPerson
    form: ShownForm | None


@dataclass(frozen=True, slots=True)
class Cell:
    """What one person answered to one question in one round."""

    answer: ShownAnswer
    far: bool = False
    """Far from what the other side answered in the same round."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How a question was put; `roles` are those who were asked it so, empty where all were."""

    label: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question, or two that mirror each other. `cells` go with the columns; None where nothing was answered."""

    id: str
    entry: int
    """Of a group: which entry, from 1."""
    wordings: tuple[Wording, ...]
    cells: tuple[Cell | None, ...]

    @property
    def far(self) -> bool:
        """Whether two sides differ in some round."""
        return any(cell is not None and cell.far for cell in self.cells)

    @property
    def low(self) -> bool:
        """Whether some answer is low."""
        return any(cell is not None and cell.answer.low for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Line:
    """The ratings of one person over the rounds; None where there is none."""

    name: str
    role: str
    values: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """A statement that was rated in several rounds. `numbers` and `days` are the rounds'."""

    id: str
    wordings: tuple[Wording, ...]
    numbers: tuple[int, ...]
    days: tuple[date, ...]
    lines: tuple[Line, ...]
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class FormRounds:
    """All rounds of one form. `rounds` are (occasion, how many columns)."""

    ask: str
    title: str
    rounds: tuple[tuple[Occasion, int], ...]
    columns: tuple[Column, ...]
    rows: tuple[QuestionRow, ...]
    series: tuple[Series, ...] = field(default=())

    @property
    def answered(self) -> int:
        """How many have answered, of `asked`."""
        return sum(column.form is not None for column in self.columns)

    @property
    def asked(self) -> int:
        """How many were asked."""
        return len(self.columns)


def by_round(occasions: Sequence[Occasion], forms: Iterable[ShownForm], differ_by: int) -> tuple[FormRounds, ...]:
    """The rounds of each form, in the order in which each was first asked. `differ_by`: steps that count as far."""
    given = {(form.ask, form.number, form.person): form for form in forms}
    by_ask: dict[str, list[Occasion]] = {}
    for occasion in occasions:
        by_ask.setdefault(occasion.ask, []).append(occasion)
    return tuple(_rounds(ask, rounds, given, differ_by) for ask, rounds in by_ask.items())


def last_round(rounds: FormRounds, which: int = -1) -> FormRounds:
    """The same with one of its rounds alone (the last); its lines over time stay."""
    occasion = rounds.rounds[which][0]
    kept = [index for index, column in enumerate(rounds.columns) if column.round == occasion]
    rows = (replace(row, cells=tuple(row.cells[index] for index in kept)) for row in rounds.rows)
    return replace(
        rounds,
        rounds=((occasion, len(kept)),),
        columns=tuple(rounds.columns[index] for index in kept),
        rows=tuple(row for row in rows if any(row.cells)),
    )


def rating(answer: ShownAnswer) -> int | None:
    """The answer as a number that can be compared and drawn; None where it is none."""
    question = answer.question.rpartition(".")[2]
    if question == "p_met":
        return MEETINGS.get(str(answer.value))
    return answer.value if isinstance(answer.value, int) and not isinstance(answer.value, bool) else None


# -- the parts -------------------------------------------------------------------------------------------------

_Key = tuple[str, int]


def _rounds(
    ask: str, occasions: Sequence[Occasion], given: Mapping[tuple[str, int, str], ShownForm], differ_by: int
) -> FormRounds:
    columns = [
        Column(occasion, person, given.get((ask, occasion.number, person.person)))
        for occasion in occasions
        for person in occasion.asked
    ]
    answers = [_by_key(column.form) for column in columns]
    rows = tuple(_row(key, columns, answers, differ_by) for key in _keys(columns))
    return FormRounds(
        ask,
        next((column.form.title for column in columns if column.form), ask),
        tuple((occasion, len(occasion.asked)) for occasion in occasions if occasion.asked),
        tuple(columns),
        rows,
        tuple(series for row in rows if (series := _series(row, occasions, columns))),
    )


def _key_of(answer: ShownAnswer) -> _Key:
    return MIRRORED.get(answer.question, answer.question), answer.entry


def _by_key(form: ShownForm | None) -> dict[_Key, ShownAnswer]:
    return {_key_of(answer): answer for answer in form.answers} if form else {}


def _keys(columns: Iterable[Column]) -> list[_Key]:
    """The rows in the order of the questions. Each side keeps its order; what both have keeps them together."""
    ordered: list[_Key] = []
    for column in columns:
        place = 0
        for key in _by_key(column.form):
            if key in ordered:
                place = ordered.index(key) + 1
            else:
                ordered.insert(place, key)
                place += 1
    return ordered


def _row(
    key: _Key, columns: Sequence[Column], answers: Sequence[Mapping[_Key, ShownAnswer]], differ_by: int
) -> QuestionRow:
    found = [each.get(key) for each in answers]
    labels: dict[str, dict[str, None]] = {}
    for column, answer in zip(columns, found, strict=True):
        if answer is not None:
            labels.setdefault(answer.label, {})[column.person.role] = None
    wordings = tuple(Wording(label, tuple(roles) if len(labels) > 1 else ()) for label, roles in labels.items())
    asked = {answer.question for answer in found if answer is not None}
    comparable = len(asked) == 1 or key[0] in COMPARED
    far = _far(columns, found, differ_by) if comparable else frozenset[int]()
    cells = tuple(Cell(answer, index in far) if answer is not None else None for index, answer in enumerate(found))
    return QuestionRow(*key, wordings, cells)


def _far(columns: Sequence[Column], found: Sequence[ShownAnswer | None], differ_by: int) -> frozenset[int]:
    """Columns whose rating lies far from one of another side in the same round."""
    rated = [
        (index, column, value)
        for index, (column, answer) in enumerate(zip(columns, found, strict=True))
        if answer is not None and _scaled(answer) and (value := rating(answer)) is not None
    ]
    return frozenset(
        index
        for index, column, value in rated
        for _, other, others in rated
        if other.round == column.round
        and other.person.person != column.person.person
        and (other.person.role != column.person.role or column.person.role == "peer")
        and abs(value - others) >= differ_by
    )


def _scaled(answer: ShownAnswer) -> bool:
    return answer.question == "p_met" or answer.scale


def _series(row: QuestionRow, occasions: Sequence[Occasion], columns: Sequence[Column]) -> Series | None:
    """The ratings of a row over time, where somebody rated it at least twice."""
    values: dict[str, dict[int, int]] = {}
    people: dict[str, AskedPerson] = {}
    for column, cell in zip(columns, row.cells, strict=True):
        value = rating(cell.answer) if cell is not None and _scaled(cell.answer) else None
        if value is not None:
            people[column.person.person] = column.person
            values.setdefault(column.person.person, {})[column.round.number] = value
    if not any(len(rated) > 1 for rated in values.values()):
        return None
    numbers = tuple(occasion.number for occasion in occasions)
    least, most = (0, 3) if row.id == "p_met" else SCALE
    return Series(
        row.id,
        row.wordings,
        numbers,
        tuple(occasion.opens for occasion in occasions),
        tuple(
            Line(people[person].name, people[person].role, tuple(rated.get(number) for number in numbers))
            for person, rated in values.items()
        ),
        least,
        most,
    )
