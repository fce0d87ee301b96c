"""A coordinator edits an application, as text on the command line."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from operations.applications.edit import edit_on_request, fields_with
from operations.audit import COMMAND_LINE
from operations.errors import Refused
from operations.matching.publish import draft
from store.database import Database
from store.people import applications
from store.tables import AuditRow, EventRow
from testing.environments.cli_env import CommandResult, mentorship
from testing.environments.open_call import CLOSED, COHORT, launch_call, loaded_call
from tests.operations.test_publish import MENTEES, MENTORS, apply_as, published

HOW = {"by": "coco", "why": "she asked", "proof": COMMAND_LINE}


async def test_answers_are_set_as_text_and_the_others_stay(database: Database) -> None:
    await launch_call(database, loaded_call())
    person = await apply_as(database, "mentee", "ella", **MENTEES)
    async with database.session() as session:
        before = await applications.of_address(session, COHORT, "ella@example.org")
    assert before is not None
    changes = {"grade": "heo", "languages": "de|en", "wants": "data|career", "manager": ""}
    typed = await fields_with(database, COHORT, "ella@example.org", changes, "coco")
    assert not (await edit_on_request(database, COHORT, person, typed, CLOSED, **HOW)).same
    assert (await edit_on_request(database, COHORT, person, typed, CLOSED, **HOW)).same
    async with database.session() as session:
        after = await applications.find(session, before.id)
        audit = [(row.what, row.reason) for row in await session.scalars(select(AuditRow))]
        events = list(await session.scalars(select(EventRow.by).where(EventRow.name == "application_changed")))
    assert after is not None
    assert {name for name in {*before.body, *after.body} if before.body.get(name) != after.body.get(name)} <= {
        "grade", "languages", "wants", "manager",
    }  # fmt: skip
    assert (after.body["grade"], after.body["languages"]) == ("HEO", ["de", "en"])
    assert [one["tag"] for one in after.body["wants"]] == ["data", "career"]
    assert audit == [("applicants --edit", "she asked")]
    assert events == ["coco"]


async def test_what_makes_no_sense_is_refused(database: Database) -> None:
    await launch_call(database, loaded_call())
    mentor = await apply_as(database, "mentor", "mo", mentees_at_most=1, **MENTORS)
    mentee = await apply_as(database, "mentee", "ella", **MENTEES)
    with pytest.raises(Refused, match="asks no 'shoes'"):
        await fields_with(database, COHORT, mentor, {"shoes": "42"}, "coco")
    with pytest.raises(Refused, match="nobody has applied"):
        await fields_with(database, COHORT, "stranger@example.org", {"grade": "G7"}, "coco")
    typed = await fields_with(database, COHORT, mentor, {"grade": "G99"}, "coco")
    assert [wrong.control for wrong in (await edit_on_request(database, COHORT, mentor, typed, CLOSED, **HOW)).faults]
    await published(database, await draft(database, COHORT))
    typed = await fields_with(database, COHORT, mentee, {"grade": "HEO"}, "coco")
    with pytest.raises(Refused, match="the pairs are published"):
        await edit_on_request(database, COHORT, mentee, typed, CLOSED, **HOW)


async def test_the_command_edits_says_what_is_wrong_and_what_stands_there_already(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENTORSHIP_DATABASE_URL", database_url)
    await launch_call(database, loaded_call())
    person = await apply_as(database, "mentee", "ella", **MENTEES)

    async def edit(*words: str) -> CommandResult:
        return await asyncio.to_thread(mentorship, "applicants", COHORT, "--as", "coco", *words)

    async def body() -> dict[str, Any]:
        async with database.session() as session:
            found = await applications.of_address(session, COHORT, "ella@example.org")
        assert found is not None
        return dict(found.body)

    before = await body()
    who = ("--edit", "ella@example.org")
    done = await edit(*who, "--set", "grade=HEO", "--set", "languages=de|en", "--why", "she asked")
    assert (done.code, f"The application of {person} is changed." in done.out) == (0, True)
    assert await body() == before | {"grade": "HEO", "languages": ["de", "en"]}
    again = await edit("--edit", person, "--set", "grade=HEO")
    assert "says this already" in again.out
    assert (await edit(*who, "--set", "grade=SEO", "--json")).json == {"id": person, "changed": True}
    for words, says in (
        ((*who, "--set", "grade=G99"), "grade: "),
        ((*who, "--set", "shoes=42"), "asks no 'shoes'"),
        (("--edit", "stranger@example.org", "--set", "grade=HEO"), "nobody has applied"),
        (who, "write --edit WHO --set FIELD=ANSWER"),
        (("--set", "grade=HEO"), "write --edit WHO --set FIELD=ANSWER"),
        ((*who, "--set", "grade"), "write --edit WHO --set FIELD=ANSWER"),
    ):
        refused = await edit(*words)
        assert (refused.code, says in refused.err) == (2, True), (words, refused.err)
    assert (await body())["grade"] == "SEO"
    async with database.session() as session:
        audit = [(row.what, row.by, row.reason) for row in await session.scalars(select(AuditRow))]
    assert audit == [("applicants --edit", "coco", "she asked"), ("applicants --edit", "coco", "")]
