"""Pauses that begin later, and telling the others of a pause."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from lifecycle.events import End, Extend, Pause, Resume
from operations.mentorships.dry_run import foresee
from testing.cohorts.one_mentorship import OneMentorship, one_mentorship
from workflows.ui_card import card


def dates(played: OneMentorship) -> list[str]:
    steps = sorted(played.state.steps, key=lambda step: (step.name, step.number))
    return [f"{step.name} {step.number} {step.opens} {step.closes} {step.state}" for step in steps]


def ahead(begins: int, until: int | None, id_: str = "ahead", **more: bool) -> Pause:
    day = one_mentorship().day
    return Pause(id_, None if until is None else day(until), "x", begins=day(begins), **more)


def now(until: int | None, id_: str = "now") -> Pause:
    return Pause(id_, None if until is None else one_mentorship().day(until), "x")


def resume() -> Resume:
    return Resume("resume", "x")


@pytest.mark.parametrize(
    ("script", "same_as"),
    [
        # It begins on its day as if it had been given then.
        (lambda p: p.on(20, ahead(41, 51)), [(41, 51)]),
        # A step of its first day is kept back.
        (lambda p: p.on(20, ahead(60, 70)), [(59, 69)]),
        # It meets one that runs: the later end counts.
        (lambda p: p.on(20, ahead(45, 60)).on(41, now(50)), [(41, 60)]),
        (lambda p: p.on(41, now(60)).on(42, ahead(45, 50)), [(41, 60)]),
        # It touches one that runs.
        (lambda p: p.on(20, ahead(50, 60)).on(41, now(50)), [(41, 60)]),
        # Another one now that is over before.
        (lambda p: p.on(20, ahead(61, 68)).on(41, now(50)), [(41, 50), (61, 68)]),
        # One without an end that runs has the end of the one that begins.
        (lambda p: p.on(20, ahead(45, 52)).on(41, now(None)), [(41, 52)]),
        # Without an end, ended by somebody.
        (lambda p: p.on(20, ahead(41, None)).on(52, resume()), [(41, 52)]),
        # Taken back; while one runs, that one ends first.
        (lambda p: p.on(20, ahead(41, 51)).on(30, resume()), []),
        (lambda p: p.on(20, ahead(61, 68)).on(41, now(55)).on(50, resume()), [(41, 50), (61, 68)]),
        # A second one that touches the first merges with it.
        (lambda p: p.on(20, ahead(45, 50)).on(21, ahead(41, 45, "b")), [(41, 50)]),
        (lambda p: p.on(20, ahead(41, None)).on(21, ahead(45, 51, "b")), [(41, 51)]),
        (lambda p: p.on(20, ahead(41, 47)).on(21, ahead(44, 51, "b")), [(41, 51)]),
        # An outage over its first day, and over all of it.
        (lambda p: p.on(20, ahead(41, 51)).away(36, 44), [(41, 51)]),
    ],
)  # fmt: skip
def test_a_planned_pause_comes_to_the_same_as_one_that_is_given_on_its_day(
    script: Callable[[OneMentorship], OneMentorship], same_as: list[tuple[int, int]]
) -> None:
    plain = one_mentorship()
    for number, (first, last) in enumerate(same_as):
        plain.on(first, Pause(f"p{number}", plain.day(last), "x"), hour=0)
    planned = script(one_mentorship()).play()
    assert dates(planned) == dates(plain.play())
    assert planned.ending == plain.ending
    assert planned.refused == []


def test_until_it_begins_nothing_moves_and_it_is_known() -> None:
    played = one_mentorship().on(20, ahead(41, 51)).play(until=40)
    at_a_glance = played.batches[-1].snapshot
    assert (at_a_glance.pause_ahead, at_a_glance.paused_until) == ("2027-02-28/2027-03-10", "")
    assert "2027-02-28 until 2027-03-10" in card(played.state)
    assert played.opens("check_in") == [30, 60, 120, 150]
    played.play(until=42)
    at_a_glance = played.batches[-1].snapshot
    assert (at_a_glance.pause_ahead, at_a_glance.paused_until) == ("", "2027-03-10")


def test_an_end_or_an_extension_meanwhile() -> None:
    ended = one_mentorship().on(20, ahead(41, 51)).on(30, End("e", "no_fault", "x")).play()
    assert ended.noted("paused") == []
    assert ended.ending == one_mentorship().on(30, End("e", "no_fault", "x")).play().ending
    longer = one_mentorship().on(20, ahead(190, 200)).on(10, Extend("e", 4, "x")).play()
    assert longer.ending == ("completed", "", 220)


def refused(begins: date, until: date | None) -> list[str]:
    played = one_mentorship().on(20, ahead(61, 70)).on(30, Pause("b", until, "x", begins=begins))
    return played.play(until=31).refused


def test_what_makes_no_sense_is_refused() -> None:
    day = one_mentorship().day
    assert refused(day(29), day(50)) == [
        "a pause can't begin in the past (2027-02-16); write 2027-02-17 or a later day"
    ]
    assert refused(day(40), day(40)) == [
        "a pause must end after the day on which it begins (2027-02-27); 2027-02-27 is not"
    ]
    assert refused(day(182), day(190)) == [
        "the mentorship ends on 2027-07-19, before the pause would begin; extend it first"
    ]
    assert refused(day(40), day(50)) == [
        "a pause from 2027-03-20 until 2027-03-29 is planned already, and there can be one; resume takes it back"
    ]
    assert refused(day(30), day(40)) == []  # today: at once


@pytest.mark.parametrize(
    "event", [ahead(41, 51, tell=True), Pause("now", one_mentorship().day(51), "ned", tell=True)]
)
def test_the_others_are_told_the_dates_at_once_and_once(event: Pause) -> None:
    played = one_mentorship().on(40, event).play(until=60)
    told = {"mia", "ned"} - {event.by}
    assert played.mail("partner_paused") == {person: ["urgent S+40"] for person in told}
    first = 41 if event.begins else 40
    said = {item.post.about for item in played.items if item.name == "partner_paused"}
    assert said == {f"{played.day(first)}/{played.day(51)}"}
    assert one_mentorship().on(40, now(51)).play(until=60).mail("partner_paused") == {}


def test_what_it_will_move_is_said_beforehand() -> None:
    played = one_mentorship().silent("ned", "check_in 1").on(35, ahead(61, 71)).play(until=34)
    after, outlook = foresee(played.state, ahead(61, 71), played.now)
    assert after.end == played.day(182)
    assert outlook.pause_ahead == after.pause_ahead
    moved = {(one.name, one.number): one.opens for one in outlook.moved}
    assert moved["end", 1] == (played.day(182), played.day(192))
    assert moved["check_in", 2] == (played.day(60), played.day(60))  # its window is open that day
    assert moved["check_in", 3] == (played.day(120), played.day(130))
    assert ("check_in", 1) not in moved  # open today, over by then
    assert outlook.left_out == ()
