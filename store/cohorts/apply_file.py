"""Takes over what a cohort's file says otherwise of the cohort and of who coordinates it. Mentorships are told by
relay rows of the same transaction, and must never be touched from here: they change by events only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from program.models import Cohort
from store.cohorts import file_entries
from store.cohorts.cohorts import people_in, put_desk
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

DESK = ("coordinators", "deputies", "holidays")
"""Fields of a cohort that its mentorships know as well."""
FOR_THE_DESK = ("still_paused", "reminders_stopped")
"""Items that tell a coordinator of something that is no task."""


async def take_over(
    session: AsyncSession, cohort: Cohort, differences: Sequence[Difference], now: datetime, by: str, why: str
) -> None:
    """Make the cohort what its file says. Needs a writing transaction; `by` and `why` go on record.

    Differences that are refused, and those of people, are left alone.
    """
    possible = [one for one in differences if one.kind == "cohort" and not one.refused]
    if not possible:
        return
    row = await session.get_one(CohortRow, cohort.cohort)
    for one in possible:
        match one.field:
            case "version":
                row.program_hash = one.after
            case "start":
                row.start = date.fromisoformat(one.after)
            case "coordinators" | "deputies":
                pass  # they stand in rows of their own
            case field:
                setattr(row, field, one.after)
    event: dict[str, Any] = {"cohort": cohort.cohort, "at": now, "name": "cohort_changed", "by": by, "why": why}
    await session.execute(insert(EventRow), [event | {"detail": one.field} for one in possible])
    await session.flush()
    if any(one.field in DESK for one in possible):
        await _staffed(session, cohort, now, by)


async def keep(
    session: AsyncSession,
    cohort: Cohort,
    programs: Mapping[str, FrozenProgram],
    differences: Iterable[Difference],
    undone: Collection[str],
) -> None:
    """Keep what the file says now, but for what was not done: differences that were refused, and mentorships
    `undone`. Those are told again by the next launch. Needs a writing transaction."""
    before = await file_entries.read(session, cohort.cohort)
    says: file_entries.Entries = {
        (file_entries.COHORT, cohort.cohort): file_entries.of_cohort(cohort, programs[cohort.program])
    }
    says |= {
        (file_entries.PERSON, id_): file_entries.of_person(one, cohort.zone) for id_, one in people_in(cohort).items()
    }
    for one in differences:
        if not one.refused:
            continue
        entry = (one.kind, one.id)
        if one.field in says[entry]:
            says[entry][one.field] = before.get(entry, {}).get(one.field)
        else:
            says[entry] = before.get(entry, {})
    for mentorship in cohort.mentorships:
        entry = (file_entries.MENTORSHIP, mentorship.key)
        if mentorship.key not in undone:
            says[entry] = file_entries.of_mentorship(mentorship, cohort, programs)
    await file_entries.write(
        session, cohort.cohort, {key: said for key, said in says.items() if before.get(key) != said}
    )
    people = people_in(cohort)
    gone = [id_ for kind, id_ in before if kind == file_entries.PERSON and id_ not in people]
    await file_entries.drop(session, cohort.cohort, file_entries.PERSON, gone)


async def _staffed(session: AsyncSession, cohort: Cohort, now: datetime, by: str) -> None:
    """Others coordinate: mentorships hear of it, and whoever does no longer gets nothing more about their people."""
    before = await session.scalars(select(CohortPersonRow.person).where(CohortPersonRow.cohort == cohort.cohort))
    coordinators, deputies = ([person.id for person in group] for group in (cohort.coordinators, cohort.deputies))
    left = set(before) - {*coordinators, *deputies}
    await put_desk(session, cohort.cohort, cohort)
    if left:
        await session.execute(
            update(ItemRow)
            .where(
                ItemRow.cohort == cohort.cohort,
                ItemRow.person.in_(left),
                ItemRow.state.in_(("queued", "held")),
                or_(ItemRow.task != "", ItemRow.name.in_(FOR_THE_DESK)),
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
    rows: list[dict[str, Any]] = []
    for key in keys:
        id_ = f"launch/{cohort.cohort}/{key}/staffed.{now.isoformat()}"
        rows.append(
            {"id": id_, "cohort": cohort.cohort, "mentorship": key, "event": "Staffed",
             "payload": {"id": id_, **payload}, "at": now, "attempts": 0}
        )  # fmt: skip
    if rows:
        await session.execute(insert(RelayRow), rows)
