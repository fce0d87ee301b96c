"""An act in one transaction: tried again where it lost a race, or rolled back to see what it would do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from store.database import Database

ATTEMPTS = 5
"""How often it is tried."""

Made = TypeVar("Made")


async def in_one(database: Database, act: Callable[[AsyncSession], Awaitable[Made]], *also: type[Exception]) -> Made:
    """What the act returns, once its transaction is committed. `also` are its own words for a race that was lost.

    Raises what it raised last, where it never gets through.
    """
    attempt = 1
    while True:
        try:
            async with database.begin() as session:
                return await act(session)
        except (IntegrityError, OperationalError, *also):
            # Somebody else did the same first, or the database chose us to step back.
            if attempt == ATTEMPTS:
                raise
            attempt += 1


async def committed(
    database: Database, act: Callable[[AsyncSession], Awaitable[Made]], *, dry_run: bool = False
) -> Made:
    """What the act returns, once its transaction is committed; with `dry_run` the transaction is rolled back instead,
    and what it returns is what would have been done."""
    made: list[Made] = []
    try:
        async with database.begin() as session:
            made.append(await act(session))
            if dry_run:
                raise _RolledBack
    except _RolledBack:
        pass
    return made[0]


class _RolledBack(Exception):
    """Ends a transaction without a trace."""
