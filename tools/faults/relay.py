"""The relay refuses, drops, hangs: it does with whatever comes as it was told, for some days."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from testing.servers.sink import ACCEPT, DROP, NO_HELLO
from tools.faults.installation import Town

DAYS = 8
"""Days of the season that it lasts: a week's mails fall into it."""


def does(*steps: str) -> Callable[[Town], Awaitable[int]]:
    """It does so step by step, and the last one until it is over."""

    async def happens(here: Town) -> int:
        here.sink.script("", *steps)
        return await _lasts(here)

    return happens


async def greylists(here: Town) -> int:
    """It lets nobody's mail in at the first try."""
    for person in await here.addresses():
        here.sink.script(person, "rcpt 450 4.2.0 greylisted, try again in 5 minutes", ACCEPT)
    return await _lasts(here)


async def at_random(here: Town) -> int:
    """It accepts, drops, or refuses in one of three ways."""
    moods = (ACCEPT, DROP, "data 451 4.3.0 later", "rcpt 450 4.2.0 later", "mail 421 4.3.2 closing")
    here.sink.script("", *here.chance.choices(moods, k=500))
    return await _lasts(here)


WORDS = (
    "rcpt 450 4.2.0 try again in 99999 hours",
    "rcpt 451 4.7.1 too many messages in the last 24 hours, try again later",
    "mail 421 4.3.2 closing, retry after 99999 hours",
    "data 451 4.3.0 wait 99999 minutes",
    "data 252 2.0.0 queued, and cannot verify",
    "rcpt 251 2.1.5 will forward",
    NO_HELLO,
)
"""What a relay can say that must not put mail off for long, or send it twice."""


async def strange_words(here: Town) -> int:
    """It asks for waits of years, says yes in other words, or nothing at all; at random."""
    here.sink.script("", *here.chance.choices((*WORDS, ACCEPT), k=500))
    return await _lasts(here)


async def _lasts(here: Town) -> int:
    """From the time on at which something falls due: on a busy machine the people may have answered late, and the
    relay would have nothing to refuse."""
    before = here.sink.unkind
    await here.until(here.falls_due_soon)
    await here.days(DAYS)
    here.sink.script("", ACCEPT)
    return here.sink.unkind - before
