"""Pairs of peers, and the matching of a general graph below them, against brute force and by their proof."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import pytest

from matching.applicants import Applicant
from matching.general import ALONE, Graph, maximum_weight_matching
from matching.objective import Impossible, Totals, Wanted
from matching.peers import PeerResult, match_peers
from matching.scoring import RANKS
from program.matching import Level, Matching
from tests.matching.test_optimum import OBJECTIVES, ON, crowd, program


def graph(draw: random.Random, size: int, dense: float, top: int) -> list[dict[int, int]]:
    """A random graph with whole weights from 1 to `top`."""
    weights: list[dict[int, int]] = [{} for _ in range(size)]
    for one in range(size):
        for other in range(one):
            if draw.random() < dense:
                weights[one][other] = weights[other][one] = draw.randint(1, top)
    return weights


def heaviest(weights: list[dict[int, int]], free: frozenset[int]) -> int:
    """The highest total weight, by trying everything."""
    if not free:
        return 0
    one = min(free)
    rest = free - {one}
    best = heaviest(weights, rest)
    for other, weight in weights[one].items():
        if other in rest:
            best = max(best, weight + heaviest(weights, rest - {other}))
    return best


@pytest.mark.parametrize("seed", range(8))
def test_no_matching_of_a_graph_is_heavier(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(120):
        size = draw.randint(0, 10)
        weights = graph(draw, size, draw.choice((0.2, 0.4, 0.7, 1)), draw.choice((1, 3, 10, 100)))
        partner = maximum_weight_matching(weights)
        assert all(other == ALONE or partner[other] == one for one, other in enumerate(partner))
        total = sum(weights[one][other] for one, other in enumerate(partner) if other != ALONE)
        assert total == 2 * heaviest(weights, frozenset(range(size)))


def check_proof(weights: list[dict[int, int]]) -> None:
    """The duals are feasible, and their sum is twice the weight of the matching: none is heavier."""
    found = Graph(weights)
    total = sum(weights[one][other] for one, other in enumerate(found.solved()) if other != ALONE)
    size = len(weights)
    within = [{number for number, one in found.blossoms.items() if vertex in one.child_of} for vertex in range(size)]
    for one, of in enumerate(weights):
        assert found.dual[one] >= 0
        for other, weight in of.items():
            around = sum(found.dual[number] for number in within[one] & within[other])
            assert found.dual[one] + found.dual[other] + around >= 2 * weight
    proof = sum(found.dual[number] * (len(one.child_of) - 1) for number, one in found.blossoms.items())
    assert all(found.dual[number] >= 0 for number in found.blossoms)
    assert 2 * sum(found.dual[:size]) + proof == 2 * total


@pytest.mark.many
@pytest.mark.parametrize("seed", range(4))
def test_the_duals_prove_the_matching_of_larger_graphs(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(60):
        size = draw.randint(10, 90)
        check_proof(graph(draw, size, draw.choice((0.05, 0.1, 0.3)), draw.choice((1, 2, 3, 10, 1000))))


@pytest.mark.parametrize("seed", [1995, 4918, 5275, 7605, 7796, 8442])
def test_a_blossom_is_taken_apart_where_the_tree_needs_its_parts(seed: int) -> None:
    draw = random.Random(seed)  # graphs in which that happens are rare
    check_proof(graph(draw, draw.randint(10, 40), draw.choice((0.05, 0.1, 0.15, 0.3)), draw.choice((1, 2, 3, 5))))


def every_pairing(
    near: list[set[int]], one: int = 0, taken: frozenset[int] = frozenset()
) -> Iterator[list[tuple[int, int]]]:
    """Every way to make pairs."""
    if one == len(near):
        yield []
        return
    yield from every_pairing(near, one + 1, taken)
    if one not in taken:
        for other in near[one]:
            if other > one and other not in taken:
                for rest in every_pairing(near, one + 1, taken | {one, other}):
                    yield [(one, other), *rest]


def counting(result: PeerResult) -> Callable[[Iterable[tuple[int, int]]], Totals]:
    """Says how good pairs are, counted from the people; each pair is looked at once."""

    @cache
    def of(one: int, other: int) -> tuple[int, tuple[int, ...]]:
        wishes = [0] * len(RANKS)
        for wishing, wished in ((one, other), (other, one)):
            for rank, id_ in enumerate(result.people[wishing].wishes_as_mentee[:3]):
                wishes[rank] += id_ == result.people[wished].id
        return sum(part.points for part in result.parts(one, other)), tuple(wishes)

    def totals(pairs: Iterable[tuple[int, int]]) -> Totals:
        counted = [of(*pair) for pair in pairs]
        points = [points for points, _ in counted]
        wishes = tuple(map(sum, zip((0,) * len(RANKS), *(wishes for _, wishes in counted), strict=True)))
        return Totals(2 * len(points), wishes, sum(points), min(points, default=0))

    return totals


@pytest.mark.parametrize("objective", OBJECTIVES, ids=" ".join)
@pytest.mark.parametrize("seed", range(2))
def test_no_pairs_of_peers_are_better_on_any_level(seed: int, objective: tuple[Level, ...]) -> None:
    draw = random.Random(seed)
    for _ in range(6):
        people = crowd(draw, draw.randint(0, 5), draw.randint(0, 4))
        result = match_peers(people, program(objective), ON)
        near = [set(of) for of in result.scores]
        totals = counting(result)
        best = max(totals(pairs).levels(objective) for pairs in every_pairing(near))
        assert result.totals.levels(objective) == totals(result.pairs).levels(objective) == best
        draw.shuffle(people)
        assert match_peers(people, program(objective), ON).ids == result.ids


def test_twelve_peers() -> None:
    objective: tuple[Level, ...] = ("served", "wishes", "score", "worst")
    result = match_peers(crowd(random.Random(12), 6, 6), program(objective), ON)
    near = [set(of) for of in result.scores]
    totals = counting(result)
    best = max(totals(pairs).levels(objective) for pairs in every_pairing(near))
    assert result.totals.levels(objective) == best


def test_pins_bans_and_what_was_kept() -> None:
    people = crowd(random.Random(5), 10, 9)
    first = match_peers(people, program(), ON)
    assert len(first.alone) == 19 - first.totals.served
    pin = next((0, other) for other in first.scores[0] if (0, other) not in first.pairs)
    ids = (first.people[pin[0]].id, first.people[pin[1]].id)
    ban = next(pair for pair in first.ids if not set(pair) & set(ids))
    wanted = Wanted(pins=frozenset({(ids[1], ids[0])}), bans=frozenset({(ban[1], ban[0]), ("nobody", ban[0])}))
    second = match_peers(people, program(), ON, wanted)
    assert ids in second.ids
    assert ban not in second.ids
    again = match_peers(people, program(), ON, Wanted(keep=frozenset(first.ids)))
    assert again.ids == first.ids
    assert again.totals.kept == len(first.ids)


def test_a_pin_that_is_the_weakest_pair_costs_the_others_no_points() -> None:
    matching = Matching.model_validate(
        {
            "score": [
                {"wanted": "wants", "offered": "offers", "points": [9]},
                {"equal": "a", "points": 4},
                {"equal": "b", "points": 3},
            ],
            "objective": ["served", "worst", "score"],
        }
    )
    fields = {"p": ("", ""), "q": ("", ""), "r": ("1", "1"), "s": ("1", "2"), "t": ("2", "1"), "u": ("3", "3")}
    people = [Applicant(id_, fields={"a": a, "b": b}) for id_, (a, b) in fields.items()]
    people[2] = Applicant("r", fields={"a": "1", "b": "1", "wants": "x"})
    people[3] = Applicant("s", fields={"a": "1", "b": "2", "offers": "x"})
    people[5] = Applicant("u", fields={"a": "3", "b": "3", "wants": "x"})
    pinned = match_peers(people, matching, ON, Wanted(pins=frozenset({("p", "q")})))
    assert pinned.totals.worst == 0
    assert pinned.ids == (("p", "q"), ("r", "s"), ("t", "u")), "13 and 0 points, not 9 and 3"
    assert match_peers(people[2:], matching, ON).ids == (("r", "t"), ("s", "u"))


@pytest.mark.parametrize(
    ("pins", "why"),
    [
        ({("a", "nobody")}, "nobody is no peer here"),
        ({("a", "b"), ("a", "c")}, "a is pinned to two people"),
        ({("a", "d")}, "breaks the rule `same`"),
        ({("b", "c")}, "is excluded by one of the two"),
    ],
)
def test_a_pin_of_peers_that_can_not_be_is_refused_by_name(pins: set[tuple[str, str]], why: str) -> None:
    people = [
        Applicant("a", fields={"circle": "x"}),
        Applicant("b", fields={"circle": "x"}, not_with=frozenset({"c"})),
        Applicant("c", fields={"circle": "x"}),
        Applicant("d", fields={"circle": "y"}),
    ]
    with pytest.raises(Impossible, match=why):
        match_peers(people, program(), ON, Wanted(pins=frozenset(pins)))
    result = match_peers(people, program(), ON)
    assert [rule.kind for rule in result.without_candidate(3)] == ["same"]
    assert result.without_candidate(0) == ()


def test_points_count_both_ways_where_both_want_something() -> None:
    matching = Matching.model_validate(
        {
            "rules": [{"above": "grade", "by": [1], "order": ["AO", "EO"]}],
            "score": [
                {"steps": "grade", "points": {1: 4}},
                {"equal": "profession", "points": 3},
                {"wanted": "wants", "offered": "offers", "points": [7, 2]},
                {"wish": "mentee", "points": [5]},
                {"shared": "identity", "points": 1, "only_if": "asked"},
            ],
        }
    )
    one = Applicant(
        "a",
        fields={
            "grade": "AO", "profession": "law", "wants": "x", "offers": "y", "identity": "i", "asked": True,
        },
        wishes_as_mentee=("b",),
    )  # fmt: skip
    other = Applicant("b", fields={"grade": "EO", "profession": "law", "wants": "y", "offers": "x", "identity": "i"})
    result = match_peers([one, other], matching, ON)
    assert result.ids == (("a", "b"),)
    assert sorted(part.points for part in result.parts(0, 1)) == [1, 3, 4, 5, 7, 7]
    assert result.totals == Totals(2, (1, 0, 0), 27, 27)
