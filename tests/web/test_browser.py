"""The pages in a real browser: with the keyboard alone, without JavaScript, on a narrow phone, in the dark."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from mail.compose import compose
from mail.preview import sample
from store.people.address_changes import SIDES
from store.tables import AnswerRow, MentorshipRow, RequestRow
from testing.environments.web_env import COHORT, WebEnv, filled_in, hidden, send, wants
from testing.servers.browser import COLOURS, EVERYTHING

PHONE = {"width": 320, "height": 640}
FAULTY = ("mentor's check-in", "closure", "draft", "to sign, with changes")
"""Pages whose form is sent empty as well."""


@asynccontextmanager
async def opened(browser: Browser, web_env: WebEnv, path: str, **options: Any) -> AsyncIterator[Page]:
    """A page on a phone, in a context of its own."""
    context = await browser.new_context(viewport=PHONE, base_url=web_env.settings.public_url, **options)  # pyright: ignore[reportArgumentType]
    try:
        page = await context.new_page()
        await page.goto(path)
        yield page
    finally:
        await context.close()


FOCUSED = """() => {
    const at = document.activeElement, box = at.getBoundingClientRect();
    return {
        tag: at.tagName.toLowerCase(), type: at.type || "", name: at.name || "", text: at.textContent.trim(),
        chosen: at.type == "radio" && !!document.querySelector(`input[name="${CSS.escape(at.name)}"]:checked`),
        seen: box.bottom > 0 && box.top < innerHeight && box.left >= 0 && box.right <= innerWidth + 1,
    };
}"""


async def test_a_form_is_filled_in_with_the_keyboard_alone(browser: Browser, served: WebEnv) -> None:
    path = await served.ask("check_in", "ada")
    async with opened(browser, served, path) as page:
        for _ in range(120):
            await page.keyboard.press("Tab")
            at = await page.evaluate(FOCUSED)
            assert at["seen"], at
            if at["type"] == "radio" and not at["chosen"]:
                await page.keyboard.press("Space")
            if at["name"] == "p_useful":
                await page.keyboard.press("ArrowRight")
            if at["tag"] == "summary" and "Anything else" in at["text"]:
                await page.keyboard.press("Enter")
            if at["tag"] == "textarea":
                await page.keyboard.type("Typed, not clicked")
            if at["tag"] == "button" and at["text"] == "Send":
                break
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/thanks")
        assert await page.inner_text("h1") == "Thank you"
    answer = (await served.requested(path)).answer
    assert answer is not None
    assert answer.body["p_met"] == "0"
    assert answer.body["p_useful"] == 2
    assert answer.body["p_word"] == "Typed, not clicked"


async def test_enter_in_a_field_sends_the_form_and_adds_no_entry(browser: Browser, served: WebEnv) -> None:
    path = await served.ask("agreement", "ada")
    async with opened(browser, served, path) as page:
        await page.fill('input[name="sign_e"]', "Ada")
        await page.press('input[name="sign_e"]', "Enter")
        await page.wait_for_selector(".error-summary")
        assert await page.input_value('input[name="sign_e"]') == "Ada"


async def test_the_summary_gets_the_focus_and_leads_to_the_fields(browser: Browser, served: WebEnv) -> None:
    async with opened(browser, served, await served.ask("check_in", "ada")) as page:
        await page.click("button.main")
        await page.wait_for_selector(".error-summary")
        assert (await page.title()).startswith("Error: ")
        assert await page.evaluate("document.activeElement.className") == "error-summary"
        links = page.locator(".error-summary a")
        for number in range(await links.count()):
            target = (await links.nth(number).get_attribute("href") or "").removeprefix("#")
            await links.nth(number).click()
            assert await page.evaluate("document.activeElement.id") == target


async def choose(page: Page, typed: dict[str, list[str]]) -> None:
    """Fill in a form of radios, checkboxes and fields as a person with a mouse does."""
    while await (folded := page.locator(".fold:not([open]) > summary:visible")).count():
        await folded.first.click()
    for name, values in typed.items():
        for value in values:
            choice = page.locator(f'input[name="{name}"][value="{value}"]')
            if await choice.count():
                await choice.check()
            else:
                await page.fill(f'[name="{name}"]', value)


@pytest.mark.parametrize("javascript", [True, False])
async def test_sent_twice_and_back_again_is_one_answer(browser: Browser, served: WebEnv, javascript: bool) -> None:
    path = await served.ask("check_in", "mia")
    async with opened(browser, served, path, java_script_enabled=javascript) as page:
        await choose(page, await filled_in(served, path))
        await page.dblclick("button.main")
        await page.wait_for_url("**/thanks")
        await page.go_back()
        assert await page.inner_text("h1") == "We have your answers"
        await page.go_forward()
        await page.reload()
        assert await page.inner_text("h1") == "Thank you"
    assert await served.count(AnswerRow) == 1
    assert len(served.told) == 1


async def test_the_agreement_is_drafted_in_steps_and_signed(browser: Browser, served: WebEnv) -> None:
    path = await served.ask("agreement", "ada")
    async with opened(browser, served, path, java_script_enabled=False) as page:
        await page.fill('[name="a_purpose"]', "Know more")
        await page.click("text=Save and finish later")
        await page.click("text=Go on now")
        assert await page.input_value('[name="a_purpose"]') == "Know more"
        await page.click("summary:has-text('Second')")
        await page.fill('[name="a_goals.1.what"]', "The second goal")
        await choose(page, await filled_in(served, path))
        await page.click("button.main")
        await page.click("text=Read the agreement as it stands")
        assert "The second goal" in await page.inner_text(".document")
        await page.goto(await served.ask("agreement", "mia"))
        await page.fill('[name="sign_m"]', "Mia Okonkwo")
        await page.click("text=I agree and sign version 1")
        assert "your agreement stands" in await page.inner_text(".done")
        await page.click("text=Read or print your agreement")
        await page.emulate_media(media="print")
        assert await page.locator(".document").is_visible()
        assert not await page.locator(".versions, .bottom, .whom, .button").first.is_visible()


async def test_a_question_appears_with_the_answer_that_it_needs(browser: Browser, served: WebEnv) -> None:
    path = await served.ask("check_in", "ada")
    async with opened(browser, served, path, java_script_enabled=False) as page:
        when, contact = page.locator("[name=p_next_on]"), page.locator("input[name=p_contact]").first
        assert not await when.is_visible()
        assert not await contact.is_visible()
        await choose(page, await filled_in(served, path, p_next="yes", p_help="safety"))
        assert await when.is_visible()
        assert await contact.is_visible()
        await page.fill("[name=p_next_on]", "2027-05-05")
        await page.check("[name=p_next][value=no]")
        assert not await when.is_visible()
        await page.click("button.main")
        # What was typed is never lost unseen: the page comes back with the field in view.
        assert await page.locator("[name=p_next_on]").input_value() == "2027-05-05"
        assert await page.locator("[name=p_next_on]").is_visible()
        await page.check("[name=p_next][value=yes]")
        await page.click("button.main")
        await page.wait_for_url("**/thanks")
    answer = (await served.requested(path)).answer
    assert answer is not None
    assert answer.body["p_next_on"] == "2027-05-05"


async def test_without_a_stylesheet_a_form_is_complete_and_says_what_to_answer_when(
    browser: Browser, served: WebEnv
) -> None:
    path = await served.ask("check_in", "ada")
    async with opened(browser, served, "/") as page:
        await page.route("**/*.css*", lambda route: route.abort())
        await page.goto(path)
        assert await page.locator("[name=p_next_on]").is_visible()
        shown = await page.locator("main").inner_text()
        assert "asked only with “Yes” under “Is the next meeting booked?”" in shown


async def test_dark_is_dark(browser: Browser, served: WebEnv) -> None:
    async with opened(browser, served, "/") as page:
        light = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        await page.emulate_media(color_scheme="dark")
        dark = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (light, dark) == ("rgb(251, 250, 247)", "rgb(20, 25, 27)")


async def every_page(web_env: WebEnv) -> dict[str, str]:
    """Every page in every state, by what it is."""
    pages = {ask: await web_env.ask(ask, "ada") for ask in ("invitation", "fit_check", "midpoint", "closure")}
    pages |= {"home": "/", "unknown": "/f/x", "stop": f"/stop/{web_env.links.stop_token('ada', 1)}"}
    pages["stopped"] = f"/stop/{web_env.links.stop_token('ben', 1)}"
    pages["one click"] = await web_env.ask("are_you_there", "ada") + "?state=fine"
    pages["mentor's check-in"] = await web_env.ask("check_in", "mia")
    await web_env.ask("check_in", "mia", "pair-2")
    pages["draft"] = await web_env.ask("agreement", "ada", "reverse")
    pages["waiting"] = await web_env.ask("agreement", "mia", "reverse")
    await web_env.change(RequestRow, {"mentorship": "reverse", "person": "mia"}, state="answered")
    for state in ("late", "withdrawn", "over"):
        pages[state] = await web_env.ask("check_in", "ada", number=len(pages))
        requested = await web_env.requested(pages[state])
        await web_env.change(RequestRow, {"key": requested.key}, state="closed" if state != "withdrawn" else state)
    async with httpx.AsyncClient(base_url=web_env.settings.public_url, follow_redirects=True) as client:
        await client.post(pages["stopped"])
        pages["saved"] = await web_env.ask("closure", "mia")
        await client.post(pages["saved"], data={"c_note": "Half", "save": "1"})
        pages["saved"] += "/saved"
        answered = await web_env.ask("check_in", "ada")
        await send(client, answered, await filled_in(web_env, answered, p_help="safety"))
        pages |= {"answered": answered, "changing": f"{answered}?change=1", "thanks": f"{answered}/thanks"}
        ada, ben = await web_env.ask("agreement", "ada", "peers"), await web_env.ask("agreement", "ben", "peers")
        await send(client, ada, await filled_in(web_env, ada))
        page = (await client.get(f"{ben}?change=1")).text
        typed = await filled_in(web_env, ben, a_cadence="monthly", **{"a_goals.1.what": "More"})
        await client.post(ben, data=hidden(page) | typed)
        pages |= {"signed, waiting": ada, "an earlier version": f"{ada}?version=1"}
        pages["to sign, with changes"] = await web_env.ask("agreement", "ada", "peers", 2)
        group = await web_env.ask("agreement", "mia", "group")
        await send(client, group, await filled_in(web_env, group))
        await web_env.change(MentorshipRow, {"key": "group"}, state="running")
        for person in ("ada", "ben", "cai"):
            pages["agreed"] = await web_env.ask("agreement", person, "group")
            await send(client, pages["agreed"], {"sign_e": [person]})
    return pages


async def violations(page: Page, what: str) -> list[str]:
    """What axe finds on a page in light and dark, and whether it is too wide for a phone."""
    found: list[str] = []
    for scheme, rules in (("light", EVERYTHING), ("dark", COLOURS)):
        await page.emulate_media(color_scheme=scheme)  # pyright: ignore[reportArgumentType]
        for violation in (await Axe().run(page, options=rules)).response["violations"]:
            nodes = [node["html"][:160] for node in violation["nodes"][:2]]
            found.append(f"{what}, {scheme}: {violation['id']}: {violation['help']} {nodes}")
    if (width := await page.evaluate("document.documentElement.scrollWidth")) > PHONE["width"]:
        found.append(f"{what}: {width} pixels wide on a phone")
    return found


async def test_every_page_in_every_state_is_accessible_in_light_and_dark(browser: Browser, served: WebEnv) -> None:
    pages = await every_page(served)
    await served.change(MentorshipRow, {"key": "pair-2"}, state="over")
    found: list[str] = []
    async with opened(browser, served, "/") as page:
        for what, path in pages.items():
            await page.goto(path)
            found += await violations(page, what)
            if what in FAULTY:
                await page.evaluate("document.querySelectorAll('input:checked').forEach(it => it.checked = false)")
                await page.click("button.main")
                await page.wait_for_selector(".error-summary")
                found += await violations(page, f"{what} with errors")
    assert found == []
    assert len(pages) > 20


BROKEN_WORDS = r"""() => {
    const found = [], range = document.createRange();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; node = texts.nextNode();) {
        const around = node.parentElement;
        if (!around.checkVisibility() || around.closest(".hidden, option, textarea")) continue;
        for (const word of node.data.matchAll(/[\p{L}\p{N}\u2019']+/gu)) {
            range.setStart(node, word.index);
            range.setEnd(node, word.index + word[0].length);
            const lines = new Set([...range.getClientRects()].map(box => Math.round(box.bottom)));
            if (lines.size > 1) found.push(word[0]);
        }
    }
    return found;
}"""
"""The words of a page that are broken in two."""


@pytest.mark.parametrize("width", [320, 360, 390])
async def test_no_word_is_broken_on_a_phone(browser: Browser, served: WebEnv, width: int) -> None:
    for ask in ("invitation", "agreement", "check_in", "closure"):
        async with opened(browser, served, await served.ask(ask, "ada")) as page:
            await page.set_viewport_size({"width": width, "height": 740})
            await page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
            assert await page.evaluate(BROKEN_WORDS) == [], (ask, width)


@pytest.mark.parametrize("width", [320, 390])
async def test_no_label_beside_a_fact_is_broken_on_a_phone(browser: Browser, served: WebEnv, width: int) -> None:
    rows = "".join(f"<div><dt>{one}</dt><dd>a fact</dd></div>" for one in ("To", "Replies go to", "Reminders"))
    async with opened(browser, served, await served.ask("check_in", "ada")) as page:
        await page.set_viewport_size({"width": width, "height": 740})
        await page.evaluate("rows => { document.querySelector('.facts').innerHTML = rows }", rows)
        assert await page.evaluate(BROKEN_WORDS) == []


LONG = {"check_in": 2800, "agreement": 5000, "midpoint": 5000, "closure": 5200}
"""Pixels on a phone of 360 by 640 beyond which a form is too long."""
LENGTH = """() => {
    const first = document.querySelector("form .question");
    return [document.documentElement.scrollHeight, Math.round(first.querySelector("input, textarea").closest(
        ".choices, .steps, .question").getBoundingClientRect().bottom)];
}"""


@pytest.mark.parametrize("mentorship", ["pair", "reverse", "peers", "group"])
async def test_a_form_is_short_enough_for_a_phone(browser: Browser, served: WebEnv, mentorship: str) -> None:
    found: dict[tuple[str, str], list[int]] = {}
    for person in ("ada", "mia") if mentorship != "peers" else ("ada",):
        answered = await served.ask("fit_check", person, mentorship)
        async with served.client() as client:
            await send(client, answered, await filled_in(served, answered))
        for ask in LONG:
            async with opened(browser, served, await served.ask(ask, person, mentorship)) as page:
                await page.set_viewport_size({"width": 360, "height": 640})
                found[person, ask] = await page.evaluate(LENGTH)
    too_long = {where: length for where, (length, _) in found.items() if length > LONG[where[1]]}
    assert not too_long, found
    out_of_view = {where: bottom for where, (_, bottom) in found.items() if where[1] == "check_in" and bottom > 640}
    assert not out_of_view, found


async def test_a_participants_day(browser: Browser, served: WebEnv) -> None:
    """From the mail to the person's own page, and everything that is done there, on a phone."""
    await served.change(MentorshipRow, {"key": "pair"}, phase="check_ins")
    form = await served.ask("fit_check", "ada")
    async with httpx.AsyncClient(base_url=served.settings.public_url, follow_redirects=True) as client:
        await send(client, form, await filled_in(served, form))
    mail = compose(replace(sample("check_in"), place_url=served.links.place_url("ada", 1)))
    found: list[str] = []
    async with opened(browser, served, "/") as page:
        await page.set_content(mail.html)
        await page.click("text=Your own page")
        found += await violations(page, "the page")
        own = page.url

        await page.click(f'a[href$="/pause/{COHORT}/pair"]')
        await page.fill('[name="until"]', "2027-01-01")
        await page.click("button.main")
        assert "after today" in await page.inner_text(".error-summary")
        found += await violations(page, "a pause, with an error")
        await page.fill('[name="until"]', "2027-05-03")
        await page.check('[name="reason"][value="workload"]')
        await page.click("button.main")
        assert "The mentorship is paused" in await page.inner_text(".done")
        await served.change(MentorshipRow, {"key": "pair"}, paused_until="2027-05-03")

        await page.goto(own)
        assert "paused until Monday 3 May" in await page.inner_text("main")
        found += await violations(page, "the page, paused")
        await page.focus("text=Go on today")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**?done=resume")
        await served.change(MentorshipRow, {"key": "pair"}, paused_until="")

        await page.click("text=Raise a concern")
        assert "emergency number" in await page.inner_text(".notice")
        found += await violations(page, "a concern")
        for name, value in (("where", f"{COHORT}/pair"), ("kind", "conduct"), ("contact", "no")):
            await page.check(f'[name="{name}"][value="{value}"]')
        await page.fill('[name="text"]', "It is not right")
        await page.click("button.main")
        assert "We have your concern" in await page.inner_text(".done")
        found += await violations(page, "after a concern")

        async with page.expect_download() as downloading:
            await page.click("text=Download it")
        held = json.loads(Path(await (await downloading.value).path()).read_text("utf-8"))
        assert held["person"]["name"] == "Ada Lindqvist"
        await page.click("text=Stop reminders")
        assert "Your reminders are stopped" in await page.inner_text(".done")
        change = await wants(served, "ada", "ada@new.example.org")
        for side in SIDES:
            await page.goto(f"/address/{served.links.address_token(change, side)}")
            found += await violations(page, f"{side} address")
            await page.click("text=Yes, it was me" if side == "old" else "text=I read mail here")
            await page.wait_for_selector("h1:has-text('confirmed')" if side == "old" else "h1:has-text('goes to')")
            found += await violations(page, f"{side} address, confirmed")
            if side == "old":
                await page.goto(own)
                assert "It waits for your word from the new address" in await page.inner_text("main")
                found += await violations(page, "the page, with a new address")
        own = served.links.place_url("ada", 2)
        pages = (
            "data",
            "details",
            "address",
            "address/ask",
            "erase",
            *(f"{act}/{COHORT}/pair" for act in ("leave", "end")),
        )
        for what in (*pages, f"end/{COHORT}/peers"):
            await page.goto(f"{own}/{what}")
            found += await violations(page, what)
    assert found == []
    told = [name for _, _, name, _, _ in served.told if name not in ("Seen", "Corrected")]
    assert told == ["Answered", "Pause", "Resume", "Answered"]
