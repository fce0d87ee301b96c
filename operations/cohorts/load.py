"""Reading a cohort's file before anything is done with it: whole and checked, mail templates included, or not at all.

Nothing here needs a database or a server, and nobody is mailed.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

from lifecycle.local_time import begun_everywhere, is_zone, local_date
from mail.preview import check_templates, missing_templates
from program.folders import file_of
from program.loader import Fault, Faults, Loaded, load_cohort
from program.reading import read_yaml
from runtime.settings import Settings

__all__ = ["Fault", "Faults", "Loaded", "cohort_in", "file_of", "load"]


def load(path: Path, now: datetime, *, runs: bool = False, own: Path | None = None) -> Loaded:
    """The cohort in a file. `now` is program time (UTC). Raises Faults with all of them at once.

    A start in the past is a fault, unless the cohort `runs` already. `own` is the coordinators' own folder, as
    `program.folders` has it; find the file itself with `file_of`.
    """

    def today(zone: str) -> date:
        """Today in the cohort's zone; where the file names none, a date that has begun everywhere."""
        return local_date(now, zone) if is_zone(zone) else begun_everywhere(now)

    utf8 = Settings().smtp_utf8
    return load_cohort(path, None if runs else today, check_templates, missing_templates, own, utf8=utf8)


def cohort_in(path: Path) -> str:
    """The id of the cohort in a file; empty where the file can't be read."""
    with suppress(Faults):
        return read_yaml(path).text("cohort") or ""
    return ""
