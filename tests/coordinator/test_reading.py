"""Task, mentorship, person and mail pages, on a season that was played: who reads what, and what is decided."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select, update

from lifecycle.events import Extend
from operations import plans
from operations.mentorships.dry_run import state_of
from operations.plan_runner import PlanRunner
from operations.plans import Choice
from runtime.temporal import send
from store.columns import public_id
from store.tables import AuditRow, CohortPersonRow, EventRow, ItemRow, ParticipantRow, TaskRow
from testing.cohorts.all_cases import POST
from testing.cohorts.cases import SECRET_WORD
from testing.environments.coordinator_env import signed_in
from testing.environments.engine import Engine
from testing.environments.web_env import WebEnv, web_env_of
from testing.seasons.played_season import logs_kept
from testing.seasons.waiting_tasks import COORDINATOR, NAME, WAITING, season

PAGES = "https://pages.test"
SAFETY = f"{NAME}/S/task.safety#1"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def played(tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path) -> AsyncIterator[Engine]:
    """The season, played once for this module, with its engine still running."""
    folder = tmp_path_factory.mktemp("waiting")
    shutil.copy(_sqlite_template, folder / "season.db")
    async with season(folder, f"sqlite+aiosqlite:///{folder / 'season.db'}") as engine:
        yield engine


@pytest.fixture
def env(played: Engine) -> WebEnv:
    """The pages in front of it."""
    env = web_env_of(played.database, PAGES)
    env.now = played.now
    return env


@pytest_asyncio.fixture
async def cora(env: WebEnv) -> AsyncIterator[httpx.AsyncClient]:
    """The coordinator of the season, signed in."""
    async with signed_in(env, COORDINATOR) as client:
        yield client


def key_of(mentorship: str) -> str:
    """The key of the task that waits in a mentorship."""
    return f"{NAME}/{mentorship}/task.{WAITING[mentorship]}#1"


def path_of(mentorship: str) -> str:
    """The path of the task that waits in a mentorship."""
    return f"/c/tasks/{public_id(key_of(mentorship))}"


def page_of(mentorship: str) -> str:
    """The path of a mentorship's page."""
    return f"/c/cohorts/{NAME}/mentorships/{mentorship}"


TOLD = {
    "H": "H-Mentee Quillfeather on “Would you like a coordinator to get in touch?”: <strong>Yes</strong>",
    "H-private": "<strong>Yes, and please keep it between us</strong>",
    "L": "L-Mentor Quillfeather on “We can be frank with each other.”: <strong>2 of 5</strong>",
    "L-before-Z1": "“I take something useful away from our meetings.”: <strong>1 of 5",
    "N3-inactive": "Nobody has answered yet. Asked:",
    "S": "What a report says is for those alone to whom the task went: Cora Quillfeather",
    "Z2": "How often have you met since the time before?”: <strong>Not at all</strong>",
    "continue-leave": "“How shall it go on for the rest?”: <strong>I&#39;d like another partner</strong>",
    "fit-else": "<strong>I&#39;d rather have someone else, no offence meant</strong>",
    "fit-word": "<strong>I&#39;d like a word with a coordinator (private)</strong>",
    "left": "Somebody has withdrawn",
    "no-draft": "Nobody has drafted an agreement yet.",
}
"""Mentorship to what the page of its task says of the answers behind it."""


@pytest.mark.parametrize("mentorship", WAITING)
async def test_the_page_of_a_task_says_what_was_answered_and_what_each_decision_does(
    cora: httpx.AsyncClient, played: Engine, mentorship: str
) -> None:
    page = await cora.get(path_of(mentorship))
    assert page.status_code == 200
    assert TOLD[mentorship] in page.text
    async with played.database.session() as session:
        task = await session.get_one(TaskRow, key_of(mentorship))
    offered = re.findall(r'name="decision" value="(\w+)"', page.text)
    assert offered == [name for name in task.decisions if name != "correct"]
    if "pause" in offered:
        assert "Nothing goes out and nothing falls due meanwhile." in page.text
    if "end" in offered:
        assert re.search(r"End: <del>|The mentorship is over at once", page.text)


ON_THE_FIRST_PAGE = {
    "H": "Would you like a coordinator to get in touch?”: <em>Yes</em>",
    "L": 'We can be frank with each other.”: <em class="low">2 of 5</em>',
    "L-before-Z1": 'I take something useful away from our meetings.”: <em class="low">1 of 5</em>',
    "continue-leave": "How shall it go on for the rest?”: <em>I&#39;d like another partner",
    "fit-else": "<em>I&#39;d rather have someone else, no offence meant</em>",
    "fit-word": "<em>I&#39;d like a word with a coordinator (private)</em>",
}
"""Mentorship to the answer that stands under its task on the first page: what opened it, whatever came later."""


async def test_the_first_page_shows_the_answers_that_opened_the_tasks(cora: httpx.AsyncClient) -> None:
    page = (await cora.get("/c/")).text
    cards = page.split("<article")[1:]
    found = {one: next(card for card in cards if path_of(one) in card) for one in WAITING}
    for mentorship, said in ON_THE_FIRST_PAGE.items():
        assert said in found[mentorship], (mentorship, found[mentorship])
    assert SECRET_WORD not in found["S"]


async def test_the_link_of_a_mail_says_nothing_and_leads_to_the_task_by_way_of_signing_in(
    env: WebEnv, cora: httpx.AsyncClient, played: Engine
) -> None:
    paths = {
        path
        for mail in played.sink.mails_to(f"{COORDINATOR}@{POST}")
        for path in re.findall(r"/c/tasks/[a-z0-9]+", mail.text)
    }
    assert len(paths) == len(WAITING)
    path = path_of("S")
    assert path in paths
    async with env.client() as stranger:
        asked = await stranger.get(path)
        assert (asked.url.path, asked.url.params["next"]) == ("/c/sign-in", path)
    shown = await cora.get(path)
    assert shown.url.path == path
    assert "A report needs you today" in shown.text
    assert (await cora.get("/c/tasks/abcdefghijkl2345")).status_code == 403


async def test_a_session_that_ended_comes_back_to_the_same_task(env: WebEnv) -> None:
    path = path_of("L")
    async with env.client() as stranger:
        asked = await stranger.get(path)
    assert asked.url.params["next"] == path


async def test_what_a_report_says_is_shown_once_opened_and_that_is_in_the_audit(
    cora: httpx.AsyncClient, played: Engine
) -> None:
    path = path_of("S")
    assert SECRET_WORD not in (await cora.get(path)).text
    assert "p_word" not in (await cora.get(page_of("S"))).text.partition("It is about safety")[2]
    opened = await cora.post(path, data={"act": "open"})
    assert "It is about safety or conduct" in opened.text
    assert SECRET_WORD in opened.text
    async with played.database.session() as session:
        rows = (await session.scalars(select(AuditRow).where(AuditRow.what == "concern opened"))).all()
        noted = await session.scalars(select(EventRow).where(EventRow.name == "concern_opened"))
        assert [(event.by, event.detail) for event in noted] == [(COORDINATOR, SAFETY)]
    assert [(row.by, row.proof, row.ids) for row in rows] == [(COORDINATOR, "printed_link", [SAFETY])]


async def test_whom_a_report_names_sees_neither_it_nor_that_there_is_one(
    env: WebEnv, cora: httpx.AsyncClient, played: Engine
) -> None:
    """The items of the task say who was told; the one whom it names was not."""
    async with played.database.begin() as session:
        told = ItemRow.task == SAFETY, ItemRow.person == COORDINATOR
        await session.execute(update(ItemRow).where(*told).values(person="d1"))
    try:
        assert (await cora.get(path_of("S"))).status_code == 404
        assert (await cora.post(path_of("S"), data={"act": "open"})).status_code == 404
        page = (await cora.get(page_of("S"))).text
        for word in ("report", "concern", "safety", "held"):
            assert word not in page.lower().partition("<main")[2], word
        mails = re.findall(r"/mails/(\w+)", page)
        for mail in mails:
            assert "report" not in (await cora.get(f"{page_of('S')}/mails/{mail}")).text
    finally:
        async with played.database.begin() as session:
            moved = ItemRow.task == SAFETY, ItemRow.key.contains(f"/{COORDINATOR}/")
            await session.execute(update(ItemRow).where(*moved).values(person=COORDINATOR))


async def test_the_story_opens_the_mails_as_they_were_sent_without_links_that_let_somebody_in(
    cora: httpx.AsyncClient,
) -> None:
    page = (await cora.get(page_of("L"))).text
    mails = re.findall(r'href="(/c/cohorts/[^"]+/mails/\w+)"', page)
    assert len(mails) >= 6
    for mail in mails:
        shown, body = await cora.get(mail), await cora.get(f"{mail}/body")
        assert shown.status_code == body.status_code == 200
        assert "frame-src 'self'" in shown.headers["content-security-policy"]
        assert body.headers["content-security-policy"].startswith("sandbox ")
        assert body.headers["x-frame-options"] == "SAMEORIGIN"
        for text in (shown.text, body.text):
            assert not re.search(r"/(f|me|stop|address)/[\w.-]{8,}", text)


async def test_the_agreement_stays_with_the_pair(cora: httpx.AsyncClient) -> None:
    """Coordinators see versions, rhythm and titles of goals, and no mail that holds the document."""
    page = (await cora.get(page_of("in-a-group"))).text
    assert "Version 1, by" in page
    assert "The rest of the agreement belongs to the pair." in page
    for question in ("a_purpose", "a_offer", "a_last"):
        assert f"{question}: {SECRET_WORD}" not in page
    withheld = 0
    for mail in re.findall(r'href="(/c/cohorts/[^"]+/mails/\w+)"', page):
        shown = (await cora.get(mail)).text
        assert f"a_purpose: {SECRET_WORD}" not in shown + (await cora.get(f"{mail}/body")).text
        withheld += "belongs to the pair or to one person" in shown
    assert withheld


async def test_nothing_of_answers_notes_or_names_is_logged_or_leaves_by_a_referrer(
    cora: httpx.AsyncClient,
) -> None:
    with logs_kept() as logs:
        await cora.post(page_of("D-met-not-there"), data={"text": "Canary note"})
        pages = [
            await cora.get(path)
            for path in (path_of("L"), page_of("L"), page_of("in-a-group"), "/c/people/L-mentee", "/c/people/nobody")
        ]
        pages += [await cora.post(path_of("S"), data={"act": "open", "why": "Canary why"})]
        pages += [await cora.post(page_of("L"), data={"text": "x" * 3000 + "Canary note", "about": "L-mentee"})]
    assert {page.headers["referrer-policy"] for page in pages} == {"no-referrer"}
    assert {page.headers["cache-control"] for page in pages} == {"no-store"}
    said = "\n".join(logs)
    assert "c_task" in said
    for secret in (SECRET_WORD, "Quillfeather", "Canary", POST, "L-mentee", "/c/"):
        assert secret not in said, secret


async def test_a_note_is_written_shown_and_removed(cora: httpx.AsyncClient, played: Engine) -> None:
    page = page_of("D-open")
    typed = {"text": "Canary: both are away.", "about": "D-open-mentee", "submission_id": "a-submission-1"}
    await cora.post(page, data=typed)
    shown = await cora.post(page, data=typed)
    assert shown.text.count("Canary: both are away.") == 1
    [note] = re.findall(r'name="remove" value="(\w+)"', shown.text)
    refused = await cora.post(page, data={"text": " "})
    assert (refused.status_code, "a note needs some text" in refused.text) == (400, True)
    assert "Canary" not in (await cora.post(page, data={"remove": note})).text
    async with played.database.session() as session:
        rows = (await session.scalars(select(AuditRow).where(AuditRow.what == "note").order_by(AuditRow.id))).all()
    assert [row.result for row in rows][-1] == "removed"
    assert "Canary" not in str([(row.ids, row.reason, row.result) for row in rows])


async def test_the_download_of_what_is_held_passes_the_same_table(cora: httpx.AsyncClient, played: Engine) -> None:
    held = await cora.get("/c/people/in-a-group-mentee/data")
    assert held.headers["content-type"] == "application/json"
    assert f"a_purpose: {SECRET_WORD}" not in held.text
    forms = {form["ask"]: form for form in held.json()["answers"]}
    assert {"invitation", "check_in"} <= forms.keys()
    async with played.database.session() as session:
        row = await session.scalar(select(AuditRow).where(AuditRow.what == "personal data"))
    assert row is not None
    assert (row.by, row.ids, row.result) == (COORDINATOR, ["in-a-group-mentee"], "download")


async def test_a_reader_sees_how_it_goes_and_nothing_that_somebody_wrote(env: WebEnv, played: Engine) -> None:
    async with played.database.begin() as session:
        session.add(ParticipantRow(id="rita", name="Rita Reader", email="rita@example.org", zone="Europe/Berlin"))
        await session.flush()
        session.add(CohortPersonRow(cohort=NAME, person="rita", role="reader"))
    async with signed_in(env, "rita") as rita:
        for mentorship in ("L", "S", "in-a-group"):
            page = await rita.get(page_of(mentorship))
            assert page.status_code == 200
            for secret in (SECRET_WORD, "2 of 5", "@vexmail", "report", "/mails/"):
                assert secret not in page.text.partition("<main")[2], secret
        for path in (path_of("L"), "/c/people/L-mentee", f"{page_of('L')}/mails/abc"):
            assert (await rita.get(path)).status_code == 403
        assert (await rita.post(page_of("L"), data={"text": "x"})).status_code == 403


async def test_an_administrator_without_the_cohort_reads_no_answers(env: WebEnv) -> None:
    async with signed_in(env, granted=("administrator",)) as operator:
        page = await operator.get(page_of("L"))
        assert page.status_code == 200
        assert SECRET_WORD not in page.text
        assert (await operator.get(path_of("L"))).status_code == 403


async def test_a_decision_is_taken_with_one_confirmation_and_leads_to_the_next_task(
    played: Engine, env: WebEnv
) -> None:
    """Last in this file: it changes the season."""
    acting = web_env_of(played.database, PAGES, client=played.client)
    acting.now = played.now
    async with signed_in(acting, COORDINATOR) as client:
        path = path_of("L")
        page = (await client.get(path)).text
        [based_on] = re.findall(r'name="based_on" value="(\d+)"', page)
        stale = await client.post(path, data={"act": "decide", "decision": "noted", "based_on": "999"})
        assert (stale.status_code, "changed since this page was made" in stale.text) == (409, True)
        typed = {"act": "decide_next", "decision": "noted", "why": "Spoke to both.", "based_on": based_on}
        then = await client.post(path, data=typed)
        assert then.status_code == 200
        assert "Decided: Noted." in then.text
        assert then.url.path != path
        again = await client.post(path, data=typed | {"decision": "end"})
        assert (again.status_code, "this task is closed: noted" in again.text) == (409, True)
        assert "Spoke to both." in (await client.get(path)).text
    async with played.database.session() as session:
        row = await session.scalar(select(AuditRow).where(AuditRow.what == "decide", AuditRow.reason != ""))
    assert row is not None
    assert (row.by, row.proof, row.ids, row.reason) == (COORDINATOR, "printed_link", [key_of("L")], "Spoke to both.")


async def test_without_temporal_the_pages_read_and_a_decision_says_that_nothing_was_done(
    cora: httpx.AsyncClient,
) -> None:
    path = path_of("Z2")
    [based_on] = re.findall(r'name="based_on" value="(\d+)"', (await cora.get(path)).text)
    said = await cora.post(path, data={"act": "decide", "decision": "noted", "based_on": based_on})
    assert (said.status_code, "nothing was done" in said.text) == (503, True)


async def test_of_two_coordinators_at_one_task_one_decides_and_the_other_sees_who_and_what(played: Engine) -> None:
    settings, now = played.settings, played.now
    made: list[plans.Plan] = []
    for by, decision in ((COORDINATOR, "noted"), ("another", "noted"), ("a third", "end")):
        choice = Choice("decide", {"decision": decision}, subject=key_of("H"), cohort=NAME)
        made.append(await plans.freeze(played.database, settings, choice, now, by=by, proof="mailed_link"))
    runner = PlanRunner(played.database, settings, played.client, lambda: played.now)
    for plan in made:
        seen = await plans.see(played.database, settings, played.client, plan, now)
        assert not seen.refused
    for plan in made:
        assert await plans.confirm(played.database, plan, now, by=plan.by, proof="mailed_link")
        await runner.run(plan.id)
    lines = [(await plans.result_lines(played.database, plan))[0] for plan in made]
    assert [line.outcome for line in lines] == ["done", "done_before", "refused"]
    assert [line.changed.get("by", "") for line in lines] == ["", COORDINATOR, COORDINATOR]
    assert lines[2].changed["what"] == "noted"


async def test_a_plan_is_carried_out_by_workflows_on_exactly_those_that_were_shown(played: Engine) -> None:
    refs = [(NAME, key) for key in ("D-open", "L", "Z2")]
    choice = Choice("extend", {"weeks": "2"}, refs, cohort=NAME)
    plan = await plans.freeze(
        played.database, played.settings, choice, played.now, by=COORDINATOR, proof="mailed_link"
    )
    before = {key: await state_of(played.client, NAME, key) for _, key in refs}
    await send(played.client, NAME, "L", Extend("meanwhile", 1, "somebody"))
    await plans.confirm(played.database, plan, played.now, by=COORDINATOR, proof="mailed_link")
    await PlanRunner(played.database, played.settings, played.client, lambda: played.now).run(plan.id)
    lines = {line.mentorship: line for line in await plans.result_lines(played.database, plan)}
    assert {key: line.outcome for key, line in lines.items()} == {"D-open": "done", "L": "refused", "Z2": "done"}
    for key, weeks in (("D-open", 2), ("L", 1), ("Z2", 2)):
        was, after = before[key], await state_of(played.client, NAME, key)
        assert was is not None
        assert after is not None
        assert (after.end - was.end).days == 7 * weeks, key
