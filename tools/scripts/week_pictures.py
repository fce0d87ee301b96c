"""The pictures of docs/coordinators.md: a week on the coordinators' pages, of a season that was played.

Nothing is decided for them: a message is kept as a draft, a change is looked at, and a file with a fault is saved.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from playwright.async_api import Browser, Page

from demo.season import DemoSeason

DESKTOP = {"width": 1180, "height": 760}
PHONE = {"width": 390, "height": 760}
DRAFT = "winter"
"""Id of the cohort whose file is begun."""
MESSAGE = """\
Dear all,

we meet on **Thursday at five**, in the library. Bring a question that you would not ask by mail.
"""

Save = Callable[[Page, str], Awaitable[None]]
"""Writes a picture of a page under a name."""


async def take_week(browser: Browser, here: DemoSeason, save: Save) -> None:
    """Sign in as the coordinator, and take every picture."""
    context = await browser.new_context(viewport=DESKTOP, color_scheme="light", base_url=here.stack.addresses.pages)  # pyright: ignore[reportArgumentType]
    page = await context.new_page()
    await page.goto(here.sign_in_url)
    await page.locator("main button").first.click()
    await page.wait_for_url("**/c/")
    await save(page, "week-today")
    await _task(page, save)
    await _mentorship(page, save)
    await _cohort(page, here, save)
    await _message(page, here, save)
    await _file(page, save)
    await _on_a_phone(page, save)
    await context.close()


async def _task(page: Page, save: Save) -> None:
    """The task with an answer behind it that was low, else the first."""
    low = page.locator("article.task", has=page.locator(".low"))
    tasks = low if await low.count() else page.locator("article.task")
    await tasks.first.locator("h3 a").first.click()
    await save(page, "week-task")
    await page.locator("#decide").scroll_into_view_if_needed()
    await page.evaluate("document.querySelector('#decide').scrollIntoView()")
    await save(page, "week-decide")


async def _mentorship(page: Page, save: Save) -> None:
    """Its answers by round."""
    await page.locator("main a[href*='/mentorships/']").first.click()
    await page.evaluate("document.querySelector('#answers').scrollIntoView()")
    await save(page, "week-answers")


async def _cohort(page: Page, here: DemoSeason, save: Save) -> None:
    """The figures, and what extending some mentorships would do."""
    await page.goto(f"/c/cohorts/{here.cohort}")
    await save(page, "week-cohort")
    for box in (await page.locator("input.pick").all())[:3]:
        await box.check()
    await page.select_option("#act", "extend")
    await page.locator(".choose button").first.click()
    await page.fill("#o-weeks", "2")
    await page.fill("#o-why", "They began late.")
    await page.click("button.main")
    await page.wait_for_url("**/c/plans/*")
    await save(page, "week-plan")


async def _message(page: Page, here: DemoSeason, save: Save) -> None:
    """A draft, as its readers will see it."""
    await page.goto(f"/c/cohorts/{here.cohort}/messages/new")
    await page.fill("input[name=subject]", "An evening for all of you")
    await page.fill("textarea[name=text]", MESSAGE)
    await page.click("button.main")
    await page.wait_for_url("**/messages/*")
    await save(page, "week-message")


async def _file(page: Page, save: Save) -> None:
    """The file of a new cohort with a fault in it."""
    await page.goto("/c/cohorts/new")
    await page.fill("#cohort", DRAFT)
    await page.click("main button")
    text = await page.input_value("#file")
    await page.fill("#file", text.replace("\nzone: Europe/Berlin", "\nzone: Europe/Berln", 1))
    await page.get_by_role("button", name="Save and check").click()
    await page.locator(".error-summary").wait_for()
    await save(page, "week-file")


async def _on_a_phone(page: Page, save: Save) -> None:
    """The first page, on a phone."""
    await page.set_viewport_size(PHONE)  # pyright: ignore[reportArgumentType]
    await page.goto("/c/")
    await save(page, "week-phone")
