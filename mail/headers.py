"""Writes the headers of a mail safely: text from people reaches a header only through this module.

Python 3.11's email package turns an encoded word inside a name into a real header (CVE-2024-6923) and encodes a
`List-Unsubscribe` of 76 characters, which mail programs then ignore. So headers are written by this module, one
line each or folded at words, and `mail.message` reads them again and compares.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache

import idna

from mail.inserts import line
from mail.letters import Letter

_PHRASE = re.compile(r"^[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]+$")
_ADDRESS = re.compile(r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+$")
_UTF8_ADDRESS = re.compile(r"^(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]|[^\W_a-zA-Z0-9])+@[A-Za-z0-9.-]+$")
_MESSAGE_ID = re.compile(r"^<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+>$")
_LONGEST_NAME = 320
"""Bytes of an encoded display name; a longer one is left out rather than cut (some servers refuse the mail)."""


class BadHeader(ValueError):
    """A header can't be written safely. Names the header, never its value."""


def message_id(key: str, domain: str, secret: str = "") -> str:
    """`<…@domain>` from the key of a message: the same key gives the same id on every try (RFC 5322 3.6.4).

    Keys can be guessed, so without the secret the id of a mail that one has not seen can't be made up. Only what is
    never sent, such as a preview, goes without one.
    """
    digest = hmac.digest(b"mentorship.message-id:" + secret.encode(), key.encode(), "sha256")
    return f"<{digest.hex()[:40]}@{ascii_domain(domain)}>"


def ascii_domain(domain: str) -> str:
    """A domain as DNS has it (RFC 5891). Raises BadHeader where it is none."""
    plain = domain.strip().rstrip(".")
    if plain.isascii():
        return plain
    try:
        return idna.encode(plain, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise BadHeader("a mail domain is not valid") from None


def domain_of(address: str) -> str:
    """The domain of an address."""
    return ascii_domain(address.rpartition("@")[2])


def is_utf8(email: str) -> bool:
    """Whether an address has letters beyond ASCII before the @: mail to it needs SMTPUTF8 (RFC 6531)."""
    return not email.strip().rpartition("@")[0].isascii()


def address(email: str, header: str, *, utf8: bool = False) -> str:
    """An address that can stand in a header: the domain in its DNS form; ASCII, or with `utf8` any letters before the
    @ (RFC 6532). Raises BadHeader otherwise."""
    local, at, domain = email.strip().rpartition("@")
    if at:
        ascii_address = f"{local}@{ascii_domain(domain)}"
        if (_UTF8_ADDRESS if utf8 else _ADDRESS).match(ascii_address) and len(ascii_address.encode()) <= 320:
            return ascii_address
    raise BadHeader(f"{header}: not an address that every mail server takes (ASCII before the @, one @)")


def unstructured(text: str, header: str) -> str:
    """Free text for a header such as Subject: without controls, never read as an encoded word by anybody."""
    clean = line(text).replace("=?", "= ?").replace("?=", "? =")
    if clean.isascii() and len(clean) + len(header) + 2 <= 200:
        return clean
    return Header(clean, "utf-8", maxlinelen=75, header_name=header).encode(linesep="\r\n")


def mailbox(name: str, email: str, header: str, *, utf8: bool = False) -> str:
    """`Name <address>`; a name that is too long once encoded is left out."""
    where = address(email, header, utf8=utf8)
    clean = line(name).replace("=?", "= ?").replace("?=", "? =")
    if not clean:
        return where
    if _PHRASE.match(clean) and "=?" not in clean:
        phrase = clean
    elif clean.isascii():
        phrase = '"' + clean.replace("\\", "").replace('"', "'") + '"'
    else:
        phrase = Header(clean, "utf-8", maxlinelen=75, header_name=header).encode(linesep="\r\n")
    return where if len(phrase) > _LONGEST_NAME else f"{phrase} <{where}>"


_known_mailbox = lru_cache(256)(mailbox)
"""Those that stand in many mails: the sender's, and the coordinators'."""


@lru_cache(256)
def _ascii_phrase(text: str) -> str:
    """ASCII letters of a title, for List-Id, which must never be encoded."""
    plain = unicodedata.normalize("NFKD", line(text)).encode("ascii", "ignore").decode()
    return " ".join(re.sub(r"[^A-Za-z0-9 .,'-]", " ", plain).split())[:120]


def _known_id(value: str, header: str) -> str:
    if not _MESSAGE_ID.match(value) or len(value) > 250:
        raise BadHeader(f"{header}: not a message id")
    return value


def _target(url: str, header: str) -> str:
    if not re.fullmatch(r"[!-;=?-~]+", url) or "=?" in url or len(url) > 900:
        raise BadHeader(f"{header}: the address has characters that a header can't hold as they are")
    return url


def _unsubscribe(letter: Letter) -> list[tuple[str, str]]:
    targets = [
        f"<{_target(url, 'List-Unsubscribe')}>" for url in (letter.unsubscribe_url, letter.unsubscribe_mailto) if url
    ]
    if not targets:
        return []
    headers = [("List-Unsubscribe", ", ".join(targets))]
    if letter.unsubscribe_url.startswith("https://"):
        headers.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    return headers


def headers_of(letter: Letter, subject: str, language: str) -> list[tuple[str, str]]:
    """The headers of a letter in order, ready to be written. Raises BadHeader.

    Sources: RFC 5322 (Date, From, Message-ID, References), RFC 3834 (Auto-Submitted), RFC 2919 (List-Id),
    RFC 2369 and 8058 (List-Unsubscribe).
    """
    threads = [_known_id(value, "References") for value in letter.references[-10:]]
    sender_name = letter.sender_name or letter.cohort_title
    list_id = f"<{letter.cohort.lower()}.{domain_of(letter.sender)}>"
    title = _ascii_phrase(letter.cohort_title)
    return [
        ("Date", format_datetime(letter.at)),
        ("From", _known_mailbox(sender_name, letter.sender, "From")),
        ("To", mailbox(letter.recipient.name, letter.recipient.email, "To", utf8=is_utf8(letter.recipient.email))),
        ("Reply-To", _known_mailbox(letter.coordinator.name, letter.coordinator.email, "Reply-To")),
        ("Subject", unstructured(subject, "Subject")),
        ("Message-ID", _known_id(letter.message_id, "Message-ID")),
        *([("In-Reply-To", threads[-1]), ("References", "\r\n ".join(threads))] if threads else []),
        ("List-Id", f'"{title}" {list_id}' if title else list_id),
        *_unsubscribe(letter),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("Content-Language", language),
        ("MIME-Version", "1.0"),
    ]
