"""A notice that waits is checked at delivery: what it says must still hold (lifecycle 2.7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from lifecycle.delivery.notices import (
    OF_PARTNERS,
    OF_SILENCE,
    TRUE_WHILE,
    Notice,
    NoticeFacts,
    facts_of,
    still_true,
    who_takes_part,
)
from lifecycle.events import Extend, Leave, Pause, Replace, Resume
from mail.letters import ASKS, NAMES
from testing.cohorts.one_mentorship import OneMentorship, one_mentorship

QUEUED = datetime(2027, 3, 1, 8, tzinfo=UTC)
PAIR = NoticeFacts(
    partners=frozenset({"mia"}), present=frozenset({"mia", "ned"}), end=date(2027, 7, 19), last_life=QUEUED,
    agreement_open=2, agreement_in_force=3, paused_until="2027-04-19", pause_ahead="2027-06-01/open",
)  # fmt: skip
"""What the mentee of a pair would be asked about."""
ALONE = replace(PAIR, partners=frozenset(), present=frozenset({"ned"}))
GONE = replace(PAIR, takes_part=False, present=frozenset({"mia"}))
ENDING = replace(PAIR, ending=True)


@pytest.mark.parametrize(
    ("name", "about", "number", "facts", "true"),
    [
        ("introduction", "mia", 1, PAIR, True),
        ("introduction", "", 1, PAIR, True),
        ("introduction", "mia max", 1, PAIR, True),
        ("introduction", "max", 1, PAIR, False),
        ("introduction", "mia", 1, ALONE, False),
        ("introduction", "mia", 1, GONE, False),
        ("introduction", "mia", 1, ENDING, False),
        ("get_going", "", 1, PAIR, True),
        ("get_going", "", 1, ALONE, False),
        ("get_going", "", 1, GONE, False),
        ("get_going", "", 1, ENDING, False),
        ("joint_sheet", "", 1, PAIR, True),
        ("joint_sheet", "", 1, ALONE, False),
        ("joint_sheet", "", 1, GONE, False),
        ("joint_sheet", "", 1, ENDING, False),
        ("winding_down", "2027-07-19", 1, PAIR, True),
        ("winding_down", "2027-07-12", 1, PAIR, False),
        ("winding_down", "2027-07-19", 1, ENDING, False),
        ("are_you_there", "", 1, PAIR, True),
        ("are_you_there", "", 1, replace(PAIR, last_life=None), True),
        ("are_you_there", "", 1, replace(PAIR, last_life=QUEUED + timedelta(seconds=1)), False),
        ("are_you_there", "", 1, ENDING, False),
        ("closing_for_silence", "", 1, PAIR, True),
        ("closing_for_silence", "", 1, replace(PAIR, last_life=QUEUED + timedelta(days=1)), False),
        ("agreement_reopened", "2", 1, PAIR, True),
        ("agreement_reopened", "1", 1, PAIR, False),
        ("agreement_reopened", "2", 1, replace(PAIR, agreement_open=0), False),
        ("agreement_concluded", "", 3, PAIR, True),
        ("agreement_concluded", "", 2, PAIR, False),
        ("still_paused", "", 1, PAIR, True),
        ("still_paused", "", 1, replace(PAIR, paused_until=""), False),
        ("partner_left", "max", 1, PAIR, True),
        ("partner_left", "mia", 1, PAIR, False),
        ("partner_left", "max", 1, GONE, False),
        ("partner_paused", "2027-03-01/2027-04-19", 1, PAIR, True),
        ("partner_paused", "2027-03-01/2027-04-20", 1, PAIR, False),
        ("partner_paused", "2027-06-01/open", 1, PAIR, True),
        ("partner_paused", "2027-03-01/open", 1, replace(PAIR, paused_until="open"), True),
        ("partner_paused", "2027-03-01/2027-04-19", 1, GONE, False),
        ("task_opened", "", 1, PAIR, True),
        ("task_opened", "", 1, replace(PAIR, task_open=False), False),
        ("task_repeated", "", 1, replace(PAIR, task_open=False), False),
        ("task_to_deputy", "", 1, replace(PAIR, task_open=False), False),
        ("farewell", "", 1, replace(ENDING, takes_part=False), True),
        ("not_starting", "", 1, ENDING, True),
        ("transferred", "", 1, ENDING, True),
    ],
)  # fmt: skip
def test_what_each_notice_says_still_holds_or_not(
    name: str, about: str, number: int, facts: NoticeFacts, true: bool
) -> None:
    assert still_true(name, Notice(number, about, QUEUED), facts) is true


def test_every_condition_is_tried() -> None:
    tried = {mark[0] for mark in test_what_each_notice_says_still_holds_or_not.pytestmark[0].args[1]}  # type: ignore[attr-defined]
    assert set(TRUE_WHILE) <= tried


WITHOUT_CONDITION = {
    "farewell": "the mentorship is over, and stays so",
    "not_starting": "the mentorship is over, and stays so",
    "transferred": "the mentorship is over, and stays so",
    "cancelled": "the cohort is over, and stays so",
    "safety_received": "a receipt",
    "reminders_stopped": "tells of an act that was done",
    "message": "goes by the places of its reader, in `lifecycle.delivery.messages`",
    "address_old": "a receipt",
    "address_new": "a receipt",
    "own_page": "a receipt",
    "voice": "dropped by an answer, and by other words",
    "application_confirm": "a receipt",
    "application_yours": "a receipt",
    "application_invited": "dropped by an application, and by the close of the call",
    "application_wishes": "dropped by a withdrawal, and by the end of the wishes",
    "application_nobody": "the pairs are published, and stay so",
    "application_cancelled": "the call is over, and stays so",
}
"""Notices that stay true, or that are dropped by what makes them untrue, and why."""


def test_every_notice_has_a_condition_or_a_reason_why_it_needs_none() -> None:
    assert set(NAMES) - set(ASKS) - set(TRUE_WHILE) == set(WITHOUT_CONDITION)


def depends(name: str, first: NoticeFacts, second: NoticeFacts) -> bool:
    """Whether the condition of a notice tells these facts apart, in any of the cases that are tried above."""
    cases = test_what_each_notice_says_still_holds_or_not.pytestmark[0].args[1]  # type: ignore[attr-defined]
    return any(
        still_true(name, Notice(number, about, QUEUED), first)
        is not still_true(name, Notice(number, about, QUEUED), second)
        for tried, about, number, _, _ in cases
        if tried == name
    )


@pytest.mark.parametrize("name", TRUE_WHILE)
def test_the_facts_that_a_condition_reads_are_fetched_for_it(name: str) -> None:
    """Seats are read from SQL only for the names in `OF_PARTNERS`: without them nobody seems to take part. Whether a
    sign of life came between the look and the sending is asked only for those in `OF_SILENCE`."""
    unread = replace(PAIR, takes_part=False, partners=frozenset(), present=frozenset())
    assert depends(name, PAIR, unread) is (name in OF_PARTNERS), "add it to OF_PARTNERS, or take it out"
    alive = replace(PAIR, last_life=QUEUED + timedelta(days=1))
    assert depends(name, PAIR, alive) is (name in OF_SILENCE), "add it to OF_SILENCE, or take it out"


@pytest.mark.parametrize(
    ("seats", "reader", "partners"),
    [
        ([("mia", "mentor", "accepted"), ("ned", "mentee", "accepted")], "ned", {"mia"}),
        ([("mia", "mentor", "invited"), ("ned", "mentee", "accepted")], "ned", set()),
        ([("mia", "mentor", "out"), ("ned", "mentee", "accepted")], "ned", set()),
        ([("pia", "peer", "accepted"), ("pat", "peer", "accepted")], "pia", {"pat"}),
        (
            [("mia", "mentor", "accepted"), ("ned", "mentee", "accepted"), ("noa", "mentee", "accepted")],
            "ned",
            {"mia"},
        ),
    ],
)
def test_a_partner_has_accepted_and_has_the_other_role(
    seats: list[tuple[str, str, str]], reader: str, partners: set[str]
) -> None:
    assert who_takes_part(seats, reader)[1] == partners


def untrue(played: OneMentorship, name: str) -> list[tuple[int, str]]:
    """(day, reader) of each notice of this name that does not hold at the end of the play."""
    return [
        (item.day, item.person)
        for item in played.items
        if item.name == name
        and item.kind != "receipt"
        and not still_true(
            name,
            Notice(item.number, item.post.about, played.queued_at[item.post.key]),
            facts_of(played.state, item.person),
        )
    ]


def test_an_introduction_is_for_those_who_were_there_when_it_was_queued() -> None:
    played = one_mentorship().on(0, Leave("l", "mia")).play(until=1)
    assert untrue(played, "introduction") == [(0, "mia"), (0, "ned")]


def test_a_replaced_partner_is_introduced_anew_and_the_first_introduction_is_void() -> None:
    played = one_mentorship().on(0, Replace("r", "mia", "max", "Europe/Berlin", "cora")).play(until=4)
    assert played.told("introduction") == {"mia": [0], "ned": [0, 1], "max": [1]}
    assert untrue(played, "introduction") == [(0, "mia"), (0, "ned")]


def test_in_a_group_an_introduction_holds_while_one_of_those_is_there() -> None:
    played = one_mentorship("group").on(1, Leave("l", "noa")).play(until=2)
    assert untrue(played, "introduction") == [(0, "noa")]
    played = one_mentorship("group").on(1, Leave("l", "mia")).play(until=2)
    assert {person for _, person in untrue(played, "introduction")} == {"mia", "ned", "noa", "nia"}


@pytest.mark.parametrize("event", [Pause("p", date(2027, 8, 1), "ned"), Extend("e", 2, "cora")])
def test_winding_down_names_an_end_that_has_moved(event: Pause | Extend) -> None:
    played = one_mentorship().on(155, event).play(until=156)
    assert untrue(played, "winding_down") == [(154, "mia"), (154, "ned")]


def test_a_pause_that_moves_the_end_brings_the_winding_down_again_when_it_is_over() -> None:
    played = one_mentorship().on(160, Pause("p", one_mentorship().day(180), "ned")).play()
    assert played.told("winding_down") == {"mia": [154, 180, 188], "ned": [154, 180, 188]}
    assert [item.number for item in played.items if item.name == "winding_down" and item.person == "mia"] == [1, 1, 2]


def test_so_does_a_pause_without_end_and_one_that_is_taken_back_does_not() -> None:
    played = one_mentorship().on(160, Pause("p", None, "ned")).on(180, Resume("r", "ned")).play()
    assert played.told("winding_down") == {"mia": [154, 180, 188], "ned": [154, 180, 188]}
    played = (
        one_mentorship()
        .on(160, Pause("p", one_mentorship().day(180), "ned"))
        .on(160, Resume("r", "ned"), hour=13)
        .play()
    )
    assert played.told("winding_down") == {"mia": [154, 168], "ned": [154, 168]}
    assert untrue(played, "winding_down") != []  # it is over now


def test_a_pause_whose_new_dates_were_past_brings_nothing_again() -> None:
    played = one_mentorship().on(160, Pause("p", one_mentorship().day(163), "ned")).play()
    assert played.told("winding_down") == {"mia": [154, 171], "ned": [154, 171]}


def test_by_the_rules_of_an_older_run_a_pause_brings_nothing_again() -> None:
    played = one_mentorship(schema=1).on(160, Pause("p", one_mentorship().day(180), "ned")).play()
    assert played.told("winding_down") == {"mia": [154, 188], "ned": [154, 188]}


def test_an_agreement_that_is_agreed_again_makes_the_notices_of_it_void() -> None:
    played = one_mentorship().says("ned", "check_in 1", p_goal="changed").play(until=32)
    assert played.told("agreement_reopened") == {"mia": [31], "ned": [31]}
    assert untrue(played, "agreement_reopened") == []
    played = one_mentorship().says("ned", "check_in 1", p_goal="changed").play(until=36)
    assert untrue(played, "agreement_reopened") == [(31, "mia")]
    assert {day for day, _ in untrue(played, "agreement_concluded")} == {2}


def test_a_sign_of_life_makes_the_question_whether_they_are_there_void() -> None:
    played = one_mentorship().silent("everyone", "check_in 1", "are_you_there").play(until=42)
    assert untrue(played, "are_you_there") == []
    played = one_mentorship().silent("everyone", "check_in 1").play(until=43)
    assert untrue(played, "are_you_there") == [(41, "mia"), (41, "ned")]


def test_a_pause_that_is_planned_is_a_fact() -> None:
    state = (
        one_mentorship()
        .on(3, Pause("p", one_mentorship().day(10), "ned", begins=one_mentorship().day(5)))
        .play(until=4)
        .state
    )
    assert facts_of(state, "ned").pause_ahead == f"{one_mentorship().day(5)}/{one_mentorship().day(10)}"
