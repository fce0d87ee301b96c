"""Who did what: the audit, with filters. A coordinator sees the rows of their cohorts; an administrator sees all."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from operations import audit
from operations.audit import PROOFS, AuditFilters
from store.reports.status import names_of
from web.coordinator.visit import Visit

PAGE = 50
FIELDS = ("by", "what", "cohort", "id", "proof", "since", "until")
LONGEST = 100
"""Characters of one filter."""


async def listed(request: Request, visit: Visit) -> Response:
    """GET: rows, the latest first."""
    said = {name: request.query_params.get(name, "").strip()[:LONGEST] for name in FIELDS}
    since, until = _day(said["since"]), _day(said["until"])
    account = visit.account
    filters = AuditFilters(
        by=said["by"],
        proof=said["proof"] if said["proof"] in PROOFS else "",
        what=said["what"],
        cohort=said["cohort"],
        id=said["id"],
        since=since,
        until=until + timedelta(days=1) if until else None,
        reader=account.id,
    )
    everything = account.may(("administrator",)) and "administrator" in account.everywhere
    cohorts = None if everything else account.cohorts("coordinator", "deputy")
    page = request.query_params.get("page", "1")
    number = max(1, int(page)) if page.isdigit() and len(page) < 7 else 1
    lines, total = await audit.look(visit.database, filters, cohorts=cohorts, first=(number - 1) * PAGE, most=PAGE)
    async with visit.database.session() as session:
        known = {one.id: one.name for one in await names_of(session, sorted({line.by for line in lines if line.by}))}
    return visit.page(
        "audit.html",
        lines=lines,
        names=known,
        total=total,
        said=said,
        proofs=PROOFS,
        query=urlencode({name: value for name, value in said.items() if value}),
        number=number,
        pages_of=max(1, -(-total // PAGE)),
    )


def _day(text: str) -> datetime | None:
    """The beginning of a day in UTC; None where none is written."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        return None
