"""Three peers who form a group, against brute force: who they are, pins, bans, what was kept, and what is refused."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations

import pytest

from matching.applicants import Applicant
from matching.general import ALONE
from matching.objective import Impossible, Totals, Wanted
from matching.peers import PeerResult, match_peers
from matching.threes import three_of, with_three
from program.matching import Level, Matching
from tests.matching.test_optimum import OBJECTIVES, ON, crowd, program
from tests.matching.test_peers import counting, every_pairing, graph

THREES = {"least": 2, "most": 3}

Pairs = list[tuple[int, int]]


def every_grouping(near: list[set[int]]) -> Iterator[Pairs]:
    """Every way to make pairs and at most one group of three, a group as its three pairs."""
    yield from every_pairing(near)
    for three in combinations(range(len(near)), 3):
        own = list(combinations(three, 2))
        if all(other in near[one] for one, other in own):
            rest = [set[int]() if one in three else of - set(three) for one, of in enumerate(near)]
            for pairs in every_pairing(rest):
                yield [*pairs, *own]


def totals_of(result: PeerResult, pairs: Pairs) -> Totals:
    """How good pairs are; somebody in two of them is served once."""
    found = counting(result)(pairs)
    served = len({person for pair in pairs for person in pair})
    return Totals(served, found.wishes, found.score, found.worst)


def near_of(result: PeerResult, bans: frozenset[tuple[str, str]] = frozenset()) -> list[set[int]]:
    """Who could be with whom."""
    ids = [person.id for person in result.people]
    banned = {frozenset(pair) for pair in bans}
    return [
        {other for other in of if frozenset((ids[one], ids[other])) not in banned}
        for one, of in enumerate(result.scores)
    ]


def three_program(objective: tuple[Level, ...]) -> Matching:
    """Rules that let two thirds of all pairs meet, and three of them form a group."""
    return program(objective, groups=THREES)


@pytest.mark.many
@pytest.mark.parametrize("objective", OBJECTIVES, ids=" ".join)
@pytest.mark.parametrize("seed", range(4))
def test_no_pairs_with_a_group_of_three_are_better_on_any_level(seed: int, objective: tuple[Level, ...]) -> None:
    draw = random.Random(seed)
    threes = 0
    for _ in range(12):
        people = crowd(draw, draw.choice((0, 2, 3, 4, 5, 5)), draw.choice((0, 1, 2, 4, 4)))
        result = match_peers(people, three_program(objective), ON)
        best = max(totals_of(result, pairs).levels(objective) for pairs in every_grouping(near_of(result)))
        assert result.totals == totals_of(result, list(result.pairs))
        assert result.totals.levels(objective) == best
        assert result.three == tuple(sorted(result.three))
        assert all(other in result.scores[one] for one, other in combinations(result.three, 2))
        threes += bool(result.three)
        draw.shuffle(people)
        again = match_peers(people, three_program(objective), ON)
        assert (again.ids, again.three) == (result.ids, result.three)
    assert threes


@pytest.mark.many
@pytest.mark.parametrize("seed", range(6))
def test_pins_and_bans_hold_and_nothing_that_they_allow_is_better(seed: int) -> None:
    draw = random.Random(seed)
    held = 0
    for _ in range(25):
        objective = draw.choice(OBJECTIVES)
        people = crowd(draw, draw.randint(2, 5), draw.randint(1, 3))
        matching = three_program(objective)
        free = match_peers(people, matching, ON)
        ids = [person.id for person in free.people]
        possible = [pair for pair in combinations(range(len(ids)), 2) if pair[1] in free.scores[pair[0]]]
        pins = draw.sample(possible, min(len(possible), draw.choice((1, 1, 2))))
        bans = [pair for pair in draw.sample(possible, min(len(possible), 2)) if pair not in pins]
        wanted = Wanted(
            frozenset((ids[other], ids[one]) for one, other in pins),
            frozenset((ids[one], ids[other]) for one, other in bans),
        )
        levels = [
            totals_of(free, pairs).levels(objective)
            for pairs in every_grouping(near_of(free, wanted.bans))
            if set(pins) <= set(pairs)
        ]
        try:
            result = match_peers(people, matching, ON, wanted)
        except Impossible:
            assert not levels
            continue
        held += 1
        assert set(pins) <= set(result.pairs)
        assert not set(bans) & set(result.pairs)
        assert result.totals.levels(objective) == max(levels)
    assert held > 5


def check_heaviest(draw: random.Random, size: int) -> None:
    """A random graph: the heaviest group of three is as heavy as trying everything finds, and none is heavier."""
    weights = graph(draw, size, draw.choice((0.4, 0.7, 1)), draw.choice((1, 3, 30)))
    given: dict[int, int] = {}
    if draw.random() < 0.5:
        one, other = draw.sample(range(size), 2)
        if other in weights[one]:
            given = {one: other, other: one}
    best = max(
        (
            sum(weights[one][other] for one, other in pairs if given.get(one) != other)
            for pairs in every_grouping([set(of) for of in weights])
            if len(pairs) >= 3 and three_of([(f"{one}", f"{other}") for one, other in pairs])
            and all((one, other) in pairs for one, other in given.items() if one < other)
        ),
        default=-1,
    )  # fmt: skip
    found = with_three(weights, given)
    assert (found.weight if found else -1) == best
    assert with_three(weights, given, best + 1) is None
    if found:
        again = with_three(weights, given, best)
        assert again is not None
        assert again.weight == best
        assert all(found.partner[one] == ALONE for one in (*found.three, *given))


def test_the_heaviest_group_of_three_of_some_graphs() -> None:
    draw = random.Random(7)
    for size in (3, 4, 5, 5, 6, 6, 7, 7, 7, 7) * 3:
        check_heaviest(draw, size)


def test_the_heaviest_group_of_three_beside_another_odd_circle() -> None:
    """Two who are in different blossoms, with a dual each."""
    weights = [
        {other: 30 + one + other if one // 3 == other // 3 else 1 + one % 2 for other in range(7) if other != one}
        for one in range(7)
    ]
    weights = [
        {other: max(weight, weights[other][one]) for other, weight in of.items()} for one, of in enumerate(weights)
    ]
    best = max(
        sum(weights[one][other] for one, other in pairs)
        for pairs in every_grouping([set(of) for of in weights])
        if len(pairs) == 5
    )
    found = with_three(weights, {})
    assert found is not None
    assert found.weight == best


@pytest.mark.many
@pytest.mark.parametrize("seed", range(3))
def test_the_heaviest_group_of_three_of_a_graph(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(60):
        check_heaviest(draw, draw.randint(3, 8))


def test_no_group_of_three_is_made_where_pairs_serve_more() -> None:
    circles = {"a": ("x", "1"), "b": ("x", "2"), "c": ("x", "3"), "d": "1", "e": "2", "f": "3", "g": "z"}
    people = [Applicant(id_, fields={"circle": circle}) for id_, circle in circles.items()]
    matching = Matching.model_validate({"rules": [{"same": "circle"}], "groups": THREES})
    result = match_peers(people, matching, ON)
    assert (result.three, result.ids) == ((), (("a", "d"), ("b", "e"), ("c", "f")))


def test_a_group_of_three_is_made_only_where_the_program_allows_it_and_somebody_would_wait() -> None:
    people = [Applicant(id_) for id_ in "cab"]
    allowed, not_allowed = Matching.model_validate({"groups": THREES}), Matching()
    three = match_peers(people, allowed, ON)
    assert three.ids == (("a", "b"), ("a", "c"), ("b", "c"))
    assert (three.three, three.alone, three.totals.served) == ((0, 1, 2), (), 3)
    assert [three.partners(one) for one in range(3)] == [(1, 2), (0, 2), (0, 1)]
    two = match_peers(people, not_allowed, ON)
    assert (two.three, len(two.alone), two.totals.served) == ((), 1, 2)
    even = match_peers([*people, Applicant("d")], allowed, ON)
    assert (even.three, even.alone) == ((), ())
    assert [len(even.partners(one)) for one in range(4)] == [1, 1, 1, 1]
    apart = [Applicant("a", not_with=frozenset("b")), Applicant("b"), Applicant("c")]
    left = match_peers(apart, allowed, ON)
    assert (left.three, len(left.alone)) == ((), 1), "two of the three exclude each other"
    assert left.partners(left.alone[0]) == ()


def test_of_equal_groups_of_three_the_order_of_rows_decides_nothing_and_what_was_kept_does() -> None:
    matching = Matching.model_validate({"groups": THREES})
    people = [Applicant(f"p{number}") for number in range(7)]
    first = match_peers(people, matching, ON)
    assert match_peers(people[::-1], matching, ON).ids == first.ids
    other = Wanted(keep=frozenset({("p0", "p6"), ("p1", "p5"), ("p2", "p3"), ("p2", "p4"), ("p3", "p4")}))
    kept = match_peers(people, matching, ON, other)
    assert set(kept.ids) == other.keep
    assert kept.totals.kept == 5


def test_three_who_are_pinned_to_each_other_are_the_group() -> None:
    matching = Matching.model_validate({"score": [{"equal": "unit", "points": 5}], "groups": THREES})
    people = [Applicant(id_, fields={"unit": "x" if id_ in "abc" else id_}) for id_ in "abcdefg"]
    assert match_peers(people, matching, ON).totals.score == 15
    two = match_peers(people, matching, ON, Wanted(pins=frozenset({("d", "e"), ("f", "e")})))
    assert (two.three, two.totals.served) == ((3, 4, 5), 7)
    whole = match_peers(people, matching, ON, Wanted(pins=frozenset({("d", "e"), ("f", "e"), ("d", "f")})))
    assert whole.ids == two.ids
    one = match_peers(people, matching, ON, Wanted(pins=frozenset({("c", "g")})))
    assert ("c", "g") in one.ids
    assert one.totals.served == 7


@pytest.mark.parametrize(
    ("pins", "bans", "why"),
    [
        ("ab ac ad", "", "a is pinned to two people, and not as part of one group of three"),
        ("ab bc cd", "", "b is pinned to two people, and not as part of one group of three"),
        ("ab ac de df", "", "a is pinned to two people, and not as part of one group of three"),
        ("ab ac", "cb", "b and c are banned, and pinned to the same person"),
        ("ae be", "", "the pair a:b is excluded by one of the two"),
    ],
)
def test_pins_that_make_no_group_of_three_are_refused_by_name(pins: str, bans: str, why: str) -> None:
    people = [Applicant("a"), *(Applicant(id_) for id_ in "bcdef")]
    if "ae" in pins:
        people[0] = Applicant("a", not_with=frozenset("b"))
    wanted = Wanted(
        frozenset((pin[0], pin[1]) for pin in pins.split()), frozenset((ban[0], ban[1]) for ban in bans.split())
    )
    with pytest.raises(Impossible, match=why):
        match_peers(people, Matching.model_validate({"groups": THREES}), ON, wanted)


def test_the_three_are_read_from_pairs() -> None:
    assert three_of([("b", "a"), ("c", "a"), ("b", "c"), ("d", "e")]) == ("a", "b", "c")
    assert three_of([("a", "b"), ("a", "c")]) == ()
    assert three_of([("a", "b"), ("b", "a")]) == ()
    assert three_of([]) == ()
