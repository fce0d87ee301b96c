"""Secrets in files: made once, strong, read by the settings, and good enough for a relay that speaks TLS."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, Envelope, Session

from activities.smtp import NotSent, Relay, SmtpTransport
from operations.links import SHORTEST_SECRET, Links
from operations.settings import Settings
from tests.deploy.test_compose import ROOT, compose
from tests.devserver import free_port


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What deploy/make-secrets makes."""
    folder = tmp_path_factory.mktemp("made") / "secrets"
    subprocess.run([ROOT / "deploy" / "make-secrets", folder], check=True, capture_output=True)
    return folder


def test_every_secret_of_the_compose_file_is_made_and_no_other(secrets: Path) -> None:
    assert {path.name for path in secrets.iterdir()} == compose()["secrets"].keys()
    assert secrets.stat().st_mode & 0o777 == 0o700
    for name, secret in compose()["secrets"].items():
        assert secret["file"].endswith(f"/{name}")
    for name in ("db_password", "temporal_db_password", "grafana_admin_password", "mentorship_secret"):
        assert len((secrets / name).read_text()) >= SHORTEST_SECRET
    assert len({(secrets / name).read_text() for name in ("db_password", "temporal_db_password")}) == 2


def test_making_them_again_changes_nothing(secrets: Path) -> None:
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    said = subprocess.run([ROOT / "deploy" / "make-secrets", secrets], check=True, capture_output=True, text=True)
    assert {path.name: path.read_bytes() for path in secrets.iterdir()} == before
    assert "made" not in said.stdout.replace(str(secrets), "")


def test_the_settings_read_them_and_variables_win(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENTORSHIP_SECRETS_DIR", str(secrets))
    found = Settings(_env_file=None)  # pyright: ignore[reportCallIssue]
    password = (secrets / "db_password").read_text()
    assert found.database == f"postgresql+psycopg://mentorship:{password}@db:5432/mentorship"
    assert Links.of(found)
    assert found.smtp_password.get_secret_value() == ""
    monkeypatch.setenv("MENTORSHIP_SECRET", "of the environment")
    assert Settings(_env_file=None).secrets == ("of the environment",)  # pyright: ignore[reportCallIssue]
    monkeypatch.setenv("MENTORSHIP_SECRETS_DIR", str(secrets / "nowhere"))
    assert Settings(_env_file=None).database_url == ""  # pyright: ignore[reportCallIssue]


class _Keeps:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.received: list[bytes] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.received.append(envelope.original_content or b"")
        return "250 OK"


async def test_a_relay_with_a_certificate_of_its_own_is_trusted_where_that_is_named(secrets: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(secrets / "mail_certificate", secrets / "mail_key")
    mailbox, port = _Keeps(), free_port()
    relay = UnthreadedController(
        mailbox, "localhost", port, tls_context=context, require_starttls=True, loop=asyncio.get_running_loop()
    )
    relay.server = await relay._create_server()
    try:
        trusted = SmtpTransport(Relay("localhost", port, "starttls", ca_file=str(secrets / "mail_certificate")))
        await trusted.send("a@example.org", "b@example.org", b"Subject: hello\r\n\r\nhello\r\n")
        await trusted.close()
        assert len(mailbox.received) == 1
        # The certificate is for another name.
        stranger = SmtpTransport(Relay("127.0.0.1", port, ca_file=str(secrets / "mail_certificate")))
        with pytest.raises(NotSent, match="configuration"):
            await stranger.send("a@example.org", "b@example.org", b"Subject: no\r\n\r\nno\r\n")
        assert len(mailbox.received) == 1
    finally:
        relay.server.close()
        await relay.server.wait_closed()


def test_certificates_that_are_not_there_are_named() -> None:
    with pytest.raises(ValueError, match="MENTORSHIP_SMTP_CA_FILE names no file: /nowhere"):
        Relay("relay.example.org", 587, ca_file="/nowhere")
