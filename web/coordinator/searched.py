"""The texts by which lists were searched: kept in a cookie of the browser, and named in addresses by a mark.

A name that somebody types must stand in no address: a browser's history, a proxy and everybody with the link would
know it. The cookie ends with the session at the latest, and holds the last few texts. A mark of another browser finds
nothing.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from secrets import token_urlsafe
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from operations.accounts.sign_in import SESSION_LASTS
from runtime.settings import Settings
from web.coordinator.signing_in.cookies import SEARCHED, cookie_of, set_cookie

MARK = "found"
"""What stands in addresses in the place of `text`."""
KEPT = 8
"""Texts of one browser."""


def with_text(request: Request, settings: Settings, said: Mapping[str, str]) -> dict[str, str]:
    """What a query or a form says, with the text that its mark stands for; empty where it stands for none here."""
    mark = said.get(MARK, "")
    return {**said, "text": _kept(request, settings).get(mark, "")} if mark else dict(said)


def without_text(said: Mapping[str, str], mark: str) -> dict[str, str]:
    """What goes into an address: the mark, and no text that it stands for."""
    return {name: value for name, value in said.items() if name != "text"} | {MARK: mark} if mark else dict(said)


def mark_of(request: Request, settings: Settings, text: str) -> str:
    """The mark of a text: that which it has in this browser, or a new one that says nothing."""
    known = {kept: mark for mark, kept in _kept(request, settings).items()}
    return known.get(text) or token_urlsafe(6)


def keep(response: Response, request: Request, settings: Settings, mark: str, text: str) -> None:
    """Keep a text with its mark, as the latest."""
    others = {other: kept for other, kept in _kept(request, settings).items() if other != mark}
    latest = dict(list(others.items())[1 - KEPT :]) | {mark: text}
    value = urlsafe_b64encode(json.dumps(latest).encode()).decode()
    set_cookie(response, settings, SEARCHED, value, int(SESSION_LASTS.total_seconds()))


def _kept(request: Request, settings: Settings) -> dict[str, str]:
    """Mark to text; nothing where the cookie is none of ours."""
    try:
        found: Any = json.loads(urlsafe_b64decode(cookie_of(request, settings, SEARCHED) or "e30="))
    except ValueError:
        return {}
    return {str(mark): str(text) for mark, text in found.items()} if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
