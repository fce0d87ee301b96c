"""How much one address, and one link, may ask of the pages: a bucket each that empties with every request and fills
up with time.

Per process and in memory, so several processes allow as many times more, and a restart forgets. Must never keep a
link in the clear, grow without bound, or take one proxy for all the people behind it.
"""

from __future__ import annotations

import math
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from ipaddress import ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from runtime.links import Links
from web.rendering import Pages

MOST_REMEMBERED = 10_000
"""Buckets of one kind: some 2 MB. Beyond it the one that was used least recently is forgotten, and is full again."""
LINK = re.compile(r"/(f|stop|me|address|application)/([^/]+)")
"""A link of ours in a path: its kind, and its token."""
UNKNOWN = "unknown"
"""All clients whose address our own proxy could not tell."""
NETWORKS_KNOWN = 2_000
"""Addresses whose network is remembered."""
NETWORK_OF_ONE = 64
"""Bits of an IPv6 address that belong to one household or machine; it can choose the rest for each request."""


class Buckets:
    """One bucket for each key: `a_minute` requests at once, and as many again within each minute."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.a_minute = a_minute
        self._clock = clock
        self._filled: OrderedDict[bytes, tuple[float, float]] = OrderedDict()
        self._salt = secrets.token_bytes(16)

    def take(self, key: str) -> int:
        """Take one request from a bucket. 0, or the seconds after which there is one again."""
        if not self.a_minute:
            return 0
        now, each = self._clock(), self.a_minute / 60
        hashed = blake2b(key.encode("utf-8", "replace"), digest_size=16, key=self._salt).digest()
        left, at = self._filled.pop(hashed, (float(self.a_minute), now))
        left = min(left + (now - at) * each, self.a_minute)
        missing = max(1 - left, 0)
        self._filled[hashed] = (left if missing else left - 1, now)
        if len(self._filled) > MOST_REMEMBERED:
            self._filled.popitem(last=False)
        return math.ceil(missing / each)

    def __len__(self) -> int:
        return len(self._filled)


class Limits:
    """Lets a request through, or says when to come again (429, RFC 6585)."""

    def __init__(
        self, app: ASGIApp, pages: Pages, links: Links, proxies: int, by_address: Buckets, by_link: Buckets
    ) -> None:
        self.app = app
        self.pages = pages
        self.links = links
        self.proxies = proxies
        self.by_address = by_address
        self.by_link = by_link

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a request."""
        wait = self._wait(scope) if scope["type"] == "http" else 0
        if not wait:
            await self.app(scope, receive, send)
            return
        page = self.pages.message(
            429,
            "That was a lot at once",
            f"Please wait {wait} second{'s' if wait > 1 else ''} and open the link in your mail again. If you were "
            "sending a form: go back with your browser's Back button, your answers should still be there, and send "
            "it again.",
        )
        page.headers["retry-after"] = str(wait)
        await page(scope, receive, send)

    def _wait(self, scope: Scope) -> int:
        address = client_of(scope, self.proxies)
        if address and (wait := self.by_address.take(address)):
            return wait
        # By what the link means, for a token may be spelled in several ways; a guess has the limit by address.
        meaning = self.links.meaning(*link_in(scope["path"]))
        return self.by_link.take(meaning) if meaning else 0


def client_of(scope: Scope, proxies: int) -> str:
    """Who asks: an address, or the network of an IPv6 address; empty where that can't be told.

    With so many proxies of ours in front, the last so many entries of X-Forwarded-For are theirs and true; whatever
    stands before them anybody may have written. Without, the peer counts, unless it is no address of the Internet:
    that is a proxy which nobody told us of, and all people would share its bucket.
    """
    written = [
        entry for entry in ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",") if entry.strip()
    ]
    if len(written) >= proxies > 0:
        # Our proxy wrote it. What is no address there, such as `unknown`, is one client as far as anybody can tell.
        return _network(_without_port(written[-proxies])) or UNKNOWN
    peer = scope.get("client")
    return _global_network(peer[0]) if peer else ""


def link_in(path: str) -> tuple[str, str]:
    """(kind, token) of the link in a path; empty where there is none. Kinds are the first parts of our paths."""
    # The first one counts: what stands behind a token is the rest of the path, whatever it is called.
    link = LINK.search(path)
    return (link[1], link[2]) if link else ("", "")


def _without_port(entry: str) -> str:
    """The address of an entry such as `192.0.2.1:4711`, `[2001:db8::1]:4711` or `"[2001:db8::1]"` (RFC 7239)."""
    entry = entry.strip().strip('"')
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry


@lru_cache(maxsize=NETWORKS_KNOWN)
def _network(written: str) -> str:
    """The network of an address, found once for each; empty where it is no address."""
    try:
        address = ip_address(written.partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        address = mapped
    bits = NETWORK_OF_ONE if address.version == 6 else 32
    return str(ip_network((address, bits), strict=False))


@lru_cache(maxsize=NETWORKS_KNOWN)
def _global_network(written: str) -> str:
    """The network of an address of the Internet; empty for any other."""
    network = _network(written)
    return network if network and ip_network(network).is_global else ""
