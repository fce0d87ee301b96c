"""The pages by which somebody signs in: a mailed link or its code, or a printed link.

GET changes nothing, because mail programs open every link: the button of a link's page is a POST. What these pages
say is the same for an address that is known and one that is not.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode, urlsplit

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from operations.accounts.sign_in import Limited, SignedIn
from program.limits import EMAIL_CHARACTERS
from web.coordinator.signing_in.browsers import browser_of
from web.coordinator.signing_in.cookies import (
    asked_cookie,
    drop_session,
    is_on_loopback,
    is_secure,
    session_cookie,
    set_asked,
    set_session,
)
from web.coordinator.signing_in.sign_in_mail import send
from web.coordinator.visit import Visit
from web.rate_limits import client_of

START = "/c/"
"""Where a sign-in leads that came from nowhere."""


def sign_in_path(visit: Visit, back: str) -> str:
    """The sign-in page, as the browser sees its path; it leads back to a page of ours."""
    query = f"?{urlencode({'next': back})}" if back != START else ""
    return f"{visit.root}/c/sign-in{query}"


async def form(request: Request, visit: Visit) -> Response:
    """GET: the field for an address."""
    return _form(visit, safe(request.query_params.get("next", "")))


async def ask(request: Request, visit: Visit) -> Response:
    """POST: a mail is asked for. The answer does not wait for the mail, so its time tells nothing."""
    typed = await visit.typed(request)
    address, back = _one(typed, "address").strip(), safe(_one(typed, "next"))
    if not _cookies_work(visit):
        return visit.message("no_tls", 403)
    if "@" not in address or len(address) > EMAIL_CHARACTERS:
        return _form(visit, back, fault=True, address=address[:EMAIL_CHARACTERS], status=400)
    sender = client_of(request.scope, visit.settings.proxies)
    try:
        asked = await visit.site.sign_in.ask(address, sender, visit.site.real_now())
    except Limited:
        return visit.message("too_many_mails", 429)
    mailing = BackgroundTask(send, visit.site, address, asked.mailing) if asked.mailing else None
    response = RedirectResponse(f"{visit.root}/c/sign-in/code", 303, background=mailing)
    set_asked(response, visit.settings, asked.browser, back)
    return response


async def code_form(request: Request, visit: Visit) -> Response:
    """GET: the mail is on its way; the field for its code."""
    marked, _ = asked_cookie(request, visit.settings)
    if not marked:
        return visit.to("/c/sign-in")
    return visit.page("code.html", fault="")


async def use_code(request: Request, visit: Visit) -> Response:
    """POST: the code of the mail."""
    marked, back = asked_cookie(request, visit.settings)
    code = _one(await visit.typed(request), "code")
    outcome = await visit.site.sign_in.by_code(code, marked, visit.site.real_now(), browser_of(request))
    if isinstance(outcome, SignedIn):
        return await signed_in(request, visit, outcome, back)
    if outcome == "wrong_code":
        return visit.page("code.html", 403, fault=outcome)
    return visit.message(f"sign_in_{outcome}", 403)


async def link(request: Request, visit: Visit) -> Response:
    """GET: the button that signs in."""
    marked, _ = asked_cookie(request, visit.settings)
    token = request.path_params["token"]
    why = await visit.site.sign_in.check_link(token, marked, visit.site.real_now())
    if why is not None:
        return visit.message(f"sign_in_{why}", 403)
    return visit.page("link.html", token=token)


async def use_link(request: Request, visit: Visit) -> Response:
    """POST: sign in by the link."""
    if not _cookies_work(visit):
        return visit.message("no_tls", 403)
    marked, back = asked_cookie(request, visit.settings)
    token, now = request.path_params["token"], visit.site.real_now()
    outcome = await visit.site.sign_in.by_link(token, marked, now, browser_of(request))
    if isinstance(outcome, SignedIn):
        return await signed_in(request, visit, outcome, back)
    return visit.message(f"sign_in_{outcome}", 403)


def safe(path: str) -> str:
    """A page of ours to go on to, without its query; the first page for anything else."""
    parts = urlsplit(path) if path.startswith("/c/") and path.isprintable() and "\\" not in path else None
    if parts is None or parts.scheme or parts.netloc or "//" in parts.path or parts.path.startswith("/c/sign-"):
        return START
    return quote(parts.path, safe="/%")


async def signed_in(request: Request, visit: Visit, begun: SignedIn, back: str) -> Response:
    """On to the page that was wanted, with the cookie of the session. The session before, if any, ends."""
    await visit.as_account(begun.account).record("sign in", result="done")
    visit.noted.append("sign in")
    before = visit.signed_in
    if before is not None:
        await visit.site.sign_in.end(before, before.session)
    response = RedirectResponse(f"{visit.root}{safe(back)}", 303)
    set_session(response, visit.settings, begun.cookie)
    return response


async def sign_out(request: Request, visit: Visit) -> Response:
    """POST: the session ends, here and on the server."""
    if visit.signed_in is not None and session_cookie(request, visit.settings):
        await visit.site.sign_in.end(visit.signed_in, visit.signed_in.session)
    response = RedirectResponse(f"{visit.root}/c/sign-in", 303)
    drop_session(response, visit.settings)
    return response


def _form(visit: Visit, back: str, *, fault: bool = False, address: str = "", status: int = 200) -> Response:
    openid = f"{visit.root}/c/sign-in/openid?{urlencode({'next': back})}" if visit.settings.oidc_issuer else ""
    return visit.page(
        "sign_in.html",
        status,
        back=back,
        fault=fault,
        address=address,
        openid=openid,
        by_header=bool(visit.settings.sign_in_header),
    )


def _cookies_work(visit: Visit) -> bool:
    """A browser keeps no secure cookie from pages without TLS, but on loopback."""
    url = visit.settings.public_url
    return url.startswith("https://") or is_on_loopback(url) or not is_secure(visit.settings)


def _one(typed: dict[str, list[str]], name: str) -> str:
    return (typed.get(name) or [""])[0]
