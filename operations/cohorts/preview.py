"""Looking at a mail before anybody gets it: any template with invented people, to a reader invented or real.

Only the reader may be real, by name, zone and language; what the mail says of others is always invented. With a
cohort's file, everything else is that cohort's: title, program, forms, dates, coordinator. Addresses in it have the
form of the real ones, and open nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time, timedelta

from lifecycle.gathering import MATCH
from lifecycle.local_time import zone
from lifecycle.tasks import KINDS
from mail.compose import Composer
from mail.headers import domain_of
from mail.letters import Letter, LetterItem, MailPerson, Reader, WordedMail
from mail.own_templates import SHARED, OwnTemplates
from mail.preview import EDITABLE, FORMATS, ROLES, sample, sample_tasks, with_own
from mail.wording import FRAME, SEVERAL_TASKS, Templates
from operations.cohorts.plan import everybody_accepts
from operations.errors import Refused
from operations.people.find import known_person
from program.faults import either, nearest
from program.files.folders import template_folders
from program.loader import Loaded
from program.models import Format, Mentorship
from runtime.links import SHORTEST_SECRET, Links
from runtime.settings import Settings
from store.columns import public_id
from store.database import Database

__all__ = [
    "EDITABLE",
    "FORMATS",
    "TASKS",
    "PreviewOptions",
    "PreviewReader",
    "WordedMail",
    "preview",
    "reader",
    "reader_in",
]

TASKS = (*KINDS, MATCH)
"""Kinds of task, for the mails that tell of one."""
IN_THE_FRAME = "check_in"
"""The mail that shows what stands around every mail."""
LAUNCHED_BEFORE = timedelta(days=28)
"""A preview takes the cohort for launched so long before its start."""
_ID, _PERSON = "4kX9q2mZ7vB1", "p02"
"""A request and a participant that there are not."""
_NO_SECRET = "preview-".ljust(SHORTEST_SECRET, "0")
"""Signs what a preview shows: no page accepts it."""


@dataclass(frozen=True, slots=True)
class PreviewReader:
    """The person to whom a preview is addressed."""

    id: str
    name: str
    email: str
    zone: str
    language: str


@dataclass(frozen=True, slots=True)
class PreviewOptions:
    """Which mail, in which form. `reminder` is 1 or 2 for the first or second reminder, 0 for none."""

    format: str = ""
    """Empty: the cohort's, or one_to_one."""
    role: str = ""
    reminder: int = 0
    number: int = 1
    early: bool = False
    task: str = "stalled"
    language: str = ""
    """Empty: that of the reader, or of the cohort."""


async def reader(database: Database, person: str) -> PreviewReader:
    """The person of the database whose name, zone and language a preview takes, by id, address or name.

    Raises `Refused`.
    """
    async with database.session() as session:
        known = await known_person(session, person)
    return PreviewReader(known.id, known.name, known.email, known.zone, known.language)


def reader_in(loaded: Loaded, person: str) -> PreviewReader:
    """The same from a cohort's file. Raises `Refused`."""
    cohort = loaded.cohort
    everybody = {
        person_in_file.id: person_in_file
        for person_in_file in (*cohort.participants, *cohort.coordinators, *cohort.deputies)
    }
    wanted = person.strip().casefold()
    matches = [
        candidate
        for candidate in everybody.values()
        if wanted in (candidate.id.casefold(), candidate.email.casefold())
    ]
    matches = matches or [candidate for candidate in everybody.values() if candidate.name.casefold() == wanted]
    if len(matches) == 1:
        candidate = matches[0]
        return PreviewReader(
            candidate.id, candidate.name, candidate.email, candidate.zone or cohort.zone, candidate.language
        )
    if matches:
        raise Refused(
            f"{person} is the name of several; write one of {', '.join(candidate.id for candidate in matches)}"
        )
    near = nearest(person, list(everybody))
    raise Refused(f"the file has no person {person!r}{f'; did you mean {near[0]}?' if near else ''}")


def preview(
    name: str,
    options: PreviewOptions,
    settings: Settings,
    *,
    loaded: Loaded | None = None,
    person: PreviewReader | None = None,
) -> WordedMail:
    """A mail with everything that it may say. Raises `Refused` for what does not exist."""
    composer = Composer(template_folders(None, settings.own_config))
    own = OwnTemplates.of(loaded.mails) if loaded is not None else SHARED
    name = _known("mail", name, EDITABLE)
    written = options.format or (loaded.programs[loaded.cohort.program].format if loaded else FORMATS[0])
    of_format: Format = _known("format", written, FORMATS)  # pyright: ignore[reportAssignmentType]
    roles = ROLES[of_format]
    role = options.role
    reads: Reader = _known("role in this format", role, roles) if role else roles[-1]  # pyright: ignore[reportAssignmentType]
    kind = "reminder" if options.reminder else None
    about = _known("kind of task", options.task, TASKS)
    if name == SEVERAL_TASKS:
        letter = sample_tasks()
    else:
        letter = sample(
            name if name != FRAME else IN_THE_FRAME, of_format, reads, kind=kind, nth=options.reminder or 1,
            number=options.number, early=options.early, task=about,
        )  # fmt: skip
    if loaded is not None:
        letter = _of_cohort(letter, loaded)
    if person is not None:
        letter = _to(letter, **asdict(person))
    if options.language:
        letter = _to(letter, language=_language(options.language, composer.templates_of(own)))
    if loaded is not None and name != SEVERAL_TASKS:
        letter = _of_mentorship(letter, loaded)
    return composer.compose(with_own(_as_sent(letter, settings), own))


def languages_of(loaded: Loaded | None, settings: Settings) -> tuple[str, ...]:
    """The languages of mails that there are, and those of the cohort's people."""
    people = (*loaded.cohort.participants, *loaded.cohort.coordinators) if loaded else ()
    known = Templates(template_folders(None, settings.own_config)).languages()
    return tuple(sorted({*known, *(person.language for person in people if person.language)}))


def _to(letter: Letter, **reader: str) -> Letter:
    return replace(letter, recipient=replace(letter.recipient, **reader))


def _language(written: str, templates: Templates) -> str:
    """A language in which there are mails, also by its plain form (`pt` for `pt-BR`)."""
    known = templates.languages()
    if written.partition("-")[0].lower() in known:
        return written
    return _known("language of mails", written, known)


def _as_sent(letter: Letter, settings: Settings) -> Letter:
    """The letter with sender and links as this installation writes them."""
    links = Links((_NO_SECRET,), settings.public_url)
    person = letter.recipient.id or _PERSON
    return replace(
        letter,
        sender=settings.mail_from,
        sender_name=settings.mail_from_name,
        message_id=f"<preview@{domain_of(settings.mail_from)}>",
        unsubscribe_url=letter.unsubscribe_url and links.stop_url(person, 1),
        unsubscribe_mailto="",
        place_url=letter.place_url and links.place_url(person, 1),
        items=tuple(_linked(item, links) for item in letter.items),
    )


def _linked(item: LetterItem, links: Links) -> LetterItem:
    if "/application/" in item.link:
        return replace(item, link=links.application_url(_ID, 1))
    if "/address/" in item.link:
        return replace(item, link=links.address_url(_ID, "new" if item.name == "address_new" else "old"))
    if item.task is not None:
        return replace(item, link=links.task_url(public_id(item.task.key)))
    return replace(
        item,
        link=item.link and links.request_url(_ID, 1),
        links={state: links.request_url(_ID, 1, state=state) for state in item.links},
    )


# -- what a cohort's file says ----------------------------------------------------------------------------------


def _of_cohort(letter: Letter, loaded: Loaded) -> Letter:
    cohort = loaded.cohort
    coordinator = cohort.coordinators[0]
    coordinator = MailPerson(
        coordinator.id,
        coordinator.name,
        coordinator.email,
        zone=coordinator.zone or cohort.zone,
        language=coordinator.language,
    )
    letter = replace(
        letter,
        cohort=cohort.cohort,
        cohort_title=cohort.title,
        organisation=cohort.organisation,
        coordinator=coordinator,
        recipient=coordinator if letter.capacity in ("coordinator", "deputy") else letter.recipient,
    )
    return _to(letter, language=cohort.language)


def _of_mentorship(letter: Letter, loaded: Loaded) -> Letter:
    """With the program, forms and dates of the first mentorship of the format."""
    [item] = letter.items
    of_format = {id_ for id_, program in loaded.used.items() if program.program.format == item.format}
    if not of_format:
        formats = sorted({program.format for program in loaded.programs.values()})
        raise Refused(f"the cohort has no program of the format {item.format}; write {either(tuple(formats))}")
    if not item.mentorship:
        return letter
    mentorship = next(
        (
            candidate
            for candidate in loaded.cohort.mentorships
            if (candidate.program or loaded.cohort.program) in of_format
        ),
        Mentorship.model_construct(key="m1", program=min(of_format)),
    )
    of_program = loaded.program_of(mentorship)
    program = of_program.program
    begun = datetime.combine(mentorship.start or loaded.cohort.start, time(), UTC) - LAUNCHED_BEFORE
    state = everybody_accepts(loaded, mentorship, begun)
    step = state.step(item.name, item.number)
    before = state.step(item.name, item.number - 1)
    reference = f"{loaded.cohort.cohort}/{mentorship.key}"
    if item.task is not None:
        item = replace(item, task=replace(item.task, key=f"{reference}/task.{item.task.kind}#1"))
    item = replace(
        item,
        mentorship=mentorship.key,
        program_title=program.title,
        program_about=program.about,
        start=state.start,
        end=state.end,
        rhythm_days=program.rhythm.every,
        rhythm_minutes=program.rhythm.minutes,
        since=(before.opens if before else state.start) if item.name == "check_in" else item.since,
        closes=step.closes if step and step.closes else item.closes,
        first_meeting=program.first_meeting if item.name == "introduction" else "",
        guides=program.meetings_guides if item.name == "get_going" else (),
        emergency=program.emergency if item.name == "safety_received" else "",
    )
    if item.certificate:
        item = replace(item, certificate=program.phases.closure.certificate)
    asked = "agreement" if item.name == "agreement_reopened" else item.name
    form = of_program.forms.get(program.form_for(asked))
    if item.form_title and form is not None:
        item = replace(item, form_title=form.title, form_minutes=form.minutes)
    at = letter.at
    if step is not None:
        at = datetime.combine(step.opens, program.letterbox.opens, zone(letter.recipient.zone)).astimezone(UTC)
    return replace(letter, at=at, items=(item,))


def _known(what: str, written: str, known: tuple[str, ...]) -> str:
    if written in known:
        return written
    near = nearest(written, known)
    remedy = f"did you mean `{near[0]}`?" if near else f"write {either(known)}"
    raise Refused(f"there is no {what} {written!r}; {remedy}")
