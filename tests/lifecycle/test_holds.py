"""Lifecycle 5, S: what a safety report holds back is held until the last report is decided, after the end as well."""

from __future__ import annotations

import pytest

from lifecycle.delivery.holds import Standstill, fate_of
from lifecycle.events import Answered, Decided, Event, Release
from lifecycle.findings import Signals
from lifecycle.state import State
from testing.cohorts.one_mentorship import OneMentorship, one_mentorship

REPORT = Signals(safety=True)


def report(
    played: OneMentorship, day: int, person: str = "ned", id_: str = "r", *, contact: bool = False
) -> OneMentorship:
    """Somebody raises a concern on their own page."""
    signals = Signals(safety=True, contact=contact)
    return played.on(day, lambda _: Answered(id_, person, "concern", 1, signals, played.now))


def decides(kind_key: str, decision: str) -> Event:
    return Decided(f"{kind_key}/{decision}", f"c/m/task.safety#{kind_key}", decision, "cora")


def test_a_report_that_is_undecided_at_the_end_is_released_or_withheld() -> None:
    played = report(one_mentorship(), 170).play(until=200)
    assert played.ending == ("completed", "", 182)
    assert played.state.held
    assert played.batches[-1].snapshot.held
    [task] = played.state.tasks.values()
    assert played.decisions_now(task.key) == ("release", "withhold")


def test_before_the_end_it_is_released_or_the_mentorship_ended() -> None:
    played = report(one_mentorship(), 170).play(until=171)
    assert played.decisions_now("c/m/task.safety#1") == ("release", "end")
    played.on(172, decides("1", "withhold")).play(until=173)
    assert played.refused == ["a task of kind safety can be decided release, end; not 'withhold'"]


def test_a_report_that_comes_after_the_end_is_released_or_withheld() -> None:
    played = report(one_mentorship(), 190).play(until=191)
    assert played.decisions_now("c/m/task.safety#1") == ("release", "withhold")
    played.on(192, decides("1", "end")).play(until=193)
    assert played.refused == ["a task of kind safety can be decided release, withhold; not 'end'"]


def test_what_is_withheld_is_dropped_and_the_follow_up_does_not_come() -> None:
    played = report(one_mentorship(), 170).on(190, decides("1", "withhold")).play()
    assert [done.now.date() for done in played.batches if done.withhold] == [played.day(190)]
    assert not played.state.held
    assert played.step("follow_up").state == "skipped"
    assert played.told("follow_up") == {}
    assert played.state.finished


def test_what_is_released_after_the_end_goes_and_so_does_the_follow_up() -> None:
    played = report(one_mentorship(), 170).on(190, Release("e", "cora")).play()
    assert played.task_lines() == ["safety S+170 due S+170 release S+190"]
    assert not any(done.withhold for done in played.batches)
    assert played.told("follow_up") == {"mia": [364], "ned": [364]}


def test_two_reports_hold_until_both_are_decided() -> None:
    played = report(report(one_mentorship(), 20), 21, "mia", "s").on(22, decides("1", "release")).play(until=23)
    assert played.state.held
    assert played.noted("released") == []
    played.on(24, decides("2", "release")).play(until=25)
    assert not played.state.held
    assert [line.split()[-1] for line in played.task_lines()] == ["S+22", "S+24"]


def test_ending_for_one_report_keeps_the_hold_of_the_other() -> None:
    played = report(report(one_mentorship(), 20), 21, "mia", "s").on(22, decides("1", "end")).play(until=23)
    assert (played.state.reason, played.state.held) == ("safeguarding", True)


def test_withholding_for_one_report_drops_what_is_held_and_keeps_the_hold_of_the_other() -> None:
    played = report(report(one_mentorship(), 170), 171, "mia", "s").on(190, decides("1", "withhold")).play(until=191)
    assert played.state.held
    assert [done.now.date() for done in played.batches if done.withhold] == [played.day(190)]


def test_release_as_a_change_is_refused_where_several_reports_are_open_and_names_them() -> None:
    played = report(report(one_mentorship(), 20), 21, "mia", "s").on(22, Release("e", "cora")).play(until=23)
    assert played.refused == ["several reports are open; decide each of them: c/m/task.safety#1, c/m/task.safety#2"]


def test_by_the_rules_of_an_older_run_a_second_report_makes_the_task_grow() -> None:
    played = report(report(one_mentorship(schema=1), 20), 21, "mia", "s").play(until=22)
    assert [line.kind for line in played.tasks] == ["safety"]
    assert played.mail("task_opened") == {"cora": ["urgent S+20", "urgent S+21"]}
    played.on(23, Release("e", "cora")).play(until=24)
    assert not played.state.held


@pytest.mark.parametrize("contact", [True, False])
def test_the_receipt_promises_a_word_only_where_it_was_wished(contact: bool) -> None:
    played = report(one_mentorship(), 20, contact=contact).play(until=21)
    [receipt] = [item.post for item in played.items if item.name == "safety_received"]
    assert receipt.about == ("contact" if contact else "")


@pytest.mark.parametrize(
    ("still", "kind", "name", "fate"),
    [
        (Standstill(held=True), "notice", "farewell", "held"),
        (Standstill(held=True), "urgent", "partner_left", "held"),
        (Standstill(held=True), "receipt", "agreement_concluded", "held"),
        (Standstill(held=True), "reminder", "check_in", "held"),
        (Standstill(held=True), "receipt", "safety_received", "queued"),
        (Standstill(held=True), "notice", "still_paused", "queued"),
        (Standstill(held=True), "urgent", "partner_paused", "held"),
        (Standstill(held=True, withheld=True), "notice", "farewell", "over"),
        (Standstill(held=True, withheld=True), "receipt", "safety_received", "queued"),
        (Standstill(withheld=True), "request", "follow_up", "over"),
        (Standstill(paused=True), "reminder", "check_in", "paused"),
        (Standstill(paused=True), "request", "check_in", "held"),
        (Standstill(paused=True), "urgent", "partner_paused", "queued"),
        (Standstill(), "request", "check_in", "queued"),
    ],
)
def test_what_a_standstill_does_to_an_item(still: Standstill, kind: str, name: str, fate: str) -> None:
    assert fate_of(kind, name, "", still) == fate
    assert fate_of(kind, name, "a task", still) == "queued"


def test_a_hold_ends_with_nothing_but_a_decision() -> None:
    held: list[bool] = []

    def look(state: State) -> Event:
        held.append(state.held)
        return Release("never", "cora", based_on=99)

    report(one_mentorship(), 170).on(181, look).on(183, look).on(300, look).play(until=301)
    assert held == [True, True, True]
