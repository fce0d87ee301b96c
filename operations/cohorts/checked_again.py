"""What checking a version of a cohort's file came to, worked out once for pages that show the same version.

Reading a version takes a second, and with thousands of people many: each look at its wording would wait for that. A
finding holds for the texts, for the programs, forms and mails on disk as they are, and for a quarter of an hour: in
no zone does a date change within one. It is kept in memory alone, for what it holds names people.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from operations.cohorts import files
from operations.cohorts.files import CheckedFile, CohortTexts
from program.files.folders import SHIPPED, template_folders
from runtime.settings import Settings

QUARTER = 900
"""Seconds that a finding holds."""
CHARACTERS = 4_000_000
"""Of the texts whose findings are kept, together; the one that was checked last is kept however long it is."""

_Key = tuple[object, ...]
_kept: dict[_Key, tuple[int, int, CheckedFile]] = {}
"""Key to (quarter, characters, finding), the one that was asked for last at the end."""


def check_again(texts: CohortTexts, cohort: str, now: datetime, settings: Settings, *, runs: bool) -> CheckedFile:
    """What `files.check` says. Call it in a thread, as that."""
    quarter = int(now.timestamp() // QUARTER)
    for key in [key for key, (when, _, _) in _kept.copy().items() if when != quarter]:
        _kept.pop(key, None)
    key = (texts.digest, cohort, runs, settings.own_config, tuple(_on_disk(settings.own_config)))
    if found := _kept.pop(key, None):
        _kept[key] = found
        return found[2]
    checked = files.check(texts, cohort, now, settings, runs=runs)
    size = sum(map(len, (texts.file, texts.people, texts.pairs, *texts.wording.values())))
    _kept[key] = (quarter, size, checked)
    _make_room(key)
    return checked


def _make_room(latest: _Key) -> None:
    """Forget what was asked for longest ago, until the rest is small enough."""
    for key in list(_kept):
        if sum(size for _, size, _ in _kept.copy().values()) <= CHARACTERS:
            return
        if key != latest:
            _kept.pop(key, None)


def _on_disk(own: Path | None) -> Iterator[tuple[str, int]]:
    """Every program, form and mail that a file can use, with when it was changed last (nanoseconds)."""
    folders = [folder / kind for folder in (own, SHIPPED) if folder for kind in ("programs", "forms")]
    for folder in (*folders, *template_folders(None, own)):
        for path in sorted(folder.rglob("*.*")):
            with suppress(FileNotFoundError):  # an editor's, that is gone again
                yield str(path), path.stat().st_mtime_ns
