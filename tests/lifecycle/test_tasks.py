"""Lifecycle 7: what a task is, when it is due, who is told when nobody decides, and what each decision does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from lifecycle.events import Answered, Bounced, Decided, Leave, Remove, Staffed
from lifecycle.findings import Signals
from lifecycle.state import State
from lifecycle.tasks import KINDS
from testing.cohorts.one_mentorship import OneMentorship, one_mentorship

USUAL = "noted, nudge, pause, replace, end"
TABLE = {
    "seat_empty": (3, "wait, replace, end"),
    "expectations_differ": (5, USUAL),
    "no_agreement": (5, USUAL),
    "low_score": (5, USUAL),
    "stalled": (5, USUAL),
    "silent": (5, USUAL),
    "fit": (2, USUAL),
    "help": (2, USUAL),
    "midpoint": (5, "continue, reopen_agreement, pause, replace, end"),
    "safety": (0, "release, end, withhold"),
    "withdrawn": (3, "noted, replace, end"),
    "small_group": (3, "noted, replace, end"),
    "bounced": (2, "noted, correct, end"),
}
"""The table of the lifecycle page: due in working days, and the open decisions."""


def low_score(day: int = 31) -> OneMentorship:
    """A pair of whom one scored low; the task opens on S+31, a Thursday."""
    return one_mentorship().says("ned", "check_in 1", p_useful=1, after=day - 30)


def decided(kind: str, decision: str, **more: Any) -> Callable[[State], Decided]:
    return lambda state: Decided(f"{kind}/{decision}", state.tasks[kind].key, decision, "cora", **more)


def test_the_kinds_are_those_of_the_lifecycle_page() -> None:
    assert {kind: (due, ", ".join(decisions)) for kind, (due, decisions) in KINDS.items()} == TABLE


# -- opening, repeating, deputies --------------------------------------------------------------------------------


def test_opening_a_task_tells_every_coordinator() -> None:
    played = low_score().play(until=35)
    opened = next(item.post for item in played.items if item.name == "task_opened")
    assert (opened.person, opened.kind, opened.task, opened.after_end) == (
        "cora",
        "notice",
        "c/m/task.low_score#1",
        True,
    )
    command = next(task for done in played.batches for task in done.open_tasks)
    assert command.decisions == ("noted", "nudge", "pause", "replace", "end")
    assert command.reason == "A question about the relationship was answered low."


def test_an_undecided_task_is_repeated_on_its_due_date_and_goes_to_the_deputies_two_working_days_later() -> None:
    played = low_score().play(until=60)
    assert played.task_lines() == ["low_score S+31 due S+38"]
    assert played.told("task_repeated") == {"cora": [38]}
    assert played.told("task_to_deputy") == {"dora": [42]}  # S+38 is a Thursday


def test_working_days_leave_out_weekends_and_the_cohorts_holidays() -> None:
    holidays = [date(2027, 2, 19), date(2027, 2, 26)]  # S+32 and S+39, both Fridays
    played = one_mentorship(holidays=holidays).says("ned", "check_in 1", p_useful=1).play(until=60)
    assert played.task_lines() == ["low_score S+31 due S+42"]
    assert played.told("task_to_deputy") == {"dora": [44]}


def test_a_decided_task_is_not_repeated() -> None:
    played = low_score().decides("low_score", "noted", after=2).play(until=60)
    assert played.task_lines() == ["low_score S+31 due S+38 noted S+33"]
    assert played.told("task_repeated") == {}
    assert played.told("task_to_deputy") == {}


def test_a_safety_task_is_due_today_so_only_the_deputies_hear_of_it_again() -> None:
    played = one_mentorship().says("ned", "check_in 1", p_help="safety").play(until=60)
    assert played.task_lines() == ["safety S+31 due S+31"]
    assert played.told("task_repeated") == {}
    assert played.mail("task_to_deputy") == {"dora": ["urgent S+35"]}


def test_a_cohort_without_deputies_has_nobody_to_turn_to() -> None:
    played = one_mentorship(deputies=[]).says("ned", "check_in 1", p_useful=1).play(until=60)
    assert played.told("task_repeated") == {"cora": [38]}
    assert played.told("task_to_deputy") == {}


def test_the_program_can_give_more_or_less_time() -> None:
    played = one_mentorship(rules={"due": {"low_score": 1}}).says("ned", "check_in 1", p_useful=1).play(until=60)
    assert played.task_lines() == ["low_score S+31 due S+32"]


def test_the_same_trouble_again_makes_the_open_task_grow() -> None:
    played = one_mentorship().says("ned", "check_in 1", p_useful=1).says("mia", "check_in 2", m_load=1).play(until=65)
    assert played.task_lines() == ["low_score S+31 due S+38"]
    assert played.told("task_opened") == {"cora": [31]}
    assert [growth.about for done in played.batches for growth in done.grow_tasks] == [("mia",)]
    assert played.state.tasks["low_score"].about == ["ned", "mia"]


def test_after_a_decision_it_is_a_second_task() -> None:
    played = one_mentorship().says("ned", "check_in", p_useful=1).decides("low_score", "noted").play(until=65)
    assert [line.key for line in played.tasks] == ["c/m/task.low_score#1", "c/m/task.low_score#2"]
    assert played.told("task_opened") == {"cora": [31, 61]}


def test_a_task_never_blocks_the_rest() -> None:
    undecided = low_score().play()
    assert undecided.ending == ("completed", "", 182)
    assert [line for line in undecided.plan() if "skipped" in line] == []


# -- decisions ---------------------------------------------------------------------------------------------------


def test_noted_changes_nothing() -> None:
    before = low_score().play(until=40).plan()
    assert low_score().decides("low_score", "noted").play(until=40).plan() == before


def test_nudge_delivers_the_open_requests_again() -> None:
    played = (
        one_mentorship().says("ned", "check_in 1", p_help="yes").silent("mia", "check_in 1").decides("help", "nudge")
    )
    played.play(until=35)
    [order] = [order for done in played.batches for order in done.redeliver]
    assert order.requests == ("c/m/check_in#1/mia",)


def test_pause_until_a_date() -> None:
    played = low_score().decides("low_score", "pause", until=one_mentorship().day(45)).play(until=60)
    assert played.noted("paused") == [(32, "", one_mentorship().day(45).isoformat())]
    assert played.opens("check_in") == [30, 73, 133, 163]


def test_replace_needs_to_know_whose_seat() -> None:
    low = low_score().on(33, decided("low_score", "replace", newcomer="nils")).play(until=34)
    assert low.refused == ["say whose seat is taken"]
    assert low.task_lines() == ["low_score S+31 due S+38"]
    named = low_score().on(33, decided("low_score", "replace", newcomer="nils", person="ned")).play(until=36)
    assert named.task_lines() == ["low_score S+31 due S+38 replace S+33"]
    assert [seat.person for seat in named.state.seats()] == ["mia", "nils"]


def test_replace_takes_the_seat_of_whoever_withdrew() -> None:
    played = (
        one_mentorship().on(40, Leave("e", "ned")).decides("withdrawn", "replace", newcomer="nils").play(until=45)
    )
    assert played.told("introduction") == {"mia": [0, 42], "ned": [0], "nils": [42]}


@pytest.mark.parametrize(
    ("script", "kind", "reason"),
    [
        (lambda: low_score(), "low_score", "no_fault"),
        (lambda: one_mentorship().says("ned", "fit_check", f_action="someone_else"), "fit", "no_fault"),
        (lambda: one_mentorship().silent("everyone", "check_in"), "silent", "inactive"),
        (lambda: one_mentorship().on(40, Leave("e", "ned")), "withdrawn", "left"),
        (lambda: one_mentorship("group").on(40, Leave("e", "ned")).on(41, Leave("f", "noa")), "small_group", "left"),
        (lambda: one_mentorship().on(40, Bounced("e", "ned")), "bounced", "left"),
    ],
)
def test_end_goes_to_closure_with_the_reason_of_the_task(
    script: Callable[[], OneMentorship], kind: str, reason: str
) -> None:
    played = script().decides(kind, "end").play()
    assert played.ending is not None
    assert played.ending[:2] == ("ended_early", reason)


def test_a_bounced_address_is_a_task_about_that_person() -> None:
    played = one_mentorship().on(40, Bounced("e", "ned")).decides("bounced", "correct").play(until=45)
    assert played.task_lines() == ["bounced S+40 due S+43 correct S+41"]
    assert played.tasks[0].about == ("ned",)
    assert one_mentorship().on(190, Bounced("e", "ned")).play().task_lines() == []


# -- small groups ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [lambda who: Leave(who, who), lambda who: Remove(who, who, "cora")])
def test_one_mentee_left_in_a_group_is_a_task(event: Callable[[str], Any]) -> None:
    played = one_mentorship("group").on(40, event("ned")).play(until=41)
    assert played.task_lines("small_group") == []
    played.on(42, event("noa")).play(until=43)
    assert played.task_lines("small_group") == ["small_group S+42 due S+45"]
    assert played.task("small_group").about == ("noa",)


def test_a_newcomer_takes_the_seat_of_the_one_who_went_not_of_the_one_who_is_left() -> None:
    played = one_mentorship("group").on(40, Remove("e1", "ned", "cora")).on(41, Remove("e2", "noa", "cora"))
    played.decides("small_group", "replace", newcomer="nils").play(until=45)
    assert [seat.person for seat in played.state.seats()] == ["mia", "nia", "nils"]


# -- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "more", "reason"),
    [
        ("continue", {}, "a task of kind low_score can be decided noted, nudge, pause, replace, end; not 'continue'"),
        ("pause", {"until": one_mentorship().day(33)},
         "a pause must end after today (2027-02-20); 2027-02-20 is not"),
        ("replace", {}, "say who takes the seat"),
        ("replace", {"newcomer": "mia", "person": "ned"},
         "mia has a seat in this mentorship already; name somebody else"),
        ("replace", {"newcomer": "nils", "person": "zoe"},
         "zoe has no seat in this mentorship; those who have: mia, ned"),
        ("replace", {"newcomer": "nils", "newcomer_zone": "Berlin", "person": "ned"},
         "'Berlin' is no zone; write one such as Europe/Berlin"),
    ],
)  # fmt: skip
def test_a_decision_that_makes_no_sense_is_refused_and_the_task_stays_open(
    decision: str, more: dict[str, Any], reason: str
) -> None:
    played = low_score().on(33, decided("low_score", decision, **more)).play(until=34)
    assert played.refused == [reason]
    assert played.task_lines() == ["low_score S+31 due S+38"]


def test_a_task_is_decided_once() -> None:
    key = "c/m/task.low_score#1"
    played = low_score().on(33, Decided("e1", key, "noted", "cora")).on(34, Decided("e2", key, "end", "cora"))
    played.play(until=35)
    assert len(played.refused) == 1
    assert "somebody has decided it" in played.refused[0]
    assert played.noted("ending_early") == []


def test_a_seat_that_is_taken_is_not_taken_again() -> None:
    played = one_mentorship().on(40, Leave("e1", "ned")).decides("withdrawn", "replace", newcomer="nils")
    played.on(45, Leave("e2", "mia")).on(46, decided("withdrawn", "replace", newcomer="nele", person="ned"))
    played.play(until=47)
    assert played.refused == ["the seat of ned is taken already; name somebody who has one: nils"]


def test_of_what_outlives_the_mentorship_only_the_word_that_changes_nothing_is_left() -> None:
    played = (
        one_mentorship()
        .says("ned", "closure", p_help="yes")
        .on(190, decided("help", "pause", until=one_mentorship().day(300)))
    )
    played.on(191, decided("help", "noted")).play()
    assert played.refused == ["the mentorship is closed (completed); decide noted"]
    assert played.task_lines() == ["help S+180 due S+183 noted S+191"]


def test_an_answer_after_the_close_of_the_record_is_refused() -> None:
    late = Answered("e", "ned", "check_in", 4, Signals(help=True), one_mentorship().now)
    assert one_mentorship().on(190, late).play().refused == [
        "the mentorship is closed (completed); its record is final"
    ]


# -- other coordinators ------------------------------------------------------------------------------------------


def test_who_joins_the_desk_hears_of_open_tasks_and_who_leaves_it_of_nothing_more() -> None:
    staffed = Staffed("e", ("carl",), ("dirk",), (), "cora")
    played = low_score().on(34, staffed).play(until=60)
    assert played.told("task_opened") == {"cora": [31], "carl": [34]}
    assert played.told("task_repeated") == {"carl": [38]}
    assert played.told("task_to_deputy") == {"dirk": [42]}


def test_a_new_deputy_hears_of_what_had_gone_to_the_deputies() -> None:
    played = low_score().on(50, Staffed("e", ("cora",), ("dora", "dirk"), ())).play(until=60)
    assert played.told("task_to_deputy") == {"dora": [42], "dirk": [50]}


def test_other_holidays_count_from_now_on() -> None:
    days = [one_mentorship().day(39), one_mentorship().day(40)]
    played = low_score().on(32, Staffed("e", ("cora",), ("dora",), tuple(days))).play(until=60)
    assert played.task_lines() == ["low_score S+31 due S+38"]
    assert played.told("task_to_deputy") == {"dora": [43]}
