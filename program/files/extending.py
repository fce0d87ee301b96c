"""A program that is another one but for what its own file says: `extends: formal`, then only what differs.

The result is a whole document, as if it had been written out: what is frozen at launch holds every value, and no
later change of the other file reaches a mentorship that runs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from program.faults import Place
from program.files.reading import Source, Trail

EXTENDS = "extends"
"""The key that names the other program."""
WHOLE = ("matching",)
"""Keys that are replaced as a whole: rules and scores belong together, so some of another program would surprise."""


def extended(own: Source, base: Source, named: Place) -> Source:
    """What `own` says over what `base` says. `named` is where `own` names the other program.

    Keys below keys are put together, but not those of `WHOLE`; anything else, lists among it, is replaced as a whole.
    What is inherited has the place at which the other program is named, with the place in its file beside it.
    """
    found = Source(own.file, incomplete=set(own.incomplete))
    found.data = _merged(found, own, base, (), named)
    found.places[()] = own.place()
    return found


def _merged(found: Source, own: Source, base: Source, trail: Trail, named: Place) -> dict[str, Any]:
    ours, theirs = _keys(own.at(*trail)), _keys(base.at(*trail))
    merged: dict[str, Any] = {}
    for key in dict.fromkeys((*theirs, *ours)):
        here: Trail = (*trail, key)
        if key not in ours:
            merged[key] = theirs[key]
            _take_places(found, base, here, theirs[key], named)
        elif isinstance(ours[key], dict) and isinstance(theirs.get(key), dict) and key not in WHOLE:
            found.places[here], found.keys[here] = own.place(*here), own.key_place(*here)
            merged[key] = _merged(found, own, base, here, named)
        else:
            merged[key] = ours[key]
            _take_places(found, own, here, ours[key], None)
    return merged


def _keys(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _take_places(found: Source, other: Source, trail: Trail, value: object, named: Place | None) -> None:
    """Take over where a value stands, with all below it; at `named`, where it is inherited."""
    for of, into in ((other.places, found.places), (other.keys, found.keys)):
        place = of.get(trail)
        if place is not None:
            into[trail] = replace(named, inherited=_origin(place)) if named else place
    below = enumerate(cast("list[object]", value)) if isinstance(value, list) else _keys(value).items()
    for step, item in below:
        _take_places(found, other, (*trail, step), item, named)


def _origin(place: Place) -> str:
    return place.inherited or f"inherited from {place.file} line {place.line}"
