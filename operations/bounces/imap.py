"""Reads the mailbox for bounces over IMAP (RFC 3501).

Mails are fetched without being marked; once the result is in the database, they are marked as seen, or moved. After
an interruption they are read again, and nothing is done twice. A mail that was not handled must never be deleted, and
a password never sent over a network unencrypted.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from base64 import b64encode
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from activities.delivery.loopback import is_loopback
from operations.bounces.reports import LONGEST
from runtime.errors import Unreachable
from runtime.settings import Settings

TIMEOUT = 30.0
"""Real seconds to wait for an answer of the server."""
AT_ONCE = 100
"""Mails that are fetched before the server is asked for more."""

SCHEMES: dict[str, tuple[Literal["none", "starttls", "tls"], int]] = {
    "imaps": ("tls", 993),
    "imap+starttls": ("starttls", 143),
    "imap": ("none", 143),
}
"""Scheme of a mailbox address to its security and default port."""

_BEYOND_ASCII = re.compile(r"([^\x20-\x7e]+)")
_FETCHED = re.compile(rb"\bUID (\d+)\b")


class NoMailbox(Unreachable):
    """The mailbox can't be read. The message says what to do, and nothing of the contents."""


@dataclass(frozen=True, slots=True)
class MailboxAddress:
    """Address and credentials of the mailbox."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    security: Literal["none", "starttls", "tls"]
    folder: str = "INBOX"
    done: str = ""
    """Folder to which handled mails are moved; empty: they stay, marked as seen."""
    ca_file: str = ""

    @classmethod
    def of(cls, settings: Settings) -> MailboxAddress:
        """The mailbox of these settings. Raises `NoMailbox` if none is set, if the address is invalid, or if the
        connection would go over a network unencrypted."""
        if not settings.bounce_mailbox:
            raise NoMailbox(
                "No mailbox for bounces is set. Set MENTORSHIP_BOUNCE_MAILBOX (imaps://user@host/INBOX) and "
                "MENTORSHIP_BOUNCE_MAILBOX_PASSWORD, or name files: mentorship bounces FILE…"
            )
        url = urlsplit(settings.bounce_mailbox)
        how = SCHEMES.get(url.scheme)
        if how is None or not url.hostname or not url.username:
            raise NoMailbox(
                "MENTORSHIP_BOUNCE_MAILBOX is no mailbox; write it such as imaps://bounces%40example.org@"
                "imap.example.org/INBOX"
            )
        security, port = how
        found = cls(
            host=url.hostname,
            port=url.port or port,
            user=unquote(url.username),
            password=settings.bounce_mailbox_password.get_secret_value(),
            security=security,
            folder=unquote(url.path.strip("/")) or "INBOX",
            done=next(iter(parse_qs(url.query).get("done", [])), ""),
            ca_file=settings.smtp_ca_file,
        )
        if security == "none" and not found.loopback:
            raise NoMailbox(
                "MENTORSHIP_BOUNCE_MAILBOX begins with imap://, which is for servers on this machine only; "
                "write imaps:// or imap+starttls://"
            )
        return found

    @property
    def loopback(self) -> bool:
        """Whether the mailbox is on this machine."""
        return is_loopback(self.host)


class Mailbox:
    """An open mailbox. All methods block. Every failure raises `NoMailbox`."""

    def __init__(self, server: imaplib.IMAP4, done: str, capabilities: Collection[str]) -> None:
        self._server = server
        self._done = done
        self._capabilities = capabilities
        self._looked_at: set[bytes] = set()

    def unseen(self) -> list[tuple[bytes, bytes]]:
        """(uid, mail) of the next unread mails, the oldest first; each is returned once."""
        [found] = _ok(self._server.uid("SEARCH", "UNSEEN", "UNDELETED"), "the search was refused")[:1] or [b""]
        uids = [uid for uid in (found or b"").split() if uid not in self._looked_at][:AT_ONCE]
        return [(uid, mail) for uid in uids if (mail := self._fetch(uid)) is not None]

    def _fetch(self, uid: bytes) -> bytes | None:
        self._looked_at.add(uid)
        parts = _ok(
            self._server.uid("FETCH", uid.decode(), f"(UID BODY.PEEK[]<0.{LONGEST}>)"), "a mail can't be fetched"
        )
        return next((bytes(part[1]) for part in parts if isinstance(part, tuple) and _FETCHED.search(part[0])), None)

    def taken_in(self, uid: bytes) -> None:
        """Mark a handled mail as seen, and move it if a folder is set."""
        self._mark(uid, r"(\Seen)")
        if not self._done:
            return
        if "MOVE" in self._capabilities:
            _ok(self._server.uid("MOVE", uid.decode(), _quoted(self._done)), "a mail can't be moved")
            return
        # Without RFC 6851, copy first, so that an interruption loses nothing.
        _ok(self._server.uid("COPY", uid.decode(), _quoted(self._done)), "a mail can't be copied")
        self._mark(uid, r"(\Deleted)")
        if "UIDPLUS" in self._capabilities:
            _ok(self._server.uid("EXPUNGE", uid.decode()), "a mail that was copied can't be removed")

    def left_for_a_human(self, uid: bytes) -> None:
        """Mark a mail that could not be handled as seen and flagged; it stays where it is."""
        self._mark(uid, r"(\Seen \Flagged)")

    def _mark(self, uid: bytes, flags: str) -> None:
        _ok(self._server.uid("STORE", uid.decode(), "+FLAGS.SILENT", flags), "a mail can't be marked")


@contextmanager
def opened(address: MailboxAddress) -> Iterator[Mailbox]:
    """The mailbox, logged in, with its folder selected. Blocks. Raises `NoMailbox`."""
    server: imaplib.IMAP4 | None = None
    try:
        server = _connected(address)
        server.login(address.user, address.password)
        # Before anything is read: a mail must not be taken in and then have nowhere to go.
        for folder in filter(None, (address.done, address.folder)):
            _ok(server.select(_quoted(folder)), f"there is no folder {folder}, or it can't be opened")
        yield Mailbox(server, address.done, _capabilities(server))
    except (imaplib.IMAP4.error, OSError, UnicodeError) as error:
        # The server's words can contain the user's name.
        why = error.args[0] if isinstance(error, _Refused) else type(error).__name__
        raise NoMailbox(
            f"The mailbox at {address.host}:{address.port} can't be read ({why}).\n"
            "Look at MENTORSHIP_BOUNCE_MAILBOX and MENTORSHIP_BOUNCE_MAILBOX_PASSWORD."
        ) from error
    finally:
        if server is not None:
            with suppress(imaplib.IMAP4.error, OSError):
                server.logout()


def _connected(address: MailboxAddress) -> imaplib.IMAP4:
    if address.security == "none":
        return imaplib.IMAP4(address.host, address.port, timeout=TIMEOUT)
    context = ssl.create_default_context()
    if address.ca_file:
        context.load_verify_locations(address.ca_file)
    if address.security == "tls":
        return imaplib.IMAP4_SSL(address.host, address.port, ssl_context=context, timeout=TIMEOUT)
    server = imaplib.IMAP4(address.host, address.port, timeout=TIMEOUT)
    server.starttls(context)
    return server


class _Refused(imaplib.IMAP4.error):
    """The server said no. The words are ours."""


def _ok(answer: tuple[str, list[Any]], why: str) -> list[Any]:
    kind, data = answer
    if kind != "OK":
        raise _Refused(why)
    return data


def _capabilities(server: imaplib.IMAP4) -> frozenset[str]:
    """What the server can do for who has signed in. Most say less before that, which is what imaplib remembers."""
    [said] = _ok(server.capability(), "it does not say what it can do")[-1:]
    return frozenset(said.decode("ascii", "replace").upper().split())


def _quoted(folder: str) -> str:
    """The name of a folder as IMAP writes it: quoted, and in a UTF-7 of its own (RFC 3501, 5.1.3)."""
    name = "".join(
        f"&{b64encode(part.encode('utf-16-be')).decode().rstrip('=').replace('/', ',')}-"
        if _BEYOND_ASCII.fullmatch(part)
        else part.replace("&", "&-")
        for part in _BEYOND_ASCII.split(folder)
    )
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
