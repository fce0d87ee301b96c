"""A program that is another one but for what its file says; and a folder of one's own, outside the checkout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from program.content import content_hash
from program.files.folders import SHIPPED, file_of, search_order, template_folders
from program.forms import Form
from program.loader import Fault, Faults, LoadedProgram, load_cohort, load_program
from program.models import Program
from testing.environments.config_files import COHORT, FILES, lay

STORED = Path(__file__).parent / "stored_program.json"
"""A program with its forms as version 0.1.0 froze it in SQL, with the hash under which it did."""


def program(folder: Path, text: str, **others: str) -> LoadedProgram:
    files = {"ours": text, **others}
    lay(folder, {f"programs/{name}.yaml": one for name, one in files.items()})
    return load_program(folder / "programs" / "ours.yaml")


def faults_of(folder: Path, text: str, **others: str) -> list[Fault]:
    with pytest.raises(Faults) as raised:
        program(folder, text, **others)
    return list(raised.value.faults)


def test_three_lines_are_a_program_of_another_length(tmp_path: Path) -> None:
    formal = load_program(SHIPPED / "programs" / "formal.yaml").program
    ours = program(tmp_path, "program: ours\nextends: formal\nlength: 20w\n").program
    assert ours == formal.model_copy(update={"program": "ours", "length": 140})


def test_keys_are_put_together_and_lists_are_replaced(tmp_path: Path) -> None:
    text = (
        "program: ours\nextends: tiny\nphases:\n  onboarding: {invitation: {reminders: [5d]}}\n"
        "rules: {due: {help: 1}}\nletterbox: {days: [mon]}\n"
    )
    ours = program(tmp_path, text).program
    assert ours.phases.onboarding.invitation.reminders == (5,)
    assert ours.phases.onboarding.invitation.closes == 14
    assert ours.rules.due == {"silent": 4, "help": 1}
    assert ours.letterbox.days == ("mon",)
    assert ours.phases.midpoint is None


def test_what_is_extended_may_extend_another(tmp_path: Path) -> None:
    second = "program: second\nextends: tiny\ntitle: Second\nlength: 10w\n"
    ours = program(tmp_path, "program: ours\nextends: second\nlength: 9w\n", second=second).program
    assert (ours.title, ours.length, ours.phases.check_ins) == ("Second", 63, None)


def test_what_is_frozen_is_whole_and_has_the_hash_of_the_same_program_written_out(tmp_path: Path) -> None:
    written_out = FILES["programs/tiny.yaml"].replace("program: tiny", "program: ours").replace("12w", "10w")
    short = program(tmp_path / "a", "program: ours\nextends: tiny\nlength: 10w\n")
    assert short == program(tmp_path / "b", written_out)
    assert "extends" not in short.program.model_dump(mode="json")


def test_a_program_stored_by_an_older_version_is_read_and_has_the_hash_that_it_had() -> None:
    """What is refused in a file today may stand in a version that runs."""
    stored = json.loads(STORED.read_text())
    kept = Program.model_validate(stored["program"])
    forms = {name: Form.model_validate(form) for name, form in stored["forms"].items()}
    assert content_hash(kept, forms) == stored["hash"]
    assert kept.model_validate(kept.model_dump(mode="json")) == kept


MISTAKES = [
    ("program: ours\nextends: formall\n", 2, 10, "there is no program `formall`", "Did you mean `formal`?"),
    ("program: ours\nextends: [formal]\n", 2, 10, "`extends` should name one program", "`extends: formal`"),
    ("program: ours\nextends: ours\n", 2, 10, "the program `ours` extends itself", "id of another"),
    ("program: ours\nextend: tiny\ntitle: x\n", 2, 1, "unknown key `extend`", "mean `extends`?"),
    ("program: ours\nextends: tiny\nlenght: 20w\n", 3, 1, "unknown key `lenght`", "mean `length`?"),
    ("program: ours\nextends: tiny\nlength: 20\n", 3, 9, "`20` has no unit", "20w for weeks"),
    ("program: ours\nextends: tiny\nevery: 20d\n", 3, 1, "unknown key `every`", "`rhythm` or `phases: check_ins`"),
]


@pytest.mark.parametrize(("text", "line", "column", "problem", "remedy"), MISTAKES, ids=[one[3] for one in MISTAKES])
def test_a_mistake_is_named_where_it_stands(
    tmp_path: Path, text: str, line: int, column: int, problem: str, remedy: str
) -> None:
    [found] = faults_of(tmp_path, text)
    assert (Path(found.file).name, found.line, found.column) == ("ours.yaml", line, column)
    assert problem in found.problem
    assert remedy in found.remedy


def test_programs_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    found = faults_of(tmp_path, "program: ours\nextends: other\n", other="program: other\nextends: ours\n")
    assert [(Path(one.file).name, one.line) for one in found] == [("other.yaml", 2)]
    assert "extends itself" in found[0].problem


def test_a_fault_of_the_other_program_is_told_alone_and_in_its_own_file(tmp_path: Path) -> None:
    other = FILES["programs/tiny.yaml"].replace("program: tiny", "program: other").replace("14d", "8d")
    [found] = faults_of(tmp_path, "program: ours\nextends: other\nlength: 20w\n", other=other)
    assert (Path(found.file).name, found.line) == ("other.yaml", 12)


def test_what_only_goes_wrong_together_is_told_in_the_file_that_extends(tmp_path: Path) -> None:
    """The length stands in our file, what does not fit it in the other one."""
    loaded = program(tmp_path, "program: ours\nextends: formal\nlength: 3w\n")
    odd = [one for one in loaded.warnings if "give_up" in one.problem]
    assert [(Path(one.file).name, one.line) for one in odd] == [("ours.yaml", 3)]
    text = "program: ours\nextends: formal\nphases: {closure: {window: {closes: 12d}}}\n"
    [found] = faults_of(tmp_path / "b", text)
    assert (Path(found.file).name, found.line, found.column) == ("ours.yaml", 2, 10)
    assert "`closure` after 13 days" in found.problem
    assert "(inherited from " in found.problem
    assert "formal.yaml line " in found.problem


# -- a folder of one's own ---------------------------------------------------------------------------------------


def test_the_own_folder_comes_before_what_ships_and_after_what_stands_beside_the_file(tmp_path: Path) -> None:
    own, beside = tmp_path / "own", tmp_path / "beside"
    assert search_order(beside, own) == (beside, own, SHIPPED)
    assert search_order(SHIPPED, own) == (own, SHIPPED)
    assert search_order(own, own) == (own, SHIPPED)
    assert search_order(SHIPPED, None) == (SHIPPED,)


def test_a_shipped_cohort_uses_the_programs_and_forms_of_the_own_folder(tmp_path: Path) -> None:
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "formal.yaml").write_text("program: formal\nextends: formal\ntitle: Ours\nlength: 20w\n")
    (tmp_path / "forms").mkdir()
    closure = (SHIPPED / "forms" / "closure.yaml").read_text()
    (tmp_path / "forms" / "closure.yaml").write_text(closure.replace("title: Looking back", "title: Goodbye"))
    loaded = load_cohort(SHIPPED / "cohorts" / "small.yaml", own=tmp_path)
    assert (loaded.programs["formal"].title, loaded.programs["formal"].length) == ("Ours", 140)
    assert loaded.forms["formal"]["closure"].title == "Goodbye"
    assert load_cohort(SHIPPED / "cohorts" / "small.yaml").programs["formal"].length == 182


def test_a_cohort_of_the_own_folder_finds_what_ships(tmp_path: Path) -> None:
    (tmp_path / "cohorts").mkdir()
    file = tmp_path / "cohorts" / "c.yaml"
    file.write_text(COHORT.replace("program: tiny", "program: formal"))
    assert load_cohort(file, own=tmp_path).programs["formal"].title == "Mentoring program"


@pytest.mark.parametrize(
    "written", ["c", "c.yaml", "cohorts/c.yaml", "config/cohorts/c.yaml", Path("config", "cohorts", "c.yaml")]
)
def test_a_file_is_found_by_its_name_or_by_its_usual_path(tmp_path: Path, written: str) -> None:
    lay(tmp_path)
    assert file_of("cohorts", Path(written), tmp_path) == tmp_path / "cohorts" / "c.yaml"


def test_a_path_that_says_where_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, here = tmp_path / "own", tmp_path / "here"
    lay(own)
    monkeypatch.chdir(lay(here).parent.parent)
    for written in (here / "cohorts" / "c.yaml", Path("./nothing.yaml").absolute()):
        assert file_of("cohorts", written, own) == written
    assert file_of("cohorts", Path("../x.yaml"), own) == Path("../x.yaml")
    assert file_of("cohorts", Path("cohorts/c.yaml"), own) == own / "cohorts" / "c.yaml"
    assert file_of("cohorts", Path("cohorts/c.yaml"), None) == Path("cohorts/c.yaml")
    assert file_of("cohorts", Path("small"), own) == SHIPPED / "cohorts" / "small.yaml"
    assert file_of("people", Path("mixed"), own) == SHIPPED / "people" / "mixed.yaml"
    assert file_of("cohorts", Path("nothing"), own) == Path("nothing")


def test_templates_of_the_own_folder_come_before_the_shipped_ones(tmp_path: Path) -> None:
    shipped = SHIPPED.parent / "templates" / "mail"
    assert template_folders(None, tmp_path) == (shipped,)
    (tmp_path / "templates" / "mail").mkdir(parents=True)
    assert template_folders(None, tmp_path) == (tmp_path / "templates" / "mail", shipped)
    assert template_folders(tmp_path / "config", None) == (tmp_path / "templates" / "mail", shipped)
    assert template_folders(SHIPPED, None) == (shipped,)


def test_a_section_matching_of_its_own_stands_alone(tmp_path: Path) -> None:
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "mine.yaml").write_text(
        "extends: formal\nprogram: mine\nmatching:\n  rules: [{same: languages}]\n"
    )
    matching = load_program(tmp_path / "programs" / "mine.yaml").program.matching
    assert matching is not None
    assert [rule.kind for rule in matching.rules] == ["same"]
    assert matching.score == ()
    (tmp_path / "programs" / "mine.yaml").write_text("extends: formal\nprogram: mine\n")
    inherited = load_program(tmp_path / "programs" / "mine.yaml").program.matching
    assert inherited == load_program(SHIPPED / "programs" / "formal.yaml").program.matching
