"""The page of one person: details, seats in all cohorts, open forms, mails, what came back, and what they agreed to.

Put together for one reader, who sees answers and mails of the cohorts that they coordinate and of no other. It must
not be passed to Temporal or written to a log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.local_time import local_date
from operations.errors import NotFound
from operations.forms.answers import NEUTRAL, ShownAnswer, ShownForm, shown
from operations.mentorships.status import as_object
from operations.views.mail import is_for_coordinators
from operations.views.reader import PageReader
from store.database import Database
from store.forms.answers import answers_of_person
from store.lookups import look_up_all
from store.people import absences, personal_data
from store.people.absences import StatedAbsence
from store.reports import person_page
from store.reports.mentorship_page import items_of_mails
from store.reports.person_page import MailLine, OpenForm, PersonFacts, PersonSeat

CONSENTS = ("r_share", "c_contact", "c_quote", "c_follow")
"""Questions by which somebody agrees to something."""
MAILS = 30
"""Mails that are listed, the latest first."""
OWN_WORDS = "your_words"


@dataclass(frozen=True, slots=True)
class PersonMail:
    """A mail in the list. `place` is (cohort, mentorship) of what it tells of; empty where it can't be opened."""

    mail: MailLine
    place: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Consent:
    """Something that the person agreed to, or did not. `on` is a day of the cohort."""

    cohort: str
    mentorship: str
    on: date
    answer: ShownAnswer


@dataclass(frozen=True, slots=True)
class PersonView:
    """What the page shows."""

    facts: PersonFacts
    seats: tuple[PersonSeat, ...]
    forms: tuple[OpenForm, ...]
    mails: tuple[PersonMail, ...]
    consents: tuple[Consent, ...]
    absences: tuple[StatedAbsence, ...]
    today: date
    cohorts: tuple[str, ...]
    """Of this person, in which the reader acts."""

    @property
    def bounced(self) -> tuple[MailLine, ...]:
        """Mails that came back, or could not be delivered."""
        return tuple(one.mail for one in self.mails if one.mail.bounce or one.mail.state == "refused")


async def person_view(database: Database, person: str, reader: PageReader, now: datetime) -> PersonView:
    """The page of a person for a coordinator or deputy of a cohort of theirs; `now` is program time (UTC).

    Raises `NotFound`.
    """
    async with database.session() as session:
        facts, seats = await _known(session, person, reader)
        cohorts = _read_by(reader, seats, facts)
        forms, mails, items, away = await look_up_all(
            session, person_page.open_forms(person), person_page.mails_to(person, MAILS),
            items_of_mails(person_page.ids_of_mails_to(person, MAILS)), absences.stated(person=person),
        )  # fmt: skip
        given = await _answers(session, person, cohorts)
    listed = [
        PersonMail(mail, next(((cohort, key) for _, cohort, key, _ in told if key), None))
        for mail in mails
        if mail.cohort in cohorts
        if is_for_coordinators(told := items.get(mail.id, []), reader)
    ]
    consents = [
        Consent(form.cohort, form.mentorship, form.at.date(), answer)
        for form in given
        for answer in form.answers
        if answer.question in CONSENTS
    ]
    zone = facts.zone if facts.standing != "erased" else "UTC"
    return PersonView(
        facts,
        tuple(seats),
        tuple(form for form in forms if form.cohort in cohorts),
        tuple(listed),
        tuple(reversed(consents)),
        tuple(one for one in away if one.cohort in cohorts),
        local_date(now, zone),
        tuple(cohorts),
    )


async def held_data(database: Database, person: str, reader: PageReader) -> dict[str, Any]:
    """Everything that is held on a person, as far as their coordinators may read it: for a request by letter or mail.

    Answers pass the same table as on pages; what is left out is in the download on the person's own page. Raises
    `NotFound`.
    """
    async with database.session() as session:
        facts, seats = await _known(session, person, reader)
        cohorts = _read_by(reader, seats, facts)
        data = await personal_data.personal_data(session, person)
        given = await _answers(session, person, cohorts)
    of_cohorts = {
        name: [entry for entry in data[name] if entry.get("cohort", "") in ("", *cohorts)]
        for name in ("mentorships", "record", "asked_for", "notes", "absences")
    }
    for entry in (*of_cohorts["record"], *of_cohorts["asked_for"]):
        if "concern" in entry["what"]:
            entry.pop(OWN_WORDS, None)
    return {
        name: data[name] for name in ("person", "former_names", "mails", "refused_addresses", "new_addresses")
    } | {
        **of_cohorts,
        "answers": [as_object(form) for form in given],
        "left_out": "Answers, drafts and documents that coordinators do not read: the person's own page has them.",
    }


async def _known(session: AsyncSession, person: str, reader: PageReader) -> tuple[PersonFacts, list[PersonSeat]]:
    facts, seats = await person_page.person_facts(session, person)
    if facts is None:
        raise NotFound(f"there is no person {person!r}")
    if not _read_by(reader, seats, facts):
        raise NotFound(f"there is no person {person!r}")
    return facts, seats


def _read_by(reader: PageReader, seats: Sequence[PersonSeat], facts: PersonFacts) -> list[str]:
    """The cohorts of this person whose answers the reader sees."""
    cohorts = {seat.cohort for seat in seats} | {cohort for cohort, _ in facts.coordinates}
    return sorted(cohort for cohort in cohorts if reader.reads_answers(cohort))


async def _answers(session: AsyncSession, person: str, cohorts: Sequence[str]) -> list[ShownForm]:
    """What the person answered in these cohorts, with what it says of a concern withheld."""
    forms = [
        shown(given, "coordinator", NEUTRAL | {"program": given.program}, "UTC", "unseen")
        for given in await answers_of_person(session, person, cohorts)
    ]
    return sorted(forms, key=lambda form: form.at)
