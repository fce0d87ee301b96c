"""One database behind two engines: transactions, writers in several processes, migrations."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, insert, inspect, make_url, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from store import sqlite
from store.database import Database, WriteOutsideBegin, is_migrated, migrate, url_of
from store.tables import Base, CohortPersonRow, EventRow, ParticipantRow, PostmasterRow

ADA = {"id": "ada", "name": "Ada", "email": "ada@example.org", "zone": "Europe/Paris"}


async def test_a_transaction_is_written_whole_or_not_at_all(database: Database) -> None:
    async def fail_half_way() -> None:
        async with database.begin() as session:
            await session.execute(insert(ParticipantRow), [ADA])
            raise KeyError

    with pytest.raises(KeyError):
        await fail_half_way()
    async with database.begin() as session:
        await session.execute(insert(ParticipantRow), [ADA | {"id": "eve"}])
    async with database.session() as session:
        assert (await session.scalars(select(ParticipantRow.id))).all() == ["eve"]


@pytest.mark.parametrize("rest", [0.0, 60.0])
async def test_a_connection_that_the_server_closed_is_replaced_if_it_rested(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch, rest: float
) -> None:
    """Without a rest it is used unasked, and what failed works with the next attempt."""
    monkeypatch.setattr("store.database.REST_SECONDS", rest)
    async with Database.open(postgresql_url) as database:
        async with database.session() as session:
            own = await session.scalar(text("SELECT pg_backend_pid()"))
        async with Database.open(postgresql_url) as other, other.session() as session:
            await session.execute(text("SELECT pg_terminate_backend(:own)"), {"own": own})
        if rest:
            with pytest.raises(OperationalError):
                await _asked(database)
        assert await _asked(database) == 1


async def _asked(database: Database) -> int:
    async with database.session() as session:
        return await session.scalar(text("SELECT 1")) or 0


async def test_a_session_for_reading_refuses_to_write(database: Database) -> None:
    async with database.session() as session:
        with pytest.raises(WriteOutsideBegin):
            await session.execute(insert(ParticipantRow), [ADA])


async def test_a_task_inside_begin_is_told_not_to_begin_again(sqlite_url: str) -> None:
    async with Database.open(sqlite_url) as database:
        with pytest.raises(RuntimeError, match="already inside begin"):
            async with database.begin(), database.begin():
                pass
        async with database.begin() as session:
            await session.execute(insert(ParticipantRow), [ADA])


@pytest.mark.parametrize(
    "written",
    [
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    ],
)
async def test_an_instant_comes_back_as_the_same_instant_in_utc(database: Database, written: datetime) -> None:
    async with database.begin() as session:
        await session.execute(insert(PostmasterRow), [{"shard": 0, "wakes_at": written}])
    async with database.session() as session:
        read = await session.scalar(select(PostmasterRow.wakes_at))
        assert await session.scalar(select(PostmasterRow.shard).where(PostmasterRow.wakes_at <= written)) == 0
    assert read == written
    assert read is not None
    assert read.utcoffset() == timedelta(0)


async def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    naive = datetime(2026, 3, 1)  # noqa: DTZ001
    async with database.begin() as session:
        with pytest.raises(StatementError, match="has no zone"):
            await session.execute(insert(PostmasterRow), [{"shard": 0, "wakes_at": naive}])


async def test_a_row_that_points_nowhere_is_refused(database: Database) -> None:
    nobody = {"cohort": "none", "person": "nobody", "role": "deputy"}
    async with database.begin() as session:
        with pytest.raises(IntegrityError):
            await session.execute(insert(CohortPersonRow), [nobody])
        await session.rollback()


WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from sqlalchemy import insert, select, update
from store.database import Database
from store.tables import EventRow, PostmasterRow, ParticipantRow

async def main(url, who):
    async with Database.open(url) as database:
        async def count(n):
            # Reads, then writes what it read: the pattern that deadlocks where locks are upgraded.
            async with database.begin() as session:
                row = await session.scalar(
                    select(ParticipantRow.generation).where(ParticipantRow.id == "ada").with_for_update())
                await session.execute(
                    update(ParticipantRow).where(ParticipantRow.id == "ada").values(generation=row + 1))
                await session.execute(insert(EventRow), [
                    {"cohort": "c", "at": datetime(2026, 1, 1, tzinfo=UTC), "name": f"{who}.{n}"}])
        await asyncio.gather(*(count(n) for n in range(40)))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_processes_that_write_at_once_lose_nothing(database_url: str, database: Database) -> None:
    async with database.begin() as session:
        await session.execute(insert(ParticipantRow), [ADA])
    writers = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, database_url, who)
        for who in ("one", "two")
    ]
    assert [await writer.wait() for writer in writers] == [0, 0]
    async with database.session() as session:
        assert await session.scalar(select(ParticipantRow.generation)) == 81
        assert await session.scalar(select(func.count()).select_from(EventRow)) == 80


async def test_whoever_waits_for_another_process_keeps_nobody_else(sqlite_url: str) -> None:
    with closing(_other_process(sqlite_url)) as other:
        async with Database.open(sqlite_url) as database:
            other.execute("BEGIN IMMEDIATE")
            waiting = asyncio.create_task(_write_down(database))
            for _ in range(20):
                await asyncio.sleep(0.01)
            assert not waiting.done()
            other.execute("COMMIT")
            await waiting


async def test_whoever_gives_up_waiting_for_the_lock_does_not_get_it(sqlite_url: str) -> None:
    with closing(_other_process(sqlite_url)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with sqlite.connect(
            make_url(sqlite_url).database or "", isolation_level=None, timeout=30
        ) as connection:
            waiting = asyncio.create_task(connection.execute("BEGIN IMMEDIATE"))
            await asyncio.sleep(0.1)
            waiting.cancel()
            given_back = asyncio.create_task(connection.rollback())
            await asyncio.sleep(0.1)
            other.execute("COMMIT")
            await given_back
            other.execute("PRAGMA busy_timeout = 300")
            other.execute("BEGIN IMMEDIATE")


async def test_a_long_transaction_lets_others_have_their_turn(sqlite_url: str) -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with Database.open(sqlite_url) as database, database.begin() as session:
        await session.execute(select(ParticipantRow.id))
        background = asyncio.create_task(others())
        for nth in range(300):
            await session.execute(insert(ParticipantRow), [ADA | {"id": str(nth)}])
        background.cancel()
        assert 1 < turns < 300


def _other_process(url: str) -> sqlite3.Connection:
    """A connection as another process has one."""
    return sqlite3.connect(make_url(url).database or "", isolation_level=None)


async def _write_down(database: Database) -> None:
    async with database.begin() as session:
        await session.execute(insert(ParticipantRow), [ADA])


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database that no test has open."""
    return request.getfixturevalue(f"{request.param}_url")


async def _differences(url: str) -> list[object]:
    async with Database.open(url) as database, database.engine.connect() as connection:
        return await connection.run_sync(
            lambda sync: compare_metadata(
                MigrationContext.configure(sync, opts={"compare_type": True}), Base.metadata
            )
        )


async def test_migrations_make_exactly_the_tables_that_the_code_knows(engine_url: str) -> None:
    assert await _differences(engine_url) == []


async def test_migrations_go_up_down_and_up_again(engine_url: str) -> None:
    migrate(engine_url, "base")
    assert not is_migrated(engine_url)
    async with Database.open(engine_url) as database, database.engine.connect() as connection:
        left = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    assert left == ["alembic_version"]
    migrate(engine_url)
    migrate(engine_url)
    assert is_migrated(engine_url)
    assert await _differences(engine_url) == []


async def test_processes_that_migrate_at_once_take_turns(engine_url: str) -> None:
    migrate(engine_url, "base")
    await asyncio.gather(*(asyncio.to_thread(migrate, engine_url) for _ in range(3)))
    assert is_migrated(engine_url)


def test_asking_whether_a_missing_file_is_migrated_does_not_make_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "mentorship.db"
    assert not is_migrated(f"sqlite:///{path}")
    assert not path.parent.exists()
    migrate(f"sqlite:///{path}")
    assert is_migrated(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("written", "driver"),
    [
        ("sqlite:///data/m.db", "sqlite+aiosqlite"),
        ("postgres://u@h/d?sslmode=require", "postgresql+psycopg"),
        ("postgresql://u@h/d", "postgresql+psycopg"),
    ],
)
def test_urls_are_taken_as_they_are_handed_out(written: str, driver: str) -> None:
    assert url_of(written).drivername == driver


def test_another_database_is_refused_with_what_to_use() -> None:
    with pytest.raises(ValueError, match="use sqlite or postgresql"):
        url_of("mysql://u@h/d")


async def test_sqlite_is_tuned_for_several_processes(new_sqlite: Callable[[], str]) -> None:
    async with Database.open(new_sqlite()) as database, database.session() as session:
        found = [
            await session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert found == ["wal", 1, 1, 15000]


async def test_an_sqlite_database_is_for_its_own_account_only(tmp_path: Path) -> None:
    """Only its owner reads it, its log and its shared memory; a folder that is there already is left as it is."""
    (tmp_path / "new1").mkdir(mode=0o700)
    for number, make in enumerate((migrate, _opened)):
        path = tmp_path / f"new{number}" / "mentorship.db"
        await asyncio.to_thread(make, f"sqlite+aiosqlite:///{path}")
        async with Database.open(f"sqlite+aiosqlite:///{path}") as database, database.begin() as session:
            await session.execute(text("CREATE TABLE IF NOT EXISTS anything (it TEXT)"))
            kept = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
        assert kept == dict.fromkeys(("mentorship.db", "mentorship.db-wal", "mentorship.db-shm"), 0o600)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def _opened(url: str) -> None:
    async def open_it() -> None:
        async with Database.open(url) as database, database.session() as session:
            await session.execute(text("SELECT 1"))

    asyncio.run(open_it())
