"""Solving level by level: served, wishes, score, worst, in the order that the program wants.

The levels that are sums become one whole number for each pair, in which a higher level outweighs all lower ones
together. The worst pair is no sum: it is raised afterwards, within what is optimal on the levels before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from matching.assignment import UNPLACED, Network, solve
from matching.candidates import Candidates
from matching.scoring import RANKS, Scores
from program.matching import Level

PairIds = tuple[str, str]
"""(mentor, mentee), as ids: the order in which pairs are written everywhere."""


class Impossible(ValueError):
    """What was asked for can't be; the message says why, with ids."""


@dataclass(frozen=True)
class Wanted:
    """What a coordinator decided before matching."""

    pins: frozenset[PairIds] = frozenset()
    """These pairs for certain."""
    bans: frozenset[PairIds] = frozenset()
    """These pairs never."""
    keep: frozenset[PairIds] = frozenset()
    """These pairs where they are as good as others: the last tie-break."""


@dataclass(frozen=True, slots=True)
class Totals:
    """How good a result is, level by level. Two results are compared by `levels`."""

    served: int
    wishes: tuple[int, ...]
    """How many first, second and third wishes of mentees."""
    score: int
    worst: int
    """The lowest score of a pair; 0 where there is none."""
    kept: int = 0

    def levels(self, objective: Sequence[Level]) -> tuple[int, ...]:
        """The levels in this order, as one tuple that is better where it is higher."""
        found: list[int] = []
        for level in objective:
            found += self.wishes if level == "wishes" else [getattr(self, level)]
        return tuple(found)

    def sums(self, objective: Sequence[Level]) -> tuple[int, ...]:
        """The levels without the worst pair, which is no sum."""
        return self.levels([level for level in objective if level != "worst"])


def totals_of(scores: Scores, pairs: Sequence[tuple[int, int]], wanted: Wanted) -> Totals:
    """How good these pairs of (mentee, mentor) are, as places in the candidates."""
    mentees, mentors = scores.candidates.mentees, scores.candidates.mentors
    points = [scores.maps[mentee][mentor] for mentee, mentor in pairs]
    wishes = [0] * len(RANKS)
    for mentee, mentor in pairs:
        rank = scores.wishes[mentee].get(mentor)
        if rank is not None:
            wishes[rank] += 1
    kept = sum((mentors[mentor].id, mentees[mentee].id) in wanted.keep for mentee, mentor in pairs)
    return Totals(len(points), tuple(wishes), sum(points), min(points, default=0), kept)


@dataclass(frozen=True)
class Scale:
    """How a pair is worth on each level that is a sum, as digits of one number. The first level weighs most."""

    names: tuple[str, ...]
    factors: tuple[int, ...]

    def apart(self, weight: int) -> dict[str, int]:
        """A sum, or the difference of two sums, as level to number; each has the sign of its own level."""
        found: dict[str, int] = {}
        rest = weight
        for name, factor in zip(self.names, self.factors, strict=True):
            # To the nearest: a lower level never makes up half of a step of a higher one.
            digit = (2 * rest + factor) // (2 * factor)
            found[name] = digit
            rest -= digit * factor
        return found


@dataclass(frozen=True)
class Result:
    """The best pairs, with what proves it: everything that explains them starts from here."""

    candidates: Candidates
    scores: Scores
    objective: tuple[Level, ...]
    wanted: Wanted
    scale: Scale
    network: Network = field(repr=False)
    least: int
    """The lowest score of a pair, raised as far as the levels before it allow; 0 where that is no level."""
    pinned: tuple[tuple[int, int], ...] = ()
    cut: frozenset[PairIds] = frozenset()
    """Pairs that are not made because two people would be each other's mentors."""

    @property
    def prices_are_paths(self) -> bool:
        """Whether a price is a shortest path in `network`: the worst pair counts last, and no circle was cut."""
        return not self.cut and "worst" not in self.objective[:-1]

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """(mentee, mentor) as places in the candidates, by mentee."""
        pinned = dict(self.pinned)
        found = (
            (mentee, pinned.get(mentee, self.network.mentor_of(mentee)))
            for mentee in range(len(self.candidates.mentees))
        )
        return tuple(pair for pair in found if pair[1] != UNPLACED)

    @cached_property
    def ids(self) -> tuple[PairIds, ...]:
        """(mentor, mentee) as ids, by mentee."""
        mentees, mentors = self.candidates.mentees, self.candidates.mentors
        return tuple((mentors[mentor].id, mentees[mentee].id) for mentee, mentor in self.pairs)

    @cached_property
    def unplaced(self) -> tuple[int, ...]:
        """The mentees who have nobody."""
        placed = {mentee for mentee, _ in self.pairs}
        return tuple(mentee for mentee in range(len(self.candidates.mentees)) if mentee not in placed)

    @cached_property
    def totals(self) -> Totals:
        """How good it is."""
        return totals_of(self.scores, self.pairs, self.wanted)

    def score_of(self, mentee: int, mentor: int) -> int:
        """The score of a pair, which must be a candidate."""
        return self.scores.maps[mentee][mentor]


def staying(candidates: Candidates, wanted: Wanted, pairs: Iterable[PairIds]) -> tuple[Wanted, tuple[PairIds, ...]]:
    """What was wanted with these pairs pinned as well, and those of them that can't stay.

    A pair can't stay where a rule or a ban forbids it, where its mentee is pinned to another mentor, or where the
    mentor has no place left.
    """
    mentees = {mentee.id: index for index, mentee in enumerate(candidates.mentees)}
    mentors = {mentor.id: index for index, mentor in enumerate(candidates.mentors)}
    left = {mentor.id: mentor.capacity for mentor in candidates.mentors}
    pinned = {mentee for _, mentee in wanted.pins}
    for mentor, _ in wanted.pins:
        left[mentor] = left.get(mentor, 0) - 1
    stays, gone = set(wanted.pins), list[PairIds]()
    for pair in dict.fromkeys(pairs):
        mentor, mentee = pair
        if pair in stays:
            continue
        known = mentee in mentees and mentor in mentors and mentors[mentor] in candidates.of[mentees[mentee]]
        circle = (mentee, mentor) in stays
        if not known or pair in wanted.bans or mentee in pinned or left[mentor] < 1 or circle:
            gone.append(pair)
            continue
        left[mentor] -= 1
        pinned.add(mentee)
        stays.add(pair)
    return replace(wanted, pins=frozenset(stays)), tuple(gone)


def match(candidates: Candidates, wanted: Wanted | None = None, scores: Scores | None = None) -> Result:
    """The best pairs of these candidates: optimal on every level of the objective, in its order.

    Two people are never each other's mentors. The same people give the same pairs, in whatever order they come.
    `scores`: those of these candidates, where they are known from an earlier result.
    Raises Impossible for a pin that breaks a rule or finds no place.
    """
    wanted = wanted or Wanted()
    return _without_circles(candidates, scores or Scores(candidates), wanted, frozenset())


def _without_circles(candidates: Candidates, scores: Scores, wanted: Wanted, cut: frozenset[PairIds]) -> Result:
    """Branch where two people would be each other's mentors: one of the two pairs is not made."""
    best = _solved(candidates, scores, replace(wanted, bans=wanted.bans | cut))
    circle = circle_in(best.ids)
    if circle is None:
        return replace(best, wanted=wanted, cut=cut)
    found: Result | None = None
    for pair in circle:
        if pair in wanted.pins:
            continue
        other = _without_circles(candidates, scores, wanted, cut | {pair})
        if found is None or _better(other, found):
            found = other
    if found is None:
        raise Impossible(f"{circle[0][0]} and {circle[0][1]} are pinned as each other's mentors")
    return found


def _better(one: Result, other: Result) -> bool:
    objective = one.objective
    return (one.totals.levels(objective), one.totals.kept) > (other.totals.levels(objective), other.totals.kept)


def circle_in(pairs: Iterable[PairIds]) -> tuple[PairIds, PairIds] | None:
    """Two pairs in which two people are each other's mentors; None where there are none."""
    made = set(pairs)
    for mentor, mentee in sorted(made):
        if (mentee, mentor) in made:
            return (mentor, mentee), (mentee, mentor)
    return None


def _solved(candidates: Candidates, scores: Scores, wanted: Wanted) -> Result:
    objective = candidates.matching.objective
    places = [mentor.capacity for mentor in candidates.mentors]
    pinned = _pinned(candidates, wanted, places)
    allowed = _allowed(candidates, scores, wanted, {mentee for mentee, _ in pinned})
    sums: tuple[Level, ...] = tuple(level for level in objective if level != "worst")
    highest = max((max(of, default=0) for of in scores.of), default=0)
    scale = scale_of(len(candidates.mentees), highest, sums)
    digits = _Digits(candidates, scores, wanted, scale)
    if "worst" not in objective:
        return Result(candidates, scores, objective, wanted, scale, solve(digits.weights(allowed), places), 0, pinned)
    before = objective[: objective.index("worst")]
    network = solve(digits.weights(allowed, before), places)
    # A pin that scores low is the worst pair itself: the others then need not be better.
    least = min([raise_worst(network, allowed), *(scores.maps[mentee][mentor] for mentee, mentor in pinned)])
    if before != sums or wanted.keep:
        # What comes after the worst pair is decided among pairs that are no worse.
        allowed = [{mentor: score for mentor, score in of.items() if score >= least} for of in allowed]
        last = solve(digits.weights(allowed), places)
        # Where only `keep` comes after it, the prices of the first still prove the sums, with all pairs in sight.
        network = last if before != sums else replace(network, at=last.at, who=last.who)
    return Result(candidates, scores, objective, wanted, scale, network, least, pinned)


def _pinned(candidates: Candidates, wanted: Wanted, places: list[int]) -> tuple[tuple[int, int], ...]:
    """The pins as places in the candidates; takes their rooms out of `places`. Raises Impossible."""
    mentees = {mentee.id: index for index, mentee in enumerate(candidates.mentees)}
    mentors = {mentor.id: index for index, mentor in enumerate(candidates.mentors)}
    found: dict[int, int] = {}
    for mentor_id, mentee_id in sorted(wanted.pins):
        if mentor_id not in mentors:
            raise Impossible(f"{mentor_id} is no mentor here")
        if mentee_id not in mentees:
            raise Impossible(f"{mentee_id} is no mentee here")
        mentee, mentor = mentees[mentee_id], mentors[mentor_id]
        if mentor not in candidates.of[mentee]:
            broken = candidates.forbidden_by(mentee, mentor)
            why = f"breaks the rule `{broken[0].kind}`" if broken else "is excluded by one of the two"
            raise Impossible(f"the pair {mentor_id}:{mentee_id} {why}")
        if mentee in found:
            raise Impossible(f"{mentee_id} is pinned to two mentors")
        if places[mentor] == 0:
            raise Impossible(f"{mentor_id} has fewer places than pins")
        places[mentor] -= 1
        found[mentee] = mentor
    return tuple(sorted(found.items()))


def _allowed(candidates: Candidates, scores: Scores, wanted: Wanted, pinned: Collection[int]) -> list[dict[int, int]]:
    """For each mentee the mentors that are left, with the score of the pair."""
    banned = wanted.bans
    mentors = candidates.mentors
    return [
        {}
        if mentee in pinned
        else {
            mentor: score
            for mentor, score in zip(of, scores.of[mentee], strict=True)
            if not banned or (mentors[mentor].id, candidates.mentees[mentee].id) not in banned
        }
        for mentee, of in enumerate(candidates.of)
    ]


def scale_of(people: int, highest: int, sums: Sequence[Level]) -> Scale:
    """Factors so large that no sum of a lower level reaches half of one step of a higher one.

    `people` bounds how many pairs there are, `highest` the score of a pair.
    """
    names: list[str] = []
    for level in sums:
        names += [f"wish_{rank}" for rank in range(1, len(RANKS) + 1)] if level == "wishes" else [level]
    names.append("kept")
    factors: list[int] = []
    factor = 1
    for name in reversed(names):
        factors.append(factor)
        factor *= 2 * (people + 1) * (highest if name == "score" else 1) + 1
    return Scale(tuple(names), tuple(reversed(factors)))


@dataclass(frozen=True)
class _Digits:
    """What a pair is worth on each level that is a sum."""

    candidates: Candidates
    scores: Scores
    wanted: Wanted
    scale: Scale

    def weights(
        self, allowed: Sequence[Mapping[int, int]], levels: Sequence[Level] | None = None
    ) -> list[dict[int, int]]:
        """For each mentee: mentor to weight. With `levels` these count only, and what was kept does not."""
        factor = dict(zip(self.scale.names, self.scale.factors, strict=True))
        served = factor.get("served", 0) if levels is None or "served" in levels else 0
        points = factor.get("score", 0) if levels is None or "score" in levels else 0
        ranks = [factor.get(f"wish_{rank}", 0) for rank in range(1, len(RANKS) + 1)]
        wishes = any(ranks) and (levels is None or "wishes" in levels)
        keep = self.wanted.keep if levels is None else frozenset[PairIds]()
        found: list[dict[int, int]] = []
        for mentee, of in enumerate(allowed):
            weights = {mentor: served + points * score for mentor, score in of.items()}
            if wishes:
                for mentor, rank in self.scores.wishes[mentee].items():
                    if mentor in weights:
                        weights[mentor] += ranks[rank]
            if keep:
                id_ = self.candidates.mentees[mentee].id
                for mentor in weights:
                    if (self.candidates.mentors[mentor].id, id_) in keep:
                        weights[mentor] += 1
            found.append(weights)
        return found


# -- the worst pair ----------------------------------------------------------------------------------------------


def raise_worst(network: Network, allowed: Sequence[Mapping[int, int]]) -> int:
    """Change an optimal assignment into one that is as good and whose worst pair scores highest; that score.

    Only pairs of reduced cost 0 stand in any optimum (complementary slackness): a pair of the lowest score is
    replaced along a path of such pairs that score more, until one can't be. `allowed`: for each mentee, mentor to
    score.
    """
    none = len(network.places) - 1
    while True:
        made = [(allowed[mentee][mentor], mentee) for mentee, mentor in enumerate(network.at) if mentor != none]
        if not made:
            return 0
        lowest = min(made)[0]
        for score, mentee in made:
            # A replacement before may have moved this one already.
            here = network.at[mentee]
            is_lowest = score == lowest and here != none and allowed[mentee][here] == lowest
            if is_lowest and not _replace(network, allowed, mentee, lowest):
                return lowest


def _replace(network: Network, allowed: Sequence[Mapping[int, int]], moved: int, lowest: int) -> bool:
    """Take a mentee from their mentor by a path that costs nothing and uses pairs above `lowest` only."""
    at, who, places, price = network.at, network.who, network.places, network.price
    none = len(places) - 1
    left = at[moved]
    came_by: dict[int, int | None] = {}
    """Mentor to who moves there; None where one of its mentees leaves a place that costs nothing."""
    spare = UNPLACED
    queue = [moved]
    end = UNPLACED
    while queue and end == UNPLACED:
        mentee = queue.pop(0)
        here = at[mentee]
        own = network.edges[mentee][here] - price[here]
        for mentor, cost in sorted(network.edges[mentee].items()):
            if mentor in came_by or mentor == here or cost - price[mentor] != own:
                continue
            if mentor != none and allowed[mentee][mentor] <= lowest:
                continue
            came_by[mentor] = mentee
            if mentor == left:
                end = left
                break
            queue += sorted(who[mentor])
            if len(who[mentor]) < places[mentor]:
                if price[left] == 0:
                    end = mentor
                    break
                if spare == UNPLACED:
                    # A place is taken here, so one may be left empty at any mentor whose places cost nothing.
                    spare = mentor
                    for other in range(len(places)):
                        if price[other] == 0 and who[other] and other not in came_by:
                            came_by[other] = None
                            queue += sorted(who[other] - {moved})
    if end == UNPLACED:
        return False
    mentor = end
    while True:
        mentee = came_by[mentor]
        if mentee is None:
            mentor = spare
            continue
        before = at[mentee]
        who[before].discard(mentee)
        at[mentee] = mentor
        who[mentor].add(mentee)
        if mentee == moved:
            return True
        mentor = before
