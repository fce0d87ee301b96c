"""Reading a cohort's file before anything is done with it: whole and checked, mail templates included, or not at all.

Nothing here needs a database or a server, and nobody is mailed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path

from lifecycle.local_time import begun_everywhere, is_zone, local_date
from mail.own_templates import SHARED, OwnTemplates
from mail.preview import FORMATS
from mail.template_check import check_templates, missing_templates
from program.files.folders import file_of
from program.files.reading import read_yaml
from program.loader import Fault, Faults, Loaded, load_cohort
from program.models import Format
from runtime.settings import Settings

__all__ = ["Fault", "Faults", "Loaded", "cohort_in", "file_of", "load"]


KEPT = 16
"""Findings of so many sets of templates."""
_checked: dict[object, tuple[tuple[str, int, str], ...]] = {}
"""What was found in the mail templates, by their folders, the formats and when each file was changed last."""


def check_templates_again(
    folders: tuple[Path, ...], formats: Collection[Format], own: OwnTemplates = SHARED
) -> Iterable[tuple[str, int, str]]:
    """What `check_templates` says, which takes a second, worked out once for templates that stay as they are."""
    files = (path for folder in folders for path in sorted(folder.rglob("*.md")))
    key = (folders, frozenset(formats), own.digest, tuple((str(path), path.stat().st_mtime_ns) for path in files))
    if key not in _checked:
        if len(_checked) >= KEPT:
            _checked.clear()
        _checked[key] = tuple(check_templates(folders, formats, own))
    return _checked[key]


def load(
    path: Path, now: datetime, *, runs: bool = False, own: Path | None = None, mails: OwnTemplates = SHARED
) -> Loaded:
    """The cohort in a file. `now` is program time (UTC). Raises Faults with all of them at once.

    A start in the past is a fault, unless the cohort `runs` already. `own` is the coordinators' own folder, as
    `program.files.folders` has it; find the file itself with `file_of`. `mails` are the cohort's own mail templates:
    they are checked in every format, for the cohort can get mentorships of another one.
    """

    def today(zone: str) -> date:
        """Today in the cohort's zone; where the file names none, a date that has begun everywhere."""
        return local_date(now, zone) if is_zone(zone) else begun_everywhere(now)

    def check(folders: tuple[Path, ...], formats: Collection[Format]) -> Iterable[tuple[str, int, str]]:
        return check_templates_again(folders, FORMATS if mails.texts else formats, mails)

    utf8 = Settings().smtp_utf8
    missing = partial(missing_templates, own=mails)
    loaded = load_cohort(path, None if runs else today, check, missing, own, utf8=utf8)
    return replace(loaded, mails=mails.texts)


def cohort_in(path: Path) -> str:
    """The id of the cohort in a file; empty where the file can't be read."""
    with suppress(Faults):
        return read_yaml(path).text("cohort") or ""
    return ""
