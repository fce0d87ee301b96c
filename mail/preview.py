"""Sample letters for every mail: for previews, for tests, and for `validate`, which finds a template that does not
render before delivery does. The people are invented; nothing here reads real ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

from mail.headers import message_id
from mail.letters import (
    APPLICATIONS,
    ASKS,
    NAMES,
    PERSONAL,
    TO_COORDINATORS,
    AgreementChange,
    Kind,
    Letter,
    LetterItem,
    LetterTask,
    MailPerson,
    Meetings,
    Reader,
)
from mail.own_templates import OwnTemplates
from mail.wording import FRAME, SEVERAL_TASKS
from program.models import Format

EDITABLE = (*NAMES, FRAME, SEVERAL_TASKS)
"""The templates that a cohort can have of its own: all but the shared words."""
AT = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
FORMATS: tuple[Format, ...] = ("one_to_one", "reverse", "peer", "group")
ROLES: dict[Format, tuple[Reader, ...]] = {
    "one_to_one": ("mentor", "mentee"),
    "reverse": ("mentor", "mentee"),
    "peer": ("peer",),
    "group": ("mentor", "mentee"),
}
TASKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "seat_empty": ("A place was not taken up by the closing date.", ("wait", "replace", "end")),
    "expectations_differ": ("The agreement has gone back and forth three times.", ("noted", "nudge", "end")),
    "no_agreement": ("No version was signed by everyone in time.", ("noted", "nudge", "pause", "end")),
    "low_score": ("Check-in 2: a question about the relationship was answered with 2 of 5.", ("noted", "end")),
    "stalled": ("No meeting and none booked, at two check-ins running.", ("noted", "nudge", "pause", "end")),
    "silent": ("Nobody answered the last two check-ins.", ("noted", "nudge", "pause", "replace", "end")),
    "fit": ("Fit check: somebody would rather have another partner.", ("noted", "nudge", "replace", "end")),
    "help": ("Somebody asks for a word with you, in confidence.", ("noted", "nudge", "pause", "end")),
    "midpoint": ("Halfway: one would go on, one is not sure.", ("continue", "reopen_agreement", "pause", "end")),
    "safety": ("", ("release", "end")),
    "withdrawn": ("Somebody has left the program.", ("noted", "replace", "end")),
    "small_group": ("The group has one mentee left.", ("noted", "replace", "end")),
    "bounced": ("The address refuses mail for good.", ("noted", "correct", "end")),
    "match": ("The call has closed. Applied and confirmed: 31 mentee, 28 mentor.", ("publish",)),
}
"""Task kinds with a sample reason and decisions."""

_GRACE = MailPerson(
    "p01",
    "Grace Okafor",
    "grace.okafor@example.org",
    "mentor",
    "Europe/London",
    profile={"job_title": "Head of Operations", "place": "Leeds"},
    offer="Twenty years of keeping things running, and an honest opinion when you want one.",
)
_JONAS = MailPerson(
    "p02",
    "Jonas Lindqvist",
    "jonas.lindqvist@example.org",
    "mentee",
    "Europe/Berlin",
    profile={"job_title": "Analyst", "place": "Hamburg"},
    goals="Lead my first project without doing everything myself.\nSay no more often, and kindly.",
)
_MEI = MailPerson("p03", "Mei Tanaka", "mei.tanaka@example.org", "mentee", "America/New_York", goals="Find my field.")
_OMAR = MailPerson("p04", "Omar Haddad", "omar.haddad@example.org", "mentee", "Europe/Berlin")
_PETRA = MailPerson("c01", "Petra Novák", "petra.novak@example.org", zone="Europe/Berlin")
_LINK = "https://mentoring.example.org/f/4kX9q2mZ7vB1.1.aB3dE5fG7hJ9kL1mN3pQ5rS7"
_SUBJECT = "An evening for all of you on 14 April"
_MESSAGE = (
    "On **14 April** at six we meet in the canteen: a talk, and time for each other.\n\n"
    "- To come, write one line back.\n- To read it later, open the [slides](https://mentoring.example.org/slides)."
)
_JOINT_LINK = "https://mentoring.example.org/me/4kX9q2mZ7vB1.1.aB3dE5fG7hJ9kL1mN3pQ5rS7/joint/spring/m07"
_TASK_LINK = "https://mentoring.example.org/c/tasks/k7q2mzvb14x9aedf"
_OWN_PAGE = "https://mentoring.example.org/me/4kX9q2mZ7vB1.1.aB3dE5fG7hJ9kL1mN3pQ5rS7"
_VOICE_LINK = "https://mentoring.example.org/me/4kX9q2mZ7vB1.1.aB3dE5fG7hJ9kL1mN3pQ5rS7/voice/4kx9q2mz7vb1aB3d"
_ADDRESS_LINK = "https://mentoring.example.org/address/4kX9q2mZ7vB1.aB3dE5fG7hJ9kL1mN3pQ5rS7"
_APPLICATION_LINK = "https://mentoring.example.org/application/4kX9q2mZ7vB1.1.aB3dE5fG7hJ9kL1mN3pQ5rS7"

_FORMS: dict[str, tuple[str, float]] = {
    "invitation": ("Invitation", 3),
    "agreement": ("Agreement", 15),
    "fit_check": ("How is the start?", 0.5),
    "check_in": ("Check-in", 1.5),
    "midpoint": ("Halfway", 5),
    "closure": ("Looking back", 6),
    "follow_up": ("Some months later", 1),
    "are_you_there": ("How does it stand?", 0.2),
    "closing_for_silence": ("How does it stand?", 0.2),
    "agreement_reopened": ("Agreement", 15),
}
_KINDS: dict[str, Kind] = {
    "agreement_concluded": "notice",
    "partner_left": "urgent",
    "partner_paused": "urgent",
    "cancelled": "urgent",
    "address_old": "urgent",
    "address_new": "urgent",
    "application_confirm": "receipt",
    "application_yours": "receipt",
    "safety_received": "receipt",
}
_AGREEMENT = (
    ("What should be different when this mentorship ends?", "Jonas leads a project of his own."),
    ("We meet", "every two weeks, for an hour, by video"),
    ("What stays between us", "Everything, unless somebody may be harmed."),
    ("Goals", "1. Lead the spring project.\n2. Hand over the monthly report."),
)


def _company(format_: Format, role: Reader) -> tuple[MailPerson, tuple[MailPerson, ...]]:
    """The reader and everyone else, for a role in a format."""
    if format_ == "peer":
        peer = replace(_JONAS, role="peer", offer="A good ear, and spreadsheets.")
        return peer, (replace(_GRACE, role="peer", goals="Write more, and better."),)
    mentees = (_JONAS, _MEI, _OMAR) if format_ == "group" else (_JONAS,)
    if role == "mentor":
        return _GRACE, mentees
    return _JONAS, (_GRACE, *(mentee for mentee in mentees if mentee is not _JONAS))


def sample_matter(
    name: str,
    format_: Format = "one_to_one",
    role: Reader = "mentee",
    *,
    kind: Kind | None = None,
    nth: int = 1,
    number: int = 1,
    early: bool = False,
    task: str = "stalled",
    full: bool = True,
    proposed: bool = False,
) -> LetterItem:
    """One item with everything that its wording may use; without `full`, without optional fields.

    Raises KeyError for a name that no mail has.
    """
    if name not in NAMES:
        raise KeyError(f"there is no mail {name!r}; the mails are {', '.join(NAMES)}")
    _, partners = _company(format_, role)
    drafts = role != "mentee" if format_ == "group" else role != "mentor"
    title, minutes = _FORMS.get(name, ("", 2))
    reason, decisions = TASKS[task]
    item = LetterItem(
        key=f"spring/m07/{name}#{number}/p02/{kind or 'notice'}",
        kind=kind or ("request" if name in ASKS else _KINDS.get(name, "notice")),
        name=name,
        role=role,
        format=format_,
        number=number,
        nth=nth,
        mentorship="m07",
        program_title="Formal mentoring",
        program_about="Half a year, an hour every two weeks, one person who has your back.",
        start=date(2027, 3, 1),
        end=date(2027, 8, 30),
        partners=() if name in ("invitation", "not_starting", "transferred", "cancelled") else partners,
        closes=date(2027, 3, 22),
        form_title=title,
        form_minutes=minutes,
        since=date(2027, 2, 1),
        early=early,
        drafting=drafts,
        agreement_version=number,
    )
    if name in TO_COORDINATORS:
        facts = LetterTask(f"spring/m07/task.{task}#1", task, reason, date(2027, 3, 8), date(2027, 3, 1), decisions)
        item = replace(item, task=facts, role="deputy" if name == "task_to_deputy" else "coordinator")
    if name in TO_COORDINATORS and task == "match":
        item = replace(item, mentorship="")
    if name == "own_page":
        item = replace(item, mentorship="", partners=(), link=_OWN_PAGE, kind="receipt")
    elif name == "voice":
        item = replace(item, mentorship="", partners=(), link=_VOICE_LINK)
    elif name in PERSONAL:
        item = replace(item, mentorship="", partners=(), link=_ADDRESS_LINK, new_address="jonas@post.example.net")
    if proposed:
        because = ("wants Leading people, which the other offers", "both work in policy")
        shown = tuple(replace(partner, email="") for partner in partners)
        item = replace(item, proposed=True, partners=shown, because=because if full else ())
    if name in APPLICATIONS:
        waiting = name == "application_yours" and not full
        item = replace(item, mentorship="", partners=(), link=_APPLICATION_LINK, waiting=waiting, open=full)
    if name in _FORMS or name in TO_COORDINATORS:
        item = replace(item, link=_TASK_LINK if name in TO_COORDINATORS else _LINK)
    if name == "message":
        item = replace(item, mentorship="", partners=(), subject=_SUBJECT, message=_MESSAGE)
    if name == "joint_sheet":
        item = replace(item, link=_JOINT_LINK)
    if name == "are_you_there":
        links = {state: f"{_LINK}?state={state}" for state in ("fine", "stuck", "stopped")}
        item = replace(item, link="", links=links)
    if name == "partner_paused":
        item = replace(item, since=None, closes=None)
    return _filled(item, partners) if full else item


def _filled(item: LetterItem, partners: tuple[MailPerson, ...]) -> LetterItem:
    """A sample item with the optional parts of its wording."""
    match item.name:
        case "agreement" if not item.drafting:
            change = AgreementChange("We meet", "every two weeks", "every three weeks, for an hour and a half")
            changes = (change, AgreementChange("Notes", "", "each their own"))
            return replace(item, changes=changes, number=2, agreement_version=2)
        case "agreement_concluded":
            series = Meetings("tue", time(16), "Europe/London", 2, 60, date(2027, 3, 2), date(2027, 8, 30))
            return replace(item, link=_LINK, agreement=_AGREEMENT, meetings=series)
        case "agreement_reopened" | "partner_left":
            return replace(item, about=partners[-1])
        case "partner_paused":
            return replace(item, since=date(2027, 4, 5), closes=date(2027, 5, 3))
        case "introduction":
            guide = "1. Tell each other how you got where you are.\n2. Agree on **when** you meet next."
            return replace(item, first_meeting=guide)
        case "farewell":
            notes = tuple(
                (partner.name, "Thank you for your patience.\nI will miss our Tuesdays.") for partner in partners
            )
            return replace(item, notes=notes, contacts=partners, certificate=not item.early)
        case "application_cancelled":
            return replace(item, why="The department moves in autumn, and there are too few places to meet.")
        case "message":
            return replace(item, about=_PETRA)
        case "safety_received":
            return replace(item, emergency="Call 112. Security desk, day and night: extension 4444.", contact=True)
        case "reminders_stopped":
            return replace(item, about=_JONAS, task=None)
        case "still_paused":
            return replace(item, link="", task=None)
        case "task_opened" | "task_repeated" | "task_to_deputy" if item.task and item.task.kind != "safety":
            return replace(item, task=replace(item.task, about=("Grace Okafor", "Jonas Lindqvist")))
        case _:
            return item


def letter_of(*items: LetterItem, language: str = "en") -> Letter:
    """A letter of sample items, to the reader of the first."""
    first = items[0]
    for_coordinators = first.name in TO_COORDINATORS
    reader, _ = _company(first.format, first.role)
    applying = first.name in APPLICATIONS
    capacity = ("deputy" if first.role == "deputy" else "coordinator") if for_coordinators else "participant"
    without_links = for_coordinators or applying or first.name == "address_new"
    return Letter(
        recipient=replace(_PETRA if for_coordinators else reader, language=language),
        cohort="spring",
        cohort_title="Spring 2027 mentoring",
        organisation="Example Works",
        coordinator=_PETRA,
        at=AT,
        message_id=message_id("/".join(item.key for item in items), "example.org"),
        references=(message_id("first", "example.org"),) if first.kind == "reminder" else (),
        sender="mentoring@example.org",
        unsubscribe_url=""
        if without_links
        else "https://mentoring.example.org/u/4kX9q2mZ7vB1.1.aB3dE5fG7hJ9kL1mN3pQ5rS7",
        place_url="" if without_links else "https://mentoring.example.org/me/4kX9q2mZ7vB1.1.aB3dE5fG7hJ9kL1mN3pQ5rS7",
        unsubscribe_mailto="" if without_links else "mailto:stop@example.org?subject=stop-4kX9q2mZ7vB1",
        capacity="applicant" if applying else capacity,
        items=items,
    )


def sample(
    name: str,
    format_: Format = "one_to_one",
    role: Reader = "mentee",
    *,
    kind: Kind | None = None,
    nth: int = 1,
    number: int = 1,
    early: bool = False,
    task: str = "stalled",
    full: bool = True,
    proposed: bool = False,
    language: str = "en",
) -> Letter:
    """A sample letter of one mail. Raises KeyError for a name that no mail has."""
    item = sample_matter(
        name, format_, role, kind=kind, nth=nth, number=number, early=early, task=task, full=full, proposed=proposed
    )
    return letter_of(item, language=language)


def sample_tasks(language: str = "en", *kinds: str) -> Letter:
    """A sample letter of several tasks for one coordinator: new ones, and from the second on one that is repeated."""
    items = [
        replace(
            sample_matter("task_repeated" if nth == 1 else "task_opened", task=kind),
            key=f"task/{nth}",
            mentorship=f"m0{nth + 1}",
        )
        for nth, kind in enumerate(kinds or ("stalled", "help", "safety"))
    ]
    return letter_of(*items, language=language)


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample with its label."""

    label: str
    letter: Letter


def _variants(name: str) -> Iterator[tuple[str, dict[str, object]]]:
    yield "", {}
    if name == "invitation":
        yield "-proposed", {"proposed": True}
        yield "-proposed-reminder1", {"proposed": True, "kind": "reminder"}
    if name in ASKS:
        yield "-reminder1", {"kind": "reminder", "nth": 1}
        yield "-reminder2", {"kind": "reminder", "nth": 2}
    if name in ("application_invited", "application_nobody"):
        yield "-2", {"number": 2}
        yield "-3", {"number": 3}
    if name in ("closure", "farewell"):
        yield "-early", {"early": True}
    if name == "check_in" or name == "winding_down":
        yield "-2", {"number": 2}
    if name in ("agreement_concluded", "agreement_reopened"):
        yield "-receipt", {"kind": "receipt"}


def samples(language: str = "en", formats: Collection[Format] = FORMATS) -> Iterator[Sample]:
    """Every mail in every role of these formats that it is worded for, full and bare."""
    for name in NAMES:
        if name in TO_COORDINATORS:
            for task in TASKS if name.startswith("task_") else ("stalled",):
                for full in (True, False):
                    letter = sample(name, task=task, full=full, language=language)
                    yield Sample(f"{name}-{task}{'' if full else '-bare'}", letter)
            continue
        for format_ in formats if name not in (*PERSONAL, *APPLICATIONS) else FORMATS[:1]:
            for role in ROLES[format_]:
                for variant, options in _variants(name):
                    for full in (True, False):
                        letter = sample(name, format_, role, full=full, language=language, **options)  # type: ignore[arg-type]
                        yield Sample(f"{name}-{format_}-{role}{variant}{'' if full else '-bare'}", letter)


def with_own(letter: Letter, own: OwnTemplates) -> Letter:
    """A letter of a cohort that has these templates of its own."""
    return replace(letter, own=own, items=tuple(replace(item, own=own) for item in letter.items))
