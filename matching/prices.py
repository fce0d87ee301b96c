"""What any other pair would cost, exactly: a shortest path over the residual graph of the optimum.

A pair that is forced displaces somebody, who displaces somebody else, until a place is left: the cheapest such chain
is the price. No other optimum is looked at, and nothing is solved again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from heapq import heappop, heappush

from matching.assignment import UNPLACED, Network
from matching.objective import Result

Move = tuple[int, int, int]
"""A mentee, the mentor before and the mentor after; UNPLACED for none."""


@dataclass(frozen=True, slots=True)
class Price:
    """What it costs to make one pair, beside the optimum.

    `levels`: level to how much less (served, wish_1 …, score); only those that change. `moves`: who would be with
    whom else then, the pair itself first.
    """

    mentee: int
    mentor: int
    levels: Mapping[str, int]
    worst: int
    """By how much the worst pair would score less; 0 where that is no level or does not change."""
    moves: tuple[Move, ...]

    @property
    def is_free(self) -> bool:
        """Whether the result would be equally good on every level."""
        return not self.levels and not self.worst


class Prices:
    """All prices of one mentee: one run of Dijkstra's algorithm towards the place that this mentee has.

    Exact on the levels that are sums. A pair below `Result.least` costs on the level `worst` as well.
    """

    def __init__(self, result: Result, mentee: int) -> None:
        self._result, self._mentee = result, mentee
        self._network = result.network
        self._home = self._network.at[mentee]
        self._distance, self._next = _towards(self._network, self._home, mentee)

    def of(self, mentor: int) -> Price | None:
        """The price of this mentor (UNPLACED: of having none); None where the pair breaks a rule or is banned."""
        network = self._network
        there = len(network.places) - 1 if mentor == UNPLACED else mentor
        if there not in network.edges[self._mentee] or there not in self._distance:
            return None
        if there == self._home:
            return Price(self._mentee, mentor, {}, 0, ())
        cost = network.reduced(self._mentee, there) + self._distance[there]
        levels = {name: less for name, less in self._result.scale.apart(cost).items() if less and name != "kept"}
        moves = self._moves(there)
        return Price(self._mentee, mentor, levels, self._worse(moves) if not levels else 0, moves)

    def all(self) -> tuple[Price, ...]:
        """The price of every candidate, the cheapest first; the mentor of the optimum is not among them."""
        found = [price for mentor in self._network.edges[self._mentee] if (price := self._of_place(mentor))]
        order = {name: place for place, name in enumerate(self._result.scale.names)}

        def dear(price: Price) -> tuple[list[int], int, int]:
            digits = [0] * len(order)
            for name, less in price.levels.items():
                digits[order[name]] = less
            return digits, price.worst, price.mentor

        return tuple(sorted(found, key=dear))

    def _of_place(self, there: int) -> Price | None:
        if there == self._home:
            return None
        return self.of(UNPLACED if there == len(self._network.places) - 1 else there)

    @property
    def is_inevitable(self) -> bool:
        """Whether the pair of this mentee stands in every optimum."""
        return not any(price.is_free for price in self.all())

    def _moves(self, there: int) -> tuple[Move, ...]:
        none = len(self._network.places) - 1

        def shown(place: int) -> int:
            return UNPLACED if place == none else place

        found: list[Move] = [(self._mentee, shown(self._home), shown(there))]
        here = there
        while here != self._home:
            step = self._next[here]
            if step is None:
                break
            mentee, onward = step
            if mentee is not None:
                found.append((mentee, shown(here), shown(onward)))
            here = onward
        return tuple(found)

    def _worse(self, moves: tuple[Move, ...]) -> int:
        result = self._result
        if "worst" not in result.objective:
            return 0
        lowest = min((result.score_of(e, after) for e, _, after in moves if after != UNPLACED), default=result.least)
        return max(0, result.least - lowest)


def _towards(
    network: Network, home: int, left_out: int
) -> tuple[dict[int, int], dict[int, tuple[int | None, int] | None]]:
    """The cheapest way of one unit from each mentor to `home`, where a place is left, by reduced costs.

    From a mentor, one of its mentees can move on to another mentor; a mentor with room takes one more for nothing;
    and a place that is left empty somewhere costs what it is worth (minus its price). `left_out` has left already.
    """
    places, who, price, edges = network.places, network.who, network.price, network.edges
    total = len(places)
    into: list[list[tuple[int, int, int]]] = [[] for _ in range(total)]
    for mentee, of in enumerate(edges):
        if mentee == left_out:
            continue
        here = network.at[mentee]
        own = of[here] - price[here]
        for mentor, cost in of.items():
            if mentor != here:
                into[mentor].append((here, cost - price[mentor] - own, mentee))
    sink = total
    # Backwards from home: a unit may end there, or in any free place if the place at home is then left empty.
    distance: dict[int, int] = {}
    onward: dict[int, tuple[int | None, int] | None] = {home: None}
    heap: list[tuple[int, int]] = [(0, home)]
    best = {home: 0}
    while heap:
        reached, mentor = heappop(heap)
        if mentor in distance:
            continue
        distance[mentor] = reached
        if mentor == sink:
            for other in range(total):
                spare = len(who[other]) < places[other]
                if spare and reached < best.get(other, reached + 1):
                    best[other] = reached
                    onward[other] = (None, sink)
                    heappush(heap, (reached, other))
            continue
        # A place may be left empty here while a free one is taken elsewhere.
        if who[mentor] or mentor == home:
            through = reached - price[mentor]
            if through < best.get(sink, through + 1):
                best[sink] = through
                onward[sink] = (None, mentor)
                heappush(heap, (through, sink))
        for here, cost, mentee in into[mentor]:
            further = reached + cost
            if further < best.get(here, further + 1):
                best[here] = further
                onward[here] = (mentee, mentor)
                heappush(heap, (further, here))
    return distance, onward
