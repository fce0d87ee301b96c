"""Lifecycle 2.9: after an outage each overdue step runs once, in order; what has wholly passed is left out."""

from __future__ import annotations

from lifecycle.batch import snapshot
from lifecycle.events import Pause
from testing.cohorts.one_mentorship import OneMentorship, one_mentorship


def first_turn_back(played: OneMentorship) -> list[str]:
    """What the first turn after the outage told, in order, without doubles for each person."""
    assert played.outage is not None
    done = next(done for done in played.batches if done.now == played.outage[1])
    return list(dict.fromkeys(f"{post.kind} {post.name} {post.number}" for post in done.posts))


def test_a_step_whose_window_is_open_still_runs_and_one_whose_window_has_passed_is_left_out() -> None:
    played = one_mentorship().away(25, 65).play(until=70)
    assert played.plan("check_in")[:2] == ["check_in 1 S+30..40 skipped", "check_in 2 S+60..70 settled S+66"]
    assert played.noted("step_skipped") == [(65, "", "check_in#1 its window has passed")]
    assert first_turn_back(played) == ["request check_in 2", "reminder check_in 2"]
    assert [item.day for item in played.items if item.name == "check_in" and item.person == "ned"] == [65, 65]


def test_each_overdue_step_runs_once_and_in_order() -> None:
    played = one_mentorship().away(-1, 20).play(until=22)
    assert first_turn_back(played) == [
        "notice introduction 1",
        "request agreement 1",
        "request fit_check 1",
        "reminder agreement 1",
    ]
    keys = [item.post.key for item in played.items]
    assert len(set(keys)) == len(keys)


def test_what_is_told_keeps_the_date_that_it_had() -> None:
    played = one_mentorship().away(150, 170).play(until=171)
    told = [item.post.date for item in played.items if item.name == "winding_down" and item.person == "ned"]
    assert told == [played.day(154), played.day(168)]


def test_an_answer_that_was_kept_in_time_counts_though_the_engine_hears_of_it_late() -> None:
    played = one_mentorship().away(30, 45).says("ned", "check_in 1", p_useful=1)
    played.play(until=46)
    assert played.plan("check_in")[0] == "check_in 1 S+30..40 settled S+45"
    assert played.step("check_in").answered == ["mia", "ned"]
    assert played.task_lines() == ["low_score S+45 due S+52"]
    assert played.noted("one_silent") == []
    assert played.noted("late_answer") == []


def test_an_answer_that_was_kept_too_late_acts_as_a_late_one() -> None:
    played = one_mentorship().away(30, 50).says("ned", "check_in 1", after=15, p_useful=1).play(until=51)
    assert played.step("check_in").answered == ["mia"]
    assert played.task_lines() == ["low_score S+50 due S+57"]
    assert played.noted("late_answer") == [(50, "ned", "check_in#1")]


def test_tasks_are_repeated_and_handed_to_the_deputies_once() -> None:
    played = one_mentorship().says("ned", "check_in 1", p_useful=1).away(32, 58).play(until=59)
    assert played.told("task_repeated") == {"cora": [58]}
    assert played.told("task_to_deputy") == {"dora": [58]}
    names = [item.name for item in played.items if item.day == 58]
    assert names.index("task_repeated") < names.index("task_to_deputy")


def test_a_pause_that_ended_meanwhile_has_ended_on_its_day() -> None:
    played = one_mentorship().on(26, Pause("e", one_mentorship().day(36), "ned")).away(30, 45).play()
    assert played.opens("check_in") == [40, 70, 130, 160]
    assert played.plan("check_in")[0] == "check_in 1 S+40..50 settled S+46"


def test_the_give_up_date_is_kept() -> None:
    played = one_mentorship().silent("ned", "invitation").away(-4, 60).play()
    assert played.ending == ("never_started", "no_decision", 60)
    assert [item.name for item in played.items if item.day == 60] == [
        "task_repeated",
        "task_to_deputy",
        "not_starting",
    ]


def test_a_whole_closure_slept_through_ends_silently_but_ends() -> None:
    played = one_mentorship().away(160, 230).play()
    assert played.plan("closure") == ["closure 1 S+179..203 skipped"]
    assert played.ending == ("completed_silent", "", 230)
    assert played.told("farewell") == {"mia": [230], "ned": [230]}


def test_the_snapshot_says_what_comes_next_and_when() -> None:
    played = one_mentorship().silent("ned", "check_in 1").play(until=35)
    seen = snapshot(played.state)
    assert (seen.phase, seen.health, seen.awaited, seen.open_tasks) == ("check_ins", "good", ("ned",), 0)
    assert (seen.next_step, seen.next_on) == ("check_in 2", played.day(60))
    assert seen.next_at == played.state.ended(played.day(40))
    assert (seen.start, seen.midpoint, seen.end) == (played.day(0), played.day(91), played.day(182))
    assert not seen.over


def test_health_says_where_to_look() -> None:
    assert one_mentorship().silent("everyone", "check_in 1").play(until=45).batches[-1].snapshot.health == "quiet"
    assert (
        one_mentorship().says("ned", "check_in 1", p_useful=1).play(until=45).batches[-1].snapshot.health
        == "attention"
    )
    assert (
        one_mentorship().says("ned", "check_in 1", p_help="safety").play(until=45).batches[-1].snapshot.health
        == "trouble"
    )
    assert one_mentorship().play().batches[-1].snapshot.health == "over"
