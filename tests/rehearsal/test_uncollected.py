"""The garbage collector rests while a season is played, and not a moment longer."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from program.loader import load_cohort
from rehearsal.behaviour import Behaviour
from rehearsal.script_actions import change_happens
from rehearsal.season import RehearsedSeason

SMALL = Path(__file__).parents[2] / "config" / "cohorts" / "small.yaml"


@pytest.fixture
def season() -> RehearsedSeason:
    loaded = load_cohort(SMALL)
    at = datetime(2027, 1, 4, 9, tzinfo=UTC)
    return RehearsedSeason(
        loaded.cohort, loaded.programs, loaded.forms, Behaviour(), launched_at=at, script=change_happens
    )


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def test_the_collector_rests_until_the_season_is_over(season: RehearsedSeason) -> None:
    collects: list[bool] = []
    season.play(lambda _: collects.append(gc.isenabled()))
    assert set(collects) == {False}
    assert gc.isenabled()


def test_it_works_again_after_a_season_that_fails(season: RehearsedSeason) -> None:
    def fails(_: datetime) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        season.play(fails)
    assert gc.isenabled()


@pytest.mark.usefixtures("without_collector")
def test_where_it_was_off_before_it_stays_off(season: RehearsedSeason) -> None:
    season.play()
    assert not gc.isenabled()
