"""The demo as `make demo ONCE=1` runs it, faster and with fewer mentorships; what it claims is counted again."""

from __future__ import annotations

import csv
import sqlite3
import subprocess
import sys
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from store.database import Database
from testing.seasons.counted_again import differences
from testing.seasons.counted_facts import Applicant
from testing.seasons.independent_count import of_database
from testing.seasons.played_season import FAR, report_of

ROOT = Path(__file__).parent.parent.parent


SPEEDS = ("2.5", "1.2", "0.6")
"""A machine that is too slow for one of them says so, and gets the next."""
TOO_FAST = 3

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
OF_MENTEE = (
    "JOIN memberships m ON (m.cohort, m.mentorship) = ({0}.cohort, {0}.mentorship) AND m.role = 'mentee' "
    "JOIN participants p ON p.id = m.person WHERE m.person NOT LIKE 'd%' ORDER BY p.name"
)
"""Of the pairs of the call, by the mentee; those who stand in the file have ids that begin with d."""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """An open call, and a season of its six pairs and of a group: the folder it was kept in, and how it ended."""
    *faster, last = SPEEDS
    for speed in faster:
        data, ended = _played(tmp_path_factory.mktemp("demo"), speed)
        if ended.returncode != TOO_FAST:
            return data, ended
    return _played(tmp_path_factory.mktemp("demo"), last)


def _played(data: Path, speed: str) -> tuple[Path, subprocess.CompletedProcess[str]]:
    command = [sys.executable, "-m", "demo", "--once", "--speed", speed, "--mentorships", "1", "--data", str(data)]
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
    received = [path.read_bytes() for path in sorted((data / "inbox").glob("*.eml"))]
    in_sink = {message_id(raw.partition(b"\r\n")[2]): recipient_of(raw.partition(b"\r\n")[2]) for raw in received}
    in_store = asked(data, "SELECT raw FROM messages WHERE state = 'sent'")
    kept = [message_id(raw.encode()) for (raw,) in in_store if raw]
    known = {email for (email,) in asked(data, "SELECT email FROM participants")}
    deleted = [recipient for recipient in in_sink.values() if recipient not in known]
    assert sorted(kept) == sorted(id_ for id_, recipient in in_sink.items() if recipient in known)
    assert len(in_sink) == len(received) == len(in_store) > 50
    # Nothing is left of those who withdrew, never confirmed, or found nobody.
    assert len({*deleted}) <= 3
    assert len(deleted) == len(in_store) - len(kept)


def test_everybody_plays_their_part(season: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    data, _ = season
    endings = asked(data, f"SELECT p.name, o.ending, o.reason FROM outcomes o {OF_MENTEE.format('o')}")
    assert endings == [
        ("Elliot Farnsworth", "completed", ""),
        ("Kavita Subramani", "completed", ""),
        ("Mina Sarrafi", "never_started", "seat_empty"),  # she declined
        ("Oskar Blumenau", "completed_silent", ""),  # both fell silent
        ("Ravi Anantharaman", "completed_partial", ""),  # the mentor fell silent
        ("Theo Marchbanks", "ended_early", "no_fault"),  # he wanted another partner at the midpoint
    ]
    decided = asked(data, f"SELECT p.name, t.kind, t.decision FROM tasks t {OF_MENTEE.format('t')}")
    assert ("Theo Marchbanks", "midpoint", "end") in decided
    assert ("Mina Sarrafi", "seat_empty", "end") in decided
    assert ("Elliot Farnsworth", "safety", "release") in decided
    assert asked(data, "SELECT decision FROM tasks WHERE kind = 'match'") == [("published",)]
    found = f"SELECT DISTINCT p.name FROM events e {OF_MENTEE.format('e')}"
    assert asked(data, found.replace("WHERE", "WHERE e.name = 'seen_differently' AND")) == [("Kavita Subramani",)]


def test_it_begins_with_the_open_call(season: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """The first thing to be seen: people apply through the page, a robot is refused, pairs are published."""
    data, ended = season
    seen = [line.split(maxsplit=4)[4] for line in ended.stdout.splitlines() if line[:3] in WEEKDAYS]
    assert seen[0].startswith("call")
    said = "\n".join(seen)
    for words in (
        "people apply on http://", "its application is not taken", "Mina Sarrafi applies once more: nothing changes",
        "Tobias Meerkatz withdraws", "makes 2 wishes", "Lotte Grünewald with Ravi Anantharaman: first wish",
        "nobody for Annegret Loibl", "the pairs are published",
    ):  # fmt: skip
        assert words in said, words
    seats = "SELECT count(*) FROM memberships JOIN applications USING (cohort, person)"
    assert asked(data, seats) == [(12,)], "the pairs are those of the applicants"


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
        assert differences(report, await of_database(database, cohort, FAR, applicants(data, ended.stdout))) == []
    finally:
        await database.close()


def applicants(data: Path, seen: str) -> list[Applicant]:
    """Who applied and confirmed it, as the screen told it, with what stands in their file."""
    seated = {
        name for (name,) in asked(data, "SELECT p.name FROM memberships m JOIN participants p ON p.id = m.person")
    }
    with (ROOT / "config" / "cohorts" / "demo-people.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if f"{row['name']} confirms the address" in seen]
    return [
        Applicant(
            row["role"], row["name"] in seated,
            {name: row[name].split("|") for name in ("unit", "profession", "grade", "languages")},
        )
        for row in rows
        if f"{row['name']} withdraws" not in seen
    ]  # fmt: skip


def message_id(raw: bytes) -> str:
    """The Message-ID of a mail."""
    return str(message_from_bytes(raw, policy=policy.default)["Message-ID"])


def recipient_of(raw: bytes) -> str:
    """The address of the reader of a mail."""
    return str(message_from_bytes(raw, policy=policy.default)["To"].addresses[0].addr_spec)


def asked(data: Path, question: str) -> list[tuple[str, ...]]:
    """What the demo's own database says."""
    with sqlite3.connect(data / "mentorship.db") as database:
        found = database.execute(question).fetchall()
    database.close()
    return found
