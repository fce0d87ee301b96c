"""A turn that a workflow takes again, because the process that took it first died before Temporal knew of it.

Only for turns of an older release, which saved no state; otherwise the workflow continues from the saved state. The
workflow remembers nothing of that turn, nor of those after it: what it decides now counts, and can differ, as it is
later. Rows have keys, so most of them are overwritten. This module removes what the forgotten turns wrote and the new
ones may not write. It must never remove a mail or an answer.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.commands import Batch
from store.tables import EventRow, MentorshipRow, OutcomeRow, TaskRow

OVERTAKEN = "overtaken"
"""The decision on a task that a forgotten turn opened. The repeated turn opens it again, if still needed."""


async def forget_later_turns(session: AsyncSession, batch: Batch, today: date) -> None:
    """Take back what was written of this turn and of those after it, the first time. `today` is the cohort's."""
    events = (EventRow.cohort == batch.cohort, EventRow.mentorship == batch.mentorship)
    await session.execute(delete(EventRow).where(*events, EventRow.turn >= batch.turn))
    # An ending that came another way, as a cancelled cohort's, bears no turn and stays.
    outcome = (OutcomeRow.cohort == batch.cohort, OutcomeRow.mentorship == batch.mentorship)
    ended = delete(OutcomeRow).where(*outcome, OutcomeRow.turn >= batch.turn, OutcomeRow.turn > 0)
    if (await session.execute(ended.returning(OutcomeRow.ending))).all():
        its_row = (MentorshipRow.cohort == batch.cohort, MentorshipRow.key == batch.mentorship)
        await session.execute(update(MentorshipRow).where(*its_row).values(ending="", reason="", ended_on=None))
    tasks = (TaskRow.cohort == batch.cohort, TaskRow.mentorship == batch.mentorship)
    await session.execute(
        update(TaskRow)
        .where(*tasks, TaskRow.closed_in >= batch.turn)
        .values(closed_in=0, closed_at=None, closed_on=None, decision="", by="", why="")
    )
    await session.execute(
        update(TaskRow)
        .where(*tasks, TaskRow.turn >= batch.turn)
        .values(closed_in=batch.turn, closed_at=batch.now, closed_on=today, decision=OVERTAKEN)
    )
