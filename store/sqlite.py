"""Runs SQLite statements without a thread switch for each.

aiosqlite hands each call to a thread of its own and waits for what comes back: for the cursor, the statement, the
rows, the end of the cursor; that takes longer than the statement itself. It is needed only where a call may have to
wait for another process, and inside a transaction none does: a writer has the lock, and a reader needs none.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, ParamSpec, TypeVar

import aiosqlite

BUSY_SECONDS = 15
"""How long a writer waits for another process that writes to the same file."""

BREATH_SECONDS = 0.005
"""How long one transaction may go on before whatever else the event loop has to do has its turn."""

EASY = ("cursor", "rollback")
"""What touches no file even outside of a transaction."""
TO_READ, TO_WRITE = "BEGIN", "BEGIN IMMEDIATE"
"""Begin a transaction that takes no lock, and one that waits for it."""

P = ParamSpec("P")
T = TypeVar("T")


class _Busy(Exception):
    """Another process has the write lock."""


class Connection(aiosqlite.Connection):
    """What is outside of a transaction, or begins one for which it has to wait, waits in the thread; the rest is done
    at once."""

    given = done = 0
    """Calls that the thread was given, and those that it has ended. They differ while it is at work, also for
    somebody who has been cancelled and no longer waits."""
    breathed = 0.0

    async def run(self, text: str, values: Sequence[object] = ()) -> tuple[list[Any], int]:
        """Run a statement; its rows, and how many rows it changed."""
        return await self._execute(self._run, text, values)

    async def run_many(self, text: str, rows: Sequence[Sequence[object]]) -> int:
        """Run a statement once for each of these; how many rows it changed."""
        return await self._execute(self._run_many, text, rows)

    def _run(self, text: str, values: Sequence[Any]) -> tuple[list[Any], int]:
        cursor = self._conn.execute(text, values)
        return cursor.fetchall(), cursor.rowcount

    def _run_many(self, text: str, rows: Sequence[Sequence[Any]]) -> int:
        return self._conn.executemany(text, rows).rowcount

    async def _execute(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        idle = self._connection is not None and self.given == self.done
        if idle and args[:1] == (TO_WRITE,):
            with suppress(_Busy):
                return self._at_once(fn, *args, **kwargs)
        if not idle or self._may_wait(fn, args):
            self.given += 1
            return await super()._execute(self._there, partial(fn, *args, **kwargs))
        if monotonic() - self.breathed > BREATH_SECONDS:
            await asyncio.sleep(0)
            self.breathed = monotonic()
        return fn(*args, **kwargs)

    def _at_once(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Take the write lock without waiting for it. Raises _Busy where another process has it."""
        self._conn.execute("PRAGMA busy_timeout = 0")
        try:
            return fn(*args, **kwargs)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise _Busy from error
            raise
        finally:
            self._conn.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")

    def _may_wait(self, fn: Callable[..., object], args: tuple[object, ...]) -> bool:
        return not (self._conn.in_transaction or fn.__name__ in EASY or args[:1] == (TO_READ,))

    def _there(self, call: Callable[[], T]) -> T:
        try:
            return call()
        finally:
            self.done += 1


def make_folder(path: str | None) -> None:
    """Make the folder of a database where there is none, for this account only."""
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)


def make_file(path: str | None) -> None:
    """Make the file of a database where there is none, readable for this account only. SQLite would make it readable
    for all; its log and its shared memory get the mode that the database has."""
    if not path or path == ":memory:" or path.startswith("file:"):
        return
    with suppress(OSError):  # it is there already, or SQLite says what keeps it from being made
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def connect(path: str, **options: Any) -> Connection:
    """For SQLAlchemy's `async_creator_fn`; the options are those of `sqlite3.connect`."""
    make_file(path)
    options.setdefault("check_same_thread", False)  # one call at a time, in the thread or in the event loop
    connection = Connection(partial(sqlite3.connect, path, **options), iter_chunk_size=64)
    connection._thread.daemon = True  # as SQLAlchemy does: a process that ends does not wait for it
    return connection


def copy_file(source: Path, target: Path) -> None:
    """Copy a database file as of one moment, also while others write to it. Blocks; raises sqlite3.Error."""
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as opened,
        closing(sqlite3.connect(target)) as copy,
    ):
        opened.backup(copy)
