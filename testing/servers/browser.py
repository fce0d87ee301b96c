"""A real browser for tests: the system's Chromium, driven by playwright, one for the whole run.

A suite takes the fixture by importing it in its conftest: `from testing.servers.browser import browser`. A page
that a test opens must reach nothing but what the test serves.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Runs as root in a container, and keeps the browser from calling home."""

EVERYTHING = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
"""Everything that axe checks by default, and the target size of WCAG 2.2."""
COLOURS = {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}
"""For the dark, in which nothing but the colours is different."""


def executable() -> str:
    """Path of the browser. Fails the test with what to do where there is none."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    pytest.fail(
        f"no browser on the PATH (looked for {', '.join(NAMES)}); the tests of pages and mails need one: "
        "install Debian's package chromium, or put a link named chromium to yours on the PATH",
        pytrace=False,
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, headless. Open a context of your own in it: `await browser.new_context(color_scheme="dark")`."""
    path = executable()
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield chromium
        await chromium.close()
