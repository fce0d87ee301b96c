"""A page process dies right after it has thanked for an answer: the answer is kept, and its workflow hears of it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import httpx

from runtime.outbox_relay import GRACE, relay_once
from store.database import Database
from store.tables import AnswerRow, RelayRow
from testing.environments.web_env import WebEnv, filled_in, web_env_of
from testing.servers.dev_server import free_port
from web.server import server

ROOT = Path(__file__).parents[2]


class Dying(WebEnv):
    """Pages whose process is killed when it begins to tell a workflow."""

    async def tell(self, cohort: str, mentorship: str, event: str, payload: dict[str, Any], id_: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def serve(url: str, port: int) -> None:
    """Serve the pages of this database until the process is killed."""
    settings = web_env_of(Database.open(url)).settings.model_copy(update={"web_port": port})
    asyncio.run(server(Dying(Database.open(url), settings).app, settings).serve())


async def test_an_answer_that_was_thanked_for_reaches_its_workflow_though_the_page_is_killed(both: WebEnv) -> None:
    path = await both.ask("check_in", "ada")
    url, port = both.database.engine.url.render_as_string(hide_password=False), free_port()
    started = f"from tests.web.test_killed_page import serve; serve({url!r}, {port})"
    page = await asyncio.create_subprocess_exec(sys.executable, "-c", started, cwd=ROOT)
    typed = await filled_in(both, path)
    thanked = await _sent(f"http://127.0.0.1:{port}{path}", {"submission_id": "submission-1", **typed})
    assert thanked.headers["location"] == f"{path}/thanks"
    assert await page.wait() == -signal.SIGKILL
    assert await both.count(AnswerRow) == await both.count(RelayRow) == 1

    assert await relay_once(both.database, both.tell, both.now + GRACE) == 1
    [(_, _, event, payload, _)] = both.told
    assert (event, payload["person"]) == ("Answered", "ada")
    assert await both.count(RelayRow) == 0


async def _sent(url: str, typed: dict[str, Any]) -> httpx.Response:
    """What the page answers, once it answers."""
    async with httpx.AsyncClient() as browser, asyncio.timeout(60):
        while True:
            try:
                return await browser.post(url, data=typed)
            except httpx.ConnectError:
                await asyncio.sleep(0.1)
