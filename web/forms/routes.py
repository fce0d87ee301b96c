"""The participant's pages as routes: the form behind a signed link, and the link that stops reminders.

GET, HEAD and OPTIONS change nothing, because mail scanners open every link. A POST writes through `operations` and
answers with a redirect, so that Back and Reload send nothing twice.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import datetime

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from activities.wake_postmasters import Wake, wake_in_time
from operations import submissions
from operations.forms import pause_offer, submit
from operations.forms.parse import Typed
from operations.forms.submit import Differs, Faulty, Overtaken, Saved, Shut
from operations.people.correct import pass_on
from operations.people.own_page import Done, Rejected
from operations.people.reminders import stop_reminders
from program.limits import BODY_BYTES, BODY_FIELDS, FIELD_NAME_CHARACTERS
from program.text import harmless, whole_number
from runtime.links import Links
from runtime.outbox_relay import Tell, hand_over
from store.database import Database
from store.forms import requests
from store.people import people
from store.workflow_outbox import OutboxEvent
from web.forms.page import FormPage
from web.rendering import Pages

FIELD_NAME = re.compile(rf"[A-Za-z0-9_.-]{{1,{FIELD_NAME_CHARACTERS}}}")
TOLD_AT_ONCE = 2
"""Workflows that are told of something at the same time: more would only wait for Temporal."""


class FormRoutes:
    """The routes of one installation. `now` gives program time, UTC."""

    def __init__(
        self,
        pages: Pages,
        links: Links,
        database: Database,
        tell: Tell,
        now: Callable[[], datetime],
        shards: int,
        wake: Wake | None,
    ) -> None:
        self.pages = pages
        self.links = links
        self.database = database
        self.tell = tell
        self.now = now
        self.shards = shards
        self.wake = wake
        self.telling = asyncio.Semaphore(TOLD_AT_ONCE)

    async def form(self, request: Request) -> Response:
        """GET: the page of a request. POST: its answers."""
        link = self.links.read_request(request.path_params["token"])
        if link is None:
            return self.pages.unknown()
        if request.method == "POST":
            return await self._submitted(request, *link)
        page = await self._page(*link)
        return page.first(request.query_params) if page else self.pages.unknown()

    async def thanks(self, request: Request) -> Response:
        """GET: the thank-you, as often as somebody likes; the form where there is nothing to thank for."""
        page = await self._linked(request)
        if page is None:
            return self.pages.unknown()
        if page.requested.answer is None:
            return RedirectResponse(page.path, 303)
        offered = await pause_offer.possible(self.database, page.requested, self.now())
        possible = [offer for offer, why in offered if not why]
        return page.thanks(possible, paused=request.query_params.get("done") == "pause")

    async def pause(self, request: Request) -> Response:
        """GET: a pause for the days of an absence that the answer states. POST: it is made."""
        page = await self._linked(request)
        link = self.links.read_request(request.path_params["token"])
        if page is None or link is None:
            return self.pages.unknown()
        nth, now = whole_number(request.path_params["nth"], otherwise=-1), self.now()
        if request.method != "POST":
            offered = await pause_offer.possible(self.database, page.requested, now)
            offer, why = next(((offer, why) for offer, why in offered if offer.nth == nth), (None, ""))
            return page.pause(offer, why) if offer else RedirectResponse(f"{page.path}/thanks", 303)
        submission = ((await typed_in(request)).pop(submissions.FIELD, None) or [""])[0]
        outcome = await pause_offer.take(self.database, *link, nth, submission, now)
        if isinstance(outcome, Rejected):
            return page.pause(None, outcome.why)
        if not isinstance(outcome, Done):
            return self.pages.unknown()
        told = BackgroundTask(self.see_through, outcome)
        return RedirectResponse(f"{page.path}/thanks?done=pause", 303, background=told)

    async def saved(self, request: Request) -> Response:
        """GET: the form is kept half filled in; the form itself where there is no draft."""
        page = await self._linked(request)
        if page is None:
            return self.pages.unknown()
        return page.saved() if page.requested.draft else RedirectResponse(page.path, 303)

    async def stop(self, request: Request) -> Response:
        """GET: a page with a button. POST: reminders stop, at once and for good (RFC 8058)."""
        link = self.links.read_stop(request.path_params["token"])
        if link is None:
            return self.pages.unknown()
        if request.method == "POST":
            stopped = await stop_reminders(self.database, *link, self.now(), shards=self.shards, wake=self.wake)
            if stopped is None:
                return self.pages.unknown()
            # Mailbox providers want a short answer and no redirect; people get a page.
            if "text/html" not in request.headers.get("accept", ""):
                return PlainTextResponse("Reminders are stopped.\n")
            place = f"{self.pages.root}/me/{self.links.place_token(*link)}"
            return self.pages.page("stopped.html", fresh=stopped.fresh, place=place)
        async with self.database.session() as session:
            reader = await people.reader(session, *link)
        if reader is None:
            return self.pages.unknown()
        place = f"{self.pages.root}/me/{self.links.place_token(*link)}"
        return self.pages.page("stop.html", reader=reader, path=self._stop_path(*link), place=place)

    async def _submitted(self, request: Request, public_id: str, generation: int) -> Response:
        typed = await typed_in(request)
        submission = (typed.pop(submissions.FIELD, None) or [""])[0]
        more = (typed.pop("more", None) or [""])[0]
        save = typed.pop("save", None)
        if more or save:
            outcome = await submit.save_draft(self.database, public_id, generation, typed, self.now())
        else:
            outcome = await submit.submit(self.database, public_id, generation, submission, typed, self.now())
        if isinstance(outcome, Saved):
            path = f"{self.pages.root}/f/{self.links.request_token(public_id, generation)}"
            if more:
                return RedirectResponse(f"{path}?more={_plain(more)}#entries-{_plain(more)}", 303)
            told = BackgroundTask(self.hand_over, *outcome.to_tell, outcome.only) if not save else None
            return RedirectResponse(f"{path}/{'saved' if save else 'thanks'}", 303, background=told)
        page = await self._page(public_id, generation)
        if page is None:
            return self.pages.unknown()
        match outcome:
            case Faulty(faults) if typed.get("act") == ["sign"]:
                return page.document(faults=faults)
            case Faulty(faults):
                return page.form(typed, faults)
            case Overtaken(seen):
                return page.overtaken(typed, seen)
            case Differs():
                notice = (
                    "We have your answers from before. What you see here is what you just typed, and it is not sent "
                    "yet: send it to put it in the place of your earlier answers."
                )
                return page.form(typed, notice=notice, status=409)
            case Shut():
                return page.first(request.query_params)
            case _:
                return self.pages.unknown()

    async def hand_over(self, cohort: str, mentorship: str, only: OutboxEvent | None = None) -> None:
        """Tell a workflow what was committed, when the page is out. In a crowd it is left to the relay."""
        if self.telling.locked():
            return
        async with self.telling:
            await hand_over(self.database, self.tell, cohort, mentorship, self.now(), only)

    async def see_through(self, done: Done) -> None:
        """What follows from an act that is committed, when the page is out."""
        now = self.now()
        if done.correction is not None:
            await pass_on(self.database, done.correction, now, tell=self.tell, wake=self.wake)
        await wake_in_time(self.database, done.earliest, now, self.wake)
        for where in done.to_tell:
            await self.hand_over(*where)

    async def _linked(self, request: Request) -> FormPage | None:
        link = self.links.read_request(request.path_params["token"])
        return await self._page(*link) if link else None

    async def _page(self, public_id: str, generation: int) -> FormPage | None:
        async with self.database.session() as session:
            requested = await requests.find(session, public_id, generation)
        return FormPage(self.pages, self.links, requested, self.now()) if requested else None

    def _stop_path(self, person: str, generation: int) -> str:
        return f"{self.pages.root}/stop/{self.links.stop_token(person, generation)}"


async def typed_in(request: Request) -> Typed:
    """The fields that a browser has sent. Names that no form of ours has are left out."""
    typed: Typed = {}
    async with request.form(max_files=0, max_fields=BODY_FIELDS, max_part_size=BODY_BYTES) as form:
        for name, value in form.multi_items():
            if isinstance(value, str) and FIELD_NAME.fullmatch(name):
                typed.setdefault(name, []).append(harmless(value))
    return typed


def _plain(name: str) -> str:
    return "".join(letter for letter in name[:64] if letter.isalnum() or letter in "_-")
