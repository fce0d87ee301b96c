"""A mentorship runs for a year, through many releases: what workflows of earlier releases left behind must go on
with the code of today."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from tests.workflows.played import Played
from worker import WORKFLOWS, sandbox
from workflows.payloads import DATA_CONVERTER

HISTORIES = Path(__file__).parent / "histories"
STORED = sorted(HISTORIES.glob("*/*.json"))

WHAT_TO_DO = """\
{history} can't be replayed: workflows that are under way would stop at their next step, wherever this is installed.
Either keep what they do: guard the new way with `workflow.patched("what-changed")`, so that only those take it which
have not come so far; or leave running ones on the version they began with (workers with MENTORSHIP_BUILD_ID) and say
in the changelog that this release needs it. Never record a history of an earlier release anew.
{failure}"""


def replayer() -> Replayer:
    """Replays as a worker in production would."""
    return Replayer(workflows=WORKFLOWS, workflow_runner=sandbox(), data_converter=DATA_CONVERTER)


def test_there_is_a_history_of_every_kind_of_workflow() -> None:
    assert {path.name.split(".")[0] for path in STORED} == {"mentorship", "cohort", "postmaster"}


@pytest.mark.parametrize("path", STORED, ids=[f"{path.parent.name}/{path.stem}" for path in STORED])
async def test_what_an_earlier_release_began_goes_on(path: Path) -> None:
    history = WorkflowHistory.from_json(path.stem.replace(".", "/"), path.read_text())
    result = await replayer().replay_workflow(history, raise_on_replay_failure=False)
    if result.replay_failure is not None:
        where = f"{path.parent.name}/{path.name}"
        pytest.fail(WHAT_TO_DO.format(history=where, failure=result.replay_failure), pytrace=False)


async def test_what_this_release_began_goes_on_wherever_it_is_taken_up(season: Played) -> None:
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
