"""The best assignment of mentees to mentors with places: successive shortest augmenting paths with potentials.

Minimum-cost flow on a bipartite graph (Ahuja, Magnanti, Orlin: Network Flows, chapter 9). Every mentee goes to one
mentor or stays unplaced, which costs nothing; a pair costs minus its weight. Weights are whole numbers of any size.
Prices keep every reduced cost at 0 or more, and at 0 for every pair that is made: what another pair would cost is
then a shortest path (`matching.prices`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

UNPLACED = -1
"""Instead of a mentor: this mentee has none."""


@dataclass
class Network:
    """An assignment that is optimal, with the prices that prove it.

    The mentor of number `len(places)` stands for having none: it has room for everybody, and its price is 0.
    """

    edges: list[dict[int, int]]
    """For each mentee: mentor to cost (minus the weight); the last mentor, who stands for none, costs 0."""
    places: list[int]
    """For each mentor, how many mentees there is room for."""
    at: list[int]
    """For each mentee, their mentor."""
    who: list[set[int]]
    """For each mentor, their mentees."""
    price: list[int]
    """For each mentor, 0 or less: 0 where there is room left."""

    def mentor_of(self, mentee: int) -> int:
        """The mentor of a mentee, or UNPLACED."""
        mentor = self.at[mentee]
        return UNPLACED if mentor == len(self.places) - 1 else mentor

    def reduced(self, mentee: int, mentor: int) -> int:
        """What it costs beside the best to take this mentor: 0 or more. The pair must be an edge."""
        here = self.at[mentee]
        own = self.edges[mentee][here] - self.price[here]
        return self.edges[mentee][mentor] - self.price[mentor] - own


def solve(weights: Sequence[dict[int, int]], places: Sequence[int]) -> Network:
    """The assignment of the highest total weight. For each mentee: mentor to weight, which is 0 or more.

    Among equal ones, which is found depends on the order of mentees and mentors alone.
    """
    none = len(places)
    edges = [{mentor: -weight for mentor, weight in of.items() if places[mentor] > 0} | {none: 0} for of in weights]
    network = Network(
        edges=edges,
        places=[*places, len(weights)],
        at=[none] * len(weights),
        who=[set() for _ in range(none + 1)],
        price=[0] * (none + 1),
    )
    for mentee in range(len(weights)):
        _place(network, mentee)
    return network


def _place(network: Network, newcomer: int) -> None:
    """Give one more mentee a mentor, or none, by the shortest augmenting path (Dijkstra over reduced costs)."""
    edges, places, at, who, price = network.edges, network.places, network.at, network.who, network.price
    best: dict[int, int] = {}
    came_by: dict[int, int] = {}
    settled: list[int] = []
    done: set[int] = set()
    heap: list[tuple[int, int]] = []
    for mentor, cost in edges[newcomer].items():
        best[mentor] = cost - price[mentor]
        came_by[mentor] = newcomer
        heap.append((best[mentor], mentor))
    heap.sort()
    while True:
        reached, mentor = heappop(heap)
        if mentor in done:
            continue
        if len(who[mentor]) < places[mentor]:
            break
        done.add(mentor)
        settled.append(mentor)
        for mentee in who[mentor]:
            of = edges[mentee]
            start = reached - of[mentor] + price[mentor]
            for other, cost in of.items():
                distance = start + cost - price[other]
                known = best.get(other)
                if known is None or distance < known or (distance == known and mentee < came_by[other]):
                    if known is None or distance < known:
                        heappush(heap, (distance, other))
                    if other not in done:
                        best[other] = distance
                        came_by[other] = mentee
    for full in settled:
        price[full] += best[full] - reached
    while True:
        mentee = came_by[mentor]
        before = at[mentee]
        at[mentee] = mentor
        who[mentor].add(mentee)
        if mentee == newcomer:
            return
        who[before].discard(mentee)
        mentor = before
