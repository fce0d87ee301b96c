"""The cookies of the coordinators' web: one that is the session, one that marks the browser which asked for a link,
and one for what was searched in lists.

The first two are random. All are `HttpOnly`, `SameSite=Lax` and, but on loopback, `Secure` under a `__Host-` name,
which a browser takes from no other host and no other path (RFC 6265bis 4.1.3).
"""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from activities.delivery.loopback import is_loopback
from operations.accounts.sign_in import LINK_LASTS, SESSION_LASTS
from runtime.settings import Settings

SESSION = "mentorship-session"
ASKED = "mentorship-asked"
OPENID = "mentorship-openid"
SEARCHED = "mentorship-searched"


def is_secure(settings: Settings) -> bool:
    """Whether cookies go over TLS only. On loopback there is none."""
    return not (settings.public_url.startswith("http://") and is_on_loopback(settings.public_url))


def is_on_loopback(url: str) -> bool:
    """Whether the host of a URL is this machine."""
    return is_loopback(urlsplit(url).hostname or "")


def session_cookie(request: Request, settings: Settings) -> str:
    """The session of a request; empty where it has none."""
    return cookie_of(request, settings, SESSION)


def cookie_of(request: Request, settings: Settings, name: str) -> str:
    """The value of a cookie of ours; empty where there is none."""
    return request.cookies.get(_name(name, settings), "")


def asked_cookie(request: Request, settings: Settings) -> tuple[str, str]:
    """(what marks the browser that asked, where it wanted to go); empty where it asked for nothing."""
    marked, _, path = request.cookies.get(_name(ASKED, settings), "").partition("~")
    return marked, unquote(path)


def set_session(response: Response, settings: Settings, cookie: str) -> None:
    """Sign the browser in: the cookie ends with the session."""
    set_cookie(response, settings, SESSION, cookie, int(SESSION_LASTS.total_seconds()))
    set_cookie(response, settings, ASKED, "", 0)


def set_asked(response: Response, settings: Settings, marked: str, path: str) -> None:
    """Mark the browser that asked for a link, and where it wanted to go."""
    set_cookie(response, settings, ASKED, f"{marked}~{quote(path, safe='')}", int(LINK_LASTS.total_seconds()))


def drop_session(response: Response, settings: Settings) -> None:
    """Sign the browser out, and forget what was searched in it."""
    for name in (SESSION, SEARCHED):
        set_cookie(response, settings, name, "", 0)


def set_cookie(response: Response, settings: Settings, name: str, value: str, seconds: int) -> None:
    """Set a cookie of ours for so many seconds; 0 takes it back."""
    response.set_cookie(
        _name(name, settings),
        value,
        max_age=seconds,
        path="/",
        secure=is_secure(settings),
        httponly=True,
        samesite="lax",
    )


def _name(name: str, settings: Settings) -> str:
    return f"__Host-{name}" if is_secure(settings) else name
