"""Whatever a script can let happen comes to the same in the rehearsal and in the real run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rehearsal.behaviour import WHAT
from tests.rehearsal.changed import CHANGED, STOPPED
from tests.rehearsal.test_equality import compare
from tests.workflows.cases import Case
from tests.workflows.season import behaviour_of, cohort_of, written


@pytest.mark.parametrize("cases", [CHANGED, STOPPED], ids=["changed", "cancelled"])
async def test_the_rehearsal_of_every_change_is_what_happens(
    cases: list[Case], tmp_path: Path, new_sqlite: Callable[[], str]
) -> None:
    paths = written(tmp_path, cohort_of(cases), behaviour_of(cases))
    await compare(*paths, new_sqlite())


def test_every_change_is_among_them() -> None:
    tried = {key for case in (*CHANGED, *STOPPED) for event in case.events for key in event}
    assert set(WHAT) <= tried
