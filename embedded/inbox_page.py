"""The inbox of the embedded stack, for the person who runs it on their own machine.

It only reads, and only on loopback: it has no login, so it must not be served to a network, and the HTML of a mail
must not run scripts or load anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from embedded.mailbox import Inbox, Received
from lifecycle.local_time import zone
from mail.compiled_templates import page_environment
from program.text import whole_number

TEMPLATES = Path(__file__).parent.parent / "templates" / "inbox"
STATIC = Path(__file__).parent.parent / "web" / "static"
A_PAGE = 100
"""Mails on one page of the inbox."""

STRICT = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
AS_MAIL = STRICT | {
    # Styles and pictures of the mail itself, links in a new window; no script, no form, nothing from outside.
    "content-security-policy": (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
        "img-src data:; frame-ancestors 'self'"
    )
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a mail."""

    number: int
    name: str
    type: str


class InboxPage:
    """The routes. `now` gives program time, UTC."""

    def __init__(self, inbox: Inbox, now: Callable[[], datetime], coordinators: str, temporal_ui: str) -> None:
        self.inbox = inbox
        self.now = now
        self.css = (STATIC / "pages.css").read_bytes() + (STATIC / "inbox.css").read_bytes()
        self.icon = (STATIC / "icon.svg").read_bytes()
        self._environment = page_environment(TEMPLATES)
        self._environment.filters |= {"moment": _moment}
        self._environment.globals |= {"coordinators": coordinators, "temporal_ui": temporal_ui}

    async def mails(self, request: Request) -> Response:
        """GET: the mails, newest first; `q` searches people and subjects."""
        words = request.query_params.get("q", "").strip()[:200]
        number = max(1, whole_number(request.query_params.get("page", ""), 5))
        matching = self.inbox.search(words)
        page_of_mails = matching[(number - 1) * A_PAGE : number * A_PAGE]

        def to(other: int) -> str:
            return "?" + urlencode({"q": words, "page": other})

        return self._page(
            request, "inbox.html", q=words, mails=page_of_mails, found=len(matching), all=len(self.inbox.received),
            newer=to(number - 1) if number > 1 else "",
            older=to(number + 1) if number * A_PAGE < len(matching) else "",
        )  # fmt: skip

    async def mail(self, request: Request) -> Response:
        """GET: one mail with its headers; its HTML in a frame, its text below."""
        mail = self._mail(request)
        message = mail.message
        text = message.get_body(("plain",))
        return self._page(
            request,
            "mail.html",
            mail=mail,
            sender=str(message["From"]),
            reply_to=str(message["Reply-To"] or ""),
            text=text.get_content() if text else "",
            has_html=message.get_body(("html",)) is not None,
            parts=_parts(mail),
            before=self._neighbour(mail, -1),
            after=self._neighbour(mail, +1),
        )

    async def html(self, request: Request) -> Response:
        """GET: the HTML of a mail, for the frame; it can run nothing and load nothing."""
        body = self._mail(request).message.get_body(("html",))
        if body is None:
            raise HTTPException(404)
        html = body.get_content().replace("<head>", '<head><base target="_blank">', 1)
        return HTMLResponse(html, headers=AS_MAIL)

    async def source(self, request: Request) -> Response:
        """GET: the mail as it came over the wire."""
        mail = self._mail(request)
        return Response(mail.raw, media_type="text/plain", headers=STRICT)

    async def part(self, request: Request) -> Response:
        """GET: a file that came with a mail, to be saved."""
        mail = self._mail(request)
        attachments = list(mail.message.iter_attachments())
        number = request.path_params["part"]
        if not 1 <= number <= len(attachments):
            raise HTTPException(404)
        content = attachments[number - 1].get_content()
        raw = content if isinstance(content, bytes) else str(content).encode()
        name = quote(attachments[number - 1].get_filename() or f"part-{number}")
        headers = STRICT | {"content-disposition": f"attachment; filename*=UTF-8''{name}"}
        return Response(raw, media_type="application/octet-stream", headers=headers)

    async def stylesheet(self, _: Request) -> Response:
        """GET: the style of all pages."""
        return Response(self.css, media_type="text/css", headers={"cache-control": "no-cache"})

    async def icon_file(self, _: Request) -> Response:
        """GET: the icon."""
        return Response(self.icon, media_type="image/svg+xml", headers={"cache-control": "no-cache"})

    def _mail(self, request: Request) -> Received:
        mail = self.inbox.find(request.path_params["number"])
        if mail is None:
            raise HTTPException(404)
        return mail

    def _neighbour(self, mail: Received, step: int) -> int:
        neighbour = self.inbox.find(mail.number + step)
        return neighbour.number if neighbour else 0

    def _page(self, request: Request, name: str, **context: Any) -> HTMLResponse:
        template = self._environment.get_template(name)
        html = template.render(now=self.now(), path=request.url.path, **context)
        return HTMLResponse(html, headers=STRICT)


def create_inbox_page(inbox: Inbox, now: Callable[[], datetime], coordinators: str, temporal_ui: str) -> Starlette:
    """The inbox as an ASGI application; `now` gives program time (UTC), `coordinators` and `temporal_ui` are the
    addresses of the coordinators' pages and of the list of workflows."""
    shown = InboxPage(inbox, now, coordinators, temporal_ui)

    async def first(_: Request) -> Response:
        return RedirectResponse("/inbox", 303)

    async def refused(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return PlainTextResponse("There is nothing here.\n" if status == 404 else "That did not work.\n", status)

    return Starlette(
        routes=[
            Route("/", first),
            Route("/inbox", shown.mails),
            Route("/inbox/{number:int}", shown.mail),
            Route("/inbox/{number:int}/html", shown.html),
            Route("/inbox/{number:int}/source", shown.source),
            Route("/inbox/{number:int}/parts/{part:int}", shown.part),
            Route("/static/inbox.css", shown.stylesheet),
            Route("/static/icon.svg", shown.icon_file),
        ],
        # DNS rebinding: a web page that resolves its own name to this machine must not read these pages.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        exception_handlers={HTTPException: refused},
    )


def _parts(mail: Received) -> list[Attachment]:
    return [
        Attachment(number, part.get_filename() or f"part-{number}", part.get_content_type())
        for number, part in enumerate(mail.message.iter_attachments(), 1)
    ]


def _moment(at: datetime | None, zone_name: str = "") -> str:
    if at is None:
        return ""
    local = at.astimezone(zone(zone_name)) if zone_name else at
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"
