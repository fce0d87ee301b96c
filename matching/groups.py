"""Groups: a mentor has no mentee, or from `least` to `most`, with one slot that suits all of them.

A least size breaks the structure by which pairs are found, so this is an integer program, solved by HiGHS
(https://highs.dev), which comes with the extra `groups`. Level after level of the objective is made as high as
possible, and what is reached is kept. Where HiGHS does not prove a level within its time, the result says how far it
may be off. One thread and a fixed seed: the same people give the same groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from importlib import import_module
from math import floor
from types import ModuleType
from typing import Any

from matching.applicants import Applicant, available, windows
from matching.candidates import Candidates, candidates
from matching.objective import Impossible, PairIds, Totals, Wanted, totals_of
from matching.scoring import RANKS, Scores
from program.matching import Level, Matching

SECONDS = 20.0
"""How long HiGHS may take for each level."""


class SolverMissing(RuntimeError):
    """HiGHS is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "groups are found by HiGHS, which is not installed; install the extra: pip install '.[groups]'"
        )


@dataclass(frozen=True)
class GroupResult:
    """The best groups that were found."""

    candidates: Candidates
    scores: Scores
    wanted: Wanted
    mentor_of: Mapping[int, int]
    """Mentee to mentor, as places in the candidates."""
    slots: Mapping[int, str]
    """Mentor to a half-day in which all of the group can meet; without an `overlap` rule there is none."""
    totals: Totals
    off_by: Mapping[str, int]
    """Level to by how much a better result could be higher, for levels that were not proven; empty where all were."""

    @cached_property
    def ids(self) -> tuple[PairIds, ...]:
        """(mentor, mentee) as ids, by mentee."""
        mentees, mentors = self.candidates.mentees, self.candidates.mentors
        return tuple((mentors[mentor].id, mentees[mentee].id) for mentee, mentor in sorted(self.mentor_of.items()))

    @cached_property
    def groups(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """(mentor, mentees) of each group, by mentor."""
        found: dict[int, list[int]] = {}
        for mentee, mentor in sorted(self.mentor_of.items()):
            found.setdefault(mentor, []).append(mentee)
        return tuple((mentor, tuple(mentees)) for mentor, mentees in sorted(found.items()))

    @cached_property
    def unplaced(self) -> tuple[int, ...]:
        """The mentees who have no group."""
        return tuple(one for one in range(len(self.candidates.mentees)) if one not in self.mentor_of)


def match_groups(
    people: Sequence[Applicant], matching: Matching, on: date, wanted: Wanted | None = None, seconds: float = SECONDS
) -> GroupResult:
    """The best groups of these people. `on`: the date on which the cohort starts; `seconds`: for each level.

    A mentor takes at most their capacity. Raises SolverMissing, Impossible for pins that can't be, and what
    `matching.candidates.candidates` raises.
    """
    wanted = wanted or Wanted()
    found = candidates(people, matching, on)
    scores = Scores(found)
    model = _Model(found, scores, wanted, _slots(found, on))
    values, off_by = _Solver(_highs(), model, seconds).solve(matching.objective)
    mentor_of = {mentee: mentor for (mentee, mentor), value in zip(model.seats, values, strict=False) if value}
    slots = {
        mentor: model.slots[mentor][number][0]
        for (mentor, number), value in zip(model.meetings, values[len(model.seats) :], strict=True)
        if value and model.slots[mentor][number][0]
    }
    totals = totals_of(scores, sorted(mentor_of.items()), wanted)
    return GroupResult(found, scores, wanted, mentor_of, slots, totals, off_by)


def one_more_group(result: GroupResult, on: date) -> tuple[tuple[int, int], ...]:
    """For one more group with a mentor such as this one: (mentor, how many more it would serve at least), the most
    first.

    Counts those without a group who could all meet in one slot, without moving anybody else. Of mentors who would
    serve the same people the first stands for all; a group that would be too small is left out.
    """
    groups, unplaced = result.candidates.matching.groups, frozenset(result.unplaced)
    found: dict[frozenset[int], tuple[int, int]] = {}
    for mentor, slots in enumerate(_slots(result.candidates, on)):
        joined = max((suits & unplaced for _, suits in slots), key=len, default=frozenset[int]())
        if len(joined) >= groups.least:
            found.setdefault(joined, (mentor, min(groups.most, len(joined))))
    return tuple(sorted(found.values(), key=lambda one: (-one[1], one[0])))


def can_all_meet(mentor: Applicant, mentees: Sequence[Applicant], matching: Matching, on: date) -> bool:
    """Whether there is a slot that suits all of a group; true where no rule asks for one."""
    field_ = _overlap(matching)
    if field_ is None:
        return True
    times = [available(mentee, field_, on) for mentee in mentees]
    return any(all(time & window == window for time in times) for _, window in windows(mentor, field_, on))


def _overlap(matching: Matching) -> str | None:
    return next((rule.field for rule in matching.rules if rule.kind == "overlap"), None)


def _highs() -> ModuleType:
    try:
        return import_module("highspy")
    except ImportError:
        raise SolverMissing from None


Slot = tuple[str, frozenset[int]]
"""A half-day of the mentor, and the candidates who can then; an empty name where no rule asks for one."""


def _slots(found: Candidates, on: date) -> list[list[Slot]]:
    """For each mentor the slots that matter: two hours each, none of which suits fewer of the same people."""
    mentees_of: list[list[int]] = [[] for _ in found.mentors]
    for mentee, of in enumerate(found.of):
        for mentor in of:
            mentees_of[mentor].append(mentee)
    field_ = _overlap(found.matching)
    if field_ is None:
        return [[("", frozenset(mentees))] for mentees in mentees_of]
    times = [available(mentee, field_, on) for mentee in found.mentees]
    slots: list[list[Slot]] = []
    for mentor, mentees in zip(found.mentors, mentees_of, strict=True):
        suiting: dict[frozenset[int], str] = {}
        for half_day, window in windows(mentor, field_, on):
            suits = frozenset(one for one in mentees if times[one] & window == window)
            suiting.setdefault(suits, half_day)
        slots.append(
            [(name, suits) for suits, name in suiting.items() if not any(suits < other for other in suiting)]
        )
    return slots


@dataclass
class _Model:
    """The integer program: a column for each mentee with each mentor, and one for each mentor and slot."""

    found: Candidates
    scores: Scores
    wanted: Wanted
    slots: list[list[Slot]]
    seats: list[tuple[int, int]] = field(init=False)
    """(mentee, mentor) of the first columns."""
    meetings: list[tuple[int, int]] = field(init=False)
    """(mentor, number of the slot) of the others."""
    rows: list[tuple[float, float, dict[int, float]]] = field(init=False)
    """(lowest, highest, column to factor)."""

    def __post_init__(self) -> None:
        mentees, mentors = self.found.mentees, self.found.mentors
        place_e = {one.id: index for index, one in enumerate(mentees)}
        place_m = {one.id: index for index, one in enumerate(mentors)}
        bans = {(place_e.get(mentee), place_m.get(mentor)) for mentor, mentee in self.wanted.bans}
        reachable = [frozenset[int]().union(*(suits for _, suits in of)) for of in self.slots]
        self.seats = [
            (mentee, mentor)
            for mentee, of in enumerate(self.found.of)
            for mentor in of
            if mentee in reachable[mentor] and (mentee, mentor) not in bans
        ]
        self.meetings = [(mentor, number) for mentor, of in enumerate(self.slots) for number in range(len(of))]
        column = {seat: number for number, seat in enumerate(self.seats)}
        meets: list[dict[int, float]] = [{} for _ in mentors]
        for number, (mentor, _) in enumerate(self.meetings, len(self.seats)):
            meets[mentor][number] = 1.0
        least, most = self.found.matching.groups.least, self.found.matching.groups.most
        sits: list[dict[int, float]] = [{} for _ in mentees]
        holds: list[dict[int, float]] = [{} for _ in mentors]
        for (mentee, mentor), number in column.items():
            sits[mentee][number] = holds[mentor][number] = 1.0
        self.rows = [(0.0, 1.0, row) for row in (*sits, *meets) if len(row) > 1]
        for mentor, row in enumerate(holds):
            room = min(most, mentors[mentor].capacity)
            self.rows.append((0.0, float("inf"), row | dict.fromkeys(meets[mentor], -float(least))))
            self.rows.append((float("-inf"), 0.0, row | dict.fromkeys(meets[mentor], -float(room))))
        for (mentee, mentor), number in column.items():
            suits = [len(self.seats) + at for at, (other, slot) in enumerate(self.meetings)
                     if other == mentor and mentee in self.slots[mentor][slot][1]]  # fmt: skip
            self.rows.append((float("-inf"), 0.0, {number: 1.0, **dict.fromkeys(suits, -1.0)}))
            back = (place_e.get(mentors[mentor].id, -1), place_m.get(mentees[mentee].id, -1))
            if number < column.get(back, -1):
                self.rows.append((0.0, 1.0, {number: 1.0, column[back]: 1.0}))
        for mentor_id, mentee_id in sorted(self.wanted.pins):
            pin = column.get((place_e.get(mentee_id, -1), place_m.get(mentor_id, -1)))
            if pin is None:
                raise Impossible(f"the pair {mentor_id}:{mentee_id} breaks a rule, or one of the two is not here")
            self.rows.append((1.0, 1.0, {pin: 1.0}))

    def levels(self, objective: Sequence[Level]) -> list[tuple[str, dict[int, float]]]:
        """The sums of these levels and what was kept: (name, column to what it counts)."""
        mentees, mentors = self.found.mentees, self.found.mentors
        found: list[tuple[str, dict[int, float]]] = []
        for level in objective:
            if level == "served":
                found.append((level, dict.fromkeys(range(len(self.seats)), 1.0)))
            elif level == "score":
                found.append((level, {number: float(self.score(number)) for number in range(len(self.seats))}))
            else:
                for rank in range(len(RANKS)):
                    wished = {
                        number: 1.0
                        for number, (mentee, mentor) in enumerate(self.seats)
                        if self.scores.wishes[mentee].get(mentor) == rank
                    }
                    found.append((f"wish_{rank + 1}", wished))
        keep = {
            number: 1.0
            for number, (mentee, mentor) in enumerate(self.seats)
            if (mentors[mentor].id, mentees[mentee].id) in self.wanted.keep
        }
        return [*found, ("kept", keep)]

    def score(self, number: int) -> int:
        """The points of the pair of a column."""
        mentee, mentor = self.seats[number]
        return self.scores.maps[mentee][mentor]


class _Solver:
    """Solves a model level by level."""

    def __init__(self, highspy: ModuleType, model: _Model, seconds: float) -> None:
        self._highspy, self._model, self._seconds = highspy, model, seconds
        self._columns = len(model.seats) + len(model.meetings)
        self._rows = [*model.rows]
        self._closed: set[int] = set()
        """Columns that stay 0, for the sake of the worst pair."""
        self._values = [0] * self._columns
        self._is_infeasible = False
        """Whether the last run proved that there is no solution."""

    def solve(self, objective: Sequence[Level]) -> tuple[list[int], dict[str, int]]:
        """The values of the columns, and how far each unproven level may be off. Raises Impossible."""
        off_by: dict[str, int] = {}
        if self._model.wanted.pins and self._run({}) is None:
            raise Impossible("the pins together leave no group that is large enough, or has a slot that suits all")
        for level in (*objective, "kept"):
            if level == "worst":
                off = self._raise_worst()
                off_by |= {level: off} if off else {}
                continue
            sums = self._model.levels([level] if level != "kept" else [])
            for name, counts in sums if level == "kept" else sums[:-1]:
                reached = self._run(counts) if any(counts.values()) else None
                if reached is None:
                    continue
                value, bound = reached
                if bound > value:
                    off_by[name] = bound - value
                self._rows.append((float(value), float("inf"), counts))
        return self._values, off_by

    def _raise_worst(self) -> int:
        """Close as many of the lowest pairs as the levels before it allow; by how much it may be off."""
        numbers = range(len(self._model.seats))
        steps = sorted({self._model.score(number) for number in numbers})
        low, high, refuted = 0, len(steps) - 1, len(steps)
        while low < high:
            middle = (low + high + 1) // 2
            self._closed = {number for number in numbers if self._model.score(number) < steps[middle]}
            if self._run({}):
                low = middle
            else:
                high = middle - 1
                refuted = middle if self._is_infeasible else refuted
        self._closed = {number for number in numbers if self._model.score(number) < steps[low]} if steps else set()
        return steps[refuted - 1] - steps[low] if steps else 0

    def _run(self, counts: Mapping[int, float]) -> tuple[int, int] | None:
        """(what was reached, what can be reached at most) of this sum; None where the model has no solution."""
        highspy = self._highspy
        start = bool(self._model.seats) and not any(self._values[number] for number in self._closed)
        solver = self._solved(counts, start=start)
        info: Any = solver.getInfo()
        feasible = highspy.SolutionStatus.kSolutionStatusFeasible
        if start and info.primal_solution_status == feasible:
            value = self._sum(counts, solver)
            if value != round(info.objective_function_value):
                # HiGHS 1.16 can hand back the solution that it was given instead of the better one that it found.
                solver = self._solved(counts, start=False)
                info = solver.getInfo()
        self._is_infeasible = solver.getModelStatus() == highspy.HighsModelStatus.kInfeasible
        if info.primal_solution_status != feasible:
            return None
        value = self._sum(counts, solver)
        self._values = [round(each) for each in solver.getSolution().col_value]
        proven = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal or not counts
        bound = min(info.mip_dual_bound, self._bound(counts))
        return value, value if proven else max(value, floor(bound + 1e-6))

    def _solved(self, counts: Mapping[int, float], *, start: bool) -> Any:
        """HiGHS after its run; `start`: from the solution that is known."""
        # The class below `Highs`: that one writes a banner to stdout before it can be told to be silent.
        solver: Any = self._highspy.Highs.__base__()
        for option, value in (
            ("output_flag", False), ("threads", 1), ("random_seed", 0), ("time_limit", self._seconds),
            ("mip_rel_gap", 0.0), ("mip_abs_gap", 0.5),
        ):  # fmt: skip
            solver.setOptionValue(option, value)
        solver.passModel(self._linear_program(counts))
        if start:
            known: Any = self._highspy.HighsSolution()
            known.col_value = [float(value) for value in self._values]
            solver.setSolution(known)
        solver.run()
        return solver

    def _sum(self, counts: Mapping[int, float], solver: Any) -> int:
        """What this sum comes to in the solution that HiGHS hands back."""
        values = solver.getSolution().col_value
        return round(sum(factor * round(values[number]) for number, factor in counts.items()))

    def _bound(self, counts: Mapping[int, float]) -> float:
        """What a sum can't exceed: the most of each mentee alone."""
        most: dict[int, float] = {}
        for number, factor in counts.items():
            mentee = self._model.seats[number][0]
            most[mentee] = max(factor, most.get(mentee, 0.0))
        return sum(most.values())

    def _linear_program(self, counts: Mapping[int, float]) -> Any:
        highspy = self._highspy
        program: Any = highspy.HighsLp()
        program.num_col_, program.num_row_ = self._columns, len(self._rows)
        program.sense_ = highspy.ObjSense.kMaximize
        program.col_cost_ = [counts.get(number, 0.0) for number in range(self._columns)]
        program.col_lower_ = [0.0] * self._columns
        program.col_upper_ = [0.0 if number in self._closed else 1.0 for number in range(self._columns)]
        program.integrality_ = [highspy.HighsVarType.kInteger] * self._columns
        program.row_lower_ = [lowest for lowest, _, _ in self._rows]
        program.row_upper_ = [highest for _, highest, _ in self._rows]
        starts, index, value = [0], list[int](), list[float]()
        for _, _, row in self._rows:
            index += row.keys()
            value += row.values()
            starts.append(len(index))
        program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        program.a_matrix_.start_, program.a_matrix_.index_, program.a_matrix_.value_ = starts, index, value
        return program
