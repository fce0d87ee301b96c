"""Reading a cohort's file before anything is done with it: whole and checked, mail templates included, or not at all.

Nothing here needs a database or a server, and nobody is mailed.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

from lifecycle.calendar import begun_everywhere, local_date
from mail.preview import check_templates
from program.loader import Fault, Faults, Loaded, load_cohort

__all__ = ["Fault", "Faults", "Loaded", "cohort_in", "load", "today_in"]


def load(path: Path, now: datetime, *, runs: bool = False) -> Loaded:
    """The cohort in a file. `now` is program time (UTC). Raises Faults with all of them at once.

    A start in the past is a fault, unless the cohort `runs` already.
    """
    return load_cohort(path, None if runs else today_in(path, now), check_templates)


def cohort_in(path: Path) -> str:
    """The id of the cohort in a file; empty where the file has faults."""
    with suppress(Faults):
        return load_cohort(path).cohort.cohort
    return ""


def today_in(path: Path, now: datetime) -> date:
    """Today in the cohort's zone; where the file doesn't say which, a date that has begun everywhere."""
    with suppress(Faults):
        return local_date(now, load_cohort(path).cohort.zone)
    return begun_everywhere(now)
