"""Cancels a whole cohort: one plain mail to each person, and everything stops.

All of it is one transaction, in which each mentorship's workflow gets a row that tells it: whatever breaks off
afterwards goes on by itself, and cancelling again does nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from activities.wake_postmasters import Wake, wake_in_time
from lifecycle.batch import CANCELLED
from lifecycle.gathering import MATCH
from lifecycle.local_time import local_date
from operations import audit
from operations.audit import AuditEntry
from operations.errors import Refused
from operations.mentorships.status import ListedPerson, known_cohort
from operations.people.deciders import who_decides
from store import operations_log
from store.cohorts import cancel as cancelling
from store.database import Database
from store.mentorships import tasks
from store.people import cancelled_calls, people
from store.reports import status


@dataclass(frozen=True, slots=True)
class CancelPreview:
    """What cancelling a cohort stops, or has stopped."""

    cohort: str
    title: str
    state: str
    """`running`; `cancelled` where it was cancelled before; `over` where it has ended by itself."""
    mentorships: tuple[str, ...]
    """Keys of those that end."""
    people: tuple[ListedPerson, ...]
    """Those who get the mail: everybody with a seat, and those who applied and have none yet."""
    applicants: int
    """How many of them applied; they read the reason that is given."""
    forms: int
    items: int
    tasks: int


async def outlook(database: Database, cohort: str) -> CancelPreview:
    """What cancelling this cohort would stop; nothing is written. Raises `NotFound`."""
    async with database.session() as session:
        row = await known_cohort(session, cohort)
        stopped = await cancelling.stops(session, cohort)
        applicants = await cancelled_calls.waiting_for_an_answer(session, cohort)
        names = await status.names_of(session, [*stopped.people, *applicants.values()])
    return CancelPreview(
        cohort,
        row.title,
        stopped.state,
        stopped.mentorships,
        names,
        len(applicants),
        stopped.forms,
        stopped.items,
        stopped.tasks,
    )


async def cancel(
    database: Database,
    cohort: str,
    now: datetime,
    *,
    by: str = "",
    why: str = "",
    proof: str = "",
    signed_in: bool = False,
    shards: int = 1,
    wake: Wake | None = None,
) -> bool:
    """Cancel a cohort; False where that was done before. `now` is program time (UTC), `by` who asks for it,
    `signed_in` where their right to was checked.

    With a `proof` the audit says who did it, by it. Without `wake` the mails leave when the first of the workflows
    has heard of it. Raises `NotFound`, and `Refused` with a reason.
    """
    async with database.begin() as session:
        row = await known_cohort(session, cohort)
        decider = who_decides(cohort, await people.deciders(session, cohort), by, signed_in=signed_in)
        if row.state == CANCELLED:
            return False
        if row.state == "over":
            raise Refused(f"{cohort} is over: every mentorship has ended, and nothing is left to cancel")
        id_ = operations_log.cancelled_by(cohort)
        await operations_log.put_operation(session, id_, "cancel_cohort", cohort, "", {}, decider, why, now)
        if proof:
            await audit.put(session, now, AuditEntry("cancel-cohort", decider, proof, cohort, [cohort], reason=why))
        earliest = await cancelling.stop(session, cohort, now, decider, why, shards=shards)
        for shard, at in (await cancelled_calls.call_off(session, cohort, now, shards=shards)).items():
            earliest[shard] = min(at, earliest.get(shard, at))
        today = local_date(now, row.zone)
        await tasks.close_of_cohort(session, cohort, MATCH, CANCELLED, decider, why, now, today)
        await operations_log.finish_operation(session, id_, "done")
    await wake_in_time(database, earliest, now, wake)
    return True


async def still_to_tell(database: Database, cohort: str) -> int:
    """How many workflows have not heard of it yet."""
    async with database.session() as session:
        return await cancelling.still_to_tell(session, cohort)
