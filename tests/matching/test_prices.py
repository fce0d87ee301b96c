"""The price of a wish equals solving again with that pair forced, and of a pair, solving again without it."""

from __future__ import annotations

import random

import pytest

from matching.assignment import UNPLACED
from matching.candidates import candidates
from matching.objective import Result, Wanted, match
from matching.prices import Price, Prices
from program.matching import Level
from tests.matching.test_optimum import ON, crowd, program


def less(before: Result, after: Result) -> dict[str, int]:
    """How much less the second result has, level by level, without what is no sum."""
    found = {"served": before.totals.served - after.totals.served, "score": before.totals.score - after.totals.score}
    for rank, (had, has) in enumerate(zip(before.totals.wishes, after.totals.wishes, strict=True), 1):
        found[f"wish_{rank}"] = had - has
    names = set(before.scale.names)
    return {name: count for name, count in found.items() if count and name in names}


def forced(result: Result, price: Price) -> Result:
    """The best result with this pair for certain."""
    found = result.candidates
    pair = (found.mentors[price.mentor].id, found.mentees[price.mentee].id)
    return match(found, Wanted(pins=frozenset({pair})))


OBJECTIVES: list[list[Level]] = [["served", "score"], ["served", "wishes", "score"], ["served", "score", "worst"]]


@pytest.mark.parametrize("objective", OBJECTIVES, ids=" ".join)
@pytest.mark.parametrize("seed", range(4))
def test_the_price_of_every_pair_is_what_solving_again_gives(seed: int, objective: list[Level]) -> None:
    draw = random.Random(seed)
    for _ in range(5):
        result = match(candidates(crowd(draw, 12, 12), program(tuple(objective)), ON))
        for mentee in range(len(result.candidates.mentees)):
            prices = Prices(result, mentee).all()
            made = {price.mentor for price in prices if price.mentor != UNPLACED}
            assert made == set(result.candidates.of[mentee]) - {result.network.mentor_of(mentee)}
            for price in prices:
                if price.mentor != UNPLACED:
                    assert price.levels == less(result, forced(result, price)), (mentee, price)


@pytest.mark.parametrize("seed", range(4))
def test_a_pair_is_inevitable_where_doing_without_it_costs(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(5):
        result = match(candidates(crowd(draw, 12, 12), program(("served", "score")), ON))
        for mentee, mentor in result.pairs:
            pair = (result.candidates.mentors[mentor].id, result.candidates.mentees[mentee].id)
            without = match(result.candidates, Wanted(bans=frozenset({pair})))
            assert Prices(result, mentee).is_inevitable == bool(less(result, without))
            cheapest = Prices(result, mentee).all()[0]
            assert cheapest.levels == less(result, without)


@pytest.mark.parametrize("seed", range(3))
def test_the_moves_of_a_price_are_a_way_to_have_the_pair_at_that_price(seed: int) -> None:
    draw = random.Random(seed)
    result = match(candidates(crowd(draw, 20, 15), program(("served", "score")), ON))
    for mentee in range(len(result.candidates.mentees)):
        for price in Prices(result, mentee).all():
            at = dict(result.pairs)
            for moved, before, after in price.moves:
                assert at.get(moved, UNPLACED) == before
                at[moved] = after
            made = {one: mentor for one, mentor in at.items() if mentor != UNPLACED}
            for mentor in made.values():
                assert list(made.values()).count(mentor) <= result.candidates.mentors[mentor].capacity
            score = sum(result.score_of(*pair) for pair in made.items())
            assert result.totals.served - len(made) == price.levels.get("served", 0)
            assert result.totals.score - score == price.levels.get("score", 0)
            assert at.get(mentee, UNPLACED) == price.mentor
