"""Sends somebody the link to their own page once more, to the address that is known, at once.

For somebody who has lost their mails. The link is the one that stands in every mail; older ones stay good. It is a
receipt: it goes at any hour and does not use up the day's mail.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from activities.wake_postmasters import Wake, wake_in_time
from operations import audit
from operations.audit import AuditEntry
from operations.errors import Refused
from operations.people.deciders import who_decides
from operations.people.find import known_person
from store import operations_log
from store.database import Database
from store.people import own_links, people
from store.people.people import KnownPerson
from store.postbox import Moment
from store.shards import soonest

KIND = "send-link"


@dataclass(frozen=True, slots=True)
class LinkOutlook:
    """What sending the link comes to."""

    person: str
    name: str
    email: str
    cohort: str
    """Whose coordinator reads replies."""
    waits: bool
    """One is on its way already; nothing is left to do."""
    sent: int
    """How many were sent before."""


async def outlook(database: Database, who: str) -> LinkOutlook:
    """What sending somebody (an id, an address or a name) the link to their own page comes to; nothing is written.

    Raises `Refused` where they get no mail, or take part in nothing.
    """
    async with database.session() as session:
        return await _outlook(session, await known_person(session, who))


async def _outlook(session: AsyncSession, person: KnownPerson) -> LinkOutlook:
    if person.standing == "bounced":
        raise Refused(f"mail to {person.id} comes back; correct the address first")
    if person.standing not in ("active", "left"):
        raise Refused(f"{person.id} gets no mail any more ({person.standing})")
    cohort = await own_links.cohort_of(session, person.id)
    if not cohort:
        raise Refused(f"{person.id} takes part in no mentorship, and has no page of their own")
    waits, sent = await own_links.asked(session, person.id)
    return LinkOutlook(person.id, person.name, person.email, cohort, waits, sent)


async def send_link(
    database: Database,
    who: str,
    now: datetime,
    *,
    by: str = "",
    why: str = "",
    proof: str = "",
    signed_in: bool = False,
    shards: int = 1,
    wake: Wake | None = None,
) -> bool:
    """Put the mail into their postbox; False where one is on its way already. `now` is program time (UTC), `by` a
    coordinator or deputy of a cohort of theirs, `signed_in` where their right to was checked.

    With a `proof` the audit says who did it, by it. Raises `Refused`.
    """
    async with database.begin() as session:
        person = await known_person(session, who)
        decider = who_decides(person.id, await people.deciders_for(session, person.id), by, signed_in=signed_in)
        seen = await _outlook(session, person)
        if seen.waits:
            return False
        id_ = f"{KIND}/{person.id}/{seen.sent + 1}"
        await operations_log.put_operation(session, id_, KIND, seen.cohort, "", {}, decider, why, now)
        if proof:
            await audit.put(session, now, AuditEntry(KIND, decider, proof, seen.cohort, [person.id], reason=why))
        moments: list[Moment] = await own_links.put(
            session, person.id, seen.cohort, seen.sent + 1, now, shards=shards
        )
        await operations_log.finish_operation(session, id_, "done")
    await wake_in_time(database, soonest(moments), now, wake)
    return True
