"""What any other pair would cost, exactly: a shortest path over the residual graph of the optimum.

A pair that is forced displaces somebody, who displaces somebody else, until a place is left: the cheapest such chain
is the price. Nothing is solved again, except where the levels are no sums in the order of the objective (the worst
pair before the score) or where two people would become each other's mentors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from heapq import heappop, heappush

from matching.assignment import UNPLACED, Network
from matching.objective import Impossible, PairIds, Result, circle_in, match, raise_worst
from matching.scoring import RANKS
from program.matching import Level

Move = tuple[int, int, int]
"""A mentee, the mentor before and the mentor after; UNPLACED for none."""
DETOURS = 8
"""Arcs of each mentor by which longer arcs are replaced, in `AllPrices`."""


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

    def changes(self, objective: Sequence[Level]) -> dict[str, int]:
        """Level to how much less, in the order of the objective: the first is what the price is."""
        found: dict[str, int] = {}
        for level in objective:
            names = [f"wish_{rank}" for rank in range(1, len(RANKS) + 1)] if level == "wishes" else [level]
            less = {name: self.worst if name == "worst" else self.levels.get(name, 0) for name in names}
            found |= {name: count for name, count in less.items() if count}
        return found


class Residual:
    """The ways in which people can move on from mentor to mentor, each with what it costs."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._into: list[list[tuple[int, int, int]]] = [[] for _ in network.places]
        """For each mentor: (mentor before, cost, mentee) of each mentee who could move there."""
        price = network.price
        for mentee, of in enumerate(network.edges):
            here = network.at[mentee]
            own = of[here] - price[here]
            for mentor, cost in of.items():
                if mentor != here:
                    self._into[mentor].append((here, cost - price[mentor] - own, mentee))
        self._known: dict[int, tuple[dict[int, int], dict[int, tuple[int | None, int] | None]]] = {}

    def towards(self, home: int) -> tuple[dict[int, int], dict[int, tuple[int | None, int] | None]]:
        """The cheapest way of one person from each mentor to `home`, where a place is left; the shortest of equals.

        From a mentor, one of its mentees can move on to another mentor; a mentor with room takes one more for
        nothing; and a place that is left empty somewhere costs what it is worth (minus its price).
        """
        if home not in self._known:
            self._known[home] = self._search(home)
        return self._known[home]

    def _search(self, home: int) -> tuple[dict[int, int], dict[int, tuple[int | None, int] | None]]:
        network, into = self.network, self._into
        places, who, price = network.places, network.who, network.price
        sink = len(places)
        # Backwards from home: a person may end there, or in any free place if the place at home is then left empty.
        distance: dict[int, int] = {}
        onward: dict[int, tuple[int | None, int] | None] = {home: None}
        heap: list[tuple[int, int, int]] = [(0, 0, home)]
        best = {home: (0, 0)}
        while heap:
            reached, moved, mentor = heappop(heap)
            if mentor in distance:
                continue
            distance[mentor] = reached
            if mentor == sink:
                for other in range(sink):
                    spare = len(who[other]) < places[other]
                    if spare and (other not in best or (reached, moved) < best[other]):
                        best[other] = (reached, moved)
                        onward[other] = (None, sink)
                        heappush(heap, (reached, moved, other))
                continue
            # A place may be left empty here while a free one is taken elsewhere.
            if who[mentor] or mentor == home:
                through = (reached - price[mentor], moved)
                if sink not in best or through < best[sink]:
                    best[sink] = through
                    onward[sink] = (None, mentor)
                    heappush(heap, (*through, sink))
            for here, cost, mentee in into[mentor]:
                if here in distance:
                    continue
                further = (reached + cost, moved + 1)
                if here not in best or further < best[here]:
                    best[here] = further
                    onward[here] = (mentee, mentor)
                    heappush(heap, (*further, here))
        return distance, onward


class Prices:
    """All prices of one mentee who is not pinned. `residual` may be shared by all mentees of a result."""

    def __init__(self, result: Result, mentee: int, residual: Residual | None = None) -> None:
        self._result, self._mentee = result, mentee
        self._network = result.network
        self._home = self._network.at[mentee]
        self._residual = residual or Residual(result.network)

    def of(self, mentor: int) -> Price | None:
        """The price of this mentor (UNPLACED: of having none); None where the pair breaks a rule or is banned."""
        result, mentee = self._result, self._mentee
        if mentor == result.network.mentor_of(mentee):
            return Price(mentee, mentor, {}, 0, ())
        if not result.prices_are_paths:
            return self._solved(mentor)
        network = self._network
        distance, _ = self._residual.towards(self._home)
        there = len(network.places) - 1 if mentor == UNPLACED else mentor
        if there not in network.edges[mentee] or there not in distance:
            return None
        cost = network.reduced(mentee, there) + distance[there]
        moves = self._moves(there)
        if self._makes_a_circle(moves):
            return self._solved(mentor)
        levels = {name: less for name, less in result.scale.apart(cost).items() if less and name != "kept"}
        return Price(mentee, mentor, levels, 0 if levels else self._worse(moves), moves)

    def all(self) -> tuple[Price, ...]:
        """The price of every candidate, the cheapest first; the mentor of the optimum is not among them."""
        here = self._result.network.mentor_of(self._mentee)
        places = (*self._result.candidates.of[self._mentee], UNPLACED)
        found = [price for mentor in places if mentor != here and (price := self.of(mentor))]
        return tuple(sorted(found, key=self._dear))

    def _dear(self, price: Price) -> tuple[tuple[int, ...], int]:
        names = [*self._result.scale.names[:-1]]
        if "worst" in self._result.objective:
            names.insert(self._place_of_worst(), "worst")
        less = {**price.levels, "worst": price.worst}
        return tuple(less.get(name, 0) for name in names), price.mentor

    def _place_of_worst(self) -> int:
        before = self._result.objective[: self._result.objective.index("worst")]
        return sum(name.split("_")[0].replace("wish", "wishes") in before for name in self._result.scale.names)

    @cached_property
    def is_inevitable(self) -> bool:
        """Whether the pair of this mentee stands in every optimum."""
        return not self.equally_good

    @cached_property
    def equally_good(self) -> tuple[int, ...]:
        """The other mentors (UNPLACED: none) with whom the result would be equally good."""
        return tuple(price.mentor for price in self.all() if price.is_free)

    def _moves(self, there: int) -> tuple[Move, ...]:
        none = len(self._network.places) - 1
        _, onward = self._residual.towards(self._home)

        def shown(place: int) -> int:
            return UNPLACED if place == none else place

        found: list[Move] = [(self._mentee, shown(self._home), shown(there))]
        here = there
        while here != self._home:
            mentee, further = onward[here] or (None, self._home)
            if mentee is not None:
                found.append((mentee, shown(here), shown(further)))
            here = further
        return tuple(found)

    def _makes_a_circle(self, moves: Iterable[Move]) -> bool:
        result = self._result
        if not result.candidates.both:
            return False
        at = dict(result.pairs) | {mentee: after for mentee, _, after in moves}
        mentees, mentors = result.candidates.mentees, result.candidates.mentors
        pairs = [(mentors[mentor].id, mentees[mentee].id) for mentee, mentor in at.items() if mentor != UNPLACED]
        return circle_in(pairs) is not None

    def _worse(self, moves: tuple[Move, ...]) -> int:
        """How much lower the worst pair is at best where this pair is made and no sum is lower."""
        result, network = self._result, self._network
        if "worst" not in result.objective:
            return 0
        worst = result.totals.worst
        if all(after == UNPLACED or result.score_of(mentee, after) >= worst for mentee, _, after in moves):
            return 0
        none = len(network.places) - 1
        changed = replace(network, at=[*network.at], who=[{*who} for who in network.who], edges=[*network.edges])
        for mentee, before, after in moves:
            changed.who[none if before == UNPLACED else before].discard(mentee)
            changed.at[mentee] = none if after == UNPLACED else after
        for mentee, _, _ in moves:
            changed.who[changed.at[mentee]].add(mentee)
        there = changed.at[self._mentee]
        changed.edges[self._mentee] = {there: network.edges[self._mentee][there]}
        raised = raise_worst(changed, result.scores.maps)
        pinned = [result.score_of(*pair) for pair in result.pinned]
        return max(0, worst - min([raised, *pinned]))

    def _solved(self, mentor: int) -> Price | None:
        """The price by solving again."""
        result, mentee = self._result, self._mentee
        mentees, mentors = result.candidates.mentees, result.candidates.mentors
        pairs: frozenset[PairIds]
        if mentor == UNPLACED:
            pairs = frozenset((mentors[other].id, mentees[mentee].id) for other in result.candidates.of[mentee])
            wanted = replace(result.wanted, bans=result.wanted.bans | pairs)
        else:
            pairs = frozenset({(mentors[mentor].id, mentees[mentee].id)})
            if pairs & result.wanted.bans:
                return None
            wanted = replace(result.wanted, pins=result.wanted.pins | pairs, keep=frozenset(result.ids))
        try:
            other = match(result.candidates, wanted, result.scores)
        except Impossible:
            return None
        before, after = (
            dict(zip(one.scale.names, (*one.totals.sums(one.objective), 0), strict=True)) for one in (result, other)
        )
        levels = {name: less for name, count in before.items() if (less := count - after[name])}
        worse = result.totals.worst - other.totals.worst if "worst" in result.objective else 0
        was, now = dict(result.pairs), dict(other.pairs)
        moved = sorted({*was, *now}, key=lambda one: (one != mentee, one))
        moves = tuple(
            (one, was.get(one, UNPLACED), now.get(one, UNPLACED)) for one in moved if was.get(one) != now.get(one)
        )
        return Price(mentee, mentor, levels, worse, moves)


class AllPrices:
    """The prices of all pairs at once, as numbers without the people who would move.

    Before the searches, an arc is left out where a way over one other mentor is shorter, which changes no distance.
    Exact where `Result.prices_are_paths`, but for chains that make two people each other's mentors, and without the
    level `worst`.
    """

    def __init__(self, result: Result) -> None:
        self._network = result.network
        self._scale = result.scale
        self._into = self._arcs()
        self._known: dict[int, list[int]] = {}

    def cost(self, mentee: int, mentor: int) -> int:
        """The price as one number: 0 where the sums stay what they are, and higher where a pair costs more."""
        home = self._network.at[mentee]
        if mentor == home:
            return 0
        if home not in self._known:
            self._known[home] = self._distances(home)
        return self._network.reduced(mentee, mentor) + self._known[home][mentor]

    def levels(self, mentee: int, mentor: int) -> dict[str, int]:
        """The price as level to how much less; only those that change."""
        levels = self._scale.apart(self.cost(mentee, mentor))
        return {name: less for name, less in levels.items() if less and name != "kept"}

    def _arcs(self) -> list[list[tuple[int, int]]]:
        """For each mentor, and for the sink behind the last: (from where, cost) of the arcs that end there."""
        network = self._network
        places, who, price = network.places, network.who, network.price
        sink = len(places)
        out: list[dict[int, int]] = [{} for _ in range(sink + 1)]
        for mentee, of in enumerate(network.edges):
            here = network.at[mentee]
            own = of[here] - price[here]
            arcs = out[here]
            for mentor, cost in of.items():
                length = cost - price[mentor] - own
                if mentor != here and length < arcs.get(mentor, length + 1):
                    arcs[mentor] = length
        for mentor in range(sink):
            if len(who[mentor]) < places[mentor]:
                out[mentor][sink] = 0
            if who[mentor]:
                out[sink][mentor] = -price[mentor]
        into: list[list[tuple[int, int]]] = [[] for _ in range(sink + 1)]
        for here, arcs in enumerate(out):
            shorter: dict[int, int] = {}
            for over, first in sorted(arcs.items(), key=lambda arc: arc[1])[:DETOURS]:
                for mentor, second in out[over].items():
                    if first + second < shorter.get(mentor, first + second + 1):
                        shorter[mentor] = first + second
            for mentor, length in arcs.items():
                if shorter.get(mentor, length) >= length:
                    into[mentor].append((here, length))
        return into

    def _distances(self, home: int) -> list[int]:
        """From each mentor to `home`."""
        into, price, sink = self._into, self._network.price, len(self._network.places)
        best: list[int | None] = [None] * (sink + 1)
        found = [0] * (sink + 1)
        done = bytearray(sink + 1)
        best[home] = 0
        heap = [(0, home), (-price[home], sink)]
        best[sink] = -price[home]
        while heap:
            reached, mentor = heappop(heap)
            if done[mentor]:
                continue
            done[mentor] = 1
            found[mentor] = reached
            for here, length in into[mentor]:
                if not done[here]:
                    further = reached + length
                    known = best[here]
                    if known is None or further < known:
                        best[here] = further
                        heappush(heap, (further, here))
        return found
