"""`mentorship giving-back`: from last season's yes to the people whom the next call invites, as the page does it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from operations.audit import AuditFilters
from operations.cohorts import files
from operations.cohorts.files import CohortTexts
from runtime.settings import Settings
from store.audit import read
from store.database import Database, migrate
from testing.environments.cli_env import mentorship
from testing.environments.web_env import COHORT, NOW, launch, web_env_of
from tests.operations.test_answers_shown import submitted

CALL = "cohort: next\napply:\n  opens: 2028-01-10\n  closes: 2028-01-31\n"
INVITED = f"{CALL}  invited:\n    - mia@example.org\n"
ADDED = f'{CALL}  invited:\n    - "Ada Lindqvist <ada@example.org>"\n    - mia@example.org\n'


@pytest.fixture
def season(tmp_path: Path, installation: pytest.MonkeyPatch) -> str:
    """A cohort in which a mentee would mentor, and a mentor would again; the URL of its database."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'mentorship.db'}"
    migrate(url)

    async def fill() -> None:
        async with Database.open(url) as database:
            await launch(database)
            env = web_env_of(database)
            await submitted(env, "closure", "ada", c_give="yes", c_sat="4")
            await submitted(env, "closure", "mia", c_again="yes", c_sat="5")
            await files.save(database, "next", CohortTexts(INVITED), NOW, by="coco", proof="test")

    asyncio.run(fill())
    installation.setenv("MENTORSHIP_DATABASE_URL", url)
    # Program time is that of the season.
    installation.setenv("MENTORSHIP_SPEED", "2")
    real = datetime.now(UTC)
    installation.setenv("MENTORSHIP_EPOCH", (real + (real - NOW) - timedelta(days=1)).isoformat())
    assert Settings().database == url
    return url


def kept(url: str) -> tuple[str, int]:
    """The last version of the file that the pages keep, and how often somebody was invited by the command."""

    async def look() -> tuple[str, int]:
        async with Database.open(url) as database:
            texts = await files.latest_texts(database, "next")
            assert texts is not None
            async with database.session() as session:
                lines, _ = await read(session, AuditFilters(what="giving-back"))
            return texts.file, len(lines)

    return asyncio.run(look())


def test_it_lists_who_said_so(season: str) -> None:
    listed = mentorship("giving-back", COHORT)
    assert listed.out == (
        "invited:\n  - ada@example.org  # Ada Lindqvist, was a mentee\n"
        "  - mia@example.org  # Mia Okonkwo, was a mentor\n"
    ), listed.err
    assert [one["id"] for one in mentorship("giving-back", COHORT, "--json").json] == ["ada", "mia"]


def test_the_file_that_the_pages_keep_gets_a_new_version(season: str) -> None:
    shown = mentorship("giving-back", COHORT, "--into", "next", "--dry-run")
    assert "1 person" in shown.out
    assert "Ada Lindqvist, was a mentee, ada@example.org" in shown.out
    assert "It invites 1 of them already" in shown.out
    assert "only those who are invited" not in shown.out
    asked = mentorship("giving-back", COHORT, "--into", "next")
    assert asked.code != 0
    assert "write --yes" in asked.err
    assert "write --yes" in mentorship("giving-back", COHORT, "--into", "next", "--json").err
    assert kept(season) == (INVITED, 0)
    done = mentorship("giving-back", COHORT, "--into", "next", "--yes", "--json").json
    assert (done["done"], done["version"]) == (True, 2)
    assert [one["id"] for one in done["added"]] == ["ada"]
    assert kept(season) == (ADDED, 1)
    assert "Nothing to do" in mentorship("giving-back", COHORT, "--into", "next", "--yes").out
    assert kept(season) == (ADDED, 1)


def test_a_file_on_disk_is_written_and_nothing_else_of_it_changes(season: str, tmp_path: Path) -> None:
    file = tmp_path / "autumn.yaml"
    file.write_bytes(b"# ours\r\n" + INVITED.encode())
    shown = mentorship("giving-back", COHORT, "--into", str(file), "--dry-run")
    assert "dry run" in shown.out
    assert file.read_bytes() == b"# ours\r\n" + INVITED.encode()
    done = mentorship("giving-back", COHORT, "--into", str(file), "--yes")
    assert "1 person added" in done.out
    assert file.read_bytes() == b"# ours\r\n" + ADDED.encode()
    assert [path.name for path in tmp_path.glob("*autumn*")] == ["autumn.yaml"]
    assert kept(season) == (INVITED, 1)


def test_an_open_call_becomes_one_for_those_who_are_invited(season: str, tmp_path: Path) -> None:
    file = tmp_path / "autumn.yaml"
    file.write_text(CALL)
    shown = mentorship("giving-back", COHORT, "--into", str(file), "--dry-run")
    assert "then only those who are invited can" in shown.out
    assert mentorship("giving-back", COHORT, "--into", str(file), "--dry-run", "--json").json[
        "only_invited_from_now_on"
    ]


@pytest.mark.parametrize(
    ("into", "reason"),
    [("elsewhere", "no file of elsewhere is kept"), (COHORT, "is not yours to write"), ("no.yaml", "can't be read")],
)
def test_what_can_take_nobody_is_refused(season: str, into: str, reason: str) -> None:
    refused = mentorship("giving-back", COHORT, "--into", into, "--yes")
    assert refused.code != 0
    assert reason in refused.err


def test_only_who_decides_can(season: str, tmp_path: Path) -> None:
    refused = mentorship("giving-back", COHORT, "--into", "next", "--yes", "--as", "ada")
    assert "no coordinator or deputy" in refused.err
    assert kept(season) == (INVITED, 0)
