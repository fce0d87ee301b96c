"""Signing in by a header that a proxy of the organisation sets: it counts only from the networks that the settings
name, and a session that began by it ends as soon as the header names somebody else, or is gone."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from starlette.requests import Request
from starlette.responses import Response

from operations.accounts.sign_in import SignIn
from runtime.settings import Settings
from web.coordinator.signing_in.browsers import browser_of
from web.coordinator.signing_in.sign_in import safe, signed_in
from web.coordinator.visit import Visit


def address_in(request: Request, settings: Settings) -> str:
    """The address that a trusted proxy vouches for; empty where there is none."""
    if not settings.sign_in_header or request.client is None:
        return ""
    try:
        peer = ip_address(request.client.host)
    except ValueError:
        return ""
    if not any(peer in ip_network(network) for network in settings.trusted_networks):
        return ""
    return request.headers.get(settings.sign_in_header, "").strip()


def still_vouched(request: Request, settings: Settings, sign_in: SignIn, mark: str) -> bool:
    """Whether the header still names the one whose session began by it."""
    address = address_in(request, settings)
    return bool(address) and sign_in.rules.mark(address) == mark


async def begin(request: Request, visit: Visit) -> Response:
    """POST: sign in as the one whom the proxy names."""
    address = address_in(request, visit.settings)
    if not address:
        return visit.message("no_header", 403)
    async with visit.database.session() as session:
        account = await visit.site.sign_in.rules.by_address(session, address)
    if account is None:
        return visit.message("openid_failed", 403)
    mark, now = visit.site.sign_in.rules.mark(address), visit.site.real_now()
    begun = await visit.site.sign_in.vouched(account, mark, "proxy_header", now, browser_of(request))
    back = ((await visit.typed(request)).get("next") or [""])[0]
    return await signed_in(request, visit, begun, safe(back))
