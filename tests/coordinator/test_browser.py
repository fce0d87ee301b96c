"""The first pages in a real browser: by keyboard, without script, on a narrow phone and a desktop, in the dark."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from store.tables import MentorshipRow, ParticipantRow
from testing.environments.coordinator_env import printed_link
from testing.environments.web_env import NOW, WebEnv, filled_in, send
from testing.servers.browser import COLOURS, EVERYTHING
from tests.coordinator.test_today import put_task

PHONE = {"width": 320, "height": 640}
DESKTOP = {"width": 1280, "height": 900}
LONG = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh-Öztürk"


@asynccontextmanager
async def opened(browser: Browser, env: WebEnv, path: str, **options: Any) -> AsyncIterator[Page]:
    """A page in a context of its own."""
    options.setdefault("viewport", PHONE)
    context = await browser.new_context(base_url=env.settings.public_url, **options)
    try:
        page = await context.new_page()
        await page.goto(path)
        yield page
    finally:
        await context.close()


async def a_day(env: WebEnv) -> None:
    """Three tasks with an answer behind one, somebody silent, a bounce, and a very long name."""
    path = await env.ask("check_in", "ada")
    async with env.client() as participant:
        typed = await filled_in(env, path, p_open="1", p_word="May we talk this week?")
        assert "Thank you" in (await send(participant, path, typed)).text
    await put_task(env, "low_score", NOW.date(), ["ada"])
    await put_task(env, "stalled", NOW.date() - timedelta(days=3), [], "pair-2")
    await put_task(env, "help", NOW.date() + timedelta(days=3), ["ben"], "group")
    await env.change(MentorshipRow, {"key": "peers"}, health="quiet")
    await env.change(ParticipantRow, {"id": "cai"}, standing="bounced", name=LONG)


async def test_the_first_pages_break_no_rule_of_axe_and_fit_every_width(browser: Browser, served: WebEnv) -> None:
    await a_day(served)
    found: list[str] = []
    for viewport in (PHONE, DESKTOP):
        for scheme in ("light", "dark"):
            path = await printed_link(served, "coco")
            async with opened(
                browser, served, "/c/sign-in", viewport=viewport, color_scheme=scheme, java_script_enabled=True
            ) as page:
                for where in ("/c/sign-in", path, "signed in", "/c/search", "found", "/c/sessions", "/c/tasks/none"):
                    if where == "signed in":
                        await page.get_by_role("button", name="Sign in").click()
                        await page.wait_for_url("**/c/")
                    elif where == "found":
                        await page.get_by_role("searchbox").fill("a")
                        await page.get_by_role("button", name="Search", exact=True).click()
                    else:
                        await page.goto(where)
                    here = f"{viewport['width']} {scheme} {'link' if where == path else where}"
                    width = await page.evaluate("document.documentElement.scrollWidth")
                    if width > viewport["width"]:
                        found.append(f"{here}: {width} px wide")
                    results = await Axe().run(page, options=EVERYTHING if scheme == "light" else COLOURS)
                    found += [
                        f"{here}: {rule['id']} {json.dumps([node['target'] for node in rule['nodes']])}"
                        for rule in results.response["violations"]
                    ]
    assert found == []


async def test_signing_in_and_on_to_a_task_with_the_keyboard_alone_and_without_script(
    browser: Browser, served: WebEnv
) -> None:
    await a_day(served)
    path = await printed_link(served, "coco")
    async with opened(browser, served, path, java_script_enabled=False) as page:
        assert await tab_to(page, "Sign in")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/c/")
        assert await page.get_by_role("article").count() == 3
        assert await tab_to(page, "Nudge them: Ada Lindqvist")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/c/tasks/*")


async def tab_to(page: Page, text: str) -> bool:
    """Tab until what is focused has this text."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if (await focused.count()) and " ".join((await focused.text_content() or "").split()) == text:
            return True
    return False
