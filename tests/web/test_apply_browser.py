"""From the public page to a published pair, in a real browser on a phone without JavaScript; every page on the way is
accessible, in light and dark."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from playwright.async_api import Browser, Page
from sqlalchemy import select

from operations.applications.apply import QUICKEST, apply, confirm
from operations.audit import COMMAND_LINE
from operations.matching.publish import draft, publish
from program.gathering import Wishes
from store.people import applications
from store.tables import MembershipRow
from testing.environments.open_call import (
    CLOSED,
    COHORT,
    FORM,
    OPEN,
    asked_only_with,
    launch_call,
    link_of,
    loaded_call,
    typed_application,
)
from testing.environments.web_env import WebEnv
from tests.web.test_browser import choose, opened, violations


async def fill_in(page: Page, name: str, email: str, role: str, **answers: str) -> None:
    """Fill in the form of a call as a person does; lists that are chosen from included."""
    typed = typed_application(role, name, email, "one_to_one", **answers)
    await choose(page, {key: values for key, values in typed.items() if not key.startswith("wants.")})
    for key, values in typed.items():
        if key.startswith("wants."):
            entry = page.locator(f'input[name="{key}"][value="{values[0]}"]')
            if not await entry.is_visible():
                await page.locator("details.entry:not([open]) summary").first.click()
            await entry.check()


async def test_somebody_applies_confirms_wishes_and_is_matched(browser: Browser, served: WebEnv) -> None:
    form = asked_only_with(FORM, "easier", {"profession": "legal"})
    await launch_call(served.database, replace(loaded_call(Wishes()), application=form))
    served.now = OPEN
    typed = typed_application("mentor", "Mo Adeyemi", "mo@example.org", grade="G7", unit="Finance")
    await apply(served.database, COHORT, typed, "mentor", timedelta(minutes=1), OPEN)
    async with served.database.session() as session:
        mentor = await applications.of_address(session, COHORT, "mo@example.org")
    assert mentor is not None
    await confirm(served.database, mentor.id, mentor.generation, OPEN)
    found: list[str] = []
    async with opened(browser, served, f"/apply/{COHORT}") as page:
        found += await violations(page, "the call")
        await page.click("text=Have a mentor")
        found += await violations(page, "the form")
        await page.click("text=Send my application")
        await page.wait_for_selector(".error-summary")
        found += await violations(page, "the form with errors")
        depending = page.locator("#q-easier")
        assert not await depending.is_visible(), "asked only with another answer, and hidden without script"
        await page.check('input[name="profession"][value="legal"]')
        assert await depending.is_visible()
        await fill_in(page, "Ella Brandt", "ella@example.org", "mentee", grade="SEO", unit="Health")
        await page.wait_for_timeout(QUICKEST.total_seconds() * 1000)
        await page.click("text=Send my application")
        await page.wait_for_url("**/sent")
        found += await violations(page, "sent")
        path = await link_of(served.database, served.links, "ella@example.org")
        await page.goto(path)
        found += await violations(page, "to confirm")
        await page.click("text=Confirm my application")
        await page.wait_for_selector("text=It is complete and counts")
        found += await violations(page, "confirmed")
        served.now = CLOSED
        await page.goto(f"{path}/wishes")
        found += await violations(page, "wishes")
        await page.check(f'input[name="wish.{mentor.id}"][value="1"]')
        await page.click("text=Send my wishes")
        await page.wait_for_selector("text=We have your wishes")
        await page.goto(f"/apply/{COHORT}")
        found += await violations(page, "closed")
    assert found == []
    made = await draft(served.database, COHORT)
    await publish(served.database, None, served.settings, made, CLOSED, by="coco", proof=COMMAND_LINE)
    async with served.database.session() as session:
        seats = (await session.scalars(select(MembershipRow.role).where(MembershipRow.cohort == COHORT))).all()
    assert sorted(seats) == ["mentee", "mentor"]
