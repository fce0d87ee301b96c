"""Takes the pictures of docs/operations.md: the Temporal UI over a real run of a cohort, on the embedded stack.

    python -m tools.scripts.screenshots

The realistic cohort is played at speed up to its second month, which takes about a minute and a half, with a
coordinator who is slow to decide; then a browser looks at it. Needs Chromium.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from playwright.async_api import Browser, Page, async_playwright

from demo.season import CONFIG, DemoOptions, DemoSeason, season
from embedded.temporal_ui import TemporalUI
from testing.browser import ARGUMENTS, executable

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
PAGE = ROOT / "docs" / "operations.md"

PLAYED = timedelta(days=47)
"""After the start: check-ins, tasks, somebody silent."""
SPEED = 1.0
SIZE = {"width": 1280, "height": 760}
COLUMNS = ("Status", "Workflow ID", "Cohort", "Phase", "Health", "OpenTasks", "NextStepAt")
ALL = 'WorkflowType = "mentorship" AND ExecutionStatus = "Running"'
KEPT = ("Needs a coordinator", "Safety reports", "Gone quiet", "Paused", "Mail and cohorts")
"""Saved views in the picture."""


def views() -> dict[str, str]:
    """The saved views of the page: name to query."""
    rows = re.findall(r"^\| ([^|`]+) \| `([^`]+)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name.strip(): query for name, query in rows if re.search(r" (=|<|>|IN) ", query)}


def saved(ui: TemporalUI, name: str) -> str:
    """The address that saves a view in whoever's browser opens it."""
    return f"{ui.workflows}?query={quote(views()[name])}&savedQuery={quote(name)}"


async def take(browser: Browser, here: DemoSeason) -> None:
    """All pictures."""
    ui = TemporalUI(here.stack.server.ui, here.stack.client.namespace)
    context = await browser.new_context(viewport=SIZE, color_scheme="light", timezone_id="Europe/Berlin")  # pyright: ignore[reportArgumentType]
    columns = {ui.namespace: [{"label": name} for name in COLUMNS]}
    await context.add_init_script(
        f"localStorage.setItem('namespace-workflow-table-columns', {json.dumps(json.dumps(columns))});"
        "localStorage.setItem('navOpen', 'false');"
    )
    page = await context.new_page()
    for name in KEPT:
        await page.goto(saved(ui, name))
        await settled(page)
    await page.goto(f"{ui.workflows}?query={quote(ALL)}&savedQuery=Mentorships")
    await shot(page, "temporal-list")
    await here.look()
    line = max(here.lines, key=lambda one: (one.open_tasks, len(one.awaited), one.key))
    await page.goto(ui.mentorship(line.cohort, line.key))
    await shot(page, "temporal-card", tab="User Metadata")
    await shot(page, "temporal-history", tab="Timeline", scroll=560)
    await page.goto(ui.postmaster(0))
    await shot(page, "temporal-postmaster", tab="User Metadata")


async def settled(page: Page) -> None:
    """Wait until the page has what it asked for."""
    # A page of a running workflow never stops asking for news.
    await page.wait_for_load_state("load")
    await page.wait_for_timeout(2500)


async def shot(page: Page, name: str, tab: str = "", scroll: int = 0) -> None:
    """One picture, of this tab of the page."""
    await settled(page)
    if tab:
        await page.get_by_role("tab", name=tab).or_(page.get_by_role("link", name=tab)).first.click()
        await settled(page)
    await page.mouse.wheel(0, scroll)
    await page.wait_for_timeout(300)
    path = IMAGES / f"{name}.png"
    await page.screenshot(path=path)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KB")


async def main() -> None:
    """Play, look, take."""
    with tempfile.TemporaryDirectory() as data:
        people = Path(data) / "people.yaml"
        people.write_text(
            (CONFIG / "people" / "quiet-mentors.yaml").read_text().replace("decides_after: 2d", "decides_after: 40d")
        )
        wanted = DemoOptions(Path(data), SPEED, cohort=CONFIG / "cohorts" / "realistic.yaml", people=people)
        async with season(wanted, lambda _: None) as here, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
            await here.launch()
            while here.today < here.loaded.cohort.start + PLAYED:
                await here.look()
                print(f"\r{here.today}", end="", file=sys.stderr, flush=True)
                await asyncio.sleep(1)
            await take(browser, here)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
