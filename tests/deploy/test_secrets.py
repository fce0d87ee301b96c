"""Secrets in files: made once, strong, read by the settings, and good enough for a relay that speaks TLS."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from activities.smtp import NotSent, Relay, SmtpTransport
from operations.links import SHORTEST_SECRET, Links
from operations.settings import Settings
from tests.deploy.conftest import TlsRelay
from tests.deploy.test_compose import ROOT, compose


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
    known = {"user": tls_relay.user, "password": tls_relay.password, "ca_file": certificate}
    trusted = SmtpTransport(Relay("localhost", tls_relay.port, "starttls", **known))
    await trusted.send("a@example.org", "b@example.org", b"Subject: hello\r\n\r\nhello\r\n")
    await trusted.close()
    assert tls_relay.received == 1
    # The certificate is for another name.
    stranger = SmtpTransport(Relay("127.0.0.1", tls_relay.port, "starttls", **known))
    with pytest.raises(NotSent, match="configuration"):
        await stranger.send("a@example.org", "b@example.org", b"Subject: no\r\n\r\nno\r\n")
    assert tls_relay.received == 1


def test_certificates_that_are_not_there_are_named() -> None:
    with pytest.raises(ValueError, match="MENTORSHIP_SMTP_CA_FILE names no file: /nowhere"):
        Relay("relay.example.org", 587, ca_file="/nowhere")
