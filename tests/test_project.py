"""The project as a whole: its style, its types, the arrows between its rooms, and what must not stand in it."""

from __future__ import annotations

import ast
import builtins
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools.scripts import quick

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent

CHECKS = {
    "ruff finds nothing": ["ruff", "check", "."],
    "the layout is ruff's": ["ruff", "format", "--check", "."],
    "the rooms import what they may": ["lint-imports"],
    "pyright finds nothing": ["pyright"],
    "no code is dead": ["vulture"],
    "nothing in workflows is different in a replay": ["python", "-m", "tools.scripts.determinism"],
}


@pytest.mark.parametrize("command", CHECKS.values(), ids=CHECKS.keys())
def test_check(command: list[str]) -> None:
    """`make lint`, one by one."""
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_make_lint_runs_the_same_checks() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for command in CHECKS.values():
        assert f"$(BIN)/{' '.join(command)}\n" in makefile


def test_make_quick_runs_them_too_with_the_types_of_every_room() -> None:
    command, *checked = quick.types()
    assert {(command,), *quick.LINT} == {tuple(command) for command in CHECKS.values()}
    assert {*checked} >= {*ROOMS, "worker.py"} - {"tests"}


def _committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines()]


def test_nothing_names_a_package_index_or_somebody_s_machine() -> None:
    strange = re.compile(r"(^|[^\w.])/(work|farm|home/\w+)/|https?://[^ \"]+/(simple|packages)/")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _committed()
        if path.is_file() and path.suffix not in (".png", ".ico", ".woff2") and path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if strange.search(line)
    ]
    assert not found


@pytest.mark.parametrize("name", ["requirements.lock", "deploy/requirements.lock"])
def test_what_is_installed_is_locked_to_the_byte_and_names_no_index(name: str) -> None:
    """Every line is a package at one version with its hashes, or a comment: no address, no option, nothing loose."""
    text = (ROOT / name).read_text()
    entries = re.sub(r" \\\n", " ", re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    pinned = re.compile(r"[a-z0-9][\w.-]*(\[[\w,-]+\])?==[\w.!+]+( ; [^\\]+?)?( +--hash=sha256:[0-9a-f]{64})+")
    assert len(entries) > 40
    assert [entry for entry in entries if entry and not pinned.fullmatch(entry)] == []
    assert "://" not in text


def test_make_audit_looks_at_both_locks_and_takes_no_silence_for_an_answer() -> None:
    """Where the list of weaknesses can't be asked, `--strict` makes that a failure instead of a clean bill."""
    [command] = [line for line in (ROOT / "Makefile").read_text().splitlines() if "bin/pip-audit --" in line]
    assert {"--strict", "--require-hashes", "requirements.lock", "deploy/requirements.lock"} <= set(command.split())


ROOMS: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]


@pytest.mark.parametrize("room", sorted({*ROOMS} - {"tests"}))
def test_files_stay_small_enough_to_read(room: str) -> None:
    """A file over about 400 lines is a sign that a room is missing."""
    for path in (ROOT / room).rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 450, path.relative_to(ROOT)


def test_errors_that_docstrings_name_exist() -> None:
    """Who calls a function catches what its docstring says that it raises."""
    errors = {name for name, value in vars(builtins).items() if isinstance(value, type)}
    named: list[tuple[str, str]] = []
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                errors.add(node.name)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
                for said in re.findall(r"\b[Rr]aises\b([^.;:]*)", ast.get_docstring(node) or ""):
                    where = f"{path.relative_to(ROOT)}::{getattr(node, 'name', '')}"
                    named += ((where, error) for error in re.findall(r"`([A-Z]\w+)`", said))
    assert len(named) > 100
    assert [(where, error) for where, error in named if error not in errors] == []


def test_every_room_has_import_contracts_and_types() -> None:
    """A new room must be named in each of the lists; otherwise it would go unchecked without a word."""
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    contracts = {contract["name"]: contract for contract in tools["importlinter"]["contracts"]}
    [layers] = [contract["layers"] for contract in contracts.values() if contract["type"] == "layers"]
    [acyclic] = [contract["ancestors"] for contract in contracts.values() if contract["type"] == "acyclic_siblings"]
    beside = {room for layer in layers for room in layer.split(" | ")}
    assert {*ROOMS} == beside == rooms
    assert {*acyclic} == rooms - {"tests"}
    assert {*tools["pyright"]["include"]} == rooms | {"worker.py"}
    assert {*tools["vulture"]["paths"]} == rooms - {"tests"} | {"worker.py"}
    assert {*tools["coverage"]["run"]["source"]} == rooms - {"tests", "testing", "tools"} | {"worker"}


def test_the_worker_imports_only_what_runs_in_production() -> None:
    """worker.py is a module beside the rooms, so the import contracts can't cover it."""
    modules = {
        (node.module or "").partition(".")[0] if isinstance(node, ast.ImportFrom) else alias.name.partition(".")[0]
        for node in ast.walk(ast.parse((ROOT / "worker.py").read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    below = {"program", "lifecycle", "store", "mail", "activities", "workflows", "runtime", "operations", "web"}
    assert modules & {*ROOMS} <= below


def test_the_rooms_below_do_not_import_the_worker() -> None:
    """Only what starts it does: the embedded stack, the command, the tools and the tests."""
    for room in ("program", "lifecycle", "store", "mail", "activities", "workflows", "rehearsal", "runtime",
                 "operations", "web"):  # fmt: skip
        for path in (ROOT / room).rglob("*.py"):
            found = re.search(r"^\s*(from worker import|import worker)\b", path.read_text(), re.MULTILINE)
            assert found is None, path.relative_to(ROOT)


def test_no_wheel_is_built_but_what_is_run_goes_into_the_image() -> None:
    """This is an application: its rooms must not end in somebody's site-packages, where their names would collide."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "targets" not in project["tool"]["hatch"]["build"]
    image = set(re.findall(r"^!(\w+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert {*ROOMS} - image == {"demo", "testing", "tests", "tools"}


@pytest.mark.parametrize("name", [".env", "secrets/mentorship_secret", "data/mentorship.db", "data/inbox/000001.eml"])
def test_what_an_installation_makes_in_the_checkout_is_not_committed(name: str) -> None:
    """The docs have people make these here: one `git add .` must not publish them."""
    ignored = subprocess.run(["git", "check-ignore", "--quiet", "--no-index", name], cwd=ROOT, check=False)
    assert ignored.returncode == 0
