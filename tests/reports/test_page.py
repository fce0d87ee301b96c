"""The page, the sheets and the evidence of a report: self-contained, readable without drawings, honest when empty."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html import unescape

import pytest

from operations.spreadsheet import as_csv
from program.forms import Form, Question
from program.matching import Matching
from rehearsal.season_rows import season_rows
from reports import charts, html_report, season_report, sheets
from reports.evidence import Facts, evidence
from reports.html_report import Voice
from reports.method import method
from reports.rows import COMPLETED, AnswerFacts, Season
from reports.season_report import Report
from reports.titles import titled, together
from testing.environments.open_call import call_program
from testing.seasons.rehearsed_answers import season
from tests.matching.test_rules import EXAMPLE


@pytest.fixture(scope="module")
def rows() -> Season:
    """A season of 24 mentorships that is over."""
    return season_rows(season(11, 24, ("formal",)))


@pytest.fixture(scope="module")
def exact(rows: Season) -> Report:
    return season_report.exact(rows, {"stalled": "Stalled"})


@pytest.fixture(scope="module")
def passed_on(rows: Season) -> Report:
    return season_report.for_passing_on(rows, {})


def test_it_loads_nothing_and_every_drawing_has_words(exact: Report, passed_on: Report) -> None:
    for report in (exact, passed_on):
        page = html_report.page(report, voices=[Voice("I dared to ask.", "Ada"), Voice("So did I.")], change="Less.")
        assert "<script" not in page
        assert not re.search(r"(src|href)=\"(?!#)", page)
        drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
        assert drawings
        for drawing in drawings:
            assert "<title" in drawing
            assert "<desc" in drawing
        ids = re.findall(r"\bid=\"([^\"]+)\"", page)
        assert len(ids) == len({*ids})
        assert "I dared to ask." in page
        assert "What we change" in page


def test_single_people_and_mentorships_are_drawn_in_the_exact_report_only(exact: Report, passed_on: Report) -> None:
    assert exact.dots
    assert any(each.lines for each in exact.confidence)
    assert passed_on.dots == ()
    assert not any(each.lines for each in passed_on.confidence)
    assert "<polyline points" in html_report.page(exact)
    assert "<circle" not in html_report.page(replace(passed_on, confidence=()))


def test_drawings_have_their_colours_in_themselves_and_legends_the_same(exact: Report) -> None:
    """What makes the PDF applies no style sheet inside a drawing: it would be black."""
    page = html_report.page(exact)
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    for shape in re.findall(r"<(?:rect|circle|polyline|text)[^>]*>", "".join(drawings)):
        assert "fill=" in shape
        assert "class=" not in shape
    style = page[page.index("<style>") : page.index("</style>")]
    assert tuple(re.findall(r"--s\d:(#[0-9a-f]{6})", style)) == charts.SHADES


def test_it_begins_as_an_annual_report_and_ends_with_every_other_table(exact: Report) -> None:
    """The figures that people ask for, the method, then an appendix; no table stands in both, and none is missing."""
    page = html_report.page(exact, voices=[Voice("I dared to ask.")], change="Less.")
    headings = re.findall(r'<h2 id="(\w+)"', page)
    assert headings == [
        "reach", "meetings", "goals", "confidence", "satisfaction", "endings", "answers", "work", "giving_back",
        "voices", "change", "method", "appendix",
    ]  # fmt: skip
    front, _, appendix = page.partition('<h2 id="appendix"')
    captions = [re.findall(r"<figcaption>(.*?)</figcaption>", part) for part in (front, appendix)]
    assert not set(captions[0]) & set(captions[1])
    shown = [titled(group[0]) for group in together(exact.tables) if group[0].total.count]
    named = {unescape(caption).partition(", of ")[0] for part in captions for caption in part}
    assert {title for title in shown if title.partition(", of ")[0] not in named} == set()
    assert len(captions[0]) < 40
    body = html_report.body(exact, folded=True)
    assert body.index("<details><summary>Show it") > body.index('id="appendix"')


def test_mentees_and_mentors_stand_beside_each_other(exact: Report) -> None:
    page = html_report.page(exact)
    section = page[page.index('<h2 id="satisfaction"') : page.index('<h2 id="endings"')]
    lines = [re.findall(r"\((\w+), closure\)", line) for line in section.split('<div class="figs">')[1:]]
    assert lines == [["mentees", "mentors"]] * 4


def test_no_small_number_is_on_the_page_or_in_a_sheet(passed_on: Report) -> None:
    for sheet in sheets.sheets(passed_on)[4:]:
        for line in sheet.rows:
            assert not [number for number in line[1:3] if number in (1, 2, 3, 4)]
    page = html_report.page(replace(passed_on, confidence=()))  # a median may be small
    counts = re.findall(r"<td class=\"n\">(?:at least )?(\d+)</td>", page)
    assert counts
    assert not {"1", "2", "3", "4"} & {*counts}


def test_names_of_sheets_fit_and_are_unique(exact: Report) -> None:
    found = sheets.sheets(exact)
    assert len({sheet.name for sheet in found}) == len(found) == len({sheet.file for sheet in found})
    assert all(len(sheet.name) <= 31 for sheet in found)


def test_every_number_of_the_page_is_in_the_workbook(exact: Report) -> None:
    """What is no count, too; an option stands beside its question, a fraction is written as the reader writes it."""
    found = {sheet.name: sheet for sheet in sheets.sheets(exact)}
    medians = {str(row[0]): row[1:] for row in found["Medians"].rows}
    mails, hours = exact.mails_a_week, exact.hours_to_answer
    assert mails is not None
    assert hours is not None
    assert medians["mails for each participant and week"][1] == round(mails.median, 2)
    assert medians["hours from the first mail to the answer"][1] == round(hours, 1)
    assert sum(words.startswith("confidence of mentees") for words in medians) == 5
    options = [sheet for sheet in found.values() if sheet.columns[0].startswith("What has changed for you")]
    assert all(len(sheet.rows) > 5 for sheet in options)
    assert options
    german, english = (as_csv(found["Medians"].columns, found["Medians"].rows, mark) for mark in ";,")
    assert f";{str(round(mails.median, 2)).replace('.', ',')};" in german
    assert f",{round(mails.median, 2)}," in english


def test_two_seasons_are_compared_where_the_words_are_the_same(rows: Season, exact: Report) -> None:
    other = replace(rows, cohort="other", title="Last season", answers=tuple(map(reworded, rows.answers)))
    report, compared = season_report.compared(exact, season_report.exact(other, {}))
    same = {now.id for now, _ in compared.same}
    assert any("/c_learn." in id_ for id_ in same)
    assert not any("/c_sat." in id_ for id_ in same)
    assert any("/c_sat." in table.id for table in compared.only_now)
    page = html_report.page(report, compared=compared)
    assert "Last season" in page
    assert "in other words, or for the first time" in page
    assert "Last season: " in page[: page.index("<h2")]
    [first] = [sheet for sheet in sheets.sheets(report) if sheet.name == "The answer first"]
    assert [row[0] for row in first.rows[:2]] == ["Began", "Began, last season"]


def test_what_became_of_those_who_would_give_back(rows: Season) -> None:
    """Counted from the answers of the earlier season and the seats of this one; in the exact report only."""
    gave = {"c_give": "mentee", "c_again": "mentor"}
    earlier = replace(rows, seats=rows.seats, title="Last season")
    stayed = [seat.person for seat in rows.seats if seat.role == "mentee"][::2]
    now = replace(
        rows,
        seats=tuple(replace(seat, role="mentor") for seat in rows.seats if seat.person in stayed),
        requests=(),
        answers=(),
    )
    yes = {
        question: [
            each.request.split("/")
            for each in rows.answers
            if each.body.get(question) == "yes" and "/closure" in each.request
        ]
        for question in gave
    }
    report, compared = season_report.compared(season_report.exact(now, {}), season_report.exact(earlier, {}))
    assert "What became of last season’s mentees who said yes" in html_report.page(report, compared=compared)
    mentees, mentors = report.table("giving_back.mentees"), report.table("giving_back.mentors")
    assert mentees is not None
    assert mentors is not None
    assert mentees.total.count == len(yes["c_give"])
    assert mentors.total.count == len(yes["c_again"])
    back = sum(any(person in part for part in request for person in stayed) for request in yes["c_give"])
    assert [cell.count for cell in mentees.cells] == [back, 0, len(yes["c_give"]) - back]
    assert [cell.count for cell in mentors.cells] == [0, 0, len(yes["c_again"])]
    passed, _ = season_report.compared(
        season_report.for_passing_on(now, {}), season_report.for_passing_on(earlier, {})
    )
    assert passed.table("giving_back.mentees") is None


def test_what_is_shown_as_it_was_says_so_wherever_it_stands(passed_on: Report) -> None:
    """In a table of its own, as a line among others, and as an option of a question."""
    noted = replace(
        passed_on, tables=tuple(replace(each, note="as shown on 2027-09-01") for each in passed_on.tables)
    )
    page = html_report.page(noted)
    answered = [table for table in noted.tables if table.crossed]
    options = [table for table in noted.tables if table.option_of and not table.crossed]
    lines = " ".join(str(row[0]) for sheet in sheets.sheets(noted) for row in sheet.rows)
    for table in (answered[0], options[0]):
        assert f"{table.title}: as shown on 2027-09-01" in page
        assert f"{table.title}: as shown on 2027-09-01" in lines
    assert page.count("as shown on") >= len(together(noted.tables))


def test_it_says_whether_the_promise_of_few_mails_was_kept(rows: Season) -> None:
    """At most one ordinary mail a day for each person. How often it was broken is a number of few people."""
    broken = replace(rows, mails=(replace(rows.mails[0], beyond=2), *rows.mails[1:]))
    for found, words in (
        (rows, ("nobody ever got", "nobody ever got")),
        (broken, ("2 second ones", "not always kept")),
    ):
        exact, passed_on = season_report.exact(found, {}), season_report.for_passing_on(found, {})
        for report, wanted in zip((exact, passed_on), words, strict=True):
            assert wanted in html_report.page(report)
        lines = [str(row[0]) for sheet in sheets.sheets(passed_on) for row in sheet.rows]
        assert ("ordinary mails beyond one a day" in lines) == (found is rows)


def test_the_method_says_when_people_were_asked(rows: Season, exact: Report, passed_on: Report) -> None:
    mailed = [each.first_mail.date() for each in rows.requests if each.ask == "midpoint" and each.first_mail]
    for report in (exact, passed_on):
        assert f"midpoint ({min(mailed)} to {max(mailed)})" in " ".join(method(report))
    few = season_rows(season(2, 1, ("formal",)))
    assert " to " not in next(line for line in method(season_report.for_passing_on(few, {})) if "Asked" in line)


def test_a_kind_of_task_that_the_earlier_season_had_not_stands_alone(rows: Season, exact: Report) -> None:
    report, compared = season_report.compared(exact, season_report.exact(replace(rows, tasks=()), {}))
    assert "work.kinds" in {now.id for now, _ in compared.same}
    assert html_report.page(report, compared=compared)
    assert html_report.body(report) in html_report.page(report)


def reworded(answer: AnswerFacts) -> AnswerFacts:
    """The same answer to a form that asks about satisfaction in other words."""

    def other(question: Question) -> Question:
        return question.model_copy(update={"label": "Were you happy?"}) if question.id == "c_sat" else question

    form: Form = answer.form.model_copy(update={"questions": tuple(map(other, answer.form.questions))})
    return replace(answer, form=form)


def test_two_wordings_in_one_season_are_counted_apart(rows: Season) -> None:
    half = tuple(reworded(each) if at % 2 else each for at, each in enumerate(rows.answers))
    report = season_report.exact(replace(rows, answers=half), {})
    tables = [table for table in report.tables if table.id.startswith("mentee/closure/c_sat.")]
    assert len(tables) == 2
    whole = [table for table in report.tables if table.id.startswith("mentee/closure/c_learn.")]
    assert sum(table.total.count for table in tables) == whole[0].total.count
    season_report.for_passing_on(replace(rows, answers=half), {})


# -- what a season can be ------------------------------------------------------------------------------------------


def emptied(rows: Season, what: str) -> Season:
    match what:
        case "nobody was matched":
            nothing = Season(rows.cohort, rows.title, "", (), rows.start, rows.as_of, "running")
            return nothing
        case "nobody answered":
            return replace(rows, answers=())
        case "one mentorship":
            return season_rows(season(2, 1, ("formal",)))
        case "everybody was erased":
            return replace(rows, answers=tuple(replace(each, body=numbers(each)) for each in rows.answers))
        case "two versions of a form":
            return replace(
                rows, answers=tuple(reworded(each) if at % 2 else each for at, each in enumerate(rows.answers))
            )
        case "it never started":
            never = (replace(one, ending="never_started", onboarded=False, agreed=False) for one in rows.mentorships)
            return replace(rows, mentorships=tuple(never), answers=(), requests=())
        case _:
            running = (replace(one, ending="", ended_on=None) for one in rows.mentorships)
            return replace(rows, mentorships=tuple(running), as_of=date(2027, 5, 1))


def numbers(answer: AnswerFacts) -> dict[str, object]:
    """What an erasure leaves: scales and numbers."""
    return {name: value for name, value in answer.body.items() if type(value) is int}


SEASONS = (
    "nobody was matched",
    "nobody answered",
    "one mentorship",
    "everybody was erased",
    "two versions of a form",
    "it never started",
    "running",
)


@pytest.mark.parametrize("what", SEASONS)
def test_every_season_has_an_honest_page(rows: Season, what: str) -> None:
    found = emptied(rows, what)
    for report in (season_report.exact(found, {}), season_report.for_passing_on(found, {})):
        page = html_report.page(report)
        sheets.sheets(report)
        assert ("The season is still running" in page) == (bool(found.mentorships) and not found.over)
        assert "this shows no cause" in page
        assert not re.search(r"at least [1-4]</span></td>", page)
        if what in ("nobody was matched", "it never started"):
            assert "Meetings against the agreed rhythm" not in page
        if report.exact:
            assert "too few to show" not in page
        headings = re.findall(r'<h2 id="(\w+)"', page)
        assert len(headings) == len(set(headings))
        assert ("reach" in headings) == bool(found.mentorships and "From matched to completed" in page)
        assert len(report.headlines) == 4
    facts = Facts((), {}, {}, 0, 0, {}, "", Matching.model_validate(EXAMPLE))
    pages = html_report.evidence_pages("Evidence", evidence(season_report.for_passing_on(found, {}), facts))
    assert len(pages) == 7
    assert all(f'href="{name}"' in pages["index.html"] for name in pages if name != "index.html")
    points = [
        point for standard in evidence(season_report.for_passing_on(found, {}), facts) for point in standard.points
    ]
    assert [point.asks for point in points if point.missing]
    [rules] = [point for point in points if point.asks.startswith("Rules of matching")]
    assert rules.missing.startswith("how many applied")
    assert len(rules.found) == len(EXAMPLE["rules"]) + 3


@pytest.mark.parametrize(
    ("program", "groups", "says"),
    [
        ("peer", {"least": 2, "most": 3}, ["Where pairs alone would leave one out, three meet"]),
        ("peer", {}, []),
        ("group", {"least": 3, "most": 5}, ["A group has 3 to 5 mentees"]),
        ("reverse", {"least": 2, "most": 3}, []),
    ],
)
def test_the_evidence_says_how_many_are_together(
    rows: Season, program: str, groups: dict[str, int], says: list[str]
) -> None:
    used = call_program(program, **({"groups": groups} if groups else {})).program
    facts = Facts((used,), {}, {}, 0, 0, {}, "", used.matching)
    standards = evidence(season_report.for_passing_on(rows, {}), facts)
    lines = [line for each in standards for point in each.points for line in point.found]
    told = [line for line in lines if "three meet" in line or line.startswith("A group has")]
    assert [line[: len(start)] for line, start in zip(told, says, strict=True)] == says


def test_what_stands_beside_the_tables_tells_of_no_few_either(rows: Season) -> None:
    """The method, medians, and the acts in the evidence: of fewer than five people nothing is told."""
    found = season_rows(season(2, 1, ("formal",)))
    report = season_report.for_passing_on(found, {})
    page = html_report.page(report)
    assert "Counted are fewer than 5 mentorships" in page
    assert "with 2 people" not in page
    assert (report.mails_a_week, report.days_to_decision, report.hours_to_answer) == (None, None, None)
    assert "Counted are 1 mentorship of" in html_report.page(season_report.exact(found, {}))
    facts = Facts((), {}, {}, 1, 0, {"erase": 2, "decide": 7}, "")
    lines = [line for each in evidence(report, facts) for point in each.points for line in point.found]
    assert "erase: fewer than 5" in lines
    assert "decide: 7" in lines
    assert season_report.for_passing_on(rows, {}).hours_to_answer is not None


def test_a_follow_up_is_passed_on_when_all_of_them_are_closed(rows: Season) -> None:
    assert any("/follow_up/" in table.id for table in season_report.for_passing_on(rows, {}).tables)
    still = tuple(replace(each, closed=each.ask != "follow_up") for each in rows.requests)
    ids = [table.id for table in season_report.for_passing_on(replace(rows, requests=still), {}).tables]
    assert not any("/follow_up/" in id_ for id_ in ids)
    assert any("/closure/" in id_ for id_ in ids)


def test_while_it_runs_only_what_is_final_is_passed_on(rows: Season) -> None:
    running = replace(
        rows,
        mentorships=tuple(replace(one, ending="") if one.ending in COMPLETED else one for one in rows.mentorships),
        requests=tuple(replace(each, closed=each.ask != "closure") for each in rows.requests),
    )
    report = season_report.for_passing_on(running, {})
    ids = [table.id for table in report.tables]
    assert any("/check_in1/" in id_ for id_ in ids)
    assert not any("/closure/" in id_ for id_ in ids)
    assert "work.kinds" not in ids
    assert report.withheld
    assert report.mails_a_week is None
