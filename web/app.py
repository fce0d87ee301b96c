"""Puts the pages of participants and coordinators together and serves them. Must never hold state of its own: any
number of web processes do the same work.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from activities.wake_postmasters import Wake
from mail.wording import languages_of_mails
from operations.accounts.accounts import AccountRules
from operations.accounts.sign_in import SignIn
from operations.plan_runner import PlanRunner
from program.files.folders import template_folders
from runtime.links import Links
from runtime.outbox_relay import Tell
from runtime.settings import Settings
from store.database import Database
from web.apply.routes import ApplyRoutes
from web.apply.wishes import WishRoutes
from web.coordinator.gate import nothing_here, routes_of
from web.coordinator.rendering import CoordinatorPages
from web.coordinator.visit import Site
from web.coordinator.words import Words
from web.forms.routes import FormRoutes
from web.own_page.confirm_address import Confirming
from web.own_page.routes import OwnPlace
from web.rate_limits import Buckets, Limits
from web.rendering import Pages
from web.security import Guard
from web.server import server

if TYPE_CHECKING:
    from temporalio.client import Client

FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}
"""The address of a static file changes with its content."""


def create_app(
    settings: Settings,
    database: Database,
    tell: Tell,
    clock_now: Callable[[], datetime],
    wake: Wake | None = None,
    client: Client | None = None,
    real_now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Starlette:
    """The pages as an ASGI application.

    `tell` tells workflows of answers, `wake` wakes the postmaster of a shard, `clock_now` gives program time (UTC),
    `client` is Temporal for what coordinators do, `real_now` the time (UTC) by which sessions end.
    Raises ValueError where no secret is set.
    """
    links = Links.of(settings)
    pages = Pages(settings.public_url)
    participant = FormRoutes(pages, links, database, tell, clock_now, settings.shards, wake)
    place = OwnPlace(participant, languages_of_mails(template_folders(None, settings.own_config)))
    confirming = Confirming(participant)
    applying = ApplyRoutes(participant)
    wishing = WishRoutes(participant)

    async def home(_: Request) -> Response:
        return pages.page("home.html")

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        try:
            async with database.session() as session:
                await session.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError):
            return PlainTextResponse("the database does not answer\n", 503)
        return PlainTextResponse("ready\n")

    async def stylesheet(_: Request) -> Response:
        return Response(pages.css, media_type="text/css", headers=FOR_EVER)

    runner = PlanRunner(database, settings, client, clock_now) if client else None
    desk_pages = CoordinatorPages(pages, Words())
    rules = AccountRules(settings.secrets, settings.administrator_addresses)
    site = Site(
        settings=settings,
        database=database,
        pages=desk_pages,
        words=desk_pages.words,
        sign_in=SignIn(database, rules, settings.secrets[0]),
        clock_now=clock_now,
        real_now=real_now,
        tell=tell,
        client=client,
        plans=runner,
    )

    async def desk_stylesheet(_: Request) -> Response:
        return Response(desk_pages.css, media_type="text/css", headers=FOR_EVER)

    async def icon(_: Request) -> Response:
        return Response(pages.icon, media_type="image/svg+xml", headers=FOR_EVER)

    async def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        if request.url.path.startswith("/c/"):
            return await nothing_here(site, request, status)
        if status == 404:
            return pages.unknown()
        return pages.message(status, "That did not work", "Open the link in your mail again and try once more.")

    app = Starlette(
        routes=[
            Route("/", home),
            Route("/f/{token}", participant.form, methods=["GET", "POST"]),
            Route("/f/{token}/thanks", participant.thanks),
            Route("/f/{token}/saved", participant.saved),
            Route("/f/{token}/pause/{nth}", participant.pause, methods=["GET", "POST"]),
            Route("/stop/{token}", participant.stop, methods=["GET", "POST"]),
            Route("/me/{token}", place.overview),
            Route("/me/{token}/address", place.address, methods=["GET", "POST"]),
            Route("/me/{token}/address/ask", place.address_by_desk, methods=["GET", "POST"]),
            Route("/me/{token}/address/cancel", place.no_address, methods=["POST"]),
            Route("/me/{token}/concern", place.concern, methods=["GET", "POST"]),
            Route("/me/{token}/details", place.details, methods=["GET", "POST"]),
            Route("/me/{token}/erase", place.erase, methods=["GET", "POST"]),
            Route("/me/{token}/reminders", place.reminders, methods=["POST"]),
            Route("/me/{token}/data", place.data),
            Route("/me/{token}/data.json", place.download),
            Route("/me/{token}/joint/{cohort}/{mentorship}", place.joint_sheet),
            Route("/me/{token}/voice/{voice}", place.voice, methods=["GET", "POST"]),
            Route("/me/{token}/certificate/{cohort}/{mentorship}", place.certificate),
            Route("/me/{token}/certificate/{cohort}/{mentorship}/pdf", place.certificate),
            Route("/me/{token}/{act}/{cohort}/{mentorship}", place.change, methods=["GET", "POST"]),
            Route("/address/{token}", confirming.page, methods=["GET", "POST"]),
            Route("/apply/{cohort}", applying.page, methods=["GET", "POST"]),
            Route("/apply/{cohort}/sent", applying.sent),
            Route("/apply/{cohort}/withdrawn", applying.withdrawn),
            Route("/application/{token}", applying.own, methods=["GET", "POST"]),
            Route("/application/{token}/wishes", wishing.page, methods=["GET", "POST"]),
            *routes_of(site),
            Route("/static/pages.css", stylesheet),
            Route("/static/coordinator.css", desk_stylesheet),
            Route("/static/icon.svg", icon),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
        ],
        middleware=[
            Middleware(Guard, pages=pages, public_url=settings.public_url, hosts=settings.other_hosts),
            Middleware(
                Limits,
                pages=pages,
                links=links,
                proxies=settings.proxies,
                by_address=Buckets(settings.requests_per_minute),
                by_link=Buckets(settings.requests_per_link),
            ),
        ],
        exception_handlers={HTTPException: refused},
    )
    app.state.site = site
    # It would send people wherever the Host header says, and past the path under which the pages lie.
    app.router.redirect_slashes = False
    app.state.plans = runner
    return app


@asynccontextmanager
async def plans_running(app: Starlette) -> AsyncIterator[None]:
    """Carry out plans of coordinators for the length of a block: those confirmed here, and those that a process which
    ended has left."""
    runner: PlanRunner | None = app.state.plans
    if runner is None:
        yield
        return
    forever = asyncio.create_task(runner.run_forever())
    try:
        yield
    finally:
        forever.cancel()
        await asyncio.gather(forever, return_exceptions=True)
        await runner.stop()


async def serve(
    settings: Settings,
    database: Database,
    tell: Tell,
    clock_now: Callable[[], datetime],
    wake: Wake | None = None,
    client: Client | None = None,
) -> None:
    """Serve the pages until the process is told to stop (SIGTERM, SIGINT); requests in flight are finished."""
    app = create_app(settings, database, tell, clock_now, wake, client)
    async with plans_running(app):
        await server(app, settings).serve()
