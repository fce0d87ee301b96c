"""A coordinator decides a task: checked, written down with who and why, and told to the mentorship's workflow.

Names, addresses and reasons stay in SQL. The same decision given twice is one decision.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from lifecycle.events import Decided
from lifecycle.local_time import local_date
from operations import audit
from operations.audit import AuditEntry
from operations.errors import Refused
from operations.mentorships.dry_run import DryRun, Withdrawn, foresee, state_of, withdrawn
from operations.mentorships.not_running import LOST, not_there
from operations.people.deciders import who_decides
from program.addresses import problem_of_address
from program.base import ID_PATTERN
from program.checks.text_checks import line_problem
from program.durations import days_of
from program.faults import nearest
from program.zones import is_zone
from runtime.settings import Settings
from runtime.temporal import NoSuchMentorship, RefusedChange, send
from store import operations_log
from store.cohorts import cohorts, past_seats
from store.database import Database
from store.mentorships import tasks as stored_tasks
from store.mentorships.tasks import TaskFacts
from store.people import people
from store.people.people import KnownPerson
from store.postbox import waiting_items
from store.reports import status

if TYPE_CHECKING:
    from temporalio.client import Client

SHOWN_WITHIN = 10.0
"""Real seconds until a decision that was taken stands in the store; longer only where the database is away."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who takes a seat. Name, address and zone are needed for somebody who is not known yet."""

    id: str
    name: str = ""
    email: str = ""
    zone: str = ""


@dataclass(frozen=True, slots=True)
class DecisionOutlook:
    """What a decision would do, worked out by the core. With `taken`, it was taken before: nothing is left to do."""

    task: TaskFacts
    decision: str
    by: str
    outlook: DryRun
    withdrawn: tuple[Withdrawn, ...] = ()
    taken: DecisionTaken | None = None


@dataclass(frozen=True, slots=True)
class DecisionTaken:
    """A decision that was taken. `before`: it had been taken already, and nothing was done now."""

    task: str
    cohort: str
    mentorship: str
    kind: str
    decision: str
    by: str
    until: date | None = None
    newcomer: str = ""
    before: bool = False
    recorded: bool = True
    """False: the workflow has it, and the store will show it shortly."""


async def decide(
    database: Database,
    client: Client,
    task: str,
    decision: str,
    now: datetime,
    *,
    until: str = "",
    newcomer: Newcomer | None = None,
    person: str = "",
    by: str = "",
    why: str = "",
    proof: str = "",
    signed_in: bool = False,
) -> DecisionTaken:
    """Decide a task. `now` is program time (UTC), `until` a date or a duration, `by` an id of who decides.

    `signed_in`: their right to decide was checked. With a `proof` the audit says who decided, by it.

    Raises `Refused` with a reason for the coordinator, and RPCError where Temporal does not answer.
    """
    facts, decision, decider = await _asked(database, task, decision, by, signed_in=signed_in)
    if facts.closed_on is not None:
        return _decided_before(facts, decision)
    event, someone = await _event(database, facts, decision, now, until, newcomer, person, decider)
    id_, ends, joins = event.id, event.until, event.newcomer
    detail = {"task": task, "decision": decision, "until": ends.isoformat() if ends else "", "newcomer": joins}
    async with database.begin() as session:
        if someone and await people.find(session, joins) is None:
            await people.add(session, someone)
        await operations_log.put_operation(
            session, id_, "decide", facts.cohort, facts.mentorship, detail | {"person": person}, decider, why, now
        )
        if proof:
            await audit.put(session, now, AuditEntry("decide", decider, proof, facts.cohort, [task], reason=why))
    try:
        await send(client, facts.cohort, facts.mentorship, event)
    except (RefusedChange, NoSuchMentorship) as refused:
        reason = str(refused)
        if isinstance(refused, NoSuchMentorship):
            reason = await not_there(database, facts.cohort, facts.mentorship)
        if reason == LOST:
            raise Refused(reason) from refused
        async with database.begin() as session:
            await operations_log.finish_operation(session, id_, f"refused: {reason}")
        raise Refused(reason) from refused
    async with database.begin() as session:
        await operations_log.finish_operation(session, id_, "done")
        if why:
            await stored_tasks.store_reason(session, task, why)
    recorded = await _recorded(database, task)
    return DecisionTaken(
        task, facts.cohort, facts.mentorship, facts.kind, decision, decider, ends, joins, recorded=recorded
    )


async def check(
    database: Database,
    task: str,
    decision: str,
    now: datetime,
    *,
    until: str = "",
    newcomer: Newcomer | None = None,
    person: str = "",
    by: str = "",
    signed_in: bool = False,
) -> TaskFacts:
    """The task, where this decision makes sense for it; reads SQL only. Parameters and errors are those of `decide`,
    but a task that is decided already is refused."""
    facts, decision, decider = await _asked(database, task, decision, by, signed_in=signed_in)
    if facts.closed_on is not None:
        raise _closed(facts)
    await _event(database, facts, decision, now, until, newcomer, person, decider)
    return facts


async def until_of(database: Database, task: str, until: str, now: datetime) -> date:
    """The date that `until` means for this task today: in the zone of its cohort. Raises `Refused`."""
    facts = await _task(database, task)
    return until_date(until, local_date(now, facts.zone))


async def look_at(
    database: Database,
    client: Client,
    task: str,
    decision: str,
    now: datetime,
    *,
    until: str = "",
    newcomer: Newcomer | None = None,
    person: str = "",
    by: str = "",
    signed_in: bool = False,
) -> DecisionOutlook:
    """What this decision would do; nothing is written and nothing sent. Parameters and errors are those of `decide`,
    and `outlook.refused` says why the core would refuse it."""
    facts, decision, decider = await _asked(database, task, decision, by, signed_in=signed_in)
    if facts.closed_on is not None:
        taken = _decided_before(facts, decision)
        return DecisionOutlook(facts, decision, decider, DryRun(0, local_date(now, facts.zone)), taken=taken)
    event, _ = await _event(database, facts, decision, now, until, newcomer, person, decider)
    state = await state_of(client, facts.cohort, facts.mentorship)
    if state is None:
        raise Refused(await not_there(database, facts.cohort, facts.mentorship))
    _, outlook = foresee(state, event, now)
    async with database.session() as session:
        ref = (facts.cohort, facts.mentorship)
        items = (await waiting_items(session, [ref]))[ref]
    return DecisionOutlook(facts, decision, decider, outlook, withdrawn(outlook, items))


async def _event(
    database: Database,
    facts: TaskFacts,
    decision: str,
    now: datetime,
    until: str,
    newcomer: Newcomer | None,
    person: str,
    by: str,
) -> tuple[Decided, KnownPerson | None]:
    """The event of a decision, and the newcomer whom it names. Raises `Refused`."""
    _check(facts, decision, until, newcomer, person)
    ends = until_date(until, local_date(now, facts.zone)) if until else None
    someone = await known_newcomer(database, newcomer, facts.zone, facts.language) if newcomer else None
    if someone is not None:
        await _check_nobody_refused(database, facts, someone.id)
    joins = newcomer.id if newcomer else ""
    id_ = operation_id(facts.key, decision, ends, joins, person)
    return Decided(id_, facts.key, decision, by, ends, joins, someone.zone if someone else "", person), someone


def operation_id(task: str, decision: str, until: date | None, newcomer: str, person: str) -> str:
    """The same decision has the same id however often it is given, so that it is one update to its workflow."""
    content = "\n".join((task, decision, until.isoformat() if until else "", newcomer, person))
    return f"decide/{task}/{sha256(content.encode()).hexdigest()[:12]}"


def until_date(text: str, today: date) -> date:
    """The date in `2027-04-01`, or so much after today in `3w` and `10d`. Raises `Refused`."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        pass
    try:
        return today + timedelta(days=days_of(text))
    except ValueError:
        raise Refused(f"{text!r} is no date; write one such as 2027-04-01, or how long: 10d, 3w") from None


# -- what is checked before anybody is bothered ----------------------------------------------------------------


async def _asked(
    database: Database, task: str, decision: str, by: str, *, signed_in: bool
) -> tuple[TaskFacts, str, str]:
    """The task, the decision as the core calls it, and who decides. Raises `Refused`."""
    facts = await _task(database, task)
    if not facts.mentorship:
        raise Refused(f"this task is decided by publishing the pairs of {facts.cohort}", use="publish")
    return facts, decision.replace("-", "_"), who_decides(facts.cohort, facts.deciders, by, signed_in=signed_in)


async def _task(database: Database, key: str) -> TaskFacts:
    async with database.session() as session:
        facts = await stored_tasks.find(session, key)
        if facts is not None:
            return facts
        known = [line.key for line in await status.open_tasks(session)]
    near = nearest(key, known)
    raise Refused(
        f"there is no task {key!r}{f'; did you mean {near[0]}?' if near else ''}", use="" if near else "tasks"
    )


def _decided_before(facts: TaskFacts, decision: str) -> DecisionTaken:
    if facts.decision != decision:
        raise _closed(facts)
    return DecisionTaken(facts.key, facts.cohort, facts.mentorship, facts.kind, decision, facts.by, before=True)


def _closed(facts: TaskFacts) -> Refused:
    who = f" by {facts.by}" if facts.by else ""
    return Refused(f"this task is closed: {facts.decision} on {facts.closed_on}{who}")


def _check(facts: TaskFacts, decision: str, until: str, newcomer: Newcomer | None, person: str) -> None:
    if decision not in facts.decisions:
        raise Refused(f"a task of kind {facts.kind} can be decided {', '.join(facts.decisions)}; not {decision!r}")
    if until and decision != "pause":
        raise Refused(f"a date goes with pause, not with {decision}", use="until")
    if newcomer and decision != "replace":
        raise Refused(f"a newcomer goes with replace, not with {decision}", use="no_newcomer")
    if decision == "replace" and newcomer is None:
        raise Refused("say who takes the seat", use="newcomer")
    if person and decision not in ("replace", "end"):
        raise Refused(f"a person goes with replace and end, not with {decision}", use="person")


async def _check_nobody_refused(database: Database, facts: TaskFacts, newcomer: str) -> None:
    """Who refused somebody is never proposed to them again (lifecycle 4, onboarding)."""
    async with database.session() as session:
        seats = (await cohorts.standings(session, facts.cohort)).get(facts.mentorship, ())
        stay = [seat.person for seat in seats if seat.takes_part]
        refused = await past_seats.refused_before(session, newcomer, stay)
    if refused:
        raise Refused(
            f"{newcomer} and {', '.join(refused)} were proposed to each other before, and one of them refused; "
            "choose somebody else"
        )


async def known_newcomer(database: Database, newcomer: Newcomer, zone: str, language: str) -> KnownPerson:
    """The newcomer as they stand in the store, or are about to. `zone` and `language` are the cohort's.

    Raises `Refused`.
    """
    if not re.fullmatch(ID_PATTERN, newcomer.id):
        raise Refused(f"{newcomer.id!r} is no id: use letters, digits, . - and _, and nothing of the person's name")
    async with database.session() as session:
        known = await people.find(session, newcomer.id)
        same = await people.find(session, email=newcomer.email) if newcomer.email else None
    if known is not None:
        return _is_known(known, newcomer)
    if not newcomer.name or not newcomer.email:
        raise Refused(
            f"{newcomer.id} is not known yet; add a name and an address, and a zone if it is not {zone}",
            use="details",
        )
    if problem := line_problem(newcomer.name.strip()):
        raise Refused(f"this can't be a name: {problem}")
    problem, remedy = problem_of_address(newcomer.email.strip(), utf8=Settings().smtp_utf8)
    if problem:
        raise Refused(f"{newcomer.email!r} is no address for mail: {problem}. {remedy}")
    if same is not None:
        raise Refused(f"this address is known as {same.id}; name {same.id} as who comes", use="newcomer")
    if newcomer.zone and not is_zone(newcomer.zone):
        raise Refused(f"{newcomer.zone!r} is no zone; write one such as Europe/Berlin")
    return KnownPerson(newcomer.id, newcomer.name, newcomer.email.strip(), newcomer.zone or zone, language, "active")


def _is_known(known: KnownPerson, newcomer: Newcomer) -> KnownPerson:
    if newcomer.email and newcomer.email.strip().casefold() != known.email.casefold():
        raise Refused(f"{known.id} is known with another address; leave the address out, or choose another id")
    if known.standing != "active":
        raise Refused(f"{known.id} gets no mail any more ({known.standing}); choose somebody else")
    return known


async def _recorded(database: Database, task: str) -> bool:
    """Wait until the store shows the task as closed: what comes next on the terminal should be true."""
    try:
        async with asyncio.timeout(SHOWN_WITHIN):
            while True:
                async with database.session() as session:
                    facts = await stored_tasks.find(session, task)
                if facts is not None and facts.closed_on is not None:
                    return True
                await asyncio.sleep(0.05)
    except TimeoutError:
        return False
