"""Corrects a person's name, address, zone or language while their mentorships run.

A corrected address takes back a bounce and sends what was never delivered; a corrected zone moves what waits. All of
it is one transaction, with a row for each mentorship that has to hear of it: nothing is lost while Temporal is away.
"""

from __future__ import annotations

from datetime import datetime
from secrets import token_hex
from time import time_ns

from sqlalchemy.ext.asyncio import AsyncSession

from activities.wake_postmasters import Wake, wake_in_time
from operations import audit
from operations.audit import AuditEntry
from operations.errors import Refused
from operations.people.deciders import who_decides
from operations.people.find import known_person
from operations.transactions import committed
from program.addresses import problem_of_address
from program.checks.text_checks import line_problem
from program.languages import is_language, near_language
from program.limits import NAME_CHARACTERS
from program.zones import is_zone
from runtime import outbox_relay
from runtime.outbox_relay import Tell
from runtime.settings import Settings
from store.database import Database
from store.people import correct as correcting
from store.people import people
from store.people.correct import AddressTaken, Correction, CorrectionOrder, Details, UnknownParticipant
from store.people.former_names import ChangedTooOften

__all__ = ["Correction", "Details", "correct", "correct_in", "pass_on"]


async def correct(
    database: Database,
    who: str,
    details: Details,
    now: datetime,
    *,
    by: str = "",
    why: str = "",
    proof: str = "",
    signed_in: bool = False,
    tell: Tell | None = None,
    wake: Wake | None = None,
    dry_run: bool = False,
) -> Correction:
    """Correct a person and tell everybody who has to know. `who` is an id, an address or a name, `now` program time
    (UTC), `by` a coordinator or deputy of a cohort of theirs, `signed_in` where their right to was checked.

    What can't be told now is told later. With `dry_run` it is done and taken back. With a `proof` the audit says who
    did it, by it. Raises `Refused`.
    """

    async def carry_out(session: AsyncSession) -> Correction:
        person = await known_person(session, who)
        deciders = await people.deciders_for(session, person.id)
        decider = who_decides(person.id, deciders, by, signed_in=signed_in) if deciders else by
        if proof:
            await audit.put(session, now, AuditEntry("correct", decider, proof, ids=[person.id], reason=why))
        return await correct_in(session, person.id, details, now, by=decider, why=why)

    correction = await committed(database, carry_out, dry_run=dry_run)
    if not dry_run:
        await pass_on(database, correction, now, tell=tell, wake=wake)
    return correction


async def correct_in(
    session: AsyncSession, person: str, details: Details, now: datetime, *, by: str, why: str = ""
) -> Correction:
    """Correct a person (an id) inside a writing transaction that is open; `by` is the id of who asks, perhaps the
    person. Call `pass_on` once it is committed. Raises `Refused`, and nothing was changed then."""
    _check(details)
    # Several corrections can have the same program time: by real time each has an id of its own, and they keep their
    # order where their mentorships are told later.
    id_ = f"correct/{person}/{time_ns():016x}{token_hex(2)}"
    try:
        return await correcting.correct(
            session, person, details, CorrectionOrder(id_, by, why, now, now + outbox_relay.GRACE)
        )
    except UnknownParticipant:
        row = await people.find(session, person)
        gone = f"{person} was erased; there is nothing left to correct"
        raise Refused(gone if row else f"there is no person {person!r}") from None
    except ChangedTooOften as often:
        raise Refused(
            f"the name and address of {person} were changed {often} times; no further change is taken, because each "
            "former one is kept until the person is erased"
        ) from None
    except AddressTaken as taken:
        raise Refused(
            f"this address belongs to {taken} already, and two people can't share one; correct {taken} first, "
            "or write another address"
        ) from None


async def pass_on(
    database: Database, correction: Correction, now: datetime, *, tell: Tell | None, wake: Wake | None
) -> bool:
    """Tell the mentorships and wake the postmasters after a correction was committed; whether all of them know.

    What does not get through is relayed until it does. `wake` may raise where Temporal is away.
    """
    told = tell is not None
    if tell is not None:
        for cohort, mentorship in correction.mentorships:
            told = await outbox_relay.hand_over(database, tell, cohort, mentorship, now) and told
    await wake_in_time(database, correction.earliest, now, wake)
    return told


def _check(details: Details) -> None:
    if details.name is not None:
        name = details.name.strip()
        if not name:
            raise Refused("a name can't be empty")
        if len(name) > NAME_CHARACTERS:
            raise Refused(f"a name has at most {NAME_CHARACTERS} characters")
        if problem := line_problem(name):
            raise Refused(f"a name can't be that: {problem}; type it again by hand")
    if details.email is not None:
        problem, remedy = problem_of_address(details.email.strip(), utf8=Settings().smtp_utf8)
        if problem:
            raise Refused(f"{details.email!r} is no address for mail: {problem}. {remedy}")
    if details.zone is not None and not is_zone(details.zone.strip()):
        raise Refused(f"{details.zone!r} is no zone; write one such as Europe/Berlin")
    if details.language is not None and not is_language(written := details.language.strip()):
        near = near_language(written)
        remedy = f"did you mean {near}?" if near else "write its code, such as en or pt-BR"
        raise Refused(f"{details.language!r} is no language; {remedy}")
