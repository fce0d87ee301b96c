"""Applying to an open call: sent, confirmed from the address, changed, withdrawn. Each act is one transaction, and
the same act again changes nothing.

Whether an address is known is said to nobody: the page answers everybody alike, and only the mailbox learns more. An
application counts once its address has confirmed it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from secrets import choice

from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.gathering import MAILS_A_DAY
from mail.headers import BadHeader, address
from operations.forms.parse import FieldFault, Typed, read
from operations.people.erase import Erasure, clean_up, erase_in
from operations.transactions import in_one
from program.addresses import problem_of_address
from program.checks.gathering_checks import allowed
from program.faults import listed
from program.forms import Answers, Question
from program.text import clean
from runtime.errors import ExpectedError
from store.cohorts import calls
from store.cohorts.calls import Call
from store.database import Database
from store.forms import requests
from store.people import applications, people
from store.people.applications import Application, NewApplication
from store.shards import soonest

NAME, EMAIL, ROLE, CAPACITY, ZONE = "name", "email", "role", "mentees_at_most", "zone"
TRAP = "homepage"
"""A field that people do not see: what fills it in is a program."""
QUICKEST = timedelta(seconds=3)
"""Nobody reads the page and fills it in faster (real time)."""
PAGE_LASTS = timedelta(days=2)
"""A page that was opened earlier is sent again with a new one (real time)."""
MOST_UNCONFIRMED = 20_000
"""Applications of a cohort that nobody has confirmed: more are refused, for they come from a program."""
LAPSES = timedelta(days=7)
"""An application that nobody confirms is deleted after this time."""
KEPT = timedelta(days=90)
"""So long after the pairs are published applications are kept."""
LONGEST_NAME = 80
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"

OWN_QUESTIONS = (
    Question(id=NAME, type="text", label="Your name", required=True, longest=LONGEST_NAME, visible="pair"),
    Question(
        id=EMAIL,
        type="text",
        label="Your mail address",
        help="We send a link there, to confirm that it is yours.",
        required=True,
        longest=254,
    ),
)
"""What every application asks before the questions of its form."""


@dataclass(frozen=True, slots=True)
class Received:
    """What was sent is in; the same for every address. `earliest`: shard to the moment to wake it for."""

    earliest: dict[int, datetime] = field(default_factory=dict[int, datetime], compare=False)


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Something has to be corrected first; nothing was stored."""

    faults: tuple[FieldFault, ...]


@dataclass(frozen=True, slots=True)
class NoCall:
    """Nobody can apply: the call is not open yet, over, or there is none. Nothing was stored."""

    call: Call | None


@dataclass(frozen=True, slots=True)
class Changed:
    """An act on an application is done. `repeated`: it was done before."""

    repeated: bool = False
    earliest: dict[int, datetime] = field(default_factory=dict[int, datetime], compare=False)
    erasure: Erasure | None = None


class TooLate(ExpectedError):
    """The time for this act is over; the message is for the applicant."""


def questions_of(call: Call, role: str) -> tuple[Question, ...]:
    """Everything that the page asks for this role, name and address first."""
    own = {question.id for question in OWN_QUESTIONS}
    return (*OWN_QUESTIONS, *(question for question in call.questions(role) if question.id not in own))


def is_open(call: Call | None, now: datetime) -> bool:
    """Whether somebody can send an application at this moment; after the close it is for the waiting list."""
    return call is not None and call.state == "running" and call.stage(now) not in ("planned", "published")


async def apply(
    database: Database,
    cohort: str,
    typed: Typed,
    role: str,
    took: timedelta | None,
    now: datetime,
    *,
    shards: int = 1,
) -> Received | NotTaken | NoCall:
    """Take what somebody typed into the page of a call. `took` is the real time since the page was served; None where
    that is not known, because the page is not ours or too old.

    An applicant gets a mail to confirm the address; one who has confirmed before gets their own link.
    """
    async with database.session() as session:
        call = await calls.find(session, cohort)
    if call is None or not is_open(call, now):
        return NoCall(call)
    if role not in call.terms.roles:
        return NotTaken((FieldFault(ROLE, "Choose as what you would like to take part"),))
    reading = read(questions_of(call, role), typed)
    faults = [*reading.faults, *_more_faults(call, reading.answers, typed, took)]
    if faults:
        return NotTaken(tuple(faults))

    async def carry_out(session: AsyncSession) -> Received | NotTaken:
        return await _take(session, call, role, reading.answers, now, shards)

    return await in_one(database, carry_out)


def _more_faults(call: Call, answers: Answers, typed: Typed, took: timedelta | None) -> Iterable[FieldFault]:
    email = str(answers.get(EMAIL, "")).strip()
    if email and (wrong := _problem_of(email)):
        yield FieldFault(EMAIL, wrong)
    elif email and not allowed(email, call.terms.domains):
        yield FieldFault(EMAIL, f"Use an address that ends in {_either(call.terms.domains)}: others can’t apply here")
    name = str(answers.get(NAME, ""))
    if any(sign in name for sign in ("://", "www.", "@", "<", ">", "\n")):
        yield FieldFault(NAME, "Write your name only, without addresses")
    if clean((typed.get(TRAP) or [""])[0]):
        yield FieldFault(TRAP, "Leave the field “Homepage” empty: it is there to keep programs out")
    if took is None or took > PAGE_LASTS:
        yield FieldFault(NAME, "This page was open for a long time. Check what you wrote, and send it again")
    elif took < QUICKEST:
        yield FieldFault(NAME, "That was very quick. Check what you wrote, and send it again")


def _problem_of(email: str) -> str:
    try:
        if not problem_of_address(email, utf8=True)[0] and address(email, "To"):
            return ""
    except BadHeader:
        return "Enter an address with plain letters before the @, such as name@example.org"
    return "Enter an address such as name@example.org"


def _either(domains: tuple[str, ...]) -> str:
    return listed(f"@{domain}" for domain in domains).replace("`", "").replace(" and ", " or ")


async def _take(
    session: AsyncSession, call: Call, role: str, answers: Answers, now: datetime, shards: int
) -> Received | NotTaken:
    email, name = str(answers[EMAIL]).strip(), str(answers[NAME])
    body = {id_: answer for id_, answer in answers.items() if id_ not in (NAME, EMAIL)}
    today = now.astimezone(UTC).date()
    # Of two that come from the same address at the same moment, the second waits here, and finds the first.
    await calls.lock(session, call.cohort)
    known = await applications.of_address(session, call.cohort, email, lock=True)
    if known is None:
        if call.terms.invited_only:
            # Said to nobody: who was invited is not for strangers to find out.
            return Received()
        if await applications.count(session, call.cohort, ("unconfirmed",)) >= MOST_UNCONFIRMED:
            return NotTaken((FieldFault(NAME, "Too many people apply at this moment. Please try again tomorrow"),))
        person = await people.find(session, email=email)
        person_id = person.id if person else await _add_person(session, call, name, email, body)
        new = NewApplication(
            new_id(), call.cohort, person_id, role, name, body, call.form.version, now, mailed_on=today
        )
        await applications.add(session, new)
        moments = await applications.tell(
            session, call, new.id, person_id, "receipt", applications.CONFIRM, 1, now, shards=shards
        )
        return Received(soonest(moments))
    if known.standing in ("erased", "bounced"):
        return Received()
    if _mails_today(known, today) >= MAILS_A_DAY:
        return Received()
    confirmed = known.state in applications.COUNTS
    if not confirmed:
        # Nobody has confirmed what was sent before: what counts is what the address confirms.
        await applications.change(
            session, known.id, state="unconfirmed", role=role, name=name, body=dict(body),
            form_version=call.form.version, at=now,
        )  # fmt: skip
    await applications.change(
        session, known.id, mails=known.mails + 1, mailed_on=today, mails_that_day=_mails_today(known, today) + 1
    )
    before = (applications.INVITED, applications.CONFIRM, applications.YOURS)
    await applications.take_back(session, call.cohort, known.id, before, now)
    mail = applications.YOURS if confirmed else applications.CONFIRM
    moments = await applications.tell(
        session, call, known.id, known.person, "receipt", mail, known.mails + 1, now, shards=shards
    )
    return Received(soonest(moments))


def _mails_today(application: Application, today: date) -> int:
    return application.mails_that_day if application.mailed_on == today else 0


async def _add_person(session: AsyncSession, call: Call, name: str, email: str, body: Answers) -> str:
    id_ = "a" + new_id()
    await applications.add_person(session, id_, name, email, str(body.get(ZONE) or call.zone), call.language)
    return id_


def new_id() -> str:
    """An id that says nothing: 12 letters and digits that are hard to confuse."""
    return "".join(choice(_ALPHABET) for _ in range(12))


# -- by the own link -----------------------------------------------------------------------------------------------


async def confirm(database: Database, id_: str, generation: int, now: datetime, *, shards: int = 1) -> Changed | None:
    """The address confirms its application: from now on it counts, or it is on the waiting list. None for a link that
    opens nothing. Raises TooLate."""

    async def carry_out(session: AsyncSession) -> Changed | None:
        found, call = await _open(session, id_, generation)
        if found is None or call is None:
            return None
        if found.state != "unconfirmed":
            return Changed(repeated=True)
        if not is_open(call, now):
            raise TooLate("The call is over, so your application can’t be taken any more.")
        limit = call.terms.limit.get(found.role)
        full = (
            limit is not None and await applications.count(session, call.cohort, ("confirmed",), found.role) >= limit
        )
        state = "waiting" if full or call.stage(now) != "applying" else "confirmed"
        await applications.change(session, id_, state=state, confirmed_at=now)
        if await applications.only_applied(session, found.person, besides=id_):
            zone = str(found.body.get(ZONE) or call.zone)
            await applications.change_person(session, found.person, name=found.name, zone=zone)
        await applications.take_back(session, call.cohort, id_, (applications.CONFIRM, applications.INVITED), now)
        await requests.note(session, call.cohort, "", now, "applied", found.person, found.role, by=found.person)
        nth = found.mails + 1
        await applications.change(session, id_, mails=nth)
        moments = await applications.tell(
            session, call, id_, found.person, "receipt", applications.YOURS, nth, now, shards=shards
        )
        return Changed(earliest=soonest(moments))

    return await in_one(database, carry_out)


async def change(
    database: Database, id_: str, generation: int, typed: Typed, now: datetime
) -> Changed | NotTaken | None:
    """Change what an application says, until the close. Name and address stay. Raises TooLate."""

    async def carry_out(session: AsyncSession) -> Changed | NotTaken | None:
        found, call = await _open(session, id_, generation)
        if found is None or call is None or found.state not in applications.COUNTS:
            return None
        if not may_change(call, found, now):
            raise TooLate("The call has closed. Write to a coordinator, if something has to be corrected.")
        reading = read(call.questions(found.role), typed)
        if reading.faults:
            return NotTaken(tuple(reading.faults))
        if reading.answers == found.body:
            return Changed(repeated=True)
        await applications.change(session, id_, body=dict(reading.answers), form_version=call.form.version, at=now)
        if reading.answers.get(ZONE) and await applications.only_applied(session, found.person, besides=id_):
            await applications.change_person(session, found.person, zone=reading.answers[ZONE])
        await requests.note(session, call.cohort, "", now, "application_changed", found.person, by=found.person)
        return Changed()

    return await in_one(database, carry_out)


def may_change(call: Call, application: Application, now: datetime) -> bool:
    """Whether an application can be changed now: until the close, and on the waiting list until the pairs are out."""
    return is_open(call, now) and (application.state == "waiting" or call.stage(now) == "applying")


async def withdraw(database: Database, id_: str, generation: int, now: datetime, *, by: str = "") -> Changed | None:
    """Take an application back: what it says is deleted at once, and with it a person who is known by it only. Raises
    TooLate once the pairs are published: then it is a matter of the mentorship."""

    async def carry_out(session: AsyncSession) -> Changed | None:
        found, call = await _open(session, id_, generation)
        if found is None or call is None:
            return None
        if call.stage(now) == "published" and found.state == "confirmed":
            raise TooLate("The pairs are published. You can leave on your own page, by the link in our mails.")
        return Changed(erasure=await forget(session, found, now, by or found.person))

    changed = await in_one(database, carry_out)
    if changed is not None and changed.erasure is not None:
        await clean_up(database, changed.erasure, now, tell=None)
    return changed


async def forget(
    session: AsyncSession, found: Application, now: datetime, by: str, *, keep_invited: bool = True
) -> Erasure | None:
    """Delete an application and, where nothing else is known of its person, all that is. Needs a writing transaction;
    call `clean_up` with the erasure after the commit. `keep_invited`: it stays noted that somebody who was invited is
    not asked again."""
    alone = await applications.only_applied(session, found.person, besides=found.id)
    await requests.note(session, found.cohort, "", now, "application_withdrawn", found.person, by=by)
    await applications.take_back(session, found.cohort, found.id, applications.OF_APPLICATIONS, now)
    if found.invited and keep_invited:
        # Who said that they don't want to be asked is not asked again by the next launch of the file.
        await applications.change(
            session, found.id, state="withdrawn", role="", name="", body={}, wishes=[], would_take=[], at=now
        )
        return None
    await applications.delete_one(session, found.id)
    return await erase_in(session, found.person, now, by=by) if alone else None


async def _open(session: AsyncSession, id_: str, generation: int) -> tuple[Application | None, Call | None]:
    found = await applications.find(session, id_, generation, lock=True)
    return found, await calls.find(session, found.cohort) if found else None
