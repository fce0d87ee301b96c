"""Groups against brute force; one slot for all; what can't be said to be proven."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from dataclasses import replace
from itertools import product

import pytest

from matching.applicants import Applicant
from matching.groups import GroupResult, SolverMissing, _Solver, can_all_meet, match_groups, one_more_group
from matching.objective import Impossible, Wanted, totals_of
from program.matching import Level, Matching
from tests.matching.test_optimum import ON, crowd, program

DAYS = ["mon_am", "tue_pm", "wed_am"]
OBJECTIVES: list[tuple[Level, ...]] = [
    ("served", "score", "worst"),
    ("served", "wishes", "score", "worst"),
    ("served", "worst", "score"),
]


def group_program(
    objective: tuple[Level, ...] = ("served", "score", "worst"), least: int = 2, most: int = 3
) -> Matching:
    """The program of the other tests, for groups that meet in a slot."""
    rules = [{"same": "circle"}, {"overlap": "free"}]
    return program(objective, rules=rules, groups={"least": least, "most": most})


def groupies(draw: random.Random, mentees: int, mentors: int, both: int = 0) -> list[Applicant]:
    """Random people with half-days."""
    return [
        replace(
            one,
            capacity=draw.choice((2, 3, 4)),
            fields={**one.fields, "free": tuple(draw.sample(DAYS, draw.choice((1, 2, 3))))},
        )
        for one in crowd(draw, mentees, mentors, both)
    ]


def is_allowed(result: GroupResult, made: tuple[int | None, ...]) -> bool:
    """Whether every group has a fitting size and one half-day that suits all."""
    found = result.candidates
    groups = found.matching.groups
    pairs = {
        (found.mentors[mentor].id, found.mentees[mentee].id)
        for mentee, mentor in enumerate(made)
        if mentor is not None
    }
    if any((mentee, mentor) in pairs for mentor, mentee in pairs):
        return False
    for mentor, person in enumerate(found.mentors):
        members = [mentee for mentee, at in enumerate(made) if at == mentor]
        if not members:
            continue
        slots = set(person.values("free")).intersection(*(found.mentees[mentee].values("free") for mentee in members))
        if not groups.least <= len(members) <= min(groups.most, person.capacity) or not slots:
            return False
    return True


@pytest.mark.parametrize("objective", OBJECTIVES, ids=" ".join)
def test_no_groups_are_better_on_any_level(objective: tuple[Level, ...]) -> None:
    draw = random.Random(len(objective))
    for _ in range(8):
        people = groupies(draw, draw.randint(0, 6), draw.randint(0, 3), both=draw.choice((0, 2)))
        result = match_groups(people, group_program(objective), ON)
        assert result.off_by == {}
        best: tuple[int, ...] | None = None
        for made in product(*((None, *of) for of in result.candidates.of)):
            if is_allowed(result, made):
                pairs = [(mentee, mentor) for mentee, mentor in enumerate(made) if mentor is not None]
                levels = totals_of(result.scores, pairs, Wanted()).levels(objective)
                best = levels if best is None or levels > best else best
        made = tuple(result.mentor_of.get(mentee) for mentee in range(len(result.candidates.mentees)))
        assert is_allowed(result, made)
        assert result.totals.levels(objective) == best
        for mentor, mentees in result.groups:
            assert result.slots[mentor] in result.candidates.mentors[mentor].values("free")
            assert all(result.slots[mentor] in result.candidates.mentees[one].values("free") for one in mentees)
        draw.shuffle(people)
        assert match_groups(people, group_program(objective), ON).ids == result.ids


def test_twelve_people_in_groups() -> None:
    draw = random.Random(12)
    result = match_groups(groupies(draw, 9, 3), group_program(), ON)
    best = max(
        totals_of(result.scores, [(e, m) for e, m in enumerate(made) if m is not None], Wanted()).levels(
            ("served", "score", "worst")
        )
        for made in product(*((None, *of) for of in result.candidates.of))
        if is_allowed(result, made)
    )
    assert result.totals.levels(("served", "score", "worst")) == best


def test_pins_bans_and_what_was_kept() -> None:
    people = groupies(random.Random(2), 12, 5)
    first = match_groups(people, group_program(), ON)
    assert set(first.unplaced) == set(range(12)) - set(first.mentor_of)
    ban = first.ids[0]
    second = match_groups(people, group_program(), ON, Wanted(bans=frozenset({ban}), keep=frozenset(first.ids)))
    assert ban not in second.ids
    assert second.totals.kept == len(set(second.ids) & set(first.ids)) > 0
    pin = next(pair for pair in second.ids if pair not in first.ids)
    assert pin in match_groups(people, group_program(), ON, Wanted(pins=frozenset({pin}))).ids
    with pytest.raises(Impossible, match="is not here"):
        match_groups(people, group_program(), ON, Wanted(pins=frozenset({("nobody", "s01")})))
    alone = [Applicant("s", mentee=True), Applicant("m", mentor=True, capacity=3)]
    with pytest.raises(Impossible, match="no group that is large enough"):
        match_groups(alone, Matching(), ON, Wanted(pins=frozenset({("m", "s")})))


def test_without_a_rule_about_time_no_slot_is_asked_for() -> None:
    people = [Applicant(f"s{n}", mentee=True) for n in range(7)] + [Applicant("m", mentor=True, capacity=6)]
    result = match_groups(people, Matching(), ON)
    assert (result.totals.served, result.slots, len(result.unplaced)) == (6, {}, 1)
    assert match_groups([], Matching(), ON).ids == ()


def test_a_slot_suits_all_in_their_own_zones() -> None:
    people = [
        Applicant("m", mentor=True, capacity=3, zone="Europe/Berlin", fields={"free": ("mon_am", "tue_pm")}),
        Applicant("a", mentee=True, zone="Europe/London", fields={"free": ("mon_am", "tue_am", "tue_pm")}),
        Applicant("b", mentee=True, zone="Europe/Athens", fields={"free": ("tue_pm",)}),
    ]
    assert match_groups(people, group_program(), ON, None).slots == {}  # no circle in common
    together = [replace(one, fields={**one.fields, "circle": "x"}) for one in people]
    result = match_groups(together, group_program(), ON)
    assert (result.totals.served, result.slots) == (2, {0: "tue_pm"})


def test_what_is_not_proven_says_how_far_it_may_be_off() -> None:
    people = groupies(random.Random(4), 60, 14)
    result = match_groups(people, group_program(("served", "wishes", "score"), 3, 6), ON, seconds=0.02)
    assert all(gap > 0 for gap in result.off_by.values())


def test_each_level_that_is_not_proven_says_by_how_much_it_may_be_off(monkeypatch: pytest.MonkeyPatch) -> None:
    run = _Solver._run

    def unproven(self: _Solver, counts: Mapping[int, float]) -> tuple[int, int] | None:
        """As a solver that ran out of time: it found the best result and cannot say that there is no better one."""
        reached = run(self, counts)
        return reached and (reached[0], reached[1] + 2)

    monkeypatch.setattr(_Solver, "_run", unproven)
    people = groupies(random.Random(4), 6, 3)
    result = match_groups(people, group_program(("served", "score")), ON)
    assert dict(result.off_by).get("served") == 2


def test_without_the_solver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highspy", None)
    with pytest.raises(SolverMissing, match="groups"):
        match_groups([], Matching(), ON)


def test_one_more_mentor_serves_as_many_as_was_said() -> None:
    draw = random.Random(11)
    seen = 0
    for _ in range(30):
        people = groupies(draw, draw.randint(4, 7), draw.randint(1, 2))
        result = match_groups(people, group_program(), ON)
        for mentor, count in one_more_group(result, ON):
            another = replace(result.candidates.mentors[mentor], id="another", capacity=count)
            after = match_groups([*people, another], group_program(), ON)
            assert after.totals.served >= result.totals.served + count
            seen += 1
    assert seen > 5


def test_whether_all_of_a_group_can_meet() -> None:
    def free(*days: str) -> Applicant:
        return Applicant("-".join(days) or "never", fields={"free": days})

    mentor = free("mon_am", "tue_pm")
    assert can_all_meet(mentor, [free("mon_am"), free("mon_am", "tue_pm")], group_program(), ON)
    assert not can_all_meet(mentor, [free("mon_am"), free("tue_pm")], group_program(), ON)
    assert not can_all_meet(free(), [], group_program(), ON)
    assert can_all_meet(free(), [free("mon_am"), free("tue_pm")], Matching(), ON), "no rule asks for a slot"


def test_a_better_solution_is_taken_where_the_solver_hands_back_the_one_that_it_was_given() -> None:
    matching = Matching.model_validate(
        {"rules": [{"not_again": True}], "objective": ["served"], "groups": {"least": 2, "most": 3}}
    )
    people = [
        *(
            Applicant(id_, mentee=True, not_with=frozenset({"p03"} if id_ != "p04" else ()))
            for id_ in ("p02", "p04", "p06")
        ),
        *(Applicant(id_, mentor=True, capacity=places) for id_, places in (("p00", 2), ("p01", 4), ("p03", 2))),
    ]
    result = match_groups(people, matching, ON, Wanted(bans=frozenset({("p01", "p06")})))
    assert (result.totals.served, result.off_by) == (2, {})
