"""One fault, played: a season begins, it goes wrong, it comes right, and everything is counted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tools.faults.catalogue import FaultCase
from tools.faults.installation import Size, Town, town
from tools.faults.tally import Tally, tally

BEFORE = 8.0
"""Days of the season that pass in peace: the invitations are out and being answered."""
WITHIN = 60.0
"""Real seconds that everything due may take after a fault, and the season to its end."""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it."""

    tally: Tally
    times: int
    """How often it was seen to go wrong: processes killed, mails refused, writes that failed …"""
    meanwhile: int
    """Mails that arrived while it went wrong."""
    recovered: float
    """Real seconds from the end of the fault until all that was due by then was done."""
    troubles: tuple[str, ...]
    """Why it does not count as survived; empty if it does."""


async def played(folder: Path, fault: FaultCase, seed: int, size: Size) -> Played:
    """Play it."""
    async with town(folder, size, seed, on_postgresql=fault.on_postgresql) as here:
        await here.days(BEFORE)
        await here.until(here.has_answers)
        before = len(here.arrived)
        times = await fault.happens(here)
        meanwhile = len(here.arrived) - before
        recovered, troubles = await _recovers(here)
        counted = await tally(here, deaths=fault.deaths)
        for look in here.asked_at_the_end:
            troubles += await look()
    if not times:
        troubles.append("it never went wrong, so nothing was survived")
    if not counted.kept:
        troubles.append(f"{counted}")
    if fault.partial and not meanwhile:
        troubles.append("nothing else went out meanwhile")
    return Played(counted, times, meanwhile, recovered, tuple(troubles))


async def _recovers(here: Town) -> tuple[float, list[str]]:
    ended, clock = here.now(), time.monotonic()

    async def nothing_overdue() -> bool:
        return await here.left_of(ended) == 0

    try:
        await here.until(nothing_overdue, WITHIN)
    except TimeoutError:
        return time.monotonic() - clock, [f"{await here.left_of(ended)} things that were due are not done"]
    recovered = time.monotonic() - clock
    try:
        await here.until(here.at_rest, WITHIN)
    except TimeoutError:
        return recovered, ["the season did not come to its end"]
    return recovered, []
