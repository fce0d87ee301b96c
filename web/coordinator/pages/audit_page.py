"""Who did what: the audit, with filters. A coordinator sees the rows of their cohorts; an administrator sees all."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from operations import audit
from operations.audit import PROOFS, AuditFilters
from operations.spreadsheet import as_csv, as_xlsx
from program.text import whole_number
from store.reports.status import names_of
from web.coordinator.pages.cohorts import XLSX
from web.coordinator.visit import Visit

PAGE = 50
FIELDS = ("by", "what", "cohort", "id", "proof", "since", "until")
LONGEST = 100
"""Characters of one filter."""
MOST_ROWS = 20_000
"""Rows of a file, the latest; filter by date for earlier ones."""
COLUMNS = ("at_utc", "by", "proof", "what", "cohort", "about", "count", "reason", "result")


async def listed(request: Request, visit: Visit) -> Response:
    """GET: rows, the latest first."""
    said, filters, cohorts = _asked(request, visit)
    number = max(1, whole_number(request.query_params.get("page", "")))
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


async def taken(request: Request, visit: Visit) -> Response:
    """GET: the rows of the list as CSV or XLSX, as the path ends. The download is in the audit as well."""
    _, filters, cohorts = _asked(request, visit)
    lines, _ = await audit.look(visit.database, filters, cohorts=cohorts, most=MOST_ROWS)
    await visit.record("download audit", result="done", count=len(lines))
    rows = [
        (
            f"{line.at:%Y-%m-%d %H:%M:%S}", line.by, line.proof, line.what, line.cohort, " ".join(line.ids),
            str(line.count), line.reason, line.result,
        )
        for line in lines
    ]  # fmt: skip
    kind = request.url.path.rpartition(".")[2]
    if kind == "csv":
        body, media = as_csv(COLUMNS, rows).encode(), "text/csv; charset=utf-8"
    else:
        body, media = as_xlsx("Audit", COLUMNS, rows), XLSX
    name = f"audit-{visit.now:%Y-%m-%d}.{kind}"
    return Response(body, media_type=media, headers={"content-disposition": f'attachment; filename="{name}"'})


def _asked(request: Request, visit: Visit) -> tuple[dict[str, str], AuditFilters, Collection[str] | None]:
    """The filters as they were typed and as they count, and the cohorts whose rows the account sees (None: all)."""
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
    return said, filters, None if everything else account.cohorts("coordinator", "deputy")


def _day(text: str) -> datetime | None:
    """The beginning of a day in UTC; None where none is written."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        return None
