"""What stands on a participant's own page, and on the pages of what they do there. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from starlette.responses import HTMLResponse

from lifecycle.local_time import DAY, local_date
from lifecycle.state import PlannedPause
from mail.dates import day
from mail.form_text import worded
from operations.forms.fill_in import words_for
from operations.forms.parse import FieldFault, Typed, zone_names
from operations.people.own_page import is_reachable, why_not
from operations.submissions import mint
from program.forms import Question
from runtime.links import Links
from store.forms.requests import Requested
from store.people.address_changes import AddressChange, Side, State
from store.people.certificate import Certificate
from store.people.joint_sheet import JointSheet
from store.people.own_page import AskedForm, Coming, Holder, OwnMentorship, PageCoordinator
from store.people.personal_data import PersonalData
from store.people.voices import Voice
from web.forms.answers_text import Row, answered_rows
from web.forms.fields import fields_of
from web.forms.page import ROLE_WORDS
from web.own_page import certificate
from web.own_page.joint_sheet import shown
from web.own_page.questions import ActWords, place_of, title_of
from web.own_page.voices import state_words
from web.rendering import Pages

PHASES = {
    "onboarding": "about to begin: everybody is asked whether they take part",
    "expectations": "getting to know each other, and agreeing on how you work together",
    "check_ins": "under way",
    "midpoint": "half way: looking back, and ahead",
    "closure": "coming to its close",
    "closed": "over",
}
STEPS = {
    "invitation": "The invitation",
    "introduction": "You are introduced to each other",
    "agreement": "You write down what you agree on",
    "fit_check": "A short question: is this the right match?",
    "check_in": "A check-in of a minute",
    "midpoint": "Looking back half way",
    "winding_down": "A mail about finishing well",
    "closure": "The last form",
    "farewell": "The farewell",
    "follow_up": "One last question, long after",
}
AGAIN = {"winding_down": "Another mail about finishing well"}
"""Steps that come a second time, where they are not simply one of many."""
DONE = {
    "pause": "The mentorship is paused",
    "planned": "The pause is planned",
    "taken_back": "The pause is taken back",
    "resume": "The pause is over",
    "end": "Your wish to end is with the coordinators",
    "leave": "You have left the mentorship",
    "concern": "We have your concern",
    "details": "Your details are saved",
    "stopped": "Your reminders are stopped",
    "restarted": "You get reminders again",
    "address": "We have written to both addresses",
    "no_address": "Your address stays as it is",
    "address_asked": "The coordinators are asked to take over your new address",
    "erase": "The coordinators are asked to erase you",
    "voice": "Your answer is saved",
}
"""What was done, by the word in the address; any other word says nothing."""
WAITING = {
    "Pause": "Your pause",
    "Resume": "The end of the pause",
    "ProposeEnd": "Your wish to end",
    "Leave": "Your leaving",
}
CHANGES: dict[State, str] = {
    "pending": "It waits for your word from",
    "refused": "It refuses mail, so nothing was changed.",
    "lapsed": "It was not confirmed from both in time, so nothing was changed.",
    "denied": "One of the two said that it was not you, so nothing was changed.",
    "taken": "Both have confirmed it, and a coordinator has to look at it.",
}
"""What is said of a new address, by its state."""
WAITS_FOR: dict[Side, str] = {"old": "the old address", "new": "the new address"}
TOLD_FOR = timedelta(days=14)
"""So long the page says what came of it."""
SOON = 4
"""So many of the steps ahead are shown."""


@dataclass(frozen=True, slots=True)
class OpenForm:
    """A form that waits for the person, or one that they answered."""

    asked: AskedForm
    title: str
    link: str
    can_change: bool
    sent: date | None
    """Where the person lives; None where they have not answered."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One mentorship as the page shows it."""

    seat: OwnMentorship
    title: str
    role: str
    phase: str
    path: str
    """Where its acts lie: `pause/…` and so on."""
    paused: str
    """Until when it is paused, in words; empty where it is not."""
    pause_ahead: str
    """From when until when it will be, in words; empty where no pause is planned."""
    open: tuple[OpenForm, ...]
    answered: tuple[OpenForm, ...]
    agreement: str
    """Where the agreement can be read; empty where there is none."""
    joint_sheet: str
    """Where the joint sheet can be read; empty where they were told of none."""
    certificate: str
    """Where the certificate of participation is; empty where there is none."""
    may: tuple[str, ...]
    """Acts that make sense now."""
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A new address as the page tells of it."""

    email: str
    says: str
    waits_for: str
    lapses: str
    """The last day on which it can be confirmed."""
    pending: bool


class PlacePage:
    """The pages of one person, for the person who holds their link. `now` is program time, UTC."""

    def __init__(
        self,
        pages: Pages,
        links: Links,
        holder: Holder,
        seats: Sequence[OwnMentorship],
        now: datetime,
        change: AddressChange | None = None,
        voices: Sequence[Voice] = (),
    ) -> None:
        self.pages = pages
        self.links = links
        self.holder = holder
        self.seats = seats
        self.now = now
        self.change = change
        """The new address that they asked for last."""
        self.voices = voices
        """Words of theirs, or in which they are named, that may be shown if they agree."""
        self.path = f"{pages.root}/me/{links.place_token(holder.id, holder.generation)}"

    def overview(self, done: str = "") -> HTMLResponse:
        """The page itself. `done` says what the person has just done."""
        reachable = [seat for seat in self.seats if is_reachable(seat)]
        return self._page(
            "place.html",
            done=DONE.get(done, ""),
            concerned=done == "concern",
            emergency=tuple(dict.fromkeys(seat.emergency for seat in reachable if seat.emergency)),
            shown=[self._shown(seat) for seat in self.seats],
            change=self._recent_change(),
            voices=[(voice.id, state_words(voice, self.holder.id, self.now.date())) for voice in self.voices],
            submission=mint(),
        )

    def act(
        self,
        words: ActWords,
        path: str,
        questions: Sequence[Question] | None = None,
        *,
        typed: Typed | None = None,
        faults: Sequence[FieldFault] = (),
        emergency: Sequence[str] = (),
        seat: OwnMentorship | None = None,
        otherwise: tuple[str, str] = ("", ""),
    ) -> HTMLResponse:
        """What an act does, what is asked about it, and its button. `seat` is the mentorship that it changes,
        `otherwise` a second way (words and path)."""
        fields = fields_of(words.questions if questions is None else questions, typed or {}, faults)
        return self._page(
            "place_act.html",
            422 if faults else 200,
            words=words,
            act_path=path,
            fields=fields,
            faults=faults,
            emergency=emergency,
            about=title_of(seat) if seat else "",
            otherwise=otherwise,
            zones=zone_names() if any(field.suggestions for field in fields) else (),
            submission=mint(),
        )

    def refused(self, why: str) -> HTMLResponse:
        """Something makes no sense now."""
        return self._page("place_refused.html", 409, why=why)

    def ask_in_person(self, heading: str) -> HTMLResponse:
        """Nothing runs that could carry it: the people to write to."""
        return self._page("place_ask.html", heading=heading)

    def certificate(self, found: Certificate, pdf: bool) -> HTMLResponse:
        """The certificate, to print. `pdf` says that there is one as PDF, too."""
        where = f"{self.path}/certificate/{found.cohort}/{found.mentorship}"
        return HTMLResponse(
            certificate.page(found, self.holder, self.pages, self.path, f"{where}/pdf" if pdf else "")
        )

    def joint_sheet(self, sheet: JointSheet) -> HTMLResponse:
        """What the person and their partners agreed to show each other."""
        return self._page("place_joint.html", sheet=sheet, questions=shown(sheet, self.holder.id))

    def data(self, everything: PersonalData, answered: Sequence[Requested]) -> HTMLResponse:
        """Everything that is held on the person, to be read."""
        return self._page(
            "place_data.html",
            held=everything,
            answered=[
                (requested, _titled(requested.form.title, requested.ask, requested.number), _rows(requested))
                for requested in answered
            ],
            shown=[self._shown(seat) for seat in self.seats],
        )

    # -- parts -----------------------------------------------------------------------------------------------------

    def _shown(self, seat: OwnMentorship) -> Shown:
        forms = [(asked, self._form(seat, asked)) for asked in seat.asked]
        is_open = [form for asked, form in forms if asked.state == "open" and form.can_change]
        documents = [form for asked, form in forms if asked.ask == "agreement" and asked.state not in _GONE]
        return Shown(
            seat=seat,
            title=title_of(seat),
            role=ROLE_WORDS.get(seat.role, seat.role),
            phase=_phase(seat),
            path=place_of(seat),
            paused=self._paused(seat),
            pause_ahead=self._pause_ahead(seat),
            open=tuple(is_open) if seat.lives else (),
            answered=tuple(form for asked, form in forms if asked.answered_at and asked.ask != "agreement"),
            agreement=documents[-1].link if documents else "",
            joint_sheet=f"{self.path}/joint/{place_of(seat)}" if seat.joint_sheet else "",
            certificate=f"{self.path}/certificate/{place_of(seat)}" if seat.certificate else "",
            may=tuple(act for act in ("pause", "resume", "end", "leave") if not why_not(seat, act, None, self.now)),
            waiting=tuple(WAITING[name] for name in seat.waiting if name in WAITING),
        )

    def _form(self, seat: OwnMentorship, asked: AskedForm) -> OpenForm:
        link = f"{self.pages.root}/f/{self.links.request_token(asked.public_id, asked.generation)}"
        in_time = self.now < asked.closes_at or bool(seat.paused_until)
        sent = local_date(asked.answered_at, self.holder.zone) if asked.answered_at else None
        can_change = seat.lives and asked.state in ("open", "answered") and in_time
        return OpenForm(asked, _titled(asked.title, asked.ask, asked.number), link, can_change, sent)

    def _paused(self, seat: OwnMentorship) -> str:
        if not seat.paused_until or not seat.lives:
            return ""
        if seat.paused_until == "open":
            return "until somebody ends the pause"
        return f"until {day(date.fromisoformat(seat.paused_until), 'en', self.now.year)}"

    def _recent_change(self) -> ShownChange | None:
        """What there is to say of a new address: whom it waits for, or for a while why it came to nothing."""
        change = self.change
        if change is None or (change.state != "pending" and self.now >= change.asked_at + TOLD_FOR):
            return None
        if change.state == "done" or change.state not in CHANGES:
            return None
        lapses = day(local_date(change.lapses_at, self.holder.zone) - DAY, "en", self.now.year)
        waits_for = " and ".join(WAITS_FOR[side] for side in change.missing)
        return ShownChange(change.email, CHANGES[change.state], waits_for, lapses, change.state == "pending")

    def _pause_ahead(self, seat: OwnMentorship) -> str:
        if not seat.pause_ahead or not seat.lives:
            return ""
        planned = PlannedPause.of(seat.pause_ahead)
        until = day(planned.until, "en", self.now.year) if planned.until else "somebody ends the pause"
        return f"from {day(planned.on, 'en', self.now.year)} until {until}"

    def _coordinators(self) -> tuple[PageCoordinator, ...]:
        coordinators = {
            coordinator.id: coordinator
            for seat in self.seats
            for coordinator in seat.coordinators
            if coordinator.role == "coordinator"
        }
        return tuple(coordinators.values())

    def _page(self, name: str, status: int = 200, **context: Any) -> HTMLResponse:
        first = self.seats[0] if self.seats else None
        return self.pages.page(
            name,
            status,
            holder=self.holder,
            path=self.path,
            banner=first.cohort_title if first else "",
            organisation=first.organisation if first else "",
            deciders=self._coordinators(),
            year=self.now.year,
            step_said=_step_said,
            soon=SOON,
            **context,
        )


_GONE = ("withdrawn", "superseded")


def _phase(seat: OwnMentorship) -> str:
    if seat.standing == "out":
        return "you have left it" if seat.state != "over" else "over"
    if seat.ending_early and seat.state != "over":
        return "coming to an early close"
    return PHASES["closed"] if seat.state == "over" else PHASES.get(seat.phase, seat.phase)


def _step_said(step: Coming) -> str:
    first = STEPS.get(step.name, step.name)
    return AGAIN.get(step.name, first) if step.number > 1 else first


def _titled(title: str, ask: str, number: int) -> str:
    return f"{title} {number}" if ask == "check_in" and number > 1 else title


def _rows(requested: Requested) -> list[Row]:
    questions = worded(requested.questions, words_for(requested))
    return answered_rows(questions, requested.answer.body) if requested.answer else []
