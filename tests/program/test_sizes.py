"""Files that are larger than any cohort: refused before they are read, and never parsed for minutes first."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from program.files.people import read_pairs, read_people
from program.files.reading import read_yaml
from program.limits import CSV_BYTES, CSV_COLUMNS, CSV_ROWS, YAML_BYTES
from program.loader import Faults, load_cohort
from testing.cpu_budget import within
from testing.environments.config_files import FILES, lay

AT_ONCE = 0.25
"""Seconds of CPU."""
SOON = 8.0
"""Seconds of CPU for the largest file that is read, of the dearest kind."""

READERS: dict[str, Callable[[Path], object]] = {
    "yaml": read_yaml,
    "people": read_people,
    "pairs": read_pairs,
    "cohort": load_cohort,
}


def refused(read: Callable[[Path], object], path: Path) -> tuple[str, float]:
    """(what is said, seconds of CPU)"""
    began = time.process_time()
    with pytest.raises(Faults) as found:
        read(path)
    return str(found.value), time.process_time() - began


@pytest.mark.parametrize(("kind", "at_most"), [("yaml", YAML_BYTES), ("cohort", YAML_BYTES), ("people", CSV_BYTES)])
def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, kind: str, at_most: int) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"a: [" + b"a," * 5_000_000 + b"]\n")
    said, seconds = refused(READERS[kind], path)
    assert f"large.yaml:1:1: the file has 10,001 KB, and at most {at_most // 1000:,} KB are read." in said
    assert "CSV" in said or "divide the cohort" in said
    assert within(seconds, AT_ONCE)


@pytest.mark.parametrize("kind", ["yaml", "people"])
def test_what_has_no_size_before_it_is_read_has_an_end_as_well(kind: str) -> None:
    said, _ = refused(READERS[kind], Path("/dev/zero"))
    assert "KB are read" in said


@pytest.mark.parametrize("kind", ["people", "pairs"])
@pytest.mark.parametrize("quoted", [False, True])
def test_ten_thousand_columns_are_one_fault(tmp_path: Path, kind: str, quoted: bool) -> None:
    mark = '"' if quoted else ""
    path = tmp_path / "wide.csv"
    line = ",".join(f"{mark}column{number}{mark}" for number in range(10_000))
    path.write_text(f"{line}\n" * 10)
    said, seconds = refused(READERS[kind], path)
    assert said.splitlines() == [
        f"{path}:1:1: the first line names 10,000 columns, and at most {CSV_COLUMNS} are read. "
        "Is it the right file? Leave out what nobody needs."
    ]
    assert within(seconds, AT_ONCE)


def test_too_many_rows_are_one_fault_at_the_first_of_them(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("id,name,email\n" + "p,Ada,a@example.org\n" * (CSV_ROWS + 5))
    found = read_people(path)
    assert [str(fault).removeprefix(f"{path}:") for fault in found.faults] == [
        f"{CSV_ROWS + 2}:1: the table has more than 50,000 rows. Divide the cohort."
    ]
    assert len(found.rows) == CSV_ROWS


def test_the_dearest_table_is_read_soon(tmp_path: Path) -> None:
    """Every cell in quotes, in as many columns as there may be."""
    header = ",".join(("id", "name", "email", *(f"c{number}" for number in range(CSV_COLUMNS - 3))))
    row = ",".join('"' + "x" * 7_000 + '"' for _ in range(CSV_COLUMNS))
    path = tmp_path / "dear.csv"
    path.write_text("\n".join([header, *[row] * (CSV_BYTES // len(row) - 1)]))
    began = time.process_time()
    assert read_people(path).faults == []
    assert within(time.process_time() - began, SOON)


def test_a_cell_is_found_by_its_column(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text('id,name,email\np1,"Ada, of ""X""",ada@example.org\n')
    found = read_people(path)
    places = {column: found.places[(0, column)].column for column in ("id", "name", "email")}
    assert places == {"id": 1, "name": 4, "email": 20}


def test_a_cohort_of_the_usual_size_is_far_from_every_limit(tmp_path: Path) -> None:
    assert load_cohort(lay(tmp_path, {}))
    assert max(len(text) for text in FILES.values()) < YAML_BYTES / 100
