"""The page of an open call: 10,000 applications in an hour, beside a bare page that commits one row.

The floor is a Starlette page that reads the same form and commits one row to the same PostgreSQL, in the same process
and through the same client. Both get a form every 0.36 s, in turn, so that whatever else the machine does slows both.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

import httpx
from sqlalchemy import func, select, text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from operations.forms.parse import Typed
from store.database import Database, migrate
from store.tables import ApplicationRow
from testing.environments.open_call import COHORT, OPEN, launch_call, loaded_call, typed_application
from testing.environments.web_env import BASE_URL, WebEnv, web_env_of
from tools.bench.servers import postgresql
from tools.bench.table import Line

AN_HOUR = 10_000
"""Applications in an hour."""
AIM = 3.0
"""At most so many times the bare page, for 95 of 100."""


async def measure(*, quick: bool) -> list[Line]:
    """Apply so often at the rate of the rush, and look how long each takes."""
    many = 50 if quick else 300
    with postgresql() as database_url:
        await asyncio.to_thread(migrate, database_url)
        async with Database.open(database_url) as database:
            env = web_env_of(database, requests_per_minute=0, requests_per_link=0)
            env.now = OPEN
            await launch_call(database, loaded_call())
            page, bare = await _side_by_side(env, many)
            async with database.session() as session:
                assert await session.scalar(select(func.count(ApplicationRow.id))) == many
    what = f"applying at the page, {AN_HOUR:,} in an hour to PostgreSQL"
    floor = "a bare Starlette page that reads the same form and commits one row, in turn with the page"
    return [
        Line(f"{what}: p95", _p95(page), "ms", _p95(bare), floor, aim=AIM, better="less"),
        Line("… p50", statistics.median(page), "ms", statistics.median(bare)),
    ]


async def _side_by_side(env: WebEnv, many: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each application, and of each form of the bare page."""
    async with env.database.begin() as session:
        await session.execute(text("CREATE TABLE bare_rows (name text, email text)"))

    async def form(request: Request) -> Response:
        async with request.form() as typed, env.database.begin() as session:
            row = {"name": typed["name"], "email": typed["email"]}
            await session.execute(text("INSERT INTO bare_rows VALUES (:name, :email)"), row)
        return RedirectResponse("/", 303)

    transport = httpx.ASGITransport(Starlette(routes=[Route("/", form, methods=["POST"])]))
    page: list[float] = []
    bare: list[float] = []
    async with (
        env.client() as applicants,
        httpx.AsyncClient(transport=transport, base_url=BASE_URL) as others,
    ):
        began = time.perf_counter()
        for number in range(-1, many - 1):
            typed = _typed(env, number)
            for times, post in (
                (bare, _posting(others, "/", typed)),
                (page, _posting(applicants, f"/apply/{COHORT}", typed)),
            ):
                times.append(await _took(post))
            await asyncio.sleep(max(0.0, began + (number + 2) * 3600 / AN_HOUR - time.perf_counter()))
    return page[1:], bare[1:]


def _typed(env: WebEnv, number: int) -> Typed:
    opened = env.links.opened_token(COHORT, int(time.time()) - 60)
    typed = typed_application("mentee", f"Person {number}", f"p{number}@example.org")
    return typed | {"role": ["mentee"], "opened": [opened]}


def _posting(client: httpx.AsyncClient, path: str, typed: Typed) -> Callable[[], Awaitable[httpx.Response]]:
    async def post() -> httpx.Response:
        return await client.post(path, data=typed, follow_redirects=False)

    return post


async def _took(post: Callable[[], Awaitable[httpx.Response]]) -> float:
    began = time.perf_counter()
    response = await post()
    took = (time.perf_counter() - began) * 1000
    assert response.status_code in (200, 303), response.text
    return took


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]
