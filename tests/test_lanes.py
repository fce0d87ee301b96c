"""`make test` plays every test in one of its lanes, and fails where a test of any lane fails."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools.scripts.all_tests import CORE, DEMO, KILLS, LANES, PYTEST, ROOT, main

FAILS = "def test_it():\n    assert False, 'as it should'\n"
PASSES = "def test_it():\n    pass\n"


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("nth", range(3))
def test_a_failure_in_any_command_of_any_lane_fails_the_whole(
    lane: str, nth: int, capfd: pytest.CaptureFixture[str]
) -> None:
    lanes = {name: [_command(0)] * len(commands) for name, commands in LANES.items()}
    lanes[lane] = [_command(int(place == nth % len(lanes[lane]))) for place in range(len(lanes[lane]))]
    assert main(lanes) == 1
    said = capfd.readouterr().out
    for name in LANES:
        [line] = [line for line in said.splitlines() if line.endswith(f" s  {name}")]
        assert line.startswith("failed" if name == lane else "ok")


def test_a_red_test_is_shown_and_fails_the_whole_and_green_ones_do_not(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = {"red": FAILS, "green": PASSES}
    for name, text in files.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "test_one.py").write_text(text)
    alone = ("-n", "0", "-c", "/dev/null", "--rootdir", str(tmp_path))
    lanes = {name: [(*PYTEST, *alone, str(tmp_path / name))] for name in ("green", "red")}
    assert main(lanes) == 1
    said = capfd.readouterr().out
    assert "as it should" in said
    assert main({"green": lanes["green"]}) == 0


def test_every_test_is_in_one_lane() -> None:
    """What the other lanes have is what the lane of the rest leaves out; what is measured is not played twice."""
    [rest] = LANES["rest"]
    measured, many, kills = LANES["core"]
    [demo] = LANES["demo"]
    assert _ignored(rest) == {*CORE, *KILLS}
    assert _ignored(kills) == set(DEMO)
    assert all((ROOT / path).exists() for path in (*CORE, *DEMO, *KILLS))
    assert all(path.startswith(KILLS) for path in DEMO)
    assert "not many" in measured
    assert "many" in many
    for command, paths in ((measured, CORE), (many, CORE), (kills, KILLS), (demo, DEMO)):
        assert command[-len(paths) :] == paths


def _ignored(command: Sequence[str]) -> set[str]:
    return {word.removeprefix("--ignore=") for word in command if word.startswith("--ignore=")}


def _command(status: int) -> tuple[str, ...]:
    return (sys.executable, "-c", f"raise SystemExit({status})")
