"""What a matched pool says in words: prices in the order of the objective, for each format."""

from __future__ import annotations

from pathlib import Path

import pytest

from matching.applicants import Applicant
from operations.errors import Refused
from operations.matching.match import matched
from operations.matching.matched_pairs import NOT_PRICED, PRICED_AT_MOST
from operations.matching.pool import Pool, read_pool
from program.matching import Matching
from program.models import Format
from tests.matching.test_optimum import ON

HERE = Path("config/cohorts/open-call.yaml")


def pool(format_: Format, people: list[Applicant], **section: object) -> Pool:
    """These people, by these rules."""
    names = {person.id: person.id for person in people}
    return Pool("Pool", format_, ON, Matching.model_validate(section), tuple(people), names)


def test_a_price_is_that_of_the_first_level_that_changes_in_the_order_of_the_objective() -> None:
    people = [
        Applicant("s1", mentee=True, fields={"a": "x", "b": "y"}),
        Applicant("s2", mentee=True, fields={"a": "y", "b": "y"}),
        Applicant("m1", mentor=True, fields={"a": "x", "b": "y"}),
        Applicant("m2", mentor=True, fields={"a": "y", "b": "y"}),
    ]
    score = [{"equal": "a", "points": 5}, {"equal": "b", "points": 1}]
    words = {
        objective: matched(pool("one_to_one", people, score=score, objective=["served", *objective])).price(
            "s1", "m2"
        )
        for objective in (("worst", "score"), ("score", "worst"))
    }
    moved = ("s2 would then be with m1",)
    assert words == {
        ("worst", "score"): ("the weakest pair would have 5 points less", moved),
        ("score", "worst"): ("10 points less", moved),
    }


def test_somebody_who_is_mentor_and_mentee_is_priced_in_the_order_that_is_asked() -> None:
    pytest.importorskip("highspy")
    people = [
        Applicant("b1", mentor=True, mentee=True, capacity=2),
        Applicant("m1", mentor=True, capacity=2, fields={"a": "x"}),
        *(Applicant(f"s{number}", mentee=True, fields={"a": "x"}) for number in (1, 2)),
    ]
    result = matched(pool("group", people, score=[{"equal": "a", "points": 5}], groups={"least": 2, "most": 2}))
    assert {("m1", "s1"), ("m1", "s2")} == set(result.ids)
    assert result.price("b1", "m1") == ("5 points less", ("s2 would then have nobody",))
    assert result.price("s1", "b1")[0] == result.price("b1", "s1")[0] == "10 points less"
    with pytest.raises(Refused, match="no mentee and mentor"):
        result.price("s1", "s2")


def test_a_column_that_is_empty_for_everybody_is_a_column(tmp_path: Path) -> None:
    header, *rows = Path("config/cohorts/open-call-people.csv").read_text("utf-8").splitlines()
    at = header.split(",").index("manager")
    emptied = [",".join("" if place == at else cell for place, cell in enumerate(row.split(","))) for row in rows]
    people = tmp_path / "people.csv"
    people.write_text("\n".join([header, *emptied]) + "\n", "utf-8")
    assert len(read_pool(HERE, people).people) == len(rows)


def test_peers_and_groups_say_who_fares_worse_and_what_would_help() -> None:
    peers = [
        *(Applicant(f"b{number}", fields={"place": "Berlin", "unit": "a"}) for number in range(5)),
        *(Applicant(f"r{number}", fields={"place": f"R{number}", "unit": "b"}) for number in range(5)),
    ]
    board = matched(pool("peer", peers, rules=[{"same": "place"}], score=[{"equal": "unit", "points": 4}])).board
    assert [(one.value, one.people, one.served, one.median) for one in board.fairness] == [
        ("Berlin", 5, 4, 4),
        ("a", 5, 4, 4),
        ("b", 5, 0, None),
    ]
    assert [one.warning for one in board.fairness if "`same: place` alone explains it" in one.warning] == [
        board.fairness[2].warning
    ]
    assert board.helps == ("somebody more who fits to one of 1 peer (place Berlin) would serve one more",)
    assert matched(pool("peer", peers[:4], rules=[{"same": "place"}])).board.helps == ()


def test_groups_say_who_fares_worse_and_what_would_help() -> None:
    pytest.importorskip("highspy")
    people = [
        Applicant("m1", mentor=True, capacity=3, fields={"place": "Berlin"}),
        Applicant("m2", mentor=True, capacity=3, fields={"place": "Rostock"}),
        *(Applicant(f"s{number}", mentee=True, fields={"place": "Berlin"}) for number in range(6)),
        Applicant("t1", mentee=True, fields={"place": "Rostock"}),
    ]
    section = {"rules": [{"same": "place"}], "groups": {"least": 2, "most": 3}}
    board = matched(pool("group", people, **section)).board
    assert [(one.value, one.people, one.served) for one in board.fairness] == [("Berlin", 6, 3)]
    assert board.helps == ("one more group with a mentor of place Berlin would serve at least 3 more",)


def many(mentees: int, objective: tuple[str, ...] = ("served", "score", "worst")) -> Pool:
    """So many mentees, three of each place, with a mentor of two places for each three."""
    people = [
        Applicant(f"s{number:04}", mentee=True, fields={"place": str(number // 3), "unit": str(number % 2)})
        for number in range(mentees)
    ]
    people += [
        Applicant(f"m{place:03}", mentor=True, capacity=2, fields={"place": str(place), "unit": "0"})
        for place in range((mentees + 2) // 3)
    ]
    section: dict[str, object] = {"rules": [{"same": "place"}], "score": [{"equal": "unit", "points": 3}]}
    return pool("one_to_one", people, **section, objective=list(objective))


@pytest.mark.parametrize(("mentees", "is_priced"), [(PRICED_AT_MOST, True), (PRICED_AT_MOST + 1, False)])
def test_a_board_that_is_too_large_says_so_and_prices_one_person_all_the_same(mentees: int, is_priced: bool) -> None:
    result = matched(many(mentees))
    board = result.board
    assert (NOT_PRICED in board.notes) is not is_priced
    assert len(board.pairs) == board.totals.served == (mentees // 3) * 2 + min(mentees % 3, 2)
    assert all(bool(pair.for_mentor) == (pair.inevitable is not None) == is_priced for pair in board.pairs[:30])
    [left] = [one.id for one in board.nobody if one.id < "s0003"]
    assert left == "s0001", "the other two share the unit"
    [other] = result.others(left)
    assert (other.id, other.price) == ("m000", "3 points less")
    assert other.moves[0] in ("s0000 would then have nobody", "s0002 would then have nobody")


def test_where_a_price_means_solving_again_a_small_board_says_that_it_names_no_next_choices() -> None:
    board = matched(many(6, ("served", "worst", "score"))).board
    assert NOT_PRICED in board.notes
    assert [pair.for_mentor for pair in board.pairs] == [()] * 4
