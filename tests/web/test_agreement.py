"""The agreement: one document with versions, drafted, changed and signed, and nothing anybody wrote is ever lost."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from operations.forms.submit import Overtaken, Saved, submit
from store.forms.agreements import Version
from store.tables import AgreementRow, AnswerRow, MembershipRow, MentorshipRow, RequestRow
from testing.environments.web_env import CLOSES_AT, WebEnv, filled_in, hidden, send


async def versions(web_env: WebEnv, path: str) -> tuple[Version, ...]:
    return (await web_env.requested(path)).versions


async def drafted(web_env: WebEnv, client: httpx.AsyncClient, mentorship: str = "pair", by: str = "ada") -> str:
    """A first version, and the path of its writer's page."""
    path = await web_env.ask("agreement", by, mentorship)
    response = await send(client, path, await filled_in(web_env, path))
    assert response.status_code == 200
    return path


async def change(web_env: WebEnv, client: httpx.AsyncClient, path: str, **what: str) -> httpx.Response:
    """Open the form for a change, as the link on the page does, and send it."""
    opened = await client.get(f"{path}?change=1")
    typed = await filled_in(web_env, path, **what)
    return await client.post(path, data=hidden(opened.text) | typed)


async def sign(client: httpx.AsyncClient, path: str, field: str, name: str, page: str = "") -> httpx.Response:
    opened = page or (await client.get(path)).text
    return await client.post(path, data=hidden(opened) | {field: name})


def acts(web_env: WebEnv) -> list[tuple[str, str, int]]:
    """(person, act, version) of everything that the workflow was told."""
    return [
        (payload["person"], payload["signals"]["act"], payload["signals"]["version"])
        for _, _, _, payload, _ in web_env.told
    ]


async def test_drafted_changed_three_times_and_signed(both: WebEnv) -> None:
    async with both.client() as client:
        await drafted(both, client)
        mentor = await both.ask("agreement", "mia", number=1)
        page = (await client.get(mentor)).text
        assert "Ada Lindqvist has written this version" in page
        assert "I agree and sign version 1" in page
        await change(both, client, mentor, a_cadence="monthly")
        mentee = await both.ask("agreement", "ada", number=2)
        await change(both, client, mentee, a_cadence="monthly", a_out="References.")
        mentor = await both.ask("agreement", "mia", number=3)
        await change(both, client, mentor, a_cadence="monthly", a_out="Introductions.")
        mentee = await both.ask("agreement", "ada", number=4)
        page = (await client.get(mentee)).text
        assert "Introductions." in page
        assert "before:" in page
        assert "References." in page
        done = await sign(client, mentee, "sign_e", "Ada Lindqvist")
    assert "your agreement stands" in done.text
    assert acts(both) == [
        ("ada", "draft", 1),
        ("mia", "change", 2),
        ("ada", "change", 3),
        ("mia", "change", 4),
        ("ada", "sign", 4),
    ]
    kept = await versions(both, mentee)
    assert [(each.number, each.by, set(each.signed)) for each in kept] == [
        (1, "ada", {"ada"}),
        (2, "mia", {"mia"}),
        (3, "ada", {"ada"}),
        (4, "mia", {"mia", "ada"}),
    ]
    assert [each.body["a_cadence"] for each in kept] == ["every_2_weeks", "monthly", "monthly", "monthly"]
    assert kept[3].signed["ada"].name == "Ada Lindqvist"


async def test_what_only_the_coordinators_see_stays_out_of_the_document(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        path = await web_env.ask("agreement", "ada")
        typed = await filled_in(web_env, path, a_coi="yes", a_coi_what="He reviews my grants")
        await send(client, path, typed)
        mentor = await web_env.ask("agreement", "mia")
        pages = (await client.get(mentor)).text + (await client.get(f"{mentor}?change=1")).text
    assert "grants" not in pages
    (version,) = await versions(web_env, mentor)
    assert {"a_coi", "a_coi_what", "sign_e"}.isdisjoint(version.body)
    answer = (await web_env.requested(path)).answer
    assert answer is not None
    assert answer.body["a_coi_what"] == "He reviews my grants"


async def test_signing_needs_a_name(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        await drafted(web_env, client)
        mentor = await web_env.ask("agreement", "mia")
        response = await sign(client, mentor, "sign_m", "  ")
    assert response.status_code == 422
    assert "<title>Error: " in response.text
    assert response.text.count("Type your name to sign") == 2
    assert len(web_env.told) == 1


async def test_signing_what_was_changed_meanwhile_signs_nothing_and_shows_the_change(both: WebEnv) -> None:
    async with both.client() as client:
        await drafted(both, client, "group", "mia")
        ada, ben = await both.ask("agreement", "ada", "group"), await both.ask("agreement", "ben", "group")
        page = (await client.get(ada)).text
        await change(both, client, ben, a_cadence="monthly")
        response = await sign(client, ada, "sign_e", "Ada L", page)
        assert response.status_code == 409
        assert "The agreement has changed while you were reading" in response.text
        assert "Ben O&#39;Neill has written version 2" in response.text
        assert "every month" in response.text
        assert 'value="Ada L"' in response.text
        assert set((await versions(both, ada))[-1].signed) == {"ben"}
        await sign(client, ada, "sign_e", "Ada L", response.text)
    assert set((await versions(both, ada))[-1].signed) == {"ben", "ada"}
    assert acts(both)[-1] == ("ada", "sign", 2)


async def test_changing_what_was_changed_meanwhile_loses_neither(both: WebEnv) -> None:
    async with both.client() as client:
        ada, ben = await both.ask("agreement", "ada", "peers"), await both.ask("agreement", "ben", "peers")
        page = (await client.get(ben)).text
        await send(client, ada, await filled_in(both, ada, a_out="Salaries."))
        hers = await filled_in(both, ben, a_out="Politics.", sign_e="Ben")
        response = await client.post(ben, data=hidden(page) | hers)
        assert response.status_code == 409
        assert "Ada Lindqvist has written version 1 in the meantime" in response.text
        assert "Salaries." in response.text
        assert "Politics." in response.text
        response = await client.post(ben, data=hidden(response.text) | hers)
        assert response.status_code == 200
    assert [each.body["a_out"] for each in await versions(both, ben)] == ["Salaries.", "Politics."]
    assert acts(both) == [("ada", "draft", 1), ("ben", "change", 2)]


async def test_two_who_act_at_the_same_moment_on_the_same_version(both: WebEnv) -> None:
    ada, ben = await both.ask("agreement", "ada", "peers"), await both.ask("agreement", "ben", "peers")

    async def draft(path: str) -> Any:
        link = both.links.read_request(path.removeprefix("/f/"))
        assert link is not None
        typed = await filled_in(both, path) | {"seen_version": ["0"]}
        return await submit(both.database, *link, f"submission-{path[-8:]}", typed, both.now)

    outcomes = await asyncio.gather(draft(ada), draft(ben))
    assert sorted(map(repr, outcomes)) == sorted(map(repr, (Saved(1), Overtaken(0))))
    assert await both.count(AgreementRow) == 1


async def test_two_who_sign_at_the_same_moment_both_have_signed(both: WebEnv) -> None:
    async with both.client() as client:
        await drafted(both, client, "group", "mia")
        paths = [await both.ask("agreement", person, "group") for person in ("ada", "ben", "cai")]
        done = await asyncio.gather(*(sign(client, path, "sign_e", "me") for path in paths))
    assert [each.status_code for each in done] == [200, 200, 200]
    assert set((await versions(both, paths[0]))[0].signed) == {"mia", "ada", "ben", "cai"}
    assert await both.count(AgreementRow) == 1


async def test_signing_twice_is_signing_once(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        await drafted(web_env, client)
        mentor = await web_env.ask("agreement", "mia")
        page = (await client.get(mentor)).text
        first = await sign(client, mentor, "sign_m", "Mia", page)
        again = await sign(client, mentor, "sign_m", "Mia", page)
        late = await sign(client, mentor, "sign_m", "Mia", page.replace("submission_id", "other"))
    assert first.text == again.text
    assert late.status_code == 200
    assert len(web_env.told) == 2


async def test_whoever_has_signed_waits_and_can_not_act(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        mentee = await drafted(web_env, client)
        page = (await client.get(mentee)).text
        assert "You have signed this version. We wait for the others" in page
        assert "<form" not in page
        response = await send(
            client, mentee, await filled_in(web_env, mentee, a_out="Other") | {"seen_version": ["1"]}
        )
    assert response.status_code == 200
    assert len(await versions(web_env, mentee)) == 1


async def test_an_agreement_that_opens_again_starts_from_the_one_in_force(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        await drafted(web_env, client)
        mentor = await web_env.ask("agreement", "mia")
        await sign(client, mentor, "sign_m", "Mia")
        again = await web_env.ask("agreement", "ada", number=2)
        page = (await client.get(again)).text
        assert "This is version 1. Your changes make a new version" in page
        assert "I know whether I want to lead a team" in page
        await send(client, again, await filled_in(web_env, again, a_out="Everything"), page)
        mentor = await web_env.ask("agreement", "mia", number=2)
        page = (await client.get(mentor)).text
    assert "Compared with version 1, 1 place is marked" in page
    assert acts(web_env)[-1] == ("ada", "change", 2)


async def test_what_only_the_other_side_is_asked_survives_a_change(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        await drafted(web_env, client)
        await web_env.change(AgreementRow, {"version": 1}, body={"a_purpose": "x", "only_of_the_other_side": "kept"})
        mentor = await web_env.ask("agreement", "mia")
        await change(web_env, client, mentor, a_purpose="Mine")
    body = (await versions(web_env, mentor))[-1].body
    assert body["only_of_the_other_side"] == "kept"
    assert body["a_purpose"] == "Mine"


async def test_every_version_can_be_read_and_says_what_it_changed(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        await drafted(web_env, client)
        mentor = await web_env.ask("agreement", "mia")
        await change(web_env, client, mentor, a_out="Nothing", **{"a_goals.1.what": "A second goal"})
        first = (await client.get(f"{mentor}?version=1")).text
        second = (await client.get(f"{mentor}?version=2")).text
        none = (await client.get(f"{mentor}?version=77")).text
    assert "This is an earlier version" in first
    assert "Goals: second" in second
    assert ">Added</strong>" in second
    assert ">Changed</strong>" in second
    assert 'aria-current="page">Version 2' in none


@pytest.mark.parametrize(
    ("mentorship", "drafter", "field", "others"),
    [
        ("pair", "ada", "sign_m", ["mia"]),
        ("reverse", "ada", "sign_m", ["mia"]),
        ("peers", "ben", "sign_e", ["ada"]),
        ("group", "mia", "sign_e", ["ada", "ben", "cai"]),
    ],
)
async def test_agreed_when_everybody_has_signed_the_same_version(
    web_env: WebEnv, mentorship: str, drafter: str, field: str, others: list[str]
) -> None:
    async with web_env.client() as client:
        await drafted(web_env, client, mentorship, drafter)
        shown = ""
        for person in others:
            path = await web_env.ask("agreement", person, mentorship)
            page = (await client.get(path)).text
            assert "your agreement stands" not in page
            shown = (await sign(client, path, field, person, page)).text
    assert "Everybody has signed: your agreement stands." in shown


async def test_somebody_who_has_left_need_not_sign(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        await drafted(web_env, client, "group", "mia")
        await web_env.change(MembershipRow, {"mentorship": "group", "person": "cai"}, standing="out")
        for person in ("ada", "ben"):
            path = await web_env.ask("agreement", person, "group")
            done = await sign(client, path, "sign_e", person)
    assert "your agreement stands" in done.text


async def test_before_the_first_version_the_others_are_told_to_wait(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        path = await web_env.ask("agreement", "mia", number=1)
        await web_env.change(RequestRow, {"person": "mia"}, state="answered")
        page = await client.get(path)
    assert page.status_code == 200
    assert "There is no agreement yet" in page.text


@pytest.mark.parametrize("act", ["sign", "change"])
async def test_what_comes_after_the_close_is_kept_and_makes_no_version_and_no_signature(
    web_env: WebEnv, act: str
) -> None:
    async with web_env.client() as client:
        await drafted(web_env, client)
        mentor = await web_env.ask("agreement", "mia")
        await web_env.change(RequestRow, {"person": "mia"}, state="closed")
        web_env.now = CLOSES_AT
        page = (await client.get(mentor)).text
        assert "but nothing is agreed by it" in page
        if act == "sign":
            done = await sign(client, mentor, "sign_m", "Mia", page)
        else:
            done = await change(web_env, client, mentor, a_last="A walk.", sign_m="Mia")
    assert done.status_code == 200
    [version] = await versions(web_env, mentor)
    assert set(version.signed) == {"ada"}
    assert acts(web_env)[-1] == ("mia", "", 0)
    async with web_env.database.session() as session:
        [late] = await session.scalars(select(AnswerRow.late).where(AnswerRow.person == "mia"))
    assert late


async def test_when_all_is_over_it_can_be_read_and_nothing_else(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        await drafted(web_env, client)
        mentor = await web_env.ask("agreement", "mia")
        await web_env.change(RequestRow, {"person": "mia"}, state="closed")
        await web_env.change(MentorshipRow, {"key": "pair"}, state="over")
        page = (await client.get(mentor)).text
        assert "This is the agreement as it was left" in page
        assert "<form" not in page
        assert "?change=1" not in page
        await client.post(mentor, data={"sign_m": "Mia", "act": "sign", "seen_version": "1"})
    assert set((await versions(web_env, mentor))[0].signed) == {"ada"}
