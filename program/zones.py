"""IANA zones: which exist, and which a coordinator may have meant by a word that is none."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import available_timezones

from program.faults import nearest
from program.limits import ZONE_CHARACTERS

_ABBREVIATIONS = {
    "cet": "Europe/Berlin",
    "cest": "Europe/Berlin",
    "mez": "Europe/Berlin",
    "bst": "Europe/London",
    "edt": "America/New_York",
    "cst": "America/Chicago",
    "cdt": "America/Chicago",
    "mdt": "America/Denver",
    "pst": "America/Los_Angeles",
    "pdt": "America/Los_Angeles",
    "ist": "Asia/Kolkata",
    "jst": "Asia/Tokyo",
    "aest": "Australia/Sydney",
}


@lru_cache(maxsize=1)
def _zones() -> dict[str, tuple[str, ...]]:
    """Every zone, by the name of its place in small letters (`berlin` to `Europe/Berlin`)."""
    found: dict[str, tuple[str, ...]] = {}
    for zone in sorted(available_timezones()):
        place = zone.rpartition("/")[2].casefold()
        found[place] = (*found.get(place, ()), zone)
    return found


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


def is_zone(name: str) -> bool:
    """Whether this is the exact name of an IANA zone."""
    return name in _names()


@lru_cache(maxsize=512)
def near_zones(written: str) -> tuple[str, ...]:
    """At most three zones that may have been meant, best first."""
    if len(written) > ZONE_CHARACTERS:
        return ()
    word = written.strip().replace(" ", "_").casefold()
    if word in _ABBREVIATIONS:
        return (_ABBREVIATIONS[word],)
    place = word.rpartition("/")[2]
    exact = _zones().get(place, ())
    if exact:
        return tuple(sorted(exact, key=lambda zone: (zone.casefold() != word, zone.count("/") != 1)))[:3]
    near = nearest(word, sorted(_names()), at_most=3)
    for close in nearest(place, _zones(), at_most=2):
        near += [zone for zone in _zones()[close] if "/" in zone]
    return tuple(dict.fromkeys(near))[:3]
