"""What pydantic finds wrong with a file, said in the coordinator's words and with the place in the file.

Never quotes the value of a field that holds a name or an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from program.faults import Fault, fault, nearest, quoted
from program.reading import Source, Trail

ModelT = TypeVar("ModelT", bound=BaseModel)

_PRIVATE = {"name", "email", "profile"}
_EXAMPLES: Mapping[str, str] = {
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


def validated(
    model: type[ModelT], source: Source, faults: list[Fault], also_known: tuple[str, ...] = ()
) -> ModelT | None:
    """The document as a model, or None with its faults added. `also_known`: keys of the top that the model lacks."""
    try:
        return model.model_validate(source.data)
    except ValidationError as error:
        faults.extend(_complaints(error, model, source, also_known))
        return None


def _complaints(
    error: ValidationError, model: type[BaseModel], source: Source, also_known: tuple[str, ...]
) -> list[Fault]:
    details = error.errors(include_url=False)
    found: list[Fault] = []
    meant: set[Trail] = set()
    for detail in details:
        if detail["type"] == "extra_forbidden":
            trail = detail["loc"]
            unknown = str(trail[-1])
            inner = _model_at(model, trail[:-1])
            known = [*(inner.model_fields if inner else ()), *(also_known if len(trail) == 1 else ())]
            near = nearest(unknown, known)
            if near:
                meant.add((*trail[:-1], near[0]))
            remedy = f"Did you mean `{near[0]}`?" if near else f"Known here are {', '.join(known)}."
            found.append(fault(source.key_place(*trail), f"unknown key {quoted(unknown)}", remedy))
    for detail in details:
        # A key that is missing because it is misspelt is one fault, not two.
        if detail["type"] == "extra_forbidden" or (detail["type"] == "missing" and detail["loc"] in meant):
            continue
        found.append(_complaint(detail, source))
    return found


def _complaint(detail: ErrorDetails, source: Source) -> Fault:
    trail = tuple(step for step in detail["loc"] if step != "[key]")
    name = next((str(step) for step in reversed(trail) if isinstance(step, str)), "file")
    if detail["type"] == "missing":
        example = f": {_EXAMPLES[name]}" if name in _EXAMPLES else ": …"
        return fault(source.place(*trail[:-1]), f"`{name}` is missing", f"Add `{name}{example}`.")
    problem, remedy = _words(detail, name)
    place = source.key_place(*trail) if detail["input"] is None else source.place(*trail)
    return fault(place, problem, remedy)


def _words(detail: ErrorDetails, name: str) -> tuple[str, str]:
    kind, given = detail["type"], cast(object, detail["input"])
    text = str(given)
    context: Mapping[str, Any] = detail.get("ctx", {})
    private = bool(_PRIVATE & {str(step) for step in detail["loc"]})
    shown = f"`{name}`" if private or isinstance(given, dict | list | tuple) else quoted(given)
    if given is None:
        return f"`{name}` is empty", "Write a value, or remove the key where it may be left out."
    if kind == "value_error":
        problem, _, remedy = str(context.get("error", "")).partition("; ")
        return problem, remedy[:1].upper() + remedy[1:] + "."
    if kind == "literal_error":
        allowed = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
        near = nearest(text, allowed)
        hint = f"Did you mean `{near[0]}`? " if near else ""
        return f"{shown} is no `{name}`", f"{hint}Write one of {', '.join(allowed)}."
    if kind == "string_pattern_mismatch":
        if "@" in text:
            return (
                f"`{name}` is an address",
                "Ids are visible to whoever runs the engine; choose one that says nothing about the person, "
                "such as p01.",
            )
        return f"{shown} is no id", "Use letters, digits, `-`, `_` and `.` only, 64 at most, such as p01."
    if kind == "string_type":
        what = "true or false" if isinstance(given, bool) else "a number" if isinstance(given, int | float) else ""
        if what:
            return f"`{name}` is read as {what}", f'Put it in quotes: `{name}: "…"`.'
        return f"`{name}` should be one text", "Write a single value, not a list or keys."
    if kind.startswith("date"):
        return f"{shown} is no date", "Write year-month-day, such as 2027-03-01."
    if kind.startswith("time"):
        return f"{shown} is no time of day", 'Write it in quotes, such as "09:00".'
    if kind.startswith(("int", "float")):
        return f"{shown} is no number", f"Write a whole number, such as `{name}: 2`."
    if kind.startswith("bool"):
        return f"{shown} is neither true nor false", "Write true or false."
    if kind in ("tuple_type", "list_type"):
        return f"`{name}` should be a list", f"Write `{name}: [ … ]`, or lines that begin with `-`."
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return f"`{name}` should hold keys", f"Write `{name}:` and its keys below it, indented."
    return f"`{name}`: {detail['msg'].lower()}", "Compare with the files in config/."


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
