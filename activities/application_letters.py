"""What the mails of an open call say: to those who are invited, and about somebody's own application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mail.letters import MailPerson
from store.delivery.due import Item
from store.delivery.letter_facts import Background, MentorshipRef
from store.people.applications import CONFIRM, COUNTS, WISHES
from store.tables import MentorshipRow

if TYPE_CHECKING:
    from activities.fill_letters import LinkMaker


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
        "waiting": application.state == "waiting",
        "open": call.stage(item.queued_at) == "applying",
    }


def proposal(
    place: MentorshipRef,
    reader: str,
    mentorship: MentorshipRow,
    known: Background,
    partners_of: Callable[[MentorshipRef, str, Background], tuple[MailPerson, ...]],
) -> dict[str, Any]:
    """What an invitation says where its people were matched: the partner with what they agreed to show, without an
    address, and why these two. Why is said of the two who were matched only, not of who came in the place of one."""
    seats = known.seats.get(place, ())
    as_matched = all(seat.standing in ("invited", "accepted") for seat in seats)
    return {
        "proposed": True,
        "partners": tuple(replace(partner, email="") for partner in partners_of(place, reader, known)),
        "because": tuple(mentorship.because) if as_matched else (),
    }


def is_unproven(item: Item, known: Background) -> bool:
    """Whether nobody has confirmed the address to which this goes: what was typed as a name is not said there."""
    application = known.applications.get(item.about)
    return item.name == CONFIRM and application is not None and application.state not in COUNTS
