"""The keys of the files that coordinators write, as tables made from the models: name, what may stand there, default,
meaning. A key's meaning is the docstring below its field; one without is an error.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from datetime import date, time
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from program.durations import Days, StepDate
from program.models import CalendarDate, Id, WallTime
from rehearsal.behaviour import Share

Row = tuple[str, str, str, str]
"""Key, what may stand there, default, meaning."""

WORDS: dict[Any, str] = {
    str: "text",
    bool: "`true` or `false`",
    int: "number",
    float: "number",
    date: "date",
    time: "time",
    Any: "an answer",
    NoneType: "`null`",
}
ALIASES = ((Days, "duration"), (Id, "id"), (WallTime, "time"), (CalendarDate, "date"), (Share, "share, such as 60%"))
NEEDED = "needed"


def keys_of(model: type[BaseModel]) -> Iterator[Row]:
    """A row for each key of a model, those of the models below it included. Entries of one kind are told of once."""
    yield from _keys(model, None, "", set())


def _keys(model: type[BaseModel], default: BaseModel | None, above: str, told: set[type[BaseModel]]) -> Iterator[Row]:
    """`default` is what stands there if the key is left out."""
    meanings = _meanings(model)
    for name, field in model.model_fields.items():
        value = getattr(default, name) if default is not None else _default_of(field)
        key = f"{above}{field.alias or name}"
        below, several = _model_below(_annotation(field))
        if below is not None and not several and below is not StepDate:
            yield key, "keys" if not _may_be_null(field) else "keys, or `null`", "", meanings[name]
            yield from _keys(below, value if isinstance(value, below) else None, f"{key}.", told)
        else:
            yield key, _kind(field), _written(value, _annotation(field)), meanings[name]
        if below is not None and several and below not in {model, *told}:
            told.add(below)
            yield from _keys(below, None, f"{key}[].", told)


@lru_cache(maxsize=64)
def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """Field to the docstring below it, inherited ones included."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if not (issubclass(base, BaseModel) and base is not BaseModel):
            continue
        [body] = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(body, ast.ClassDef)
        for field, after in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(after, ast.Expr)
            ):
                said = ast.literal_eval(after.value)
                found[field.target.id] = " ".join(str(said).split())
    missing = set(model.model_fields) - set(found)
    if missing:
        raise LookupError(f"{model.__name__} has fields without a docstring: {', '.join(sorted(missing))}")
    return found


def _annotation(field: FieldInfo) -> Any:
    """The annotation with the constraints that pydantic takes off it, so that aliases are recognised."""
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _default_of(field: FieldInfo) -> Any:
    return NEEDED if field.is_required() else field.get_default(call_default_factory=True)


def _may_be_null(field: FieldInfo) -> bool:
    return NoneType in get_args(field.annotation)


def _model_below(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model that a value holds, and whether it holds several of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    several = get_origin(annotation) in (tuple, list, dict)
    for part in get_args(annotation):
        found, more = _model_below(part)
        if found is not None and found is not StepDate:
            return found, several or more
    return None, False


def _kind(field: FieldInfo) -> str:
    """What may stand there, in words."""
    if any(getattr(one, "pattern", None) for one in field.metadata):
        return "id"
    return _words(_annotation(field)) + _limits(field)


def _words(annotation: Any) -> str:
    alias = next((words for known, words in ALIASES if annotation == known), "")
    if alias:
        return alias
    if annotation is StepDate:
        return "step date"
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if origin is Annotated:
        return _words(parts[0])
    if origin in (Union, UnionType):
        return ", or ".join(_words(part) for part in parts)
    if origin is dict:
        return f"keys with {_words(parts[1])}"
    if origin is tuple:
        return (
            f"list of: {_words(parts[0])}" if parts[-1] is Ellipsis else f"list of {len(parts)}: {_words(parts[0])}"
        )
    below, _ = _model_below(annotation)
    return "entries" if below else WORDS[annotation]


def _limits(field: FieldInfo) -> str:
    said = {type(one).__name__: one for one in field.metadata}
    least, most = getattr(said.get("Ge"), "ge", None), getattr(said.get("Le"), "le", None)
    if least is None and most is None:
        return ""
    return f", {least} to {most}" if most is not None and least is not None else f", {least} or more"


def _written(value: Any, annotation: Any) -> str:
    """A default as it would be written in the file."""
    if value is NEEDED:
        return NEEDED
    if value is None:
        return "`null`" if NoneType in get_args(annotation) else ""
    if value in ("", (), {}):
        return ""
    return f"`{_plain(value, 'duration' in _words(annotation))}`"


def _plain(value: Any, in_days: bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_plain(one, in_days) for one in value)}]"
    if isinstance(value, StepDate):
        sign = "-" if value.offset < 0 else "+"
        return f"{value.anchor} {sign} {_plain(abs(value.offset), True)}" if value.offset else value.anchor
    if isinstance(value, time):
        return f'"{value:%H:%M}"'
    if in_days:
        return f"{value // 7}w" if value and value % 7 == 0 and value > 21 else f"{value}d"
    return str(value)
