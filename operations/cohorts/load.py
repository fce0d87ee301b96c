"""Reading a cohort's file before anything is done with it: whole and checked, mail templates included, or not at all.

Nothing here needs a database or a server, and nobody is mailed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

from lifecycle.local_time import begun_everywhere, is_zone, local_date
from mail.preview import check_templates, missing_templates
from program.files.folders import file_of
from program.files.reading import read_yaml
from program.loader import Fault, Faults, Loaded, load_cohort
from program.models import Format
from runtime.settings import Settings

__all__ = ["Fault", "Faults", "Loaded", "cohort_in", "file_of", "load"]


_checked: dict[object, tuple[tuple[str, int, str], ...]] = {}
"""What was found in the mail templates, by their folders, the formats and when each file was changed last."""


def check_templates_again(folders: tuple[Path, ...], formats: Collection[Format]) -> Iterable[tuple[str, int, str]]:
    """What `check_templates` says, which takes a second, worked out once for templates that stay as they are."""
    files = (path for folder in folders for path in sorted(folder.rglob("*.md")))
    key = (folders, frozenset(formats), tuple((str(path), path.stat().st_mtime_ns) for path in files))
    if key not in _checked:
        _checked.clear()
        _checked[key] = tuple(check_templates(folders, formats))
    return _checked[key]


def load(path: Path, now: datetime, *, runs: bool = False, own: Path | None = None) -> Loaded:
    """The cohort in a file. `now` is program time (UTC). Raises Faults with all of them at once.

    A start in the past is a fault, unless the cohort `runs` already. `own` is the coordinators' own folder, as
    `program.files.folders` has it; find the file itself with `file_of`.
    """

    def today(zone: str) -> date:
        """Today in the cohort's zone; where the file names none, a date that has begun everywhere."""
        return local_date(now, zone) if is_zone(zone) else begun_everywhere(now)

    utf8 = Settings().smtp_utf8
    return load_cohort(path, None if runs else today, check_templates_again, missing_templates, own, utf8=utf8)


def cohort_in(path: Path) -> str:
    """The id of the cohort in a file; empty where the file can't be read."""
    with suppress(Faults):
        return read_yaml(path).text("cohort") or ""
    return ""
