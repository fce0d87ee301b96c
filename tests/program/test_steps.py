"""Every step of a program can happen, in an order that makes sense: a fault where it can't, else a warning."""

from __future__ import annotations

from pathlib import Path

import pytest

from program.checks.complaints import validated
from program.checks.program_checks import check_program
from program.checks.step_checks import check_steps
from program.files.folders import SHIPPED
from program.files.reading import Source, read_yaml
from program.loader import Fault, Faults, load_program
from program.models import Program
from testing.environments.config_files import FILES, lay, spoil

FORMAL = (SHIPPED / "programs" / "formal.yaml").read_text()


def loaded(tmp_path: Path, text: str) -> tuple[Fault, ...]:
    """The warnings of a formal program with this text. Its forms are not read: that takes its time."""
    path = tmp_path / "formal.yaml"
    path.write_text(text)
    source, faults, warnings = read_yaml(path), list[Fault](), list[Fault]()
    program = validated(Program, source, faults)
    faults += check_program(program, source, "formal", warnings) if program else ()
    if faults:
        raise Faults(faults)
    return tuple(warnings)


IMPOSSIBLE = [
    # (what stood there, what stands there now with the place marked, the problem, the remedy)
    ("length: 26w ", "length: §20 ", "`20` has no unit", "20w for weeks or 20d for days"),
    ("reminders: [4d, 9d]", "reminders: [4d, §9]", "`9` has no unit", "9w for weeks or 9d for days"),
    ("silence: 90d", "silence: §90", "`90` has no unit", "90w for weeks or 90d"),
    ("length: 26w ", "length: §300w ", "five years at most, and this is 300 weeks", "26w"),
    ("length: 26w ", "length: §6d ", "a week at least", "26w"),
    ("opens: end - 3d", "opens: §end - 300d", "`closure` falls before the start of a mentorship", "end - 3d"),
    ("opens: start - 21d", "opens: §end + 1d", "`invitation` falls on or after the end", "start - 21d"),
    ("introduction: start\n", "introduction: §end\n", "`introduction` falls on or after the end", "another date"),
    ("opens: start\n", "opens: §end + 2w\n", "`agreement` falls on or after the end", "another date"),
    ("opens: start + 14d", "opens: §start - 1d", "`fit_check` falls before the start", "leave the step out"),
    ("opens: midpoint - 7d", "opens: §midpoint - 100d", "`midpoint` falls before the start", "another date"),
    ("opens: end + 26w", "opens: §end", "`follow_up` comes after the end", "end + 26w"),
    ("give_up: start + 21d", "give_up: §start - 30d", "given up before anybody is invited", "start + 21d"),
    ("wait: 7d", "wait: §0d", "`wait` must be a day at least", "wait: 7d"),
    ("last_call: 7d", "last_call: §0d", "`last_call` must be a day at least", "last_call: 7d"),
    ("open_pause_reminder: 30d", "open_pause_reminder: §0d", "must be a day at least", "30d"),
    ("  every: 2w", "  every: §0w", "`every` must be a day at least", "every: 2w"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "problem", "remedy"), IMPOSSIBLE, ids=[f"{one[1]}" for one in IMPOSSIBLE])
def test_a_step_that_can_not_happen_is_a_fault(tmp_path: Path, old: str, new: str, problem: str, remedy: str) -> None:
    text, line, column = spoil(FORMAL, old, new)
    with pytest.raises(Faults) as raised:
        loaded(tmp_path, text)
    found = [one for one in raised.value.faults if problem in one.problem]
    assert [(one.line, one.column, remedy in one.remedy) for one in found] == [(line, column, True)], raised.value
    assert len(raised.value.faults) == 1


ODD = [
    ("length: 26w ", "length: §120w ", "a mentorship of 120 weeks is unusually long", "Check"),
    ("opens: start - 21d", "opens: §start + 1d", "`invitation` opens after the introduction", "earlier"),
    ("opens: start - 21d", "opens: §start - 500d", "`invitation` opens 500 days before the start", "start - 21d"),
    ("give_up: start + 21d", "give_up: §start - 10d", "gives a seat up 3 days before the invitation closes", "later"),
    ("give_up: start + 21d", "give_up: §end", "`give_up` falls on or after the end", "earlier"),
    ("introduction: start\n", "introduction: start + 3d\n", "`agreement` opens before the introduction", "later"),
    ("closes: 7d\n\n  # A min", "closes: §182d\n\n  # A min", "`fit_check` closes 14 days after the end", "earlier"),
    ("every: 30d", "every: §200d", "no check-in fits into a mentorship of 182 days", "check_ins: null"),
    ("every: 30d", "every: §8d", "opens every 8 days and stays open for 10: they overlap", "larger `every`"),
    ("clear_of_end: 14d", "clear_of_end: 0d", "the last check-in closes 8 days after the end", "larger"),
    ("opens: midpoint - 7d", "opens: §end - 3d", "`midpoint` opens on or after the day on which", "midpoint - 7d"),
    ("[end - 28d, end - 14d]", "[end - 14d, §end - 28d]", "`winding_down` is not later than the one", "in order"),
    ("[end - 28d, end - 14d]", "[end - 28d, §end - 1d]", "`winding_down` comes after the closure form", "earlier"),
    ("[end - 28d, end - 14d]", "[§end - 28w, end - 14d]", "`winding_down` falls before the start", "leave"),
    ("opens: end - 3d", "opens: §end + 2w", "`closure` opens 14 days after the end", "end - 3d"),
    ("opens: end - 3d", "opens: §midpoint", "`closure` opens while the midpoint form is open", "end - 3d"),
    ("opens: end - 3d", "opens: end - 60d", "`closure` closes 36 days before the end", "later close"),
    ("opens: end + 26w", "opens: §end + 1w", "`follow_up` opens before the closure form closes", "end + 26w"),
    ('closes: "18:00"', 'closes: §"09:10"', "open for less than 30 minutes a day", "18:00"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "problem", "remedy"), ODD, ids=[f"{one[1]}" for one in ODD])
def test_a_step_at_an_odd_moment_is_warned_of(tmp_path: Path, old: str, new: str, problem: str, remedy: str) -> None:
    assert FORMAL.count(old) == 1
    text, line, column = spoil(FORMAL, old, new) if "§" in new else (FORMAL.replace(old, new), None, None)
    found = [one for one in loaded(tmp_path, text) if problem in one.problem]
    assert len(found) == 1, loaded(tmp_path, text)
    assert remedy in found[0].remedy
    if line is not None and "check-in" not in problem:
        assert (found[0].line, found[0].column) == (line, column)


@pytest.mark.parametrize("path", sorted((SHIPPED / "programs").glob("*.yaml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("weeks", [12, 16, 20, 26, 39, 52])
def test_a_shipped_program_of_another_length_has_no_fault(tmp_path: Path, path: Path, weeks: int) -> None:
    """Three lines are enough for another length."""
    lay(tmp_path, {"programs/ours.yaml": f"program: ours\nextends: {path.stem}\nlength: {weeks}w\n"})
    assert load_program(tmp_path / "programs" / "ours.yaml").program.length == weeks * 7


def test_days_without_a_unit_are_read_from_what_was_stored() -> None:
    stored = Program(program="formal", title="x").model_dump(mode="json")
    assert Program.model_validate(stored).length == 182


def test_the_defaults_are_in_order() -> None:
    warnings: list[Fault] = []
    assert list(check_steps(Program(program="x", title="x"), Source("x.yaml"), warnings)) == []
    assert warnings == []


def test_a_bare_zero_needs_no_unit(tmp_path: Path) -> None:
    program = FILES["programs/tiny.yaml"].replace("check_ins: null", "check_ins: {every: 30d, clear_of_end: 0}")
    lay(tmp_path, {"programs/tiny.yaml": program})
    found = load_program(tmp_path / "programs" / "tiny.yaml").program.phases.check_ins
    assert found is not None
    assert found.clear_of_end == 0
