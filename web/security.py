"""What every response and every request goes through: headers, a limit of size, who may post, one line of log.

A token stands in the path, so no path and no query is ever logged. Must never let an error show or log what a person
typed: only its class is written down.
"""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.rendering import Pages

log = structlog.get_logger(__name__)

LARGEST_BODY = 512 * 1024
"""Bytes of a POST: a form filled to its limits is a tenth of it."""

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


class TooLarge(Exception):
    """A body goes on beyond the limit."""


class Guard:
    """The outermost layer: nothing reaches a person or a log without having passed here."""

    def __init__(self, app: ASGIApp, pages: Pages, public_url: str) -> None:
        self.app = app
        self.pages = pages
        self.secure = public_url.startswith("https://")
        self.host = urlsplit(public_url).netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, within the rules."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        answered: list[int] = []
        ended: list[float] = []

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])
                self._add_headers(MutableHeaders(scope=message))
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                ended.append(time.perf_counter())  # what is done after the page is no part of it

        refusal = self._refusal(scope)
        try:
            if refusal is not None:
                await refusal(scope, receive, send_guarded)
            else:
                await self.app(scope, _limited(receive), send_guarded)
        except TooLarge:
            if not answered:
                await self._too_large()(scope, receive, send_guarded)
        except Exception as failure:
            log.error("page_failed", page=_name(scope), failure=type(failure).__name__)
            if not answered:
                await self.pages.failed()(scope, receive, send_guarded)
        milliseconds = round(((ended or [time.perf_counter()])[-1] - began) * 1000, 1)
        log.info(
            "page", page=_name(scope), method=scope["method"], status=answered[0] if answered else 0, ms=milliseconds
        )

    def _add_headers(self, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers[name] = value
        headers.setdefault("cache-control", "no-store")
        if self.secure:
            headers["strict-transport-security"] = "max-age=31536000"

    def _refusal(self, scope: Scope) -> Response | None:
        if scope["method"] not in ("POST", "PUT", "PATCH", "DELETE"):
            return None
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length) > LARGEST_BODY:
            return self._too_large()
        # RFC 8058: the mailbox provider posts from anywhere.
        if not scope["path"].startswith("/stop/") and self._is_foreign(headers):
            return self.pages.message(
                403,
                "This came from another page",
                "For your safety we take answers from our own pages only. Open the link in your mail and try again.",
            )
        return None

    def _is_foreign(self, headers: Headers) -> bool:
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return True
        origin = headers.get("origin", "null")
        # Browsers send `null` from pages with our referrer policy.
        return origin != "null" and urlsplit(origin).netloc not in (self.host, headers.get("host", ""))

    def _too_large(self) -> Response:
        return self.pages.message(413, "That was too much text", "Please go back, shorten it, and send it again.")


def _limited(receive: Receive) -> Receive:
    taken = 0

    async def receive_limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > LARGEST_BODY:
            raise TooLarge
        return message

    return receive_limited


def _name(scope: Scope) -> str:
    return getattr(scope.get("endpoint"), "__name__", "none")
