"""Messages from pages: written, looked at as each reader will see them, sent once, and what became of them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest
from sqlalchemy import select

from store.tables import AuditRow, ItemRow, MembershipRow, MentorshipRow
from testing.environments.coordinator_env import signed_in
from testing.environments.web_env import COHORT, WebEnv, hidden

PATH = f"/c/cohorts/{COHORT}/messages"


@pytest.fixture
async def coco(web_env: WebEnv) -> AsyncIterator[httpx.AsyncClient]:
    """The coordinator, signed in."""
    async with signed_in(web_env, "coco") as client:
        yield client


def words(page: httpx.Response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


async def written(client: httpx.AsyncClient, query: str = "", **typed: str) -> httpx.Response:
    """Write a message; the page that shows it before it is sent."""
    form = await client.get(f"{PATH}/new{query}")
    assert form.status_code == 200
    keys = re.findall(r'name="key" value="([^"]*)"', form.text)
    usual = {"subject": "An evening", "text": "Hello **all** <script>x</script>", "only": ""}
    sent = {**hidden(form.text), **usual, **typed}
    return await client.post(f"{PATH}/new", data={**sent, "key": keys})


async def items(web_env: WebEnv) -> dict[str, str]:
    async with web_env.database.session() as session:
        rows = await session.scalars(select(ItemRow).where(ItemRow.name == "message"))
        return {row.person: row.mentorship for row in rows}


async def test_write_look_send_and_see_what_became_of_it(web_env: WebEnv, coco: httpx.AsyncClient) -> None:
    assert "No message is written yet." in words(await coco.get(PATH))
    draft = await written(coco)
    assert draft.status_code == 200
    assert "It goes to 4 people. Nothing has gone out yet." in words(draft)
    assert "As Ada Lindqvist will see it" in words(draft)
    assert await items(web_env) == {}
    assert "Drafts 1 An evening Coco Marchetti" in words(await coco.get(PATH))
    assert "An evening" in words(await coco.get("/c/messages"))

    frame = await coco.get(f"{draft.url.path}/as/mia")
    assert "<strong" in frame.text
    assert "<script" not in frame.text
    assert (
        "sandbox" in frame.headers["content-security-policy"]
        or "script" not in frame.headers["content-security-policy"]
    )
    assert not re.search(r"/(me|stop|f)/", frame.text)
    assert not re.search(r"/(me|stop|f)/", draft.text)

    sent = await coco.post(draft.url.path, data=hidden_of(draft, "seen"))
    assert sent.status_code == 200
    assert "Sent on" in words(sent)
    assert "Ada Lindqvist Waits for the letterbox" in words(sent)
    assert set(await items(web_env)) == {"ada", "ben", "cai", "mia"}
    again = await coco.post(draft.url.path, data=hidden_of(draft, "seen"))
    assert again.status_code == 200
    assert len(await items(web_env)) == 4
    assert "Waiting 1 An evening" in words(await coco.get(PATH))
    async with web_env.database.session() as session:
        rows = list(await session.scalars(select(AuditRow).order_by(AuditRow.id)))
    assert [row.what for row in rows if "message" in row.what][:2] == ["write-message", "message"]
    assert not any("evening" in repr((row.ids, row.reason, row.result)) for row in rows)


def hidden_of(page: httpx.Response, name: str) -> dict[str, str]:
    [value] = set(re.findall(rf'name="{name}" value="([^"]*)"', page.text))
    return {name: value}


async def test_to_chosen_mentorships_and_to_one_person(web_env: WebEnv, coco: httpx.AsyncClient) -> None:
    draft = await written(coco, "?key=pair&key=reverse")
    assert "About 2 mentorships" in words(draft)
    assert "It goes to 2 people." in words(draft)
    await coco.post(draft.url.path, data=hidden_of(draft, "seen"))
    assert await items(web_env) == {"ada": "pair", "mia": "pair"}
    form = await coco.get(f"{PATH}/new?person=cai")
    assert 'value="cai"' in form.text
    draft = await written(coco, only="Cai Wu")
    assert "It goes to 1 person." in words(draft)


async def test_what_can_not_be_written_is_said_and_what_was_typed_stays(coco: httpx.AsyncClient) -> None:
    for typed, says in (
        ({"subject": ""}, "a message needs a subject"),
        ({"text": " "}, "a message needs some text"),
        ({"only": "nobody at all"}, "there is no person"),
    ):
        page = await written(coco, **typed)
        assert page.status_code == 422
        assert says in words(page)
        if "text" not in typed:
            assert "Hello **all**" in unescape(page.text)


async def test_it_is_looked_at_again_where_whom_it_reaches_has_changed(
    web_env: WebEnv, coco: httpx.AsyncClient
) -> None:
    draft = await written(coco, "?key=pair")
    await web_env.change(MembershipRow, {"person": "ada", "mentorship": "pair"}, standing="out")
    refused = await coco.post(draft.url.path, data=hidden_of(draft, "seen"))
    assert refused.status_code == 409
    assert "has changed since you looked" in words(refused)
    assert "It goes to 1 person." in words(refused)
    assert await items(web_env) == {}
    assert (await coco.post(draft.url.path, data={})).status_code == 409
    await web_env.change(MembershipRow, {"person": "mia", "mentorship": "pair"}, standing="out")
    assert "This draft reaches nobody" in words(await coco.get(draft.url.path))


async def test_a_draft_can_be_changed_and_discarded_and_the_same_form_twice_is_one_draft(
    web_env: WebEnv, coco: httpx.AsyncClient
) -> None:
    form = await coco.get(f"{PATH}/new")
    data = {**hidden(form.text), "subject": "One", "text": "Text", "only": ""}
    first, second = await coco.post(f"{PATH}/new", data=data), await coco.post(f"{PATH}/new", data=data)
    assert first.url == second.url
    edit = await coco.get(f"{first.url.path}/edit")
    changed = await coco.post(
        f"{first.url.path}/edit", data={**hidden(edit.text), "subject": "Two", "text": "Text", "only": "ada"}
    )
    assert changed.url == first.url
    assert "Two Draft" in words(changed)
    assert "It goes to 1 person." in words(changed)
    gone = await coco.post(f"{first.url.path}/discard")
    assert gone.url.path == PATH
    assert "No message is written yet." in words(gone)
    assert (await coco.get(first.url.path)).status_code == 404
    assert (await coco.post(first.url.path, data={"seen": "x"})).status_code == 404


async def test_a_pause_is_shown_as_what_keeps_it_back(web_env: WebEnv, coco: httpx.AsyncClient) -> None:
    await web_env.change(MentorshipRow, {"key": "pair"}, paused_until="2027-05-03")
    assert "When the pause is over" in words(await written(coco, "?key=pair"))


async def test_nobody_else_writes_or_reads_messages(web_env: WebEnv, coco: httpx.AsyncClient) -> None:
    draft = await written(coco)
    async with signed_in(web_env, granted=("administrator",)) as administrator:
        for path in (PATH, f"{PATH}/new", draft.url.path, f"{draft.url.path}/as/ada", f"{draft.url.path}/edit"):
            assert (await administrator.get(path)).status_code == 403, path
        for path in (f"{PATH}/new", draft.url.path, f"{draft.url.path}/edit", f"{draft.url.path}/discard"):
            assert (await administrator.post(path, data={"seen": "x"})).status_code == 403, path
    async with web_env.client() as nobody:
        assert (await nobody.post(draft.url.path, data=hidden_of(draft, "seen"))).status_code == 401
    assert await items(web_env) == {}
    for path in ("/c/cohorts/elsewhere/messages", draft.url.path.replace(COHORT, "elsewhere")):
        assert (await coco.get(path)).status_code == 403
