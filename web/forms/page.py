"""What stands on the page of a request, in each of its states. Reads only; whatever is shown changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from starlette.datastructures import QueryParams
from starlette.responses import HTMLResponse

from lifecycle.findings import AgreementAct
from mail.dates import listed
from mail.form_text import filled, worded
from operations.forms import agreements
from operations.forms.fill_in import words_for
from operations.forms.parse import ZONE_QUESTIONS, FieldFault, Typed, read, typed_of, zone_names
from operations.forms.pause_offer import PauseOffer
from operations.forms.submit import Access, access_of
from operations.submissions import mint
from program.forms import Question
from program.goals import identified, named
from program.text import whole_number
from runtime.links import Links
from store.forms.requests import Other, Requested
from web.forms.answers_text import Row, answered_rows, changed_rows, document_rows
from web.forms.fields import blocks_of, fields_of
from web.forms.goals import with_goals
from web.rendering import LANGUAGE, Pages

LONG_FORM = 10
"""A form with more questions than this can be saved and finished later."""
ROLE_WORDS = {"mentor": "mentor", "mentee": "mentee", "peer": "partner"}
STATE_HEADINGS = {
    "withdrawn": "This form is no longer needed",
    "superseded": "There is a newer version of this form",
    "over": "This mentorship is closed",
}


class FormPage:
    """The page of one request, for the person who holds its link. `now` is program time, UTC."""

    def __init__(self, pages: Pages, links: Links, requested: Requested, now: datetime) -> None:
        self.pages = pages
        self.links = links
        self.requested = requested
        self.access: Access = access_of(requested, now)
        self.words = words_for(requested)
        self.questions = _with_zone(worded(requested.questions, self.words), requested.zone)
        token = links.request_token(requested.public_id, requested.generation)
        self.path = f"{pages.root}/f/{token}"

    # -- states ------------------------------------------------------------------------------------------------

    def first(self, query: QueryParams) -> HTMLResponse:
        """What somebody sees who opens the link."""
        readable = self.requested.ask == "agreement" and bool(self.requested.versions)
        if self.access not in ("open", "late") and not (readable and self.access == "over"):
            return self.shut()
        if self.requested.ask == "agreement":
            return self.agreement(query)
        if self.requested.answer is not None and self.requested.state != "open" and not self._wants_to_change(query):
            return self.answered()
        return self.form(self._typed(query), more=query.get("more", ""), preselected=self._one_click(query))

    def form(
        self,
        typed: Typed,
        faults: Sequence[FieldFault] = (),
        *,
        more: str = "",
        preselected: bool = False,
        notice: str = "",
        changes: Sequence[Row] = (),
        status: int = 200,
    ) -> HTMLResponse:
        """The questions, with what was typed and what is wrong with it."""
        requested = self.requested
        typed, goals = with_goals(self.questions, typed, requested.goals, requested.goal_titles)
        fields = fields_of(self.questions, typed, faults, more=more, goals=goals)
        return self._page(
            "one_click.html" if preselected and not faults else "form.html",
            422 if faults else status,
            fields=fields,
            blocks=blocks_of(fields),
            faults=faults,
            notice=notice,
            changes=changes,
            changing=requested.answer is not None,
            resumed=requested.draft is not None and not faults,
            can_save=len(fields) > LONG_FORM,
            submission=mint(),
            seen_version=agreements.on_the_table(requested),
            is_agreement=requested.ask == "agreement",
            zones=zone_names() if any(field.suggestions for field in fields) else (),
            send_label=self._send_label(),
        )

    def answered(self, *, repeated: bool = False) -> HTMLResponse:
        """What was answered, and until when it can be changed."""
        answer = self.requested.answer
        rows = answered_rows(self.questions, named(answer.body, self.requested.goal_titles)) if answer else []
        return self._page("answered.html", rows=rows, answer=answer, repeated=repeated)

    def thanks(self, offers: Sequence[PauseOffer] = (), *, paused: bool = False) -> HTMLResponse:
        """The answers are in; what happens next. `offers` are pauses for the days on which the person is away,
        `paused` says that one was made."""
        requested = self.requested
        body = requested.answer.body if requested.answer else {}
        agreed = requested.ask == "agreement" and agreements.concluded(requested)
        return self._page(
            "thanks.html",
            answer=requested.answer,
            thanks=filled(requested.form.thanks, self.words),
            safety=body.get("p_help") == "safety",
            contact=body.get("p_contact") is True,
            emergency=requested.program.emergency,
            next_others=self._others(same_ask=True),
            agreed=agreed,
            offers=offers,
            paused=paused,
        )

    def pause(self, offer: PauseOffer | None, why: str = "") -> HTMLResponse:
        """A pause for the days of an absence, with its button; or why it can't be made."""
        return self._page("pause_offer.html", 409 if why else 200, offer=offer, why=why, submission=mint())

    def saved(self) -> HTMLResponse:
        """The form is kept half filled in."""
        return self._page("saved.html")

    def shut(self) -> HTMLResponse:
        """The link takes no answers; the current request is one click away, if there is one."""
        current = self._others(same_ask=True, same_mentorship=True) or self._others(same_mentorship=True)
        heading = STATE_HEADINGS.get(self.access, STATE_HEADINGS["withdrawn"])
        return self._page("shut.html", 200, heading=heading, current=current[0] if current else None)

    # -- the agreement -----------------------------------------------------------------------------------------

    def agreement(self, query: QueryParams) -> HTMLResponse:
        """The agreement: to draft, to sign or change, to wait for the others, or to read."""
        requested = self.requested
        asked_for = whole_number(query.get("version", ""), 8)
        if any(version.number == asked_for for version in requested.versions):
            return self.document(version=asked_for)
        if self._may("change") and (agreements.drafting(requested) or self._wants_to_change(query)):
            return self.form(self._typed(query), more=query.get("more", ""))
        return self.document()

    def document(
        self,
        *,
        version: int = 0,
        faults: Sequence[FieldFault] = (),
        signature: str = "",
        overtaken: int | None = None,
    ) -> HTMLResponse:
        """A version of the document, with what changed since the one that the person knows."""
        requested = self.requested
        if not requested.versions:
            return self._page("waiting.html")
        table = requested.versions[-1]
        shown = next((each for each in requested.versions if each.number == version), table)
        known = agreements.last_known(requested) if overtaken is None else overtaken
        base = shown.number - 1 if version else known
        before = next((each.body for each in requested.versions if each.number == base), None)
        if base >= shown.number:
            before = None
        rows = document_rows(requested, shown.body, before)
        to_sign = [question for question in self.questions if question.type == "sign"]
        names = {seat.person: seat.name for seat in requested.members}
        return self._page(
            "agreement.html",
            409 if overtaken is not None else 422 if faults else 200,
            shown=shown,
            table=table,
            rows=rows,
            changes=changed_rows(rows),
            base=base if before is not None else 0,
            names=names,
            signers=[seat for seat in requested.members if seat.standing not in ("out", "declined")],
            may_sign=self._may("sign") and shown is table and bool(to_sign),
            may_change=self._may("change") and shown is table,
            is_late=self.access == "late",
            concluded=agreements.concluded(requested),
            past=version != 0 and shown is not table,
            sign_field=fields_of(to_sign[:1], {to_sign[0].id: [signature]}, faults)[0] if to_sign else None,
            faults=faults,
            overtaken=overtaken,
            submission=mint(),
            drafting=agreements.drafting(requested),
        )

    def overtaken(self, typed: Typed, seen: int) -> HTMLResponse:
        """Somebody else changed the document meanwhile: what they changed, and what the person had typed."""
        requested = self.requested
        if typed.get(agreements.ACT) == ["sign"]:
            name = next((typed[q.id][0] for q in self.questions if q.type == "sign" and typed.get(q.id)), "")
            return self.document(signature=name, overtaken=seen)
        table = requested.versions[-1]
        before = next((version.body for version in requested.versions if version.number == seen), {})
        changes = changed_rows(document_rows(requested, table.body, before))
        who = next((seat.name for seat in requested.members if seat.person == table.by), "somebody else")
        notice = (
            f"{who} has written version {table.number} in the meantime. What you typed is still here, and not sent "
            "yet. Look at what changed, then send your version or go back and sign theirs."
        )
        return self.form(typed, notice=notice, changes=changes, status=409)

    # -- parts -------------------------------------------------------------------------------------------------

    def _typed(self, query: QueryParams) -> Typed:
        """What stands in the fields: a draft before the latest answer before what we know; a click on top."""
        requested = self.requested
        if requested.draft is not None:
            typed = dict(requested.draft)
        elif requested.ask == "agreement":
            typed = typed_of(self.questions, identified(requested.versions[-1].body)) if requested.versions else {}
        elif requested.answer is not None:
            typed = typed_of(self.questions, requested.answer.body)
        else:
            typed = {}
        return typed | self._clicked(query)

    def _clicked(self, query: QueryParams) -> Typed:
        """Answers that the link itself carries, as far as they are answers; they are shown and stored by nobody."""
        clicked: Typed = {}
        if "q" in query:
            for question in self.questions:
                choice = {question.id: [query["q"]]}
                if question.type in ("scale", "yes_no", "one", "number") and not read([question], choice).faults:
                    clicked |= choice
                    break
        for question in self.questions:
            if question.type in ("scale", "yes_no", "one", "number") and question.id in query:
                choice = {question.id: [query[question.id]]}
                if not read([question], choice).faults:
                    clicked |= choice
        return clicked

    def _one_click(self, query: QueryParams) -> bool:
        return len(self.questions) == 1 and bool(self._clicked(query))

    def _may(self, act: AgreementAct) -> bool:
        return self.access in ("open", "late") and agreements.may(self.requested, act)

    def _wants_to_change(self, query: QueryParams) -> bool:
        return any(name in query for name in ("change", "more")) or self.requested.draft is not None

    def _send_label(self) -> str:
        if self.requested.ask == "agreement":
            return "Sign and send this version"
        return "Send the change" if self.requested.answer is not None else "Send"

    def _others(self, *, same_ask: bool = False, same_mentorship: bool = False) -> list[tuple[Other, str]]:
        return [
            (other, f"{self.pages.root}/f/{self.links.request_token(other.public_id, other.generation)}")
            for other in self.requested.others
            if (not same_ask or other.ask == self.requested.ask)
            and (not same_mentorship or other.mentorship == self.requested.mentorship)
        ]

    def _proposal(self) -> tuple[str, tuple[str, ...]]:
        """Of an invitation after matching: the partners' names, and why they were matched; empty for any other form.

        Why is said of those who were matched only, not of who came in the place of one.
        """
        asked = self.requested
        if asked.ask != "invitation" or not asked.proposed:
            return "", ()
        as_matched = all(seat.standing in ("invited", "accepted") for seat in asked.members)
        return listed([seat.name for seat in asked.partners], LANGUAGE), asked.because if as_matched else ()

    def _page(self, name: str, status: int = 200, **context: Any) -> HTMLResponse:
        requested = self.requested
        return self.pages.page(
            name,
            status,
            asked=requested,
            form=requested.form,
            access=self.access,
            path=self.path,
            intro=filled(requested.form.intro, self.words),
            who_sees=filled(requested.form.who_sees, self.words),
            role=ROLE_WORDS.get(requested.role, requested.role),
            words=self.words,
            duration=duration(requested.form.minutes),
            others=self._others(same_ask=True),
            proposal=self._proposal(),
            **context,
        )


def _with_zone(questions: tuple[Question, ...], zone: str) -> tuple[Question, ...]:
    """A question about the zone says which one we know."""
    return tuple(
        question.model_copy(update={"help": f"{question.help} We have {zone} for you.".strip()})
        if question.id in ZONE_QUESTIONS
        else question
        for question in questions
    )


def duration(minutes: float) -> str:
    """How long a form takes, in words."""
    if minutes < 1:
        return "less than a minute"
    if minutes == 1:
        return "a minute"
    return f"{minutes:g} minutes" if minutes == int(minutes) else f"{int(minutes)} to {int(minutes) + 1} minutes"
