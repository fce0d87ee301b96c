"""The mail with a link and a code to sign in: sent straight to the relay, at once, past every postbox.

It must go while Temporal is away, and to administrators who are no person of any cohort; and a link that is good for
a quarter of an hour must not wait in a queue, nor stand in a table. Nothing of it is logged but a failure's kind.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from email.utils import format_datetime

import structlog

from activities.delivery.smtp import Kind, NotSent
from mail.headers import BadHeader, domain_of, mailbox, message_id, unstructured
from mail.message import MimePart, written
from operations.accounts.sign_in import LINK_LASTS, Mailing
from runtime.settings import Settings
from runtime.smtp import transport_of
from web.coordinator.visit import Site
from web.coordinator.words import Words

log = structlog.get_logger(__name__)

WAITS = (2.0, 10.0, 30.0)
"""Real seconds between attempts."""


async def send(site: Site, address: str, mailing: Mailing) -> None:
    """Send the mail; a relay that is busy is asked a few times more. Never raises: the page is out already."""
    settings = site.settings
    try:
        message = compose(settings, site.words, address, mailing, site.real_now())
    except BadHeader:
        log.warning("sign_in_mail_failed", account=mailing.account.id, failure="BadHeader")
        return
    recipient = settings.redirect_all_to or address
    transport = transport_of(settings, connections=1)
    try:
        for wait in (*WAITS, None):
            try:
                await transport.send(settings.bounce_address or settings.mail_from, recipient, message.encode())
                return
            except NotSent as failure:
                again = failure.trouble.kind in (Kind.TRANSIENT, Kind.QUEUE)
                if wait is None or not again:
                    log.warning("sign_in_mail_failed", account=mailing.account.id, failure=str(failure))
                    return
            await asyncio.sleep(wait)
    finally:
        await transport.close()


def compose(settings: Settings, words: Words, address: str, mailing: Mailing, at: datetime) -> str:
    """The mail as it goes over the wire. Raises BadHeader for an address that no header can hold."""
    url = f"{settings.public_url.rstrip('/')}/c/sign-in/link/{mailing.token}"
    minutes = int(LINK_LASTS.total_seconds() // 60)
    text = words.plain(
        "sign_in_mail.text",
        n=minutes,
        link=url,
        code=f"{mailing.code[:3]} {mailing.code[3:]}",
    )
    to = settings.redirect_all_to or address
    identity = message_id(f"sign-in/{mailing.token}", domain_of(settings.mail_from), settings.secrets[0])
    headers = [
        ("From", mailbox(settings.mail_from_name, settings.mail_from, "From")),
        ("To", mailbox("", to, "To", utf8=settings.smtp_utf8)),
        ("Subject", unstructured(words.plain("sign_in_mail.subject"), "Subject")),
        ("Date", format_datetime(at)),
        ("Message-ID", identity),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("MIME-Version", "1.0"),
    ]
    return written(headers, MimePart("text/plain", text), identity, utf8=settings.smtp_utf8)
