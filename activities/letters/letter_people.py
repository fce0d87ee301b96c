"""The people of a letter: its reader's partners, the coordinator who reads replies, and as what somebody reads it.

Must never name a partner to a person who has not been introduced: `activities.letters.fill_letters` decides that.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from lifecycle.keys import MentorshipRef
from mail.letters import APPLICATIONS, TO_COORDINATORS, Capacity, MailPerson
from store.delivery.due import Item
from store.delivery.letter_facts import Background
from store.tables import MembershipRow, ParticipantRow

IN_PROFILE_APART = frozenset({"goals", "offer"})
"""Fields of a profile that a letter shows by themselves."""


class Missing(LookupError):
    """The store lacks what a letter must tell. Says ids only."""


def someone(person: ParticipantRow, role: str = "") -> MailPerson:
    """A person as mails name them."""
    profile = {name: str(value) for name, value in person.profile.items() if name not in IN_PROFILE_APART}
    return MailPerson(
        id=person.id,
        name=person.name,
        email=person.email,
        role=role,
        zone=person.zone,
        language=person.language,
        profile=profile,
        goals=str(person.profile.get("goals", "")),
        offer=str(person.profile.get("offer", "")),
    )


def seats_of(place: MentorshipRef, known: Background) -> list[MembershipRow]:
    """The seats of a mentorship that somebody has, or is offered."""
    return [seat for seat in known.seats.get(place, ()) if seat.standing not in ("out", "declined")]


def partners_of(place: MentorshipRef, person: str, known: Background) -> tuple[MailPerson, ...]:
    """Everyone else who takes part. What a role doesn't ask for in the invitation doesn't stand in its letter."""
    found: list[MailPerson] = []
    for seat in seats_of(place, known):
        if seat.person != person and known.people[seat.person].standing != "erased":
            partner = someone(known.people[seat.person], seat.role)
            # One profile for every role of a person: a mentor's own goals are for another mentorship.
            goals = "" if seat.role == "mentor" else partner.goals
            offer = "" if seat.role == "mentee" else partner.offer
            shown = (goals, offer) == (partner.goals, partner.offer)
            found.append(partner if shown else replace(partner, goals=goals, offer=offer))
    return tuple(found)


def coordinator_of(cohort: str, reader: str, known: Background) -> MailPerson:
    """Who reads replies: a coordinator who can be reached, another one than the reader where there is one.

    Raises Missing where the cohort has none.
    """
    deciders = [person for person, _ in known.deciders.get(cohort, ())]
    able = [person for person in deciders if known.people[person].standing not in ("bounced", "erased")]
    ordered = sorted(able or deciders, key=lambda person: person == reader)
    if not ordered:
        raise Missing(f"cohort {cohort!r} has no coordinator")
    return someone(known.people[ordered[0]])


def capacity_of(items: Collection[Item], person: str, known: Background) -> Capacity:
    """Why this person gets a mail with these items."""
    if all(item.name in APPLICATIONS for item in items):
        return "applicant"
    roles = {role_of(item, person, known) for item in items if item.name not in APPLICATIONS}
    if roles <= {"coordinator", "deputy"}:
        return "coordinator" if "coordinator" in roles else "deputy"
    return "participant"


def role_of(item: Item, person: str, known: Background) -> str:
    """The role in which somebody reads an item."""
    if item.task or item.name in TO_COORDINATORS:
        return _coordinating_role(item.cohort, person, known) or "coordinator"
    for seat in known.seats.get((item.cohort, item.mentorship), ()):
        if seat.person == person:
            return seat.role
    # What concerns a whole cohort goes to people by any seat they have; its wording asks for no role.
    return _coordinating_role(item.cohort, person, known) or "mentee"


def _coordinating_role(cohort: str, person: str, known: Background) -> str:
    return next((role for one, role in known.deciders.get(cohort, ()) if one == person), "")
