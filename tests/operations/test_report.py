"""The report of a cohort in the database: exact, for passing on, and what is remembered of that."""

from __future__ import annotations

import io
from datetime import datetime, time, timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from operations.audit import COMMAND_LINE
from operations.errors import NotFound, Refused
from operations.reports.evidence import evidence_pack
from operations.reports.giving_back import volunteers
from operations.reports.report import as_object, exact, for_passing_on, say_what_changes
from reports.titles import together
from store.cohorts import calls
from store.database import Database
from store.tables import ApplicationRow, ReportReleaseRow
from testing.environments.open_call import open_call_of
from testing.environments.web_env import COHORT, NOW, WebEnv, launch, web_env_of
from tests.operations.test_answers_shown import submitted


@pytest.fixture
async def closing(database: Database) -> WebEnv:
    """A launched cohort with some closing answers; the test runs on SQLite and on PostgreSQL."""
    await launch(database)
    env = web_env_of(database)
    await submitted(env, "closure", "ada", c_give="yes", c_sat="4", c_note="A word for you alone.")
    await submitted(env, "closure", "mia", c_again="yes", c_sat="5")
    return env


async def releases(database: Database) -> int:
    async with database.session() as session:
        return await session.scalar(select(func.count(ReportReleaseRow.id))) or 0


async def test_coordinators_see_exact_numbers(closing: WebEnv) -> None:
    made = await exact(closing.database, COHORT, NOW)
    [satisfied] = [line for line in made.report.headlines if line.title == "Satisfied"]
    assert (satisfied.count, satisfied.total) == (2, 2)
    page = made.html()
    assert "Not for passing on" in page
    assert "A word for you alone" not in page
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org", "")
    book = load_workbook(io.BytesIO(made.xlsx()))
    assert book.sheetnames[:4] == ["Contents", "The answer first", "Medians", "Method"]
    assert len(book.sheetnames) == len(together(made.report.tables)) + 4
    assert len(made.csv()) == len(book.sheetnames)
    contents, method = book["Contents"], book["Method"]
    assert [contents.cell(row, 1).value for row in range(2, contents.max_row + 1)] == book.sheetnames[1:]
    link = contents.cell(2, 1).hyperlink
    assert link is not None
    assert link.location == "'The answer first'!A1"
    assert method["B3"].value == datetime.combine(made.report.season.as_of, time())
    assert method["B3"].is_date
    [satisfied_sheet, _] = [sheet for sheet in book if "c_sat" in sheet.title]
    assert str(satisfied_sheet["A1"].value).endswith("(mentees, closure)")
    assert [cell.value for cell in satisfied_sheet[1][1:4]] == ["n", "of", "percent"]
    assert {type(row[1].value) for row in satisfied_sheet.iter_rows(min_row=2)} == {int}
    assert satisfied_sheet.column_dimensions["A"].width > satisfied_sheet.column_dimensions["B"].width >= 10
    assert await releases(closing.database) == 0


async def test_what_is_passed_on_shows_no_small_number_and_is_remembered_once(closing: WebEnv) -> None:
    for _ in range(2):
        made = await for_passing_on(closing.database, COHORT, NOW)
        said = as_object(made)
        shown = [part["n"] for table in said["tables"] for part in (*table["parts"], {"n": table["total"]})]
        assert not [number for number in shown if number in (1, 2, 3, 4)]
    assert await releases(closing.database) <= 1


async def test_a_date_before_the_launch_and_unknown_filters_are_refused(closing: WebEnv) -> None:
    with pytest.raises(Refused, match="nothing to report on"):
        await exact(closing.database, COHORT, NOW, as_of=NOW.date() - timedelta(days=4000))
    with pytest.raises(Refused, match="no mentorship of the format"):
        await exact(closing.database, COHORT, NOW, format_="square")
    with pytest.raises(Refused, match="has no program"):
        await exact(closing.database, COHORT, NOW, program="Nothing")
    with pytest.raises(NotFound):
        await exact(closing.database, "nowhere", NOW)
    with pytest.raises(Refused, match="can't be passed on"):
        await for_passing_on(closing.database, COHORT, NOW, format_="one_to_one")


async def test_two_seasons_stand_beside_each_other(closing: WebEnv) -> None:
    made = await exact(closing.database, COHORT, NOW, compare=COHORT)
    assert made.compared is not None
    assert all(line.before == line.before for line in made.report.headlines)
    assert len(made.compared.same) == len(made.compared.earlier.tables)
    assert made.compared.only_now == ()
    assert "last season" in made.html()


async def test_what_coordinators_change_stands_in_the_report(closing: WebEnv) -> None:
    with pytest.raises(Refused):
        await say_what_changes(closing.database, COHORT, "One reminder less.", "nobody", NOW, COMMAND_LINE)
    who = "c1"
    async with closing.database.session() as session:
        from store.people.people import deciders

        who = (await deciders(session, COHORT))[0].id
    for words in ("Two.", "One reminder less."):
        await say_what_changes(closing.database, COHORT, words, who, NOW, COMMAND_LINE)
    page = (await exact(closing.database, COHORT, NOW)).html()
    assert "One reminder less." in page
    assert "Two." not in page


async def test_who_would_give_back(closing: WebEnv) -> None:
    assert [(one.id, one.was) for one in await volunteers(closing.database, COHORT, NOW)] == [
        ("ada", "mentee"),
        ("mia", "mentor"),
    ]


async def test_the_evidence_says_what_is_missing(closing: WebEnv) -> None:
    made = await for_passing_on(closing.database, COHORT, NOW)
    pages = await evidence_pack(closing.database, made, NOW)
    assert len(pages) == 8
    assert all(f'href="{name}"' in pages["index.html"] for name in pages if name[0].isdigit())
    assert "your own code of conduct" in pages["index.html"]
    assert "write by which rules they were made" in pages["3-selection-and-matching.html"]


async def test_the_evidence_states_the_rules_by_which_published_pairs_were_made(closing: WebEnv) -> None:
    await open_call_of(closing.database, COHORT, NOW)
    async with closing.database.begin() as session:
        await calls.mark_published(session, COHORT, NOW)
    made = await for_passing_on(closing.database, COHORT, NOW)
    page = (await evidence_pack(closing.database, made, NOW))["3-selection-and-matching.html"]
    for words in (
        "the two have nothing in common in “unit”",
        "the mentor stands 1 or 2 or 3 steps above the mentee in “grade” (AO, EO, HEO, SEO, G7, G6)",
        "steps between the two in “grade”: 1: 9, 2: 12, 3: 4",
        "as many as possible have somebody, the most points, the weakest pair as strong as possible",
        "Each applicant for whom there was nobody was told",
        "Missing:</strong> how many applied and got no seat",
    ):
        assert words in page, words


async def test_applications_are_where_it_begins(closing: WebEnv) -> None:
    await open_call_of(closing.database, COHORT, NOW)
    async with closing.database.begin() as session:
        for number, (person, state) in enumerate((("ada", "confirmed"), ("ben", "withdrawn"))):
            session.add(
                ApplicationRow(
                    id=f"a{number}", cohort=COHORT, person=person, state=state, role="mentee", at=NOW,
                    confirmed_at=NOW, body={"b_confid": 4},
                )
            )  # fmt: skip
    made = await exact(closing.database, COHORT, NOW)
    table = made.report.table("reach.applied.mentee")
    assert table is not None
    assert [cell.count for cell in table.cells] == [1, 0]
    assert made.report.confidence[0].before is not None
    assert made.report.confidence[0].before.median == 4
