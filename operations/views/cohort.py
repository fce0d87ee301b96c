"""What the pages of cohorts show, read from SQL with names: the figures of a cohort and its list, a page at a time.

A selection of "all of them" is the ids that stood there: `digest` tells whether the list is still the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.local_time import local_date
from operations.errors import NotFound
from operations.mentorships.labels import in_words, next_words
from store.database import Database
from store.reports import cohort_figures, cohort_page
from store.reports.cohort_figures import Figures
from store.reports.cohort_page import CohortFacts, ListFilters, ListLine
from store.reports.status import pick

PAGE = 50
"""Mentorships on one page of the list."""
COUNTED = 2000
"""Up to so many mentorships it is counted who has met: above, only the list tells."""
BAND = 1000
"""Width of a band in its own units."""
COLUMNS = (
    "cohort", "mentorship", "people", "program", "format", "state", "phase", "health", "next", "next_on", "awaited",
    "tasks", "paused_until", "start", "midpoint", "end", "ending",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Band:
    """Where a mentorship lies in the calendar of the page, in units from the left; `today` is the day."""

    start: int
    midpoint: int
    end: int
    today: int


@dataclass(frozen=True, slots=True)
class Row:
    """One mentorship of the list, with its band."""

    line: ListLine
    band: Band
    awaited: tuple[str, ...]
    """Names."""


@dataclass(frozen=True, slots=True)
class CohortView:
    """A cohort's page. `today` is the date in its zone."""

    facts: CohortFacts
    today: date
    figures: Figures
    filters: ListFilters
    rows: tuple[Row, ...]
    total: int
    """How many mentorships the filters let through."""
    page: int
    pages: int
    digest: str
    """Of all that the filters let through."""
    first_day: date
    last_day: date


def digest_of(keys: Sequence[str]) -> str:
    """By what it is told whether a list is the same as it was; the order does not count."""
    return sha256("\n".join(sorted(keys)).encode()).hexdigest()[:16]


async def view(
    database: Database, cohort: str, filters: ListFilters, now: datetime, page: int = 1, *, account: str
) -> CohortView:
    """A cohort's page as this account may see it, in five statements. `now` is program time (UTC). Raises
    `NotFound`."""
    async with database.session() as session:
        facts = await cohort_page.cohort(session, cohort)
        if facts is None:
            raise NotFound(f"there is no cohort {cohort!r}")
        unseen = await _unseen(session, cohort, account)
        figures = await cohort_figures.figures(session, cohort, unseen)
        keys = await cohort_page.keys(session, cohort, filters, unseen)
        pages = max(1, -(-len(keys) // PAGE))
        page = min(max(page, 1), pages)
        lines = await cohort_page.list_lines(session, cohort, keys[(page - 1) * PAGE : page * PAGE], unseen)
    today = local_date(now, facts.zone)
    first = min((line.start for line in lines), default=today)
    last = max((line.end for line in lines), default=today)
    rows = tuple(_row(line, first, last, today) for line in lines)
    return CohortView(
        facts, today, figures, filters, rows, len(keys), page, pages, digest_of(keys), first, last
    )  # fmt: skip


async def refs_of(database: Database, cohort: str, filters: ListFilters, *, account: str) -> list[str]:
    """Keys of all mentorships of a cohort that the filters let through, as this account may see them."""
    async with database.session() as session:
        return await cohort_page.keys(session, cohort, filters, await _unseen(session, cohort, account))


async def _unseen(session: AsyncSession, cohort: str, account: str) -> frozenset[str]:
    return (await cohort_page.unseen_by(session, [cohort], account)).get(cohort, frozenset())


async def rows(database: Database, cohort: str, filters: ListFilters, *, account: str) -> Iterator[tuple[str, ...]]:
    """Exactly the rows of a list as this account may see it, in COLUMNS, for a spreadsheet."""
    async with database.session() as session:
        unseen = await _unseen(session, cohort, account)
        keys = await cohort_page.keys(session, cohort, filters, unseen)
        lines = await cohort_page.list_lines(session, cohort, keys, unseen)
    return (_cells(cohort, line) for line in lines)


def _cells(cohort: str, line: ListLine) -> tuple[str, ...]:
    people = ", ".join(f"{person.name} ({person.role})" for person in line.people if person.standing != "out")
    awaited = ", ".join(person.name for person in pick(line.people, line.awaited))
    dates = (str(day) if day else "" for day in (line.start, line.midpoint, line.end))
    return (
        cohort, line.key, people, line.program, line.format, line.state, in_words(line.phase), in_words(line.health),
        next_words(line.next_step), str(line.next_on or ""), awaited, str(line.open_tasks), line.paused_until, *dates,
        in_words(line.ending),
    )  # fmt: skip


def _row(line: ListLine, first: date, last: date, today: date) -> Row:
    days = max(1, (last - first).days)

    def at(day: date) -> int:
        return min(BAND, max(0, (day - first).days * BAND // days))

    band = Band(at(line.start), at(line.midpoint), at(line.end), at(today))
    return Row(line, band, tuple(person.name for person in pick(line.people, line.awaited)))
