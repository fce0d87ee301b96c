"""Matching from files, as a coordinator types it."""

from __future__ import annotations

import csv
import re
from html import unescape
from pathlib import Path

import pytest

from testing.environments.cli_env import CONFIG, mentorship

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


def test_a_pin_a_ban_what_stays_and_what_is_like_before(tmp_path: Path) -> None:
    out = tmp_path / "pairs.csv"
    first = mentorship("match", COHORT, "--people", PEOPLE, "--json").json["pairs"]
    mentorship("match", COHORT, "--people", PEOPLE, "--out", str(out))
    written = list(csv.DictReader(out.read_text("utf-8-sig").splitlines()))
    assert [(row["mentor"], row["mentees"]) for row in written] == [(one["mentor"], one["mentee"]) for one in first]
    ban = f"{first[0]['mentor']}:{first[0]['mentee']}"
    before = {(one["mentor"], one["mentee"]) for one in first}
    for option, moved in (("--like", 5), ("--keep", 1)):
        said = mentorship("match", COHORT, "--people", PEOPLE, "--ban", ban, option, str(out), "--json").json
        pairs = {(one["mentor"], one["mentee"]) for one in said["pairs"]}
        assert tuple(ban.split(":")) not in pairs
        assert len(before - pairs) <= moved
    assert said["notes"] == [f"a pair could not stay together: {first[0]['mentor']} and {first[0]['mentee']}"]
    assert all(pair["pinned"] for pair in said["pairs"] if (pair["mentor"], pair["mentee"]) in before)


def test_a_price_names_who_would_move_from_either_side() -> None:
    said = mentorship("match", COHORT, "--people", PEOPLE, "--explain", "s01", "--json").json
    words = [price["price"] for price in said]
    assert all(text == "equally good" or text.endswith((" less", " fewer", "would have a mentor")) for text in words)
    one = said[-1]
    for pair in (f"s01:{one['id']}", f"{one['id']}:s01"):
        price = mentorship("match", COHORT, "--people", PEOPLE, "--what-if", pair, "--json").json
        assert (price["price"], price["moves"]) == (one["price"], one["moves"])
    mentor = mentorship("match", COHORT, "--people", PEOPLE, "--explain", one["id"], "--json").json
    assert next(other["price"] for other in mentor if other["id"] == "s01") == one["price"]


def test_the_page_says_what_json_says_and_loads_nothing(tmp_path: Path) -> None:
    html = tmp_path / "pairs.html"
    mentorship("match", COHORT, "--people", PEOPLE, "--html", str(html))
    board = mentorship("match", COHORT, "--people", PEOPLE, "--json").json
    page = unescape(html.read_text())
    assert not re.search(r"<script|<link|<img|@import|url\(|https?://", page)
    names = {row["id"]: row["name"] for row in ROWS}
    for pair in board["pairs"]:
        assert names[pair["mentor"]] in page
        assert f'id="{pair["mentor"]}-{pair["mentee"]}"' in page
        assert all(f"{part['points']}: {part['words']}" in page for part in pair["parts"])
        assert not pair["inevitable"] or pair["equally_good"] == 0
        assert len(pair["for_mentee"]) <= 3
    assert all(one["why"] in page and one["line"] in page for one in board["nobody"])
    assert all(words in page for words in board["what_would_help"])
    assert {one["field"] for one in board["fairness"]} == {"unit", "languages", "grade", "profession"}
    assert all(one["people"] >= 5 for one in board["fairness"])


def program_of(folder: Path, format_: str, matching: str) -> str:
    """A cohort file with a program of this format that has this section `matching:`."""
    for name in ("programs", "cohorts"):
        (folder / name).mkdir(exist_ok=True)
    base = {"one_to_one": "formal", "peer": "peer", "group": "group", "reverse": "reverse"}[format_]
    program = f"extends: {base}\nprogram: mine\ntitle: Mine\nmatching:\n{matching}"
    (folder / "programs" / "mine.yaml").write_text(program)
    path = folder / "cohorts" / "mine.yaml"
    path.write_text(
        "cohort: mine\ntitle: Mine\nprogram: mine\nstart: 2027-04-05\nzone: Europe/Berlin\n"
        "coordinators: [{id: c1, name: Cora, email: cora@example.org}]\n"
    )
    return str(path)


def table(folder: Path, rows: list[dict[str, str]]) -> str:
    """These people as a CSV file."""
    path = folder / "people.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows({"name": row["id"].upper(), "email": f"{row['id']}@example.org"} | row for row in rows)
    return str(path)


def test_peers_are_paired_and_one_waits(tmp_path: Path) -> None:
    cohort = program_of(tmp_path, "peer", "  rules: [{different: unit}]\n  score: [{equal: profession, points: 3}]\n")
    rows = [
        {"id": f"p{n}", "name": "", "email": "", "role": "peer", "unit": str(n % 3), "profession": "law"}
        for n in range(7)
    ]
    people = table(tmp_path, rows)
    board = mentorship("match", cohort, "--people", people, "--json").json
    assert (board["served"], board["people"], len(board["nobody"])) == (6, 7, 1)
    assert "one waits" in board["nobody"][0]["why"]
    assert "waits" in mentorship("match", cohort, "--people", people).out
    out = tmp_path / "pairs.csv"
    mentorship("match", cohort, "--people", people, "--out", str(out), "--html", str(tmp_path / "p.html"))
    assert all(row["peers"].count(" ") == 1 for row in csv.DictReader(out.read_text("utf-8-sig").splitlines()))
    other = mentorship("match", cohort, "--people", people, "--explain", "p0", "--json").json[0]
    assert other["price"] == "equally good"
    pair = board["pairs"][0]
    made = mentorship("match", cohort, "--people", people, "--what-if", f"{pair['mentor']}:{pair['mentee']}").out
    assert "made already" in made
    forbidden = mentorship("match", cohort, "--people", people, "--what-if", "p0:p3")
    assert (forbidden.code, "breaks the rule `different`" in forbidden.err) == (2, True)
    assert (
        "is no role in a program of this format"
        in mentorship("match", cohort, "--people", table(tmp_path, [rows[0] | {"role": "mentor"}])).err
    )


def test_where_the_program_allows_it_three_peers_meet_instead_of_one_who_waits(tmp_path: Path) -> None:
    section = (
        "  rules: [{different: unit}]\n  score: [{equal: profession, points: 3}]\n  groups: {least: 2, most: 3}\n"
    )
    cohort = program_of(tmp_path, "peer", section)
    rows = [
        {"id": f"p{n}", "name": "", "email": "", "role": "peer", "unit": str(n % 3), "profession": "law"}
        for n in range(7)
    ]
    people = table(tmp_path, rows)
    board = mentorship("match", cohort, "--people", people, "--json").json
    three = next(pair["three"] for pair in board["pairs"] if pair["three"])
    of_three = [pair for pair in board["pairs"] if pair["three"]]
    assert (board["served"], board["nobody"], len(board["pairs"])) == (7, [], 5)
    assert {person for pair in of_three for person in (pair["mentor"], pair["mentee"])} == set(three)
    assert [pair["three"] for pair in of_three] == [three] * 3
    of = f"{three[0]}, {three[1]} and {three[2]}"
    says = (
        f"hree meet, because pairs alone would leave one of them out: {of}, each of whom has a mentorship with both"
    )
    assert [note[1 : len(says) + 1] for note in board["notes"]] == [says]
    assert says in mentorship("match", cohort, "--people", people).out.replace("\n", " ")
    out, html = tmp_path / "pairs.csv", tmp_path / "p.html"
    mentorship("match", cohort, "--people", people, "--out", str(out), "--html", str(html))
    page = html.read_text()
    assert page.count("These three meet, each with both others: ") == 3
    assert says in page
    assert [row["peers"].count(" ") for row in csv.DictReader(out.read_text("utf-8-sig").splitlines())] == [1] * 5
    kept = mentorship("match", cohort, "--people", people, "--keep", str(out), "--json").json
    assert [(pair["mentor"], pair["mentee"]) for pair in kept["pairs"]] == [
        (pair["mentor"], pair["mentee"]) for pair in board["pairs"]
    ]
    others = mentorship("match", cohort, "--people", people, "--explain", three[0], "--json").json
    assert {other["id"] for other in others} & set(three) == set()
    assert any(" and " in move for other in others for move in other["moves"]), "another three, with their names"
    shown = mentorship("match", cohort, "--people", people, "--explain", three[0]).out
    assert f"{', '.join(f'{id_} {id_}' for id_ in three)} meet as three" in shown
    alone = next(pair["mentor"] for pair in board["pairs"] if not pair["three"])
    assert "meet as three" not in mentorship("match", cohort, "--people", people, "--explain", alone).out
    made = mentorship("match", cohort, "--people", people, "--what-if", f"{three[0]}:{three[2]}").out
    assert "made already" in made
    pins = ("--pin", f"{three[0]}:{three[1]}", "--pin", f"{three[0]}:{three[2]}")
    banned = mentorship("match", cohort, "--people", people, *pins, "--ban", f"{three[1]}:{three[2]}")
    assert (banned.code, "are banned, and pinned to the same person" in banned.err) == (2, True)
    program_of(tmp_path, "peer", section.replace("least: 2, most: 3", "least: 3, most: 5"))
    not_allowed = mentorship("match", cohort, "--people", people, "--json").json
    assert (not_allowed["served"], len(not_allowed["nobody"])) == (6, 1)
    assert not_allowed["notes"] == [
        "`groups: {least: 3, most: 5}` is not used: peers meet in twos, and three of them only with "
        "`groups: {least: 2, most: 3}`"
    ]


def test_groups_have_their_size_and_a_slot(tmp_path: Path) -> None:
    cohort = program_of(
        tmp_path,
        "group",
        "  rules: [{overlap: free}]\n  score: [{equal: unit, points: 3}]\n  groups: {least: 2, most: 3}\n",
    )
    mentees = [
        {
            "id": f"s{n}",
            "name": "",
            "email": "",
            "role": "mentee",
            "unit": str(n % 2),
            "free": "mon_am" if n < 4 else "fri_pm",
            "mentees_at_most": "",
        }
        for n in range(5)
    ]
    mentors = [
        {
            "id": f"m{n}",
            "name": "",
            "email": "",
            "role": "mentor",
            "unit": str(n),
            "free": "mon_am|tue_am",
            "mentees_at_most": "",
        }
        for n in range(2)
    ]
    people = table(tmp_path, [*mentees, *mentors])
    board = mentorship("match", cohort, "--people", people, "--json").json
    assert (board["served"], [one["mentee"] for one in board["nobody"]]) == (4, ["s4"])
    assert {pair["slot"] for pair in board["pairs"]} == {"mon_am"}
    out = tmp_path / "pairs.csv"
    mentorship("match", cohort, "--people", people, "--out", str(out), "--html", str(tmp_path / "p.html"))
    assert "mon am" in (tmp_path / "p.html").read_text()
    assert [row["mentees"].count(" ") for row in csv.DictReader(out.read_text("utf-8-sig").splitlines())] == [1, 1]
    pair = board["pairs"][0]
    other = "m1" if pair["mentor"] == "m0" else "m0"
    price = mentorship("match", cohort, "--people", people, "--what-if", f"{pair['mentee']}:{other}", "--json").json
    assert price["price"].endswith(("less", "equally good"))
    assert (
        mentorship("match", cohort, "--people", people, "--explain", pair["mentee"], "--json").json[0]["id"] == other
    )
    kept = mentorship("match", cohort, "--people", people, "--keep", str(out), "--json").json
    assert [one["mentor"] for one in kept["pairs"]] == [one["mentor"] for one in board["pairs"]]


@pytest.mark.parametrize(
    ("matching", "says"),
    [
        ("  rules: [{different: unt}]\n", "reads `unt`, and the file open-call-people.csv has no such field"),
        ("  score: [{equal: unit, points: 1.5}]\n", "`1.5` is no number of points"),
        ("  rules:\n    - {above: grade, by: [1], order: [AO, EO]}\n", "is not in the order of `grade`"),
    ],
)
def test_a_fault_of_the_program_is_named_at_its_place(tmp_path: Path, matching: str, says: str) -> None:
    said = mentorship("match", program_of(tmp_path, "one_to_one", matching), "--people", PEOPLE)
    assert said.code == 1
    assert says in said.err.replace("\n", " ")
    if "order" not in matching:
        assert "mine.yaml:5:" in said.err


def test_no_pair_at_all_names_the_rules(tmp_path: Path) -> None:
    cohort = program_of(tmp_path, "one_to_one", "  rules: [{within: unit, of: [Nowhere]}]\n")
    board = mentorship("match", cohort, "--people", PEOPLE, "--json").json
    assert board["served"] == 0
    assert board["notes"] == ["no pair passes the rules; of 3,276 pairs `within: unit` forbids 3,276"]
    assert {one["why"] for one in board["nobody"]} == {"nobody passes `within: unit`"}


def test_mentors_without_a_number_and_tags_that_are_none_are_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(ROWS[0]))
        writer.writeheader()
        writer.writerows(row | ({"mentees_at_most": ""} if int(row["id"][1:]) % 2 else {}) for row in ROWS)
    said = mentorship("match", COHORT, "--people", str(path), "--json")
    assert said.code == 0
    assert said.err.count("this mentor says no number of mentees") == 21
    said = mentorship(
        "match", COHORT, "--people", spoilt(tmp_path, "m02", offers="stratgy", mentees_at_most="0"), "--json"
    )
    assert "Did you mean `strategy`?" in said.err.replace("\n", " ")
    assert "has no place for anybody" in said.err.replace("\n", " ")


@pytest.mark.parametrize(
    ("id_", "cells", "says"),
    [
        ("s02", {"grade": "XX"}, ":3:"),
        ("s02", {"role": "boss"}, "is no role"),
        ("m02", {"mentees_at_most": "many"}, "is no number of mentees"),
        ("s02", {"id": "s03"}, "is given twice"),
        ("s02", {"manager": "s04"}, "report to each other in a circle"),
        ("s02", {"wants": "|".join(f"t{number}" for number in range(1000))}, "has 1,000 values"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, id_: str, cells: dict[str, str], says: str) -> None:
    path = spoilt(tmp_path, id_, **cells)
    if "manager" in cells:
        Path(path).write_text(
            re.sub(r"(?m)^(s04,.*?,)([^,]*)(,[^,]*,[^,]*,[^,]*)$", r"\1s02\3", Path(path).read_text())
        )
    said = mentorship("match", COHORT, "--people", path)
    assert said.code == 1
    assert says in said.err.replace("\n", " ")


def test_a_column_that_the_program_reads_must_be_there(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(Path(PEOPLE).read_text().replace(",grade,", ",level,", 1))
    said = mentorship("match", COHORT, "--people", str(path))
    assert said.code == 1
    assert "reads `grade`, and the file people.csv has no such field" in said.err.replace("\n", " ")
    assert "open-call.yaml:" in said.err


def test_what_can_not_be_is_refused_by_name(tmp_path: Path) -> None:
    assert "did you mean s01" in mentorship("match", COHORT, "--people", PEOPLE, "--explain", "s001").err
    assert "is no pair" in mentorship("match", COHORT, "--people", PEOPLE, "--pin", "m01").err
    path = Path(program_of(tmp_path, "one_to_one", "  objective: [served]\n"))
    program = path.parents[1] / "programs" / "mine.yaml"
    program.write_text(program.read_text().partition("matching:")[0] + "matching: null\n")
    without = mentorship("match", str(path), "--people", PEOPLE)
    assert (without.code, "has no section `matching:`" in without.err) == (2, True)
