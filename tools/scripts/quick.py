"""Runs the checks of `make lint` beside the tests that need no server, no database server and no browser.

    python -m tools.scripts.quick             # all of it
    python -m tools.scripts.quick -k pause    # words go to pytest

The tests run beside the other checks. Exits with 1 if any of them fails, after all
have ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BIN = Path(sys.executable).parent

TYPES = ("pyright",)
"""Takes as long as everything else."""

LINT: tuple[tuple[str, ...], ...] = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("lint-imports",),
    ("vulture",),
)
"""With the types: as in `make lint`."""

TESTS = ("tests/lifecycle", "tests/postbox", "tests/program", "tests/mail")
"""The core, the files and the mails: nothing but Python."""


def run(command: tuple[str, ...]) -> tuple[str, float, subprocess.CompletedProcess[str]]:
    """One check: its name, real seconds, and what it printed."""
    began = time.monotonic()
    environment = os.environ | {"HYPOTHESIS_PROFILE": "brief"}
    done = subprocess.run(
        [BIN / command[0], *command[1:]], env=environment, capture_output=True, text=True, check=False
    )
    return " ".join(command[:2]), time.monotonic() - began, done


def main(words: list[str]) -> int:
    """The exit status."""
    tests = ("pytest", "-q", "-n", "0", "--no-header", *TESTS, *words)
    failed = False
    with ThreadPoolExecutor(2) as pool:
        types = pool.submit(run, TYPES)
        results = [*(run(command) for command in (*LINT, tests)), types.result()]
    for name, seconds, done in results:
        good = done.returncode == 0
        failed = failed or not good
        print(f"{'ok    ' if good else 'failed'}  {seconds:5.1f} s  {name}")
        if not good:
            print(done.stdout + done.stderr)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
