"""A real IMAP server (pymap) in a process of its own, in memory, on a port of its own, with one user."""

from __future__ import annotations

import imaplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from testing.servers.dev_server import free_port

PYMAP = "import sys; from pymap.main import main; sys.exit(main())"
STARTS_WITHIN = 60.0
"""Real seconds."""


@dataclass(frozen=True, slots=True)
class ImapServer:
    """Where it listens, and who may read."""

    port: int
    host: str = "127.0.0.1"
    user: str = "demouser"
    password: str = "demopass"

    @contextmanager
    def client(self, folder: str = "") -> Iterator[imaplib.IMAP4]:
        """Signed in, with this folder open; names of folders as they go over the wire."""
        with imaplib.IMAP4(self.host, self.port, timeout=30) as client:
            client.login(self.user, self.password)
            if folder:
                assert client.select(f'"{folder}"')[0] == "OK"
            yield client

    def fill(self, folder: str, *mails: bytes) -> None:
        """Put mails into a folder, which is made where it is not there."""
        with self.client() as client:
            client.create(f'"{folder}"')
            for mail in mails:
                assert client.append(f'"{folder}"', "", "", mail)[0] == "OK"

    def flags(self, folder: str) -> list[set[str]]:
        """Of all mails in a folder, the first first."""
        with self.client(folder) as client:
            found: list[set[str]] = []
            for line in client.fetch("1:*", "(FLAGS)")[1]:
                if isinstance(line, bytes):
                    found.append({flag.decode() for flag in imaplib.ParseFlags(line)} - {"\\Recent"})
            return found


@contextmanager
def imap_server(*, certificate: Path | None = None, key: Path | None = None) -> Iterator[ImapServer]:
    """Such a server for the length of a block; with a certificate it offers STARTTLS, without there is no TLS."""
    port = free_port()
    tls = ("--cert", str(certificate), "--key", str(key)) if certificate and key else ("--no-tls",)
    command = (sys.executable, "-c", PYMAP, "--host", "127.0.0.1", "--port", str(port), *tls)
    process = subprocess.Popen(
        (*command, "dict", "--demo-data"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await_greeting(process, port)
        yield ImapServer(port)
    finally:
        process.terminate()
        process.wait(30)


def _await_greeting(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the IMAP server ended with {process.returncode}"
        with suppress(OSError), imaplib.IMAP4("127.0.0.1", port, timeout=5):
            return
        time.sleep(0.05)
    raise TimeoutError("the IMAP server does not answer")
