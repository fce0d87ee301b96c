"""Matching from files, as a coordinator types it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from testing.cli_env import CONFIG, mentorship

COHORT = str(CONFIG / "cohorts" / "open-call.yaml")
PEOPLE = str(CONFIG / "cohorts" / "open-call-people.csv")
ROWS = list(csv.DictReader(Path(PEOPLE).read_text().splitlines()))


def spoilt(folder: Path, id_: str, **cells: str) -> str:
    """The example's people with some cells of one person changed."""
    path = folder / "people.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(ROWS[0]))
        writer.writeheader()
        writer.writerows(row | (cells if row["id"] == id_ else {}) for row in ROWS)
    return str(path)


def test_the_example_is_matched_and_every_mentee_has_a_mentor_or_a_reason() -> None:
    result = mentorship("match", COHORT, "--people", PEOPLE, "--json").json
    mentees = {row["id"] for row in ROWS if row["role"] == "mentee"}
    assert {pair["mentee"] for pair in result["pairs"]} | {one["mentee"] for one in result["nobody"]} == mentees
    assert all(one["why"] for one in result["nobody"])
    assert result["served"] == len(result["pairs"]) > 40
    assert all(pair["score"] == sum(part["points"] for part in pair["parts"]) for pair in result["pairs"])
    places = {row["id"]: int(row["mentees_at_most"] or 1) for row in ROWS if row["role"] == "mentor"}
    for mentor, most in places.items():
        assert sum(pair["mentor"] == mentor for pair in result["pairs"]) <= most


def test_a_pin_a_ban_and_what_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "pairs.csv"
    mentorship("match", COHORT, "--people", PEOPLE, "--out", str(out))
    first = mentorship("match", COHORT, "--people", PEOPLE, "--json").json["pairs"]
    written = list(csv.DictReader(out.read_text("utf-8-sig").splitlines()))
    assert [(row["mentor"], row["mentees"]) for row in written] == [(one["mentor"], one["mentee"]) for one in first]
    ban = f"{first[0]['mentor']}:{first[0]['mentee']}"
    kept = mentorship("match", COHORT, "--people", PEOPLE, "--ban", ban, "--keep", str(out), "--json").json["pairs"]
    pairs = {(one["mentor"], one["mentee"]) for one in kept}
    assert tuple(ban.split(":")) not in pairs
    assert len({(one["mentor"], one["mentee"]) for one in first} - pairs) <= 5


def test_a_price_names_who_would_move() -> None:
    said = mentorship("match", COHORT, "--people", PEOPLE, "--explain", "s01", "--json").json
    words = [price["price"] for price in said]
    assert all(text == "equally good" or text.endswith((" less", " fewer", "would have a mentor")) for text in words)
    one = said[-1]
    price = mentorship("match", COHORT, "--people", PEOPLE, "--what-if", f"s01:{one['mentor']}", "--json").json
    assert (price["price"], price["moves"]) == (one["price"], one["moves"])


@pytest.mark.parametrize(
    ("id_", "cells", "says"),
    [
        ("s02", {"grade": "XX"}, ":3:"),
        ("s02", {"role": "boss"}, "is no role"),
        ("m02", {"mentees_at_most": "many"}, "is no number of mentees"),
        ("s02", {"id": "s03"}, "is given twice"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, id_: str, cells: dict[str, str], says: str) -> None:
    said = mentorship("match", COHORT, "--people", spoilt(tmp_path, id_, **cells))
    assert said.code == 1
    assert says in said.err


def test_a_column_that_the_program_reads_must_be_there(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(Path(PEOPLE).read_text().replace(",grade,", ",level,", 1))
    said = mentorship("match", COHORT, "--people", str(path))
    assert said.code == 1
    assert "reads `grade`, and no person here has it" in said.err


def test_what_can_not_be_is_refused_by_name() -> None:
    assert "did you mean s01" in mentorship("match", COHORT, "--people", PEOPLE, "--explain", "s001").err
    assert "is no pair" in mentorship("match", COHORT, "--people", PEOPLE, "--pin", "m01").err
    small = mentorship("match", str(CONFIG / "cohorts" / "small.yaml"), "--people", PEOPLE)
    assert (small.code, "has no section `matching:`" in small.err) == (2, True)
