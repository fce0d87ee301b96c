"""What the world's mail servers find when they look up our sender: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489).

A mail that fails them lands in the junk folder without anybody telling us. A name server that can't be asked is no
fault of the domain: that is said, and nothing else. Must never raise for what DNS answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence

from dns.asyncresolver import Resolver
from dns.exception import DNSException
from dns.rdtypes.ANY.TXT import TXT
from dns.resolver import NXDOMAIN, NoAnswer, NoNameservers, NoResolverConfiguration

from operations.health.findings import Finding

ANSWERS_WITHIN = 5.0
"""Real seconds that DNS has for one question."""
RESERVED = (
    "example",
    "example.com",
    "example.net",
    "example.org",
    "invalid",
    "test",
    "local",
    "localdomain",
    "localhost",
)
"""Names that belong to nobody (RFC 2606, RFC 6762)."""


class NotAsked(Exception):
    """No name server could be asked."""


def reserved(domain: str) -> bool:
    """Whether this domain can belong to nobody."""
    return any(domain == name or domain.endswith(f".{name}") for name in RESERVED)


async def examine_domain(
    sender: str, envelope: str, selectors: Sequence[str], resolver: Resolver | None = None
) -> list[Finding]:
    """Look up the domain of the sender, and of the address in the envelope where that is another.

    `selectors` are the names under which the relay's DKIM keys stand. Without a `resolver` this machine's is asked.
    """
    domain, envelope_domain = _domain(sender), _domain(envelope or sender)
    try:
        resolver = resolver or Resolver()
    except NoResolverConfiguration:
        return [_not_asked("SPF, DKIM, DMARC", domain)]
    resolver.lifetime = ANSWERS_WITHIN
    found = list(
        await asyncio.gather(
            _look(_spf(resolver, envelope_domain), "SPF", envelope_domain),
            _look(_dkim(resolver, domain, selectors), "DKIM", f"<selector>._domainkey.{domain}"),
            _look(_dmarc(resolver, domain), "DMARC", f"_dmarc.{domain}"),
        )
    )
    if not _aligned(domain, envelope_domain):
        says = f"mails say they are from {domain}, and come back to {envelope_domain}: SPF speaks for the second only"
        remedy = f"Take an address of {domain} for MENTORSHIP_BOUNCE_ADDRESS, or rely on DKIM."
        found.append(Finding("SPF", "warning", says, remedy))
    return found


async def _look(question: Awaitable[Finding], what: str, name: str) -> Finding:
    try:
        return await question
    except NotAsked:
        return _not_asked(what, name)


def _not_asked(what: str, name: str) -> Finding:
    remedy = f"Look from a machine that reaches DNS: dig +short TXT {name}"
    return Finding(what, "warning", "could not be asked: no name server answers", remedy)


async def _texts(resolver: Resolver, name: str, begins: str = "") -> list[str]:
    """The TXT records of a name that begin so, in any case. Raises NotAsked."""
    try:
        answer = await resolver.resolve(name, "TXT")
    except (NXDOMAIN, NoAnswer):
        return []
    except (NoNameservers, DNSException, OSError) as error:
        raise NotAsked(name) from error
    records = [b"".join(record.strings).decode(errors="replace") for record in answer if isinstance(record, TXT)]
    return [record for record in records if record.lower().startswith(begins.lower())]


async def _spf(resolver: Resolver, domain: str) -> Finding:
    records = [one for one in await _texts(resolver, domain, "v=spf1") if one[6:7] in ("", " ")]
    if not records:
        remedy = f'Publish a TXT record at {domain} that names your relay: "v=spf1 include:<your relay> -all"'
        return Finding("SPF", "warning", f"{domain} names nobody who may send for it", remedy)
    if len(records) > 1:
        says = f"{domain} has {len(records)} SPF records; with more than one, none counts"
        return Finding("SPF", "fault", says, "Join them to one.")
    words = records[0].lower().split()
    if "+all" in words or "all" in words:
        says = f"{domain} lets everybody send for it"
        return Finding("SPF", "fault", says, "End the record with -all or ~all instead.")
    return Finding("SPF", "good", f"{domain} says who may send for it")


async def _dkim(resolver: Resolver, domain: str, selectors: Sequence[str]) -> Finding:
    if not selectors:
        says = "can't be looked up without the name of the key with which your relay signs"
        remedy = "Set MENTORSHIP_DKIM_SELECTOR to it: the word after s= in the DKIM-Signature of a mail that it sent."
        return Finding("DKIM", "warning", says, remedy)
    for selector in selectors:
        name = f"{selector}._domainkey.{domain}"
        keys = [_tags(record).get("p") for record in await _texts(resolver, name)]
        if not any(key is not None for key in keys):
            says = f"there is no key at {name}"
            return Finding(
                "DKIM", "fault", says, "Publish the key that your relay shows you, or correct the selector."
            )
        if not any(keys):
            says = f"the key at {name} was taken back"
            return Finding("DKIM", "fault", says, "Let the relay sign with a key that is in force.")
    return Finding("DKIM", "good", f"{domain} has the key of {', '.join(selectors)}")


async def _dmarc(resolver: Resolver, domain: str) -> Finding:
    labels = domain.split(".")
    # The domain itself, or the one above it that speaks for it.
    for start in range(max(len(labels) - 1, 1)):
        at = ".".join(labels[start:])
        records = await _texts(resolver, f"_dmarc.{at}", "v=DMARC1")
        if len(records) > 1:
            says = f"{at} has {len(records)} DMARC records; with more than one, none counts"
            return Finding("DMARC", "fault", says, "Leave one of them.")
        if records:
            tags = _tags(records[0])
            policy = tags.get("sp" if start and "sp" in tags else "p", "none").lower()
            watched = " (it only watches)" if policy == "none" else ""
            return Finding("DMARC", "good", f"{at} asks for {policy}{watched}")
    remedy = f'Publish a TXT record at _dmarc.{domain}, to begin with: "v=DMARC1; p=none; rua=mailto:<you>"'
    return Finding("DMARC", "warning", f"{domain} does not say what to do with mail that fails", remedy)


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";") if "=" in part)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _domain(address: str) -> str:
    return address.rpartition("@")[2].strip().lower().rstrip(".")


def _aligned(one: str, other: str) -> bool:
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
