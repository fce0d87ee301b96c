"""`mentorship report` and `mentorship voices` as a coordinator types them."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from runtime.settings import Settings
from store.database import Database, migrate
from testing.cohorts.small_cohort import COHORT, launched
from testing.environments.cli_env import mentorship


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a launched cohort."""
    path = tmp_path_factory.mktemp("report") / "mentorship.db"
    url = f"sqlite+aiosqlite:///{path}"
    migrate(url)

    async def fill() -> None:
        async with Database.open(url) as database:
            await launched(database)

    asyncio.run(fill())
    return path


@pytest.fixture(autouse=True)
def _installed(installation: pytest.MonkeyPatch, cohort: Path) -> None:
    installation.setenv("MENTORSHIP_DATABASE_URL", f"sqlite+aiosqlite:///{cohort}")
    assert str(cohort) in Settings().database


def test_it_writes_files_and_says_so(tmp_path: Path) -> None:
    page, book, folder, pack = (tmp_path / name for name in ("r.html", "r.xlsx", "csv", "evidence"))
    done = mentorship(
        "report", COHORT, "--html", str(page), "--xlsx", str(book), "--csv", str(folder), "--evidence", str(pack)
    )
    assert done.code == 0, done.err
    assert "The season is still running" in page.read_text("utf-8")
    assert book.read_bytes().startswith(b"PK")
    assert (folder / "000-method.csv").is_file()
    assert (pack / "index.html").is_file()
    written = [page, book, folder, pack, *folder.iterdir(), *pack.iterdir()]
    assert [path.name for path in written if path.stat().st_mode & 0o077] == [], "nobody else on the machine reads it"


def test_exact_numbers_are_marked(tmp_path: Path) -> None:
    said = mentorship("report", COHORT, "--exact").out
    assert "not for passing on" in said
    assert "Everybody said yes" in said
    assert mentorship("report", COHORT, "--exact", "--json").json["exact"] is True
    refused = mentorship("report", COHORT, "--exact", "--evidence", str(tmp_path))
    assert refused.code != 0
    assert "passing on" in refused.err


def test_what_you_change_is_signed() -> None:
    assert "--as" in mentorship("report", COHORT, "--change", "Less mail.").err
    assert mentorship("report", COHORT, "--change", "Less mail.", "--as", "casey").code == 0


def test_a_cohort_that_is_not_there() -> None:
    assert "there is no cohort" in mentorship("report", "nothing").err


def test_voices_are_listed_and_nobody_is_asked_who_has_not_agreed_to_that() -> None:
    assert "Nobody was asked yet" in mentorship("voices", COHORT).out
    assert mentorship("voices", COHORT, "--json").json == []
    refused = mentorship(
        "voices", COHORT, "--ask", "ben", "--text", "It was good.", "--use", "report", "--as", "casey"
    )
    assert "has not said at the closure" in refused.err
    assert "--where" in mentorship("voices", COHORT, "--used", "abc").err


MADE_UP = ("plan.py", "rehearse.py")
"""Commands whose files tell of simulated people, or of a file that the reader has."""


def test_files_that_tell_of_people_are_for_the_own_account() -> None:
    commands = (Path(__file__).parents[2] / "cli" / "commands").glob("*.py")
    openly = [path.name for path in commands if re.search(r"\.write_(text|bytes)\(", path.read_text("utf-8"))]
    assert sorted(openly) == sorted(MADE_UP)
