"""The mailbox of the embedded stack: an SMTP server that stores every mail in a folder.

Nothing leaves the machine. It must never refuse a mail, change a byte of one, or keep one only in memory.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from functools import partial
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

_NUMBER = re.compile(r"(\d+)\.eml")
_DELIVERED_TO = b"Delivered-To: "


@dataclass(frozen=True, slots=True)
class Received:
    """A received mail. Its bytes are in its file; these fields are for lists."""

    number: int
    """From 1, in the order of arrival."""
    recipient: str
    """The address of the envelope."""
    name: str
    """Display name of the To header."""
    subject: str
    date: datetime | None
    """The Date header: when it was sent, in program time."""
    id: str
    """The Message-ID."""
    path: Path
    arrived: datetime | None = None
    """When it was taken (program time, UTC); unknown after a restart."""

    @property
    def raw(self) -> bytes:
        """The mail as it came over the wire."""
        return self.path.read_bytes().partition(b"\r\n")[2]

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        return message_from_bytes(self.raw, policy=policy.default)  # pyright: ignore[reportReturnType]

    def matches(self, words: str) -> bool:
        """Whether every word stands in the name, the address or the subject."""
        text = f"{self.name} {self.recipient} {self.subject}".casefold()
        return all(word in text for word in words.casefold().split())


class Inbox:
    """All received mails, in a folder: one file each, with the envelope's recipient in the first line.

    `now` gives program time (UTC). `on_arrival` is called with each new mail.
    """

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self.folder = folder
        self.now = now
        self.on_arrival: Callable[[Received], None] = lambda _: None
        folder.mkdir(parents=True, exist_ok=True)
        self.received = list(self._found())

    def find(self, number: int) -> Received | None:
        """The mail with this number."""
        return next((mail for mail in self.received if mail.number == number), None)

    def search(self, words: str) -> list[Received]:
        """The mails that contain every word (in name, address or subject), newest first."""
        return [mail for mail in reversed(self.received) if mail.matches(words)]

    def take(self, recipient: str, raw: bytes) -> Received:
        """Store a mail; it is on disk when this returns."""
        number = self.received[-1].number + 1 if self.received else 1
        path = self.folder / f"{number:06}.eml"
        half = path.with_suffix(".part")
        half.write_bytes(_DELIVERED_TO + recipient.encode() + b"\r\n" + raw)
        half.rename(path)
        mail = _read(number, path, self.now())
        self.received.append(mail)
        self.on_arrival(mail)
        return mail

    def _found(self) -> Iterator[Received]:
        for path in sorted(self.folder.iterdir()):
            if name := _NUMBER.fullmatch(path.name):
                yield _read(int(name[1]), path, None)


def _read(number: int, path: Path, arrived: datetime | None) -> Received:
    first, _, raw = path.read_bytes().partition(b"\r\n")
    recipient = first.removeprefix(_DELIVERED_TO).decode()
    head = message_from_bytes(raw.partition(b"\r\n\r\n")[0], policy=policy.default)
    name, _ = parseaddr(str(head["To"] or ""))
    date = head["Date"].datetime if head["Date"] else None
    return Received(
        number, recipient, name, str(head["Subject"] or ""), date, str(head["Message-ID"] or ""), path, arrived
    )


class Sink:
    """The SMTP server before an inbox, on a socket that listens on loopback."""

    def __init__(self, inbox: Inbox, listening: socket.socket) -> None:
        self.inbox = inbox
        self.listening = listening
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Take mails from now on."""
        loop = asyncio.get_running_loop()
        make = partial(SMTP, _Taker(self.inbox), hostname="sink.localhost", timeout=3600, enable_SMTPUTF8=True)
        self._server = await loop.create_server(make, sock=self.listening)

    async def stop(self) -> None:
        """Take no further mail."""
        if self._server is not None:
            self._server.close()
            await asyncio.sleep(0)


class _Taker:
    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        for recipient in envelope.rcpt_tos:
            self.inbox.take(recipient, envelope.original_content or b"")
        return "250 OK"
