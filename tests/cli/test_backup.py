"""Backups: a copy is whole while others write, a refusal leaves nothing behind, and the last backup is on record."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from operations.health.backup import last_backup
from runtime.private_files import make_private
from runtime.settings import KEPT_SECRET, load_settings, now_of
from store.database import Database, migrate
from store.sqlite import copy_file
from testing.environments.cli_env import mentorship


@pytest.fixture
def data(installation: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The data folder of an installation on SQLite: its database, one as Temporal's, and a kept secret."""
    folder = tmp_path / "data"
    make_private(folder, ())
    migrate(load_settings().database)
    (folder / KEPT_SECRET).write_text("a secret")
    with closing(sqlite3.connect(folder / "temporal.db")) as temporal:
        temporal.execute("CREATE TABLE executions (id INTEGER)")
    return folder


def acts(path: Path) -> list[str]:
    """What a database has on record."""
    with closing(sqlite3.connect(path)) as opened:
        return [what for (what,) in opened.execute("SELECT what FROM audit")]


async def recorded() -> datetime | None:
    """When the last backup was made."""
    async with Database.open(load_settings().database) as database:
        return await last_backup(database)


def test_a_backup_holds_both_databases_and_the_secret(data: Path, tmp_path: Path) -> None:
    assert asyncio.run(recorded()) is None
    assert mentorship("backup", "--recorded").code == 0
    folder = tmp_path / "backups" / "monday"
    said = mentorship("backup", str(folder), "--json")
    assert said.code == 0, said.err
    assert [one["name"] for one in said.json] == ["temporal.db", "mentorship.db", KEPT_SECRET]
    assert acts(folder / "mentorship.db") == ["backup"], "the copy was made before this backup was put on record"
    assert acts(data / "mentorship.db") == ["backup", "backup"]
    assert (folder / KEPT_SECRET).read_text() == "a secret"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    last = asyncio.run(recorded())
    assert last is not None
    assert now_of(load_settings()) - last < timedelta(minutes=5)
    again = mentorship("backup", str(folder))
    assert again.code == 2
    assert "new or empty" in again.err
    assert acts(data / "mentorship.db") == ["backup", "backup"]


def test_a_copy_is_as_of_one_moment_while_somebody_writes(data: Path, tmp_path: Path) -> None:
    assert mentorship("backup", "--recorded").code == 0
    with closing(sqlite3.connect(data / "mentorship.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM audit")
        copy_file(data / "mentorship.db", tmp_path / "copy.db")
        writer.execute("COMMIT")
    assert acts(tmp_path / "copy.db") == ["backup"]
    assert acts(data / "mentorship.db") == []


def test_a_command_that_names_no_folder_or_too_much_is_refused(data: Path, tmp_path: Path) -> None:
    for words in ((), (str(tmp_path / "folder"), "--recorded")):
        said = mentorship("backup", *words)
        assert (said.code, "either a folder" in said.err) == (2, True)
    assert not (tmp_path / "folder").exists()
    assert acts(data / "mentorship.db") == []


def test_postgresql_is_left_to_its_own_tools(
    postgresql_url: str, installation: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installation.setenv("MENTORSHIP_DATABASE_URL", postgresql_url)
    said = mentorship("backup", str(tmp_path / "folder"))
    assert said.code == 2
    assert "pg_dump" in said.err
    assert "--recorded" in said.err
    assert not (tmp_path / "folder").exists()
