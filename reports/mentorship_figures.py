"""Figures about mentorships: how far they came, how they ended, whether they met as agreed, and what coordinators
decided about them. One function a figure; each names what it counts and of how many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from reports.rows import COMPLETED, Index, MentorshipFacts, Season, TaskFacts
from reports.statistics import Spread, spread
from reports.tables import Cell, Table

MOST_OF = 0.75
"""From this share of the agreed meetings on, a pair kept to its rhythm; from half of it on, it met less often."""
HALF_OF = 0.5
ENDING_WORDS = {
    "early.no_fault": "ended early: no fault",
    "early.goals_reached": "ended early: the goals were reached",
    "early.left": "ended early: somebody left",
    "early.inactive": "ended early: nobody was heard of",
    "early.safeguarding": "ended early: to protect somebody",
    "early.other": "ended early: another reason",
    "other": "went on elsewhere, or the cohort was cancelled",
}
EARLY = ("no_fault", "goals_reached", "left", "inactive", "safeguarding")
SWAPS = ("replace",)
"""Decisions that give somebody another partner."""

Sorted = Callable[[MentorshipFacts], str]
"""Says into which part of a table a mentorship goes."""


def said_yes(mentorship: MentorshipFacts) -> bool:
    """Everybody in it had accepted."""
    return mentorship.onboarded or mentorship.ending in COMPLETED or mentorship.ending == "ended_early"


def reached_midpoint(mentorship: MentorshipFacts, season: Season) -> bool:
    """It began, and went on beyond its midpoint."""
    last = mentorship.ended_on or season.as_of
    return said_yes(mentorship) and (mentorship.ending in COMPLETED or last > mentorship.midpoint)


def meetings_told(index: Index) -> dict[str, int]:
    """Mentorship to the number of meetings that its people told of: at the closure what they remember (the median of
    both sides), before it the sum over the check-ins (of each the side that told of more). Left out: nobody said."""
    closing: dict[str, list[int]] = {}
    rounds: dict[tuple[str, int], int] = {}
    met: set[str] = set()
    for role in index.roles:
        for request, answer in index.asked("closure", role):
            if answer is not None and isinstance(told := answer.body.get("c_meet"), int):
                closing.setdefault(request.mentorship, []).append(told)
        for request, answer in index.asked("check_in", role):
            if answer is not None and (told := answer.body.get("p_met")) in MET:
                place = request.mentorship, request.number
                rounds[place] = max(rounds.get(place, 0), MET[str(told)])
        for request, answer in index.asked("fit_check", role):
            if answer is not None and answer.body.get("f_contact") == "met":
                met.add(request.mentorship)
    found = dict.fromkeys(met, 1)
    for (key, _), count in rounds.items():
        found[key] = found.get(key, 0) + count
    return found | {key: int(median(told)) for key, told in closing.items()}


MET = {"0": 0, "1": 1, "2": 2, "3+": 3}
"""Stored answer about meetings to their number; `3+` counts as three."""


def expected_meetings(mentorship: MentorshipFacts, season: Season) -> int:
    """How often they would have met by now in the rhythm that they agreed on."""
    until = min(mentorship.ended_on or season.as_of, mentorship.end)
    return max((until - mentorship.start) // timedelta(days=mentorship.rhythm_days), 0)


def reach(index: Index) -> list[Table]:
    """How far the mentorships came, of all that were matched. A mentorship can have met without an agreement, so
    these two stand beside the way from the first yes to the end."""
    season = index.season
    told = meetings_told(index)
    tables = [
        _split(
            season, "m/all", "mentorships matched", season.mentorships,
            lambda one: "m/said_yes" if said_yes(one) else "m/not_yes",
            {"m/said_yes": "everybody said yes", "m/not_yes": "not everybody said yes"},
            "reach.said_yes", "Everybody said yes", "of the mentorships that were matched",
        )
    ]  # fmt: skip
    yes = [one for one in season.mentorships if said_yes(one)]

    def furthest(one: MentorshipFacts) -> str:
        if one.ending in COMPLETED:
            return "m/completed"
        return "m/half_way" if reached_midpoint(one, season) else "m/before_midpoint"

    marked = {"agreed": {one.key for one in yes if one.agreed}, "met": {key for key, times in told.items() if times}}
    titles = {"agreed": "Agreed on goals and rhythm", "met": "Met at least once"}
    for name, title in titles.items():
        tables.append(
            _split(
                season, "m/said_yes", "everybody said yes", yes, _marked(name, marked[name]),
                {f"m/{name}": title.lower(), f"m/not_{name}": "no, or nobody said so"},
                f"reach.{name}", title, "of those in which everybody said yes",
            )
        )  # fmt: skip
    tables.append(
        _split(
            season, "m/said_yes", "everybody said yes", yes, furthest,
            {
                "m/completed": "completed", "m/half_way": "came beyond the midpoint",
                "m/before_midpoint": "not beyond the midpoint",
            },
            "reach.furthest", "How far they came", "of those in which everybody said yes",
        )
    )  # fmt: skip
    return tables


def _marked(name: str, keys: set[str]) -> Sorted:
    return lambda one: f"m/{name}" if one.key in keys else f"m/not_{name}"


def endings(index: Index) -> list[Table]:
    """How those that everybody said yes to ended, and what became of the others."""
    season = index.season
    yes = [one for one in season.mentorships if said_yes(one)]
    rest = [one for one in season.mentorships if not said_yes(one)]

    def how(one: MentorshipFacts) -> str:
        if one.ending in COMPLETED:
            return "m/completed"
        if one.ending == "ended_early":
            return f"m/early.{one.reason if one.reason in EARLY else 'other'}"
        return "m/other" if one.ending else "m/running"

    return [
        _split(
            season, "m/said_yes", "everybody said yes", yes, how,
            {"m/completed": "completed"} | {f"m/{name}": words for name, words in ENDING_WORDS.items()}
            | {"m/running": "still running"},
            "endings.begun", "How they ended", "of those in which everybody said yes",
        ),
        _split(
            season, "m/not_yes", "not everybody said yes", rest,
            lambda one: "m/never_started" if one.ending == "never_started" else "m/not_yet",
            {"m/never_started": "never started", "m/not_yet": "still asked, or cancelled before"},
            "endings.not_begun", "What became of the others", "of those in which not everybody said yes",
        ),
    ]  # fmt: skip


def rhythm(index: Index) -> Table:
    """Meetings that were told of against the rhythm that was agreed."""
    season = index.season
    told = meetings_told(index)

    def how(one: MentorshipFacts) -> str:
        expected = expected_meetings(one, season)
        if one.key not in told or not expected:
            return "m/rhythm.unknown"
        kept = told[one.key] / expected
        return "m/rhythm.kept" if kept >= MOST_OF else "m/rhythm.less" if kept >= HALF_OF else "m/rhythm.seldom"

    return _split(
        season, "m/said_yes", "everybody said yes", [one for one in season.mentorships if said_yes(one)], how,
        {
            "m/rhythm.kept": "as agreed, or nearly", "m/rhythm.less": "less often",
            "m/rhythm.seldom": "less than half as often", "m/rhythm.unknown": "nobody said, or too early to say",
        },
        "meetings.rhythm", "Meetings against the agreed rhythm", "of those in which everybody said yes",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dot:
    """One mentorship: how often they met, and how often they had agreed to."""

    mentorship: str
    expected: int
    told: int


def dots(index: Index) -> list[Dot]:
    """One dot for each mentorship of which somebody told how often they met. Each is about two people: not for
    passing on."""
    told = meetings_told(index)
    season = index.season
    return [
        Dot(one.key, expected_meetings(one, season), told[one.key]) for one in season.mentorships if one.key in told
    ]


# -- the coordinators' work ----------------------------------------------------------------------------------


def tasks(index: Index, labels: Mapping[str, str]) -> list[Table]:
    """Tasks by kind, and for each whether it was decided in time. `labels` has the words for the kinds."""
    season = index.season
    kinds = sorted({task.kind for task in season.tasks})
    people = _people(season)

    def cell(name: str, label: str, chosen: Iterable[TaskFacts]) -> Cell:
        chosen = list(chosen)
        return Cell(
            name, label, len(chosen), len({who for task in chosen for who in people.get(task.mentorship, ())})
        )

    everything = cell("t/all", "tasks", season.tasks)
    by_kind = tuple(
        cell(f"t/{kind}", labels.get(kind, kind), (task for task in season.tasks if task.kind == kind))
        for kind in kinds
    )
    lots = {"in_time": "decided in time", "late": "decided late", "lapsed": "lapsed", "open": "open"}
    in_time = tuple(
        cell(f"t/{name}", label, (task for task in season.tasks if promptness(task) == name))
        for name, label in lots.items()
    )
    swaps = [task for task in season.tasks if task.decision in SWAPS]
    swapped = cell("t/swaps", "another partner", swaps)
    other = cell("t/no_swap", "anything else", (task for task in season.tasks if task.decision not in SWAPS))
    endings_ = {one.key: one.ending for one in season.mentorships}
    after = {"completed": "the mentorship was completed", "ended": "it ended otherwise", "running": "it still runs"}

    def became(task: TaskFacts) -> str:
        ending = endings_.get(task.mentorship, "")
        return "completed" if ending in COMPLETED else "ended" if ending else "running"

    return [
        Table("work.kinds", "Tasks by kind", "tasks", everything, by_kind),
        Table("work.in_time", "Decided in time", "tasks", everything, in_time),
        Table("work.swaps", "Decisions for another partner", "tasks", everything, (swapped, other)),
        Table(
            "work.after_swaps", "What became of them", "decisions for another partner", swapped,
            tuple(
                cell(f"t/swaps.{name}", words, (task for task in swaps if became(task) == name))
                for name, words in after.items()
            ),
        ),
    ]  # fmt: skip


def promptness(task: TaskFacts) -> str:
    """Whether a task was decided in time: `in_time`, `late`, `lapsed` (its mentorship closed before) or `open`."""
    if task.closed is None:
        return "open"
    if task.decision == "lapsed":
        return "lapsed"
    return "in_time" if task.closed <= task.due else "late"


def days_to_decision(season: Season) -> Spread | None:
    """Days from the opening of a task to its decision; tasks that lapsed are left out."""
    return spread(
        [(task.closed - task.opened).days for task in season.tasks if task.closed and task.decision != "lapsed"]
    )


def mails_a_week(season: Season) -> Spread | None:
    """Mails for each participant and week, from the first mail of the cohort to the day of the report. Everybody with
    a seat counts, also who got none."""
    people = {seat.person for seat in season.seats}
    mails = {mail.person: mail for mail in season.mails if mail.person in people}
    if not mails:
        return None
    weeks = max((season.as_of - min(mail.first for mail in mails.values()).date()).days / 7, 1)
    return spread([mails[person].number / weeks if person in mails else 0 / weeks for person in people])


def mails_beyond(season: Season) -> int:
    """Ordinary mails that somebody with a seat got on a day on which they had got one: none, as it is promised."""
    people = {seat.person for seat in season.seats}
    return sum(mail.beyond for mail in season.mails if mail.person in people)


def _people(season: Season) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for seat in season.seats:
        found.setdefault(seat.mentorship, set()).add(seat.person)
    return found


def _split(
    season: Season,
    total: str,
    total_label: str,
    mentorships: Iterable[MentorshipFacts],
    part_of: Sorted,
    parts: Mapping[str, str],
    id_: str,
    title: str,
    unit: str,
) -> Table:
    people = _people(season)
    listed = list(mentorships)

    def cell(name: str, label: str, chosen: list[MentorshipFacts]) -> Cell:
        return Cell(name, label, len(chosen), len({who for one in chosen for who in people.get(one.key, ())}))

    lots: dict[str, list[MentorshipFacts]] = {name: [] for name in parts}
    for one in listed:
        lots[part_of(one)].append(one)
    cells = tuple(cell(name, label, lots[name]) for name, label in parts.items())
    return Table(id_, title, unit, cell(total, total_label, listed), cells)
