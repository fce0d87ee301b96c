"""Lifecycle 2: when a date begins and has ended for a mentorship, and that a step lies at its anchor and offset."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import available_timezones

import pytest

from lifecycle.advance import advance
from lifecycle.events import Moved, Seen
from lifecycle.local_time import (
    begins,
    begins_for,
    begun_everywhere,
    begun_somewhere,
    ended_for,
    has_ended,
    instant,
    local_date,
    working_days_after,
)
from program.models import Program
from testing.cohorts.one_mentorship import SILENCE, START, OneMentorship, one_mentorship, program

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# -- instants ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "on", "wall", "expected"),
    [
        ("Europe/Berlin", date(2027, 1, 18), time(0), "2027-01-17T23:00"),
        ("Europe/Berlin", date(2027, 7, 5), time(9), "2027-07-05T07:00"),
        # 28 March 2027, 02:00 to 03:00 does not exist in Berlin: the next valid minute.
        ("Europe/Berlin", date(2027, 3, 28), time(2, 30), "2027-03-28T01:00"),
        # 31 October 2027, 02:00 to 03:00 happens twice in Berlin: the first.
        ("Europe/Berlin", date(2027, 10, 31), time(2, 30), "2027-10-31T00:30"),
        ("Europe/Berlin", date(2027, 10, 31), time(3), "2027-10-31T02:00"),
        # 14 March 2027 in New York.
        ("America/New_York", date(2027, 3, 14), time(2, 15), "2027-03-14T07:00"),
        # 30 April 2027: Cairo skips the first hour of the day, so the day begins at one.
        ("Africa/Cairo", date(2027, 4, 30), time(0), "2027-04-29T22:00"),
        # Lord Howe Island moves by half an hour.
        ("Australia/Lord_Howe", date(2027, 10, 3), time(2, 10), "2027-10-02T15:30"),
        # Samoa left out 30 December 2011 altogether.
        ("Pacific/Apia", date(2011, 12, 30), time(9), "2011-12-30T10:00"),
    ],
)
def test_a_wall_time_that_is_skipped_becomes_the_next_minute_and_one_that_comes_twice_means_the_first(
    zone: str, on: date, wall: time, expected: str
) -> None:
    assert instant(on, wall, zone) == utc(expected)


def test_a_day_is_a_calendar_day_and_never_24_hours() -> None:
    spring, autumn = date(2027, 3, 28), date(2027, 10, 31)
    assert (has_ended(spring, "Europe/Berlin") - begins(spring, "Europe/Berlin")).total_seconds() == 23 * 3600
    assert (has_ended(autumn, "Europe/Berlin") - begins(autumn, "Europe/Berlin")).total_seconds() == 25 * 3600


def test_a_date_begins_with_the_first_participant_and_has_ended_with_the_last() -> None:
    zones = ("Pacific/Auckland", "America/Los_Angeles")
    assert begins_for(START, zones) == utc("2027-01-17T11:00")
    assert ended_for(START, zones) == utc("2027-01-19T08:00")


def test_what_follows_from_an_event_is_dated_so_that_it_has_begun_wherever_the_reader_lives() -> None:
    now = utc("2027-01-18T11:59")
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Etc/GMT+12"):
        assert begins(begun_everywhere(now), zone) <= now


@pytest.mark.parametrize("hour", range(24))
def test_no_later_date_has_begun_anywhere(hour: int) -> None:
    now = datetime(2027, 6, 30, hour, 30, tzinfo=UTC)
    assert begun_somewhere(now) == max(local_date(now, zone) for zone in available_timezones())


@pytest.mark.parametrize(
    ("on", "count", "due"),
    [
        (date(2027, 1, 18), 0, date(2027, 1, 18)),
        (date(2027, 1, 18), 1, date(2027, 1, 19)),
        (date(2027, 1, 18), 5, date(2027, 1, 25)),
        (date(2027, 1, 22), 2, date(2027, 1, 26)),
        (date(2027, 1, 23), 0, date(2027, 1, 23)),  # today, though it is a Saturday
        (date(2027, 1, 23), 1, date(2027, 1, 26)),  # Monday the 25th is a holiday here
    ],
)
def test_working_days_count_from_the_day_after_and_leave_out_weekends_and_holidays(
    on: date, count: int, due: date
) -> None:
    holidays = (date(2027, 1, 25),) if on == date(2027, 1, 23) else ()
    assert working_days_after(on, count, WEEKDAYS, holidays) == due


# -- a mentorship over several zones -----------------------------------------------------------------------------


def test_steps_begin_with_the_first_participant_whatever_the_cohorts_zone() -> None:
    played = one_mentorship(zones={"mia": "Pacific/Auckland", "ned": "America/Los_Angeles"}).play(until=1)
    opened = next(done for done in played.batches if any(post.name == "introduction" for post in done.posts))
    assert opened.now == utc("2027-01-17T11:00")
    assert {post.date for post in opened.posts} == {START}


def test_steps_begin_to_the_minute_where_days_begin_first_on_earth() -> None:
    played = one_mentorship(zones={"mia": "Pacific/Kiritimati", "ned": "Pacific/Kiritimati"}).play(until=-2)
    for minute, state in (("09:59", "planned"), ("10:00", "settled")):
        advance(played.state, Seen(minute, "mia"), utc(f"2027-01-17T{minute}"))
        assert played.step("introduction").state == state


def test_a_window_closes_when_its_last_day_has_ended_for_the_last_participant() -> None:
    played = one_mentorship(zones={"mia": "Pacific/Auckland", "ned": "America/Los_Angeles"})
    played.silent("ned", "fit_check").play(until=30)
    closing = next(done for done in played.batches if any(ask.ask == "fit_check" for ask in done.assess))
    assert played.step("fit_check").closes == played.day(21)
    assert closing.now == utc("2027-02-09T08:00")


def test_dates_stay_where_the_calendar_puts_them_when_clocks_change() -> None:
    played = one_mentorship(zones={"mia": "Europe/Berlin", "ned": "America/New_York"}).play()
    begun = {
        (post.name, post.number): done.now for done in played.batches for post in done.posts if post.kind == "request"
    }
    assert begun["check_in", 2] == utc("2027-03-18T23:00")  # Berlin in winter
    assert begun["midpoint", 1] == utc("2027-04-11T22:00")  # and in summer
    assert begun["follow_up", 1] == utc("2028-01-16T23:00")


def test_whoever_moves_to_another_zone_takes_the_dates_along() -> None:
    played = (
        one_mentorship()
        .silent("everyone", "check_in 1")
        .on(35, Moved("e", "ned", "America/Los_Angeles"))
        .play(until=45)
    )
    moved = [move for done in played.batches for move in done.move_requests]
    assert {move.closes_at for move in moved} == {utc("2027-02-28T08:00")}
    assert {move.key for move in moved} == {"c/m/check_in#1/mia", "c/m/check_in#1/ned"}
    closing = next(done for done in played.batches if any(ask.ask == "check_in" for ask in done.assess))
    assert closing.now == utc("2027-02-28T08:00")


# -- the plan ----------------------------------------------------------------------------------------------------

FORMAL = """
invitation 1 S-21..-7
introduction 1 S+0
agreement 1 S+0..21
fit_check 1 S+14..21
check_in 1 S+30..40
check_in 2 S+60..70
midpoint 1 S+84..98
check_in 3 S+120..130
check_in 4 S+150..160
winding_down 1 S+154
winding_down 2 S+168
closure 1 S+179..203
"""

INFORMAL = """
invitation 1 S-21..-7
introduction 1 S+0
check_in 1 S+30..40
check_in 2 S+60..70
winding_down 1 S+84
check_in 3 S+90..100
winding_down 2 S+98
closure 1 S+109..133
"""


def informal() -> Program:
    phases = {
        "expectations": {"agreement": None, "fit_check": None},
        "check_ins": {"clear_of_midpoint": 0},
        "midpoint": None,
    }
    return program(length="16w", phases=phases)


@pytest.mark.parametrize(
    ("of", "expected"),
    [(program(), FORMAL), (program("reverse"), FORMAL), (program("peer"), FORMAL), (program("group"), FORMAL),
     (informal(), INFORMAL)],
    ids=["formal", "reverse", "peer", "group", "informal"],
)  # fmt: skip
def test_the_plan_of_each_program(of: Program, expected: str) -> None:
    planned = [line.removesuffix(" planned") for line in OneMentorship(of).plan()]
    assert planned == expected.strip().splitlines()


def test_the_midpoint_is_half_way_rounded_down() -> None:
    assert one_mentorship(length=183).state.midpoint == one_mentorship().day(91)
    assert one_mentorship(length=15).state.midpoint == one_mentorship().day(7)


@pytest.mark.parametrize(
    ("every", "length", "opens"),
    [
        (30, 182, [30, 60, 120, 150]),
        # M = 91: the 14th day before and after it belong to it, the 15th does not.
        (77, 182, [154]),
        (76, 182, [76, 152]),
        (105, 182, []),
        (106, 182, [106]),
        # E = 182: the 14th day before it is left out, the 15th is not.
        (168, 182, []),
        (167, 182, [167]),
        (182, 182, []),
        (0, 182, []),
        (7, 84, [7, 14, 21, 63]),
    ],
)
def test_check_ins_keep_clear_of_midpoint_and_end_and_are_numbered_in_order(
    every: int, length: int, opens: list[int]
) -> None:
    played = one_mentorship(length=length, phases={"check_ins": {"every": every}})
    assert played.opens("check_in") == opens
    assert [step.number for step in played.state.steps if step.name == "check_in"] == list(range(1, len(opens) + 1))


def test_a_program_can_limit_how_many_check_ins_there_are() -> None:
    assert one_mentorship(phases={"check_ins": {"at_most": 3}}).opens("check_in") == [30, 60, 120]


def test_a_late_joiner_has_a_start_of_their_own() -> None:
    assert one_mentorship(start=date(2027, 3, 1)).plan() == one_mentorship().plan()


# -- the two verbs -----------------------------------------------------------------------------------------------


def test_a_reminder_goes_to_whoever_has_not_answered_and_never_on_or_after_the_close() -> None:
    window = {"opens": "start + 14d", "reminders": [2, 6, 7, 9], "closes": 7}
    played = one_mentorship(phases={"expectations": {"fit_check": window}})
    played.silent("ned", "fit_check").says("mia", "fit_check", after=4).play(until=30)
    assert played.mail("fit_check") == {
        "mia": ["request S+14", "reminder S+16"],
        "ned": ["request S+14", "reminder S+16", "reminder S+20"],
    }


def test_an_ask_settles_as_soon_as_all_have_answered_else_when_its_close_has_ended() -> None:
    played = one_mentorship().says("ned", "check_in 1", after=5).silent("ned", "check_in 2").play()
    assert played.plan("check_in")[:2] == ["check_in 1 S+30..40 settled S+35", "check_in 2 S+60..70 settled S+71"]
    assert played.told("check_in")["ned"].count(63) == 1  # the reminder of check-in 2


def test_an_answer_after_the_close_is_noted_and_a_low_score_is_told_as_it_comes() -> None:
    played = one_mentorship().says("ned", "check_in 1", after=15, p_open=1).play(until=60)
    assert played.noted("late_answer") == [(45, "ned", "check_in#1")]
    assert played.noted("one_silent") == [(41, "ned", "check_in#1")]
    assert played.task_lines() == ["low_score S+45 due S+52"]


def test_silence_is_an_answer_too_and_never_stops_the_plan() -> None:
    played = one_mentorship()
    played.replies["everyone", "agreement"] = SILENCE
    played.silent("everyone", "fit_check", "check_in", "midpoint", "closure").play()
    assert [line.split()[-1] for line in played.plan("fit_check", "midpoint")] == ["S+22", "S+99"]
    assert played.ending is not None
