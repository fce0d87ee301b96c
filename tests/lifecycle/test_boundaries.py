"""Last days, words and numbers that no other test names: each holds a change to the core that would go unnoticed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from lifecycle.delivery.letterbox import rule_of
from lifecycle.delivery.postbox import ItemFacts, logical_moment
from lifecycle.events import Decided, End, Event, Pause, Replace
from lifecycle.phases.onboarding import last_wait
from lifecycle.state import State
from program.models import Letterbox
from testing.cohorts.one_mentorship import one_mentorship

RULE = rule_of(Letterbox())


def wait(state: State) -> Event:
    return Decided("wait", state.tasks["seat_empty"].key, "wait", "cora")


def test_waiting_for_a_seat_is_possible_on_its_last_day() -> None:
    empty = one_mentorship().silent("ned", "invitation").play(until=0)
    last = empty.offset(last_wait(empty.state))
    played = one_mentorship().silent("ned", "invitation").on(last, wait).play(until=last)
    assert played.refused == []
    assert played.state.seat_wait_until is not None


def test_a_pause_can_not_begin_ten_years_from_now() -> None:
    begins = one_mentorship().day(365 * 11)
    endless, far = Pause("p", None, "cora"), Pause("far", None, "cora", begins=begins)
    played = one_mentorship().on(40, endless).on(41, far).play(until=42)
    [refusal] = played.refused
    assert "ten years" in str(refusal)


def test_a_pause_without_end_moves_nothing_before_it_ends() -> None:
    paused = one_mentorship().on(40, Pause("p", None, "cora")).play(until=41)
    usual = one_mentorship().play(until=41)
    assert (paused.state.midpoint, paused.state.end) == (usual.state.midpoint, usual.state.end)
    assert paused.opens("check_in") == usual.opens("check_in")


def test_a_task_about_a_seat_says_how_the_seat_was_taken() -> None:
    late = one_mentorship().says("ned", "invitation", after=16).play(until=-2)
    assert late.task_lines() == ["seat_empty S-6 due S-3 filled S-5"]
    assert late.task("seat_empty").reason == "Somebody did not answer the invitation."
    replaced = one_mentorship().silent("ned", "invitation").silent("nils", "invitation")
    replaced.on(-4, Replace("r", "ned", "nils", "", "cora")).play(until=-3)
    assert replaced.task_lines() == ["seat_empty S-6 due S-3 replaced S-4"]


def test_an_early_end_closes_the_task_about_an_empty_seat() -> None:
    played = one_mentorship().on(40, Replace("r", "ned", "nils", "", "cora")).says("nils", "invitation", accept=False)
    played.on(44, End("e", "no_fault", "cora")).play(until=45)
    assert [line.split()[-2:] for line in played.task_lines("seat_empty")] == [["lapsed", "S+44"]]


def test_each_signature_is_on_the_record_with_its_version() -> None:
    played = one_mentorship().play(until=10)
    [(_, _, detail)] = played.noted("agreement_signed")
    assert detail == "version 1"


def test_an_agreement_that_opens_again_for_a_goal_is_numbered_for_everyone() -> None:
    played = one_mentorship().says("ned", "check_in 1", p_goal="changed").play(until=45)
    told = [item for item in played.items if item.name == "agreement_reopened"]
    assert {item.person for item in told} == {"mia", "ned"}
    assert {item.number for item in told} == {1}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_moment_of_a_mail_does_not_depend_on_the_order_of_its_items(order: tuple[int, int]) -> None:
    nine = datetime(2026, 3, 2, 8, tzinfo=UTC)
    monday = date(2026, 3, 2)
    queued = (nine - timedelta(days=1), nine + timedelta(hours=2))
    items = [ItemFacts(str(n), "notice", "get_going", monday, queued[n], RULE) for n in order]
    now = nine + timedelta(hours=3)
    assert logical_moment("Europe/Berlin", items, now) == now
