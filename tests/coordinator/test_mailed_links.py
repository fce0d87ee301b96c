"""Signing in by mail: to whom it goes, in which browser its link counts, and what its code is good for."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from operations.accounts.sign_in import IDLE_AT_MOST, LINK_LASTS, MOST_BY_ADDRESS, MOST_CODES, SESSION_LASTS
from store.database import Database
from store.tables import SessionRow, SignInRow
from testing.environments.coordinator_env import printed_link, signed_in
from testing.environments.web_env import WebEnv, web_env_of
from testing.seasons.played_season import logs_kept
from testing.servers.sink import Sink, running
from web.app import create_app

BASE = datetime(2027, 4, 5, 9, 0, tzinfo=UTC)
SIGN_IN = "/c/sign-in"


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """A relay that keeps every mail."""
    async with running() as relay:
        yield relay


@pytest.fixture
def mailing_env(web_env: WebEnv, sink: Sink) -> WebEnv:
    """The pages with that relay, an administrator, and a real clock that tests set."""
    return with_relay(web_env.database, sink)


def with_relay(database: Database, sink: Sink) -> WebEnv:
    env = web_env_of(
        database, "https://pages.test", smtp_host="127.0.0.1", smtp_port=sink.port, smtp_security="none",
        administrators="Root@Example.org", proxies=1,
    )  # fmt: skip
    clock = [BASE]
    env.app = create_app(env.settings, database, env.tell, lambda: env.now, env.wake, real_now=lambda: clock[0])
    env.clock = clock  # pyright: ignore[reportAttributeAccessIssue]
    return env


def later(env: WebEnv, span: timedelta) -> None:
    env.clock[0] += span  # pyright: ignore[reportAttributeAccessIssue]


async def ask(client: httpx.AsyncClient, address: str, **headers: str) -> httpx.Response:
    return await client.post(SIGN_IN, data={"address": address}, headers=headers)


def link_and_code(sink: Sink, address: str) -> tuple[str, str]:
    """What the last mail to an address has in it."""
    text = sink.mails_to(address)[-1].text
    link = re.search(r"https://pages\.test(/c/sign-in/link/\S+)", text)
    code = re.search(r"(\d{3}) (\d{3})\b", text)
    assert link, text
    assert code, text
    return link[1], code[1] + code[2]


async def test_the_link_signs_in_where_it_was_asked_for_and_nowhere_else(mailing_env: WebEnv, sink: Sink) -> None:
    async with mailing_env.client() as client, mailing_env.client() as phone:
        asked = await ask(client, "Coco@example.org")
        assert "Look into your mailbox" in asked.text
        link, _ = link_and_code(sink, "Coco@example.org")
        assert "belongs to another browser" in (await phone.get(link)).text
        assert (await phone.post(link)).status_code == 403
        assert "Sign in" in (await client.get(link)).text
        today = await client.post(link)
        assert (today.status_code, today.url.path) == (200, "/c/")
        assert (await phone.post(link)).status_code == 403
        cookies = today.history[0].headers.get_list("set-cookie")
    session = next(cookie for cookie in cookies if "mentorship-session=" in cookie)
    assert session.startswith("__Host-")
    assert all(part in session for part in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"))


async def test_the_code_signs_the_browser_in_that_asked(mailing_env: WebEnv, sink: Sink) -> None:
    async with mailing_env.client() as client:
        await client.get("/c/sessions")
        asked = await client.post(SIGN_IN, data={"address": "coco@example.org", "next": "/c/sessions"})
        assert asked.url.path == "/c/sign-in/code"
        _, code = link_and_code(sink, "coco@example.org")
        assert (await client.post("/c/sign-in/code", data={"code": wrong(code)})).status_code == 403
        done = await client.post("/c/sign-in/code", data={"code": f" {code[:3]} {code[3:]} "})
        assert done.url.path == "/c/sessions"
        assert "Code from a mail" in done.text


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


async def test_codes_can_not_be_tried_out(mailing_env: WebEnv, sink: Sink) -> None:
    async with mailing_env.client() as client:
        await ask(client, "coco@example.org")
        _, code = link_and_code(sink, "coco@example.org")
        for _ in range(MOST_CODES):
            assert (await client.post("/c/sign-in/code", data={"code": wrong(code)})).status_code == 403
        page = await client.post("/c/sign-in/code", data={"code": code})
        assert "Too many codes" in page.text
    assert await mailing_env.count(SessionRow) == 0


async def test_nobody_learns_whose_address_is_known(mailing_env: WebEnv, sink: Sink) -> None:
    pages: list[str] = []
    for address in ("coco@example.org", "mia@example.org", "stranger@example.org"):
        async with mailing_env.client() as client:
            asked = await ask(client, address)
            refused = await client.post("/c/sign-in/code", data={"code": "000001"})
            pages.append(f"{asked.status_code} {asked.url} {asked.text} {refused.status_code} {refused.text}")
    assert len(set(pages)) == 1
    assert [len(sink.mails_to(f"{name}@example.org")) for name in ("coco", "mia", "stranger")] == [1, 0, 0]


async def test_an_administrator_needs_no_cohort(mailing_env: WebEnv, sink: Sink) -> None:
    async with mailing_env.client() as client:
        await ask(client, "root@example.org")
        link, _ = link_and_code(sink, "root@example.org")
        page = await client.post(link)
        assert "Root@Example.org" in page.text
        assert "Spring 2027" in page.text


async def test_mails_are_limited_by_address_and_by_sender_known_or_not(mailing_env: WebEnv, sink: Sink) -> None:
    for _ in range(MOST_BY_ADDRESS):
        await printed_link(mailing_env, "coco")  # does not count
    for address in ("coco@example.org", "stranger@example.org"):
        async with mailing_env.client() as client:
            statuses = [(await ask(client, address)).status_code for _ in range(MOST_BY_ADDRESS + 1)]
        assert statuses == [200] * MOST_BY_ADDRESS + [429]
    later(mailing_env, LINK_LASTS + timedelta(seconds=1))
    async with mailing_env.client() as client:
        sent = [
            (await ask(client, f"x{number}@example.org", **{"x-forwarded-for": "192.0.2.7"})).status_code
            for number in range(21)
        ]
        assert sent == [200] * 20 + [429]
        assert (await ask(client, "y@example.org", **{"x-forwarded-for": "192.0.2.8"})).status_code == 200


async def test_links_and_sessions_end_by_time(mailing_env: WebEnv, sink: Sink) -> None:
    async with mailing_env.client() as client:
        await ask(client, "coco@example.org")
        link, _ = link_and_code(sink, "coco@example.org")
        later(mailing_env, LINK_LASTS)
        assert "too old" in (await client.post(link)).text
        await ask(client, "coco@example.org")
        await client.post(link_and_code(sink, "coco@example.org")[0])
        assert (await client.get("/c/")).url.path == "/c/"
        later(mailing_env, IDLE_AT_MOST)
        assert (await client.get("/c/")).url.path == SIGN_IN
        await ask(client, "coco@example.org")
        await client.post(link_and_code(sink, "coco@example.org")[0])
        for _ in range(int(SESSION_LASTS / timedelta(minutes=50))):
            later(mailing_env, timedelta(minutes=50))
            assert (await client.get("/c/")).url.path == "/c/"
        later(mailing_env, timedelta(minutes=50))
        assert (await client.get("/c/")).url.path == SIGN_IN


async def test_who_is_taken_out_of_the_file_is_out_at_once(web_env: WebEnv) -> None:
    from store.tables import CohortPersonRow

    async with signed_in(web_env, "coco") as client:
        assert (await client.get("/c/")).url.path == "/c/"
        await web_env.change(CohortPersonRow, {"person": "coco"}, person="mia")
        assert (await client.get("/c/")).url.path == SIGN_IN


async def test_own_sessions_are_listed_and_ended(web_env: WebEnv) -> None:
    async with signed_in(web_env, "coco") as here, signed_in(web_env, "coco") as there:
        page = (await here.get("/c/sessions")).text
        assert page.count("<tr>") == 3
        done = await here.post("/c/sessions", data={"session": "others"})
        assert "Signed out there" in done.text
        assert (await there.get("/c/")).url.path == SIGN_IN
        assert (await here.get("/c/")).url.path == "/c/"


@pytest.mark.parametrize(
    "back", ["https://evil.test/c/", "//evil.test", "/c/\\evil", "/c//evil.test", "javascript:alert(1)", "/f/x"]
)
async def test_a_sign_in_leads_to_pages_of_ours_only(web_env: WebEnv, back: str) -> None:
    from web.coordinator.signing_in.sign_in import safe

    assert safe(back) == "/c/"
    assert safe("/c/tasks/abc%231") == "/c/tasks/abc%231"


async def test_no_secret_no_address_and_no_name_is_logged_or_stored(mailing_env: WebEnv, sink: Sink) -> None:
    with logs_kept() as kept:
        async with mailing_env.client() as client:
            await ask(client, "coco@example.org")
            link, code = link_and_code(sink, "coco@example.org")
            await client.post("/c/sign-in/code", data={"code": wrong(code)})
            await client.post(link)
            await ask(client, "stranger@example.org")
            cookie = client.cookies["__Host-mentorship-session"]
        sink.script("coco@example.org", "rcpt 550 5.1.1 <coco@example.org> is not here")
        async with mailing_env.client() as client:
            await ask(client, "coco@example.org")
    logged = "\n".join(kept)
    assert "sign_in_mail_failed" in logged
    rows = await mailing_env.snapshot()
    stored = str([rows[table.__tablename__] for table in (SessionRow, SignInRow)]) + str(rows["audit"])
    for secret in (link.rpartition("/")[2], code, cookie, "example.org", "Coco"):
        assert secret not in logged
        assert secret not in stored


async def test_what_asks_for_a_fresh_sign_in_says_so(mailing_env: WebEnv) -> None:
    from dataclasses import replace as changed

    from web.coordinator import gate
    from web.coordinator.route_table import ROUTES

    sessions = next(route for route in ROUTES if route.name == "end_session")
    routes = [changed(route, fresh=True) if route is sessions else route for route in ROUTES]
    fresh = gate.routes_of(mailing_env.app.state.site, routes)
    mailing_env.app.router.routes[:0] = fresh
    path = await printed_link(mailing_env, "coco")
    mailing_env.clock[0] = datetime.now(UTC)  # pyright: ignore[reportAttributeAccessIssue]
    async with mailing_env.client() as client:
        await client.post(path)
        assert (await client.post("/c/sessions", data={"session": "none"})).status_code == 200
        later(mailing_env, timedelta(minutes=31))
        again = await client.post("/c/sessions", data={"session": "others"})
        assert again.status_code == 403
        assert 'href="/c/sign-in?next=%2Fc%2Fsessions"' in again.text
