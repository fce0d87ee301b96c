"""Reaching what an installation needs, or saying in plain words what does not answer and what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from temporalio.client import Client

from runtime.links import Links
from runtime.settings import Settings
from runtime.temporal import connect
from runtime.temporal_connection import StackDown, temporal_connection
from store.database import Database, is_migrated, migrate

TEMPORAL_WITHIN = 10.0
"""Real seconds that Temporal has to answer the first call."""


class Unreachable(Exception):
    """Something that is needed does not answer, or is not ready; the message says what to do about it."""


def shown(url: str) -> str:
    """A database URL without its password."""
    return make_url(url).render_as_string(hide_password=True)


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The open database of this installation. Raises Unreachable where it is missing, behind, or does not answer."""
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
    try:
        async with asyncio.timeout(TEMPORAL_WITHIN):
            return await connect()
    except StackDown as down:
        raise Unreachable(str(down)) from None
    except (RuntimeError, TimeoutError, OSError) as error:
        raise Unreachable(no_temporal()) from error


def no_temporal() -> str:
    """What to say when Temporal does not answer."""
    return (
        f"Temporal does not answer at {address()}.\n"
        "Start it (`mentorship up` starts one for this machine), or set TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE "
        "to the right one."
    )


def address() -> str:
    """Where Temporal should be: `host:port`. Raises StackDown."""
    return temporal_connection().address


def check_secret(settings: Settings) -> None:
    """Make sure that links can be signed. Raises Unreachable with how to make a secret."""
    try:
        Links.of(settings)
    except ValueError as missing:
        raise Unreachable(str(missing)) from None


def bring_up_to_date(url: str) -> bool:
    """Bring the tables to this version; whether anything was to be done. Blocks. Raises Unreachable."""
    try:
        if is_migrated(url):
            return False
        migrate(url)
    except (OperationalError, OSError) as error:
        raise Unreachable(_no_database(url, error)) from error
    return True
