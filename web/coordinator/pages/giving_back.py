"""Who would mentor next time, and inviting them to the call of the next cohort: choose, see, confirm.

Confirming saves a new version of that cohort's file; nobody is mailed before it is launched.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from operations.reports import giving_back
from operations.reports.giving_back import NextCall
from runtime.errors import ExpectedError
from store.cohorts import files
from web.coordinator.visit import Visit


async def shown(request: Request, visit: Visit) -> Response:
    """GET: the people, and with `into` what inviting them would write into the file of that cohort."""
    return await _page(request, visit, request.query_params.get("into", ""))


async def invite(request: Request, visit: Visit) -> Response:
    """POST: save what was seen as the next version of the file."""
    cohort = str(request.path_params["cohort"])
    typed = await visit.typed(request)
    into, mark = (typed.get("into") or [""])[0], (typed.get("mark") or [""])[0]
    try:
        version = await giving_back.invite(
            visit.database, cohort, mark, into, visit.now, await _writable(visit, cohort),
            by=visit.account.id, proof=visit.proof,
        )  # fmt: skip
    except ExpectedError as refused:
        return await _page(request, visit, "", str(refused))
    await visit.record("invite_again", cohort=cohort, ids=(into, str(version)), result="done")
    return visit.to(f"/c/cohorts/{into}/file?version={version}")


async def _page(request: Request, visit: Visit, into: str, refused: str = "") -> Response:
    cohort = str(request.path_params["cohort"])
    people = await giving_back.volunteers(visit.database, cohort, visit.now)
    writable = await _writable(visit, cohort)
    call: NextCall | None = None
    if into and not refused:
        try:
            call = await giving_back.next_call(visit.database, cohort, into, visit.now, writable)
        except ExpectedError as why:
            refused = str(why)
    return visit.page(
        "giving_back.html",
        422 if refused else 200,
        cohort=cohort,
        people=people,
        writable=writable,
        into=into,
        call=call,
        refused=refused,
    )


async def _writable(visit: Visit, cohort: str) -> list[str]:
    """The cohorts whose files this account may write: its drafts, and those it coordinates."""
    async with visit.database.session() as session:
        drafts = [draft for draft, _ in await files.drafts_of(session, visit.account.id, visit.account.person)]
    mine = sorted({*drafts, *visit.account.cohorts("coordinator", "deputy")} - {cohort})
    return sorted(mine, key=lambda each: each not in drafts)
