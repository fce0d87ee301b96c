"""What came of a cohort: exact for those who may read its answers, through the gate for readers.

A file to take away is always the one for passing on, for every role.
"""

from __future__ import annotations

import asyncio

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from operations.reports import report as reports
from web.coordinator.visit import Visit

KINDS = {
    "html": "text/html; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""Endings of the files that can be taken away, with their media types."""


async def shown(request: Request, visit: Visit) -> Response:
    """GET: the report, as of now."""
    cohort = str(request.path_params["cohort"])
    exact = visit.may("coordinator", "deputy", cohort=cohort)
    make = reports.exact if exact else reports.for_passing_on
    made = await make(visit.database, cohort, visit.now)
    body = await asyncio.to_thread(made.body, folded=True)
    return visit.page(
        "report.html", title=made.report.season.title, cohort=cohort, body=Markup(body), gives_back=exact
    )


async def taken(request: Request, visit: Visit) -> Response:
    """GET: the report for passing on, as a file."""
    cohort, kind = str(request.path_params["cohort"]), str(request.path_params["kind"])
    if kind not in KINDS:
        raise HTTPException(404)
    made = await reports.for_passing_on(visit.database, cohort, visit.now)
    await visit.record("report", cohort=cohort, result="download")
    content = (await asyncio.to_thread(made.html)).encode() if kind == "html" else await asyncio.to_thread(made.xlsx)
    named = {"content-disposition": f'attachment; filename="report-{cohort}.{kind}"'}
    return Response(content, media_type=KINDS[kind], headers=named)
