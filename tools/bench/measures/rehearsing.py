"""The rehearsal: CPU and memory of scripted seasons, each size in a process of its own, and how it grows.

python -m tools.bench.measures.rehearsing MENTORSHIPS      prints CPU seconds and megabytes of one rehearsed season
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, date, datetime

from rehearsal.script_actions import change_happens
from rehearsal.season import RehearsedSeason
from tools.bench.cpu import most_memory
from tools.bench.pairs import contented, pairs
from tools.bench.table import Line

START = date(2027, 1, 18)
LAUNCHED = datetime(2026, 12, 21, 9, 0, tzinfo=UTC)


async def measure(*, quick: bool) -> list[Line]:
    """One mentorship, a thousand, and thousands."""
    alone, _ = await _in_its_own_process(1)
    lines = [Line("rehearsal of 1 mentorship, 26 weeks", alone * 1000, "ms CPU", aim=10, better="less")]
    base = 0.0
    for many in (1000, 2000, 5000) if quick else (1000, 2000, 5000, 10_000):
        seconds, megabytes = await _in_its_own_process(many)
        each = seconds / many * 1000
        base = base or each
        size = f"{many:,} mentorships"
        if many == 1000:
            lines.append(Line(f"rehearsal of {size}", seconds, "s CPU", aim=3, better="less"))
            lines.append(Line(f"rehearsal of {size}, memory", megabytes, "MB", aim=400, better="less"))
            lines.append(Line(f"rehearsal of {size}, each", each, "ms CPU"))
        else:
            floor = "CPU of each mentorship of 1,000; 1.00 is linear growth"
            lines.append(Line(f"rehearsal of {size}, each", each, "ms CPU", base, floor, aim=1.25, better="less"))
    return lines


async def _in_its_own_process(many: int) -> tuple[float, float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, str(many), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    seconds, megabytes = map(float, output.split())
    return seconds, megabytes


def _play(many: int) -> tuple[float, float]:
    """CPU seconds of the season itself, and the most memory (MB) that the process ever had."""
    if many == 1:
        _season(1).play()  # the first season of a process also fills the caches of dates
    season = _season(many)
    began = time.process_time()
    season.play()
    spent = time.process_time() - began
    assert len(season.mails) > 20 * many
    return spent, most_memory()


def _season(many: int) -> RehearsedSeason:
    loaded = pairs("bench", many, START)
    return RehearsedSeason(
        loaded.cohort, loaded.programs, loaded.forms, contented(loaded), launched_at=LAUNCHED, script=change_happens
    )


if __name__ == "__main__":
    print(*_play(int(sys.argv[1])))
