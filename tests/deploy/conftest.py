"""Secrets as deploy/make-secrets makes them, and a relay that speaks TLS with them and wants a password."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from testing.servers.dev_server import Address, dev_server, free_port

__all__ = ["Address", "dev_server"]

MAKE = Path(__file__).parent.parent.parent / "deploy" / "make-secrets"


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What deploy/make-secrets makes."""
    folder = tmp_path_factory.mktemp("made") / "secrets"
    subprocess.run([MAKE, folder], check=True, capture_output=True)
    return folder


@dataclass
class TlsRelay:
    """A relay that takes mail over STARTTLS from whom it knows, and counts it."""

    port: int
    user: str = "engine"
    password: str = "a password"
    received: int = 0

    async def handle_EHLO(
        self, _server: SMTP, session: Session, _envelope: Envelope, name: str, answers: list[str]
    ) -> list[str]:
        """Offers to take commands together (RFC 2920)."""
        session.host_name = name
        return [*answers[:-1], "250-PIPELINING", answers[-1]]

    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:
        """One more."""
        self.received += 1
        return "250 OK"

    def lets_in(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, known: LoginPassword
    ) -> AuthResult:
        """Whether this is somebody it knows."""
        right = (known.login.decode(), known.password.decode()) == (self.user, self.password)
        return AuthResult(success=right, handled=False)


@pytest.fixture
async def tls_relay(secrets: Path) -> AsyncIterator[TlsRelay]:
    """Such a relay at `localhost`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(secrets / "mail_certificate", secrets / "mail_key")
    relay = TlsRelay(free_port())
    controller = UnthreadedController(
        relay, "localhost", relay.port, loop=asyncio.get_running_loop(), tls_context=context, require_starttls=True,
        authenticator=relay.lets_in, auth_required=True,
    )  # fmt: skip
    server = await controller._create_server()
    yield relay
    server.close()
    await server.wait_closed()
