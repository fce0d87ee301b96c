"""Lifecycle 4, closure: winding down, the closure form, the farewell, every ending, the follow-up."""

from __future__ import annotations

import pytest

from lifecycle.commands import OpenRequest
from lifecycle.events import Cancel, Decided, End, Extend, Leave
from lifecycle.state import State
from testing.cohorts.one_mentorship import PEOPLE, OneMentorship, one_mentorship


def forms(played: OneMentorship) -> list[OpenRequest]:
    return [request for request in played.requests.values() if request.ask == "closure"]


def test_winding_down_twice() -> None:
    assert one_mentorship().play().mail("winding_down") == {
        p: ["notice S+154", "notice S+168"] for p in ("mia", "ned")
    }


def test_reminders_and_close_of_the_closure_form() -> None:
    played = one_mentorship().silent("ned", "closure").play()
    assert played.plan("closure") == ["closure 1 S+179..203 settled S+204"]
    assert played.mail("closure") == {
        "mia": ["request S+179"],
        "ned": ["request S+179", "reminder S+185", "reminder S+192"],
    }


@pytest.mark.parametrize("format_", ["one_to_one", "reverse", "peer", "group"])
@pytest.mark.parametrize(
    ("silent", "ending"),
    [(0, ("completed", "", 182)), (1, ("completed_partial", "", 204)), (9, ("completed_silent", "", 204))],
)
def test_all_some_or_none_of_the_forms(format_: str, silent: int, ending: tuple[str, str, int]) -> None:
    people = list(PEOPLE[format_])
    played = one_mentorship(format_)
    for person in people[:silent]:
        played.silent(person, "closure")
    played.play()
    assert played.ending == ending
    assert played.told("farewell") == {person: [ending[2]] for person in people}
    assert played.state.phase == "closed"


def test_the_farewell_waits_for_the_last_answer_after_e() -> None:
    played = one_mentorship().says("ned", "closure", after=10).play()
    assert played.ending == ("completed", "", 189)
    assert played.told("farewell") == {"mia": [189], "ned": [189]}


def test_the_farewell_is_told_though_the_mentorship_is_over() -> None:
    played = one_mentorship().play()
    assert all(item.post.after_end for item in played.items if item.name in ("farewell", "follow_up"))


def test_the_mentee_who_would_mentor_is_put_on_the_list() -> None:
    played = one_mentorship("group").says("ned", "closure", c_give="yes").says("mia", "closure", c_give="yes").play()
    assert played.noted("would_mentor") == [(180, "ned", "")]


# -- follow-up ---------------------------------------------------------------------------------------------------


def test_who_opted_in_is_asked_half_a_year_later_and_not_reminded() -> None:
    played = one_mentorship().says("mia", "closure", c_follow=False).silent("ned", "follow_up").play()
    assert played.mail("follow_up") == {"ned": ["request S+364"]}
    assert played.plan("follow_up") == ["follow_up 1 S+364..385 settled S+386"]
    assert played.state.finished


def test_nobody_opted_in() -> None:
    played = one_mentorship().says("everyone", "closure", c_follow=False).play()
    assert played.plan("follow_up") == []
    assert played.state.finished


def test_the_follow_up_reopens_nothing() -> None:
    played = one_mentorship().play()
    assert played.state.ending == "completed"
    assert [done.finish for done in played.batches if done.finish] != []
    assert len([done.finish for done in played.batches if done.finish]) == 1


def test_whoever_leaves_after_the_end_is_not_asked_again() -> None:
    played = one_mentorship().on(200, Leave("e", "ned")).play()
    assert played.mail("follow_up") == {"mia": ["request S+364"]}
    assert one_mentorship().on(200, Leave("e1", "ned")).on(201, Leave("e2", "mia")).play().told("follow_up") == {}


# -- early -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["no_fault", "goals_reached", "left", "inactive"])
def test_an_early_end_goes_through_closure(reason: str) -> None:
    played = one_mentorship().silent("ned", "closure").on(50, End("e", reason, "cora")).play()
    assert played.offset(played.state.end) == 50
    assert played.plan("closure") == ["closure 1 S+51..75 settled S+76"]
    assert played.mail("closure")["ned"] == ["request S+51", "reminder S+57", "reminder S+64"]
    assert [request.early for request in forms(played)] == [True, True]
    assert played.ending == ("ended_early", reason, 76)
    assert played.told("farewell") == {"mia": [76], "ned": [76]}
    assert played.told("winding_down") == {}


def test_after_an_early_end_nothing_of_the_plan_goes_on() -> None:
    played = one_mentorship().silent("ned", "check_in 1").on(35, End("e", "no_fault", "cora")).play()
    assert {item.name for item in played.items if item.day > 35} == {"closure", "farewell", "follow_up"}
    ended = [(end.key, end.state) for done in played.batches for end in done.end_requests]
    assert ("c/m/check_in#1/ned", "withdrawn") in ended


def test_an_early_end_takes_the_place_of_a_closure_form_that_is_out() -> None:
    played = one_mentorship().silent("everyone", "closure 1").on(181, End("e", "goals_reached", "cora")).play()
    assert played.plan("closure") == ["closure 1 S+179..203 skipped", "closure 2 S+182..206 settled S+183"]
    assert played.ending == ("ended_early", "goals_reached", 183)


def test_the_follow_up_counts_from_the_early_end() -> None:
    assert one_mentorship().on(50, End("e", "no_fault", "cora")).play().opens("follow_up") == [232]


def test_safeguarding_sends_no_closure_form_to_the_person_concerned() -> None:
    played = one_mentorship().on(50, End("e", "safeguarding", "cora", person="mia")).play()
    assert set(played.told("closure")) == {"ned"}
    assert played.ending == ("ended_early", "safeguarding", 52)


def test_nor_to_anybody_where_it_is_not_said_whom_it_concerns() -> None:
    played = one_mentorship().on(50, End("e", "safeguarding", "cora")).play()
    assert played.told("closure") == {}
    assert played.ending == ("ended_early", "safeguarding", 50)


def test_a_safety_report_can_end_it_and_the_hold_with_it() -> None:
    played = (
        one_mentorship()
        .says("ned", "check_in 1", p_help="safety")
        .decides("safety", "end", after=2, person="mia")
        .play()
    )
    assert set(played.told("closure")) == {"ned"}
    assert played.ending == ("ended_early", "safeguarding", 35)
    assert not played.state.held


def test_also_where_it_is_ending_already() -> None:
    played = one_mentorship().says("ned", "closure 1", p_help="safety").silent("mia", "closure 1")
    played.on(50, End("e", "no_fault", "cora")).decides("safety", "end", after=1).play()
    assert played.ending == ("ended_early", "safeguarding", 53)


def test_the_last_one_to_leave_ends_it() -> None:
    played = one_mentorship().on(40, Leave("e1", "ned")).on(45, Leave("e2", "mia")).play()
    assert played.ending == ("ended_early", "left", 45)
    assert played.told("closure") == {}
    assert played.told("farewell") == {}


def test_whoever_leaves_between_the_end_and_its_form_gets_none() -> None:
    played = one_mentorship().on(50, End("e1", "no_fault", "cora"), hour=9).on(50, Leave("e2", "ned"), hour=10).play()
    assert set(played.told("closure")) == {"mia"}
    assert played.ending == ("ended_early", "no_fault", 52)


def test_an_early_end_with_an_open_agreement_withdraws_it() -> None:
    played = one_mentorship().silent("mia", "agreement").on(10, End("e", "no_fault", "cora")).play()
    ended = [(end.key, end.state) for done in played.batches for end in done.end_requests]
    assert ("c/m/agreement#1/mia", "withdrawn") in ended
    assert played.task_lines() == []


def test_when_everybody_leaves_an_ending_mentorship_it_is_over() -> None:
    played = one_mentorship().silent("everyone", "closure").on(50, End("e1", "no_fault", "cora"))
    played.on(55, Leave("e2", "ned")).on(56, Leave("e3", "mia")).play()
    assert played.ending == ("ended_early", "no_fault", 56)
    assert played.told("farewell") == {}


def test_the_closure_form_settles_when_whoever_has_not_answered_leaves() -> None:
    played = one_mentorship().silent("ned", "closure").on(190, Leave("e", "ned")).play()
    assert played.ending == ("completed", "", 190)
    assert played.told("farewell") == {"mia": [190]}


def test_before_its_start_a_mentorship_that_is_ended_has_never_started() -> None:
    played = one_mentorship().on(-5, End("e", "no_fault", "cora")).play()
    assert played.ending == ("never_started", "no_fault", -5)
    assert played.told("not_starting") == {"mia": [-5], "ned": [-5]}


def test_cancelled_everything_stops_and_the_one_mail_comes_from_the_cohort() -> None:
    played = one_mentorship().silent("ned", "check_in 1").on(35, Cancel("e", "cora")).play()
    assert played.ending == ("cancelled", "", 35)
    assert [item for item in played.items if item.day >= 35] == []
    assert played.state.finished
    assert {step.state for step in played.state.steps} == {"settled", "skipped"}


# -- one alone ---------------------------------------------------------------------------------------------------


def test_whoever_is_left_alone_is_asked_nothing_about_a_partner_and_closes_at_e() -> None:
    played = one_mentorship().on(40, Leave("e", "ned")).play()
    assert [line for line in played.everything_told("mia") if int(line.split()[0][1:]) >= 40] == [
        "S+40 urgent partner_left 1",
        "S+179 request closure 1",
        "S+182 notice farewell 1",
        "S+364 request follow_up 1",
    ]
    assert played.ending == ("completed", "", 182)


# -- tasks at the end --------------------------------------------------------------------------------------------


def test_open_tasks_lapse_when_the_mentorship_closes() -> None:
    played = one_mentorship().says("ned", "check_in 4", p_useful=1).play()
    assert played.task_lines() == ["low_score S+151 due S+158 lapsed S+182"]


@pytest.mark.parametrize(("word", "kind"), [("yes", "help"), ("safety", "safety")])
def test_but_not_where_somebody_asked_for_a_word_in_their_last_form(word: str, kind: str) -> None:
    def decided(state: State) -> Decided:
        return Decided("e", state.tasks[kind].key, "release" if kind == "safety" else "noted", "cora")

    played = (
        one_mentorship().says("ned", "closure", p_help=word, c_follow=False).says("mia", "closure", c_follow=False)
    )
    played.play(until=250)
    assert played.ending == ("completed", "", 182)
    assert [line.closed for line in played.tasks] == [None]
    assert not played.state.finished
    played.on(251, decided).play()
    assert played.state.finished


# -- extended in the closure window ------------------------------------------------------------------------------


@pytest.mark.parametrize("day", [180, 190])
def test_an_open_closure_form_is_withdrawn_and_comes_again(day: int) -> None:
    played = one_mentorship().silent("ned", "closure 1").on(day, Extend("e", 8, "cora")).play()
    assert played.plan("closure") == ["closure 1 S+179..203 skipped", "closure 2 S+235..259 settled S+236"]
    ended = [(end.key, end.state) for done in played.batches for end in done.end_requests]
    assert {("c/m/closure#1/mia", "withdrawn"), ("c/m/closure#1/ned", "withdrawn")} <= set(ended)
    assert played.told("winding_down")["mia"] == [154, 168, 210, 224]
    assert played.ending == ("completed", "", 238)


def test_also_when_every_form_is_in_and_the_farewell_waits_for_e() -> None:
    played = one_mentorship().on(181, Extend("e", 2, "cora")).play()
    assert played.plan("closure") == ["closure 1 S+179..203 skipped", "closure 2 S+193..217 settled S+194"]
    assert played.ending == ("completed", "", 196)
    assert played.told("winding_down")["mia"] == [154, 168, 182]


def test_winding_down_that_comes_again_says_which_of_the_two_it_is() -> None:
    played = one_mentorship().on(160, Extend("e", 8, "cora")).play()
    mine = [item for item in played.items if item.name == "winding_down" and item.person == "mia"]
    assert [(item.day, item.number) for item in mine] == [(154, 1), (210, 1), (224, 2)]
    assert len({item.post.key for item in mine}) == 3
