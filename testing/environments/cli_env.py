"""The command line in tests: a config folder, an environment, and commands typed as a person types them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from cli.main import app
from mail.template_check import check_templates

CONFIG = Path(__file__).parents[2] / "config"
SECRET = "only-for-tests-only-for-tests-only-for-tests"

check_templates_once = cache(check_templates)
"""The templates are the same in almost every test, and looking at them all takes a while."""

AROUND_THE_CLOCK = """\
letterbox:
  opens: "00:00"
  closes: "23:59"
  days: [mon, tue, wed, thu, fri, sat, sun]
"""


def closed_now() -> tuple[str, time]:
    """A letterbox that stays closed for some hours, and when it opens."""
    opens = time(20) if datetime.now(UTC).hour < 12 else time(2)
    hours = f'  opens: "{opens:%H:%M}"\n  closes: "{opens.hour + 2:02}:00"\n'
    return f"letterbox:\n{hours}  days: [mon, tue, wed, thu, fri, sat, sun]\n", opens


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The standard output, which must be one JSON value and nothing else."""
        return json.loads(self.out)


def mentorship(*words: str, typed: str | None = None, columns: int = 200) -> CommandResult:
    """Type `mentorship WORDS`. Not under a terminal, so nothing is asked unless `typed` answers it."""
    result = CliRunner().invoke(app, list(words), input=typed, env={"COLUMNS": str(columns), "NO_COLOR": "1"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return CommandResult(result.exit_code, result.stdout, result.stderr)


def today() -> date:
    """Today in UTC, the zone of the cohorts here."""
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class ConfigFolder:
    """A config folder with a program and a cohort that can be launched today."""

    folder: Path

    @classmethod
    def at(cls, folder: Path, letterbox: str = AROUND_THE_CLOCK) -> ConfigFolder:
        """Lay out the folder: a program like `formal`, with another letterbox."""
        for name in ("programs", "cohorts"):
            (folder / name).mkdir(parents=True)
        formal = (CONFIG / "programs" / "formal.yaml").read_text()
        before, _, rest = formal.partition("letterbox:\n")
        _, _, after = rest.partition("\n\n")
        program = (before + letterbox + "\n" + after).replace("program: formal", "program: trial")
        (folder / "programs" / "trial.yaml").write_text(program)
        return cls(folder)

    def cohort(
        self,
        name: str,
        pairs: int | Iterable[str] = 2,
        *,
        start: date | None = None,
        names: Mapping[str, str] | None = None,
        title: str = "Trial",
    ) -> Path:
        """Write a cohort's file: pairs m1, m2 … of a01 with b01 and so on. It starts so soon that it invites now."""
        keys = [f"m{n}" for n in range(1, pairs + 1)] if isinstance(pairs, int) else list(pairs)
        people = [f"{side}{key[1:]}" for key in keys for side in "ab"]
        called = {id_: f"Person {id_}" for id_ in people} | dict(names or {})
        lines = [
            f"cohort: {name}",
            f"title: {title}",
            "program: trial",
            f"start: {start or today() + timedelta(days=10)}",
            "zone: UTC",
            "coordinators:",
            f"  - {{id: {name}-c1, name: Petra Novák, email: petra@{name}.example.org}}",
            "participants:",
            *(f"  - {{id: {name}-{id_}, name: {called[id_]}, email: {id_}@{name}.example.org}}" for id_ in people),
            "mentorships:",
            *(f"  - {{key: {key}, mentor: {name}-a{key[1:]}, mentee: {name}-b{key[1:]}}}" for key in keys),
        ]
        path = self.folder / "cohorts" / f"{name}.yaml"
        path.write_text("\n".join(lines) + "\n")
        return path
