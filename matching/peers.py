"""Pairs of peers: everybody could be with everybody, and as many as possible are with somebody.

With an odd number one waits, or, where the program allows it, three are one group, each in a pair with both others
(`matching.threes`). The levels are those of `matching.objective`: people in a pair count as served, both wishes of a
pair count, and points are given for what each wants of the other. A pair is written with the smaller id first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from itertools import combinations

from matching.applicants import Applicant, Tags
from matching.candidates import Candidates, candidates
from matching.general import ALONE
from matching.objective import Impossible, PairIds, Scale, Totals, Wanted, scale_of
from matching.scoring import RANKS, Part, Scores, parts_of
from matching.threes import Grouped, only_pairs, with_three
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
    """For each person, the other one of the pair, or ALONE; ALONE for the three of a group, too."""
    totals: Totals
    three: tuple[int, ...] = ()
    """The three who are one group, in their order; empty where there are only pairs."""

    @property
    def people(self) -> tuple[Applicant, ...]:
        """All peers, by id."""
        return self.candidates.mentees

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The pairs as places in `people`, each once, the smaller first; a group of three is three of them."""
        return _pairs(self.partner, self.three)

    @cached_property
    def ids(self) -> tuple[PairIds, ...]:
        """The pairs as ids."""
        return tuple((self.people[one].id, self.people[other].id) for one, other in self.pairs)

    @cached_property
    def alone(self) -> tuple[int, ...]:
        """Who waits."""
        return tuple(one for one, other in enumerate(self.partner) if other == ALONE and one not in self.three)

    def partners(self, one: int) -> tuple[int, ...]:
        """With whom somebody is: one, or two in a group of three, or nobody."""
        if one in self.three:
            return tuple(other for other in self.three if other != one)
        return () if self.partner[one] == ALONE else (self.partner[one],)

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
    pinned, three = _pinned(found, scores, wanted, three=matching.three_peers)
    highest = max((max(of.values(), default=0) for of in scores), default=0)
    sums: tuple[Level, ...] = tuple(level for level in matching.objective if level != "worst")
    certain = [*((one, other) for one, other in pinned.items() if one < other), *combinations(three, 2)]
    lowest = min((scores[one][other] for one, other in certain), default=highest)
    weighing = _Weighing(found, wanted, scale_of(len(near), highest, sums), sums, lowest)
    allowed = _allowed(found, scores, wanted)
    apart = {*three, *pinned}
    left = [
        {} if one in apart else {other: score for other, score in of.items() if other not in apart}
        for one, of in enumerate(allowed)
    ]
    made = weighing.best(left, {}, lambda weights, _: only_pairs(weights))
    assert made is not None
    partner = _together(made.partner, pinned)
    if matching.three_peers and not three and ALONE in partner:
        other = weighing.best(allowed, pinned, lambda weights, least: with_three(weights, pinned, least))
        if other is not None:
            rest = {one: of for one, of in pinned.items() if one not in other.three}
            among = _together(other.partner, rest)
            # The three are an odd number: never are as many served as by pairs alone, but more, or fewer.
            if among.count(ALONE) - len(other.three) < partner.count(ALONE):
                partner, three = among, other.three
    totals = _totals(found, scores, partner, three, wanted)
    return PeerResult(found, wanted, tuple(scores), tuple(partner), totals, three)


def _together(partner: Sequence[int], pinned: Mapping[int, int]) -> list[int]:
    return [pinned.get(one, other) for one, other in enumerate(partner)]


def _pairs(partner: Sequence[int], three: Sequence[int]) -> tuple[tuple[int, int], ...]:
    in_twos = ((one, other) for one, other in enumerate(partner) if one < other)
    return tuple(sorted([*in_twos, *combinations(three, 2)]))


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


def _pinned(
    found: Candidates, scores: Sequence[Mapping[int, int]], wanted: Wanted, *, three: bool
) -> tuple[dict[int, int], tuple[int, ...]]:
    """The pins as pairs, each both ways, and the three who are pinned as a group. Raises Impossible.

    `three`: whether the program allows that three form a group; somebody can then be pinned to two people.
    """
    place = {person.id: index for index, person in enumerate(found.mentees)}
    pins = sorted({tuple(sorted(pair)) for pair in wanted.pins})
    for id_ in (id_ for pair in pins for id_ in pair):
        if id_ not in place:
            raise Impossible(f"{id_} is no peer here")
    pairs = [(place[one], place[other]) for one, other in pins]
    for pair in pairs:
        _check_pin(found, scores, *pair)
    near: dict[int, set[int]] = {}
    for one, other in pairs:
        near.setdefault(one, set()).add(other)
        near.setdefault(other, set()).add(one)
    several = [one for one, of in sorted(near.items()) if len(of) > 1]
    if not several:
        return {one: other for one, (other,) in near.items()}, ()
    first = several[0]
    if not three:
        raise Impossible(f"{found.mentees[first].id} is pinned to two people")
    group = {first, *near[first]}
    if len(group) != 3 or any(not group.issuperset(near[one]) for one in several):
        raise Impossible(f"{found.mentees[first].id} is pinned to two people, and not as part of one group of three")
    low, middle, high = sorted(group)
    for pair in combinations((low, middle, high), 2):
        ids = (found.mentees[pair[0]].id, found.mentees[pair[1]].id)
        if not wanted.bans.isdisjoint((ids, ids[::-1])):
            raise Impossible(f"{ids[0]} and {ids[1]} are banned, and pinned to the same person")
        _check_pin(found, scores, *pair)
    return {one: other for one, of in near.items() if one not in group for other in of}, (low, middle, high)


def _check_pin(found: Candidates, scores: Sequence[Mapping[int, int]], one: int, other: int) -> None:
    if other not in scores[one]:
        rules = [rule for rule in found.forbidden_by(one, other) if rule in found.forbidden_by(other, one)]
        why = f"breaks the rule `{rules[0].kind}`" if rules else "is excluded by one of the two"
        raise Impossible(f"the pair {found.mentees[one].id}:{found.mentees[other].id} {why}")


def _allowed(found: Candidates, scores: Sequence[Mapping[int, int]], wanted: Wanted) -> list[dict[int, int]]:
    """For each person the others who are left, with the score of the pair."""
    place = {person.id: index for index, person in enumerate(found.mentees)}
    left = [dict(of) for of in scores]
    for first, second in wanted.bans:
        if first in place and second in place:
            left[place[first]].pop(place[second], None)
            left[place[second]].pop(place[first], None)
    return left


Solve = Callable[[Sequence[dict[int, int]], int], Grouped | None]
"""Finds the heaviest by weights; None where there is none of a total weight that is high enough."""


@dataclass(frozen=True)
class _Weighing:
    """Weighs pairs by levels, and finds the best by them."""

    found: Candidates
    wanted: Wanted
    scale: Scale
    sums: tuple[Level, ...]
    """The levels that are sums."""
    lowest: int
    """A pin that scores low is the worst pair itself: the others then need not be better."""

    def best(self, allowed: Sequence[Mapping[int, int]], pinned: Mapping[int, int], solve: Solve) -> Grouped | None:
        """The best on every level, and of these the one that keeps most; None where `solve` finds nothing."""
        objective = self.found.matching.objective
        if "worst" in objective:
            before = objective[: objective.index("worst")]
            best = solve(self.weights(allowed, before, kept=False), 0)
            if best is None:
                return None
            allowed = self._without_the_worst(allowed, pinned, before, best.weight, solve)
        return solve(self.weights(allowed, self.sums, kept=True), 0)

    def _without_the_worst(
        self,
        allowed: Sequence[Mapping[int, int]],
        pinned: Mapping[int, int],
        before: Sequence[Level],
        weight: int,
        solve: Solve,
    ) -> list[dict[int, int]]:
        """The pairs that are left where the worst one is as good as the levels before it allow: `weight` on them."""
        steps = sorted({min(score, self.lowest) for of in allowed for score in of.values()})
        low, high = 0, len(steps) - 1

        def above(least: int) -> list[dict[int, int]]:
            return [
                {other: score for other, score in of.items() if score >= least or pinned.get(one) == other}
                for one, of in enumerate(allowed)
            ]

        while low < high:
            middle = (low + high + 1) // 2
            found = solve(self.weights(above(steps[middle]), before, kept=False), weight)
            if found is not None and found.weight == weight:
                low = middle
            else:
                high = middle - 1
        return above(steps[low]) if steps else above(0)

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


def _totals(
    found: Candidates,
    scores: Sequence[Mapping[int, int]],
    partner: Sequence[int],
    three: Sequence[int],
    wanted: Wanted,
) -> Totals:
    people = found.mentees
    pairs = _pairs(partner, three)
    wishes = [0] * len(RANKS)
    for one, other in pairs:
        for rank in _wishes(people[one], people[other]):
            wishes[rank] += 1
    points = [scores[one][other] for one, other in pairs]
    keep = {frozenset(pair) for pair in wanted.keep}
    kept = sum(frozenset((people[one].id, people[other].id)) in keep for one, other in pairs)
    served = len({person for pair in pairs for person in pair})
    return Totals(served, tuple(wishes), sum(points), min(points, default=0), kept)
