"""The first page: what waits for a decision, what needs a look, and what goes out next."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from web.coordinator.visit import Visit


async def today(_: Request, visit: Visit) -> Response:
    """GET: the day."""
    return visit.page("today.html")
