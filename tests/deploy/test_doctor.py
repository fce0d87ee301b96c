"""`mentorship doctor` on what a real installation has: a relay with TLS and a password, DNS, what has piled up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dns.flags
import dns.message
import dns.rrset
import pytest
from dns.asyncresolver import Resolver
from sqlalchemy import update

from operations.health.backlog import examine_backlog
from operations.health.doctor import _clock
from operations.health.sender_domain import examine_domain, reserved
from store.database import Database
from store.reports.metrics import Totals, count_all
from store.tables import ItemRow, MentorshipRow
from testing.environments.cli_env import mentorship
from testing.servers.dev_server import free_port
from tests.cli.conftest import settle
from tests.deploy.conftest import TlsRelay
from tests.deploy.test_rules import LATE, NOW, _untold, healthy

FROM = "mentoring@mentoring.house"
WELL = {
    "mentoring.house": ["v=spf1 include:relay.house -all", "something else"],
    "k1._domainkey.mentoring.house": ["v=DKIM1; k=rsa; p=MIIBIjANBg"],
    "_dmarc.mentoring.house": ["v=DMARC1; p=quarantine; rua=mailto:d@mentoring.house"],
}
"""What the name servers of a domain say that is in order."""


class _NameServer(asyncio.DatagramProtocol):
    """Answers what stands in a zone, over UDP. To a name with `None` it never answers."""

    def __init__(self, zone: Mapping[str, list[str] | None]) -> None:
        self.zone = zone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        question = dns.message.from_wire(data)
        name = question.question[0].name.to_text(omit_final_dot=True)
        if name in self.zone and self.zone[name] is None:
            return
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        texts = self.zone.get(name) or []
        if texts:
            quoted = [" ".join(f'"{text[i : i + 200]}"' for i in range(0, len(text), 200)) for text in texts]
            answer.answer.append(dns.rrset.from_text(question.question[0].name, 60, "IN", "TXT", *quoted))
        self.transport.sendto(answer.to_wire(), addr)  # pyright: ignore[reportAttributeAccessIssue]


@asynccontextmanager
async def name_server(zone: Mapping[str, list[str] | None]) -> AsyncIterator[Resolver]:
    """A resolver that asks a name server of ours, and no other."""
    port = free_port()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _NameServer(zone), local_addr=("127.0.0.1", port)
    )
    resolver = Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], port
    try:
        yield resolver
    finally:
        transport.close()


@pytest.mark.parametrize(
    ("changes", "selectors", "envelope", "what", "state", "says"),
    [
        ({}, ["k1"], "", "SPF", "good", "mentoring.house says who may send"),
        ({}, ["k1"], "", "DKIM", "good", "the key of k1"),
        ({}, ["k1"], "", "DMARC", "good", "asks for quarantine"),
        ({"mentoring.house": []}, ["k1"], "", "SPF", "warning", "names nobody"),
        ({"mentoring.house": ["v=spf1 +all"]}, ["k1"], "", "SPF", "fault", "lets everybody send"),
        ({"mentoring.house": ["v=spf1 -all", "V=SPF1 ~all"]}, ["k1"], "", "SPF", "fault", "2 SPF records"),
        ({"mentoring.house": ["v=spf10 -all"]}, ["k1"], "", "SPF", "warning", "names nobody"),
        ({}, [], "", "DKIM", "warning", "without the name of the key"),
        ({}, ["k2"], "", "DKIM", "fault", "no key at k2._domainkey.mentoring.house"),
        ({}, ["k1", "k2"], "", "DKIM", "fault", "no key at k2"),
        ({"k1._domainkey.mentoring.house": ["v=DKIM1; p="]}, ["k1"], "", "DKIM", "fault", "was taken back"),
        ({"_dmarc.mentoring.house": []}, ["k1"], "", "DMARC", "warning", "does not say"),
        ({"_dmarc.mentoring.house": ["v=DMARC1; p=none"]}, ["k1"], "", "DMARC", "good", "it only watches"),
        ({"_dmarc.mentoring.house": ["v=DMARC1;p=none", "v=DMARC1;p=reject"]}, ["k1"], "", "DMARC", "fault", "has 2"),
        (
            {"bounces.mentoring.house": ["v=spf1 -all"]},
            ["k1"],
            "b@bounces.mentoring.house",
            "SPF",
            "good",
            "bounces.",
        ),
    ],
)
async def test_what_the_world_finds_when_it_looks_up_the_sender(
    changes: dict[str, list[str] | None], selectors: list[str], envelope: str, what: str, state: str, says: str
) -> None:
    async with name_server(WELL | changes) as resolver:
        [finding] = [
            one for one in await examine_domain(FROM, envelope, selectors, resolver) if one.what == what
        ]  # fmt: skip
    assert finding.state == state
    assert says in finding.says
    assert bool(finding.remedy) == (state != "good")


async def test_a_domain_above_speaks_for_those_below_it() -> None:
    zone = WELL | {"_dmarc.mentoring.house": ["v=DMARC1; p=none; sp=reject"]}
    async with name_server(zone) as resolver:
        found = await examine_domain("a@mail.mentoring.house", "b@elsewhere.house", ["k1"], resolver)
    said = {(one.what, one.state) for one in found}
    assert ("DMARC", "good") in said
    assert any("mentoring.house asks for reject" in one.says for one in found)
    assert any("SPF speaks for the second only" in one.says for one in found)


async def test_dns_that_cannot_be_asked_is_said_and_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operations.health.sender_domain.ANSWERS_WITHIN", 0.2)
    async with name_server(dict.fromkeys(WELL)) as resolver:
        found = await examine_domain(FROM, "", ["k1"], resolver)
    assert {(one.what, one.state) for one in found} == {("SPF", "warning"), ("DKIM", "warning"), ("DMARC", "warning")}
    assert all("could not be asked" in one.says and "dig +short TXT" in one.remedy for one in found)


def test_names_that_belong_to_nobody_are_not_looked_up() -> None:
    assert reserved("example.org")
    assert reserved("engine.example.org")
    assert reserved("localhost.localdomain")
    assert not reserved("myexample.org")


@pytest.mark.parametrize(("password", "state"), [("a password", "good"), ("a guess of mine", "fault")])
async def test_a_relay_is_asked_to_let_us_in(
    password: str, state: str, tls_relay: TlsRelay, secrets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch, tmp_path)
    for name, value in {
        "HOST": "localhost", "PORT": str(tls_relay.port), "SECURITY": "starttls", "USER": tls_relay.user,
        "PASSWORD": password, "CA_FILE": str(secrets / "mail_certificate"),
    }.items():  # fmt: skip
        monkeypatch.setenv(f"MENTORSHIP_SMTP_{name}", value)
    said = await asyncio.to_thread(mentorship, "doctor", "--json")
    [finding] = [one for one in said.json if one["what"] == "mail relay"]
    assert finding["state"] == state
    assert ("over TLS, and knows us as engine" in finding["says"]) == (state == "good")
    assert password not in said.out
    assert tls_relay.received == 0, "it mails nobody"


async def test_what_has_piled_up_is_told_of(database: Database) -> None:
    def told(totals: Totals) -> dict[str, tuple[str, str]]:
        return {one.what: (one.state, one.says) for one in examine_backlog(totals, NOW)}

    async def totals() -> Totals:
        async with database.session() as session:
            return await count_all(session, NOW)

    await healthy(database)
    calm = told(await totals())
    assert {state for state, _ in calm.values()} == {"good"}
    assert calm["deliveries"][1] == "1 items wait for their time, 0 are due, 0 are held"
    assert calm["mentorships"][1] == "2 run, 0 of them paused; 0 are over"
    async with database.begin() as session:
        await session.execute(update(ItemRow).values(deliver_at=LATE))
        await session.execute(update(MentorshipRow).values(next_at=LATE))
        await _untold(session)
    late = told(await totals())
    assert {state for state, _ in late.values()} == {"fault"}
    assert "the oldest is 24 hours late; 1 items wait for their time, 1 are due" in late["deliveries"][1]
    assert "1 are kept that their mentorships have not been told of, the oldest for 24 hours" in late["answers"][1]
    assert "in 2 something should have happened, in one of them 24 hours ago" in late["mentorships"][1]
    async with database.begin() as session:
        await session.execute(update(MentorshipRow).values(state="planned"))
    assert told(await totals())["mentorships"][0] == "warning"


def test_clocks_that_disagree_are_found() -> None:
    now = datetime.now(UTC)
    assert _clock("the database", now - timedelta(seconds=3)) == []
    assert _clock("the database", None) == []
    [finding] = _clock("the database", now - timedelta(minutes=2))
    assert (finding.what, finding.state) == ("clock", "fault")
    assert "this machine and the database are 120 seconds apart" in finding.says
