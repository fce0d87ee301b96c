"""Goals flow through: what was agreed stands in the midpoint and the closure by itself, and is joined by its id."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from demo.visitor import Visitor
from operations.forms.answers import answers
from operations.forms.parse import Typed
from operations.people.erase import erase
from program.goals import WORDS_GONE, goals_of, identified, named, titles_of, with_ids
from rehearsal.people import ReceivedRequest, Reply
from store.tables import MentorshipRow
from testing.environments.web_env import COHORT, NOW, WebEnv, filled_in, hidden, send

TWO: Typed = {"a_goals.0.what": ["Speak up in meetings"], "a_goals.1.what": ["Write less, say more"]}


async def agreed(
    web_env: WebEnv, client: httpx.AsyncClient, goals: Typed, mentorship: str = "pair", first: str = "ada"
) -> None:
    """Somebody drafts, the others sign, and the workflow has written down that it is in force."""
    path = await web_env.ask("agreement", first, mentorship)
    typed = await filled_in(web_env, path) | goals
    assert (await send(client, path, typed)).status_code == 200
    await web_env.change(MentorshipRow, {"key": mentorship}, agreement_in_force=1)


async def changed(web_env: WebEnv, client: httpx.AsyncClient, number: int, **fields: str) -> None:
    """A change of the agreement, which is signed and in force at once."""
    path = await web_env.ask("agreement", "ada" if number % 2 else "mia", number=number)
    page = (await client.get(f"{path}?change=1")).text
    kept = (await web_env.requested(path)).versions[-1].body["a_goals"]
    stood: Typed = {f"a_goals.{index}.what": [goal["what"]] for index, goal in enumerate(kept)}
    typed = await filled_in(web_env, path) | stood | {name: [value] for name, value in fields.items()}
    assert (await client.post(path, data=hidden(page) | typed)).status_code == 200
    await web_env.change(MentorshipRow, {"key": "pair"}, agreement_in_force=number)


async def body(web_env: WebEnv, path: str) -> dict[str, Any]:
    answer = (await web_env.requested(path)).answer
    assert answer is not None
    return answer.body


def about(number: int, group: str, **fields: str) -> Typed:
    return {f"{group}.{number}.{name}": [value] for name, value in fields.items()}


def names_on(page: str) -> list[str]:
    return re.findall(r'<p class="name"[^>]*>([^<]*)</p>', page)


async def test_agreed_goals_are_asked_about_by_name_and_joined_by_id(both: WebEnv) -> None:
    async with both.client() as client:
        await agreed(both, client, TWO)
        midpoint, closure = await both.ask("midpoint", "ada"), await both.ask("closure", "ada")
        page = (await client.get(midpoint)).text
        assert names_on(page) == ["Speak up in meetings", "Write less, say more"]
        assert 'name="r_goals.0.goal"' not in page
        only_one = await filled_in(both, midpoint)
        refused = await send(client, midpoint, only_one)
        assert refused.status_code == 422
        assert 'href="#q-r_goals.1.now"' in refused.text
        assert names_on(refused.text) == ["Speak up in meetings", "Write less, say more"]
        typed = only_one | about(1, "r_goals", now="2", still="drop")
        assert (await send(client, midpoint, typed)).status_code == 200
        typed = await filled_in(both, closure) | about(1, "c_goals", came="dropped", now="1")
        assert (await send(client, closure, typed)).status_code == 200
        shown = (await client.get(midpoint)).text
    assert (await body(both, midpoint))["r_goals"] == [
        {"goal_id": "g1", "now": 4, "still": "keep"},
        {"goal_id": "g2", "now": 2, "still": "drop"},
    ]
    assert "Write less, say more" in shown
    found = await answers(both.database, COHORT, NOW, mentorship="pair")
    joined = {
        (form.ask, answer.value, answer.text)
        for form in found
        for answer in form.answers
        if answer.question in ("a_goals.what", "r_goals.goal", "c_goals.goal")
    }
    assert joined == {
        (ask, id_, title)
        for ask in ("agreement", "midpoint", "closure")
        for id_, title in (("g1", "Speak up in meetings"), ("g2", "Write less, say more"))
    }


async def test_a_goal_keeps_its_id_when_the_agreement_changes(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        await agreed(web_env, client, TWO)
        midpoint = await web_env.ask("midpoint", "ada")
        before = (await client.get(midpoint)).text
        # The first goal goes, the second is worded again, another is new: while somebody has the page open.
        gone = {f"a_goals.0.{name}": "" for name in ("what", "why", "today")}
        await changed(web_env, client, 2, **gone, **{"a_goals.1.what": "Write half", "a_goals.2.what": "Lead"})
        version = (await web_env.requested(midpoint)).versions[-1]
        assert [(goal.id, goal.title) for goal in goals_of(version.body)] == [("g2", "Write half"), ("g3", "Lead")]
        typed = await filled_in(web_env, midpoint) | about(1, "r_goals", now="3", still="keep")
        assert (await client.post(midpoint, data=hidden(before) | typed)).status_code == 200
        assert [goal["goal_id"] for goal in (await body(web_env, midpoint))["r_goals"]] == ["g1", "g2"]
        assert "Write half" in (await client.get(midpoint)).text
        fresh = (await client.get(await web_env.ask("closure", "mia"))).text
    assert names_on(fresh) == ["Write half", "Lead"]


async def test_without_an_agreement_goals_are_named_as_before(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        await send(client, path := await web_env.ask("agreement", "ada"), await filled_in(web_env, path))
        midpoint = await web_env.ask("midpoint", "ada")
        page = (await client.get(midpoint)).text
        assert 'name="r_goals.0.goal"' in page
        assert names_on(page) == []
        forged = about(0, "r_goals", goal_id="g9", goal="My own")
        await client.post(midpoint, data=hidden(page) | await filled_in(web_env, midpoint) | forged)
        assert (await body(web_env, midpoint))["r_goals"] == [{"goal": "My own", "now": 4, "still": "keep"}]
        # An agreement that comes later takes nothing away from what was typed.
        await web_env.change(MentorshipRow, {"key": "pair"}, agreement_in_force=1)
        again = (await client.get(f"{midpoint}?change=1")).text
        assert "My own</textarea>" in again


@pytest.mark.parametrize(("mentorship", "first", "person"), [("peers", "ada", "ben"), ("group", "mia", "cai")])
async def test_in_every_format(web_env: WebEnv, mentorship: str, first: str, person: str) -> None:
    whose: Typed = {"a_goals.0.whose": ["Ada"]} if mentorship == "peers" else {}
    async with web_env.client() as client:
        await agreed(web_env, client, TWO | whose, mentorship, first)
        for ask in ("midpoint", "closure"):
            page = (await client.get(await web_env.ask(ask, person, mentorship))).text
            named_first = "Speak up in meetings (Ada)" if whose else "Speak up in meetings"
            assert names_on(page) == [named_first, "Write less, say more"]


async def test_erased_words_are_gone_and_the_numbers_of_others_stay(both: WebEnv) -> None:
    async with both.client() as client:
        await agreed(both, client, TWO)
        closure = await both.ask("closure", "mia")
        typed = await filled_in(both, closure) | about(1, "c_goals", came="reached", now="5")
        assert (await send(client, closure, typed)).status_code == 200
        await erase(both.database, "ada", NOW, by="coco")
        shown = (await client.get(closure)).text
    assert "Speak up" not in shown
    assert shown.count(WORDS_GONE) == 2
    found = await answers(both.database, COHORT, NOW, mentorship="pair", person="mia")
    assert "Speak up" not in repr(found)
    assert [answer.value for answer in found[-1].answers if answer.question == "c_goals.goal"] == ["g1", "g2"]


async def test_a_simulated_person_answers_about_every_goal(web_env: WebEnv) -> None:
    async with web_env.client() as client:
        await agreed(web_env, client, TWO)
    path = await web_env.ask("midpoint", "ada")
    requested = await web_env.requested(path)
    asked = ReceivedRequest("ada", "midpoint", 1, "mentee", "one_to_one", "Europe/Berlin", NOW)
    reply = Reply(NOW, requested.form.contented("mentee", "one_to_one"))
    origin = web_env.settings.public_url
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web_env.app), base_url=origin) as browser:
        assert await Visitor(browser).answer(path.removeprefix("/f/"), asked, requested.form, reply, "Ada")
    assert [goal["goal_id"] for goal in (await body(web_env, path))["r_goals"]] == ["g1", "g2"]


def test_ids_of_goals() -> None:
    old = {"a_goals": [{"what": "One"}, {"what": "Two"}]}
    assert [goal.id for goal in goals_of(old)] == ["g1", "g2"]
    kept = with_ids({"a_goals": [{"what": "Two!", "goal_id": "g2"}, {"what": "New", "goal_id": "g9"}]}, [old])
    assert [(goal.id, goal.title) for goal in goals_of(kept)] == [("g2", "Two!"), ("g3", "New")]
    twice = with_ids({"a_goals": [{"what": "a", "goal_id": "g2"}, {"what": "b", "goal_id": "g2"}]}, [old, kept])
    assert [goal.id for goal in goals_of(twice)] == ["g2", "g4"]
    assert titles_of([old, kept]) == {"g1": "One", "g2": "Two!", "g3": "New"}
    assert goals_of(identified(old)) == goals_of(old)
    assert with_ids({"a_purpose": "x"}, []) == {"a_purpose": "x"} == identified({"a_purpose": "x"})
    assert named({"r_goals": [{"goal_id": "g1"}, {"goal": "x"}], "c_goals": None}, {})["r_goals"] == [
        {"goal_id": "g1", "goal": WORDS_GONE},
        {"goal": "x"},
    ]
