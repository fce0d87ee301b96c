"""A played season with twelve tasks that wait for a coordinator, of most kinds: coordinators' pages are tried on it.

Real workflows, real forms and real mail, over virtual time; the simulated coordinator decides nothing. Whoever looks
at it may act on it as well, while the engine runs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, time, timedelta
from pathlib import Path

from lifecycle.local_time import instant
from program.loader import load_cohort
from rehearsal.script import load_behaviour
from testing.cohorts.all_cases import behaviour_of, cohort_of, launch_moment, written
from testing.cohorts.cases import CASES, START
from testing.environments.engine import Engine, run_engine, time_skipping

NAME = "season"
COORDINATOR = "c1"
WAITING = {
    "H": "help", "H-private": "help", "L": "low_score", "L-before-Z1": "low_score", "N3-inactive": "silent",
    "S": "safety", "Z2": "stalled", "continue-leave": "midpoint", "fit-else": "fit", "fit-word": "help",
    "left": "withdrawn", "no-draft": "no_agreement",
}  # fmt: skip
"""Mentorship to the kind of task that waits in it."""
CALM = ("D-open", "in-a-group")
"""Mentorships in which nothing waits."""
TODAY: date = START + timedelta(days=36)
"""Until this day the season was played."""


@asynccontextmanager
async def season(folder: Path, database_url: str) -> AsyncIterator[Engine]:
    """The season on the morning of TODAY, with its engine still running."""
    cases = [case for case in CASES if case.key in (*WAITING, *CALM)]
    behaviour = behaviour_of(cases)
    behaviour["coordinator"] = {"never": True}
    paths = written(folder, cohort_of(cases, NAME), behaviour)
    loaded = load_cohort(paths[0])
    async with (
        time_skipping() as env,
        run_engine(env, database_url, loaded, load_behaviour(paths[1], loaded)) as engine,
    ):
        await engine.move_to(launch_moment(loaded))
        await engine.launch()
        await engine.play(instant(TODAY, time(9, 0), loaded.cohort.zone))
        yield engine
