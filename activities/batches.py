"""Writes many rows in one transaction; where a row can't be written, one after the other.

A row that makes no sense keeps nobody else's from being written. A database that is away is told apart from it and
is raised as it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from store.database import Database

Row = TypeVar("Row")
Result = TypeVar("Result")


@dataclass(slots=True)
class Written(Generic[Row, Result]):
    """What came of writing a batch: a result for each transaction, and the rows that could not be written."""

    results: list[Result] = field(default_factory=list[Result])
    failed: list[tuple[Row, Exception]] = field(default_factory=list[tuple[Row, Exception]])


def is_away(error: Exception) -> bool:
    """Whether an error says that the database can't be reached or is busy, rather than that a row is wrong."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, (OperationalError, InterfaceError, PoolTimeout, OSError))


async def write_batch(
    database: Database, rows: Sequence[Row], write: Callable[[AsyncSession, Sequence[Row]], Awaitable[Result]]
) -> Written[Row, Result]:
    """Write all rows in one transaction; if that fails, each in a transaction of its own.

    Raises the error of a database that is away; errors of single rows are in the result.
    """
    written: Written[Row, Result] = Written()
    if not rows:
        return written
    try:
        async with database.begin() as session:
            written.results.append(await write(session, rows))
        return written
    except Exception as error:
        if is_away(error):
            raise
        if len(rows) == 1:
            written.failed.append((rows[0], error))
            return written
    for row in rows:
        part = await write_batch(database, [row], write)
        written.results += part.results
        written.failed += part.failed
    return written
