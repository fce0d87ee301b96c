"""The page behind the links that go to an old and a new address: whether mail shall go to the new one.

The link is all that says which of the two somebody reads, so each is shown what that one may know. GET changes
nothing, because mail scanners open every link; the two buttons are a POST.
"""

from __future__ import annotations

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from lifecycle.local_time import DAY, local_date
from mail.dates import day
from operations.people import change_address
from operations.people.own_page import Done
from store.people.address_changes import AddressChange, Side, find
from store.people.own_page import seats
from web.forms.routes import FormRoutes, typed_in


class Confirming:
    """The route. It shares links, database, clock, and the function that tells workflows with the pages of forms."""

    def __init__(self, participant: FormRoutes) -> None:
        self.participant = participant
        self.pages = participant.pages

    async def page(self, request: Request) -> Response:
        """GET: what is asked of this address, or what came of it. POST: yes, or no."""
        link = self.participant.links.read_address(request.path_params["token"])
        if link is None:
            return self.pages.unknown()
        if request.method == "POST":
            return await self._said(request, *link)
        async with self.participant.database.session() as session:
            change = await find(session, link[0], self.participant.now())
            heard = False
            if change is not None and change.state == "denied" and link[1] == "old":
                # A person who takes part in nothing that runs has nobody who would hear of it.
                heard = any(seat.lives for seat in await seats(session, change.person))
        return self._shown(change, link[1], heard=heard) if change else self.pages.unknown()

    async def _said(self, request: Request, id_: str, side: Side) -> Response:
        database, now = self.participant.database, self.participant.now()
        match (await typed_in(request)).get("say"):
            case ["yes"]:
                outcome = await change_address.confirm(database, id_, side, now)
            case ["no"]:
                outcome = await change_address.deny(database, id_, side, now)
            case _:
                outcome = Done(repeated=True)
        if not isinstance(outcome, Done):
            return self.pages.unknown()
        # Whatever was said, and however often: the page shows how it stands.
        told = BackgroundTask(self.participant.see_through, outcome)
        return RedirectResponse(self._path(id_, side), 303, background=told)

    def _shown(self, change: AddressChange, side: Side, *, heard: bool) -> Response:
        last_day = local_date(change.lapses_at, change.zone) - DAY
        return self.pages.page(
            "confirming.html",
            change=change,
            side=side,
            path=self._path(change.id, side),
            said=side in change.confirmed,
            heard=heard,
            lapses=day(last_day, "en", self.participant.now().year),
        )

    def _path(self, id_: str, side: Side) -> str:
        return f"{self.pages.root}/address/{self.participant.links.address_token(id_, side)}"
