"""Which browser asked, in a word or two: enough for its owner to recognise a session, and no more."""

from __future__ import annotations

from starlette.requests import Request

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def browser_of(request: Request) -> str:
    """`Firefox, Linux`; empty where the browser does not say."""
    agent = request.headers.get("user-agent", "")
    named = (next((name for mark, name in group if mark in agent), "") for group in (_BROWSERS, _SYSTEMS))
    return ", ".join(name for name in named if name)
