"""The link to the own page from the command line: shown, kept while Temporal is away, and asked for once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from store.database import Database
from testing.environments.cli_env import mentorship
from testing.environments.web_env import launch


async def test_it_is_shown_and_sent_once(installation: pytest.MonkeyPatch, new_sqlite: Callable[[], str]) -> None:
    url = new_sqlite()
    installation.setenv("MENTORSHIP_DATABASE_URL", url)
    async with Database.open(url) as database:
        await launch(database)
    shown = await asyncio.to_thread(mentorship, "send-link", "ada", "--dry-run")
    assert shown.code == 0, shown.err
    assert "the link to their own page, to ada@example.org" in shown.out
    assert "this was a dry run" in shown.out
    sent = await asyncio.to_thread(mentorship, "send-link", "ada@example.org", "--json")
    assert sent.code == 0, sent.err
    assert (json.loads(sent.out)["done"], "It is kept" in sent.err) == (True, True)
    assert "on its way already" in (await asyncio.to_thread(mentorship, "send-link", "ada")).out
    assert "no person" in (await asyncio.to_thread(mentorship, "send-link", "zoe")).err
