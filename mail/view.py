"""The values of a letter that a template sees: plain codes it can test (role, format, kind), and placeholders in
place of everything that people, or a coordinator's config, wrote (`mail.inserts`). The order in which values are
put is fixed, so that equal mails to different people have equal skeletons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from mail import dates
from mail.headers import address
from mail.inserts import Inserts, line, name, passage, typographic, without_placeholders
from mail.letters import Letter, LetterItem, LetterTask, MailPerson, Meetings
from mail.meetings import starts

_FAMILY_NAME_FIRST = ("hu", "ja", "ko", "vi", "zh")
"""Languages whose speakers usually write the family name first: their whole name is used."""


def called(person: MailPerson) -> str:
    """How to address somebody: what their profile says (`called`), else the first name where it is plain to
    see which that is, else the whole name."""
    if chosen := name(person.profile.get("called", "")):
        return chosen
    whole = name(person.name)
    first, _, more = whole.partition(" ")
    clear = more and len(first) > 1 and first.isalpha() and "," not in whole
    ordered = person.language.split("-")[0].lower() not in _FAMILY_NAME_FIRST
    return first if clear and ordered and first.lower() not in ("dr", "prof", "mr", "mrs", "ms") else whole


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person in a template; every field but `role` is a placeholder, or empty."""

    id: str
    name: str
    called: str
    email: str
    write: str
    """Target of a link that writes a mail to this person."""
    role: str
    zone: str
    """Name of the zone, where it is another than the reader's."""
    goals: str
    offer: str
    profile: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MeetingsView:
    """The meeting series in words: the pair's own zone, and the reader's where that differs."""

    every_weeks: int
    weekday: str
    at: str
    zone: str
    minutes: int
    first: str
    own: str
    """First meeting in the reader's zone, with the zone's name; empty where it is the same clock."""


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task in a template."""

    key: str
    kind: str
    mentorship: str
    place: str
    """The mentorship as commands take it: cohort and key."""
    reason: str
    due: str
    opened: str
    about: str
    """Names, listed; empty if the task names no person."""
    person_id: str
    """Id of whom it concerns, where it is one person."""
    decisions: tuple[str, ...]


class View:
    """Builds the context of one item. Language is that of the template, zone that of the reader."""

    def __init__(self, letter: Letter, item: LetterItem, language: str, inserts: Inserts | None = None) -> None:
        self.letter = letter
        self.item = item
        self.language = language
        self.inserts = inserts or Inserts()
        self.zone = letter.recipient.zone or "UTC"
        self.year = letter.at.astimezone(ZoneInfo(self.zone)).year

    def _line(self, text: str) -> str:
        return self.inserts.put(line(text))

    def _name(self, text: str) -> str:
        return self.inserts.put(name(text))

    def _passage(self, text: str) -> str:
        return self.inserts.put(passage(text))

    def _wording(self, text: str) -> str:
        """Text of a program, a form or a task, with the quotes of the mail around it; what people write stays."""
        return self.inserts.put(_printed(text, self.language))

    def _day(self, on: date | None) -> str:
        return self.inserts.put(dates.day(on, self.language, self.year)) if on else ""

    def person(self, someone: MailPerson) -> PersonView:
        """A person with placeholders in place of what they wrote."""
        email = someone.email and address(someone.email, "address of a person", utf8=True)
        elsewhere = someone.zone and someone.zone != self.zone
        shown = [(field, value) for field, value in someone.profile.items() if field != "called" and value]
        return PersonView(
            id=self._line(someone.id),
            name=self._name(someone.name),
            called=self.inserts.put(called(someone)),
            email=self.inserts.put(email),
            write=self.inserts.put_url(f"mailto:{quote(email, safe='@+')}" if email else ""),
            role=someone.role,
            zone=self._line(dates.zone_name(someone.zone, self.language)) if elsewhere else "",
            goals=self._passage(someone.goals),
            offer=self._passage(someone.offer),
            profile=tuple((self._line(_shown(field)), self._line(value)) for field, value in shown),
        )

    def meetings(self, series: Meetings | None) -> MeetingsView | None:
        """The meeting series in words."""
        begin = starts(series) if series else None
        if series is None or begin is None:
            return None
        own = begin.astimezone(ZoneInfo(self.zone))
        same = own.utcoffset() == begin.utcoffset()
        return MeetingsView(
            every_weeks=series.every_weeks,
            weekday=self._line(dates.weekday_name(series.weekday, self.language)),
            at=self._line(dates.clock(series.at, self.language)),
            zone=self._line(dates.zone_name(series.zone, self.language)),
            minutes=series.minutes,
            first=self._day(begin.date()),
            own="" if same else self._line(dates.moment(begin, self.zone, self.language)),
        )

    def task(self, facts: LetterTask | None) -> TaskView | None:
        """A task in words."""
        if facts is None:
            return None
        return TaskView(
            key=self._line(facts.key),
            kind=facts.kind,
            mentorship=self._line(self.item.mentorship),
            place=self._line(f"{self.letter.cohort}/{self.item.mentorship}"),
            reason=self._wording(facts.reason),
            due=self._day(facts.due),
            opened=self._day(facts.opened),
            about=self._line(dates.listed([name(person) for person in facts.about], self.language)),
            person_id=self._line(facts.ids[0]) if len(facts.ids) == 1 else "",
            decisions=facts.decisions,
        )

    def row(self) -> dict[str, Any]:
        """The task of this item as a row of a table."""
        task = self.task(self.item.task)
        if task is None:
            raise ValueError("the item has no task")
        safety = task.kind == "safety"
        return {
            "kind": task.kind,
            "again": self.item.name != "task_opened",
            "mentorship": "" if safety else task.mentorship,
            "place": task.place,
            "due": task.due,
            "link": self.inserts.put_url(self.item.link),
        }

    def _counterparts(self) -> Sequence[MailPerson]:
        """Those whom the reader meets: for a mentee of a group the mentor, otherwise everyone else."""
        partners = self.item.partners
        if self.item.format == "group" and self.item.role == "mentee":
            return [partner for partner in partners if partner.role == "mentor"] or partners
        return partners

    def context(self) -> dict[str, Any]:
        """Everything that a template may use, by name."""
        letter, item = self.letter, self.item
        counterparts = self._counterparts()
        fellows = [partner for partner in item.partners if partner not in counterparts]
        weeks = (item.end - item.start).days // 7 if item.start and item.end else 0
        return {
            "kind": item.kind,
            "name": item.name,
            "role": item.role,
            "format": item.format,
            "number": item.number,
            "nth": item.nth,
            "early": item.early,
            "drafting": item.drafting,
            "certificate": item.certificate,
            "rhythm_days": item.rhythm_days,
            "rhythm_minutes": item.rhythm_minutes,
            "form_minutes": item.form_minutes,
            "agreement_version": item.agreement_version,
            "weeks": weeks,
            "me": self.person(letter.recipient),
            "coordinator": self.person(letter.coordinator),
            "cohort": self._line(letter.cohort_title),
            "cohort_id": self._line(letter.cohort),
            "mentorship": self._line(item.mentorship),
            "organisation": self._line(letter.organisation),
            "program": self._line(item.program_title),
            "program_about": self._wording(item.program_about),
            "partners": tuple(self.person(partner) for partner in counterparts),
            "names": self._line(dates.listed([called(partner) for partner in counterparts], self.language)),
            "full_names": self._line(dates.listed([name(partner.name) for partner in counterparts], self.language)),
            "fellows": self._line(dates.listed([name(partner.name) for partner in fellows], self.language)),
            "start": self._day(item.start),
            "end": self._day(item.end),
            "closes": self._day(item.closes),
            "since": self._day(item.since),
            "dated": self._dated(),
            "form_title": self._line(item.form_title),
            "link": self.inserts.put_url(item.link),
            "links": {state: self.inserts.put_url(url) for state, url in item.links.items()},
            "agreement": tuple((self._line(label), self._passage(text)) for label, text in item.agreement),
            "changes": tuple(
                (self._line(change.label), self._passage(change.before), self._passage(change.after))
                for change in item.changes
            ),
            "meetings": self.meetings(item.meetings),
            "first_meeting": _guide(item.first_meeting, self.language),
            "guides": tuple(self._wording(guide) for guide in item.guides),
            "notes": tuple((self._name(author), self._passage(text)) for author, text in item.notes),
            "contacts": tuple(self.person(partner) for partner in item.contacts),
            "about": self.person(item.about) if item.about else None,
            "new_address": self._line(item.new_address),
            "message_subject": self._line(item.subject),
            "message": without_placeholders(item.message),
            "emergency": self._wording(item.emergency),
            "contact": item.contact,
            "task": self.task(item.task),
            "proposed": item.proposed,
            "because": tuple(self._wording(words) for words in item.because),
            "why": self._wording(item.why),
            "waiting": item.waiting,
            "open": item.open,
        }

    def _dated(self) -> dict[str, str]:
        """The mentorship's dates in full, as a certificate gives them."""
        dates_by_name = {"start": self.item.start, "end": self.item.end}
        return {
            key: self.inserts.put(dates.whole_day(on, self.language)) if on else ""
            for key, on in dates_by_name.items()
        }


@lru_cache(maxsize=512)
def _printed(text: str, language: str) -> str:
    return typographic(passage(text), language)


@lru_cache(maxsize=64)
def _guide(text: str, language: str) -> str:
    return typographic(without_placeholders(text), language)


@lru_cache(maxsize=256)
def _shown(field: str) -> str:
    """`job_title` as people read it."""
    plain = field.replace("_", " ").strip()
    return plain[:1].upper() + plain[1:]
