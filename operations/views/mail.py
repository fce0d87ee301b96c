"""A mail as it was sent, for a coordinator to read: without its reader's links, and only where it is theirs to see.

The links in a mail let its reader in without a login, and a document of the pair belongs to the pair: neither may be
shown. Must never change what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_string, policy
from email.message import EmailMessage
from html import escape

from operations.errors import NotFound
from operations.mentorships.concerns import readers_of
from operations.mentorships.status import local
from operations.own_links import without_links
from operations.views.reader import PageReader
from store.database import Database
from store.delivery.letter_facts import WITH_AGREEMENT
from store.lookups import look_up
from store.reports import mentorship_page
from store.reports.mentorship_page import SentMail

PRIVATE = WITH_AGREEMENT | {"farewell", "address_new", "address_old", "joint_sheet"}
"""Mails that hold what belongs to the pair or to one person: the agreement, the line to a partner, a new address."""
RECEIPT = "safety_received"
"""Tells somebody that their report has arrived: shown to those alone who were told of it."""


@dataclass(frozen=True, slots=True)
class ShownMail:
    """A mail with its headers. `withheld`: it holds what is not for coordinators, and only the headers are shown."""

    id: str
    person: str
    name: str
    recipient: str
    at: datetime
    """Local to the cohort's zone."""
    zone: str
    subject: str
    state: str
    bounce: str
    text: str
    html: str
    withheld: bool
    gone: bool
    """What it said was erased."""


def is_for_coordinators(items: Iterable[tuple[str, str, str, str]], reader: PageReader) -> bool:
    """Whether a mail can be opened by this reader. `items` are (name, cohort, mentorship, task) of what it tells of:
    all of it must be of cohorts that they coordinate."""
    return all(reader.reads_answers(cohort) for _, cohort, _, _ in items)


async def shown_mail(database: Database, cohort: str, key: str, mail: str, reader: PageReader) -> ShownMail:
    """A mail that told of this mentorship. Raises `NotFound` where this reader sees none."""
    async with database.session() as session:
        row = await mentorship_page.mail(session, mail)
        of_mentorship = [item for item in row.items if (item[2], item[3]) == (cohort, key)] if row else []
        if row is None or not of_mentorship:
            raise NotFound("there is no such mail")
        readers = await readers_of(session, cohort, [key])
        zone = await look_up(session, mentorship_page.zone_of(cohort))
    told_of = [(name, of, place, task) for name, _, of, place, task in row.items]
    hidden = any(name == RECEIPT for name, *_ in told_of) and not readers.may_read(key, reader.id)
    if hidden or not is_for_coordinators(told_of, reader):
        raise NotFound("there is no such mail")
    return as_shown(row, zone, withheld=any(name in PRIVATE for name, *_ in told_of))


def as_shown(row: SentMail, zone: str, *, withheld: bool) -> ShownMail:
    """The mail in parts, without the links of its reader."""
    text = html = ""
    if row.raw and not withheld:
        message = message_from_string(row.raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        text, html = (without_links(_part(message, kind)) for kind in ("plain", "html"))
    return ShownMail(
        row.id, row.person, row.name, row.recipient, local(row.at, zone), zone, row.subject, row.state, row.bounce,
        text, html, withheld, not row.raw,
    )  # fmt: skip


def framed(mail: ShownMail) -> str:
    """The HTML of a mail for a frame that can run and load nothing."""
    return mail.html or f"<!doctype html><title>{escape(mail.subject)}</title><pre>{escape(mail.text)}</pre>"


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return str(body.get_content()) if body else ""
