"""IANA zones: which exist, and which a coordinator may have meant by a word that is none."""

from __future__ import annotations

import re
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

_NOT_PLACES = frozenset({"Factory", "localtime", "posixrules"})
"""Names of the database that stand for no place: what they mean depends on the machine."""

_OFFSET = re.compile(r"(?:utc|gmt|etc/gmt|z)?\s*([+-])\s*(\d{1,2})(?::?([0-5]\d))?")

_CITIES = {
    -600: "Pacific/Honolulu", -540: "America/Anchorage", -480: "America/Los_Angeles", -420: "America/Denver",
    -360: "America/Chicago", -300: "America/New_York", -240: "America/Halifax", -210: "America/St_Johns",
    -180: "America/Sao_Paulo", -120: "America/Noronha", -60: "Atlantic/Azores", 0: "Europe/London",
    60: "Europe/Berlin", 120: "Europe/Athens", 180: "Europe/Istanbul", 210: "Asia/Tehran", 240: "Asia/Dubai",
    270: "Asia/Kabul", 300: "Asia/Karachi", 330: "Asia/Kolkata", 345: "Asia/Kathmandu", 360: "Asia/Dhaka",
    390: "Asia/Yangon", 420: "Asia/Bangkok", 480: "Asia/Singapore", 540: "Asia/Tokyo", 570: "Australia/Adelaide",
    600: "Australia/Sydney", 660: "Pacific/Noumea", 720: "Pacific/Auckland", 780: "Pacific/Apia",
}  # fmt: skip
"""A city for each offset from UTC in winter, in minutes: an offset knows no summer time, a place does."""


@lru_cache(maxsize=1)
def _zones() -> dict[str, tuple[str, ...]]:
    """Every zone, by the name of its place in small letters (`berlin` to `Europe/Berlin`)."""
    found: dict[str, tuple[str, ...]] = {}
    for zone in sorted(_names()):
        place = zone.rpartition("/")[2].casefold()
        found[place] = (*found.get(place, ()), zone)
    return found


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(available_timezones()) - _NOT_PLACES


def is_zone(name: str) -> bool:
    """Whether this is the exact name of an IANA zone that stands for a place or for UTC."""
    return name in _names()


@lru_cache(maxsize=512)
def near_zones(written: str) -> tuple[str, ...]:
    """At most three zones that may have been meant, best first."""
    if len(written) > ZONE_CHARACTERS:
        return ()
    word = written.strip().replace(" ", "_").casefold()
    if written in _NOT_PLACES:
        return ()
    if word in _ABBREVIATIONS:
        return (_ABBREVIATIONS[word],)
    if offset := _OFFSET.fullmatch(written.strip().casefold()):
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        city = _CITIES.get(-minutes if offset[1] == "-" else minutes)
        return (city,) if city else ()
    place = word.rpartition("/")[2]
    exact = _zones().get(place, ())
    if exact:
        return tuple(sorted(exact, key=lambda zone: (zone.casefold() != word, zone.count("/") != 1)))[:3]
    near = nearest(word, sorted(_names()), at_most=3)
    for close in nearest(place, _zones(), at_most=2):
        near += [zone for zone in _zones()[close] if "/" in zone]
    # `Etc/GMT+1` lies west of Greenwich, against the sign: never what somebody means.
    return tuple(dict.fromkeys(zone for zone in near if not zone.startswith("Etc/")))[:3]
