"""A season in which the worker is killed again and again, in the middle of whatever it does: nothing is lost, and
nothing comes twice but the same mail, where the relay had it and we died before we knew."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_string, policy
from pathlib import Path
from random import Random

import httpx
import pytest
from sqlalchemy import func, select
from temporalio.client import Client, WorkflowExecutionStatus

from demo.crowd import Act, Crowd
from demo.visitor import Visitor
from embedded.temporal_server import DevServer
from operations.cohorts.launch import launch
from program.loader import load_cohort
from rehearsal.behaviour import Behaviour
from runtime.settings import Settings
from runtime.temporal import Teller, Waker
from store.database import Database, migrate
from store.delivery.results import NOT_REPEATED
from store.tables import AnswerRow, ItemRow, MentorshipRow, MessageRow, OutcomeRow, RelayRow, RequestRow, StepRow
from testing.cohorts.all_cases import behaviour_of, cohort_of, written
from testing.cohorts.cases import Case
from testing.environments.engine import SECRET
from testing.servers.dev_server import free_port
from testing.servers.sink import Sink
from testing.servers.sink import running as running_sink
from web.app import create_app
from workflows.ids import mentorship_id

KILLS = 20
SEED = 20
LASTS = timedelta(days=80)
"""From the launch to the last closure form: eight weeks, and what lies before and after."""
SECONDS = 50
"""Real time in which that passes."""
RESTS_WITHIN = 120
"""Real seconds after the last kill: a round that died is taken over when its heartbeat is missed."""

CASES = (
    *(
        Case(f"pair{n}", "clock", mentor={"closure": {"after": 1}}, mentee={"closure": {"after": 2}})
        for n in range(5)
    ),
    Case("differ", "clock", mentor={"agreement#1": {"act": "change"}}, mentee={"check_in": "never"}),
    Case("silent", "clock", mentor={"default": "never", "invitation": {}}, mentee={"check_in": "never"}),
    Case("group", "clock_group", others=({},)),
)


@dataclass
class Kept:
    """A season on a server of its own; people act in real time, by a fast clock."""

    settings: Settings
    database: Database
    client: Client
    sink: Sink
    acts: set[asyncio.Task[None]] = field(default_factory=set)
    troubles: list[BaseException] = field(default_factory=list)
    read: int = 0

    def now(self) -> datetime:
        """Program time, UTC."""
        return self.settings.clock.program(datetime.now(UTC))

    def at(self, moment: datetime, act: Act) -> None:
        """Let somebody act at a moment of program time (UTC)."""

        async def in_time() -> None:
            left = self.settings.clock.real_span(moment - self.now())
            await asyncio.sleep(max(left.total_seconds(), 0))
            try:
                await act()
            except Exception as trouble:
                self.troubles.append(trouble)

        task = asyncio.create_task(in_time())
        self.acts.add(task)
        task.add_done_callback(self.acts.discard)

    async def live(self, crowd: Crowd) -> None:
        """Read mail as it comes, without end."""
        while True:
            fresh = self.sink.received[self.read :]
            self.read = len(self.sink.received)
            for mail in fresh:
                await crowd.read(mail.raw)
            if fresh:
                await crowd.look_for_tasks()
            await asyncio.sleep(0.1)

    async def at_rest(self) -> bool:
        """Whether every mentorship has ended and nothing is on its way any more."""
        waiting = select(func.count(ItemRow.key)).where(ItemRow.state.in_(("queued", "held", "sending")))
        left = select(func.count(MentorshipRow.key)).where(MentorshipRow.state != "over")
        async with self.database.session() as session:
            counts = [await session.scalar(each) for each in (waiting, left, select(func.count(RelayRow.id)))]
        return not any(counts)


@asynccontextmanager
async def nursery(environment: dict[str, str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that forks workers."""
    root = Path(__file__).parents[2]
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "testing.servers.forking_worker", cwd=root, env=os.environ | environment,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors,
        )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.stdin.close()
        await process.wait()


async def born(process: asyncio.subprocess.Process) -> int:
    """The process id of a new worker."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"one more\n")
    await process.stdin.drain()
    return int(await process.stdout.readline())


@pytest.mark.timeout(600)
async def test_a_season_survives_the_death_of_its_worker_at_any_moment(tmp_path: Path) -> None:
    server = DevServer(free_port(), free_port(), tmp_path / "temporal.log")
    client = await server.start()
    url = f"sqlite+aiosqlite:///{tmp_path / 'season.db'}"
    migrate(url)
    epoch = datetime.now(UTC)
    file = cohort_of(CASES, "kills") | {"start": epoch.date() + timedelta(days=10), "program": "clock"}
    cohort, _ = written(tmp_path, file, behaviour_of(CASES))
    loaded = load_cohort(cohort)
    try:
        async with running_sink() as sink, Database.open(url) as database:
            settings = Settings(
                _env_file=None,  # pyright: ignore[reportCallIssue]
                database_url=url,
                secret=SECRET,  # pyright: ignore[reportArgumentType]
                smtp_port=sink.port,
                smtp_security="none",
                mail_from="mentoring@engine.example.org",
                public_url="http://mentoring.example.org",
                speed=LASTS.total_seconds() / SECONDS,
                epoch=epoch,
                shards=4,
            )
            season = Kept(settings, database, client, sink)
            app = create_app(settings, database, Teller(client), season.now, Waker(client, settings))
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=settings.public_url) as http:
                behaviour = Behaviour.model_validate(behaviour_of(CASES))
                crowd = Crowd(loaded, behaviour, database, client, Visitor(http), season.now, season.at)
                living = asyncio.create_task(season.live(crowd))
                async with nursery(_environment(settings, server.address), tmp_path / "workers.log") as workers:
                    await launch(database, client, settings, loaded, season.now())
                    await _kill_and_kill(workers)
                    async with asyncio.timeout(RESTS_WITHIN):
                        while not await season.at_rest():
                            await asyncio.sleep(0.2)
                    await _finished(client, [one.key for one in loaded.cohort.mentorships])
                living.cancel()
                await asyncio.gather(living, *season.acts, return_exceptions=True)
            assert season.troubles == []
            await _nothing_lost(season, crowd, [one.key for one in loaded.cohort.mentorships])
    finally:
        await server.stop()


def _environment(settings: Settings, address: str) -> dict[str, str]:
    told = settings.model_dump(mode="json", exclude_unset=True) | {"secret": SECRET}
    return {f"MENTORSHIP_{name.upper()}": str(value) for name, value in told.items()} | {"TEMPORAL_ADDRESS": address}


async def _kill_and_kill(workers: asyncio.subprocess.Process) -> None:
    """Over the whole season: let a worker live for a random while, kill it, start another. The last one stays."""
    chance = Random(SEED)
    lives = [chance.uniform(0.4, 1.6) for _ in range(KILLS)]
    worker = await born(workers)
    for life in lives:
        await asyncio.sleep(life * SECONDS / sum(lives))
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
        worker = await born(workers)


async def _finished(client: Client, keys: list[str]) -> None:
    """Every mentorship's workflow has come to its end by itself."""
    for key in keys:
        handle = client.get_workflow_handle(mentorship_id("kills", key))
        await handle.result(rpc_timeout=timedelta(seconds=30))
        assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED


async def _nothing_lost(season: Kept, crowd: Crowd, keys: list[str]) -> None:
    async with season.database.session() as session:
        ended = list(await session.scalars(select(OutcomeRow.mentorship)))
        messages = list(await session.scalars(select(MessageRow).where(MessageRow.state.in_(("sent", "ambiguous")))))
        items = list(await session.scalars(select(ItemRow)))
        answers = list(await session.scalars(select(AnswerRow)))
        steps = list(await session.scalars(select(StepRow)))
        asked = {row.key: row for row in await session.scalars(select(RequestRow))}
    assert sorted(ended) == sorted(keys)

    # Whatever was to be told went out or was dropped, for a reason that stands beside it.
    assert Counter(item.state for item in items if item.state not in ("sent", "dropped")) == Counter()
    assert {item.message for item in items if item.state == "sent"} == {message.id for message in messages}

    # Every mail of the record has arrived, nothing else has, and what came twice is the same mail.
    # Of one that was in doubt and had nothing true left to say when its dead worker was missed (twenty seconds are a
    # month here), nobody knows whether it has; the record says so.
    arrived = Counter((mail.id, mail.raw) for mail in season.sink.received)
    ids = {id_ for id_, _ in arrived}
    unknown = {_message_id(message.raw) for message in messages if message.error == NOT_REPEATED}
    assert ids - unknown == {_message_id(message.raw) for message in messages} - unknown
    assert ids >= {_message_id(message.raw) for message in messages if message.state == "sent"}
    assert len(arrived) == len(ids), "one Message-ID, one text"
    assert sum(arrived.values()) - len(arrived) <= KILLS

    # Every answer that a page took is there once, and its mentorship knows of it.
    assert len(answers) == crowd.answers
    assert len(answers) > 10, "a season in which hardly anybody answers shows little"
    for answer in answers:
        request = asked[answer.request]
        if request.ask in ("check_in", "closure") and not answer.late:
            [step] = [
                step
                for step in steps
                if (step.mentorship, step.name, step.number) == (request.mentorship, request.ask, request.number)
            ]
            assert step.state == "settled"


def _message_id(raw: str) -> str:
    return str(message_from_string(raw, policy=policy.default)["Message-ID"])
