"""Mails as a browser shows them: both colour schemes, a small screen, and a program that drops <style>."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from mail.compose import compose
from mail.letters import Letter
from mail.preview import letter_of, sample, sample_matter
from testing.servers.browser import COLOURS

LETTERS: dict[str, Letter] = {
    "request": sample("check_in"),
    "introduction": sample("introduction", "group", "mentor"),
    "changes": sample("agreement", role="mentor"),
    "calendar": sample("agreement_concluded"),
    "three-buttons": sample("are_you_there"),
    "farewell": sample("farewell"),
    "task": sample("task_opened"),
    "several": letter_of(sample_matter("midpoint"), sample_matter("check_in", kind="reminder")),
}


async def shown(browser: Browser, html: str, scheme: str, width: int = 700) -> Page:
    context = await browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 800}
    )
    page = await context.new_page()
    await page.set_content(html)
    return page


async def colour(page: Page, selector: str, property_: str) -> str:
    return await page.locator(selector).first.evaluate(
        "(element, property) => getComputedStyle(element).getPropertyValue(property)", property_
    )


async def test_dark_mode_wins_over_what_was_written_into_the_elements(browser: Browser) -> None:
    html = compose(LETTERS["request"]).html
    light, dark = await shown(browser, html, "light"), await shown(browser, html, "dark")
    for selector, property_, by_day, by_night in (
        ("body", "background-color", "rgb(243, 241, 236)", "rgb(20, 23, 26)"),
        (".card-cell", "background-color", "rgb(255, 255, 255)", "rgb(31, 36, 40)"),
        ("main p", "color", "rgb(34, 38, 42)", "rgb(231, 233, 234)"),
        (".button-first a", "background-color", "rgba(0, 0, 0, 0)", "rgb(124, 202, 190)"),
        (".button-first a", "color", "rgb(255, 255, 255)", "rgb(13, 36, 33)"),
        ("footer a", "color", "rgb(20, 89, 79)", "rgb(142, 214, 203)"),
    ):
        assert await colour(light, selector, property_) == by_day
        assert await colour(dark, selector, property_) == by_night
    assert await light.locator("meta[name=color-scheme]").get_attribute("content") == "light dark"
    for page in (light, dark):
        await page.context.close()


async def test_a_program_that_drops_style_shows_the_same_by_day(browser: Browser) -> None:
    html = compose(LETTERS["request"]).html
    whole = await shown(browser, html, "light")
    bare = await shown(browser, re.sub(r"<style.*?</style>", "", html, flags=re.S), "light")
    assert await whole.screenshot() == await bare.screenshot()
    for page in (whole, bare):
        await page.context.close()


@pytest.mark.parametrize("name", LETTERS)
async def test_everyone_can_read_it(browser: Browser, name: str) -> None:
    page = await shown(browser, compose(LETTERS[name]).html, "light")
    for scheme, rules in (("light", None), ("dark", COLOURS)):
        await page.emulate_media(color_scheme=scheme)  # pyright: ignore[reportArgumentType]
        results = await Axe().run(page, options=rules)
        assert results.violations_count == 0, f"{scheme}: {results.generate_report()}"
    assert await page.locator("h1").count() == 1
    assert await page.locator("main").count() == 1
    assert await page.locator("table:not([role=presentation])").count() == 0
    assert await page.title() == compose(LETTERS[name]).subject
    await page.context.close()


@pytest.mark.parametrize("name", LETTERS)
async def test_nothing_sticks_out_of_a_small_screen(browser: Browser, name: str) -> None:
    page = await shown(browser, compose(LETTERS[name]).html, "light", width=320)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    for box in await page.locator("main p, main li, main blockquote").all():
        assert await box.evaluate("element => parseFloat(getComputedStyle(element).fontSize)") >= 14
    assert await colour(page, "main > p", "font-size") == "16px"
    assert not await page.locator(".preheader").is_visible()
    await page.context.close()
