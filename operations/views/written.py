"""The messages of a cohort as their list shows them, and the mentorships that one is about, by the names of their
people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from operations.mentorships.status import known_cohort
from store.database import Database
from store.people import written_messages
from store.people.written_messages import WrittenMessage
from store.reports import status


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """A message in a list. `by` is the name of who wrote it."""

    message: WrittenMessage
    by: str
    zone: str
    """The cohort's."""
    readers: int = 0
    arrived: int = 0
    waiting: int = 0
    """Queued, on its way, or held."""

    @property
    def kind(self) -> str:
        """draft, waiting (somebody has still to get it) or sent."""
        return "draft" if self.message.state == "draft" else "waiting" if self.waiting else "sent"


async def lines_of(database: Database, cohort: str) -> list[WrittenLine]:
    """The messages of a cohort: drafts, what waits, what was sent; the latest first. Raises `NotFound`."""
    async with database.session() as session:
        zone = (await known_cohort(session, cohort)).zone
        found = await written_messages.listed(session, cohort)
        counts = await written_messages.counts(session, [one.id for one in found])
        names = {one.id: one.name for one in await status.names_of(session, sorted({one.by for one in found}))}
    lines = [WrittenLine(one, names.get(one.by, one.by), zone, *counts.get(one.id, (0, 0, 0))) for one in found]
    return sorted(lines, key=lambda line: ("draft", "waiting", "sent").index(line.kind))


async def mentorships_named(database: Database, cohort: str, keys: Sequence[str]) -> list[tuple[str, str]]:
    """(key, names of those with a seat) of these mentorships, in this order; those that are unknown without names."""
    if not keys:
        return []
    async with database.session() as session:
        people = await status.people_of(session, cohort, list(keys))
    return [
        (key, ", ".join(person.name for person in people.get(key, ()) if person.standing != "out")) for key in keys
    ]
