"""A database that is used again is as empty as a new one."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from store.database import Database
from store.tables import AuditRow
from testing.servers.databases import AT_MOST, EmptyDatabases


@pytest.fixture
def databases(_empty_databases: EmptyDatabases) -> EmptyDatabases:
    return _empty_databases


async def add(databases: EmptyDatabases, name: str, rows: int = 1) -> list[int]:
    """The numbers that new rows of audit got."""
    async with Database.open(databases.server.url(name)) as database, database.begin() as session:
        added = [AuditRow(at=datetime(2026, 3, 1, tzinfo=UTC), proof="none", what="look") for _ in range(rows)]
        session.add_all(added)
        await session.flush()
        return [row.id for row in added]


async def test_rows_are_gone_and_numbers_begin_at_one_again(databases: EmptyDatabases) -> None:
    name = databases.take()
    assert await add(databases, name, 3) == [1, 2, 3]
    databases.give_back(name)

    assert databases.take() == name
    assert await add(databases, name) == [1]
    databases.give_back(name)


def test_what_a_test_left_open_is_cut(databases: EmptyDatabases) -> None:
    name = databases.take()
    with psycopg.connect(databases.server.conninfo(name)) as left:
        left.execute("LOCK TABLE audit")
        databases.give_back(name)

        assert databases.idle[-1] == name
        with pytest.raises(psycopg.OperationalError):
            left.execute("SELECT 1")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX another ON audit (what)",
        "ALTER TABLE audit ADD COLUMN another text",
        "ALTER TABLE audit ALTER COLUMN what SET DEFAULT 'look'",
        "DROP TABLE absences",
        "ALTER TABLE absences DROP CONSTRAINT fk_absences_person",
        "UPDATE alembic_version SET version_num = '0001'",
    ],
)
def test_a_changed_schema_is_nobody_elses(databases: EmptyDatabases, statement: str) -> None:
    name = databases.take()
    with psycopg.connect(databases.server.conninfo(name), autocommit=True) as connection:
        connection.execute(statement.encode())

    assert _dropped(databases, name)


async def test_a_database_with_many_rows_is_made_new(databases: EmptyDatabases) -> None:
    name = databases.take()
    await add(databases, name, AT_MOST + 1)

    assert _dropped(databases, name)


def _dropped(databases: EmptyDatabases, name: str) -> bool:
    databases.give_back(name)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(databases.server.conninfo(name))
    return name not in databases.idle
