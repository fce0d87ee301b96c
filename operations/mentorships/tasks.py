"""Open tasks as a coordinator looks for them, each with the commands that look at it and decide it.

Read from SQL with names, for human eyes; nothing of it may be passed to Temporal or written to a log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lifecycle.gathering import MATCH
from lifecycle.local_time import local_date
from lifecycle.tasks import KINDS
from operations.errors import NotFound
from operations.mentorships.status import as_object, known_cohort
from program.faults import nearest
from store.database import Database
from store.people import people
from store.people.people import Decider
from store.reports import status
from store.reports.status import TaskLine

MORE_WORDS = {"pause": " --until 3w", "replace": " --with ID"}
"""What a decision needs besides its name."""


@dataclass(frozen=True, slots=True)
class TaskSummary:
    """A task that waits for a decision."""

    line: TaskLine
    overdue: bool
    """Whether its due date has passed, in the cohort's zone."""

    @property
    def look(self) -> str:
        """The command that shows what has happened, and what comes next."""
        if self.line.kind == MATCH:
            return f"mentorship match {self.line.cohort}"
        return f"mentorship show {self.line.cohort}/{self.line.mentorship}"

    @property
    def commands(self) -> tuple[str, ...]:
        """A command for each decision that is open."""
        return tuple(self._command(decision) for decision in self.line.decisions)

    def _command(self, decision: str) -> str:
        if self.line.kind == MATCH:
            return f"mentorship publish {self.line.cohort}"
        if decision == "correct":
            people = [person.id for person in self.line.about]
            return f"mentorship correct {people[0] if len(people) == 1 else 'PERSON'} --email ADDRESS"
        return f"mentorship decide {self.line.key} {decision}{MORE_WORDS.get(decision, '')}"

    @property
    def plain(self) -> dict[str, Any]:
        """As an object for `--json`."""
        return as_object(self.line) | {
            "overdue": self.overdue, "look": self.look, "commands": list(self.commands),
        }  # fmt: skip


async def open_tasks(
    database: Database,
    now: datetime,
    *,
    cohort: str = "",
    kind: str = "",
    overdue: bool = False,
    who: str = "",
) -> list[TaskSummary]:
    """Open tasks, the most pressing first; `now` is program time (UTC).

    `who` (id, name or address) leaves those that wait for this coordinator, or have gone to this deputy. Raises
    `NotFound` for a cohort, a kind or a person that there is none of.
    """
    known = (*KINDS, MATCH)
    if kind and kind not in known:
        near = nearest(kind, list(known))
        remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise NotFound(f"there is no kind of task {kind!r}; {remedy}")
    async with database.session() as session:
        if cohort:
            await known_cohort(session, cohort)
        person = _found(who, await people.all_deciders(session)) if who else ""
        lines = await status.open_tasks(session, cohort, kind=kind, told=person)
        zones = {row.id: row.zone for row in await status.cohorts(session)}
    summaries = [TaskSummary(line, line.due < local_date(now, zones[line.cohort])) for line in lines]
    return [summary for summary in summaries if summary.overdue or not overdue]


def _found(who: str, deciders: tuple[Decider, ...]) -> str:
    wanted = who.strip().casefold()
    for decider in deciders:
        if wanted in (decider.id.casefold(), decider.name.casefold(), decider.email.casefold()):
            return decider.id
    listed = ", ".join(f"{decider.id} ({decider.name})" for decider in deciders)
    raise NotFound(f"{who!r} coordinates nothing and is nobody's deputy; there are {listed or 'none'}")
