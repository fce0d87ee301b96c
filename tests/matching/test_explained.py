"""Why somebody has nobody, what would help, and whether some fare worse: each checked by counting."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations

import pytest

from matching.applicants import Applicant
from matching.candidates import Candidates, candidates
from matching.fairness import attributes, fairness
from matching.objective import Wanted, match
from matching.shortage import what_would_help, why_nobody
from program.matching import Matching
from tests.matching.test_optimum import ON, crowd, program


def places_of(found: Candidates, mentees: tuple[int, ...]) -> int:
    """How many places these mentees can have between them."""
    mentors = {mentor for mentee in mentees for mentor in found.of[mentee]}
    return sum(found.mentors[mentor].capacity for mentor in mentors)


@pytest.mark.parametrize("seed", range(6))
def test_a_shortage_has_fewer_places_than_people_and_is_minimal(seed: int) -> None:
    draw = random.Random(seed)
    seen = 0
    for _ in range(20):
        result = match(candidates(crowd(draw, 14, 6), program(), ON))
        for lack in why_nobody(result):
            if lack.shortage is None:
                assert not result.candidates.of[lack.mentee]
                assert lack.rules
                continue
            seen += 1
            people = lack.shortage.mentees
            assert lack.mentee in people
            assert places_of(result.candidates, people) == lack.shortage.places < len(people)
            for size in range(1, min(len(people), 4)):
                for fewer in combinations(people, size):
                    assert places_of(result.candidates, fewer) >= len(fewer)
            for gone in people:
                fewer = tuple(one for one in people if one != gone)
                assert places_of(result.candidates, fewer) >= len(fewer)
    assert seen


@pytest.mark.parametrize("seed", range(6))
def test_what_would_help_serves_as_many_as_it_says(seed: int) -> None:
    draw = random.Random(seed)
    people = crowd(draw, 16, 5)
    found = candidates(people, program(("served",)), ON)
    served = match(found).totals.served
    helps = what_would_help(match(found))
    assert helps
    for help_ in helps:
        mentor = next(one for one in found.mentors if one.values("circle") == help_.kind["circle"])
        for more, count in enumerate(help_.served, 1):
            roomier = [replace(one, capacity=one.capacity + more) if one.id == mentor.id else one for one in people]
            assert match(candidates(roomier, program(("served",)), ON)).totals.served == served + count
        if len(help_.served) < min(5, 16 - served):
            more = len(help_.served) + 1
            roomier = [replace(one, capacity=one.capacity + more) if one.id == mentor.id else one for one in people]
            assert match(candidates(roomier, program(("served",)), ON)).totals.served == served + help_.served[-1]


def test_a_rule_that_leaves_nobody_is_named() -> None:
    people = [
        Applicant("s1", mentee=True, fields={"circle": "far"}),
        Applicant("t1", mentor=True, fields={"circle": "near"}),
    ]
    [lack] = why_nobody(match(candidates(people, program(), ON)))
    assert ([rule.kind for rule in lack.rules], lack.alone, lack.shortage) == (["same"], True, None)


def test_groups_of_fewer_than_five_are_not_shown_and_one_rule_is_named() -> None:
    matching = Matching.model_validate(
        {
            "rules": [{"different": "unit"}, {"same": "place"}],
            "score": [{"equal": "level", "points": 4}, {"shared": "identity", "points": 1, "only_if": "wanted"}],
        }
    )
    assert attributes(matching) == {"unit": None, "place": None, "level": None, "identity": "wanted"}
    people = [
        *(
            Applicant(
                f"b{n}", mentee=True, fields={"place": "Berlin", "level": "new", "identity": "x", "wanted": True}
            )
            for n in range(5)
        ),
        *(
            Applicant(f"l{n}", mentee=True, fields={"place": "Leipzig", "level": "new", "identity": "y"})
            for n in range(5)
        ),
        *(Applicant(f"r{n}", mentee=True, fields={"place": "Rostock"}) for n in range(4)),
        Applicant("m1", mentor=True, capacity=9, fields={"place": "Berlin", "level": "new"}),
    ]
    groups = fairness(match(candidates(people, matching, ON)), attributes(matching))
    assert [(group.value, group.people, group.served, group.median) for group in groups] == [
        ("Berlin", 5, 5, 4),
        ("Leipzig", 5, 0, None),
        ("new", 10, 5, 4),
        ("x", 5, 5, 4),
    ]
    assert [group.rule.kind if group.rule else "" for group in groups] == ["", "same", "", ""]


def test_rules_that_leave_nobody_only_together_are_all_named() -> None:
    matching = Matching.model_validate({"rules": [{"same": "place"}, {"same": "language"}, {"different": "unit"}]})
    people = [
        Applicant("s1", mentee=True, fields={"place": "Berlin", "language": "de"}),
        Applicant("t1", mentor=True, fields={"place": "Berlin", "language": "fr"}),
        Applicant("t2", mentor=True, fields={"place": "Rostock", "language": "de"}),
    ]
    [lack] = why_nobody(match(candidates(people, matching, ON)))
    assert ([rule.field for rule in lack.rules], lack.alone) == (["place", "language"], False)


def test_a_ban_that_leaves_nobody_is_no_rule() -> None:
    people = [Applicant("s1", mentee=True), Applicant("t1", mentor=True)]
    [lack] = why_nobody(match(candidates(people, Matching(), ON), Wanted(bans=frozenset({("t1", "s1")}))))
    assert (lack.rules, lack.alone, lack.shortage) == ((), False, None)


def test_a_group_that_fares_worse_for_want_of_places_has_no_rule_to_blame() -> None:
    matching = Matching.model_validate({"score": [{"equal": "place", "points": 4}]})
    people = [
        *(Applicant(f"b{n}", mentee=True, fields={"place": "Berlin"}) for n in range(5)),
        *(Applicant(f"l{n}", mentee=True, fields={"place": "Leipzig"}) for n in range(5)),
        Applicant("m1", mentor=True, capacity=5, fields={"place": "Berlin"}),
    ]
    groups = fairness(match(candidates(people, matching, ON)), attributes(matching))
    assert [(group.value, group.served, group.rule) for group in groups] == [
        ("Berlin", 5, None),
        ("Leipzig", 0, None),
    ]
