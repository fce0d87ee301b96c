"""Erases a person at their wish or a coordinator's: everything that says who they are, and all that they wrote.

One transaction in SQL, with a row for each mentorship that somebody has left; Temporal and the logs have never known
more than an id. The partner learns only that somebody has left the program. It can't be taken back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from sqlalchemy.ext.asyncio import AsyncSession

from operations import audit
from operations.audit import AuditEntry
from operations.errors import Refused
from operations.people.deciders import who_decides
from operations.people.find import known_person
from operations.transactions import committed
from runtime import outbox_relay
from runtime.outbox_relay import Tell
from store.cohorts import files
from store.database import Database
from store.people import erase as erasing
from store.people import people
from store.people.correct import CorrectionOrder, UnknownParticipant
from store.people.erase import Erasure, StillCoordinates

__all__ = ["Erasure", "clean_up", "erase", "erase_in"]


async def erase(
    database: Database,
    who: str,
    now: datetime,
    *,
    by: str = "",
    why: str = "",
    proof: str = "",
    signed_in: bool = False,
    tell: Tell | None = None,
    dry_run: bool = False,
) -> Erasure:
    """Erase a person. `who` is an id, an address or a name, `now` program time (UTC), `by` a coordinator or deputy of
    a cohort of theirs, `signed_in` where their right to was checked. Erasing again changes nothing.

    What can't be told now is told later. With `dry_run` it is done and taken back. With a `proof` the audit says who
    did it, by it. Raises `Refused`.
    """

    async with database.session() as session:
        id_ = (await known_person(session, who)).id
        naming = await files.naming(session, id_)
    cut = await asyncio.to_thread(files.without_entries, naming, id_)

    async def carry_out(session: AsyncSession) -> Erasure:
        person = await known_person(session, id_)
        deciders = await people.deciders_for(session, person.id)
        decider = who_decides(person.id, deciders, by, signed_in=signed_in) if deciders else by
        erased = await erase_in(session, person.id, now, by=decider, why=why, cut=cut)
        if proof:
            # After the erasure, which takes out of reasons what is about this person: this one is not in their words.
            await audit.put(session, now, AuditEntry("erase", decider, proof, ids=[person.id]))
        return erased

    erasure = await committed(database, carry_out, dry_run=dry_run)
    if not dry_run:
        await clean_up(database, erasure, now, tell=tell)
    return erasure


async def erase_in(
    session: AsyncSession,
    person: str,
    now: datetime,
    *,
    by: str,
    why: str = "",
    cut: Mapping[str, str] = MappingProxyType({}),
) -> Erasure:
    """Erase a person (an id) inside a writing transaction that is open; `by` is the id of who asks, perhaps the
    person. `cut` is what `files.without_entries` has made of cohorts' files before the transaction.

    Call `clean_up` once it is committed. Raises `Refused`, and nothing was changed then."""
    try:
        return await erasing.erase(
            session, person, CorrectionOrder(f"erase/{person}", by, why, now, now + outbox_relay.GRACE), cut
        )
    except UnknownParticipant:
        raise Refused(f"there is no person {person!r}") from None
    except StillCoordinates as cohorts:
        raise Refused(
            f"{person} coordinates {cohorts}, which still runs; name others in its file and launch it, then erase"
        ) from None


async def clean_up(database: Database, erasure: Erasure, now: datetime, *, tell: Tell | None) -> bool:
    """After an erasure was committed: tell the mentorships (what does not get through is relayed until it does), and
    leave nothing in the database's file. False where somebody reads in that file for too long; call it again then."""
    if tell is not None:
        for cohort, mentorship in erasure.mentorships:
            await outbox_relay.hand_over(database, tell, cohort, mentorship, now)
    return await database.rewrite()
