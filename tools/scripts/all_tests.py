"""Runs all tests, in lanes side by side, so that the waiting of one fills with the work of another.

    python -m tools.scripts.all_tests

The lane `core` measures the branches of the core, then plays the tests of many examples without the measuring, which
would slow them down most, and then those that kill processes and servers. The lane `demo` follows a clock for minutes
and mostly waits for it. Everything else, and every new file, is in the lane `rest`. What follows a clock goes first
where the processor is short. Exits with 1 if a test of any lane fails or the core is not covered; all lanes are
played to their end.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
PYTEST = (sys.executable, "-m", "pytest", "-q")
LOWER = ("nice", "-n", "5")
"""For what only computes: a season that follows the clock must not wait for it."""

SHARED = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
"""Three processes for two cores, since tests with servers and browsers wait for them two thirds of their time. Each
gets whole files in the order of tests/conftest.py."""

CORE = ("tests/lifecycle", "tests/postbox", "tests/matching")
COVERED = ("--cov=lifecycle", "--cov=matching", "--cov-report=term-missing:skip-covered", "--cov-fail-under=100")
DEMO = ("tests/demo/test_demo.py", "tests/demo/test_taken_over.py")
KILLS = ("tests/demo", "tests/workflows/test_kills.py", "tests/faults")
"""What kills and restarts processes and servers; of tests/demo all but the demo."""

LANES: Mapping[str, Sequence[Sequence[str]]] = {
    "rest": [(*LOWER, *PYTEST, *SHARED, *(f"--ignore={path}" for path in (*CORE, *KILLS)))],
    "core": [
        (*LOWER, *PYTEST, "-n", "0", "-p", "no:cacheprovider", "-m", "not many", *COVERED, *CORE),
        (*LOWER, *PYTEST, "-n", "0", "-p", "no:cacheprovider", "-m", "many", *CORE),
        (*PYTEST, "-n", "0", "-p", "no:cacheprovider", *(f"--ignore={path}" for path in DEMO), *KILLS),
    ],
    "demo": [(*PYTEST, "-n", "0", "-p", "no:cacheprovider", *DEMO)],
}
"""Name of a lane to its commands, one after the other. What the first one prints is seen as it comes."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a lane ended."""

    lane: str
    seconds: float
    failed: bool


def run(lane: str, commands: Sequence[Sequence[str]], output: IO[bytes] | None) -> Ended:
    """All commands of a lane, whether or not one fails."""
    began = time.monotonic()
    codes = [subprocess.run(command, cwd=ROOT, stdout=output, stderr=output).returncode for command in commands]
    return Ended(lane, time.monotonic() - began, any(codes))


def main(lanes: Mapping[str, Sequence[Sequence[str]]] = LANES) -> int:
    """The exit status."""
    others = list(lanes)[1:]
    with ThreadPoolExecutor(len(lanes)) as pool, tempfile.TemporaryDirectory() as folder:
        files = {lane: (Path(folder) / lane).open("w+b") for lane in others}
        running = [pool.submit(run, lane, lanes[lane], files.get(lane)) for lane in lanes]
        ended = [one.result() for one in running]
        for lane, file in files.items():
            file.seek(0)
            print(f"\n==== {lane} ====\n{file.read().decode(errors='replace')}", flush=True)
            file.close()
    for one in ended:
        print(f"{'failed' if one.failed else 'ok    '}  {one.seconds:6.1f} s  {one.lane}")
    return int(any(one.failed for one in ended))


if __name__ == "__main__":
    raise SystemExit(main())
