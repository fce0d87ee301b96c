"""The words of a cohort's mails from the command line: shown, confirmed, taken back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mail.wording import SHIPPED
from operations.cohorts import files
from store.cohorts.files import CohortTexts
from store.database import Database
from testing.environments.cli_env import CommandResult, mentorship
from testing.environments.web_env import COHORT, NOW, launch


@pytest.fixture
async def folder(installation: pytest.MonkeyPatch, new_sqlite: Callable[[], str], tmp_path: Path) -> Path:
    """A launched cohort whose file is kept, and a folder with a mail of its own."""
    url = new_sqlite()
    installation.setenv("MENTORSHIP_DATABASE_URL", url)
    async with Database.open(url) as database:
        await launch(database)
        await files.save(database, COHORT, CohortTexts("cohort: spring\n"), NOW, by="coco", proof="command_line")
    (tmp_path / "en").mkdir()
    text = (SHIPPED / "en" / "check_in.md").read_text("utf-8")
    (tmp_path / "en" / "check_in.md").write_text(text.replace("A few ticks", "Some ticks"), "utf-8")
    return tmp_path


async def say(*words: str) -> CommandResult:
    return await asyncio.to_thread(mentorship, *words)


async def test_words_from_a_folder_are_shown_put_in_force_and_taken_back(folder: Path) -> None:
    words = ("reword", COHORT, "--from", str(folder))
    shown = await say(*words, "--dry-run")
    assert shown.code == 0, shown.err
    assert "own words     en/check_in" in shown.out
    assert "Nothing was changed" in shown.out
    assert "write --yes" in (await say(*words)).err
    done = await say(*words, "--yes", "--json", "--why", "shorter")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["version"], found["own"], found["changed"]) == (2, ["en/check_in"], True)
    assert "in force already" in (await say("reword", COHORT, "--yes")).out
    back = json.loads((await say("reword", COHORT, "--version", "1", "--yes", "--json")).out)
    assert (back["shared"], back["changed"]) == (["en/check_in"], True)


async def test_a_fault_changes_nothing(folder: Path) -> None:
    (folder / "en" / "closure.md").write_text("---\nsubject: a\n---\n", "utf-8")
    refused = await say("reword", COHORT, "--from", str(folder), "--yes")
    assert refused.code == 2
    assert "mail/en/closure.md, line 1: lacks 'preheader'" in refused.err
    for more, says in (
        (("--version", "7"), "has no version 7"),
        (("--from", str(folder / "none")), "there is no template"),
        (("--from", str(folder), "--version", "1"), "leave --version out"),
    ):
        refused = await say("reword", COHORT, *more, "--yes")
        assert refused.code == 2
        assert says in refused.err
    assert "nowhere" in (await say("reword", "nowhere")).err
