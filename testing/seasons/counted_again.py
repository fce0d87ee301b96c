"""Compares a report with an independent count: every table, every part, and what stands beside the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from re import sub
from statistics import quantiles

from reports.giving_back_figures import came_back
from reports.rows import Index
from reports.season_report import Report
from reports.statistics import Spread
from reports.tables import Table
from testing.seasons.counted_facts import Facts
from testing.seasons.independent_count import COUNTED, Counted, count, expected, last, meetings

CLOSE = 1e-9


def differences(report: Report, facts: Facts) -> list[str]:
    """What this exact report says otherwise than the count; nothing where they agree."""
    ours = _by_id((name[0], parts) for name, parts in count(facts).items())
    theirs = _by_id((_id_of(table), _parts_of(table)) for table in report.tables)
    found = [
        f"{id_}: reported {theirs.get(id_)}, counted {ours.get(id_)}"
        for id_ in sorted({*ours, *theirs})
        if ours.get(id_) != theirs.get(id_)
        and any(parts["total"][0] for parts in (*ours.get(id_, ()), *theirs.get(id_, ())))
    ]
    return found + _beside(report, facts) + _headlines(report, facts) + _confidence(report, facts)


def _by_id(tables: Iterable[tuple[str, Counted]]) -> dict[str, list[Counted]]:
    """Several wordings of a question have one id: their order does not matter."""
    found: dict[str, list[Counted]] = {}
    for id_, parts in tables:
        found.setdefault(id_, []).append({name: n for name, n in parts.items() if n[0] or name == "total"})
    return {id_: sorted(lots, key=lambda parts: sorted(parts.items())) for id_, lots in found.items()}


def _id_of(table: Table) -> str:
    if not table.wording:
        return sub(r"-[0-9a-f]{8}\.", ".", table.id) if table.crossed else table.id
    place, _, rest = table.id.rpartition("/")
    question, _, option = rest.partition(f".{table.wording}")
    return f"{place}/{question}{option.replace('.', '/', 1)}"


def _parts_of(table: Table) -> Counted:
    whole = {"total": (table.total.count, table.total.people)}
    return whole | {cell.name.rsplit("/", 1)[-1]: (cell.count, cell.people) for cell in table.cells}


def _beside(report: Report, facts: Facts) -> list[str]:
    """Dots, days to a decision, mails for each week, hours to an answer, and who would go on."""
    told = meetings(facts)
    dots = sorted((dot.mentorship, dot.expected, dot.told) for dot in report.dots)
    days = [(task.closed - task.opened).days for task in facts.tasks if task.closed and task.decision != "lapsed"]
    seated = {person for _, person, _ in facts.seats}
    mails = [(person, at) for person, at in facts.mails if person in seated]
    weeks = max((facts.as_of - min(at for _, at in mails).date()).days / 7, 1) if mails else 1
    each_week = [sum(who == person for who, _ in mails) / weeks for person in seated] if mails else []
    ordinary = [one for one in facts.ordinary if one[0] in seated]
    beyond = len(ordinary) - len(set(ordinary))
    hours = [
        (one.at - one.mails[0]).total_seconds() / 3600
        for one in facts.asked
        if one.ask in COUNTED and one.at and one.mails
    ]
    would = {"mentees": "c_give", "mentors": "c_again"}
    said = {
        name: {
            person
            for role in ("mentee", "mentor", "peer")
            for (_, person), one in last(facts, "closure", role, 0).items()
            if (one.body or {}).get(question) == "yes"
        }
        for name, question in would.items()
    }
    index = Index(report.season)
    back = {table.id.partition(".")[2]: table.total.people for table in came_back(index, index)}
    middle = _middle(hours)
    return [
        *_differ("dots", dots, sorted((key, expected(facts, key), number) for key, number in told.items())),
        *_differ("days to a decision", report.days_to_decision, days),
        *_differ("mails a week", report.mails_a_week, each_week),
        *_differ("mails beyond the day's", report.mails_beyond, beyond if facts.mails else None),
        *_differ("hours", round(report.hours_to_answer or 0, 6), round(middle[1], 6) if middle else 0),
        *_differ("would go on", back, {name: len(people) for name, people in said.items()}),
    ]


def _headlines(report: Report, facts: Facts) -> list[str]:
    tables = count(facts)
    satisfied = [parts for name, parts in tables.items() if "/closure/c_sat" in name[0]]
    goals = [parts for name, parts in tables.items() if name[0].startswith("goals.") and ".mentor." not in name[0]]
    yes, furthest = tables[("reach.said_yes",)], tables[("reach.furthest",)]
    wanted = [
        _sum([yes], "said_yes"), _sum([furthest], "completed"), _sum(satisfied, "4", "5"),
        _sum(goals, "reached", "mostly"),
    ]  # fmt: skip
    return _differ("headlines", [(line.count or 0, line.total or 0) for line in report.headlines[:4]], wanted)


def _sum(tables: Iterable[Mapping[str, tuple[int, int]]], *parts: str) -> tuple[int, int]:
    tables = [*tables]
    return sum(table.get(part, (0, 0))[0] for table in tables for part in parts), sum(t["total"][0] for t in tables)


def _confidence(report: Report, facts: Facts) -> list[str]:
    found: list[str] = []
    by_role = {each.role: each for each in report.confidence}
    for role in ("mentee", "mentor", "peer"):
        said = [
            {
                seat: one.body[question]
                for seat, one in last(facts, ask, role, 0).items()
                if one.body and isinstance(one.body.get(question), int)
            }
            for ask, question in (
                ("invitation", "b_confid"),
                ("midpoint", "r_confid"),
                ("closure", "c_now"),
                ("closure", "c_then"),
            )
        ]
        if role != "mentor":
            # Who was asked in the application is not asked again in the invitation.
            typed = {(pair, one): facts.applied.get(one) for pair, one, seat in facts.seats if seat == role}
            said[0] = {seat: number for seat, number in typed.items() if number is not None} | said[0]
        each = by_role.get(role)
        spreads = (each.before, each.half_way, each.now, each.then, each.paired) if each else (None,) * 5
        both = [said[2][seat] - said[0][seat] for seat in said[0] if seat in said[2]]
        for name, reported, numbers in zip(
            ("before", "half way", "now", "then", "paired"),
            spreads,
            [*(list(lot.values()) for lot in said), both],
            strict=True,
        ):
            found += _differ(f"confidence of {role}, {name}", reported, numbers)
    return found


def _differ(what: str, reported: object, counted: object) -> list[str]:
    if isinstance(reported, Spread) or (reported is None and isinstance(counted, list)):
        assert isinstance(counted, list)
        middle = _middle(counted)
        shown = (reported.low, reported.median, reported.high) if reported else None
        same = middle == shown or (
            middle is not None
            and shown is not None
            and all(abs(a - b) < CLOSE for a, b in zip(middle, shown, strict=True))
        )
        return (
            []
            if same and (reported.n if reported else 0) == len(counted)
            else [f"{what}: {reported}, counted {middle} of {len(counted)}"]
        )
    return [] if reported == counted else [f"{what}: reported {reported}, counted {counted}"]


def _middle(numbers: list[float]) -> tuple[float, float, float] | None:
    """Quartiles, by the standard library."""
    if len(numbers) < 2:
        return (numbers[0],) * 3 if numbers else None  # type: ignore[return-value]
    low, middle, high = quantiles(numbers, n=4, method="inclusive")
    return low, middle, high
