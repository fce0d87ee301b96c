"""The page of one person, and the download of what is held on them."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response

from operations.views.person import held_data, person_view
from web.coordinator.reading import reader_of
from web.coordinator.visit import Visit


async def page(request: Request, visit: Visit) -> Response:
    """GET: the person."""
    view = await person_view(visit.database, request.path_params["person"], reader_of(visit), visit.now)
    return visit.page("person.html", view=view)


async def data(request: Request, visit: Visit) -> Response:
    """GET: everything that is held on a person, as far as their coordinators may read it."""
    person = request.path_params["person"]
    held = await held_data(visit.database, person, reader_of(visit))
    await visit.record("personal data", ids=[person], result="download")
    body = json.dumps({"as_of": visit.now.isoformat()} | held, ensure_ascii=False, indent=2)
    headers = {"content-disposition": 'attachment; filename="what-is-held.json"'}
    return Response(body, media_type="application/json", headers=headers)
