"""A mail server that does the least that one can do, in a process of its own, so that it isn't what is measured.

`python -m tools.bench.smtp_sink SECONDS` prints its port and takes mails until its standard input ends. It can be
told to take its time before it has accepted a mail, as a relay across a network does.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager


class Taker(asyncio.Protocol):
    """One connection: says yes to everything and forgets it. `delay` in seconds."""

    def __init__(self, delay: float) -> None:
        self.delay = delay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.in_data = False
        self.held = b""
        transport.write(b"220 sink.localhost\r\n")

    def data_received(self, data: bytes) -> None:
        self.held += data
        answers = b"".join(self.answers())
        if answers:
            self.transport.write(answers)

    def answers(self) -> Iterator[bytes]:
        """To everything that is whole by now: what came together is answered together (RFC 2920)."""
        while True:
            if self.in_data:
                if not self.held.endswith(b"\r\n.\r\n"):
                    return
                self.held, self.in_data = b"", False
                if self.delay:
                    asyncio.get_running_loop().call_later(self.delay, self.transport.write, b"250 OK\r\n")
                else:
                    yield b"250 OK\r\n"
                return
            line, line_end, rest = self.held.partition(b"\r\n")
            if not line_end:
                return
            self.held = rest
            yield self.answer(line[:4].upper())

    def answer(self, verb: bytes) -> bytes:
        """What is said to a command."""
        if verb == b"EHLO":
            return b"250-sink.localhost\r\n250-SIZE 33554432\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        if verb == b"DATA":
            self.in_data = True
            return b"354 go on\r\n"
        return b"221 bye\r\n" if verb == b"QUIT" else b"250 OK\r\n"


@asynccontextmanager
async def sink(delay: float = 0) -> AsyncIterator[int]:
    """A sink in a process of its own for the length of a block; its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, str(delay), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


async def _serve(delay: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Taker(delay), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
