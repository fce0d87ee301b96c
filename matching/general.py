"""The matching of the highest total weight in any graph: who is with whom where everybody could be with everybody.

Edmonds' blossom algorithm (Edmonds 1965: Maximum matching and a polyhedron with 0,1-vertices; Galil 1986: Efficient
algorithms for finding maximum matching in graphs), one tree at a time. It starts from the optimal assignment of
everybody to everybody (`matching.assignment`, both sides the same people): where that is a set of pairs it is the
answer, and only where three or more people stand in an odd circle a tree is grown. So 500 people take a second.

Weights are whole numbers above 0 of any size. Each vertex has a dual of 0 or more; an edge is tight where its slack,
the two duals minus twice its weight, is 0. Only tight edges are used, and in the end everybody without a partner has
the dual 0: together this proves the optimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from matching.assignment import solve

ALONE = -1
"""Instead of a partner: this one has none."""

_FREE, _OUTER, _INNER = -1, 0, 1


def maximum_weight_matching(weights: Sequence[dict[int, int]]) -> list[int]:
    """For each vertex its partner, or ALONE, so that the total weight is as high as possible.

    `weights`: for each vertex, neighbour to weight, the same in both directions. Among equal matchings, which is
    found depends on the order of the vertices alone.
    """
    return Graph(weights).solved()


@dataclass(slots=True)
class _Blossom:
    """An odd circle that is shrunk to one vertex. `links[i]` is the edge from child i to the next one."""

    children: list[int]
    links: list[tuple[int, int]]
    child_of: dict[int, int] = field(default_factory=dict[int, int])
    """Each vertex in it to the child in which it is."""


class Graph:
    """The state of the algorithm. Numbers below `size` are vertices, those from it on are blossoms."""

    def __init__(self, weights: Sequence[dict[int, int]]) -> None:
        self.size = len(weights)
        self.near = [sorted(of.items()) for of in weights]
        self.dual, self.match = self._first(weights)
        """Duals of vertices and blossoms; and for each, the vertex outside with which it is matched."""
        self.blossoms: dict[int, _Blossom] = {}
        self.top = list(range(self.size))
        """For each vertex, the outermost blossom in which it is, or itself."""
        self.label: dict[int, int] = {}
        self.came_by: dict[int, tuple[int, int]] = {}
        """For an inner one, the edge by which the tree reached it: (outside, inside)."""
        self.best: dict[int, tuple[int, int]] = {}
        """The edge of the least slack from an outer vertex to each outermost one: (outside, inside)."""
        self.queue: list[int] = []
        self.last = self.size

    # -- where it starts -------------------------------------------------------------------------------------------

    def _first(self, weights: Sequence[dict[int, int]]) -> tuple[list[int], dict[int, int]]:
        """Duals and a matching of tight edges from the assignment of everybody to everybody."""
        network = solve(weights, [1] * self.size)
        none = self.size
        dual = [
            -(network.edges[vertex][at] - network.price[at]) - network.price[vertex]
            for vertex, at in enumerate(network.at)
        ]
        match: dict[int, int] = {}
        onto = {at: vertex for vertex, at in enumerate(network.at) if at != none}
        seen: set[int] = set()
        starts = [vertex for vertex in range(self.size) if vertex not in onto]
        for start in (*starts, *range(self.size)):
            chain, here = list[int](), start
            while here != none and here not in seen:
                seen.add(here)
                chain.append(here)
                here = network.at[here]
            if here != none and len(chain) % 2:
                # An odd circle leaves one out: best one whose dual is 0.
                out = next((place for place, vertex in enumerate(chain) if dual[vertex] == 0), 0)
                chain = chain[out + 1 :] + chain[:out]
            for one, other in zip(chain[::2], chain[1::2], strict=False):
                match[one], match[other] = other, one
        return dual, match

    # -- the search ------------------------------------------------------------------------------------------------

    def solved(self) -> list[int]:
        """Grow a tree from everybody who has no partner and a dual above 0, until nobody has."""
        for root in range(self.size):
            if root not in self.match and self.dual[root] > 0:
                self._grow(root)
        return [self.match.get(vertex, ALONE) for vertex in range(self.size)]

    def _grow(self, root: int) -> None:
        self.label, self.came_by, self.best, self.queue = {}, {}, {}, []
        self._outer(self.top[root])
        while not self._scan() and not self._move_duals():
            pass

    def _scan(self) -> bool:
        """Follow tight edges from the outer vertices; whether a partner was found."""
        dual, top = self.dual, self.top
        while self.queue:
            vertex = self.queue.pop()
            for other, weight in self.near[vertex]:
                there = top[other]
                if there == top[vertex] or self.label.get(there, _FREE) == _INNER:
                    continue
                slack = dual[vertex] + dual[other] - 2 * weight
                if slack == 0:
                    if self._found(vertex, other):
                        return True
                elif there not in self.best or slack < self._slack(self.best[there]):
                    self.best[there] = (vertex, other)
        return False

    def _slack(self, edge: tuple[int, int]) -> int:
        one, other = edge
        return self.dual[one] + self.dual[other] - 2 * self._weight(one, other)

    def _weight(self, one: int, other: int) -> int:
        near = self.near[one]
        low, high = 0, len(near)
        while low < high:
            middle = (low + high) // 2
            if near[middle][0] < other:
                low = middle + 1
            else:
                high = middle
        return near[low][1]

    def _move_duals(self) -> bool:
        """Change the duals until another edge is tight; whether an outer vertex reached 0, which ends the tree."""
        outer = [vertex for vertex in range(self.size) if self.label.get(self.top[vertex]) == _OUTER]
        least, end = min((self.dual[vertex], vertex) for vertex in outer)
        for one, edge in self.best.items():
            slack = self._slack(edge)
            least = min(least, slack if self.label.get(one, _FREE) == _FREE else slack // 2)
        inner = [one for one in self.blossoms if self.label.get(one) == _INNER and self._is_outermost(one)]
        for one in inner:
            least = min(least, self.dual[one] // 2)
        for vertex in range(self.size):
            label = self.label.get(self.top[vertex], _FREE)
            if label != _FREE:
                self.dual[vertex] += least if label == _INNER else -least
        for one in self.blossoms:
            label = self.label.get(one, _FREE)
            if label != _FREE and self._is_outermost(one):
                self.dual[one] += 2 * least if label == _OUTER else -2 * least
        if self.dual[end] == 0:
            self._leave(end)
            return True
        for one, edge in [*self.best.items()]:
            label = self.label.get(one, _FREE)
            is_live = self.top[edge[1]] == one and self.top[edge[0]] != one and label != _INNER
            if is_live and self._slack(edge) == 0 and self._found(*edge):
                return True
        for one in [one for one in inner if self.dual[one] == 0 and self._is_outermost(one)]:
            self._expand(one)
        return False

    def _is_outermost(self, blossom: int) -> bool:
        return self.top[next(iter(self.blossoms[blossom].child_of))] == blossom

    def _found(self, vertex: int, other: int) -> bool:
        """Take in a tight edge from an outer vertex; whether it ends the tree with one pair more."""
        here, there = self.top[vertex], self.top[other]
        if self.label.get(there, _FREE) == _FREE:
            if there not in self.match:
                self._augment(here, vertex, other)
                self._set_match(there, other, vertex)
                return True
            self.label[there] = _INNER
            self.came_by[there] = (vertex, other)
            self.best.pop(there, None)
            mate = self.top[self.match[there]]
            self.best.pop(mate, None)
            self._outer(mate)
            return False
        self._shrink(vertex, other)
        return False

    def _outer(self, one: int) -> None:
        self.label[one] = _OUTER
        self.queue += self._vertices(one)

    def _vertices(self, one: int) -> list[int]:
        return [one] if one < self.size else [*self.blossoms[one].child_of]

    def _before(self, outer: int) -> int | None:
        """The outer one before this one on the way to the root; None for the root."""
        mate = self.match.get(outer)
        return None if mate is None else self.top[self.came_by[self.top[mate]][0]]

    # -- changing the matching -------------------------------------------------------------------------------------

    def _set_match(self, one: int, inside: int, outside: int) -> None:
        """Match a vertex, or a blossom by its vertex `inside`, with a vertex outside."""
        self.match[one] = outside
        if one >= self.size:
            self._turn(one, inside)
            self._set_match(self.blossoms[one].children[0], inside, outside)

    def _turn(self, one: int, inside: int) -> None:
        """Match the others in a blossom among themselves, and make the child with this vertex the first."""
        blossom = self.blossoms[one]
        place = self._even_place(blossom, blossom.child_of[inside])
        children, links = blossom.children, blossom.links
        for even in range(0, place, 2):
            left, right = links[even]
            self._set_match(children[even], left, right)
            self._set_match(children[even + 1], right, left)
        blossom.children = children[place:] + children[:place]
        blossom.links = links[place:] + links[:place]

    @staticmethod
    def _even_place(blossom: _Blossom, child: int) -> int:
        """Where a child is, counted in the direction in which that is an even number."""
        place = blossom.children.index(child)
        if place % 2:
            blossom.children = [blossom.children[0], *reversed(blossom.children[1:])]
            blossom.links = [(other, one) for one, other in reversed(blossom.links)]
            place = len(blossom.children) - place
        return place

    def _augment(self, outer: int, inside: int, outside: int) -> None:
        """Match an outer one with a vertex outside, and the others on the way to the root the other way round."""
        while True:
            mate = self.match.get(outer)
            self._set_match(outer, inside, outside)
            if mate is None:
                return
            inner = self.top[mate]
            before, within = self.came_by[inner]
            self._set_match(inner, within, before)
            outer, inside, outside = self.top[before], before, within

    def _leave(self, vertex: int) -> None:
        """Leave an outer vertex without a partner, and give the root one."""
        outer = self.top[vertex]
        mate = self.match.get(outer)
        self._unmatch(outer, vertex)
        if mate is not None:
            inner = self.top[mate]
            before, within = self.came_by[inner]
            self._set_match(inner, within, before)
            self._augment(self.top[before], before, within)

    def _unmatch(self, one: int, vertex: int) -> None:
        self.match.pop(one, None)
        if one >= self.size:
            self._turn(one, vertex)
            self._unmatch(self.blossoms[one].children[0], vertex)

    # -- blossoms --------------------------------------------------------------------------------------------------

    def _shrink(self, vertex: int, other: int) -> None:
        """Make one blossom of the circle that an edge between two outer vertices closes."""
        ways: list[list[int]] = []
        for start in (vertex, other):
            here: int | None = self.top[start]
            way: list[int] = []
            while here is not None:
                way.append(here)
                here = self._before(here)
            ways.append(way)
        on_other = set(ways[1])
        meet = next(one for one in ways[0] if one in on_other)
        left = ways[0][: ways[0].index(meet)]
        right = ways[1][: ways[1].index(meet)]
        # From where they meet, out to the vertex, over the edge, and back from the other.
        children, links = [meet], list[tuple[int, int]]()
        for outer in reversed(left):
            inner = self.top[self.match[outer]]
            links += [self.came_by[inner], (self.match[outer], self.match[inner])]
            children += [inner, outer]
        links.append((vertex, other))
        for outer in right:
            inner = self.top[self.match[outer]]
            before, within = self.came_by[inner]
            links += [(self.match[inner], self.match[outer]), (within, before)]
            children += [outer, inner]
        self._make(children, links)

    def _make(self, children: list[int], links: list[tuple[int, int]]) -> None:
        blossom = _Blossom(children, links)
        number = self.last
        self.last += 1
        self.dual.append(0)
        for child in children:
            for vertex in self._vertices(child):
                blossom.child_of[vertex] = child
        self.blossoms[number] = blossom
        if children[0] in self.match:
            self.match[number] = self.match[children[0]]
        for child in children:
            if self.label[child] == _INNER:
                self.queue += self._vertices(child)
            self.best.pop(child, None)
        for vertex in blossom.child_of:
            self.top[vertex] = number
        self.label[number] = _OUTER
        self._find_best(number)

    def _find_best(self, one: int) -> None:
        """The edge of the least slack from an outer vertex elsewhere to this one."""
        self.best.pop(one, None)
        least: int | None = None
        for vertex in self._vertices(one):
            for other, weight in self.near[vertex]:
                there = self.top[other]
                if there != one and self.label.get(there) == _OUTER:
                    slack = self.dual[vertex] + self.dual[other] - 2 * weight
                    if least is None or slack < least:
                        least = slack
                        self.best[one] = (other, vertex)

    def _expand(self, one: int) -> None:
        """Take an inner blossom of dual 0 apart; its children on the way of the tree stay in the tree."""
        blossom = self.blossoms.pop(one)
        before, within = self.came_by[one]
        entry = blossom.child_of[within]
        for child in blossom.children:
            for vertex in self._vertices(child):
                self.top[vertex] = child
        place = self._even_place(blossom, entry)
        children, links = blossom.children, blossom.links
        del self.label[one]
        self.match.pop(one, None)
        fresh: list[int] = []
        for even in range(0, place, 2):
            inner, outer = children[even], children[even + 1]
            left, right = links[even]
            self.label[inner] = _INNER
            self.came_by[inner] = (right, left)
            self.label[outer] = _OUTER
            fresh.append(outer)
        self.label[entry] = _INNER
        self.came_by[entry] = (before, within)
        for outer in fresh:
            self._find_best(outer)
            self.queue += self._vertices(outer)
        for child in children[place + 1 :]:
            self.label.pop(child, None)
            self._find_best(child)
