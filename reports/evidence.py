"""The evidence that a quality standard for mentoring asks for, in its order: what there is, and what is missing.

The order is that of the six standards of the ISMCP (EMCC). It quotes figures of a report for passing on and texts of
the program; it must not know a person, and it counts nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from program.forms import Form
from program.matching import Level, Matching, Points, Rule, Score
from program.models import Program
from reports.applied_figures import SEATS
from reports.gate import SMALLEST
from reports.season_report import Report, days
from reports.tables import Table, in_words

NOT_YET = "no figure can be shown yet"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a cohort beside its figures."""

    programs: tuple[Program, ...]
    forms: Mapping[str, Form]
    due: Mapping[str, int]
    """Kind of task, in words, to the working days until it is due."""
    coordinators: int
    deputies: int
    audit: Mapping[str, int]
    """What was done, to how often: of the audit."""
    change: str
    matching: Matching | None = None
    """The rules by which the published pairs were made; None where the cohort's file named the pairs."""


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that a standard asks for. `missing` says what is not there, and is empty where all is."""

    asks: str
    found: tuple[str, ...]
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Standard:
    """One of the six, with what it asks for."""

    number: int
    title: str
    points: tuple[Point, ...]

    @property
    def file(self) -> str:
        """Name of its page."""
        return f"{self.number}-{self.title.split(',')[0].lower().replace(' ', '-')}.html"


def evidence(report: Report, facts: Facts) -> list[Standard]:
    """The six standards in their order."""
    return [
        Standard(1, "Purpose", (_aims(facts), _plan(report, facts), _goals(report))),
        Standard(2, "Preparation, training and briefing", (_told(facts), _guide(facts))),
        Standard(3, "Selection and matching", (_rules(report, facts), _unsuitable(report))),
        Standard(4, "Measurement and review", (_measures(report), _change(facts))),
        Standard(5, "Ethics and care", (_conduct(facts), _concerns(report))),
        Standard(6, "Administration and support", (_run(report, facts), _recorded(facts))),
    ]


def _aims(facts: Facts) -> Point:
    found = tuple(f"{program.title}: {program.about}" for program in facts.programs if program.about)
    silent = [program.title for program in facts.programs if not program.about]
    return Point("Aims of the program", found, f"`about:` in {', '.join(silent)}" if silent else "")


def _plan(report: Report, facts: Facts) -> Point:
    first, last = days(report.season)
    lengths = tuple(f"{program.title}: {program.length} days, {program.format}" for program in facts.programs)
    return Point("Plan", (f"{first} to {last}", *lengths))


def _goals(report: Report) -> Point:
    lines = tuple(line for table in report.section("goals") for line in _lines(table))
    return Point(
        "Goals that participants set, and what became of them", lines, "" if lines else "no goal was looked back at"
    )


def _told(facts: Facts) -> Point:
    found = tuple(f"{form.title} (version {form.version}): {form.who_sees}" for form in facts.forms.values())
    return Point("What people are told before they answer: who sees it", found)


def _guide(facts: Facts) -> Point:
    found = tuple(f"{program.title}: {program.first_meeting}" for program in facts.programs if program.first_meeting)
    silent = [program.title for program in facts.programs if not program.first_meeting]
    return Point("Guide to the first meeting", found, f"`first_meeting:` in {', '.join(silent)}" if silent else "")


def _rules(report: Report, facts: Facts) -> Point:
    asks = "Rules of matching, and who could not be matched"
    matching = facts.matching
    if matching is None:
        return Point(asks, (), "the cohort’s file names the pairs: write by which rules they were made")
    rules = tuple(f"A pair is made only where {_rule(rule)}." for rule in matching.rules)
    points = "; ".join(f"{_score(score)}: {_points(score)}" for score in matching.score)
    first = f"What counts first: {', '.join(_LEVELS[level] for level in matching.objective)}."
    seats = tuple(line for table in report.tables if table.id in SEATS for line in _lines(table))
    told = "Each applicant for whom there was nobody was told."
    found = (
        *(rules or ("Every pair can be made.",)),
        *([f"Points: {points}."] if points else ()),
        first,
        *_together(facts.programs, matching),
        *seats,
        told,
    )
    return Point(asks, found, "" if seats else "how many applied and got no seat: too few to show, or not counted")


def _together(programs: Sequence[Program], matching: Matching) -> tuple[str, ...]:
    """How many are together where that is not two."""
    match programs[0].format if programs else "":
        case "group":
            return (f"A group has {matching.groups.least} to {matching.groups.most} mentees.",)
        case "peer" if matching.three_peers:
            return ("Where pairs alone would leave one out, three meet: each of them in a pair with both others.",)
        case _:
            return ()


_LEVELS: Mapping[Level, str] = {
    "served": "as many as possible have somebody",
    "wishes": "as many wishes as possible",
    "score": "the most points",
    "worst": "the weakest pair as strong as possible",
}


def _rule(rule: Rule) -> str:
    """When a rule allows a pair, in words."""
    name = rule.field.replace("_", " ")
    match rule.kind:
        case "different":
            return f"the two have nothing in common in “{name}”"
        case "same":
            return f"the two have something in common in “{name}”"
        case "above":
            steps = " or ".join(map(str, rule.by or ()))
            return f"the mentor stands {steps} steps above the mentee in “{name}” ({', '.join(rule.order or ())})"
        case "within":
            return f"both have one of these in “{name}”: {', '.join(rule.of or ())}"
        case "overlap":
            count = rule.at_least or 1
            return f"both have {count} half-day{'s' if count != 1 else ''} in common in “{name}”"
        case "not_in_line":
            return f"neither reports to the other (“{name}”)"
        case "not_again":
            return "the two were not together before, and neither excludes the other"
        case _:
            assert_never(rule.kind)


def _score(score: Score) -> str:
    """What a pair gets points for, in words."""
    name = score.field.replace("_", " ")
    match score.kind:
        case "steps":
            return f"steps between the two in “{name}”"
        case "equal":
            return f"something in common in “{name}”"
        case "shared":
            return f"something in common in “{name}”" + (", where the mentee asked for it" if score.only_if else "")
        case "wanted":
            return f"what the mentee wants (“{name}”) and the mentor offers, by rank"
        case "wish":
            return f"wishes of the {score.wish}, by rank"
        case _:
            assert_never(score.kind)


def _points(score: Score) -> str:
    points: Points = score.points
    if isinstance(points, dict):
        return ", ".join(f"{step}: {each}" for step, each in points.items())
    return ", ".join(map(str, points)) if isinstance(points, tuple) else str(points)


def _unsuitable(report: Report) -> Point:
    fits = [table for table in report.section("appendix") if "/f_fit." in table.id]
    tables = [
        *fits,
        *(table for table in report.section("work") if table.id.startswith(("work.swaps", "work.after"))),
    ]
    lines = tuple(line for table in tables for line in _lines(table))
    return Point(
        "How unsuitable matches are recognised and ended", lines, "" if lines else "no figure can be shown yet"
    )


def _measures(report: Report) -> Point:
    answered = [table for table in report.section("answers") if table.id.startswith("answers.")]
    lines = tuple(f"{table.unit.capitalize()}, {line}" for table in answered for line in _lines(table))
    return Point(
        "Measures and reviews", (*lines, "All figures: report.html"), "" if lines else "no figure can be shown yet"
    )


def _change(facts: Facts) -> Point:
    return Point(
        "What is changed for the next time",
        (facts.change,) if facts.change else (),
        "" if facts.change else "write it with `mentorship report COHORT --change TEXT`",
    )


def _conduct(facts: Facts) -> Point:
    found = tuple(f"{program.title}: {program.emergency}" for program in facts.programs if program.emergency)
    silent = [program.title for program in facts.programs if not program.emergency]
    agreed = [
        f"The agreement asks: {question.label}"
        for form in facts.forms.values()
        for question in form.questions
        if question.id in ("a_conf", "a_coi", "a_exit")
    ]
    missing = (
        f"`emergency:` in {', '.join(silent)}; your own code of conduct" if silent else "your own code of conduct"
    )
    return Point("Code of conduct, confidentiality, conflicts of interest", (*found, *dict.fromkeys(agreed)), missing)


def _concerns(report: Report) -> Point:
    kinds = report.table("work.kinds")
    count = (
        next((in_words(cell) for cell in kinds.cells if cell.name == "t/safety"), "none")
        if kinds
        else "not shown yet"
    )
    return Point(
        "How concerns are handled",
        (
            "A report about safety or conduct goes to every coordinator at once and is due the same day.",
            "Until it is decided no mail about this mentorship goes out. The partner is told nothing.",
            f"Reports in this cohort: {count}.",
        ),
    )


def _run(report: Report, facts: Facts) -> Point:
    due = ", ".join(f"{kind} {count}" for kind, count in facts.due.items())
    in_time = report.table("work.in_time")
    lines = _lines(in_time) if in_time else ()
    return Point(
        "How it is run: who decides, until when",
        (
            f"Coordinators: {facts.coordinators}, deputies: {facts.deputies}.",
            f"Working days until a decision is due: {due}. Two working days later the deputies hear of it.",
            *lines,
        ),
        "" if facts.deputies else "a deputy",
    )


def _recorded(facts: Facts) -> Point:
    # How often somebody was erased, or a concern opened, is a number of participants as well.
    lines = tuple(
        f"{what}: {count if count >= SMALLEST else f'fewer than {SMALLEST}'}"
        for what, count in sorted(facts.audit.items())
    )
    return Point("What is on record: acts by coordinators", lines, "" if lines else "nothing is in the audit yet")


def _lines(table: Table) -> tuple[str, ...]:
    """A table in one line."""
    parts = ", ".join(f"{cell.label} {in_words(cell)}" for cell in table.cells if cell.count or cell.state != "exact")
    return (f"{table.title}: {parts or 'nobody'} (of {in_words(table.total)})",)
