"""Applies the differences of a cohort's file to the cohort and its coordinators. Mentorships change by events only:
rows of the workflow outbox, written in the same transaction, tell them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from secrets import token_hex
from time import time_ns
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from program.models import Cohort
from store.cohorts import file_entries
from store.cohorts.cohorts import people_in, put_coordinators
from store.cohorts.compare import Difference
from store.programs import FrozenProgram
from store.tables import (
    CohortPersonRow,
    CohortRow,
    EventRow,
    ItemRow,
    MentorshipRow,
    RelayRow,
)

STAFF_FIELDS = ("coordinators", "deputies", "holidays")
READERS = "readers"
"""Fields of a cohort that its workflows hold too."""
COORDINATOR_ITEMS = ("still_paused", "reminders_stopped")
"""Items for coordinators that are about no task."""


async def take_over(
    session: AsyncSession, cohort: Cohort, differences: Sequence[Difference], now: datetime, by: str, why: str
) -> None:
    """Apply the file's differences to the cohort. Needs a writing transaction; `by` and `why` go on record.

    Skips refused differences, and those of people.
    """
    possible = [difference for difference in differences if difference.kind == "cohort" and not difference.refused]
    if not possible:
        return
    row = await session.get_one(CohortRow, cohort.cohort)
    for difference in possible:
        match difference.field:
            case "version":
                row.program_hash = difference.after
            case "start":
                row.start = date.fromisoformat(difference.after)
            case "coordinators" | "deputies" | "readers":
                pass  # they have their own rows
            case field:
                setattr(row, field, difference.after)
    event: dict[str, Any] = {"cohort": cohort.cohort, "at": now, "name": "cohort_changed", "by": by, "why": why}
    await session.execute(insert(EventRow), [event | {"detail": difference.field} for difference in possible])
    await session.flush()
    if any(difference.field in STAFF_FIELDS for difference in possible):
        await _change_staff(session, cohort, now, by)
    elif any(difference.field == READERS for difference in possible):
        await put_coordinators(session, cohort.cohort, cohort)


async def keep(
    session: AsyncSession,
    cohort: Cohort,
    programs: Mapping[str, FrozenProgram],
    differences: Iterable[Difference],
    undone: Collection[str],
) -> None:
    """Store the entries of the file, except what was not applied: refused differences, and the mentorships `undone`.
    The next launch reports those again. Needs a writing transaction."""
    before = await file_entries.read(session, cohort.cohort)
    says: file_entries.Entries = {
        (file_entries.COHORT, cohort.cohort): file_entries.of_cohort(cohort, programs[cohort.program])
    }
    says |= {
        (file_entries.PERSON, id_): file_entries.of_person(person, cohort.zone)
        for id_, person in people_in(cohort).items()
    }
    for difference in differences:
        if not difference.refused:
            continue
        entry = (difference.kind, difference.id)
        if difference.field in says[entry]:
            says[entry][difference.field] = before.get(entry, {}).get(difference.field)
        else:
            says[entry] = before.get(entry, {})
    for mentorship in cohort.mentorships:
        entry = (file_entries.MENTORSHIP, mentorship.key)
        if mentorship.key not in undone:
            says[entry] = file_entries.of_mentorship(mentorship, cohort, programs)
    await file_entries.write(
        session, cohort.cohort, {key: entry for key, entry in says.items() if before.get(key) != entry}
    )
    people = people_in(cohort)
    gone = [id_ for kind, id_ in before if kind == file_entries.PERSON and id_ not in people]
    await file_entries.drop(session, cohort.cohort, file_entries.PERSON, gone)


async def _change_staff(session: AsyncSession, cohort: Cohort, now: datetime, by: str) -> None:
    """Replace the coordinators and deputies, tell the mentorships, and drop the waiting items of those who left."""
    before = await session.scalars(select(CohortPersonRow.person).where(CohortPersonRow.cohort == cohort.cohort))
    coordinators, deputies = ([person.id for person in group] for group in (cohort.coordinators, cohort.deputies))
    left = set(before) - {*coordinators, *deputies}
    await put_coordinators(session, cohort.cohort, cohort)
    if left:
        await session.execute(
            update(ItemRow)
            .where(
                ItemRow.cohort == cohort.cohort,
                ItemRow.person.in_(left),
                ItemRow.state.in_(("queued", "held")),
                or_(ItemRow.task != "", ItemRow.name.in_(COORDINATOR_ITEMS)),
            )
            .values(state="dropped", reason="left", done_at=now, deliver_at=None)
            .execution_options(synchronize_session=False)
        )
    payload = {
        "coordinators": sorted(coordinators),
        "deputies": sorted(deputies),
        "holidays": [day.isoformat() for day in sorted(cohort.holidays)],
        "by": by,
    }
    keys = await session.scalars(
        select(MentorshipRow.key).where(MentorshipRow.cohort == cohort.cohort, MentorshipRow.state == "running")
    )
    # Real time, so that two launches at the same program time are told each, and in their order.
    which = f"staffed.{time_ns():016x}{token_hex(2)}"
    rows: list[dict[str, Any]] = []
    for key in keys:
        id_ = f"launch/{cohort.cohort}/{key}/{which}"
        rows.append(
            {"id": id_, "cohort": cohort.cohort, "mentorship": key, "event": "Staffed",
             "payload": {"id": id_, **payload}, "at": now, "attempts": 0}
        )  # fmt: skip
    if rows:
        await session.execute(insert(RelayRow), rows)
