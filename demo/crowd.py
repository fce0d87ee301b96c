"""The people of a cohort, acted out: they read the mail that reached them, make up their minds, and act when their
time comes, through the doors that real people use: the pages and a coordinator's decisions.

The caller's clock says when "their time comes": real time in the demo, virtual time in tests.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select
from temporalio.client import Client

from demo.visitor import Visitor, public_id, tokens_in
from lifecycle.events import Decided
from lifecycle.gathering import MATCH
from lifecycle.local_time import begins, instant, local_date
from program.loader import Loaded
from rehearsal.behaviour import Behaviour
from rehearsal.people import People, ReceivedRequest, Reply
from runtime.temporal import NoSuchMentorship, NotTaken, RefusedChange, send
from store.accounts import sessions
from store.database import Database
from store.tables import ItemRow, MentorshipRow, MessageRow, ParticipantRow, RequestRow, TaskRow

Act = Callable[[], Awaitable[None]]
At = Callable[[datetime, Act], None]
"""Lets an act happen at a moment (program time, UTC), or at once where that is past."""

LETTERBOX = timedelta(days=4)
"""A mail comes at most so long after its date has begun, over a weekend and a holiday."""


@dataclass
class Crowd:
    """Everybody of one cohort. `now` gives program time (UTC), `at` lets somebody act later."""

    loaded: Loaded
    behaviour: Behaviour
    database: Database
    client: Client
    visitor: Visitor
    now: Callable[[], datetime]
    at: At
    seed: int = 1
    applicants: Sequence[str] = ()
    """Ids of those who apply to the open call, among the simulated people."""
    known_as: dict[str, str] = field(default_factory=dict[str, str])
    """Person, as the database knows them, to their id among the simulated people, where it is another."""
    publish: Callable[[str], Awaitable[None]] | None = None
    """Lets a coordinator match those who applied, and publish the pairs."""
    answered: Callable[[ReceivedRequest, str], None] = lambda _asked, _mentorship: None
    """Told of each answer that a page took, with the key of its mentorship."""
    answers: int = 0
    """How many answers the pages took."""
    missed: int = 0
    """How many answers came too late for their window although the person meant to be in time, and would have been
    had the mail come when it should: the clock was faster than this machine."""
    _people: People = field(init=False)
    _requests: set[str] = field(default_factory=set[str])
    _tasks: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        participants = [*(person.id for person in self.loaded.cohort.participants), *self.applicants]
        self._people = People(self.behaviour, participants, self.seed)

    async def read(self, raw: bytes) -> None:
        """Somebody reads a mail that has reached them."""
        for token in tokens_in(raw):
            await self._consider(token)

    async def _consider(self, token: str) -> None:
        """Somebody found the link of a request in a mail."""
        async with self.database.session() as session:
            request = await session.scalar(select(RequestRow).where(RequestRow.public_id == public_id(token)))
            assert request is not None
            if request.key in self._requests:
                return
            self._requests.add(request.key)
            mentorship = await session.get_one(MentorshipRow, (request.cohort, request.mentorship))
            person = await session.get_one(ParticipantRow, request.person)
            mailed_at = await session.scalar(
                select(MessageRow.at)
                .join(ItemRow, ItemRow.message == MessageRow.id)
                .where(ItemRow.request == request.key)
                .order_by(MessageRow.at)
                .limit(1)
            )
        assert mailed_at is not None
        program = self.loaded.programs[mentorship.program]
        form = self.loaded.forms[mentorship.program][program.form_for(request.ask)]
        asked = ReceivedRequest(
            self.known_as.get(request.person, request.person), request.ask, request.number, request.role,
            mentorship.format, person.zone, mailed_at, request.early,
        )  # fmt: skip
        reply = self._people.reply(asked, form)
        if reply is None:
            return

        async def answer(reply: Reply = reply) -> None:
            async with self.database.session() as session:
                row = await session.get_one(RequestRow, request.key)
                closes_at, state = row.closes_at, row.state
            if self.now() >= closes_at or state not in ("open", "answered"):
                punctual = begins(request.opens, person.zone) + (reply.at - mailed_at) + LETTERBOX
                self.missed += state in ("open", "closed") and min(punctual, reply.at) < closes_at
            # Late or not: whether the page takes it is for the page to say.
            if await self.visitor.answer(token, asked, form, reply, person.name):
                self.answers += 1
                self.answered(asked, request.mentorship)

        self.at(reply.at, answer)

    async def look_for_tasks(self) -> None:
        """The coordinators look through their mail for tasks that they have not seen yet."""
        script = self.behaviour.coordinator
        if script.never:
            return
        async with self.database.session() as session:
            rows = await session.execute(
                select(TaskRow, MessageRow.at, MessageRow.person, ParticipantRow.zone)
                .join(ItemRow, ItemRow.task == TaskRow.key)
                .join(MessageRow, MessageRow.id == ItemRow.message)
                .join(ParticipantRow, ParticipantRow.id == MessageRow.person)
                .where(TaskRow.cohort == self.loaded.cohort.cohort)
                .order_by(MessageRow.at, MessageRow.person)
            )
            tasks = list(rows)
        for task, mailed_at, person, zone in tasks:
            if task.key in self._tasks:
                continue
            self._tasks.add(task.key)
            at = instant(local_date(mailed_at, zone) + timedelta(days=script.decides_after), script.at, zone)

            self.at(max(at, mailed_at + timedelta(minutes=1)), partial(self._decide, task, person))

    async def _decide(self, task: TaskRow, by: str) -> None:
        """A coordinator decides a task; not where somebody who watches has signed in as them, and decides instead."""
        async with self.database.session() as session:
            if await sessions.has_any(session, by):
                return
        if task.kind == MATCH and self.publish is not None:
            await self.publish(by)
            return
        script = self.behaviour.coordinator.decides(task.mentorship, task.kind)
        today = local_date(self.now(), self.loaded.cohort.zone)
        until = today + timedelta(days=script.until) if script.decision == "pause" else None
        event = Decided(f"decide/{task.key}", task.key, script.decision, by, until)
        # It may have lapsed meanwhile, with its mentorship even, or have been decided by somebody else.
        with suppress(RefusedChange, NoSuchMentorship):
            try:
                await send(self.client, task.cohort, task.mentorship, event)
            except NotTaken:
                self.at(self.now(), partial(self._decide, task, by))
