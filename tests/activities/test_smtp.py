"""What SMTP errors mean, and connections that stay open (against a real server)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPConnectResponseError,
    SMTPConnectTimeoutError,
    SMTPDataError,
    SMTPHeloError,
    SMTPNotSupported,
    SMTPReadTimeoutError,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)

from activities.delivery.smtp import Kind, NotSent, Relay, SmtpTransport, Trouble, classify
from activities.delivery.verp import envelope_sender, message_of
from testing.servers.sink import ACCEPT, DROP, HANG, NO_HELLO, Sink, running

SECRET = "a secret of at least thirty-two characters"


def rcpt(code: int, text: str) -> SMTPRecipientsRefused:
    return SMTPRecipientsRefused([SMTPRecipientRefused(code, text, "ada@example.org")])


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        # No connection: nothing was sent, to nobody.
        (SMTPConnectError("refused"), "queue", ""),
        (SMTPConnectTimeoutError("timed out"), "queue", ""),
        (OSError("no such host"), "queue", ""),
        (SMTPConnectResponseError(421, "too busy"), "queue", "421"),
        (SMTPConnectResponseError(554, "no"), "configuration", "554"),
        (SMTPHeloError(501, "bad name"), "configuration", "501"),
        # Not let in.
        (SMTPAuthenticationError(535, "5.7.8 wrong"), "configuration", "535 5.7.8"),
        (SMTPAuthenticationError(454, "4.7.0 later"), "queue", "454 4.7.0"),
        (SMTPNotSupported("no STARTTLS"), "configuration", ""),
        (ssl.SSLCertVerificationError("self-signed"), "configuration", ""),
        # At the sender: it concerns every mail.
        (SMTPSenderRefused(421, "4.3.2 closing", "us@example.org"), "queue", "421 4.3.2"),
        (SMTPSenderRefused(451, "later", "us@example.org"), "queue", "451"),
        (SMTPSenderRefused(530, "5.7.0 authenticate", "us@example.org"), "configuration", "530 5.7.0"),
        (SMTPSenderRefused(552, "5.3.4 too big", "us@example.org"), "policy", "552 5.3.4"),
        # At the recipient.
        (rcpt(421, "4.7.0 closing"), "queue", "421 4.7.0"),
        (rcpt(450, "4.2.0 greylisted"), "transient", "450 4.2.0"),
        (rcpt(452, "4.2.2 full"), "transient", "452 4.2.2"),
        (rcpt(550, "5.1.1 no such user"), "permanent", "550 5.1.1"),
        (rcpt(550, "no such user"), "permanent", "550"),
        (rcpt(553, "not a mailbox"), "permanent", "553"),
        (rcpt(550, "5.4.4 no route"), "transient", "550 5.4.4"),
        (rcpt(550, "5.7.1 relaying denied"), "policy", "550 5.7.1"),
        (rcpt(550, "5.7.515 not authenticated"), "policy", "550 5.7.515"),
        (rcpt(530, "authenticate first"), "policy", "530"),
        (rcpt(501, "5.5.2 syntax"), "policy", "501 5.5.2"),
        (SMTPRecipientsRefused([]), "transient", ""),
        # After the message.
        (SMTPDataError(451, "4.3.0 later"), "transient", "451 4.3.0"),
        (SMTPDataError(421, "closing"), "queue", "421"),
        (SMTPDataError(552, "over quota"), "permanent", "552"),
        (SMTPDataError(554, "5.7.1 looks like spam"), "policy", "554 5.7.1"),
        (SMTPDataError(554, "looks like spam"), "policy", "554"),
        # The connection breaks before the message: not accepted.
        (SMTPServerDisconnected("gone"), "transient", ""),
        (SMTPReadTimeoutError("silence"), "transient", ""),
        (ValueError("a control character"), "policy", ""),
    ],
)
def test_what_an_error_means(error: Exception, kind: str, code: str) -> None:
    assert classify(error) == Trouble(Kind(kind), code)


@pytest.mark.parametrize(
    "error",
    [
        SMTPServerDisconnected("gone"),
        SMTPReadTimeoutError("silence"),
        ConnectionResetError(),
        SMTPResponseException(-1, "gibberish"),
    ],
)
def test_no_answer_to_the_whole_message_is_what_nobody_can_know(error: Exception) -> None:
    assert classify(error, body_sent=True).kind is Kind.AMBIGUOUS


def test_an_answer_to_the_whole_message_is_an_answer() -> None:
    assert classify(SMTPDataError(451, "4.3.0 later"), body_sent=True).kind is Kind.TRANSIENT


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("4.2.0 Greylisted, please try again in 5 minutes", timedelta(minutes=5)),
        ("try again in 300 seconds", timedelta(minutes=5)),
        ("Retry after 2 hours", timedelta(hours=2)),
        ("4.2.0 for ada@example.org, 17 minutes ago", None),
        ("later", None),
        # Only a duration that says when to come back; others are limits.
        ("4.7.1 too many messages in the last 24 hours, try again later", None),
        ("try again later: at most 100 messages per 1 hour", None),
        ("Greylisted for 300 seconds", timedelta(minutes=5)),
        ("4.2.0 wait another 10 minutes", timedelta(minutes=10)),
    ],
)
def test_what_the_relay_asks_us_to_wait(text: str, wait: timedelta | None) -> None:
    assert classify(rcpt(450, text)).wait == wait


def test_no_trouble_repeats_what_the_relay_said() -> None:
    error = NotSent(classify(rcpt(550, "5.1.1 <ada@example.org>: no such user")))
    assert "ada" not in f"{error!r} {error} {error.trouble!r}"


# -- over a real connection ----------------------------------------------------------------------------------------


@pytest.fixture(params=[True, False], ids=["together", "one by one"])
async def sink(request: pytest.FixtureRequest) -> AsyncIterator[Sink]:
    """Takes MAIL, RCPT and DATA together, or does not offer it."""
    async with running() as sink:
        sink.pipelining = request.param
        yield sink


@pytest.fixture
async def transport(sink: Sink) -> AsyncIterator[SmtpTransport]:
    transport = SmtpTransport(Relay("127.0.0.1", sink.port, "none", connections=2, timeout=5))
    yield transport
    await transport.close()


MAIL = b"Message-ID: <1@example.org>\r\nSubject: hello\r\n\r\n.a line that begins with a dot\r\n"


async def sent(transport: SmtpTransport, to: str = "ada@example.org") -> Trouble | None:
    """What came of sending a mail; None when it was accepted."""
    try:
        await transport.send("us@example.org", to, MAIL)
    except NotSent as refusal:
        return refusal.trouble
    return None


async def test_connections_stay_open_and_are_no_more_than_allowed(sink: Sink, transport: SmtpTransport) -> None:
    assert await asyncio.gather(*(sent(transport, f"p{nth}@example.org") for nth in range(20))) == [None] * 20
    assert len(sink.received) == 20
    assert sink.connections <= 2
    assert {one.raw for one in sink.received} == {MAIL}


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("rcpt 550 5.1.1 no such user", Kind.PERMANENT),
        ("rcpt 450 4.2.0 greylisted", Kind.TRANSIENT),
        ("data 451 4.3.0 later", Kind.TRANSIENT),
        ("data 552 5.2.2 full", Kind.PERMANENT),
    ],
)
async def test_after_a_refusal_the_connection_serves_the_next(
    sink: Sink, transport: SmtpTransport, step: str, kind: Kind
) -> None:
    sink.script("gone@example.org", step)
    trouble = await sent(transport, "gone@example.org")
    assert trouble is not None
    assert trouble.kind is kind
    assert await sent(transport) is None
    assert sink.connections == 1


@pytest.mark.parametrize("step", ["data 251 2.0.0 will forward", "data 252 2.0.0 cannot verify", "rcpt 252 2.1.5 ok"])
async def test_of_an_answer_the_first_digit_decides(sink: Sink, transport: SmtpTransport, step: str) -> None:
    sink.script("ada@example.org", step, ACCEPT)
    assert await sent(transport) is None
    assert [one.recipient for one in sink.received] == ["ada@example.org"]


async def test_an_answer_that_is_neither_yes_nor_no_leaves_the_mail_in_doubt(
    sink: Sink, transport: SmtpTransport
) -> None:
    sink.script("ada@example.org", "data 354 go on", ACCEPT)
    trouble = await sent(transport)
    assert trouble is not None
    assert trouble.kind is Kind.AMBIGUOUS


async def test_a_relay_that_closes_at_ehlo_stops_the_queue(sink: Sink, transport: SmtpTransport) -> None:
    sink.script("", NO_HELLO, NO_HELLO, ACCEPT)
    for _ in range(2):
        trouble = await sent(transport)
        assert trouble is not None
        assert trouble.kind is Kind.QUEUE
    assert await sent(transport) is None


@pytest.mark.parametrize("step", ["mail 421 4.3.2 closing", "mail 451 4.3.0 later"])
async def test_what_goes_wrong_before_a_recipient_is_named_stops_the_queue(
    sink: Sink, transport: SmtpTransport, step: str
) -> None:
    sink.script("", step)
    trouble = await sent(transport)
    assert trouble is not None
    assert trouble.kind is Kind.QUEUE


async def test_a_mail_is_stopped_right_before_its_body(sink: Sink, transport: SmtpTransport) -> None:
    asked: list[int] = []

    async def no() -> bool:
        asked.append(len(sink.received))
        return False

    async def yes() -> bool:
        asked.append(len(sink.received))
        return True

    with pytest.raises(NotSent) as stopped:
        await transport.send("us@example.org", "ada@example.org", MAIL, no)
    assert stopped.value.trouble.kind is Kind.STOPPED
    sink.script("gone@example.org", "rcpt 550 5.1.1 no such user")
    with pytest.raises(NotSent):
        await transport.send("us@example.org", "gone@example.org", MAIL, yes)
    assert asked == [0], "nobody is asked about a mail that the relay refuses"
    await transport.send("us@example.org", "ada@example.org", MAIL, yes)
    assert (asked, len(sink.received)) == ([0, 0], 1)


# -- international addresses (RFC 5891, 6531) ----------------------------------------------------------------------


async def test_a_domain_goes_over_the_wire_as_dns_has_it(sink: Sink, transport: SmtpTransport) -> None:
    assert await sent(transport, "ada@bücher.example.org") is None
    assert await sent(transport, "ada@straße.example.org") is None
    assert [one.recipient for one in sink.received] == [
        "ada@xn--bcher-kva.example.org", "ada@xn--strae-oqa.example.org",
    ]  # fmt: skip
    await transport.send("us@bücher.example.org", "ada@example.org", MAIL)
    assert sink.received[-1].sender == "us@xn--bcher-kva.example.org"


async def test_letters_before_the_at_go_only_to_a_relay_that_takes_them(sink: Sink, transport: SmtpTransport) -> None:
    trouble = await sent(transport, "ü@example.org")
    assert trouble == Trouble(Kind.POLICY, "smtputf8")
    await transport.close()
    sink.utf8 = True
    assert await sent(transport, "ü@example.org") is None
    assert [one.recipient for one in sink.received] == ["ü@example.org"]


async def test_after_a_421_we_begin_anew(sink: Sink, transport: SmtpTransport) -> None:
    sink.script("", "rcpt 421 4.3.2 closing", ACCEPT)
    trouble = await sent(transport)
    assert trouble is not None
    assert trouble.kind is Kind.QUEUE
    assert await sent(transport) is None


@pytest.mark.parametrize("step", [DROP, HANG])
async def test_whether_the_relay_took_it_nobody_can_know(sink: Sink, step: str) -> None:
    transport = SmtpTransport(Relay("127.0.0.1", sink.port, "none", timeout=0.3))
    sink.script("", step, ACCEPT)
    trouble = await sent(transport)
    assert trouble is not None
    assert trouble.kind is Kind.AMBIGUOUS
    assert await sent(transport) is None
    assert [one.said for one in sink.received] == [False, True]
    await transport.close()


async def test_a_connection_that_the_relay_closed_while_idle_is_made_again(
    sink: Sink, transport: SmtpTransport
) -> None:
    assert await asyncio.gather(sent(transport), sent(transport)) == [None, None]
    await sink.stop()
    await sink.start()
    assert await sent(transport) is None
    assert len(sink.received) == 3


async def test_a_421_on_a_kept_connection_says_nothing_about_the_relay(sink: Sink, transport: SmtpTransport) -> None:
    assert await sent(transport) is None
    sink.script("", "mail 421 4.4.2 idle for too long", ACCEPT)
    assert await sent(transport) is None
    sink.script("", "mail 421 4.3.2 closing")
    trouble = await sent(transport)
    assert trouble is not None
    assert trouble.kind is Kind.QUEUE


async def test_a_relay_that_is_gone_stops_the_queue(sink: Sink, transport: SmtpTransport) -> None:
    await sink.stop()
    trouble = await sent(transport)
    await sink.start()
    assert trouble is not None
    assert trouble.kind is Kind.QUEUE


async def test_a_relay_that_does_not_speak_tls_is_never_spoken_to_in_the_clear(sink: Sink) -> None:
    transport = SmtpTransport(Relay("127.0.0.1", sink.port, "tls", timeout=5))
    trouble = await sent(transport)
    assert trouble is not None
    assert trouble.kind is Kind.CONFIGURATION
    assert sink.received == []


@pytest.mark.parametrize("host", ["mail.example.org", "192.0.2.1", "localhost.example.org"])
def test_an_open_connection_over_a_network_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="starttls or tls"):
        Relay(host, 25, "none")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.1.1", "::1"])
def test_an_open_connection_on_this_machine_is_fine(host: str) -> None:
    assert Relay(host, 25, "none").loopback


async def test_cancelled_half_way_the_connection_is_not_used_again(sink: Sink, transport: SmtpTransport) -> None:
    sink.script("slow@example.org", HANG)
    task = asyncio.create_task(sent(transport, "slow@example.org"))
    while not sink.received:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await sent(transport) is None
    assert sink.connections == 2


# -- the envelope sender -------------------------------------------------------------------------------------------


def test_the_envelope_sender_says_which_mail_bounced_and_cannot_be_made_up() -> None:
    sender = envelope_sender("bounces@example.org", "abcdefghijklmnopqrstuvwx", SECRET)
    local = sender.rpartition("@")[0]
    assert len(local) <= 64
    assert message_of(sender, (SECRET,)) == "abcdefghijklmnopqrstuvwx"
    assert message_of(sender.upper(), ("a newer secret of thirty-two characters", SECRET)) == local[8:32]
    assert message_of(sender, ("another secret of thirty-two characters",)) is None
    assert message_of(sender.replace("abc", "abd"), (SECRET,)) is None
    assert message_of("bounces@example.org", (SECRET,)) is None


def test_a_bounce_address_that_is_too_long_is_said() -> None:
    with pytest.raises(ValueError, match="shorter"):
        envelope_sender("b" * 30 + "@example.org", "a" * 24, SECRET)
