"""Sends mail to the relay over connections that stay open, and says what each SMTP error means.

A sender learns whether the mail is certainly not accepted, or whether that cannot be known (RFC 1047). The relay's
words must never get into an error, a log or a database: they can contain an address.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPConnectResponseError,
    SMTPDataError,
    SMTPException,
    SMTPHeloError,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)
from aiosmtplib.email import quote_address

from activities.delivery.loopback import is_loopback
from activities.delivery.pipelining import sent
from mail.headers import BadHeader, ascii_domain

_ENHANCED = re.compile(r"^\s*([245])\.(\d{1,3})\.(\d{1,3})\b")
_TRY_AGAIN = re.compile(
    r"\b(?:again|retry|wait|delay(?:ed)?|back|greylist(?:ed|ing)?)"
    r"(?:[\s:=,]+(?:in|after|for|at|least|about|approximately|another|the|next))*"
    r"[\s:=]+(\d{1,5})\s*(second|sec|minute|min|hour)s?\b",
    re.IGNORECASE,
)
"""A duration that follows a request to wait. Any other duration ("in the last 24 hours") asks for nothing."""
_UNIT = {"sec": 1, "second": 1, "min": 60, "minute": 60, "hour": 3600}
SERVICE_CLOSING = 421
_PLAIN = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]+@[\w.-]+")
_DOTS = re.compile(rb"^\.", re.MULTILINE)

BeforeBody = Callable[[], Awaitable[bool]]
"""Called once, right before the body is sent; False stops the mail, which is then certainly not accepted. Must not
raise."""


class Kind(StrEnum):
    """What a failure means for the mail and for the queue."""

    TRANSIENT = "transient"
    """Not accepted; this recipient again later."""
    QUEUE = "queue"
    """Not accepted; nothing gets through now, so the whole queue waits."""
    PERMANENT = "permanent"
    """The address refuses mail permanently."""
    POLICY = "policy"
    """Refused for what we are or send, not for its recipient: a person must fix the cause, nobody is suppressed."""
    AMBIGUOUS = "ambiguous"
    """The whole message was sent and no answer came: whether it was accepted cannot be known."""
    CONFIGURATION = "configuration"
    """The relay does not let us in: stop the queue, burn no attempt."""
    STOPPED = "stopped"
    """Stopped by us right before the body; the relay does not have it."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A classified failure. `code` has no words of the relay; `wait` is what the relay asked for, if it did."""

    kind: Kind
    code: str = ""
    wait: timedelta | None = None

    @property
    def of_policy(self) -> bool:
        """Whether the relay refuses by a rule of its own, such as a limit per day (RFC 3463, subject 7)."""
        return self.kind is Kind.POLICY or bool(re.search(r" \d\.7\.", self.code))

    def __str__(self) -> str:
        return f"{self.kind} {self.code}".strip()


class NotSent(Exception):
    """A mail was not sent, or perhaps not sent. Has the class and code, never the relay's words."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(str(trouble))
        self.trouble = trouble


def classify(error: BaseException, *, body_sent: bool = False, named: bool = True) -> Trouble:
    """What an error of the SMTP client means.

    `body_sent`: the whole message had been sent. `named`: a recipient had been named; a connection that
    breaks before that concerns every mail.
    """
    match error:
        case SMTPRecipientsRefused():
            return classify(error.recipients[0]) if error.recipients else Trouble(Kind.TRANSIENT)
        case SMTPRecipientRefused():
            return _of_recipient(error)
        case SMTPDataError() if body_sent and not 400 <= error.code < 600:
            return Trouble(Kind.AMBIGUOUS)  # neither yes nor no (RFC 5321 4.2)
        case SMTPDataError():
            return _of_message(error)
        case SMTPAuthenticationError() | SMTPConnectResponseError() | SMTPHeloError() | SMTPSenderRefused():
            return _of_us(error)
        case SMTPNotSupported() | ssl.SSLError():
            return Trouble(Kind.CONFIGURATION)
        case SMTPConnectError():
            return Trouble(Kind.CONFIGURATION if isinstance(error.__cause__, ssl.SSLError) else Kind.QUEUE)
        case _ if body_sent and isinstance(error, (SMTPException, OSError)):
            return Trouble(Kind.AMBIGUOUS)
        case SMTPResponseException():
            return _of_us(error)
        case SMTPServerDisconnected() | TimeoutError():
            # If the relay is down, the next connection fails and stops the queue.
            return Trouble(Kind.TRANSIENT if named else Kind.QUEUE)
        case OSError() | SMTPException():
            return Trouble(Kind.QUEUE)
        case _:
            return Trouble(Kind.POLICY)


def _code(error: SMTPResponseException) -> str:
    enhanced = _ENHANCED.match(error.message)
    return f"{error.code} {enhanced[0].strip()}" if enhanced else str(error.code)


def _wait(error: SMTPResponseException) -> timedelta | None:
    found = _TRY_AGAIN.search(error.message) if error.code < 500 else None
    return timedelta(seconds=int(found[1]) * _UNIT[found[2].lower()]) if found else None


def _of_us(error: SMTPResponseException) -> Trouble:
    """A refusal before any recipient was named; it concerns every mail."""
    too_big = error.code == 552 or (_ENHANCED.match(error.message) or [""])[0].strip() == "5.3.4"
    if isinstance(error, SMTPSenderRefused) and too_big:
        return Trouble(Kind.POLICY, _code(error))
    kind = Kind.CONFIGURATION if 500 <= error.code < 600 else Kind.QUEUE
    return Trouble(kind, _code(error), _wait(error))


def _of_recipient(error: SMTPResponseException) -> Trouble:
    code = _code(error)
    if error.code == SERVICE_CLOSING:
        return Trouble(Kind.QUEUE, code, _wait(error))
    if not 500 <= error.code < 600:
        return Trouble(Kind.TRANSIENT, code, _wait(error))
    enhanced = _ENHANCED.match(error.message)
    if enhanced is None:
        # 500 to 504, 530, 535: syntax and authentication, which have nothing to do with the recipient.
        return Trouble(Kind.PERMANENT if 550 <= error.code <= 556 else Kind.POLICY, code)
    return Trouble(kind_of(int(enhanced[2]), int(enhanced[3])), code)


def kind_of(subject: int, detail: int) -> Kind:
    """What a permanent failure (5.x.x) with this subject and detail means (RFC 3463), as an answer or in a report."""
    if (subject, detail) == (4, 4):
        return Kind.TRANSIENT
    # 1 addressing, 2 mailbox, 4 routing; 3, 5, 6 and 7 speak of systems, protocol, content, policy.
    return Kind.PERMANENT if subject in (0, 1, 2, 4) else Kind.POLICY


def _of_message(error: SMTPDataError) -> Trouble:
    if error.code == 554 and _ENHANCED.match(error.message) is None:
        return Trouble(Kind.POLICY, _code(error))  # "looks like spam" has no better code in old servers
    return _of_recipient(error)


@dataclass(frozen=True, slots=True)
class Relay:
    """Address and credentials of the relay. Raises ValueError for an unencrypted connection over a network, or
    missing certificates."""

    host: str
    port: int
    security: Literal["none", "starttls", "tls"] = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    connections: int = 4
    ca_file: str = ""
    """Certificates to trust beside the system's."""
    timeout: float = 30.0
    """Seconds to wait for any one answer of the relay."""
    pipelining: bool = True
    """Whether commands are sent together where the relay offers it."""

    def __post_init__(self) -> None:
        if self.security == "none" and not self.loopback:
            raise ValueError(
                "MENTORSHIP_SMTP_SECURITY is `none`, which is for relays on this machine only; write starttls or tls"
            )
        if self.ca_file and not Path(self.ca_file).is_file():
            raise ValueError(f"MENTORSHIP_SMTP_CA_FILE names no file: {self.ca_file}")

    @property
    def loopback(self) -> bool:
        """Whether the relay runs on this machine."""
        return is_loopback(self.host)


class SmtpTransport:
    """Sends mails over at most `relay.connections` connections, which stay open between mails.

    Safe for any number of tasks at once: each send takes a connection for itself.
    """

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._idle: list[SMTP] = []
        self._free = asyncio.Semaphore(relay.connections)

    @property
    def connections(self) -> int:
        """How many mails can be on their way at once."""
        return self._relay.connections

    async def send(self, sender: str, recipient: str, message: bytes, before_body: BeforeBody | None = None) -> None:
        """Hand one mail to the relay; returns when it has accepted it. Raises NotSent."""
        async with self._free:
            while True:
                kept = bool(self._idle)
                try:
                    client = self._idle.pop() if kept else await self._connect()
                    await self._send_over(client, sender, recipient, message, before_body)
                    return
                except _StaleConnection as stale:
                    if kept:  # the relay closed it while it was idle; only a new connection shows its state
                        continue
                    raise NotSent(stale.trouble) from None

    async def check(self) -> bool:
        """Connect and log in as for a mail, then disconnect. Returns whether the relay offers SMTPUTF8 (letters
        beyond ASCII before the @). Raises NotSent."""
        async with self._free:
            client = await self._connect()
            self._idle.append(client)
        await self.close()
        return client.supports_extension("smtputf8")

    async def close(self) -> None:
        """Close the open connections."""
        idle, self._idle = self._idle, []
        for client in idle:
            try:
                await client.quit(timeout=2)
            except (SMTPException, OSError):
                client.close()

    async def _connect(self) -> SMTP:
        relay = self._relay
        client = SMTP(
            hostname=relay.host,
            port=relay.port,
            use_tls=relay.security == "tls",
            start_tls=relay.security == "starttls" and (not relay.loopback or bool(relay.ca_file)),
            cert_bundle=relay.ca_file or None,
            username=relay.user or None,
            password=relay.password or None,
            timeout=relay.timeout,
        )
        try:
            await client.connect()
            await _greeted(client)
        except ValueError:
            client.close()
            raise NotSent(Trouble(Kind.CONFIGURATION)) from None
        except (SMTPException, OSError) as error:
            client.close()
            raise NotSent(classify(error, named=False)) from None
        except BaseException:
            client.close()
            raise
        return client

    async def _send_over(
        self, client: SMTP, sender: str, recipient: str, message: bytes, before_body: BeforeBody | None
    ) -> None:
        begun = body_sent = False
        try:
            sender, address, options = _envelope(client, sender, recipient, len(message))
        except NotSent:
            self._idle.append(client)
            raise
        try:
            mail = b" ".join((b"MAIL FROM:" + _path(sender), *options))
            commands = (mail, b"RCPT TO:" + _path(address), b"DATA")
            together = self._relay.pipelining and client.supports_extension("pipelining")
            async with sent(client, commands, self._relay.timeout, together=together) as next_reply:
                said = await next_reply()
                if said.code // 100 != 2:
                    raise SMTPSenderRefused(said.code, said.message, sender)
                begun = True
                said = await next_reply()
                if said.code // 100 != 2:
                    raise SMTPRecipientRefused(said.code, said.message, address)
                start = await next_reply()
                if start.code // 100 != 3:
                    raise SMTPDataError(start.code, start.message)
            if before_body is not None and not await before_body():
                client.close()  # within DATA only this makes the relay drop the mail
                raise NotSent(Trouble(Kind.STOPPED))
            body_sent = True
            await _hand_over_body(client, message, self._relay.timeout)
        except (SMTPException, OSError, ValueError) as error:
            trouble = classify(error, body_sent=body_sent, named=begun)
            await self._recover(client, error)
            if not begun and (isinstance(error, (SMTPServerDisconnected, TimeoutError)) or trouble.code[:3] == "421"):
                raise _StaleConnection(trouble) from None
            raise NotSent(trouble) from None
        except BaseException:
            client.close()  # cancelled half-way: the relay could take the next command for something else
            raise
        self._idle.append(client)

    async def _recover(self, client: SMTP, error: Exception) -> None:
        """Keep the connection after a plain refusal; close it after anything else."""
        if isinstance(error, (SMTPResponseException, SMTPRecipientsRefused)) and client.is_connected:
            try:
                await client.rset()
                self._idle.append(client)
                return
            except (SMTPException, OSError):
                pass
        client.close()


class _StaleConnection(Exception):
    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble


async def _greeted(client: SMTP) -> None:
    """Send EHLO, or HELO to a relay without EHLO. A relay that does not answer takes no mail at all."""
    if not client.is_ehlo_or_helo_needed:
        return
    try:
        await client.ehlo()
    except SMTPHeloError:
        if not client.is_connected:
            raise
        await client.helo()


def _path(address: str) -> bytes:
    """An address as MAIL and RCPT take it. Raises ValueError for one that can't be sent safely."""
    # What is plainly an address need not be parsed as a header, which takes as long as both commands.
    return (f"<{address}>" if _PLAIN.fullmatch(address) else quote_address(address)).encode()


async def _hand_over_body(client: SMTP, message: bytes, timeout: float) -> None:
    """Send the body after the relay has asked for it. Raises SMTPDataError unless the answer is positive."""
    protocol = client.protocol
    if protocol is None:
        raise SMTPServerDisconnected("not connected")
    if message.startswith(b".") or b"\n." in message:  # few do, and looking at the begin of each line takes long
        message = _DOTS.sub(b"..", message)
    protocol.write(message + (b"" if message.endswith(b"\r\n") else b"\r\n") + b".\r\n")
    try:
        answer = await protocol.read_response(timeout=timeout)
    except (SMTPServerDisconnected, TimeoutError):
        client.close()
        raise
    if answer.code // 100 != 2:
        raise SMTPDataError(answer.code, answer.message)


def _envelope(client: SMTP, sender: str, recipient: str, size: int) -> tuple[str, str, list[bytes]]:
    """Sender and recipient for the envelope, and the options of MAIL: domains in their DNS form; letters beyond ASCII
    before the @ of the recipient if the relay takes them (RFC 6531). Raises NotSent for an address that can't be
    used."""
    try:
        sender = _with_ascii_domain(sender)
    except BadHeader:
        raise NotSent(Trouble(Kind.CONFIGURATION)) from None
    try:
        address = _with_ascii_domain(recipient)
    except BadHeader:
        raise NotSent(Trouble(Kind.PERMANENT)) from None
    local = recipient.rpartition("@")[0]
    options = [b"size=%d" % size] if client.supports_extension("size") else []
    if not local.isascii():
        if not client.supports_extension("smtputf8"):
            raise NotSent(Trouble(Kind.POLICY, "smtputf8"))
        options += [b"smtputf8", b"body=8bitmime"]
    return sender, address, options


def _with_ascii_domain(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{ascii_domain(domain)}"
