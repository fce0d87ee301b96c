"""Dates and the instants at which they begin and end in a zone. The only place that does zone arithmetic.

A wall time that DST skips becomes the next valid minute; one that occurs twice means the first (lifecycle 2.4).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from program.models import WEEKDAYS

DAY = timedelta(days=1)
MIDNIGHT = time(0, 0)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of this name. Raises ZoneInfoNotFoundError (the loader has checked it before)."""
    return ZoneInfo(name)


@lru_cache(maxsize=1024)
def is_zone(name: str) -> bool:
    """Whether there is an IANA zone of this name."""
    try:
        zone(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


@lru_cache(maxsize=65536)
def instant(on: date, at: time, zone_name: str) -> datetime:
    """The UTC instant of a wall time in a zone; a skipped wall time becomes the next valid minute."""
    tz = zone(zone_name)
    wall = datetime.combine(on, at, tzinfo=tz)
    found = wall.astimezone(UTC)
    if found.astimezone(tz).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return found
    # In a gap fold=0 takes the offset before the jump, fold=1 the offset after it: the jump lies between.
    early, late = sorted((found, wall.replace(fold=1).astimezone(UTC)))
    before = tz.utcoffset(early.astimezone(tz))
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) / 2
        if middle.astimezone(tz).utcoffset() == before:
            early = middle
        else:
            late = middle
    jump = late.replace(microsecond=0)
    return jump if jump.second == 0 else jump + timedelta(seconds=60 - jump.second)


def begins(on: date, zone_name: str) -> datetime:
    """The UTC instant at which a date begins in a zone."""
    return instant(on, MIDNIGHT, zone_name)


def has_ended(on: date, zone_name: str) -> datetime:
    """The UTC instant at which a date has ended in a zone."""
    return instant(on + DAY, MIDNIGHT, zone_name)


@lru_cache(maxsize=65536)
def begins_for(on: date, zones: tuple[str, ...]) -> datetime:
    """The UTC instant at which a date begins for the first of these zones (lifecycle 2.2)."""
    return min(begins(on, name) for name in zones)


@lru_cache(maxsize=65536)
def ended_for(on: date, zones: tuple[str, ...]) -> datetime:
    """The UTC instant at which a date has ended for the last of these zones (lifecycle 2.2)."""
    return max(has_ended(on, name) for name in zones)


@lru_cache(maxsize=8192)
def local_date(at: datetime, zone_name: str) -> date:
    """The calendar date of an instant in a zone. Kept, for a turn asks for the same again and again."""
    return at.astimezone(zone(zone_name)).date()


def is_sending_day(on: date, days: Collection[str], holidays: Collection[date]) -> bool:
    """Whether mail may arrive on this date: one of the weekdays `days`, and no holiday."""
    return WEEKDAYS[on.weekday()] in days and on not in holidays


def begun_somewhere(at: datetime) -> date:
    """The latest date that has begun in any zone on Earth: nothing is due that bears a later one."""
    return local_date(at, "Etc/GMT-14")


def begun_everywhere(at: datetime) -> date:
    """A date that has begun in every zone on Earth: what follows from an event waits for no midnight."""
    return local_date(at, "Etc/GMT+12")


def working_days_after(on: date, count: int, days: Collection[str], holidays: Collection[date]) -> date:
    """The date `count` working days later, counted from the day after; 0 is the date itself (lifecycle 7)."""
    found = on
    while count > 0:
        found += DAY
        if is_sending_day(found, days, holidays):
            count -= 1
    return found
