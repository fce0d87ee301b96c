"""What every response and every request goes through: headers, a limit of size, which hosts and pages may ask, one
line of log.

A token stands in the path, so no path and no query is ever logged. An error must never show or log what a person
typed: only its class is written down.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable
from ipaddress import ip_address
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from program.limits import BODY_BYTES, COOKIE_BYTES, FILE_BODY_BYTES
from program.text import CONTROLS, harmless
from web.rendering import Pages

log = structlog.get_logger(__name__)

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow, noarchive",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
}
FRAMING = HEADERS["content-security-policy"].replace("default-src 'none';", "default-src 'none'; frame-src 'self';")
"""The policy of a page that shows a mail in a frame."""
FRAMED_MAIL = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""The policy of a mail in a frame: its own styles and pictures, links in a new window. It runs no script, sends no
form, and loads nothing from outside."""
POLICY = b"content-security-policy"
CACHE = (b"cache-control", b"no-store")
"""Of a response that says nothing else about it."""
TRANSPORT = (b"strict-transport-security", b"max-age=31536000")
"""Where the pages are served by HTTPS."""


def _raw(**other: str) -> list[tuple[bytes, bytes]]:
    """The headers of every response, with these in their place."""
    named = HEADERS | {name.replace("_", "-"): value for name, value in other.items()}
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in named.items()]


OURS = _raw()
OURS_WITH = {
    FRAMING.encode("ascii"): _raw(content_security_policy=FRAMING),
    FRAMED_MAIL.encode("ascii"): _raw(content_security_policy=FRAMED_MAIL, x_frame_options="SAMEORIGIN"),
}
"""Made once: each response has them. Two policies of a response's own are kept."""
OUR_NAMES = frozenset({*(name for name, _ in OURS), TRANSPORT[0]})

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT"})
"""Methods that are logged by name (RFC 9110 section 9); a client can invent others of any length."""
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
LOCAL_NAME = re.compile(r"[a-z0-9_-]+")
DISCONNECTED = 499
"""The status that is logged where the client hung up before there was an answer, as nginx does."""


class TooLarge(Exception):
    """A body goes on beyond the limit."""


class Guard:
    """The outermost layer: no request reaches a page, and no response a person or a log, without passing here."""

    def __init__(self, app: ASGIApp, pages: Pages, public_url: str, hosts: Collection[str] = ()) -> None:
        self.app = app
        self.pages = pages
        self.secure = public_url.startswith("https://")
        self.origin = urlsplit(public_url).netloc
        self.hosts = Hosts((public_url, *hosts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, within the rules."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope = _with_harmless_query(scope)
        began = time.perf_counter()
        answered: list[int] = []
        ended: list[float] = []

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])
                message["headers"] = self._with_ours(message["headers"])
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                ended.append(time.perf_counter())  # what is done after the page is no part of it

        try:
            refusal = self._refusal(scope)
            if refusal is not None:
                await refusal(scope, receive, send_guarded)
            else:
                await self.app(scope, _limited(receive, body_limit(scope)), send_guarded)
        except TooLarge:
            if not answered:
                await self._too_large()(scope, receive, send_guarded)
        except ClientDisconnect:
            if not answered:
                answered.append(DISCONNECTED)
        except Exception as failure:
            log.error("page_failed", page=_name(scope), failure=type(failure).__name__)
            if not answered:
                await self.pages.failed()(scope, receive, send_guarded)
        milliseconds = round(((ended or [time.perf_counter()])[-1] - began) * 1000, 1)
        method = scope["method"] if scope["method"] in METHODS else "other"
        log.info("page", page=_name(scope), method=method, status=answered[0] if answered else 0, ms=milliseconds)

    def _with_ours(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The headers of a response with ours, which stand in the place of its own, if it has any."""
        own = [(name, value) for name, value in headers if name not in OUR_NAMES]
        policy = next((value for name, value in headers if name == POLICY), b"")
        ours = OURS_WITH.get(policy, OURS)
        cached = any(name == CACHE[0] for name, _ in own)
        return [*own, *ours, *(() if cached else (CACHE,)), *((TRANSPORT,) if self.secure else ())]

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if not self.hosts.know(headers.get("host", "")):
            log.warning("unknown_host", setting="MENTORSHIP_HOSTS")
            return self.pages.message(
                421,
                "This is not the address of these pages",
                "Open the link in your mail again. If you look after this installation: the log names the setting.",
            )
        if CONTROLS.search(scope["path"]):
            return self.pages.unknown()  # no id of ours holds any, and not every database can be asked for one
        if sum(len(cookies) for cookies in headers.getlist("cookie")) > COOKIE_BYTES:
            return self.pages.message(
                431,
                "Your browser sends too many cookies",
                "Delete the cookies of this site in your browser, and open the page again.",
            )
        if scope["method"] not in CHANGING:
            return None
        if not _is_utf8(headers.get("content-type", "")):
            return self.pages.message(
                415, "This form is in another encoding", "Open the page again, in another browser if you can."
            )
        length = headers.get("content-length", "")
        if length.isascii() and length.isdigit() and (len(length) > 15 or int(length) > body_limit(scope)):
            return self._too_large()
        # RFC 8058: the mailbox provider posts from anywhere.
        if not scope["path"].startswith("/stop/") and self._is_foreign(
            headers, signed_in=scope["path"].startswith("/c/")
        ):
            return self.pages.message(
                403,
                "This came from another page",
                "For your safety we take answers from our own pages only. Open the link in your mail and try again.",
            )
        return None

    def _is_foreign(self, headers: Headers, *, signed_in: bool) -> bool:
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return True
        origin = headers.get("origin", "")
        if origin in ("", "null"):
            # Browsers send `null` from pages with our referrer policy. A session makes a forged request worth
            # while, so there the browser must say that it came from our own page. A browser never posts without
            # an `Origin`: what has none carries nobody's cookie.
            return signed_in and origin == "null" and headers.get("sec-fetch-site") != "same-origin"
        return _netloc(origin) not in (self.origin, headers.get("host", ""))

    def _too_large(self) -> Response:
        return self.pages.message(413, "That was too much text", "Please go back, shorten it, and send it again.")


class Hosts:
    """The names under which a server may be asked.

    A page of another site can give its own name the address of this machine ("DNS rebinding"), and would then read
    what is here as its own. Such a name is one of the public DNS. So these are known: the given names and URLs,
    addresses written as numbers, and names without a dot, such as `localhost` or that of a container.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(name for written in names if (name := _host(_netloc(written) or written)))

    def know(self, host: str) -> bool:
        """Whether a request with this Host header may be answered. None at all comes from no browser."""
        if not host:
            return True
        name = _host(host)
        return name in self._names or bool(LOCAL_NAME.fullmatch(name)) or _is_address(name)


class HostGuard:
    """Refuses a request with a Host that `Hosts` does not know (421, RFC 9110 section 15.5.20)."""

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and not self.hosts.know(Headers(scope=scope).get("host", "")):
            await PlainTextResponse("This server has another name.\n", 421)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _is_utf8(content_type: str) -> bool:
    """Whether a body is sent as browsers send the forms of our pages. Others have the form's reader decode each field
    with a codec of their choice, of which some take quadratic time and some make half characters."""
    _, *charsets = content_type.lower().split("charset")
    return all(charset.strip(' \t="').startswith(("utf-8", "utf8")) for charset in charsets)


def _with_harmless_query(scope: Scope) -> Scope:
    """The request with a query whose names and values are harmless text, as that of a form is."""
    query = scope["query_string"].decode("latin-1")
    if not CONTROLS.search(unquote_plus(query)):
        return scope
    pairs = [(harmless(name), harmless(value)) for name, value in parse_qsl(query, keep_blank_values=True)]
    return {**scope, "query_string": urlencode(pairs).encode("ascii")}


def _host(netloc: str) -> str:
    """The host of `host:port`, in small letters and without brackets; empty where it is none."""
    try:
        split = urlsplit(f"//{netloc}")
        return (split.hostname or "").rstrip(".") if split.netloc == netloc and "@" not in netloc else ""
    except ValueError:
        return ""


def _netloc(url: str) -> str:
    """`host:port` of a URL; empty where it has none or is malformed, such as `http://[`."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


FILE_PAGE = re.compile(r"(/c/cohorts/[^/]+/file)$")


def body_limit(scope: Scope) -> int:
    """How many bytes the body of a request may have: more where a coordinator uploads a cohort's file."""
    return FILE_BODY_BYTES if FILE_PAGE.search(scope["path"]) else BODY_BYTES


def _limited(receive: Receive, at_most: int) -> Receive:
    taken = 0

    async def receive_limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > at_most:
            raise TooLarge
        return message

    return receive_limited


def _name(scope: Scope) -> str:
    return getattr(scope.get("endpoint"), "__name__", "none")
