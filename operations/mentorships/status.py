"""What coordinators look at, found by what they type: a cohort, a mentorship, tasks, the ledger.

Read from SQL with names, for human eyes; nothing of it may be passed to Temporal or written to a log.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.local_time import local_date, zone
from operations.errors import NotFound, Refused
from operations.mentorships.concerns import readers_of
from operations.people.find import known_person
from program.faults import nearest
from store.database import Database
from store.reports import status as overview
from store.reports.ledger import ledger as ledger_of
from store.reports.status import Counts, Filters, ListedPerson, StatusLine, TaskLine
from store.reports.timeline import Timeline, TimelineEntry
from store.reports.timeline import timeline as timeline_of
from store.tables import CohortRow

__all__ = ["Counts", "Filters", "ListedPerson", "NotFound", "StatusLine", "TaskLine", "Timeline", "TimelineEntry"]

CONCERN_RAISED = "concern_raised"
"""The event by which a person reports a concern on their own page; its reason is what they wrote."""


@dataclass(frozen=True, slots=True)
class CohortStatus:
    """A cohort with one line for each of its mentorships. `today` is the date in its zone."""

    id: str
    title: str
    state: str
    zone: str
    today: date
    counts: Counts
    lines: tuple[StatusLine, ...]


async def status(
    database: Database, cohort: str, now: datetime, filters: Filters | None = None, *, awaiting: bool = False
) -> list[CohortStatus]:
    """One cohort, or all that are not over (the latest, where all are), with their mentorships. Raises `NotFound`.

    The person of the filters may be an id, an address or a name; raises `Refused` where there is no such person.
    `awaiting` leaves out those that wait for nobody.
    """
    statuses: list[CohortStatus] = []
    async with database.session() as session:
        if filters and filters.person:
            filters = replace(filters, person=(await known_person(session, filters.person)).id)
        for row in await _cohorts(session, cohort):
            today = local_date(now, row.zone)
            lines = await overview.status(session, row.id, filters)
            statuses.append(
                CohortStatus(
                    row.id,
                    row.title,
                    row.state,
                    row.zone,
                    today,
                    await overview.counts(session, row.id, today),
                    tuple(line for line in lines if line.awaited or not awaiting),
                )
            )
    return statuses


async def show(database: Database, which: str, *, concerns_for: str = "") -> Timeline:
    """The timeline of `COHORT/KEY`; the cohort may be left out where only one has such a key. Raises `NotFound`.

    A person (id, address or name) stands for the one mentorship in which they take part. What a reported concern says
    is withheld, but for a coordinator (`concerns_for`, an id) who was told of every report in that mentorship. The
    caller puts on the record that it was opened.
    """
    async with database.session() as session:
        try:
            [ref] = await find(session, [which])
        except NotFound as unknown:
            ref = await _only_of(session, which, unknown)
        found = await timeline_of(session, *ref)
        if concerns_for and (await readers_of(session, ref[0], [ref[1]])).may_read(ref[1], concerns_for):
            return found
    return replace(found, happened=tuple(map(_without_concern, found.happened)))


def _without_concern(entry: TimelineEntry) -> TimelineEntry:
    return replace(entry, detail="", why="") if entry.name == CONCERN_RAISED else entry


async def _only_of(session: AsyncSession, who: str, unknown: NotFound) -> tuple[str, str]:
    """The one mentorship of a person. Raises `NotFound`, and `unknown` where there is no such person."""
    try:
        person = await known_person(session, who)
    except Refused:
        raise unknown from None
    places = await overview.places_of(session, person.id)
    if len(places) == 1:
        return places[0]
    if not places:
        raise NotFound(f"{person.name} ({person.id}) takes part in no mentorship")
    several = ", ".join(f"{cohort}/{key}" for cohort, key in places)
    raise NotFound(f"{person.name} ({person.id}) takes part in several mentorships; write one of {several}")


async def find(session: AsyncSession, wanted: Iterable[str]) -> list[tuple[str, str]]:
    """(cohort, key) of each `COHORT/KEY`, or KEY alone where only one cohort has it. Raises `NotFound`."""
    known = await overview.places(session)
    by_name = {f"{cohort}/{key}": (cohort, key) for cohort, key in known}
    by_key: dict[str, list[tuple[str, str]]] = {}
    for ref in known:
        by_key.setdefault(ref[1], []).append(ref)
    refs: list[tuple[str, str]] = []
    for which in wanted:
        name = which.strip("/")
        matches = [by_name[name]] if name in by_name else by_key.get(name, [])
        if len(matches) != 1:
            raise await _not_one(session, which, matches, list(by_name))
        refs += matches
    return list(dict.fromkeys(refs))


async def _not_one(
    session: AsyncSession, which: str, matches: Sequence[tuple[str, str]], known: Sequence[str]
) -> NotFound:
    if matches:
        several = ", ".join(f"{cohort}/{key}" for cohort, key in matches)
        return NotFound(f"{which.strip('/')!r} is a mentorship of several cohorts; write one of {several}")
    cohort = which.strip("/").rpartition("/")[0]
    if cohort:
        await _cohorts(session, cohort)
    near = nearest(which, known)
    remedy = f"did you mean {near[0]}?" if near else "`mentorship status` lists them"
    return NotFound(f"there is no mentorship {which!r}; {remedy}")


async def ledger(database: Database, cohort: str) -> dict[str, Any]:
    """The ledger of a cohort: ids only. Raises `NotFound`."""
    async with database.session() as session:
        await _cohorts(session, cohort)
        return await ledger_of(session, cohort)


def as_object(value: Any) -> Any:
    """A dataclass as an object for `--json`, with dates and instants in ISO 8601."""
    return _plain(asdict(value))


def local(at: datetime, zone_name: str) -> datetime:
    """An instant as a clock in this zone shows it."""
    return at.astimezone(zone(zone_name))


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(entry) for key, entry in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case list() | tuple():
            return [_plain(entry) for entry in value]  # pyright: ignore[reportUnknownVariableType]
        case datetime() | date():
            return value.isoformat()
        case _:
            return value


async def known_cohort(session: AsyncSession, cohort: str) -> CohortRow:
    """The row of this cohort. Raises `NotFound` with those that there are."""
    [row] = await _cohorts(session, cohort)
    return row


async def _cohorts(session: AsyncSession, cohort: str) -> list[CohortRow]:
    rows = await overview.cohorts(session)
    if cohort:
        matching = [row for row in rows if row.id == cohort]
        if not matching:
            near = nearest(cohort, [row.id for row in rows])
            known = f"those launched are {', '.join(row.id for row in rows)}" if rows else "none was launched yet"
            raise NotFound(f"there is no cohort {cohort!r}; {f'did you mean {near[0]}?' if near else known}")
        return matching
    return [row for row in rows if row.state != "over"] or rows[:1]
