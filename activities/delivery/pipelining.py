"""The commands before a mail's body, MAIL, RCPT and DATA: sent together where the relay takes them so (PIPELINING,
RFC 2920), one after the other where it does not. A mail waits twice for such a relay instead of four times.

aiosmtplib sends one command at a time. Its protocol is taken off the connection while commands are answered that were
sent together, and put back before anything else happens.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from aiosmtplib import SMTP, SMTPReadTimeoutError, SMTPResponse, SMTPResponseException, SMTPServerDisconnected
from aiosmtplib.protocol import COMMAND_INJECTION_REGEX, MAX_RESPONSE_LENGTH, SMTPProtocol
from aiosmtplib.typing import SMTPStatus

NextReply = Callable[[], Awaitable[SMTPResponse]]
"""The answer to the next of the commands. Raises what aiosmtplib raises for one command."""


@asynccontextmanager
async def sent(
    client: SMTP, commands: Sequence[bytes], timeout: float, *, together: bool
) -> AsyncIterator[NextReply]:
    """Send commands, of which only the last may be DATA; the block asks for the answers in their order.

    `timeout`: seconds to wait for each answer; `together`: all at once, else each when its answer is asked for. When
    the block ends early, what is still to be answered is waited for, and a connection on which a body is expected is
    closed. Raises ValueError for a command with control characters.
    """
    if not together:
        left = deque(commands)
        yield lambda: client.execute_command(left.popleft())
        return
    conversation = _Together.write(client, commands, timeout)
    try:
        yield conversation.next
        await conversation.drain()
        conversation.check_nothing_is_left()
    except (asyncio.CancelledError, GeneratorExit):
        client.close()
        raise
    except BaseException:
        await conversation.drain()
        raise
    finally:
        conversation.end()


class _Together(asyncio.Protocol):
    """Takes the place of the client's protocol until all commands are answered."""

    def __init__(self, client: SMTP, protocol: SMTPProtocol, awaited: int, timeout: float) -> None:
        self._client = client
        self._protocol = protocol
        self._awaited = awaited
        self._timeout = timeout
        self._held = b""
        self._replies: deque[SMTPResponse] = deque()
        self._failure: Exception | None = None
        self._came = asyncio.Event()

    @classmethod
    def write(cls, client: SMTP, commands: Sequence[bytes], timeout: float) -> _Together:
        """Send the commands in one go."""
        for command in commands:
            if COMMAND_INJECTION_REGEX.search(command):
                raise ValueError("a command has a control character")
        protocol = client.protocol
        if protocol is None or not protocol.is_connected:
            raise SMTPServerDisconnected("not connected")
        together = cls(client, protocol, len(commands), timeout)
        assert protocol.transport is not None
        protocol.transport.set_protocol(together)
        protocol.write(b"".join(command + b"\r\n" for command in commands))
        return together

    def end(self) -> None:
        """Put the client's own protocol back."""
        if self._protocol.transport is not None:
            self._protocol.transport.set_protocol(self._protocol)

    async def next(self) -> SMTPResponse:
        """The next answer."""
        if not self._replies and self._failure is None:
            try:
                async with asyncio.timeout(self._timeout):
                    await self._came.wait()
            except TimeoutError:
                self._failure = SMTPReadTimeoutError("timed out waiting for an answer")
        if not self._replies:
            assert self._failure is not None
            self._client.close()
            raise self._failure
        reply = self._replies.popleft()
        self._awaited -= 1
        if not self._replies and self._failure is None:
            self._came.clear()
        if reply.code == SMTPStatus.domain_unavailable:
            self._client.close()
        return reply

    async def drain(self) -> None:
        """Wait for what is not answered yet, so that no answer is taken for that to a later command."""
        with suppress(SMTPServerDisconnected, SMTPReadTimeoutError, SMTPResponseException):
            while self._awaited:
                if (await self.next()).code // 100 == 3:
                    self._client.close()  # without a recipient: only this makes the relay expect no body
        with suppress(SMTPServerDisconnected):
            self.check_nothing_is_left()

    def check_nothing_is_left(self) -> None:
        """Close a connection on which the relay has answered more than it was asked. Raises
        SMTPServerDisconnected."""
        if self._held or self._replies:
            self._client.close()
            raise SMTPServerDisconnected("the relay has answered more than it was asked")

    # -- what asyncio tells a protocol -----------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take apart what has come in."""
        self._held += data
        try:
            while (reply := self._whole()) is not None:
                self._replies.append(reply)
                self._came.set()
        except SMTPResponseException as error:
            self._fail(error)

    def eof_received(self) -> bool:
        """The relay says no more."""
        self._fail(SMTPServerDisconnected("the relay has closed the connection"))
        return self._protocol.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._fail(SMTPServerDisconnected("the connection is lost"))
        self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """The client's protocol is to know it, too."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """The client's protocol is to know it, too."""
        self._protocol.resume_writing()

    def _fail(self, error: Exception) -> None:
        self._failure = self._failure or error
        self._came.set()

    def _whole(self) -> SMTPResponse | None:
        """The first whole answer of what has come in, taken out; None where there is none yet."""
        words: list[bytes] = []
        begin = 0
        while (end := self._held.find(b"\n", begin)) >= 0:
            line = self._held[begin:end]
            if not line[:3].isdigit():
                raise SMTPResponseException(SMTPStatus.invalid_response.value, "malformed answer")
            words.append(line[4:].strip(b" \t\r"))
            begin = end + 1
            if line[3:4] != b"-":
                self._held = self._held[begin:]
                return SMTPResponse(int(line[:3]), b"\n".join(words).decode("utf-8", "surrogateescape"))
        if len(self._held) > MAX_RESPONSE_LENGTH:
            raise SMTPResponseException(SMTPStatus.invalid_response.value, "answer too long")
        return None
