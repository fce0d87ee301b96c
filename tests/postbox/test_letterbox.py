"""When a letterbox is open (lifecycle 2.4 and 2.5)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.delivery.letterbox import LetterboxRule, NeverOpenError, is_open, next_open, ready_at, rule_of
from program.models import WEEKDAYS, Letterbox

USUAL = rule_of(Letterbox())
ZONES = (
    "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Pacific/Auckland", "Pacific/Chatham",
    "Africa/Casablanca", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "UTC",
)  # fmt: skip


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "not_before", "not_on", "opens"),
    [
        pytest.param("Europe/Berlin", "2026-03-02T03:00", None, "2026-03-02T08:00", id="at night: this morning"),
        pytest.param("Europe/Berlin", "2026-03-02T08:00", None, "2026-03-02T08:00", id="as it opens: now"),
        pytest.param("Europe/Berlin", "2026-03-02T12:34", None, "2026-03-02T12:34", id="while open: now"),
        pytest.param("Europe/Berlin", "2026-03-02T17:00", None, "2026-03-03T08:00", id="as it closes: tomorrow"),
        pytest.param("Europe/Berlin", "2026-03-06T17:30", None, "2026-03-09T08:00", id="Friday evening: Monday"),
        pytest.param("Europe/Berlin", "2026-03-02T12:00", "2026-03-02", "2026-03-03T08:00", id="had mail today"),
        pytest.param("Europe/Berlin", "2026-03-06T12:00", "2026-03-06", "2026-03-09T08:00", id="had mail, Friday"),
        pytest.param("Europe/Berlin", "2026-03-03T12:00", "2026-03-02", "2026-03-03T12:00", id="had mail yesterday"),
        pytest.param("America/New_York", "2026-03-02T08:00", None, "2026-03-02T14:00", id="own zone"),
        pytest.param("Pacific/Auckland", "2026-03-01T21:00", None, "2026-03-01T21:00", id="already Monday there"),
        pytest.param("Europe/Berlin", "2026-03-27T18:00", None, "2026-03-30T07:00", id="clocks go forward between"),
        pytest.param("Europe/Berlin", "2026-10-23T18:00", None, "2026-10-26T08:00", id="clocks go back between"),
    ],
)
def test_the_next_moment_at_which_mail_may_arrive(zone: str, not_before: str, not_on: str | None, opens: str) -> None:
    other_than = date.fromisoformat(not_on) if not_on else None
    assert next_open(USUAL, zone, utc(not_before), other_than) == utc(opens)


def test_holidays_are_no_sending_days() -> None:
    easter = rule_of(Letterbox(), (date(2026, 4, 3), date(2026, 4, 6)))
    assert next_open(easter, "Europe/Berlin", utc("2026-04-02T17:00")) == utc("2026-04-07T07:00")


@pytest.mark.parametrize(
    ("zone", "opens", "closes", "on", "open_from", "open_until"),
    [
        # Berlin, 29 March 2026: 02:00 becomes 03:00.
        ("Europe/Berlin", time(2, 30), time(4), "2026-03-29", "2026-03-29T01:00", "2026-03-29T02:00"),
        ("Europe/Berlin", time(1), time(2, 30), "2026-03-29", "2026-03-29T00:00", "2026-03-29T01:00"),
        # Berlin, 25 October 2026: 02:00 to 03:00 occurs twice, and the first counts.
        ("Europe/Berlin", time(2, 30), time(4), "2026-10-25", "2026-10-25T00:30", "2026-10-25T03:00"),
        ("Europe/Berlin", time(1), time(2, 30), "2026-10-25", "2026-10-24T23:00", "2026-10-25T00:30"),
        # São Paulo, 4 November 2018: midnight becomes one o'clock.
        ("America/Sao_Paulo", time(0, 15), time(4), "2018-11-04", "2018-11-04T03:00", "2018-11-04T06:00"),
        # Lord Howe jumps by half an hour.
        ("Australia/Lord_Howe", time(2, 10), time(4), "2026-10-04", "2026-10-03T15:30", "2026-10-03T17:00"),
    ],
)
def test_a_skipped_wall_time_is_the_next_valid_minute_and_a_doubled_one_the_first(
    zone: str, opens: time, closes: time, on: str, open_from: str, open_until: str
) -> None:
    rule = LetterboxRule(opens, closes, frozenset(WEEKDAYS))
    before = utc(open_from) - timedelta(minutes=1)
    assert next_open(rule, zone, before - timedelta(hours=1), date.fromisoformat(on) - timedelta(days=1)) == utc(
        open_from
    )
    assert not is_open(rule, zone, before)
    assert is_open(rule, zone, utc(open_from))
    assert is_open(rule, zone, utc(open_until) - timedelta(minutes=1))
    assert not is_open(rule, zone, utc(open_until))


def test_a_day_whose_opening_time_is_skipped_altogether_is_no_sending_day() -> None:
    rule = LetterboxRule(time(2, 10), time(2, 50), frozenset(WEEKDAYS))
    assert next_open(rule, "Europe/Berlin", utc("2026-03-28T12:00")) == utc("2026-03-30T00:10")
    # Samoa left out 30 December 2011.
    assert next_open(rule_of(Letterbox(days=("fri",))), "Pacific/Apia", utc("2011-12-29T12:00")) == utc(
        "2012-01-05T19:00"
    )


@pytest.mark.parametrize(
    "rule",
    [
        LetterboxRule(time(9), time(18), frozenset()),
        LetterboxRule(time(18), time(9), frozenset(WEEKDAYS)),
        LetterboxRule(time(9), time(9), frozenset(WEEKDAYS)),
    ],
    ids=["no day", "closes before it opens", "never longer than nothing"],
)
def test_a_letterbox_that_never_opens_is_said_and_not_looked_for_for_ever(rule: LetterboxRule) -> None:
    with pytest.raises(NeverOpenError, match="sending day"):
        next_open(rule, "UTC", utc("2026-03-02T08:00"))
    with pytest.raises(NeverOpenError):
        is_open(rule, "UTC", utc("2026-03-02T08:00"))


def test_an_item_is_ready_when_its_date_has_begun_there_and_the_engine_has_it() -> None:
    assert ready_at(date(2026, 3, 2), "America/New_York", utc("2026-03-01T12:00")) == utc("2026-03-02T05:00")
    assert ready_at(date(2026, 3, 2), "America/New_York", utc("2026-03-02T12:00")) == utc("2026-03-02T12:00")


rules = st.builds(
    LetterboxRule,
    opens=st.times(max_value=time(12)).map(lambda at: at.replace(microsecond=0)),
    closes=st.times(min_value=time(12, 30)).map(lambda at: at.replace(microsecond=0)),
    days=st.frozensets(st.sampled_from(WEEKDAYS), min_size=1),
    holidays=st.frozensets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=20),
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


@given(rule=rules, zone=st.sampled_from(ZONES), not_before=moments, had_mail=st.booleans())
def test_the_answer_is_always_inside_an_open_letterbox_and_the_earliest(
    rule: LetterboxRule, zone: str, not_before: datetime, had_mail: bool
) -> None:
    tz = ZoneInfo(zone)
    not_on = not_before.astimezone(tz).date() if had_mail else None
    found = next_open(rule, zone, not_before, not_on)
    local = found.astimezone(tz)
    assert found >= not_before
    assert is_open(rule, zone, found)
    assert local.date() != not_on
    assert WEEKDAYS[local.weekday()] in rule.days
    assert local.date() not in rule.holidays
    assert rule.opens <= local.timetz().replace(tzinfo=None) < rule.closes
    # Nothing earlier would have done: not the moment itself, nor the minute before, nor any hour between.
    between = not_before
    while between < found:
        assert not is_open(rule, zone, between) or between.astimezone(tz).date() == not_on
        between += max(timedelta(hours=1), (found - not_before) / 200)
    if found > not_before:
        before = found - timedelta(seconds=1)
        assert not is_open(rule, zone, before) or before.astimezone(tz).date() == not_on
