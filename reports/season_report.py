"""The report of a cohort: its sections in their order, exact for coordinators or through the gate for passing on.

Puts together what the figures count. What goes beyond tables (single mentorships, single people's lines) is in the
exact report only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from reports import answer_figures, applied_figures, giving_back_figures, mentorship_figures
from reports.answer_figures import Confidence
from reports.gate import SMALLEST, gated, why_no_filter, with_bounds
from reports.mentorship_figures import Dot
from reports.rows import Index, Season
from reports.statistics import Share, Spread, share
from reports.tables import Cell, Table

SECTIONS = {
    "reach": "How far they came",
    "meetings": "Meetings",
    "goals": "Goals",
    "confidence": "Confidence",
    "satisfaction": "What they thought of it",
    "endings": "How they ended",
    "answers": "Answers and mails",
    "work": "The coordinators’ work",
    "giving_back": "Giving back",
    "appendix": "Every other question",
}
"""The sections with tables, in their order, with their headings."""
SATISFACTION = ("c_sat", "c_learn", "c_org", "c_nps", "c_partner")
MAILS = ("c_mails",)
GIVING_BACK = ("c_give", "c_again")
CONFIDENCE = ("b_confid", "r_confid", "c_now", "c_then")
LINES_FROM = 10
"""From so many people on, the exact report draws one line for each."""


@dataclass(frozen=True, slots=True)
class Headline:
    """One of the figures at the top: `count` of `total`. `at_least`: the gate hid a part, so it may be more.
    Where the total is hidden, both are None."""

    title: str
    count: int | None
    total: int | None
    of: str
    at_least: bool = False
    before: Headline | None = None
    """The same of the season that it is compared with."""

    @property
    def share(self) -> Share | None:
        """In percent, as far as that may be said."""
        if self.count is None or self.total is None or self.at_least:
            return None
        return share(self.count, self.total)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a cohort as of a day."""

    season: Season
    exact: bool
    tables: tuple[Table, ...]
    """Of all sections, in their order; those that were left out are named in `withheld`."""
    headlines: tuple[Headline, ...]
    confidence: tuple[Confidence, ...]
    dots: tuple[Dot, ...]
    days_to_decision: Spread | None
    mails_a_week: Spread | None
    mails_beyond: int | None
    """Ordinary mails beyond the first of somebody's day; None where nobody got mail, or it is not told."""
    hours_to_answer: float | None
    filtered: str = ""
    """What it was filtered by, in words."""
    withheld: Mapping[str, str] = field(default_factory=dict[str, str])
    """Title of a table to the reason for which it is not in this report."""

    def section(self, name: str) -> list[Table]:
        """The tables of one section."""
        return [table for table in self.tables if table.section == name]

    @property
    def first_confidence(self) -> Confidence | None:
        """That of the mentees, or of whom there is: the last of the figures at the top."""
        return self.confidence[0] if self.confidence else None

    def table(self, id_: str) -> Table | None:
        """The table of this id; None where the report has none."""
        return next((table for table in self.tables if table.id == id_), None)


def all_tables(index: Index, task_labels: Mapping[str, str]) -> list[Table]:
    """Every table of a cohort's mentorships, exact, with those that only the gate reads. Who applied is not in it:
    people apply to a cohort, and not to one of its programs or formats."""
    found: list[Table] = []
    for section, tables in (
        ("reach", mentorship_figures.reach(index)),
        ("meetings", [mentorship_figures.rhythm(index)]),
        ("goals", answer_figures.goals(index)),
        ("endings", mentorship_figures.endings(index)),
        ("answers", [*answer_figures.responses(index), *answer_figures.by_reminder(index)]),
        ("work", mentorship_figures.tasks(index, task_labels)),
    ):
        found += [replace(table, section=section) for table in tables]
    found += [replace(table, section=_section_of(table)) for table in answer_figures.questions(index)]
    order = {name: place for place, name in enumerate(SECTIONS)}

    def place(table: Table) -> tuple[int, int]:
        # What mentees and mentors think of the same stands beside each other.
        question = question_of(table)
        return order[table.section], SATISFACTION.index(question) if question in SATISFACTION else 0

    return sorted(found, key=place)


def question_of(table: Table) -> str:
    """The question that a table is about; its id where it is about none."""
    return table.id.split("/")[-1].split(".")[0]


def _section_of(table: Table) -> str:
    question = question_of(table)
    if question in SATISFACTION:
        return "satisfaction"
    if question in MAILS:
        return "answers"
    if question in GIVING_BACK:
        return "giving_back"
    return "confidence" if question in CONFIDENCE else "appendix"


def exact(season: Season, task_labels: Mapping[str, str], *, program: str = "", format_: str = "") -> Report:
    """The report for those who may see the answers themselves: exact numbers, not for passing on."""
    chosen = season.only(program=program, format_=format_)
    index = Index(chosen)
    tables = [
        *_in_reach(applied_figures.tables(chosen.applied)),
        *(table for table in all_tables(index, task_labels) if table.shown),
    ]
    return Report(
        season=chosen,
        exact=True,
        tables=tuple(tables),
        headlines=_headlines(tables, index.roles),
        confidence=tuple(
            replace(each, lines=each.lines if len(each.lines) >= LINES_FROM else ())
            for each in answer_figures.confidence(index)
        ),
        dots=tuple(mentorship_figures.dots(index)),
        days_to_decision=mentorship_figures.days_to_decision(chosen),
        mails_a_week=mentorship_figures.mails_a_week(chosen),
        mails_beyond=mentorship_figures.mails_beyond(chosen) if chosen.mails else None,
        hours_to_answer=answer_figures.hours_to_answer(index),
        filtered=_filter_words(program, format_),
    )


def for_passing_on(season: Season, task_labels: Mapping[str, str]) -> Report:
    """The report that may leave: through the gate, and of what can still change nothing."""
    index = Index(season)
    tables = all_tables(index, task_labels)
    unfinished = {table.id for table in tables if not _is_final(index, table)}
    applied, left_out = applied_figures.tables_for_passing_on(season.applied if season.published else ())
    kept = [*_in_reach(applied), *gated([table for table in tables if table.id not in unfinished])]
    later = {
        table.title: "shown when nothing in it can change any more"
        for table in tables
        if table.id in unfinished and table.shown
    }
    return _through_the_gate(season, index, kept, {**left_out, **later})


def _in_reach(tables: Iterable[Table]) -> list[Table]:
    return [replace(table, section="reach") for table in tables if table.shown]


def filtered_for_passing_on(
    season: Season, whole: Report, task_labels: Mapping[str, str], *, program: str = "", format_: str = ""
) -> Report:
    """The same of one program or format, given the `whole` report: only tables from which, with any other filter, no
    number below five can be computed."""
    chosen = season.only(program=program, format_=format_)
    index = Index(chosen)
    programs, formats = season.programs, sorted({one.format for one in season.mentorships})
    parts = [
        all_tables(Index(season.only(program=of_program, format_=of_format)), task_labels)
        for of_program in programs
        for of_format in formats
    ]
    reasons = why_no_filter(parts)
    open_ = {table.id for table in whole.tables if not table.withheld and not table.note}
    tables: list[Table] = []
    withheld: dict[str, str] = {}
    for table in all_tables(index, task_labels):
        if not table.shown:
            continue
        if not season.over:
            withheld[table.title] = "filters are for seasons that are over"
        elif table.id in reasons:
            withheld[table.title] = reasons[table.id]
        elif table.id not in open_:
            withheld[table.title] = "the report without a filter hides something of it, or repeats it"
        else:
            tables.append(table)
    return replace(_through_the_gate(chosen, index, tables, withheld), filtered=_filter_words(program, format_))


def _through_the_gate(season: Season, index: Index, tables: Sequence[Table], withheld: Mapping[str, str]) -> Report:
    shown = [table for table in tables if table.shown]
    by_id = {table.id: table for table in shown}
    # What is no count stands only beside a table whose total is shown, and of enough people.
    decided, matched = by_id.get("work.in_time"), by_id.get("reach.said_yes")
    answers = [table for table in shown if table.id.startswith("reminders.")]
    enough = season.over and len({seat.person for seat in season.seats}) >= SMALLEST
    asked = {table.id.split("/")[0] for table in shown if "/closure/" in table.id and table.wording}
    return Report(
        season=season,
        exact=False,
        tables=tuple(shown),
        headlines=_headlines(shown, index.roles),
        confidence=tuple(
            _without_lines(each) for each in answer_figures.confidence(index) if season.over and each.role in asked
        ),
        dots=(),
        days_to_decision=(
            _of_enough(mentorship_figures.days_to_decision(season)) if enough and _is_open(decided) else None
        ),
        mails_a_week=mentorship_figures.mails_a_week(season) if enough and _is_open(matched) else None,
        mails_beyond=mentorship_figures.mails_beyond(season)
        if enough and _is_open(matched) and season.mails
        else None,
        hours_to_answer=answer_figures.hours_to_answer(index) if enough and any(map(_is_open, answers)) else None,
        withheld=withheld,
    )


def _is_open(table: Table | None) -> bool:
    """Whether a reader sees the total of this table."""
    return table is not None and table.total.state == "exact" and table.total.people >= SMALLEST


def with_tables(report: Report, tables: Sequence[Table], withheld: Mapping[str, str]) -> Report:
    """The same report with other tables in place of its own: those of an earlier report, where it must not differ."""
    tables = with_bounds(tables)
    roles = [role for role in ("mentee", "mentor", "peer") if any(seat.role == role for seat in report.season.seats)]
    return replace(
        report, tables=tuple(tables), headlines=_headlines(tables, roles), withheld={**report.withheld, **withheld}
    )


def _is_final(index: Index, table: Table) -> bool:
    """Whether nothing in a table can change any more, but for people who join later."""
    rounds = [
        (ask, number) for ask in answer_figures.ASKS for number in (index.numbers(ask) if ask == "check_in" else (0,))
    ]
    for ask, number in rounds:
        if f"/{ask}{number or ''}/" in f"/{table.id.replace('.', '/')}/":
            return index.settled(ask, number)
    return index.season.over or (table.id == "reach.said_yes" and index.settled("invitation", 0))


def _without_lines(confidence: Confidence) -> Confidence:
    return Confidence(
        confidence.role,
        *(
            _of_enough(each)
            for each in (confidence.before, confidence.half_way, confidence.now, confidence.then, confidence.paired)
        ),
        lines=(),
    )


def _of_enough(each: Spread | None) -> Spread | None:
    return each if each is not None and each.n >= SMALLEST else None


def _filter_words(program: str, format_: str) -> str:
    return ", ".join(words for words in (program, format_.replace("_", " ")) if words)


# -- the five figures ----------------------------------------------------------------------------------------


def _headlines(tables: Iterable[Table], roles: Sequence[str]) -> tuple[Headline, ...]:
    """Made of the tables and of nothing else, so that they say no more than those."""
    by_id = {table.id: table for table in tables}
    satisfied = [
        table for table in by_id.values() if any(table.id.startswith(f"{role}/closure/c_sat.") for role in roles)
    ]
    # Mentors say it of the same goals as their mentees.
    goals = [table for table in by_id.values() if table.id.startswith(("goals.mentee.", "goals.peer."))]
    yes, furthest = by_id.get("reach.said_yes"), by_id.get("reach.furthest")
    completed = _headline("Completed", [furthest] if furthest else [], {"m/completed"}, "mentorships that began")
    if yes and furthest and completed.total is None and yes.total.state == "exact":
        cell = furthest.cell("m/completed")
        count, hidden = least(cell), cell.state != "exact"
        completed = Headline("Completed", count, yes.total.count, "mentorships that were matched", hidden)
    return (
        _headline("Began", [yes] if yes else [], {"m/said_yes"}, "mentorships that were matched"),
        completed,
        _headline("Satisfied", satisfied, {"4", "5"}, "closing answers (4 or 5 of 5)"),
        _headline("Goals reached, or mostly", goals, {"reached", "mostly"}, "goals, as mentees and peers say"),
    )


def least(cell: Cell) -> int:
    """What a reader knows a count to be at least."""
    return cell.count if cell.state == "exact" else cell.least


def _headline(title: str, tables: Sequence[Table], wanted: set[str], of: str) -> Headline:
    if not tables or any(table.total.state != "exact" for table in tables):
        return Headline(title, None, None, of)
    chosen = [cell for table in tables for cell in table.cells if cell.name in wanted or cell.value in wanted]
    total, count = sum(table.total.count for table in tables), sum(map(least, chosen))
    hidden = any(cell.state != "exact" for cell in chosen)
    return (
        Headline(title, None, None, of) if hidden and count < SMALLEST else Headline(title, count, total, of, hidden)
    )


# -- two seasons ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compared:
    """Two seasons side by side."""

    earlier: Report
    same: tuple[tuple[Table, Table], ...]
    """Tables of the same question in the same words: (this season, earlier season)."""
    only_now: tuple[Table, ...]
    """Questions that were not asked in these words before."""


def compared(report: Report, earlier: Report) -> tuple[Report, Compared]:
    """The report with the earlier season's marks, and the tables that may stand beside each other. What became of
    those who would give back is in the exact report only: it follows single people into this season."""
    headlines = tuple(
        replace(now, before=before) for now, before in zip(report.headlines, earlier.headlines, strict=True)
    )
    before = {table.id: table for table in earlier.tables}
    same = tuple((table, before[table.id]) for table in report.tables if table.id in before)
    apart = tuple(table for table in report.tables if table.id not in before and table.wording)
    if report.exact and earlier.exact:
        back = giving_back_figures.came_back(Index(earlier.season), Index(report.season))
        report = replace(report, tables=(*report.tables, *(replace(table, section="giving_back") for table in back)))
    return replace(report, headlines=headlines), Compared(earlier, same, apart)


def days(season: Season) -> tuple[date, date]:
    """From when until when the season goes, as far as it has come."""
    return season.start, max((one.end for one in season.mentorships), default=season.start)
