"""What the mails of an open call say: to those who are invited, and about somebody's own application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncSession

from mail.letters import MailPerson
from store.delivery.due import Item
from store.delivery.letter_facts import Background, MentorshipRef
from store.people.applications import CONFIRM, COUNTS, WISHES
from store.tables import MentorshipRow

TAKE_PART = ("invited", "accepted")
"""How a seat stands that is taken or offered."""

if TYPE_CHECKING:
    from activities.letters.fill_letters import LinkMaker


WhyMatched = Callable[[AsyncSession, str, str, str, Sequence[str]], Awaitable[tuple[str, ...]]]
"""Why somebody takes a seat: (session, cohort, person, role, those who stay) to words for all of them."""


class NoApplication(LookupError):
    """There is no such application any more. Says ids only."""


def facts_of(item: Item, known: Background, links: LinkMaker) -> dict[str, Any]:
    """The fields of a letter's item that come from an application and its call. Raises NoApplication."""
    application = known.applications.get(item.about)
    if application is None:
        raise NoApplication(f"no application {item.about!r}")
    call = known.calls[application.cohort]
    program = call.program
    return {
        "format": program.format,
        "program_title": program.title,
        "program_about": program.about,
        "start": call.start,
        "end": call.start + timedelta(days=program.length),
        "rhythm_days": program.rhythm.every,
        "rhythm_minutes": program.rhythm.minutes,
        "closes": call.gathering.wishes_close if item.name == WISHES else call.gathering.closes,
        "form_title": call.form.title,
        "form_minutes": call.form.minutes,
        "link": links.application_url(
            application.id, application.generation, "wishes" if item.name == WISHES else ""
        ),
        "why": known.cancelled_why.get(application.cohort, ""),
        "waiting": application.state == "waiting",
        "open": call.stage(item.queued_at) == "applying",
    }


async def read_reasons(
    session: AsyncSession, items: Sequence[Item], known: Background, why_matched: WhyMatched
) -> None:
    """Into the background: why somebody was chosen who came in the place of another."""
    for item in items:
        place = (item.cohort, item.mentorship)
        mentorship = known.mentorships.get(place)
        if item.name != "invitation" or mentorship is None or not mentorship.proposed or _as_matched(place, known):
            continue
        seats = [seat for seat in known.seats.get(place, ()) if seat.standing in TAKE_PART]
        role = next((seat.role for seat in seats if seat.person == item.person), "")
        stay = [seat.person for seat in seats if seat.person != item.person and (seat.role != role or role == "peer")]
        known.reasons[item.key] = await why_matched(session, item.cohort, item.person, role, stay)


def _as_matched(place: MentorshipRef, known: Background) -> bool:
    return all(seat.standing in TAKE_PART for seat in known.seats.get(place, ()))


def proposal(
    item: Item,
    place: MentorshipRef,
    reader: str,
    mentorship: MentorshipRow,
    known: Background,
    partners_of: Callable[[MentorshipRef, str, Background], tuple[MailPerson, ...]],
) -> dict[str, Any]:
    """What an invitation says where its people were matched: the partner with what they agreed to show, without an
    address, and why these: of who came in the place of another, why they did."""
    return {
        "proposed": True,
        "partners": tuple(replace(partner, email="") for partner in partners_of(place, reader, known)),
        "because": tuple(mentorship.because) if _as_matched(place, known) else known.reasons.get(item.key, ()),
    }


def is_unproven(item: Item, known: Background) -> bool:
    """Whether nobody has confirmed the address to which this goes: what was typed as a name is not said there."""
    application = known.applications.get(item.about)
    return item.name == CONFIRM and application is not None and application.state not in COUNTS
