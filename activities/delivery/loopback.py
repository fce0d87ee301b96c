"""Whether a host name means this machine, over which nothing needs to be encrypted."""

from __future__ import annotations

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """True for `localhost` and for addresses of the loopback interface; asks no name server."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
