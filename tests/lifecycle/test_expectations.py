"""Lifecycle 4, expectations: the introduction, the agreement with its turns and signatures, the fit check."""

from __future__ import annotations

from typing import Any

import pytest

from lifecycle.commands import EndRequest
from lifecycle.events import Answered, Leave, Nudge
from lifecycle.findings import Signals
from testing.cohorts.one_mentorship import OneMentorship, one_mentorship


def ended(played: OneMentorship) -> list[EndRequest]:
    return [end for done in played.batches for end in done.end_requests]


def acts(id_: str, person: str, act: str, version: int) -> Answered:
    return Answered(id_, person, "agreement", version, Signals(act=act, version=version), one_mentorship().now)  # type: ignore[arg-type]


# -- introduction ------------------------------------------------------------------------------------------------


def test_everyone_is_introduced_on_the_first_day() -> None:
    assert one_mentorship("group").play(until=1).told("introduction") == {
        "mia": [0],
        "ned": [0],
        "noa": [0],
        "nia": [0],
    }


# -- agreement ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("format_", "mail"),
    [
        ("one_to_one", {"ned": ["request S+0"], "mia": ["request S+1"]}),
        ("reverse", {"ned": ["request S+0"], "mia": ["request S+1"]}),
        ("peer", {"pia": ["request S+0"], "pat": ["request S+0"]}),
        ("group", {"mia": ["request S+0"], "ned": ["request S+1"], "noa": ["request S+1"], "nia": ["request S+1"]}),
    ],
)
def test_who_drafts_and_who_signs(format_: str, mail: dict[str, list[str]]) -> None:
    # Both peers have the document before them on the first day; the others wait for a draft.
    assert one_mentorship(format_).play(until=0 if format_ == "peer" else 1).mail("agreement") == mail


def test_the_number_of_a_turn_is_the_version_that_it_is_about() -> None:
    played = one_mentorship().says("mia", "agreement 1", act="change").says("ned", "agreement 2").play(until=20)
    turns = [(key, request.number) for key, request in played.requests.items() if request.ask == "agreement"]
    assert turns == [("c/m/agreement#1/ned", 1), ("c/m/agreement#1/mia", 1), ("c/m/agreement#2/ned", 2)]


def test_agreed_when_all_have_signed_the_same_version_and_the_last_one_gets_a_receipt() -> None:
    played = one_mentorship().play(until=20)
    assert played.plan("agreement") == ["agreement 1 S+0..21 settled S+2"]
    assert played.mail("agreement_concluded") == {"mia": ["receipt S+2"], "ned": ["notice S+2"]}
    assert played.noted("agreement_concluded") == [(2, "", "version 1")]


def test_a_change_clears_the_other_signatures_and_goes_back() -> None:
    played = one_mentorship().says("mia", "agreement 1", act="change").play(until=20)
    assert played.mail("agreement") == {"ned": ["request S+0", "request S+2"], "mia": ["request S+1"]}
    assert played.mail("agreement_concluded") == {"ned": ["receipt S+3"], "mia": ["notice S+3"]}
    assert played.noted("agreement_concluded") == [(3, "", "version 2")]


def test_a_third_change_without_agreement_is_a_task_and_a_fourth_makes_it_grow() -> None:
    played = one_mentorship()
    for version in (1, 2, 3, 4):
        played.says("mia" if version % 2 else "ned", f"agreement {version}", act="change")
    played.play(until=20)
    assert played.task_lines() == ["expectations_differ S+4 due S+11 agreed S+6"]
    assert "versions 3 and 4 stand side by side" in played.task("expectations_differ").reason
    assert "versions 4 and 5 stand side by side" in played.task("expectations_differ").reason
    assert played.noted("agreement_concluded") == [(6, "", "version 5")]


def test_in_a_group_a_change_by_one_mentee_asks_everybody_who_has_not_signed_it() -> None:
    played = one_mentorship("group").says("ned", "agreement 1", act="change", after=3).play(until=20)
    assert {person: len(mail) for person, mail in played.mail("agreement").items()} == {
        "mia": 2, "ned": 1, "noa": 2, "nia": 2,
    }  # fmt: skip
    assert set(played.mail("agreement_concluded")) == {"mia", "ned", "noa", "nia"}


def test_a_turn_that_a_change_overtakes_is_superseded() -> None:
    played = (
        one_mentorship("group").says("ned", "agreement 1", act="change").silent("noa", "agreement 1").play(until=20)
    )
    assert EndRequest("c/m/agreement#1/noa", "superseded") in ended(played)


def test_a_peer_who_could_have_drafted_is_asked_again_when_the_other_has() -> None:
    played = one_mentorship("peer").says("pat", "agreement", after=4).play(until=20)
    assert played.mail("agreement") == {"pia": ["request S+0"], "pat": ["request S+0", "request S+1"]}
    assert [item.post.key for item in played.items if item.name == "agreement"][-1] == "c/m/agreement#1/pat/request.2"
    assert played.mail("agreement_concluded") == {"pat": ["receipt S+4"], "pia": ["notice S+4"]}


def test_reminders_go_to_those_whose_turn_it_is() -> None:
    played = one_mentorship().says("mia", "agreement", after=16).play(until=30)
    assert played.mail("agreement") == {"ned": ["request S+0"], "mia": ["request S+1", "reminder S+14"]}
    assert played.noted("agreement_concluded") == [(17, "", "version 1")]


def test_not_agreed_by_the_close_is_a_task_and_nothing_later_waits_for_it() -> None:
    played = one_mentorship().silent("mia", "agreement").play(until=40)
    assert played.mail("agreement")["mia"] == ["request S+1", "reminder S+14", "reminder S+19"]
    assert played.task_lines() == ["no_agreement S+22 due S+29"]
    assert ended(played)[-1] == EndRequest("c/m/agreement#1/mia", "closed")
    assert played.plan("fit_check", "check_in")[:2] == [
        "fit_check 1 S+14..21 settled S+15",
        "check_in 1 S+30..40 settled S+31",
    ]


def test_a_signature_of_an_older_version_or_after_the_close_counts_for_nothing() -> None:
    played = one_mentorship().says("mia", "agreement 1", act="change").silent("ned", "agreement 2")
    played.on(5, acts("stale", "ned", "sign", 1)).on(40, acts("late", "ned", "sign", 2)).play(until=41)
    assert played.noted("stale_signature") == [(5, "ned", "version 1")]
    assert played.noted("late_answer") == [(40, "ned", "agreement")]
    assert played.noted("agreement_concluded") == []


def test_only_who_takes_part_acts_on_the_agreement() -> None:
    played = one_mentorship("group").silent("nia", "agreement")
    played.on(5, Leave("e", "nia")).on(6, acts("e2", "nia", "sign", 1)).play(until=20)
    assert played.refused == ["this person takes no part in the mentorship; nobody waits for an answer"]
    assert played.noted("agreement_concluded") == [(5, "", "version 1")]  # nobody is left who has not signed
    assert set(played.mail("agreement_concluded", "notice")) == {"mia", "ned", "noa"}


def test_a_version_that_was_overtaken_counts_for_nothing() -> None:
    played = (
        one_mentorship()
        .says("mia", "agreement", act="change")
        .on(2, acts("e", "mia", "change", 2), hour=13)
        .play(until=5)
    )
    assert played.noted("stale_version") == [(2, "mia", "version 2")]


def test_a_version_that_comes_after_the_close_is_kept_so_the_next_one_has_another_number() -> None:
    played = one_mentorship().silent("ned", "agreement 1").on(40, acts("late", "ned", "draft", 1))
    played.says("everyone", "midpoint", r_decide="change").play(until=83)
    assert played.noted("late_answer") == [(40, "ned", "agreement")]
    played.version = 1
    played.play(until=100)
    assert [item.post.key for item in played.items if item.name == "agreement" and item.day > 40] == [
        "c/m/agreement.2#2/ned/request",
        "c/m/agreement.2#2/mia/request",
    ]
    assert played.noted("agreement_concluded") == [(87, "", "version 2")]


def test_whoever_leaves_takes_their_turn_and_their_signature_along() -> None:
    played = (
        one_mentorship("group")
        .silent("noa", "agreement")
        .on(5, Leave("e1", "ned"))
        .on(6, Leave("e2", "mia"))
        .play(until=30)
    )
    assert EndRequest("c/m/agreement#1/noa", "withdrawn") in ended(played)
    assert played.plan("agreement") == ["agreement 1 S+0..21 skipped"]
    assert played.told("task_opened")["cora"] != []
    assert "no_agreement" not in {line.kind for line in played.tasks}


def test_when_the_one_who_wanted_a_new_version_leaves_the_drafter_is_asked() -> None:
    played = one_mentorship("group").says("ned", "check_in 1", p_goal="changed").silent("ned", "agreement 2")
    played.on(35, Leave("e", "ned")).play(until=60)
    assert played.mail("agreement")["mia"] == ["request S+0", "request S+35"]
    assert played.state.agreement.concluded == 2


def test_whoever_is_left_alone_has_nobody_to_agree_with() -> None:
    played = one_mentorship().says("ned", "midpoint", r_decide="unsure").on(86, Leave("e", "ned"))
    played.decides("midpoint", "reopen_agreement", after=3).play(until=90)
    assert [detail for _, _, detail in played.noted("agreement_not_reopened")] == ["a partner is missing"]


def test_a_nudge_reaches_whoever_has_the_turn() -> None:
    played = one_mentorship().silent("mia", "agreement").on(10, Nudge("e", "cora")).play(until=11)
    assert [order.requests for done in played.batches for order in done.redeliver] == [("c/m/agreement#1/mia",)]


# -- reopened ----------------------------------------------------------------------------------------------------


def test_a_changed_goal_opens_the_agreement_with_a_receipt_for_one_and_an_item_for_the_other() -> None:
    played = one_mentorship().says("ned", "check_in 1", p_goal="changed").play(until=50)
    assert played.mail("agreement_reopened") == {"ned": ["receipt S+31"], "mia": ["notice S+31"]}
    receipt = next(item.post for item in played.items if item.name == "agreement_reopened")
    assert receipt.request == "c/m/agreement.2#2/ned"
    assert played.plan("agreement") == ["agreement 1 S+0..21 settled S+2", "agreement 2 S+31..52 settled S+33"]
    assert played.noted("agreement_concluded") == [(2, "", "version 1"), (33, "", "version 2")]


def test_the_changes_of_an_earlier_opening_do_not_count() -> None:
    played = one_mentorship().says("mia", "agreement 1", act="change").says("ned", "agreement 2", act="change")
    played.says("ned", "check_in 1", p_goal="changed").says("mia", "agreement 4", act="change").play(until=50)
    assert played.noted("agreement_concluded") == [(4, "", "version 3"), (34, "", "version 5")]
    assert played.task_lines() == []


def test_a_new_version_that_nobody_signs_leaves_the_old_one_in_force() -> None:
    played = one_mentorship().says("ned", "check_in 1", p_goal="changed").silent("mia", "agreement 2").play(until=60)
    assert played.task_lines() == ["no_agreement S+53 due S+60"]
    assert played.task("no_agreement").reason == "No new agreement was signed in time; version 1 stays in force."
    assert played.state.agreement.concluded == 1


def test_an_agreement_that_nobody_ever_drafted_can_be_opened_again_under_keys_of_its_own() -> None:
    played = (
        one_mentorship().silent("ned", "agreement").says("everyone", "midpoint", r_decide="change").play(until=84)
    )
    played.replies.pop(("ned", "agreement"))
    played.play(until=120)
    assert played.task_lines() == ["no_agreement S+22 due S+29 agreed S+87"]
    keys = [item.post.key for item in played.items if item.name == "agreement" and item.kind == "request"]
    assert keys == ["c/m/agreement#1/ned/request", "c/m/agreement.2#1/ned/request", "c/m/agreement.2#1/mia/request"]
    assert played.noted("agreement_concluded") == [(87, "", "version 1")]


def test_an_agreement_that_is_open_is_not_opened_twice() -> None:
    window = {"opens": "start", "closes": 60}
    played = one_mentorship(phases={"expectations": {"agreement": window}}).silent("mia", "agreement")
    played.says("ned", "check_in 1", p_goal="changed").play(until=40)
    assert [detail for _, _, detail in played.noted("agreement_not_reopened")] == [
        "it is open already, or has yet to open"
    ]


def test_a_program_without_an_agreement_has_none_to_open() -> None:
    played = one_mentorship(phases={"expectations": {"agreement": None}}).says("ned", "check_in 1", p_goal="changed")
    assert "agreement" not in {item.name for item in played.play(until=50).items}
    assert [detail for _, _, detail in played.noted("agreement_not_reopened")] == ["the program has no agreement"]


# -- fit check ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "task"),
    [
        ({"f_action": "someone_else"}, "fit S+15 due S+17"),
        ({"f_fit": 2}, "fit S+15 due S+17"),
        ({"f_fit": 1}, "fit S+15 due S+17"),
        ({"f_action": "word"}, "help S+15 due S+17"),
        ({"f_fit": 3}, None),
        ({"f_fit": None}, None),
    ],
)
def test_an_answer_to_the_fit_check_acts_the_moment_it_arrives(answers: dict[str, Any], task: str | None) -> None:
    played = one_mentorship().says("ned", "fit_check", **answers).silent("mia", "fit_check").play(until=16)
    assert played.task_lines() == ([task] if task else [])
    assert played.told("get_going") == {}


def test_the_fit_check_is_not_reminded_of() -> None:
    assert one_mentorship().silent("ned", "fit_check").play(until=30).mail("fit_check")["ned"] == ["request S+14"]


@pytest.mark.parametrize(
    ("mia", "ned", "told"),
    [
        ({}, {"f_action": "nudge"}, True),
        ({"f_contact": "nothing"}, {"f_contact": "nothing"}, True),
        ({"f_contact": "nothing"}, None, True),
        ({"f_contact": "nothing"}, {"f_contact": "messages"}, False),
        ({}, {}, False),
        (None, None, False),
    ],
)
def test_when_it_settles_a_nudge_or_no_contact_gets_everyone_going(
    mia: dict[str, Any] | None, ned: dict[str, Any] | None, told: bool
) -> None:
    played = one_mentorship()
    for person, answers in (("mia", mia), ("ned", ned)):
        if answers is None:
            played.silent(person, "fit_check")
        else:
            played.says(person, "fit_check", **answers)
    day = 15 if mia is not None and ned is not None else 22
    played.play(until=25)
    assert played.told("get_going") == ({"mia": [day], "ned": [day]} if told else {})
