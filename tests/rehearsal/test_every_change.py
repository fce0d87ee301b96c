"""Whatever a script can let happen comes to the same in the rehearsal and in the real run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from lifecycle.events import CHANGES
from rehearsal.behaviour import WHAT, ScriptedAction
from rehearsal.script_actions import happening
from testing.cohorts.all_cases import behaviour_of, cohort_of, written
from testing.cohorts.cases import START, Case
from testing.cohorts.changed_cohorts import CHANGED, STOPPED
from tests.rehearsal.test_equality import compare


@pytest.mark.parametrize("cases", [CHANGED, STOPPED], ids=["changed", "cancelled"])
async def test_the_rehearsal_of_every_change_is_what_happens(
    cases: list[Case], tmp_path: Path, new_sqlite: Callable[[], str]
) -> None:
    paths = written(tmp_path, cohort_of(cases), behaviour_of(cases))
    await compare(*paths, new_sqlite())


def test_every_change_is_among_them() -> None:
    tried = {key for case in (*CHANGED, *STOPPED) for event in case.events for key in event}
    assert set(WHAT) <= tried


NOT_SCRIPTED = {
    "Decided": "a coordinator decides, as the behaviour file has it",
    "Adopt": "a season is played by one version of its program: an edited one is rehearsed by rehearsing its file",
}
"""What people do to a mentorship on purpose and a script can't let happen, and why."""


def test_a_script_can_let_happen_whatever_people_do_to_a_mentorship() -> None:
    scripted: set[str] = set()
    for case in (*CHANGED, *STOPPED):
        for written_down in case.happenings():
            change = ScriptedAction.model_validate(written_down)
            event = happening(change, START, defaultdict(lambda: "UTC"))
            scripted.add(type(event).__name__ if event else change.what()[0])
    of_all = {"cancel": "Cancel", "correct": "Corrected"}
    scripted |= {event for what, event in of_all.items() if what in scripted}
    assert {kind.__name__ for kind in CHANGES} - scripted == set(NOT_SCRIPTED)
