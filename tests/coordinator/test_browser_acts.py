"""A coordinator acts in a real browser with nothing but a keyboard: extends forty mentorships at once, replaces
somebody, and erases somebody after a fresh sign-in."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from playwright.async_api import Browser, Page
from temporalio.client import Client

from program.models import Mentorship, Participant
from store.cohorts.cohorts import put
from store.database import Database
from store.people import people
from store.programs import freeze_program
from testing.environments.coordinator_env import printed_link
from testing.environments.core_client import CoreClient
from testing.environments.web_env import COHORT_FILE, NOW, PROGRAMS, WebEnv, web_env_of
from web.app import create_app
from web.server import serving

COHORT = "autumn"
PAIRS = 45
PEOPLE = tuple(
    Participant(id=f"{side}{n}", name=f"{first} Number {n}", email=f"{side}{n}@example.org", zone="Europe/Berlin")
    for n in range(PAIRS)
    for side, first in (("a", "Ada"), ("b", "Ben"))
)


@dataclass
class ServedPages:
    """Pages that are served, and the clock by which sign-ins age."""

    env: WebEnv
    core: CoreClient
    ago: timedelta = timedelta(minutes=40)

    @property
    def base(self) -> str:
        """Where the pages are."""
        return self.env.settings.public_url


@pytest.fixture
async def served(sqlite_url: str) -> AsyncIterator[ServedPages]:
    """A cohort of 45 pairs."""
    mentorships = tuple(Mentorship(key=f"m{n}", mentor=f"a{n}", mentees=(f"b{n}",)) for n in range(PAIRS))
    changes = {"cohort": COHORT, "participants": PEOPLE, "mentorships": mentorships}
    which = COHORT_FILE.model_copy(update=changes)
    async with Database.open(sqlite_url) as database:
        loaded = PROGRAMS["formal"]
        async with database.begin() as session:
            programs = {"formal": await freeze_program(session, loaded.program, loaded.forms, NOW)}
        await put(database, which, programs, NOW.date(), NOW)
        core = CoreClient(database, NOW)
        await core.run(which, {"formal": loaded.program})
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            env = web_env_of(database, f"http://127.0.0.1:{listening.getsockname()[1]}")
            served = ServedPages(env, core)
            env.app = create_app(
                env.settings, database, env.tell, lambda: NOW, env.wake, cast(Client, core),
                lambda: datetime.now(UTC) - served.ago,
            )  # fmt: skip
            async with serving(env.app, listening):
                yield served


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until this has the focus, as somebody without a mouse does."""
    for _ in range(400):
        if await page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
        await page.keyboard.press("Tab")
    pytest.fail(f"no way to {selector} by the keyboard on {page.url}")


async def press(page: Page, selector: str) -> None:
    """Go to a button or a link, and press Enter."""
    await tab_to(page, selector)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def sign_in(page: Page, served: ServedPages) -> None:
    """Sign in by a printed link."""
    await page.goto(served.base + await printed_link(served.env, "coco"))
    await press(page, "main button")


async def test_forty_are_extended_one_is_replaced_and_one_erased_by_the_keyboard(
    served: ServedPages,
    browser: Browser,
) -> None:
    context = await browser.new_context(java_script_enabled=True)
    page = await context.new_page()
    await sign_in(page, served)

    await page.goto(f"{served.base}/c/cohorts/{COHORT}")
    for n in range(40):
        await tab_to(page, f'input.pick[value="m{n}"]')
        await page.keyboard.press("Space")
    await tab_to(page, "#act")
    await page.keyboard.type("Extend")
    await press(page, ".choose button")
    await tab_to(page, "#o-weeks")
    await page.keyboard.type("4")
    await press(page, "button.main")
    assert "40 mentorships" in await page.inner_text("h1")
    await press(page, "button.main")
    await page.wait_for_selector(".done", timeout=20_000)
    assert [len(served.core.taken[COHORT, f"m{n}"]) for n in range(PAIRS)] == [1] * 40 + [0] * 5

    await page.goto(f"{served.base}/c/cohorts/{COHORT}/act?act=replace&key=m44")
    await tab_to(page, "#o-person")
    await page.keyboard.type("Ben")
    await tab_to(page, "#o-name")
    await page.keyboard.type("Eve Adams")
    await tab_to(page, "#o-email")
    await page.keyboard.type("eve@example.org")
    await press(page, "button.main")
    await press(page, "button.main")
    await page.wait_for_selector(".done")
    state = served.core.states[f"mentorship/{COHORT}/m44"]
    assert "b44" not in {member.person for member in state.seats()}

    served.ago = timedelta()
    await page.goto(f"{served.base}/c/people/b1/erase")
    assert await page.query_selector("#o-why") is None, "a sign-in of forty minutes ago is not fresh"
    await sign_in(page, served)
    await page.goto(f"{served.base}/c/people/b1/erase")
    await press(page, "button.main")
    await press(page, "button.main")
    await page.wait_for_selector(".done")
    async with served.env.database.session() as session:
        erased = await people.find(session, "b1")
    assert erased is not None
    assert erased.standing == "erased"
    await context.close()
