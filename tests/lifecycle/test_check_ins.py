"""Lifecycle 5: the rules that run over the answers of a check-in, from the top, and what silence leads to."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest

from lifecycle.events import Answered, Assessed, Decided, Leave, Release, Seen
from lifecycle.findings import Findings, PersonalRequest, Signals
from lifecycle.local_time import instant
from lifecycle.state import SCHEMA
from testing.cohorts.one_mentorship import PEERS, OneMentorship, one_mentorship

NO_MEETING: dict[str, Any] = {"p_met": "0", "p_next": False}


def played_with(mia: dict[str, Any] | None, ned: dict[str, Any] | None, format_: str = "one_to_one") -> OneMentorship:
    """A season in which the first check-in was answered so (None: not at all), ten days later."""
    played = one_mentorship(format_)
    first, second = list(PEERS) if format_ == "peer" else ["mia", "ned"]
    for person, answers in ((first, mia), (second, ned)):
        if answers is None:
            played.silent(person, "check_in 1")
        else:
            played.says(person, "check_in 1", **answers)
    return played.play(until=45)


def outcome(played: OneMentorship) -> dict[str, Any]:
    """What the rules did after the first check-in."""
    names = ("get_going", "are_you_there", "agreement_reopened", "closing_for_silence")
    notes = ("seen_differently", "one_silent")
    return (
        {line.kind: line.opened for line in played.tasks}
        | {name: sorted(played.told(name)) for name in names if played.told(name)}
        | {name: [person for _, person, _ in played.noted(name)] for name in notes if played.noted(name)}
    )


BOTH = ["mia", "ned"]


@pytest.mark.parametrize(
    ("mia", "ned", "expected"),
    [
        pytest.param({}, {}, {}, id="OK"),
        pytest.param({"m_load": 2}, {}, {"low_score": 31}, id="L mentor"),
        pytest.param({}, {"p_useful": 1}, {"low_score": 31}, id="L mentee"),
        pytest.param({}, {"p_useful": 3, "p_open": None}, {}, id="L not for 3 or can't say"),
        pytest.param(NO_MEETING, NO_MEETING, {"get_going": BOTH}, id="Z1"),
        pytest.param(NO_MEETING, None, {"get_going": BOTH, "one_silent": []}, id="Z1 by every answer given"),
        pytest.param(NO_MEETING, {"p_met": "0", "p_next": True}, {}, id="Z1 not when one has booked"),
        pytest.param({"p_met": "3+"}, {"p_met": "1"}, {"seen_differently": [""]}, id="D meetings"),
        pytest.param({"m_open": 5, "p_open": None}, {"p_open": 3}, {}, id="D needs both"),
        pytest.param({"p_open": 5}, {"p_open": 3}, {"seen_differently": [""]}, id="D openness"),
        pytest.param({"p_open": 5}, {"p_open": 4}, {}, id="D not for 1 apart"),
        pytest.param(None, None, {"are_you_there": BOTH}, id="N2"),
        pytest.param(None, {}, {"one_silent": ["mia"]}, id="N1"),
        pytest.param({}, {"p_goal": "changed"}, {"agreement_reopened": BOTH}, id="G mentee"),
        pytest.param({"m_goal": "changed"}, {}, {"agreement_reopened": BOTH}, id="G mentor"),
        pytest.param({}, {"p_help": "yes"}, {"help": 31}, id="H"),
        pytest.param({}, {"p_help": "private"}, {"help": 31}, id="H between us"),
    ],
)
def test_each_rule(mia: dict[str, Any] | None, ned: dict[str, Any] | None, expected: dict[str, Any]) -> None:
    found = outcome(played_with(mia, ned))
    if expected.get("one_silent") == []:
        # Z1 has matched before N1 is looked at.
        expected = {name: value for name, value in expected.items() if name != "one_silent"}
    assert found == expected


@pytest.mark.parametrize(
    ("mia", "ned", "expected"),
    [
        pytest.param(NO_MEETING | {"m_load": 1}, NO_MEETING, {"low_score": 31}, id="L before Z1"),
        pytest.param({"p_open": 1}, {"p_open": 5}, {"low_score": 31}, id="L before D"),
        pytest.param({"m_load": 1}, {"p_goal": "changed"}, {"low_score": 31}, id="L before G"),
        pytest.param(NO_MEETING, NO_MEETING | {"p_goal": "changed"}, {"get_going": BOTH}, id="Z1 before G"),
        pytest.param(
            {"p_open": 5},
            {"p_open": 3, "p_goal": "changed"},
            {"seen_differently": [""], "agreement_reopened": BOTH},
            id="D does not stop G",
        ),
        pytest.param(
            None, {"p_goal": "changed"}, {"one_silent": ["mia"], "agreement_reopened": BOTH}, id="N1 does not stop G"
        ),
        pytest.param({"p_help": "yes", "m_load": 1}, {}, {"help": 31, "low_score": 31}, id="H does not stop L"),
        pytest.param(
            {"p_help": "yes"}, {"p_goal": "changed"}, {"help": 31, "agreement_reopened": BOTH}, id="H does not stop G"
        ),
        pytest.param({"p_help": "safety"}, {"p_useful": 1}, {"safety": 31, "low_score": 31}, id="S does not stop L"),
    ],
)
def test_the_first_rule_wins_but_s_h_d_and_n1_stop_nothing(
    mia: dict[str, Any] | None, ned: dict[str, Any] | None, expected: dict[str, Any]
) -> None:
    assert outcome(played_with(mia, ned)) == expected


def test_peers_mirror_each_other() -> None:
    assert outcome(played_with({"p_open": 5}, {"p_open": 3}, "peer")) == {"seen_differently": [""]}


def test_in_a_group_two_mentees_who_differ_are_no_mirror() -> None:
    played = one_mentorship("group").says("mia", "check_in 1", p_open=None, p_met="2")
    played.says("ned", "check_in 1", p_open=5).says("noa", "check_in 1", p_open=3).play(until=45)
    assert played.noted("seen_differently") == []


def test_the_rules_run_once_when_the_ask_ends_either_way() -> None:
    played = (
        one_mentorship().says("ned", "check_in 1", m_load=1, p_useful=1).silent("mia", "check_in 1").play(until=45)
    )
    assert played.task_lines() == ["low_score S+41 due S+46"]
    assert played.task("low_score").about == ("ned",)


def test_findings_act_once_however_often_they_come() -> None:
    played = one_mentorship().play(until=45)
    for id_ in ("again", "and again"):
        played.turn(Assessed(id_, "check_in", 1, Findings(low=True, concerned=("ned",))))
    assert played.task_lines() == []


# -- twice -------------------------------------------------------------------------------------------------------


def test_z2_no_meeting_at_two_check_ins_running() -> None:
    played = one_mentorship().says("everyone", "check_in", **NO_MEETING).play(until=65)
    assert played.told("get_going") == {"mia": [31], "ned": [31]}
    assert played.task_lines() == ["stalled S+61 due S+67"]


def test_z2_needs_the_check_in_right_before() -> None:
    played = (
        one_mentorship().says("everyone", "check_in", **NO_MEETING).silent("everyone", "check_in 2").play(until=125)
    )
    assert played.told("get_going") == {"mia": [31, 121], "ned": [31, 121]}
    assert played.task_lines("stalled") == []


def test_n3_nobody_answered_twice() -> None:
    played = one_mentorship().silent("everyone", "check_in 1", "check_in 2").play(until=75)
    assert played.told("are_you_there") == {"mia": [41], "ned": [41]}
    assert played.task_lines() == ["silent S+71 due S+78"]


def test_one_answer_in_between_and_it_is_n2_again() -> None:
    played = one_mentorship().silent("everyone", "check_in").says("ned", "check_in 2").play(until=135)
    assert played.told("are_you_there") == {"mia": [41, 131], "ned": [41, 131]}
    assert played.task_lines() == []


# -- are you there -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "tasks"),
    [("fine", []), ("stuck", ["help S+43 due S+45"]), ("stopped", ["silent S+43 due S+50"])],
)
def test_the_three_links(state: str, tasks: list[str]) -> None:
    played = one_mentorship().silent("everyone", "check_in 1").silent("mia", "are_you_there")
    played.says("ned", "are_you_there", state=state, after=2).play(until=50)
    assert played.task_lines() == tasks
    item = next(item.post for item in played.items if item.name == "are_you_there")
    assert item.request == "c/m/are_you_there#1/mia"


# -- the long silence --------------------------------------------------------------------------------------------

SILENT = ("fit_check", "check_in", "midpoint", "are_you_there", "closure")


def gone_quiet() -> OneMentorship:
    """Everybody signs the agreement on S+2 and is never heard of again."""
    return one_mentorship().silent("everyone", *SILENT)


def test_ninety_days_after_the_last_sign_of_life_a_last_call_and_seven_days_later_the_end() -> None:
    played = gone_quiet().play()
    assert played.task_lines("silent") == ["silent S+71 due S+78 lapsed S+126"]
    assert played.told("closing_for_silence") == {"mia": [92], "ned": [92]}
    assert played.noted("ending_early") == [(100, "", "inactive")]  # S+99 has ended
    assert played.plan("closure") == ["closure 1 S+101..125 settled S+126"]
    assert played.ending == ("ended_early", "inactive", 126)


def test_at_once_where_ninety_days_have_passed_already() -> None:
    played = one_mentorship(phases={"check_ins": {"every": 60}, "midpoint": None}).silent("everyone", *SILENT)
    played.play()
    assert played.task_lines("silent")[0].startswith("silent S+131")
    assert played.told("closing_for_silence") == {"mia": [131], "ned": [131]}
    assert played.noted("ending_early") == [(139, "", "inactive")]


@pytest.mark.parametrize(
    ("schema", "told", "ends_with"),
    [(SCHEMA, 92, 99), (1, 91, 98)],
    ids=["from the date of the step", "an older run: from the cohort's day"],
)
def test_the_last_call_counts_from_the_date_of_its_step_where_the_cohort_lives_further_west(
    schema: int, told: int, ends_with: int
) -> None:
    home = dict.fromkeys(("mia", "ned"), "Asia/Tokyo")
    played = one_mentorship(zone="America/Los_Angeles", zones=home, schema=schema).silent("everyone", *SILENT).play()
    [call, _] = [item.post for item in played.items if item.name == "closing_for_silence"]
    assert played.state.reason == "inactive"
    assert played.offset(played.last_call_on) == told
    ended = next(done.now for done in played.batches if any(note.name == "ending_early" for note in done.notes))
    assert ended == instant(played.day(ends_with + 1), time(0), "Asia/Tokyo")
    if schema == SCHEMA:
        assert call.date == played.day(92)  # and the mail says: by S+99


def test_silence_counts_only_after_an_n3() -> None:
    played = one_mentorship(phases={"check_ins": None, "midpoint": None}).silent("everyone", *SILENT).play()
    assert played.told("closing_for_silence") == {}
    assert played.ending == ("completed_silent", "", 204)


@pytest.mark.parametrize("day", [93, 99])
def test_a_sign_of_life_takes_the_last_call_back(day: int) -> None:
    played = gone_quiet().on(day, Seen("e", "ned")).play(until=150)
    assert played.noted("ending_early") == []
    assert played.state.phase == "check_ins"


def test_an_answer_on_the_last_call_is_one_too() -> None:
    played = gone_quiet().says("ned", "are_you_there 2", state="fine", after=3).play(until=150)
    assert played.told("closing_for_silence") == {"mia": [92], "ned": [92]}
    assert played.noted("ending_early") == []


def test_a_coordinators_decision_is_a_sign_of_life() -> None:
    def noted(state: Any) -> Decided:
        return Decided("e", state.tasks["silent"].key, "noted", "cora")

    played = gone_quiet().on(75, noted).play()
    assert played.told("closing_for_silence") == {"mia": [165], "ned": [165]}


def test_the_last_call_is_carried_out_even_where_the_closure_form_comes_in_between() -> None:
    played = gone_quiet().on(82, Seen("e", "ned")).play()
    assert played.told("closing_for_silence") == {"mia": [172], "ned": [172]}
    assert played.ending is not None
    assert played.ending[:2] == ("ended_early", "inactive")


def test_once_the_closure_form_is_out_it_ends_the_mentorship_by_itself() -> None:
    played = gone_quiet().on(89, Seen("e", "ned")).play()
    assert played.told("closing_for_silence") == {}
    assert played.ending == ("completed_silent", "", 204)


# -- safety ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", ["fit_check", "check_in 1", "midpoint", "closure"])
def test_s_acts_at_once_in_every_form(ask: str) -> None:
    played = one_mentorship().says("ned", ask, p_help="safety").silent("mia", ask).play(until=184)
    [task] = [line for line in played.tasks if line.kind == "safety"]
    assert task.due == task.opened  # today
    assert task.about == ("ned",)
    assert played.mail("task_opened", "urgent") == {"cora": [f"urgent S+{task.opened}"]}
    assert played.mail("safety_received") == {"ned": [f"receipt S+{task.opened}"]}
    assert played.state.held


def test_a_safety_report_holds_the_items_until_a_coordinator_releases_them() -> None:
    played = (
        one_mentorship()
        .says("ned", "check_in 1", p_help="safety")
        .decides("safety", "release", after=3)
        .play(until=40)
    )
    held = [done.snapshot.held for done in played.batches]
    assert True in held
    assert not played.state.held
    assert played.noted("held") == [(31, "", "")]
    assert played.noted("released") == [(34, "", "")]
    assert played.task_lines() == ["safety S+31 due S+31 release S+34"]


def test_release_as_a_change_decides_the_task() -> None:
    played = one_mentorship().says("ned", "check_in 1", p_help="safety").on(33, Release("e", "cora")).play(until=40)
    assert played.task_lines() == ["safety S+31 due S+31 release S+33"]
    assert not played.state.held


def test_two_reports_are_two_tasks_and_each_is_told_at_once() -> None:
    played = one_mentorship().says("everyone", "check_in 1", p_help="safety").play(until=32)
    assert [line.kind for line in played.tasks] == ["safety", "safety"]
    assert played.mail("task_opened") == {"cora": ["urgent S+31", "urgent S+31"]}
    assert len({item.post.key for item in played.items}) == len(played.items)


def test_a_concern_about_a_coordinator_goes_past_them_to_a_deputy() -> None:
    report = Answered("e", "ned", "concern", 1, Signals(safety=True, not_to=("cora",)), one_mentorship().now)
    played = one_mentorship().on(20, report).play(until=22)
    assert played.task_lines() == ["safety S+20 due S+20"]
    assert played.mail("task_opened") == {"dora": ["urgent S+20"]}
    assert played.mail("safety_received") == {}  # it would name the coordinator
    assert played.state.held


def test_a_concern_adds_to_an_open_report_and_still_goes_past_the_coordinator() -> None:
    report = Answered("e", "ned", "concern", 1, Signals(safety=True, not_to=("cora",)), one_mentorship().now)
    played = one_mentorship().says("ned", "check_in 1", p_help="safety").on(32, report).play(until=33)
    assert played.mail("task_opened") == {"cora": ["urgent S+31"], "dora": ["urgent S+32"]}


@pytest.mark.parametrize(
    ("wish", "says"),
    [("erase", "asks to be erased"), ("address", "has a new address"), ("not_me", "A stranger has used")],
)
def test_what_somebody_asks_a_coordinator_for_becomes_a_task_that_says_so(wish: PersonalRequest, says: str) -> None:
    asked = Answered("e", "ned", "wish", 1, Signals(help=True, wish=wish), one_mentorship().now)
    played = one_mentorship().on(20, asked).play(until=21)
    [task] = [task for done in played.batches for task in done.open_tasks]
    assert (task.kind, task.about) == ("help", ("ned",))
    assert says in task.reason


def test_the_partner_is_told_nothing_of_a_report_or_a_call_for_help() -> None:
    before = one_mentorship().play(until=59).everything_told("mia")
    for word in ("safety", "yes"):
        assert one_mentorship().says("ned", "check_in 1", p_help=word).play(until=59).everything_told("mia") == before


def test_a_report_after_the_end_is_still_heard() -> None:
    report = Answered("e", "ned", "closure", 1, Signals(safety=True), one_mentorship().now)
    played = one_mentorship().on(190, report).play()
    assert played.task_lines() == ["safety S+190 due S+190"]
    assert played.mail("safety_received") == {"ned": ["receipt S+190"]}


def test_whoever_left_is_asked_nothing_any_more() -> None:
    played = one_mentorship("group").silent("nia", "check_in 1").on(35, Leave("e", "nia")).play(until=61)
    assert played.plan("check_in")[0] == "check_in 1 S+30..40 settled S+35"
    assert "nia" not in played.step("check_in", 2).asked
