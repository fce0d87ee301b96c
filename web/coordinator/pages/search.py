"""One box that finds people, mentorships, tasks and cohorts.

What is typed is posted, for it is a name: a name must not stand in an address, and so in no history and no log.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from store.lookups import look_up
from store.reports import search as found_by
from store.reports.search import MOST_FOUND, Found
from store.reports.today import DeskTask, named, tasks_for
from web.coordinator.visit import Visit

LONGEST = 200
"""Characters that are searched for."""


async def form(_: Request, visit: Visit) -> Response:
    """GET: the box."""
    return _page(visit, "", None, [])


async def search(request: Request, visit: Visit) -> Response:
    """POST: what was found."""
    words = ((await visit.typed(request)).get("q") or [""])[0].strip()[:LONGEST]
    account = visit.account
    deciding = account.cohorts("coordinator", "deputy")
    async with visit.database.session() as session:
        found = await found_by.search(session, words, None if account.everywhere else account.cohorts())
        people = {mentorship.ref: mentorship.people for mentorship in found.mentorships}
        rows = await look_up(session, tasks_for(account.person, deciding, 0, MOST_FOUND, people)[0])
        tasks = [named(row, people[row.cohort, row.mentorship]) for row in rows]
    return _page(visit, words, found, tasks)


def _page(visit: Visit, words: str, found: Found | None, tasks: list[DeskTask]) -> Response:
    return visit.page("search.html", q=words, found=found, tasks=tasks)
