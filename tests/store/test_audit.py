"""The audit in both databases: added, read by filters, and an erased person's words taken out of reasons."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from operations import audit
from operations.audit import COMMAND_LINE, AuditEntry, AuditFilters
from store import audit as stored
from store.database import Database
from store.people.name_matcher import NameMatcher

MAILED_LINK = "mailed_link"
NOW = datetime(2027, 3, 1, 10, 14, tzinfo=UTC)
ROWS = (
    AuditEntry("pause", "casey", COMMAND_LINE, "spring", ["spring/m1", "spring/m2"], reason="Ada Ng is away"),
    AuditEntry("erase", "casey", MAILED_LINK, ids=["ada"], reason="asked for it", plan="p1", result="done"),
    AuditEntry("extend", "petra", MAILED_LINK, "autumn", ["autumn/m1"], reason="with Ada Ng"),
)


async def written(database: Database) -> None:
    """Three rows, an hour apart."""
    for nth, entry in enumerate(ROWS):
        await audit.record(database, NOW + timedelta(hours=nth), entry)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (AuditFilters(), ["extend", "erase", "pause"]),
        (AuditFilters(by="casey"), ["erase", "pause"]),
        (AuditFilters(proof=MAILED_LINK, cohort="autumn"), ["extend"]),
        (AuditFilters(id="spring/m2"), ["pause"]),
        (AuditFilters(id="spring/m"), []),
        (AuditFilters(plan="p1"), ["erase"]),
        (AuditFilters(since=NOW + timedelta(hours=1), until=NOW + timedelta(hours=2)), ["erase"]),
    ],
)
async def test_rows_are_found_by_what_they_say(database: Database, filters: AuditFilters, found: list[str]) -> None:
    await written(database)
    rows, total = await audit.look(database, filters)
    assert ([row.what for row in rows], total) == (found, len(found))


async def test_a_coordinator_reads_their_cohorts_only_page_by_page(database: Database) -> None:
    await written(database)
    rows, total = await audit.look(database, AuditFilters(), cohorts=["spring"])
    assert ([row.what for row in rows], total) == (["pause"], 1)
    assert await audit.look(database, AuditFilters(), cohorts=[]) == ([], 0)
    rows, total = await audit.look(database, AuditFilters(), first=1, most=1)
    assert ([row.what for row in rows], total) == (["erase"], 3)


async def test_others_rows_about_reports_are_left_out(database: Database) -> None:
    for by, what, id_ in (
        ("casey", "decide", "spring/m1/task.safety#1"),
        ("casey", "release", "spring/m1"),
        ("dana", "release", "spring/m1"),
        ("casey", "pause", "spring/m1"),
    ):
        await audit.record(database, NOW, AuditEntry(what, by, COMMAND_LINE, "spring", [id_]))
    rows, _ = await audit.look(database, AuditFilters(reader="dana"))
    assert [(row.by, row.what) for row in rows] == [("casey", "pause"), ("dana", "release")]


async def test_a_row_names_some_and_counts_all(database: Database) -> None:
    many = [f"spring/m{nth}" for nth in range(1000)]
    await audit.record(database, NOW, AuditEntry("nudge", "casey", COMMAND_LINE, "spring", many))
    [row], _ = await audit.look(database, AuditFilters())
    assert (row.count, len(row.ids)) == (1000, stored.MOST_IDS)


async def test_erasing_takes_a_person_out_of_reasons_and_leaves_the_rows(database: Database) -> None:
    await written(database)
    async with database.begin() as session:
        names = NameMatcher.of(["Ada Ng"], [])
        assert await stored.forget(session, "ada", ["spring"], names.out_of_text) == 2
    rows, total = await audit.look(database, AuditFilters())
    reasons = [row.reason for row in rows]
    assert total == 3
    assert reasons[:2] == ["with Ada Ng", ""]
    assert "Ada" not in reasons[2]
    assert reasons[2].endswith("is away")


async def test_a_proof_that_nobody_knows_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="is no proof"):
        await audit.record(database, NOW, AuditEntry("pause", proof="a hunch"))
