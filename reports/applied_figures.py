"""Who applied to a call and who was left out, by role and by each attribute that the matching goes by.

Counted once, when the pairs are published: applications are deleted later, so counts are kept and not answers. A
reader knows from other tables how many got a seat; where such a number would have to be hidden, the table is left
out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import TypeAdapter

from matching.fairness import attributes
from program.forms import Form, Question
from program.matching import Matching
from reports.answer_figures import wording
from reports.gate import SMALLEST, gated, is_small
from reports.rows import ApplicantFacts, Attribute, Lot, Part
from reports.tables import Cell, Table

LOTS = {
    "mentee": "people who wanted a mentor",
    "mentor": "people who would only be a mentor",
    "peer": "peers",
}
"""As what somebody applied; who would be both counts as somebody who wanted a mentor."""
COMPARED = ("one", "many", "yes_no")
"""Types of questions by whose answers people are put together: never words of their own."""
ID = "reach.applied"
SEATS = tuple(f"{ID}.{role}" for role in LOTS)
"""Ids of the tables that say how many of a lot got a seat."""
SEAT, NONE = "got a seat", "got none"
KEPT = TypeAdapter(tuple[Lot, ...])
"""Writes lots as JSON, and reads them again."""


def lots(applicants: Iterable[ApplicantFacts], form: Form, matching: Matching) -> tuple[Lot, ...]:
    """Those who applied, by role and attribute. The attributes are those of `matching.fairness`: what everybody knows
    to count, and what people asked to be compared by."""
    by_role: dict[str, list[ApplicantFacts]] = {}
    for each in applicants:
        by_role.setdefault("mentee" if each.role == "both" else each.role, []).append(each)
    compared = attributes(matching)
    found: list[Lot] = []
    for role in (role for role in LOTS if role in by_role):
        people = by_role[role]
        questions = [(question, compared[question.id]) for question in _asked(form, role, compared)]
        placed, others = _split(people)
        found.append(
            Lot(role, placed, others, tuple(_attribute(people, question, agreed) for question, agreed in questions))
        )
    return tuple(found)


def _asked(form: Form, role: str, fields: Iterable[str]) -> list[Question]:
    found: dict[str, Question] = {}
    for question in form.questions:
        to_them = not question.roles or role in question.roles
        if to_them and question.type in COMPARED and question.visible != "me":
            found.setdefault(question.id, question)
    return [found[field] for field in fields if field in found]


def _attribute(people: Sequence[ApplicantFacts], question: Question, agreed: str | None) -> Attribute:
    """`agreed`: the question whose yes says that somebody may be compared."""
    choices = [("yes", "yes"), ("no", "no")] if question.type == "yes_no" else _options(question)
    parts: dict[str, list[ApplicantFacts]] = {value: [] for value, _ in (*choices, ("", ""))}
    for each in people:
        given = _values(each.answers.get(question.id)) if agreed is None or each.answers.get(agreed) is True else []
        for value in [value for value in dict.fromkeys(given) if value in parts] or [""]:
            parts[value].append(each)
    return Attribute(
        question.id, question.label, wording(question), question.type == "many",
        tuple(Part(value, label, *_split(parts[value])) for value, label in (*choices, ("", "left open"))),
    )  # fmt: skip


def _options(question: Question) -> list[tuple[str, str]]:
    return [(option.value, option.label) for option in question.options]


def _values(answer: Any) -> list[str]:
    if isinstance(answer, bool):
        return ["yes" if answer else "no"]
    listed: list[Any] = answer if isinstance(answer, list) else [answer]  # pyright: ignore[reportUnknownVariableType]
    return [value for value in listed if isinstance(value, str) and value]


def _split(people: Sequence[ApplicantFacts]) -> tuple[int, int]:
    placed = sum(each.seated for each in people)
    return placed, len(people) - placed


# -- tables --------------------------------------------------------------------------------------------------------


def tables(found: Iterable[Lot]) -> list[Table]:
    """Every table of those who applied, exact, with those that only the gate reads."""
    return [table for lot in found for table in (_of_lot(lot), *(each for of in _by_attribute(lot) for each in of))]


def tables_for_passing_on(found: Iterable[Lot]) -> tuple[list[Table], dict[str, str]]:
    """The tables through the gate, and title to reason of those that are left out."""
    shown: list[Table] = []
    left_out: dict[str, str] = {}
    for lot in found:
        whole = _of_lot(lot)
        if any(map(is_small, (whole.total, *whole.cells))):
            left_out[whole.title] = f"fewer than {SMALLEST} people would be told of"
            continue
        shown.append(whole)
        known = {cell.name for cell in (whole.total, *whole.cells)}
        for group in _by_attribute(lot):
            through = gated(group)
            if _hides(through, known):
                left_out[group[-1].option_of] = "too few people in its parts"
            else:
                shown += through
    return shown, left_out


def _hides(through: Sequence[Table], known: set[str]) -> bool:
    """Whether the gate had to hide a number that readers know, or nothing is left to see."""
    cells = [cell for table in through for cell in (table.total, *table.cells)]
    told = [cell for table in through if table.shown for cell in table.cells]
    return any(cell.name in known and cell.state != "exact" for cell in cells) or all(
        cell.state != "exact" for cell in told
    )


def _of_lot(lot: Lot) -> Table:
    name = f"p/{lot.role}"
    return Table(
        f"{ID}.{lot.role}", f"Got a seat: {LOTS[lot.role]}", "people",
        _cell(name, "applied", lot.placed + lot.others),
        (_cell(f"{name}/placed", SEAT, lot.placed), _cell(f"{name}/not_placed", NONE, lot.others)),
    )  # fmt: skip


def _cell(name: str, label: str, count: int) -> Cell:
    return Cell(name, label, count, count)


def _by_attribute(lot: Lot) -> list[list[Table]]:
    """The tables of each attribute; none where nobody was left out. What people can be of several is split for each
    answer alone."""
    if not lot.others:
        return []
    found: list[list[Table]] = []
    for attribute in lot.attributes:
        if not attribute.several:
            found.append(_linked(lot, attribute, attribute.parts))
            continue
        for part in attribute.parts:
            if part.value:
                rest = Part("", "the others", lot.placed - part.placed, lot.others - part.others)
                found.append(_linked(lot, attribute, (part, rest)))
    return found


def _linked(lot: Lot, attribute: Attribute, parts: Sequence[Part]) -> list[Table]:
    """One table for each part; before them, unshown, how their numbers add up to those of the lot."""
    whole = _of_lot(lot)
    place = f"p/{lot.role}/{attribute.field}.{attribute.mark}"
    if attribute.several:
        place += f"/{parts[0].value}"
    names = {part.value: f"{place}/{part.value}" if part.value else f"{place}/open" for part in parts}
    totals = [_cell(names[part.value], part.label, part.placed + part.others) for part in parts]
    placed = [_cell(f"{names[part.value]}/placed", SEAT, part.placed) for part in parts]
    others = [_cell(f"{names[part.value]}/not_placed", NONE, part.others) for part in parts]
    sums = [
        Table(f"{place}.{at}", "", "", total, tuple(cells), shown=False)
        for at, (total, cells) in enumerate(
            ((whole.total, totals), (whole.cells[0], placed), (whole.cells[1], others))
        )
    ]
    split = [
        Table(
            f"{ID}.{lot.role}.{attribute.field}-{attribute.mark}.{part.value}", part.label, "people", total,
            (yes, no), option_of=f"{attribute.title} ({LOTS[lot.role]})", line="answer",
            shown=bool(part.value) or not attribute.several,
        )
        for part, total, yes, no in zip(parts, totals, placed, others, strict=True)
    ]  # fmt: skip
    return [*sums, *split]
