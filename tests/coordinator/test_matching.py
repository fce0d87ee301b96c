"""Coordinators look at the pool and the pairs, lock and ban with the price before their eyes, and publish."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import httpx
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser
from sqlalchemy import select

from operations.applications.applicants import withdraw_on_request
from operations.applications.apply import apply, confirm
from operations.audit import COMMAND_LINE
from operations.matching.match import matched
from operations.matching.match_page import page
from operations.matching.publish import pool_of
from store.columns import public_id
from store.mentorships import tasks
from store.people import applications
from store.tables import AuditRow, MatchingDraftRow, MentorshipRow
from testing.environments.coordinator_env import printed_link, signed_in
from testing.environments.open_call import COHORT as CALL
from testing.environments.open_call import call_program, launch_call, loaded_call, open_call_of, typed_application
from testing.environments.web_env import COHORT, WebEnv
from tests.coordinator.test_browser import DESKTOP, EVERYTHING, PHONE, opened
from tests.operations.test_next_choices import applies

PAGE = f"/c/cohorts/{COHORT}/matching"
PEOPLE = {
    "mentee": [("Nele", "Digital", "AO"), ("Otto", "Legal", "EO"), ("Pia", "Health", "EO")],
    "mentor": [("Rosa", "Finance", "HEO"), ("Sami", "Transport", "HEO")],
}


async def applicants(env: WebEnv) -> dict[str, str]:
    """Three mentees and two mentors whose applications count; name to id."""
    now = env.now
    await open_call_of(env.database, COHORT, now)
    for role, people in PEOPLE.items():
        for name, unit, grade in people:
            email = f"{name.lower()}@example.org"
            typed = typed_application(role, name, email, unit=unit, grade=grade)
            await apply(env.database, COHORT, typed, role, timedelta(minutes=1), now)
            async with env.database.session() as session:
                found = await applications.of_address(session, COHORT, email)
            assert found is not None
            await confirm(env.database, found.id, found.generation, now)
    async with env.database.session() as session:
        everybody = await applications.of_cohort(session, COHORT)
    return {each.shown_name: each.person for each in everybody}


def pairs_on(shown: httpx.Response) -> set[str]:
    """The pairs that a page shows, as mentor-mentee."""
    return set(re.findall(r'<div class="task" id="([^"]+)">', shown.text))


async def test_a_coordinator_locks_bans_and_publishes(web_env: WebEnv) -> None:
    ids = await applicants(web_env)
    async with signed_in(web_env, "coco") as client:
        assert PAGE in (await client.get(f"/c/cohorts/{COHORT}")).text
        pool = await client.get(f"{PAGE}/pool", params={"role": "mentee"})
        assert all(name in pool.text for name, _, _ in PEOPLE["mentee"])
        assert "Rosa" not in pool.text
        assert "Nobody." in (await client.get(f"{PAGE}/pool", params={"missing": "yes"})).text
        assert (await client.get(f"{PAGE}/publish")).status_code == 409

        first = await client.get(PAGE)
        assert "Nothing is kept yet" in first.text
        assert len(pairs_on(first)) == 2
        kept = await client.post(PAGE, data={"act": "match", "version": "0"})
        assert pairs_on(kept) == pairs_on(first)
        assert "Draft 1, by Coco Marchetti" in kept.text
        stale = await client.post(PAGE, data={"act": "match", "version": "0"})
        assert (stale.status_code, "changed the draft meanwhile" in stale.text) == (409, True)

        left_out = next(
            ids[name] for name, _, _ in PEOPLE["mentee"] if not any(ids[name] in one for one in pairs_on(kept))
        )
        prices = await client.get(PAGE, params={"person": left_out})
        [(act, pair), *_] = re.findall(r'name="act" value="(lock) ([^"]+)"', prices.text)
        assert "would then have nobody" in prices.text
        locked = await client.post(PAGE, data={"act": f"{act} {pair}", "version": "1"})
        assert pair.replace(":", "-") in pairs_on(locked)
        assert "Locked." in locked.text
        banned = await client.post(PAGE, data={"act": f"ban {pair}", "version": "2"})
        assert pair.replace(":", "-") not in pairs_on(banned)
        assert "Never together" in banned.text
        allowed = await client.post(PAGE, data={"act": f"unban {pair}", "version": "3"})
        assert "Never together" not in allowed.text
        old = await client.get(PAGE, params={"version": "2"})
        assert "You look at an earlier version" in old.text
        assert 'name="act"' not in old.text
        for wrong in ("lock", "lock nobody:here", "jump a:b", "lock a"):
            assert (await client.post(PAGE, data={"act": wrong, "version": "4"})).status_code == 409, wrong

        shown = await client.get(f"{PAGE}/publish")
        assert "2 pairs start. 1 person hears" in re.sub(r"\s+", " ", shown.text)
        assert (await client.post(f"{PAGE}/publish", data={"version": "1"})).status_code == 409
        await client.post(f"{PAGE}/publish", data={"version": "4", "why": "the best we can do"})
        after = await client.get(PAGE)
        assert "These pairs are published" in after.text
        assert (await client.post(PAGE, data={"act": "match", "version": "4"})).status_code == 409
    async with web_env.database.session() as session:
        drafts = list(await session.scalars(select(MatchingDraftRow).order_by(MatchingDraftRow.version)))
        acts = [row.what for row in await session.scalars(select(AuditRow))]
        mentorships = list(await session.scalars(select(MentorshipRow.key).where(MentorshipRow.key.startswith("m0"))))
    assert [draft.act for draft in drafts] == ["match", "lock", "ban", "unban"]
    assert {draft.by for draft in drafts} == {"coco"}
    assert [one for one in acts if one.startswith("matching ") or one == "publish"].count("publish") >= 1
    assert {"matching match", "matching lock", "matching ban", "matching unban"} <= set(acts)
    assert len(mentorships) == 2


async def test_the_pool_is_listed_in_pages_and_taken_as_exactly_its_rows(web_env: WebEnv) -> None:
    await applicants(web_env)
    people = [f"more-{n}@example.org" for n in range(60)]
    for email in people:
        typed = typed_application("mentee", "Somebody", email, unit="Digital", grade="EO")
        await apply(web_env.database, COHORT, typed, "mentee", timedelta(minutes=1), web_env.now)
    async with signed_in(web_env, "coco") as client:
        first = (await client.get(f"{PAGE}/pool")).text
        second = (await client.get(f"{PAGE}/pool?page=2")).text
        assert "65 people" in first
        assert [page.count('<th scope="row">') for page in (first, second)] == [50, 15]
        assert "Address not confirmed" in second
        assert (await client.get(f"{PAGE}/pool?page=99")).text.count('<th scope="row">') == 15
        nele = await client.post(f"{PAGE}/pool", data={"text": "NELE example", "state": "confirmed"})
        assert nele.text.count('<th scope="row">') == 1
        assert "nele" not in str(nele.url).lower()
        waiting = (await client.get(f"{PAGE}/pool?state=unconfirmed&role=mentee")).text
        [link] = re.findall(r'href="([^"]+/pool\.csv[^"]*)"', waiting)
        rows = (await client.get(unescape(link))).text.splitlines()
        assert sorted(row.split(";")[2] for row in rows[1:]) == sorted(people)
        assert (await client.get(f"{PAGE}/pool.xlsx")).content.startswith(b"PK")
        assert (await client.get("/c/cohorts/none/matching/pool.csv")).status_code == 403
    async with web_env.database.session() as session:
        taken = list(await session.scalars(select(AuditRow).where(AuditRow.what == "download applicants")))
    assert [row.count for row in taken] == [60, 65]


async def test_somebody_who_withdrew_is_in_no_draft(web_env: WebEnv) -> None:
    ids = await applicants(web_env)
    async with signed_in(web_env, "coco") as client:
        kept = await client.post(PAGE, data={"act": "match", "version": "0"})
        gone = next(iter(pairs_on(kept))).split("-")[1]
        await withdraw_on_request(web_env.database, COHORT, gone, web_env.now, by="coco", proof=COMMAND_LINE)
        again = await client.get(PAGE)
        assert gone not in "".join(pairs_on(again))
        assert len(pairs_on(again)) == 2
    assert len(ids) == 5


async def test_a_coordinator_edits_accepts_and_withdraws_an_application(web_env: WebEnv) -> None:
    ids = await applicants(web_env)
    path = f"{PAGE}/pool/{ids['Pia']}"

    async def said() -> tuple[str, object, object]:
        async with web_env.database.session() as session:
            found = await applications.of_address(session, COHORT, "pia@example.org")
        assert found is not None
        return found.state, found.body["grade"], found.body.get("b_confid")

    before = await said()
    async with signed_in(web_env, "coco") as client:
        assert path in (await client.get(f"{PAGE}/pool")).text
        page = (await client.get(path)).text
        assert 'name="grade"' in page
        assert "b_confid" not in page, "what is shown in totals only is not shown here"
        typed = typed_application("mentee", "Pia", "pia@example.org", unit="Health", grade="SEO")
        wrong = await client.post(path, data=typed | {"grade": "G99", "act": "save"})
        assert wrong.status_code == 422
        assert await said() == before
        saved = await client.post(path, data=typed | {"act": "save", "why": "she asked"})
        assert "The answers are saved" in saved.text
        assert await said() == ("confirmed", "SEO", before[2])
        async with web_env.database.begin() as session:
            found = await applications.of_address(session, COHORT, "pia@example.org")
            assert found is not None
            await applications.change(session, found.id, state="waiting")
        assert "counts from now on" in (await client.post(path, data={"act": "accept"})).text
        assert (await client.post(path, data={"act": "accept"})).status_code == 409
        assert (await client.post(path, data={"act": "withdraw"})).status_code == 422
        gone = await client.post(path, data={"act": "withdraw", "sure": "yes", "why": "she asked"})
        assert gone.url.path == f"{PAGE}/pool"
        assert (await client.get(path)).status_code == 404
    async with web_env.database.session() as session:
        acts = [row.what for row in await session.scalars(select(AuditRow).order_by(AuditRow.id))]
    assert {"applicants --edit", "applicants --accept", "applicants --withdraw"} <= set(acts)


async def test_the_task_to_match_leads_to_the_pairs(web_env: WebEnv) -> None:
    await applicants(web_env)
    key, day = f"{COHORT}/all/task.match#1", web_env.now.date()
    async with web_env.database.begin() as session:
        await tasks.open_of_cohort(session, COHORT, key, "match", "Match them.", ("publish",), day, web_env.now, day)
    async with signed_in(web_env, "coco") as client:
        start = await client.get("/c/")
        assert "The applicants wait to be matched" in start.text
        assert f"/c/tasks/{public_id(key)}" in start.text
        led = await client.get(f"/c/tasks/{public_id(key)}", params={"decision": "publish"})
        assert (led.status_code, led.url.path) == (200, PAGE)


async def test_a_cohort_without_a_call_says_so(web_env: WebEnv) -> None:
    async with signed_in(web_env, "coco") as client:
        for path in (PAGE, f"{PAGE}/pool", f"{PAGE}/publish"):
            assert (await client.get(path)).status_code in (404, 409), path
        assert (await client.post(PAGE, data={"act": "match", "version": "0"})).status_code == 404


async def test_the_pages_of_matching_break_no_rule_of_axe_and_fit_every_width(
    browser: Browser, served: WebEnv, tmp_path: Path
) -> None:
    await applicants(served)
    pool = await pool_of(served.database, COHORT)
    (tmp_path / "pairs.html").write_text(page(matched(pool).board, pool.names))
    found: list[str] = []
    for viewport in (PHONE, DESKTOP):
        for scheme in ("light", "dark"):
            link = await printed_link(served, "coco")
            async with opened(browser, served, link, viewport=viewport, color_scheme=scheme) as tab:
                await tab.get_by_role("button", name="Sign in").click()
                await tab.goto(PAGE)
                if await tab.get_by_role("button", name="Keep these pairs").count():
                    await tab.get_by_role("button", name="Keep these pairs").click()
                    await tab.get_by_role("button", name="Lock").first.click()
                others = await tab.locator('a[href*="?person="]').first.get_attribute("href")
                person = re.findall(r"\?person=(\w+)", others or "")[0]
                paths = [f"{PAGE}{rest}" for rest in ("", f"?person={person}", "?version=1", "/pool", "/publish")]
                for path in (*paths, f"file://{tmp_path / 'pairs.html'}"):
                    await tab.goto(path)
                    for summary in await tab.locator("summary").all():
                        await summary.click()
                    here = f"{viewport['width']} {scheme} {path.removeprefix(PAGE)}"
                    width = await tab.evaluate("document.documentElement.scrollWidth")
                    if width > viewport["width"]:
                        found.append(f"{here}: {width} px wide")
                    results = await Axe().run(tab, options=EVERYTHING)
                    found += [
                        f"{here}: {rule['id']} {[node['target'] for node in rule['nodes']]}"
                        for rule in results.response["violations"]
                    ]
                    if folder := os.environ.get("MATCHING_PICTURES"):
                        name = f"{viewport['width']}-{scheme}-{paths.index(path) if path in paths else 'file'}.png"
                        await tab.screenshot(path=f"{folder}/{name}", full_page=True)
    assert found == []


async def test_the_board_and_the_page_of_publishing_name_the_three_who_meet(web_env: WebEnv) -> None:
    program = call_program("peer", groups={"least": 2, "most": 3})
    await launch_call(web_env.database, loaded_call(program=program))
    for name, unit in (("Nele", "Health"), ("Otto", "Legal"), ("Pia", "Finance")):
        await applies(web_env.database, "peer", "peer", name, unit=unit)
    page = f"/c/cohorts/{CALL}/matching"
    async with signed_in(web_env, "coco") as client:
        board = (await client.get(page)).text
        assert len(pairs_on(httpx.Response(200, text=board))) == 3
        [shown] = set(re.findall(r"These three meet, each with both others: ([\w, ]+)\.", board))
        assert board.count("These three meet, each with both others:") == 3
        assert set(shown.split(", ")) == {"Nele", "Otto", "Pia"}
        assert "three meet, because pairs alone would leave one of them out" in board
        assert "3 of 3 are served" in board
        await client.post(page, data={"act": "match", "version": "0"})
        assert "three meet, because" in (await client.get(page)).text
        publishing = (await client.get(f"{page}/publish")).text
        assert "3 pairs start." in publishing
