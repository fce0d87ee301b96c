"""A coordinator signs in from the mail, without script, and handles twelve tasks; the pages are for everybody.

The season is played for this file alone, for in the end everything in it is decided.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser
from sqlalchemy import delete, select, update

from store.tables import AuditRow, ParticipantRow, SignInRow, TaskRow
from testing.cohorts.all_cases import POST
from testing.cohorts.cases import SECRET_WORD
from testing.environments.coordinator_env import printed_link, signed_in
from testing.environments.engine import Engine
from testing.environments.web_env import WebEnv, web_env_of
from testing.seasons.waiting_tasks import COORDINATOR, WAITING, season
from tests.coordinator.season_pages import COHORT, NO_PAGES, paths
from tests.coordinator.test_browser import DESKTOP
from tests.coordinator.test_reading import PAGES, TOLD, key_of, page_of, path_of
from tests.web.test_browser import PHONE, violations
from web.coordinator.route_table import ROUTES
from web.server import server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def played(tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path) -> AsyncIterator[Engine]:
    """The season, with its engine still running."""
    folder = tmp_path_factory.mktemp("twelve")
    shutil.copy(_sqlite_template, folder / "season.db")
    async with season(folder, f"sqlite+aiosqlite:///{folder / 'season.db'}") as engine:
        yield engine


async def test_what_the_page_did_not_show_is_not_done_with_one_confirmation(played: Engine) -> None:
    """The mentorship changed since, another date, or a newcomer without a name."""
    env = web_env_of(played.database, PAGES, client=played.client)
    env.now = played.now
    path = path_of("Z2")
    async with signed_in(env, COORDINATOR) as cora:
        stale = await cora.post(path, data={"act": "decide", "decision": "noted", "based_on": "999"})
        assert (stale.status_code, "changed since this page was made" in stale.text) == (409, True)
        [based_on] = re.findall(r'name="based_on" value="(\d+)"', (await cora.get(path)).text)
        typed = {"act": "decide", "decision": "pause", "until": "2038-05-04", "based_on": based_on, "why": "Away."}
        asked = await cora.post(path, data=typed, follow_redirects=False)
        assert (asked.status_code, asked.headers["location"].startswith("/c/plans/")) == (303, True)
        typed = {"act": "decide", "decision": "replace", "based_on": based_on}
        assert (await cora.post(path, data=typed)).status_code == 422
    async with played.database.session() as session:
        assert (await session.get_one(TaskRow, key_of("Z2"))).closed_at is None


# -- in a browser ------------------------------------------------------------------------------------------------

LONG = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh y Núñez"
"""A name of sixty letters."""


@asynccontextmanager
async def serving(played: Engine) -> AsyncIterator[WebEnv]:
    """The pages on loopback for a browser; their mail goes to the sink of the season."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        env = web_env_of(
            played.database,
            f"http://127.0.0.1:{listening.getsockname()[1]}",
            client=played.client,
            smtp_port=played.sink.port,
            smtp_security="none",
            mail_from="mentoring@engine.example.org",
        )
        env.now = played.now
        running = server(env.app, env.settings)
        task = asyncio.create_task(running.serve(sockets=[listening]))
        try:
            yield env
        finally:
            running.should_exit = True
            await task


async def test_every_page_is_accessible_and_fits_a_phone_with_long_names(browser: Browser, played: Engine) -> None:
    """All that the route table has, as a coordinator and an administrator find it, and pages that say no."""
    async with played.database.begin() as session:
        await session.execute(update(ParticipantRow).where(ParticipantRow.id == "L-mentee").values(name=LONG))
    found: list[str] = []
    async with serving(played) as env:
        by_route = await paths(env, played)
        context = await browser.new_context(viewport=PHONE, base_url=env.settings.public_url)  # pyright: ignore[reportArgumentType]
        page = await context.new_page()
        for where in ("/c/sign-in", "/c/sign-in?next=/c/audit", "/c/sign-in/link/none"):
            await page.goto(where)
            found += await violations(page, where)
        await page.goto("/c/sign-in")
        await page.fill("input[name=address]", "nobody@example.org")
        await page.click("main button")
        found += await violations(page, "the code of a mail")
        await page.goto(await printed_link(env, COORDINATOR))
        await page.click("main button")
        for path in (path for paths_of in by_route.values() for path in paths_of):
            response = await page.goto(path)
            assert response is not None
            # The season's server can't list workflows, so nothing can be launched: what is said then is a page too.
            status = 503 if path.endswith("/file/launch") else 200
            if (response.status, urlsplit(page.url).path) != (status, urlsplit(path).path):
                found.append(f"{path}: {response.status} at {page.url}")
            found += await violations(page, path)
            await page.set_viewport_size(DESKTOP)  # pyright: ignore[reportArgumentType]
            if (width := await page.evaluate("document.documentElement.scrollWidth")) > DESKTOP["width"]:
                found.append(f"{path}: {width} pixels wide on a desktop")
            await page.set_viewport_size(PHONE)  # pyright: ignore[reportArgumentType]
        for path in ("/c/cohorts/none", "/c/plans/none", f"{COHORT}/messages/none", "/c/installation"):
            await page.goto(path)
            found += await violations(page, f"no page at {path}")
        await page.goto("/c/search")
        await page.get_by_role("searchbox").fill("quillfeather")
        await page.get_by_role("button", name="Search", exact=True).click()
        found += await violations(page, "what the search found")
        await page.goto(path_of("S"))
        await page.click("button[value=open]")
        found += await violations(page, "an opened report")
        await page.context.clear_cookies()
        await page.goto(await printed_link(env, granted=("administrator",)))
        await page.click("main button")
        for path in ("/c/installation", "/c/", "/c/cohorts", COHORT, page_of("L"), "/c/audit"):
            await page.goto(path)
            found += await violations(page, f"{path} for an administrator")
        await context.close()
    assert not found, "\n".join(found)
    opened = {*by_route, "sign_in", "link", "code", "installation"}
    assert opened | NO_PAGES == {route.name for route in ROUTES if "GET" in route.methods}
    assert opened.isdisjoint(NO_PAGES)


async def test_without_script_a_coordinator_signs_in_from_the_mail_and_handles_twelve_tasks(
    browser: Browser, played: Engine
) -> None:
    """Last in this file: it decides everything."""
    mails = played.sink.mails_to(f"{COORDINATOR}@{POST}")
    assert any(path_of("S") in mail.text for mail in mails)
    read: dict[str, str] = {}
    loads: list[str] = []
    async with played.database.begin() as session:
        await session.execute(delete(SignInRow))  # the links of the tests before count as mails that were asked for
    async with serving(played) as env:
        context = await browser.new_context(java_script_enabled=False, base_url=env.settings.public_url)
        page = await context.new_page()
        page.on("load", lambda loaded: loads.append(loaded.url))
        await page.goto(path_of("S"))
        await page.fill("input[name=address]", f"{COORDINATOR}@{POST}")
        await page.click("main button")
        [link] = re.findall(r"/c/sign-in/link/\S+", await sign_in_mail(played))
        await page.goto(link)
        await page.click("main button")
        await page.click("button[value=open]")
        assert SECRET_WORD in await page.content()
        while True:
            task = urlsplit(page.url).path
            read[task] = await page.content()
            await page.locator("input[name=decision]").first.check()
            await page.fill("textarea[name=why]", "Spoke to them.")
            following = page.locator("button[value=decide_next]")
            last = not await following.count()
            async with page.expect_navigation():
                await (page.locator("button[value=decide]") if last else following).click()
            assert "Decided:" in await page.content()
            if last:
                break
        assert "Nothing else waits for you" in await page.content()
        await context.close()
    assert read.keys() == {path_of(mentorship) for mentorship in WAITING}
    for mentorship, said in TOLD.items():
        if mentorship not in ("S", "L"):
            assert said in read[path_of(mentorship)].replace("I'd", "I&#39;d")
    assert len(loads) <= 25, loads
    assert not any(word in url for url in loads for word in ("Quillfeather", SECRET_WORD, POST))
    async with played.database.session() as session:
        assert list(await session.scalars(select(TaskRow.key).where(TaskRow.closed_at.is_(None)))) == []
        rows = (await session.scalars(select(AuditRow).where(AuditRow.what == "decide", AuditRow.reason != ""))).all()
    assert {(row.by, row.proof) for row in rows} == {(COORDINATOR, "mailed_link")}
    assert sorted(id_ for row in rows for id_ in row.ids) == sorted(map(key_of, WAITING))


async def sign_in_mail(played: Engine) -> str:
    """The text of the mail that signs in, when it has come."""
    for _ in range(200):
        texts = [mail.text for mail in played.sink.mails_to(f"{COORDINATOR}@{POST}")]
        if signing := [text for text in texts if "/c/sign-in/link/" in text]:
            return signing[-1]
        await asyncio.sleep(0.05)
    raise AssertionError("no mail came")
