"""Every figure against an independent count over the rehearsed season itself, which shares no code with `reports`."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from statistics import median

import pytest

from program.forms import Form, Question
from rehearsal.season import RehearsedSeason
from rehearsal.season_rows import season_rows
from reports import answer_figures, mentorship_figures, season_report
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
from reports.season_report import Report
from reports.statistics import share, spread, wilson
from reports.tables import Cell, Table
from testing.seasons.rehearsed_answers import season

SEASONS = [(seed, 1 + seed % 6) for seed in range(1, 60)]
LARGE = (1000, 25)


@pytest.fixture(scope="module", params=[SEASONS[at : at + 12] for at in range(0, len(SEASONS), 12)] + [[LARGE]])
def played(request: pytest.FixtureRequest) -> list[tuple[RehearsedSeason, Report]]:
    """Some seasons by chance, with their exact reports."""
    seasons = [season(seed, size) for seed, size in request.param]
    return [(one, season_report.exact(season_rows(one), {})) for one in seasons]


def numbers(table: Table) -> dict[str, int]:
    """Label to count, of the parts in which somebody is."""
    return {cell.label: cell.count for cell in table.cells if cell.count}


def test_reach_and_endings(played: list[tuple[RehearsedSeason, Report]]) -> None:
    for one, report in played:
        endings = {key: running.ending[:2] for key, running in one.running.items() if running.ending}
        noted = {key: [note.name for _, note in running.notes] for key, running in one.running.items()}
        begun = {key for key, names in noted.items() if "onboarded" in names}
        assert {key for key, (how, _) in endings.items() if how.startswith(("completed", "ended"))} <= begun
        yes = report.table("reach.said_yes")
        assert yes is not None
        assert yes.cell("m/said_yes").count == len(begun)
        assert yes.total.count == len(one.running)
        agreed = report.table("reach.agreed")
        assert agreed is not None
        assert agreed.cell("m/agreed").count == sum("agreement_concluded" in noted[key] for key in begun)
        completed = sum(how.startswith("completed") for how, _ in endings.values())
        early = Counter(reason for how, reason in endings.values() if how == "ended_early")
        how_ended = report.table("endings.begun")
        assert how_ended is not None
        assert how_ended.cell("m/completed").count == completed
        for reason in ("no_fault", "goals_reached", "left", "inactive", "safeguarding"):
            assert how_ended.cell(f"m/early.{reason}").count == early[reason]
        never = report.table("endings.not_begun")
        assert never is not None
        assert never.cell("m/never_started").count == sum(how == "never_started" for how, _ in endings.values())
        assert report.headlines[1].count == completed


def last_answers(one: RehearsedSeason, ask: str, role: str) -> dict[tuple[str, str], dict[str, object]]:
    """(mentorship, person) to the answers to the last request of this ask that was answered."""
    found: dict[tuple[str, str], dict[str, object]] = {}
    for key, running in one.running.items():
        for request in sorted(running.requests.values(), key=lambda each: each.asked.number):
            if request.asked.ask == ask and request.asked.role == role and request.answers is not None:
                found[key, request.asked.person] = request.answers
    return found


@pytest.mark.parametrize("question", ["c_sat", "c_learn", "c_org"])
def test_a_scale_by_role(played: list[tuple[RehearsedSeason, Report]], question: str) -> None:
    for one, report in played:
        for role in ("mentor", "mentee", "peer"):
            given = last_answers(one, "closure", role).values()
            expected = Counter(str(answers.get(question)) for answers in given)
            tables = [each for each in report.tables if each.id.startswith(f"{role}/closure/{question}.")]
            assert len(tables) == bool(expected)
            for table in tables:
                counted = {cell.value or "None": cell.count for cell in table.cells}
                assert +Counter(counted) == expected
                assert table.total.count == len(given)


def test_goals_are_counted_one_by_one(played: list[tuple[RehearsedSeason, Report]]) -> None:
    for one, report in played:
        expected: Counter[str] = Counter()
        for role in ("mentor", "mentee", "peer"):
            for answers in last_answers(one, "closure", role).values():
                goals = answers.get("c_goals") or []
                assert isinstance(goals, list)
                expected.update(goal["came"] for goal in goals)
        counted: Counter[str] = Counter()
        for table in report.section("goals"):
            counted.update({cell.value: cell.count for cell in table.cells})
        assert +counted == expected
        wanted = expected["reached"] + expected["mostly"]
        assert (report.headlines[3].count or 0, report.headlines[3].total or 0) == (wanted, expected.total())


def test_who_answered(played: list[tuple[RehearsedSeason, Report]]) -> None:
    for one, report in played:
        seats = Counter(member.role for running in one.running.values() for member in running.state.members)
        for table in report.section("answers"):
            if not table.id.startswith("answers."):
                continue
            role, occasion = table.id.removeprefix("answers.").split("/")
            ask = occasion.rstrip("0123456789")
            number = int(occasion.removeprefix(ask) or 0)
            answered, asked = set[tuple[str, str]](), set[tuple[str, str]]()
            for key, running in one.running.items():
                for request in running.requests.values():
                    fits = request.asked.ask == ask and request.asked.role == role
                    if not fits or number not in (0, request.asked.number):
                        continue
                    if request.answers is not None:
                        answered.add((key, request.asked.person))
                    if request.answers is not None or request.facts.state not in ("withdrawn", "superseded"):
                        asked.add((key, request.asked.person))
            counts = [cell.count for cell in table.cells]
            assert counts == [len(answered), len(asked - answered), seats[role] - len(asked)]


def test_confidence(played: list[tuple[RehearsedSeason, Report]]) -> None:
    for one, report in played:
        by_role = {each.role: each for each in report.confidence}
        for role in ("mentee", "peer"):
            now = [answers["c_now"] for answers in last_answers(one, "closure", role).values()]
            numbers = [each for each in now if isinstance(each, int)]
            if numbers:
                found = by_role[role].now
                assert found is not None
                assert (found.n, found.median) == (len(numbers), median(numbers))


def test_tasks_and_mails(played: list[tuple[RehearsedSeason, Report]]) -> None:
    for one, report in played:
        kinds = Counter(task.kind for task in one.tasks.values())
        table = report.table("work.kinds")
        assert table is not None
        assert numbers(table) == kinds
        in_time = sum(
            task.closed is not None and task.closed <= task.due and task.decision != "lapsed"
            for task in one.tasks.values()
        )
        decided = report.table("work.in_time")
        assert decided is not None
        assert decided.cell("t/in_time").count == in_time
        people = {member.person for running in one.running.values() for member in running.state.members}
        first = min(mail.at for mail in one.mails if mail.person in people).date()
        weeks = max((report.season.as_of - first).days / 7, 1)
        sent = Counter(mail.person for mail in one.mails)
        assert report.mails_a_week is not None
        assert report.mails_a_week.median == pytest.approx(median(sent[person] / weeks for person in people))


def test_giving_back(played: list[tuple[RehearsedSeason, Report]]) -> None:
    for one, report in played:
        would = {
            person
            for role in ("mentee", "peer")
            for (_, person), answers in last_answers(one, "closure", role).items()
            if answers.get("c_give") == "yes"
        }
        assert answer_figures.would_go_on(Index(report.season))["mentees"] == would


def test_nothing_that_somebody_wrote_is_in_a_report(played: list[tuple[RehearsedSeason, Report]]) -> None:
    for _, report in played:
        assert "Words that no figure may show" not in repr(report.tables)


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


def test_who_applied_and_how_confident_they_were() -> None:
    """Applications are where a call's mentees are asked before anything begins."""
    rows = season_rows(season(11, 12, ("formal",)))
    mentees = sorted(seat.person for seat in rows.seats if seat.role == "mentee")
    others = [f"other{number}" for number in range(7)]
    said = tuple(ApplicationFacts(person, at % 11) for at, person in enumerate([*mentees, *others]))
    applied = replace(rows, applications=(*said[:-1], ApplicationFacts(said[-1].person)))
    report = season_report.exact(applied, {})
    [table] = [each for each in report.tables if each.id == "reach.applied"]
    assert [cell.count for cell in (table.total, *table.cells)] == [len(said), len(mentees), 7]
    [confident] = report.confidence
    assert confident.before is not None
    assert confident.before.n == len(mentees)
    assert season_report.for_passing_on(applied, {}).table("reach.applied") is not None
    fewer = replace(applied, applications=applied.applications[:-4])
    assert season_report.for_passing_on(fewer, {}).table("reach.applied") is None


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
