"""What a report for passing on may show to people who have seen earlier ones of the same cohort.

Two reports must not be subtracted: a table in which fewer than five have moved is shown as it was, or not at all.
Decides on tables that went through the gate; must not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from reports.gate import Released, may_follow, released, repeated
from reports.season_report import Report, with_tables
from reports.tables import Table

EARLIER = "as shown on {on}: fewer than five have moved since"
"""The note below a table that is shown as it was."""
NOT_AGAIN = "fewer than five have moved since a report that was passed on before"
MOVED = "its numbers have changed since a report that was passed on before"

Release = tuple[date, Released]
"""An earlier report: as of which day, and what it showed."""


def showing(report: Report) -> dict[str, int | str]:
    """What is to be kept of a report: a filtered one is kept under its filter."""
    return {_key(report.filtered, name): number for name, number in released(report.tables).items()}


def following(report: Report, earlier: Sequence[Release]) -> Report:
    """The report of a whole cohort as it may follow the `earlier` ones, the oldest first."""
    candidates = [(table, _as_it_may(table, earlier)) for table in report.tables]
    tables = _consistent([shown for _, shown in candidates if shown is not None])
    ids = {table.id for table in tables}
    withheld = {table.title: NOT_AGAIN for table in report.tables if table.id not in ids}
    found = with_tables(report, tables, withheld)
    if any(table.note for table in tables):
        found = replace(
            found, confidence=(), mails_a_week=None, mails_beyond=None, days_to_decision=None, hours_to_answer=None
        )
    return found


def _consistent(tables: list[Table]) -> list[Table]:
    """The tables without those that are shown as they were, and say of a number otherwise than another table does."""
    said: dict[str, set[tuple[str, int]]] = {}
    for table in tables:
        for cell in (table.total, *table.cells):
            said.setdefault(cell.name, set()).add((cell.state, cell.count))
    unclear = {name for name, numbers in said.items() if len(numbers) > 1}
    return [
        table
        for table in tables
        if not (table.note and unclear & {cell.name for cell in (table.total, *table.cells)})
    ]


def filtered_following(report: Report, whole: Report, earlier: Sequence[Release]) -> Report:
    """A report of a part of a cohort as it may follow the earlier ones: without the tables that have changed since
    they were shown, of the part or of the whole. A change of five may be one of a single person in the part."""
    whole_now, part_now = released(whole.tables), showing(report)
    changed = {name for _, shown in earlier for name, now in whole_now.items() if shown.get(name, now) != now}
    changed |= {
        name.removeprefix(_key(report.filtered, ""))
        for _, shown in earlier
        for name, now in part_now.items()
        if shown.get(name, now) != now
    }
    moved = [table for table in report.tables if changed & {cell.name for cell in (table.total, *table.cells)}]
    kept = [table for table in report.tables if table not in moved]
    return with_tables(report, kept, {table.title: MOVED for table in moved}) if moved else report


def _key(filtered: str, name: str) -> str:
    return f"{filtered}|{name}" if filtered else name


def _as_it_may(table: Table, earlier: Sequence[Release]) -> Table | None:
    """The table, or as it was shown before where it must not differ; None where it can't be shown at all."""
    if all(may_follow(table, shown) for _, shown in earlier):
        return table
    for on, shown in reversed(earlier):
        before = repeated(table, shown)
        if before is not None and all(may_follow(before, other) for _, other in earlier):
            return replace(before, note=EARLIER.format(on=on))
    return None
