"""Lifecycle 4 and 6: the midpoint form and the matrix that decides, in both orders, for pairs and groups."""

from __future__ import annotations

from typing import Any

import pytest

from lifecycle.assessment import MATRIX, outcome
from lifecycle.events import Leave, Pause
from testing.cohorts.one_mentorship import OneMentorship, one_mentorship

CHOICES = ("continue", "change", "pause", "new_partner", "end", "unsure", None)
"""What each may answer; None for nothing."""

TABLE = """
             continue  change  pause  leave  unsure  nothing
continue     go_on     reopen  task   task   task    go_on
change       -         reopen  task   task   task    reopen
pause        -         -       pause  task   task    task
leave        -         -       -      end    task    task
unsure       -         -       -      -      task    task
nothing      -         -       -      -      -       ask
"""
"""The matrix as the lifecycle page draws it."""


def table() -> dict[tuple[str, str], str]:
    head, *rows = [line.split() for line in TABLE.strip().splitlines()]
    upper = {
        (row[0], column): cell for row in rows for column, cell in zip(head, row[1:], strict=True) if cell != "-"
    }
    return upper | {(column, row): cell for (row, column), cell in upper.items()}


def column(choice: str | None) -> str:
    return {"new_partner": "leave", "end": "leave", None: "nothing"}.get(choice, choice or "nothing")


def chosen(mia: str | None, ned: str | None, until: tuple[int, int] = (120, 120)) -> OneMentorship:
    """A season in which the two answered so at the midpoint; `until`: days after S of their pauses."""
    played = one_mentorship()
    for person, choice, day in (("mia", mia, until[0]), ("ned", ned, until[1])):
        if choice is None:
            played.silent(person, "midpoint")
        else:
            played.says(person, "midpoint", r_decide=choice, r_until=played.day(day).isoformat())
    return played


@pytest.mark.parametrize("ned", CHOICES)
@pytest.mark.parametrize("mia", CHOICES)
def test_every_cell_of_the_matrix(mia: str | None, ned: str | None) -> None:
    cell = table()[column(mia), column(ned)]
    day = 85 if mia and ned else 99
    played = chosen(mia, ned).play(until=105)
    found = {
        "task": [line.opened for line in played.tasks if line.kind == "midpoint"],
        "reopen": [at for at, _, _ in played.noted("agreement_reopened")],
        "pause": [at for at, _, _ in played.noted("paused")],
        "end": [at for at, _, _ in played.noted("ending_early")],
        "ask": played.told("are_you_there").get("mia", []),
    }
    assert found == {name: [day] if name == cell else [] for name in found}


def test_the_matrix_has_no_empty_cell_and_order_does_not_matter() -> None:
    names = ("continue", "change", "pause", "leave", "unsure", "nothing")
    assert len(MATRIX) == 21
    for one in names:
        for other in names:
            assert outcome(one, other) == outcome(other, one)


def test_a_task_says_who_said_what_and_is_due_in_five_working_days() -> None:
    task = chosen("continue", "end").play(until=100).task("midpoint")
    assert (task.opened, task.due) == (85, 92)
    assert task.about == ("mia", "ned")
    assert task.reason == "At the midpoint one says go on as is and the other says another partner, or finish."


def test_reminders_and_close() -> None:
    played = chosen(None, "continue").play(until=110)
    assert played.mail("midpoint")["mia"] == ["request S+84", "reminder S+90", "reminder S+94"]
    assert played.plan("midpoint") == ["midpoint 1 S+84..98 settled S+99"]


def test_the_engine_never_ends_a_pair_because_one_person_said_so() -> None:
    for choice in ("new_partner", "end"):
        for other in CHOICES:
            if column(other) != "leave":
                played = chosen(choice, other).play(until=150)
                assert played.noted("ending_early") == []
                assert played.state.member("mia").standing == "accepted"  # type: ignore[union-attr]


def test_both_want_to_end_and_it_ends_at_once_without_fault() -> None:
    played = chosen("end", "new_partner").play()
    assert played.plan("closure") == ["closure 1 S+86..110 settled S+87"]
    assert played.ending == ("ended_early", "no_fault", 87)


# -- pause -------------------------------------------------------------------------------------------------------


def test_both_pause_until_the_later_date() -> None:
    played = chosen("pause", "pause", until=(100, 110)).play()
    assert played.noted("paused") == [(85, "", played.day(110).isoformat())]
    assert played.opens("check_in") == [30, 60, 145, 175]
    assert played.offset(played.state.end) == 207


def test_a_pause_without_a_date_is_for_a_coordinator() -> None:
    played = one_mentorship().says("everyone", "midpoint", r_decide="pause").play(until=90)
    assert played.task_lines("midpoint") == ["midpoint S+85 due S+92"]


def test_a_day_that_is_past_when_the_ask_ends_is_no_pause() -> None:
    played = one_mentorship().says("ned", "midpoint", r_decide="pause", r_until=one_mentorship().day(86).isoformat())
    played.says("mia", "midpoint", r_decide="pause", r_until=one_mentorship().day(86).isoformat(), after=4).play(
        until=120
    )
    assert played.noted("paused") == []
    assert played.noted("midpoint_decided") == [(88, "", "pause")]


@pytest.mark.parametrize(
    ("decision", "more", "note"),
    [
        ("continue", {}, None),
        ("reopen_agreement", {}, "agreement_reopened"),
        ("pause", {"until": one_mentorship().day(120)}, "paused"),
        ("replace", {"newcomer": "nils", "person": "ned"}, "joined"),
        ("end", {}, "ending_early"),
    ],
)
def test_what_a_coordinator_can_decide(decision: str, more: dict[str, Any], note: str | None) -> None:
    played = chosen("continue", "unsure").decides("midpoint", decision, after=2, **more).play(until=87)
    assert played.task_lines("midpoint") == [f"midpoint S+85 due S+92 {decision} S+87"]
    for name in ("agreement_reopened", "paused", "joined", "ending_early"):
        assert [day for day, _, _ in played.noted(name)] == ([87] if name == note else [])


# -- groups ------------------------------------------------------------------------------------------------------


def group(mentor: str | None, *mentees: str | None) -> OneMentorship:
    """Four people at the midpoint, the mentor first."""
    played = one_mentorship("group")
    for person, choice in zip(("mia", "ned", "noa", "nia"), (mentor, *mentees), strict=True):
        if choice is None:
            played.silent(person, "midpoint")
        else:
            played.says(person, "midpoint", r_decide=choice, r_until=played.day(120).isoformat())
    return played.play(until=105)


@pytest.mark.parametrize(
    ("mentor", "mentees", "decided"),
    [
        ("continue", ("continue", "continue", "continue"), "go_on"),
        # The mentee furthest right in the list speaks for all.
        ("continue", ("continue", "change", "continue"), "reopen_agreement"),
        ("continue", ("change", "pause", "continue"), "task"),
        ("continue", ("change", "unsure", "continue"), "task"),
        ("continue", ("change", "pause", None), "go_on"),
        ("change", ("continue", None, "continue"), "reopen_agreement"),
        ("pause", ("continue", "change", "pause"), "pause"),
        ("unsure", ("continue", "continue", "continue"), "task"),
        (None, ("continue", "continue", "continue"), "go_on"),
        (None, (None, None, None), "are_you_there"),
        ("end", ("continue", "continue", "continue"), "task"),
        # When every mentee wants to leave, that is what the group wants.
        ("end", ("end", "new_partner", "end"), "end"),
        ("continue", ("end", "end", "end"), "task"),
    ],
)
def test_a_group_is_decided_by_its_mentor_and_the_mentee_furthest_right(
    mentor: str | None, mentees: tuple[str | None, ...], decided: str
) -> None:
    played = group(mentor, *mentees)
    assert [detail for _, _, detail in played.noted("midpoint_decided")] == [decided]
    assert [line.kind for line in played.tasks] == (["midpoint"] if decided == "task" else [])


@pytest.mark.parametrize("wish", ["end", "new_partner"])
def test_a_single_mentees_wish_to_leave_concerns_that_mentee_alone(wish: str) -> None:
    played = group("continue", "continue", wish, "continue")
    assert [detail for _, _, detail in played.noted("midpoint_decided")] == ["go_on"]
    assert played.task("midpoint").about == ("noa",)
    assert "concerns that mentee alone" in played.task("midpoint").reason


def test_and_comes_on_top_of_what_the_others_want() -> None:
    played = group("continue", "change", "end", "continue")
    assert [detail for _, _, detail in played.noted("midpoint_decided")] == ["reopen_agreement"]
    assert played.noted("agreement_reopened") != []
    assert played.task("midpoint").about == ("noa",)


# -- the joint sheet ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mia", [True, False, None])
@pytest.mark.parametrize("ned", [True, False, None])
def test_a_joint_sheet_needs_the_yes_of_both_and_nobody_is_told_of_a_no(mia: bool | None, ned: bool | None) -> None:
    played = (
        one_mentorship().says("mia", "midpoint", r_share=mia).says("ned", "midpoint", r_share=ned).play(until=120)
    )
    assert played.told("joint_sheet") == ({"mia": [85], "ned": [85]} if mia and ned else {})


@pytest.mark.parametrize("choice", [choice for choice in CHOICES if choice])
def test_it_is_told_whatever_comes_next_but_not_when_it_has_come_to_an_end(choice: str) -> None:
    played = chosen(choice, choice).play(until=86)
    assert played.told("joint_sheet") == ({} if column(choice) == "leave" else {"mia": [85], "ned": [85]})


def test_a_late_yes_is_no_yes() -> None:
    played = one_mentorship().says("ned", "midpoint", after=20).play(until=120)
    assert played.told("joint_sheet") == {}


def test_whoever_says_yes_alone_has_nobody_to_share_with() -> None:
    played = one_mentorship().on(84, Leave("e", "mia"), hour=14).play(until=100)
    assert played.told("joint_sheet") == {}


@pytest.mark.parametrize(
    ("sharing", "told"),
    [
        (("mia", "ned", "noa", "nia"), {"mia", "ned", "noa", "nia"}),
        (("mia", "noa"), {"mia", "noa"}),
        (("mia",), set()),
        (("ned", "noa", "nia"), set()),
    ],
)
def test_in_a_group_those_who_share_are_told_if_the_mentor_does(sharing: tuple[str, ...], told: set[str]) -> None:
    played = one_mentorship("group")
    for person in ("mia", "ned", "noa", "nia"):
        played.says(person, "midpoint", r_share=person in sharing)
    assert set(played.play(until=100).told("joint_sheet")) == told


def test_a_notice_of_it_is_about_the_moment_of_the_answers() -> None:
    played = one_mentorship().play(until=86)
    [mias, neds] = [item.post for item in played.items if item.name == "joint_sheet"]
    assert mias.about == neds.about == played.step("midpoint").assessed_at.isoformat()  # type: ignore[union-attr]


# -- odd moments -------------------------------------------------------------------------------------------------


def test_whoever_is_left_alone_is_asked_no_further() -> None:
    played = one_mentorship().silent("mia", "midpoint").on(86, Leave("e", "ned")).play(until=100)
    assert played.plan("midpoint") == ["midpoint 1 S+84..98 skipped"]
    assert played.noted("midpoint_decided") == []
    assert played.task_lines() == ["withdrawn S+86 due S+91"]


def test_a_pause_in_the_middle_moves_what_is_left_of_the_window() -> None:
    played = (
        one_mentorship()
        .silent("everyone", "midpoint")
        .on(91, Pause("e", one_mentorship().day(101), "ned"))
        .play(until=120)
    )
    assert played.plan("midpoint") == ["midpoint 1 S+84..108 settled S+109"]
    assert played.mail("midpoint")["mia"] == ["request S+84", "reminder S+90", "reminder S+104"]
