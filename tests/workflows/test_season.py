"""What comes of every row of lifecycle 4 to 6, and of every ending, when real workflows live it."""

from __future__ import annotations

import pytest

from lifecycle.assessment import MATRIX as CORE_MATRIX
from testing.cohorts.cases import CASES, NOTED, REOPENED, TOLD, Case, cells, on
from testing.seasons.played_season import PlayedSeason

ENDINGS = {
    "completed", "completed_partial", "completed_silent", "never_started", "ended_early no_fault",
    "ended_early goals_reached", "ended_early left", "ended_early inactive", "ended_early safeguarding",
}  # fmt: skip
"""Lifecycle 4, `how it ends`; `cancelled` is in `test_changes`."""


def every(cases: list[Case]) -> pytest.MarkDecorator:
    """The test is about each of these cases."""
    return pytest.mark.parametrize("case", cases, ids=[case.key for case in cases])


@every(CASES)
def test_what_comes_of_it(season: PlayedSeason, case: Case) -> None:
    tasks = [task for task in season.ledger["tasks"] if task["mentorship"] == case.key]
    assert [f"{task['kind']} {task['decision']}" for task in tasks] == list(case.tasks)

    told: dict[str, set[str]] = {}
    for mail in season.ledger["mails"]:
        for item in mail["items"]:
            if item["mentorship"] == case.key and item["name"] in TOLD:
                told.setdefault(item["name"], set()).add(mail["person"].removeprefix(f"{case.key}-"))
    assert told == {name: set(roles.split()) for name, roles in case.told.items()}

    assert season.notes[case.key] & set(NOTED) == set(case.notes)

    [ending] = [ending for ending in season.ledger["endings"] if ending["mentorship"] == case.key]
    assert f"{ending['ending']} {ending['reason'] or ''}".strip() == case.ending


def test_every_ending_and_every_cell_is_reached() -> None:
    assert {case.ending.replace("never_started seat_empty", "never_started") for case in CASES} >= ENDINGS
    assert len(cells()) == len(CORE_MATRIX) == 21


def test_agreements_open_again_where_the_page_says_so(season: PlayedSeason) -> None:
    again = {
        step["mentorship"] for step in season.ledger["steps"] if step["name"] == "agreement" and step["number"] == 2
    }
    assert again == REOPENED


def test_nobody_gets_two_ordinary_mails_on_one_day(season: PlayedSeason) -> None:
    days: dict[tuple[str, str], int] = {}
    for mail in season.ledger["mails"]:
        if any(item["kind"] not in ("receipt", "urgent") for item in mail["items"]):
            day = mail["person"], mail["at"][:10]
            days[day] = days.get(day, 0) + 1
    assert max(days.values()) == 1


def test_no_request_is_mailed_more_than_three_times(season: PlayedSeason) -> None:
    asked: dict[str, int] = {}
    for mail in season.ledger["mails"]:
        for item in mail["items"]:
            if item["kind"] in ("request", "reminder"):
                request = item["key"].rsplit("/", 1)[0]
                asked[request] = asked.get(request, 0) + 1
    assert max(asked.values()) == 3


def test_who_is_away_is_reminded_when_they_are_back_or_not_at_all(season: PlayedSeason) -> None:
    dropped = {line["key"]: line["reason"] for line in season.ledger["dropped"] if line["reason"] == "away"}
    cohort = season.loaded.cohort.cohort
    assert dropped == {
        f"{cohort}/away-too-long/check_in#2/away-too-long-mentee/reminder.1": "away",
        f"{cohort}/away-at-the-first/midpoint#1/away-at-the-first-mentee/reminder.1": "away",
    }
    reminded = {
        item["key"]: mail["at"][:10]
        for mail in season.ledger["mails"]
        for item in mail["items"]
        if item["kind"] == "reminder" and item["name"] != "closure" and item["mentorship"].startswith("away-")
    }
    assert reminded == {
        f"{cohort}/away-back-in-time/check_in#2/away-back-in-time-mentee/reminder.1": on(32),
        f"{cohort}/away-at-the-first/midpoint#1/away-at-the-first-mentee/reminder.2": on(94),
    }
