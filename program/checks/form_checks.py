"""What a form must keep so that pages can show it and rules can read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from string import Formatter
from typing import Any, cast

from program.checks.conditions import audiences, check_conditions
from program.faults import Fault, either, fault, nearest, suggestion
from program.files.reading import Source, Trail
from program.forms import READ_BY_RULES, Form, Question, QuestionType
from program.goals import AGREED, FOLLOWED, GOAL_ID

PLACEHOLDERS = ("partner", "since", "purpose", "program")
"""What a label may hold in braces."""

_HELP = ("no", "yes", "private", "safety")
_GOAL = ("faster", "on_track", "slow", "stuck", "changed", "reached")
_GIVE = ("yes", "later", "no")

READ_AS: Mapping[str, tuple[QuestionType, tuple[str, ...]]] = {
    "accept": ("yes_no", ()),
    "f_contact": ("one", ("met", "fixed", "messages", "nothing")),
    "f_fit": ("scale", ()),
    "f_action": ("one", ("fine", "nudge", "word", "someone_else")),
    "p_met": ("one", ("0", "1", "2", "3+")),
    "p_next": ("yes_no", ()),
    "p_useful": ("scale", ()),
    "p_open": ("scale", ()),
    "m_help": ("scale", ()),
    "m_open": ("scale", ()),
    "m_follow": ("scale", ()),
    "m_load": ("scale", ()),
    "p_goal": ("one", _GOAL),
    "m_goal": ("one", _GOAL),
    "p_away": ("date_ranges", ()),
    "p_help": ("one", _HELP),
    "p_contact": ("yes_no", ()),
    "r_decide": ("one", ("continue", "change", "pause", "new_partner", "end", "unsure")),
    "r_until": ("date", ()),
    "r_cadence": ("one", ("too_often", "right", "too_seldom")),
    "c_contact": ("one", ("regularly", "now_and_then", "close")),
    "c_note": ("text", ()),
    "c_give": ("one", _GIVE),
    "c_again": ("one", _GIVE),
    "c_follow": ("yes_no", ()),
    "c_nps": ("number", ()),
    "a_cadence": ("one", ("weekly", "every_2_weeks", "every_3_weeks", "monthly", "every_6_weeks")),
    "a_day": ("one", ("mon", "tue", "wed", "thu", "fri", "sat", "sun")),
    "a_time": ("text", ()),
    "sign_e": ("sign", ()),
    "sign_m": ("sign", ()),
    "state": ("one", ("fine", "stuck", "stopped")),
}
"""Type and option values in which the rules read a question. Further options may be added."""

OF_MENTORS = {"m_help", "m_open", "m_follow", "m_load", "m_goal", "c_again", "sign_m"}
"""Asked of mentors only, of whom a program of peers has none."""


def check_form(form: Form, source: Source) -> Iterator[Fault]:
    """Everything that is wrong with a form by itself."""
    if not 0 < form.minutes <= 240:
        yield fault(source.place("minutes"), "`minutes` must lie between 0 and 240", "Write about how long it takes.")
    for index, question in enumerate(form.questions):
        yield from _check_question(question, source, ("questions", index))
    yield from _check_doubles(form, source)
    yield from check_conditions(form, source)


def check_read_by_rules(form: Form, source: Source, ask: str, format_: str) -> Iterator[Fault]:
    """Whether the form keeps what the rules read when it is used for this ask in a program of this format."""
    roles: tuple[str, ...] = ("peer",) if format_ == "peer" else ("mentor", "mentee")
    kept = {question.id for role in roles for question in form.questions_for(role, format_)}
    kept |= {question.id for role in roles for question in form.questions_for(role, format_, early=True)}
    for needed in READ_BY_RULES.get(ask, ()):
        if needed not in kept and not (format_ == "peer" and needed in OF_MENTORS):
            type_, values = READ_AS[needed]
            near = nearest(needed, [question.id for question in form.questions if question.id not in READ_AS])
            hint = f"Is it the one called `{near[0]}`? " if near else ""
            kind = f"`{type_}`" + (f" with the values {', '.join(values)}" if values else "")
            yield fault(
                source.key_place("questions"),
                f"the rules read the question `{needed}` of `{ask}` forms, and this form lacks it "
                f"in the format {format_}",
                f"{hint}Put it back, of the type {kind}.",
            )
    for index, question in enumerate(form.questions):
        if question.id in READ_AS:
            yield from _check_read_as(question, source, ("questions", index))


def _check_read_as(question: Question, source: Source, at: Trail) -> Iterator[Fault]:
    type_, values = READ_AS[question.id]
    if question.type != type_:
        yield fault(
            source.place(*at, "type"),
            f"the rules read `{question.id}` as `{type_}`, and here it is `{question.type}`",
            f"Write `type: {type_}`, or give your question another id.",
        )
        return
    kept = {option.value for option in question.options}
    missing = [value for value in values if value not in kept]
    if missing:
        yield fault(
            source.key_place(*at, "options"),
            f"the rules read the values {either(missing)} of `{question.id}`, and no option has them",
            "Put them back; labels are yours to change.",
        )
    if question.id == "c_nps" and (question.least, question.most) != (0, 10):
        yield fault(source.place(*at), "`c_nps` must go from 0 to 10", "Write `least: 0` and `most: 10`.")


def _check_question(question: Question, source: Source, at: Trail) -> Iterator[Fault]:
    place = source.place(*at)
    name = f"the question `{question.id}`"
    chosen = question.type in ("one", "many")
    if chosen and not question.options:
        yield fault(place, f"{name} has no options", "Add `options:` with a value and a label each.")
    if question.options and not chosen:
        yield fault(
            source.key_place(*at, "options"),
            f"{name} has options, but its type is `{question.type}`",
            "Write `type: one` or `type: many`, or remove the options.",
        )
    if question.joint and question.visible != "pair":
        yield fault(
            source.place(*at, "joint"),
            f"{name} stands on the joint sheet, and the partner may not see it",
            "Write `visible: pair` beside it, or remove `joint`.",
        )
    values: set[str] = set()
    for index, option in enumerate(question.options):
        if option.value in values:
            yield fault(
                source.place(*at, "options", index), f"{name} has the value `{option.value}` twice", "Keep one."
            )
        values.add(option.value)
    if question.least is not None and question.most is not None and question.least > question.most:
        yield fault(source.place(*at, "least"), f"{name} has a `least` above its `most`", "Swap the two.")
    if question.tick and question.type != "yes_no":
        yield fault(
            source.key_place(*at, "tick"),
            f"{name} has a `tick`, but its type is `{question.type}`",
            "Write `type: yes_no`, or remove the tick.",
        )
    if question.fold and question.required:
        yield fault(
            source.key_place(*at, "fold"),
            f"{name} is required, and what is required can't be folded away",
            "Remove `fold`, or `required`.",
        )
    yield from _check_fields(question, source, at)
    for key, text in (
        ("label", question.label), ("help", question.help), ("section", question.section), ("fold", question.fold),
        ("tick", question.tick),
    ):  # fmt: skip
        yield from _check_text(text, source, (*at, key))
    if question.contented is not None and not fits(question, question.contented):
        yield fault(
            source.place(*at, "contented"),
            f"the `contented` answer of {name} is no answer to it",
            f"Write a value of the type `{question.type}`{', one of its options' if chosen else ''}.",
        )


def _check_fields(question: Question, source: Source, at: Trail) -> Iterator[Fault]:
    if question.type != "group":
        if question.fields:
            yield fault(
                source.key_place(*at, "fields"),
                f"the question `{question.id}` has fields, but its type is `{question.type}`",
                "Write `type: group`, or remove the fields.",
            )
        return
    if not question.fields:
        yield fault(
            source.place(*at),
            f"the group `{question.id}` has no fields",
            "Add `fields:` with an id, a type and a label each.",
        )
    seen: set[str] = set()
    for index, entry in enumerate(question.fields):
        inner: Trail = (*at, "fields", index)
        if entry.type in ("group", "sign", "date_ranges"):
            yield fault(
                source.place(*inner, "type"),
                f"a field of a group can't be of the type `{entry.type}`",
                "Make it a question of its own.",
            )
        if entry.id in seen:
            yield fault(source.place(*inner, "id"), f"the field `{entry.id}` stands here twice", "Rename one.")
        seen.add(entry.id)
        if entry.id == GOAL_ID and question.id in (AGREED, *FOLLOWED):
            yield fault(source.place(*inner, "id"), f"`{GOAL_ID}` is a word of the engine here", "Rename the field.")
        for key in ("when", "section"):
            if getattr(entry, key):
                yield fault(
                    source.key_place(*inner, key),
                    f"a field of a group can't have `{key}`",
                    "Write it at the group, or make the field a question of its own.",
                )
        yield from _check_question(entry, source, inner)


def _check_text(text: str, source: Source, at: Trail) -> Iterator[Fault]:
    try:
        names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError:
        yield fault(source.place(*at), "a brace stands alone in this text", "Double it: {{ or }}.")
        return
    for name in names:
        if name not in PLACEHOLDERS:
            known = "Known are " + ", ".join(f"{{{word}}}" for word in PLACEHOLDERS) + "."
            yield fault(
                source.place(*at),
                f"`{{{name[:40]}}}` is nothing that can be filled in",
                suggestion(name, PLACEHOLDERS, known),
            )


def _check_doubles(form: Form, source: Source) -> Iterator[Fault]:
    """The same id may stand twice only where nobody sees both, as another wording of the same question."""
    seen: dict[str, tuple[int, Question]] = {}
    claimed: dict[tuple[str, str, str, str], int] = {}
    for index, question in enumerate(form.questions):
        place = source.place("questions", index, "id")
        before = seen.setdefault(question.id, (index, question))
        if before[1].type != question.type:
            line = source.place("questions", before[0], "id").line
            yield fault(
                place,
                f"`{question.id}` is of the type `{question.type}` here and `{before[1].type}` in line {line}",
                "Another wording must keep the type; otherwise give it another id.",
            )
        clash: int | None = None
        for audience in audiences(question):
            other = claimed.setdefault((question.id, *audience), index)
            clash = other if other != index else clash
        if clash is not None:
            line = source.place("questions", clash, "id").line
            yield fault(
                place,
                f"the question `{question.id}` stands here twice, first in line {line}",
                "Rename one, or part them by `roles`, `formats` or `wording`.",
            )


def fits(question: Question, value: Any) -> bool:
    """Whether a stored value is an answer to this question, by its type, options and limits."""
    options = {option.value for option in question.options}
    match question.type:
        case "scale":
            return value is None or (type(value) is int and 1 <= value <= 5)
        case "yes_no":
            return isinstance(value, bool)
        case "one":
            return isinstance(value, str) and value in options
        case "many":
            return isinstance(value, list) and all(
                isinstance(item, str) and item in options for item in cast("list[object]", value)
            )
        case "number":
            least = question.least if question.least is not None else float("-inf")
            most = question.most if question.most is not None else float("inf")
            return type(value) is int and least <= value <= most
        case "date":
            return _is_date(value)
        case "date_ranges":
            return isinstance(value, list) and all(map(_is_range, cast("list[object]", value)))
        case "text" | "sign":
            return isinstance(value, str) and len(value) <= question.longest
        case "group":
            return _fits_group(question, value)


def _fits_group(question: Question, value: object) -> bool:
    if not isinstance(value, list):
        return False
    entries = cast("list[object]", value)
    if question.most is not None and len(entries) > question.most:
        return False
    fields = {entry.id: entry for entry in question.fields}
    for entry in entries:
        if not isinstance(entry, dict):
            return False
        given = cast("dict[str, object]", entry)
        if not all(key in fields and fits(fields[key], answer) for key, answer in given.items()):
            return False
        if any(one.required and one.id not in given for one in question.fields):
            return False
    return True


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _is_range(value: object) -> bool:
    if not isinstance(value, list):
        return False
    ends = cast("list[object]", value)
    return len(ends) == 2 and all(map(_is_date, ends)) and str(ends[0]) <= str(ends[1])
