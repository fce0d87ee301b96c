"""MAIL, RCPT and DATA sent together (RFC 2920), to a relay that says exactly what a test wants it to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from activities.delivery.smtp import Kind, NotSent, Relay, SmtpTransport

MAIL = b"Subject: hello\r\n\r\nHello.\r\n"
YES = b"250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go on\r\n"


@dataclass
class Talk:
    """What a relay has heard. `answers` to the three commands: pieces that are sent one after the other."""

    answers: list[bytes] = field(default_factory=lambda: [YES])
    pipelining: bool = True
    """Waits for all three before it answers."""
    offers: bool | None = None
    """Whether it offers PIPELINING; None where `pipelining` says it."""
    ends: bool = False
    """Closes the connection after its answers."""
    connections: int = 0
    together: list[bytes] = field(default_factory=list)
    """What came in before anything was answered, of each mail."""
    bodies: list[bytes] = field(default_factory=list)
    others: list[bytes] = field(default_factory=list)
    """Commands after the first answers of a mail."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        writer.write(b"220 relay\r\n")
        await reader.readline()
        offers = self.pipelining if self.offers is None else self.offers
        writer.write(b"250-relay\r\n250-PIPELINING\r\n250 8BITMIME\r\n" if offers else b"250 relay\r\n")
        try:
            while first := await reader.readline():
                if not first.startswith(b"MAIL"):
                    self.others.append(first.strip())
                    writer.write(b"250 ok\r\n")
                    continue
                heard = first
                while self.pipelining and b"DATA\r\n" not in heard:
                    heard += await reader.readline()
                self.together.append(heard)
                for piece in self.answers:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.01)
                if self.ends:
                    break
                if b"354 " in b"".join(self.answers):
                    self.bodies.append(await reader.readuntil(b"\r\n.\r\n"))
                    writer.write(b"250 taken\r\n")
        except asyncio.IncompleteReadError as error:
            self.others.append(error.partial)
        finally:
            writer.close()


@asynccontextmanager
async def talking(talk: Talk, *, pipelining: bool = True) -> AsyncIterator[SmtpTransport]:
    """A transport with one connection to such a relay."""
    server = await asyncio.start_server(talk.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport = SmtpTransport(Relay("127.0.0.1", port, "none", connections=1, timeout=1, pipelining=pipelining))
    async with server:
        yield transport
        await transport.close()


async def trouble(transport: SmtpTransport) -> Kind | None:
    """What a mail runs into; None when it was accepted."""
    try:
        await transport.send("us@example.org", "ada@example.org", MAIL)
    except NotSent as refusal:
        return refusal.trouble.kind
    return None


async def test_the_relay_hears_all_three_before_it_has_answered_one() -> None:
    talk = Talk()
    async with talking(talk) as transport:
        assert [await trouble(transport) for _ in range(3)] == [None] * 3
    assert talk.together == [b"MAIL FROM:<us@example.org>\r\nRCPT TO:<ada@example.org>\r\nDATA\r\n"] * 3
    assert talk.bodies == [MAIL + b".\r\n"] * 3
    assert talk.connections == 1


async def test_a_relay_that_does_not_offer_it_hears_one_at_a_time() -> None:
    talk = Talk(pipelining=False, answers=[b"550 5.7.1 not you\r\n"])
    async with talking(talk) as transport:
        assert await trouble(transport) is Kind.CONFIGURATION
    assert talk.together == [b"MAIL FROM:<us@example.org>\r\n"]
    assert b"RCPT TO:<ada@example.org>" not in talk.others


async def test_it_can_be_switched_off() -> None:
    talk = Talk(pipelining=False, offers=True, answers=[b"550 5.7.1 not you\r\n"])
    async with talking(talk, pipelining=False) as transport:
        assert await trouble(transport) is Kind.CONFIGURATION
    assert talk.together == [b"MAIL FROM:<us@example.org>\r\n"]


@pytest.mark.parametrize(
    "answers",
    [
        [bytes((byte,)) for byte in YES],
        [b"250-2.1.0 first\r\n250 second\r\n250 ok\r\n35", b"4 go on\r\n"],
        [b"250 2.1.0 ok\n", b"250 ok\n354 go on\n"],
    ],
    ids=["by bytes", "in lines and halves", "without returns"],
)
async def test_answers_may_come_in_pieces(answers: list[bytes]) -> None:
    talk = Talk(answers)
    async with talking(talk) as transport:
        assert [await trouble(transport), await trouble(transport)] == [None, None]
    assert (len(talk.bodies), talk.connections) == (2, 1)


async def test_of_a_refusal_the_first_answer_counts_and_the_others_are_not_those_to_the_next_mail() -> None:
    talk = Talk([b"250 ok\r\n550 5.1.1 no such user\r\n", b"554 5.5.1 no valid recipients\r\n"])
    async with talking(talk) as transport:
        assert await trouble(transport) is Kind.PERMANENT
        talk.answers = [YES]
        assert await trouble(transport) is None
    assert talk.connections == 1
    assert talk.others[0] == b"RSET"


async def test_a_relay_that_wants_a_body_for_nobody_gets_none() -> None:
    talk = Talk([b"250 ok\r\n550 5.1.1 no such user\r\n354 go on\r\n"])
    async with talking(talk) as transport:
        assert await trouble(transport) is Kind.PERMANENT
        assert talk.bodies == []
        talk.answers = [YES]
        assert await trouble(transport) is None
    assert talk.connections == 2, "the first connection waits for a body"
    assert talk.others[0] == b"", "not a letter came after the refusal"


async def test_a_refusal_stays_one_whatever_the_relay_adds() -> None:
    talk = Talk([b"250 ok\r\n550 5.1.1 no such user\r\n554 no recipients\r\n250 and this\r\n"])
    async with talking(talk) as transport:
        assert await trouble(transport) is Kind.PERMANENT
        talk.answers = [YES]
        assert await trouble(transport) is None
    assert talk.connections == 2, "nobody knows what the first connection will say next"


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([b"250 ok\r\n250 ok\r\n", b"451 4.3.0 later\r\n"], Kind.TRANSIENT),
        ([b"451 4.3.0 later\r\n503 5.5.1 no sender\r\n503 5.5.1 no sender\r\n"], Kind.QUEUE),
        ([b"what?\r\n250 ok\r\n354 go on\r\n"], Kind.QUEUE),
        ([b"250 ok\r\n250 ok\r\n354 go on\r\n250 taken\r\n"], Kind.TRANSIENT),
        ([b"250-" + b"a" * 40_000], Kind.QUEUE),
        ([b"250 ok\r\n"], Kind.TRANSIENT),
    ],
    ids=["at DATA", "at MAIL", "no answer at all", "one too many", "without end", "silence"],
)
async def test_nothing_was_accepted_whatever_the_relay_says_before_the_body(answers: list[bytes], kind: Kind) -> None:
    talk = Talk(answers)
    async with talking(talk) as transport:
        assert await trouble(transport) is kind
        assert talk.bodies == []
        talk.answers = [YES]
        assert await trouble(transport) is None
    assert len(talk.bodies) == 1


async def test_a_connection_that_breaks_on_the_way_has_taken_nothing() -> None:
    talk = Talk([b"250 ok\r\n"], ends=True)
    async with talking(talk) as transport:
        assert await trouble(transport) is Kind.TRANSIENT
        talk.answers, talk.ends = [YES], False
        assert await trouble(transport) is None
        talk.answers, talk.ends = [b""], True
        assert await trouble(transport) is Kind.QUEUE, "a second connection said nothing either"
    assert len(talk.bodies) == 1


@pytest.mark.parametrize("pipelining", [True, False])
async def test_a_control_character_goes_nowhere(pipelining: bool) -> None:
    talk = Talk(pipelining=pipelining)
    async with talking(talk) as transport:
        with pytest.raises(NotSent) as refused:
            await transport.send("us@example.org", "ada\x00@example.org", MAIL)
        assert refused.value.trouble.kind is Kind.POLICY
    assert all(b"ada" not in heard for heard in (*talk.together, *talk.others))
