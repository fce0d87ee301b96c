"""The way to the mail relay of an installation, by its settings: for workers, and for mails to sign in."""

from __future__ import annotations

from activities.delivery.smtp import Relay, SmtpTransport
from runtime.settings import Settings


def transport_of(settings: Settings, *, connections: int = 0) -> SmtpTransport:
    """The kept-open connections to the relay of these settings; `connections` instead of those in the settings."""
    return SmtpTransport(
        Relay(
            host=settings.smtp_host,
            port=settings.smtp_port,
            security=settings.smtp_security,
            user=settings.smtp_user,
            password=settings.smtp_password.get_secret_value(),
            connections=connections or settings.smtp_connections,
            timeout=settings.smtp_timeout,
            ca_file=settings.smtp_ca_file,
            pipelining=settings.smtp_pipelining,
        )
    )
