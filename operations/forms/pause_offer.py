"""After an absence was stated: a pause with its dates is offered, and made only where the person confirms it.

Lifecycle 2.7: an absence is never a pause by itself. A short one needs none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from lifecycle.assessment import absences
from lifecycle.delivery.absences import back_on
from lifecycle.local_time import local_date
from lifecycle.state import PlannedPause
from operations.people import own_page as acts
from operations.people.own_page import ActResult, OwnChange, Rejected, UnknownPerson
from store.database import Database
from store.forms import requests
from store.forms.requests import Requested
from store.people import own_page, people

LONG_ABSENCE = 10
"""Days of an absence from which on a pause is offered."""


@dataclass(frozen=True, slots=True)
class PauseOffer:
    """A pause for the days of an absence. `nth` counts the absences of the answer, from 0."""

    nth: int
    first: date
    last: date
    begins: date | None
    """The day on which it would begin; None: at once."""
    until: date
    """The day on which it would go on."""


def offers(requested: Requested, now: datetime) -> tuple[PauseOffer, ...]:
    """The pauses to offer for what the latest answer states; `now` is program time (UTC)."""
    if requested.answer is None or requested.mentorship_state == "over" or requested.is_out:
        return ()
    today = local_date(now, requested.cohort_zone)
    found: list[PauseOffer] = []
    for nth, (first, last) in enumerate(absences(requested.answer.body)):
        until = back_on([(first, last)], last)
        if until is None or last < today or (last - first).days + 1 < LONG_ABSENCE:
            continue
        found.append(PauseOffer(nth, first, last, first if first > today else None, until))
    return tuple(found)


async def possible(database: Database, requested: Requested, now: datetime) -> list[tuple[PauseOffer, str]]:
    """The pauses to offer, each with why it can't be made; empty where it can. One that is made already is none."""
    wanted = offers(requested, now)
    if not wanted:
        return []
    async with database.session() as session:
        seats = await own_page.seats(session, requested.person)
    seat = next(seat for seat in seats if seat.ref == (requested.cohort, requested.mentorship))
    made = (seat.paused_until, PlannedPause.of(seat.pause_ahead).until if seat.pause_ahead else None)
    return [
        (
            offer,
            acts.why_not(seat, "pause", offer.until, now) or acts.why_not_from(seat, offer.begins, offer.until, now),
        )
        for offer in wanted
        if offer.until.isoformat() != made[0] and offer.until != made[1]
    ]


async def take(
    database: Database, public_id: str, generation: int, nth: int, submission: str, now: datetime
) -> ActResult:
    """Make the pause that was offered, for the holder of the form's link. `now` is program time (UTC)."""
    async with database.session() as session:
        requested = await requests.find(session, public_id, generation)
        own_generation = await people.generation_of(session, requested.person) if requested else None
    if requested is None or own_generation is None:
        return UnknownPerson()
    offer = next((one for one in offers(requested, now) if one.nth == nth), None)
    if offer is None:
        return Rejected("These days are over, or you have changed what you said. There is nothing to pause for.")
    wanted = OwnChange("pause", offer.until, begins=offer.begins)
    where = (requested.cohort, requested.mentorship)
    return await acts.change(database, requested.person, own_generation, submission, where, wanted, now)
