"""The best pairs against brute force, level by level, and what must not matter to them."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import pytest

from matching.applicants import Applicant
from matching.candidates import Candidates, candidates
from matching.objective import Impossible, Result, Totals, Wanted, match, staying
from matching.scoring import RANKS, Scores
from program.matching import Level, Matching

ON = date(2027, 3, 1)
OBJECTIVES: tuple[tuple[Level, ...], ...] = (
    ("served", "score", "worst"),
    ("served", "wishes", "score", "worst"),
    ("served", "worst", "score"),
    ("served", "worst", "wishes", "score"),
    ("served",),
    ("served", "wishes"),
)


def program(objective: tuple[Level, ...] = ("served", "score", "worst"), **more: object) -> Matching:
    """A program in which a field `m…` of the mentee and `e…` of the mentor decide."""
    return Matching.model_validate(
        {
            "rules": [{"same": "circle"}],
            "score": [
                {"wanted": "wants", "offered": "offers", "points": [7, 4, 2]},
                {"equal": "profession", "points": 3},
                {"wish": "mentee", "points": [5, 3, 1]},
            ],
            "objective": list(objective),
            **more,
        }
    )


def crowd(draw: random.Random, mentees: int, mentors: int, both: int = 0) -> list[Applicant]:
    """Random people; `both` of them would be mentor and mentee."""
    tags = ["a", "b", "c", "d"]
    ids = [f"s{n:02}" for n in range(mentees)] + [f"t{n:02}" for n in range(mentors)]
    people: list[Applicant] = []
    for n, id_ in enumerate(ids):
        is_mentee = n < mentees
        in_both = n < both
        people.append(
            Applicant(
                id_,
                mentor=not is_mentee or in_both,
                mentee=is_mentee,
                capacity=draw.choice((1, 1, 1, 2, 3)),
                fields={
                    "circle": tuple(draw.sample(["x", "y", "z"], draw.choice((1, 1, 2)))),
                    "wants": tuple(draw.sample(tags, draw.choice((0, 1, 2, 3)))),
                    "offers": tuple(draw.sample(tags, draw.choice((1, 2)))),
                    "profession": draw.choice(("policy", "digital")),
                },
                wishes_as_mentee=tuple(draw.sample(ids, min(len(ids), draw.choice((0, 1, 3))))),
            )
        )
    return people


def every_result(found: Candidates, scores: Scores) -> set[Totals]:
    """What comes of every way to give each mentee one candidate or nobody, with no circle of two. Ways that have come
    to the same so far, and leave the same places, go on as one."""
    mentors = [one.id for one in found.mentors]
    pairs = {(mentors[mentor], one.id) for one, of in zip(found.mentees, found.of, strict=True) for mentor in of}
    ways = {
        (tuple(one.capacity for one in found.mentors), frozenset[tuple[str, str]](), (0, (0,) * len(RANKS), 0, 0))
    }
    for mentee, person in enumerate(found.mentees):
        longer = set(ways)
        for left, made, (served, wishes, points, worst) in ways:
            for mentor, more in zip(found.of[mentee], scores.of[mentee], strict=True):
                pair, back = (mentors[mentor], person.id), (person.id, mentors[mentor])
                if not left[mentor] or back in made:
                    continue
                places = (*left[:mentor], left[mentor] - 1, *left[mentor + 1 :])
                rank = scores.wishes[mentee].get(mentor)
                granted = tuple(count + (at == rank) for at, count in enumerate(wishes))
                totals = served + 1, granted, points + more, min(worst, more) if served else more
                longer.add((places, made | {pair} if back in pairs else made, totals))
        ways = longer
    return {Totals(*totals) for _, _, totals in ways}


def best_by_brute_force(result: Result) -> tuple[int, ...]:
    """The best levels of all assignments. The worst of no pair at all is 0."""
    return max(totals.levels(result.objective) for totals in every_result(result.candidates, result.scores))


@pytest.mark.many
@pytest.mark.parametrize("seed", range(20))
def test_no_assignment_is_better_on_any_level(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(100):
        objective = draw.choice(OBJECTIVES)
        people = crowd(draw, draw.randint(0, 7), draw.randint(0, 7), both=draw.choice((0, 0, 1, 2)))
        matching = program(
            objective, **({} if draw.random() < 0.5 else {"score": [{"equal": "profession", "points": 1}]})
        )
        result = match(candidates(people, matching, ON))
        used: dict[int, int] = {}
        for mentee, mentor in result.pairs:
            assert mentor in result.candidates.of[mentee]
            used[mentor] = used.get(mentor, 0) + 1
        assert all(count <= result.candidates.mentors[mentor].capacity for mentor, count in used.items())
        assert result.totals.levels(objective) == best_by_brute_force(result)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rows_never_matters(seed: int) -> None:
    draw = random.Random(seed)
    people = crowd(draw, 30, 20, both=3)
    expected = match(candidates(people, program(), ON)).ids
    for _ in range(10):
        draw.shuffle(people)
        assert match(candidates(people, program(), ON)).ids == expected


@pytest.mark.parametrize("seed", range(10))
def test_one_more_mentor_or_place_never_serves_fewer(seed: int) -> None:
    draw = random.Random(seed)
    people = crowd(draw, 25, 12)
    served = match(candidates(people, program(), ON)).totals.served
    more = [*people, replace(people[-1], id="t99")]
    assert match(candidates(more, program(), ON)).totals.served >= served
    roomier = [replace(one, capacity=one.capacity + 1) if one.mentor else one for one in people]
    assert match(candidates(roomier, program(), ON)).totals.served >= served


def test_pins_hold_bans_hold_and_what_was_kept_moves_least() -> None:
    draw = random.Random(3)
    people = crowd(draw, 20, 16)
    found = candidates(people, program(), ON)
    first = match(found)
    pinned = next(
        (found.mentors[mentor].id, found.mentees[mentee].id)
        for mentee, of in enumerate(found.of)
        for mentor in of
        if (found.mentors[mentor].id, found.mentees[mentee].id) not in first.ids
    )
    banned = first.ids[0]
    second = match(found, Wanted(pins=frozenset({pinned}), bans=frozenset({banned})))
    assert pinned in second.ids
    assert banned not in second.ids
    again = match(found, Wanted(keep=frozenset(first.ids)))
    assert set(again.ids) == set(first.ids)


@pytest.mark.parametrize(
    ("pins", "why"),
    [
        ({("t00", "nobody")}, "nobody is no mentee here"),
        ({("nobody", "s00")}, "nobody is no mentor here"),
        ({("t00", "s01")}, "breaks the rule `same`"),
        ({("t00", "s00"), ("t01", "s00")}, "s00 is pinned to two mentors"),
        ({("t00", "s00"), ("t00", "s02")}, "t00 has fewer places than pins"),
    ],
)
def test_a_pin_that_can_not_be_is_refused_by_name(pins: set[tuple[str, str]], why: str) -> None:
    people = [
        Applicant("s00", mentee=True, fields={"circle": "x"}),
        Applicant("s01", mentee=True, fields={"circle": "y"}),
        Applicant("s02", mentee=True, fields={"circle": "x"}),
        Applicant("t00", mentor=True, fields={"circle": "x"}),
        Applicant("t01", mentor=True, fields={"circle": "x"}),
    ]
    with pytest.raises(Impossible, match=why):
        match(candidates(people, program(), ON), Wanted(pins=frozenset(pins)))


def test_two_people_are_never_each_others_mentors() -> None:
    fields = {"circle": ("x",), "wants": ("a",), "offers": ("a",)}
    people = [Applicant(id_, mentor=True, mentee=True, fields=fields) for id_ in ("a", "b")]
    result = match(candidates(people, program(), ON))
    assert len(result.ids) == 1
    with pytest.raises(Impossible, match="pinned as each other's mentors"):
        match(candidates(people, program(), ON), Wanted(pins=frozenset({("a", "b"), ("b", "a")})))


def test_nobody_at_all_is_no_error() -> None:
    result = match(candidates([], program(), ON))
    assert result.ids == ()
    assert result.totals == Totals(0, (0, 0, 0), 0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_other_ids_change_nothing_but_ties(seed: int) -> None:
    draw = random.Random(seed)
    people = crowd(draw, 30, 20, both=3)
    renamed = {one.id: f"p{number:03}" for number, one in enumerate(draw.sample(people, len(people)))}
    others = [
        replace(one, id=renamed[one.id], wishes_as_mentee=tuple(renamed[id_] for id_ in one.wishes_as_mentee))
        for one in people
    ]
    first, second = (match(candidates(crowd_, program(), ON)) for crowd_ in (people, others))
    assert first.totals == second.totals


def test_pairs_that_stay_stay_where_they_can_and_the_others_are_named() -> None:
    people = crowd(random.Random(3), 20, 16, both=2)
    found = candidates(people, program(), ON)
    first = match(found)
    banned, moved, *stays = first.ids
    elsewhere = next(
        (found.mentors[mentor].id, moved[1])
        for mentor in found.of[[one.id for one in found.mentees].index(moved[1])]
        if found.mentors[mentor].id != moved[0]
    )
    wanted = Wanted(pins=frozenset({elsewhere}), bans=frozenset({banned}))
    wanted, gone = staying(found, wanted, [("gone", "s00"), elsewhere, *first.ids])
    assert {("gone", "s00"), banned, moved} <= set(gone)
    assert {elsewhere, *stays} - set(gone) <= set(match(found, wanted).ids)
    newcomer = replace(people[0], id="s99", wishes_as_mentee=())
    late = candidates([*people, newcomer], program(), ON)
    wanted, gone = staying(late, Wanted(), first.ids)
    assert gone == ()
    assert set(first.ids) <= set(match(late, wanted).ids)


@pytest.mark.many
def test_a_refusal_moves_at_most_three_others_and_none_after_publishing() -> None:
    draw = random.Random(11)
    people = [
        replace(one, fields={**one.fields, "circle": str(draw.randrange(20))}, capacity=1)
        for one in crowd(draw, 500, 500)
    ]
    found = candidates(people, program(), ON)
    draft = match(found)
    for refused in draw.sample(draft.ids, 6):
        banned = Wanted(bans=frozenset({refused}), keep=frozenset(draft.ids))
        again = match(found, banned, draft.scores)
        assert again.totals.levels(again.objective) == match(
            found, replace(banned, keep=frozenset()), draft.scores
        ).totals.levels(again.objective)
        moved = {mentee for _, mentee in set(again.ids) ^ set(draft.ids)} - {refused[1]}
        assert len(moved) <= 3
        wanted, gone = staying(found, replace(banned, keep=frozenset()), draft.ids)
        published = match(found, wanted, draft.scores)
        assert gone == (refused,)
        assert set(draft.ids) - {refused} <= set(published.ids)
