"""Lifecycle 4, onboarding: everyone is invited; every seat must be taken before anything else happens."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lifecycle.commands import MoveRequest
from lifecycle.events import Add, Answered, End, Leave, Remove, Replace
from lifecycle.findings import Signals
from testing.cohorts.one_mentorship import START, OneMentorship, one_mentorship

GIVEN_UP = ("never_started", "no_decision", 22)
"""The end of S+21 is the first moment of S+22."""


def moved(played: OneMentorship) -> list[MoveRequest]:
    return [move for done in played.batches for move in done.move_requests]


def test_everyone_accepts_and_the_mentorship_waits_for_its_start() -> None:
    played = one_mentorship().play(until=-1)
    assert played.mail("invitation") == {"mia": ["request S-21"], "ned": ["request S-21"]}
    assert played.plan("invitation") == ["invitation 1 S-21..-7 settled S-20"]
    assert played.state.onboarded
    assert played.state.phase == "onboarding"
    assert played.noted("accepted") == [(-20, "mia", ""), (-20, "ned", "")]
    assert {item.name for item in played.items} == {"invitation"}


def test_reminders_four_and_nine_days_after_the_invitation() -> None:
    played = one_mentorship().says("ned", "invitation", after=10).play(until=-1)
    assert played.mail("invitation")["ned"] == ["request S-21", "reminder S-17", "reminder S-12"]


def test_a_later_launch_opens_the_invitation_on_its_own_day() -> None:
    played = one_mentorship(launch=START - timedelta(days=10)).says("ned", "invitation", after=12).play(until=5)
    assert played.plan("invitation") == ["invitation 1 S-10..4 settled S+2"]
    assert played.mail("invitation")["ned"] == ["request S-10", "reminder S-6", "reminder S-1"]


@pytest.mark.parametrize("format_", ["one_to_one", "reverse", "peer", "group"])
def test_somebody_declines_and_a_coordinator_hears_of_it_at_that_moment_and_nobody_else(format_: str) -> None:
    played = one_mentorship(format_)
    who = list(played.state.members)[-1].person
    played.says(who, "invitation", accept=False, after=3).play(until=-1)
    assert played.task_lines() == ["seat_empty S-18 due S-13"]
    assert played.task("seat_empty").about == (who,)
    others = {item.person for item in played.items if item.name != "invitation"}
    assert others == {"cora", "dora"}


def test_somebody_does_not_answer_by_the_close() -> None:
    played = one_mentorship().silent("ned", "invitation").play(until=0)
    assert played.task_lines() == ["seat_empty S-6 due S-3"]
    assert played.task("seat_empty").about == ("ned",)
    assert played.state.member("ned").standing == "silent"  # type: ignore[union-attr]


def test_nobody_decides_until_the_end_of_s_plus_21_and_it_never_starts() -> None:
    played = one_mentorship().silent("ned", "invitation").play()
    assert played.ending == GIVEN_UP
    assert played.told("not_starting") == {"mia": [22]}
    assert played.task_lines() == ["seat_empty S-6 due S-3 lapsed S+22"]
    assert "introduction" not in {item.name for item in played.items}


def test_the_decision_to_end() -> None:
    played = one_mentorship().says("ned", "invitation", accept=False).decides("seat_empty", "end", after=2).play()
    assert played.ending == ("never_started", "seat_empty", -18)
    assert played.told("not_starting") == {"mia": [-18]}


def test_nobody_is_told_that_it_does_not_start_who_has_not_accepted() -> None:
    played = one_mentorship().silent("everyone", "invitation").play()
    assert played.ending == GIVEN_UP
    assert played.told("not_starting") == {}


# -- wait --------------------------------------------------------------------------------------------------------


def test_waiting_keeps_the_request_open_for_seven_more_days_without_mail_and_then_the_task_comes_again() -> None:
    played = one_mentorship().silent("ned", "invitation").decides("seat_empty", "wait", after=2).play(until=10)
    assert [(move.key, move.closes, move.reopen) for move in moved(played)] == [
        ("c/m/invitation#1/ned", played.day(3), True)
    ]
    assert played.task_lines() == ["seat_empty S-6 due S-3 wait S-4", "seat_empty S+4 due S+9"]
    assert len(played.told("invitation")["ned"]) == 3
    ended = [(end.key, end.state) for done in played.batches for end in done.end_requests]
    assert ended == [("c/m/invitation#1/ned", "closed")] * 2  # at its close, and after the seven days
    assert played.play().ending == GIVEN_UP


def test_an_answer_while_the_coordinator_waits_takes_the_seat() -> None:
    played = one_mentorship().says("ned", "invitation", after=20).decides("seat_empty", "wait").play(until=1)
    assert played.task_lines() == ["seat_empty S-6 due S-3 wait S-5"]
    assert played.noted("late_answer") == []
    assert played.told("introduction") == {"mia": [0], "ned": [0]}
    assert played.play().ending == ("completed", "", 182)


def test_a_late_acceptance_counts_as_long_as_the_empty_seat_is_undecided() -> None:
    played = one_mentorship().says("ned", "invitation", after=18).play(until=1)
    assert played.task_lines() == ["seat_empty S-6 due S-3 filled S-3"]
    assert played.told("introduction") == {"mia": [0], "ned": [0]}


def test_waiting_may_last_beyond_s_plus_21_and_then_the_task_comes_again_until_its_own_due_date() -> None:
    played = one_mentorship().silent("ned", "invitation").decides("seat_empty", "wait", after=26).play()
    assert played.task_lines() == ["seat_empty S-6 due S-3 wait S+20", "seat_empty S+28 due S+31 lapsed S+32"]
    assert played.ending == ("never_started", "no_decision", 32)


def test_after_s_plus_21_there_is_no_more_waiting() -> None:
    played = one_mentorship().silent("ned", "invitation").decides("seat_empty", "wait", after=26)
    played.decides("seat_empty", "wait", after=1).play()
    assert played.refused == [f"waiting was possible until {played.day(21)}; decide replace or end"]
    assert played.ending == ("never_started", "no_decision", 32)


# -- replace -----------------------------------------------------------------------------------------------------


def test_a_replacement_gets_the_invitation_with_a_fresh_window() -> None:
    played = one_mentorship().says("ned", "invitation", accept=False, after=3)
    played.decides("seat_empty", "replace", newcomer="nils", newcomer_zone="Europe/Paris")
    played.says("nils", "invitation", after=10).play(until=1)
    assert played.task_lines() == ["seat_empty S-18 due S-13 replace S-17"]
    assert played.mail("invitation")["nils"] == ["request S-17", "reminder S-13", "reminder S-8"]
    assert played.step("invitation", 2).closes == played.day(-3)
    assert played.told("introduction") == {"mia": [0], "nils": [0]}
    assert played.told("agreement") == {"nils": [0]} | {"mia": [1]}


def test_a_replacement_who_does_not_answer_leaves_the_seat_empty_again() -> None:
    played = one_mentorship().says("ned", "invitation", accept=False, after=3).silent("nils", "invitation")
    played.decides("seat_empty", "replace", newcomer="nils").play()
    assert played.task_lines() == [
        "seat_empty S-18 due S-13 replace S-17",
        "seat_empty S-2 due S+2 lapsed S+22",
    ]
    assert played.ending == GIVEN_UP


def test_each_of_two_empty_seats_is_decided() -> None:
    played = (
        one_mentorship("group")
        .says("noa", "invitation", accept=False)
        .says("nia", "invitation", accept=False, after=2)
    )
    played.decides("seat_empty", "replace", after=3, newcomer="nils", person="noa")
    played.decides("seat_empty", "replace", after=3, newcomer="nele", person="nia").play(until=1)
    assert played.task_lines() == ["seat_empty S-20 due S-17 replace S-17", "seat_empty S-17 due S-12 replace S-14"]
    assert set(played.told("introduction")) == {"mia", "ned", "nils", "nele"}


def test_a_group_goes_on_without_whoever_declined_once_their_seat_is_removed() -> None:
    played = one_mentorship("group").says("nia", "invitation", accept=False)
    played.on(-10, Remove("e", "nia", "cora")).play(until=1)
    assert played.task_lines("seat_empty") == ["seat_empty S-20 due S-17 filled S-10"]
    assert set(played.told("introduction")) == {"mia", "ned", "noa"}


def test_whoever_is_replaced_after_accepting_is_waited_for_no_longer() -> None:
    played = (
        one_mentorship()
        .on(-3, Replace("e", "ned", "nils", "", "cora"))
        .says("nils", "invitation", after=5)
        .play(until=20)
    )
    assert played.told("introduction") == {"mia": [2], "nils": [2]}
    assert played.everything_told("ned") == ["S-21 request invitation 1"]


# -- late --------------------------------------------------------------------------------------------------------


def test_an_onboarding_that_ends_after_s_keeps_the_dates_and_leaves_out_what_has_passed() -> None:
    played = one_mentorship().says("ned", "invitation", accept=False, after=3).silent("nils", "invitation 2")
    played.decides("seat_empty", "replace", after=25, newcomer="nils")
    played.replies.pop(("nils", "invitation 2"))
    played.says("nils", "invitation", after=16).play(until=100)
    assert played.step("invitation", 2).settled == played.day(22)  # nobody answered within fourteen days
    assert played.told("introduction") == {"mia": [23], "nils": [23]}
    assert played.plan("agreement", "fit_check", "check_in")[:3] == [
        "agreement 1 S+0..21 skipped",
        "fit_check 1 S+14..21 skipped",
        "check_in 1 S+30..40 settled S+31",
    ]
    assert [detail for _, _, detail in played.noted("step_skipped")] == [
        "agreement#1 its window has passed",
        "fit_check#1 its window has passed",
    ]


def test_a_launch_after_the_start_still_gives_everybody_the_whole_window() -> None:
    played = one_mentorship(launch=START + timedelta(days=15)).silent("ned", "invitation").play()
    assert played.plan("invitation") == ["invitation 1 S+15..29 settled S+30"]
    assert played.task_lines() == ["seat_empty S+30 due S+35 lapsed S+36"]
    assert played.ending == ("never_started", "no_decision", 36)


def test_an_invitation_whose_window_the_engine_slept_through_counts_from_today() -> None:
    played = one_mentorship().away(-25, -1).play(until=30)
    assert played.plan("invitation") == ["invitation 1 S-1..13 settled S+0"]
    assert played.told("introduction") == {"mia": [0], "ned": [0]}


# -- second thoughts ---------------------------------------------------------------------------------------------


def declines(person: str) -> Answered:
    return Answered("again", person, "invitation", 1, Signals(accepted=False), one_mentorship().now)


def test_whoever_declines_after_accepting_leaves_the_seat_empty_before_the_start() -> None:
    played = one_mentorship().on(-10, declines("ned")).play(until=5)
    assert played.task_lines() == ["seat_empty S-10 due S-5"]
    assert "introduction" not in {item.name for item in played.items}


def test_and_leaves_the_mentorship_after_it() -> None:
    played = one_mentorship().on(5, declines("ned")).play(until=6)
    assert played.told("partner_left") == {"mia": [5]}
    assert played.task_lines() == ["withdrawn S+5 due S+9"]


def test_whoever_leaves_before_the_start_leaves_the_seat_empty_and_nobody_is_told_who() -> None:
    played = one_mentorship().on(-10, Leave("e", "ned")).play()
    assert played.task_lines() == ["seat_empty S-10 due S-5 lapsed S+22"]
    assert played.told("partner_left") == {}
    assert played.ending == GIVEN_UP


def test_waiting_for_somebody_who_left_ends_with_the_task_again() -> None:
    played = one_mentorship().on(-10, Leave("e", "ned")).decides("seat_empty", "wait").play()
    assert played.task_lines() == ["seat_empty S-10 due S-5 wait S-9", "seat_empty S-1 due S+2 lapsed S+22"]
    assert moved(played) == []


def test_the_seat_of_somebody_who_left_before_the_start_can_be_taken() -> None:
    played = (
        one_mentorship().on(-10, Leave("e", "ned")).decides("seat_empty", "replace", newcomer="nils").play(until=2)
    )
    assert played.told("introduction") == {"mia": [0], "nils": [0]}


def test_a_group_that_loses_a_mentee_before_the_start_goes_on_and_a_task_asks() -> None:
    played = one_mentorship("group").on(-10, Leave("e", "nia")).play(until=2)
    assert played.task_lines() == ["withdrawn S-10 due S-5"]
    assert set(played.told("introduction")) == {"mia", "ned", "noa"}


def test_when_everybody_left_before_the_start_it_never_starts() -> None:
    played = one_mentorship().on(-10, Leave("e1", "ned")).on(-9, Leave("e2", "mia")).play()
    assert played.ending == ("never_started", "left", -9)


def test_a_newcomer_who_declines_endangers_no_group_that_was_complete_without_them() -> None:
    played = one_mentorship("group").on(-15, Add("e", "nils", "mentee", "", "cora"))
    played.says("nils", "invitation", accept=False).play(until=2)
    assert played.task_lines() == ["seat_empty S-14 due S-11"]
    assert set(played.told("introduction")) == {"mia", "ned", "noa", "nia"}


# -- what comes in ------------------------------------------------------------------------------------------------


def test_an_invitation_answered_without_yes_or_no_is_not_answered() -> None:
    played = one_mentorship().says("ned", "invitation", accept=None).play(until=0)
    assert played.task_lines() == ["seat_empty S-6 due S-3"]


def test_the_zone_that_somebody_gives_with_the_invitation_moves_the_dates() -> None:
    answer = Answered(
        "e", "ned", "invitation", 1, Signals(accepted=True, zone="Pacific/Auckland"), one_mentorship().now
    )
    played = one_mentorship().on(-15, answer).play(until=1)
    opened = next(done for done in played.batches if any(post.name == "introduction" for post in done.posts))
    assert opened.now.isoformat() == "2027-01-17T11:00:00+00:00"


def test_an_acceptance_that_only_the_record_knows_of_counts_when_the_invitation_closes() -> None:
    played = one_mentorship().silent("ned", "invitation")
    played.given["c/m/invitation#1/ned"] = (played.now, {"accept": True})
    assert played.play(until=-1).state.onboarded
    assert played.task_lines() == []


def test_nobody_joins_a_mentorship_that_is_ending() -> None:
    played = (
        one_mentorship()
        .on(40, Replace("e1", "ned", "nils", "", "cora"))
        .on(41, End("e2", "no_fault", "cora"), hour=9)
    )
    assert played.play().told("introduction") == {"mia": [0], "ned": [0]}
    assert played.ending == ("ended_early", "no_fault", 43)
