"""A fingerprint of the code that decides the commands of workflows: a change asks whether running ones can continue.

    python -m tools.scripts.fingerprint           # confirms the code of today if all stored histories still replay
    python -m tools.scripts.fingerprint --all     # the same, and prints every name that changed

Stored histories can't hold every way that a workflow may take. So everything that runs inside workflows has a
fingerprint, by class and function, without comments, docstrings and types; a test compares it with what was confirmed
last.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from program.faults import counted
from testing.replay import STORED, failure_of

ROOT = Path(__file__).parents[2]
CONFIRMED = ROOT / "tests" / "workflows" / "histories" / "fingerprint.json"

BEGINS = ("workflows.mentorship", "workflows.cohort", "workflows.postmaster")
OURS = ("workflows", "lifecycle", "program", "activities")

NO_COMMANDS = {
    "workflows.ui_card": "is only read by people",
    "workflows.options": "time-outs and retries are not compared in a replay",
}
"""Modules that can change no command, and why."""

NAMED = 5
"""Modules that the summary names."""

ASK = """\
What decides the commands of workflows has changed: {changed}.
Workflows that are under way go through their past again with the new code, and must ask the same of Temporal: the
same timers, activities (carry_out, deliver, start_mentorships, cohort_progress), search attributes and continuing as
new, in the same order and number. All {number} stored histories still do. They don't hold every way, so think of one
that comes past your change:
- It does and asks the same as before (a new name, another wording, a faster way): confirm it.
- It does something else from now on, and only then (a new kind of event, a program that nobody runs yet): confirm it.
- It would have done something else in its past: guard the new way with `workflow.patched("what-changed")`, or leave
  running ones on the version they began with (docs/operations.md, "Upgrade in mid-season").
To confirm: python -m tools.scripts.fingerprint
If it can do something new: python -m tools.scripts.record_histories RELEASE, with a life that does it."""


def fingerprint() -> dict[str, dict[str, str]]:
    """Module to what it defines, each with its fingerprint."""
    return {
        name: of(file_of(name).read_text()) for name in sorted(modules_reached(BEGINS)) if name not in NO_COMMANDS
    }


def of(source: str) -> dict[str, str]:
    """What a module defines, each with its fingerprint."""
    return dict(sorted(_definitions(ast.parse(source))))


def changes(before: dict[str, dict[str, str]], now: dict[str, dict[str, str]]) -> list[str]:
    """What is new, gone or otherwise."""
    return [
        f"{module}.{name}" if name else module
        for module in sorted({*before, *now})
        for name in sorted({*before.get(module, {}), *now.get(module, {})})
        if before.get(module, {}).get(name) != now.get(module, {}).get(name)
    ]


def confirmed() -> dict[str, dict[str, str]]:
    """What was written down last."""
    return json.loads(CONFIRMED.read_text()) if CONFIRMED.exists() else {}


def file_of(module: str) -> Path:
    """The file of a module of ours."""
    path = ROOT / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def modules_reached(begins: tuple[str, ...]) -> set[str]:
    """All modules of ours that these import, directly or not."""
    reached: set[str] = set()
    left = list(begins)
    while left:
        module = left.pop()
        if module in reached or module.partition(".")[0] not in OURS or not file_of(module).is_file():
            continue
        reached.add(module)
        for node in ast.walk(ast.parse(file_of(module).read_text())):
            if isinstance(node, ast.Import):
                left += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                left += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return reached


def _definitions(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Functions, methods and what else stands in a module, by name; what has no name goes by nothing."""
    rest: list[ast.stmt] = []
    for node in tree.body:
        match node:
            case ast.ClassDef():
                methods = [
                    method for method in node.body if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
                ]
                node.body = [method for method in node.body if method not in methods]
                yield node.name, _print(node)
                yield from ((f"{node.name}.{method.name}{_role(method)}", _print(method)) for method in methods)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.name, _print(node)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name, _print(node)
            case ast.Import() | ast.ImportFrom() | ast.If(test=ast.Name(id="TYPE_CHECKING")):
                pass
            case ast.With() if all(isinstance(statement, ast.ImportFrom) for statement in node.body):
                pass
            case _:
                rest.append(node)
    yield "", _print(ast.Module(rest, []))


def _role(method: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """A property and its setter have one name."""
    names = [decorator.attr for decorator in method.decorator_list if isinstance(decorator, ast.Attribute)]
    return "@setter" if "setter" in names else ""


def _print(node: ast.AST) -> str:
    return sha256(repr(_plain(node)).encode()).hexdigest()[:12]


UNSEEN = ("annotation", "returns", "ctx", "kind", "type_comment", "type_params")
"""What a running program doesn't see, or what other versions of Python write otherwise."""


def _plain(node: Any) -> Any:
    """A syntax tree without remarks and types. Types of a class's fields stay: messages are read by them."""
    if isinstance(node, list):
        return [_plain(each) for each in cast("list[Any]", node) if not _remark(each)]
    if not isinstance(node, ast.AST):
        return node
    unseen = UNSEEN[1:] if isinstance(node, ast.AnnAssign) else UNSEEN
    parts = [(name, _plain(value)) for name, value in ast.iter_fields(node) if name not in unseen]
    return type(node).__name__, [(name, value) for name, value in parts if value not in (None, [])]


def _remark(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


async def main(*, every_name: bool = False) -> None:
    """Write the fingerprint down, unless a stored history can't be replayed."""
    for path in STORED:
        if failure := await failure_of(path):
            raise SystemExit(failure)
    now = fingerprint()
    changed = changes(confirmed(), now)
    CONFIRMED.write_text(json.dumps(now, indent=0, sort_keys=True) + "\n")
    print(f"{len(STORED)} histories replayed; confirmed: {summary(changed)}.")
    if every_name:
        print("\n".join(changed))


def summary(changed: list[str]) -> str:
    """One line: how many definitions changed, and in which modules."""
    if not changed:
        return "nothing had changed"
    modules = sorted({_module(name) for name in changed})
    named = ", ".join(modules[:NAMED]) + (f" and {len(modules) - NAMED} more" if len(modules) > NAMED else "")
    return f"{counted(len(changed), 'changed definition')} in {named}"


def _module(name: str) -> str:
    """The module of a dotted name, which may name a class or a method in it, or a module that is gone."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if file_of(".".join(parts[:end])).is_file() and end > 1:
            return ".".join(parts[:end])
    return ".".join(parts[:2])


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Confirm the code that runs inside workflows.")
    arguments.add_argument("--all", action="store_true", help="print every name that changed")
    asyncio.run(main(every_name=arguments.parse_args().all))
