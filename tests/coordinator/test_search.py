"""One box for people, mentorships, tasks and cohorts; and the page of the installation."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from store.tables import CohortReaderRow, MembershipRow
from testing.environments.coordinator_env import signed_in
from testing.environments.web_env import COHORT, NOW, WebEnv, web_env_of
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


@pytest.fixture
def alone(web_env: WebEnv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WebEnv:
    """The pages of an installation whose other parts are away, whatever else runs on this machine."""
    for name in [name for name in os.environ if name.startswith(("MENTORSHIP_", "TEMPORAL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.chdir(tmp_path)
    return web_env_of(web_env.database, "https://127.0.0.1:1", data=str(tmp_path / "data"), smtp_port=1)


async def test_the_installation_shows_what_the_doctor_finds(alone: WebEnv) -> None:
    async with signed_in(alone, granted=("administrator",)) as client:
        page = (await client.get("/c/installation")).text
    for part in ("What the doctor finds", "Queue of mail", "No backup is on record", "mentorship-engine", "operator"):
        assert part in page
    assert "did not come to its end" not in page
    for what in ("database", "Temporal", "mail relay", "pages"):
        assert re.search(rf'class="finding (?:fault|warning)"><strong>[^<]+</strong> {what}:', page), what
    assert "@example.org" not in page


async def test_the_installation_is_shown_where_the_doctor_can_not_go_on(alone: WebEnv) -> None:
    """The database file of the settings is one in which nothing can be read."""
    path = alone.settings.data / "mentorship.db"
    path.parent.mkdir()
    path.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    async with signed_in(alone, granted=("administrator",)) as client:
        response = await client.get("/c/installation")
    assert response.status_code == 200
    assert "What the doctor finds" in response.text


async def test_who_has_left_is_not_listed_as_if_they_took_part(web_env: WebEnv) -> None:
    await web_env.change(MembershipRow, {"mentorship": "pair", "person": "ada"}, standing="out")
    async with signed_in(web_env, "coco") as client:
        page = await client.post("/c/search", data={"q": "mia"})
    listed = re.search(r'href="/c/cohorts/spring/mentorships/pair">([^<]+)<', page.text)
    assert listed
    assert listed[1] == "Mia Okonkwo"
