"""On which days somebody is away, by their own word (lifecycle 2.7): a reminder does not reach them then.

An absence is never a pause: nothing moves, and everything but reminders goes out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from lifecycle.local_time import DAY

LATEST = date(9000, 1, 1)
"""No absence lasts longer, so that there is always a day after it."""

Absence = tuple[date, date]
"""The first and the last day, both included, in the person's own zone."""


def back_on(absences: Iterable[Absence], on: date) -> date | None:
    """The first day after this one on which nobody is away any more; None where they are not away on this day."""
    back = on
    for first, last in sorted(absences):
        if first <= back <= last:
            back = last + DAY
    return None if back == on else back
