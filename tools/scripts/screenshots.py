"""Takes the pictures of README.md and docs: a mail, a form, the Temporal UI and pages of an open call, of a real run;
and the report of a rehearsed season, which says what a real one would.

    python -m tools.scripts.screenshots            # all
    python -m tools.scripts.screenshots call       # those of the open call only; `season`, `week`: of these
    python -m tools.scripts.screenshots report     # that of the report only

The realistic cohort runs on the embedded stack, at demo speed, up to its second month, with a coordinator who decides
slowly; this takes about a minute and a half. The demo's cohort runs until its coordinator has to match. A browser
takes the pictures; they have few colours, to be small. Needs Chromium.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from urllib.parse import quote

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

from demo.season import CONFIG, DemoOptions, DemoSeason, season
from demo.visitor import tokens_in
from embedded.mailbox import Received
from operations.reports.report import TASK_LABELS
from program.loader import load_cohort
from rehearsal.script import load_behaviour
from rehearsal.script_actions import change_happens
from rehearsal.season import RehearsedSeason
from rehearsal.season_rows import season_rows
from reports import html_report
from reports.season_report import exact
from runtime.temporal_ui import TemporalUI
from testing.servers.browser import ARGUMENTS, executable
from tools.scripts.week_pictures import take_week
from workflows.ids import mentorship_id, postmaster_id

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
PAGE = ROOT / "docs" / "operations.md"

FIRST_CHECK_IN = timedelta(days=32)
"""After the start: the first check-in is open."""
PLAYED = timedelta(days=47)
"""After the start: check-ins, tasks, somebody silent."""
WEEK = timedelta(days=55)
"""After the start: a Monday before the next check-in."""
UNHAPPY = {"decides_after: 2d": "decides_after: 60d", "prompt: 67%": "prompt: 57%\n  unhappy: 10%"}
"""Changes to the people of `quiet-mentors.yaml`, for tasks of several kinds that wait."""
SPEED = 1.0
CALL_SPEED = 0.25
"""Slow enough to open each page while the call stands there."""
SIZE = {"width": 1280, "height": 760}
COLOURS = 200
"""The most common ones of a picture, which all others become."""
PHONE = {"width": 390, "height": 760}
"""The mail and the form, as a phone shows them."""
COLUMNS = ("Status", "Workflow ID", "Cohort", "Phase", "Health", "OpenTasks", "NextStepAt")
ALL = 'WorkflowType = "mentorship" AND ExecutionStatus = "Running"'
PICTURED_VIEWS = ("Needs a coordinator", "Safety reports", "Gone quiet", "Paused", "Mail and cohorts")
"""Saved views in the picture."""


def views() -> dict[str, str]:
    """The saved views of the page: name to query."""
    rows = re.findall(r"^\| ([^|`]+) \| `([^`]+)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name.strip(): query for name, query in rows if re.search(r" (=|<|>|IN) ", query)}


def saved(ui: TemporalUI, name: str) -> str:
    """The address that saves a view in the browser that opens it."""
    return f"{ui.workflows}?query={quote(views()[name])}&savedQuery={quote(name)}"


async def take_temporal(browser: Browser, here: DemoSeason) -> None:
    """The pictures of the Temporal UI."""
    ui = TemporalUI(here.stack.server.ui, here.stack.client.namespace)
    context = await browser.new_context(viewport=SIZE, color_scheme="light", timezone_id="Europe/Berlin")  # pyright: ignore[reportArgumentType]
    columns = {ui.namespace: [{"label": name} for name in COLUMNS]}
    await context.add_init_script(
        f"localStorage.setItem('namespace-workflow-table-columns', {json.dumps(json.dumps(columns))});"
        "localStorage.setItem('navOpen', 'false');"
    )
    page = await context.new_page()
    for name in PICTURED_VIEWS:
        await page.goto(saved(ui, name))
        await settled(page)
    await page.goto(f"{ui.workflows}?query={quote(ALL)}&savedQuery=Mentorships")
    await shot(page, "temporal-list")
    await here.look()
    line = max(here.lines, key=lambda line: (line.open_tasks, len(line.awaited), line.key))
    await page.goto(ui.workflow(mentorship_id(line.cohort, line.key)))
    await shot(page, "temporal-card", tab="User Metadata")
    await shot(page, "temporal-history", tab="Timeline", scroll=560)
    await page.goto(ui.workflow(postmaster_id(0)))
    await shot(page, "temporal-postmaster", tab="User Metadata")


async def take_mail_and_form(browser: Browser, here: DemoSeason) -> None:
    """The newest check-in mail whose form is still open, and that form from its first question on."""
    context = await browser.new_context(viewport=PHONE, device_scale_factor=1.5, color_scheme="light")  # pyright: ignore[reportArgumentType]
    page = await context.new_page()
    mail = await open_check_in(page, here)
    first_question = page.locator("fieldset").first
    await first_question.evaluate("element => window.scrollTo(0, element.getBoundingClientRect().top + scrollY - 24)")
    await save(page, "form")
    await page.goto(f"{here.stack.addresses.inbox}/{mail.number}/html")
    await save(page, "mail")


async def open_check_in(page: Page, here: DemoSeason) -> Received:
    """Open the form of a mail about one check-in only; the mail. Raises LookupError if no check-in is open."""
    for mail in here.stack.inbox.search("Check-in"):
        tokens = tokens_in(mail.raw)
        if mail.subject.startswith("Check-in") and len(tokens) == 1:
            await page.goto(f"{here.stack.addresses.pages}/f/{tokens[0]}")
            if await page.locator("fieldset").count() and not await page.get_by_text("ran out").count():
                return mail
    raise LookupError("no check-in is open")


async def save(page: Page, name: str) -> None:
    """Write one picture."""
    await page.wait_for_timeout(300)
    path = IMAGES / f"{name}.png"
    await page.screenshot(path=path)
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    common = sorted(picture.getcolors(1 << 24) or [], key=lambda each: -each[0])[:COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for _, colour in common for part in colour])  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
    picture.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KB")


async def settled(page: Page) -> None:
    """Wait until a page of the Temporal UI shows its content."""
    # A page of a running workflow never stops polling, so the network is never idle.
    await page.wait_for_load_state("load")
    await page.locator("h1, h2").first.wait_for(timeout=60_000)
    await page.wait_for_timeout(2500)


async def shot(page: Page, name: str, tab: str = "", scroll: int = 0) -> None:
    """One picture of the Temporal UI, of this tab of the page."""
    await settled(page)
    if tab:
        await page.get_by_role("tab", name=tab).or_(page.get_by_role("link", name=tab)).first.click()
        await settled(page)
    await page.mouse.wheel(0, scroll)
    await save(page, name)


async def until(here: DemoSeason, after_start: timedelta) -> None:
    """Play until this long after the cohort's start."""
    while here.today < here.loaded.cohort.start + after_start:
        await here.look()
        print(f"\r{here.today}", end="", file=sys.stderr, flush=True)
        await asyncio.sleep(1)


async def take_call(browser: Browser) -> None:
    """The form of an open call, the page of wishes, and the board of the matching."""
    with tempfile.TemporaryDirectory() as data:
        async with season(DemoOptions(Path(data), CALL_SPEED), lambda _: None) as here:
            await here.launch()
            phone = await browser.new_context(viewport=PHONE, device_scale_factor=1.5, color_scheme="light")  # pyright: ignore[reportArgumentType]
            page = await phone.new_page()
            call = here.call
            assert call is not None, "the demo has an open call"
            await stage_is(here, "applying")
            await page.goto(f"{call.url}?as=mentee")
            await page.locator("fieldset").first.scroll_into_view_if_needed()
            await save(page, "apply")
            await stage_is(here, "wishing")
            await page.goto(f"{here.stack.addresses.pages}{call.crowd.link_of('d04')}/wishes")
            await save(page, "wishes")
            await stage_is(here, "matching")
            wide = await browser.new_context(viewport=SIZE, color_scheme="light")  # pyright: ignore[reportArgumentType]
            page = await wide.new_page()
            await page.goto(here.sign_in_url)
            await page.locator("form button").first.click()
            await page.goto(f"{here.stack.settings.public_url}/c/cohorts/{here.cohort}/matching")
            await save(page, "matching")


async def take_report(browser: Browser) -> None:
    """The first page of what came of the realistic cohort."""
    loaded = load_cohort(CONFIG / "cohorts" / "realistic.yaml")
    people = load_behaviour(CONFIG / "people" / "mixed.yaml", loaded)
    launched = datetime.combine(loaded.cohort.start - timedelta(days=28), time(9), UTC)
    rehearsed = RehearsedSeason(
        loaded.cohort, loaded.programs, loaded.forms, people, launched_at=launched, script=change_happens
    )
    wide = await browser.new_context(viewport=SIZE, color_scheme="light")  # pyright: ignore[reportArgumentType]
    page = await wide.new_page()
    await page.set_content(html_report.page(exact(season_rows(rehearsed.play()), TASK_LABELS)))
    await save(page, "report")


async def stage_is(here: DemoSeason, stage: str) -> None:
    """Play until the open call stands there."""
    while here.call is not None and here.call.stage != stage:
        await here.look()
        await asyncio.sleep(0.2)


async def main() -> None:
    """Play, look, take."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
        wanted = sys.argv[1:] or ["report", "call", "season", "week"]
        if "report" in wanted:
            await take_report(browser)
        if "call" in wanted:
            await take_call(browser)
        if "season" in wanted or "week" in wanted:
            await take_season(browser, wanted)
        await browser.close()


async def take_season(browser: Browser, wanted: Sequence[str]) -> None:
    """A mail, a form and the Temporal UI (`season`), and the pages of the coordinators (`week`)."""
    with tempfile.TemporaryDirectory() as data:
        people = Path(data) / "people.yaml"
        behaviour = (CONFIG / "people" / "quiet-mentors.yaml").read_text()
        for before, after in UNHAPPY.items():
            behaviour = behaviour.replace(before, after)
        people.write_text(behaviour)
        options = DemoOptions(Path(data), SPEED, cohort=CONFIG / "cohorts" / "realistic.yaml", people=people)
        async with season(options, lambda _: None) as here:
            await here.launch()
            await until(here, FIRST_CHECK_IN)
            if "season" in wanted:
                await take_mail_and_form(browser, here)
            await until(here, PLAYED)
            if "season" in wanted:
                await take_temporal(browser, here)
            if "week" in wanted:
                await until(here, WEEK)
                await take_week(browser, here, save)


if __name__ == "__main__":
    asyncio.run(main())
