"""What holds for every program, all people and whatever they and their coordinators do (architecture, The core)."""

from __future__ import annotations

from hypothesis import given

from lifecycle.advance import next_moment
from lifecycle.tasks import OUTLIVE
from testing.cohorts.strategies import MentorshipCase, mentorship_cases
from tests.lifecycle.witness import Witness


@given(mentorship_cases)
def test_whatever_happens_every_mentorship_reaches_an_ending_and_keeps_its_promises(life: MentorshipCase) -> None:
    witness = Witness(life)
    state = witness.live()
    assert state.closed
    assert state.ending
    assert state.finished or state.tasks, "nothing is left to do, unless somebody waits for a coordinator"
    assert {task.kind for task in state.tasks.values()} <= set(OUTLIVE)
    assert next_moment(state) is None or state.tasks
