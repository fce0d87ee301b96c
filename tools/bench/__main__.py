"""`python -m tools.bench [NAME …] [--quick]`: measures, and prints one table."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable

from runtime.logs import set_up_logs
from tools.bench.measures import (
    applying,
    changing,
    core,
    crowded,
    delivering,
    launching,
    living,
    matching,
    morning,
    pages,
    recording,
    rehearsing,
    reporting,
)
from tools.bench.table import Line, table

MEASURES: dict[str, Callable[..., Awaitable[list[Line]]]] = {
    "core": core.measure,
    "launch": launching.measure,
    "change": changing.measure,
    "turn": recording.measure,
    "postmaster": delivering.measure,
    "mentorship": living.measure,
    "rehearsal": rehearsing.measure,
    "matching": matching.measure,
    "applying": applying.measure,
    "morning": morning.measure,
    "crowd": crowded.measure,
    "web": pages.measure,
    "report": reporting.measure,
}


async def main(names: list[str], *, quick: bool) -> None:
    """Measure these one after another, so that none takes the time of another."""
    set_up_logs(level=logging.WARNING)
    lines: list[Line] = []
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f} before the first measurement", flush=True)
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        lines += await MEASURES[name](quick=quick)
    print(table(lines), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(MEASURES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="smaller cohorts: ten minutes in all instead of twenty")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(MEASURES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    asyncio.run(main(asked.names or list(MEASURES), quick=asked.quick))
    sys.stdout.flush()
    os._exit(0)  # Temporal's SDK can abort while the interpreter shuts down
