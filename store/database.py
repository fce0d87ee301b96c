"""Opens the database, makes transactions and brings the tables up to date.

SQLite (embedded) and PostgreSQL (production) behave alike behind `Database`: writers use
`begin()`, readers use `session()`. Nothing else in the engine may create an SQL engine, and nothing
here may know what the tables mean.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import (
    URL,
    AdaptedConnection,
    Connection,
    Dialect,
    Engine,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

from store.columns import bare
from store.sqlite import BUSY_SECONDS, TO_READ, TO_WRITE, connect, make_file, make_folder
from store.tables import Base

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.dialects import postgresql, sqlite

IDLE_SECONDS = 60
"""How long a PostgreSQL transaction may wait for its process: one that stands still must not keep its locks."""

REST_SECONDS = 1.0
"""How long a PostgreSQL connection may rest in the pool and be used without asking whether it still lives."""

READERS_SECONDS = 2
"""How long it is waited for those who read in an SQLite file that is rewritten."""

MIGRATIONS = Path(__file__).parent / "migrations"
_REVISION = re.compile(r'^revision = "(\w+)"$', re.MULTILINE)
_DOWN_REVISION = re.compile(r'^down_revision = "(\w+)"$', re.MULTILINE)
WRITES = "mentorship_writes"
"""The execution option of connections that may write."""
_MIGRATION_LOCK = 7_160_246
"""Any number: the advisory lock that PostgreSQL processes take before they migrate."""


class WriteOutsideBegin(RuntimeError):
    """A session that was opened for reading was asked to write."""


def url_of(url: str) -> URL:
    """The URL with the driver that the engine uses; takes SQLAlchemy and libpq spellings."""
    parsed = make_url(url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url)
    if parsed.get_backend_name() == "sqlite":
        return parsed.set(drivername="sqlite+aiosqlite")
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    raise ValueError(f"{parsed.get_backend_name()!r} is no database for this engine; use sqlite or postgresql")


class Database:
    """An open database. Make it with `Database.open(url)`, end it with `close()` or as a context manager."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.sqlite = engine.dialect.name == "sqlite"
        self._reading = async_sessionmaker(engine, expire_on_commit=False)
        self._writing = async_sessionmaker(engine.execution_options(**{WRITES: True}), expire_on_commit=False)
        self._turn = asyncio.Lock()
        self._writer: asyncio.Task[Any] | None = None

    @classmethod
    def open(cls, url: str, *, connections: int = 10) -> Self:
        """Open the database at this URL; nothing is connected before the first transaction.

        `connections` is how many may be open at once. The tables must be there already: see `migrate`.
        """
        parsed = url_of(url)
        # What a failed statement held are names, addresses, answers: it must not stand in failures and logs.
        options: dict[str, Any] = {"pool_size": connections, "max_overflow": 0, "hide_parameters": True}
        if parsed.get_backend_name() == "sqlite":
            connect_options = {"isolation_level": None, "timeout": BUSY_SECONDS}
            options["connect_args"] = {"async_creator_fn": connect, **connect_options}
        engine = create_async_engine(parsed, **options)
        if parsed.get_backend_name() == "sqlite":
            _tune_sqlite(engine.sync_engine)
        else:
            event.listen(engine.sync_engine, "connect", _end_idle_transactions)
            _ping_after_a_rest(engine.sync_engine)
        event.listen(engine.sync_engine, "before_cursor_execute", _refuse_unannounced_writes)
        return cls(engine)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """A session that reads one consistent state. Writing in it raises `WriteOutsideBegin`."""
        async with self._reading() as session:
            yield session

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """A transaction that writes: committed at the end of the block, rolled back when it raises.

        On SQLite the write lock is taken at the start, so two processes wait for each other and never
        deadlock; within one process writers queue here, which is fairer than SQLite's own waiting.
        """
        if not self.sqlite:
            async with self._transaction() as session:
                yield session
            return
        if self._writer is not None and self._writer is asyncio.current_task():
            raise RuntimeError("this task is already inside begin(); pass its session on instead")
        async with self._turn:
            self._writer = asyncio.current_task()
            try:
                async with self._transaction() as session:
                    yield session
            finally:
                self._writer = None

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncSession]:
        # As the `begin()` of a sessionmaker, which makes a task to close a session even where the commit has left
        # nothing to close: two fifths of what a small transaction takes.
        session = self._writing()
        try:
            yield session
            await session.commit()
        finally:
            if session.in_transaction():
                await asyncio.shield(asyncio.create_task(session.close()))
            else:
                session.sync_session.close()

    async def rewrite(self) -> bool:
        """Leave nothing of what was deleted or overwritten in the files of an SQLite database; False where somebody
        goes on reading in them. On PostgreSQL its own vacuum does that in its time."""
        if not self.sqlite:
            return True
        # SQLite marks what is deleted as free, and its write-ahead log keeps earlier pages: the one is rewritten,
        # the other cut off.
        async with self.engine.connect() as connection:
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            async with self._turn:
                await driver.run("VACUUM")
            # Every row is read: a statement that is not at its end keeps the next VACUUM from beginning.
            await driver.run(f"PRAGMA busy_timeout = {READERS_SECONDS * 1000}")
            try:
                [(busy, _, _)], _ = await driver.run("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                await driver.run(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        return busy == 0

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def upserting(session: AsyncSession, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT of the session's own dialect, for `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return inserting(session.get_bind().dialect.name, table)


def putting(
    session: AsyncSession, table: type[Base], identity: tuple[str, ...], over: tuple[str, ...] = ()
) -> postgresql.Insert | sqlite.Insert:
    """An INSERT for rows that may be there already, by `identity`: then the columns `over` are written over, and
    without any the row is left as it is. Built once for each dialect."""
    return putting_in(session.get_bind().dialect.name, table, identity, over)


@lru_cache(maxsize=64)
def putting_in(
    dialect: str, table: type[Base], identity: tuple[str, ...], over: tuple[str, ...]
) -> postgresql.Insert | sqlite.Insert:
    """The same for a dialect (`sqlite`, `postgresql`)."""
    new = inserting(dialect, table)
    if not over:
        return new.on_conflict_do_nothing(index_elements=identity)
    return new.on_conflict_do_update(index_elements=identity, set_={name: new.excluded[name] for name in over})


def inserting(dialect: str, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT of this dialect (`sqlite`, `postgresql`)."""
    # Each dialect is loaded where it is used: that of PostgreSQL takes long.
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(bare(table))
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(bare(table))


def migrate(url: str, revision: str = "head") -> None:
    """Bring the tables to `revision` (`head` is the newest, `base` is none at all), in one transaction.

    Blocks; call it before the event loop or in a thread. Processes that do it at once take turns.
    """
    # Loaded here: a command that only reads starts a tenth of a second sooner without it.
    from alembic import command
    from alembic.config import Config

    engine = _engine_for_migrations(url)
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            if revision == "base" or revision in _passed(connection, config):
                command.downgrade(config, revision)
            else:
                command.upgrade(config, revision)
    finally:
        engine.dispose()


def is_migrated(url: str) -> bool:
    """Whether the tables are those of this version of the engine. Blocks; makes no SQLite file."""
    parsed = url_of(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
        return False
    engine = _engine_for_migrations(url)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return False
            revisions = connection.execute(text("SELECT version_num FROM alembic_version"))
            return set(revisions.scalars()) == newest_revisions()
    finally:
        engine.dispose()


def newest_revisions() -> set[str]:
    """The revisions of this version of the engine after which no other comes, read from the files without Alembic."""
    revisions: set[str] = set()
    passed: set[str] = set()
    for path in (MIGRATIONS / "versions").glob("*.py"):
        source = path.read_text("utf-8")
        revisions |= set(_REVISION.findall(source))
        passed |= set(_DOWN_REVISION.findall(source))
    return revisions - passed


def _passed(connection: Connection, config: Config) -> set[str]:
    """Revisions that the tables have already: going to one of them is going back."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    heads = MigrationContext.configure(connection).get_current_heads()
    script = ScriptDirectory.from_config(config)
    return {passed.revision for head in heads for passed in script.iterate_revisions(head, "base")}


def _engine_for_migrations(url: str) -> Engine:
    parsed = url_of(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, poolclass=NullPool)
    make_folder(parsed.database)
    make_file(parsed.database)
    engine = create_engine(
        parsed.set(drivername="sqlite+pysqlite"),
        poolclass=NullPool,
        connect_args={"isolation_level": None, "timeout": BUSY_SECONDS},
        execution_options={WRITES: True},
    )
    # A table that is copied and renamed must not take along the rows that point to it.
    _tune_sqlite(engine, foreign_keys=False)
    return engine


def _tune_sqlite(engine: Engine, *, foreign_keys: bool = True) -> None:
    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {BUSY_SECONDS * 1000}",
            "journal_mode = WAL",
            "synchronous = NORMAL",
            f"foreign_keys = {'ON' if foreign_keys else 'OFF'}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        text = TO_WRITE if connection.get_execution_options().get(WRITES) else TO_READ
        raw = connection.connection.dbapi_connection
        if not isinstance(raw, AdaptedConnection):
            connection.exec_driver_sql(text)
            return
        try:
            raw.run_async(lambda driver: driver.run(text))
        except sqlite3.Error as error:
            raise as_sqlalchemy_has_it(error, text, connection.dialect) from error


def as_sqlalchemy_has_it(error: BaseException, text: str, dialect: Dialect, *, lost: bool = False) -> BaseException:
    """An error of the driver's as SQLAlchemy raises it, without any value. `lost`: the connection is gone."""
    errors = dialect.loaded_dbapi.Error
    return DBAPIError.instance(
        text, None, error, errors, hide_parameters=True, connection_invalidated=lost, dialect=dialect
    )


def _end_idle_transactions(connection: Any, _: Any) -> None:
    # As a statement: a connection pooler before the server may refuse it as an option of the connection.
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'")
    cursor.close()
    connection.autocommit = False


def _ping_after_a_rest(engine: Engine) -> None:
    """Make sure that a connection still lives before it is used, unless it was used just now: asking before each
    transaction costs a round trip each time."""

    @event.listens_for(engine, "checkin")
    def _rests(_: Any, record: Any) -> None:
        record.info["rests_since"] = monotonic()

    @event.listens_for(engine, "checkout")
    def _ping(connection: Any, record: Any, _: Any) -> None:
        if monotonic() - record.info.get("rests_since", monotonic()) < REST_SECONDS:
            return
        try:
            alive = engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error:
            alive = False
        if not alive:
            raise InvalidatePoolError


def _refuse_unannounced_writes(
    connection: Connection, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool
) -> None:
    # On SQLite a reader that starts to write can fail at once when another process wrote in between;
    # on PostgreSQL it would work, and the mistake would be found in the embedded stack only.
    if context is None or not (context.isinsert or context.isupdate or context.isdelete):
        return
    if not connection.get_execution_options().get(WRITES):
        raise WriteOutsideBegin("a session for reading must not write; open it by Database.begin()")
