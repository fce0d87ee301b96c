"""Mentorships that run in this process, behind the calls that a Temporal client has: the real core, no server.

For tests that give thousands of changes. Each mentorship takes its events one after another, checks them as a
workflow does and knows an event that it has taken; its state is in SQL, as a worker would have written it, or is a
turn behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from typing import Any

from sqlalchemy import update
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from lifecycle import saved_state
from lifecycle.advance import advance, begin
from lifecycle.events import Event
from lifecycle.keys import MentorshipRef
from lifecycle.refusals import refusal
from lifecycle.state import Member, State
from program.models import Cohort, Program
from store.database import Database
from store.tables import MentorshipRow
from workflows.ids import mentorship_id
from workflows.options import REFUSED


class CoreClient:
    """Stands where a Temporal client does. `taken` are the ids of the events that each mentorship took, in order."""

    def __init__(self, database: Database, now: datetime) -> None:
        self.database = database
        self.now = now
        self.states: dict[str, State] = {}
        self.refs: dict[str, MentorshipRef] = {}
        self.taken: dict[MentorshipRef, list[str]] = {}
        self.away = False
        """Nothing answers."""
        self.last_of: int | None = None
        """After so many events more, nothing answers."""

    async def run(self, cohort: Cohort, programs: Mapping[str, Program]) -> list[MentorshipRef]:
        """Begin every mentorship of a cohort that is in SQL, with its program."""
        refs: list[MentorshipRef] = []
        for mentorship in cohort.mentorships:
            ref = (cohort.cohort, mentorship.key)
            seats = [Member(person, role, cohort.zone) for person, role in mentorship.members()]
            id_ = mentorship_id(*ref)
            program = programs[mentorship.program or cohort.program]
            self.states[id_] = begin(
                program, *ref, mentorship.start or cohort.start, cohort.zone, self.now.date(), seats,
                [one.id for one in cohort.coordinators],
            )  # fmt: skip
            advance(self.states[id_], None, self.now)
            self.refs[id_], self.taken[ref] = ref, []
            refs.append(ref)
        await self.write(refs)
        return refs

    async def write(self, refs: Sequence[MentorshipRef]) -> None:
        """Write the states of mentorships to SQL."""
        async with self.database.begin() as session:
            for cohort, key in refs:
                text = saved_state.save(self.states[mentorship_id(cohort, key)])
                await session.execute(
                    update(MentorshipRow)
                    .where(MentorshipRow.cohort == cohort, MentorshipRow.key == key)
                    .values(workflow_state=text, state="running", turn=MentorshipRow.turn + 1)
                )

    def take(self, ref: MentorshipRef, event: Event) -> str:
        """Let an event happen; the reason where it is refused."""
        state = self.states[mentorship_id(*ref)]
        if event.id in state.seen:
            return ""
        advance(state, None, self.now)
        reason = refusal(state, event, self.now.date())
        if not reason:
            advance(state, event, self.now)
            self.taken[ref].append(event.id)
        return reason

    def get_workflow_handle(self, id_: str) -> Any:
        """The handle of a mentorship."""
        return _Handle(self, id_)

    async def start_workflow(self, *_: Any, **__: Any) -> None:
        """A postmaster is woken."""
        await self.answer()

    async def answer(self) -> None:
        """One call over the network: others may come first. Raises RPCError where nothing answers."""
        await asyncio.sleep(0)
        if self.last_of is not None:
            self.last_of -= 1
            self.away = self.away or self.last_of < 0
        if self.away:
            raise RPCError("nothing answers", RPCStatusCode.UNAVAILABLE, b"")


class _Handle:
    def __init__(self, client: CoreClient, id_: str) -> None:
        self.client = client
        self.id = id_

    async def query(self, _name: str, **_: Any) -> State:
        await self.client.answer()
        return deepcopy(self.client.states[self.id])

    async def start_update(self, _name: str, event: Event, **_: Any) -> _Update:
        await self.client.answer()
        reason = self.client.take(self.client.refs[self.id], event)
        if reason:
            cause = ApplicationError(reason, type=REFUSED)
            raise WorkflowUpdateFailedError(cause)
        return _Update()


class _Update:
    async def result(self) -> str:
        """What came of it."""
        return "done"
