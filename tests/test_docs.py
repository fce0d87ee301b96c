"""The documentation is executed: every command of README and docs runs, and prints every line of output that the page
shows. Generated pages match the code. Files, functions and tests that a page names exist.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from testing.servers.forking_command import forking_command
from tools.scripts import reference, scaling

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LINKED = [*PAGES, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs" / "decisions").glob("*.md"))]

ELSEWHERE = {
    "make demo": "tests/demo plays it",
    "make test": "is what runs this",
    "make faults": "takes its time; tests/faults plays some of it",
    "make bench": "measures, and takes its time",
}
"""Commands that are not run here, and where they are."""


@dataclass
class Shown:
    """A command as a page shows it, with the lines of output that stand below it."""

    page: str
    command: str
    output: list[str] = field(default_factory=list)


def shown(page: Path) -> Iterator[Shown]:
    """The commands of a page's `console` blocks, in order."""
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        one: Shown | None = None
        for line in block.splitlines():
            if line.startswith("$ "):
                if one is not None:
                    yield one
                one = Shown(page.name, line.removeprefix("$ "))
            elif one is not None and line.strip() not in ("", "…"):
                one.output.append(line.strip())
        if one is not None:
            yield one


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """A copy of what users edit, with the embedded stack running beside it, as the README says."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("config", "docs", "templates"):
        shutil.copytree(ROOT / name, folder / name)
    ports = {
        name: str(free_port())
        for name in ("SMTP_PORT", "WEB_PORT", "TEMPORAL_PORT", "TEMPORAL_UI_PORT", "INBOX_PORT", "METRICS_PORT")
    }
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("MENTORSHIP_", "TEMPORAL_"))},
        **{f"MENTORSHIP_{name}": value for name, value in ports.items()},
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "TEMPORAL_ADDRESS": f"127.0.0.1:{ports['TEMPORAL_PORT']}",
        "COLUMNS": "160",
        "NO_COLOR": "1",
    }
    log = folder / "up.log"
    with log.open("w") as output:
        stack = subprocess.Popen(
            [BIN / "mentorship", "up"],
            cwd=folder,
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(int(ports["WEB_PORT"]), stack, log)
        with forking_command(tmp_path_factory.mktemp("command"), env) as env_of_shells:
            yield folder, env_of_shells
    finally:
        stack.send_signal(signal.SIGINT)
        try:
            stack.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(stack.pid, signal.SIGKILL)


def _wait_for(port: int, stack: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert stack.poll() is None, log.read_text()
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"the embedded stack did not come up: {log.read_text()}")


@pytest.mark.timeout(900)
def test_every_command_of_the_pages_runs(checkout: tuple[Path, dict[str, str]]) -> None:
    folder, env = checkout
    tried = 0
    for one in (one for page in PAGES for one in shown(page)):
        if one.command in ELSEWHERE:
            continue
        # A command that is shown to fail shows that by the exit code of the shell, or the page writes `|| true`.
        done = subprocess.run(
            ["bash", "-c", one.command], cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{one.page}: {one.command}\n{said}"
        for line in one.output:
            assert _plain(line) in _plain(said), f"{one.page}: {one.command} does not say {line!r}, but\n{said}"
        tried += 1
    assert tried >= 12


def _plain(text: str) -> str:
    """Text without the spaces by which tables are laid out."""
    return " ".join(text.split())


def test_commands_that_run_elsewhere_are_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for command in ELSEWHERE:
        assert re.search(rf"^{command.removeprefix('make ')}: .*## ", makefile, re.MULTILINE)


def _caption(package: Path) -> str:
    """The first line of a package's docstring, without its full stop."""
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8")))
    assert docstring, f"{package.name} has no docstring"
    return docstring.splitlines()[0].removesuffix(".")


def _subpackages(package: Path) -> set[str]:
    return {path.parent.name for path in package.glob("*/__init__.py")}


def _rooms() -> list[str]:
    """The rooms of the import contracts, sorted; the tests are in the contracts and are no room."""
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    return sorted(set(packages) - {"tests"})


def test_the_readme_lists_every_room_with_its_caption_and_its_sub_rooms() -> None:
    """The table of rooms, the packages and the import contracts agree."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)/` \| (.+?) \| (.+?) \|$", readme, re.MULTILINE)
    assert sorted(room for room, _, _ in rows) == sorted(_subpackages(ROOT) - {"tests"}) == _rooms()
    for room, caption, sub_rooms in rows:
        assert caption == _caption(ROOT / room), room
        assert set(re.findall(r"`(\w+)`", sub_rooms)) == _subpackages(ROOT / room), room


def test_every_sub_room_has_a_caption() -> None:
    assert all(_caption(path.parent) for room in _rooms() for path in (ROOT / room).glob("*/__init__.py"))


def test_the_glossary_defines_each_word_once_and_its_modules_exist() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|`]+) \| `([\w/.]+)` \| .+ \|$", text, re.MULTILINE)
    words = [word.strip() for words, _ in rows for word in re.sub(r"\(.*?\)", "", words).split(",")]
    assert len(words) > 50
    assert len(words) == len(set(words))
    assert [file for _, file in rows if not (ROOT / file).is_file()] == []
    assert len(rows) + 2 * text.count("| word |") == len(re.findall(r"^\|", text, re.MULTILINE)), "a row is malformed"


def test_files_and_functions_that_the_contributing_page_names_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    functions = re.findall(r"`([\w/]+\.py)::(\w+)`", text)
    assert len(functions) > 20
    for file, function in functions:
        assert re.search(rf"^ *(async )?def {function}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), (
            f"{file} has no {function}"
        )
    rooms = "|".join((*(path.parent.name for path in ROOT.glob("*/__init__.py")), "config", "templates"))
    paths = re.findall(rf"\b(?:{rooms})/[\w/.]*", text)
    assert [
        path for path in paths if not re.search("NAME|NNNN", path) and not (ROOT / path.rstrip(".")).exists()
    ] == []
    assert len(paths) > 40
    names = re.findall(r"`(\w+)` (?:\([^)]*\) )?(?:in|of)\s+`([\w/]+\.py)`", text)
    assert len(names) > 4
    for name, file in names:
        defined = rf"^(class {name}\b|{name}\b.*=|(async )?def {name}\()"
        assert re.search(defined, (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), f"{file} has no {name}"


@pytest.mark.parametrize("page", [page for page in LINKED if page.name != "CHANGELOG.md"], ids=lambda page: page.name)
def test_files_of_the_code_that_a_page_names_exist(page: Path) -> None:
    """Cohorts and templates are the reader's to write, so those that a page names need not be here."""
    rooms = "|".join([*_rooms(), "tests", "docs"])
    paths = re.findall(rf"(?<![\w/.-])(?:{rooms})/[\w/.-]*", page.read_text(encoding="utf-8"))
    assert [path for path in paths if "NNNN" not in path and not (ROOT / path.rstrip(".-")).exists()] == []


def test_the_reference_says_what_the_code_says() -> None:
    assert reference.page() == reference.PAGE.read_text(), "run .venv/bin/python -m tools.scripts.reference"


def test_what_the_page_on_security_claims_is_held_by_tests_that_exist() -> None:
    claims = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "security.md").read_text(encoding="utf-8"))
    assert len(claims) > 40
    for file, test in claims:
        assert re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), test


def test_the_arithmetic_of_scaling_is_worked_out() -> None:
    text = scaling.PAGE.read_text(encoding="utf-8")
    assert not re.search(r"\de[+-]\d", text), "a number with an exponent"
    assert all(table in text for table in scaling.tables().values()), "run .venv/bin/python -m tools.scripts.scaling"


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", text) + re.findall(r'src="([^"]+)"', text)
    for target in targets:
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
