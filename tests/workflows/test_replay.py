"""A mentorship runs for a year, through many releases: what workflows of earlier releases left behind must go on
with the code of today."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from testing.replay import STORED, failure_of, replayer
from testing.seasons.played_season import PlayedSeason
from tools.scripts import fingerprint
from tools.scripts.record_histories import LIVES
from workflows.payloads import DATA_CONVERTER


def test_there_is_a_history_of_every_kind_of_workflow_and_of_every_kind_of_life() -> None:
    assert {path.name.split(".")[0] for path in STORED} == {"mentorship", "cohort", "postmaster"}
    missing = {f"mentorship.recorded.{life}" for life in LIVES} - {path.stem for path in STORED}
    assert not missing, f"python -m tools.scripts.record_histories RELEASE records {', '.join(sorted(missing))}"


@pytest.mark.parametrize("kind", ["mentorship", "cohort", "postmaster"])
def test_there_is_a_history_of_continuing_as_new(kind: str) -> None:
    ends, goes_on = (next(path for path in STORED if path.stem == f"{kind}.anew.{n}").read_text() for n in (1, 2))
    assert "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW" in ends
    assert '"continuedExecutionRunId"' in goes_on


@pytest.mark.parametrize("path", STORED, ids=[f"{path.parent.name}/{path.stem}" for path in STORED])
async def test_what_an_earlier_release_began_goes_on(path: Path) -> None:
    if failure := await failure_of(path):
        pytest.fail(failure, pytrace=False)


async def test_whoever_changes_what_workflows_do_is_asked_whether_running_ones_can_go_on() -> None:
    changed = fingerprint.changes(fingerprint.confirmed(), fingerprint.fingerprint())
    if not changed:
        return
    for path in STORED:
        if failure := await failure_of(path):
            pytest.fail(failure, pytrace=False)
    pytest.fail(fingerprint.ASK.format(changed=", ".join(changed), number=len(STORED)), pytrace=False)


A_TURN = '''
async def turn(self, moment: datetime) -> None:
    """Sleep."""
    await workflow.sleep(1)  # a second
    self.show()
'''


@pytest.mark.parametrize(
    ("what", "by", "asked"),
    [
        ("Sleep.", "Sleep for a second.", False),
        ("  # a second", "", False),
        ("moment: datetime", "moment: date", False),
        ("    self.show()", "\n    self.show()", False),
        ("sleep(1)", "sleep(2)", True),
        ("    self.show()\n", "", True),
        ("await workflow.sleep(1)  # a second\n    self.show()", "self.show()\n    await workflow.sleep(1)", True),
        ("turn", "turns", True),
    ],
)
def test_nobody_is_asked_about_what_a_running_program_does_not_see(what: str, by: str, asked: bool) -> None:
    before, after = (fingerprint.of(source) for source in (A_TURN, A_TURN.replace(what, by)))
    assert bool(fingerprint.changes({"module": before}, {"module": after})) is asked


def test_the_fingerprint_is_of_all_that_runs_in_workflows() -> None:
    modules = set(fingerprint.fingerprint())
    assert {"workflows.mentorship", "workflows.versions", "lifecycle.advance", "program.models"} <= modules
    assert not modules & set(fingerprint.NO_COMMANDS)


async def test_what_this_release_began_goes_on_wherever_it_is_taken_up(season: PlayedSeason) -> None:
    failed: list[str] = []
    for history in season.histories:
        result = await replayer().replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure is not None:
            failed.append(f"{history.workflow_id}: {result.replay_failure}")
    assert failed == []


@workflow.defn(name="mentorship")
class Changed:
    """What a careless release could make of a mentorship."""

    @workflow.run
    async def run(self, _start: Any) -> None:
        await workflow.sleep(1)


async def test_a_change_of_what_a_workflow_does_is_noticed() -> None:
    path = next(path for path in STORED if path.name.startswith("mentorship."))
    history = WorkflowHistory.from_json("mentorship/changed", path.read_text())
    runner = UnsandboxedWorkflowRunner()
    changed = Replayer(workflows=[Changed], workflow_runner=runner, data_converter=DATA_CONVERTER)
    result = await changed.replay_workflow(history, raise_on_replay_failure=False)
    assert isinstance(result.replay_failure, workflow.NondeterminismError)
