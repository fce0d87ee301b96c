"""Connects to the database and to Temporal, or raises an error with the remedy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from runtime.errors import Unreachable
from runtime.settings import Settings
from store.database import Database, is_migrated, migrate

if TYPE_CHECKING:
    from temporalio.client import Client

TEMPORAL_WITHIN = 10.0
"""Real seconds that Temporal has to answer the first call."""


def shown(url: str) -> str:
    """A database URL without its password."""
    return make_url(url).render_as_string(hide_password=True)


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The open database of this installation. Raises Unreachable if it is missing, out of date, or does not
    answer."""
    await asyncio.to_thread(check_database, settings.database)
    async with Database.open(settings.database) as opened:
        yield opened


def check_database(url: str) -> None:
    """Make sure that the database answers and has its tables. Blocks. Raises Unreachable."""
    try:
        ready = is_migrated(url)
    except (OperationalError, OSError) as error:
        raise Unreachable(_no_database(url, error)) from error
    if not ready:
        raise Unreachable(
            f"The database has no tables yet, or those of another version: {shown(url)}\n"
            "Run `mentorship migrate`; if this is not the database you mean, set MENTORSHIP_DATABASE_URL or "
            "MENTORSHIP_DATA."
        )


def _no_database(url: str, error: Exception) -> str:
    return (
        f"The database does not answer: {shown(url)} ({type(error).__name__}).\n"
        "Start it, or set MENTORSHIP_DATABASE_URL to the right one."
    )


async def temporal() -> Client:
    """A client of the Temporal server of this installation. Raises Unreachable."""
    # Loaded here: Temporal's SDK takes a quarter of a second, which a command that only reads does not need.
    from runtime.temporal import connect

    try:
        async with asyncio.timeout(TEMPORAL_WITHIN):
            return await connect()
    except (RuntimeError, TimeoutError, OSError) as error:
        raise Unreachable(no_temporal()) from error


def no_temporal() -> str:
    """The error for a Temporal server that does not answer."""
    return (
        f"Temporal does not answer at {address()}.\n"
        "Start it (`mentorship up` starts one for this machine), or set TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE "
        "to the right one."
    )


def address() -> str:
    """The configured address of Temporal, `host:port`. Raises StackDown."""
    from runtime.temporal_connection import temporal_connection

    return temporal_connection().address


def bring_up_to_date(url: str) -> bool:
    """Bring the tables to this version; whether anything was to be done. Blocks. Raises Unreachable."""
    try:
        if is_migrated(url):
            return False
        migrate(url)
    except (OperationalError, OSError) as error:
        raise Unreachable(_no_database(url, error)) from error
    return True
