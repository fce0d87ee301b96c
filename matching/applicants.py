"""The people to be matched, as far as matching needs to know them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from program.matching import Matching

Value = str | bool | tuple[str, ...]
"""What somebody answered: a text, yes or no, or a list (ranked where the order means something)."""

WEEK = 7 * 48
"""Half-hours of a week; half-days of people in two zones are compared in them."""
HALF_DAYS = {"am": (18, 26), "pm": (26, 34)}
"""Half-hours of the local day: 9 to 13 and 13 to 17 o'clock."""
IN_COMMON = 4
"""Half-hours that two half-days must share to be one in common: two hours."""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Applicant:
    """Somebody who wants a mentor, wants to be one, or both. `wishes` are ids, the first wish first."""

    id: str
    mentor: bool = False
    mentee: bool = False
    capacity: int = 1
    """As a mentor: how many mentees at most."""
    zone: str = "UTC"
    fields: Mapping[str, Value] = field(default_factory=dict[str, Value])
    wishes_as_mentee: tuple[str, ...] = ()
    wishes_as_mentor: tuple[str, ...] = ()
    not_with: frozenset[str] = frozenset()
    """Ids of people with whom they are never matched: refused, or excluded by one of the two."""
    had: frozenset[str] = frozenset()
    """Ids of people with whom they were in a mentorship before; the rule `not_again` reads it."""

    def values(self, name: str) -> tuple[str, ...]:
        """The values of a field as a list; empty where nothing was answered."""
        value = self.fields.get(name, ())
        if isinstance(value, bool):
            return ("yes",) if value else ("no",)
        return ((value,) if value else ()) if isinstance(value, str) else tuple(one for one in value if one)

    def says_yes(self, name: str) -> bool:
        """Whether a yes-or-no field was answered with yes."""
        return self.values(name) in (("yes",), ("true",))


class Tags:
    """The vocabulary: every spelling of a tag is the tag."""

    def __init__(self, matching: Matching) -> None:
        self._of = {
            spelling.casefold(): tag.tag for tag in matching.tags for spelling in (tag.tag, tag.label, *tag.also)
        }
        self._labels = {tag.tag: tag.label for tag in matching.tags}

    def of(self, words: Iterable[str]) -> tuple[str, ...]:
        """The tags of these words, each once, in their order; a word that is no tag stands for itself."""
        return tuple(dict.fromkeys(self._of.get(word.strip().casefold(), word.strip().casefold()) for word in words))

    def knows(self, word: str) -> bool:
        """Whether a word is a spelling of a tag."""
        return word.strip().casefold() in self._of

    def label(self, tag: str) -> str:
        """The tag as people read it."""
        return self._labels.get(tag, tag)


def half_days(applicant: Applicant, name: str, on: date) -> tuple[int, ...]:
    """The half-days of a field such as `mon_am`, each as a mask of the half-hours of a week in UTC.

    `on` says which offset from UTC holds: the date on which the cohort starts.
    """
    masks = (_mask(one.lower().strip(), applicant.zone, on) for one in applicant.values(name))
    return tuple(dict.fromkeys(mask for mask in masks if mask is not None))


def available(applicant: Applicant, name: str, on: date) -> int:
    """All half-hours of the week, in UTC, of the half-days of a field, as one mask."""
    mask = 0
    for one in half_days(applicant, name, on):
        mask |= one
    return mask


def windows(applicant: Applicant, name: str, on: date) -> tuple[tuple[str, int], ...]:
    """Every two hours within a half-day of a field: (the half-day, its mask), each half-day once."""
    return tuple(
        (one, _bits(hours[first : first + IN_COMMON]))
        for one in dict.fromkeys(value.lower().strip() for value in applicant.values(name))
        if (hours := _half_hours(one, applicant.zone, on))
        for first in range(len(hours) - IN_COMMON + 1)
    )


def _mask(half_day: str, zone: str, on: date) -> int | None:
    hours = _half_hours(half_day, zone, on)
    return _bits(hours) if hours else None


def _bits(half_hours: Iterable[int]) -> int:
    mask = 0
    for half_hour in half_hours:
        mask |= 1 << half_hour
    return mask


@lru_cache(maxsize=4096)
def _half_hours(half_day: str, zone: str, on: date) -> tuple[int, ...]:
    """The half-hours of the week in UTC, in their order; none where this is no half-day."""
    day, _, part = half_day.replace("-", "_").replace(" ", "_").partition("_")
    if day not in _DAYS or part not in HALF_DAYS:
        return ()
    offset = datetime(on.year, on.month, on.day, 12, tzinfo=ZoneInfo(zone)).utcoffset() or timedelta(0)
    shift = int(offset.total_seconds() // 1800)
    return tuple((_DAYS.index(day) * 48 + half_hour - shift) % WEEK for half_hour in range(*HALF_DAYS[part]))


def half_days_in_common(these: tuple[int, ...], those: tuple[int, ...]) -> int:
    """How many half-days two people have in common."""
    return min(_shared(these, those), _shared(those, these))


def _shared(these: tuple[int, ...], those: tuple[int, ...]) -> int:
    return sum(any((one & other).bit_count() >= IN_COMMON for other in those) for one in these)
