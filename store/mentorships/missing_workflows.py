"""Which mentorships must have a running workflow, which of them were found without one, and what they continue from.

A mentorship that is over can still have a workflow: until its follow-up is done, or a coordinator has decided.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle import saved_state
from lifecycle.keys import MentorshipRef
from lifecycle.state import State
from store.cohorts import cohorts
from store.cohorts.cohorts import Planned
from store.columns import bare
from store.tables import CohortRow, MentorshipRow

MENTORSHIPS = bare(MentorshipRow)
MUST_RUN = or_(
    MENTORSHIPS.c.state == "running",
    and_(MENTORSHIPS.c.state == "over", or_(MENTORSHIPS.c.next_at.is_not(None), MENTORSHIPS.c.open_tasks > 0)),
)
PAGE = 200
"""Mentorships that one statement names."""


@dataclass(frozen=True, slots=True)
class Continuable:
    """A mentorship as the database has it: what its workflow was started with, and what it remembered last."""

    planned: Planned
    turn: int
    turn_at: datetime | None
    """Moment of the last turn (program time, UTC)."""
    state: State | None
    """What the workflow remembered after the last turn; None where an older release wrote that turn, or before the
    first one."""


async def must_run(session: AsyncSession) -> set[MentorshipRef]:
    """Every mentorship that must have a running workflow."""
    rows = await session.execute(select(MENTORSHIPS.c.cohort, MENTORSHIPS.c.key).where(MUST_RUN))
    return {(cohort, key) for cohort, key in rows}


async def still_must_run(session: AsyncSession, places: Collection[MentorshipRef]) -> set[MentorshipRef]:
    """Those of these mentorships that must have a running workflow by now."""
    found: set[MentorshipRef] = set()
    wanted = sorted(places)
    for first in range(0, len(wanted), PAGE):
        some = wanted[first : first + PAGE]
        rows = await session.execute(select(MENTORSHIPS.c.cohort, MENTORSHIPS.c.key).where(_named(some), MUST_RUN))
        found |= {(cohort, key) for cohort, key in rows}
    return found


async def must_a_workflow_run(session: AsyncSession, cohort: str, key: str) -> bool:
    """Whether this mentorship must have a running workflow."""
    return bool(await still_must_run(session, [(cohort, key)]))


async def known_as_lost(session: AsyncSession) -> set[MentorshipRef]:
    """Mentorships of which it was noticed that they have no workflow."""
    rows = await session.execute(
        select(MENTORSHIPS.c.cohort, MENTORSHIPS.c.key).where(MENTORSHIPS.c.lost_since.is_not(None))
    )
    return {(cohort, key) for cohort, key in rows}


async def mark(session: AsyncSession, places: Collection[MentorshipRef], lost_since: datetime | None) -> None:
    """Note since when (real time, UTC) these mentorships have no workflow; None: they have one."""
    wanted = sorted(places)
    for first in range(0, len(wanted), PAGE):
        some = wanted[first : first + PAGE]
        await session.execute(update(MENTORSHIPS).where(_named(some)).values(lost_since=lost_since))


async def without_saved_state(session: AsyncSession) -> int:
    """How many mentorships must run and can't be continued from the database yet: only an older release wrote their
    turns."""
    waiting = select(func.count()).where(MUST_RUN, MENTORSHIPS.c.turn > 0, MENTORSHIPS.c.workflow_state.is_(None))
    return await session.scalar(waiting) or 0


async def running_cohorts(session: AsyncSession) -> list[str]:
    """Ids of cohorts that are not over."""
    return list(
        await session.scalars(select(CohortRow.id).where(CohortRow.state == "running").order_by(CohortRow.id))
    )


async def continuable(session: AsyncSession, cohort: str, keys: Sequence[str]) -> list[Continuable]:
    """What the workflows of these mentorships of a cohort continue from; at most `PAGE` of them."""
    planned = await cohorts.several(session, cohort, keys)
    rows = await session.execute(
        select(MENTORSHIPS.c.key, MENTORSHIPS.c.turn, MENTORSHIPS.c.turn_at, MENTORSHIPS.c.workflow_state).where(
            MENTORSHIPS.c.cohort == cohort, MENTORSHIPS.c.key.in_(keys)
        )
    )
    saved = {key: (turn, turn_at, text) for key, turn, turn_at, text in rows}
    return [_continuable(one, *saved[one.key]) for one in planned]


def _continuable(planned: Planned, turn: int, turn_at: datetime | None, text: str | None) -> Continuable:
    state = saved_state.load(text) if text else None
    current = state if state is not None and state.turn == turn else None
    return Continuable(planned, turn, turn_at, current)


def _named(places: Sequence[MentorshipRef]) -> ColumnElement[bool]:
    return tuple_(MENTORSHIPS.c.cohort, MENTORSHIPS.c.key).in_(places)
