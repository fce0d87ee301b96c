"""The sessions of an account: where it is signed in, and how to end that."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from web.coordinator.visit import Visit


async def listed(request: Request, visit: Visit) -> Response:
    """GET: the own sessions, the latest used first."""
    own = await visit.site.sign_in.own_sessions(visit.account, visit.site.real_now())
    return visit.page("sessions.html", sessions=own, done="done" in request.query_params)


async def end(request: Request, visit: Visit) -> Response:
    """POST: one session ends, or all but this one."""
    chosen = ((await visit.typed(request)).get("session") or [""])[0]
    others = await visit.site.sign_in.own_sessions(visit.account, visit.site.real_now())
    for session in others:
        if session.id == chosen or (chosen == "others" and session.id != visit.account.session):
            await visit.site.sign_in.end(visit.account, session.id)
    return visit.to("/c/sign-in" if chosen == visit.account.session else "/c/sessions?done")
