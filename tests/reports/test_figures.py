"""Every figure against an independent count over the rehearsed season itself, which shares no code with `reports`."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from statistics import median

import pytest

from program.forms import Form, Question
from program.loader import load_cohort
from rehearsal.script import load_behaviour
from rehearsal.script_actions import change_happens
from rehearsal.season import RehearsedSeason
from rehearsal.season_rows import season_rows
from reports import answer_figures, mentorship_figures, season_report
from reports.applied_figures import lots
from reports.rows import (
    AnswerFacts,
    ApplicationFacts,
    Index,
    MentorshipFacts,
    RequestFacts,
    Season,
    SeatFacts,
    TaskFacts,
)
from reports.statistics import share, spread, wilson
from reports.tables import Cell, Table
from testing.cohorts import random_cohorts
from testing.cohorts.all_cases import launch_moment, written
from testing.seasons.chance_applicants import applicants, call
from testing.seasons.counted_again import differences
from testing.seasons.independent_count import of_rehearsal
from testing.seasons.rehearsed_answers import season

SEASONS = int(os.environ.get("REPORT_SEASONS", "40"))
"""How many seasons by chance are counted again; `REPORT_SEASONS=200` takes half a minute."""
CHANGED_EVERY = 10
"""In one of so many seasons seats are filled again, mentorships paused, extended and ended by script."""
LARGE = (1000, 25)


def numbers(table: Table) -> dict[str, int]:
    """Label to count, of the parts in which somebody is."""
    return {cell.label: cell.count for cell in table.cells if cell.count}


def changed(seed: int, folder: Path) -> RehearsedSeason:
    """A season in which coordinators change much, played to its end."""
    cohort, people = written(folder, *random_cohorts.cohort(seed))
    loaded = load_cohort(cohort)
    behaviour = load_behaviour(people, loaded)
    at = launch_moment(loaded)
    season = RehearsedSeason(
        loaded.cohort, loaded.programs, loaded.forms, behaviour, launched_at=at, script=change_happens, seed=seed
    )
    return season.play()


@pytest.mark.parametrize("first", range(0, SEASONS, CHANGED_EVERY))
def test_every_figure_of_seasons_by_chance_is_counted_again(first: int, tmp_path: Path) -> None:
    """All tables, parts, people behind them, dots, medians and headlines."""
    seasons = [season(seed, 1 + seed % 6) for seed in range(first + 1, min(first + CHANGED_EVERY, SEASONS))]
    for one in (*seasons, changed(first, tmp_path)):
        report = season_report.exact(season_rows(one), {})
        assert differences(report, of_rehearsal(one)) == []
        assert "Words that no figure may show" not in repr(report.tables)


def test_the_count_of_a_larger_season_and_what_it_would_find() -> None:
    one = season(*LARGE)
    rows, facts = season_rows(one), of_rehearsal(one)
    assert differences(season_report.exact(rows, {}), facts) == []
    closing = next(at for at, each in enumerate(rows.answers) if each.request.split("/")[2].startswith("closure"))
    for wrong in (
        replace(rows, answers=(*rows.answers[:closing], *rows.answers[closing + 1 :])),
        replace(rows, tasks=rows.tasks[1:]),
        replace(rows, seats=rows.seats[1:]),
        replace(rows, mentorships=(replace(rows.mentorships[0], ending="ended_early"), *rows.mentorships[1:])),
        replace(rows, mails=rows.mails[: len(rows.mails) // 2]),
    ):
        with suppress(ValueError):  # its parts may not even add up
            assert differences(season_report.exact(wrong, {}), facts)


# -- the arithmetic --------------------------------------------------------------------------------------------------


def test_shares() -> None:
    assert share(3, 19).percent is None
    assert (share(5, 20).percent, share(5, 20).interval) == (25, (11, 47))
    assert (share(10, 40).percent, share(10, 40).interval) == (25, None)
    assert wilson(0, 20)[0] == 0
    with pytest.raises(ValueError, match="no part"):
        share(4, 3)
    assert spread([]) is None
    assert spread([1, 2, 3, 4]) == spread([4, 3, 2, 1])


def test_meetings_by_the_two_ways_of_telling() -> None:
    """At the closure what both remember; before, the sum of the check-ins; and one where only a first meeting is
    known."""
    one = season(4, 8)
    rows = season_rows(one)
    told = mentorship_figures.meetings_told(Index(rows))
    for key, running in one.running.items():
        answered = [each for each in running.requests.values() if each.answers is not None]
        closing = [each.answers["c_meet"] for each in answered if each.asked.ask == "closure"]  # type: ignore[index]
        if closing:
            assert told[key] == int(median(closing))
    with_checks = replace(rows, requests=tuple(each for each in rows.requests if each.ask != "closure"))
    before = mentorship_figures.meetings_told(Index(with_checks))
    assert set(told) <= set(before) | {each.mentorship for each in rows.requests}
    assert all(dot.expected >= 0 for dot in mentorship_figures.dots(Index(with_checks)))


def a_task(key: str, opened: int, closed: int | None, decision: str, due: int = 10) -> TaskFacts:
    end = date(2027, 5, closed) if closed else None
    return TaskFacts(key, "m1", "stalled", date(2027, 5, opened), date(2027, 5, due), end, decision)


@pytest.mark.parametrize(("ending", "part"), [("completed", 0), ("ended_early", 1), ("", 2)])
def test_tasks_by_how_soon_and_what_came_of_a_swap(ending: str, part: int) -> None:
    tasks = (
        a_task("t1", 1, 9, "replace"),
        a_task("t2", 1, 12, "noted"),
        a_task("t3", 1, 20, "lapsed"),
        a_task("t4", 1, None, ""),
    )
    day = date(2027, 3, 1)
    one = MentorshipFacts("m1", "P", "one_to_one", day, day, day, 14, True, ending=ending)
    found = empty(mentorships=(one,), tasks=tasks)
    assert [mentorship_figures.promptness(task) for task in tasks] == ["in_time", "late", "lapsed", "open"]
    swaps = mentorship_figures.tasks(Index(found), {})[-1]
    assert [cell.count for cell in swaps.cells] == [int(at == part) for at in range(3)]
    between = mentorship_figures.days_to_decision(found)
    assert between is not None
    assert between.median == 9.5
    assert mentorship_figures.mails_a_week(found) is None


@pytest.mark.parametrize(
    ("least", "most", "answer", "expected"),
    [(0, 10, 7, "7 to 8"), (0, 480, 60, "0 to 95"), (1, 3, 2, "2"), (0, 480, None, ""), (0, 480, 9999, "")],
)
def test_numbers_are_put_together(least: int, most: int, answer: int | None, expected: str) -> None:
    """Each number is in one bin; what is no number of this question is left open."""
    question = Question(id="c_any", type="number", label="?", least=least, most=most)
    form = Form(form="closure", title="?", who_sees="?", questions=(question,))
    seat = SeatFacts("m1", "p1", "mentee")
    found = empty(
        seats=(seat,),
        requests=(RequestFacts("r", "m1", "closure", 1, "p1", "mentee"),),
        answers=(AnswerFacts("r", form, "one_to_one", False, {"c_any": answer}, datetime(2027, 5, 1, tzinfo=UTC)),),
    )
    [table] = answer_figures.questions(Index(found))
    assert [cell.value for cell in table.cells if cell.count] == [expected]


def test_a_goal_of_which_nobody_says_what_came_of_it_is_not_counted() -> None:
    form = Form(form="closure", title="?", who_sees="?", questions=(Question(id="c_sat", type="scale", label="?"),))
    said = {"c_goals": [{"goal": "One", "came": "reached"}, {"goal": "Two"}]}
    day = date(2027, 3, 1)
    found = empty(
        mentorships=(MentorshipFacts("m1", "P", "one_to_one", day, day, day, 14),),
        seats=(SeatFacts("m1", "p1", "mentee"),),
        requests=(RequestFacts("r", "m1", "closure", 1, "p1", "mentee"),),
        answers=(AnswerFacts("r", form, "one_to_one", False, said, datetime(2027, 5, 1, tzinfo=UTC)),),
    )
    [table] = answer_figures.goals(Index(found))
    assert numbers(table) == {"reached": 1}


def test_applications_are_where_people_say_first_how_confident_they_are() -> None:
    """Applications are where a call's mentees are asked before anything begins."""
    rows = season_rows(season(11, 12, ("formal",)))
    mentees = sorted(seat.person for seat in rows.seats if seat.role == "mentee")
    said = tuple(ApplicationFacts(person, at % 11) for at, person in enumerate([*mentees, "other"]))
    applied = replace(rows, applications=(*said, ApplicationFacts("silent")))
    [confident] = season_report.exact(applied, {}).confidence
    assert confident.before is not None
    assert confident.before.n == len(mentees)


def test_who_was_left_out_is_told_of_the_whole_cohort_once_the_pairs_are_published() -> None:
    rows = season_rows(season(11, 12, ("formal",)))
    people = applicants(Random(1), ["mentee"] * 30 + ["mentor"] * 30, 12)
    asked = replace(rows, applied=lots(people, *call()))
    ids = {table.id for table in season_report.exact(asked, {}).tables}
    assert {"reach.applied.mentee", "reach.applied.mentor"} < ids
    assert any(".unit-" in id_ for id_ in ids)
    assert season_report.for_passing_on(asked, {}).table("reach.applied.mentee") is None
    published = replace(asked, published=True)
    whole = season_report.for_passing_on(published, {})
    assert whole.table("reach.applied.mentee") is not None
    for part in (
        season_report.exact(published, {}, format_="one_to_one"),
        season_report.filtered_for_passing_on(published, whole, {}, format_="one_to_one"),
    ):
        assert not [table for table in part.tables if table.id.startswith("reach.applied")]


def test_a_table_whose_parts_do_not_add_up_is_no_table() -> None:
    with pytest.raises(ValueError, match="add up"):
        Table("t", "", "", Cell("all", "", 3, 3), (Cell("a", "", 2, 2),))
    with pytest.raises(KeyError):
        Table("t", "", "", Cell("all", "", 0, 0), ()).cell("a")


# -- what a season can look like -------------------------------------------------------------------------------------


def empty(**changes: object) -> Season:
    return Season("none", "A season", "", (), date(2027, 3, 1), date(2027, 3, 2), "running", **changes)  # type: ignore[arg-type]


def test_a_season_that_never_started_has_a_report() -> None:
    for report in (season_report.exact(empty(), {}), season_report.for_passing_on(empty(), {})):
        assert [line.count for line in report.headlines[2:]] == [None, None]
        assert report.confidence == ()
