"""The first page: what waits for a decision, what needs a look, and what goes out next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from starlette.requests import Request
from starlette.responses import Response

from lifecycle.local_time import DAY, local_date
from operations.views.today import MOST_LISTED, Day, day_of
from web.coordinator.visit import Visit


@dataclass(frozen=True, slots=True)
class ComingDay:
    """What goes out on one day. Moments are program time (UTC)."""

    on: date
    mails: tuple[tuple[datetime, int], ...]
    steps: tuple[tuple[str, int], ...]


async def start(_: Request, visit: Visit) -> Response:
    """GET: on to the first page, for those who type the address without its last stroke."""
    return visit.to("/c/")


async def today(request: Request, visit: Visit) -> Response:
    """GET: the day, with one page of its tasks."""
    account = visit.account
    page = request.query_params.get("page", "1")
    day = await day_of(
        visit.database,
        visit.now,
        person=account.person,
        deciding=account.cohorts("coordinator", "deputy"),
        looking=None if account.everywhere else account.cohorts(),
        page=max(int(page), 1) if page.isdecimal() and len(page) < 6 else 1,
    )
    return visit.page(
        "today.html",
        day=day,
        tomorrow=day.today + DAY,
        decides=account.may(("coordinator", "deputy")),
        coming=_coming(day),
        looks=len(day.quiet) + len(day.bounced) + len(day.ended) + len(day.words),
        most_words=MOST_LISTED,
    )


def _coming(day: Day) -> tuple[ComingDay, ...]:
    """What goes out, by day in the zone of the page; moments within one hour stand together."""
    mails: dict[date, dict[datetime, int]] = {}
    for one in day.outgoing:
        hour = one.at.replace(minute=0, second=0, microsecond=0)
        of_day = mails.setdefault(local_date(one.at, day.zone), {})
        of_day[hour] = of_day.get(hour, 0) + one.mails
    steps: dict[date, list[tuple[str, int]]] = {}
    for on, step, count in day.ahead:
        steps.setdefault(on, []).append((step, count))
    return tuple(
        ComingDay(on, tuple(sorted(mails.get(on, {}).items())), tuple(steps.get(on, ())))
        for on in sorted({*mails, *steps})
    )
