"""Settings and shared state of delivery: rules, rate limit, the interface to the relay."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from activities.delivery.smtp import BeforeBody
from activities.delivery.verp import envelope_sender
from activities.letters.prepare import Preparer
from store.database import Database
from store.delivery.results import Result


@dataclass(frozen=True, slots=True)
class PostOfficeRules:
    """How a postmaster works here. Raises ValueError for a bounce address that is too long."""

    sender: str
    """Envelope sender where there is no address for bounces."""
    bounce_address: str = ""
    secret: str = field(default="", repr=False)
    """Signs the tag of the bounce address."""
    mails_per_second: float = 0
    """Upper limit (real seconds); 0 means none."""
    redirected: bool = False
    """Every mail goes to one address instead: what that one refuses says nothing about a person."""
    claim: timedelta = timedelta(minutes=10)
    """Real time after which a claim has lapsed; longer than a claimed mail can wait its turn."""
    speed: float = 1.0
    """Program seconds per real second."""
    people_per_round: int = 1000
    """So that something urgent never waits behind a long queue."""

    def __post_init__(self) -> None:
        self.envelope("a" * 24)

    def envelope(self, message: str) -> str:
        """The envelope sender of a message."""
        if self.bounce_address and self.secret:
            return envelope_sender(self.bounce_address, message, self.secret)
        return self.bounce_address or self.sender


class RateLimiter:
    """Keeps mails apart in time: at most so many a second, over all rounds of this process."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = -math.inf

    async def wait(self) -> None:
        """Return when the next mail may go."""
        if not self._gap:
            return
        now = asyncio.get_running_loop().time()
        self._next = max(self._next + self._gap, now)
        if self._next > now:
            await asyncio.sleep(self._next - now)


class Sender(Protocol):
    """The way to the relay."""

    @property
    def connections(self) -> int:
        """How many mails can be on their way at once."""
        ...

    async def send(self, sender: str, recipient: str, message: bytes, before_body: BeforeBody | None = None) -> None:
        """Returns when the relay has accepted the mail; asks `before_body` right before the body. Raises NotSent."""
        ...


@dataclass(frozen=True, slots=True)
class Office:
    """Everything that a round needs."""

    database: Database
    transport: Sender
    preparer: Preparer
    rules: PostOfficeRules
    pace: RateLimiter
    failures: dict[int, int] = field(default_factory=dict[int, int])
    """Shard to the rounds in a row that the relay has stopped."""
    catching_up: dict[int, datetime] = field(default_factory=dict[int, datetime])
    """Shard to the moment (program time) since when mail waits for mentorships that an outage has left behind."""
    unwritten: dict[int, list[Result]] = field(default_factory=dict[int, list[Result]])
    """Shard to what came of mails while the database was away: known here and nowhere else."""
