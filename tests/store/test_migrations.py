"""Tables change between releases, with a running season in them: what both versions know is still there after every
step, back and forth."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import JSON, Boolean, Column, Date, Integer, MetaData, insert, inspect, select

import store.migrations
from store.columns import Base, Instant
from store.database import Database, is_migrated, migrate, newest_revisions
from testing.cohorts.small_cohort import GROUP, PAIR, applied, ask, item, launched, turn

MIGRATIONS = Path(store.migrations.__file__).parent
REVISIONS = [one.revision for one in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
"""The newest first."""

Rows = dict[str, list[dict[str, Any]]]
"""What stands in the tables, by their names, as the database itself gives it."""


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database that nobody has open."""
    return request.getfixturevalue(f"{request.param}_url")


async def fill(url: str) -> None:
    """A small season that has begun; and two rows in each table, with something in every column."""
    async with Database.open(url) as database:
        await launched(database)
        await applied(
            database, turn(1, open_requests=[ask("ben")], posts=[item("ben")]), turn(1, mentorship="group-1")
        )
        async with database.begin() as session:
            for table in Base.metadata.sorted_tables:
                for name in ("one", "two"):
                    said = {column.key: _something(column, name) for column in table.columns}
                    await session.execute(insert(table).values(said))


def _something(column: Column[Any], name: str) -> Any:
    """Whatever points somewhere points to the row of this name."""
    match column.type:
        case JSON():
            return {name: ["ä", 1]}
        case Boolean():
            return True
        case Integer():
            return {"one": 1001, "two": 1002}[name]
        case Instant():
            return datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
        case Date():
            return date(2026, 3, 29)
        case _:
            return name


async def rows(url: str) -> Rows:
    """Everything that stands in the database, whichever version its tables are of."""
    async with Database.open(url) as database, database.engine.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        metadata = MetaData()
        await connection.run_sync(metadata.reflect)
        found: Rows = {}
        for name in sorted(set(names) - {"alembic_version"}):
            table = metadata.tables[name]
            keys = list(table.primary_key.columns)
            read = await connection.execute(select(table).order_by(*keys))
            found[name] = [dict(row) for row in read.mappings()]
        return found


def known_to_both(before: Rows, after: Rows) -> tuple[Rows, Rows]:
    """The tables and columns that stand in both."""
    pairs = {name: (before[name], after[name]) for name in before if name in after}
    columns = {name: set(one[0]) & set(other[0]) for name, (one, other) in pairs.items() if one and other}
    return tuple(
        {
            name: [{key: row[key] for key in sorted(columns.get(name, ()))} for row in each[which]]
            for name, each in pairs.items()
        }
        for which in (0, 1)
    )  # pyright: ignore[reportReturnType]


async def test_a_season_survives_every_step_back_and_forth(engine_url: str) -> None:
    await fill(engine_url)
    full = await rows(engine_url)
    assert all(len(each) >= 2 for each in full.values()), "nothing is left empty"
    assert set(full) == set(Base.metadata.tables)
    now, oldest = full, full
    for revision in REVISIONS[1:]:
        migrate(engine_url, revision)
        oldest = await rows(engine_url)
        before, after = known_to_both(now, oldest)
        assert after == before, f"on the way back to {revision}"
        now = oldest
    for revision in REVISIONS[-2::-1]:
        migrate(engine_url, revision)
        risen = await rows(engine_url)
        before, after = known_to_both(now, risen)
        assert after == before, f"on the way to {revision}"
        now = risen
    assert is_migrated(engine_url)
    before, after = known_to_both(known_to_both(full, oldest)[0], now)
    assert after == before
    assert [row["key"] for row in before["mentorships"]] == ["one", PAIR.key, GROUP.key, "two"]


async def test_what_a_newer_version_added_is_filled_in_for_what_was_there(engine_url: str) -> None:
    migrate(engine_url, REVISIONS[-1])
    async with Database.open(engine_url) as database, database.begin() as session:
        metadata = MetaData()
        await (await session.connection()).run_sync(metadata.reflect)
        for table in metadata.sorted_tables:
            if table.name != "alembic_version":
                ours = Base.metadata.tables[table.name].columns
                known = [column.name for column in table.columns if column.name in ours]
                said = {name: _something(ours[name], "one") for name in known}
                await session.execute(insert(table).values(said))
    migrate(engine_url)
    async with Database.open(engine_url) as database, database.session() as session:
        for mapper in Base.registry.mappers:
            for row in await session.scalars(select(mapper.class_)):
                missing = [c.key for c in mapper.columns if not c.nullable and getattr(row, c.key) is None]
                assert not missing, f"{mapper.local_table}: {missing}"


def test_the_newest_revisions_are_those_that_alembic_finds() -> None:
    assert newest_revisions() == set(ScriptDirectory(str(MIGRATIONS)).get_heads())
