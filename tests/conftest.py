"""What all tests share: real databases, and an end of the run that can't turn green into red.

Every test that takes `database_url` or `database` runs twice, on SQLite and on PostgreSQL, each time with
fresh tables. PostgreSQL is started once a run, and only if a test asks for it.
"""

from __future__ import annotations

import os
import posix
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog
from sqlalchemy import Dialect
from sqlalchemy.ext.asyncio import create_async_engine
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling, LoadScopeScheduling

import store.database
from store.database import Database, migrate
from testing.servers.databases import EmptyDatabases
from testing.servers.postgresql import PostgreSQL, PostgreSQLMissing

_exit_status: list[int] = []


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server of this test run, on a Unix socket of its own."""
    try:
        server = PostgreSQL.start()
    except PostgreSQLMissing as missing:
        pytest.fail(str(missing), pytrace=False)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def _empty_databases(postgresql: PostgreSQL) -> EmptyDatabases:
    return EmptyDatabases(postgresql)


@pytest.fixture
def new_sqlite(_sqlite_template: Path, tmp_path: Path) -> Callable[[], str]:
    """Makes another migrated SQLite database and says its URL."""

    def make() -> str:
        path = tmp_path / f"{uuid4().hex[:8]}.db"
        shutil.copy(_sqlite_template, path)
        return f"sqlite+aiosqlite:///{path}"

    return make


@pytest.fixture
def sqlite_url(new_sqlite: Callable[[], str]) -> str:
    """A fresh migrated SQLite database, for tests that need one database only."""
    return new_sqlite()


@pytest.fixture
def postgresql_url(_empty_databases: EmptyDatabases) -> Iterator[str]:
    """A migrated PostgreSQL database without a row."""
    name = _empty_databases.take()
    yield _empty_databases.server.url(name)
    _empty_databases.give_back(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh migrated database; the test runs on SQLite and on PostgreSQL."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh migrated database, open; the test runs on SQLite and on PostgreSQL."""
    async with Database.open(database_url) as opened:
        yield opened


class _Compiled(dict[Any, Any]):
    """Compiled statements by what they are, for all engines of one dialect: SQLAlchemy's keys begin with the engine's
    own dialect object, and a run of the tests has thousands of engines."""

    def get(self, key: tuple[Dialect, *tuple[Any, ...]], default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: tuple[Dialect, *tuple[Any, ...]], compiled: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), compiled)


@pytest.fixture(autouse=True, scope="session")
def _statements_compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        options = {"compiled_cache": _Compiled()}
        patch.setattr(store.database, "create_async_engine", partial(create_async_engine, execution_options=options))
        yield


@pytest.fixture(autouse=True)
def _logs_as_they_come() -> Iterator[None]:
    """What a command of one test has set up for its logs is no other test's business."""
    yield
    structlog.reset_defaults()


LONG = (
    "tests/rehearsal/test_equality.py",
    "tests/test_docs.py",
    "tests/workflows",
    "tests/rehearsal/test_every_change.py",
    "tests/cli/test_killed.py",
    "tests/cli/test_launch.py",
    "tests/cli/test_changes.py",
    "tests/cli/test_cohort.py",
    "tests/test_project.py",
    "tests/web/test_browser.py",
)
"""What takes longest comes first, so that no process is left alone with it at the end."""

LOOK_AT_THE_SEASON = (
    "tests/rehearsal/test_equality.py::test_the_rehearsal_of_all_cases",
    "tests/rehearsal/test_equality.py::test_the_report_of_the_rehearsal",
    "tests/rehearsal/test_equality.py::test_every_figure_of_the_season",
    "tests/workflows/test_privacy.py",
    "tests/workflows/test_replay.py",
    "tests/workflows/test_season.py",
)
"""Tests of the one season that is played once: all of them in one process, or it would be played in each."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark property tests as `many`, and put long files first; the others keep their order."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("many")
    items.sort(key=lambda item: next((n for n, one in enumerate(LONG) if item.nodeid.startswith(one)), len(LONG)))


class Together(LoadFileScheduling):
    """Gives each process whole files, and what looks at the season to one of them."""

    def _split_scope(self, nodeid: str) -> str:
        return "season" if nodeid.startswith(LOOK_AT_THE_SEASON) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Deal the tests out to the processes."""
    return Together(config, log)


def pytest_sessionfinish(exitstatus: int) -> None:
    """Remember how the run ended."""
    _exit_status[:] = [int(exitstatus)]


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Leave at once: Temporal's SDK can abort while the interpreter shuts down, after a green run.

    mutmut runs pytest inside its own process, which must go on.
    """
    if _exit_status and "MUTANT_UNDER_TEST" not in os.environ:
        sys.stdout.flush()
        sys.stderr.flush()
        posix._exit(_exit_status[0])  # not that of `os`, which saves once more what make coverage has measured
