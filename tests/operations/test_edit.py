"""A coordinator edits an application, as text on the command line."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from operations.applications.edit import edit_on_request, fields_with
from operations.audit import COMMAND_LINE
from operations.errors import Refused
from operations.matching.publish import draft
from store.database import Database
from store.people import applications
from store.tables import AuditRow, EventRow
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
