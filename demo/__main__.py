"""`python -m demo` (or `make demo`): play a whole season in minutes, with simulated people, and watch.

Ends with an exit status that says whether anything was stuck, lost or doubled (1), or only late, because the clock
was too fast for the machine (3).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from demo.screen import Screen
from demo.season import TAKES, DemoOptions, season
from demo.verdict import verdict
from embedded.stack import until_told_to_stop
from operations.reports.report import exact
from program.faults import Faults
from runtime.errors import INTERRUPTED, Unreachable
from runtime.logs import set_up_logs

BROKEN, UNUSABLE, TOO_FAST = 1, 2, 3
"""Exit statuses. TOO_FAST: every promise was kept that a slow machine can keep; only punctuality was not."""

REPORT = "report.html"
"""What came of the season."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="demo", description="Play a season of mentorships in minutes: real Temporal, real mail, real forms."
    )
    parser.add_argument(
        "--once", action="store_true", help="exit when the season is over; non-zero if a promise broke"
    )
    parser.add_argument(
        "--speed", type=float, default=1.0, metavar="FACTOR",
        help=f"at 1, the default, half a year passes in {TAKES.seconds} seconds; at 2 in half the time",
    )  # fmt: skip
    parser.add_argument("--mentorships", type=int, default=0, metavar="N", help="play only the first N of the file")
    parser.add_argument("--data", type=Path, help="keep everything in this folder, which must be empty or new")
    parser.add_argument("--seed", type=int, default=1, help="seed of the simulated people's habits")
    return parser.parse_args()


async def play(wanted: DemoOptions, once: bool, screen: Screen, report: Path) -> int:
    """Play a season, and write its report into a file; the exit status."""
    async with until_told_to_stop() as stopped, season(wanted, screen.happened) as playing:
        await playing.launch()
        with screen.showing(playing):
            await playing.play(stopped)
        if stopped.is_set():
            return INTERRUPTED
        checks = await verdict(playing)
        screen.outcome(playing, checks)
        broken = [check for check in checks if not check.kept]
        status = BROKEN if not all(check.speed for check in broken) else TOO_FAST if broken else 0
        took = datetime.now(UTC) - playing.began
        slower = f"TOO FAST for this machine; try it slower: --speed {wanted.speed / 2:g} (make: SPEED=)"
        waiting = sum(check.waits for check in checks)
        kept = "all promises kept" if not waiting else f"nothing broke, and {waiting} things wait for your decision"
        verdict_words = {0: kept, BROKEN: "BROKEN", TOO_FAST: slower}[status]
        screen.say(f"\nA season in {took.total_seconds():.0f} seconds: {verdict_words}.")
        made = await exact(playing.stack.database, playing.cohort, playing.now)
        report.write_text(made.html(), "utf-8")
        page = f"{playing.stack.settings.public_url}/c/cohorts/{playing.cohort}/report"
        screen.say(f"What came of it: {report}{'' if once else f', or signed in at {page}'}")
        if not once:
            screen.say("Everything stays up; follow-ups come half a year later. Ctrl-C ends it.")
            with screen.showing(playing):
                await playing.stay(stopped)
        return status


def main() -> int:
    """Run it; the exit status."""
    arguments = _arguments()
    set_up_logs(level=logging.WARNING)
    if arguments.speed <= 0:
        print("--speed must be greater than 0", file=sys.stderr)
        return UNUSABLE
    data = arguments.data or Path(tempfile.mkdtemp(prefix="mentorship-demo-"))
    if arguments.data and data.exists() and any(data.iterdir()):
        print(f"{data} is not empty: a demo needs an empty folder", file=sys.stderr)
        return UNUSABLE
    # A folder of its own: it stays when that of the season goes, and nobody else can put a file there before.
    report = (arguments.data or Path(tempfile.mkdtemp(prefix="mentorship-report-"))) / REPORT
    wanted = DemoOptions(data, arguments.speed, arguments.mentorships, seed=arguments.seed)
    try:
        return asyncio.run(play(wanted, arguments.once, Screen(), report))
    except (Unreachable, Faults) as trouble:
        print(trouble, file=sys.stderr)
        return UNUSABLE
    finally:
        if not arguments.data:
            shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Temporal's SDK can abort when the interpreter takes it down thread by thread.
    os._exit(status)
