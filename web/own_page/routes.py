"""A participant's own page as routes: everything that is theirs to see, and everything that they may do themselves.

The link of every mail opens it, so GET, HEAD and OPTIONS change nothing. Every act is a POST that writes through
`operations.people.own_page` and answers with a redirect; the workflows are told when the page is out.
"""

from __future__ import annotations

import json
from asyncio import to_thread
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from lifecycle.local_time import local_date
from operations import submissions
from operations.errors import Refused
from operations.forms.parse import FieldFault, Typed, read
from operations.pdf import as_pdf, can_make_pdf
from operations.people import change_address
from operations.people import own_page as acts
from operations.people.own_page import ActResult, Concern, Done, OwnChange, Rejected
from operations.people.reminders import stop_reminders
from operations.reports.voices import answer as answer_voice
from store.forms import requests
from store.forms.requests import Requested
from store.people import certificate, joint_sheet, own_page, personal_data, voices
from store.people.address_changes import latest
from store.people.correct import Details
from store.people.own_page import Holder, OwnMentorship
from web.forms.routes import FormRoutes, typed_in
from web.own_page.certificate import page as page_of
from web.own_page.page import PlacePage
from web.own_page.questions import (
    ACTS,
    ADDRESS,
    ADDRESS_BY_DESK,
    ERASE,
    NEW_ADDRESS,
    ActWords,
    concern_questions,
    details_questions,
    place_of,
    words_of,
)
from web.own_page.voices import words_of as voice_words

CONCERN = ActWords(
    heading="Raise a concern",
    lead="Tell us when something is not right: with your partner, with the program, or with one of us.",
    follows=(
        "The coordinators are told at once, without what you write in the mail.",
        "Your partner is told nothing. Mails about this mentorship may be held until a coordinator has looked at it.",
        "Nobody watches this form round the clock.",
    ),
    button="Send to the coordinators",
)
DETAILS = ActWords(
    heading="Correct your details",
    lead="Changes hold at once.",
    follows=(),
    button="Save",
)


class OwnPlace:
    """The routes. Links, database, clock and the way to the workflows are those of the pages of forms."""

    def __init__(self, participant: FormRoutes, languages: Collection[str] = ("en",)) -> None:
        self.participant = participant
        self.languages = languages
        self.pages = participant.pages
        self.links = participant.links
        self.database = participant.database
        self.now = participant.now

    async def overview(self, request: Request) -> Response:
        """GET: the page itself."""
        page = await self._page(request)
        return page.overview(request.query_params.get("done", "")) if page else self.pages.unknown()

    async def change(self, request: Request) -> Response:
        """GET: what an act does to a mentorship, with its button. POST: the act."""
        page = await self._page(request)
        act, where = request.path_params["act"], (request.path_params["cohort"], request.path_params["mentorship"])
        seat = next((seat for seat in page.seats if seat.ref == where), None) if page else None
        if page is None or seat is None or act not in (*ACTS, "resume"):
            return self.pages.unknown()
        why = acts.why_not(seat, act, None, self.now())
        if request.method != "POST":
            if act == "resume":
                return RedirectResponse(page.path, 303)
            path = self._path_of(page, act, seat)
            return page.refused(why) if why else page.act(words_of(act, seat), path, seat=seat)
        typed, submission = await self._sent(request)
        reading = read(ACTS[act].questions if act in ACTS else (), typed)
        begins, until = (_day_of(reading.answers.get(name)) for name in ("from", "until"))
        faults = list(reading.faults)
        if until is not None and (no_day := acts.why_not(seat, act, until, self.now())) and not why:
            faults.append(FieldFault("until", no_day))
        elif no_day := acts.why_not_from(seat, begins, until, self.now()):
            faults.append(FieldFault("from", no_day))
        if faults:
            path = self._path_of(page, act, seat)
            if why:
                return page.refused(why)
            return page.act(words_of(act, seat), path, typed=typed, faults=faults, seat=seat)
        answers = reading.answers
        own_change = OwnChange(act, until, answers.get("reason", ""), begins, tell="yes" in answers.get("tell", ()))
        outcome = await acts.change(
            self.database, page.holder.id, page.holder.generation, submission, where, own_change, self.now()
        )
        return self._answer(page, outcome, _done_word(act, seat, own_change, self.now()))

    async def joint_sheet(self, request: Request) -> Response:
        """GET: the joint sheet of a midpoint, for those who share it."""
        page = await self._page(request)
        where = request.path_params["cohort"], request.path_params["mentorship"]
        if page is None:
            return self.pages.unknown()
        async with self.database.session() as session:
            sheet = await joint_sheet.find(session, page.holder.id, *where)
        return page.joint_sheet(sheet) if sheet else self.pages.unknown()

    async def certificate(self, request: Request) -> Response:
        """GET: the certificate of participation, as a page to print or (`/pdf`) as PDF."""
        page = await self._page(request)
        where = request.path_params["cohort"], request.path_params["mentorship"]
        if page is None:
            return self.pages.unknown()
        async with self.database.session() as session:
            found = await certificate.find(session, page.holder.id, *where)
        if found is None:
            return self.pages.unknown()
        if not request.url.path.endswith("/pdf"):
            return page.certificate(found, can_make_pdf())
        try:
            content = await to_thread(as_pdf, page_of(found, page.holder, self.pages))
        except Refused as missing:
            return page.refused(str(missing))
        named = {"content-disposition": f'attachment; filename="certificate-{where[0]}.pdf"'}
        return Response(content, media_type="application/pdf", headers=named)

    async def voice(self, request: Request) -> Response:
        """GET: words that may be shown, and what was said to it. POST: the answer, or that it is taken back."""
        page = await self._page(request)
        if page is None:
            return self.pages.unknown()
        holder, id_ = page.holder, request.path_params["voice"]
        voice = next((each for each in page.voices if each.id == id_), None)
        if voice is None:
            return self.pages.unknown()
        path, words = f"{page.path}/voice/{id_}", voice_words(voice, holder.id, self.now().year)
        if request.method != "POST":
            return page.act(words, path, typed={"text": [voice.text]})
        typed, _ = await self._sent(request)
        reading = read(words.questions, typed)
        if reading.faults:
            return page.act(words, path, typed=typed, faults=reading.faults)
        said, text = reading.answers["answer"], reading.answers.get("text", "")
        outcome = await answer_voice(
            self.database, holder.id, holder.generation, id_, said, text, self.now(), shards=self.participant.shards
        )
        return self._answer(page, outcome, "voice")

    async def concern(self, request: Request) -> Response:
        """GET: the form for a concern. POST: it is raised."""
        page = await self._page(request)
        if page is None:
            return self.pages.unknown()
        seats = [seat for seat in page.seats if acts.is_reachable(seat)]
        questions = concern_questions(seats)
        path = f"{page.path}/concern"
        if not seats:
            return page.ask_in_person(CONCERN.heading)
        if request.method != "POST":
            return page.act(CONCERN, path, questions, emergency=_emergency(seats))
        typed, submission = await self._sent(request)
        reading = read(questions, typed)
        if reading.faults:
            return page.act(CONCERN, path, questions, typed=typed, faults=reading.faults, emergency=_emergency(seats))
        answers = reading.answers
        seat = next((seat for seat in seats if place_of(seat) == answers.get("where")), seats[0])
        concern = Concern(
            kind=answers["kind"],
            text=answers["text"],
            contact=(answers.get("how") or page.holder.email) if answers["contact"] else "",
            danger=answers.get("danger") is True,
            about=tuple(answers.get("about", ())),
        )
        outcome = await acts.raise_concern(
            self.database, page.holder.id, page.holder.generation, submission, seat.ref, concern, self.now()
        )
        return self._answer(page, outcome, "concern")

    async def details(self, request: Request) -> Response:
        """GET: name, zone and language as we have them. POST: they are corrected."""
        page = await self._page(request)
        if page is None:
            return self.pages.unknown()
        holder, path = page.holder, f"{page.path}/details"
        questions = details_questions(holder.language, self.languages)
        if request.method != "POST":
            known = {"name": [holder.name], "zone": [holder.zone], "language": [holder.language]}
            return page.act(DETAILS, path, questions, typed=known)
        typed, submission = await self._sent(request)
        reading = read(questions, typed)
        if reading.faults:
            return page.act(DETAILS, path, questions, typed=typed, faults=reading.faults)
        answers = reading.answers
        details = Details(name=answers["name"], zone=answers["zone"], language=answers.get("language"))
        outcome = await acts.correct_details(
            self.database, holder.id, holder.generation, submission, details, self.now()
        )
        return self._answer(page, outcome, "details")

    async def reminders(self, request: Request) -> Response:
        """POST: reminders stop, or come again."""
        page = await self._page(request)
        if page is None:
            return self.pages.unknown()
        typed, submission = await self._sent(request)
        person, generation = page.holder.id, page.holder.generation
        if typed.get("wanted") == ["yes"]:
            outcome = await acts.restart_reminders(self.database, person, generation, submission, self.now())
            return self._answer(page, outcome, "restarted")
        shards, wake = self.participant.shards, self.participant.wake
        await stop_reminders(self.database, person, generation, self.now(), shards=shards, wake=wake)
        outcome = await acts.was_seen(self.database, person, generation, submission, self.now())
        return self._answer(page, outcome, "stopped")

    async def erase(self, request: Request) -> Response:
        """GET: what it means to be erased. POST: the coordinators are asked for it."""
        page = await self._page(request)
        if page is None:
            return self.pages.unknown()
        if not any(seat.lives for seat in page.seats):
            return page.ask_in_person(ERASE.heading)
        if request.method != "POST":
            return page.act(ERASE, f"{page.path}/erase")
        _, submission = await self._sent(request)
        outcome = await acts.ask_for(
            self.database, page.holder.id, page.holder.generation, submission, "erase", self.now()
        )
        return self._answer(page, outcome, "erase")

    async def address(self, request: Request) -> Response:
        """GET: what it takes to have another address. POST: both are asked for it."""
        page = await self._page(request)
        if page is None:
            return self.pages.unknown()
        holder, path = page.holder, f"{page.path}/address"
        if holder.bounced or not page.seats:
            return RedirectResponse(f"{path}/ask", 303)
        by_desk = ("I can’t read mail at the old address any more", f"{path}/ask")
        if request.method != "POST":
            return page.act(ADDRESS, path, otherwise=by_desk)
        typed, submission = await self._sent(request)
        email, faults = _new_address(typed, holder)
        if faults:
            return page.act(ADDRESS, path, typed=typed, faults=faults, otherwise=by_desk)
        now, shards = self.now(), self.participant.shards
        outcome = await change_address.ask(
            self.database, holder.id, holder.generation, submission, email, now, shards=shards
        )
        if isinstance(outcome, Done):
            seen = await acts.was_seen(self.database, holder.id, holder.generation, submission, now)
            if isinstance(seen, Done):
                outcome = replace(outcome, to_tell=seen.to_tell)
        return self._answer(page, outcome, "address")

    async def address_by_desk(self, request: Request) -> Response:
        """GET: how a coordinator changes the address of a person who can't read the old one. POST: they are asked."""
        page = await self._page(request)
        if page is None:
            return self.pages.unknown()
        if not any(seat.lives for seat in page.seats):
            return page.ask_in_person(ADDRESS_BY_DESK.heading)
        holder, path = page.holder, f"{page.path}/address/ask"
        if request.method != "POST":
            return page.act(ADDRESS_BY_DESK, path)
        typed, submission = await self._sent(request)
        email, faults = _new_address(typed, replace(holder, bounced=False))
        if faults:
            return page.act(ADDRESS_BY_DESK, path, typed=typed, faults=faults)
        outcome = await acts.ask_for(
            self.database, holder.id, holder.generation, submission, "address", self.now(), email
        )
        return self._answer(page, outcome, "address_asked")

    async def no_address(self, request: Request) -> Response:
        """POST: the address stays as it is, whatever was asked for."""
        page = await self._page(request)
        if page is None:
            return self.pages.unknown()
        outcome = await change_address.withdraw(self.database, page.holder.id, page.holder.generation, self.now())
        return self._answer(page, outcome, "no_address")

    async def data(self, request: Request) -> Response:
        """GET: everything that is held on the person, to be read."""
        page = await self._page(request)
        if page is None:
            return self.pages.unknown()
        async with self.database.session() as session:
            everything = await personal_data.personal_data(session, page.holder.id)
            answered: list[Requested] = []
            for seat in page.seats:
                for asked in seat.asked:
                    requested = (
                        await requests.find(session, asked.public_id, asked.generation) if asked.answered_at else None
                    )
                    answered += [requested] if requested else []
        return page.data(everything, answered)

    async def download(self, request: Request) -> Response:
        """GET: the same as one JSON file."""
        page = await self._page(request)
        if page is None:
            return self.pages.unknown()
        async with self.database.session() as session:
            everything = await personal_data.personal_data(session, page.holder.id)
        body = json.dumps({"as_of": self.now().isoformat()} | everything, ensure_ascii=False, indent=2)
        headers = {"content-disposition": 'attachment; filename="what-we-hold-on-you.json"'}
        return Response(body, media_type="application/json", headers=headers)

    # -- parts ---------------------------------------------------------------------------------------------------

    async def _page(self, request: Request) -> PlacePage | None:
        link = self.links.read_place(request.path_params["token"])
        if link is None:
            return None
        async with self.database.session() as session:
            holder: Holder | None = await own_page.holder(session, *link)
            if holder is None:
                return None
            seats = await own_page.seats(session, holder.id)
            change = await latest(session, holder.id, self.now())
            asked = await voices.with_person(session, holder.id)
        return PlacePage(self.pages, self.links, holder, seats, self.now(), change, asked)

    async def _sent(self, request: Request) -> tuple[Typed, str]:
        typed = await typed_in(request)
        return typed, (typed.pop(submissions.FIELD, None) or [""])[0]

    def _path_of(self, page: PlacePage, act: str, seat: OwnMentorship) -> str:
        return f"{page.path}/{act}/{place_of(seat)}"

    def _answer(self, page: PlacePage, outcome: ActResult, done: str) -> Response:
        if isinstance(outcome, Done):
            told = BackgroundTask(self.participant.see_through, outcome)
            return RedirectResponse(f"{page.path}?done={done}", 303, background=told)
        if isinstance(outcome, Rejected):
            return page.refused(outcome.why)
        return self.pages.unknown()


def _new_address(typed: Typed, holder: Holder) -> tuple[str, list[FieldFault]]:
    """The address that was typed in, and what is wrong with it."""
    reading = read((NEW_ADDRESS,), typed)
    email = reading.answers.get("email", "").strip()
    why = change_address.why_not(holder, email) if email else ""
    return email, [*reading.faults, *([FieldFault("email", why)] if why else [])]


def _day_of(answer: str | None) -> date | None:
    return date.fromisoformat(answer) if answer else None


def _done_word(act: str, seat: OwnMentorship, wanted: OwnChange, now: datetime) -> str:
    if act == "pause" and wanted.begins is not None and wanted.begins > local_date(now, seat.cohort_zone):
        return "planned"
    return "taken_back" if act == "resume" and not seat.paused_until else act


def _emergency(seats: Sequence[OwnMentorship]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(seat.emergency for seat in seats if seat.emergency))
