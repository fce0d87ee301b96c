"""An attacker on the reports of one season: takes every report that can be had of it, whole and filtered, beside
another season, at several moments of its course, and solves the linear equations of all that they show together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import combinations
from random import Random

from rehearsal.season import RehearsedSeason
from rehearsal.season_rows import season_rows
from reports import applied_figures, season_report
from reports.html_report import page
from reports.releases import Release, filtered_following, following, showing
from reports.rows import Index, Season
from reports.season_report import Report
from reports.tables import Cell, Table
from testing.report_attacker import Equations, Unknown, is_small
from testing.seasons.chance_applicants import applicants, call
from testing.seasons.rehearsed_answers import LAUNCHED, season

Part = tuple[str, str]
"""(program, format): the smallest part that a filter can tell apart."""
APPLICANTS = ("*", "*")
"""Who applied: to the cohort, and not to a part of it."""
Tables = Mapping[Part, Sequence[Table]]


@dataclass
class Attack:
    """Everything that was shown of a season so far, and the truth that the attacker does not have."""

    earlier: list[Release] = field(default_factory=list[Release])
    known: Equations = field(default_factory=Equations)
    truth: list[Tables] = field(default_factory=list[Tables])
    applied: list[Table] = field(default_factory=list[Table])
    """Of those who applied: counted once, so that they are the same in every report."""
    reports: int = 0
    numbers: int = 0
    """How many numbers were shown."""
    targets: int = 0
    """How many small numbers there were to be learned."""

    def look(self, rows: Season, other: Season | None = None) -> None:
        """Take every report of the season as it stands, in the order in which they could be had."""
        moment = len(self.truth)
        self.truth.append(parts_of(rows))
        if not moment:
            self._know_applicants(rows)
        for part, tables in self.truth[-1].items():
            for table in tables:
                whole = {(cell.name, part, moment): -1 for cell in table.cells}
                self.known.add({**whole, (table.total.name, part, moment): 1}, 0)
        whole = following(season_report.for_passing_on(rows, {}), self.earlier)
        self._see(whole, moment, [*self.truth[-1]])
        if other is not None:
            self._compare(whole, other)
        for program, format_ in filters_of(rows):
            try_ = season_report.filtered_for_passing_on(rows, whole, {}, program=program, format_=format_)
            report = filtered_following(try_, whole, self.earlier)
            within = [
                part for part in self.truth[-1] if part[0] in (program or part[0]) and part[1] in (format_ or part[1])
            ]
            self._see(report, moment, within)

    def _know_applicants(self, rows: Season) -> None:
        """How the numbers of those who applied depend on each other; how many of them have a seat is known anyway."""
        self.applied = applied_figures.tables(rows.applied)
        for table in self.applied:
            whole = {(cell.name, APPLICANTS, 0): -1 for cell in table.cells}
            self.known.add({**whole, (table.total.name, APPLICANTS, 0): 1}, 0)
        for lot in rows.applied:
            self.known.add({(f"p/{lot.role}/placed", APPLICANTS, 0): 1}, lot.placed)

    def _see(self, report: Report, moment: int, scope: Sequence[Part]) -> None:
        self.earlier.append((report.season.as_of, showing(report)))
        self.reports += 1
        for table in report.tables:
            if table.note:  # it says that it is an older one, which is known already
                continue
            for cell in (table.total, *table.cells):
                if cell.state == "exact":
                    self.numbers += 1
                    alone = cell.name.startswith("p/")
                    where = _sum(cell.name, [APPLICANTS], 0) if alone else _sum(cell.name, scope, moment)
                    self.known.add(where, cell.count)

    def _compare(self, whole: Report, other: Season) -> None:
        """A second season beside it shows of both what each shows alone."""
        released = following(season_report.for_passing_on(other, {}), [])
        report, compared = season_report.compared(whole, released)
        assert report.tables == whole.tables
        assert all(before in released.tables for _, before in compared.same)
        assert page(report, compared=compared)

    def learned(self) -> list[str]:
        """Every small number, or small change between two moments, that the attacker can compute."""
        found: list[str] = []
        for name, count in {
            cell.name: cell.count for table in self.applied for cell in (table.total, *table.cells) if is_small(cell)
        }.items():
            known_anyway = name.endswith("/placed") and name.count("/") == 2  # of all in a role
            self.targets += not known_anyway
            if not known_anyway and self.known.fixes(_sum(name, [APPLICANTS], 0), count):
                found.append(f"{name} is {count}")
        for moment, tables in enumerate(self.truth):
            values, small = _values(tables)
            for parts in scopes([*tables]):
                for name in values:
                    count = sum(values[name].get(part, 0) for part in parts)
                    if 0 < count < 5 or (len(parts) == 1 and (name, parts[0]) in small):
                        self.targets += 1
                        if self.known.fixes(_sum(name, parts, moment), count):
                            found.append(f"{name} of {sorted(parts)} at {moment} is {count}")
        for one, two in combinations(range(len(self.truth)), 2):
            before, after = _values(self.truth[one])[0], _values(self.truth[two])[0]
            for parts in scopes([*self.truth[two]]):
                for name in before.keys() & after.keys():
                    moved = sum(after[name].get(part, 0) - before[name].get(part, 0) for part in parts)
                    if 0 < abs(moved) < 5:
                        self.targets += 1
                        change = _sum(name, parts, two) | {key: -n for key, n in _sum(name, parts, one).items()}
                        if self.known.fixes(change, moved):
                            found.append(f"{name} of {sorted(parts)} moved by {moved} from {one} to {two}")
        return found


def _sum(name: str, parts: Sequence[Part], moment: int) -> dict[Unknown, int]:
    return {(name, part, moment): 1 for part in parts}


def _values(tables: Tables) -> tuple[dict[str, dict[Part, int]], set[tuple[str, Part]]]:
    """Name to its count in each part; and what is told of fewer than five people in one part."""
    values: dict[str, dict[Part, int]] = {}
    small: set[tuple[str, Part]] = set()
    for part, of_part in tables.items():
        for table in of_part:
            for cell in (table.total, *table.cells):
                values.setdefault(cell.name, {})[part] = cell.count
                if is_small(cell):
                    small.add((cell.name, part))
    return values, small


def parts_of(rows: Season) -> dict[Part, list[Table]]:
    """Every table of every smallest part, before the gate."""
    whole = season_report.all_tables(Index(rows), {})
    found: dict[Part, list[Table]] = {}
    for program, format_ in sorted({(one.program, one.format) for one in rows.mentorships}):
        tables = season_report.all_tables(Index(rows.only(program=program, format_=format_)), {})
        totals = {table.total.name: table.total for table in tables}
        there = {table.id for table in tables}
        # Where a part was never asked, nobody in it was.
        missing = [table for table in whole if table.id.startswith("answers.") and table.id not in there]
        found[program, format_] = [
            *tables,
            *(_not_asked(table, totals[table.total.name]) for table in missing if table.total.name in totals),
        ]
    return found


def _not_asked(table: Table, everybody: Cell) -> Table:
    cells = (
        replace(cell, count=everybody.count, people=everybody.people)
        if cell.name.endswith("/not_asked")
        else replace(cell, count=0, people=0)
        for cell in table.cells
    )
    return replace(table, total=everybody, cells=tuple(cells))


def filters_of(rows: Season) -> Iterator[Part]:
    """Every filter: of a program, of a format, of both."""
    formats = sorted({one.format for one in rows.mentorships})
    yield from ((program, "") for program in rows.programs)
    yield from (("", format_) for format_ in formats)
    yield from ((program, format_) for program in rows.programs for format_ in formats)


def scopes(parts: Sequence[Part]) -> list[list[Part]]:
    """The parts, what each filter leaves, and what it leaves out."""
    found = {frozenset(parts)}
    for at in (0, 1):
        for word in {part[at] for part in parts}:
            found.add(frozenset(part for part in parts if part[at] == word))
            found.add(frozenset(part for part in parts if part[at] != word))
    found |= {frozenset({part}) for part in parts} | {frozenset({*parts} - {part}) for part in parts}
    return [sorted(scope) for scope in sorted(found, key=sorted) if scope]


def erased(rows: Season, random: Random, share: float) -> Season:
    """The same season after some people were erased: of their answers only numbers and scales are left."""
    gone = {person for person in {seat.person for seat in rows.seats} if random.random() < share}
    of_them = {request.key for request in rows.requests if request.person in gone}

    def left(body: Mapping[str, object]) -> dict[str, object]:
        return {name: value for name, value in body.items() if type(value) is int}

    return replace(
        rows,
        answers=tuple(
            replace(each, body=left(each.body)) if each.request in of_them else each for each in rows.answers
        ),
    )


def with_applicants(rows: Season, seed: int) -> Season:
    """The same season, as if everybody in it had applied to a call, and others in vain."""
    random = Random(f"applicants/{seed}")
    seated = {seat.person: seat.role for seat in rows.seats}
    people = applicants(random, seated.values(), random.choice((0, 3, 8, 20)))
    return replace(rows, applied=applied_figures.lots(people, *call()), published=True)


KINDS = (("formal",), ("formal", "informal"), ("peer", "group"), ("formal", "peer", "reverse"))
"""Programs of a season: one alone, two of one format, two of two, three."""
LOOKS = 3
"""So often the attacker looks while the season runs; then at its end, and after some people were erased, twice."""


def attacked(seed: int, most: int = 70, other: Season | None = None) -> Attack:
    """A season by chance of up to `most` mentorships, attacked while it runs, at its end, and after erasures."""
    random = Random(f"attack/{seed}")
    every = timedelta(days=random.choice((30, 60, 90)))
    due, running = LAUNCHED + every, list[Season]()

    def meanwhile(played: RehearsedSeason) -> None:
        nonlocal due
        if played.now >= due and len(running) < LOOKS:
            running.append(season_rows(played))
            due = played.now + every

    last = with_applicants(
        season_rows(season(seed, random.randint(3, most), KINDS[seed % len(KINDS)], meanwhile)), seed
    )
    attack = Attack()
    for rows in running:
        attack.look(replace(rows, applied=last.applied, published=True))
    attack.look(last, other)
    for share in (0.05, 0.3):
        last = erased(last, random, share)
        attack.look(last)
    return attack
