"""The joint sheet: who reads it, what stands on it, and that it says of nobody that they refused."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from lifecycle.keys import request_key
from operations.people.erase import erase
from store.mentorships.turns import public_id
from store.tables import ItemRow, MembershipRow
from testing.environments.web_env import COHORT, NOW, WebEnv, filled_in, send

ASSESSED = NOW + timedelta(hours=1)


def page_of(web_env: WebEnv, person: str, mentorship: str = "pair") -> str:
    return f"/me/{web_env.links.place_token(person, 1)}/joint/{COHORT}/{mentorship}"


def words(page: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


async def shared(web_env: WebEnv, *people: str, mentorship: str = "pair", asked: tuple[str, ...] = ()) -> None:
    """These people have answered the midpoint, and been told of the joint sheet; those `asked` have only answered."""
    async with web_env.client() as client:
        for person in (*people, *asked):
            path = await web_env.ask("midpoint", person, mentorship)
            typed = await filled_in(
                web_env, path, r_change=f"{person}: meet more often", r_prog=f"{person}: for the office"
            )
            assert (await send(client, path, typed)).status_code == 200
    async with web_env.database.begin() as session:
        for person in people:
            session.add(
                ItemRow(
                    key=f"{COHORT}/{mentorship}/joint_sheet#1/{person}/notice", person=person, kind="notice",
                    name="joint_sheet", number=1, cohort=COHORT, mentorship=mentorship, date=NOW.date(),
                    about=ASSESSED.isoformat(), queued_at=ASSESSED, state="sent",
                )
            )  # fmt: skip


async def test_both_sides_stand_beside_each_other_and_nothing_else_does(both: WebEnv) -> None:
    await shared(both, "ada", "mia")
    async with both.client() as client:
        page = await client.get(page_of(both, "ada"))
        text = words(page)
        mine = words(await client.get(page_of(both, "mia")))
    assert page.status_code == 200
    assert "You ada: meet more often Mia Okonkwo mia: meet more often" in text
    assert "You mia: meet more often Ada Lindqvist ada: meet more often" in mine
    assert "We still want the same things from this. You 5 of 5" in text
    assert "for the office" not in text
    assert "I trust my partner" not in text
    assert "How shall it go on" not in text


async def test_it_shows_what_was_said_when_it_was_decided(web_env: WebEnv) -> None:
    await shared(web_env, "ada", "mia")
    web_env.now = ASSESSED + timedelta(hours=1)
    async with web_env.client() as client:
        path = "/f/" + web_env.links.request_token(public_id(request_key(COHORT, "pair", "midpoint", 1, "ada")), 1)
        typed = await filled_in(web_env, path, r_change="ada: less often")
        await send(client, path, typed, (await client.get(f"{path}?change=1")).text)
        text = words(await client.get(page_of(web_env, "mia")))
    assert "ada: meet more often" in text
    assert "less often" not in text


async def test_only_those_who_were_told_can_read_it(web_env: WebEnv) -> None:
    await shared(web_env, "mia", "ada", mentorship="group", asked=("ben",))
    async with web_env.client() as client:
        assert (await client.get(page_of(web_env, "ben", "group"))).status_code == 404
        assert (await client.get(page_of(web_env, "ada", "pair"))).status_code == 404
        text = words(await client.get(page_of(web_env, "ada", "group")))
        own = words(await client.get(f"/me/{web_env.links.place_token('ada', 1)}"))
        bens = words(await client.get(f"/me/{web_env.links.place_token('ben', 1)}"))
    assert "mia: meet more often" in text
    assert "ben" not in text.lower()
    assert "The joint sheet : what you showed each other halfway" in own
    assert "joint sheet" not in bens


@pytest.mark.parametrize(
    ("state", "reason", "status"),
    [
        ("queued", "", 404), ("held", "", 404), ("dropped", "untrue", 404), ("dropped", "over", 404),
        ("sending", "", 200), ("refused", "", 200), ("dropped", "bounced", 200),
    ],
)  # fmt: skip
async def test_a_sheet_that_nobody_was_told_of_is_shown_to_nobody(
    web_env: WebEnv, state: str, reason: str, status: int
) -> None:
    await shared(web_env, "ada", "mia")
    await web_env.change(ItemRow, {"person": "ada"}, state=state, reason=reason)
    async with web_env.client() as client:
        assert (await client.get(page_of(web_env, "ada"))).status_code == status


async def test_the_words_of_somebody_who_was_erased_are_gone(both: WebEnv) -> None:
    await shared(both, "ada", "mia")
    await both.change(MembershipRow, {"person": "mia"}, standing="out")
    await erase(both.database, "mia", both.now, by="coco")
    async with both.client() as client:
        text = words(await client.get(page_of(both, "ada")))
        assert (await client.get(page_of(both, "mia"))).status_code == 404
    assert "ada: meet more often" in text
    assert "mia" not in text.lower()
    assert "They are erased; yours are left" in text


async def test_a_persons_data_says_which_answers_others_see_and_who_they_are(both: WebEnv) -> None:
    await shared(both, "ada", "mia")
    place = f"/me/{both.links.place_token('ada', 1)}"
    async with both.client() as client:
        [sheet] = (await client.get(f"{place}/data.json")).json()["joint_sheets"]
        page = words(await client.get(f"{place}/data"))
    assert sheet["shared_with"] == ["Mia Okonkwo"]
    assert sheet["your_answers"]["r_change"] == "ada: meet more often"
    assert {"r_prog", "r_decide", "r_trust"}.isdisjoint(sheet["your_answers"])
    assert "mia: meet" not in str(sheet)
    assert "Mia Okonkwo and you see each other’s answers on the joint sheet" in page
