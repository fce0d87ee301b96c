"""What the mails of an open call say: to those who are invited, and about somebody's own application."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from store.delivery.due import Item
from store.delivery.letter_facts import Background
from store.people.applications import CONFIRM, COUNTS, WISHES

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


def is_unproven(item: Item, known: Background) -> bool:
    """Whether nobody has confirmed the address to which this goes: what was typed as a name is not said there."""
    application = known.applications.get(item.about)
    return item.name == CONFIRM and application is not None and application.state not in COUNTS
