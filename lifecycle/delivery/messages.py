"""A message in a coordinator's own words: whom it reaches, and what keeps it back (lifecycle 8).

Asked by the postmaster and by the rehearsal alike. It is no event of a mentorship: no workflow hears of it, and it is
no sign of life.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lifecycle import keys
from lifecycle.commands import Post
from lifecycle.delivery.holds import Standstill
from lifecycle.delivery.notices import SeatStanding
from lifecycle.delivery.postbox import MentorshipFacts
from lifecycle.local_time import begun_everywhere

MESSAGE = "message"
"""Name of the item."""

MOVES = Standstill()
"""Nothing is kept back."""

SEATED = ("invited", "accepted", "silent")
"""Standings of those whom a message reaches: they have, or are offered, a seat."""


@dataclass(frozen=True, slots=True)
class MessagePlace:
    """A mentorship in which the reader is, or was, as it stands now."""

    mentorship: str
    standing: str
    """The reader's in it."""
    still: Standstill = MOVES
    """What keeps its items back; nothing where the message is about the whole cohort."""


def item_key(cohort: str, message: str, person: str) -> str:
    """`cohort/all/message.4f2c#1/p07/notice`: one message to one person, unique for all time."""
    return keys.item_key(cohort, "all", f"{MESSAGE}.{message}", 1, person, "notice")


def post_of(cohort: str, message: str, person: str, now: datetime) -> Post:
    """The item of one person, due at once. `now` is program time (UTC)."""
    key = item_key(cohort, message, person)
    return Post(key, person, "notice", MESSAGE, 1, begun_everywhere(now), about=message, after_end=True)


def readers(seats: Iterable[tuple[str, SeatStanding]], only: Sequence[str] = ()) -> dict[str, tuple[str, ...]]:
    """Whom a message about these seats reaches: person to the mentorships in which they sit, in the order of the
    seats (mentorship, seat). With `only`, these people alone."""
    found: dict[str, tuple[str, ...]] = {}
    for mentorship, (person, _, standing) in seats:
        if standing in SEATED and (not only or person in only):
            found[person] = (*found.get(person, ()), mentorship)
    return found


def facts_of(places: Iterable[MessagePlace]) -> tuple[MentorshipFacts, bool]:
    """What decides about a message to somebody who is in these places, and whether they have left all of them.

    It waits while each of those in which they still are stands still.
    """
    places = list(places)
    here = [place for place in places if place.standing != "out"]
    waits = bool(here) and all(place.still for place in here)
    return MentorshipFacts(held=waits), bool(places) and not here
