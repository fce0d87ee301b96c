"""What a participant does on their own page: pause, resume, propose an end, leave, raise a concern, correct their
details, ask for a new address or to be erased, stop or restart reminders.

Each act is one transaction: what it changes, a line on the record, and a row for each workflow that has to hear of
it. Nobody waits for a workflow: the caller hands the rows over when the page is out. The same submission with the
same content twice is one act. What somebody writes stays in SQL.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.changes import LONGEST_PAUSE
from lifecycle.events import EVENTS, Answered, Event, Leave, Pause, ProposeEnd, Resume, Seen
from lifecycle.findings import PersonalRequest, Signals
from lifecycle.local_time import local_date
from lifecycle.pauses import touches
from lifecycle.state import PlannedPause
from operations.errors import Refused
from operations.people.correct import Correction, Details, correct_in
from operations.submissions import act_id
from operations.transactions import in_one
from program.addresses import problem_of_address
from runtime import outbox_relay
from store import operations_log, workflow_outbox
from store.database import Database
from store.forms import requests
from store.people import own_page, people
from store.people.own_page import Holder, MentorshipRef, OwnMentorship
from store.workflow_outbox import OutboxEvent

Act = Literal["pause", "resume", "end", "leave"]
"""What somebody can do to one of their mentorships."""

CONCERNS = {
    "conduct": "How somebody behaves",
    "safety": "My safety, or that of somebody else",
    "confidentiality": "Something confidential was passed on",
    "discrimination": "Discrimination or harassment",
    "interest": "A conflict of interest",
    "unsure": "I’m not sure what to call it",
}
"""Kinds of concern, in the words that people choose among."""
PAUSE_REASONS = {
    "leave": "Leave or holiday",
    "illness": "Illness",
    "parental": "Parental leave",
    "bereavement": "Bereavement",
    "workload": "Too much work",
    "career_break": "Career break",
    "rather_not": "I’d rather not say",
}
"""Why somebody pauses, in the words that people choose among."""
ON_RECORD: dict[PersonalRequest, str] = {
    "erase": "asks_for_erase",
    "address": "asks_for_address",
    "not_me": "link_misused",
}
"""What somebody wants of the coordinators, as the record calls it."""

_ADAPTERS: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(kind) for name, kind in EVENTS.items()}


@dataclass(frozen=True, slots=True)
class Done:
    """It is committed. `repeated`: it was before, and nothing has changed."""

    repeated: bool = False
    to_tell: tuple[MentorshipRef, ...] = field(default=(), compare=False)
    """Mentorships whose workflow has something to be told."""
    correction: Correction | None = field(default=None, compare=False)
    earliest: Mapping[int, datetime] = field(default_factory=dict[int, datetime], compare=False)
    """Shard to the moment (UTC) at which its postmaster must look."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """It makes no sense now; `why` is for the person who asked for it. Nothing was kept."""

    why: str


@dataclass(frozen=True, slots=True)
class UnknownPerson:
    """No such person or no such mentorship of theirs, or the link was revoked."""


ActResult = Done | Rejected | UnknownPerson


@dataclass(frozen=True, slots=True)
class OwnChange:
    """What somebody wants to do to one of their mentorships. `until` goes with pause; None leaves the end open."""

    act: Act
    until: date | None = None
    reason: str = ""
    """A code: of PAUSE_REASONS, or of the lifecycle for an end."""
    begins: date | None = None
    """With pause: the day on which it begins; None is today."""
    tell: bool = False
    """With pause: the others are told the dates."""


@dataclass(frozen=True, slots=True)
class Concern:
    """A concern as it was raised."""

    kind: str
    """Of CONCERNS."""
    text: str
    contact: str = ""
    """How the person may be contacted, in their own words; empty where they rather would not be."""
    danger: bool = False
    about: tuple[str, ...] = ()
    """Ids of coordinators whom it is about: they are not told."""


async def change(
    database: Database,
    person: str,
    generation: int,
    submission: str,
    where: MentorshipRef,
    wanted: OwnChange,
    now: datetime,
) -> ActResult:
    """Pause, resume, propose to end, or leave. `now` is program time (UTC)."""

    async def carry_out(session: AsyncSession, holder: Holder, id_: str) -> ActResult:
        seat = _seat_at(await own_page.seats(session, holder.id), where)
        if seat is None:
            return UnknownPerson()
        why = why_not(seat, wanted.act, wanted.until, now) or why_not_from(seat, wanted.begins, wanted.until, now)
        if why:
            return Rejected(why)
        why_words = PAUSE_REASONS.get(wanted.reason, "") if wanted.act == "pause" else ""
        dates = {"from": wanted.begins, "until": wanted.until}
        detail = {name: day.isoformat() for name, day in dates.items() if day}
        await operations_log.put_operation(session, id_, wanted.act, *where, detail, holder.id, why_words, now)
        await _tell(session, where, _event_of(wanted, id_, holder.id), now)
        return Done(to_tell=(where,))

    later = (str(wanted.begins), "tell" if wanted.tell else "") if wanted.begins or wanted.tell else ()
    content = (*where, wanted.act, str(wanted.until), wanted.reason, *later)
    return await _once(database, person, generation, submission, content, carry_out, now)


def why_not(seat: OwnMentorship, act: Act, until: date | None, now: datetime) -> str:
    """Why this can't be done to this mentorship, in words for its participant; empty where it can."""
    today = local_date(now, seat.cohort_zone)
    if seat.standing == "out":
        return "You take no part in this mentorship any more."
    if seat.state == "over":
        return "This mentorship is over, and its record is final."
    if seat.ending_early and act != "leave":
        return "This mentorship is ending already. There is nothing to do: it closes by itself."
    match act:
        case "pause" if until is not None and until <= today:
            return "Choose a day after today for the end of the pause."
        case "pause" if until is not None and until > today + LONGEST_PAUSE:
            return "That is more than ten years away. Leave the date out if you don’t know when the pause will end."
        case "resume" if not seat.paused_until and not seat.pause_ahead:
            return "This mentorship is not paused."
        case "end" if not seat.running:
            return "This mentorship has not begun yet. You can leave it instead."
        case "end" if seat.standing != "accepted":
            return "You have not taken your seat in this mentorship. You can leave it instead."
        case _:
            return ""


def why_not_from(seat: OwnMentorship, begins: date | None, until: date | None, now: datetime) -> str:
    """Why a pause can't begin on this day, in words for the participant; empty where it can, or begins today."""
    today = local_date(now, seat.cohort_zone)
    if begins is None or begins == today:
        return ""
    if begins < today:
        return "That day is over. Choose a day from today on, or leave it empty to pause at once."
    if until is not None and until <= begins:
        return "The pause must begin before the day on which it goes on."
    if begins >= seat.end and seat.paused_until != "open":
        return "The mentorship ends before that day. There is nothing to pause."
    if begins > today + LONGEST_PAUSE:
        return "That is more than ten years away."
    if seat.pause_ahead and not touches(PlannedPause.of(seat.pause_ahead), begins, until):
        return "Another pause is planned already. Take that one back first."
    return ""


async def raise_concern(
    database: Database,
    person: str,
    generation: int,
    submission: str,
    where: MentorshipRef,
    concern: Concern,
    now: datetime,
) -> ActResult:
    """Take a concern in: what was written goes on the record, and the coordinators hear of it at once, but for those
    whom it is about. `now` is program time (UTC)."""

    async def carry_out(session: AsyncSession, holder: Holder, id_: str) -> ActResult:
        seat = _seat_at(await own_page.seats(session, holder.id), where)
        if seat is None or not is_reachable(seat):
            return UnknownPerson()
        about = tuple(
            coordinator.id
            for coordinator in seat.coordinators
            if coordinator.role == "coordinator" and coordinator.id in concern.about
        )
        words = f"{concern.text}\n{_contact(concern)}"
        await operations_log.put_operation(
            session, id_, "concern", *where, {"kind": concern.kind}, holder.id, "", now
        )
        danger = ", in danger now" if concern.danger else ""
        await requests.note(
            session, *where, now, "concern_raised", holder.id, f"{concern.kind}{danger}", by=holder.id, why=words
        )
        is_safety = concern.kind != "interest" or concern.danger or bool(about)
        report = Signals(safety=True, not_to=about, contact=bool(concern.contact))
        signals = report if is_safety else Signals(help=True)
        await _tell(session, where, Answered(id_, holder.id, "concern", 1, signals, now), now)
        return Done(to_tell=(where,))

    content = (*where, concern.kind, concern.text, concern.contact, concern.danger, concern.about)
    return await _once(database, person, generation, submission, content, carry_out, now)


async def ask_for(
    database: Database,
    person: str,
    generation: int,
    submission: str,
    wish: PersonalRequest,
    now: datetime,
    address: str = "",
) -> ActResult:
    """Ask the coordinators of every cohort in which the person takes part to erase them, or to take a new address."""

    async def carry_out(session: AsyncSession, holder: Holder, id_: str) -> ActResult:
        if wish == "address" and problem_of_address(address, utf8=True)[0]:
            return Rejected("That is no address: write it such as name@example.org.")
        return await ask_desks(session, holder.id, id_, wish, now, address)

    return await _once(database, person, generation, submission, (wish, address), carry_out, now)


async def ask_desks(
    session: AsyncSession, person: str, id_: str, wish: PersonalRequest, now: datetime, address: str = ""
) -> Done | Rejected:
    """The same inside a writing transaction that is open, under this id."""
    found = {seat.cohort: seat.ref for seat in reversed(await own_page.seats(session, person)) if seat.lives}
    if not found:
        return Rejected("None of your mentorships is running. Please write to a coordinator.")
    for where in sorted(found.values()):
        own, name = f"{id_}/{where[0]}", ON_RECORD[wish]
        await operations_log.put_operation(session, own, name, *where, {}, person, "", now)
        await requests.note(session, *where, now, name, person, by=person, why=address)
        signals = Signals(help=True, wish=wish)
        await _tell(session, where, Answered(own, person, "wish", 1, signals, now), now)
    return Done(to_tell=tuple(sorted(found.values())))


async def correct_details(
    database: Database, person: str, generation: int, submission: str, details: Details, now: datetime
) -> ActResult:
    """Correct name, zone or language at once. Call `operations.people.correct.pass_on` with the correction."""
    assert details.email is None, "a new address must be confirmed"

    async def carry_out(session: AsyncSession, holder: Holder, id_: str) -> ActResult:
        try:
            correction = await correct_in(session, holder.id, details, now, by=holder.id)
        except Refused as refused:
            return Rejected(str(refused))
        seen = await _seen(session, holder, id_, now)
        return Done(to_tell=seen, correction=correction)

    content = (str(details.name), str(details.zone), str(details.language))
    return await _once(database, person, generation, submission, content, carry_out, now)


async def restart_reminders(
    database: Database, person: str, generation: int, submission: str, now: datetime
) -> ActResult:
    """Remind a person again of what is open."""

    async def carry_out(session: AsyncSession, holder: Holder, id_: str) -> ActResult:
        if await people.restart_reminders(session, holder.id):
            for cohort in await people.cohorts_of(session, holder.id):
                await requests.note(session, cohort.id, "", now, "reminders_restarted", holder.id, by=holder.id)
        return Done(to_tell=await _seen(session, holder, id_, now))

    return await _once(database, person, generation, submission, ("restart",), carry_out, now)


async def was_seen(database: Database, person: str, generation: int, submission: str, now: datetime) -> ActResult:
    """An act that changes no mentorship was a sign of life for each of them."""

    async def carry_out(session: AsyncSession, holder: Holder, id_: str) -> ActResult:
        return Done(to_tell=await _seen(session, holder, id_, now))

    return await _once(database, person, generation, submission, ("seen",), carry_out, now)


def is_reachable(seat: OwnMentorship) -> bool:
    """Whether a concern about this mentorship still finds its way: it runs, or its follow-up is ahead."""
    return seat.standing != "out" and (seat.state != "over" or any(one.name == "follow_up" for one in seat.coming))


# -- one act -----------------------------------------------------------------------------------------------------

CarryOut = Callable[[AsyncSession, Holder, str], Awaitable[ActResult]]
"""(session, who, id of the operation)"""


async def _once(
    database: Database,
    person: str,
    generation: int,
    submission: str,
    content: Sequence[object],
    carry_out: CarryOut,
    now: datetime,
) -> ActResult:
    """Carry an act out in a transaction of its own, unless the same was carried out before.

    The same is the same submission with the same content: somebody who goes back, adds "danger now" and sends again
    means it, and must not be asked once more. Without a submission of ours it is the same content on the same day.
    """
    id_ = f"own/{person}/{act_id(submission, now.date(), *content)}"

    async def act(session: AsyncSession) -> ActResult:
        holder = await own_page.holder(session, person, generation, to_write=True)
        if holder is None:
            return UnknownPerson()
        if await operations_log.is_known(session, id_):
            return Done(repeated=True)
        outcome = await carry_out(session, holder, id_)
        if isinstance(outcome, Done):
            await operations_log.mark_known(session, id_, "own_page", holder.id, now)
        return outcome

    return await in_one(database, act)


def _seat_at(seats: Sequence[OwnMentorship], where: MentorshipRef) -> OwnMentorship | None:
    return next((seat for seat in seats if seat.ref == where), None)


def _event_of(wanted: OwnChange, id_: str, person: str) -> Event:
    match wanted.act:
        case "pause":
            return Pause(id_, wanted.until, person, begins=wanted.begins, tell=wanted.tell)
        case "resume":
            return Resume(id_, person)
        case "end":
            return ProposeEnd(id_, person, wanted.reason or "no_fault")
        case "leave":
            return Leave(id_, person)


def _contact(concern: Concern) -> str:
    return f"To be contacted: {concern.contact}" if concern.contact else "Would rather not be contacted."


async def _seen(session: AsyncSession, holder: Holder, id_: str, now: datetime) -> tuple[MentorshipRef, ...]:
    """Every mentorship that runs hears a sign of life."""
    found = [seat.ref for seat in await own_page.seats(session, holder.id) if seat.lives]
    for where in found:
        await _tell(session, where, Seen("/".join((id_, *where)), holder.id), now)
    return tuple(found)


async def _tell(session: AsyncSession, where: MentorshipRef, event: Event, now: datetime) -> None:
    name = type(event).__name__
    payload = _ADAPTERS[name].dump_python(event, mode="json")
    await workflow_outbox.put(session, OutboxEvent(event.id, *where, name, payload), now + outbox_relay.GRACE)
