"""Fills letters: from what the store knows to what `mail` needs to word a mail, for many people at once.

Decides what each reader may see: partners only once they are introduced, contact details at the end only where
all chose to stay in touch, notes only as they were meant to be passed on. Words nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from activities.letters import agreement_text, application_letters
from activities.letters.application_letters import WhyMatched
from activities.letters.letter_people import (
    Missing,
    capacity_of,
    coordinator_of,
    partners_of,
    role_of,
    seats_of,
    someone,
)
from lifecycle.delivery.holds import MAY_CONTACT
from lifecycle.delivery.messages import MESSAGE
from lifecycle.delivery.notices import OF_SILENCE
from lifecycle.delivery.postbox import ADDRESS_NEW
from lifecycle.local_time import DAY, local_date
from lifecycle.state import PlannedPause
from mail.dates import listed
from mail.headers import domain_of, message_id
from mail.letters import APPLICATIONS, PERSONAL, TO_COORDINATORS, Letter, LetterItem, LetterTask, MailPerson, Meetings
from mail.own_templates import SHARED, OwnTemplates
from program.forms import Answers
from store.columns import public_id
from store.delivery.due import Item
from store.delivery.letter_facts import Background, MentorshipRef, background
from store.people.address_changes import Side
from store.people.own_links import OWN_PAGE
from store.people.voices import VOICE
from store.tables import AddressChangeRow, MentorshipRow, ParticipantRow, RequestRow

BEFORE_INTRODUCTION = frozenset(
    {"invitation", "not_starting", "transferred", "cancelled", "safety_received", MESSAGE, *TO_COORDINATORS}
)
"""Mails in which nobody learns who the partner is."""
WEEKS = {"weekly": 1, "every_2_weeks": 2, "every_3_weeks": 3, "monthly": 4, "every_6_weeks": 6}
"""Answers to `a_cadence` with the weeks between two meetings; any other makes no series."""
STATES = ("fine", "stuck", "stopped")
"""The three links of `are_you_there`."""

_CLOCK = re.compile(r"^\s*(\d{1,2})[:.h](\d{2})\s*$")
_NTH = re.compile(r"/reminder\.(\d+)$")


LanguageOf = Callable[[str, Sequence[tuple[str, OwnTemplates]]], str]
"""Given the language that a reader wants and the items of a mail (name, templates of the cohort), the language of
that mail."""


class LinkMaker(Protocol):
    """Makes the signed links that stand in mails."""

    def request_url(self, public_id: str, generation: int, **preselect: str) -> str:
        """The page of a request."""
        ...

    def stop_url(self, person: str, generation: int) -> str:
        """Where a person's reminders are stopped."""
        ...

    def place_url(self, person: str, generation: int) -> str:
        """The person's own page."""
        ...

    def address_url(self, change: str, side: Side) -> str:
        """Where the old or the new address confirms a change."""
        ...

    def task_url(self, task: str) -> str:
        """The page of a task, by its public id."""
        ...

    def application_url(self, application: str, generation: int, page: str = "") -> str:
        """The own page of an application, or one below it."""
        ...


@dataclass(frozen=True, slots=True)
class PlannedLetter:
    """A mail to be written: these items, oldest first, to this person, at this instant (UTC)."""

    id: str
    person: str
    items: tuple[Item, ...]
    at: datetime


class LetterWriter:
    """Writes letters. `sender` is the From address; with `redirect_all_to` every letter goes there instead. `secret`
    makes Message-IDs that nobody can guess.

    `why_matched` says why somebody took a seat later, where their mentorship was matched.
    `language_of` says in which language a mail will be (`Composer.language_of`): what is put into it is in the same.
    """

    def __init__(
        self,
        links: LinkMaker,
        sender: str,
        sender_name: str = "",
        redirect_all_to: str = "",
        language_of: LanguageOf = lambda wanted, items: wanted,
        *,
        secret: str,
        why_matched: WhyMatched | None = None,
    ) -> None:
        self.links = links
        self.why_matched = why_matched
        self.sender = sender
        self.sender_name = sender_name
        self.redirect_all_to = redirect_all_to
        self.domain = domain_of(sender)
        self._secret = secret
        self.language_of = language_of

    async def letters(
        self, session: AsyncSession, planned_letters: Sequence[PlannedLetter]
    ) -> list[Letter | Exception]:
        """A letter for each, in order; in the place of one that can't be written, why not."""
        if not planned_letters:
            return []
        items = [item for planned in planned_letters for item in planned.items]
        known = await background(session, items, {planned.person for planned in planned_letters})
        if self.why_matched is not None:
            await application_letters.read_reasons(session, items, known, self.why_matched)
        found: list[Letter | Exception] = []
        for planned in planned_letters:
            try:
                found.append(self._letter(planned, known))
            except Exception as error:  # one bad row must not keep the others back
                found.append(error)
        return found

    def _letter(self, planned: PlannedLetter, known: Background) -> Letter:
        person = known.people[planned.person]
        first = planned.items[0]
        cohort = known.cohorts[first.cohort]
        capacity = capacity_of(planned.items, person.id, known)
        recipient = someone(person)
        items = [(item.name, known.own_templates.get(item.cohort, SHARED)) for item in planned.items]
        language = self.language_of(person.language, items)
        elsewhere = first.name == ADDRESS_NEW
        if any(application_letters.is_unproven(item, known) for item in planned.items):
            recipient = replace(recipient, name="", profile={})
        if elsewhere:
            recipient = replace(recipient, email=_address_change(first, known).email)
        if self.redirect_all_to:
            recipient = replace(recipient, email=self.redirect_all_to)
        # An address that nobody has confirmed may be a stranger's: it gets no key to anything.
        stops = capacity == "participant" and not elsewhere
        threads = dict.fromkeys(
            message_id(message, self.domain, self._secret)
            for item in planned.items
            if item.kind == "reminder"
            for message in known.threads.get(item.request, ())
        )
        return Letter(
            recipient=recipient,
            cohort=cohort.id,
            cohort_title=cohort.title,
            organisation=cohort.organisation,
            coordinator=_author(planned.items, known) or coordinator_of(cohort.id, person.id, known),
            at=planned.at,
            message_id=message_id(planned.id, self.domain, self._secret),
            sender=self.sender,
            sender_name=self.sender_name,
            references=tuple(threads),
            unsubscribe_url=self.links.stop_url(person.id, person.generation) if stops else "",
            place_url=self.links.place_url(person.id, person.generation) if stops else "",
            capacity=capacity,
            own=known.own_templates.get(cohort.id, SHARED),
            items=tuple(self._letter_item(item, person, language, known) for item in planned.items),
        )

    def _letter_item(self, item: Item, person: ParticipantRow, language: str, known: Background) -> LetterItem:
        place = (item.cohort, item.mentorship)
        mentorship = known.mentorships.get(place)
        facts: dict[str, Any] = {
            "key": item.key,
            "kind": item.kind,
            "name": item.name,
            "number": item.number,
            "nth": int(found[1]) if (found := _NTH.search(item.key)) else 1,
            "mentorship": item.mentorship,
            "role": role_of(item, person.id, known),
            "own": known.own_templates.get(item.cohort, SHARED),
        }
        if item.task:
            facts["task"] = _task(item, known)
            facts["link"] = self.links.task_url(public_id(item.task))
        if mentorship is not None:
            facts |= self._of_mentorship(item, person, language, mentorship, known)
        if item.request:
            facts |= self._of_request(item, person, language, known)
        if item.name == VOICE:
            facts["link"] = f"{self.links.place_url(person.id, person.generation)}/voice/{item.about}"
        elif item.name == OWN_PAGE:
            facts["link"] = self.links.place_url(person.id, person.generation)
        elif item.name in PERSONAL:
            change = _address_change(item, known)
            facts["new_address"] = change.email
            facts["closes"] = local_date(change.lapses_at, person.zone) - DAY
            facts["link"] = self.links.address_url(change.id, "new" if item.name == ADDRESS_NEW else "old")
        if item.name in APPLICATIONS:
            facts |= application_letters.facts_of(item, known, self.links)
        if item.name == MESSAGE:
            facts |= _written(item, known)
        if item.name == "reminders_stopped" and item.about in known.people:
            facts["about"] = someone(known.people[item.about])
        return LetterItem(**facts)

    def _of_mentorship(
        self, item: Item, person: ParticipantRow, language: str, mentorship: MentorshipRow, known: Background
    ) -> dict[str, Any]:
        place = (item.cohort, item.mentorship)
        program = known.programs[place].program
        paused_before = item.name == "partner_paused" and mentorship.phase == "onboarding"
        hidden = item.name in BEFORE_INTRODUCTION or paused_before
        facts: dict[str, Any] = {
            "format": mentorship.format,
            "program_title": program.title,
            "program_about": program.about,
            "start": mentorship.start,
            "end": mentorship.end,
            "rhythm_days": program.rhythm.every,
            "rhythm_minutes": program.rhythm.minutes,
            "partners": () if hidden else partners_of(place, person.id, known),
            "early": mentorship.ending == "ended_early",
        }
        match item.name:
            case "invitation" if mentorship.proposed:
                facts |= application_letters.proposal(item, place, person.id, mentorship, known, partners_of)
            case "introduction":
                facts["first_meeting"] = program.first_meeting
            case "get_going":
                facts["guides"] = program.meetings_guides
            case "joint_sheet":
                own_page = self.links.place_url(person.id, person.generation)
                facts["link"] = f"{own_page}/joint/{item.cohort}/{item.mentorship}"
            case "safety_received":
                facts["emergency"] = program.emergency
                facts["contact"] = item.about == MAY_CONTACT
            case "partner_left" if item.about in known.people:
                gone = someone(known.people[item.about], role_of(item, item.about, known))
                erased = known.people[item.about].standing == "erased"
                facts["about"] = replace(gone, name="") if erased else gone
            case "partner_paused":
                pause = PlannedPause.of(item.about)
                later = pause.on > local_date(item.queued_at, known.cohorts[item.cohort].zone)
                facts["since"] = pause.on if later else None
                facts["closes"] = pause.until
            case "farewell":
                facts |= _farewell(place, person.id, known)
                facts["certificate"] = program.phases.closure.certificate and not facts["early"]
                if facts["certificate"]:
                    own_page = self.links.place_url(person.id, person.generation)
                    facts["link"] = f"{own_page}/certificate/{item.cohort}/{item.mentorship}"
            case "agreement_concluded":
                facts |= self._concluded(item, person, language, mentorship, known)
            case "closing_for_silence":
                facts["closes"] = item.date + timedelta(days=program.rules.last_call)
            case _:
                pass
        return facts

    def _of_request(self, item: Item, person: ParticipantRow, language: str, known: Background) -> dict[str, Any]:
        request = known.requests.get(item.request)
        if request is None:
            raise Missing(f"no request {item.request!r}")
        form = known.asked[request.key].form_for(request.ask)
        facts: dict[str, Any] = {
            "link": self.links.request_url(request.public_id, request.generation),
            "form_title": form.title,
            "form_minutes": form.minutes,
            "early": request.early,
            "since": _since(request, known),
        }
        if item.name not in OF_SILENCE:  # their links work until the mentorship is closed
            facts["closes"] = request.closes
        if item.name == "are_you_there":
            facts["link"] = ""
            facts["links"] = {
                state: self.links.request_url(request.public_id, request.generation, state=state) for state in STATES
            }
        if request.ask == "agreement":
            facts |= _on_the_table(item, request, person, language, known)
        return facts

    def _concluded(
        self, item: Item, person: ParticipantRow, language: str, mentorship: MentorshipRow, known: Background
    ) -> dict[str, Any]:
        place = (item.cohort, item.mentorship)
        body = next((row.body for row in known.agreements.get(place, ()) if row.version == item.number), None)
        if body is None:
            raise Missing(f"no version {item.number} of the agreement of {item.mentorship!r}")
        request = known.agreement_requests.get((*place, person.id))
        form = (known.asked[request.key] if request else known.programs[place]).form_for("agreement")
        words = _words(place, person.id, language, known)
        return {
            "agreement_version": item.number,
            "agreement": agreement_text.rows(form, body, mentorship.format, language, words),
            "meetings": _meetings(body, item, mentorship, known),
            "link": self.links.request_url(request.public_id, request.generation) if request else "",
        }


def _written(item: Item, known: Background) -> dict[str, Any]:
    """A coordinator's message, and who wrote it."""
    written = known.messages.get(item.about)
    if written is None:
        raise Missing(f"no message {item.about!r}")
    return {"subject": written.subject, "message": written.text, "about": someone(known.people[written.by])}


def _author(items: Iterable[Item], known: Background) -> MailPerson | None:
    """Who reads replies to a mail that brings a message: who wrote it, where mail reaches them."""
    written = (known.messages.get(item.about) for item in items if item.name == MESSAGE)
    author = next((known.people[one.by] for one in written if one is not None), None)
    return someone(author) if author is not None and author.standing not in ("bounced", "erased") else None


def _address_change(item: Item, known: Background) -> AddressChangeRow:
    change = known.address_changes.get(item.about)
    if change is None:
        raise Missing(f"no change of an address {item.about!r}")
    return change


def _task(item: Item, known: Background) -> LetterTask:
    task = known.tasks.get(item.task)
    if task is None:
        raise Missing(f"no task {item.task!r}")
    about = (
        ()
        if task.kind == "safety"
        else tuple(known.people[person].name for person in task.about if person in known.people)
    )
    ids = tuple(task.about) if about else ()
    return LetterTask(task.key, task.kind, task.reason, task.due, task.opened_on, tuple(task.decisions), about, ids)


def _since(request: RequestRow, known: Background) -> date | None:
    if request.ask not in ("check_in", "midpoint"):
        return None
    place = (request.cohort, request.mentorship)
    before = [opened for number, opened in known.check_ins.get(place, ()) if number < request.number]
    return max(before, default=known.mentorships[place].start)


def _words(place: MentorshipRef, person: str, language: str, known: Background) -> dict[str, str]:
    """What the places in a form's wording hold."""
    names = [partner.name for partner in partners_of(place, person, known)]
    return {"partner": listed(names, language), "program": known.programs[place].program.title}


def _on_the_table(
    item: Item, request: RequestRow, person: ParticipantRow, language: str, known: Background
) -> dict[str, Any]:
    """An agreement to draft, or to read: by whom, and what differs from the version that the reader knows."""
    place = (item.cohort, item.mentorship)
    versions = known.agreements.get(place, [])
    table = next((row for row in versions if row.version == request.number), None)
    if table is None:
        return {"drafting": True, "agreement_version": request.number}
    found: dict[str, Any] = {"agreement_version": table.version}
    if table.by in known.people and table.by != person.id:
        found["about"] = someone(known.people[table.by])
    seen = [row for row in versions if row.version < table.version and person.id in (row.by, *row.signed)]
    if seen:
        form = known.asked[request.key].form_for("agreement")
        format_ = known.mentorships[place].format
        words = _words(place, person.id, language, known)
        found["changes"] = agreement_text.changes(form, seen[-1].body, table.body, format_, language, words)
    return found


def _meetings(body: Answers, item: Item, mentorship: MentorshipRow, known: Background) -> Meetings | None:
    """The series that the agreement names, on the clock of whom the form asks: the mentee, the mentor of a
    group, the first of two peers."""
    place = (item.cohort, item.mentorship)
    at = _clock(body.get("a_time"))
    weeks = WEEKS.get(str(body.get("a_cadence")))
    weekday, minutes = body.get("a_day"), str(body.get("a_length") or "")
    if at is None or weeks is None or not weekday or not minutes.isdigit():
        return None
    role = {"group": "mentor", "peer": "peer"}.get(mentorship.format, "mentee")
    whose = next((seat.person for seat in seats_of(place, known) if seat.role == role), None)
    if whose is None:
        return None
    zone = known.people[whose].zone
    first = max(local_date(item.queued_at, zone) + DAY, mentorship.start)
    return Meetings(weekday, at, zone, weeks, int(minutes), first, mentorship.end)


def _clock(text: Any) -> time | None:
    found = _CLOCK.match(text) if isinstance(text, str) else None
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        return None
    return time(int(found[1]), int(found[2]))


def _farewell(place: MentorshipRef, person: str, known: Background) -> dict[str, Any]:
    """Notes to be passed on, and contact details where every single one chose to stay in touch."""
    said = known.closures.get(place, {})
    asked = known.closed_with.get(place, known.programs[place])
    form = asked.forms.get(asked.program.form_for("closure"))
    passed_on = form is not None and any(
        question.id == "c_note" and question.visible == "pair" for question in form.questions
    )
    partners = partners_of(place, person, known)
    notes = tuple(
        (partner.name, note)
        for partner in partners
        if passed_on and isinstance(note := said.get(partner.id, {}).get("c_note"), str) and note.strip()
    )
    everybody = [seat.person for seat in seats_of(place, known)]
    together = all(said.get(one, {}).get("c_contact", "close") not in ("close", None) for one in everybody)
    return {"notes": notes, "contacts": partners if together and len(everybody) > 1 else ()}
