"""The gate against an attacker who solves the linear equations of everything that is shown, and knows the rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random

import pytest

from rehearsal.season_rows import season_rows
from reports import season_report
from reports.gate import bounds, gated, is_small, may_follow, released, repeated, why_no_filter
from reports.releases import NOT_AGAIN, following, showing
from reports.rows import Season
from reports.season_report import Report
from reports.tables import Cell, Table
from testing.report_attacker import chance_tables, learned
from testing.season_attacker import attacked
from testing.seasons.rehearsed_answers import season

DAY = date(2027, 3, 1)


def table(total: int, *parts: int, name: str = "q", total_name: str = "all") -> Table:
    cells = tuple(Cell(f"{name}.{at}", str(at), count, count) for at, count in enumerate(parts))
    return Table(name, name, "", Cell(total_name, "all", total, total), cells)


def shown(one: Table) -> list[int | str]:
    return [cell.count if cell.state == "exact" else cell.state for cell in (one.total, *one.cells)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((30, 10, 20), [30, 10, 20]),
        ((30, 30, 0), [30, 30, 0]),
        ((30, 10, 17, 3), [30, "hidden", 17, "few"]),
        ((30, 12, 10, 4, 4), [30, 12, "hidden", "few", "few"]),
        ((25, 20, 3, 2), [25, 20, "few", "few"]),
        ((28, 26, 2), [28, "hidden", "few"]),
        ((4, 3, 1), ["few", "hidden", "hidden"]),
        ((0, 0, 0), [0, 0, 0]),
    ],
)
def test_one_table(before: tuple[int, ...], after: list[int | str]) -> None:
    assert shown(gated([table(*before)])[0]) == after


def test_five_answers_of_one_person_are_small() -> None:
    cell = Cell("a", "a", 6, 1)
    assert is_small(cell)
    one = Table("q", "q", "", Cell("all", "all", 20, 15), (cell, Cell("b", "b", 14, 14)))
    assert shown(gated([one])[0]) == [20, "hidden", "hidden"]


def test_what_is_shared_by_two_tables_is_hidden_in_both() -> None:
    response = Table("r", "r", "", Cell("all", "", 30, 30), (Cell("yes", "", 27, 27), Cell("silent", "", 3, 3)))
    question = table(27, 15, 12, total_name="yes")
    both = gated([response, question])
    assert both[0].cells[0].state == both[1].total.state == "hidden"
    assert "hidden" in [cell.state for cell in both[1].cells]
    assert both[0].cells[0].least == 26
    assert learned([response, question], both) == {}


def test_parts_of_a_small_total_are_not_told_where_they_are_totals_themselves() -> None:
    """Four people answered, each to another wording: "fewer than 5" of each would say that it is one."""
    given = Cell("answered", "", 4, 4)
    response = Table("r", "", "", Cell("all", "", 30, 30), (given, Cell("silent", "", 26, 26)))
    asked = [Cell(f"asked.{at}", "", 1, 1) for at in range(4)]
    wordings = [Table(f"q{at}", "", "", one, (Cell(f"q{at}.yes", "", 1, 1),)) for at, one in enumerate(asked)]
    tables = [response, Table("asked", "", "", given, tuple(asked), shown=False), *wordings]
    known = bounds(gated(tables))
    for cell in (given, *asked):
        low, high = known[cell.name]
        assert low < high, cell.name


def test_an_attacker_learns_nothing_from_tables_by_chance() -> None:
    random = Random(5)
    for _ in range(1000):
        tables = chance_tables(random)
        assert learned(tables, gated(tables)) == {}


@pytest.mark.parametrize("seed", range(1, 4))
def test_all_reports_of_a_season_together_give_nothing_away(seed: int) -> None:
    """While it runs, at its end, after erasures, with every filter, beside another season."""
    other = season_rows(season(1, 20, ("formal",)))
    attack = attacked(seed, most=20, other=other)
    assert attack.learned() == []
    assert attack.targets > 500
    assert attack.numbers > 500


def test_the_attacker_finds_what_a_gap_in_the_gate_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(season_report, "why_no_filter", lambda parts: {})
    assert attacked(2, most=20).learned()
    monkeypatch.setattr(season_report, "gated", list)
    assert attacked(4, most=6).learned()


def test_people_whom_a_filter_leaves_out_are_counted_where_they_were_never_asked() -> None:
    """Without its own table a part still has people: shown for the rest, they would be the difference."""

    def asked(everybody: int, spared: int) -> Table:
        total = Cell("mentee/all", "", everybody, everybody)
        parts = (everybody - spared, spared)
        return Table("answers.mentee/midpoint", "", "", total, tuple(Cell(str(n), "", n, n) for n in parts))

    never = Table("answers.mentee/closure", "", "", Cell("mentee/all", "", 3, 3), (Cell("x", "", 3, 3),))
    assert set(why_no_filter([[asked(20, 10)], [never]])) == {"answers.mentee/midpoint", "answers.mentee/closure"}


def test_a_running_season_has_no_filtered_report() -> None:
    rows = season_rows(season(3, 12, ("formal",)))
    running = replace(rows, mentorships=tuple(replace(one, ending="") for one in rows.mentorships))
    whole = season_report.for_passing_on(running, {})
    part = season_report.filtered_for_passing_on(running, whole, {}, format_="one_to_one")
    assert part.tables == ()
    assert set(part.withheld.values()) == {"filters are for seasons that are over"}


# -- over time -------------------------------------------------------------------------------------------------------


def passed(*tables: Table) -> dict[str, int | str]:
    return released(gated(list(tables)))


@pytest.mark.parametrize(
    ("earlier", "now", "may"),
    [
        ((30, 10, 20), (30, 10, 20), True),
        ((30, 10, 20), (31, 10, 21), False),
        ((30, 10, 20), (35, 15, 20), True),
        ((30, 10, 20), (37, 15, 22), False),
        ((30, 10, 20), (30, 15, 15), True),
        ((30, 10, 17, 3), (30, 11, 16, 3), False),
        ((30, 10, 17, 3), (35, 15, 17, 3), True),
        ((30, 10, 17, 3), (32, 12, 17, 3), False),
        ((30, 10, 17, 3), (40, 16, 17, 7), False),
    ],
)
def test_a_later_report(earlier: tuple[int, ...], now: tuple[int, ...], may: bool) -> None:
    assert may_follow(gated([table(*now)])[0], passed(table(*earlier))) is may


def test_what_was_never_shown_can_follow() -> None:
    assert may_follow(table(31, 10, 21), {"other": 3})
    assert may_follow(table(31, 10, 21), {"q.0": 10, "other": 3})
    assert not may_follow(table(31, 10, 21), {"q.0": 9})


def test_a_table_is_repeated_as_it_was() -> None:
    before = gated([table(30, 10, 17, 3)])
    again = repeated(gated([table(31, 10, 18, 3)])[0], released(before))
    assert again is not None
    assert shown(again) == shown(before[0])
    assert repeated(table(31, 10, 21, name="new"), released(before)) is None


def test_a_table_that_is_shown_as_it_was_contradicts_no_other() -> None:
    """Where more have answered since, questions show it; who answered, as it was, would say another number."""

    def report(answered: int, silent: int) -> Report:
        everybody, given = Cell("all", "", 30, 30), Cell("answered", "", answered, answered)
        spared = 30 - answered - silent
        response = Table("r", "who", "", everybody, cells(answered=answered, silent=silent, spared=spared))
        question = Table("q", "question", "", given, cells(yes=answered))
        empty = season_report.for_passing_on(Season("c", "", "", (), DAY, DAY, ""), {})
        return season_report.with_tables(empty, [response, question], {})

    first, second = report(0, 0), report(14, 2)
    later = following(second, [(DAY, showing(first))])
    assert [table.id for table in later.tables] == ["q"]
    assert later.withheld["who"] == NOT_AGAIN
    assert [table.note for table in following(first, [(DAY, showing(first))]).tables] == ["", ""]


def test_what_differs_and_can_not_be_repeated_is_left_out() -> None:
    """An earlier report showed one number of a table, which has changed by one since, and none of the others."""
    empty = season_report.for_passing_on(Season("c", "", "", (), DAY, DAY, ""), {})
    report = season_report.with_tables(empty, [table(31, 10, 21, name="q")], {})
    later = following(report, [(DAY, {"q.0": 9})])
    assert later.tables == ()
    assert later.withheld["q"] == NOT_AGAIN


def cells(**counts: int) -> tuple[Cell, ...]:
    return tuple(Cell(name, name, count, count) for name, count in counts.items())


def test_the_bounds_hold_the_truth() -> None:
    random = Random(9)
    for _ in range(300):
        tables = chance_tables(random)
        known = bounds(gated(tables))
        for one in tables:
            for cell in (one.total, *one.cells):
                low, high = known[cell.name]
                assert low <= cell.count <= high
