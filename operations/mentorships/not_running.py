"""Why a mentorship takes no change: no workflow runs for it. The database knows whether one must run."""

from __future__ import annotations

from store.database import Database
from store.mentorships.missing_workflows import must_a_workflow_run

NOT_THERE = "it has not been started yet, or it is over"
LOST = "its workflow is missing in Temporal; `mentorship reconcile` on the server starts it again, then try once more"


async def not_there(database: Database, cohort: str, mentorship: str) -> str:
    """`LOST`, or `NOT_THERE` where none must run."""
    async with database.session() as session:
        return LOST if await must_a_workflow_run(session, cohort, mentorship) else NOT_THERE
