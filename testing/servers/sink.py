"""A real SMTP server for tests, which does what it is told: accepts, refuses, drops, hangs. Keeps every message
that it took, and those that it took without saying so.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

ACCEPT = "accept"
DROP = "drop"
"""Takes the whole message, then closes the connection without an answer."""
HANG = "hang"
"""Takes the whole message and never answers."""
NO_HELLO = "ehlo"
"""Greets, and closes the connection at EHLO."""
SLOW = "slow"
"""Accepts, after SLOW_SECONDS."""
SLOW_SECONDS = 0.4


@dataclass(frozen=True)
class Received:
    """A message that the sink took. `said`: and the sender was told so."""

    sender: str
    recipient: str
    raw: bytes
    said: bool

    @property
    def message(self) -> EmailMessage:
        """The message, parsed."""
        return message_from_bytes(self.raw, policy=policy.default)  # pyright: ignore[reportReturnType]

    @property
    def id(self) -> str:
        """Its Message-ID."""
        return str(self.message["Message-ID"])

    @property
    def text(self) -> str:
        """The text part."""
        part = self.message.get_body(("plain",))
        assert part is not None
        return part.get_content()


@dataclass
class Sink:
    """Scripts are lists of steps, one for each attempt; the last step is repeated.

    A step is ACCEPT, SLOW, DROP, HANG, NO_HELLO (under the empty name only), or an answer with its command:
    `rcpt 550 5.1.1 no such user`,
    `mail 421 closing`, `data 451 try again`.
    """

    port: int = 0
    pipelining: bool = True
    """Whether it takes commands together (RFC 2920), as nearly all relays do."""
    utf8: bool = False
    """Whether it takes addresses with letters beyond ASCII before the @ (RFC 6531)."""
    received: list[Received] = field(default_factory=list)
    scripts: dict[str, list[str]] = field(default_factory=dict)
    """By recipient; under the empty name for all others."""
    connections: int = 0
    """How many were ever made."""
    unkind: int = 0
    """How many attempts were not simply accepted."""
    at_once: int = 0
    most_at_once: int = 0
    tries: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _server: asyncio.Server | None = None
    _open: set[asyncio.BaseTransport] = field(default_factory=set)

    def script(self, recipient: str, *steps: str) -> None:
        """What to do with this recipient's mails from now on; with "" everybody else's."""
        self.scripts[recipient] = list(steps)
        self.tries[recipient] = 0

    def mails_to(self, recipient: str) -> list[Received]:
        """What was taken for this recipient."""
        return [mail for mail in self.received if mail.recipient == recipient]

    async def start(self) -> None:
        """Listen, on the same port as before."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Server(self), "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Be gone: no connection is answered, those that are open break."""
        assert self._server is not None
        self._server.close()
        for transport in list(self._open):
            transport.abort()  # pyright: ignore[reportAttributeAccessIssue]
        await self._server.wait_closed()

    def step(self, recipient: str) -> str:
        """What is to be done with this attempt."""
        name = recipient if recipient in self.scripts else ""
        steps = self.scripts.get(name, [ACCEPT])
        return steps[min(self.tries[name], len(steps) - 1)]

    def tried(self, recipient: str) -> None:
        """This attempt is over."""
        self.unkind += self.step(recipient) != ACCEPT
        self.tries[recipient if recipient in self.scripts else ""] += 1


@asynccontextmanager
async def running() -> AsyncIterator[Sink]:
    """A sink that listens on a free port of this machine."""
    sink = Sink()
    await sink.start()
    try:
        yield sink
    finally:
        await sink.stop()


class _Server(SMTP):
    def __init__(self, sink: Sink) -> None:
        super().__init__(_Handler(sink), hostname="sink.invalid", timeout=60, enable_SMTPUTF8=sink.utf8)
        self._sink = sink

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._sink.connections += 1
        self._sink.at_once += 1
        self._sink.most_at_once = max(self._sink.most_at_once, self._sink.at_once)
        self._sink._open.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._sink.at_once -= 1
        self._sink._open = {connection for connection in self._sink._open if not connection.is_closing()}
        super().connection_lost(error)


class _Handler:
    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        if self.sink.step("") == NO_HELLO:
            self.sink.tried("")
            server.transport.abort()  # pyright: ignore
        session.host_name = hostname
        return [*responses[:-1], *(["250-PIPELINING"] if self.sink.pipelining else []), responses[-1]]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        step = self.sink.step("")
        if step.startswith("mail "):
            self.sink.tried("")
            return step.removeprefix("mail ")
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        step = self.sink.step(address)
        if step.startswith("rcpt "):
            self.sink.tried(address)
            if step.startswith("rcpt 2"):
                envelope.rcpt_tos.append(address)
            return step.removeprefix("rcpt ")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        [recipient] = envelope.rcpt_tos
        step = self.sink.step(recipient)
        self.sink.tried(recipient)
        if step.startswith("data ") and not step.startswith("data 2"):
            return step.removeprefix("data ")
        raw, sender = envelope.original_content or b"", envelope.mail_from or ""
        self.sink.received.append(Received(sender, recipient, raw, said=step not in (DROP, HANG)))
        if step.startswith("data "):
            return step.removeprefix("data ")
        if step == SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        if step == DROP:
            server.transport.abort()  # pyright: ignore
        if step == HANG:
            await asyncio.Event().wait()
        return "250 OK"
