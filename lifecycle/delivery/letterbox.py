"""When a person's letterbox is open: wall times on sending days in the person's own zone (lifecycle 2.4-5).

The one place that answers "when may this arrive?"; the postmaster, the plan and the rehearsal all ask here.
It reads no clock and must never answer with an instant outside an open letterbox.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import NamedTuple

from lifecycle.local_time import DAY, begins, instant, is_sending_day, local_date
from program.models import Letterbox

LOOK_AHEAD = 800
"""Days searched for the next open letterbox: longer than any list of holidays makes sense."""


class NeverOpenError(ValueError):
    """The letterbox has no sending day within `LOOK_AHEAD` days. The loader refuses such a program."""


@dataclass(frozen=True, slots=True)
class LetterboxRule:
    """When mail may arrive: from `opens` up to, not including, `closes` (wall times) on sending days.

    `days` are the weekday names of `program.models.WEEKDAYS`, `holidays` the cohort's.
    """

    opens: time
    closes: time
    days: frozenset[str]
    holidays: frozenset[date] = frozenset()


class Opening(NamedTuple):
    """One day's opening: the local date, and the UTC instants from which and until which it is open."""

    on: date
    opens: datetime
    closes: datetime


def rule_of(letterbox: Letterbox, holidays: Iterable[date] = ()) -> LetterboxRule:
    """The rule that a program's letterbox and a cohort's holidays make together."""
    return LetterboxRule(letterbox.opens, letterbox.closes, frozenset(letterbox.days), frozenset(holidays))


@lru_cache(maxsize=65536)
def opening(rule: LetterboxRule, zone: str, since: date) -> Opening:
    """The first open letterbox on this local date or later. Raises NeverOpenError where there is none.

    A day whose whole opening time is skipped by DST is no sending day.
    """
    on = since
    for _ in range(LOOK_AHEAD):
        if is_sending_day(on, rule.days, rule.holidays):
            opens = instant(on, rule.opens, zone)
            closes = instant(on, rule.closes, zone)
            if opens < closes:
                return Opening(on, opens, closes)
        on += DAY
    raise NeverOpenError(
        f"the letterbox is not open on any of the {LOOK_AHEAD} days from {since}: "
        "it needs a sending day that is no holiday, and must open before it closes"
    )


def is_open(rule: LetterboxRule, zone: str, at: datetime) -> bool:
    """Whether the letterbox is open at this instant."""
    found = opening(rule, zone, local_date(at, zone))
    return found.opens <= at < found.closes


def next_open(rule: LetterboxRule, zone: str, not_before: datetime, not_on: date | None = None) -> datetime:
    """The earliest UTC instant, `not_before` or later, at which the letterbox is open, on another local date
    than `not_on` (the day's mail is used up). Raises NeverOpenError."""
    found = opening(rule, zone, local_date(not_before, zone))
    while not_before >= found.closes or found.on == not_on:
        found = opening(rule, zone, found.on + DAY)
    return max(found.opens, not_before)


def ready_at(on: date, zone: str, queued_at: datetime) -> datetime:
    """When an item may go at the earliest: its date has begun in the person's zone, and the engine has it."""
    return max(begins(on, zone), queued_at)
