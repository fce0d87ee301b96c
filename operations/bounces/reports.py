"""Parses mails to the bounce address: delivery reports (RFC 3464) of any mail server, automatic replies, and junk.

Parsing never fails, whatever comes in, and keeps only codes, ids and addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Literal

from program.text import harmless

LONGEST = 1_000_000
"""Bytes of a mail that are parsed; a report comes before the returned mail."""
SENT_TO = (
    "To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "X-Rcpt-To",
)  # fmt: skip
"""Headers in which mail servers write the address to which a mail came."""
REPORTS = ("message/delivery-status", "message/global-delivery-status")
DAEMONS = ("mailer-daemon", "postmaster", "mail-daemon")
MACHINES = ("X-Autoreply", "X-Autorespond", "X-Auto-Response-From", "X-Vacation")

_ADDRESS = re.compile(r"(?<![^\s<>,;:\"()])[^\s<>,;:\"()]+@[A-Za-z0-9.-]+")
"""Looked for at the beginning of a word only, so that a long one is gone through once."""
_MESSAGE_ID = re.compile(rb"^[> ]*message-id:\s*<([^<>\s]{3,250})>", re.IGNORECASE | re.MULTILINE)
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_REPLY = re.compile(r"\b([45])\d\d\b")
_AWAY = re.compile(r"out of (the )?office|automatic reply|auto.?reply|abwesenheit|absence du bureau", re.IGNORECASE)

Status = tuple[int, int, int]
"""Class, subject and detail (RFC 3463): 5, 1, 1."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One recipient that a mail did not reach, permanently (class 5) or after many tries (class 4)."""

    recipient: str
    status: Status

    @property
    def code(self) -> str:
        """The status as it is written: `5.1.1`."""
        return ".".join(map(str, self.status))


@dataclass(frozen=True, slots=True)
class Incoming:
    """A mail that came to the bounce address."""

    kind: Literal["report", "auto_reply", "other"]
    envelopes: tuple[str, ...] = ()
    """Addresses that it came to."""
    message_ids: tuple[str, ...] = ()
    """All Message-IDs in it, without the brackets."""
    failures: tuple[Failure, ...] = ()


def read(raw: bytes) -> Incoming:
    """Parse a mail. Never raises: an unreadable mail is `other`."""
    try:
        return _read(raw[:LONGEST])
    except Exception:  # a mail of a stranger must not block the mails of others
        return Incoming("other")


def _read(raw: bytes) -> Incoming:
    mail = message_from_bytes(raw)
    envelopes = tuple(
        dict.fromkeys(found for name in SENT_TO for value in _values(mail, name) for found in _ADDRESS.findall(value))
    )
    ids = tuple(dict.fromkeys(found.decode("ascii", "replace") for found in _MESSAGE_ID.findall(raw)))
    blocks = [block for part in mail.walk() if part.get_content_type() in REPORTS for block in _blocks(part)]
    if blocks:
        return Incoming("report", envelopes, ids, tuple(_failures(blocks)))
    if _from_daemon(mail):
        status = _first_status(_text(mail))
        if status is not None:
            return Incoming("report", envelopes, ids, (Failure("", status),))
    return Incoming("auto_reply" if _automatic(mail) else "other", envelopes, ids)


def _values(mail: Message, name: str) -> list[str]:
    return [harmless(str(value)) for value in mail.get_all(name, [])]


def _value(block: Message, name: str) -> str:
    return next(iter(_values(block, name)), "")


def _blocks(part: Message) -> list[Message]:
    """The groups of fields of a delivery-status part, in whichever form the parser returns them."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return [block for block in payload if isinstance(block, Message)]
    body = part.get_payload(decode=True)
    if not isinstance(body, bytes):
        return []
    return [message_from_bytes(group) for group in re.split(rb"\r?\n\r?\n", body) if group.strip()]


def _failures(blocks: Iterable[Message]) -> Iterable[Failure]:
    for block in blocks:
        if _value(block, "Action").strip().lower() != "failed":
            continue  # the fields of the message itself, or a mail that is delayed, relayed, delivered
        who = _value(block, "Original-Recipient") or _value(block, "Final-Recipient")
        addresses = _ADDRESS.findall(who.rpartition(";")[2])
        yield Failure(addresses[0].lower() if addresses else "", _status_of(block))


def _status_of(block: Message) -> Status:
    """The status, or the remote server's code if it is more exact; an unclear status counts as temporary."""
    status = _first_status(_value(block, "Status"))
    diagnostic = _value(block, "Diagnostic-Code")
    exact = _first_status(diagnostic)
    if status is None:
        reply = _REPLY.search(diagnostic)
        return exact or ((int(reply[1]), 0, 0) if reply else (4, 0, 0))
    if status[1:] == (0, 0) and exact is not None and exact[0] == status[0]:
        return exact
    return status


def _first_status(text: str) -> Status | None:
    found = _STATUS.search(text)
    return (int(found[1]), int(found[2]), int(found[3])) if found and found[1] != "2" else None


def _from_daemon(mail: Message) -> bool:
    """Whether the mail comes from a mail server that writes no standard reports (qmail and similar)."""
    local_parts = [address.partition("@")[0].lower() for address in _ADDRESS.findall(_value(mail, "From"))]
    return any(local in DAEMONS for local in local_parts)


def _text(mail: Message) -> str:
    """The first text part."""
    for part in mail.walk():
        if part.get_content_type() == "text/plain":
            body = part.get_payload(decode=True)
            return body.decode("ascii", "replace") if isinstance(body, bytes) else ""
    return ""


def _automatic(mail: Message) -> bool:
    """Whether this is an automatic reply, such as a vacation notice (RFC 3834)."""
    submitted = _value(mail, "Auto-Submitted").strip().lower()
    return (
        (bool(submitted) and not submitted.startswith("no"))
        or any(mail.get(name) for name in MACHINES)
        or _value(mail, "Precedence").strip().lower() in ("auto_reply", "bulk", "junk")
        or bool(_AWAY.search(_value(mail, "Subject")))
    )
