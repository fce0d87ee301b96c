"""What a rehearsed season means for the people in it: who gets how much when, where work piles up, how it ends."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median

from lifecycle.local_time import is_sending_day, local_date
from program.faults import counted
from rehearsal.gathering_report import GatheringReport, gathering_report
from rehearsal.records import Running
from rehearsal.season import RehearsedSeason

MAILS_A_WEEK = 2
"""More ordinary mails to one participant in one week are worth a warning."""

WARNINGS_EACH = 6
"""Warnings of one kind that are listed one by one; the rest is counted."""

Week = date
"""A week, named by its Monday."""


@dataclass(frozen=True, slots=True)
class Band:
    """One phase of one mentorship, from a date up to, not including, another."""

    phase: str
    begins: date
    ends: date


@dataclass(slots=True)
class Report:
    """One season in numbers. Weeks are named by their Monday; dates are the reader's local ones."""

    cohort: str
    title: str
    first: date
    last: date
    mails: int = 0
    mails_by: dict[str, Counter[Week]] = field(default_factory=lambda: defaultdict(Counter))
    """Person to mails in each week."""
    busiest_day: tuple[date, int] | None = None
    busiest_person: tuple[str, int] | None = None
    requests: int = 0
    answers: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    tasks: dict[Week, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Week to tasks of each kind that were opened in it."""
    endings: Counter[str] = field(default_factory=Counter)
    bands: dict[str, list[Band]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    gathering: GatheringReport | None = None
    """The open call; None for a cohort without one."""

    @property
    def weeks(self) -> list[Week]:
        """Every week of the season, in order."""
        monday = week_of(self.first)
        return [monday + timedelta(weeks=n) for n in range((week_of(self.last) - monday).days // 7 + 1)]

    @property
    def kinds(self) -> Counter[str]:
        """Tasks by kind."""
        return sum(self.tasks.values(), Counter())


def week_of(on: date) -> Week:
    """The Monday of a date's week."""
    return on - timedelta(days=on.weekday())


def report(season: RehearsedSeason) -> Report:
    """Sum a played season up."""
    cohort = season.cohort
    zone = cohort.zone
    ends = [local_date(mail.at, zone) for mail in season.mails]
    launched = local_date(season.launched_at, zone)
    found = Report(cohort.cohort, cohort.title, launched, max([launched, *ends]))
    days: Counter[date] = Counter()
    for mail in season.mails:
        on = local_date(mail.at, season.postboxes[mail.person].person.zone)
        found.mails += 1
        found.mails_by[mail.person][week_of(on)] += 1
        days[on] += 1
    found.busiest_day = max(days.items(), key=lambda day: (day[1], -day[0].toordinal()), default=None)
    totals = {person: sum(weeks.values()) for person, weeks in found.mails_by.items()}
    found.busiest_person = max(totals.items(), key=lambda total: (total[1], total[0]), default=None)
    found.requests = sum(len(running.requests) for running in season.running.values())
    found.answers = len(season.answers)
    found.dropped = Counter(str(reason) for _, reason, _, _ in season.dropped)
    for task in season.tasks.values():
        found.tasks[week_of(task.opened)][task.kind] += 1
    for key, running in season.running.items():
        ending = running.ending[0] if running.ending else "still running"
        reason = f" ({running.ending[1]})" if running.ending and running.ending[0] == "ended_early" else ""
        found.endings[ending + reason] += 1
        found.bands[key] = bands(running)
    if season.gathering is not None:
        found.gathering = gathering_report(season, season.gathering)
    found.warnings = warnings(season, found)
    return found


def bands(running: Running) -> list[Band]:
    """The phases that a mentorship went through, as dates."""
    begun: list[tuple[date, str]] = []
    for step in sorted(running.steps.values(), key=lambda step: step.opens):
        happened = step.state in ("open", "settled") and step.phase != "closed"
        if happened and (not begun or begun[-1][1] != step.phase):
            begun.append((step.opens, step.phase))
    if not begun:
        return []
    last = running.ending[2] if running.ending else running.state.end
    following = [*[on for on, _ in begun[1:]], last]
    return [Band(phase, on, until) for (on, phase), until in zip(begun, following, strict=True) if until > on]


# -- what a coordinator can act on -------------------------------------------------------------------------------


def warnings(season: RehearsedSeason, found: Report) -> list[str]:
    """Things that could be better, each with what to do."""
    cohort = season.cohort
    lines: list[str] = []
    if season.stopped:
        going = ", ".join(key for key, running in season.running.items() if running.ending is None) or "a task"
        lines.append(
            f"The rehearsal was stopped at {local_date(season.now, cohort.zone)}, for {going} goes round without an "
            "end: let the coordinator, or somebody who always does the same, do something else in the behaviour file."
        )
    if cohort.start < found.first:
        lines.append(f"The cohort starts on {cohort.start}, before its launch on {found.first}: move `start`.")
    lines += _listed(_crowded(season, found), "more people have weeks with so many mails")
    lines += _listed(_on_days_off(season), "more steps fall on holidays or close on days without mail")
    lines += _listed(_tight(season), "more windows are short")
    if found.gathering is not None and found.gathering.impossible:
        lines.append(f"No pairs were published: {found.gathering.impossible}.")
    hours = season.behaviour.coordinator.hours_a_week
    for week, kinds in sorted(found.tasks.items()):
        if sum(kinds.values()) > hours:
            lines.append(
                f"In the week of {week} {sum(kinds.values())} tasks are opened, for {hours:g} hours a week: "
                "plan help, or spread the starts."
            )
    return lines


def _listed(lines: Sequence[str], rest: str) -> list[str]:
    more = len(lines) - WARNINGS_EACH
    return [*lines[:WARNINGS_EACH], *([f"… and {more} {rest}."] if more > 0 else [])]


def _crowded(season: RehearsedSeason, found: Report) -> list[str]:
    participants = {person.id: person.name for person in season.cohort.participants}
    return [
        f"{participants[person]} gets {count} mails in the week of {week}: "
        "spread steps, or give this person fewer mentorships."
        for person, weeks in sorted(found.mails_by.items())
        if person in participants
        for week, count in sorted(weeks.items())
        if count > MAILS_A_WEEK
    ]


def _on_days_off(season: RehearsedSeason) -> list[str]:
    rule, holidays = season.rule, set(season.cohort.holidays)
    seen: dict[str, None] = {}
    for running in season.running.values():
        for step in running.steps.values():
            if step.state not in ("open", "settled"):
                continue
            name, of = f"{step.name} {step.number}", f"(program {running.program.program})"
            if step.opens in holidays:
                seen[f"{name} falls on the holiday {step.opens} {of}: its mail waits for a sending day."] = None
            if step.closes is not None and not is_sending_day(step.closes, rule.days, rule.holidays):
                seen[
                    f"{name} closes on {step.closes:%A} {step.closes}, when no mail goes out {of}: "
                    "a close on a working day gives people their last day."
                ] = None
    return sorted(seen)


def _tight(season: RehearsedSeason) -> list[str]:
    lines: dict[str, None] = {}
    for running in season.running.values():
        for step in running.state.steps:
            if step.closes is not None and step.reminders and (step.closes - step.reminders[-1]).days < 2:
                after = counted((step.closes - step.reminders[-1]).days, "day")
                lines[
                    f"{step.name} closes {after} after its last reminder (program {running.program.program}): "
                    "make the window longer, or remind earlier."
                ] = None
    return sorted(lines)


# -- many seasons ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Range:
    """The least, the middle and the most of a number over many seasons."""

    least: float
    middle: float
    most: float

    def __str__(self) -> str:
        return f"{self.least:g} – {self.middle:g} – {self.most:g}"


def ranges(reports: Sequence[Report]) -> Mapping[str, Range]:
    """Numbers of many seasons as ranges: mails, answers, tasks by kind, the busiest week, endings."""
    rows: dict[str, list[float]] = {
        "mails": [one.mails for one in reports],
        "answers": [one.answers for one in reports],
        "tasks": [sum(one.kinds.values()) for one in reports],
        "tasks in the busiest week": [
            max((sum(kinds.values()) for kinds in one.tasks.values()), default=0) for one in reports
        ],
    }
    for kind in sorted({kind for one in reports for kind in one.kinds}):
        rows[f"task {kind}"] = [one.kinds[kind] for one in reports]
    for ending in sorted({ending for one in reports for ending in one.endings}):
        rows[f"ending {ending}"] = [one.endings[ending] for one in reports]
    return {name: Range(min(values), median(values), max(values)) for name, values in rows.items()}
