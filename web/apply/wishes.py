"""The page on which an applicant says whom they would like to meet. GET changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mail.dates import whole_day
from operations.applications import wishes
from operations.applications.apply import TooLate
from operations.applications.wishes import RANKS, Choice, Side, Wished, Wishing, field_name
from operations.forms.parse import FieldFault, Typed
from store.cohorts import calls
from store.people import applications
from web.forms import fields
from web.forms.fields import Field
from web.forms.routes import FormRoutes, typed_in
from web.rendering import LANGUAGE

LABELS = {"1": "First", "2": "Second", "3": "Third"}
HEADINGS: dict[Side, str] = {
    "wish": "Whom would you like as your mentor?",
    "take": "Whom would you gladly take as your mentee?",
}
FIELD_WORDS = {"goals": "Wants to work on", "offer": "Offers", "languages": "Languages"}


class WishRoutes:
    """The route. It shares what the pages of forms have: links, database, clock."""

    def __init__(self, participant: FormRoutes) -> None:
        self.participant = participant
        self.pages = participant.pages

    async def page(self, request: Request) -> Response:
        """GET: who can be wished for, best first. POST: the wishes."""
        link = self.participant.links.read_application(request.path_params["token"])
        if link is None:
            return self.pages.unknown()
        now = self.participant.now()
        typed: Typed = {}
        faults: Sequence[FieldFault] = ()
        if request.method == "POST":
            typed = await typed_in(request)
            try:
                outcome = await wishes.wish(self.participant.database, *link, typed, now)
            except TooLate:
                return await self._shut(*link)
            if outcome is None:
                return self.pages.unknown()
            if isinstance(outcome, Wished):
                return RedirectResponse(f"{self._path(*link)}?sent=1", 303)
            faults = outcome
        can = await wishes.wishing(self.participant.database, *link, now)
        if can is None:
            return await self._shut(*link)
        return self._shown(can, typed, faults, sent="sent" in request.query_params)

    def _shown(self, can: Wishing, typed: Typed, faults: Sequence[FieldFault], *, sent: bool) -> HTMLResponse:
        call, closes = can.call, can.call.gathering.wishes_close
        wrong = {fault.control: fault.message for fault in faults}
        ranks = RANKS[: call.terms.wishes_at_most]
        sides = [
            (HEADINGS[side], [(choice, _field(side, choice, can, typed, wrong, ranks)) for choice in choices])
            for side, choices in can.sides.items()
        ]
        return self.pages.page(
            "wishes.html",
            422 if faults else 200,
            call=call,
            form=call.form,
            sides=sides,
            faults=faults,
            sent=sent,
            words=FIELD_WORDS,
            at_most=call.terms.wishes_at_most,
            closes=whole_day(closes, LANGUAGE) if closes else "",
            path=self._path(can.application.id, can.application.generation),
        )

    async def _shut(self, id_: str, generation: int) -> Response:
        async with self.participant.database.session() as session:
            found = await applications.find(session, id_, generation)
            call = await calls.find(session, found.cohort) if found else None
        if found is None or call is None:
            return self.pages.unknown()
        return self.pages.message(
            200, "Nothing to wish for now", "The time for wishes is over, or has not begun: the mail said until when."
        )

    def _path(self, id_: str, generation: int) -> str:
        return f"{self.pages.root}/application/{self.participant.links.application_token(id_, generation)}/wishes"


def _field(
    side: Side, choice: Choice, can: Wishing, typed: Typed, wrong: dict[str, str], ranks: Sequence[str]
) -> Field:
    name = field_name(side, choice)
    before = can.chosen[side].index(choice.id) + 1 if choice.id in can.chosen[side] else ""
    value = (typed.get(name) or [""])[0] if typed else str(before)
    field = Field("radios", name, choice.title, error=wrong.get(name, ""), required=True, value=value)
    options = [("", "No wish"), *((rank, LABELS[rank]) for rank in ranks)]
    field.choices = [
        fields.Choice(field.id if index == 0 else f"{field.id}.{rank}", rank, label, rank == value)
        for index, (rank, label) in enumerate(options)
    ]
    return field
