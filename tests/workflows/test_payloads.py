"""A mentorship runs for a year, through many releases: what one release wrote, every later one must read, and mean
the same by it. Recorded by `python -m tools.scripts.record_histories RELEASE`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from program.models import Program
from testing.payload_samples import KINDS, PROGRAMS, adapter, written
from workflows.inputs import WORDING

PAYLOADS = Path(__file__).parent / "payloads"
STORED = sorted(path for path in PAYLOADS.glob("*/*.json") if path.name != PROGRAMS)
IDS = [f"{path.parent.name}/{path.stem}" for path in STORED]

WHAT_TO_DO = """\
{where} can't be read any more: mentorships that are under way would stop at their next step, wherever this is
installed. Fields may only be added, each with a default; none may be renamed, change its type or lose its default.
Never record samples of an earlier release again.
{failure}"""


def read(path: Path, said: Any) -> Any:
    """What the payload converter makes of it."""
    kind = KINDS[path.stem]
    try:
        return adapter(kind).validate_json(json.dumps(said))
    except ValueError as failure:
        where = f"{path.parent.name}/{path.name}"
        return pytest.fail(WHAT_TO_DO.format(where=where, failure=failure), pytrace=False)


def lost(said: Any, now: Any, where: str = "") -> list[str]:
    """Where what was said isn't said any more."""
    if isinstance(said, dict) and isinstance(now, dict):
        pairs = [(name, value, now.get(name)) for name, value in said.items()]
    elif isinstance(said, list) and isinstance(now, list) and len(said) == len(now):
        pairs = [(n, value, now[n]) for n, value in enumerate(said)]
    else:
        return [] if said == now else [f"{where}: {said!r} became {now!r}"]
    return [each for name, value, other in pairs for each in lost(value, other, f"{where}.{name}")]


@pytest.mark.parametrize("path", STORED, ids=IDS)
def test_what_was_written_is_read_and_nothing_of_it_lost(path: Path) -> None:
    for sample in json.loads(path.read_text()):
        found = lost(sample["whole"], written(KINDS[path.stem], read(path, sample["whole"])))
        assert not found, f"{path.parent.name}/{path.name}: {'; '.join(found)}"


@pytest.mark.parametrize("path", STORED, ids=IDS)
def test_what_had_a_default_still_has_one(path: Path) -> None:
    for sample in json.loads(path.read_text()):
        read(path, sample["bare"])


def test_there_is_a_sample_of_everything_that_is_written() -> None:
    missing = sorted(set(KINDS) - {path.stem for path in STORED})
    assert not missing, f"python -m tools.scripts.record_histories RELEASE records {', '.join(missing)}"


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob(f"*/{PROGRAMS}")), ids=lambda path: path.parent.name)
def test_a_program_that_runs_means_what_it_meant(path: Path) -> None:
    """What is default isn't written: another default would change mentorships that are under way."""
    for sample in json.loads(path.read_text()):
        means = Program.model_validate(sample["written"]).model_dump(mode="json", exclude=WORDING)
        found = lost(sample["meant"] | {"program": means["program"]}, means)
        assert not found, (
            f"{path.parent.name}: program {sample['written']['program']} means something else now. A new default is "
            f"for programs to come: write it into the files, or give the field another name. {'; '.join(found)}"
        )
