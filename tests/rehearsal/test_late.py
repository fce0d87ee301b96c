"""People who answer after the close, in the rehearsal as on the pages; and seasons that would never end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lifecycle.phases.expectations import MOST_CHANGES
from program.loader import load_cohort
from rehearsal.behaviour import Behaviour
from rehearsal.ledger import ledger
from rehearsal.report import report
from rehearsal.script_actions import change_happens
from rehearsal.season import RehearsedSeason
from testing.cohorts.cases import START, Case, says
from testing.seasons.played_season import launch_moment, load

LATE = {"after": 12}


def rehearsed(folder: Path, case: Case, coordinator: dict[str, Any] | None = None) -> RehearsedSeason:
    loaded, behaviour = load(folder, [case])
    if coordinator:
        behaviour = behaviour.model_copy(
            update={"coordinator": Behaviour.model_validate({"coordinator": coordinator}).coordinator}
        )
    return RehearsedSeason(
        loaded.cohort,
        loaded.programs,
        loaded.forms,
        behaviour,
        launched_at=launch_moment(loaded),
        script=change_happens,
    )


def test_a_scripted_person_answers_late(tmp_path: Path) -> None:
    played = rehearsed(tmp_path, Case("late", "pulse", mentee={"check_in#1": {"after": 12}})).play()
    late = [(answer["person"], answer["form"]) for answer in ledger(played)["answers"] if answer["late"]]
    assert late == [("late-mentee", "check_in")]


def test_a_late_low_answer_opens_its_task_when_it_comes(tmp_path: Path) -> None:
    low = {"after": 12, "answers": {"p_useful": 1}}
    played = rehearsed(tmp_path, Case("late", "pulse", mentee={"check_in#1": low})).play()
    [answered] = [answer.at.date() for answer in played.answers if answer.late]
    assert [(task.kind, task.opened) for task in played.tasks.values()] == [("low_score", answered)]


def test_in_an_open_pause_nobody_is_late(tmp_path: Path) -> None:
    day = START.fromordinal(START.toordinal() + 15)
    pause = {"on": day, "pause_open": True}
    case = Case("paused", "pulse", mentee={"check_in#1": {"after": 20}}, events=(pause,))
    played = rehearsed(tmp_path, case).play()
    answers = [answer for answer in played.answers if answer.ask == "check_in" and answer.number == 1]
    assert [answer.late for answer in answers] == [False, False]


def test_a_profile_of_people_who_are_late(tmp_path: Path) -> None:
    loaded, _ = load(tmp_path, [Case(f"pair{number}", "pulse") for number in range(6)])
    behaviour = Behaviour.model_validate({"mix": {"late": 1}})
    played = RehearsedSeason(
        loaded.cohort,
        loaded.programs,
        loaded.forms,
        behaviour,
        launched_at=launch_moment(loaded),
        script=change_happens,
    ).play()
    assert any(answer.late for answer in played.answers)


ROUND = Case("round", "agreed_group", mentor={"agreement": says() | {"act": "change", "after": 0}},
             mentee={"agreement": says() | {"act": "change", "after": 0}}, others=({},))  # fmt: skip
PAUSES = {
    "decides_after": 0,
    "decisions": {kind: {"decision": "pause", "until": 14} for kind in ("expectations_differ", "no_agreement")},
}


def test_an_agreement_that_is_always_changed_and_always_paused_comes_to_an_end(tmp_path: Path) -> None:
    played = rehearsed(tmp_path, ROUND, PAUSES).play()
    assert not played.stopped
    [running] = played.running.values()
    assert running.state.agreement.changes == MOST_CHANGES
    assert running.ending is not None


def test_a_season_that_goes_round_is_stopped_and_says_so(tmp_path: Path) -> None:
    played = rehearsed(tmp_path, ROUND, PAUSES)
    played.stops_at = launch_moment(load_cohort(next(tmp_path.glob("cohorts/*.yaml"))))
    found = report(played.play())
    assert played.stopped
    assert found.warnings[0].startswith("The rehearsal was stopped at ")
    assert "round goes round without an end" in found.warnings[0]
