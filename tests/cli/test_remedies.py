"""A reason stands on pages and on the command line: it names no option and no command; the command adds its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from cli.remedies import FOR_TASKS, REMEDIES, remedy_of
from lifecycle.handlers import WISHES
from operations.errors import NotFound, Refused

ROOT = Path(__file__).parents[2]
OPTION = re.compile(r"(?<![\w-])--[a-z]|`mentorship ")
OF_OPERATORS = {
    "operations/cohorts/launch.py": "what only somebody with a shell on the server can do",
    "operations/health/backup.py": "a command of operators, which no page has",
}


def refusals() -> Iterator[tuple[str, ast.Call]]:
    """Every refusal that is made: the file, and the call."""
    for room in ("operations", "lifecycle"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
                if isinstance(node, ast.Call) and name in ("Refused", "NotFound", "FileChange"):
                    yield str(path.relative_to(ROOT)), node


def texts(node: ast.AST) -> str:
    """All text in a call."""
    return " ".join(
        part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


def test_no_reason_names_an_option_or_a_command() -> None:
    found = [
        (file, text) for file, call in refusals() if OPTION.search(text := texts(call)) and file not in OF_OPERATORS
    ]
    assert found == []
    core = ast.parse((ROOT / "lifecycle" / "refusals.py").read_text("utf-8"))
    assert not OPTION.search(texts(core))


def test_every_remedy_is_for_a_reason_and_every_reason_has_its_remedy() -> None:
    used = {
        part.value
        for _, call in refusals()
        for keyword in call.keywords
        if keyword.arg == "use"
        for part in ast.walk(keyword.value)
        if isinstance(part, ast.Constant) and part.value
    }
    assert used == set(REMEDIES)
    assert remedy_of(Refused("say who decides", use="decider")).startswith("Write --as")
    assert remedy_of(NotFound("nothing")) == remedy_of(ValueError()) == ""


def test_no_reason_of_a_task_names_a_command() -> None:
    """A page shows it, with the act beside it; the command line adds what to type."""
    core = sorted((ROOT / "lifecycle").rglob("*.py"))
    found = [
        (path.name, node.value)
        for path in core
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "`mentorship " in node.value
    ]
    assert found == []
    assert {WISHES["erase"], WISHES["address"]} == set(FOR_TASKS)
    assert all("`mentorship " in words for words in FOR_TASKS.values())
