"""Records workflow histories of this release, for `tests/workflows/test_replay.py`, and their messages, for
`tests/workflows/test_payloads.py`: workflows run for a year, so every later release must be able to continue them.

    python -m tools.scripts.record_histories 1.0

Run it when a release is made, and where something new is not recorded yet. What is there stays as it is, always.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHistory

from embedded.temporal_server import DevServer
from lifecycle.events import Pause, Resume, Seen
from lifecycle.local_time import instant
from operations.cohorts.cancel import cancel
from runtime.logs import set_up_logs
from runtime.temporal import Waker
from store.database import migrate
from testing.cohorts.all_cases import launch_moment, load
from testing.cohorts.cases import CASES, START, Case
from testing.environments.dev_server_env import EarlyServer, run_on_dev_server
from testing.environments.engine import NOON, run_engine, time_skipping
from testing.payload_samples import KINDS, PROGRAMS, bare, programs, samples
from testing.seasons.operator_actions import reset
from testing.seasons.played_gathering import play_gathering
from testing.seasons.played_season import look_back
from testing.servers.dev_server import Address, free_port
from workflows.ids import cohort_id, mentorship_id, postmaster_id

WORKFLOWS = Path(__file__).parents[2] / "tests" / "workflows"
HISTORIES, PAYLOADS = WORKFLOWS / "histories", WORKFLOWS / "payloads"

ENOUGH = 400
"""Events of one history; the postmaster's has thousands, and they are all alike."""

A_TURN_BEGINS = "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED"
IDENTITY = re.compile(r'("identity": )"[^"]*"')

LIVES = {
    "life": "a whole life, with its follow-up",
    "life-group": "a whole life of a group",
    "life-peer": "a whole life of peers, with a pause",
    "life-reverse": "a whole life the other way round, in zones that are far apart",
    "life-informal": "a whole life without much form, and longer than planned",
    "declined": "a seat that stays empty, and no beginning",
    "left": "an early end, by a decision about a task",
    "goals-reached": "an early end with its closure",
    "N3-inactive": "silence, to the end",
    "paused": "a pause on the way",
    "resumed": "a pause that is ended before its time",
    "extended": "an end that moves",
    "continue-change": "an agreement that is opened again at the midpoint",
    "continue-continue": "a joint sheet after the midpoint",
    "away-back-in-time": "a reminder that waits for somebody who is away",
    "away-at-the-first": "a request that waits for somebody who is away",
    "S": "a safety report, held and released",
    "safeguarding": "a safety report, held to the end",
}
"""Cases whose mentorship is recorded; the cohort and the postmaster are recorded with them."""

STOPPED = Case("stopped", "formal")
"""Of a cohort of its own, which is cancelled while its mentorship runs."""

ANEW = Case("anew", "clock")
"""Of a cohort on a server that suggests very early to continue as new."""

OPERATED = Case("operated", "clock")
"""Of a cohort whose workflows operators cancel and reset."""

RUNS = 2
"""How many are recorded of a workflow that begins again: the one that ends so, and one that goes on."""


async def record(histories: Path, payloads: Path) -> list[Path]:
    """Write down what is not there yet: the histories of all kinds of lives, and samples of what they say."""
    with tempfile.TemporaryDirectory() as scratch:
        payloads_by_kind = samples(Path(scratch))
        files: dict[Path, Any] = {
            payloads / f"{kind}.json": [{"whole": payload, "bare": bare(KINDS[kind], payload)} for payload in each]
            for kind, each in payloads_by_kind.items()
        }
        files[payloads / PROGRAMS] = programs(Path(scratch))
    cases = [case for case in CASES if case.key in LIVES]
    for played in (
        await _lived("recorded", cases),
        await _lived("stopped", [STOPPED], cancelled=True),
        await _anew(),
        await _operated(),
        await _gathering(),
    ):
        for name, history in played.items():
            files[histories / f"{name}.json"] = shortened(history)
    missing = {path: content for path, content in files.items() if not path.exists()}
    for path, content in missing.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, separators=(",", ":")) + "\n")
    return list(missing)


async def _lived(name: str, cases: list[Case], *, cancelled: bool = False) -> dict[str, WorkflowHistory]:
    """These lives over virtual time, up to their end; `cancelled`: their cohort is cancelled after six weeks."""
    with tempfile.TemporaryDirectory() as scratch:
        loaded, behaviour = load(Path(scratch), cases, name)
        url = f"sqlite+aiosqlite:///{scratch}/recorded.db"
        migrate(url)
        async with time_skipping() as env, run_engine(env, url, loaded, behaviour) as here:
            await here.move_to(launch_moment(loaded))
            await here.launch()
            if cancelled:
                await here.play(instant(START + timedelta(weeks=6), NOON, loaded.cohort.zone))
                await cancel(here.database, here.cohort, here.now, by="c1", wake=Waker(here.client, here.settings))
            await here.play()
            histories = (await look_back(here)).histories
    mails = f"postmaster/{name}" if name != "recorded" else "postmaster/0"
    return {
        (mails if history.workflow_id.startswith("postmaster") else history.workflow_id).replace("/", "."): history
        for history in histories
    }


async def _anew() -> dict[str, WorkflowHistory]:
    """The first runs of workflows that continue as new, and those that go on with what they were handed."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        url = f"sqlite+aiosqlite:///{scratch}/recorded.db"
        migrate(url)
        server = EarlyServer(free_port(), free_port(), folder / "temporal.log")
        await server.start()
        try:
            async with run_on_dev_server(Address(server.address, server.ui), url, folder, ANEW) as here:
                await here.launch()
                for n in range(12):
                    await here.send(ANEW.key, Pause(f"op/{n}", datetime.now(UTC).date() + timedelta(days=30), "c1"))
                    await here.send(ANEW.key, Resume(f"op/back/{n}", "c1"))
                    await here.client.get_workflow_handle(cohort_id(here.cohort)).signal("launch")
                    await here.client.get_workflow_handle(postmaster_id(0)).signal("wake")
                    await asyncio.sleep(0.5)
                ids = (mentorship_id(here.cohort, ANEW.key), cohort_id(here.cohort), postmaster_id(0))
                return {
                    f"{id_.split('/')[0]}.anew.{n}": history
                    for id_ in ids
                    for n, history in enumerate((await _runs(here.client, id_))[:RUNS], start=1)
                }
        finally:
            await server.stop()


async def _operated() -> dict[str, WorkflowHistory]:
    """Workflows whose cancellation was declined, and that were reset after that."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        url = f"sqlite+aiosqlite:///{scratch}/recorded.db"
        migrate(url)
        server = DevServer(free_port(), free_port(), folder / "temporal.log")
        await server.start()
        try:
            async with run_on_dev_server(Address(server.address, server.ui), url, folder, OPERATED) as env:
                await env.launch()
                ids = (mentorship_id(env.cohort, OPERATED.key), cohort_id(env.cohort), postmaster_id(0))
                found: dict[str, WorkflowHistory] = {}
                for what in ("declined", "reset"):
                    for id_ in ids:
                        if what == "declined":
                            await env.client.get_workflow_handle(id_).cancel()
                        else:
                            # A mentorship to the middle: it notices by itself that the database is ahead.
                            await reset(env.client, id_, task=1 if id_ == ids[0] else 0, forget_updates=True)
                    until = datetime.now(UTC).date() + timedelta(days=30)
                    for event in (Pause(f"op/{what}", until, "c1"), Seen(f"op/seen/{what}", f"{OPERATED.key}-mentor"),
                                  Resume(f"op/back/{what}", "c1")):  # fmt: skip
                        await env.send(OPERATED.key, event)
                    await asyncio.sleep(2)
                    for id_ in ids:
                        history = await env.client.get_workflow_handle(id_).fetch_history()
                        found[f"{id_.split('/')[0]}.operated.{what}"] = history
                return found
        finally:
            await server.stop()


async def _gathering() -> dict[str, WorkflowHistory]:
    """A cohort that begins with an open call."""
    with tempfile.TemporaryDirectory() as scratch:
        return {"cohort.call": (await play_gathering(Path(scratch))).history}


async def _runs(client: Client, workflow: str) -> list[WorkflowHistory]:
    """The histories of all runs of a workflow, the oldest first."""
    histories: list[WorkflowHistory] = []
    run: str | None = None
    while run is None or run:
        histories.append(await client.get_workflow_handle(workflow, run_id=run).fetch_history())
        began = histories[-1].events[0].workflow_execution_started_event_attributes
        run = began.continued_execution_run_id
    return histories[::-1]


def shortened(history: WorkflowHistory) -> dict[str, Any]:
    """A history as JSON, up to the end of one of its turns, and without the name of the machine that recorded it."""
    events: dict[str, Any] = json.loads(IDENTITY.sub(r'\1"recorder"', history.to_json()))
    begins = [
        n for n, event in enumerate(events["events"]) if event["eventType"] == "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED"
    ]
    ends = [n for n in begins if n > ENOUGH]
    return {**events, "events": events["events"][: ends[0] if ends else None]}


def main() -> None:
    """Record what is missing of the release that is named."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    set_up_logs(level=logging.WARNING)
    for path in asyncio.run(record(HISTORIES / sys.argv[1], PAYLOADS / sys.argv[1])):
        print(f"{path.stat().st_size:>9,} bytes  {path.relative_to(WORKFLOWS)}")


if __name__ == "__main__":
    main()
