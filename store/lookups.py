"""Several lookups in one statement: a page asks the database once, however many lists it shows.

Each keeps its own query and says what its rows become, so it can be made alone or beside others. It must not be used
to read many rows: the rows of each come back as one value.
"""

from __future__ import annotations

import json
from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar, overload

from sqlalchemy import JSON, Boolean, ColumnElement, Date, Select, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import TypeEngine

from store.columns import Instant

T = TypeVar("T", covariant=True)
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")
T5 = TypeVar("T5")


@dataclass(frozen=True, slots=True)
class Lookup(Generic[T]):
    """A query, and what is made of its rows. A row has its columns as attributes, by their names."""

    query: Select[*tuple[Any, ...]]
    made: Callable[[Sequence[Any]], T]


async def look_up(session: AsyncSession, lookup: Lookup[T]) -> T:
    """What one lookup finds."""
    return lookup.made((await session.execute(lookup.query)).all())


@overload
async def look_up_all(session: AsyncSession, first: Lookup[T1], second: Lookup[T2], /) -> tuple[T1, T2]: ...
@overload
async def look_up_all(
    session: AsyncSession, first: Lookup[T1], second: Lookup[T2], _third: Lookup[T3], /
) -> tuple[T1, T2, T3]: ...
@overload
async def look_up_all(
    session: AsyncSession, first: Lookup[T1], second: Lookup[T2], _third: Lookup[T3], _fourth: Lookup[T4], /
) -> tuple[T1, T2, T3, T4]: ...
@overload
async def look_up_all(
    session: AsyncSession,
    first: Lookup[T1],
    second: Lookup[T2],
    _third: Lookup[T3],
    _fourth: Lookup[T4],
    _fifth: Lookup[T5],
    /,
) -> tuple[T1, T2, T3, T4, T5]: ...
@overload
async def look_up_all(session: AsyncSession, /, *lookups: Lookup[Any]) -> tuple[Any, ...]: ...
async def look_up_all(session: AsyncSession, /, *lookups: Lookup[Any]) -> tuple[Any, ...]:
    """What all of these find, in their order, by one statement."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    tables = [lookup.query.subquery() for lookup in lookups]
    columns = [list(table.c) for table in tables]
    lists = [select(_rows_as_json(each, sqlite=sqlite)).scalar_subquery() for each in columns]
    values = (await session.execute(select(*lists))).one()
    return tuple(
        lookup.made(_rows(value, each)) for lookup, value, each in zip(lookups, values, columns, strict=True)
    )


def _rows_as_json(columns: Sequence[ColumnElement[Any]], *, sqlite: bool) -> ColumnElement[Any]:
    """All rows of a subquery as one JSON array, in its order."""
    if not sqlite:
        return func.coalesce(func.json_agg(func.json_build_array(*columns)), literal_column("'[]'::json"))
    nested = [func.json(column) if isinstance(column.type, JSON) else column for column in columns]
    return func.json_group_array(func.json_array(*nested))


def _rows(value: str | list[list[Any]], columns: Sequence[ColumnElement[Any]]) -> list[Any]:
    found: list[list[Any]] = json.loads(value) if isinstance(value, str) else value
    row = _row_type(tuple(str(column.key) for column in columns))
    readers = [(place, read) for place, column in enumerate(columns) if (read := _reader(column.type))]
    for cells in found:
        for place, read in readers:
            if cells[place] is not None:
                cells[place] = read(cells[place])
    return [row(*cells) for cells in found]


@lru_cache(maxsize=256)
def _row_type(names: tuple[str, ...]) -> Callable[..., Any]:
    return namedtuple("Row", names, rename=True)


def _reader(of: TypeEngine[Any]) -> Callable[[Any], Any] | None:
    """What makes a value of this type of what JSON has for it; None where that is the value."""
    if isinstance(of, Instant):
        return _instant
    if isinstance(of, Date):
        return date.fromisoformat
    return bool if isinstance(of, Boolean) else None


def _instant(value: str) -> datetime:
    at = datetime.fromisoformat(value)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
