"""What one finished mentorship costs: history, Temporal's actions and CPU, over a whole season at a fast clock.

The engine lives it with its own worker, pages, mail and people; a workflow that needs the least lives through the
same season for the floor of the history; the bare shape of its turns, and its mails worded, are the floor of the CPU;
a naive workflow does the same deeds. All on one server, one after another, each worker in a process of its own.

The postmaster's own workflow serves everybody at once, and a season that passes in minutes spreads it over few: what
an event of its history costs is measured in empty rounds, and all of its events are counted apart.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import count
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from temporalio.client import Client

from demo.crowd import Act, Crowd
from demo.visitor import Visitor
from embedded.mailbox import Inbox, Sink
from lifecycle.local_time import instant, local_date
from operations.cohorts.launch import launch
from program.loader import Loaded
from rehearsal.script_actions import change_happens
from runtime.settings import Settings
from runtime.temporal import Teller, Waker
from store.database import Database, migrate
from store.reports.ledger import ledger
from tools.bench import least, naive
from tools.bench.actions import Cost, cost
from tools.bench.cpu import cpu
from tools.bench.least import Counted
from tools.bench.naive import Deed
from tools.bench.pairs import contented, pairs, to_the_farewell
from tools.bench.servers import Server, process, temporal
from tools.bench.shape import QUEUE, Shape
from tools.bench.table import Line
from web.app import create_app

SECRET = "only-for-measuring-only-for-measuring"
SETTLES, IDLE = 10.0, 30.0
"""Real seconds until server and worker have come to rest, and in which their idle cost is measured, to be taken off:
a hundredth of a processor is a tenth of what a season costs."""
NOON = time(12, 0)
HALF_A_YEAR = timedelta(weeks=26)
ACT_AT_ONCE = 4
LOOK_EVERY = 3.0
"""Real seconds from one look whether all is over to the next: a look costs the server too."""
ROUNDS, A_ROUND = 100, 0.1
"""Empty rounds of the postmaster, and the real seconds of each, that show what one costs."""


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds above idle."""

    server: float
    worker: float

    @property
    def all(self) -> float:
        """Of both."""
        return self.server + self.worker

    def times(self, many: float) -> Spent:
        """As much for each of so many."""
        return Spent(self.server * many, self.worker * many)

    def without(self, other: Spent) -> Spent:
        """What is left."""
        return Spent(self.server - other.server, self.worker - other.worker)


@dataclass(frozen=True, slots=True)
class Season:
    """What the engine spent on a season."""

    mentorships: Spent
    postmaster: Spent
    """Of it the postmaster's own workflow, without the mails that it sends."""
    events: int
    """In the postmaster's history."""


async def measure(*, quick: bool) -> list[Line]:
    """One season four times: as the engine lives it, with the least, in the bare shape, and naively."""
    many, takes = (12, 120.0) if quick else (40, 300.0)
    with TemporaryDirectory() as folder:
        async with temporal(Path(folder)) as server:
            engine = _Engine(server, Path(folder), many, takes)
            season, written, counted = await engine.live()
            ours = await cost(server.client, "WorkflowType = 'mentorship'")
            await least.live(server.client, list(counted.needs.values()))
            lowest = await cost(server.client, "WorkflowType = 'least'")
            upserts = round(ours.each(ours.actions["upsert"]))
            shape = await _shaped(server, Path(folder), engine.shapes(written, counted, upserts), takes)
            shaped = await cost(server.client, "WorkflowType = 'shape' AND WorkflowId != 'warm-shape'")
            beside = await _naively(server, engine, written)
            theirs = await cost(server.client, "WorkflowType = 'naive'")
    _explain(ours, lowest, shaped, theirs, counted, len(written["answers"]))
    floor = "a workflow with one timer a due moment, one update an answer, one local activity a turn, and no content"
    bare = "as many bare turns: update or timer, local activity, upsert, card; and its mails worded"
    naive_deeds = "the same deeds in a workflow with one activity a mail and one a record"
    own, postmaster = season.mentorships, season.postmaster

    def one(seconds: float) -> float:
        return seconds / many * 1000

    return [
        Line("mentorship, events", ours.each(ours.events), "", lowest.each(lowest.events), floor, 1.3, "less"),
        Line("mentorship, Temporal actions", *_each(ours, "", lowest), "", 1.3, "less"),
        Line("mentorship, bytes of history", ours.each(ours.bytes) / 1000, "KB",
             lowest.each(lowest.bytes) / 1000, "", None, "less"),
        Line("mentorship, CPU of the worker", one(own.worker), "ms", one(shape.worker), bare, 1.8, "less"),
        Line("mentorship, CPU of Temporal's server", one(own.server), "ms", one(shape.server), "", 1.1, "less"),
        Line("  the postmaster's own workflow, events", season.events / many, "",
             cpu={"worker": one(postmaster.worker), "server": one(postmaster.server)}),
        Line("  with it, server and worker", one(own.all + postmaster.all), "ms", one(beside.all), naive_deeds,
             None, "less", cpu={"worker": one(own.worker + postmaster.worker),
                                "server": one(own.server + postmaster.server)},
             floor_cpu={"worker": one(beside.worker), "server": one(beside.server)}),
    ]  # fmt: skip


def _each(ours: Cost, unit: str, lowest: Cost) -> tuple[float, str, float]:
    return ours.each(ours.actions.total()), unit, lowest.each(lowest.actions.total())


def _explain(ours: Cost, lowest: Cost, shaped: Cost, theirs: Cost, counted: Counted, answered: int) -> None:
    needs = list(counted.needs.values())
    names = ("timers", "overtaken", "updates", "turns")
    timers, overtaken, updates, turns = (sum(getattr(need, name) for need in needs) / len(needs) for name in names)
    answers = len(counted.answers) / len(needs)
    print(
        f"answers of one mentorship:  {answered / len(needs):.1f}; in the rehearsal of the same season {answers:.1f}"
    )
    print(f"actions of one mentorship:  {ours.counting()}")
    print(f"  the least, as lived:      {lowest.counting()}")
    print(
        f"  the least, as rehearsed:  1 start + {timers:.1f} due moments + {overtaken:.1f} overtaken "
        f"+ {updates:.1f} answers + {turns:.1f} turns"
    )
    print(f"  the bare shape:           {shaped.counting()}")
    print(f"  naive:                    {theirs.counting()}  ({theirs.each(theirs.events):.0f} events)")


class _Engine:
    """A season of so many pairs that takes so many real seconds for half a year."""

    def __init__(self, server: Server, folder: Path, many: int, takes: float) -> None:
        self.server = server
        self.folder = folder
        self.many = many
        self.takes = takes
        self.speed = HALF_A_YEAR.total_seconds() / takes
        self.database_url = f"sqlite+aiosqlite:///{folder}/mentorship.db"
        self.listening = socket()
        self.listening.bind(("127.0.0.1", 0))
        self.listening.listen(64)
        self.epoch = datetime.now(UTC)

    @property
    def smtp_port(self) -> int:
        """Where the mailbox listens."""
        return self.listening.getsockname()[1]

    def now(self) -> datetime:
        """Program time."""
        return self.epoch + (datetime.now(UTC) - self.epoch) * self.speed

    def settings(self) -> Settings:
        """As the worker has them too, from its environment."""
        return Settings(
            _env_file=None,  # pyright: ignore[reportCallIssue]
            **self.environment_values(),
        )

    def environment_values(self) -> dict[str, Any]:
        """Settings by name."""
        return {
            "database_url": self.database_url,
            "secret": SECRET,
            "smtp_port": self.smtp_port,
            "smtp_security": "none",
            "mail_from": "mentoring@bench.example.org",
            "public_url": "http://mentoring.bench.example.org",
            "speed": self.speed,
            "epoch": self.epoch.isoformat(),
        }

    def environment(self) -> dict[str, str]:
        """For the worker."""
        named = {f"MENTORSHIP_{name.upper()}": str(value) for name, value in self.environment_values().items()}
        return named | {"TEMPORAL_ADDRESS": self.server.address, "PYTHONDONTWRITEBYTECODE": ""}

    def shapes(self, written: dict[str, Any], counted: Counted, upserts: int) -> list[Shape]:
        """The turns of each mentorship in the bare shape, with the mails that it sent."""
        mails: dict[str, list[str]] = defaultdict(list)
        for mail in written["mails"]:
            mails[mail["items"][0]["mentorship"]].append(mail["items"][0]["name"])
        return [
            Shape(need.timers, need.updates, need.overtaken, upserts, self.takes / (need.timers + 1), mails[key])
            for key, need in counted.needs.items()
        ]

    async def live(self) -> tuple[Season, dict[str, Any], Counted]:
        """The season in the engine: CPU, the ledger, and the rehearsal of the same."""
        await asyncio.to_thread(migrate, self.database_url)
        client, settings = self.server.client, self.settings()
        inbox = Inbox(self.folder / "inbox", self.now)
        sink = Sink(inbox, self.listening)
        await sink.start()
        async with (
            Database.open(self.database_url) as database,
            process("worker.py", environment=self.environment(), log=self.folder / "worker.log") as worker,
        ):
            await _until(lambda: _delivers(client))
            meter = await _Meter.start(self.server.pid, worker)
            async with self._season(inbox, database, settings) as (loaded, launched_at):
                await launch(database, client, settings, loaded, launched_at)
                await _until(lambda: _none_left(client, self.many))
                spent = meter.read()
                events = await _events(client)
            event = await self._event(worker)
            async with database.session() as session:
                written = await ledger(session, loaded.cohort.cohort)
        rehearsed = Counted(
            loaded.cohort, loaded.programs, loaded.forms, contented(loaded), launched_at=launched_at,
            script=change_happens,
        )  # fmt: skip
        rehearsed.play()
        postmaster = event.times(events)
        return Season(spent.without(postmaster), postmaster, events), written, rehearsed

    async def _event(self, worker: int) -> Spent:
        """An event of the postmaster's history, as in rounds in which there is nothing to do."""
        client = self.server.client
        waker, before = Waker(client, self.settings()), await _events(client)
        meter = await _Meter.start(self.server.pid, worker)
        for _ in range(ROUNDS):
            await waker(0)
            await asyncio.sleep(A_ROUND)
        spent = meter.read()
        return spent.times(1 / (await _events(client) - before))

    @asynccontextmanager
    async def _season(
        self, inbox: Inbox, database: Database, settings: Settings
    ) -> AsyncIterator[tuple[Loaded, datetime]]:
        """The cohort, and its people at work: they read their mail and post their forms."""
        client = self.server.client
        launched_at = self.now()
        start = local_date(launched_at, "Europe/Berlin") + timedelta(days=7)
        loaded = to_the_farewell(pairs("bench", self.many, start))
        app = create_app(settings, database, Teller(client), self.now, Waker(client, settings))
        browser = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=settings.public_url, timeout=30)
        diary = _Diary(self.now)
        crowd = Crowd(loaded, contented(loaded), database, client, Visitor(browser), self.now, diary.at)
        inbox.on_arrival = lambda mail: diary.at(self.now(), lambda: crowd.read(mail.raw))
        async with browser, asyncio.TaskGroup() as people:
            living = people.create_task(diary.live())
            yield loaded, launched_at
            living.cancel()


class _Diary:
    """Who acts when."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.acts: list[tuple[datetime, int, Act]] = []
        self.ticket = count()

    def at(self, moment: datetime, act: Act) -> None:
        """Let somebody act at a moment of program time."""
        heapq.heappush(self.acts, (moment, next(self.ticket), act))

    async def live(self) -> None:
        """Without end; a few people act at the same time."""
        async with asyncio.TaskGroup() as people:
            for _ in range(ACT_AT_ONCE):
                people.create_task(self._live())

    async def _live(self) -> None:
        while True:
            while self.acts and self.acts[0][0] <= self.now():
                await heapq.heappop(self.acts)[2]()
            await asyncio.sleep(0.01)


async def _events(client: Client) -> int:
    """How many events the postmaster's history has."""
    return (await cost(client, "WorkflowType = 'postmaster'")).events


async def _shaped(server: Server, folder: Path, shapes: list[Shape], takes: float) -> Spent:
    """The bare shape of these mentorships, over as many seconds as the season."""
    client, loop = server.client, asyncio.get_running_loop()
    arguments = ("-m", "tools.bench.shape", server.address)
    environment = {"PYTHONDONTWRITEBYTECODE": ""}
    async with process(*arguments, environment=environment, log=folder / "shape.log") as worker:
        await client.execute_workflow("shape", Shape(timers=2, updates=0), id="warm-shape", task_queue=QUEUE)
        meter = await _Meter.start(server.pid, worker)

        async def one(nth: int, shape: Shape) -> None:
            handle = await client.start_workflow("shape", shape, id=f"shape/{nth}", task_queue=QUEUE)
            began = loop.time()
            for update in range(shape.updates):
                await asyncio.sleep(began + takes * (update + 1) / (shape.updates + 1) - loop.time())
                await handle.execute_update("happen")
            await handle.result()

        await asyncio.gather(*(one(nth, shape) for nth, shape in enumerate(shapes)))
        return meter.read()


async def _naively(server: Server, engine: _Engine, written: dict[str, Any]) -> Spent:
    """The same deeds by the naive workflow; the answers come from here, at their time."""
    client = server.client
    deeds, answers = _deeds(engine, written)
    arguments = ("-m", "tools.bench.naive", server.address, engine.database_url, str(engine.smtp_port))
    async with process(
        *arguments, environment={"PYTHONDONTWRITEBYTECODE": ""}, log=engine.folder / "naive.log"
    ) as worker:
        await client.execute_workflow("naive", args=["warm", [], 0], id="warm", task_queue=naive.QUEUE)
        meter = await _Meter.start(server.pid, worker)

        async def one(mentorship: str) -> None:
            own = answers[mentorship]
            handle = await client.start_workflow(
                "naive",
                args=[mentorship, deeds[mentorship], len(own)],
                id=f"naive/{mentorship}",
                task_queue=naive.QUEUE,
            )
            began = asyncio.get_running_loop().time()
            for answer in own:
                await asyncio.sleep(began + answer.after - asyncio.get_running_loop().time())
                await handle.signal("answered", args=[mentorship, answer])
            await handle.result()

        await asyncio.gather(*map(one, deeds))
        return meter.read()


def _deeds(engine: _Engine, written: dict[str, Any]) -> tuple[dict[str, list[Deed]], dict[str, list[Deed]]]:
    """What the engine has done, from its ledger: by mentorship, mails and steps as deeds, and the answers."""
    deeds: dict[str, list[Deed]] = defaultdict(list)
    answers: dict[str, list[Deed]] = defaultdict(list)

    def after(moment: datetime) -> float:
        return (moment - engine.epoch).total_seconds() / engine.speed

    for mail in written["mails"]:
        first = mail["items"][0]
        if first["mentorship"]:
            at = after(datetime.fromisoformat(mail["at"]))
            deeds[first["mentorship"]].append(Deed(at, "mail", first["name"], mail["person"]))
    for step in written["steps"]:
        for day in (step["opens"], step["settled"]):
            if day:
                moment = instant(datetime.fromisoformat(day).date(), NOON, "Europe/Berlin")
                deeds[step["mentorship"]].append(Deed(after(moment), "record", step["name"]))
    for answer in written["answers"]:
        at = after(datetime.fromisoformat(answer["at"]))
        answers[answer["mentorship"]].append(Deed(at, "record", answer["form"], answer["person"]))
    for actions in (*deeds.values(), *answers.values()):
        actions.sort(key=lambda deed: deed.after)
    return deeds, answers


class _Meter:
    """CPU above idle of the server and of a worker."""

    def __init__(self, server: int, worker: int, idle: tuple[float, float]) -> None:
        self.pids = (server, worker)
        self.idle = idle
        self.before = [cpu(pid) for pid in self.pids]
        self.began = asyncio.get_running_loop().time()

    @classmethod
    async def start(cls, server: int, worker: int) -> _Meter:
        """Measure what both use when there is nothing to do, and begin."""
        await asyncio.sleep(SETTLES)
        before = [cpu(pid) for pid in (server, worker)]
        await asyncio.sleep(IDLE)
        after = [cpu(pid) for pid in (server, worker)]
        idle = [(end - begin) / IDLE for begin, end in zip(before, after, strict=True)]
        print(f"idle: server {idle[0] * 1000:.0f}, worker {idle[1] * 1000:.0f} ms of CPU a second")
        return cls(server, worker, (idle[0], idle[1]))

    def read(self) -> Spent:
        """CPU seconds since the begin."""
        took = asyncio.get_running_loop().time() - self.began
        used = [
            cpu(pid) - before - idle * took
            for pid, before, idle in zip(self.pids, self.before, self.idle, strict=True)
        ]
        return Spent(*used)


async def _until(done: Callable[[], Awaitable[bool]]) -> None:
    while not await done():
        await asyncio.sleep(LOOK_EVERY)


async def _delivers(client: Client) -> bool:
    """Whether the postmaster has been round once: the worker is up."""
    return (await client.count_workflows("WorkflowType = 'postmaster'")).count > 0


async def _none_left(client: Client, many: int) -> bool:
    """Whether so many mentorships have been lived to their end."""
    query = "WorkflowType = 'mentorship' AND ExecutionStatus = 'Completed'"
    return (await client.count_workflows(query)).count >= many
