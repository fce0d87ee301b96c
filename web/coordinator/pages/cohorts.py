"""All cohorts, one cohort with its figures and its list, and the list as a file."""

from __future__ import annotations

from dataclasses import fields
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from lifecycle.tasks import KINDS
from operations.acts import ACTS
from operations.spreadsheet import as_csv, as_xlsx
from operations.views import cohort as views
from program.text import whole_number
from store.cohorts import calls
from store.reports import cohort_page
from store.reports.cohort_page import HEALTH, MAIL, PHASES, REACHED, SORTS, ListFilters
from web.coordinator import searched
from web.coordinator.visit import Visit

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOORS = ("file", "messages", "matching", "report")
"""Other pages of a cohort, as the last part of their paths."""
LONGEST = 100
"""Characters of one filter."""


def filters_in(said: Any) -> ListFilters:
    """The filters of a query or a form: name to value. What no list has is left out."""
    given = {one.name: str(said.get(one.name, ""))[:LONGEST] for one in fields(ListFilters)}
    if given["sort"] not in SORTS:
        given["sort"] = "key"
    for name, known in (("phase", PHASES), ("health", HEALTH), ("reached", REACHED), ("mail", MAIL)):
        if given[name] not in known:
            given[name] = ""
    return ListFilters(**given)


def asked_of(request: Request, visit: Visit) -> ListFilters:
    """The filters of a list's address."""
    return filters_in(searched.with_text(request, visit.settings, dict(request.query_params)))


async def search(request: Request, visit: Visit) -> Response:
    """POST: on to the list with these filters. What was typed stands in no address."""
    said = {name: values[0] for name, values in (await visit.typed(request)).items() if values}
    filters = filters_in(said)
    mark = searched.mark_of(request, visit.settings, filters.text) if filters.text else ""
    query = urlencode(searched.without_text(filters.given, mark))
    response = visit.to(f"/c/cohorts/{request.path_params['cohort']}{'?' if query else ''}{query}#list")
    if mark:
        searched.keep(response, request, visit.settings, mark, filters.text)
    return response


async def listed(_: Request, visit: Visit) -> Response:
    """GET: the cohorts of the account."""
    account = visit.account
    async with visit.database.session() as session:
        found = await cohort_page.cohorts(session, None if account.everywhere else account.cohorts(), account.id)
    return visit.page("cohorts.html", cohorts=found)


async def cohort(request: Request, visit: Visit) -> Response:
    """GET: one cohort."""
    filters = asked_of(request, visit)
    given = searched.without_text(filters.given, request.query_params.get(searched.MARK, "") if filters.text else "")
    shown = await views.view(
        visit.database,
        request.path_params["cohort"],
        filters,
        visit.now,
        max(1, whole_number(request.query_params.get("page", ""))),
        account=visit.account.id,
    )

    def link(**changes: str) -> str:
        """The same list with some filters otherwise, on its first page."""
        query = urlencode({name: value for name, value in {**given, **changes}.items() if value})
        return f"{visit.root}/c/cohorts/{shown.facts.id}{'?' if query else ''}{query}#list"

    def only(**wanted: str) -> str:
        """The list with these filters alone."""
        return f"{visit.root}/c/cohorts/{shown.facts.id}?{urlencode(wanted)}#list"

    async with visit.database.session() as session:
        has_call = await calls.find(session, shown.facts.id) is not None
    writes = visit.may("coordinator", "deputy", cohort=shown.facts.id)
    decides = visit.may("coordinator", "deputy", "administrator", cohort=shown.facts.id)
    matches = has_call and writes
    paths = {getattr(route, "path", "") for route in request.app.routes}
    many = [act for act in ACTS.values() if act.many]
    return visit.page(
        "cohort.html",
        view=shown,
        link=link,
        only=only,
        given=given,
        query=urlencode(given),
        acts=many,
        phases=PHASES,
        health=HEALTH,
        reached=REACHED,
        mail=MAIL,
        sorts=SORTS,
        kinds=KINDS,
        doors=[
            door
            for door in DOORS
            if f"/c/cohorts/{{cohort}}/{door}" in paths
            and (matches or door != "matching")
            and (writes or door != "messages")
            and (decides or door != "file")
        ],
        decides=decides,
    )


async def csv(request: Request, visit: Visit) -> Response:
    """GET: exactly the rows of the list, as CSV."""
    text = as_csv(views.COLUMNS, await _rows(request, visit))
    return _file(visit, text.encode(), "text/csv; charset=utf-8", "csv")


async def xlsx(request: Request, visit: Visit) -> Response:
    """GET: exactly the rows of the list, as XLSX."""
    return _file(visit, as_xlsx("Mentorships", views.COLUMNS, await _rows(request, visit)), XLSX, "xlsx")


async def _rows(request: Request, visit: Visit) -> list[tuple[str, ...]]:
    cohort = request.path_params["cohort"]
    found = list(await views.rows(visit.database, cohort, asked_of(request, visit), account=visit.account.id))
    await visit.record("download list", cohort=cohort, ids=[f"{cohort}/{row[1]}" for row in found], result="done")
    return found


def _file(visit: Visit, body: bytes, kind: str, suffix: str) -> Response:
    name = f"mentorships-{visit.now:%Y-%m-%d}.{suffix}"
    return Response(body, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})
