"""Characters that would break a table, a header, a database or a reader's eye are refused where they stand; so are
zones and languages that are none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from program.checks.text_checks import LONGEST_LINE, LONGEST_PROSE, line_problem
from program.faults import quoted
from program.languages import is_language, near_language
from program.loader import Fault, Faults, load_cohort
from program.zones import is_zone, near_zones
from testing.environments.config_files import COHORT, FILES, FROM_CSV, PAIRS, PEOPLE, lay, spoil

TODAY = date(2026, 11, 22)


def faults_of(cohort: Path) -> list[Fault]:
    with pytest.raises(Faults) as raised:
        load_cohort(cohort, TODAY)
    return list(raised.value.faults)


NUL, HALF, RTL, BREAK = r"\0", r"\ud800", r"\u202e", r"\n"
BAD = [
    ("a NUL in a name", "name: Amelie Vossberg", f'name: §"Amelie{NUL}"', "NUL character (U+0000)"),
    ("half a character in a name", "name: Amelie Vossberg", f'name: §"Amelie{HALF}"', "half a character (U+D800)"),
    ("a direction in a name", "name: Amelie Vossberg", f'name: §"Amelie {RTL}"', "turns the direction of the text"),
    ("a line break in a name", "name: Amelie Vossberg", f'name: §"Amelie{BREAK}Bcc: x"', "a line break"),
    ("a carriage return in a title", "title: A cohort", r'title: §"A\rcohort"', "a carriage return (U+000D)"),
    ("an escape in a title", "title: A cohort", r'title: §"\e[31mA"', "an invisible character (U+001B"),
    ("a CSI in a title", "title: A cohort", r'title: §"\x9b31mA"', "an invisible character (U+009B"),
    ("a line separator in a title", "title: A cohort", r'title: §"A\u2028B"', "a line break"),
    ("a tab in an organisation", "zone: Europe/Berlin", 'organisation: §"A\\tB"\nzone: Europe/Berlin', "a tab"),
    ("a NUL in an id", "{key: m1,", f'{{key: §"m1{NUL}",', "NUL character"),
    ("a line break in an id", "cohort: c\n", f'cohort: §"c{BREAK}"\n', "a line break"),
    ("a NUL in a profile", "    mentees_at_most: 1\n", f'    profile: {{place: §"Kiel{NUL}"}}\n', "NUL character"),
    ("a NUL in a key", "    mentees_at_most: 1\n", f'    profile: {{§"pla{NUL}ce": Kiel}}\n', "NUL character"),
    ("a title without end", "title: A cohort", f"title: §{'x' * (LONGEST_LINE + 1)}", "301 characters"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "problem"), [one[1:] for one in BAD], ids=[one[0] for one in BAD])
def test_a_character_that_no_text_may_hold(tmp_path: Path, old: str, new: str, problem: str) -> None:
    text, line, column = spoil(COHORT, old, new)
    found = faults_of(lay(tmp_path, {"cohorts/c.yaml": text}))
    assert [(one.line, one.column, problem in one.problem) for one in found] == [(line, column, True)], found
    assert "Amelie" not in str(found[0])


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("programs/tiny.yaml", "title: A tiny program", r'title: §"A \u2066tiny program"'),
        ("programs/tiny.yaml", "title: A tiny program", 'title: x\nabout: §"a \\0"'),
        ("forms/closure.yaml", "title: Closure", r'title: §"\ud8ff"'),
        ("forms/closure.yaml", "label: A line", r'label: §"A \0"'),
    ],
)
def test_the_same_in_programs_and_forms(tmp_path: Path, file: str, old: str, new: str) -> None:
    text, line, column = spoil(FILES[file], old, new)
    found = faults_of(lay(tmp_path, {file: text}))
    assert [(one.line, one.column, "this text holds" in one.problem) for one in found] == [(line, column, True)]


@pytest.mark.parametrize("bad", ["\0", "\u202e", "\x1b[2J", "\r"], ids=["nul", "direction", "escape", "return"])
def test_the_same_in_a_csv(tmp_path: Path, bad: str) -> None:
    people = PEOPLE.replace("Caroline Sedgwick", f'"Caro{bad}line"')
    files = {"cohorts/c.yaml": FROM_CSV, "cohorts/people.csv": people, "cohorts/pairs.csv": PAIRS}
    [found] = faults_of(lay(tmp_path, files))
    assert (Path(found.file).name, found.line, found.column) == ("people.csv", 4, 4)
    assert "this text holds" in found.problem


def test_prose_may_have_lines_and_directions_of_its_own(tmp_path: Path) -> None:
    program = FILES["programs/tiny.yaml"] + "about: |\n  One line.\n\n  שלום, a second.\nemergency: Call 112.\n"
    assert "\n" in load_cohort(lay(tmp_path, {"programs/tiny.yaml": program})).programs["tiny"].about
    program += f"first_meeting: {'x' * (LONGEST_PROSE + 1)}\n"
    [found] = faults_of(lay(tmp_path, {"programs/tiny.yaml": program}))
    assert "20001 characters" in found.problem


def test_what_a_fault_quotes_does_nothing_to_a_terminal() -> None:
    assert quoted("a\x1b[2J\u202eb\x9b") == r"`a\x1b[2J\u202eb\x9b`"
    assert quoted("Zoë 東京") == "`Zoë 東京`"


@pytest.mark.parametrize("name", ["Zoë O’Neill-Müller", "محمد", "José", "ज़ोया", "अमित\u200dकुमार"])
def test_names_of_the_world_are_names(name: str) -> None:
    assert line_problem(name) == ""


ZONES = [
    ("localtime", ()),
    ("Factory", ()),
    ("UTC+1", ("Europe/Berlin",)),
    ("GMT-5", ("America/New_York",)),
    ("+05:30", ("Asia/Kolkata",)),
    ("CEST", ("Europe/Berlin",)),
    ("berlin", ("Europe/Berlin",)),
]


@pytest.mark.parametrize(("written", "near"), ZONES)
def test_a_zone_that_is_no_place(tmp_path: Path, written: str, near: tuple[str, ...]) -> None:
    assert not is_zone(written)
    assert near_zones(written) == near
    text, line, column = spoil(COHORT, "zone: Europe/Berlin", f"zone: §{written}")
    [found] = faults_of(lay(tmp_path, {"cohorts/c.yaml": text}))
    assert (found.line, found.column) == (line, column)
    assert (near[0] if near else "such as Europe/Berlin") in found.remedy
    assert "Etc/" not in found.remedy


LANGUAGES = [
    ("deutsch", "de"), ("German", "de"), ("français", "fr"), ("de_DE", "de-DE"), ("EN", "en"), ("eng", "en"),
    ("pt-br", "pt-BR"), ("../../x", ""), ("klingon", ""), ("xx", ""), ("en; drop", ""),
]  # fmt: skip


@pytest.mark.parametrize(("written", "near"), LANGUAGES)
@pytest.mark.parametrize("old", ["holidays:", ", zone: Asia/Kolkata}"], ids=["cohort", "person"])
def test_a_language_that_is_none(tmp_path: Path, written: str, near: str, old: str) -> None:
    assert not is_language(written)
    assert near_language(written) == near
    new = f'language: §"{written}"\nholidays:' if old == "holidays:" else f', language: §"{written}"}}'
    text, line, column = spoil(COHORT, old, new)
    [found] = faults_of(lay(tmp_path, {"cohorts/c.yaml": text}))
    assert (found.line, found.column) == (line, column)
    assert "is no code of a language" in found.problem
    assert (f"`{near}`" if near else "such as en, de or pt-BR") in found.remedy


@pytest.mark.parametrize("code", ["en", "de", "de-AT", "pt-BR", "zh-Hant-TW", "es-419", "fil"])
def test_a_language_is_a_code(code: str) -> None:
    assert is_language(code)
