"""One group of three among pairs of peers, for a program that allows it where the number of people is odd.

Three peers are three pairs: each with both others. A group of three has an upper bound by the proof of the pairs
without one (their duals): the weight of its own pairs, and what the others can have at most. The groups are solved in
the order of their bounds, until none that is left can be better. So the result is the best there is; of 501 people a
handful of groups is solved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from matching.general import ALONE, Graph, maximum_weight_matching

Three = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Grouped:
    """Who is with whom: pairs, and perhaps three."""

    partner: list[int]
    """For each person the other one of their pair, or ALONE."""
    three: tuple[int, ...]
    """The three, in their order; empty where there are only pairs."""
    weight: int
    """The total weight; pairs that were given from the start do not count."""


def three_of(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The ids of the three of whom each stands in a pair with both others; empty where there are none."""
    made = {frozenset(pair) for pair in pairs}
    count = Counter(person for pair in made for person in pair)
    several = sorted(person for person, times in count.items() if times > 1)
    pairs_of_them = [pair for pair in made if pair <= set(several)]
    return tuple(several) if len(several) == len(pairs_of_them) == 3 else ()


def only_pairs(weights: Sequence[dict[int, int]]) -> Grouped:
    """The heaviest pairs. `weights`: for each person, other to weight, both ways the same."""
    partner = maximum_weight_matching(weights)
    return Grouped(partner, (), _weight(weights, partner))


def with_three(weights: Sequence[dict[int, int]], given: Mapping[int, int], least: int = 0) -> Grouped | None:
    """The heaviest pairs with exactly one group of three, all of whose pairs have a weight; None where there is none
    of a total weight of `least` or more.

    `given`: pairs that stand already, both ways; they can become a group of three, and are never parted. They are
    not in `partner`.
    """
    alone = [
        {} if one in given else {other: weight for other, weight in of.items() if other not in given}
        for one, of in enumerate(weights)
    ]
    search = _Search(weights, given, alone, Graph(alone))
    best = search.beside_one_left(2 * least - 1)
    level = 2 * best.weight if best else 2 * least - 1
    for bound, three in sorted(((search.bound(three), three) for three in search.threes(level)), key=_highest_first):
        if bound <= level:
            break
        rest = [
            {} if one in three else {other: weight for other, weight in of.items() if other not in three}
            for one, of in enumerate(alone)
        ]
        partner = maximum_weight_matching(rest)
        weight = _weight(rest, partner) + search.own(three)
        if 2 * weight > level:
            best, level = Grouped(partner, three, weight), 2 * weight
    return best


def _highest_first(found: tuple[int, Three]) -> tuple[int, Three]:
    bound, three = found
    return -bound, three


def _weight(weights: Sequence[Mapping[int, int]], partner: Sequence[int]) -> int:
    return sum(weights[one][other] for one, other in enumerate(partner) if one < other)


class _Search:
    """Bounds of groups of three, each twice a weight, because the duals of a graph are."""

    def __init__(
        self,
        weights: Sequence[Mapping[int, int]],
        given: Mapping[int, int],
        alone: Sequence[Mapping[int, int]],
        graph: Graph,
    ) -> None:
        self._weights, self._given = weights, given
        self._partner = graph.solved()
        self._total = 2 * _weight(alone, self._partner)
        self._dual = graph.dual
        counts = sorted(
            (number for number in graph.blossoms if graph.dual[number]),
            key=lambda number: -len(graph.blossoms[number].child_of),
        )
        self._within: list[list[int]] = [[] for _ in weights]
        """For each person, the blossoms in which they are and whose dual counts, the outermost first."""
        for number in counts:
            for one in graph.blossoms[number].child_of:
                self._within[one].append(number)

    def _around(self, one: int, other: int) -> int:
        """The sum of the duals of the blossoms in which both are: one is within the other, so they begin alike."""
        total = 0
        for number, also in zip(self._within[one], self._within[other], strict=False):
            if number != also:
                break
            total += self._dual[number]
        return total

    def own(self, three: Three) -> int:
        """The weight of the three pairs, without one that is given."""
        pairs = _pairs(three)
        return sum(self._weights[one][other] for one, other in pairs if self._given.get(one) != other)

    def bound(self, three: Three) -> int:
        """At most twice the total weight with this group: the duals prove it for the others."""
        around = max(self._around(one, other) for one, other in _pairs(three))
        return 2 * self.own(three) + self._total - sum(self._dual[one] for one in three) - around

    def beside_one_left(self, level: int) -> Grouped | None:
        """The heaviest that comes of the pairs without a group of three where one of those left joins a pair.
        Twice its weight is more than `level`."""
        found: Grouped | None = None
        together = {one: other for one, other in enumerate(self._partner) if other != ALONE} | {**self._given}
        for left in (one for one in range(len(self._weights)) if one not in together):
            near = self._weights[left]
            for one, other in together.items():
                if one < other and one in near and other in near:
                    weight = self._total // 2 + near[one] + near[other]
                    if 2 * weight > level:
                        partner = [ALONE if place in (one, other) else of for place, of in enumerate(self._partner)]
                        first, second, third = sorted((left, one, other))
                        found, level = Grouped(partner, (first, second, third), weight), 2 * weight
        return found

    def threes(self, level: int) -> set[Three]:
        """Every group of three whose bound could be more than `level`.

        Six times a bound is at most a sum over its pairs: so the best pair of a group has a third of it at least, and
        the better one of the two others half of what is left.
        """
        worth = [
            {
                other: (0 if self._given.get(one) == other else 12 * weight)
                - 3 * (self._dual[one] + self._dual[other])
                - 2 * self._around(one, other)
                for other, weight in of.items()
            }
            for one, of in enumerate(self._weights)
        ]
        best_first = [sorted(of.items(), key=lambda pair: -pair[1]) for of in worth]
        need = 6 * (level - self._total)
        return set(self._from(worth, best_first, need))

    def _from(
        self, worth: Sequence[Mapping[int, int]], best_first: Sequence[Sequence[tuple[int, int]]], need: int
    ) -> Iterator[Three]:
        for one, of in enumerate(best_first):
            for other, first in of:
                if 3 * first <= need:
                    break
                # Either of the two ends has the better one of the other two pairs.
                others = worth[other]
                for third, second in best_first[one]:
                    if 2 * second <= need - first:
                        break
                    if third in others and first + second + others[third] > need:
                        low, middle, high = sorted((one, other, third))
                        three = (low, middle, high)
                        if all(self._given.get(person, person) in three for person in three):
                            yield three


def _pairs(three: Three) -> tuple[tuple[int, int], ...]:
    one, other, third = three
    return (one, other), (one, third), (other, third)
