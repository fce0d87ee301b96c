"""Stored histories of workflows, and how they are gone through again by the code of today."""

from __future__ import annotations

from pathlib import Path

from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from testing.sandbox import sandbox
from worker import WORKFLOWS
from workflows.payloads import DATA_CONVERTER

HISTORIES = Path(__file__).parents[1] / "tests" / "workflows" / "histories"
STORED = sorted(HISTORIES.glob("*/*.json"))

WHAT_TO_DO = """\
{history} can't be replayed: workflows that are under way would stop at their next step, wherever this is installed.
What a workflow asks of Temporal (timers, activities, search attributes, continuing as new), in which order and how
often, must stay the same for those that have come past it. Either keep what they do: guard the new way with
`workflow.patched("what-changed")`, so that only those take it which have not come so far; or leave running ones on
the version they began with (workers with MENTORSHIP_BUILD_ID, see "Upgrade in mid-season" in docs/operations.md) and
say in the changelog that this release needs it. Never record a history of an earlier release again.
{failure}"""


def replayer() -> Replayer:
    """Replays in the sandbox, which is stricter than a worker in production."""
    return Replayer(workflows=WORKFLOWS, workflow_runner=sandbox(), data_converter=DATA_CONVERTER)


async def failure_of(path: Path) -> str:
    """Why this history can't be gone through again, and what to do about it; or nothing."""
    history = WorkflowHistory.from_json(path.stem.replace(".", "/"), path.read_text())
    result = await replayer().replay_workflow(history, raise_on_replay_failure=False)
    if result.replay_failure is None:
        return ""
    return WHAT_TO_DO.format(history=f"{path.parent.name}/{path.name}", failure=result.replay_failure)
