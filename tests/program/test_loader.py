"""What is loaded, from where, and when its content counts as changed."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path

import pytest

from lifecycle.tasks import KINDS
from program.checks.form_checks import READ_AS, fits
from program.checks.program_checks import ASKS, TASK_KINDS, asks_of
from program.forms import READ_BY_RULES
from program.loader import SHIPPED, Faults, load_cohort, load_form, load_program
from testing.environments.config_files import COHORT, FILES, FROM_CSV, PAIRS, PEOPLE, lay

TODAY = date(2026, 11, 22)
PROGRAMS = sorted((SHIPPED / "programs").glob("*.yaml"))
FORMS = sorted((SHIPPED / "forms").glob("*.yaml"))
shipped_form = lru_cache(load_form)
COHORTS = sorted((SHIPPED / "cohorts").glob("*.yaml"))


@pytest.mark.parametrize("path", COHORTS, ids=lambda path: path.stem)
def test_a_shipped_cohort_loads_without_fault_or_warning(path: Path) -> None:
    loaded = load_cohort(path, TODAY)
    assert loaded.warnings == ()
    assert loaded.cohort.cohort == path.stem


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_shipped_program_loads_with_a_form_for_everything_it_asks(path: Path) -> None:
    loaded = load_program(path)
    assert loaded.warnings == ()
    assert all(loaded.form(ask).questions for ask in asks_of(loaded.program))
    assert loaded.program.about
    assert loaded.program.first_meeting
    assert loaded.program.emergency
    assert len(loaded.program.meetings_guides) == 3


def test_every_format_ships() -> None:
    formats = {path.stem: load_program(path).program.format for path in PROGRAMS}
    assert formats == {
        "formal": "one_to_one",
        "group": "group",
        "informal": "one_to_one",
        "open-call": "one_to_one",
        "peer": "peer",
        "reverse": "reverse",
    }


def test_the_shipped_formal_program_writes_out_the_defaults() -> None:
    program = load_program(SHIPPED / "programs" / "formal.yaml").program
    bare = type(program)(program="formal", title="x")
    assert program.phases == bare.phases
    assert program.letterbox == bare.letterbox
    assert program.rhythm == bare.rhythm
    assert program.length == bare.length
    assert program.rules.model_copy(update={"due": {}}) == bare.rules


def test_the_shipped_informal_program_has_three_check_ins_and_little_else() -> None:
    program = load_program(SHIPPED / "programs" / "informal.yaml").program
    check_ins = program.phases.check_ins
    assert check_ins is not None
    days = range(check_ins.every, program.length, check_ins.every)
    clear = [day for day in days if day < program.length - check_ins.clear_of_end]
    assert len(clear) == 3
    assert asks_of(program) == ("invitation", "check_in", "closure", "follow_up", "are_you_there")


def test_due_dates_can_be_set_for_every_task_and_ship_as_the_lifecycle_has_them() -> None:
    assert set(TASK_KINDS) == set(KINDS)
    due = load_program(SHIPPED / "programs" / "formal.yaml").program.rules.due
    assert due == {kind: days for kind, (days, _) in KINDS.items()}


def test_it_is_known_how_the_rules_read_each_question_they_need() -> None:
    assert {question for needed in READ_BY_RULES.values() for question in needed} <= set(READ_AS)
    assert set(READ_BY_RULES) <= set(ASKS)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
@pytest.mark.parametrize("role", ["mentor", "mentee", "peer"])
@pytest.mark.parametrize("format_", ["one_to_one", "reverse", "peer", "group"])
def test_a_contented_person_can_answer_all_that_a_shipped_form_requires(path: Path, role: str, format_: str) -> None:
    form = shipped_form(path)
    for early in (False, True):
        for question in form.questions_for(role, format_, early):
            if question.required and question.type != "sign":
                assert fits(question, question.contented), question.id
                assert question.contented is not None, question.id


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_shipped_form_forces_no_words(path: Path) -> None:
    forced = {question.id for question in load_form(path).questions if question.required and question.type == "text"}
    assert forced <= {"a_purpose"}


def test_the_small_cohort_says_every_key_that_a_cohort_may_have() -> None:
    text = (SHIPPED / "cohorts" / "small.yaml").read_text()
    cohort = load_cohort(SHIPPED / "cohorts" / "small.yaml").cohort
    models = (cohort, cohort.coordinators[0], cohort.participants[0], cohort.mentorships[0])
    for key in {key for model in models for key in type(model).model_fields}:
        assert f"{key}:" in text


def test_the_realistic_cohort_is_one() -> None:
    loaded = load_cohort(SHIPPED / "cohorts" / "realistic.yaml")
    cohort = loaded.cohort
    assert len(cohort.participants) == 60
    assert {person.zone for person in cohort.participants} == {"Europe/Berlin", "America/New_York", "Asia/Kolkata"}
    assert set(loaded.programs) == {path.stem for path in PROGRAMS} - {"open-call"}, "it waits for its pairs"
    assert (len(cohort.coordinators), len(cohort.deputies)) == (2, 1)


def test_ids_of_shipped_cohorts_do_not_clash() -> None:
    cohorts = [load_cohort(path).cohort for path in COHORTS]
    ids = [person.id for one in cohorts for person in (*one.participants, *one.coordinators, *one.deputies)]
    assert len(ids) == len(set(ids))


def test_people_get_the_zone_and_language_of_their_cohort_unless_they_have_their_own(tmp_path: Path) -> None:
    text = COHORT.replace("zone: Europe/Berlin", "zone: Europe/Berlin\nlanguage: de").replace(
        "zone: Asia/Kolkata", "zone: Asia/Kolkata, language: en"
    )
    cohort = load_cohort(lay(tmp_path, {"cohorts/c.yaml": text})).cohort
    found = [(person.id, person.zone, person.language) for person in cohort.participants[:2]]
    assert found == [("p1", "Europe/Berlin", "de"), ("p2", "Asia/Kolkata", "en")]
    assert (cohort.coordinators[0].zone, cohort.coordinators[0].language) == ("Europe/Berlin", "de")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with byte order mark"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_people_and_pairs_in_csv_are_the_same_as_in_yaml(
    tmp_path: Path, delimiter: str, mark: bytes, newline: str
) -> None:
    def csv(text: str) -> bytes:
        kept = text.replace('"Raman, Deepak"', "Deepak Raman").replace(",", delimiter).replace("\n", newline)
        return mark + kept.encode()

    files = {"cohorts/c.yaml": FROM_CSV, "cohorts/people.csv": csv(PEOPLE), "cohorts/pairs.csv": csv(PAIRS)}
    from_csv = load_cohort(lay(tmp_path / "a", files), TODAY).cohort
    in_yaml = load_cohort(lay(tmp_path / "b"), TODAY).cohort
    assert [(p.id, p.name, p.email, p.zone) for p in from_csv.participants] == [
        (p.id, p.name, p.email, p.zone) for p in in_yaml.participants
    ]
    assert from_csv.participants[0].profile == {"place": "Berlin"}
    assert from_csv.participants[0].mentees_at_most == 1
    assert from_csv.participants[3].language == "de"
    assert [m.members() for m in from_csv.mentorships] == [m.members() for m in in_yaml.mentorships]
    assert from_csv.mentorships[1].start == date(2027, 4, 1)


def test_csv_and_inline_people_add_up(tmp_path: Path) -> None:
    text = COHORT.replace("  - {id: p4, name: Jannis Tiedemann, email: jannis@example.org}\n", "")
    people = 'id,name,email,place\np4,"Tiedemann, Jannis",jannis@example.org,"Kiel,\r\nby the sea"\n'
    files = {"cohorts/c.yaml": text + "people: people.csv\n", "cohorts/people.csv": people}
    cohort = load_cohort(lay(tmp_path, files), TODAY).cohort
    assert [person.id for person in cohort.participants] == ["p1", "p2", "p3", "p4"]
    assert cohort.participants[3].name == "Tiedemann, Jannis"
    assert cohort.participants[3].profile == {"place": "Kiel,\nby the sea"}


@pytest.mark.parametrize("cell", ["p2 p3", "p2|p3", " p2 | p3 "])
def test_several_mentees_in_a_cell(tmp_path: Path, cell: str) -> None:
    program = FILES["programs/tiny.yaml"].replace("length: 12w", "length: 12w\nformat: group")
    files = {
        "programs/tiny.yaml": program,
        "cohorts/c.yaml": FROM_CSV,
        "cohorts/people.csv": PEOPLE,
        "cohorts/pairs.csv": f"key,mentor,mentees\nm1,p4,{cell}\n",
    }
    assert load_cohort(lay(tmp_path, files)).cohort.mentorships[0].mentees == ("p2", "p3")


def test_a_column_like_a_known_one_is_warned_of_before_it_becomes_profile(tmp_path: Path) -> None:
    files = {
        "cohorts/c.yaml": FROM_CSV,
        "cohorts/people.csv": PEOPLE.replace(",zone,", ",zones,"),
        "cohorts/pairs.csv": PAIRS,
    }
    warnings = load_cohort(lay(tmp_path, files)).warnings
    assert [(Path(one.file).name, one.line, one.column) for one in warnings] == [("people.csv", 1, 15)]
    assert "`zones` becomes part of the profile" in warnings[0].problem


def test_somebody_may_coordinate_and_take_part_in_the_same_words(tmp_path: Path) -> None:
    same = COHORT.replace("id: c1, name: Konrad Achterberg", "id: p3, name: Caroline Sedgwick")
    same = same.replace("konrad@", "caroline@")
    assert load_cohort(lay(tmp_path / "a", {"cohorts/c.yaml": same})).cohort.coordinators[0].id == "p3"
    other = same.replace("id: p3, name: Caroline Sedgwick", "id: p3, name: Caroline S.", 1)
    with pytest.raises(Faults, match="is given twice"):
        load_cohort(lay(tmp_path / "b", {"cohorts/c.yaml": other}))


def test_text_stays_text_in_yaml(tmp_path: Path) -> None:
    profile_lines = "    profile: {country: NO, door: '007', since: 2019-01-01, at: 09:30}\n"
    text = COHORT.replace("    mentees_at_most: 1\n", profile_lines)
    profile = load_cohort(lay(tmp_path, {"cohorts/c.yaml": text})).cohort.participants[0].profile
    assert profile == {"country": "NO", "door": "007", "since": "2019-01-01", "at": "09:30"}


def test_no_date_is_in_the_past_when_nobody_says_what_day_it_is(tmp_path: Path) -> None:
    text = COHORT.replace("2027-03-01", "2020-03-01")
    assert load_cohort(lay(tmp_path, {"cohorts/c.yaml": text})).cohort.start == date(2020, 3, 1)


def test_a_program_and_a_form_beside_the_cohort_come_before_the_shipped_ones(tmp_path: Path) -> None:
    shipped = (SHIPPED / "programs" / "informal.yaml").read_text()
    files = {
        "programs/informal.yaml": shipped.replace("title: Informal mentoring", "title: Ours"),
        "cohorts/c.yaml": COHORT.replace("mentee: p4", "mentee: p4, program: informal"),
    }
    loaded = load_cohort(lay(tmp_path, files), TODAY)
    assert loaded.programs["informal"].title == "Ours"
    assert loaded.forms["informal"]["invitation"].title == "Invitation"
    assert loaded.forms["informal"]["check_in"].title == "Check-in"
    assert loaded.program_of(loaded.cohort.mentorships[1]).program.title == "Ours"
    assert set(loaded.hashes) == {"tiny", "informal"}


def test_a_form_of_another_name_stands_in_for_an_ask(tmp_path: Path) -> None:
    files = {
        "programs/tiny.yaml": FILES["programs/tiny.yaml"].replace("closure: closure", "closure: goodbye"),
        "forms/goodbye.yaml": FILES["forms/closure.yaml"].replace("form: closure", "form: goodbye"),
    }
    loaded = load_program(lay(tmp_path, files).parent.parent / "programs" / "tiny.yaml")
    assert loaded.form("closure").form == "goodbye"


UNCHANGED = [
    ("programs/tiny.yaml", "length: 12w", "length: 12w   # about three months"),
    ("programs/tiny.yaml", "length: 12w", "length: 84d"),
    ("programs/tiny.yaml", "rules:", "\n\nrules:"),
    ("forms/closure.yaml", "questions:", "# why we ask\nquestions:"),
    ("forms/closure.yaml", "label: A line", 'label: "A line"'),
]
CHANGED = [
    ("programs/tiny.yaml", "length: 12w", "length: 13w"),
    ("programs/tiny.yaml", "silent: 4", "silent: 5"),
    ("programs/tiny.yaml", "title: A tiny program", "title: Another"),
    ("forms/closure.yaml", "label: A line", "label: One line"),
    ("forms/are_you_there.yaml", "label: Stuck", "label: Not going"),
]


@pytest.mark.parametrize(
    ("file", "old", "new", "same"), [(*row, True) for row in UNCHANGED] + [(*row, False) for row in CHANGED]
)
def test_the_hash_changes_with_the_content_and_only_with_it(
    tmp_path: Path, file: str, old: str, new: str, same: bool
) -> None:
    before = load_cohort(lay(tmp_path / "a")).hashes["tiny"]
    changed = FILES[file].replace(old, new)
    assert changed != FILES[file]
    after = load_cohort(lay(tmp_path / "b", {file: changed})).hashes["tiny"]
    assert (before == after) is same


def test_a_thousand_people_and_five_hundred_pairs(tmp_path: Path) -> None:
    people = "id,name,email,zone\n" + "".join(f"x{n},Somebody,x{n}@example.org,Asia/Kolkata\n" for n in range(1000))
    pairs = "key,mentor,mentees\n" + "".join(f"m{n},x{n},x{n + 500}\n" for n in range(500))
    files = {"cohorts/c.yaml": FROM_CSV, "cohorts/people.csv": people, "cohorts/pairs.csv": pairs}
    loaded = load_cohort(lay(tmp_path, files), TODAY)
    assert (len(loaded.cohort.participants), len(loaded.cohort.mentorships)) == (1000, 500)
    assert loaded.warnings == ()
