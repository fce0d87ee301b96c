"""The price of a wish equals solving again with that pair forced, and of a pair, solving again without it."""

from __future__ import annotations

import random

import pytest

from matching.applicants import Applicant
from matching.assignment import UNPLACED
from matching.candidates import candidates
from matching.objective import Impossible, PairIds, Result, Wanted, match
from matching.prices import AllPrices, Price, Prices, Residual
from program.matching import Level
from testing.depth import DEEP
from tests.matching.test_optimum import ON, crowd, program


def less(before: Result, after: Result) -> dict[str, int]:
    """How much less the second result has, level by level; without what the first does not count."""
    found = {"served": before.totals.served - after.totals.served, "score": before.totals.score - after.totals.score}
    for rank, (had, has) in enumerate(zip(before.totals.wishes, after.totals.wishes, strict=True), 1):
        found[f"wish_{rank}"] = had - has
    return {name: count for name, count in found.items() if count and name in before.scale.names}


def check(result: Result, price: Price, other: Result) -> None:
    """The price is the difference of the two results, on the sums and, where they are equal, on the worst pair."""
    assert price.levels == less(result, other), price
    if not price.levels and "worst" in result.objective:
        assert price.worst == result.totals.worst - other.totals.worst, price


def with_ids(result: Result, mentee: int, mentor: int) -> PairIds:
    """A pair as ids."""
    return result.candidates.mentors[mentor].id, result.candidates.mentees[mentee].id


OBJECTIVES: list[tuple[Level, ...]] = [
    ("served", "score"),
    ("served", "wishes", "score"),
    ("served", "score", "worst"),
    ("served", "wishes", "score", "worst"),
    ("served", "worst", "score"),
]


def check_all(people: list[Applicant], objective: tuple[Level, ...]) -> None:
    """Every pair that could be costs what solving again with it gives, and every pair that is, solving without it."""
    result = match(candidates(people, program(objective), ON))
    residual = Residual(result.network)
    everything = AllPrices(result)
    for mentee in range(len(result.candidates.mentees)):
        prices = Prices(result, mentee, residual)
        for mentor in result.candidates.of[mentee]:
            pair = with_ids(result, mentee, mentor)
            price = prices.of(mentor)
            try:
                forced = match(result.candidates, Wanted(pins=frozenset({pair})), result.scores)
            except Impossible:
                assert price is None
                continue
            assert price is not None
            check(result, price, forced)
            if result.prices_are_paths and not result.candidates.both:
                assert everything.levels(mentee, mentor) == price.levels
        made = result.network.mentor_of(mentee)
        if made != UNPLACED:
            pair = with_ids(result, mentee, made)
            check(result, prices.all()[0], match(result.candidates, Wanted(bans=frozenset({pair})), result.scores))
            assert prices.is_inevitable == (not prices.all()[0].is_free)


@pytest.mark.parametrize(
    "objective", [*OBJECTIVES[:-1], pytest.param(OBJECTIVES[-1], marks=pytest.mark.many)], ids=" ".join
)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.many) for seed in range(1, 4))])
def test_every_forced_and_every_forbidden_pair_costs_what_solving_again_gives(
    seed: int, objective: tuple[Level, ...]
) -> None:
    draw = random.Random(seed)
    for _ in range(10):
        check_all(crowd(draw, 12, 12, both=draw.choice((0, 0, 2))), objective)


@pytest.mark.parametrize("seed", [1, 2, 3, 8, 10, 14])
def test_a_pair_that_would_make_two_people_each_others_mentors_costs_what_solving_again_gives(seed: int) -> None:
    check_all(crowd(random.Random(seed), 3, 2, both=3), ("served", "wishes", "score"))  # it would in each of these


@pytest.mark.many
def test_the_prices_of_a_large_program_are_what_solving_again_gives() -> None:
    draw = random.Random(500)
    tags = [f"t{number}" for number in range(12)]
    people = [
        Applicant(
            f"{'s' if mentee else 'm'}{number:03}",
            mentor=not mentee,
            mentee=mentee,
            fields={
                "circle": str(draw.randrange(25)),
                "wants": tuple(draw.sample(tags, 3)),
                "offers": tuple(draw.sample(tags, 3)),
                "profession": draw.choice(("policy", "digital", "law")),
            },
        )
        for mentee in (True, False)
        for number in range(500)
    ]
    result = match(candidates(people, program(("served", "score")), ON))
    residual, everything = Residual(result.network), AllPrices(result)
    pairs = [(mentee, mentor) for mentee, of in enumerate(result.candidates.of) for mentor in of]
    for mentee, mentor in draw.sample(pairs, 200 if DEEP else 50):
        price = Prices(result, mentee, residual).of(mentor)
        pins = frozenset({with_ids(result, mentee, mentor)})
        assert price is not None
        assert price.levels == less(result, match(result.candidates, Wanted(pins=pins), result.scores))
        assert price.levels == everything.levels(mentee, mentor)


def test_what_was_kept_hides_no_pair_and_changes_no_price() -> None:
    draw = random.Random(7)
    found = candidates(crowd(draw, 14, 10), program(), ON)
    first = match(found)
    again = match(found, Wanted(keep=frozenset(first.ids)))
    for mentee in range(len(found.mentees)):
        for mentor in found.of[mentee]:
            here, there = Prices(first, mentee).of(mentor), Prices(again, mentee).of(mentor)
            assert here is not None
            assert there is not None
            assert (here.levels, here.worst) == (there.levels, there.worst)


def test_a_banned_pair_has_no_price() -> None:
    people = crowd(random.Random(1), 6, 6, both=0)
    found = candidates(people, program(("served", "worst", "score")), ON)
    mentee, mentor = next((mentee, of[0]) for mentee, of in enumerate(found.of) if of)
    for objective in (OBJECTIVES[0], OBJECTIVES[-1]):
        found = candidates(people, program(objective), ON)
        pair = (found.mentors[mentor].id, found.mentees[mentee].id)
        assert Prices(match(found, Wanted(bans=frozenset({pair}))), mentee).of(mentor) is None


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.many) for seed in (1, 2))])
def test_the_moves_of_a_price_are_a_way_to_have_the_pair_at_that_price(seed: int) -> None:
    draw = random.Random(seed)
    for objective in (OBJECTIVES[0], OBJECTIVES[-1]):
        result = match(candidates(crowd(draw, 20, 15), program(objective), ON))
        for mentee in range(len(result.candidates.mentees)):
            for price in Prices(result, mentee).all():
                at = dict(result.pairs)
                assert price.moves[0][0] == mentee
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


def test_a_mentor_whose_places_are_all_pinned_has_no_price() -> None:
    people = [
        *(Applicant(id_, mentee=True, fields={"circle": "x"}) for id_ in ("a", "b")),
        Applicant("m", mentor=True, fields={"circle": "x"}),
    ]
    for objective in (OBJECTIVES[0], OBJECTIVES[-1]):
        result = match(candidates(people, program(objective), ON), Wanted(pins=frozenset({("m", "a")})))
        assert Prices(result, 1).of(0) is None


def test_a_price_tells_what_changes_in_the_order_of_the_objective() -> None:
    price = Price(mentee=0, mentor=1, levels={"score": 3, "wish_2": 1}, worst=2, moves=())
    assert list(price.changes(("served", "wishes", "worst", "score")).items()) == [
        ("wish_2", 1),
        ("worst", 2),
        ("score", 3),
    ]
    assert Price(mentee=0, mentor=1, levels={}, worst=0, moves=()).changes(("served", "score")) == {}
