"""Absences: kept with the answer that states them, offered as a pause, read by coordinators, and gone when erased."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import select

from operations.forms.agreements import ACT, SEEN
from operations.people.absences import absences_of
from operations.people.erase import erase
from store.tables import AbsenceRow, EventRow, MentorshipRow
from testing.environments.web_env import COHORT, WebEnv, filled_in, hidden, send

LONG: dict[str, Any] = {"p_away.0.from": "2027-05-03", "p_away.0.to": "2027-05-16"}
"""A fortnight; the tests are at 2027-04-05."""


def words(page: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


async def check_in(
    web_env: WebEnv, client: httpx.AsyncClient, mentorship: str = "pair", number: int = 1, **typed: Any
) -> httpx.Response:
    path = await web_env.ask("check_in", "ada", mentorship, number)
    return await send(client, path, await filled_in(web_env, path, **typed))


async def test_absences_of_all_forms_add_up_and_a_new_version_takes_the_place_of_the_old(both: WebEnv) -> None:
    async with both.client() as client:
        page = await check_in(both, client, **LONG)
        assert page.url.path.endswith("/thanks")
        later: dict[str, Any] = {"p_away.0.from": "2027-06-01", "p_away.0.to": "2027-06-02"}
        await check_in(both, client, "reverse", **later)
        found = await absences_of(both.database, COHORT)
        assert [(one.person, one.mentorship, str(one.first), str(one.last)) for one in found] == [
            ("ada", "pair", "2027-05-03", "2027-05-16"), ("ada", "reverse", "2027-06-01", "2027-06-02"),
        ]  # fmt: skip
        path = page.url.path.removesuffix("/thanks")
        again = await filled_in(both, path, **{"p_away.0.from": "2027-05-10", "p_away.0.to": "2027-05-11"})
        await send(client, path, again, (await client.get(f"{path}?change=1")).text)
        await send(client, path, await filled_in(both, path), (await client.get(f"{path}?change=1")).text)
    assert [one.mentorship for one in await absences_of(both.database, COHORT)] == ["reverse"]
    assert await absences_of(both.database, COHORT, mentorship="pair") == []
    async with both.database.session() as session:
        lines = await session.scalars(
            select(EventRow).where(EventRow.name.startswith("absence_")).order_by(EventRow.id)
        )
        assert [(line.mentorship, line.name, line.person, line.detail) for line in lines] == [
            ("pair", "absence_stated", "ada", "2027-05-03/2027-05-16"),
            ("reverse", "absence_stated", "ada", "2027-06-01/2027-06-02"),
            ("pair", "absence_stated", "ada", "2027-05-10/2027-05-11"),
            ("pair", "absence_taken_back", "ada", ""),
        ]


async def test_those_in_an_agreement_count_for_who_wrote_the_version(both: WebEnv) -> None:
    path = await both.ask("agreement", "ada", number=1)
    async with both.client() as client:
        typed = await filled_in(both, path, **{"a_away.0.from": "2027-07-01", "a_away.0.to": "2027-07-20"})
        await send(client, path, typed)
        assert [one.person for one in await absences_of(both.database, COHORT)] == ["ada"]
        path = await both.ask("agreement", "mia", number=1)
        signature = {name: value for name, value in (await filled_in(both, path)).items() if name.startswith("sign")}
        page = (await client.get(path)).text
        await client.post(path, data=hidden(page) | signature | {ACT: "sign", SEEN: "1"})
    assert [(one.person, one.ask, str(one.first)) for one in await absences_of(both.database, COHORT)] == [
        ("ada", "agreement", "2027-07-01")
    ]


async def test_a_pause_for_a_long_absence_is_one_button_and_its_own_confirmation(both: WebEnv) -> None:
    async with both.client() as client:
        page = await check_in(both, client, **LONG)
        text = words(page)
        assert (
            "You are away from Monday 3 May to Sunday 16 May. We don’t remind you of anything on these days" in text
        )
        assert both.told[-1][2] == "Answered"
        offer = page.url.path.replace("/thanks", "/pause/0")
        assert f'href="{offer}"' in page.text
        asked = await client.get(offer)
        assert "Nothing goes out and nothing falls due from Monday 3 May until Monday 17 May" in words(asked)
        assert [name for _, _, name, _, _ in both.told] == ["Answered"], "nothing is paused by looking"
        done = await client.post(offer, data=hidden(asked.text))
        again = await client.post(offer, data=hidden(asked.text))
    assert "Your pause is kept" in words(done)
    assert "Your pause is kept" in words(again)
    [pause] = [payload for _, _, name, payload, _ in both.told if name == "Pause"]
    assert (pause["begins"], pause["until"], pause["by"]) == ("2027-05-03", "2027-05-17", "ada")


async def test_a_short_one_or_one_that_is_over_needs_no_pause(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        for number, first, last in (
            (1, "2027-05-03", "2027-05-11"), (2, "2027-03-01", "2027-04-04"), (3, "2027-05-03", "2027-05-12"),
        ):  # fmt: skip
            page = await check_in(web_env, client, number=number, **{"p_away.0.from": first, "p_away.0.to": last})
            assert ("/pause/0" in page.text) is (number == 3)


async def test_one_that_has_begun_pauses_from_now_on_and_one_that_is_made_is_not_offered_again(
    web_env: WebEnv,
) -> None:
    async with web_env.client() as client:
        begun: dict[str, Any] = {"p_away.0.from": "2027-04-01", "p_away.0.to": "2027-04-30"}
        page = await check_in(web_env, client, **begun)
        offer = page.url.path.replace("/thanks", "/pause/0")
        asked = await client.get(offer)
        assert "nothing falls due until Saturday 1 May" in words(asked)
        await web_env.change(MentorshipRow, {"key": "pair"}, paused_until="2027-05-01")
        assert "/pause/0" not in (await client.get(page.url.path)).text
        assert (await client.get(offer)).url.path.endswith("/thanks")


async def test_a_mentorship_that_takes_no_pause_says_so_and_keeps_nothing(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        page = await check_in(web_env, client, **LONG)
        offer = page.url.path.replace("/thanks", "/pause/0")
        asked = await client.get(offer)
        web_env.now += timedelta(days=90)
        refused = await client.post(offer, data=hidden(asked.text))
        assert refused.status_code == 409
        assert "There is nothing to pause for" in words(refused)
        assert (await client.post(offer[:-1] + "7", data=hidden(asked.text))).status_code == 409
        assert (await client.get("/f/nothing/pause/0")).status_code == 404
    assert [name for _, _, name, _, _ in web_env.told] == ["Answered"]


async def test_a_persons_data_has_them_and_erasing_takes_them_away(both: WebEnv) -> None:
    place = f"/me/{both.links.place_token('ada', 1)}"
    async with both.client() as client:
        await check_in(both, client, **LONG)
        [absence] = (await client.get(f"{place}/data.json")).json()["absences"]
        page = words(await client.get(f"{place}/data"))
    assert (absence["from"], absence["to"], absence["form"]) == ("2027-05-03", "2027-05-16", "check_in")
    assert "When you are away 2027-05-03 to 2027-05-16" in page
    await erase(both.database, "ada", both.now, by="coco")
    assert await both.count(AbsenceRow) == 0
