"""Another address for a person, confirmed by themself from both: the one that we have, and the one to come.

A holder of their link can ask for it, but only who reads both mailboxes can bring it about. Whether an
address belongs to somebody else is said to nobody: it is asked like any other, and should both confirm it, a
coordinator decides. Each act is one transaction, and the same act again changes nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from lifecycle.findings import PersonalRequest
from mail.headers import BadHeader, address
from operations.errors import Refused
from operations.people.correct import Details, correct_in
from operations.people.own_page import ActResult, Done, Rejected, UnknownPerson, ask_desks
from operations.submissions import act_id
from operations.transactions import in_one
from program.addresses import problem_of_address
from store.database import Database
from store.forms import requests
from store.mentorships.turns import public_id
from store.people import address_changes, own_page, people
from store.people.address_changes import AddressChange, AddressRequest, Side
from store.people.own_page import Holder

LASTS = timedelta(days=7)
"""How long both have to confirm it."""
MOST = 3
"""So many new addresses may be asked for within `WITHIN`: their mails go to anybody's address."""
WITHIN = timedelta(days=1)


async def ask(
    database: Database,
    person: str,
    generation: int,
    submission: str,
    email: str,
    now: datetime,
    *,
    shards: int = 1,
) -> ActResult:
    """Ask both addresses whether mail shall go to the new one; what was asked before is overtaken."""
    email = email.strip()
    id_ = public_id(f"address/{person}/{act_id(submission, now.date(), email.lower())}")

    async def carry_out(session: AsyncSession) -> ActResult:
        holder = await own_page.holder(session, person, generation, to_write=True)
        if holder is None:
            return UnknownPerson()
        if await address_changes.find(session, id_, now):
            return Done(repeated=True)
        if why := why_not(holder, email):
            return Rejected(why)
        if await address_changes.asked_since(session, person, now - WITHIN) >= MOST:
            return Rejected(
                "You have asked for new addresses several times today. Try again tomorrow, or ask a coordinator."
            )
        seats = await own_page.seats(session, person)
        if not seats:
            return Rejected("You take part in no mentorship. Please write to a coordinator.")
        cohort = next((seat.cohort for seat in seats if seat.lives), seats[-1].cohort)
        asked = AddressRequest(id_, person, cohort, email, now, now + LASTS)
        earliest = await address_changes.put(session, asked, shards=shards)
        await requests.note(session, cohort, "", now, "address_asked", person, by=person)
        return Done(earliest=earliest)

    return await in_one(database, carry_out)


def why_not(holder: Holder, email: str) -> str:
    """Why this can't be a new address of this person, in words for them; empty where it can."""
    if holder.bounced:
        return "Mail to the address that we have comes back, so it can’t confirm anything. Ask a coordinator instead."
    if email.strip().lower() == holder.email.lower():
        return "That is the address that we have. Enter another one"
    try:
        if not problem_of_address(email.strip(), utf8=True)[0] and address(email, "To"):
            return ""
    except BadHeader:
        return "Enter an address with plain letters before the @, such as name@example.org"
    return "Enter an address such as name@example.org"


async def withdraw(database: Database, person: str, generation: int, now: datetime) -> ActResult:
    """The person wants no other address after all."""

    async def carry_out(session: AsyncSession) -> ActResult:
        if await own_page.holder(session, person, generation, to_write=True) is None:
            return UnknownPerson()
        change = await address_changes.latest(session, person, now)
        if change is None or not await address_changes.close(session, change.id, "withdrawn", now):
            return Done(repeated=True)
        await requests.note(session, change.cohort, "", now, "address_withdrawn", person, by=person)
        return Done()

    return await in_one(database, carry_out)


async def confirm(database: Database, change: str, side: Side, now: datetime) -> ActResult:
    """One of the two addresses confirms a change (its id); with the second, the person is corrected.

    Call `operations.people.correct.pass_on` with the correction, and hand over what is to be told.
    """

    async def carry_out(session: AsyncSession) -> ActResult:
        asked = await _locked(session, change, now)
        if asked is None:
            return UnknownPerson()
        if asked.state != "pending" or side in asked.confirmed:
            return Done(repeated=True)
        person = asked.person
        await address_changes.confirm(session, change, side, now)
        await requests.note(session, asked.cohort, "", now, "address_confirmed", person, side, by=person)
        if asked.missing != (side,):
            return Done()
        if await address_changes.other_holder(session, asked.email, person):
            await address_changes.close(session, change, "taken", now)
            await requests.note(session, asked.cohort, "", now, "address_taken", person)
            return await _desks_hear(session, asked, "address", now, asked.email)
        await address_changes.close(session, change, "done", now)
        return Done(correction=await correct_in(session, person, Details(email=asked.email), now, by=person))

    # Refused: somebody was given this address in this very moment.
    return await in_one(database, carry_out, Refused)


async def deny(database: Database, change: str, side: Side, now: datetime) -> ActResult:
    """One of the two addresses says that it was not them. Said from the old one, somebody else holds a link of
    theirs: it opens nothing any more, and the coordinators hear of it. Hand over what is to be told."""

    async def carry_out(session: AsyncSession) -> ActResult:
        asked = await _locked(session, change, now)
        if asked is None:
            return UnknownPerson()
        if asked.state != "pending":
            return Done(repeated=True)
        await address_changes.close(session, change, "denied", now)
        await requests.note(session, asked.cohort, "", now, "address_denied", asked.person, side)
        if side == "new":
            return Done()
        await people.revoke_links(session, asked.person)
        return await _desks_hear(session, asked, "not_me", now)

    return await in_one(database, carry_out)


async def _desks_hear(
    session: AsyncSession, change: AddressChange, wish: PersonalRequest, now: datetime, email: str = ""
) -> Done:
    """The coordinators of what the person takes part in have to look at it; where nothing runs, there are none."""
    asked = await ask_desks(session, change.person, f"own/{change.person}/{change.id}", wish, now, email)
    return asked if isinstance(asked, Done) else Done()


async def _locked(session: AsyncSession, change: str, now: datetime) -> AddressChange | None:
    """A change as it stands, with its person kept from everybody else until the transaction ends."""
    asked = await address_changes.find(session, change, now)
    if asked is None:
        return None
    await people.lock(session, asked.person)
    return await address_changes.find(session, change, now)
