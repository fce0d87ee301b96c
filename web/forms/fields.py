"""A form as a page shows it: each question as a field with what stands in it and what is wrong with it.

Knows nothing of HTML beyond names and ids; the templates know nothing of question types beyond `kind`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from operations.forms.parse import (
    UNSURE,
    ZONE_QUESTIONS,
    FieldFault,
    Typed,
    condition_text,
    entries,
    most_entries,
)  # fmt: skip
from program.forms import Answer, Question
from program.goals import AGREED, GOAL_ID, WORDS_GONE, Goal, about_agreed

SHORT_TEXT = 120
"""Longest text that gets a field of one line."""
SHOWN_ENTRIES = 3
"""Entries of a group that are there without asking for more."""
SHORT_LABEL = 14
"""Longest label of choices that stand side by side."""
STEPS_AS_RADIOS = 11
"""A number with worded ends and at most so many values is a row of radios."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One radio or checkbox. `spoken` adds to the label for those who can't see where it stands."""

    id: str
    value: str
    label: str
    chosen: bool
    spoken: str = ""
    opens: str = ""
    """Numbers of the conditions that are met when this is chosen, with spaces between."""


@dataclass(slots=True)
class Entry:
    """One entry of a group, or one date range. `folded`: empty, and not needed."""

    title: str
    fields: list[Field]
    folded: bool = False
    hidden: tuple[str, str] = ("", "")
    """Name and value of a hidden field: which goal it is."""
    named: bool = False
    """It is about a thing that has a name, its title: it can't be folded away, and none can be added."""

    @property
    def blocks(self) -> list[Block]:
        """The fields as they stand on the page."""
        return blocks_of(self.fields)


@dataclass(slots=True)
class Block:
    """Fields that stand together: below a heading, or folded under a few words."""

    fields: list[Field]
    section: str = ""
    """The heading above them; empty where the section goes on."""
    fold: str = ""
    """The words under which they are folded; empty where they stand open."""

    @property
    def unfolded(self) -> bool:
        """Whether the fold is open: something in it is answered already, or is wrong."""
        return any(field.mentioned or field.filled for field in self.fields)


@dataclass(slots=True)
class Field:
    """One question. `kind`: radios, steps, checkboxes, line, area, day, group, ranges."""

    kind: str
    name: str
    label: str
    hint: str = ""
    error: str = ""
    required: bool = False
    value: str = ""
    choices: list[Choice] = field(default_factory=list["Choice"])
    ends: tuple[str, str] | None = None
    """What the first and the last step mean, in words."""
    longest: int = 0
    numeric: bool = False
    autocomplete: str = ""
    suggestions: str = ""
    """Id of a list of suggestions."""
    native: bool = True
    """A date that a date field can show; what it can't is kept in a field of text."""
    entries: list[Entry] = field(default_factory=list["Entry"])
    can_add: bool = False
    add_label: str = ""
    only_if: str = ""
    """With which answer to which other question this one is asked; empty where it is asked of everybody."""
    when: int = 0
    """The number of that condition on this page; 0 where the question is shown in any case."""
    section: str = ""
    fold: str = ""

    @property
    def compact(self) -> bool:
        """Whether the labels are so short that choices stand side by side."""
        return all(len(choice.label) <= SHORT_LABEL for choice in self.choices)

    @property
    def unsure(self) -> Choice | None:
        """The choice of a scale that says nothing; it stands beside the others."""
        return next((choice for choice in self.choices if choice.value == UNSURE), None)

    @property
    def mentioned(self) -> bool:
        """Whether something is wrong with this field, or with a part of it."""
        return bool(self.error) or any(part.mentioned for entry in self.entries for part in entry.fields)

    @property
    def filled(self) -> bool:
        """Whether something stands in this field, or in a part of it."""
        parts = (part.filled for entry in self.entries for part in entry.fields)
        return bool(self.value) or any(choice.chosen for choice in self.choices) or any(parts)

    @property
    def id(self) -> str:
        """Id of the first control: the error summary leads there."""
        return f"q-{self.name}"


def fields_of(
    questions: Sequence[Question],
    typed: Typed,
    faults: Sequence[FieldFault] = (),
    *,
    more: str = "",
    goals: Mapping[str, Sequence[Goal]] | None = None,
) -> list[Field]:
    """The fields of these questions, filled with what was typed. `more` names a group that gets one entry more, and
    `goals` the agreed goals about which a group asks."""
    wrong = {fault.control: fault.message for fault in reversed(faults)}
    agreed = goals or {}
    fields = [
        _about_goals(question, agreed[question.id], typed, wrong)
        if question.id in agreed
        else _field(question, question.id, typed, wrong, more)
        for question in questions
    ]
    _tie(questions, {field.name: field for field in fields})
    return fields


def blocks_of(fields: Sequence[Field]) -> list[Block]:
    """The fields in blocks: a heading begins one, and neighbours that are folded under the same words are one."""
    blocks: list[Block] = []
    for each in fields:
        if not blocks or each.section or each.fold != blocks[-1].fold:
            blocks.append(Block([], each.section, each.fold))
        blocks[-1].fields.append(each)
    return blocks


def _tie(questions: Sequence[Question], fields: Mapping[str, Field]) -> None:
    """Number the conditions of the page: a choice says which it meets, a field on which it waits.

    The stylesheet hides what waits on a condition that is not met. A field with an error is shown in any case.
    """
    by_id = {question.id: question for question in questions}
    numbers: dict[tuple[str, tuple[Answer, ...]], int] = {}
    for question in questions:
        if question.condition is None or question.condition[0] not in by_id:
            continue
        other, wanted = question.condition
        number = numbers.setdefault(question.condition, len(numbers) + 1)
        waiting = fields[question.id]
        waiting.only_if = condition_text(question, by_id[other])
        waiting.when = number if not waiting.mentioned else 0
    for (other, wanted), number in numbers.items():
        values = {
            {True: "yes", False: "no"}[answer] if isinstance(answer, bool) else str(answer) for answer in wanted
        }
        before = fields[other]
        before.choices = [
            replace(choice, opens=f"{choice.opens} {number}".strip()) if choice.value in values else choice
            for choice in before.choices
        ]


def _field(question: Question, name: str, typed: Typed, wrong: Mapping[str, str], more: str) -> Field:
    form_field = _of_type(question, name, typed, wrong, more)
    form_field.section, form_field.fold = question.section, question.fold
    return form_field


def _of_type(question: Question, name: str, typed: Typed, wrong: Mapping[str, str], more: str) -> Field:
    if question.type == "group":
        return _group(question, typed, wrong, more)
    if question.type == "date_ranges":
        return _ranges(question, typed, wrong, more)
    values = typed.get(name, [])
    form_field = Field(
        kind="line",
        name=name,
        label=question.label,
        hint=question.help,
        error=wrong.get(name, ""),
        required=question.required,
        value=values[0] if values else "",
    )
    match question.type:
        case "scale":
            _steps(form_field, question, 1, 5, values)
            form_field.choices.append(Choice(f"{form_field.id}.{UNSURE}", UNSURE, "can't say yet", UNSURE in values))
        case "yes_no" if question.tick:
            form_field.kind = "checkboxes"
            form_field.choices = _choices(form_field, (("yes", question.tick),), values)
        case "yes_no":
            form_field.kind = "radios"
            form_field.choices = _choices(form_field, (("yes", "Yes"), ("no", "No")), values)
        case "one" | "many":
            form_field.kind = "radios" if question.type == "one" else "checkboxes"
            form_field.choices = _choices(
                form_field, ((option.value, option.label) for option in question.options), values
            )
        case "number" if _has_steps(question):
            _steps(form_field, question, 0, 10, values)
        case "number":
            form_field.numeric = True
        case "date":
            form_field.kind = "day"
            form_field.native = _is_native(form_field.value)
        case "sign":
            form_field.autocomplete = "name"
        case _:
            form_field.kind = "line" if question.longest <= SHORT_TEXT else "area"
            form_field.longest = question.longest
            if question.id in ZONE_QUESTIONS:
                form_field.kind, form_field.longest, form_field.suggestions = "line", 0, "zones"
    return form_field


def ordinal(index: int) -> str:
    """What the entry at this place is called."""
    return _ORDINALS[index] if index < len(_ORDINALS) else f"Number {index + 1}"


_ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth")


def _has_steps(question: Question) -> bool:
    worded = question.low or question.high
    if not worded or question.least is None or question.most is None:
        return False
    return question.most - question.least < STEPS_AS_RADIOS


def _steps(form_field: Field, question: Question, least: int, most: int, values: Sequence[str]) -> None:
    least = question.least if question.least is not None else least
    most = question.most if question.most is not None else most
    words = {least: question.low, most: question.high}
    form_field.kind = "steps"
    form_field.choices = [
        Choice(
            form_field.id if step == least else f"{form_field.id}.{step}",
            str(step),
            str(step),
            str(step) in values,
            words.get(step, ""),
        )
        for step in range(least, most + 1)
    ]
    if question.low or question.high:
        form_field.ends = (f"{least} = {question.low}", f"{most} = {question.high}")


def _choices(form_field: Field, options: object, values: Sequence[str]) -> list[Choice]:
    return [
        Choice(form_field.id if index == 0 else f"{form_field.id}.{value}", value, label, value in values)
        for index, (value, label) in enumerate(options)  # pyright: ignore[reportArgumentType]
    ]


def _group(question: Question, typed: Typed, wrong: Mapping[str, str], more: str) -> Field:
    filled = entries(question, typed)
    most = most_entries(question)
    needed = max(question.least or 0, int(question.required))
    shown = max(len(filled), min(SHOWN_ENTRIES, most))
    if filled:
        shown = max(shown, filled[-1] + 1)
    if more == question.id:
        shown = min(max(shown, len(filled) + 1), most)
    form_field = Field("group", question.id, question.label, question.help, required=question.required)
    for index in range(shown):
        parts = [_field(part, f"{question.id}.{index}.{part.id}", typed, wrong, more) for part in question.fields]
        mentioned = any(part.error for part in parts)
        folded = index not in filled and index >= max(needed, 1) and not mentioned and more != question.id
        name = f"{question.id}.{index}.{GOAL_ID}"
        hidden = (name, typed[name][0]) if typed.get(name) and question.id == AGREED else ("", "")
        form_field.entries.append(Entry(ordinal(index), parts, folded, hidden))
    form_field.can_add = shown < most
    form_field.add_label = "Save and add another"
    return form_field


def _about_goals(question: Question, goals: Sequence[Goal], typed: Typed, wrong: Mapping[str, str]) -> Field:
    """A group that asks about each agreed goal."""
    asked = about_agreed(question)
    form_field = Field("group", question.id, question.label, required=question.required)
    form_field.section, form_field.fold = question.section, question.fold
    for index, goal in enumerate(goals):
        parts = [_field(part, f"{question.id}.{index}.{part.id}", typed, wrong, "") for part in asked.fields]
        hidden = (f"{question.id}.{index}.{GOAL_ID}", goal.id)
        form_field.entries.append(Entry(goal.title or WORDS_GONE, parts, hidden=hidden, named=True))
    return form_field


def _ranges(question: Question, typed: Typed, wrong: Mapping[str, str], more: str) -> Field:
    filled = entries(question, typed)
    shown = max(filled[-1] + 1 if filled else 0, 1)
    if more == question.id:
        shown = min(shown + bool(filled), most_entries(question))
    form_field = Field("ranges", question.id, question.label, question.help, required=question.required)
    for index in range(shown):
        parts = [_end(f"{question.id}.{index}.{end}", label, typed, wrong) for end, label in _ENDS]
        form_field.entries.append(Entry(ordinal(index), parts))
    form_field.can_add = shown < most_entries(question)
    form_field.add_label = "Save and add another"
    return form_field


_ENDS = (("from", "First day"), ("to", "Last day"))


def _end(name: str, label: str, typed: Typed, wrong: Mapping[str, str]) -> Field:
    value = (typed.get(name) or [""])[0]
    return Field("day", name, label, error=wrong.get(name, ""), value=value, native=_is_native(value))


def _is_native(value: str) -> bool:
    try:
        return not value or len(date.fromisoformat(value).isoformat()) == len(value)
    except ValueError:
        return False
