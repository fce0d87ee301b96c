"""Who may read what was reported about safety or conduct: those to whom the task about it went, and nobody else.

A person whom a report names was never told of its task (`lifecycle.tasks`), and learns here neither what it says nor
that there is one. Must never hold what a report says.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from operations import audit
from operations.audit import AuditEntry
from operations.people.deciders import who_decides
from store.database import Database
from store.forms import requests
from store.mentorships import concerns
from store.mentorships.concerns import SafetyTask
from store.people import people


@dataclass(frozen=True, slots=True)
class ConcernReaders:
    """The tasks about safety or conduct of some mentorships, with those who were told of each."""

    tasks: tuple[SafetyTask, ...]

    def of(self, mentorship: str) -> tuple[SafetyTask, ...]:
        """Those of one mentorship, the oldest first."""
        return tuple(task for task in self.tasks if task.mentorship == mentorship)

    def may_read(self, mentorship: str, reader: str) -> bool:
        """Whether a coordinator or deputy was told of every report in this mentorship.

        Where they were told of some only, they may be the one whom another report names.
        """
        return all(reader in task.told for task in self.of(mentorship))

    def hidden_from(self, reader: str) -> frozenset[str]:
        """Keys of the tasks of which this person was not told."""
        return frozenset(task.key for task in self.tasks if reader not in task.told)


async def readers_of(session: AsyncSession, cohort: str, mentorships: Collection[str]) -> ConcernReaders:
    """Who may read the concerns of these mentorships."""
    return ConcernReaders(await concerns.safety_tasks(session, cohort, mentorships))


async def opened(
    database: Database, cohort: str, mentorship: str, task: str, now: datetime, *, by: str, proof: str
) -> None:
    """Put on the record and in the audit that a coordinator opened the reports behind a task, by what proof of who
    they are; `now` is program time (UTC). Call it before anything of a report is shown."""
    async with database.begin() as session:
        await requests.note(session, cohort, mentorship, now, "concern_opened", detail=task, by=by)
        entry = AuditEntry("concern opened", by, proof, cohort, [task], result="read")
        await audit.put(session, now, entry)


async def audited_reader(
    database: Database,
    what: str,
    cohort: str,
    ids: Sequence[str],
    now: datetime,
    *,
    by: str,
    proof: str,
    result: str = "read",
    named: bool = True,
) -> str:
    """The id of who reads answers or reports of a cohort by a command; that they do is put into the audit.

    `now` is program time (UTC), `what` the command. Where it need not be `named` and `by` is empty, the row names
    nobody. Raises `Refused` where `by` is none of the cohort's coordinators or deputies.
    """
    async with database.begin() as session:
        reader = who_decides(cohort, await people.deciders(session, cohort), by) if by or named else ""
        await audit.put(session, now, AuditEntry(what, reader, proof, cohort, ids, result=result))
    return reader
