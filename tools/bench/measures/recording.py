"""What it takes to write a turn down: the transactions of real turns, taken from a rehearsed season, on SQLite and on
PostgreSQL, beside the least that the driver alone can do: lock the mentorship, write it, an event, a step, an item.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from activities.record_turn import Recorder
from lifecycle.commands import Batch
from lifecycle.saved_state import save
from program.loader import Loaded
from rehearsal.records import Running
from rehearsal.script_actions import change_happens
from rehearsal.season import RehearsedSeason
from store.cohorts import cohorts
from store.database import Database, migrate
from store.programs import freeze_program
from testing.servers.postgresql import PostgreSQL
from tools.bench.cpu import Meter
from tools.bench.pairs import contented, pairs
from tools.bench.table import Line

START = date(2027, 1, 18)
LAUNCHED = datetime(2026, 12, 21, 9, 0, tzinfo=UTC)
LEAST = (
    "SELECT turn FROM mentorships WHERE cohort = %s AND key = %s{lock}",
    "UPDATE mentorships SET turn = %s WHERE cohort = %s AND key = %s",
    "INSERT INTO events (cohort, mentorship, at, name, person, detail, by, why, turn) "
    "VALUES (%s, %s, '2027-01-01', 'opened', '', '', '', '', 1)",
    "UPDATE steps SET state = 'open' WHERE cohort = %s AND mentorship = %s AND name = 'invitation'",
    "INSERT INTO items (key, person, kind, name, number, cohort, mentorship, date, request, task, about, after_end,"
    " queued_at, shard, state, reason, failures) SELECT %s, person, 'notice', 'bench', 1, cohort, mentorship,"
    " '2027-01-01', '', '', '', false, '2027-01-01', 0, 'held', '', 0 FROM memberships"
    " WHERE cohort = %s AND mentorship = %s LIMIT 1",
)


class _Kept(RehearsedSeason):
    """A rehearsal that keeps the turns that it would write down."""

    turns: list[Batch]

    def carry_out(self, running: Running, turn: Batch) -> None:
        """Keep it, with the state that its workflow would save."""
        turn.state = save(running.state)
        self.turns.append(turn)
        super().carry_out(running, turn)


async def measure(*, quick: bool) -> list[Line]:
    """The same turns on both databases."""
    many = 15 if quick else 60
    loaded = pairs("bench", many, START)
    season = _Kept(
        loaded.cohort, loaded.programs, loaded.forms, contented(loaded), launched_at=LAUNCHED, script=change_happens
    )
    season.turns = []
    season.play()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "turns.db"
        lines = [
            await _line("a turn in SQLite", f"sqlite+aiosqlite:///{path}", loaded, season.turns, _sqlite(path), {})
        ]
    server = PostgreSQL.start()
    try:
        lines.append(
            await _line(
                "a turn in PostgreSQL", server.url("postgres"), loaded, season.turns,
                _postgresql(server.conninfo("postgres")), {"PostgreSQL": server.guard.pid},
            )
        )  # fmt: skip
    finally:
        server.stop()
    return lines


Least = Callable[[str, str], Awaitable[object]]


async def _line(
    what: str, url: str, loaded: Loaded, turns: Sequence[Batch], driver: AsyncIterator[Least], pids: dict[str, int]
) -> Line:
    await asyncio.to_thread(migrate, url)
    async with Database.open(url) as database:
        await _put_down(database, loaded)
        recorder = Recorder(database, _nobody)
        warm = len(turns) // 5  # every kind of turn has been written once
        for turn in turns[:warm]:
            await recorder.carry_out(turn)
        meter, began = Meter(pids, here="worker"), time.perf_counter()
        for turn in turns[warm:]:
            await recorder.carry_out(turn)
        took, each = time.perf_counter() - began, meter.each(len(turns) - warm)
    least: dict[str, float] = {}
    async for write in driver:
        meter = Meter(pids, here="worker")
        for nth, turn in enumerate(turns[warm:]):
            await write(turn.mentorship, f"bench/{nth}")
        least = meter.each(len(turns) - warm)
    words = "one transaction of five statements on the driver alone"
    measured = (
        each["worker"],
        "ms CPU",
        least["worker"],
        f"{words}; {(len(turns) - warm) / took:.0f} turns a second",
    )
    return Line(what, *measured, None, "less", cpu=each, floor_cpu=least)


async def _put_down(database: Database, loaded: Loaded) -> None:
    async with database.begin() as session:
        frozen = {
            id_: await freeze_program(session, used.program, used.forms, LAUNCHED)
            for id_, used in loaded.used.items()
        }
    await cohorts.put(database, loaded.cohort, frozen, LAUNCHED.date(), LAUNCHED)


async def _nobody(shard: int) -> None:
    return None


def _arguments(mentorship: str, key: str) -> list[tuple[object, ...]]:
    place = ("bench", mentorship)
    return [place, (7, *place), place, place, (key, *place)]


async def _sqlite(path: Path) -> AsyncIterator[Least]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = NORMAL")
    statements = [statement.format(lock="").replace("%s", "?") for statement in LEAST]

    async def write(mentorship: str, key: str) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for statement, arguments in zip(statements, _arguments(mentorship, key), strict=True):
            connection.execute(statement, arguments).fetchall()
        connection.execute("COMMIT")

    yield write
    connection.close()


async def _postgresql(conninfo: str) -> AsyncIterator[Least]:
    async with await psycopg.AsyncConnection.connect(conninfo) as connection:
        statements = [statement.format(lock=" FOR UPDATE").encode() for statement in LEAST]

        async def write(mentorship: str, key: str) -> None:
            async with connection.cursor() as cursor:
                for statement, arguments in zip(statements, _arguments(mentorship, key), strict=True):
                    await cursor.execute(statement, arguments)
            await connection.commit()

        yield write
