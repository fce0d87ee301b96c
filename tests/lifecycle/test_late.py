"""Lifecycle 3: an answer after the close is kept, changes no decision that was taken, and still says what it says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lifecycle.events import Answered
from lifecycle.findings import Signals
from testing.cohorts.one_mentorship import OneMentorship, one_mentorship

NO_MEETING = {"p_met": "0", "p_next": False}


def test_a_late_answer_is_an_answer_of_the_check_in_before() -> None:
    played = (
        one_mentorship().silent("mia", "check_in").says("ned", "check_in 1", after=15).silent("ned", "check_in 2")
    )
    played.silent("everyone", "are_you_there").play(until=72)
    assert played.told("are_you_there") == {"mia": [41, 71], "ned": [41, 71]}  # N2 both times, and no N3
    assert played.task_lines() == []
    assert played.batches[-1].snapshot.health == "quiet"


def test_a_late_answer_ends_the_quiet_at_once() -> None:
    played = one_mentorship().silent("mia", "check_in").says("ned", "check_in 1", after=15)
    played.silent("everyone", "are_you_there").play(until=46)
    assert played.batches[-1].snapshot.health == "good"


def test_a_late_answer_to_the_one_before_that_breaks_no_silence() -> None:
    played = (
        one_mentorship().silent("mia", "check_in").says("ned", "check_in 1", after=45).silent("ned", "check_in 2")
    )
    played.silent("everyone", "are_you_there").play(until=76)
    assert played.state.silent_before


@pytest.mark.parametrize(
    ("first", "late", "tasks"),
    [
        ({}, NO_MEETING, ["stalled"]),  # silent in time; the only answer says: no meeting
        (NO_MEETING, {"p_met": "2"}, []),
        (NO_MEETING, NO_MEETING, ["stalled"]),
    ],
)
def test_no_meeting_before_is_read_with_the_late_answers(
    first: dict[str, Any], late: dict[str, Any], tasks: list[str]
) -> None:
    played = one_mentorship().says("ned", "check_in 1", after=15, **late).says("everyone", "check_in 2", **NO_MEETING)
    if first:
        played.says("mia", "check_in 1", **first)
    else:
        played.silent("mia", "check_in 1")
    played.silent("everyone", "are_you_there").play(until=62)
    assert [line.kind for line in played.tasks] == tasks


def test_what_an_older_worker_did_not_read_is_what_the_state_remembers() -> None:
    played = one_mentorship().says("everyone", "check_in", **NO_MEETING)
    played.assess_before = False
    played.play(until=62)
    assert [line.kind for line in played.tasks] == ["stalled"]


def test_a_low_answer_that_is_changed_after_its_check_in_was_assessed_is_told() -> None:
    played = one_mentorship().play(until=35)
    low = Answered("again", "ned", "check_in", 1, Signals(low=True), played.now)
    played.on(35, low, hour=13).play(until=36)
    assert played.task_lines() == ["low_score S+35 due S+42"]
    assert played.noted("late_answer") == []


def test_one_that_was_read_with_the_others_is_not_told_twice() -> None:
    played = one_mentorship().says("ned", "check_in 1", p_useful=1).decides("low_score", "noted").play(until=35)
    step = played.step("check_in")
    assert step.assessed_at is not None
    old = Answered("relayed late", "ned", "check_in", 1, Signals(low=True), step.assessed_at - timedelta(hours=1))
    played.on(35, old, hour=13).play(until=36)
    assert len(played.tasks) == 1
    step.assessed_at = None  # by an older version
    played.on(36, Answered("once more", "ned", "check_in", 1, Signals(low=True), played.now), hour=13).play(until=37)
    assert len(played.tasks) == 1


def test_after_the_end_a_late_answer_is_refused() -> None:
    played = one_mentorship().silent("ned", "check_in 1").play(until=190)
    late = Answered("late", "ned", "check_in", 1, Signals(low=True), played.now)
    played.on(190, late, hour=13).play(until=191)
    assert played.refused == ["the mentorship is closed (completed); its record is final"]


def test_a_late_draft_makes_no_version() -> None:
    played = one_mentorship().silent("everyone", "agreement").play(until=30)
    late = Answered("late", "ned", "agreement", 1, Signals(), played.now)
    played.on(30, late, hour=13).play(until=31)
    assert played.noted("late_answer") == [(30, "ned", "agreement")]
    assert played.state.agreement.version == 0


def test_by_the_rules_of_an_older_run_a_late_answer_breaks_no_silence() -> None:
    played = (
        one_mentorship(schema=1)
        .silent("mia", "check_in")
        .says("ned", "check_in 1", after=15)
        .silent("ned", "check_in 2")
    )
    played.assess_before = False
    played.silent("everyone", "are_you_there").play(until=72)
    assert [line.kind for line in played.tasks] == ["silent"]


def changing(format_: str = "one_to_one") -> OneMentorship:
    """Everybody changes the agreement, at once, without end."""
    return one_mentorship(format_).says("everyone", "agreement", after=0, act="change")


def test_an_agreement_that_goes_back_and_forth_for_ever_ends_with_the_coordinator() -> None:
    played = changing().play(until=40)
    assert played.noted("agreement_given_up") == [(0, "", "100 changes")]
    assert played.state.agreement.turns == {}
    assert {line.kind for line in played.tasks} == {"expectations_differ", "no_agreement"}
    assert played.play().ending == ("completed", "", 182)
