"""A mentorship goes over to another version of its program in one turn, and what was asked keeps its form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from lifecycle.commands import Assess, Batch, Note, OpenRequest
from program.forms import Form, Question
from program.models import Letterbox, Program
from store.cohorts import file_entries
from store.cohorts.cohorts import put
from store.cohorts.program_versions import agreement_form
from store.database import Database
from store.forms import requests
from store.mentorships.turns import public_id
from store.people.own_page import seats
from store.programs import freeze_program, frozen_program
from store.tables import CohortRow, EntryRow, EventRow, MentorshipRow
from testing.cohorts.small_cohort import COHORT, GROUP, LAUNCH, PAIR, PROGRAM, applied, ask, cohort, turn

LATER = LAUNCH + timedelta(days=2)


def form(name: str, *questions: str, title: str = "Before") -> Form:
    asked = tuple(Question(id=one, type="text", label="?") for one in questions)
    return Form(form=name, title=title, who_sees="The coordinator.", questions=asked)


BEFORE = {"check_in": form("check_in", "p_met", "p_gone"), "agreement": form("agreement", "a_goal", "a_gone")}
AFTER = {
    "check_in": form("check_in", "p_met", "p_new", title="After"),
    "agreed": form("agreed", "a_goal", "a_new", title="After"),
}
EDITED = Program(
    program="formal",
    title="Edited",
    length=196,
    letterbox=Letterbox(days=("sat", "sun")),
    forms={"agreement": "agreed"},
)


@pytest.fixture
async def versions(database: Database) -> tuple[str, str]:
    """The small cohort, launched with one version of its program; the hash of that and of an edited one."""
    async with database.begin() as session:
        first = await freeze_program(session, PROGRAM, BEFORE, LAUNCH)
        second = await freeze_program(session, EDITED, AFTER, LATER)
    await put(database, cohort(), {"formal": first}, LAUNCH.date(), LAUNCH)
    return first.hash, second.hash


def agreement(number: int, opening: int) -> OpenRequest:
    """A turn at the agreement: a version of the document, in the opening that it belongs to."""
    step = f"{COHORT}/{PAIR.key}/agreement#{opening}"
    return replace(ask("ben", number=number, name="agreement"), key=f"{step}/{number}/ben", step=step)


def turned(number: int, version: str, *, key: str = PAIR.key, opens: tuple[OpenRequest, ...] = ()) -> Batch:
    """A turn of a mentorship that goes by a version."""
    done = turn(number, LATER, mentorship=key, open_requests=list(opens), notes=[Note("adopted")])
    return replace(done, version=version)


async def asked(database: Database, request: OpenRequest) -> tuple[str, list[str], str]:
    """Title and questions of the form that stands on the page of a request, and the program's title."""
    async with database.session() as session:
        found = await requests.find(session, public_id(request.key), 1)
    assert found is not None
    return found.form.title, [question.id for question in found.form.questions], found.program.title


async def stands(database: Database, key: str = PAIR.key) -> tuple[str, str]:
    """The version by which a mentorship goes, and the one with which it was launched if that is another."""
    async with database.session() as session:
        row = await session.get_one(MentorshipRow, (COHORT, key))
    return row.program_hash, row.first_hash


async def said(database: Database, key: str) -> Mapping[str, object]:
    async with database.session() as session:
        return (await session.get_one(EntryRow, (COHORT, file_entries.MENTORSHIP, key))).said


async def test_what_was_asked_keeps_its_form_and_what_is_asked_from_now_on_has_the_new_one(
    database: Database, versions: tuple[str, str]
) -> None:
    first, second = versions
    old, drafted = ask("ben"), agreement(1, 1)
    [before] = await applied(database, turn(1, open_requests=[old, drafted]))
    new, signing, again = ask("ben", number=2), agreement(2, 1), agreement(3, 2)
    batch = turned(2, second, opens=(new, signing, again))
    [done, repeated] = await applied(database, batch, batch)
    assert (before.program_hash, done.program_hash, repeated.fresh, repeated.program_hash) == (
        first, second, False, second,
    )  # fmt: skip
    assert await stands(database) == (second, first)
    assert await asked(database, old) == ("Before", ["p_met", "p_gone"], "Edited"), "only its form stays"
    assert await asked(database, new) == ("After", ["p_met", "p_new"], "Edited")
    assert await asked(database, drafted) == ("Before", ["a_goal", "a_gone"], "Edited")
    assert await asked(database, signing) == ("Before", ["a_goal", "a_gone"], "Edited"), "one document, one form"
    assert await asked(database, again) == ("After", ["a_goal", "a_new"], "Edited"), "opened again"
    async with database.session() as session:
        titles = {(one.ask, one.number): one.title for seat in await seats(session, "ben") for one in seat.asked}
        its = await agreement_form(session, (COHORT, PAIR.key), await frozen_program(session, "formal", second))
    assert titles[("check_in", 1)] == titles[("agreement", 2)] == "Before"
    assert its is not None
    assert {question.id for question in its.questions} == {"a_goal", "a_new", "a_gone"}, "what erasing must know"


async def test_a_third_version_leaves_each_form_as_it_was(database: Database, versions: tuple[str, str]) -> None:
    first, second = versions
    async with database.begin() as session:
        third = (await freeze_program(session, PROGRAM, {"check_in": form("check_in", "p_met")}, LATER)).hash
    one, two, three = (ask("ben", number=number) for number in (1, 2, 3))
    await applied(database, turn(1, open_requests=[one]), turned(2, second, opens=(two,)))
    await applied(database, turned(3, third, opens=(three,)))
    assert await stands(database) == (third, first)
    forms = [(await asked(database, request))[1] for request in (one, two, three)]
    assert forms == [["p_met", "p_gone"], ["p_met", "p_new"], ["p_met"]]


async def test_the_cohort_goes_over_with_the_last_of_its_mentorships(
    database: Database, versions: tuple[str, str]
) -> None:
    first, second = versions
    await applied(database, turned(1, second))
    async with database.session() as session:
        row = await session.get_one(CohortRow, COHORT)
        assert row.program_hash == first, "one is left behind"
    assert ((await said(database, PAIR.key))["length"], (await said(database, GROUP.key))["length"]) == (196, 182)
    await applied(database, turned(1, second, key=GROUP.key))
    async with database.session() as session:
        row = await session.get_one(CohortRow, COHORT)
        noted = await session.scalars(
            select(EventRow.detail).where(EventRow.name == "cohort_changed").order_by(EventRow.id)
        )
        assert (row.program_hash, row.letterbox["days"]) == (second, ["sat", "sun"])
        assert noted.all() == ["version", "letterbox"]


async def test_a_turn_that_is_taken_anew_without_it_goes_back(database: Database, versions: tuple[str, str]) -> None:
    first, second = versions
    late = ask("ben", number=2)
    await applied(database, turn(1), turned(2, second, opens=(late,)))
    [done] = await applied(database, replace(turned(2, "", opens=()), now=LATER + timedelta(hours=1)))
    assert (done.program_hash, await stands(database)) == (first, (first, first))
    assert (await said(database, PAIR.key))["length"] == 182
    assert (await asked(database, late))[1] == ["p_met", "p_new"], "a person asked meanwhile finds their form"


async def test_a_version_that_the_database_has_lost_is_not_taken_up(
    database: Database, versions: tuple[str, str]
) -> None:
    first, second = versions
    request = ask("ben")
    assessing = Assess("check_in", 1, request.step, ((request.key, "ben", "mentee"),), LATER)
    batch = replace(turned(1, "lost", opens=(request,)), assess=[assessing])
    [done] = await applied(database, batch)
    assert (done.program_hash, await stands(database)) == (first, (first, ""))
    assert (await asked(database, request))[0] == "Before"
    await applied(database, turned(2, second))
    assert await stands(database) == (second, first)
