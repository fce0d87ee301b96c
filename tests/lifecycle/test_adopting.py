"""A mentorship that runs takes up another version of its program: what has begun stays, what lies ahead follows."""

from __future__ import annotations

from typing import Any

import pytest

from lifecycle.events import Adopt, End, Event, Extend, Pause, Resume
from testing.cohorts.one_mentorship import OneMentorship, one_mentorship


def adopt(based_on: int | None = None, id_: str = "v2", **says: Any) -> Adopt:
    """Another version of the program of these seasons."""
    program = one_mentorship().state.program.model_dump(mode="json", exclude_defaults=True)
    return Adopt(id_, {"program": one_mentorship().state.program.program, **program, **says}, id_, "cora", based_on)


def ahead(played: OneMentorship, *names: str) -> list[str]:
    """What is planned yet: `check_in 2 S+60..70`."""
    return [line.removesuffix(" planned") for line in played.plan(*names) if line.endswith(" planned")]


def anchors(played: OneMentorship) -> list[int]:
    state = played.state
    return [played.offset(on) for on in (state.start, state.midpoint, state.end)]


def test_what_has_begun_keeps_its_dates_and_what_lies_ahead_follows_the_new_version() -> None:
    event = adopt(
        phases={
            "expectations": {"fit_check": None},
            "check_ins": {"every": 40, "closes": 5},
            "midpoint": {"window": {"opens": "midpoint - 10d", "reminders": ["3d"], "closes": "9d"}},
            "closure": {"winding_down": ["end - 21d"], "follow_up": None},
        }
    )
    played = one_mentorship().silent("ned", "check_in 1").on(32, event).play(until=33)
    assert played.plan("check_in")[0] == "check_in 1 S+30..40 open", "its window stays as it was opened"
    assert ahead(played) == [
        "midpoint 1 S+81..90", "check_in 2 S+120..125", "check_in 3 S+160..165", "winding_down 1 S+161",
        "closure 1 S+179..203",
    ]  # fmt: skip
    [done] = [one for one in played.batches if any(note.name == "adopted" for note in one.notes)]
    recorded = {(step.name, step.number): step.state for step in done.steps}
    assert recorded[("winding_down", 2)] == "skipped", "what the new version has not is taken off the record"
    assert played.noted("adopted") == [(32, "", "v2")]
    assert (done.version, played.batches[0].version) == ("v2", "")
    played.play()
    assert played.mail("midpoint")["mia"] == ["request S+81"]
    assert played.told("winding_down") == {"mia": [161], "ned": [161]}
    assert played.ending == ("completed", "", 182)
    assert [done.version for done in played.batches[-3:]] == ["v2"] * 3, "every turn says by which version it goes"


def test_the_same_numbers_change_no_date() -> None:
    """Other wording, another form: nothing moves, and nothing is asked twice."""
    same, other = one_mentorship().play(), one_mentorship()
    for day in (-10, 5, 31, 60, 90, 160, 183):
        other.on(day, adopt(id_=f"v{day}"), hour=13)
    assert other.play().plan() == same.plan()
    assert [(item.day, item.person, item.name) for item in other.items] == [
        (item.day, item.person, item.name) for item in same.items
    ]


@pytest.mark.parametrize(
    ("before", "after", "day", "opens"),
    [
        # Slower: those that were asked don't count as those that come.
        (14, 30, 45, [14, 28, 42, 60, 120, 150]),
        # Quicker: none is made up for, and none comes while one is open.
        (30, 10, 31, [30, 40, 50, 60, 70, 110, 120, 130, 140, 150, 160]),
        # Not twice in a short time, where the days of two rhythms lie next to each other.
        (30, 31, 61, [30, 60, 124, 155]),
        # None was asked yet.
        (60, 25, 52, [75, 125, 150]),
        (60, 25, 20, [25, 50, 75, 125, 150]),
    ],
)
def test_another_rhythm_goes_on_from_what_was_asked(before: int, after: int, day: int, opens: list[int]) -> None:
    event = adopt(phases={"check_ins": {"every": after}})
    played = one_mentorship(phases={"check_ins": {"every": before}}).on(day, event).play()
    assert played.opens("check_in") == opens
    numbers = [step.number for step in played.state.steps if step.name == "check_in"]
    assert numbers == list(range(1, len(numbers) + 1)), "each has a number of its own"


def test_a_later_pause_moves_what_the_new_version_plans() -> None:
    event = adopt(phases={"check_ins": {"every": 40}})
    played = one_mentorship().on(35, event).on(35, Pause("p", one_mentorship().day(45), "x"), hour=14).play()
    assert played.opens("check_in") == [30, 130, 170]
    assert anchors(played) == [0, 101, 192]


# -- the end -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extended", "day", "weeks", "end", "midpoint"),
    [
        (0, 20, 28, 196, 98),  # longer
        (0, 20, 20, 140, 70),  # shorter
        (0, 100, 28, 196, 91),  # half way is past
        (0, 88, 28, 196, 91),  # its form is out
        (4, 20, 28, 210, 105),  # what was given stays given
        (4, 20, 40, 280, 140),  # the new version gives more
        (4, 20, 20, 210, 105),
    ],
)
def test_the_end_follows_unless_it_was_extended(extended: int, day: int, weeks: int, end: int, midpoint: int) -> None:
    played = one_mentorship().silent("ned", "midpoint")
    if extended:
        played.on(10, Extend("e", extended, "cora"))
    played.on(day, adopt(length=weeks * 7)).play(until=day + 1)
    assert anchors(played) == [0, midpoint, end]
    assert played.play().ending == ("completed", "", end)


def test_launching_a_longer_program_and_then_taking_it_up_is_longer_once() -> None:
    played = one_mentorship().on(10, Extend("launch", 2, "cora")).on(11, adopt(length=196)).play()
    assert anchors(played) == [0, 98, 196]


def test_a_closure_form_that_is_out_comes_again_with_a_later_end() -> None:
    played = one_mentorship().silent("ned", "closure 1").on(181, adopt(length=196)).play()
    assert [line.split()[3] for line in played.plan("closure")] == ["skipped", "settled"]
    assert played.told("winding_down")["mia"] == [154, 168, 182]
    assert played.ending == ("completed", "", 196)


def test_winding_down_in_another_number_of_steps_is_told_in_time_after_the_end_has_moved() -> None:
    once = {"closure": {"winding_down": ["end - 7d"]}}
    played = one_mentorship().on(170, Extend("e", 8, "cora")).on(175, adopt(length=182, phases=once)).play()
    assert played.told("winding_down")["mia"] == [154, 168, 231]
    thrice = {"closure": {"winding_down": ["end - 28d", "end - 14d", "end - 7d"]}}
    played = one_mentorship().on(170, Extend("e", 8, "cora")).on(175, adopt(length=182, phases=thrice)).play()
    assert played.told("winding_down")["mia"] == [154, 168, 210, 224, 231]


# -- back and forth ----------------------------------------------------------------------------------------------


def test_the_version_before_can_be_taken_up_again() -> None:
    event = adopt(length=196, phases={"check_ins": {"every": 40}})
    played = one_mentorship().on(35, event).on(36, adopt(id_="v1")).play()
    assert played.plan() == one_mentorship().play().plan()


def test_before_the_start_everything_that_is_not_out_follows() -> None:
    event = adopt(phases={"onboarding": {"invitation": {"opens": "start - 14d", "closes": "10d"}}})
    played = one_mentorship().on(-25, event).play()
    assert played.plan("invitation") == ["invitation 1 S-14..-4 settled S-13"]
    assert played.ending == ("completed", "", 182)


def test_in_a_pause_nothing_is_told_and_what_lies_ahead_follows() -> None:
    played = one_mentorship().on(40, Pause("a", None, "x")).on(50, adopt(phases={"check_ins": {"every": 25}}))
    played.on(60, Resume("b", "x")).play()
    assert played.opens("check_in") == [30, 70, 95, 145, 170]
    assert [item for item in played.items if 40 <= item.day < 60] == []


# -- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (adopt(program="other"), "it runs on the program 'formal'; write a version of that one, 'other' is another"),
        (adopt(format="group"), "it is one_to_one; write a version of that format, group is another"),
        (adopt(length=30), "its end would be 2027-02-17, which is past; write a longer `length`, or end it"),
        (adopt(unheard="of"),
         "the workers don't understand this version of the program; bring them up to date first"),
        (adopt(based_on=7), "it was changed meanwhile (); look again before you decide"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(event: Event, reason: str) -> None:
    played = one_mentorship().play(until=40)
    played.turn(event)
    assert played.refused == [reason]
    assert played.state.version == ""


def test_what_is_over_or_ends_early_is_not_changed_any_more() -> None:
    played = one_mentorship().play(until=185)
    played.turn(adopt())
    assert played.refused == ["the mentorship is closed (completed); its record is final"]
    played = one_mentorship().on(40, End("e", "no_fault", "cora")).on(41, adopt()).play(until=42)
    assert played.refused == ["the mentorship is ending early already (no_fault); it closes by itself"]
