"""A coordinator writes to people: a draft, a look at whom it reaches and when, and the sending (lifecycle 8).

Each reader gets a notice by the letterbox, together with whatever else waits for them; replies go to who wrote it. No
workflow hears of a message, and it is no sign of life. The text is kept in SQL and in the mail, nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from activities.letters.fill_letters import LetterWriter, PlannedLetter
from activities.wake_postmasters import Wake, wake_in_time
from lifecycle.batch import CANCELLED
from lifecycle.delivery.holds import Standstill
from lifecycle.delivery.letterbox import LetterboxRule, next_open
from lifecycle.delivery.messages import post_of
from lifecycle.delivery.messages import readers as readers_of
from mail.compose import Composer
from operations import audit
from operations.audit import AuditEntry
from operations.errors import NotFound, Refused
from operations.mentorships.status import find, known_cohort
from operations.own_links import without_links
from operations.people.deciders import who_decides
from operations.people.find import known_person
from operations.transactions import committed, in_one
from program.files.folders import template_folders
from program.text import CONTROLS
from runtime.links import Links
from runtime.settings import Settings
from store import postbox
from store.database import Database
from store.delivery.due import Item
from store.forms import requests
from store.people import people, written_messages
from store.people.written_messages import DRAFT, SENT, MessageDelivery, WrittenMessage
from store.postbox import Address, Moment
from store.shards import soonest
from store.tables import CohortRow

__all__ = ["MessageDelivery", "WrittenMessage"]

LONGEST_SUBJECT = 150
"""Characters."""
LONGEST_TEXT = 10_000
"""Characters."""
MOST_NAMED = 100
"""People whom one message may name; each is looked up by itself."""


@dataclass(frozen=True, slots=True)
class MessageText:
    """What a coordinator writes, and to whom. `mentorships` are keys, `people` ids; empty: the whole cohort, and
    everybody there."""

    cohort: str
    subject: str
    text: str
    mentorships: tuple[str, ...] = ()
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody whom a message reaches. `arrives` is the moment (UTC) at which it goes out at the earliest; None where
    it waits for an end that nobody knows, or goes out not at all."""

    id: str
    name: str
    mentorships: tuple[str, ...]
    arrives: datetime | None
    waits: str = ""
    """Why it does not go out by then: paused, held, bounced."""


@dataclass(frozen=True, slots=True)
class MessageOutlook:
    """Whom a message would reach now, and when."""

    message: WrittenMessage
    readers: tuple[Reader, ...]
    zone: str
    """The cohort's."""

    @property
    def seen(self) -> str:
        """What was looked at, the text and whom it reaches, as one word: for another text or reader another word."""
        content = [self.message.id, str(self.message.version), *(reader.id for reader in self.readers)]
        return sha256("\n".join(content).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class PreviewedMail:
    """A mail as its reader will see it, without the links that let its reader in."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class MessageSent:
    """A message that is sent. `before`: it was already, and nothing has changed."""

    id: str
    cohort: str
    readers: tuple[str, ...]
    before: bool = False


async def addressed(
    database: Database, to: Sequence[str], subject: str, text: str, only: Sequence[str] = ()
) -> MessageText:
    """What somebody writes to a cohort (its id alone) or to some of its mentorships (`COHORT/KEY`); with `only`, to
    these people of it (id, address or name). Raises `NotFound` and `Refused`."""
    async with database.session() as session:
        whole = [one for one in to if await session.get(CohortRow, one) is not None]
        refs = await find(session, [one for one in to if one not in whole])
        named = list(dict.fromkeys(only))
        if len(named) > MOST_NAMED:
            raise Refused(f"{len(named):,} people are named, and {MOST_NAMED} at most can be; write to mentorships")
        readers = tuple([(await known_person(session, who)).id for who in named])
    cohorts = list(dict.fromkeys((*whole, *(cohort for cohort, _ in refs))))
    if len(cohorts) != 1:
        raise Refused(f"a message is about one cohort; these are of {', '.join(cohorts)}")
    if whole and refs:
        raise Refused(f"write {cohorts[0]} for the whole cohort, or the mentorships, not both")
    return MessageText(cohorts[0], subject, text, tuple(key for _, key in refs), readers)


# -- writing -------------------------------------------------------------------------------------------------------


async def draft(
    database: Database, content: MessageText, now: datetime, *, by: str = "", id_: str = "", proof: str = ""
) -> WrittenMessage:
    """Keep a message as a draft, in the place of the draft with this id. `now` is program time (UTC).

    With a `proof` the audit says who did, by it. Raises `NotFound` and `Refused`.
    """

    async def keep(session: AsyncSession) -> WrittenMessage:
        return await draft_in(session, content, now, by=by, id_=id_, proof=proof)

    return await in_one(database, keep)


async def draft_in(
    session: AsyncSession, content: MessageText, now: datetime, *, by: str = "", id_: str = "", proof: str = ""
) -> WrittenMessage:
    """The same inside a writing transaction that is open."""
    row = await known_cohort(session, content.cohort)
    if row.state == CANCELLED:
        raise Refused(f"{content.cohort} is cancelled; no message goes out for it any more")
    author = who_decides(content.cohort, await people.deciders(session, content.cohort), by)
    before = await written_messages.find(session, id_, lock=True) if id_ else None
    if before is not None and (before.state != DRAFT or before.cohort != content.cohort):
        raise Refused("this message is sent already; write another one")
    subject, text = _checked(content)
    message = WrittenMessage(
        id=id_ or uuid4().hex[:12],
        cohort=content.cohort,
        by=author,
        state=DRAFT,
        mentorships=tuple(dict.fromkeys(content.mentorships)),
        people=tuple(dict.fromkeys(content.people)),
        subject=subject,
        text=text,
        version=before.version + 1 if before else 1,
        changed_at=now,
        sent_at=None,
    )
    await _readers(session, message)
    if proof:
        await audit.put(session, now, AuditEntry("write-message", author, proof, message.cohort, [message.id]))
    if before is not None and replace(message, version=before.version, changed_at=before.changed_at) == before:
        return before
    await written_messages.put(session, message)
    return message


async def discard(database: Database, id_: str, now: datetime, *, by: str = "", proof: str = "") -> None:
    """Remove a draft. With a `proof` the audit says who did, by it. Raises `NotFound` and `Refused`."""
    async with database.begin() as session:
        message = await written_messages.find(session, id_, lock=True)
        if message is None:
            raise NotFound("there is no such message any more")
        author = who_decides(message.cohort, await people.deciders(session, message.cohort), by)
        if not await written_messages.remove(session, id_):
            raise Refused("this message is sent already; it can't be taken back")
        if proof:
            entry = AuditEntry("discard-message", author, proof, message.cohort, [id_])
            await audit.put(session, now, entry)


# -- looking -------------------------------------------------------------------------------------------------------


async def listed(database: Database, cohort: str) -> list[WrittenMessage]:
    """The messages of a cohort: drafts first, then what was sent, the latest first. Raises `NotFound`."""
    async with database.session() as session:
        await known_cohort(session, cohort)
        return await written_messages.listed(session, cohort)


async def written(database: Database, id_: str, cohort: str = "") -> tuple[WrittenMessage, list[MessageDelivery]]:
    """A message (of this cohort), and what became of it for each reader. Raises `NotFound`."""
    async with database.session() as session:
        message = await written_messages.find(session, id_)
        if message is None or cohort not in ("", message.cohort):
            raise NotFound("there is no such message")
        return message, await written_messages.deliveries(session, id_)


async def outlook(database: Database, id_: str, now: datetime) -> MessageOutlook:
    """Whom a message would reach at this moment of program time (UTC), and when. Raises `NotFound`."""
    async with database.session() as session:
        message = await written_messages.find(session, id_)
        if message is None:
            raise NotFound("there is no such message")
        return await outlook_in(session, message, now)


async def outlook_in(session: AsyncSession, message: WrittenMessage, now: datetime) -> MessageOutlook:
    """The same inside a session that is open."""
    cohort = await known_cohort(session, message.cohort)
    of = await _readers(session, message)
    known = await written_messages.readers(session, of)
    stills: dict[str, tuple[Standstill, str]] = {}
    if message.mentorships:
        stills = await written_messages.standstills(session, message.cohort, message.mentorships)
    rule = postbox.letterbox_rule(cohort.letterbox, cohort.holidays)
    readers = [
        _reader(known[person], mentorships, [stills[key] for key in mentorships if key in stills], rule, now)
        for person, mentorships in of.items()
    ]
    return MessageOutlook(message, tuple(sorted(readers, key=lambda one: (one.name, one.id))), cohort.zone)


def _reader(
    person: written_messages.MessageReader,
    mentorships: tuple[str, ...],
    stills: Sequence[tuple[Standstill, str]],
    rule: LetterboxRule,
    now: datetime,
) -> Reader:
    arrives: datetime | None = next_open(rule, person.zone, now, person.last_mail_on)
    waits = ""
    if person.standing == "bounced":
        arrives, waits = None, "bounced"
    elif stills and all(still for still, _ in stills):
        arrives = None
        waits = "held" if all(still.held for still, _ in stills) else "paused"
    return Reader(person.id, person.name, mentorships, arrives, waits)


async def try_out(
    database: Database, content: MessageText, now: datetime, settings: Settings, *, by: str = ""
) -> tuple[MessageOutlook, PreviewedMail]:
    """Whom a message would reach, and the mail of the first of them. Nothing is kept. Raises `NotFound` and
    `Refused`."""

    async def look(session: AsyncSession) -> tuple[MessageOutlook, PreviewedMail]:
        message = await draft_in(session, content, now, by=by)
        found = await outlook_in(session, message, now)
        return found, await _worded(session, settings, message, found.readers[0].id, now)

    return await committed(database, look, dry_run=True)


async def preview(database: Database, settings: Settings, id_: str, person: str, now: datetime) -> PreviewedMail:
    """The mail as this reader will see it, without what else may wait for them by then. Raises `NotFound`."""
    async with database.session() as session:
        message = await written_messages.find(session, id_)
        if message is None or person not in await _readers(session, message):
            raise NotFound("there is no such message to this person")
        return await _worded(session, settings, message, person, now)


async def _worded(
    session: AsyncSession, settings: Settings, message: WrittenMessage, person: str, now: datetime
) -> PreviewedMail:
    composer = Composer(template_folders(None, settings.own_config))
    writer = LetterWriter(
        Links.of(settings), settings.mail_from, settings.mail_from_name, "", composer.language_of,
        secret=settings.secrets[0],
    )  # fmt: skip
    of = (await _readers(session, message))[person]
    post = post_of(message.cohort, message.id, person, now)
    item = Item(
        post.key, person, post.kind, post.name, post.number, message.cohort, of[0] if message.mentorships else "",
        post.date, now, "", "", post.about,
    )  # fmt: skip
    [letter] = await writer.letters(session, [PlannedLetter(f"preview-{message.id}", person, (item,), now)])
    if isinstance(letter, Exception):
        raise letter
    mail = composer.compose(letter)
    return PreviewedMail(mail.subject, without_links(mail.text), without_links(mail.html))


# -- sending -------------------------------------------------------------------------------------------------------


async def send(
    database: Database,
    id_: str,
    now: datetime,
    *,
    seen: str = "",
    by: str = "",
    proof: str = "",
    shards: int = 1,
    wake: Wake | None = None,
) -> MessageSent:
    """Put a message into the postboxes of everybody whom it reaches; once, however often it is called.

    With `seen` (`MessageOutlook.seen`) it goes to those who were shown and to nobody else: it is refused where the
    text or whom it reaches has changed since. `now` is program time (UTC). With a `proof` the audit says who sent it,
    by it. Raises `NotFound` and `Refused`.
    """
    sent, moments = await in_one(
        database, lambda session: _send(session, id_, now, seen=seen, by=by, proof=proof, shards=shards)
    )
    await wake_in_time(database, soonest(moments), now, wake)
    return sent


async def _send(
    session: AsyncSession, id_: str, now: datetime, *, seen: str, by: str, proof: str, shards: int
) -> tuple[MessageSent, list[Moment]]:
    message = await written_messages.find(session, id_, lock=True)
    if message is None:
        raise NotFound("there is no such message any more")
    cohort = await known_cohort(session, message.cohort)
    author = who_decides(message.cohort, await people.deciders(session, message.cohort), by)
    if message.state == SENT:
        done = await written_messages.deliveries(session, id_)
        return MessageSent(id_, message.cohort, tuple(one.person for one in done), before=True), []
    if cohort.state == CANCELLED:
        raise Refused(f"{message.cohort} is cancelled; no message goes out for it any more")
    if seen and seen != (await outlook_in(session, message, now)).seen:
        raise Refused("the text, or whom it reaches, has changed since you looked; look at it again")
    of = await _readers(session, message)
    if message.mentorships:
        await written_messages.put_places(session, id_, message.cohort, of)
    await written_messages.put(session, replace(message, state=SENT, by=author, sent_at=now, changed_at=now))
    moments = await _put(session, message, of, cohort, now, shards)
    for mentorship in message.mentorships or ("",):
        await requests.note(session, message.cohort, mentorship, now, "message_sent", detail=id_, by=author)
    if proof:
        ids = [f"{message.cohort}/{key}" for key in message.mentorships] or sorted(of)
        await audit.put(session, now, AuditEntry("message", author, proof, message.cohort, [id_, *ids]))
    return MessageSent(id_, message.cohort, tuple(sorted(of))), moments


async def _put(
    session: AsyncSession,
    message: WrittenMessage,
    of: dict[str, tuple[str, ...]],
    cohort: CohortRow,
    now: datetime,
    shards: int,
) -> list[Moment]:
    """Into the postboxes; of one about mentorships, the first of a person's is the one that the item names."""
    rule = postbox.letterbox_rule(cohort.letterbox, cohort.holidays)
    by_place: dict[str, list[str]] = {}
    for person, mentorships in of.items():
        by_place.setdefault(mentorships[0] if message.mentorships else "", []).append(person)
    moments: list[Moment] = []
    for mentorship, readers in sorted(by_place.items()):
        address = Address(message.cohort, mentorship, now, rule, shards)
        posts = [post_of(message.cohort, message.id, person, now) for person in readers]
        moments += await postbox.post(session, address, posts, Standstill())
    return moments


async def _readers(session: AsyncSession, message: WrittenMessage) -> dict[str, tuple[str, ...]]:
    """Whom a message reaches, with the mentorships that it is about to them. Raises `NotFound` and `Refused`."""
    seats = await written_messages.seats(session, message.cohort, message.mentorships)
    _all_known("mentorship", message.mentorships, {key for key, _ in seats}, message.cohort)
    _all_known("person", message.people, {seat[0] for _, seat in seats}, message.cohort)
    of = readers_of(seats, message.people)
    if not of:
        raise Refused("nobody is left whom it could reach")
    return of


def _all_known(what: str, wanted: Iterable[str], known: Collection[str], cohort: str) -> None:
    missing = [one for one in wanted if one not in known]
    if missing:
        where = f"{cohort} has no {what}" if what == "mentorship" else "none of those it is about has a seat for"
        raise NotFound(f"{where} {', '.join(missing)}")


def _checked(content: MessageText) -> tuple[str, str]:
    subject = " ".join(CONTROLS.sub("", content.subject).split())
    text = CONTROLS.sub("", content.text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not subject:
        raise Refused("a message needs a subject")
    if len(subject) > LONGEST_SUBJECT:
        raise Refused(f"a subject has at most {LONGEST_SUBJECT} characters; this one has {len(subject)}")
    if not text:
        raise Refused("a message needs some text")
    if len(text) > LONGEST_TEXT:
        raise Refused(f"a message has at most {LONGEST_TEXT} characters; this one has {len(text)}")
    return subject, text
