"""One box for people, mentorships, tasks and cohorts; and the page of the installation."""

from __future__ import annotations

from store.tables import CohortReaderRow
from testing.environments.coordinator_env import signed_in
from testing.environments.web_env import COHORT, NOW, WebEnv
from tests.coordinator.test_today import put_task


async def test_a_name_finds_the_person_the_mentorships_and_the_tasks(web_env: WebEnv) -> None:
    await put_task(web_env, "low_score", NOW.date(), ["ada"])
    async with signed_in(web_env, "coco") as client:
        page = (await client.post("/c/search", data={"q": "lindq ADA"})).text
        assert "Ada Lindqvist" in page
        assert "Low answer: Ada Lindqvist" in page
        assert f"/c/cohorts/{COHORT}/mentorships/pair" in page
        assert "pair-2" not in page
        assert "Spring 2027" in (await client.post("/c/search", data={"q": "spring"})).text
        for nothing in ("nobody-here", "%", "_"):
            assert "Nothing has all of these words" in (await client.post("/c/search", data={"q": nothing})).text
        assert (await client.get("/c/search")).request.url.query == b""


async def test_a_reader_finds_no_task_and_nothing_of_other_cohorts(web_env: WebEnv) -> None:
    async with web_env.database.begin() as session:
        session.add(CohortReaderRow(cohort=COHORT, person="ben"))
    await put_task(web_env, "low_score", NOW.date(), ["ada"])
    async with signed_in(web_env, "ben") as client:
        page = (await client.post("/c/search", data={"q": "ada"})).text
    assert "Ada Lindqvist" in page
    assert "Low answer" not in page


async def test_the_installation_shows_what_the_doctor_finds(web_env: WebEnv) -> None:
    async with signed_in(web_env, granted=("administrator",)) as client:
        page = (await client.get("/c/installation")).text
    for part in ("What the doctor finds", "Queue of mail", "No backup is on record", "mentorship-engine", "operator"):
        assert part in page
    assert "@example.org" not in page
