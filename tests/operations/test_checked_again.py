"""Findings about a cohort's file that are kept: for the same texts only, not for long, and not too many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from operations.cohorts import checked_again
from operations.cohorts.checked_again import CHARACTERS, QUARTER, check_again
from operations.cohorts.files import CohortTexts, check
from program.files.folders import SHIPPED
from runtime.settings import Settings

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
TEXTS = CohortTexts((SHIPPED / "cohorts" / "small.yaml").read_text("utf-8"))


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> Iterator[None]:
    checked_again._kept.clear()
    yield
    checked_again._kept.clear()


def settings_of(config: Path | str = "") -> Settings:
    """Settings with this own folder."""
    return Settings(_env_file=None, config=str(config))  # pyright: ignore[reportCallIssue]


def test_the_same_texts_are_read_once_and_others_anew() -> None:
    settings = settings_of()
    first = check_again(TEXTS, "small", NOW, settings, runs=False)
    assert first == check(TEXTS, "small", NOW, settings, runs=False)
    assert first.loaded is not None
    assert check_again(TEXTS, "small", NOW, settings, runs=False) is first
    edited = replace(TEXTS, file=TEXTS.file.replace("spring 2027", "summer 2027"))
    other = check_again(edited, "small", NOW, settings, runs=False).loaded
    assert other is not None
    assert "summer" in other.cohort.title
    assert check_again(TEXTS, "another", NOW, settings, runs=False).faults
    assert check_again(TEXTS, "small", NOW, settings, runs=True) is not first


def test_a_program_that_is_edited_on_disk_counts_at_once(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    before = check_again(TEXTS, "small", NOW, settings, runs=False)
    (tmp_path / "programs").mkdir()
    text = (SHIPPED / "programs" / "formal.yaml").read_text("utf-8")
    (tmp_path / "programs" / "formal.yaml").write_text(text.replace("length: 26w", "length: 27w"), "utf-8")
    after = check_again(TEXTS, "small", NOW, settings, runs=False)
    assert before.loaded is not None
    assert after.loaded is not None
    assert [one.programs["formal"].length for one in (before.loaded, after.loaded)] == [182, 189]


def test_a_start_that_has_passed_meanwhile_is_a_fault() -> None:
    """The cohort starts on 1 March in Berlin, where the day begins at 23:00 UTC."""
    settings = settings_of()
    last_moment = datetime(2027, 3, 1, 22, 59, tzinfo=UTC)
    assert check_again(TEXTS, "small", last_moment, settings, runs=False).loaded is not None
    assert check_again(TEXTS, "small", last_moment + timedelta(minutes=1), settings, runs=False).faults
    assert len(checked_again._kept) == 1, "what was found in another quarter of an hour is forgotten"
    assert timedelta(seconds=QUARTER) == timedelta(minutes=15)


def test_what_is_kept_has_a_bound() -> None:
    settings = settings_of()
    long = "# " + "x" * (CHARACTERS // 3) + "\n"
    for n in range(4):
        check_again(replace(TEXTS, file=f"{TEXTS.file}{long}# {n}\n"), "small", NOW, settings, runs=False)
    assert len(checked_again._kept) == 2
    longest = replace(TEXTS, file=TEXTS.file + long * 4)
    found = check_again(longest, "small", NOW, settings, runs=False)
    assert len(checked_again._kept) == 1
    assert check_again(longest, "small", NOW, settings, runs=False) is found
