"""The data of a mail before it is worded: one letter to one person, made of items, oldest first.

SQL, a preview or a rehearsal fills it; `mail.compose` words it. Nothing here holds wording, and nothing here may be
passed to Temporal or a log: it is full of names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Literal

from mail.own_templates import SHARED, OwnTemplates
from program.models import Format, Weekday

ASKS = ("invitation", "agreement", "fit_check", "check_in", "midpoint", "closure", "follow_up")
"""Names whose items are requests and reminders of them."""
NOTICES = (
    "introduction",
    "agreement_concluded",
    "agreement_reopened",
    "get_going",
    "joint_sheet",
    "are_you_there",
    "winding_down",
    "farewell",
    "not_starting",
    "transferred",
    "closing_for_silence",
    "partner_left",
    "partner_paused",
    "cancelled",
    "safety_received",
    "message",
)
"""Names of notices for participants."""
TO_COORDINATORS = ("task_opened", "task_repeated", "task_to_deputy", "reminders_stopped", "still_paused")
"""Names of notices for coordinators and deputies."""
PERSONAL = ("address_old", "address_new", "voice", "own_page")
"""Names of mails about a person, independent of their mentorships."""
APPLICATIONS = (
    "application_confirm",
    "application_yours",
    "application_invited",
    "application_wishes",
    "application_nobody",
    "application_cancelled",
)
"""Names of mails to those who apply, or are invited to."""
NAMES = ASKS + NOTICES + TO_COORDINATORS + PERSONAL + APPLICATIONS
"""All mails; each has a template with this name."""

Kind = Literal["request", "reminder", "notice", "receipt", "urgent"]
Reader = Literal["mentor", "mentee", "peer", "coordinator", "deputy"]
Capacity = Literal["participant", "coordinator", "deputy", "applicant"]


@dataclass(frozen=True, slots=True)
class MailPerson:
    """A person as a mail shows them. `email` may be empty where the reader must not learn it."""

    id: str
    name: str
    email: str = ""
    role: str = ""
    """Role in the mentorship that the item is about; empty for coordinators."""
    zone: str = ""
    """IANA zone; empty where unknown."""
    language: str = "en"
    profile: Mapping[str, str] = field(default_factory=dict[str, str])
    """Optional fields that partners may see, in the order in which they are shown. The field `called`
    is what people call this person, and is used for greeting instead of being shown."""
    goals: str = ""
    """What a mentee (or peer) wants to get out of it, in their own words."""
    offer: str = ""
    """What a mentor (or peer) can offer, in their own words."""


@dataclass(frozen=True, slots=True)
class AgreementChange:
    """One row of an agreement that differs from the version before. Either side may be empty."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Meetings:
    """The meeting series that an agreement names; becomes the calendar invitation (RFC 5545).

    `at` is a wall time in `zone`; `first` the first meeting's date and `until` the last possible one, both
    dates in `zone`. Monthly is written as every 4 weeks. A `first` on another weekday is moved to the next
    `weekday`.
    """

    weekday: Weekday
    at: time
    zone: str
    every_weeks: int
    minutes: int
    first: date
    until: date


@dataclass(frozen=True, slots=True)
class LetterTask:
    """A task for a coordinator. `reason` is in plain words; `about` names the people concerned."""

    key: str
    kind: str
    reason: str
    due: date
    opened: date
    decisions: tuple[str, ...]
    about: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    """Ids of the same people, for commands."""


@dataclass(frozen=True, slots=True)
class LetterItem:
    """One item with everything that its wording needs. Dates are calendar dates.

    A template that needs a missing field is an error: `mail.preview.sample` shows the expected fields for every name.
    """

    key: str
    kind: Kind
    name: str
    """One of NAMES; also the template's name."""
    role: Reader
    """The reader's role in this item."""
    format: Format = "one_to_one"
    number: int = 1
    """Of the step: check-in 2, second winding down, version of the agreement on the table."""
    nth: int = 1
    """Of the reminder: 1 or 2."""
    mentorship: str = ""
    """Key of the mentorship within the cohort; empty for what concerns the whole cohort."""
    program_title: str = ""
    program_about: str = ""
    """The purpose of the program, one or two sentences."""
    start: date | None = None
    end: date | None = None
    """The mentorship's dates; invitation, introduction, winding_down, midpoint, closure, farewell."""
    rhythm_days: int = 14
    rhythm_minutes: int = 60
    """The program's default rhythm of meetings: days between, minutes each."""
    partners: tuple[MailPerson, ...] = ()
    """Everyone else in the mentorship who still takes part, mentor first. Empty until they are introduced."""
    link: str = ""
    """Target of the button: the form, the person's page, the task. Empty: no button."""
    links: Mapping[str, str] = field(default_factory=dict[str, str])
    """`are_you_there` only: `fine`, `stuck`, `stopped`."""
    closes: date | None = None
    """Last day on which an answer counts; for `closing_for_silence` the last day to give a sign of life, for
    `address_old` and `address_new` the last day of their links, for `partner_paused` the day on which it goes on,
    where that is known."""
    form_title: str = ""
    form_minutes: float = 2
    since: date | None = None
    """check_in and midpoint: the day from which on we ask. partner_paused: the day on which the pause begins, where
    that is a later one."""
    early: bool = False
    """closure and farewell after an early end."""
    drafting: bool = False
    """agreement and agreement_reopened: the reader writes this version; otherwise they read and sign it."""
    agreement: tuple[tuple[str, str], ...] = ()
    """The document as (label, text) rows in order."""
    agreement_version: int = 1
    changes: tuple[AgreementChange, ...] = ()
    """agreement, when reviewing: what differs from the version that the reader knows."""
    meetings: Meetings | None = None
    """agreement_concluded: present when the document names a weekday and a time."""
    first_meeting: str = ""
    """introduction: the guide to the first meeting, as Markdown of the program."""
    guides: tuple[str, ...] = ()
    """get_going: concrete ways forward. Empty takes the template's own three."""
    notes: tuple[tuple[str, str], ...] = ()
    """farewell: (name, text) of each note that a partner wrote to be passed on, word for word."""
    contacts: tuple[MailPerson, ...] = ()
    """farewell: those who, like the reader, chose to stay in touch."""
    certificate: bool = False
    """farewell: the program gives a certificate of participation."""
    about: MailPerson | None = None
    """The person concerned: who left, changed a goal, or stopped reminders. None if no person is named."""
    subject: str = ""
    """message: its subject, in the words of who wrote it."""
    message: str = ""
    """message: its text, as Markdown of who wrote it."""
    emergency: str = ""
    """safety_received: instructions for people in danger."""
    contact: bool = False
    """safety_received: the reader said that they may be contacted about it."""
    new_address: str = ""
    """address_old and address_new: where the reader's mail is to go from now on."""
    task: LetterTask | None = None
    proposed: bool = False
    """invitation: the reader and `partners` were matched; each can refuse."""
    because: tuple[str, ...] = ()
    """invitation: why they were matched, in words about neither by name, the most important first."""
    why: str = ""
    """application_cancelled: the reason, in the words of a coordinator."""
    waiting: bool = False
    """application_yours: the application is on the waiting list."""
    open: bool = True
    """application_yours: it can still be changed."""
    own: OwnTemplates = SHARED
    """The templates of the item's cohort; one mail can bring items of several cohorts."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one person."""

    recipient: MailPerson
    cohort: str
    cohort_title: str
    coordinator: MailPerson
    """The reader of replies (Reply-To), named in the footer for questions."""
    at: datetime
    """Instant of the logical send, UTC; the Date header, and never the time of a retry."""
    message_id: str
    """`<…@domain>`, from `mail.headers.message_id`."""
    sender: str
    """From address, aligned with DKIM; its domain makes List-Id and calendar ids."""
    items: tuple[LetterItem, ...]
    """The items of the mail, oldest first; at least one."""
    sender_name: str = ""
    """Display name of the sender; empty takes the cohort's title."""
    organisation: str = ""
    references: tuple[str, ...] = ()
    """Message-IDs of earlier mails about the same request, oldest first (a reminder threads under them)."""
    unsubscribe_url: str = ""
    """Stops reminders and tells the coordinator. One-click headers are written for an https address only."""
    place_url: str = ""
    """The recipient's own page. Empty for coordinators."""
    unsubscribe_mailto: str = ""
    """`mailto:` address beside it; empty: none."""
    capacity: Capacity = "participant"
    """Why this person gets mail; shown in the footer."""
    own: OwnTemplates = SHARED
    """The templates of the cohort, for what stands around the items."""


@dataclass(frozen=True, slots=True)
class WordedMail:
    """A mail, worded. `raw` is the complete RFC 5322 message: ASCII only, CRLF line ends."""

    subject: str
    text: str
    html: str
    raw: str
    header_names: tuple[str, ...]
    """Names of the headers written, in order."""
    calendar: str = ""
    """The iCalendar object, where the mail carries one."""
