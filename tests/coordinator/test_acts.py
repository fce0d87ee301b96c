"""Acts from pages: chosen, shown, confirmed, with their result; every POST is in the audit, and the pages can do what
the command line can."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import unescape
from typing import cast
from urllib.parse import unquote

import httpx
import pytest
from sqlalchemy import delete, select
from sqlalchemy import event as sql_event
from temporalio.client import Client

from cli.main import COMMANDS
from operations import audit
from operations.acts import ACTS
from operations.audit import AuditFilters
from store.tables import MembershipRow, ParticipantRow
from testing.environments.coordinator_env import signed_in
from testing.environments.core_client import CoreClient
from testing.environments.web_env import COHORT, COHORT_FILE, NOW, PROGRAMS, WebEnv
from web.app import create_app
from web.coordinator.route_table import ROUTES


@dataclass
class Pages:
    """Pages in front of mentorships that run in this process, and a coordinator who is signed in."""

    env: WebEnv
    client: CoreClient
    http: httpx.AsyncClient

    async def get(self, path: str) -> str:
        """A page that must be there."""
        response = await self.http.get(path)
        assert response.status_code == 200, f"{path}: {response.status_code} {response.text}"
        return response.text

    async def audited(self) -> list[str]:
        """What the audit says was done, the earliest first."""
        lines, _ = await audit.look(self.env.database, AuditFilters(), most=1000)
        return [line.what for line in lines[::-1]]


@pytest.fixture
async def pages(web_env: WebEnv) -> AsyncIterator[Pages]:
    """The pages of a launched cohort."""
    core = CoreClient(web_env.database, NOW)
    await core.run(COHORT_FILE, {name: loaded.program for name, loaded in PROGRAMS.items()})
    web_env.app = create_app(
        web_env.settings, web_env.database, web_env.tell, lambda: web_env.now, web_env.wake, cast(Client, core)
    )
    async with signed_in(web_env, "coco") as http:
        yield Pages(web_env, core, http)


def hidden(page: str) -> dict[str, list[str]]:
    """The hidden fields of the forms of a page."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page):
        found.setdefault(name, []).append(value)
    return found


async def act(pages: Pages, path: str, **options: str) -> tuple[str, str]:
    """Choose an act at this path, look at it and confirm it: the page that shows it, and that of its result."""
    form = await pages.get(path)
    target = re.search(r'<form class="narrow" method="post" action="([^"]+)"', form)
    assert target, form
    shown = await pages.http.post(target[1], data=hidden(form) | options)
    assert shown.status_code == 200, shown.text
    assert "/c/plans/" in str(shown.url), shown.text
    done = await pages.http.post(str(shown.url), data={"why": "tested"})
    assert done.status_code == 200, done.text
    assert str(done.url).endswith("/result")
    return shown.text, done.text


async def test_every_page_of_a_cohort_opens_and_every_number_is_a_link_to_its_list(pages: Pages) -> None:
    assert "Spring 2027" in await pages.get("/c/cohorts")
    page = await pages.get(f"/c/cohorts/{COHORT}")
    links = set(re.findall(rf'href="(/c/cohorts/{COHORT}\?[^"#]+)', page))
    assert len(links) > 10
    for link in sorted(links):
        assert '<h2 id="list"' in await pages.get(link.replace("&amp;", "&"))
    for query, count in (
        ("text=mia", 4),
        ("text=group", 1),
        ("person=cai", 1),
        ("format=peer", 1),
        ("phase=closure", 0),
    ):
        shown = await pages.get(f"/c/cohorts/{COHORT}?{query}")
        assert shown.count('class="pick"') == count, query
    for suffix in ("csv", "xlsx"):
        file = await pages.http.get(f"/c/cohorts/{COHORT}/list.{suffix}?text=mia")
        assert file.status_code == 200
    assert (await pages.audited()).count("download list") == 2
    rows = await pages.http.get("/c/audit/list.csv?what=download+list")
    assert rows.text.splitlines()[1].split(";")[1:5] == ["coco", "printed_link", "download list", COHORT]
    assert len(rows.text.splitlines()) == 3
    assert (await pages.http.get("/c/audit/list.xlsx")).content.startswith(b"PK")


async def test_several_are_extended_at_once_and_exactly_those(pages: Pages) -> None:
    path = f"/c/cohorts/{COHORT}/act?act=extend&key=pair&key=group"
    shown, done = await act(pages, path, weeks="4", why="they asked")
    assert shown.count("The end:") == 2
    assert done.count(">Done<") >= 2
    ends = {key: len(ids) for (_, key), ids in pages.client.taken.items()}
    assert ends == {"pair": 1, "group": 1, "pair-2": 0, "reverse": 0, "peers": 0}


async def test_all_of_a_list_are_those_that_stood_there(pages: Pages) -> None:
    listed = await pages.get(f"/c/cohorts/{COHORT}?text=mia")
    digest = re.search(r'name="all" value="([^"]+)"', listed)
    assert digest
    path = f"/c/cohorts/{COHORT}/act?text=mia&act=nudge&all={digest[1]}"
    assert "4 mentorships" in await pages.get(path)
    changed = await pages.http.get(path.replace("text=mia", "text=ben"))
    assert changed.status_code == 409


async def test_what_is_typed_into_a_list_stands_in_no_address_and_selects_the_same(pages: Pages) -> None:
    path = f"/c/cohorts/{COHORT}"
    listed = await pages.http.post(path, data={"text": "Mia Okonkwo", "state": "running", "sort": "end"})
    assert (listed.status_code, listed.text.count('class="pick"')) == (200, 4)
    assert 'value="Mia Okonkwo"' in listed.text
    links = [str(listed.url), *re.findall(r'(?:href|action)="([^"]+)"', listed.text)]
    links += re.findall(r'<input type="hidden"[^>]*>', listed.text)
    assert not any("mia" in unescape(unquote(link)).lower() for link in links)
    mark = listed.url.params["found"]
    assert listed.url.params["sort"] == "end"
    rows = (await pages.http.get(f"{path}/list.csv?{listed.url.query.decode()}")).text.splitlines()
    assert len(rows) == 5
    digest = re.search(r'name="all" value="([^"]+)"', listed.text)
    assert digest
    chosen = await pages.get(f"{path}/act?found={mark}&state=running&act=nudge&all={digest[1]}")
    assert "4 mentorships" in chosen
    shown = await pages.http.post(f"{path}/act", data=hidden(chosen))
    assert "4 mentorships" in shown.text
    again = await pages.http.post(path, data={"text": "Mia Okonkwo"})
    assert again.url.params["found"] == mark
    for n in range(10):
        await pages.http.post(path, data={"text": f"text {n}"})
    assert (await pages.get(f"{path}?found={mark}")).count('class="pick"') == 5, "only the last texts are kept"
    assert "search_list" in await pages.audited()
    await pages.http.post("/c/sign-out")
    assert not any("searched" in name for name in pages.http.cookies)


@pytest.mark.parametrize(
    ("path", "options", "shows"),
    [
        ("act?act=pause&key=pair", {"until": "3w", "tell": "yes"}, "nothing falls due"),
        ("act?act=end&key=pair", {"reason": "no_fault"}, "cannot be taken back"),
        (
            "act?act=replace&key=pair",
            {"person": "ada", "name": "Eve Adams", "email": "eve@example.org"},
            "taken back",
        ),
        ("act?act=add&key=group", {"role": "mentee", "name": "Eve Adams", "email": "eve@example.org"}, "Told"),
        ("act?act=remove&key=group", {"person": "cai"}, "cannot be taken back"),
        ("act?act=leave&key=group", {"person": "cai"}, "cannot be taken back"),
        ("cancel", {}, "5 mentorships end"),
        ("/c/people/ada/correct", {"zone": "Asia/Tokyo"}, "Asia/Tokyo"),
        ("/c/people/ada/send-link", {}, "ada@example.org"),
        ("/c/people/ada/erase", {}, "cannot be taken back"),
    ],
)
async def test_each_act_is_shown_and_done(pages: Pages, path: str, options: dict[str, str], shows: str) -> None:
    where = path if path.startswith("/") else f"/c/cohorts/{COHORT}/{path}"
    shown, done = await act(pages, where, **options)
    assert shows in shown
    assert 'class="done"' in done, done
    assert "Eve Adams" not in (await pages.get("/c/audit"))


@pytest.mark.parametrize(
    ("path", "options", "name", "page"),
    [
        ("/c/people/ada/correct", {"zone": "Asia/Tokyo"}, "Ada Lindqvist", "/c/people/ada"),
        ("/c/people/ada/send-link", {}, "Ada Lindqvist", "/c/people/ada"),
        (f"/c/cohorts/{COHORT}/cancel", {}, "Spring 2027", f"/c/cohorts/{COHORT}"),
    ],
)
async def test_an_act_about_a_person_or_a_cohort_names_it_before_and_after(
    pages: Pages, path: str, options: dict[str, str], name: str, page: str
) -> None:
    shown, done = await act(pages, path, **options)
    for text in (shown, done):
        assert f'<p class="crumbs"><a href="{page}">{name}</a></p>' in text
    assert f">{name}</th>" in done


async def test_a_plan_names_nobody_to_somebody_who_may_no_longer_act_on_them(pages: Pages) -> None:
    form = await pages.get("/c/people/ada/correct")
    shown = await pages.http.post("/c/people/ada/correct", data=hidden(form) | {"zone": "Asia/Tokyo"})
    assert "Ada Lindqvist" in shown.text
    async with pages.env.database.begin() as session:
        await session.execute(delete(MembershipRow).where(MembershipRow.person == "ada"))
    assert "Ada Lindqvist" not in (await pages.http.get(str(shown.url))).text


@pytest.mark.parametrize(
    ("typed", "zone"), [("America/Lima", "America/Lima"), ("", "Europe/Berlin"), ("Lima", "refused")]
)
async def test_a_newcomer_has_the_time_zone_that_was_typed(pages: Pages, typed: str, zone: str) -> None:
    path = f"/c/cohorts/{COHORT}/act?act=add&key=group"
    newcomer = {"role": "mentee", "name": "Eve Adams", "email": "eve@example.org", "zone": typed}
    if zone == "refused":
        form = await pages.get(path)
        asked = await pages.http.post(f"/c/cohorts/{COHORT}/act", data=hidden(form) | newcomer)
        assert (asked.status_code, "is no zone" in asked.text, 'value="Lima"' in asked.text) == (422, True, True)
        return
    await act(pages, path, **newcomer)
    async with pages.env.database.session() as session:
        row = (await session.scalars(select(ParticipantRow).where(ParticipantRow.email == "eve@example.org"))).one()
    assert (row.name, row.zone) == ("Eve Adams", zone)


async def test_what_makes_no_sense_is_told_on_the_form(pages: Pages) -> None:
    path = f"/c/cohorts/{COHORT}/act"
    refused = await pages.http.post(path, data={"act": "extend", "key": "pair", "weeks": "four"})
    assert refused.status_code == 422
    assert "no number of whole weeks; write one such as 4<" in refused.text
    for data, status in (({"act": "fly", "key": "pair"}, 404), ({"act": "extend", "key": "nobody"}, 400)):
        assert (await pages.http.post(path, data=data)).status_code == status
    assert (await pages.http.get("/c/plans/none")).status_code == 404


async def test_where_temporal_is_away_nothing_is_done_and_the_page_says_so(pages: Pages) -> None:
    form = await pages.get(f"/c/cohorts/{COHORT}/act?act=extend&key=pair&key=group")
    chosen = await pages.http.post(
        f"/c/cohorts/{COHORT}/act", data=hidden(form) | {"weeks": "2"}, follow_redirects=False
    )
    plan = chosen.headers["location"]
    pages.client.away = True
    assert (await pages.http.get(plan)).status_code == 503
    done = await pages.http.post(plan)
    assert "2 were not reached" in done.text
    pages.client.away = False
    again = await pages.http.post(f"{plan}/again")
    assert 'class="done"' in again.text
    assert sorted(len(ids) for ids in pages.client.taken.values()) == [0, 0, 0, 1, 1]


async def test_every_post_is_in_the_audit(pages: Pages) -> None:
    parameters = {"cohort": COHORT, "person": "ada", "task": "abc", "plan": "none", "token": "none"}
    names = {"mentorship": "pair", "key": "pair", "round": "1", "message": "none", "version": "1", "id": "none"}
    posts = [route for route in ROUTES if "POST" in route.methods]
    assert len(posts) > 8
    for route in sorted(posts, key=lambda one: one.name == "sign_out"):
        path = re.sub(r"\{(\w+)(:\w+)?\}", lambda part: (parameters | names).get(part[1], "none"), route.path)
        before = len(await pages.audited())
        await pages.http.post(path, data={"said": "nothing"}, follow_redirects=False)
        assert len(await pages.audited()) == before + 1, route.name


ELSEWHERE = {
    "launch": "the page of the cohort's file",
    "message": "the page of messages",
    "note": "the page of a mentorship",
    "match": "the page of matching",
    "applicants": "the page of matching",
    "publish": "the page of matching",
    "voices": "the page of the report",
    "giving-back": "the page of the report",
    "bounces": "a mailbox is read by a process",
    "backup": "of the machine, by its operators",
    "migrate": "before the pages can run",
    "register": "before the pages can run",
    "reconcile": "after a restore the pages are stopped",
}
"""Changing commands without an entry among the acts, and where they are instead."""
READING = {
    "validate", "plan", "preview", "rehearse", "status", "show", "ledger", "answers", "tasks", "doctor", "up",
    "worker", "web", "report", "sign-in", "export-cohort", "messages",
}  # fmt: skip
"""Commands that change no mentorship, person or cohort."""


def test_the_pages_can_do_what_the_command_line_can() -> None:
    commands = {name for names in COMMANDS.values() for name in names}
    assert commands - READING - set(ELSEWHERE) == set(ACTS)
    offered = {route.name for route in ROUTES}
    assert {"plan_act", "plan_cancel", "plan_correct", "plan_erase", "decide"} <= offered


async def test_pages_take_few_statements(pages: Pages) -> None:
    statements: list[str] = []

    def count(_c: object, _cur: object, statement: str, *_: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
            statements.append(statement)

    sql_event.listen(pages.env.database.engine.sync_engine, "before_cursor_execute", count)
    for path in (
        "/c/cohorts", f"/c/cohorts/{COHORT}", f"/c/cohorts/{COHORT}?text=mia&sort=health", "/c/audit",
        f"/c/cohorts/{COHORT}/act?act=extend&key=pair",
    ):  # fmt: skip
        statements.clear()
        await pages.get(path)
        assert len(statements) <= 8, (path, statements)
