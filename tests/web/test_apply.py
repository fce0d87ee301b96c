"""The pages of an open call: any applicant, any address, and anybody who opens the links."""

from __future__ import annotations

import time
from dataclasses import replace

import httpx
import pytest

from store.people import applications
from store.tables import ApplicationRow, ItemRow, ParticipantRow
from testing.environments.open_call import (
    CLOSED,
    COHORT,
    FORM,
    OPEN,
    asked_only_with,
    launch_call,
    link_of,
    loaded_call,
    typed_application,
)
from testing.environments.web_env import WebEnv

ADA = ("Ada Quist", "ada.l@example.org")
PAGE = f"/apply/{COHORT}"


@pytest.fixture
async def call(both: WebEnv) -> WebEnv:
    """An open call, on both databases."""
    await launch_call(both.database, loaded_call(limit={"mentor": 1}))
    both.now = OPEN
    return both


def some_time_ago(env: WebEnv, cohort: str = COHORT) -> str:
    """What a page says that was served a minute ago."""
    return env.links.opened_token(cohort, int(time.time()) - 60)


async def send(
    env: WebEnv, client: httpx.AsyncClient, role: str, name: str, email: str, **more: str
) -> httpx.Response:
    fields = {"role": [role], "opened": [some_time_ago(env)], **{key: [value] for key, value in more.items()}}
    return await client.post(PAGE, data=typed_application(role, name, email) | fields)


async def states(env: WebEnv) -> dict[str, str]:
    async with env.database.session() as session:
        return {each.email: each.state for each in await applications.of_cohort(session, COHORT)}


async def mails(env: WebEnv) -> list[str]:
    return [row[0] for row in (await env.snapshot())["items"] if row[5] == COHORT]


async def test_an_application_counts_when_its_address_confirms_it(call: WebEnv) -> None:
    async with call.client() as client:
        first = await client.get(PAGE)
        assert "as=mentee" in first.text
        assert "the end of 31 January 2027" in first.text
        form = await client.get(f"{PAGE}?as=mentee")
        assert "What would you like to work on?" in form.text
        assert "How many mentees" not in form.text
        done = await send(call, client, "mentee", *ADA)
        assert done.url.path == f"{PAGE}/sent"
        assert "mailbox" in done.text
        assert call.woken
        assert await states(call) == {ADA[1]: "unconfirmed"}
        path = await link_of(call.database, call.links, ADA[1])
        for _ in range(2):  # a scanner opens links, and confirms nothing
            opened = await client.get(path)
            assert "Confirm my application" in opened.text
            assert await states(call) == {ADA[1]: "unconfirmed"}
        confirmed = await client.post(path, data={"act": "confirm"})
        assert "counts" in confirmed.text
        assert await states(call) == {ADA[1]: "confirmed"}
        await client.post(path, data={"act": "confirm"})
    assert await states(call) == {ADA[1]: "confirmed"}
    sent = [key.rpartition("/")[2] for key in await mails(call)]
    assert sorted(sent) == ["application_confirm.1", "application_yours.2"]


async def test_a_question_that_depends_on_another_is_asked_only_with_its_answer(both: WebEnv) -> None:
    form = asked_only_with(FORM, "easier", {"profession": "legal"})
    await launch_call(both.database, replace(loaded_call(), application=form))
    both.now = OPEN
    async with both.client() as client:
        page = (await client.get(f"{PAGE}?as=mentee")).text
        assert page.count('data-when="1"') == page.count('data-opens="1"') == 1
        assert "It is asked only with “Law”" in page
        other = await send(both, client, "mentee", *ADA)
        assert other.url.path == f"{PAGE}/sent", "who works elsewhere is not asked"
        typed = {"profession": "legal"}
        missing = await send(both, client, "mentee", "Ben Osei", "ben@example.org", **typed)
        assert missing.status_code == 422
        assert 'href="#q-easier"' in missing.text
        unasked = await send(both, client, "mentee", "Ben Osei", "ben@example.org", easier="A walk.")
        assert unasked.status_code == 422, "what was typed is not dropped unseen"
        assert "A walk." in unasked.text
        taken = await send(both, client, "mentee", "Ben Osei", "ben@example.org", **typed, easier="A walk.")
        assert taken.url.path == f"{PAGE}/sent"
        path = await link_of(both.database, both.links, "ben@example.org")
        await client.post(path, data={"act": "confirm"})
        assert 'data-when="1"' in (await client.get(path)).text, "and so on the page to change it"
    async with both.database.session() as session:
        found = {each.email: each.body for each in await applications.of_cohort(session, COHORT)}
    assert "easier" not in found[ADA[1]]
    assert found["ben@example.org"]["easier"] == "A walk."


async def test_every_address_gets_the_same_page_and_only_the_mailbox_learns_more(call: WebEnv) -> None:
    async with call.client() as client:
        new = await send(call, client, "mentee", *ADA)
        path = await link_of(call.database, call.links, ADA[1])
        await client.post(path, data={"act": "confirm"})
        again = await send(call, client, "mentor", "Mallory", ADA[1].upper())
        # mia takes part in another cohort of this database
        known = await send(call, client, "mentee", "Somebody Else", "mia@example.org")
    assert new.text == again.text == known.text
    assert new.status_code == again.status_code == known.status_code
    async with call.database.session() as session:
        ada = await applications.of_address(session, COHORT, ADA[1])
        mia = await applications.of_address(session, COHORT, "mia@example.org")
    assert ada is not None
    assert (ada.role, ada.person_name, ada.state) == ("mentee", ADA[0], "confirmed")
    assert mia is not None
    assert mia.person == "mia"
    assert mia.person_name == "Mia Okonkwo"
    assert await call.count(ApplicationRow) == 2


async def test_an_address_gets_few_mails_however_often_it_is_typed(call: WebEnv) -> None:
    async with call.client() as client:
        for _ in range(5):
            assert (await send(call, client, "mentee", *ADA)).status_code == 200
    assert len(await mails(call)) == 3
    assert await call.count(ApplicationRow) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"email": "ada@elsewhere.example"}, "Use an address that ends in @example.org"),
        ({"email": "nobody"}, "such as name@example.org"),
        ({"homepage": "http://robot.example"}, "keep programs out"),
        ({"opened": "forged"}, "open for a long time"),
        ({"opened": "now"}, "very quick"),
        ({"name": "http://spam.example"}, "Write your name only"),
        ({"name": ""}, "Write an answer under"),
        ({"offers": ["data"] * 1000 + ["<b>nothing</b>"]}, "Choose among the answers listed"),
        ({"wants.0.tag": "no such tag"}, "Choose one of the answers"),
    ],
)
async def test_what_is_wrong_is_said_at_its_place_and_nothing_is_lost(
    web_env: WebEnv, changes: dict[str, str | list[str]], words: str
) -> None:
    await launch_call(web_env.database, loaded_call(domains=["example.org"]))
    web_env.now = OPEN
    fields = typed_application("both", *ADA) | {"role": ["both"], "opened": [some_time_ago(web_env)]}
    fields |= {key: value if isinstance(value, list) else [value] for key, value in changes.items()}
    if changes.get("opened") == "now":
        fields["opened"] = [web_env.links.opened_token(COHORT, int(time.time()))]
    async with web_env.client() as client:
        answer = await client.post(PAGE, data=fields)
    assert answer.status_code == 422
    assert words in answer.text
    assert "leading a team is for me" in answer.text, "what was typed is there again"
    assert await web_env.count(ApplicationRow) == 0


async def test_who_comes_late_or_above_the_limit_waits(call: WebEnv) -> None:
    async with call.client() as client:
        for number in range(2):
            email = f"mentor{number}@example.org"
            await send(call, client, "mentor", "A Mentor", email)
            await client.post(await link_of(call.database, call.links, email), data={"act": "confirm"})
        call.now = CLOSED
        assert "The call closed on" in (await client.get(PAGE)).text
        await send(call, client, "mentee", *ADA)
        late = await client.post(await link_of(call.database, call.links, ADA[1]), data={"act": "confirm"})
    assert "on the waiting list" in late.text
    expected = {"mentor0@example.org": "confirmed", "mentor1@example.org": "waiting", ADA[1]: "waiting"}
    assert await states(call) == expected


async def test_an_application_is_changed_until_the_close_and_withdrawn_without_a_trace(call: WebEnv) -> None:
    async with call.client() as client:
        await send(call, client, "mentee", *ADA)
        path = await link_of(call.database, call.links, ADA[1])
        await client.post(path, data={"act": "confirm"})
        fields = typed_application("mentee", *ADA, grade="G7") | {"act": ["change"]}
        assert (await client.post(path, data=fields)).status_code == 200
        async with call.database.session() as session:
            found = await applications.of_address(session, COHORT, ADA[1])
        assert found is not None
        assert found.body["grade"] == "G7"
        assert "email" not in found.body
        call.now = CLOSED
        late = await client.post(path, data=typed_application("mentee", *ADA, grade="G6") | {"act": ["change"]})
        assert late.status_code == 409
        assert "The call has closed" in late.text
        gone = await client.post(path, data={"act": "withdraw"})
        assert "withdrawn" in gone.text
        assert (await client.get(path)).status_code == 404
    assert await call.count(ApplicationRow) == 0
    held = {name for name, rows in (await call.snapshot()).items() for word in ADA if word in repr(rows)}
    assert held == set()


async def test_before_the_opening_and_without_a_call_nobody_can_apply(call: WebEnv) -> None:
    call.now = OPEN.replace(day=2)
    async with call.client() as client:
        assert "Not open yet" in (await client.get(PAGE)).text
        shut = await send(call, client, "mentee", *ADA)
        assert "Not open yet" in shut.text
        assert (await client.get("/apply/spring")).status_code == 404
    assert await call.count(ApplicationRow) == 0


async def test_only_who_is_invited_can_apply_and_nobody_learns_who_that_is(web_env: WebEnv) -> None:
    await launch_call(web_env.database, loaded_call(invited=["ben@example.org", "Ada L <ada.l@example.org>"]))
    web_env.now = OPEN
    people = await web_env.count(ParticipantRow)
    async with web_env.client() as client:
        invited = await send(web_env, client, "mentee", *ADA)
        stranger = await send(web_env, client, "mentee", "Eve", "eve@example.org")
    assert invited.text == stranger.text
    assert await web_env.count(ParticipantRow) == people
    assert await web_env.count(ItemRow) == 1
    assert await states(web_env) == {ADA[1]: "unconfirmed", "ben@example.org": "invited"}
