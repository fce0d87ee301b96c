"""Every command teaches: what it does, with examples; and help comes at once."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer.main

from cli import main
from cli.main import app
from testing.environments.cli_env import mentorship

ROOT = Path(main.__file__).parent.parent
COMMANDS = sorted(typer.main.get_command(app).commands)  # pyright: ignore[reportAttributeAccessIssue]
HEAVY = ("temporalio", "sqlalchemy", "pydantic", "jinja2", "ruamel", "starlette", "icalendar", "structlog")


def test_all_commands_are_there() -> None:
    wanted = {
        "validate", "plan", "preview", "launch", "status", "show", "ledger", "tasks", "decide", "doctor", "migrate",
        "up", "worker", "web",
    }  # fmt: skip
    assert wanted <= set(COMMANDS)


def test_without_a_command_the_help_shows_the_way() -> None:
    said = mentorship("--help", columns=100)
    assert said.code == 0
    assert "mentorship launch config/cohorts/small.yaml" in said.out
    assert "Exit codes: 0" in said.out
    for name in COMMANDS:
        assert f" {name} " in said.out


def test_it_says_which_version_it_is() -> None:
    said = mentorship("--version")
    assert (said.code, said.out) == (0, f"mentorship {version('mentorship-engine')}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_teaches_with_examples(name: str) -> None:
    said = mentorship(name, "--help", columns=100)
    assert said.code == 0
    _, _, examples = said.out.partition("Examples:")
    assert f"mentorship {name}" in examples, "no example of the command itself"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_a_narrow_terminal(name: str) -> None:
    said = mentorship(name, "--help", columns=80)
    assert max(map(len, said.out.splitlines())) <= 80


def test_each_module_adds_the_commands_that_the_table_names() -> None:
    for module, names in main.COMMANDS.items():
        assert tuple(main.commands_of(module)) == names
    on_disk = {path.stem for path in Path(main.__file__).parent.joinpath("commands").glob("[a-z]*.py")}
    assert on_disk == set(main.COMMANDS)


def test_a_command_loads_its_own_module_alone() -> None:
    code = """
import sys
from cli.main import app
try:
    app(["decide", "--help"])
except SystemExit:
    pass
print(sorted(name for name in sys.modules if name.startswith("cli.commands.")), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "['cli.commands.tasks']"


def test_reading_the_database_loads_neither_temporal_nor_alembic(installation: pytest.MonkeyPatch) -> None:
    assert mentorship("migrate").code == 0
    code = """
import sys
from cli.main import app
try:
    app(["status"])
except SystemExit:
    pass
print([name for name in ("temporalio", "alembic", "jinja2", "grpc") if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.startswith("No cohort was launched yet")
    assert done.stderr.strip() == "[]"


def test_help_loads_nothing_heavy() -> None:
    code = f"import sys, cli.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["lanch"], "launch"),
        (["status", "--helth", "good"], "--health"),
        (["plan"], "FILE"),
        (["decide", "one/task"], "DECISION"),
    ],
)
def test_a_slip_of_the_keyboard_is_answered_with_what_was_meant(words: list[str], says: str) -> None:
    said = mentorship(*words)
    assert said.code == 2
    assert says.lower() in said.err.lower()
