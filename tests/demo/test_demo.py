"""The demo as `make demo ONCE=1` runs it, faster and with fewer mentorships; what it claims is counted again."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from store.database import Database
from testing.seasons.counted_again import differences
from testing.seasons.independent_count import of_database
from testing.seasons.played_season import FAR, report_of

ROOT = Path(__file__).parent.parent.parent


SPEEDS = ("3", "1.5", "0.8")
"""A machine that is too slow for one of them says so, and gets the next."""
TOO_FAST = 3

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A whole season of five mentorships: the folder it was kept in, and how it ended."""
    *faster, last = SPEEDS
    for speed in faster:
        data, ended = _played(tmp_path_factory.mktemp("demo"), speed)
        if ended.returncode != TOO_FAST:
            return data, ended
    return _played(tmp_path_factory.mktemp("demo"), last)


def _played(data: Path, speed: str) -> tuple[Path, subprocess.CompletedProcess[str]]:
    command = [sys.executable, "-m", "demo", "--once", "--speed", speed, "--mentorships", "5", "--data", str(data)]
    return data, subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)


def test_it_ends_well_and_says_what_it_counted(season: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    _, ended = season
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
    assert "all promises kept" in ended.stdout
    assert "BROKEN" not in ended.stdout
    for address in ("Coordinators http://", "Inbox http://", "Temporal UI http://"):
        assert address in ended.stdout
    assert "Take over the coordinator: http://" in ended.stdout


def test_the_sink_and_the_store_know_the_same_mails(
    season: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    data, _ = season
    in_sink = [message_id(path.read_bytes().partition(b"\r\n")[2]) for path in sorted((data / "inbox").glob("*.eml"))]
    in_store = [message_id(raw.encode()) for (raw,) in asked(data, "SELECT raw FROM messages WHERE state = 'sent'")]
    assert sorted(in_sink) == sorted(in_store)
    assert len(set(in_sink)) == len(in_sink) > 50


def test_everybody_plays_their_part(season: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    data, _ = season
    endings = asked(data, "SELECT mentorship, ending, reason FROM outcomes ORDER BY mentorship")
    assert endings == [
        ("m01", "completed_partial", ""),  # the mentor fell silent
        ("m02", "ended_early", "no_fault"),  # one wanted another partner at the midpoint
        ("m03", "completed", ""),
        ("m04", "never_started", "seat_empty"),  # one declined
        ("m05", "completed", ""),
    ]
    decided = asked(data, "SELECT mentorship, kind, decision FROM tasks ORDER BY mentorship, kind")
    assert ("m02", "midpoint", "end") in decided
    assert ("m04", "seat_empty", "end") in decided
    assert ("m05", "safety", "release") in decided
    differed = asked(data, "SELECT DISTINCT mentorship FROM events WHERE name = 'seen_differently'")
    assert differed == [("m03",)]


async def test_it_ends_with_a_report_and_every_figure_of_it_is_counted_again(
    season: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    data, ended = season
    assert f"What came of it: {data / 'report.html'}" in ended.stdout
    assert "what came of it</h1>" in (data / "report.html").read_text("utf-8")
    [(cohort,)] = asked(data, "SELECT id FROM cohorts")
    database = Database.open(f"sqlite+aiosqlite:///{data / 'mentorship.db'}")
    try:
        report = await report_of(database, cohort)
        assert report.season.over
        assert differences(report, await of_database(database, cohort, FAR)) == []
    finally:
        await database.close()


def message_id(raw: bytes) -> str:
    """The Message-ID of a mail."""
    return str(message_from_bytes(raw, policy=policy.default)["Message-ID"])


def asked(data: Path, question: str) -> list[tuple[str, ...]]:
    """What the demo's own database says."""
    with sqlite3.connect(data / "mentorship.db") as database:
        found = database.execute(question).fetchall()
    database.close()
    return found
