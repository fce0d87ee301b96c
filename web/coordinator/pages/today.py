"""The first page: what waits for a decision, what needs a look, and what goes out next."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from starlette.requests import Request
from starlette.responses import Response

from lifecycle.local_time import DAY, local_date
from operations.views.today import Day, day_of
from program.text import whole_number
from store.reports.today import Told
from web.coordinator.visit import Visit


@dataclass(frozen=True, slots=True)
class ComingMails:
    """Mails that go out within one hour, one to each person. `at` is program time (UTC)."""

    at: datetime
    mails: int
    told: tuple[Told, ...]
    """The first of those who get one."""


@dataclass(frozen=True, slots=True)
class ComingDay:
    """What goes out on one day."""

    on: date
    mails: tuple[ComingMails, ...]
    steps: tuple[tuple[str, int], ...]


async def start(_: Request, visit: Visit) -> Response:
    """GET: on to the first page, for those who type the address without its last stroke."""
    return visit.to("/c/")


async def today(request: Request, visit: Visit) -> Response:
    """GET: the day, with one page of its tasks."""
    account = visit.account
    day = await day_of(
        visit.database,
        visit.now,
        person=account.person,
        deciding=account.cohorts("coordinator", "deputy"),
        looking=None if account.everywhere else account.cohorts(),
        page=_page(request, "page"),
        words_page=_page(request, "wrote"),
    )
    return visit.page(
        "today.html",
        day=day,
        tomorrow=day.today + DAY,
        decides=account.may(("coordinator", "deputy")),
        coming=_coming(day),
        looks=len(day.quiet) + len(day.bounced) + len(day.ended) + len(day.words) + (day.words_page > 1),
    )


def _page(request: Request, name: str) -> int:
    """Which page of a list is asked for."""
    return max(1, whole_number(request.query_params.get(name, ""), 5))


def _coming(day: Day) -> tuple[ComingDay, ...]:
    """What goes out, by day in the zone of the page; moments within one hour stand together."""
    hours: Counter[datetime] = Counter()
    for one in day.outgoing:
        hours[_hour(one.at)] += one.mails
    told: dict[datetime, list[Told]] = {}
    for person in day.told:
        told.setdefault(_hour(person.at), []).append(person)
    mails: dict[date, list[ComingMails]] = {}
    for at, number in sorted(hours.items()):
        mails.setdefault(local_date(at, day.zone), []).append(ComingMails(at, number, tuple(told.get(at, ()))))
    steps: dict[date, list[tuple[str, int]]] = {}
    for on, step, count in day.ahead:
        steps.setdefault(on, []).append((step, count))
    return tuple(ComingDay(on, tuple(mails.get(on, ())), tuple(steps.get(on, ()))) for on in sorted({*mails, *steps}))


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
