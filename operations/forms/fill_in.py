"""What fills {partner}, {since}, {purpose} and {program} in the wording of a form."""

from __future__ import annotations

from mail.dates import day, listed
from store.forms.requests import Requested

NO_PURPOSE = "what you want to get out of this"


def words_for(requested: Requested) -> dict[str, str]:
    """What the four places hold on this page."""
    names = [seat.name for seat in requested.partners]
    return {
        "partner": "your group" if requested.format == "group" else listed(names, "en") or "your partner",
        "since": day(requested.since, "en", requested.opens.year) if requested.since else "the start",
        "purpose": purpose_of(requested),
        "program": requested.program.title,
    }


def purpose_of(requested: Requested) -> str:
    """What the mentorship is for, in the words of the latest agreement that more than one has signed."""
    for version in reversed(requested.versions):
        purpose = version.body.get("a_purpose")
        if isinstance(purpose, str) and len(version.signed) > 1:
            return purpose
    return NO_PURPOSE
