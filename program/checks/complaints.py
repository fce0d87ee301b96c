"""What pydantic finds wrong with a file, said in the coordinator's words and with the place in the file.

Never quotes the value of a field that holds a name or an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from program.checks.text_checks import check_texts
from program.durations import UNITS_NEEDED
from program.faults import Fault, fault, nearest, printable, quoted
from program.files.reading import Source, Trail
from program.models import Program

ModelT = TypeVar("ModelT", bound=BaseModel)

_PRIVATE = {"name", "email", "profile"}
_EXAMPLES: dict[str, str] = {
    "cohort": "spring-2027",
    "title": "Mentoring, spring 2027",
    "program": "formal",
    "start": "2027-03-01",
    "zone": "Europe/Berlin",
    "coordinators": "[{id: c1, name: …, email: …}]",
    "id": "p01",
    "key": "m01",
    "email": "somebody@example.org",
    "opens": "start + 14d",
    "closes": "7d",
}

_OF_CALL: dict[str, str] = {"opens": "2027-01-11", "closes": "2027-01-31"}


def validated(
    model: type[ModelT], source: Source, faults: list[Fault], also_known: tuple[str, ...] = ()
) -> ModelT | None:
    """The document as a model, or None with its faults added. `also_known`: keys of the top that the model lacks."""
    of_texts = list(check_texts(source))
    faults.extend(found for _, found in of_texts)
    context = {UNITS_NEEDED: True} if issubclass(model, Program) else None
    try:
        document = model.model_validate(source.data, context=context)
    except ValidationError as error:
        faults.extend(_complaints(error, model, source, also_known, {trail for trail, _ in of_texts}))
        return None
    return None if of_texts else document


def _complaints(
    error: ValidationError, model: type[BaseModel], source: Source, also_known: tuple[str, ...], told: set[Trail]
) -> list[Fault]:
    """`told`: where a fault was found already, of which another would only be a consequence."""
    details = error.errors(include_url=False)
    found: list[Fault] = []
    meant: set[Trail] = set()
    for detail in details:
        if detail["type"] == "extra_forbidden" and detail["loc"] not in told:
            trail = detail["loc"]
            unknown = str(trail[-1])
            inner = _model_at(model, trail[:-1])
            known = [*(inner.model_fields if inner else ()), *(also_known if len(trail) == 1 else ())]
            elsewhere = _keys_above(model, unknown)
            near = nearest(unknown, known)
            if elsewhere:
                remedy = f"It belongs below {' or '.join(f'`{where}`' for where in elsewhere)}."
            elif near:
                meant.add((*trail[:-1], near[0]))
                remedy = f"Did you mean `{near[0]}`?"
            else:
                remedy = f"Known here are {', '.join(known)}."
            found.append(fault(source.key_place(*trail), f"unknown key {quoted(unknown)}", remedy))
    for detail in details:
        trail = tuple(step for step in detail["loc"] if step != "[key]")
        # A key that is missing because it is misspelt is one fault, not two.
        missed = detail["type"] == "missing" and detail["loc"] in meant
        # A list whose only entry is faulty is not too short as well.
        short = detail["type"] == "too_short" and any(
            len(other["loc"]) > len(trail) and other["loc"][: len(trail)] == trail for other in details
        )
        if detail["type"] != "extra_forbidden" and not (missed or short) and trail not in told:
            found.append(_complaint(detail, source))
    return found


def _complaint(detail: ErrorDetails, source: Source) -> Fault:
    trail = tuple(step for step in detail["loc"] if step != "[key]")
    name = next((str(step) for step in reversed(trail) if isinstance(step, str)), "file")
    if detail["type"] == "missing" and trail and isinstance(trail[-1], int):
        return fault(source.place(*trail[:-1]), f"`{name}` is too short", f"Write {trail[-1] + 1} values.")
    if detail["type"] == "missing":
        examples = _EXAMPLES if trail[:1] not in (("apply",), ("wishes",)) else _EXAMPLES | _OF_CALL
        example = f": {examples[name]}" if name in examples else ": …"
        return fault(source.place(*trail[:-1]), f"`{name}` is missing", f"Add `{name}{example}`.")
    of_key = detail["loc"][-1] == "[key]"
    problem, remedy = _words(detail, name)
    if of_key and detail["type"] == "literal_error":
        problem = f"{quoted(detail['input'])} is no key of `{trail[-2]}`"
    place = source.key_place(*trail) if of_key or detail["input"] is None else source.place(*trail)
    return fault(place, problem, remedy)


def _words(detail: ErrorDetails, name: str) -> tuple[str, str]:
    """What is wrong and what to write instead, in words of ours for every type of error that pydantic has."""
    kind, given = detail["type"], cast(object, detail["input"])
    text = str(given)
    context: Mapping[str, Any] = detail.get("ctx", {})
    private = bool(_PRIVATE & {str(step) for step in detail["loc"]})
    shown = f"`{name}`" if private or isinstance(given, dict | list | tuple) else quoted(given)
    if given is None:
        return f"`{name}` is empty", "Write a value, or remove the key where it may be left out."
    if kind == "value_error":
        problem, _, remedy = printable(str(context.get("error", ""))).partition("; ")
        return problem, remedy[:1].upper() + remedy[1:] + "."
    if kind == "literal_error":
        allowed = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
        near = nearest(text, allowed)
        hint = f"Did you mean `{near[0]}`? " if near else ""
        return f"{shown} is no `{name}`", f"{hint}Write one of {', '.join(allowed)}."
    if kind == "string_pattern_mismatch":
        return _no_id(name, text, shown)
    if kind in _LIMITS:
        return _out_of_limits(kind, name, shown, detail["input"], context)
    if kind in ("string_type", "string_sub_type", "string_unicode"):
        what = "true or false" if isinstance(given, bool) else "a number" if isinstance(given, int | float) else ""
        if what:
            return f"`{name}` is read as {what}", f'Put it in quotes: `{name}: "…"`.'
        return f"`{name}` should be one text", "Write a single value, not a list or keys."
    if kind.startswith("date"):
        return f"{shown} is no date", "Write year-month-day, such as 2027-03-01."
    if kind.startswith("time"):
        return f"{shown} is no time of day", 'Write it in quotes, such as "09:00".'
    if kind.startswith(("int", "float", "finite_number")):
        return f"{shown} is no number", f"Write a whole number, such as `{name}: 2`."
    if kind.startswith("bool"):
        return f"{shown} is neither true nor false", "Write true or false."
    if kind in ("tuple_type", "list_type"):
        return f"`{name}` should be a list", f"Write `{name}: [ … ]`, or lines that begin with `-`."
    if kind in ("model_type", "dict_type", "model_attributes_type", "mapping_type"):
        return f"`{name}` should hold keys", f"Write `{name}:` and its keys below it, indented."
    return f"{shown} can't be used as `{name}`", "docs/reference.md says what may stand here."


def _no_id(name: str, text: str, shown: str) -> tuple[str, str]:
    if "@" in text:
        return (
            f"`{name}` is an address",
            "Operators see ids; choose one that says nothing about the person, such as p01.",
        )
    return f"{shown} is no id", "Use letters, digits, `-`, `_` and `.` only, 64 at most, such as p01."


_LIMITS: Mapping[str, tuple[str, str]] = {
    "greater_than_equal": ("too small", "Write {ge} or more."),
    "greater_than": ("too small", "Write more than {gt}."),
    "less_than_equal": ("too large", "Write {le} or less."),
    "less_than": ("too large", "Write less than {lt}."),
    "string_too_short": ("too short", "Write at least {min_length} characters."),
    "string_too_long": ("too long", "Write {max_length} characters at most."),
    "too_short": ("too short", "Write at least {min_length}."),
    "too_long": ("too long", "Write {max_length} at most."),
}
"""Type of error: (what the value is, what to write), with the names of pydantic's limits."""


def _out_of_limits(kind: str, name: str, shown: str, given: Any, context: Mapping[str, Any]) -> tuple[str, str]:
    what, remedy = _LIMITS[kind]
    counted = isinstance(given, str | list | tuple | dict)
    if counted and not given:
        example = f", such as {_EXAMPLES[name]}" if name in _EXAMPLES else ""
        return f"`{name}` is empty", f"Write at least one{example}."
    return f"`{name}` is {what}" if counted else f"{shown} is {what} for `{name}`", remedy.format_map(context)


def _keys_above(model: type[BaseModel], key: str) -> list[str]:
    """Where else in the file this key may stand, such as `phases: check_ins`; at most three places."""
    found: list[str] = []
    ahead: list[tuple[tuple[str, ...], type[BaseModel]]] = [((), model)]
    seen: set[type[BaseModel]] = set()
    while ahead and len(found) < 3:
        above, here = ahead.pop(0)
        if above and key in here.model_fields:
            found.append(": ".join(above))
        if here not in seen:
            seen.add(here)
            inner = ((name, _model_in(field.annotation)) for name, field in here.model_fields.items())
            ahead += [((*above, name), one) for name, one in inner if one is not None]
    return found


def _model_at(model: type[BaseModel], trail: Trail) -> type[BaseModel] | None:
    """The model that stands at a trail below a model."""
    here: Any = model
    for step in trail:
        if isinstance(step, int):
            continue
        here = _model_in(here)
        here = here.model_fields[step].annotation if here and step in here.model_fields else None
    return _model_in(here)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside an annotation such as `tuple[Model, ...]` or `Model | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (tuple, list, dict, Union, UnionType, Annotated):
        for part in get_args(annotation):
            found = _model_in(part)
            if found is not None:
                return found
    return None
