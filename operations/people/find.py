"""Finds a person by what a coordinator types: an id, an address or a name."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from operations.errors import Refused
from program.faults import nearest
from store.people import people
from store.people.people import KnownPerson


async def known_person(session: AsyncSession, who: str) -> KnownPerson:
    """The person with this id, address or name. Raises `Refused` with those who come near."""
    wanted = who.strip()
    person = await people.find(session, wanted)
    if person is None and "@" in wanted:
        person = await people.find(session, email=wanted)
    if person is not None:
        return person
    same = await people.named(session, wanted)
    if len(same) == 1:
        return same[0]
    if same:
        raise Refused(f"{wanted} is the name of several; write one of {', '.join(namesake.id for namesake in same)}")
    near = nearest(wanted, await people.ids(session))
    raise Refused(f"there is no person {wanted!r}{f'; did you mean {near[0]}?' if near else ''}")
