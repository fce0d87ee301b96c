"""The pages of an open call as routes. GET changes nothing, because mail scanners open every link; a POST writes
through `operations.applications.apply` and answers with a redirect.

The public page answers every address alike, known or not.
"""

from __future__ import annotations

import time
from datetime import timedelta

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from activities.wake_postmasters import wake_in_time
from operations.applications import apply
from operations.applications.apply import NotTaken, Received, TooLate
from operations.forms.parse import Typed
from store.cohorts import calls
from store.cohorts.calls import Call
from store.people import applications
from web.apply.page import ApplicationPage, ApplyPage
from web.forms.routes import FormRoutes, typed_in

OPENED = "opened"
"""The hidden field that says when the page was served."""


class ApplyRoutes:
    """The routes of all open calls. They share what the pages of forms have: links, database, clock."""

    def __init__(self, participant: FormRoutes) -> None:
        self.participant = participant
        self.pages = participant.pages
        self.links = participant.links
        self.database = participant.database

    async def page(self, request: Request) -> Response:
        """GET: what the program is, and the form. POST: an application."""
        cohort = request.path_params["cohort"]
        if request.method == "POST":
            return await self._sent(request, cohort)
        call = await self._call(cohort)
        if call is None:
            return self.pages.unknown()
        return self._page(call).first(request.query_params.get("as", ""))

    async def sent(self, request: Request) -> Response:
        """GET: look into your mailbox; the same for everybody."""
        call = await self._call(request.path_params["cohort"])
        return self.pages.unknown() if call is None else self._page(call).sent()

    async def withdrawn(self, request: Request) -> Response:
        """GET: an application is withdrawn and deleted."""
        call = await self._call(request.path_params["cohort"])
        return self.pages.unknown() if call is None else self._page(call).withdrawn()

    async def own(self, request: Request) -> Response:
        """GET: an application as it stands. POST: confirm, change or withdraw it."""
        link = self.links.read_application(request.path_params["token"])
        if link is None:
            return self.pages.unknown()
        if request.method == "POST":
            return await self._acted(request, *link)
        page = await self._own(*link)
        return page.first() if page else self.pages.unknown()

    # -- acts ------------------------------------------------------------------------------------------------------

    async def _sent(self, request: Request, cohort: str) -> Response:
        typed = await typed_in(request)
        role = (typed.pop(apply.ROLE, None) or [""])[0]
        opened = self.links.read_opened((typed.pop(OPENED, None) or [""])[0])
        took = timedelta(seconds=time.time() - opened[1]) if opened and opened[0] == cohort else None
        now, shards = self.participant.now(), self.participant.shards
        outcome = await apply.apply(self.database, cohort, typed, role, took, now, shards=shards)
        if isinstance(outcome, Received):
            woken = BackgroundTask(wake_in_time, self.database, outcome.earliest, now, self.participant.wake)
            return RedirectResponse(f"{self.pages.root}/apply/{cohort}/sent", 303, background=woken)
        call = await self._call(cohort)
        if call is None:
            return self.pages.unknown()
        if isinstance(outcome, NotTaken):
            return self._page(call).form(role, typed, outcome.faults)
        return self._page(call).first("")

    async def _acted(self, request: Request, id_: str, generation: int) -> Response:
        typed = await typed_in(request)
        act = (typed.pop("act", None) or [""])[0]
        page = await self._own(id_, generation)
        if page is None:
            return self.pages.unknown()
        try:
            return await self._carry_out(act, typed, page, id_, generation)
        except TooLate as late:
            return page.first(notice=str(late), status=409)

    async def _carry_out(self, act: str, typed: Typed, page: ApplicationPage, id_: str, generation: int) -> Response:
        now, shards = self.participant.now(), self.participant.shards
        path = page.path
        match act:
            case "confirm":
                done = await apply.confirm(self.database, id_, generation, now, shards=shards)
            case "withdraw":
                done = await apply.withdraw(self.database, id_, generation, now)
                path = f"{self.pages.root}/apply/{page.call.cohort}/withdrawn"
            case "change":
                outcome = await apply.change(self.database, id_, generation, typed, now)
                if isinstance(outcome, NotTaken):
                    return page.first(typed, outcome.faults)
                done, path = outcome, f"{path}?changed=1"
            case _:
                return page.first()
        if done is None:
            return self.pages.unknown()
        woken = BackgroundTask(wake_in_time, self.database, done.earliest, now, self.participant.wake)
        return RedirectResponse(path, 303, background=woken)

    # -- reading ---------------------------------------------------------------------------------------------------

    async def _call(self, cohort: str) -> Call | None:
        async with self.database.session() as session:
            return await calls.find(session, cohort)

    async def _own(self, id_: str, generation: int) -> ApplicationPage | None:
        async with self.database.session() as session:
            application = await applications.find(session, id_, generation)
            call = await calls.find(session, application.cohort) if application else None
        if application is None or call is None:
            return None
        return ApplicationPage(self.pages, self.links, call, application, self.participant.now())

    def _page(self, call: Call) -> ApplyPage:
        return ApplyPage(self.pages, self.links, call, self.participant.now())
