"""A message from the command line: shown with whom it reaches, confirmed, kept while Temporal is away, listed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from store.database import Database
from testing.environments.cli_env import CommandResult, mentorship
from testing.environments.web_env import COHORT, launch


@pytest.fixture
async def text(installation: pytest.MonkeyPatch, new_sqlite: Callable[[], str], tmp_path: Path) -> Path:
    """A launched cohort, and the text of a message in a file."""
    url = new_sqlite()
    installation.setenv("MENTORSHIP_DATABASE_URL", url)
    async with Database.open(url) as database:
        await launch(database)
    path = tmp_path / "evening.md"
    path.write_text("We meet on **14 April**.\n", "utf-8")
    return path


async def say(*words: str) -> CommandResult:
    return await asyncio.to_thread(mentorship, *words)


async def test_it_is_shown_sent_once_and_listed(text: Path) -> None:
    words = ("message", COHORT, "--subject", "An evening", "--file", str(text))
    shown = await say(*words, "--dry-run")
    assert shown.code == 0, shown.out + shown.err
    assert "a message to 4 people" in shown.out
    assert "We meet on 14 April." in shown.out
    assert "/me/" not in shown.out
    assert "Nothing was sent" in shown.out
    assert json.loads((await say("messages", COHORT, "--json")).out) == []

    unsure = await say(*words)
    assert unsure.code == 2
    assert "write --yes" in unsure.err

    sent = await say("message", f"{COHORT}/pair", *words[2:], "--to", "ada", "--yes", "--json")
    assert sent.code == 0, sent.out + sent.err
    found = json.loads(sent.out)
    assert (found["sent"], [one["id"] for one in found["readers"]]) == (True, ["ada"])
    [line] = json.loads((await say("messages", COHORT, "--json")).out)
    assert (line["id"], line["state"], line["mentorships"]) == (found["id"], "sent", ["pair"])
    one = await say("messages", COHORT, found["id"])
    assert "We meet on **14 April**." in one.out
    assert "Ada Lindqvist" in one.out


async def test_what_makes_no_sense_is_refused_with_what_to_do(text: Path) -> None:
    usual = ("--subject", "S", "--file", str(text), "--yes")
    for words, says in (
        (("message", "nowhere", *usual), "nowhere"),
        (("message", COHORT, f"{COHORT}/pair", *usual), "not both"),
        (("message", COHORT, *usual, "--to", "nobody"), "no person"),
        (("message", COHORT, "--subject", "S", "--file", "missing.md", "--yes"), "can't be read"),
        (("message", COHORT, "--subject", "S", "--file", str(text), "--json"), "--yes"),
    ):
        refused = await say(*words)
        assert refused.code != 0, words
        assert says in refused.out + refused.err, words
