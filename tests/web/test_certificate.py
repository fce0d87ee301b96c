"""The certificate of participation: whose it is, when there is one, and that it says nothing of how well they did."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from store.tables import ItemRow, MembershipRow, MentorshipRow, OutcomeRow, ParticipantRow, ProgramRow
from testing.environments.web_env import COHORT, NOW, WebEnv
from tests.operations.test_answers_shown import submitted
from tests.web.test_joint_sheet import words


async def certified(web_env: WebEnv, **answers: Any) -> None:
    """A mentorship was completed in a program with certificates, and its farewell went out; Ada has answered."""
    await submitted(web_env, "closure", "ada", **answers)
    async with web_env.database.begin() as session:
        for person in ("ada", "mia"):
            session.add(
                ItemRow(
                    key=f"{COHORT}/pair/farewell#1/{person}/notice", person=person, kind="notice", name="farewell",
                    number=1, cohort=COHORT, mentorship="pair", date=NOW.date(), queued_at=NOW, state="sent",
                )
            )  # fmt: skip
        session.add(OutcomeRow(cohort=COHORT, mentorship="pair", ending="completed", on=NOW.date(), at=NOW))
        seats = update(MembershipRow).where(MembershipRow.cohort == COHORT, MembershipRow.mentorship == "pair")
        await session.execute(seats.values(standing="accepted"))
        row = await session.get(MentorshipRow, (COHORT, "pair"))
        assert row is not None
        program = await session.get(ProgramRow, (row.program, row.program_hash))
        assert program is not None
        phases = program.body["phases"]
        body = {**program.body, "phases": {**phases, "closure": {**phases["closure"], "certificate": True}}}
        session.add(ProgramRow(program=row.program, hash="certified", body=body, forms=program.forms, frozen_at=NOW))
        row.program_hash = "certified"


@pytest.fixture
async def closed(web_env: WebEnv) -> WebEnv:
    """The mentorship after its farewell."""
    await certified(web_env, c_meet="7", c_sat="2")
    return web_env


def path_of(env: WebEnv, person: str, ending: str = "") -> str:
    return f"/me/{env.links.place_token(person, 1)}/certificate/{COHORT}/pair{ending}"


async def test_it_can_be_printed_and_has_no_grade(closed: WebEnv) -> None:
    async with closed.client() as client:
        own = await client.get(f"/me/{closed.links.place_token('ada', 1)}")
        page = await client.get(path_of(closed, "ada"))
        mentors = await client.get(path_of(closed, "mia"))
    assert f'href="{path_of(closed, "ada")}"' in own.text
    text = words(page)
    assert "Certificate of participation Ada Lindqvist took part in" in text
    assert "as a mentee" in text
    assert "7 meetings took place" in text
    assert "as a mentor" in words(mentors)
    assert "meetings took place" not in words(mentors)
    assert "of 5" not in text


async def test_it_is_a_pdf_too(closed: WebEnv) -> None:
    pytest.importorskip("weasyprint")
    async with closed.client() as client:
        found = await client.get(path_of(closed, "ada", "/pdf"))
    assert found.headers["content-type"] == "application/pdf"
    assert found.content.startswith(b"%PDF")


async def test_there_is_none_under_a_hold_before_the_farewell_or_for_others(closed: WebEnv) -> None:
    async def status(person: str = "ada") -> int:
        async with closed.client() as client:
            return (await client.get(path_of(closed, person))).status_code

    assert await status("ben") == 404
    await closed.change(MentorshipRow, {"key": "pair"}, held=True)
    assert await status() == 404
    await closed.change(MentorshipRow, {"key": "pair"}, held=False)
    await closed.change(ItemRow, {"key": f"{COHORT}/pair/farewell#1/ada/notice"}, state="held")
    assert await status() == 404
    await closed.change(ItemRow, {"key": f"{COHORT}/pair/farewell#1/ada/notice"}, state="sent")
    await closed.change(OutcomeRow, {"mentorship": "pair"}, ending="ended_early")
    assert await status() == 404


async def test_another_language_falls_back_to_english(closed: WebEnv) -> None:
    await closed.change(ParticipantRow, {"id": "ada"}, language="pt-BR")
    async with closed.client() as client:
        assert 'lang="en"' in (await client.get(path_of(closed, "ada"))).text
