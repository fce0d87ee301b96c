"""Every route with every role: who is not let in gets a page that says what to do, and changes nothing."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest

from operations.accounts.accounts import ROLES, Role
from store.tables import CohortPersonRow, CohortReaderRow, CohortRow
from testing.environments.coordinator_env import signed_in
from testing.environments.web_env import COHORT, WebEnv
from tests.coordinator.test_today import put_task
from web.coordinator.route_table import NAVIGATION, ROUTES, Route

QUIET = ("audit", "sessions")
"""Tables that a refused request may write to: that it was refused, and when the session was last used."""
HOLDERS = {"coordinator": "coco", "deputy": "cai", "reader": "ben", "administrator": ""}
"""Role to who holds it here."""


def path_of(route: Route, task: str, cohort: str = COHORT, person: str = "ada") -> str:
    """The path of a route for this cohort, person and task; other ids are of nothing."""
    known = {"cohort": cohort, "person": person, "task": task, "mentorship": "pair", "key": "pair"}
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda named: known.get(named[1], "1"), route.path)


async def staffed(env: WebEnv) -> str:
    """A deputy, a reader and a task; the link of the task."""
    async with env.database.begin() as session:
        session.add(CohortPersonRow(cohort=COHORT, person="cai", role="deputy"))
        session.add(CohortReaderRow(cohort=COHORT, person="ben"))
    from store.columns import public_id

    return public_id(await put_task(env, "low_score", date(2027, 4, 5), ["ada"]))


async def state_of(env: WebEnv) -> dict[str, object]:
    """Everything in the database that a refused request must leave alone."""
    return {name: rows for name, rows in (await env.snapshot()).items() if name not in QUIET}


async def test_who_is_signed_out_is_sent_to_the_sign_in_and_changes_nothing(web_env: WebEnv) -> None:
    task = await staffed(web_env)
    before = await state_of(web_env)
    async with web_env.client() as client:
        for route in ROUTES:
            if not route.roles:
                continue
            for method in route.methods:
                response = await client.request(method, path_of(route, task))
                if method == "GET":
                    assert response.url.path == "/c/sign-in", route.name
                else:
                    assert response.status_code == 401, route.name
                    assert "Sign in" in response.text
    assert await state_of(web_env) == before


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_opens_its_own_routes_and_no_other(web_env: WebEnv, role: str) -> None:
    task = await staffed(web_env)
    granted = ("administrator",) if role == "administrator" else ()
    async with signed_in(web_env, HOLDERS[role], granted) as client:
        before = await state_of(web_env)
        for route in ROUTES:
            if not route.roles:
                continue
            for method in route.methods:
                refused = role not in route.roles
                if not refused and method != "GET":
                    continue  # what an act does is shown where the act is tested
                response = await client.request(method, path_of(route, task))
                said = response.status_code == 403 and "not for your role" in response.text
                assert said is refused, f"{method} {route.path} as {role}: {response.status_code}"
                assert response.status_code != 500, route.path
    assert await state_of(web_env) == before


async def test_a_role_in_another_cohort_opens_nothing_here(web_env: WebEnv) -> None:
    task = await staffed(web_env)
    async with web_env.database.begin() as session:
        row = await session.get_one(CohortRow, COHORT)
        values = {column.key: getattr(row, column.key) for column in CohortRow.__table__.columns}
        session.add(CohortRow(**values | {"id": "autumn", "title": "Autumn"}))
        await session.flush()
        session.add(CohortPersonRow(cohort="autumn", person="mia", role="coordinator"))
    async with signed_in(web_env, "mia") as client:
        before = await state_of(web_env)
        for route in ROUTES:
            named = re.search(r"\{(cohort|task)\}", route.path)
            if not named:
                continue
            for method in route.methods:
                response = await client.request(method, path_of(route, task))
                assert response.status_code == 403, route.path
                unknown = await client.request(method, path_of(route, "nothing", cohort="unheard-of"))
                assert unknown.text.replace("unheard-of", COHORT) == response.text, route.path
    assert await state_of(web_env) == before


async def test_a_post_from_another_site_is_refused(web_env: WebEnv) -> None:
    async with signed_in(web_env, "coco") as client:
        for headers in (
            {"origin": "https://evil.test"},
            {"origin": "null"},
            {"origin": "null", "sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site", "origin": "https://other.pages.test"},
        ):
            assert (await client.post("/c/sign-out", headers=headers)).status_code == 403, headers
        assert (await client.get("/c/")).url.path == "/c/"
        ours = {"origin": "null", "sec-fetch-site": "same-origin"}
        assert (await client.post("/c/sign-out", headers=ours)).url.path == "/c/sign-in"


async def test_each_post_leaves_a_row_in_the_audit(web_env: WebEnv) -> None:
    task = await staffed(web_env)
    async with signed_in(web_env, "coco") as client:
        for route in ROUTES:
            if "POST" not in route.methods or route.name == "sign_out":
                continue
            rows = len((await web_env.snapshot())["audit"])
            await client.post(path_of(route, task), data={"address": "x@example.org"})
            assert len((await web_env.snapshot())["audit"]) > rows, route.name


async def test_an_address_that_no_page_has_is_told_as_on_these_pages(web_env: WebEnv) -> None:
    for path, status in (("/c/nowhere", 404), (f"/c/cohorts/{COHORT}/nowhere", 404), ("/c/installation/", 404)):
        async with web_env.client() as client:
            stranger = await client.get(path)
        async with signed_in(web_env, "coco") as client:
            known = await client.get(path)
            posted = await client.post("/c/audit")
        assert (stranger.status_code, known.status_code, posted.status_code) == (status, status, 405)
        for page in (stranger, known, posted):
            assert "There is nothing here" in page.text
            assert "mail" not in page.text
        assert 'href="/c/audit"' in known.text
        assert 'href="/c/audit"' not in stranger.text


def test_what_stands_in_the_navigation_has_words() -> None:
    from web.coordinator.words import Words

    names = {route.name for route in ROUTES if "{" not in route.path}
    assert [name for name in NAVIGATION if name in names and f"navigation.{name}" not in Words().texts] == []


def test_downloads_and_what_is_final_ask_for_a_fresh_sign_in() -> None:
    final = re.compile(r"erase|cancel|\.csv|\.xlsx|download")
    assert [route.path for route in ROUTES if final.search(route.path) and not route.fresh] == []


@pytest.mark.parametrize("role", ["reader", "coordinator", "administrator"])
async def test_a_page_offers_no_door_that_is_closed_to_its_reader(web_env: WebEnv, role: Role) -> None:
    await staffed(web_env)
    async with signed_in(web_env, HOLDERS[role], granted=(role,)) as client:
        for path in ("/c/", "/c/cohorts", f"/c/cohorts/{COHORT}"):
            page = await client.get(path)
            for link in sorted({unescape(href) for href in re.findall(r'href="(/c/[^"#]*)', page.text)}):
                assert (await client.get(link)).status_code not in (403, 404), f"{path} leads to {link}"
