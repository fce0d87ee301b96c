"""Applicants from a spreadsheet: read by a map, every fault with its line, stored once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from operations import audit
from operations.applications.applicants import applied
from operations.applications.import_applicants import (
    ImportMap,
    ImportResult,
    call_for,
    put_applicants,
    read_applicants,
    read_map,
)
from operations.audit import COMMAND_LINE, AuditFilters
from operations.errors import Refused
from operations.matching.publish import pool_of
from operations.spreadsheet import as_xlsx
from program.faults import Faults
from store.cohorts.calls import mark_published
from store.database import Database
from testing.environments.cli_env import mentorship
from testing.environments.open_call import CLOSED, COHORT, launch_call, loaded_call

MAP = """
cohort: call
columns:
  name: Full name
  email: E-Mail
  role: I want to be
  mentees_at_most: How many
  wants: [First topic, Second topic]
  offers: Topics offered
  unit: Department
  profession: Field
  grade: Grade
  languages: Languages
  availability: Free
  identity_wanted: Shared
values:
  role: {A mentor: mentor, A mentee: mentee}
  languages: {Deutsch: de}
"""
HEAD = (
    "Full name", "E-Mail", "I want to be", "How many", "First topic", "Second topic", "Topics offered", "Department",
    "Field", "Grade", "Languages", "Free", "Shared", "Remark",
)  # fmt: skip
ROWS = [
    ("Núria Ostrowski", "nuria@example.org", "A mentee", "", "Leading people", "data", "", "Digital", "policy", "EO",
     "Deutsch; en", "mon_am; Tuesday afternoon", "ja", ""),
    ("Rolf Weiß", "rolf@example.org", "a MENTOR", "2", "", "", "leading; Data and analysis", "Legal", "Law", "HEO",
     "German", "mon_am; tue_pm", "", "late"),
]  # fmt: skip


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    """A launched cohort with an open call."""
    async with Database.open(sqlite_url) as opened:
        await launch_call(opened, loaded_call())
        yield opened


def mapped(tmp_path: Path, text: str = MAP) -> ImportMap:
    """The map of the tests, or another."""
    (tmp_path / "map.yaml").write_text(text)
    return read_map(tmp_path / "map.yaml")


def csv_of(folder: Path, rows: list[tuple[str, ...]], separator: str = ",", encoding: str = "utf-8-sig") -> Path:
    """The rows as a CSV file."""
    path = folder / "people.csv"
    lines = (separator.join(f'"{cell}"' for cell in row) for row in (HEAD, *rows))
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


async def put(database: Database, rows: Any, *, dry_run: bool = False) -> ImportResult:
    """Import these rows."""
    return await put_applicants(
        database, COHORT, rows, CLOSED, dry_run=dry_run, by="coco", why="asked by mail", proof=COMMAND_LINE
    )


async def test_people_are_read_by_the_map_and_stored_once(database: Database, tmp_path: Path) -> None:
    call = await call_for(database, COHORT)
    rows, warnings = read_applicants(csv_of(tmp_path, ROWS), mapped(tmp_path), call)
    assert ["`remark` is not in the map" in str(warning) for warning in warnings] == [True]
    assert rows[0].answers == {
        "wants": [{"tag": "leading"}, {"tag": "data"}],
        "unit": "Digital",
        "profession": "policy",
        "grade": "EO",
        "languages": ["de", "en"],
        "availability": ["mon_am", "tue_pm"],
        "identity_wanted": True,
    }
    assert (rows[1].role, rows[1].answers["offers"], rows[1].answers["profession"]) == (
        "mentor", ["data", "leading"], "legal",
    )  # fmt: skip
    assert await put(database, rows, dry_run=True) == ImportResult(2, 0, 0)
    assert (await applied(database, COHORT))[1] == []
    assert await put(database, rows) == ImportResult(2, 0, 0)
    assert await put(database, rows) == ImportResult(0, 0, 2)
    other = csv_of(tmp_path, [ROWS[0], (*ROWS[1][:3], "3", *ROWS[1][4:])])
    changed, _ = read_applicants(other, mapped(tmp_path), call)
    assert await put(database, changed) == ImportResult(0, 1, 1)
    assert {one.name: one.state for one in (await applied(database, COHORT))[1]} == {
        "Núria Ostrowski": "confirmed",
        "Rolf Weiß": "confirmed",
    }
    pool = await pool_of(database, COHORT)
    assert sorted(person.capacity for person in pool.people if person.mentor) == [3]
    async with database.begin() as session:
        await mark_published(session, COHORT, CLOSED)
    with pytest.raises(Refused, match="published"):
        await put(database, rows)


async def test_other_encodings_separators_and_workbooks_say_the_same(database: Database, tmp_path: Path) -> None:
    call = await call_for(database, COHORT)
    expected, _ = read_applicants(csv_of(tmp_path, ROWS), mapped(tmp_path), call)
    for separator, encoding in ((";", "utf-8"), ("\t", "utf-16"), (";", "cp1252")):
        found, _ = read_applicants(csv_of(tmp_path, ROWS, separator, encoding), mapped(tmp_path), call)
        assert found == expected, encoding
    (tmp_path / "people.xlsx").write_bytes(as_xlsx("People", HEAD, ROWS))
    assert read_applicants(tmp_path / "people.xlsx", mapped(tmp_path), call)[0] == expected


@pytest.mark.parametrize(
    ("row", "column", "text", "says"),
    [
        (0, 1, "nuria", "people.csv:2:"),
        (1, 0, "Rolf\tWeiß", "a tab (`name`)"),
        (0, 2, "boss", "is no role"),
        (1, 3, "many", "mentees_at_most"),
        (1, 3, "9", "mentees_at_most"),
        (0, 9, "G99", "`grade`"),
        (0, 4, "cooking", "`wants`"),
        (0, 12, "perhaps", "neither yes nor no"),
        (1, 1, "nuria@example.org", "in line 2 already"),
    ],
)
async def test_each_fault_is_named_with_its_line(
    database: Database, tmp_path: Path, row: int, column: int, text: str, says: str
) -> None:
    rows = [list(one) for one in ROWS]
    rows[row][column] = text
    path = csv_of(tmp_path, [tuple(one) for one in rows])
    with pytest.raises(Faults) as found:
        read_applicants(path, mapped(tmp_path), await call_for(database, COHORT))
    assert says in str(found.value)
    assert f"people.csv:{row + 2}:" in str(found.value)


async def test_a_map_that_does_not_fit_is_refused(database: Database, tmp_path: Path) -> None:
    with pytest.raises(Faults, match="has no column"):
        mapped(tmp_path, "columns: {name: Name}\n")
    call = await call_for(database, COHORT)
    with pytest.raises(Faults, match="Did you mean `unit`"):
        read_applicants(csv_of(tmp_path, ROWS), mapped(tmp_path, MAP.replace("  unit:", "  unt:")), call)
    with pytest.raises(Faults, match="missing"):
        read_applicants(csv_of(tmp_path, ROWS), mapped(tmp_path, MAP.replace("Department", "Team")), call)
    with pytest.raises(Faults, match="no rows"):
        read_applicants(csv_of(tmp_path, []), mapped(tmp_path), call)


async def test_the_command_says_what_it_would_do_and_does_it_with_yes(
    database: Database, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENTORSHIP_DATABASE_URL", sqlite_url)
    mapped(tmp_path)
    words = ("applicants", "import", str(csv_of(tmp_path, ROWS)), "--map", str(tmp_path / "map.yaml"))
    said = await asyncio.to_thread(mentorship, *words)
    assert (said.code, "2 new applications" in said.out, "Nothing was stored" in said.out) == (0, True, True)
    assert "is not in the map" in said.err
    assert (await applied(database, COHORT))[1] == []
    done = await asyncio.to_thread(mentorship, *words, "--yes", "--as", "coco", "--json")
    assert done.json == {"new": 2, "changed": 0, "same": 0, "stored": True}
    rows, _ = await audit.look(database, AuditFilters())
    assert [(row.what, row.by, row.cohort) for row in rows] == [("applicants import", "coco", COHORT)]
    assert (await asyncio.to_thread(mentorship, "applicants", "import", "x.csv")).code == 2
    (tmp_path / "map.yaml").write_text(MAP.replace("cohort: call\n", ""))
    nameless = await asyncio.to_thread(mentorship, *words)
    assert (nameless.code, "--cohort" in nameless.err) == (2, True)
