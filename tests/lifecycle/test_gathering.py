"""The gathering of a cohort: what falls due when, before there are mentorships (matching, section 1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from lifecycle.gathering import Gathering, call_number
from lifecycle.keys import application_item_key

CALL = Gathering("Europe/Berlin", date(2027, 3, 1), date(2027, 3, 21))
WISHING = replace(CALL, wishes_open=date(2027, 3, 24), wishes_close=date(2027, 3, 30))
MIDNIGHT = timedelta(hours=1)
"""Berlin is an hour ahead of UTC before 28 March."""


def midnight(day: int, month: int = 3) -> datetime:
    """The instant at which this date begins in Berlin, in winter time."""
    return datetime(2027, month, day, tzinfo=UTC) - MIDNIGHT


def fallen(gathering: Gathering, now: datetime) -> list[str]:
    return [moment.name for moment in gathering.due(now)]


def test_a_call_opens_reminds_calls_last_closes_and_asks_to_match() -> None:
    assert [(moment.name, moment.on) for moment in CALL.moments()] == [
        ("invite", date(2027, 3, 1)),
        ("remind_invited", date(2027, 3, 11)),
        ("last_call", date(2027, 3, 19)),
        ("close", date(2027, 3, 21)),
        ("match", date(2027, 3, 22)),
        ("match_repeated", date(2027, 3, 26)),
        ("match_to_deputy", date(2027, 3, 30)),
    ]
    assert CALL.moments()[3].at == midnight(22), "a close happens when its date has ended"


def test_wishes_are_asked_for_between_the_close_and_the_match() -> None:
    names = [moment.name for moment in WISHING.moments()]
    assert names[3:6] == ["close", "ask_wishes", "match"]
    assert WISHING.last_day == date(2027, 3, 30)
    assert WISHING.match_due == date(2027, 4, 6)
    assert replace(WISHING, holidays=frozenset({date(2027, 4, 1)})).match_due == date(2027, 4, 7)


@pytest.mark.parametrize(
    ("days", "calls"),
    [
        (0, ["invite"]),
        (2, ["invite"]),
        (3, ["invite", "last_call"]),
        (4, ["invite", "remind_invited", "last_call"]),
    ],
)
def test_a_short_call_has_fewer_mails(days: int, calls: list[str]) -> None:
    short = replace(CALL, closes=CALL.opens + timedelta(days=days))
    told = {"invite", "remind_invited", "last_call"}
    assert sorted(moment.name for moment in short.moments() if moment.name in told) == sorted(calls)


@pytest.mark.parametrize(
    ("now", "stage"),
    [
        (midnight(1) - timedelta(seconds=1), "planned"),
        (midnight(1), "applying"),
        (midnight(22), "closed"),
        (midnight(24), "wishing"),
        (datetime(2027, 3, 30, 22, tzinfo=UTC), "matching"),
    ],
)
def test_each_stage_begins_with_its_date(now: datetime, stage: str) -> None:
    assert WISHING.stage(now) == stage
    assert replace(WISHING, published=True).stage(now) == "published"


def test_without_wishes_matching_begins_with_the_close() -> None:
    assert CALL.stage(midnight(22)) == "matching"


def test_after_an_outage_the_invited_get_one_mail_and_none_once_it_has_closed() -> None:
    assert fallen(CALL, midnight(1)) == ["invite"]
    assert fallen(CALL, midnight(12)) == ["remind_invited"]
    assert fallen(CALL, midnight(20)) == ["last_call"]
    assert fallen(CALL, midnight(22)) == ["close", "match"]


def test_once_published_nothing_falls_due() -> None:
    published = replace(WISHING, published=True)
    assert published.due(midnight(30)) == ()
    assert published.next_at(midnight(1)) is None
    assert CALL.next_at(midnight(1)) == midnight(11)
    assert CALL.next_at(midnight(30)) is None


def test_today_is_the_date_of_the_cohort() -> None:
    assert CALL.today(midnight(2)) == date(2027, 3, 2)
    assert application_item_key("spring", "4kx9", "last_call") == "spring/call/4kx9/last_call.1"


def test_a_first_mail_is_no_reminder_and_none_comes_twice() -> None:
    opening, reminder, last = CALL.moments()[:3]
    assert call_number(opening, {}) == 1
    assert call_number(last, {}) == 1, "who hears of the call for the first time is not reminded"
    assert call_number(reminder, {1: opening.at}) == 2
    assert call_number(reminder, {1: opening.at, 2: reminder.at}) is None
    assert call_number(reminder, {1: reminder.at}) is None, "the first mail came at the moment of the reminder"
