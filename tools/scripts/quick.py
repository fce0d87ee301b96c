"""Runs what `make lint` checks beside the tests that need no server and no browser: a minute on two cores.

    python -m tools.scripts.quick             # all of it
    python -m tools.scripts.quick -k pause    # words go to pytest

Left out, for `make test`: the types of tests that have not changed; tests of many examples, of which property tests
are played with 30; what reads all templates; and every test of another folder. Exits with 1 if anything fails, after
all have ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

LINT: tuple[tuple[str, ...], ...] = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("lint-imports",),
    ("vulture",),
    ("python", "-m", "tools.scripts.determinism"),
)
"""With the types: as in `make lint`."""

TESTS = (("tests/lifecycle", "tests/postbox", "tests/matching"), ("tests/program", "tests/mail"))
"""The core, the files and the mails: nothing but Python. In two processes, so that no core waits for the other."""

LEFT_OUT = ("tests/mail/test_rendering.py", "tests/mail/test_templates.py")
"""What looks at mails in a browser, and what reads all templates for every case."""

NONE_CHOSEN = 5
"""Pytest's exit status where the words choose no test."""


def types() -> tuple[str, ...]:
    """Pyright over every room, and over the tests that differ from the branch that this one follows."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    rooms = [room for room in pyproject["tool"]["pyright"]["include"] if room != "tests"]
    return ("pyright", *rooms, *changed_tests())


def changed_tests() -> list[str]:
    """Test files that are new, or differ from where this branch left the one it follows."""
    base = _git("merge-base", "HEAD", "@{upstream}") or ["HEAD"]
    changed = _git("diff", "--name-only", "--diff-filter=d", *base, "--", "tests/*.py")
    return sorted({*changed, *_git("ls-files", "--others", "--exclude-standard", "--", "tests/*.py")})


def _git(*words: str) -> list[str]:
    """The lines that git prints; none where it fails, as it does without an upstream."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else []


def run(command: tuple[str, ...]) -> tuple[str, float, subprocess.CompletedProcess[str]]:
    """One check: its name, real seconds, and what it printed."""
    began = time.monotonic()
    environment = os.environ | {"HYPOTHESIS_PROFILE": "brief"}
    done = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return _name(command), time.monotonic() - began, done


def _name(command: tuple[str, ...]) -> str:
    """A command in short: the folders of tests, or how it begins."""
    return " ".join([word for word in command if word in chain(*TESTS)] or command[:3])


def main(words: list[str]) -> int:
    """The exit status."""
    chosen = ("-m", "hypothesis or not many", *(f"--ignore={file}" for file in LEFT_OUT), *words)
    tests = [("pytest", "-q", "-n", "0", "--no-header", *folders, *chosen) for folders in TESTS]
    failed = False
    with ThreadPoolExecutor(1 + len(TESTS)) as pool:
        for name, seconds, done in pool.map(run, (types(), *tests, *LINT)):
            good = done.returncode == 0 or (bool(words) and done.returncode == NONE_CHOSEN)
            failed = failed or not good
            print(f"{'ok    ' if good else 'failed'}  {seconds:5.1f} s  {name}", flush=True)
            if not good:
                print(done.stdout + done.stderr, flush=True)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
