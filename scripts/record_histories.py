"""Records what workflows of this release leave behind, for `tests/workflows/test_replay.py`: workflows run for a
year, so that every later release must be able to go on with them.

    python -m scripts.record_histories 1.0

Run it when a release is made; never write over the histories of an earlier one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from operations.logs import set_up_logs
from store.database import migrate
from tests.workflows.cases import CASES
from tests.workflows.played import look_back
from tests.workflows.season import launch_moment, load
from tests.world import time_skipping, world

HISTORIES = Path(__file__).parents[1] / "tests" / "workflows" / "histories"

ENOUGH = 400
"""Events of one history; the postmaster's has thousands, and they are all alike."""

A_TURN_BEGINS = "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED"
IDENTITY = re.compile(r'("identity": )"[^"]*"')

LIVES = {
    "life": "a whole life, with its follow-up",
    "life-group": "a whole life of a group",
    "left": "an early end, by a decision about a task",
    "N3-inactive": "silence, to the end",
    "paused": "a pause on the way",
    "S": "a safety report, held and released",
}
"""Cases whose mentorship is recorded; the cohort and the postmaster are recorded with them."""


async def record(folder: Path) -> list[Path]:
    """Play these lives over virtual time, and write down the history of every workflow."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        loaded, behaviour = load(Path(scratch), [case for case in CASES if case.key in LIVES], "recorded")
        url = f"sqlite+aiosqlite:///{scratch}/recorded.db"
        migrate(url)
        async with time_skipping() as env, world(env, url, loaded, behaviour) as here:
            await here.move_to(launch_moment(loaded))
            await here.launch()
            await here.play()
            histories = (await look_back(here)).histories
    written: list[Path] = []
    for history in histories:
        path = folder / f"{history.workflow_id.replace('/', '.')}.json"
        path.write_text(json.dumps(shortened(history), separators=(",", ":")) + "\n")
        written.append(path)
    return written


def shortened(history: WorkflowHistory) -> dict[str, Any]:
    """A history as JSON, up to the end of one of its turns, and without the name of the machine that recorded it."""
    found: dict[str, Any] = json.loads(IDENTITY.sub(r'\1"recorder"', history.to_json()))
    begins = [
        n for n, event in enumerate(found["events"]) if event["eventType"] == "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED"
    ]
    ends = [n for n in begins if n > ENOUGH]
    return {**found, "events": found["events"][: ends[0] if ends else None]}


def main() -> None:
    """Record the histories of the release that is named."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    folder = HISTORIES / sys.argv[1]
    if folder.exists():
        raise SystemExit(f"{folder} is there already: what an earlier release left behind must stay as it is")
    set_up_logs(level=logging.WARNING)
    for path in asyncio.run(record(folder)):
        print(f"{path.stat().st_size:>9,} bytes  {path.relative_to(HISTORIES.parent)}")


if __name__ == "__main__":
    main()
