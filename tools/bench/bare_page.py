"""The least that a page with a form can do: read it, commit a row, send the reader on.

python -m tools.bench.bare_page DATABASE PORT      serves until it is told to stop
"""

from __future__ import annotations

import sys

import aiosqlite
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route


def page(database: str) -> Starlette:
    """One form at `/`."""
    kept: list[aiosqlite.Connection] = []

    async def form(request: Request) -> Response:
        if request.method == "GET":
            return PlainTextResponse("a form")
        async with request.form() as typed:
            if not kept:
                kept.append(await aiosqlite.connect(database))
                await kept[0].execute("pragma journal_mode=wal")
                await kept[0].execute("create table if not exists answers (submission text, accept text)")
            await kept[0].execute("insert into answers values (?, ?)", (typed["submission_id"], typed["accept"]))
            await kept[0].commit()
        return RedirectResponse("/", 303)

    return Starlette(routes=[Route("/", form, methods=["GET", "POST"])])


if __name__ == "__main__":
    uvicorn.run(page(sys.argv[1]), port=int(sys.argv[2]), access_log=False, log_level="warning")
