"""What stands on the pages of an open call. Reads only; whatever is shown changes nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import HTMLResponse

from mail.dates import whole_day
from mail.form_text import filled, worded
from operations.applications.apply import KEPT, QUICKEST, TRAP, is_open, may_change, questions_of
from operations.forms.fill_in import NO_PURPOSE
from operations.forms.parse import FieldFault, Typed, typed_of, zone_names
from program.forms import Question
from runtime.links import Links
from store.cohorts.calls import Call
from store.people.applications import Application
from web.forms.answers_text import answered_rows
from web.forms.fields import blocks_of, fields_of
from web.rendering import LANGUAGE, Pages


class ApplyPage:
    """The public page of one call. `now` is program time, UTC."""

    def __init__(self, pages: Pages, links: Links, call: Call, now: datetime) -> None:
        self.pages = pages
        self.links = links
        self.call = call
        self.now = now
        self.path = f"{pages.root}/apply/{call.cohort}"
        self.words = {
            "partner": "your partner",
            "since": "the start",
            "purpose": NO_PURPOSE,
            "program": call.program.title,
        }

    def first(self, role: str) -> HTMLResponse:
        """What somebody sees who comes: as what to apply, or the form for the one role that there is."""
        roles = self.call.terms.roles
        if not is_open(self.call, self.now):
            return self._page("apply_shut.html")
        if role not in roles and len(roles) == 1:
            role = roles[0]
        if role not in roles:
            labels = [(each, self.call.role_label(each)) for each in roles]
            return self._page("apply.html", role="", choices=labels, blocks=(), faults=(), opened="", zones=())
        return self.form(role, {})

    def form(self, role: str, typed: Typed, faults: Sequence[FieldFault] = ()) -> HTMLResponse:
        """The form for one role, with what was typed and what is wrong with it."""
        if role not in self.call.terms.roles:
            return self.first("")
        fields = fields_of(self.worded(questions_of(self.call, role)), typed, faults)
        return self._page(
            "apply.html",
            422 if faults else 200,
            role=role,
            role_label=self.call.role_label(role),
            others=[each for each in self.call.terms.roles if each != role],
            choices=(),
            blocks=blocks_of(fields),
            faults=faults,
            trap=TRAP,
            trapped=(typed.get(TRAP) or [""])[0],
            # Who corrects something has read the page before.
            opened=self.links.opened_token(self.call.cohort, int(time.time() - (_READ if faults else 0))),
            zones=zone_names() if any(field.suggestions for field in fields) else (),
        )

    def sent(self) -> HTMLResponse:
        """Look into your mailbox."""
        return self._page("applied.html")

    def withdrawn(self) -> HTMLResponse:
        """The application is withdrawn and deleted."""
        return self._page("application_withdrawn.html")

    def worded(self, questions: Sequence[Question]) -> tuple[Question, ...]:
        """The questions with their wording filled."""
        return worded(questions, self.words)

    def _page(self, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        call, gathering = self.call, self.call.gathering
        program = call.program
        return self.pages.page(
            template,
            status,
            call=call,
            gathering=gathering,
            program=program,
            form=call.form,
            stage=call.stage(self.now),
            path=self.path,
            intro=filled(call.form.intro, self.words),
            who_sees=filled(call.form.who_sees, self.words),
            thanks=filled(call.form.thanks, self.words),
            opens=whole_day(gathering.opens, LANGUAGE),
            closes=whole_day(gathering.closes, LANGUAGE),
            starts=whole_day(call.start, LANGUAGE),
            ends=whole_day(call.start + timedelta(days=program.length), LANGUAGE),
            wishes_open=whole_day(gathering.wishes_open, LANGUAGE) if gathering.wishes_open else "",
            kept=KEPT.days,
            **context,
        )


_READ = QUICKEST.total_seconds()


class ApplicationPage(ApplyPage):
    """The own page of one application, for the holder of its link."""

    def __init__(self, pages: Pages, links: Links, call: Call, application: Application, now: datetime) -> None:
        super().__init__(pages, links, call, now)
        self.application = application
        token = links.application_token(application.id, application.generation)
        self.path = f"{pages.root}/application/{token}"

    def first(  # pyright: ignore[reportIncompatibleMethodOverride] - another page, with another beginning
        self,
        typed: Typed | None = None,
        faults: Sequence[FieldFault] = (),
        *,
        notice: str = "",
        status: int = 200,
    ) -> HTMLResponse:
        """The application as it stands, with what can be done about it."""
        application, call = self.application, self.call
        questions = self.worded(call.questions(application.role)) if application.role else ()
        changeable = application.state in ("confirmed", "waiting") and may_change(call, application, self.now)
        fields = fields_of(questions, typed or typed_of(questions, application.body), faults) if changeable else []
        return self._page(
            "application.html",
            422 if faults else status,
            application=application,
            role_label=call.role_label(application.role),
            rows=answered_rows(questions, application.body),
            blocks=blocks_of(fields),
            faults=faults,
            notice=notice,
            changeable=changeable,
            open=is_open(call, self.now),
            zones=zone_names() if any(field.suggestions for field in fields) else (),
        )
