"""Notes of coordinators: written once, kept from participants, part of a person's data, gone with them."""

from __future__ import annotations

import json

import pytest

from operations.errors import NotFound, Refused
from operations.mentorships import notes
from operations.people.erase import erase
from store.database import Database
from store.people.personal_data import personal_data
from testing.environments.web_env import COHORT, NOW, WebEnv, launch, web_env_of

PAIR, GROUP = f"{COHORT}/pair", f"{COHORT}/group"


@pytest.fixture
async def both(database: Database) -> WebEnv:
    """A launched cohort; the test runs on SQLite and on PostgreSQL."""
    await launch(database)
    return web_env_of(database)


async def texts(web_env: WebEnv, mentorship: str) -> list[str]:
    """What the notes of a mentorship say, the latest first."""
    _, found = await notes.notes_of(web_env.database, mentorship)
    return [note.text for note in found]


async def test_the_same_note_sent_twice_is_one_note(both: WebEnv) -> None:
    for _ in range(2):
        await notes.add(both.database, PAIR, " Away in July.\r\n", NOW, by="coco", submission="s1")
    await notes.add(both.database, PAIR, "Away in July.", NOW, by="coco", submission="s2")
    assert await texts(both, PAIR) == ["Away in July.", "Away in July."]


@pytest.mark.parametrize(
    ("text", "person", "by", "says"),
    [
        ("  ", "", "coco", "some text"),
        ("x" * (notes.LONGEST + 1), "", "coco", "at most 2000"),
        ("Fine.", "cai", "coco", "no seat"),
        ("Fine.", "", "ada", "no coordinator or deputy"),
    ],
)
async def test_what_is_no_note_is_refused(both: WebEnv, text: str, person: str, by: str, says: str) -> None:
    with pytest.raises((Refused, NotFound), match=says):
        await notes.add(both.database, PAIR, text, NOW, person=person, by=by)
    assert await texts(both, PAIR) == []


async def test_a_person_gets_the_notes_about_them_and_none_about_a_partner(both: WebEnv) -> None:
    await notes.add(both.database, GROUP, "A lively group.", NOW, by="coco")
    await notes.add(both.database, GROUP, "Ada is often late.", NOW, person="ada", by="coco")
    await notes.add(both.database, GROUP, "Ben wants to talk.", NOW, person="ben", by="coco")
    async with both.database.session() as session:
        held = (await personal_data(session, "ada"))["notes"]
    assert [(note["about"], note["text"]) for note in held] == [
        ("the mentorship", "A lively group."),
        ("you", "Ada is often late."),
    ]


async def test_notes_about_a_person_and_their_mentorships_go_with_them(both: WebEnv) -> None:
    await notes.add(both.database, GROUP, "Canary-one about everybody.", NOW, by="coco")
    await notes.add(both.database, GROUP, "Canary-two.", NOW, person="ada", by="coco")
    await notes.add(both.database, GROUP, "Ben gets on with Ada Lindqvist.", NOW, person="ben", by="coco")
    await notes.add(both.database, f"{COHORT}/pair-2", "Elsewhere.", NOW, by="coco")
    erasure = await erase(both.database, "ada", NOW, by="coco")
    assert erasure.rows["notes"] == 3
    [kept] = await texts(both, GROUP)
    assert kept.startswith("Ben gets on with")
    assert "Lindqvist" not in kept
    assert await texts(both, f"{COHORT}/pair-2") == ["Elsewhere."]
    assert "Canary" not in json.dumps(await both.snapshot(), default=str)


async def test_a_note_is_removed_once_and_only_from_its_own_mentorship(both: WebEnv) -> None:
    written = await notes.add(both.database, PAIR, "To be removed.", NOW, by="coco")
    with pytest.raises(NotFound):
        await notes.remove(both.database, (COHORT, "group"), written.id, NOW, by="coco")
    await notes.remove(both.database, (COHORT, "pair"), written.id, NOW, by="coco")
    assert await texts(both, PAIR) == []
    with pytest.raises(NotFound):
        await notes.remove(both.database, (COHORT, "pair"), written.id, NOW, by="coco")
