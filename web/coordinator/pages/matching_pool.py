"""Those who applied to a cohort, by state, by role, and those of whom a field is missing; also as a file."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from operations.applications import applicants
from operations.applications.applicants import Applied
from operations.errors import NotFound
from operations.spreadsheet import as_csv, as_xlsx
from program.text import whole_number
from store.cohorts.calls import Call
from web.coordinator import searched
from web.coordinator.pages.cohorts import LONGEST, XLSX
from web.coordinator.visit import Visit

STATES = ("confirmed", "waiting", "unconfirmed", "invited", "withdrawn")
ROLES = ("mentor", "mentee", "both", "peer")
PAGE = 50


async def pool(request: Request, visit: Visit) -> Response:
    """GET: one page of those whom the filters let through."""
    try:
        said, call, found = await _found(request, visit)
    except NotFound:
        return visit.message("no_matching", 404)
    given = searched.without_text(said, request.query_params.get(searched.MARK, "") if said["text"] else "")
    pages = max(1, -(-len(found) // PAGE))
    number = min(max(1, whole_number(request.query_params.get("page", ""))), pages)
    return visit.page(
        "matching_pool.html",
        cohort=request.path_params["cohort"],
        call=call,
        people=found[(number - 1) * PAGE : number * PAGE],
        total=len(found),
        said=said,
        states=STATES,
        roles=ROLES,
        query=urlencode({name: value for name, value in given.items() if value}),
        number=number,
        pages_of=pages,
    )


async def search(request: Request, visit: Visit) -> Response:
    """POST: on to the list with these filters. What was typed stands in no address."""
    typed = {name: values[0] for name, values in (await visit.typed(request)).items() if values}
    said = _filters(typed)
    mark = searched.mark_of(request, visit.settings, said["text"]) if said["text"] else ""
    given = searched.without_text({name: value for name, value in said.items() if value}, mark)
    response = visit.to(f"/c/cohorts/{request.path_params['cohort']}/matching/pool?{urlencode(given)}")
    if mark:
        searched.keep(response, request, visit.settings, mark, said["text"])
    return response


async def taken(request: Request, visit: Visit) -> Response:
    """GET: exactly the rows of the list with their answers, as `mentorship match --people` reads them: CSV or XLSX,
    by the end of the path."""
    try:
        _, call, found = await _found(request, visit)
    except NotFound:
        return visit.message("no_matching", 404)
    columns, rows = applicants.as_rows(call, found)
    cohort = request.path_params["cohort"]
    await visit.record("download applicants", cohort=cohort, ids=[one.id for one in found], result="done")
    suffix = request.url.path.rpartition(".")[2]
    body = as_csv(columns, rows).encode() if suffix == "csv" else as_xlsx("Applicants", columns, rows)
    kind = "text/csv; charset=utf-8" if suffix == "csv" else XLSX
    name = f"applicants-{visit.now:%Y-%m-%d}.{suffix}"
    return Response(body, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})


def _filters(said: Mapping[str, str]) -> dict[str, str]:
    """The filters of a query or a form; what no list has is left out."""
    known = {"state": STATES, "role": ROLES, "missing": ("yes",)}
    given = {name: said.get(name, "") for name in known}
    return {name: value if value in known[name] else "" for name, value in given.items()} | {
        "text": said.get("text", "").strip()[:LONGEST]
    }


async def _found(request: Request, visit: Visit) -> tuple[dict[str, str], Call, list[Applied]]:
    """The filters that were given, the call, and whom they let through. Raises `NotFound`."""
    said = _filters(searched.with_text(request, visit.settings, dict(request.query_params)))
    cohort = str(request.path_params["cohort"])
    call, found = await applicants.applied(visit.database, cohort, state=said["state"], role=said["role"])
    words = said["text"].casefold().split()
    return (
        said,
        call,
        [
            one
            for one in found
            if (one.missing or not said["missing"])
            and all(word in f"{one.name} {one.email} {one.id}".casefold() for word in words)
        ],
    )
