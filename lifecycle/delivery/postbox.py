"""What leaves a person's postbox at one moment: the decision that the postmaster and the rehearsal share.

`sort_out` looks at everything that waits for one person and says what goes now, what is dropped and why,
what is held, and when to look again (lifecycle 2.5 to 2.9). It knows no SQL and no mail and reads no clock. It
must never let through two ordinary mails on one local date, an ordinary mail outside the letterbox, or a fourth
mail about a request.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from lifecycle.commands import ItemKind
from lifecycle.delivery.absences import Absence, back_on
from lifecycle.delivery.holds import Standstill, keeps_back
from lifecycle.delivery.letterbox import LetterboxRule, is_open, next_open, opening, ready_at
from lifecycle.delivery.notices import Notice, NoticeFacts, still_true
from lifecycle.local_time import DAY, begins, local_date

LOOK_AFTER = timedelta(seconds=30)
"""How long after its moment a postbox is looked at for ordinary mail: what is decided at the very instant at which a
letterbox opens (midnight in another zone), or in several turns of one instant, goes in one mail."""

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
GRAIN = timedelta(minutes=10)

MAILS_PER_REQUEST = 3
"""The request and two reminders, whatever the config says (lifecycle 2.8)."""

FAST: frozenset[ItemKind] = frozenset(("receipt", "urgent"))
"""Kinds that go at once and don't use up the day's mail (lifecycle 2.6)."""

ANOTHER_FOLLOWS = "another follows"
"""What a reminder is about, where a later reminder of the same request is still to come."""

ADDRESS_OLD, ADDRESS_NEW = "address_old", "address_new"
ALONE = frozenset((ADDRESS_OLD, ADDRESS_NEW))
"""Items that ask whether a new address is right: each goes in a mail of its own, the second of them to another
address than all the rest."""


class DropReason(StrEnum):
    """Why an item that waited is not true any more, in the order in which they are named (lifecycle 2.7)."""

    ANSWERED = "answered"
    WINDOW_CLOSED = "window_closed"
    PAUSED = "paused"
    OVER = "over"
    REMINDERS_STOPPED = "reminders_stopped"
    LEFT = "left"
    ERASED = "erased"
    BOUNCED = "bounced"
    TOO_SOON = "too_soon"
    LIMIT = "limit"
    AWAY = "away"
    UNTRUE = "untrue"


@dataclass(slots=True)
class RequestFacts:
    """A request as it stands now."""

    key: str
    state: Literal["open", "answered", "closed", "withdrawn", "superseded"]
    closes_at: datetime
    """The instant at which its last day has ended, UTC."""
    mails: int = 0
    """How many mails have carried it."""
    last_mail_on: date | None = None
    """Local date of the last of them."""


@dataclass(slots=True)
class MentorshipFacts:
    """A mentorship as it stands now. `held` is the hold after a safety report."""

    paused: bool = False
    held: bool = False
    over: bool = False


@dataclass(slots=True)
class PersonFacts:
    """A person as they stand now. `last_mail_on` is the local date of the last ordinary mail."""

    id: str
    zone: str
    standing: Literal["active", "left", "erased", "bounced"] = "active"
    reminders_stopped: bool = False
    last_mail_on: date | None = None
    absences: tuple[Absence, ...] = ()
    """What they have stated in any form; looked at for reminders only."""


@dataclass(frozen=TYPE_CHECKING, slots=True, unsafe_hash=True)
class ItemFacts:
    """An item in the postbox with the facts that decide about it.

    `mentorship` is None for what the person gets as a coordinator and for what concerns no single mentorship.
    """

    key: str
    kind: ItemKind
    name: str
    date: date
    queued_at: datetime
    rule: LetterboxRule
    """The letterbox of the item's cohort."""
    request: RequestFacts | None = None
    mentorship: MentorshipFacts | None = None
    out: bool = False
    """The person has no seat in that mentorship any more: left, removed, replaced."""
    after_end: bool = False
    """Still true when the mentorship is over."""
    number: int = 0
    about: str = ""
    facts: NoticeFacts | None = None
    """What the condition of a notice looks at; None where it has none."""

    @property
    def fast(self) -> bool:
        """Goes at once, in a mail beside the day's mail."""
        return self.kind in FAST

    @property
    def order(self) -> tuple[date, datetime, bool, str]:
        """Oldest first; of what is equally old, news before questions: first the partner, then the form."""
        return self.date, self.queued_at, self.kind != "notice", self.key


@dataclass(slots=True)
class Delivery:
    """What becomes of everything that waits for one person. Each item stands in exactly one of the lists."""

    ordinary: list[ItemFacts] = field(default_factory=lambda: [])
    """Go now, together, as the day's mail."""
    fast: list[ItemFacts] = field(default_factory=lambda: [])
    """Go now, together, beside the day's mail."""
    dropped: list[tuple[ItemFacts, DropReason]] = field(default_factory=lambda: [])
    held: list[ItemFacts] = field(default_factory=lambda: [])
    """Wait for the end of a pause or of a hold; no moment is known."""
    later: list[tuple[ItemFacts, datetime]] = field(default_factory=lambda: [])
    """Wait for their moment (UTC), which is looked at again when it comes."""

    @property
    def mails(self) -> list[tuple[list[ItemFacts], bool]]:
        """What goes now, mail by mail, with whether it is a fast one."""
        together = [item for item in self.fast if item.name not in ALONE]
        alone = [[item] for item in self.fast if item.name in ALONE]
        fast = [(some, True) for some in (together, *alone) if some]
        return [*fast, *([(self.ordinary, False)] if self.ordinary else [])]

    @property
    def next_at(self) -> datetime | None:
        """When to look at this person again, UTC; None while nothing waits for a moment."""
        return min((moment for _, moment in self.later), default=None)


def sort_out(person: PersonFacts, items: Iterable[ItemFacts], now: datetime) -> Delivery:
    """Decide about everything that waits for one person, at this moment (UTC).

    Raises NeverOpenError for an item whose letterbox never opens.
    """
    today = local_date(now, person.zone)
    found = Delivery()
    due: list[ItemFacts] = []
    early: list[ItemFacts] = []
    for item in sorted(items, key=lambda item: item.order):
        if _is_due(person, item, now, today):
            due.append(item)
        else:
            early.append(item)
    true_now: list[ItemFacts] = []
    untrue: list[tuple[ItemFacts, DropReason]] = []
    for item in due:
        reason = _why_dropped(person, item, now)
        if reason is not None:
            found.dropped.append((item, reason))
        elif _is_held(item):
            found.held.append(item)
        elif _still_true(item):
            true_now.append(item)
        else:
            untrue.append((item, DropReason.UNTRUE))
    found.dropped += untrue
    found.fast = [item for item in true_now if item.fast]
    in_fast_mail = {item.request.key for item in found.fast if item.request}
    _fill_ordinary_mail(found, person, [item for item in true_now if not item.fast], in_fast_mail, now)
    if early:
        used = today if found.ordinary else person.last_mail_on
        found.later += [(item, _moment(person, item, now, used)) for item in early]
    return found


def logical_moment(zone: str, items: Iterable[ItemFacts], now: datetime) -> datetime:
    """The moment that an ordinary mail bears (its Date header): when it became due, at most `GRAIN` before now, UTC.

    So a mail that waits a little for its turn at nine bears nine o'clock, and can be worded before.
    """
    moment = now - (now - EPOCH) % GRAIN
    for item in items:
        since = opening(item.rule, zone, local_date(now, zone)).opens
        looked_at = ready_at(item.date, zone, item.queued_at) + LOOK_AFTER
        moment = max(moment, since, min(looked_at, now))
    return moment


def look_at(
    rule: LetterboxRule, zone: str, last_mail_on: date | None, kind: ItemKind, on: date, now: datetime
) -> datetime:
    """When the postmaster must look at an item that is queued now (UTC): at once for receipts and urgent items, for
    others a little after the person's letterbox is open and has not had its mail of the day (lifecycle 2.5 and 2.6).

    `on` is the item's date; never later than the true moment of delivery. Raises NeverOpenError.
    """
    ready = ready_at(on, zone, now)
    return ready if kind in FAST else next_open(rule, zone, ready, last_mail_on) + LOOK_AFTER


def record(person: PersonFacts, delivery: Delivery, now: datetime) -> None:
    """Write a delivery that reached the person into the facts, for the next decision."""
    today = local_date(now, person.zone)
    for mail in (delivery.fast, delivery.ordinary):
        carried = {item.request.key: item.request for item in mail if item.request}
        for request in carried.values():
            request.mails += 1
            request.last_mail_on = today
    if delivery.ordinary:
        person.last_mail_on = today


def _is_due(person: PersonFacts, item: ItemFacts, now: datetime, today: date) -> bool:
    if item.fast:
        return item.queued_at <= now
    return (
        ready_at(item.date, person.zone, item.queued_at) <= now
        and (person.last_mail_on is None or person.last_mail_on < today)
        and is_open(item.rule, person.zone, now)
    )


def _moment(person: PersonFacts, item: ItemFacts, now: datetime, used: date | None) -> datetime:
    """When an item that is not due may go at the earliest, if nothing changes."""
    if item.fast:
        return item.queued_at
    not_before = max(ready_at(item.date, person.zone, item.queued_at), now)
    if used is not None:
        not_before = max(not_before, begins(used + DAY, person.zone))
    moment = next_open(item.rule, person.zone, not_before)
    if item.kind != "reminder" or ready_at(item.date, person.zone, item.queued_at) > now:
        return moment
    # It is here, and waits for another day only: the one on which they are back, if it waits for that one.
    return _put_off(person, item, moment) or moment


def _put_off(person: PersonFacts, item: ItemFacts, moment: datetime) -> datetime | None:
    """When a reminder goes that would reach its person at this moment (UTC): on the first day after their absences.

    None where another reminder of the request follows anyway, or where its window has ended by then.
    """
    while (back := back_on(person.absences, local_date(moment, person.zone))) is not None:
        moment = next_open(item.rule, person.zone, begins(back, person.zone))
    assert item.request is not None
    return moment if item.about != ANOTHER_FOLLOWS and moment < item.request.closes_at else None


def _why_dropped(person: PersonFacts, item: ItemFacts, now: datetime) -> DropReason | None:
    """Why the item is not true any more, as far as other items of the same mail have no say in it."""
    mentorship, request, reminder = item.mentorship, item.request, item.kind == "reminder"
    over = mentorship is not None and mentorship.over
    paused = mentorship is not None and mentorship.paused and not over
    if request is not None and not item.fast:
        if request.state == "answered":
            return DropReason.ANSWERED
        # A pause moves the windows that are open, so while it lasts their old close says nothing.
        if request.state == "closed" or (now >= request.closes_at and not paused):
            return DropReason.WINDOW_CLOSED
    if reminder and paused:
        return DropReason.PAUSED
    if over and not item.after_end:
        return DropReason.OVER
    if reminder and person.reminders_stopped:
        return DropReason.REMINDERS_STOPPED
    if item.out or (person.standing == "left" and mentorship is not None):
        return DropReason.LEFT
    if person.standing == "erased":
        return DropReason.ERASED
    if person.standing == "bounced":
        return DropReason.BOUNCED
    if request is not None and not item.fast and request.state != "open":
        return DropReason.WINDOW_CLOSED
    return None


def _is_held(item: ItemFacts) -> bool:
    mentorship = item.mentorship
    if mentorship is None or not (mentorship.held or mentorship.paused):
        return False
    return keeps_back(item.name, Standstill(mentorship.held, mentorship.paused and not mentorship.over))


def _still_true(item: ItemFacts) -> bool:
    """A notice that says what holds; a receipt answers what its reader did, and stays true."""
    if item.facts is None or item.kind == "receipt":
        return True
    return still_true(item.name, Notice(item.number, item.about, item.queued_at), item.facts)


def _fill_ordinary_mail(
    found: Delivery, person: PersonFacts, items: list[ItemFacts], in_fast_mail: set[str], now: datetime
) -> None:
    """Take each item into the day's mail unless it was said often enough, or lately, or in this very mail; and a
    reminder unless its person is away."""
    today = local_date(now, person.zone)
    away = back_on(person.absences, today) is not None
    carried: set[str] = set()
    # What brings a request comes before what reminds of it, so that a reminder never goes in its place.
    for item in sorted(items, key=lambda item: item.kind == "reminder"):
        reason = _why_not_again(item, carried, in_fast_mail, today)
        if reason is not None:
            found.dropped.append((item, reason))
            continue
        if away and item.kind == "reminder":
            _leave_for_later(found, person, item, now)
            continue
        found.ordinary.append(item)
        if item.request is not None:
            carried.add(item.request.key)
    found.ordinary.sort(key=lambda item: item.order)


def _leave_for_later(found: Delivery, person: PersonFacts, item: ItemFacts, now: datetime) -> None:
    """What becomes of a reminder for somebody who is away today."""
    moment = _put_off(person, item, now)
    if moment is None:
        found.dropped.append((item, DropReason.AWAY))
    else:
        found.later.append((item, moment))


def _why_not_again(item: ItemFacts, carried: set[str], in_fast_mail: set[str], today: date) -> DropReason | None:
    request = item.request
    if request is None:
        return None
    just_now = request.key in in_fast_mail
    if item.kind in ("request", "reminder") and request.key in carried:
        return DropReason.TOO_SOON
    if item.kind == "reminder":
        last = today if just_now else request.last_mail_on
        if last is not None and last >= today - DAY:
            return DropReason.TOO_SOON
    if request.mails + just_now >= MAILS_PER_REQUEST:
        return DropReason.LIMIT
    return None
