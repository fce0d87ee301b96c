"""Pairs of peers: everybody could be with everybody, and as many as possible are with somebody.

With an odd number one waits: the format `peer` has exactly two. The levels are those of `matching.objective`: pairs
count as served people, both wishes of a pair count, and points are given for what each wants of the other. A pair is
written with the smaller id first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

from matching.applicants import Applicant, Tags
from matching.candidates import Candidates, candidates
from matching.general import ALONE, maximum_weight_matching
from matching.objective import Impossible, PairIds, Scale, Totals, Wanted, scale_of
from matching.scoring import RANKS, Part, Scores, parts_of
from program.matching import Level, Matching, Rule

BOTH_WAYS = ("wanted", "wish", "shared")
"""Scores that a pair can get twice: for what the one wants of the other, and the other of the one."""


@dataclass(frozen=True)
class PeerResult:
    """The best pairs of peers."""

    candidates: Candidates
    """With everybody as mentee and as mentor, in the same order."""
    wanted: Wanted
    scores: tuple[Mapping[int, int], ...] = field(repr=False)
    """For each person, the points with each other person with whom a pair breaks no rule."""
    partner: tuple[int, ...]
    """For each person, the other one of the pair, or ALONE."""
    totals: Totals

    @property
    def people(self) -> tuple[Applicant, ...]:
        """All peers, by id."""
        return self.candidates.mentees

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The pairs as places in `people`, each once, the smaller first."""
        return tuple((one, other) for one, other in enumerate(self.partner) if one < other)

    @cached_property
    def ids(self) -> tuple[PairIds, ...]:
        """The pairs as ids."""
        return tuple((self.people[one].id, self.people[other].id) for one, other in self.pairs)

    @cached_property
    def alone(self) -> tuple[int, ...]:
        """Who waits."""
        return tuple(one for one, other in enumerate(self.partner) if other == ALONE)

    def parts(self, one: int, other: int) -> tuple[Part, ...]:
        """What a pair gets points for, the most first."""
        matching = self.candidates.matching
        return parts_of_peers(matching, Tags(matching), self.people[one], self.people[other])

    def without_candidate(self, one: int) -> tuple[Rule, ...]:
        """The rules each of which alone leaves this person without a candidate; empty where there is one."""
        return () if self.scores[one] else self.candidates.without(one)


def match_peers(
    people: Sequence[Applicant], matching: Matching, on: date, wanted: Wanted | None = None
) -> PeerResult:
    """The best pairs of these people, all of whom are peers. `on`: the date on which the cohort starts.

    The order in which the people come never matters. Raises Impossible for a pin that breaks a rule, and what
    `matching.candidates.candidates` raises.
    """
    wanted = wanted or Wanted()
    found = candidates([replace(one, mentor=True, mentee=True, capacity=1) for one in people], matching, on)
    near: list[set[int]] = [set() for _ in found.mentees]
    for one, of in enumerate(found.of):
        for other in of:
            near[one].add(other)
            near[other].add(one)
    scoring = Scores(found)
    scores = [dict[int, int]() for _ in near]
    for one, others in enumerate(near):
        for other in others:
            if one < other:
                scores[one][other] = scores[other][one] = _points(scoring, found.mentees[one], found.mentees[other])
    pinned = _pinned(found, scores, wanted)
    allowed = _allowed(found, scores, wanted, pinned)
    objective = matching.objective
    sums: tuple[Level, ...] = tuple(level for level in objective if level != "worst")
    scale = scale_of(len(near), max((max(of.values(), default=0) for of in scores), default=0), sums)
    weighing = _Weighing(found, wanted, scale)
    partner = weighing.solve(allowed, sums, kept=True)
    if "worst" in objective:
        before = objective[: objective.index("worst")]
        allowed = _without_the_worst(weighing, allowed, before)
        partner = weighing.solve(allowed, sums, kept=True)
    for one, other in pinned:
        partner[one], partner[other] = other, one
    return PeerResult(found, wanted, tuple(scores), tuple(partner), _totals(found, scores, partner, wanted))


def _points(scores: Scores, one: Applicant, other: Applicant) -> int:
    total = 0
    for kind, count in scores.counts:
        there, back = count(one, other), count(other, one)
        total += there + back if kind in BOTH_WAYS else max(there, back)
    return total


def parts_of_peers(matching: Matching, tags: Tags, one: Applicant, other: Applicant) -> tuple[Part, ...]:
    """What two peers get points for, the most first."""
    found: list[Part] = []
    for score in matching.score:
        there, back = (parts_of(score, matching, tags, *way) for way in ((one, other), (other, one)))
        if score.kind in BOTH_WAYS:
            found += [*there, *back]
        else:
            found += max(there, back, key=lambda parts: sum(part.points for part in parts))
    return tuple(sorted(found, key=lambda part: -part.points))


def _pinned(found: Candidates, scores: Sequence[Mapping[int, int]], wanted: Wanted) -> tuple[tuple[int, int], ...]:
    place = {person.id: index for index, person in enumerate(found.mentees)}
    taken: set[int] = set()
    pairs: list[tuple[int, int]] = []
    for ids in sorted({tuple(sorted(pair)) for pair in wanted.pins}):
        for id_ in ids:
            if id_ not in place:
                raise Impossible(f"{id_} is no peer here")
            if place[id_] in taken:
                raise Impossible(f"{id_} is pinned to two people")
            taken.add(place[id_])
        one, other = (place[id_] for id_ in ids)
        if other not in scores[one]:
            rules = [rule for rule in found.forbidden_by(one, other) if rule in found.forbidden_by(other, one)]
            why = f"breaks the rule `{rules[0].kind}`" if rules else "is excluded by one of the two"
            raise Impossible(f"the pair {ids[0]}:{ids[1]} {why}")
        pairs.append((one, other))
    return tuple(pairs)


def _allowed(
    found: Candidates, scores: Sequence[Mapping[int, int]], wanted: Wanted, pinned: Sequence[tuple[int, int]]
) -> list[dict[int, int]]:
    """For each person the others who are left, with the score of the pair."""
    place = {person.id: index for index, person in enumerate(found.mentees)}
    taken = {person for pair in pinned for person in pair}
    left = [
        {} if one in taken else {other: score for other, score in of.items() if other not in taken}
        for one, of in enumerate(scores)
    ]
    for first, second in wanted.bans:
        if first in place and second in place:
            left[place[first]].pop(place[second], None)
            left[place[second]].pop(place[first], None)
    return left


@dataclass(frozen=True)
class _Weighing:
    """Weighs pairs by levels, and finds the pairs of the highest weight."""

    found: Candidates
    wanted: Wanted
    scale: Scale

    def solve(self, allowed: Sequence[Mapping[int, int]], levels: Sequence[Level], *, kept: bool) -> list[int]:
        """The best partners by these levels, and by what was kept."""
        return maximum_weight_matching(self.weights(allowed, levels, kept=kept))

    def weight_of(self, weights: Sequence[Mapping[int, int]], partner: Sequence[int]) -> int:
        """The total weight, each pair counted twice."""
        return sum(weights[one][other] for one, other in enumerate(partner) if other != ALONE)

    def weights(
        self, allowed: Sequence[Mapping[int, int]], levels: Sequence[Level], *, kept: bool
    ) -> list[dict[int, int]]:
        """For each person: other to weight, both ways the same."""
        factor = dict(zip(self.scale.names, self.scale.factors, strict=True))
        people = self.found.mentees
        keep = {frozenset(pair) for pair in self.wanted.keep} if kept else set[frozenset[str]]()
        found: list[dict[int, int]] = [{} for _ in allowed]
        for one, of in enumerate(allowed):
            for other, score in of.items():
                if one > other:
                    continue
                weight = factor["served"] + (factor["score"] * score if "score" in levels else 0)
                if "wishes" in levels:
                    weight += sum(factor[f"wish_{rank + 1}"] for rank in _wishes(people[one], people[other]))
                weight += frozenset((people[one].id, people[other].id)) in keep
                found[one][other] = found[other][one] = weight
        return found


def _wishes(one: Applicant, other: Applicant) -> tuple[int, ...]:
    """The ranks, from 0, that two people have among each other's wishes."""
    ways = ((one.wishes_as_mentee, other.id), (other.wishes_as_mentee, one.id))
    return tuple(rank for wishes, id_ in ways for rank, wish in enumerate(wishes[: len(RANKS)]) if wish == id_)


def _without_the_worst(
    weighing: _Weighing, allowed: Sequence[Mapping[int, int]], before: Sequence[Level]
) -> list[dict[int, int]]:
    """The pairs that are left where the worst one is as good as the levels before it allow."""
    weights = weighing.weights(allowed, before, kept=False)
    best = weighing.weight_of(weights, maximum_weight_matching(weights))
    steps = sorted({score for of in allowed for score in of.values()})
    low, high = 0, len(steps) - 1

    def above(least: int) -> list[dict[int, int]]:
        return [{other: score for other, score in of.items() if score >= least} for of in allowed]

    while low < high:
        middle = (low + high + 1) // 2
        left = above(steps[middle])
        partner = weighing.solve(left, before, kept=False)
        if weighing.weight_of(weights, partner) == best:
            low = middle
        else:
            high = middle - 1
    return above(steps[low]) if steps else above(0)


def _totals(found: Candidates, scores: Sequence[Mapping[int, int]], partner: Sequence[int], wanted: Wanted) -> Totals:
    people = found.mentees
    pairs = [(one, other) for one, other in enumerate(partner) if one < other]
    wishes = [0] * len(RANKS)
    for one, other in pairs:
        for rank in _wishes(people[one], people[other]):
            wishes[rank] += 1
    points = [scores[one][other] for one, other in pairs]
    keep = {frozenset(pair) for pair in wanted.keep}
    kept = sum(frozenset((people[one].id, people[other].id)) in keep for one, other in pairs)
    return Totals(2 * len(pairs), tuple(wishes), sum(points), min(points, default=0), kept)
