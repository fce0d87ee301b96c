"""The page of a request in each of its states, and what every response promises. GET changes nothing, ever."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import structlog
from sqlalchemy import select

from store.tables import AnswerRow, DraftRow, EventRow, ItemRow, MentorshipRow, ParticipantRow, RequestRow
from testing.environments.web_env import BASE_URL, CLOSES_AT, COHORT, WebEnv, filled_in, hidden, send, web_env_of

CHECK_IN_STATES: list[tuple[str, dict[str, Any], str, int, str]] = [
    ("open", {}, "running", 200, "until the end of Thursday 15 April"),
    ("closed", {}, "running", 200, "The time for this form ran out on Thursday 15 April"),
    ("withdrawn", {}, "running", 200, "This form is no longer needed"),
    ("superseded", {}, "running", 200, "There is a newer version of this form"),
    ("closed", {}, "over", 200, "This mentorship is closed"),
    ("open", {"generation": 2}, "running", 404, "We don&#39;t know this address"),
]


@pytest.mark.parametrize(("state", "changes", "mentorship", "status", "words"), CHECK_IN_STATES)
async def test_each_state_has_a_page(
    web_env: WebEnv, state: str, changes: dict[str, Any], mentorship: str, status: int, words: str
) -> None:
    path = await web_env.ask("check_in", "ada")
    await web_env.change(RequestRow, {"person": "ada"}, state=state, **changes)
    await web_env.change(MentorshipRow, {"key": "pair"}, state=mentorship)
    async with web_env.client() as client:
        page = await client.get(path)
    assert page.status_code == status
    assert words.replace("&#39;", "'") in page.text.replace("&#39;", "'")
    assert ("<form" in page.text) == (
        (state == "open" and status == 200) or (state, mentorship) == ("closed", "running")
    )


async def test_an_answered_form_shows_what_was_answered_and_can_be_changed_until_the_close(web_env: WebEnv) -> None:
    path = await web_env.ask("check_in", "ada")
    async with web_env.client() as client:
        thanks = await send(client, path, await filled_in(web_env, path, p_word="All <b>good</b>"))
        assert thanks.request.url.path == f"{path}/thanks"
        assert "Thank you" in thanks.text
        page = (await client.get(path)).text
        assert "We have your answers" in page
        assert "All &lt;b&gt;good&lt;/b&gt;" in page
        assert "You can change them until the end of Thursday 15 April" in page
        form = (await client.get(f"{path}?change=1")).text
        assert "All &lt;b&gt;good&lt;/b&gt;</textarea>" in form
        await send(client, path, await filled_in(web_env, path, p_word="Better"), form)
        web_env.now = CLOSES_AT
        page = (await client.get(path)).text
    assert "Better" in page
    assert "You can still correct them" in page


async def test_a_replaced_request_leads_to_the_current_one(web_env: WebEnv) -> None:
    old = await web_env.ask("agreement", "ada", number=1)
    await web_env.change(RequestRow, {"person": "ada"}, state="superseded")
    new = await web_env.ask("agreement", "ada", number=2)
    async with web_env.client() as client:
        assert f'href="{new}"' in (await client.get(old)).text


async def test_a_scanner_that_opens_everything_five_times_changes_nothing(web_env: WebEnv) -> None:
    paths = [await web_env.ask(ask, "ada") for ask in ("invitation", "agreement", "check_in", "midpoint", "closure")]
    paths.append(await web_env.ask("are_you_there", "ada") + "?state=stopped")
    answered = await web_env.ask("check_in", "mia")
    paths += [answered, f"{answered}?change=1&more=p_away", f"/stop/{web_env.links.stop_token('ada', 1)}", "/"]
    async with web_env.client() as client:
        await send(client, answered, await filled_in(web_env, answered))
        links = set(paths)
        for path in paths:
            page = (await client.get(path)).text
            links |= set(re.findall(r'href="(/[^"#]*)"', page))
        links |= {f"{path.partition('?')[0]}/{end}" for path in paths for end in ("thanks", "saved")}
        before, told = await web_env.snapshot(), list(web_env.told)
        for link in links:
            for method in ("GET", "HEAD", "OPTIONS", "GET", "GET"):
                assert (await client.request(method, link)).status_code in (200, 404, 405), (method, link)
    assert len(links) > 20
    assert await web_env.snapshot() == before
    assert web_env.told == told


async def test_every_response_is_guarded(web_env: WebEnv) -> None:
    path = await web_env.ask("check_in", "ada")
    async with web_env.client() as client:
        pages = [await client.get(address) for address in (path, "/", "/f/x", "/healthz", "/nowhere")]
        pages.append(await client.post(path, data={}))
    for page in pages:
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert "noindex" in page.headers["x-robots-tag"]
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "<script" not in page.text
        assert " style=" not in page.text
        assert re.findall(r'(?:src|href)="(?:https?:)?//', page.text) == []


async def test_the_stylesheet_is_kept_for_ever_under_an_address_of_its_content(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        address = re.search(r'href="(/static/pages.css\?v=\w{12})"', (await client.get("/")).text)
        assert address is not None
        sheet = await client.get(address[1])
    assert "immutable" in sheet.headers["cache-control"]
    assert sheet.headers["content-type"].startswith("text/css")


async def test_unknown_changed_and_revoked_links_look_the_same(web_env: WebEnv) -> None:
    path = await web_env.ask("check_in", "ada")
    unknown = "/f/" + web_env.links.request_token("nobodyknowsthis1", 1)
    async with web_env.client() as client:
        pages = [await client.get(each) for each in (unknown, path[:-1] + "_", "/f/x", f"{unknown}/thanks")]
        pages += [await client.post(each, data={"p_met": "1"}) for each in (unknown, path[:-1] + "_")]
        await web_env.change(RequestRow, {"person": "ada"}, generation=2)
        pages.append(await client.get(path))
    assert {page.status_code for page in pages} == {404}
    assert len({page.text for page in pages}) == 1


async def test_faults_are_said_twice_in_the_same_words_and_what_was_typed_is_kept(web_env: WebEnv) -> None:
    path = await web_env.ask("check_in", "ada")
    typed = await filled_in(web_env, path, p_word="I typed this", p_next_on="nex tuesday") | {"p_met": []}
    typed["p_away.0.from"] = ["2027-05-09"]
    typed["p_away.0.to"] = ["2027-05-01"]
    async with web_env.client() as client:
        page = await send(client, path, typed)
    assert page.status_code == 422
    assert "<title>Error: Check-in" in page.text
    assert "There is a problem" in page.text
    found = re.findall(r'<li><a href="#(q-[^"]+)">([^<]+)</a></li>', page.text)
    assert [control for control, _ in found] == ["q-p_met", "q-p_next_on", "q-p_away.0.to"]
    for control, message in found:
        assert f'id="{control}"' in page.text
        assert page.text.count(message) == 2
    assert "I typed this</textarea>" in page.text
    assert 'type="text" id="q-p_next_on" name="p_next_on" value="nex tuesday"' in page.text
    assert re.search(r'id="q-p_next" value="yes" checked', page.text)
    assert "novalidate" in page.text


async def test_the_page_says_who_sees_it_how_long_it_takes_and_until_when(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        page = (await client.get(await web_env.ask("fit_check", "ada"))).text
    before_questions = page[: page.index("<form")]
    assert "For Ada L., mentee in Spring 2027" in before_questions
    assert "not you?" in before_questions
    assert "less than a minute" in before_questions
    assert "Only the coordinators see your answers" in before_questions
    assert "until the end of Thursday 15 April" in before_questions
    assert "Have you been in touch with Mia Okonkwo?" in page
    assert "mailto:coco@example.org" in page
    assert "ada@example.org" not in page


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("?f_fit=4", {"f_fit": "4"}),
        ("?q=4", {"f_fit": "4"}),
        ("?f_contact=met&f_fit=2", {"f_contact": "met", "f_fit": "2"}),
        ("?f_fit=unsure", {"f_fit": "unsure"}),
        ("?f_fit=9&f_action=%3Cscript%3E&nothing=1", {}),
        ("", {}),
    ],
)
async def test_a_click_in_the_mail_preselects(web_env: WebEnv, query: str, chosen: dict[str, str]) -> None:
    async with web_env.client() as client:
        page = (await client.get(await web_env.ask("fit_check", "ada") + query)).text
    assert dict(re.findall(r'name="([^"]+)" id="[^"]+" value="([^"]+)" checked', page)) == chosen
    assert await web_env.count(AnswerRow) == 0


@pytest.mark.parametrize(
    ("state", "button", "signal"),
    [("fine", "It's going fine", None), ("stuck", "We're stuck", "help"), ("stopped", "We've stopped", "stopped")],
)
async def test_three_links_lead_to_a_page_with_one_button(
    web_env: WebEnv, state: str, button: str, signal: str | None
) -> None:
    path = await web_env.ask("are_you_there", "ada")
    async with web_env.client() as client:
        page = (await client.get(f"{path}?state={state}")).text.replace("&#39;", "'")
        assert page.count("<button") == 1
        assert f">{button}</button>" in page
        assert web_env.told == []
        done = await client.post(path, data=hidden(page))
    assert "Thank you" in done.text
    assert [name for name in ("help", "stopped", "safety") if web_env.signals[0][name]] == (
        [signal] if signal else []
    )


async def test_back_and_send_again_is_the_same_thank_you(web_env: WebEnv) -> None:
    path = await web_env.ask("check_in", "ada")
    typed = await filled_in(web_env, path)
    async with web_env.client() as client:
        page = (await client.get(path)).text
        first, second = await send(client, path, typed, page), await send(client, path, typed, page)
        assert first.text == second.text
        third = await send(client, path, typed | {"p_met": ["0"]}, page)
        assert third.status_code == 409
        assert "We have your answers from before" in third.text
        assert 'id="q-p_met" value="0" checked' in third.text
        assert await web_env.count(AnswerRow) == 1
        await send(client, path, typed | {"p_met": ["0"]}, third.text)
    assert await web_env.count(AnswerRow) == 2


async def test_a_long_form_can_be_saved_and_finished_later(web_env: WebEnv) -> None:
    path = await web_env.ask("agreement", "ada")
    async with web_env.client() as client:
        page = (await client.get(path)).text
        assert "Save and finish later" in page
        saved = await client.post(
            path, data=hidden(page) | {"a_purpose": "Half a tho", "a_cadence": "?", "save": "1"}
        )
        assert "Saved, not sent" in saved.text
        resumed = (await client.get(path)).text
        assert "Half a tho</textarea>" in resumed
        assert "It has not been sent yet" in resumed
        assert await web_env.count(AnswerRow) == len(web_env.told) == 0
        assert "Save and finish later" not in (await client.get(await web_env.ask("fit_check", "ada"))).text


async def test_a_group_takes_one_more_entry_without_losing_the_others(web_env: WebEnv) -> None:
    path = await web_env.ask("agreement", "ada", "peers")
    typed = {f"a_goals.{number}.what": f"Goal {number}" for number in range(3)}
    async with web_env.client() as client:
        page = (await client.get(path)).text
        assert "a_goals.2.what" in page
        assert "a_goals.3.what" not in page
        page = (await client.post(path, data=hidden(page) | typed | {"more": "a_goals"})).text
        assert 'name="a_goals.3.what"' in page
        assert "Goal 2</textarea>" in page
        typed |= {"a_goals.3.what": "Goal 3"}
        await send(
            client, path, await filled_in(web_env, path) | {name: [text] for name, text in typed.items()}, page
        )
    goals = (await web_env.requested(path)).versions[0].body["a_goals"]
    assert [goal["what"] for goal in goals] == ["Goal 0", "Goal 1", "Goal 2", "Goal 3"]


async def test_a_draft_keeps_nothing_that_the_form_does_not_ask(web_env: WebEnv) -> None:
    path = await web_env.ask("agreement", "ada")
    async with web_env.client() as client:
        await client.post(path, data={"a_purpose": "x", "evil": "y", "a_goals.0.what": "z", "save": "1"})
    async with web_env.database.session() as session:
        body = await session.scalar(select(DraftRow.body))
    assert body == {"a_purpose": ["x"], "a_goals.0.what": ["z"]}


async def test_a_mentor_of_two_is_led_from_one_check_in_to_the_next(web_env: WebEnv) -> None:
    first, second = await web_env.ask("check_in", "mia"), await web_env.ask("check_in", "mia", "pair-2")
    async with web_env.client() as client:
        page = (await client.get(first)).text
        assert "This one is about Ada Lindqvist" in page
        assert f'<a href="{second}">Ben O&#39;Neill</a>' in page
        thanks = await send(client, first, await filled_in(web_env, first), page)
        assert f'<a class="button" href="{second}">' in thanks.text
        last = await send(client, second, await filled_in(web_env, second))
    assert "You can close this page" in last.text


async def test_an_invitation_names_no_partner(web_env: WebEnv) -> None:
    path, other = await web_env.ask("invitation", "ada"), await web_env.ask("invitation", "ada", "peers")
    async with web_env.client() as client:
        pages = (await client.get(path)).text
        pages += (await send(client, path, {"accept": ["yes"]})).text
    assert other in pages
    for partner in ("Mia", "Ben"):
        assert partner not in pages


async def test_a_safety_report_is_answered_with_what_happens_next(web_env: WebEnv) -> None:
    path = await web_env.ask("check_in", "ada")
    async with web_env.client() as client:
        assert "in danger now" in (await client.get(path)).text
        page = (await send(client, path, await filled_in(web_env, path, p_help="safety"))).text
    assert "Nobody tells your partner" in page
    assert "in danger now" in page


# -- what people send that they should not ---------------------------------------------------------------------------

NASTY = (
    '"><script>alert(1)</script>',
    "{{ 7 * 7 }}{% raw %}",
    "{partner} {since.__class__} %s %(x)s",
    "'; DROP TABLE answers; --",
    "=cmd|' /C calc'!A0",
    "a\x00b\u202ec\r\n\r\nBcc: evil@example.org",
    "🜁" * 50,
)


async def test_text_stays_text(both: WebEnv) -> None:
    async with both.client() as client:
        for number, text in enumerate(NASTY, start=1):
            await both.change(ParticipantRow, {"id": "mia"}, name=text.replace("\x00", ""))
            path = await both.ask("check_in", "ada", number=number)
            form = (await client.get(await both.ask("fit_check", "ada", number=number))).text
            thanks = await send(client, path, await filled_in(both, path, p_word=text))
            assert thanks.status_code == 200
            answered = (await client.get(path)).text
            faulty = (await client.post(path, data={"p_word": text, "p_next_on": text})).text
            for page in (form, answered, faulty):
                assert "<script" not in page
                assert "alert(1)<" not in page
                assert "49" not in re.sub(r'value="[^"]*"|\?v=\w+|\d{4}', "", page)
                assert "\x00" not in page
            kept = (await both.requested(path)).answer
            assert kept is not None
            assert kept.body["p_word"] == text.replace("\x00", "").replace("\u202e", "").replace("\r\n", "\n")


async def test_a_wish_for_two_thousand_fields_or_a_megabyte_is_refused(web_env: WebEnv) -> None:
    path = await web_env.ask("check_in", "ada")
    before = await web_env.snapshot()

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"p_word=" + b"x" * 50_000

    async with web_env.client() as client:
        declared = await client.post(path, data={"p_word": "x" * 600_000})
        headers = {"content-type": "application/x-www-form-urlencoded"}
        undeclared = await client.post(path, content=slowly(), headers=headers)
        fields = await client.post(path, data={f"f{number}": "1" for number in range(5000)})
        file = await client.post(path, files={"p_word": ("a.txt", b"x")})
        garbled = await client.post(path, content=b"--x", headers={"content-type": "multipart/form-data; boundary=x"})
    assert (declared.status_code, undeclared.status_code) == (413, 413)
    assert all(400 <= page.status_code < 500 for page in (fields, file, garbled))
    assert await web_env.snapshot() == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 422),
        ({"origin": BASE_URL}, 422),
        ({"origin": "null"}, 422),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, 422),
        ({"sec-fetch-site": "none"}, 422),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null", "sec-fetch-site": "cross-site"}, 403),
        ({"origin": BASE_URL, "sec-fetch-site": "same-site"}, 403),
    ],
)
async def test_answers_come_from_our_own_pages(web_env: WebEnv, headers: dict[str, str], status: int) -> None:
    path = await web_env.ask("check_in", "ada")
    async with web_env.client() as client:
        assert (await client.post(path, data={}, headers=headers)).status_code == status


async def test_no_token_no_name_and_no_answer_is_logged_even_when_everything_fails(web_env: WebEnv) -> None:
    path = await web_env.ask("check_in", "ada")
    secret = "something very private"
    with structlog.testing.capture_logs() as logs:
        async with web_env.client() as client:
            await client.get(path)
            await send(client, path, await filled_in(web_env, path, p_word=secret))
            web_env.deaf = True
            await send(client, path, await filled_in(web_env, path, p_word=secret))
            await client.get("/f/" + "x" * 40)
            await web_env.change(MentorshipRow, {"key": "pair"}, program_hash="gone")
            failed = await client.post(path, data={"p_word": secret})
    assert failed.status_code == 500
    assert "Sorry, something went wrong" in failed.text
    written = repr(logs)
    assert {"page": "form", "status": 500} in [{key: line.get(key) for key in ("page", "status")} for line in logs]
    for private in (path.removeprefix("/f/"), secret, "Ada", "ada", "x" * 40):
        assert private not in written


async def test_pages_below_a_path_behind_a_proxy_lead_to_each_other(web_env: WebEnv) -> None:
    below = web_env_of(web_env.database, "https://example.org/mentoring/")
    path = await below.ask("check_in", "ada")
    async with below.client() as client:
        page = await client.get(path)
        sent = await client.post(path, data=hidden(page.text) | await filled_in(below, path), follow_redirects=False)
    assert f'action="/mentoring{path}"' in page.text
    assert 'href="/mentoring/static/pages.css' in page.text
    assert sent.headers["location"] == f"/mentoring{path}/thanks"
    assert page.headers["strict-transport-security"] == "max-age=31536000"


async def test_health_and_readiness(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        assert (await client.get("/healthz")).text == "ok\n"
        assert (await client.get("/readyz")).status_code == 200


# -- the link that stops reminders -----------------------------------------------------------------------------------


async def notices(web_env: WebEnv) -> list[tuple[Any, ...]]:
    async with web_env.database.session() as session:
        found = await session.execute(
            select(ItemRow.person, ItemRow.kind, ItemRow.name, ItemRow.about, ItemRow.cohort)
        )
        return [tuple(row) for row in found]


@pytest.mark.parametrize("multipart", [False, True])
async def test_one_click_stops_reminders_and_tells_the_coordinators_once(both: WebEnv, multipart: bool) -> None:
    path = f"/stop/{both.links.stop_token('ada', 1)}"
    body: dict[str, Any] = (
        {"files": {"List-Unsubscribe": (None, "One-Click")}}
        if multipart
        else {"data": {"List-Unsubscribe": "One-Click"}}
    )
    headers = {"origin": "https://mail.example", "sec-fetch-site": "cross-site"}
    transport = httpx.ASGITransport(both.app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, follow_redirects=False) as client:
        for _ in range(3):
            answer = await client.post(path, headers=headers, **body)
            assert answer.status_code == 200
            assert len(answer.content) < 100
            assert "set-cookie" not in answer.headers
    async with both.database.session() as session:
        assert await session.scalar(select(ParticipantRow.reminders_stopped).where(ParticipantRow.id == "ada"))
        events = await session.execute(select(EventRow.name, EventRow.person, EventRow.at))
        assert [tuple(row) for row in events] == [("reminders_stopped", "ada", both.now)]
    assert await notices(both) == [("coco", "notice", "reminders_stopped", "ada", COHORT)]
    assert both.woken == [0]


async def test_the_page_of_the_stop_link_has_a_button(web_env: WebEnv) -> None:
    path = f"/stop/{web_env.links.stop_token('ada', 1)}"
    async with web_env.client() as client:
        page = await client.get(path)
        assert "Stop my reminders</button>" in page.text
        assert await notices(web_env) == []
        done = await client.post(path, data=hidden(page.text), headers={"accept": "text/html"})
        assert "The coordinators are told." in done.text
        assert "Your reminders are stopped" in (await client.get(path)).text


@pytest.mark.parametrize("how", ["unknown", "revoked", "erased", "changed", "of a request"])
async def test_a_stop_link_that_is_none_stops_nothing(web_env: WebEnv, how: str) -> None:
    token = web_env.links.stop_token("nobody" if how == "unknown" else "ada", 1)
    if how == "revoked":
        await web_env.change(ParticipantRow, {"id": "ada"}, generation=2)
    if how == "erased":
        await web_env.change(ParticipantRow, {"id": "ada"}, standing="erased")
    if how == "changed":
        token = token[:-1] + ("A" if token[-1] != "A" else "B")
    if how == "of a request":
        token = (await web_env.ask("check_in", "ada")).removeprefix("/f/")
    async with web_env.client() as client:
        assert (await client.get(f"/stop/{token}")).status_code == 404
        assert (await client.post(f"/stop/{token}")).status_code == 404
    assert await notices(web_env) == []


async def test_stopped_reminders_do_not_stop_answers(web_env: WebEnv) -> None:
    path = await web_env.ask("check_in", "ada")
    web_env.now += timedelta(days=1)
    async with web_env.client() as client:
        await client.post(f"/stop/{web_env.links.stop_token('ada', 1)}")
        done = await send(client, path, await filled_in(web_env, path))
    assert "Thank you" in done.text
