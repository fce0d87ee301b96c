"""The grammar of `matching:`, each hard rule, and each part of a score, as tables."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from matching.applicants import Applicant, Tags, Value, half_days, half_days_in_common
from matching.candidates import ReportingCircle, UnknownStep, candidates
from matching.scoring import Scores
from matching.shortage import in_common
from program.matching import Groups, Matching
from tests.matching.test_optimum import ON

EXAMPLE = {
    "tags": [{"tag": "data", "label": "Data and analysis", "also": ["statistics", "analytics"]}],
    "rules": [
        {"different": "unit"},
        {"same": "languages"},
        {"above": "grade", "by": [1, 2], "order": ["AA", "AO", "EO", "HEO", "SEO", "G7", "G6"]},
        {"within": "place", "of": ["Berlin", "Leipzig"]},
        {"overlap": "availability", "at_least": 2},
        {"not_in_line": "manager"},
        {"not_again": True},
    ],
    "score": [
        {"steps": "grade", "points": {1: 9, 2: 12}},
        {"equal": "profession", "points": 10},
        {"wanted": "wants", "offered": "offers", "points": [12, 8, 5]},
        {"shared": "identity", "points": 6, "only_if": "identity_wanted"},
        {"wish": "mentee", "points": [30, 20, 10]},
        {"wish": "mentor", "points": [10, 6, 3]},
    ],
    "objective": ["served", "score", "worst"],
    "capacity": {"mentor_at_most": 3},
    "groups": {"least": 3, "most": 6},
}


def test_the_documented_section_is_read_as_it_stands() -> None:
    matching = Matching.model_validate(EXAMPLE)
    assert [rule.kind for rule in matching.rules] == [
        "different", "same", "above", "within", "overlap", "not_in_line", "not_again",
    ]  # fmt: skip
    assert [score.kind for score in matching.score] == ["steps", "equal", "wanted", "shared", "wish", "wish"]
    assert [rule.field for rule in matching.rules][-1] == ""
    assert matching.order_of("grade") == ("AA", "AO", "EO", "HEO", "SEO", "G7", "G6")
    assert matching.order_of("unit") is None
    assert Matching.model_validate(EXAMPLE) == matching


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({"rules": [{}]}, "says nothing"),
        ({"rules": [{"same": "a", "different": "b"}]}, "names `different` and `same`"),
        ({"rules": [{"same": "a", "by": [1]}]}, "`by` goes with `above`"),
        ({"rules": [{"above": "grade", "by": [1]}]}, "`above` needs `order`"),
        ({"rules": [{"above": "grade", "order": ["a", "b"]}]}, "`above` needs `by`"),
        ({"rules": [{"above": "grade", "by": [0], "order": ["a", "b"]}]}, "`by` names the steps"),
        ({"rules": [{"above": "grade", "by": [1], "order": ["a", "a"]}]}, "`order` names each value once"),
        ({"rules": [{"within": "place"}]}, "`within` needs the values"),
        ({"rules": [{"not_again": False}]}, "is no rule"),
        ({"score": [{"equal": "a", "points": 1.5}]}, "is no number of points"),
        ({"score": [{"equal": "a", "points": True}]}, "is no number of points"),
        ({"score": [{"equal": "a", "points": -1}]}, "is no number of points"),
        ({"score": [{"equal": "a", "points": [1]}]}, "the points of `equal` have another form"),
        ({"score": [{"wish": "mentee", "points": []}]}, "the points of `wish` have another form"),
        ({"score": [{"wish": "mentee", "points": [4, 3, 2, 1]}]}, "at most 3 wishes"),
        ({"score": [{"wanted": "a", "points": [1]}]}, "write `offered:`"),
        ({"score": [{"steps": "grade", "points": {"x": 1}}]}, "numbered by the step"),
        ({"score": [{"steps": "grade", "points": {1: 1}}]}, "has no order to count in"),
        ({"objective": ["served", "served"]}, "names each level once"),
        ({"objective": ["score", "served"]}, "begins with `served`"),
        ({"objective": []}, "begins with `served`"),
        ({"groups": {"least": 5, "most": 4}}, "can't have more people"),
        ({"tags": [{"tag": "a", "label": "A"}, {"tag": "b", "label": "B", "also": ["a"]}]}, "stands for two tags"),
    ],
)
def test_what_makes_no_sense_is_said_with_what_to_write(section: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Matching.model_validate(section)
    assert Groups().least == 3


def allowed(rule: dict[str, Any], mentee: dict[str, Value], mentor: dict[str, Value], zone: str = "UTC") -> bool:
    """Whether this one rule lets these two meet."""
    people = [Applicant("e", mentee=True, fields=mentee), Applicant("m", mentor=True, zone=zone, fields=mentor)]
    found = candidates(people, Matching.model_validate({"rules": [rule]}), ON)
    assert bool(found.forbidden_by(0, 0)) != bool(found.of[0])
    assert bool(found.without(0)) != bool(found.of[0])
    return bool(found.of[0])


ABOVE = {"above": "grade", "by": [1, 2], "order": ["AO", "EO", "HEO", "SEO"]}
OVERLAP = {"overlap": "free", "at_least": 2}


@pytest.mark.parametrize(
    ("rule", "mentee", "mentor", "may"),
    [
        ({"different": "unit"}, {"unit": "A"}, {"unit": "B"}, True),
        ({"different": "unit"}, {"unit": "A"}, {"unit": "A"}, False),
        ({"different": "unit"}, {"unit": ("A", "B")}, {"unit": "B"}, False),
        ({"different": "unit"}, {}, {"unit": "B"}, True),
        ({"same": "languages"}, {"languages": ("de", "en")}, {"languages": ("en", "fr")}, True),
        ({"same": "languages"}, {"languages": ("de",)}, {"languages": ("en", "fr")}, False),
        ({"same": "languages"}, {}, {"languages": ("en",)}, False),
        (ABOVE, {"grade": "AO"}, {"grade": "EO"}, True),
        (ABOVE, {"grade": "AO"}, {"grade": "HEO"}, True),
        (ABOVE, {"grade": "AO"}, {"grade": "SEO"}, False),
        (ABOVE, {"grade": "EO"}, {"grade": "AO"}, False),
        (ABOVE, {"grade": "EO"}, {"grade": "EO"}, False),
        (ABOVE, {}, {"grade": "EO"}, False),
        ({"within": "place", "of": ["Berlin", "Leipzig"]}, {"place": "Berlin"}, {"place": "Leipzig"}, True),
        ({"within": "place", "of": ["Berlin", "Leipzig"]}, {"place": "Berlin"}, {"place": "Rostock"}, False),
        ({"within": "place", "of": ["Berlin", "Leipzig"]}, {"place": "Rostock"}, {"place": "Berlin"}, False),
        (OVERLAP, {"free": ("mon_am", "tue_pm")}, {"free": ("mon_am", "tue_pm", "wed_am")}, True),
        (OVERLAP, {"free": ("mon_am", "tue_pm")}, {"free": ("mon_am", "tue_am")}, False),
        (OVERLAP, {"free": ("mon_am", "someday")}, {"free": ("mon_am",)}, False),
        ({"overlap": "free"}, {"free": "mon_am"}, {"free": ("mon_am",)}, True),
        ({"not_in_line": "manager"}, {"manager": "m"}, {}, False),
        ({"not_in_line": "manager"}, {}, {"manager": "E"}, False),
        ({"not_in_line": "manager"}, {"manager": "boss@example.org"}, {"manager": "boss@example.org"}, True),
        ({"not_in_line": "manager"}, {"manager": "m@example.org"}, {"email": "M@example.org"}, False),
        ({"not_again": True}, {}, {}, True),
    ],
)
def test_a_rule(rule: dict[str, Any], mentee: dict[str, Value], mentor: dict[str, Value], may: bool) -> None:
    assert allowed(rule, mentee, mentor) is may


def test_half_days_are_compared_in_each_persons_own_zone() -> None:
    assert allowed(OVERLAP, {"free": ("mon_am", "tue_am")}, {"free": ("mon_am", "tue_am")}, "Europe/Berlin")
    assert not allowed(OVERLAP, {"free": ("mon_am", "tue_am")}, {"free": ("mon_am", "tue_am")}, "Asia/Tokyo")
    assert allowed(OVERLAP, {"free": ("mon_am", "tue_am")}, {"free": ("mon_pm", "tue_pm")}, "Asia/Karachi") is True
    sunday = half_days(Applicant("a", zone="Pacific/Auckland", fields={"free": ("mon_am",)}), "free", ON)
    assert half_days_in_common(sunday, half_days(Applicant("b", fields={"free": ("sun_pm",)}), "free", ON)) == 0


def test_somebody_further_up_is_in_the_line_too_and_a_circle_is_named() -> None:
    rule = Matching.model_validate({"rules": [{"not_in_line": "manager"}]})
    chain = [
        Applicant("e", mentee=True, fields={"manager": "x"}),
        Applicant("x", fields={"manager": "m"}),
        Applicant("m", mentor=True),
        Applicant("n", mentor=True),
    ]
    assert [candidates(chain, rule, ON).mentors[mentor].id for mentor in candidates(chain, rule, ON).of[0]] == ["n"]
    chain[2] = Applicant("m", mentor=True, fields={"manager": "x"})
    with pytest.raises(ReportingCircle, match="x → m → x") as circle:
        candidates(chain, rule, ON)
    assert set(circle.value.people) == {"x", "m"}


def test_a_value_that_the_order_does_not_name_is_named() -> None:
    people = [Applicant("e", mentee=True, fields={"grade": "XX"})]
    with pytest.raises(UnknownStep, match="e: 'XX' is not in the order of 'grade'"):
        candidates(people, Matching.model_validate({"rules": [ABOVE]}), ON)


def test_people_who_exclude_each_other_never_meet_whoever_said_so() -> None:
    for side in ("e", "m"):
        people = [
            Applicant("e", mentee=True, not_with=frozenset({"m"} if side == "e" else ())),
            Applicant("m", mentor=True, not_with=frozenset({"e"} if side == "m" else ())),
            Applicant("full", mentor=True, capacity=0),
        ]
        assert candidates(people, Matching(), ON).of == ((),)


def test_each_part_of_a_score_is_shown_and_they_add_up() -> None:
    matching = Matching.model_validate(EXAMPLE | {"rules": [EXAMPLE["rules"][2]]})
    mentee = Applicant(
        "e",
        mentee=True,
        fields={
            "grade": "AO", "profession": "Policy", "wants": ("statistics", "Law", "writing"), "identity": ("x", "y"),
            "identity_wanted": True,
        },
        wishes_as_mentee=("other", "m"),
    )  # fmt: skip
    mentor = Applicant(
        "m",
        mentor=True,
        fields={"grade": "EO", "profession": "policy", "offers": ("analytics", "writing"), "identity": ("y",)},
        wishes_as_mentor=("e",),
    )
    scores = Scores(candidates([mentee, mentor], matching, ON))
    parts = scores.parts(0, 0)
    assert [(part.kind, part.points) for part in parts] == [
        ("wish", 20), ("wanted", 12), ("equal", 10), ("wish", 10), ("steps", 9), ("shared", 6), ("wanted", 5),
    ]  # fmt: skip
    assert scores.of[0][0] == sum(part.points for part in parts) == 72
    words = {part.words for part in parts}
    assert {
        "first of what was wanted: Data and analysis",
        "grade: 1 step above",
        "second wish of the mentee",
    } <= words
    silent = Applicant("e", mentee=True, fields={**mentee.fields, "identity_wanted": False})
    assert "shared" not in {part.kind for part in Scores(candidates([silent, mentor], matching, ON)).parts(0, 0)}


def test_what_describes_people_is_never_their_manager_or_their_calendar() -> None:
    found = candidates(
        [Applicant("e", mentee=True, fields={"unit": "A", "manager": "b"})], Matching.model_validate(EXAMPLE), ON
    )
    described = in_common(found, found.mentees)
    assert described["unit"] == {"A": 1}
    assert not {"manager", "availability"} & described.keys()


def test_who_was_together_before_meets_again_only_where_no_rule_is_against_it() -> None:
    people = [Applicant("e", mentee=True, had=frozenset({"m"})), Applicant("m", mentor=True)]
    again = Matching.model_validate({"rules": [{"not_again": True}]})
    assert candidates(people, Matching(), ON).of == ((0,),)
    assert candidates(people, again, ON).of == ((),)
    assert candidates(people, again, ON).without(0) == again.rules
    excluded = [Applicant("e", mentee=True), Applicant("m", mentor=True, not_with=frozenset({"e"}))]
    assert candidates(excluded, again, ON).forbidden_by(0, 0) == again.rules


def test_case_and_double_values_never_matter() -> None:
    assert allowed({"same": "languages"}, {"languages": ("DE",)}, {"languages": ("de", "en")})
    assert not allowed({"different": "unit"}, {"unit": "finance"}, {"unit": "Finance"})
    assert not allowed(OVERLAP, {"free": ("mon_am", "Mon AM")}, {"free": ("mon_am", "mon-am")})


def test_every_spelling_of_a_tag_is_known() -> None:
    tags = Tags(Matching.model_validate(EXAMPLE))
    assert [tags.knows(word) for word in ("Data", " ANALYTICS", "law")] == [True, True, False]
