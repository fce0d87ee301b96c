"""Where a worker or the pages are watched: /metrics, /healthz, /readyz, on a port of their own that is for ops and
not for the world. Must never show anything that names a person.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from socket import create_server

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from operations.health.metrics import TYPE, ProcessHealth
from runtime.errors import Unreachable
from web.security import HostGuard, Hosts
from web.server import serving


def create_health_app(process_health: ProcessHealth, hosts: Collection[str] = ()) -> Starlette:
    """The three addresses as an ASGI application; `hosts` are further names under which they may be asked."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        missing = await process_health.missing()
        return PlainTextResponse("\n".join(missing or ["ready"]) + "\n", 503 if missing else 200)

    async def metrics(_: Request) -> Response:
        return Response(await process_health.metrics(), media_type=TYPE)

    return Starlette(
        routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)],
        middleware=[Middleware(HostGuard, hosts=Hosts(hosts))],
    )


@asynccontextmanager
async def shown(
    process_health: ProcessHealth, host: str, port: int, hosts: Collection[str] = ()
) -> AsyncIterator[None]:
    """Show them for the length of a block. Raises Unreachable where the port is taken."""
    try:
        listening = create_server((host, port))
    except OSError as taken:
        raise Unreachable(
            f"Port {port} at {host}, where this process is to be watched, can't be had ({taken.strerror}).\n"
            "End the program that has it, or choose another port: MENTORSHIP_METRICS_PORT; 0 means none."
        ) from None
    with listening:
        async with serving(create_health_app(process_health, (host, *hosts)), listening, finish_within=1):
            yield
