"""Mails that come back: whatever a mail server writes, the right person's mail stops, once; and junk does no harm."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.delivery.verp import envelope_sender
from lifecycle.events import EVENTS
from mail.headers import message_id
from operations.bounces.bounces import Handled, take_in
from operations.bounces.reports import LONGEST, Failure, Incoming, read
from operations.people.correct import Details, correct
from runtime.settings import Settings
from store.database import Database
from store.delivery import bounces
from store.tables import ItemRow, MessageRow
from testing.cohorts.small_cohort import GROUP, PAIR, item
from testing.cpu_budget import within
from testing.environments.delivery_env import (
    DAY,
    HOUR,
    NINE_IN_NEW_YORK,
    SENDER,
    DeliveryEnv,
    about,
    open_delivery_env,
    post_office,
)
from testing.environments.engine import SECRET
from testing.servers.sink import Sink
from testing.servers.sink import running as running_sink

BEN, NEW = "ben@example.org", "benjamin@example.net"
BOUNCES = "bounces@mail.example.org"
SETTINGS = Settings(
    _env_file=None,  # pyright: ignore[reportCallIssue]
    secret=SECRET,  # pyright: ignore[reportArgumentType]
    mail_from=SENDER,
    bounce_address=BOUNCES,
)


def report(
    to: str = BOUNCES,
    status: str = "5.1.1",
    *,
    action: str = "failed",
    who: str = BEN,
    about_id: str = "",
    more: str = "",
) -> bytes:
    """A delivery report as Postfix writes it (RFC 3464)."""
    return f"""Return-Path: <>
From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
X-Postfix-Queue-ID: 4Xyz

Final-Recipient: rfc822; {who}
Action: {action}
Status: {status}
{more}
--B
Content-Type: message/rfc822

From: mentoring@example.org
Message-ID: {about_id or "<nothing@example.com>"}
Subject: Check-in

Hello
--B--
""".replace("\n", "\r\n").encode()


# -- what a mail says ------------------------------------------------------------------------------------------------

QMAIL = b"""From: MAILER-DAEMON@old.example.net
To: bounces+tag@mail.example.org

Hi. This is the qmail-send program at old.example.net.

<ben@example.org>:
Sorry, no mailbox here by that name. (#5.1.1)
"""
EXCHANGE = report(status="5.0.0", more="Diagnostic-Code: smtp;550 5.7.1 message content rejected")
SENDMAIL = report(status="", more="Diagnostic-Code: smtp; 452 mailbox over quota")
VACATION = b"From: ben@example.org\nTo: bounces+x@mail.example.org\nAuto-Submitted: auto-replied\n\nOn leave 5.1.1\n"
OUTLOOK = b"From: ben@example.org\nSubject: Automatic reply: your mail\n\nBack on Monday\n"
HUMAN = b"From: ben@example.org\nSubject: Re: Check-in\n\nI was asked to write to you about 5.1.1\n"


@pytest.mark.parametrize(
    ("raw", "kind", "codes"),
    [
        (report(), "report", ["5.1.1"]),
        (report(status="4.2.2"), "report", ["4.2.2"]),
        (report(action="delayed", status="4.4.1"), "report", []),
        (report(action="delivered", status="2.1.5"), "report", []),
        (EXCHANGE, "report", ["5.7.1"]),
        (SENDMAIL, "report", ["4.0.0"]),
        (report(status="rubbish"), "report", ["4.0.0"]),
        (QMAIL, "report", ["5.1.1"]),
        (VACATION, "auto_reply", []),
        (OUTLOOK, "auto_reply", []),
        (b"Precedence: bulk\n\nA newsletter\n", "auto_reply", []),
        (HUMAN, "other", []),
        (b"", "other", []),
        (b"\xff\xfe\x00" * 50, "other", []),
        (report().replace(b"Content-Type: message/delivery-status", b"Content-Type: message/delivery-status; \xff"),
         "report", ["5.1.1"]),
    ],
)  # fmt: skip
def test_what_a_mail_says_is_read(raw: bytes, kind: str, codes: list[str]) -> None:
    found = read(raw)
    assert (found.kind, [failure.code for failure in found.failures]) == (kind, codes)


def test_a_report_names_the_address_that_was_written_to() -> None:
    raw = report(who="forwarded@elsewhere.example", more="Original-Recipient: rfc822;Ben@Example.org")
    assert read(raw).failures == (Failure("ben@example.org", (5, 1, 1)),)
    assert read(report(to="bounces+a.b@mail.example.org")).envelopes == ("bounces+a.b@mail.example.org",)


@given(st.binary(max_size=400), st.integers(0, 900), st.integers(0, 900))
def test_whatever_comes_in_is_read(junk: bytes, start: int, end: int) -> None:
    whole = report()
    assert isinstance(read(whole[:start] + junk + whole[end:]), Incoming)


DELIVERY_STATUS = b"Content-Type: message/delivery-status\n\n"
DEAR: dict[str, bytes] = {
    "an address of one letter": b"To: " + b"a" * LONGEST,
    "a sender of dots": b"From: " + b"x." * (LONGEST // 2),
    "a recipient of one letter": DELIVERY_STATUS + b"Action: failed\nFinal-Recipient: " + b"a" * LONGEST,
    "many signs of addresses": b"To: " + b"a@" * (LONGEST // 2),
    "many recipients": DELIVERY_STATUS + b"Action: failed\nFinal-Recipient: a@b.c\n\n" * (LONGEST // 40),
    "quotes of a returned mail": b"\n" + b"> " * (LONGEST // 2),
    "ids that do not end": b"\n" + b"message-id:\n" * (LONGEST // 12),
    "parts": b"Content-Type: multipart/report; boundary=x\n\n" + b"--x\n\n" * (LONGEST // 5),
    "many headers": b"To: a\n" * (LONGEST // 6),
    "encoded words": b"To: " + b"=?utf-8?q?a?= " * (LONGEST // 15),
    "words that are looked for": b"Subject: " + b"out of the " * (LONGEST // 11),
    "numbers": b"From: mailer-daemon@x\n\n" + b"4." * (LONGEST // 2),
}
"""The worst that is known for each thing that is done with a report."""


@pytest.mark.parametrize("what", DEAR)
def test_no_mail_takes_long_to_be_read_however_it_is_made(what: str) -> None:
    began = time.process_time()
    read(DEAR[what])
    assert within(time.process_time() - began, 10), "seconds of CPU; others' reports wait meanwhile"


def test_a_mail_is_read_up_to_its_limit_of_size() -> None:
    """A report comes first; what a mail server sends back behind it can be of any length."""
    whole = report()
    assert read(whole + b"x" * LONGEST).failures == read(whole).failures
    assert read(b"Subject: " + b"x" * LONGEST + b"\n" + whole).kind == "other", "what is beyond it is not looked at"


# -- what comes of it ------------------------------------------------------------------------------------------------


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """A real SMTP server that takes every mail."""
    async with running_sink() as sink:
        yield sink


@pytest.fixture
async def delivery_env(database: Database, sink: Sink) -> AsyncIterator[DeliveryEnv]:
    """A post office with a small cohort, of which both mentorships run; its mails come back to a signed address."""
    async with open_delivery_env(database, sink) as delivery_env:
        delivery_env.post_office = post_office(
            database, delivery_env.post_office._office.transport, bounce_address=BOUNCES, secret=SETTINGS.secrets[0]
        )
        await delivery_env.turn(mentorship=GROUP.key)
        yield delivery_env


async def mailed(delivery_env: DeliveryEnv, *posts: Any, at: datetime = NINE_IN_NEW_YORK) -> str:
    """Deliver these to ben; the signed address to which the mail comes back."""
    await delivery_env.post(*(posts or [item("ben")]), now=at - 8 * HOUR)
    assert (await delivery_env.deliver(at)).sent == 1
    return delivery_env.sink.received[-1].sender


async def comes(delivery_env: DeliveryEnv, raw: bytes, now: datetime = NINE_IN_NEW_YORK + HOUR) -> Handled:
    """A mail comes to the bounce address."""
    return await take_in(delivery_env.database, SETTINGS, raw, now)


async def test_a_mail_that_comes_back_for_good_stops_that_persons_mail_and_nobody_elses(
    delivery_env: DeliveryEnv,
) -> None:
    back = await mailed(delivery_env)
    assert back.startswith("bounces+")
    handled = await comes(delivery_env, report(back))
    [message] = await delivery_env.rows(MessageRow)
    assert handled == Handled("bounced", "ben", message.id, "5.1.1")
    assert (await delivery_env.person("ben")).standing == "bounced"
    assert await delivery_env.items() == {"check_in#1/ben/request": "refused bounced"}
    assert (message.state, message.error, (await delivery_env.request("ben")).mails) == ("refused", "hard 5.1.1", 0)
    # One for each mentorship, and none twice: not for the same report, nor for another of the same mail.
    told = {row.mentorship for row in await delivery_env.relays()}
    assert told == {PAIR.key, GROUP.key}
    assert (await comes(delivery_env, report(back))).came == "known"
    assert (await comes(delivery_env, report(back, "4.2.2"))).came == "known"
    assert len(await delivery_env.relays()) == 2

    await delivery_env.post(about("transferred", "ben"), about("transferred", "ada"))
    await delivery_env.deliver(NINE_IN_NEW_YORK + DAY)
    assert [mail.recipient for mail in delivery_env.sink.received[1:]] == ["ada@example.org"]

    # A new address gets both; the old one's report, once more, changes nothing any more.
    await correct(delivery_env.database, "ben", Details(email=NEW), NINE_IN_NEW_YORK + DAY, by="casey")
    await delivery_env.deliver(NINE_IN_NEW_YORK + DAY + HOUR)
    [mail] = delivery_env.sink.mails_to(NEW)
    assert mail.sender != back
    assert (await comes(delivery_env, report(back))).came == "known"
    assert (await delivery_env.person("ben")).standing == "active"


async def test_a_report_about_the_old_address_sends_the_mail_to_the_new_one(delivery_env: DeliveryEnv) -> None:
    back = await mailed(delivery_env)
    await correct(delivery_env.database, "ben", Details(email=NEW), NINE_IN_NEW_YORK, by="casey")
    assert (await comes(delivery_env, report(back))).came == "late"
    assert (await comes(delivery_env, report(back))).came == "known"
    assert (await delivery_env.person("ben")).standing == "active"
    assert not [row for row in await delivery_env.relays() if row.event == "Bounced"]
    await delivery_env.deliver(NINE_IN_NEW_YORK + DAY + HOUR)
    assert len(delivery_env.sink.mails_to(NEW)) == 1
    assert {row.state for row in await delivery_env.rows(ItemRow)} == {"sent"}


async def test_three_of_the_last_five_that_come_back_for_the_time_being_make_a_task(
    delivery_env: DeliveryEnv,
) -> None:
    came: list[str] = []
    for day, status in enumerate(["4.2.2", "", "5.4.4", "", "4.4.7", "4.2.2", "", "", "", "", "4.2.2", "4.2.2"]):
        at = _working_day(day)
        back = await mailed(delivery_env, about("transferred", "ben", number=day, on=at.date()), at=at)
        if status:
            came.append((await comes(delivery_env, report(back, status), at + HOUR)).came)
    assert came == ["soft", "soft", "often", "soft", "soft", "soft"]
    assert (await delivery_env.person("ben")).standing == "active"
    told = [EVENTS[row.event](**row.payload) for row in await delivery_env.relays()]
    assert [(event.person, event.soft) for event in told] == [("ben", True)] * 2, "once for each mentorship"
    # What never arrived comes again once the address is right.
    done = await correct(delivery_env.database, "ben", Details(email=NEW), _working_day(14), by="casey")
    assert len(done.again) == 6


def _working_day(nth: int) -> datetime:
    weeks, days = divmod(nth, 5)
    return NINE_IN_NEW_YORK + timedelta(weeks=weeks, days=days)


@pytest.mark.parametrize(
    "raw",
    [
        report(to="bounces+m.\u00fc@mail.example.org"),
        report(to="bounces+\u00fc.m@mail.example.org"),
        report(who="a\x00b@example.org", about_id="<x.y@mail.example.org>"),
        report(who="a\u202eb@example.org", about_id="<x.y@mail.example.org>"),
        report(who="a\ud7ffb@example.org", about_id="<x.y@mail.example.org>"),
    ],
)
async def test_no_letter_that_a_stranger_writes_stops_the_reports_of_others(
    delivery_env: DeliveryEnv, raw: bytes
) -> None:
    handled = await take_in(delivery_env.database, SETTINGS, raw, NINE_IN_NEW_YORK)
    assert handled.came == "unmatched"


async def test_by_the_message_id_only_the_recipient_can_report(delivery_env: DeliveryEnv) -> None:
    await mailed(delivery_env)
    id_ = delivery_env.sink.received[-1].id
    assert (await comes(delivery_env, report(about_id=id_, who="eve@example.net"))).came == "unmatched"
    assert (await comes(delivery_env, report(about_id="<guess@example.org>"))).came == "unmatched"
    assert (await comes(delivery_env, report(about_id=id_))).came == "unsigned"
    assert (await delivery_env.person("ben")).standing == "active"
    assert (await comes(delivery_env, report(about_id=id_))).came == "known", "the same sign twice is one sign"
    # It opens a task; only a second sign, about another mail, stops the mail.
    told = [EVENTS[row.event](**row.payload) for row in await delivery_env.relays()]
    assert [(event.person, event.soft) for event in told] == [("ben", True)] * 2
    await mailed(delivery_env, about("transferred", "ben"), at=NINE_IN_NEW_YORK + DAY)
    second = delivery_env.sink.received[-1].id
    assert (await comes(delivery_env, report(about_id=second), NINE_IN_NEW_YORK + DAY + HOUR)).came == "bounced"
    assert (await delivery_env.person("ben")).standing == "bounced"


async def test_a_report_that_is_not_signed_counts_for_some_days_only(delivery_env: DeliveryEnv) -> None:
    await mailed(delivery_env)
    id_ = delivery_env.sink.received[-1].id
    assert (await comes(delivery_env, report(about_id=id_), NINE_IN_NEW_YORK + 11 * DAY)).came == "unmatched"
    assert (await comes(delivery_env, report(about_id=id_), NINE_IN_NEW_YORK + 9 * DAY)).came == "unsigned"


async def test_whoever_knows_the_keys_cannot_make_up_a_message_id(delivery_env: DeliveryEnv) -> None:
    """Cohorts, pairs and asks can be guessed, and so can the ids of messages: without the secret that is no help."""
    await mailed(delivery_env)
    [message] = await delivery_env.rows(MessageRow)
    guesses = [
        f"<{hashlib.sha256(message.id.encode()).hexdigest()[:40]}@example.org>",
        message_id(message.id, "example.org"),
        message_id(message.id, "example.org", "another secret of thirty-two characters"),
    ]
    for guess in guesses:
        assert (await comes(delivery_env, report(about_id=guess))).came == "unmatched"
    assert delivery_env.sink.received[-1].id == message_id(message.id, "example.org", SETTINGS.secrets[0])
    assert await delivery_env.relays() == []


async def test_a_report_that_tries_many_message_ids_is_none(delivery_env: DeliveryEnv) -> None:
    await mailed(delivery_env)
    id_ = delivery_env.sink.received[-1].id
    many = "\nMessage-ID: ".join([*(f"<{n}@example.org>" for n in range(804)), id_])
    assert (await comes(delivery_env, report(about_id=many))).came == "unmatched"


async def test_unsigned_reports_stop_counting_when_they_are_many(
    delivery_env: DeliveryEnv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounces, "UNSIGNED_A_DAY", 2)
    reports: list[bytes] = []
    for person in ("ada", "cleo", "dan"):
        await delivery_env.post(about("transferred", person), now=NINE_IN_NEW_YORK - 8 * HOUR)
        await delivery_env.deliver(NINE_IN_NEW_YORK)
        mail = delivery_env.sink.received[-1]
        reports.append(report(about_id=mail.id, who=mail.recipient))
    came = [(await comes(delivery_env, raw)).came for raw in reports]
    assert came == ["unsigned", "unsigned", "too_many"]
    assert (await comes(delivery_env, reports[2], NINE_IN_NEW_YORK + 2 * DAY)).came == "unsigned", "the day after"


async def test_what_belongs_to_nobody_or_is_no_report_harms_nobody(delivery_env: DeliveryEnv) -> None:
    back = await mailed(delivery_env)
    [message] = await delivery_env.rows(MessageRow)
    forged = back.replace(f"+{message.id}.", f"+{message.id}.x")
    strange = envelope_sender(BOUNCES, "a" * 24, SETTINGS.secrets[0])
    said = [
        await comes(delivery_env, raw)
        for raw in (report(forged), report(strange), report(), VACATION, HUMAN, b"", report(back, action="delayed"))
    ]
    assert [one.came for one in said] == [
        "unmatched", "unmatched", "unmatched", "auto_reply", "other", "other", "delayed",
    ]  # fmt: skip
    assert [one.for_a_human for one in said] == [True, True, True, False, True, True, False]
    # Refused for what we are: nothing that this person could change.
    assert (await comes(delivery_env, report(back, "5.7.1"))).came == "policy"
    assert (await delivery_env.person("ben")).standing == "active"
    assert await delivery_env.relays() == []
    assert not [row for row in await delivery_env.rows(MessageRow) if "@" in row.error]
