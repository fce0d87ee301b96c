"""Who applied and was left out: counted when the pairs are published, and told when the applications are gone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, null, select, update

from lifecycle.local_time import local_date
from operations.applications.apply import KEPT
from operations.applications.forget_applications import forget_applications
from operations.matching.publish import draft
from operations.reports.evidence import evidence_pack
from operations.reports.report import exact, for_passing_on
from store.database import Database
from store.reports.season_rows import season_rows
from store.tables import ApplicationRow, CallRow, CohortRow, MembershipRow
from testing.environments.open_call import CLOSED, COHORT, launch_call, loaded_call
from testing.seasons.counted_again import differences
from testing.seasons.counted_facts import Applicant
from testing.seasons.independent_count import of_database
from tests.operations.test_publish import MENTEES, MENTORS, apply_as, published

SAID = ("unit", "grade", "profession", "languages")


@pytest.fixture
async def matched(database: Database) -> list[Applicant]:
    """Five pairs, and six who want a mentor of a grade that nobody can be: what all of them wrote."""
    await launch_call(database, loaded_call())
    for number in range(5):
        await apply_as(database, "mentor", f"mo{number}", mentees_at_most=1, **MENTORS)
        await apply_as(database, "mentee", f"ella{number}", **MENTEES)
    for number in range(6):
        await apply_as(database, "mentee", f"finn{number}", grade="G6", unit="Legal")
    await apply_as(database, "mentee", "unconfirmed", confirmed=False)
    await published(database, await draft(database, COHORT))
    found: list[Applicant] = []
    async with database.session() as session:
        seated = set(await session.scalars(select(MembershipRow.person)))
        for row in await session.scalars(select(ApplicationRow).where(ApplicationRow.state == "confirmed")):
            answers = {name: _listed(row.body.get(name)) for name in SAID}
            found.append(Applicant(row.role, row.person in seated, answers))
    return found


def _listed(answer: Any) -> list[str]:
    return answer if isinstance(answer, list) else [answer]  # pyright: ignore[reportUnknownVariableType]


async def test_it_is_the_same_when_the_applications_are_gone(database: Database, matched: list[Applicant]) -> None:
    late = CLOSED + KEPT + timedelta(days=1)
    before = await exact(database, COHORT, CLOSED + timedelta(days=1))
    await forget_applications(database, COHORT, late)
    async with database.session() as session:
        assert await session.scalar(select(func.count(ApplicationRow.id))) == 10
    await differ_in_nothing(database, late, matched)
    after = await exact(database, COHORT, late)
    tables = [
        [table for table in made.report.tables if table.id.startswith("reach.applied")] for made in (before, after)
    ]
    assert tables[0] == tables[1]
    wanted = after.report.table("reach.applied.mentee")
    assert wanted is not None
    assert [cell.count for cell in (wanted.total, *wanted.cells)] == [11, 5, 6]
    assert "What is your grade? (people who wanted a mentor)" in after.html()


async def differ_in_nothing(database: Database, now: datetime, people: list[Applicant]) -> None:
    on = local_date(now, "Europe/Berlin")
    report = (await exact(database, COHORT, now)).report
    assert differences(report, await of_database(database, COHORT, on, people)) == []
    assert differences(report, await of_database(database, COHORT, on, people[1:]))


async def test_as_of_a_day_before_it_is_what_it_was_then(database: Database, matched: list[Applicant]) -> None:
    """Before the pairs are published nobody is left out: it stands in no report for passing on."""
    async with database.session() as session:
        early = CLOSED - timedelta(hours=1)
        rows = await season_rows(session, COHORT, early.date(), early)
        launched = await session.get_one(CohortRow, COHORT)
    assert rows is not None
    assert not rows.published
    assert sum(lot.placed + lot.others for lot in rows.applied) == len(matched)
    made = await for_passing_on(database, COHORT, CLOSED, as_of=max(launched.launched_on, date(2027, 1, 31)))
    assert not [table for table in made.report.tables if table.id.startswith("reach.applied")]


async def test_readers_see_what_is_not_small_while_the_season_runs(
    database: Database, matched: list[Applicant]
) -> None:
    made = await for_passing_on(database, COHORT, CLOSED + timedelta(days=1))
    wanted = made.report.table("reach.applied.mentee")
    assert wanted is not None
    assert [cell.count for cell in (wanted.total, *wanted.cells)] == [11, 5, 6]
    grades = {table.title: table for table in made.report.tables if ".grade-" in table.id}
    assert [cell.count for cell in grades["Grade 6"].cells] == [0, 6]
    page = (await evidence_pack(database, made, CLOSED + timedelta(days=1)))["3-selection-and-matching.html"]
    assert "Got a seat: people who wanted a mentor: got a seat 5, got none 6 (of 11)" in page


async def test_a_cohort_that_was_published_before_it_was_counted_tells_nothing(database: Database) -> None:
    await launch_call(database, loaded_call())
    await apply_as(database, "mentor", "mo", mentees_at_most=1, **MENTORS)
    await apply_as(database, "mentee", "ella", **MENTEES)
    await published(database, await draft(database, COHORT))
    async with database.begin() as session:
        await session.execute(update(CallRow).values(applied=null()))
        await session.execute(delete(ApplicationRow))
    made = await exact(database, COHORT, CLOSED + timedelta(days=1))
    assert not [table for table in made.report.tables if table.id.startswith("reach.applied")]
