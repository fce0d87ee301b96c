"""Empty databases for tests, used again rather than made again.

PostgreSQL takes some 30 ms to copy a database and far longer while the processor is busy, since all of its processes
have to agree. A test leaves a few rows in a few tables; taking those out is cheaper than a new copy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import LiteralString
from uuid import uuid4

import psycopg
from psycopg import Connection, sql

from store.database import migrate
from testing.servers.postgresql import PostgreSQL

TEMPLATE = "template_migrated"
AT_MOST = 2_000
"""Rows that a test may leave in a database that is used again: their dead copies slow down what reads the table."""

VERSION: LiteralString = "alembic_version"
CATALOGUES: tuple[LiteralString, ...] = (
    "pg_class", "pg_attribute", "pg_attrdef", "pg_constraint", "pg_index", "pg_trigger", "pg_proc",
)  # fmt: skip
# All rows of these catalogues are as the template has them until somebody changes the schema, which writes new ones.
SCHEMA: LiteralString = " UNION ALL ".join(
    f"SELECT sum(xmin::text::bigint), count(*) FROM {table}" for table in (*CATALOGUES, VERSION)
)
TABLES = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> %s"
)
COUNTERS = (
    "SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false) FROM pg_sequences"
    " WHERE last_value IS NOT NULL"
)
AWAY = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"


@dataclass(slots=True)
class EmptyDatabases:
    """Migrated databases without a row, of one server and one test process."""

    server: PostgreSQL
    tables: list[str] = field(init=False)
    schema: list[tuple[object, ...]] = field(init=False)
    idle: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the template that all are copied from."""
        with self._connect("postgres") as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        migrate(self.server.url(TEMPLATE))
        with self._connect(TEMPLATE) as connection:
            self.tables = [name for (name,) in connection.execute(TABLES, (VERSION,))]
            self.schema = connection.execute(SCHEMA).fetchall()

    def take(self) -> str:
        """The name of a database that nobody else uses, until it is given back."""
        if self.idle:
            return self.idle.pop()
        name = f"test_{uuid4().hex[:12]}"
        with self._connect("postgres") as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                    sql.Identifier(name), sql.Identifier(TEMPLATE)
                )
            )
        return name

    def give_back(self, name: str) -> None:
        """Cut its connections, take the rows out; drop it if the schema changed or many rows are in it."""
        if self._is_empty_again(name):
            self.idle.append(name)
            return
        with self._connect("postgres") as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _is_empty_again(self, name: str) -> bool:
        try:
            with self._connect("postgres") as connection:
                connection.execute(AWAY, (name,)).fetchall()
            with self._connect(name) as connection:
                return self._empty(connection)
        except psycopg.Error:  # whatever a test did to it: the next one gets another
            return False

    def _empty(self, connection: Connection) -> bool:
        if connection.execute(SCHEMA).fetchall() != self.schema:
            return False
        rows = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT {}, count(*) FROM {} HAVING count(*) > 0").format(sql.Literal(name), sql.Identifier(name))
            for name in self.tables
        )
        counts = dict(connection.execute(rows).fetchall())
        if sum(counts.values()) > AT_MOST:
            return False
        if counts:
            connection.execute("SET session_replication_role = replica")  # in any order, whatever refers to what
            with connection.transaction():
                for name in counts:
                    connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
        connection.execute(COUNTERS).fetchall()
        return True

    def _connect(self, name: str) -> Connection:
        return psycopg.connect(self.server.conninfo(name), autocommit=True)
