"""Handles mails to the bounce address: finds the mail that a report is about, and carries out what the report says.

The mail is found by the signed address to which the report came; or else by the Message-ID and the recipient of the
returned mail, both of which must match. A Message-ID can't be guessed. A report without the signed address never
stops a person's mail alone (`store.delivery.bounces`). A report about no mail of ours is `unmatched`. The same report
twice counts once.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from activities.delivery.smtp import Kind, kind_of
from activities.delivery.verp import message_of
from activities.wake_postmasters import Wake, wake_in_time
from mail.headers import domain_of, message_id
from operations.bounces import reports
from operations.bounces.imap import MailboxAddress, opened
from operations.bounces.reports import Failure, Incoming
from runtime import outbox_relay
from runtime.outbox_relay import Tell
from runtime.settings import Settings
from store.database import Database
from store.delivery import bounces, results
from store.shards import soonest

Came = Literal[
    "bounced",
    "unsigned",
    "often",
    "soft",
    "policy",
    "late",
    "elsewhere",
    "known",
    "early",
    "gone",
    "too_many",
    "delayed",
    "auto_reply",
    "unmatched",
    "other",
]
MEANING: dict[Came, str] = {
    "bounced": "refused for good: mail to this person is stopped, and a task is open",
    "unsigned": "refused for good, by a report that is not signed: a task is open, and a second one stops the mail",
    "often": "not delivered for the third time of the last five: a task is open",
    "soft": "not delivered, for the time being",
    "policy": "refused for what we are or send, not for whom it was meant: see `mentorship doctor`",
    "late": "an older address of this person: it goes to the new one",
    "elsewhere": "a new address that was not confirmed yet: it is not taken over, and the old one stays",
    "known": "known already",
    "early": "the mail is still being sent: look again later",
    "gone": "the person was erased",
    "too_many": "more unsigned reports in a day than count: look at them yourself",
    "delayed": "not given up yet",
    "auto_reply": "the reply of a machine: ignored",
    "unmatched": "belongs to no mail of ours",
    "other": "no delivery report",
}
"""The result for a mail to the bounce address, in words."""
WORST: tuple[Came, ...] = tuple(MEANING)
"""Of several failures in one report, the first of these is its result."""
FOR_A_HUMAN: frozenset[Came] = frozenset(("unmatched", "other", "policy", "too_many"))
"""Results of which a person should read the mail."""

MOST_FAILURES = 5
"""Failures of one report that are handled. Each of our mails has one recipient, which can be an alias of several."""
MOST_IDS = 5
"""A report with more Message-IDs is about no single mail; it tries which of them exists."""


@dataclass(frozen=True, slots=True)
class Handled:
    """The result for one mail to the bounce address."""

    came: Came
    person: str = ""
    message: str = ""
    code: str = ""
    """Status of RFC 3463."""

    @property
    def for_a_human(self) -> bool:
        """Whether a person should read the mail."""
        return self.came in FOR_A_HUMAN


async def take_in(
    database: Database,
    settings: Settings,
    raw: bytes,
    now: datetime,
    *,
    tell: Tell | None = None,
    wake: Wake | None = None,
) -> Handled:
    """Handle one mail to the bounce address, as it came over the wire. `now` is program time (UTC).

    Raises nothing for the contents of the mail; SQLAlchemyError if the database can't be reached.
    """
    incoming = reports.read(raw)
    if incoming.kind != "report":
        return Handled(incoming.kind)
    if not incoming.failures:
        return Handled("delayed")
    found = [
        await _take(database, settings, incoming, failure, now, wake) for failure in incoming.failures[:MOST_FAILURES]
    ]
    worst = min(found, key=lambda one: WORST.index(one.came))
    if tell is not None and worst.came in ("bounced", "unsigned", "often"):
        async with database.session() as session:
            places = await results.seats_of(session, [worst.person])
        for _, cohort, mentorship in places:
            await outbox_relay.hand_over(database, tell, cohort, mentorship, now)
    return worst


async def read_mailbox(
    database: Database,
    settings: Settings,
    now: datetime,
    *,
    tell: Tell | None = None,
    wake: Wake | None = None,
) -> AsyncIterator[Handled]:
    """Handle every unread mail in the mailbox of these settings, and mark it there once its result is in the
    database. Mails that are too early stay unread. Raises `NoMailbox`."""
    address = MailboxAddress.of(settings)
    with ThreadPoolExecutor(1) as thread:  # one connection, and it blocks
        loop = asyncio.get_running_loop()
        context = opened(address)
        mailbox = await loop.run_in_executor(thread, context.__enter__)
        try:
            while mails := await loop.run_in_executor(thread, mailbox.unseen):
                for uid, raw in mails:
                    handled = await take_in(database, settings, raw, now, tell=tell, wake=wake)
                    if handled.came != "early":
                        mark = mailbox.left_for_a_human if handled.for_a_human else mailbox.taken_in
                        await loop.run_in_executor(thread, mark, uid)
                    yield handled
        finally:
            await loop.run_in_executor(thread, context.__exit__, *sys.exc_info())


async def _take(
    database: Database, settings: Settings, incoming: Incoming, failure: Failure, now: datetime, wake: Wake | None
) -> Handled:
    async with database.begin() as session:
        message, signed = await _which(session, settings, incoming, failure, now)
        taken = None
        if message:
            taken = await bounces.take(session, message, _kind(failure), failure.code, now, signed=signed)
    if taken is None:
        return Handled("unmatched", code=failure.code)
    await wake_in_time(database, soonest(taken.moments), now, wake)
    return Handled(taken.result, taken.person, message, failure.code)


async def _which(
    session: AsyncSession, settings: Settings, incoming: Incoming, failure: Failure, now: datetime
) -> tuple[str, bool]:
    """The mail that a failure is about, or an empty string; and whether the report is signed."""
    for envelope in incoming.envelopes:
        signed = message_of(envelope, settings.secrets)
        if signed is not None:
            return signed, True
    if not failure.recipient or not 0 < len(incoming.message_ids) <= MOST_IDS:
        return "", False
    ids = set(_lowered(incoming.message_ids))
    domain = domain_of(settings.mail_from)
    for message in await bounces.to_recipient(session, failure.recipient, now):
        for secret in settings.secrets:
            if message_id(message, domain, secret).strip("<>").lower() in ids:
                return message, False
    return "", False


def _lowered(values: Iterable[str]) -> Iterable[str]:
    return (value.lower() for value in values)


def _kind(failure: Failure) -> bounces.Kind:
    class_, subject, detail = failure.status
    if class_ == 4:
        return "soft"
    match kind_of(subject, detail):
        case Kind.TRANSIENT:
            return "soft"
        case Kind.POLICY:
            return "policy"
        case _:
            return "hard"
