"""The faults. Each does its worst to a town whose season is under way, and returns when it is over."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from faults.town import Town
from tests.sink import ACCEPT, DROP, HANG, SLOW

DAYS = 8
"""Days of the season that a fault lasts: a week's mails fall into it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong. `doubts` says how often at most it leaves somebody in doubt about a mail."""

    says: str
    happens: Callable[[Town], Awaitable[None]]
    on_postgresql: bool = False
    doubts: Callable[[Town], int] = lambda _here: 0
    partial: bool = False
    """Whether it concerns some mails only: others must go out meanwhile."""


async def _worker_killed(here: Town) -> None:
    for _ in range(8):
        await here.days(here.chance.uniform(0.5, 3.5))
        here.kill(here.chance.choice(sorted(here.workers)))
        await here.add_worker()


async def _one_of_two_killed(here: Town) -> None:
    await here.add_worker()
    await here.days(here.chance.uniform(5, 9))
    here.kill(here.chance.choice(sorted(here.workers)))
    await here.days(6)


async def _temporal_away(here: Town) -> None:
    await here.server.stop()
    await here.days(here.chance.uniform(4, 7))
    await here.server.start()


async def _postgresql_away(here: Town) -> None:
    assert here.postgresql is not None
    for _ in range(2):
        await asyncio.to_thread(here.postgresql.go_away)
        await here.days(here.chance.uniform(1, 4))
        await asyncio.to_thread(here.postgresql.come_back)
        await here.days(3)


def _relay(*steps: str) -> Callable[[Town], Awaitable[None]]:
    """The relay does so with whatever comes, step by step, and the last one for some days."""

    async def happens(here: Town) -> None:
        here.sink.script("", *steps)
        await here.days(DAYS)
        here.sink.script("", ACCEPT)

    return happens


async def _greylists(here: Town) -> None:
    for person in await here.addresses():
        here.sink.script(person, "rcpt 450 4.2.0 greylisted, try again in 5 minutes", ACCEPT)
    await here.days(DAYS)


async def _at_random(here: Town) -> None:
    moods = (ACCEPT, DROP, "data 451 4.3.0 later", "rcpt 450 4.2.0 later", "mail 421 4.3.2 closing")
    here.sink.script("", *here.chance.choices(moods, k=500))
    await here.days(DAYS)
    here.sink.script("", ACCEPT)


async def _disk_full(here: Town) -> None:
    """No file of the worker or the pages may grow beyond a page: whatever SQLite writes fails half-way."""
    processes = [*here.workers, here.pages]
    for process in processes:
        resource.prlimit(process, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    await here.days(DAYS)
    for process in processes:
        with suppress(ProcessLookupError):
            resource.prlimit(process, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


async def _poison_template(here: Town) -> None:
    """The wording of one kind of mail raises, until somebody mends it; the worker is started anew each time."""
    [wording] = (here.folder / "engine" / "templates").rglob("fit_check.md")
    as_it_was = wording.read_text()
    wording.write_text(as_it_was + "\n{{ nobody.has.this }}\n")
    await here.restart_worker()
    await here.days(DAYS)
    await here.until(here.mail_failed)  # or it would be a fault that never happened
    wording.write_text(as_it_was)
    await here.restart_worker()


def _killed(here: Town) -> int:
    return here.kills * here.settings.smtp_connections


def _unsaid(here: Town) -> int:
    """Messages that the relay took without saying so."""
    return sum(not mail.said for mail in here.arrived)


FAULTS: Mapping[str, Fault] = {
    "worker": Fault("worker killed eight times", _worker_killed, doubts=_killed),
    "two": Fault("two workers, one killed", _one_of_two_killed, doubts=_killed),
    "temporal": Fault("Temporal away, back on its file", _temporal_away),
    "postgresql": Fault("PostgreSQL restarted twice", _postgresql_away, on_postgresql=True),
    "refuses": Fault("relay refuses for a while (451)", _relay("data 451 4.3.0 later")),
    "greylists": Fault("relay greylists everybody (450)", _greylists),
    "closing": Fault("relay closes (421)", _relay("mail 421 4.3.2 closing")),
    "hangs": Fault("relay hangs after the body, twice", _relay(HANG, HANG, ACCEPT), doubts=_unsaid),
    "drops": Fault("relay drops after the body, five times", _relay(*[DROP] * 5, ACCEPT), doubts=_unsaid),
    "random": Fault("relay does any of these at random", _at_random, doubts=_unsaid),
    "slow": Fault("relay is slow", _relay(SLOW)),
    "disk": Fault("disk full (SQLite)", _disk_full),
    "template": Fault("a template that raises", _poison_template, partial=True),
}
