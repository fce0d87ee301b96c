"""Voices: nothing is shown without everybody's live consent, and a consent that ends takes the words out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from operations.audit import COMMAND_LINE
from operations.errors import NotFound, Refused
from operations.people.own_page import Done, Rejected, UnknownPerson
from operations.reports import voices
from operations.reports.report import for_passing_on
from store.database import Database
from store.people import voices as stored
from store.people.name_matcher import NameMatcher
from store.people.personal_data import personal_data
from store.tables import ItemRow, MentorshipRow, VoiceConsentRow
from testing.environments.web_env import COHORT, NOW, WebEnv, launch, send, web_env_of
from tests.operations.test_answers_shown import submitted
from tests.web.test_joint_sheet import words

TEXT = "Mia asked what I would do if it were easy."


@pytest.fixture
async def asked(database: Database) -> tuple[WebEnv, str]:
    """Ada was asked whether these words may be shown, in which Mia is named; the test runs on both databases."""
    await launch(database)
    env = web_env_of(database)
    await submitted(env, "closure", "ada", c_quote="with_name")
    await voices.ask(database, COHORT, "ada", TEXT, ["report"], ["mia"], "coco", NOW, proof=COMMAND_LINE)
    [(voice, state)] = await voices.listed(database, COHORT, NOW)
    assert state == "waiting"
    return env, voice.id


async def say(env: WebEnv, voice: str, person: str, said: str, text: str = TEXT) -> None:
    done = await voices.answer(env.database, person, 1, voice, said, text, NOW)
    assert isinstance(done, Done)


async def shown(env: WebEnv, now=NOW) -> list[tuple[str, str]]:  # type: ignore[no-untyped-def]
    made = await for_passing_on(env.database, COHORT, now)
    return [(voice.text, voice.name) for voice in made.voices]


async def test_it_is_shown_once_everybody_agrees_and_the_place_is_noted(asked: tuple[WebEnv, str]) -> None:
    env, voice = asked
    await say(env, voice, "ada", "named")
    assert await shown(env) == []
    await say(env, voice, "mia", "named")
    assert await shown(env) == [(TEXT, "Ada Lindqvist")]
    [(listed, state)] = await voices.listed(env.database, COHORT, NOW)
    assert (state, listed.places) == ("live", (f"report as of {NOW.date()}",))
    await say(env, voice, "ada", "unnamed")
    assert await shown(env) == [(TEXT, "")]


async def test_other_words_are_asked_of_the_others_again(asked: tuple[WebEnv, str]) -> None:
    env, voice = asked
    await say(env, voice, "mia", "named")
    await say(env, voice, "ada", "named", "Mia listened.")
    assert await shown(env) == []
    async with env.database.session() as session:
        mails = (await session.scalars(select(ItemRow).where(ItemRow.name == "voice", ItemRow.person == "mia"))).all()
    assert sorted(item.state for item in mails) == ["dropped", "dropped", "queued", "queued"]
    await say(env, voice, "mia", "named")
    assert await shown(env) == [("Mia listened.", "Ada Lindqvist")]


async def test_each_change_of_the_words_asks_again_also_at_the_same_instant(asked: tuple[WebEnv, str]) -> None:
    env, voice = asked
    for text in ("Mia listened.", "Mia listened to me.", "Mia heard me."):
        await say(env, voice, "ada", "named", text)
        async with env.database.session() as session:
            rows = await session.scalars(select(ItemRow).where(ItemRow.name == "voice", ItemRow.person == "mia"))
            states = [row.state for row in rows]
        assert states.count("queued") == 2, "the mail and its reminder; nobody is asked about words that are gone"
        await say(env, voice, "mia", "named")
    assert await shown(env) == [("Mia heard me.", "Ada Lindqvist")]


async def test_a_yes_is_taken_back_and_lapses(asked: tuple[WebEnv, str]) -> None:
    env, voice = asked
    await say(env, voice, "ada", "named")
    await say(env, voice, "mia", "named")
    assert await shown(env, NOW + timedelta(days=740)) == []
    assert await shown(env)
    await say(env, voice, "mia", "no")
    assert await shown(env) == []
    [(listed, state)] = await voices.listed(env.database, COHORT, NOW)
    assert state == "withdrawn"
    assert listed.places
    with pytest.raises(Refused, match="must not be shown"):
        await voices.used(env.database, voice, "web site", "coco", NOW, proof=COMMAND_LINE)


async def test_only_who_may_be_asked_is_asked(asked: tuple[WebEnv, str]) -> None:
    env, voice = asked
    with pytest.raises(Refused, match="has not said"):
        await voices.ask(env.database, COHORT, "mia", "Words.", ["report"], [], "coco", NOW, proof=COMMAND_LINE)
    with pytest.raises(Refused, match="before"):
        await voices.ask(env.database, COHORT, "ada", TEXT, ["report"], [], "coco", NOW, proof=COMMAND_LINE)
    await env.change(MentorshipRow, {"cohort": COHORT, "key": "pair"}, held=True)
    with pytest.raises(Refused, match="report about safety"):
        await voices.ask(env.database, COHORT, "ada", "More.", ["report"], [], "coco", NOW, proof=COMMAND_LINE)
    with pytest.raises(Refused, match="where"):
        await voices.ask(env.database, COHORT, "ada", "Other.", ["billboard"], [], "coco", NOW, proof=COMMAND_LINE)
    with pytest.raises(NotFound):
        await voices.used(env.database, "nothing", "web", "coco", NOW, proof=COMMAND_LINE)
    assert await voices.answer(env.database, "ben", 1, voice, "named", "", NOW) == UnknownPerson()
    assert isinstance(await voices.answer(env.database, "ada", 1, voice, "perhaps", "", NOW), Rejected)
    assert isinstance(await voices.answer(env.database, "ada", 1, voice, "named", " ", NOW), Rejected)


async def test_it_is_answered_on_the_own_page(asked: tuple[WebEnv, str]) -> None:
    env, voice = asked
    path = f"/me/{env.links.place_token('ada', 1)}"
    async with env.client() as client:
        own = await client.get(path)
        assert f'href="{path}/voice/{voice}"' in own.text
        assert TEXT in (await client.get(f"{path}/voice/{voice}")).text
        sent = await send(client, f"{path}/voice/{voice}", {"answer": ["unnamed"], "text": ["I dared to ask."]})
        assert "Your answer is saved" in words(sent)
        again = words(await client.get(f"{path}/voice/{voice}"))
    assert "You said yes, until" in again
    assert "I dared to ask." in again


async def test_it_is_in_the_data_of_both_and_goes_with_an_erasure(asked: tuple[WebEnv, str]) -> None:
    env, _ = asked
    async with env.database.session() as session:
        [mine] = (await personal_data(session, "ada"))["voices"]
        [theirs] = (await personal_data(session, "mia"))["voices"]
    assert (mine["text"], mine["yours"], theirs["yours"]) == (TEXT, True, False)
    async with env.database.begin() as session:
        await stored.forget(session, "mia", NameMatcher.of(("Mia Okonkwo", "Mia"), ()))
    [(voice, state)] = await voices.listed(env.database, COHORT, NOW)
    assert state == "withdrawn"
    assert "Mia" not in voice.text
    async with env.database.begin() as session:
        assert await stored.forget(session, "ada", NameMatcher())
    async with env.database.session() as session:
        assert (await session.scalars(select(VoiceConsentRow))).all() == []
