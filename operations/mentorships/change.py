"""A coordinator changes mentorships that run (lifecycle 8): one function for each change, and one way to give them.

A change is looked at (`orders`, `look`), and then given (`carry_out`): written down with who and why, sent as an
update to each workflow, and what came of it written down as well. Names, addresses and reasons stay in SQL.

The same change of a mentorship on the same day is one operation with one id, so that a command that broke off is
simply given again: what was done is not done twice, "4 weeks longer" included. To apply it once more, use
`again`; where that breaks off, giving it without `again` goes on. Who has gone or come stays so, hence those changes
are one operation for all time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Literal

from temporalio.client import Client
from temporalio.service import RPCError

from lifecycle import events
from lifecycle.changes import open_requests
from lifecycle.events import Event
from lifecycle.keys import MentorshipRef
from lifecycle.local_time import local_date
from lifecycle.pauses import planned_with
from lifecycle.phases.closure import EARLY_REASONS
from lifecycle.state import State
from operations import audit
from operations.audit import AuditEntry
from operations.errors import Refused
from operations.mentorships.decide import until_date
from operations.mentorships.dry_run import DryRun, Withdrawn, foresee, state_of, withdrawn
from operations.mentorships.not_running import LOST, not_there
from operations.people.deciders import who_decides
from program.durations import days_of
from program.loader import LoadedProgram
from program.models import Role
from runtime.temporal import NoSuchMentorship, NotTaken, RefusedChange, send
from store import operations_log
from store.database import Database
from store.operations_log import Operation
from store.people import people
from store.people.people import KnownPerson
from store.postbox import WaitingItem, waiting_items
from store.programs import freeze_program
from store.reports import status

CONCURRENCY = 20
"""Mentorships that are changed at the same time; more gain nothing."""
FLUSH = 100
"""Outcomes that are written down together."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something to be done to mentorships."""

    kind: str
    """The word of the lifecycle: pause, resume …"""
    event: Callable[[str, str, date], Event]
    """Of an id, who asks for it, and today's date in the cohort's zone. Raises `Refused`."""
    once: bool = False
    """Can be done to a mentorship once only, whatever the day."""
    final: bool = False
    """Can't be taken back."""
    newcomer: KnownPerson | None = None
    program: LoadedProgram | None = None
    """Kept in SQL before anybody hears of it."""
    already_done_reason: str | None = None
    """Where it shows whether it is so already: why there is nothing to do, or nothing. None: what was done before
    tells."""
    says: tuple[str, ...] = ()
    """What it changes besides dates, in words."""
    each: Mapping[MentorshipRef, Change] | None = None
    """What it is for each mentorship, where it is not the same for all."""


@dataclass(frozen=True, slots=True)
class ChangeOrder:
    """A change of one mentorship, as it will be written down and sent."""

    cohort: str
    mentorship: str
    change: Change
    event: Event
    by: str
    done: bool = False
    """Nothing is left to do: the same was done before."""

    @property
    def place(self) -> str:
        """`cohort/mentorship`."""
        return f"{self.cohort}/{self.mentorship}"


@dataclass(frozen=True, slots=True)
class Prospect:
    """An order with what it does; with `nothing_to_do`, why it does nothing."""

    order: ChangeOrder
    outlook: DryRun
    withdrawn: tuple[Withdrawn, ...] = ()
    nothing_to_do: str = ""

    @property
    def confirmed(self) -> ChangeOrder:
        """The order of somebody who has seen this: refused if the mentorship has been changed meanwhile."""
        event = replace(self.order.event, based_on=self.outlook.based_on)  # pyright: ignore[reportCallIssue]
        return replace(self.order, event=event)


@dataclass(frozen=True, slots=True)
class ChangeOutcome:
    """What came of a change of one mentorship."""

    mentorship: str
    """`cohort/key`."""
    outcome: Literal["done", "done_before", "refused", "not_reached"]
    reason: str = ""


# -- the changes -----------------------------------------------------------------------------------------------


def pause(until: str = "", begin: str = "", *, tell: bool = False) -> Change:
    """Pause until a date (`2027-04-01`) or for so long (`3w`, `10d`); without either until somebody resumes.

    `begin` is a later day on which it begins, written as `until`; with `tell` the people in it are told the dates.
    """

    def event(id_: str, by: str, today: date) -> Event:
        begins = until_date(begin, today) if begin else None
        end = until_date(until, begins or today) if until else None
        return events.Pause(id_, end, by, begins=begins, tell=tell)

    return Change("pause", event)


def resume() -> Change:
    """End a pause today, or take back one that is planned."""
    return Change("resume", lambda id_, by, _: events.Resume(id_, by))


def extend(by_weeks: str) -> Change:
    """Move the end later by whole weeks: `4w`. Raises `Refused`."""
    try:
        weeks, days = divmod(days_of(by_weeks), 7)
    except ValueError:
        weeks, days = 0, 1
    if days:
        raise Refused(f"{by_weeks!r} is no number of whole weeks; write one such as 4w")
    return Change("extend", lambda id_, by, _: events.Extend(id_, weeks, by))


def end(reason: str, about: str = "") -> Change:
    """End early, with a reason; `about` is the id of whom it concerns, with `left` and `safeguarding`.

    Raises `Refused`.
    """
    if reason not in EARLY_REASONS:
        raise Refused(f"{reason!r} is no reason to end early; write one of {', '.join(EARLY_REASONS)}")
    if about and reason not in ("left", "safeguarding"):
        raise Refused(f"a person goes with left and safeguarding, not with {reason}", use="about")
    return Change("end", lambda id_, by, _: events.End(id_, reason, by, about), once=True, final=True)


def replace_person(person: str, newcomer: KnownPerson) -> Change:
    """Give a person's seat to somebody else."""
    return Change(
        "replace",
        lambda id_, by, _: events.Replace(id_, person, newcomer.id, newcomer.zone, by),
        once=True,
        final=True,
        newcomer=newcomer,
    )


def add(newcomer: KnownPerson, role: Role) -> Change:
    """Offer a newcomer a seat in a group."""
    return Change(
        "add",
        lambda id_, by, _: events.Add(id_, newcomer.id, role, newcomer.zone, by),
        once=True,
        newcomer=newcomer,
    )


def remove(person: str) -> Change:
    """Take a member out of a group."""
    return Change("remove", lambda id_, by, _: events.Remove(id_, person, by), once=True, final=True)


def leave(person: str) -> Change:
    """A person withdraws, and a coordinator writes it down for them."""
    return Change("leave", lambda id_, _by, _: events.Leave(id_, person), once=True, final=True)


def nudge() -> Change:
    """Deliver the open requests again."""
    return Change("nudge", lambda id_, by, _: events.Nudge(id_, by))


def release() -> Change:
    """End a hold after a safety report."""
    return Change("release", lambda id_, by, _: events.Release(id_, by))


# -- looking -----------------------------------------------------------------------------------------------------


async def orders(
    database: Database,
    places: Sequence[MentorshipRef],
    change: Change,
    now: datetime,
    *,
    by: str = "",
    again: bool = False,
    signed_in: bool = False,
) -> list[ChangeOrder]:
    """What is to be sent to these mentorships; read from SQL only. `now` is program time (UTC), `by` who asks for it;
    `signed_in` where their right to was checked.

    Raises `Refused` where a change makes no sense, or it isn't clear who gives it.
    """
    cohorts = sorted({cohort for cohort, _ in places})
    async with database.session() as session:
        zones = {row.id: row.zone for row in await status.cohorts(session) if row.id in cohorts}
        who = {
            cohort: who_decides(cohort, await people.deciders(session, cohort), by, signed_in=signed_in)
            for cohort in cohorts
        }
        stored = await operations_log.operations(session, change.kind, cohorts)
    orders: list[ChangeOrder] = []
    for cohort, key in places:
        today = local_date(now, zones[cohort])
        own_change = change.each[cohort, key] if change.each is not None else change
        id_, done = _id(
            cohort, key, own_change, today, stored, again=again or own_change.already_done_reason is not None
        )
        if own_change.already_done_reason is not None:
            # What broke off is given again, so that the record says what came of it.
            done = bool(own_change.already_done_reason) and id_ not in stored
        orders.append(
            ChangeOrder(cohort, key, own_change, own_change.event(id_, who[cohort], today), who[cohort], done)
        )
    return orders


async def _look(
    database: Database, client: Client, order: ChangeOrder, now: datetime, items: Sequence[WaitingItem]
) -> Prospect:
    """What an order does where these items wait, worked out by the core; nothing is written."""
    if order.done:
        return Prospect(order, DryRun(0, local_date(now, "UTC")), (), done_before_reason(order))
    state = await state_of(client, order.cohort, order.mentorship)
    if state is None:
        reason = await not_there(database, order.cohort, order.mentorship)
        return Prospect(order, DryRun(0, local_date(now, "UTC"), reason))
    _, outlook = foresee(state, order.event, now)
    if outlook.refused:
        return Prospect(order, outlook)
    return Prospect(order, outlook, withdrawn(outlook, items), _nothing(state, order.event))


async def look_at_all(
    database: Database, client: Client, orders: Sequence[ChangeOrder], now: datetime
) -> list[Prospect]:
    """What each of these orders does, several looked at a time; one that can't be given is refused."""
    concurrency = asyncio.Semaphore(CONCURRENCY)
    async with database.session() as session:
        items = await waiting_items(session, [(order.cohort, order.mentorship) for order in orders])

    async def one(order: ChangeOrder) -> Prospect:
        async with concurrency:
            return await _look(database, client, order, now, items[order.cohort, order.mentorship])

    return list(await asyncio.gather(*(one(order) for order in orders)))


def _nothing(state: State, event: Event) -> str:
    """Why an event that is not refused would change nothing; empty where it does something."""
    match event:
        case events.Pause(tell=True):
            pass
        case events.Pause(begins=date() as on):
            if planned_with(state, on, event.until) == state.pause_ahead:
                return "this pause is planned already"
        case events.Pause() if state.pause is not None:
            running = state.pause.until
            if event.until == running or (event.until and running and event.until <= running):
                return f"it is paused {f'until {running}' if running else 'without an end'} already"
        case events.Nudge() if not any(True for _ in open_requests(state)):
            return "no form is open, nobody is waited for"
        case _:
            pass
    return "it was done before" if event.id in state.seen else ""


def done_before_reason(order: ChangeOrder) -> str:
    """Why there is nothing to do for an order that is done."""
    if order.change.already_done_reason:
        return order.change.already_done_reason
    when = "" if order.change.once else " today"
    return f"this was done{when} already"


def _id(
    cohort: str, key: str, change: Change, today: date, stored: dict[str, Operation], *, again: bool
) -> tuple[str, bool]:
    """The id of this operation, and whether it was done already. One that was refused is tried under the next."""
    # An event without an id has nothing in it but what is to be done.
    content = {
        name: str(value)
        for name, value in asdict(change.event("", "", today)).items()
        if name not in ("id", "by", "based_on", "zone") and (value or name not in ("begins", "tell"))
    }
    day = "" if change.once else today.isoformat()
    mark = sha256("\n".join((day, *(f"{name}={value}" for name, value in sorted(content.items())))).encode())
    base = f"{change.kind}/{cohort}/{key}/{mark.hexdigest()[:12]}"
    before: list[Operation] = []
    while (known := stored.get(f"{base}.{len(before) + 1}")) is not None:
        before.append(known)
    broke_off = next((operation.id for operation in before if not operation.result), "")
    if broke_off:
        return broke_off, False
    done = next((operation.id for operation in reversed(before) if operation.result == "done"), "")
    if done and not again:
        return done, True
    return f"{base}.{len(before) + 1}", False


# -- doing -------------------------------------------------------------------------------------------------------


async def carry_out(
    database: Database,
    client: Client,
    given: Sequence[ChangeOrder],
    now: datetime,
    *,
    why: str = "",
    proof: str = "",
    said: Callable[[ChangeOutcome], None] | None = None,
) -> list[ChangeOutcome]:
    """Give these orders, several at a time; what came of each, in their order. `said` hears of each as it comes.
    With a `proof`, a row of the audit is written; without, the caller has written it.

    Where Temporal or the workers are away it stops there, and what is left is `not_reached`: giving the same orders
    again goes on. Nothing is sent that is not written down.
    """
    await _put_down(database, given, why, proof, now)
    numbers, away = iter(range(len(given))), False
    outcomes: dict[int, ChangeOutcome] = {}

    async def give() -> None:
        nonlocal away
        for nth in numbers:
            order = given[nth]
            outcome = ChangeOutcome(order.place, "not_reached") if away else await _one(database, client, order)
            away = away or (outcome.outcome == "not_reached" and outcome.reason != LOST)
            outcomes[nth] = outcome
            if said is not None:
                said(outcome)
            await finish(order, outcome)

    async with _finishing(database) as finish:
        await asyncio.gather(*(give() for _ in range(min(CONCURRENCY, len(given)))))
    return [outcomes[nth] for nth in range(len(given))]


async def _put_down(database: Database, orders: Sequence[ChangeOrder], why: str, proof: str, now: datetime) -> None:
    """Who wants what, and why; and the newcomer, whom the mentorship knows by an id only."""
    new = [order for order in orders if not order.done]
    async with database.begin() as session:
        programs = {order.change.program.hash: order.change.program for order in new if order.change.program}
        for program in programs.values():
            await freeze_program(session, program.program, program.forms, now)
        for someone in _newcomers(new):
            if await people.find(session, someone.id) is None:
                await people.add(session, someone)
        await operations_log.put_operations(
            session,
            [Operation(order.event.id, order.change.kind, order.cohort, order.mentorship, order.by) for order in new],
            why, now,
        )  # fmt: skip
        for entry in _entries(orders, why, proof) if proof else ():
            await audit.put(session, now, entry)


def _entries(orders: Sequence[ChangeOrder], why: str, proof: str) -> Iterable[AuditEntry]:
    """What the audit says of these orders: a row for each cohort."""
    of_cohort: dict[tuple[str, str, str], list[str]] = {}
    for order in orders:
        of_cohort.setdefault((order.change.kind, order.by, order.cohort), []).append(order.place)
    for (kind, by, cohort), places in of_cohort.items():
        yield AuditEntry(kind, by, proof, cohort, places, reason=why)


def _newcomers(orders: Iterable[ChangeOrder]) -> Collection[KnownPerson]:
    return {order.change.newcomer.id: order.change.newcomer for order in orders if order.change.newcomer}.values()


async def _one(database: Database, client: Client, order: ChangeOrder) -> ChangeOutcome:
    if order.done:
        return ChangeOutcome(order.place, "done_before", done_before_reason(order))
    try:
        await send(client, order.cohort, order.mentorship, order.event)
    except RefusedChange as refused:
        return ChangeOutcome(order.place, "refused", str(refused))
    except NoSuchMentorship:
        reason = await not_there(database, order.cohort, order.mentorship)
        return ChangeOutcome(order.place, "not_reached" if reason == LOST else "refused", reason)
    except NotTaken as late:
        return ChangeOutcome(order.place, "not_reached", str(late))
    except RPCError:
        return ChangeOutcome(order.place, "not_reached", "Temporal does not answer")
    return ChangeOutcome(order.place, "done")


@asynccontextmanager
async def _finishing(database: Database) -> AsyncIterator[Callable[[ChangeOrder, ChangeOutcome], Awaitable[None]]]:
    """Write down what came of orders, many at once; what is still in hand at the end, or when all breaks off."""
    in_hand: dict[str, str] = {}

    async def flush() -> None:
        results = dict(in_hand)
        in_hand.clear()
        if results:
            async with database.begin() as session:
                await operations_log.finish_operations(session, results)

    async def finish(order: ChangeOrder, outcome: ChangeOutcome) -> None:
        if outcome.outcome == "done":
            in_hand[order.event.id] = "done"
        elif outcome.outcome == "refused":
            in_hand[order.event.id] = f"refused: {outcome.reason}"
        if len(in_hand) >= FLUSH:
            await flush()

    try:
        yield finish
    finally:
        await flush()
