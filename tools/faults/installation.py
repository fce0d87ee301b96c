"""An installation in small, of real parts that can be taken away one by one: Temporal on a database file, SQLite or
PostgreSQL, worker processes, the pages as a process of their own, a relay that does what it is told, and people.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

import httpx
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client

from demo.crowd import Act, Crowd
from demo.visitor import Visitor
from embedded.temporal_server import DevServer
from operations.cohorts.launch import launch
from program.loader import Loaded, load_cohort
from rehearsal.behaviour import Behaviour
from rehearsal.people import ReceivedRequest
from runtime.settings import Settings
from store.database import Database, migrate
from store.tables import EventRow, ItemRow, MentorshipRow, MessageRow, ParticipantRow, RelayRow, RequestRow
from testing.cohorts.all_cases import behaviour_of, cohort_of, written
from testing.cohorts.cases import Case
from testing.environments.engine import SECRET
from testing.servers.dev_server import free_port
from testing.servers.postgresql import PostgreSQL
from testing.servers.sink import Received, Sink
from testing.servers.sink import running as running_sink

ROOT = Path(__file__).parents[2]
LASTS = timedelta(days=50)
"""From the launch to the last closure form: four weeks, and what lies before and after."""
ANOTHER_TRY = 0.5
"""Real seconds after which somebody whose page did not work tries it again."""
UNFINISHED = ("queued", "held", "sending")

T = TypeVar("T")


@dataclass(frozen=True)
class Size:
    """How large a town is, and how fast its clock."""

    pairs: int = 8
    seconds: float = 36
    """Real time in which the season passes."""


@dataclass
class Town:
    """A season that is under way. `chance` deals whatever a fault leaves open."""

    settings: Settings
    database: Database
    server: DevServer
    sink: Sink
    folder: Path
    chance: Random
    size: Size
    postgresql: PostgreSQL | None
    client: Client
    workers: set[int] = field(default_factory=set[int])
    """Process ids."""
    pages: int = 0
    """The process id of the pages."""
    accepted: list[tuple[str, ReceivedRequest]] = field(default_factory=list[tuple[str, ReceivedRequest]])
    """Answers that a page took: the mentorship, and what was asked of whom."""
    kills: int = 0
    """How many of our processes were killed in mid-work."""
    gone: bool = False
    """Whether people have gone home."""
    told: str = ""
    """What new workers are told beside the common settings, as NAME=VALUE."""
    asked_at_the_end: list[Callable[[], Awaitable[list[str]]]] = field(
        default_factory=list[Callable[[], Awaitable[list[str]]]]
    )
    """What a fault wants to be true when the season is over; each gives its troubles."""
    _nursery: asyncio.subprocess.Process | None = None
    _acts: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    _read: int = 0

    def now(self) -> datetime:
        """Program time, UTC."""
        return self.settings.clock.program(datetime.now(UTC))

    @property
    def day(self) -> float:
        """Real seconds in a day of the season."""
        return self.settings.clock.real_span(timedelta(days=1)).total_seconds()

    @property
    def arrived(self) -> list[Received]:
        """Every message that the relay took."""
        return self.sink.received

    async def days(self, span: float) -> None:
        """Let so many days of the season pass."""
        await asyncio.sleep(span * self.day)

    async def once_there(self, read: Callable[[], Awaitable[T]], within: float = 60) -> T:
        """What a read answers, as soon as the database does: a connection kept from before it went away fails once.
        Raises TimeoutError."""
        async with asyncio.timeout(within):
            while True:
                with suppress(SQLAlchemyError):
                    return await read()
                await asyncio.sleep(0.05)

    async def until(self, what: Callable[[], Awaitable[bool]], within: float = 180) -> None:
        """Wait until something is so; a database that is away is asked again. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while True:
                with suppress(Exception):
                    if await what():
                        return
                await asyncio.sleep(0.05)

    # -- processes -------------------------------------------------------------------------------------------------

    async def add_worker(self) -> int:
        """One worker more; its process id."""
        assert self._nursery is not None
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(f"one more {self.told}\n".encode())
        await self._nursery.stdin.drain()
        worker = int(await self._nursery.stdout.readline())
        self.workers.add(worker)
        return worker

    def kill(self, worker: int) -> None:
        """End a worker in the middle of whatever it does."""
        self.workers.discard(worker)
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
            self.kills += 1

    @property
    def processes(self) -> list[int]:
        """All that write to the database, and the one of which new workers come."""
        assert self._nursery is not None
        return [self._nursery.pid, *self.workers, self.pages]

    async def restart_worker(self) -> None:
        """Let all workers finish and start a new one, with the current templates."""
        await self.stop_workers()
        await self.add_worker()

    async def stop_workers(self) -> None:
        """Let all workers finish; there is none after that."""
        ending, self.workers = self.workers, set()
        for worker in ending:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGTERM)

        async def ended() -> bool:
            return not any(Path(f"/proc/{worker}").exists() for worker in ending)

        await self.until(ended)

    async def mind_workers(self) -> None:
        """Without end: put another in the place of a worker that ended by itself, as a service manager does."""
        while True:
            for worker in list(self.workers):
                if not Path(f"/proc/{worker}").exists() and worker in self.workers:
                    self.workers.discard(worker)
                    await self.add_worker()
            await asyncio.sleep(0.5)

    # -- people ----------------------------------------------------------------------------------------------------

    def at(self, moment: datetime, act: Act) -> None:
        """Let somebody act at a moment of program time (UTC). Who meets an error page tries again later."""

        async def in_time() -> None:
            left = self.settings.clock.real_span(moment - self.now())
            await asyncio.sleep(max(left.total_seconds(), 0))
            while not self.gone:
                try:
                    return await act()
                except Exception:
                    await asyncio.sleep(ANOTHER_TRY)

        task = asyncio.create_task(in_time())
        self._acts.add(task)
        task.add_done_callback(self._acts.discard)

    async def live(self, crowd: Crowd) -> None:
        """Without end: everybody reads their mail as it comes."""
        while True:
            fresh = self.arrived[self._read :]
            self._read += len(fresh)
            for mail in fresh:
                self.at(self.now(), lambda raw=mail.raw: crowd.read(raw))
            if fresh:
                self.at(self.now(), crowd.look_for_tasks)
            await asyncio.sleep(0.1)

    async def go_home(self) -> None:
        """Nobody acts any more."""
        self.gone = True
        for act in list(self._acts):
            act.cancel()
        await asyncio.gather(*self._acts, return_exceptions=True)

    # -- how it stands ---------------------------------------------------------------------------------------------

    async def left_of(self, moment: datetime) -> int:
        """How much of what was due at a moment (UTC) is still to be done."""
        due = select(func.count(ItemRow.key)).where(ItemRow.state == "queued", ItemRow.deliver_at <= moment)
        told = select(func.count(MentorshipRow.key)).where(MentorshipRow.next_at <= moment)
        on_its_way = select(func.count(MessageRow.id)).where(
            MessageRow.at <= moment,
            MessageRow.state.in_(("sending", "ambiguous")),
            MessageRow.next_try_at.is_not(None),
        )
        async with self.database.session() as session:
            return sum([await session.scalar(query) or 0 for query in (due, told, on_its_way)])

    async def at_rest(self) -> bool:
        """Whether every mentorship has ended and nothing is on its way any more."""
        waiting = select(func.count(ItemRow.key)).where(ItemRow.state.in_(UNFINISHED))
        running = select(func.count(MentorshipRow.key)).where(MentorshipRow.state != "over")
        async with self.database.session() as session:
            counts = [await session.scalar(query) for query in (waiting, running, select(func.count(RelayRow.id)))]
        return not any(counts)

    async def next_due(self) -> datetime | None:
        """When something falls due next (UTC)."""
        now = self.now()
        item = select(func.min(ItemRow.deliver_at)).where(ItemRow.state == "queued", ItemRow.deliver_at > now)
        step = select(func.min(MentorshipRow.next_at)).where(MentorshipRow.next_at > now)
        async with self.database.session() as session:
            moments = [await session.scalar(query) for query in (item, step)]
        return min((moment for moment in moments if moment is not None), default=None)

    async def falls_due_soon(self) -> bool:
        """Whether something falls due within half a day, or nothing ever again."""
        due = await self.next_due()
        return due is None or due < self.now() + timedelta(days=0.5)

    async def failed(self) -> list[str]:
        """What the record says of mails that could not be worded: the item, and what is in the way."""
        async with self.database.session() as session:
            return list(await session.scalars(select(EventRow.detail).where(EventRow.name == "mail_failed")))

    def logged(self, word: str) -> int:
        """How many lines of the workers' and the pages' logs hold a word."""
        logs = (self.folder / name for name in (WORKERS_LOG, PAGES_LOG))
        return sum(word in line for log in logs for line in log.read_text(errors="replace").splitlines())

    async def has_worker(self) -> bool:
        """Whether a worker is at work."""
        return self.logged("worker_runs") > 0

    async def has_answers(self) -> bool:
        """Whether anybody has answered yet."""
        return bool(self.accepted)

    async def addresses(self) -> list[str]:
        """Everybody's."""
        async with self.database.session() as session:
            return list(await session.scalars(select(ParticipantRow.email)))

    async def requests(self) -> dict[tuple[str, str, str, int], str]:
        """Mentorship, person, ask and number to the key of the request."""
        async with self.database.session() as session:
            rows = list(await session.scalars(select(RequestRow)))
        return {(row.mentorship, row.person, row.ask, row.number): row.key for row in rows}


@asynccontextmanager
async def town(folder: Path, size: Size, seed: int, *, on_postgresql: bool = False) -> AsyncIterator[Town]:
    """A town on the day of its launch, with one worker; ended in order."""
    server = DevServer(free_port(), free_port(), folder / "temporal.log", folder / "temporal.db")
    async with AsyncExitStack() as stack:
        postgresql = await asyncio.to_thread(PostgreSQL.start) if on_postgresql else None
        if postgresql is not None:
            stack.callback(postgresql.stop)
        url = postgresql.url("postgres") if postgresql else f"sqlite+aiosqlite:///{folder / 'town.db'}"
        await asyncio.to_thread(migrate, url)
        stack.push_async_callback(server.stop)
        client = await server.start()
        sink = await stack.enter_async_context(running_sink())
        port = free_port()
        settings = Settings(
            _env_file=None,  # pyright: ignore[reportCallIssue]
            database_url=url,
            secret=SECRET,  # pyright: ignore[reportArgumentType]
            smtp_port=sink.port,
            smtp_security="none",
            smtp_timeout=1.5,
            mail_from="mentoring@engine.example.org",
            web_port=port,
            public_url=f"http://127.0.0.1:{port}",
            speed=LASTS.total_seconds() / size.seconds,
            epoch=datetime.now(UTC),
            check_workflows_seconds=1,
        )
        database = await stack.enter_async_context(Database.open(url))
        here = Town(settings, database, server, sink, folder, Random(seed), size, postgresql, client)
        environment = _environment(settings, server.address, _checkout(folder / "engine"))
        here._nursery = await stack.enter_async_context(_process(folder / WORKERS_LOG, environment, NURSERY))
        await stack.enter_async_context(_pages(here, environment))
        await here.add_worker()
        await here.until(here.has_worker)  # from here on the season's clock must not run away from the launch
        loaded, behaviour = _people(folder, size, here.now().date())
        browser = await stack.enter_async_context(httpx.AsyncClient(base_url=settings.public_url, timeout=20))
        crowd = Crowd(
            loaded, behaviour, database, client, Visitor(browser), here.now, here.at, seed,
            answered=lambda asked, mentorship: here.accepted.append((mentorship, asked)),
        )  # fmt: skip
        await launch(database, client, settings, loaded, here.now())
        tasks = [asyncio.create_task(here.live(crowd)), asyncio.create_task(here.mind_workers())]
        try:
            yield here
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await here.go_home()


WORKERS_LOG, PAGES_LOG = "workers.log", "pages.log"
NURSERY = ("-m", "testing.servers.forking_worker")
PAGES = ("-c", "from cli.main import main; main()", "web")


def _people(folder: Path, size: Size, today: date) -> tuple[Loaded, Behaviour]:
    """Pairs that answer what they are asked; of the last, one never does."""
    closes = {"closure": {"after": 1}}
    cases = [Case(f"pair{n}", "fit", mentor=closes, mentee=closes) for n in range(size.pairs - 1)]
    cases.append(Case("quiet", "fit", mentor=closes, mentee={"default": "never", "invitation": {}}))
    file = cohort_of(cases, "town") | {"start": today + timedelta(days=10), "program": "fit"}
    cohort, _ = written(folder, file, behaviour_of(cases))
    return load_cohort(cohort), Behaviour.model_validate(behaviour_of(cases))


def _checkout(folder: Path) -> Path:
    """The engine as it is, but with templates of its own that can be spoilt."""
    folder.mkdir()
    # These rooms look for templates beside themselves, where they really are.
    own = ("mail", "program", "templates")
    for entry in ROOT.iterdir():
        if entry.name not in own and not entry.name.startswith("."):
            (folder / entry.name).symlink_to(entry)
    for name in own:
        shutil.copytree(ROOT / name, folder / name)
    return folder


def _environment(settings: Settings, address: str, engine: Path) -> dict[str, str]:
    told = settings.model_dump(mode="json", exclude_unset=True) | {"secret": SECRET}
    named = {f"MENTORSHIP_{name.upper()}": str(value) for name, value in told.items()}
    return {**os.environ, **named, "TEMPORAL_ADDRESS": address, "PYTHONPATH": str(engine)}


@asynccontextmanager
async def _process(
    log: Path, environment: dict[str, str], arguments: tuple[str, ...]
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=log.parent, env=environment,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    # Not a file of theirs: what may not grow any more could not say so either.
    scribe = asyncio.create_task(_written_down(process, log))
    try:
        if arguments == NURSERY:
            assert process.stdout is not None
            await process.stdout.readline()
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        if arguments != NURSERY and process.returncode is None:
            process.kill()
        await process.wait()
        scribe.cancel()


async def _written_down(process: asyncio.subprocess.Process, log: Path) -> None:
    assert process.stderr is not None
    with log.open("wb", buffering=0) as file:
        while chunk := await process.stderr.read(1 << 16):
            file.write(chunk)


@asynccontextmanager
async def _pages(here: Town, environment: dict[str, str]) -> AsyncIterator[None]:
    """The pages, once they answer."""
    async with _process(here.folder / PAGES_LOG, environment, PAGES) as process:
        here.pages = process.pid

        async def answer() -> bool:
            async with httpx.AsyncClient() as http:
                return (await http.get(here.settings.public_url, timeout=5)).status_code > 0

        await here.until(answer, within=60)
        yield
