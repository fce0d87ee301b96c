"""Secrets in files: made once, strong, read by the settings, and good enough for a relay that speaks TLS."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from activities.delivery.smtp import NotSent, Relay, SmtpTransport
from operations.bounces.imap import MailboxAddress, NoMailbox, opened
from runtime.links import SHORTEST_SECRET, Links
from runtime.settings import Settings
from runtime.smtp import transport_of
from store.database import Database
from testing.environments.cli_env import mentorship
from testing.servers.imap import imap_server
from tests.cli.conftest import settle
from tests.deploy.conftest import TlsRelay
from tests.deploy.test_compose import ROOT, compose
from worker import make_post_office


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


async def test_a_relay_with_a_certificate_of_its_own_is_trusted_where_that_is_named(
    secrets: Path, tls_relay: TlsRelay
) -> None:
    certificate = str(secrets / "mail_certificate")
    named = Relay("localhost", tls_relay.port, "starttls", tls_relay.user, tls_relay.password, ca_file=certificate)
    trusted = SmtpTransport(named)
    for _ in range(2):
        await trusted.send("a@example.org", "b@example.org", b"Subject: hello\r\n\r\nhello\r\n")
    await trusted.close()
    assert tls_relay.received == 2
    # The certificate is for another name.
    stranger = SmtpTransport(replace(named, host="127.0.0.1"))
    with pytest.raises(NotSent, match="configuration"):
        await stranger.send("a@example.org", "b@example.org", b"Subject: no\r\n\r\nno\r\n")
    assert tls_relay.received == 2


def test_a_mailbox_with_a_certificate_of_its_own_is_trusted_where_that_is_named(secrets: Path) -> None:
    certificate = secrets / "mail_certificate"
    with imap_server(certificate=certificate, key=secrets / "mail_key") as server:
        named = MailboxAddress(
            "localhost", server.port, server.user, server.password, "starttls", ca_file=str(certificate)
        )
        with opened(named) as mailbox:
            assert len(mailbox.unseen()) > 0
        for stranger in (replace(named, host="127.0.0.1"), replace(named, ca_file="")):
            with pytest.raises(NoMailbox, match="SSLCertVerificationError"), opened(stranger):
                pass


def test_certificates_that_are_not_there_are_named() -> None:
    with pytest.raises(ValueError, match="MENTORSHIP_SMTP_CA_FILE names no file: /nowhere"):
        Relay("relay.example.org", 587, ca_file="/nowhere")


SECRETS = {
    "MENTORSHIP_SECRET": "first-secret-that-signs-links-3141592653, older-secret-that-is-accepted-2718281828",
    "MENTORSHIP_SMTP_PASSWORD": "smtp-password-1618033988",
    "MENTORSHIP_BOUNCE_MAILBOX_PASSWORD": "mailbox-password-5772156649",
    "MENTORSHIP_DATABASE_URL": "postgresql://engine:database-password-1414213562@127.0.0.1:9/engine",
    "TEMPORAL_API_KEY": "temporal-key-6931471805",
}
TOLD = ("3141592653", "2718281828", "1618033988", "5772156649", "1414213562", "6931471805")
"""Digits that stand in no other text."""


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An installation whose every secret is known to us, and in which nothing answers."""
    settle(monkeypatch, tmp_path)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MENTORSHIP_SMTP_USER", "engine")
    monkeypatch.setenv("MENTORSHIP_BOUNCE_MAILBOX", "imap://bounces@127.0.0.1:9/INBOX")
    monkeypatch.setenv("MENTORSHIP_BOUNCE_ADDRESS", "bounces@engine.example.org")
    return monkeypatch


@pytest.mark.usefixtures("guarded")
async def test_nothing_that_holds_a_secret_shows_it() -> None:
    settings = Settings()
    database = Database.open(settings.database)
    held = {
        "settings": settings,
        "links": Links.of(settings),
        "relay": transport_of(settings)._relay,
        "mailbox": MailboxAddress.of(settings),
        "post office": make_post_office(settings, database, transport_of(settings))._office.rules,
        "database": database,
    }
    await database.close()
    assert settings.secrets[1].endswith("2718281828")
    for what, thing in held.items():
        for shown in (repr(thing), str(thing)):
            assert not [secret for secret in TOLD if secret in shown], what


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("words", ["doctor", "doctor --json", "worker", "web", "migrate", "status", "bounces"])
def test_no_command_says_a_secret_while_nothing_answers(words: str) -> None:
    said = mentorship(*words.split())
    assert said.code != 0
    assert not [secret for secret in TOLD if secret in said.out + said.err]
