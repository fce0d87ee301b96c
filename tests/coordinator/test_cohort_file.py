"""The file of a cohort in the browser: begun, uploaded, checked, rehearsed and launched; versions, and who may see
them."""

from __future__ import annotations

import asyncio
import io
import re
import socket
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest
from openpyxl import Workbook
from playwright.async_api import Browser
from sqlalchemy import select

from mail.dates import whole_day
from operations import audit
from operations.acts import act_of, change_of
from operations.audit import AuditFilters
from operations.cohorts.files import CohortTexts, check
from operations.cohorts.rehearse import rehearse
from operations.people.erase import erase
from program.limits import BODY_BYTES, FILE_BODY_BYTES
from runtime.settings import now_of
from store.cohorts.files import without_entry, without_row
from store.tables import CohortFileRow, CohortPersonRow, MentorshipRow
from testing.environments.cli_env import today
from testing.environments.coordinator_env import printed_link, signed_in
from testing.environments.web_env import WebEnv
from tests.cli.conftest import CliEnv, cli_env, dev_server  # noqa: F401
from tests.web.test_browser import violations
from web.app import create_app
from web.server import server

START = (today() + timedelta(days=60)).isoformat()


def cohort_file(cohort: str, more: str = "", start: str = "2027-06-01") -> str:
    """A cohort's file without people."""
    return f"""\
cohort: {cohort}
title: Uploaded in a browser
program: formal
start: {start}
zone: Europe/Berlin
coordinators:
  - {{id: boss, name: Bo Stern, email: boss@coordinators.example}}
{more}"""


PAIR = "mentorships:\n  - {key: m1, mentor: f1, mentees: [f2]}\n"
PEOPLE = (
    "id;name;email;place\r\nu1;Zoë Müller;zoe@uploaded.example;Köln\r\nu2;Jo Öz;jo@uploaded.example;\r\n"
    "u3;Ida Ström;ida@uploaded.example;Malmö\r\n"
)


def pairs(*rows: tuple[str, str, str]) -> bytes:
    """A workbook of pairs."""
    book = Workbook()
    for row in (("key", "mentor", "mentees"), *rows):
        book.worksheets[0].append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


# -- without Temporal: versions, faults, rights ------------------------------------------------------------------


async def saved(client: httpx.AsyncClient, cohort: str, based_on: int = 1, **parts: str | bytes) -> httpx.Response:
    """Save a version: texts are typed, bytes uploaded."""
    typed = {name: value for name, value in parts.items() if isinstance(value, str)}
    uploads = {f"{name}_upload": (f"{name}.x", value) for name, value in parts.items() if isinstance(value, bytes)}
    data = {"based_on": str(based_on), **typed}
    return await client.post(f"/c/cohorts/{cohort}/file", data=data, files=uploads or None)


async def test_a_file_is_begun_saved_and_kept_in_versions(web_env: WebEnv) -> None:
    async with signed_in(web_env, "coco") as client:
        assert "A new cohort" in (await client.get("/c/cohorts/new")).text
        refused = await client.post("/c/cohorts/new", data={"cohort": "Spring 28"})
        assert refused.status_code == 422
        begun = await client.post("/c/cohorts/new", data={"cohort": "spring-28", "like": ""})
        assert "cohort: spring-28" in begun.text
        assert (await client.post("/c/cohorts/new", data={"cohort": "spring-28"})).status_code == 422

        faulty = await saved(client, "spring-28", file=cohort_file("spring-28", "zon: x\nmentorships: []\n"))
        assert "unknown key `zon`" in faulty.text
        assert 'id="file-8" class="wrong-line"' in faulty.text
        other = await saved(client, "spring-28", 2, file=cohort_file("autumn", "mentorships: []\n"))
        assert "this is the file of `spring-28`" in other.text
        # Without a line for it the uploaded table is named in the file; the third is as the second was.
        table = await saved(client, "spring-28", 3, file=cohort_file("spring-28"), people=PEOPLE.encode("cp1252"))
        assert "people: people.csv" in table.text
        assert "Zoë Müller" in table.text
        late = await saved(client, "spring-28", 2, file=cohort_file("spring-28", "mentorships: []\n"))
        assert "Somebody else has saved a version" in late.text
        again = await saved(client, "spring-28", 5, file=cohort_file("spring-28", "mentorships: []\n"))
        assert "version=5" in str(again.url)

        got = await client.get("/c/cohorts/spring-28/file/download?version=4")
        with zipfile.ZipFile(io.BytesIO(got.content)) as packed:
            assert sorted(packed.namelist()) == ["people.csv", "spring-28.yaml"]
            assert "Zoë" in packed.read("people.csv").decode()
        broken = await saved(client, "spring-28", 5, people=b"PK\x03\x04broken")
        assert broken.status_code == 422
        assert "no workbook that can be read" in broken.text
    async with web_env.database.session() as session:
        kept = list(await session.scalars(select(CohortFileRow).order_by(CohortFileRow.version)))
    assert [(row.version, row.by) for row in kept] == [(n, "coco") for n in range(1, 6)]
    lines, _ = await audit.look(web_env.database, AuditFilters(), most=100)
    assert {"begin_file", "save_file", "download_file"} <= {line.what for line in lines}
    assert "Zoë" not in repr(lines)


async def test_the_page_of_a_large_file_stays_small(web_env: WebEnv) -> None:
    """Tables for which there is no room are not put into fields, and only the first faults are listed."""
    rows = "".join(f"p{n};Person {n};p{n}@example.org;\r\n" for n in range(3000))
    people = f"id;name;email;place\r\n{rows}".encode()
    pairs_of = "".join(f"m{n};p{2 * n};p{2 * n + 1}\r\n" for n in range(1500))
    async with signed_in(web_env, "coco") as client:
        await client.post("/c/cohorts/new", data={"cohort": "large", "like": ""})
        page = await saved(
            client, "large", file=cohort_file("large"), people=people,
            pairs=f"key;mentor;mentees\r\n{pairs_of}".encode(),
        )  # fmt: skip
        plan = await client.get("/c/cohorts/large/file/plan")
        faulty = await saved(
            client, "large", 2, file=cohort_file("large"), people=people.replace(b"@example.org", b"")
        )
    assert "1,500 mentorships, 3,000 people" in page.text
    assert "3,001 lines. It is too long to be edited here" in page.text
    assert len(page.content) < 100 * 1024
    assert "This is the plan of the first 100 of 1500 mentorships" in plan.text
    assert "and 2,900 more" in faulty.text


@pytest.mark.parametrize("name", ["/etc/passwd", "../../../../../../etc/passwd", "..", "a/b.csv"])
async def test_a_table_is_never_a_file_of_the_server(web_env: WebEnv, name: str) -> None:
    async with signed_in(web_env, "coco") as client:
        await client.post("/c/cohorts/new", data={"cohort": "sly", "like": ""})
        page = (await saved(client, "sly", file=cohort_file("sly", f"people: {name}\n"))).text
    assert "`people` is a path here" in page
    assert "root" not in page


async def test_who_may_open_a_file(web_env: WebEnv) -> None:
    async with signed_in(web_env, "coco") as client:
        await client.post("/c/cohorts/new", data={"cohort": "mine", "like": ""})
        # A launched cohort without a kept file can be given one.
        assert "No file of this cohort is kept" in (await client.get("/c/cohorts/spring/file")).text
        assert (await client.get("/c/cohorts/other/file")).status_code == 403
        too_much = await client.post("/c/", content=b"x" * (BODY_BYTES + 1))
        assert too_much.status_code == 413
        too_much = await client.post(
            "/c/cohorts/mine/file", content=b"x", headers={"content-length": str(FILE_BODY_BYTES + 1)}
        )
        assert too_much.status_code == 413
    async with signed_in(web_env, granted=("administrator",)) as client:
        assert (await client.get("/c/cohorts/mine/file")).status_code == 200
    async with signed_in(web_env, granted=("reader",)) as client:
        assert (await client.get("/c/cohorts/mine/file")).status_code == 403
        assert (await client.get("/c/cohorts/new")).status_code == 403
    async with web_env.client() as client:
        response = await client.get("/c/cohorts/mine/file", follow_redirects=False)
        assert response.status_code == 303


async def test_a_draft_is_open_to_the_coordinators_whom_it_names(web_env: WebEnv) -> None:
    async with web_env.database.begin() as session:
        session.add(CohortPersonRow(cohort="spring", person="cai", role="deputy"))
    async with signed_in(web_env, "coco") as author, signed_in(web_env, "cai") as other:
        await author.post("/c/cohorts/new", data={"cohort": "ours", "like": ""})
        assert (await other.get("/c/cohorts/ours/file")).status_code == 403
        assert 'href="/c/cohorts/ours/file"' not in (await other.get("/c/cohorts/new")).text
        text = cohort_file("ours", "deputies: [{id: d, name: D, email: Cai@Example.org}]\nmentorships: []\n")
        await saved(author, "ours", file=text)
        assert 'href="/c/cohorts/ours/file"' in (await other.get("/c/cohorts/new")).text
        # Both edit version 2: the second is told, and both are kept.
        await saved(author, "ours", 2, file=text.replace("Uploaded in a browser", "By the author"))
        late = await saved(other, "ours", 2, file=text.replace("Uploaded in a browser", "By the deputy"))
        assert "Somebody else has saved a version while you were writing" in late.text
        assert "By the author" in (await other.get("/c/cohorts/ours/file?version=3")).text
        # Who is no longer named, and has saved nothing, is out; who has saved a version is not.
        await saved(author, "ours", 4, file=cohort_file("ours", "mentorships: []\n"))
        assert (await other.get("/c/cohorts/ours/file")).status_code == 200
    async with signed_in(web_env, granted=("reader",)) as client:
        assert (await client.get("/c/cohorts/ours/file")).status_code == 403


CALL = """\
apply:
  opens: 2027-04-12
  closes: 2027-04-30
wishes: {at_most: 3}
"""


async def test_the_rehearsal_shows_the_open_call_with_its_dates_mails_and_numbers(web_env: WebEnv) -> None:
    text = cohort_file("call-28", CALL, "2027-06-14").replace("program: formal", "program: open-call")
    async with signed_in(web_env, "coco") as client:
        await client.post("/c/cohorts/new", data={"cohort": "call-28", "like": ""})
        await saved(client, "call-28", file=text)
        page = unescape((await client.get("/c/cohorts/call-28/file/rehearsal")).text)
        without = (await client.get("/c/cohorts/call-28/file/rehearsal?version=1")).text
    checked = check(CohortTexts(text), "call-28", web_env.now, web_env.settings, runs=False)
    assert checked.loaded is not None
    gathering = rehearse(checked.loaded, now=web_env.now).report.gathering
    assert gathering is not None
    assert len(gathering.dates) > 4
    call = page.partition("The open call</h2>")[2].partition("Mails and tasks by week</h2>")[0]
    for due in gathering.dates:
        assert f'<th scope="row">{whole_day(due.on, "en")}</th><td>{due.what}</td>' in call
    for line in gathering.mails:
        assert f'<th scope="row">{line.what}</th>' in call
        assert f'<td class="number">{line.mails}</td><td class="number">{line.people}</td>' in call
    for what, count in gathering.counts:
        assert f"<li>{what}: {count}</li>" in call
    assert "The open call</h2>" not in without


async def test_a_form_is_worded_for_one_cohort(web_env: WebEnv) -> None:
    async with signed_in(web_env, "coco") as client:
        await client.post("/c/cohorts/new", data={"cohort": "words", "like": ""})
        await saved(client, "words", file=cohort_file("words", "mentorships: []\nparticipants: []\n"))
        page = (await client.get("/c/cohorts/words/wording?mail=check_in&format=one_to_one&role=mentee")).text
        assert "Uploaded in a browser" in (await client.get("/c/cohorts/words/wording/mail?mail=check_in")).text
        assert "/c/cohorts/words/wording/forms/check_in" in page
        path = "/c/cohorts/words/wording/forms/check_in"
        form = (await client.get(f"{path}?role=mentor")).text
        assert "I can help with what my mentee needs." in form
        written = unescape(form.partition('id="text" name="text"')[2].partition(">\n")[2].partition("</textarea>")[0])
        faulty = written.replace("when: {p_next: true}", "when: {p_nxt: true}")
        refused = await client.post(path, data={"text": faulty})
        line = faulty[: faulty.index("p_nxt")].count("\n") + 1
        assert refused.status_code == 422
        assert f"check_in.yaml, line {line}:" in refused.text
        assert "depends on `p_nxt`" in refused.text
        kept = await client.post(
            path, data={"text": written.replace("How often have you met", "How many times did you meet")}
        )
        assert "It is kept with version 3" in kept.text
        assert "How many times did you meet since 1 March?" in kept.text
        assert "belongs to this cohort" in kept.text
        with zipfile.ZipFile(io.BytesIO((await client.get("/c/cohorts/words/file/download")).content)) as packed:
            assert "forms/check_in.yaml" in packed.namelist()
        assert (await client.get("/c/cohorts/words/wording/forms/nothing")).status_code == 404
        shared = await client.post(path, data={"text": "", "drop": "1"})
        assert "is shared by all cohorts" in shared.text


async def test_an_erased_person_is_in_no_version(web_env: WebEnv) -> None:
    people = "participants:\n  - id: ada\n    name: Ada Lindqvist\n    email: ada@example.org\n"
    people += "  - {id: x, name: X, email: x@example.org}\n"
    table = "id,name,email\nada,Ada Lindqvist,ada@example.org\nben,Ben,ben@example.org\n"
    async with signed_in(web_env, "coco") as client:
        await client.post("/c/cohorts/new", data={"cohort": "next", "like": ""})
        await saved(client, "next", file=cohort_file("next", people), people=table)
    await erase(web_env.database, "ada", web_env.now, by="coco")
    async with web_env.database.session() as session:
        kept = await session.scalars(select(CohortFileRow).order_by(CohortFileRow.version))
        text = "".join(f"{row.file}{row.people}{row.pairs}" for row in kept)
    assert "Lindqvist" not in text
    assert "ada@example.org" not in text
    assert "{id: x, name: X, email: x@example.org}" in text
    assert "ben,Ben,ben@example.org" in text


def test_taking_a_person_out_of_texts() -> None:
    assert without_row("id;name\nu1;A\nu2;B\n", "u1") == "id;name\nu2;B\n"
    assert without_row("", "u1") == ""
    assert "Former participant" in without_entry("deputies: [{id: u1, name: A, email: a@b.c}]\n", "u1")
    assert "erased" in without_entry("u1: [broken", "u1")


# -- with Temporal: launched from a browser -------------------------------------------------------------------------


@dataclass
class Installation:
    """A running installation with its pages."""

    cli: CliEnv
    url: str
    env: WebEnv


@asynccontextmanager
async def served(cli: CliEnv) -> AsyncIterator[Installation]:
    """The pages of an installation, on loopback."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = cli.settings.model_copy(update={"public_url": url})
        env = WebEnv(cli.database, settings)
        env.app = create_app(settings, cli.database, env.tell, lambda: now_of(settings), None, cli.client)
        running = server(env.app, settings)
        task = asyncio.create_task(running.serve(sockets=[listening]))
        try:
            yield Installation(cli, url, env)
        finally:
            running.should_exit = True
            await task


async def staff_of(cli: CliEnv, cohort: str) -> set[str]:
    """Who coordinates a cohort, or stands in."""
    async with cli.database.session() as session:
        return set(await session.scalars(select(CohortPersonRow.person).where(CohortPersonRow.cohort == cohort)))


async def test_a_coordinator_launches_a_cohort_from_an_uploaded_csv(
    browser: Browser,
    cli_env: CliEnv,  # noqa: F811
    tmp_path: Path,
) -> None:
    first = tmp_path / "config" / "cohorts" / "upfirst.yaml"
    first.parent.mkdir(parents=True)
    people = "participants:\n" + "".join(
        f"  - {{id: f{n}, name: F {n}, email: f{n}@first.example}}\n" for n in (1, 2)
    )
    first.write_text(cohort_file("upfirst", people + PAIR, START))
    launched = await cli_env.mentorship("launch", str(first), "--yes")
    assert launched.code == 0, launched.err
    (tmp_path / "people.csv").write_bytes(PEOPLE.encode("cp1252"))
    (tmp_path / "wrong.xlsx").write_bytes(pairs(("m1", "u1", "u2"), ("m2", "u3", "u9")))
    (tmp_path / "pairs.xlsx").write_bytes(pairs(("m1", "u1", "u2"), ("m2", "u3", "u2")))

    found: list[str] = []
    async with served(cli_env) as installation:
        context = await browser.new_context(viewport={"width": 320, "height": 640}, base_url=installation.url)
        page = await context.new_page()
        await page.goto(await printed_link(installation.env, "boss"))
        await page.click("main button")
        # What was launched from the command line is known here, with its text.
        await page.goto("/c/cohorts/upfirst/file")
        assert "launched" in (await page.locator(".lead").inner_text())
        assert "f1@first.example" in await page.input_value("#file")

        await page.goto("/c/cohorts/new")
        found += await violations(page, "new")
        await page.fill("#cohort", "uploaded")
        await page.check("#like-upfirst")
        await page.click("main button")
        assert "cohort: uploaded" in await page.input_value("#file")
        await page.fill("#file", cohort_file("uploaded", "", START))
        for part, name in (("people", "people.csv"), ("pairs", "wrong.xlsx")):
            await page.locator(f"details:has(#{part}_upload) > summary").click()
            await page.set_input_files(f"#{part}_upload", tmp_path / name)
        await page.click("text=Save and check")
        assert "no participant `u9`" in await page.locator(".error-summary").inner_text()
        await page.click(".error-summary a")
        assert "u9" in await page.locator(".wrong-line code").inner_text()
        found += await violations(page, "faults")
        await page.set_input_files("#pairs_upload", tmp_path / "pairs.xlsx")
        await page.click("text=Save and check")
        assert "2 mentorships, 3 people" in await page.locator(".done").inner_text()
        found += await violations(page, "file")

        await page.click("text=Who gets what when")
        assert "Zoë Müller" in await page.inner_text("table")
        found += await violations(page, "plan")
        await page.go_back()
        await page.click("text=Rehearse a season")
        assert await page.locator("svg.season-chart rect").count() > 10
        found += await violations(page, "rehearsal")
        await page.go_back()
        await page.click("text=See what launching it does")
        assert "2 mentorships start" in await page.inner_text("main")
        found += await violations(page, "launch")
        async with cli_env.database.session() as session:
            assert await session.get(MentorshipRow, ("uploaded", "m1")) is None, "seeing does nothing"
        await page.fill("#why", "It is time")
        await page.click("text=Launch version")
        assert "is launched" in await page.inner_text("h1")
        found += await violations(page, "launched")

        async def runs() -> bool:
            async with cli_env.database.session() as session:
                rows = await session.scalars(select(MentorshipRow.state).where(MentorshipRow.cohort == "uploaded"))
                return list(rows) == ["running", "running"]

        await cli_env.until(runs)
        await page.goto("/c/cohorts/uploaded/file/launch")
        assert "nothing to do" in await page.inner_text("main")

        # The downloaded file on disk is the same file: launching it changes nothing, and makes no new version.
        async with signed_in(installation.env, "boss") as client:
            got = await client.get("/c/cohorts/uploaded/file/download")
            stale = await client.post("/c/cohorts/uploaded/file/launch", data={"version": "3", "mark": "old"})
        assert stale.status_code == 409
        assert "look again" in stale.text
        folder = tmp_path / "disk" / "cohorts"
        folder.mkdir(parents=True)
        with zipfile.ZipFile(io.BytesIO(got.content)) as packed:
            packed.extractall(folder)
        same = await cli_env.mentorship("launch", str(folder / "uploaded.yaml"), "--yes")
        assert same.code == 0, same.err
        assert "launched from a browser" not in same.out
        (folder / "uploaded.yaml").write_text((folder / "uploaded.yaml").read_text() + "# edited\n")
        edited = await cli_env.mentorship("launch", str(folder / "uploaded.yaml"), "--dry-run")
        assert "launched from a browser as version" in edited.out

        # Who coordinates is changed after a fresh sign-in only.
        async with signed_in(installation.env, "boss") as client:
            text = (await client.get("/c/cohorts/uploaded/file")).text
            based_on = re.findall(r'name="based_on" value="(\d+)"', text)[0]
            more = "deputies:\n  - {id: vice, name: Vi Lund, email: vice@coordinators.example}\n"
            shown = unescape(text.partition('id="file" name="file"')[2].partition(">")[2].partition("</textarea>")[0])
            await client.post(
                "/c/cohorts/uploaded/file", data={"based_on": based_on, "file": shown.lstrip("\n") + more}
            )
            seen = await client.get("/c/cohorts/uploaded/file/launch")
            typed = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', seen.text))
            at_first = installation.env.app
            settings, database = installation.env.settings, cli_env.database
            installation.env.app = create_app(
                settings, database, installation.env.tell, lambda: now_of(settings), None, cli_env.client,
                lambda: datetime.now(UTC) + timedelta(minutes=40),
            )  # fmt: skip
            async with installation.env.client() as later:
                later.cookies.update(client.cookies)
                stale = await later.post("/c/cohorts/uploaded/file/launch", data=typed)
            installation.env.app = at_first
            assert (stale.status_code, "Sign in again" in stale.text) == (403, True)
            assert (await staff_of(cli_env, "uploaded")) == {"boss"}
            fresh = await client.post("/c/cohorts/uploaded/file/launch", data=typed)
            assert fresh.status_code == 200, fresh.text
            assert (await staff_of(cli_env, "uploaded")) == {"boss", "vice"}

        # Another wording of a form, for mentorships that run: they adopt it.
        form = "/c/cohorts/uploaded/wording/forms/closure"
        await page.goto(form)
        found += await violations(page, "a form")
        await page.fill("#text", (await page.input_value("#text")).replace("Looking back", "Looking back together"))
        await page.click("text=Save and check")
        assert "until they adopt these" in await page.locator(".done").inner_text()
        await page.goto("/c/cohorts/uploaded/wording?mail=closure")
        found += await violations(page, "wording")
        change = await change_of(
            cli_env.database, cli_env.settings, act_of("adopt"), {}, [("uploaded", "m1")], now_of(cli_env.settings)
        )
        assert change.each is not None
        assert change.each["uploaded", "m1"].says == ("form closure: other words",)
        await context.close()
    assert found == []
    lines, _ = await audit.look(cli_env.database, AuditFilters(), most=200)
    launches = [line for line in lines if line.what == "launch" and line.cohort == "uploaded"]
    assert ("boss", "It is time") in [(line.by, line.reason) for line in launches if line.result != "refused"]
