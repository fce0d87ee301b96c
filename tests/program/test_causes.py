"""The cause comes first and alone: one wrong header is one fault, and every fault is in words that say what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from program.limits import CSV_BYTES, CSV_COLUMNS, YAML_BYTES
from program.loader import Fault, Faults, load_cohort, load_form, load_program
from testing.environments.config_files import COHORT, FILES, FROM_CSV, PAIRS, PEOPLE, lay

TODAY = date(2026, 11, 22)
MANY = "id,name,email\n" + "".join(f"x{n},Somebody,x{n}@example.org\n" for n in range(100))
MANY_PAIRS = "key,mentor,mentees\n" + "".join(f"m{n},x{n},x{n + 50}\n" for n in range(50))
MANY_COLUMNS = ",".join(["id,name,email", *(f"c{n}" for n in range(200))]) + "\n"


def faults_of(folder: Path, people: str | bytes | None, pairs: str | bytes | None = PAIRS) -> list[Fault]:
    files: dict[str, str | bytes] = {"cohorts/c.yaml": FROM_CSV}
    files |= {"cohorts/people.csv": people} if people is not None else {}
    files |= {"cohorts/pairs.csv": pairs} if pairs is not None else {}
    with pytest.raises(Faults) as raised:
        load_cohort(lay(folder, files), TODAY)
    return list(raised.value.faults)


CAUSES = [
    # (people, pairs, line, problem, remedy)
    (MANY.replace("id,name,email", "id,name,e_mail"), MANY_PAIRS, 1, "`email` is missing", "one called `e_mail`?"),
    (MANY.replace("id,name", "who,name"), MANY_PAIRS, 1, "`id` is missing", "This line has `who`, `name`"),
    (MANY.replace("id,name,email", "Nr,Name,Mail"), MANY_PAIRS, 1, "columns `id` and `email` are missing",
     "Is `id` the one called `nr`? Is `email` the one called `mail`?"),
    (MANY.replace("id,name,email\n", ""), MANY_PAIRS, 1, "`id`, `name` and `email` are missing", "such as id,name"),
    (None, MANY_PAIRS, 9, "there is no file `people.csv`", "folder of this file"),
    ("", MANY_PAIRS, 1, "the file is empty", "must name the columns, such as id,name,email"),
    ("\n\n", MANY_PAIRS, 1, "the file is empty", "must name the columns"),
    ("id,name,email\n", MANY_PAIRS, 1, "the file names columns and no people", "one row below"),
    (b"PK\x03\x04\x14\x00\x06\x00", MANY_PAIRS, 1, "no workbook that can be read", "or as CSV"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1", MANY_PAIRS, 1, "an Excel workbook of the old format (.xls)", "as .xlsx or as CSV"),
    (b"%PDF-1.7", MANY_PAIRS, 1, "a PDF, not a table", "as .xlsx or as CSV"),
    (b"\xff\xfe" + MANY.encode("utf-16-le")[:-1], MANY_PAIRS, 1, "no valid UTF-16", "CSV UTF-8"),
    (b"\x81" + MANY.encode(), MANY_PAIRS, 1, "neither UTF-8, UTF-16 nor Windows-1252", "CSV UTF-8"),
    (MANY.replace("x3,Some", 'x3,"Some'), MANY_PAIRS, 5, "a double quote that is opened here is never", "quotes"),
    (MANY.replace("x3,Somebody", 'x3,"S"omebody'), MANY_PAIRS, 5, "a double quote stands in the middle", "quotes"),
    (MANY, MANY_PAIRS.replace("key,", "pair,"), 1, "the column `key` is missing", "the one called `pair`?"),
    (MANY, MANY_PAIRS.replace("mentees", "menteees"), 1, "unknown column `menteees`", "mean `mentees`?"),
    (MANY, b"PK\x03\x04", 1, "no workbook that can be read", "or as CSV"),
    (MANY, None, 10, "there is no file `pairs.csv`", "folder of this file"),
    (MANY_COLUMNS, MANY_PAIRS, 1, f"203 columns, and at most {CSV_COLUMNS} are read", "the right file?"),
    ("id,name,email\n" + "x" * CSV_BYTES, MANY_PAIRS, 1, "at most 8,000 KB are read", "divide the cohort"),
]  # fmt: skip


@pytest.mark.parametrize(("people", "pairs", "line", "problem", "remedy"), CAUSES, ids=[one[3] for one in CAUSES])
def test_a_cause_is_told_alone(
    tmp_path: Path, people: str | bytes | None, pairs: str | bytes | None, line: int, problem: str, remedy: str
) -> None:
    found = faults_of(tmp_path, people, pairs)
    assert len(found) == 1, found
    assert found[0].line == line
    assert problem in found[0].problem
    assert remedy in found[0].remedy


def test_what_has_nothing_to_do_with_a_cause_is_told_beside_it(tmp_path: Path) -> None:
    files = {"cohorts/c.yaml": FROM_CSV.replace("Europe/Berlin", "Nowhere"), "cohorts/pairs.csv": PAIRS}
    with pytest.raises(Faults) as raised:
        load_cohort(lay(tmp_path, files), TODAY)
    problems = [one.problem for one in raised.value.faults]
    assert problems == ["there is no time zone `Nowhere`", "there is no file `people.csv`"]


def test_a_person_whose_id_can_not_be_read_is_one_fault(tmp_path: Path) -> None:
    text = COHORT.replace("  - id: p1\n    name", "  - idd: p1\n    name")
    with pytest.raises(Faults) as raised:
        load_cohort(lay(tmp_path, {"cohorts/c.yaml": text}), TODAY)
    assert [one.problem for one in raised.value.faults] == ["unknown key `idd`"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_first_line_by_which_excel_names_its_separator(tmp_path: Path, separator: str) -> None:
    people = f"sep={separator}\r\n" + PEOPLE.replace('"Raman, Deepak"', "Deepak").replace(",", separator)
    files = {"cohorts/c.yaml": FROM_CSV, "cohorts/people.csv": people, "cohorts/pairs.csv": PAIRS}
    assert len(load_cohort(lay(tmp_path, files), TODAY).cohort.participants) == 4
    [found] = [one for one in faults_of(tmp_path, people.replace("p4", "p3")) if "given twice" in one.problem]
    assert (found.line, found.column) == (6, 1)


def test_cells_beyond_the_header_that_are_empty_do_no_harm(tmp_path: Path) -> None:
    people = "".join(f"{line},,\n" if line[0] == "p" else f"{line}\n" for line in PEOPLE.splitlines())
    files = {"cohorts/c.yaml": FROM_CSV, "cohorts/people.csv": people, "cohorts/pairs.csv": PAIRS}
    assert len(load_cohort(lay(tmp_path, files), TODAY).cohort.participants) == 4


@pytest.mark.parametrize("name", ["cohorts/c.yaml", "programs/tiny.yaml", "forms/closure.yaml"])
def test_a_file_that_is_too_large_is_not_parsed(tmp_path: Path, name: str) -> None:
    cohort = lay(tmp_path, {name: FILES[name] + "# " + "x" * 30_000_000})
    with pytest.raises(Faults) as raised:
        load_cohort(cohort, TODAY)
    [found] = raised.value.faults
    assert found.file == str(tmp_path / name)
    assert f"at most {YAML_BYTES // 1000:,} KB are read" in found.problem


COORDINATORS = "coordinators:\n  - {id: c1, name: Konrad Achterberg, email: konrad@example.org}"
QUESTIONS = FILES["forms/closure.yaml"].partition("questions:\n")[2]
OURS = [
    # (file, what stood there, what stands there now, problem, remedy)
    ("cohorts/c.yaml", COORDINATORS, "coordinators: []", "`coordinators` is empty", "Write at least one"),
    ("cohorts/c.yaml", "name: Amelie Vossberg", 'name: ""', "`name` is empty", "at least one"),
    ("cohorts/c.yaml", "name: Amelie Vossberg", "name: " + "A" * 250, "`name` is too long", "200 characters"),
    ("cohorts/c.yaml", "mentees_at_most: 1", "mentees_at_most: -1", "`-1` is too small for `mentees", "0 or more"),
    ("cohorts/c.yaml", "mentees_at_most: 1", "mentees_at_most: 1.5", "`1.5` is no number", "whole number"),
    ("programs/tiny.yaml", "rules:", "rules:\n  low_score: 9", "`9` is too large for `low_score`", "5 or less"),
    ("programs/tiny.yaml", "rules:", "rhythm: {minutes: 5}\nrules:", "`5` is too small for `minutes`", "10 or more"),
    ("programs/tiny.yaml", "rules:\n  due:\n    silent: 4", "rules: [1]", "`rules` should hold keys", "indented"),
    ("forms/closure.yaml", QUESTIONS, "  []\n", "`questions` is empty", "at least one"),
    ("forms/closure.yaml", "label: A line", "label: A line, longest: 0", "`0` is too small for `lon", "1 or more"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "problem", "remedy"), OURS, ids=[one[3] for one in OURS])
def test_a_limit_is_told_in_words(tmp_path: Path, file: str, old: str, new: str, problem: str, remedy: str) -> None:
    assert FILES[file].count(old) == 1
    with pytest.raises(Faults) as raised:
        load_cohort(lay(tmp_path, {file: FILES[file].replace(old, new)}), TODAY)
    found = [one for one in raised.value.faults if problem in one.problem]
    assert len(found) == 1, raised.value
    assert remedy in found[0].remedy


LIBRARY = re.compile(r"Input|should (have|match|contain)|validation|pydantic|_type|type=|instance of|unable to", re.I)
VALUES = ("7", "-7", "1.5", "true", "null", "[]", "{}", "[[1]]", "{a: b}", '""', "x", "2027-03-01", "1e400", ".nan")


@pytest.mark.many
@pytest.mark.parametrize("value", VALUES)
def test_no_fault_speaks_as_a_library_does(tmp_path: Path, value: str) -> None:
    """Every value of every file, replaced by one that it can't be."""
    loads = {"cohorts/c.yaml": load_cohort, "programs/tiny.yaml": load_program, "forms/closure.yaml": load_form}
    told: list[Fault] = []
    for file, load in loads.items():
        for found in re.finditer(r"(?<=: )[\w\"@./ ?-]+(?=[,}\n])", FILES[file]):
            text = FILES[file][: found.start()] + value + FILES[file][found.end() :]
            lay(tmp_path, {**FILES, file: text})
            told += _told(load, tmp_path / file)
    assert [str(one) for one in told if LIBRARY.search(f"{one.problem} {one.remedy}")] == []
    assert [str(one) for one in told if not one.remedy] == []
    assert told


def _told(load: Callable[[Path], object], path: Path) -> tuple[Fault, ...]:
    try:
        load(path)
    except Faults as faults:
        return faults.faults
    return ()
