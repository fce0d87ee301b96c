"""Mails a second: the postmaster's round with its store, wording and bookkeeping, beside bare aiosmtplib that hands
over the very same bytes, to the same sink in another process, over as many kept connections.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from aiosmtplib import SMTP
from sqlalchemy import select

from activities.delivery.deliver import PostOffice
from activities.delivery.smtp import SmtpTransport
from activities.messages import DeliverInput
from activities.record_turn import Recorder
from lifecycle.advance import advance, begin
from lifecycle.batch import batch
from lifecycle.local_time import local_date
from lifecycle.state import Member
from mail.compose import Composer
from program.loader import Loaded
from runtime.settings import Settings
from runtime.smtp import transport_of
from store.cohorts import cohorts
from store.database import Database, migrate
from store.programs import freeze_program
from store.tables import MessageRow
from tools.bench.cpu import Meter
from tools.bench.pairs import pairs
from tools.bench.smtp_sink import sink
from tools.bench.table import Line
from worker import make_post_office

LAUNCHED = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
"""A Tuesday, in the night."""
NINE = datetime(2026, 12, 1, 8, 0, 30, tzinfo=UTC)
"""Nine o'clock in Berlin, where everybody lives here."""
SLOW = 0.01
"""Seconds that a near relay takes to accept a mail; a sink that takes none shows what the bookkeeping costs."""
COMPOSER = Composer()
"""A process reads its templates once: that is done when it is warm."""
SECRET = "only-for-measuring-only-for-measuring"


async def measure(*, quick: bool) -> list[Line]:
    """Bare, with wording, with what was worded in the quiet before nine; bare again, and the better of the two."""
    many = 500 if quick else 1500
    with TemporaryDirectory() as folder:
        async with sink() as port:
            settings = _settings(port)
            await _warm_up(Path(folder), settings)
            async with _posted(Path(folder) / "worded.db", settings, many) as (database, office):
                worded = await _delivered(office)
                ready_made = await mails(database)
            floor = await bare(ready_made, port, settings.smtp_connections)
            async with _posted(Path(folder) / "ahead.db", settings, many) as (_, office):
                await _word_ahead(office)
                ahead = await _delivered(office)
            floor = max(floor, await bare(ready_made, port, settings.smtp_connections))
        async with sink(SLOW) as port:
            settings = _settings(port)
            async with _posted(Path(folder) / "slow.db", settings, many) as (_, office):
                slow = await _delivered(office)
            floor_slow = await bare(ready_made, port, settings.smtp_connections)
    size = sum(len(raw) for _, raw in ready_made) / len(ready_made) / 1000
    same = f"ready-made mails of {size:.1f} KB by bare aiosmtplib over {settings.smtp_connections} kept connections"
    words = (f"{same} to the same sink", f"{same}, which takes as long")
    return [
        _line("worded before nine", ahead, floor, words[0], 0.65),
        _line("wording included", worded, floor, "", 0.4),
        _line(f"relay of {SLOW * 1000:.0f} ms", slow, floor_slow, words[1], None),
    ]


@dataclass(frozen=True, slots=True, order=True)
class Rate:
    """Mails a second, and CPU milliseconds of the sending process for each."""

    mails: float
    cpu: float


def _line(what: str, ours: Rate, floor: Rate, floor_is: str, aim: float | None) -> Line:
    return Line(
        f"postmaster, {what}", ours.mails, "mails/s", floor.mails, floor_is, aim,
        cpu={"postmaster": ours.cpu}, floor_cpu={"postmaster": floor.cpu},
    )  # fmt: skip


def _settings(port: int) -> Settings:
    return Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        secret=SECRET,  # pyright: ignore[reportArgumentType]
        smtp_port=port,
        smtp_security="none",
        mail_from="mentoring@bench.example.org",
        public_url="https://mentoring.bench.example.org",
    )


async def _warm_up(folder: Path, settings: Settings) -> None:
    async with _posted(folder / "warm.db", settings, 20) as (_, office):
        await _delivered(office)


async def _nobody(shard: int) -> None:
    return None


@asynccontextmanager
async def _posted(path: Path, settings: Settings, many: int) -> AsyncIterator[tuple[Database, PostOffice]]:
    """A store in which this many invitations wait for nine o'clock, and the office that will deliver them."""
    url = f"sqlite+aiosqlite:///{path}"
    await asyncio.to_thread(migrate, url)
    loaded = pairs("bench", many // 2, date(2026, 12, 14), zones=("Europe/Berlin",))
    transport: SmtpTransport = transport_of(settings)
    async with Database.open(url) as database:
        await begun(database, loaded, LAUNCHED)
        yield database, make_post_office(settings, database, transport, COMPOSER)
        await transport.close()


async def begun(database: Database, loaded: Loaded, now: datetime, shards: int = 1) -> None:
    """Put a cohort down and give every mentorship its first turn, at this moment (UTC), without any workflow."""
    cohort = loaded.cohort
    today = local_date(now, cohort.zone)
    async with database.begin() as session:
        frozen = {
            id_: await freeze_program(session, used.program, used.forms, now) for id_, used in loaded.used.items()
        }
    await cohorts.put(database, cohort, frozen, today, now)
    recorder = Recorder(database, _nobody, shards)
    for mentorship in cohort.mentorships:
        state = begin(
            loaded.program_of(mentorship).program, cohort.cohort, mentorship.key, cohort.start, cohort.zone, today,
            [Member(person, role, "Europe/Berlin") for person, role in mentorship.members()], ["dc1"],
        )  # fmt: skip
        await recorder.carry_out(batch(state, advance(state, None, now), now))


async def _delivered(office: PostOffice) -> Rate:
    """Round after round until nothing is due."""
    gc.collect()  # what others have left behind is not of these mails
    began, meter, sent = time.perf_counter(), Meter({}, here="postmaster"), 0
    while True:
        done = await office.deliver(DeliverInput(0, NINE))
        sent += done.sent
        if done.next_at is None or done.next_at > NINE:
            return Rate(sent / (time.perf_counter() - began), meter.each(sent)["postmaster"])


async def _word_ahead(office: PostOffice) -> None:
    """The round in the quiet before nine o'clock."""
    await office.deliver(DeliverInput(0, NINE.replace(minute=0, second=0) - timedelta(minutes=5)))


async def mails(database: Database) -> list[tuple[str, bytes]]:
    """Everything that was sent: to whom, and the bytes."""
    async with database.session() as session:
        rows = await session.execute(select(MessageRow.recipient, MessageRow.raw))
        return [(recipient, raw.encode()) for recipient, raw in rows if raw]


async def bare(ready_made: Sequence[tuple[str, bytes]], port: int, connections: int) -> Rate:
    """Ready-made bytes over kept connections."""
    clients = [SMTP(hostname="127.0.0.1", port=port, start_tls=False) for _ in range(connections)]
    for client in clients:
        await client.connect()
    queue = deque(ready_made)

    async def carry(client: SMTP) -> None:
        while queue:
            recipient, raw = queue.popleft()
            await client.sendmail("mentoring@bench.example.org", [recipient], raw)

    gc.collect()
    began, meter = time.perf_counter(), Meter({}, here="postmaster")
    await asyncio.gather(*map(carry, clients))
    spent, cpu = time.perf_counter() - began, meter.each(len(ready_made))
    for client in clients:
        await client.quit()
    return Rate(len(ready_made) / spent, cpu["postmaster"])
