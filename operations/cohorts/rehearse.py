"""Rehearsing a cohort: one season, or many with different chances, before anybody is mailed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from lifecycle.local_time import instant, local_date
from operations.cohorts.simulated_applicants import (
    call_in,
    everybody,
    open_call_of,
    read_simulated,
    with_applicants,
)
from operations.errors import Refused
from program.faults import Faults
from program.gathering import Invited
from program.loader import Loaded
from rehearsal.applicants import SimulatedApplicant
from rehearsal.behaviour import Behaviour
from rehearsal.html_report import page
from rehearsal.ledger import ledger
from rehearsal.report import Range, Report, ranges, report
from rehearsal.script import load_behaviour
from rehearsal.script_actions import change_happens
from rehearsal.season import RehearsedSeason

__all__ = ["Faults", "Range", "Rehearsed", "Report", "rehearse"]

MIXED = {"prompt": 0.6, "busy": 0.25, "fading": 0.1, "silent": 0.03, "unhappy": 0.02}
"""The people of a rehearsal that is given no behaviour file."""

LAUNCHED_BEFORE = timedelta(days=28)
"""A rehearsal is launched so long before the start, or today where that is later and still before the start."""

OPENS_AFTER = timedelta(days=1)
"""A cohort with an open call is launched so long before the call opens."""

LAUNCHED_AT = time(10, 0)
"""Wall time of the launch in the cohort's zone."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a rehearsal showed: the first season in full, all of them in ranges."""

    loaded: Loaded
    report: Report
    ledger: dict[str, list[dict[str, Any]]]
    ranges: Mapping[str, Range]
    seasons: int

    def html(self) -> str:
        """The page to look at."""
        return page(self.report, self.loaded.cohort, self.ranges, self.seasons)


def rehearse(
    loaded: Loaded,
    people: Path | None = None,
    *,
    now: datetime,
    launched: date | None = None,
    seed: int = 1,
    runs: int = 1,
    applicants: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> Rehearsed:
    """Play `runs` seasons with seeds from `seed` on. `now` is program time (UTC); `progress` is told the share done.
    `applicants`: who applies to the open call of the cohort; without it, they are made up from its form.

    Raises Faults for a behaviour file, or a file of applicants, that doesn't fit the cohort, and Refused for
    applicants where there is no call; then nothing was run.
    """
    call = call_in(loaded)
    if applicants is not None and call is None:
        raise Refused(f"{loaded.cohort.cohort} has no open call; write `apply:` in its file, or name no applicants")
    given = read_simulated(applicants, call) if applicants is not None and call is not None else None

    def applying(count: int) -> list[SimulatedApplicant]:
        return everybody(call, loaded.cohort, given, count, seed) if call is not None else []

    if people is not None:
        behaviour = load_behaviour(people, loaded, lambda count: [each.id for each in applying(count)])
    else:
        behaviour = Behaviour(mix=dict(MIXED))
    opened = None
    if call is not None:
        applied = applying(behaviour.applicants)
        opened = open_call_of(call, applied, [invited.email for invited in _invited(loaded)])
        loaded = replace(loaded, cohort=with_applicants(loaded.cohort, applied))
    launched_at = instant(launched or _launch_date(loaded, now), LAUNCHED_AT, loaded.cohort.zone)
    reports: list[Report] = []
    first: RehearsedSeason | None = None
    for run in range(runs):
        season = RehearsedSeason(
            loaded.cohort,
            loaded.programs,
            loaded.forms,
            behaviour,
            launched_at=launched_at,
            script=change_happens,
            seed=seed + run,
            call=opened,
        )
        season.play(_share(progress, season, run, runs) if progress else None)
        reports.append(report(season))
        first = first or season
    assert first is not None
    loaded = replace(loaded, cohort=first.cohort)
    return Rehearsed(loaded, reports[0], ledger(first), ranges(reports) if runs > 1 else {}, runs)


def _invited(loaded: Loaded) -> Sequence[Invited]:
    return loaded.cohort.apply.invited if loaded.cohort.apply is not None else ()


def _launch_date(loaded: Loaded, now: datetime) -> date:
    cohort = loaded.cohort
    today = local_date(now, cohort.zone)
    before = cohort.start - LAUNCHED_BEFORE
    if cohort.apply is not None:
        before = min(before, cohort.apply.opens - OPENS_AFTER)
    return today if before < today <= cohort.start else before


def _share(
    progress: Callable[[float], None], season: RehearsedSeason, run: int, runs: int
) -> Callable[[datetime], None]:
    ends = [running.state.ended(running.state.end) for running in season.running.values()]
    begin, end = season.now, max(ends, default=season.now) + timedelta(days=200)

    def tell(moment: datetime) -> None:
        progress((run + min((moment - begin) / (end - begin), 1.0)) / runs)

    return tell
