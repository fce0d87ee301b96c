"""Wishes: after the close of the call applicants see people who pass the hard rules, best first, and may say whom
they would like to meet. Nobody learns who wished for them.

Must show of others only what they agreed to show a partner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from matching.candidates import Candidates, ReportingCircle, UnknownStep, candidates
from matching.scoring import Scores
from operations.applications.applicants import ROLES, matchable, shown_to_partner
from operations.applications.apply import TooLate
from operations.forms.parse import FieldFault, Typed
from operations.transactions import in_one
from store.cohorts import calls
from store.cohorts.calls import Call
from store.database import Database
from store.forms import requests
from store.people import applications
from store.people.applications import Application

SHOWN = 12
"""So many are shown to each, the best first."""
RANKS = ("1", "2", "3")
Side = Literal["wish", "take"]
"""What a mentee wishes for; whom a mentor would gladly take. The first part of the names of the fields."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody who can be wished for. `id` is that of their application, and says nothing about the person."""

    id: str
    person: str
    title: str
    """The name, or the role where names are not shown."""
    shown: tuple[tuple[str, str], ...]
    """(field, text) of what they agreed to show."""


@dataclass(frozen=True, slots=True)
class Wishing:
    """What somebody can wish for, and has wished for."""

    call: Call
    application: Application
    sides: Mapping[Side, tuple[Choice, ...]]
    chosen: Mapping[Side, tuple[str, ...]]
    """Ids of applications, the first wish first."""


@dataclass(frozen=True, slots=True)
class Wished:
    """The wishes are in."""


async def wishing(database: Database, id_: str, generation: int, now: datetime) -> Wishing | None:
    """What the holder of this link can wish for; None where there is nothing to wish for now."""
    async with database.session() as session:
        return await _wishing(session, id_, generation, now)


async def _wishing(session: AsyncSession, id_: str, generation: int, now: datetime) -> Wishing | None:
    found = await applications.find(session, id_, generation)
    call = await calls.find(session, found.cohort) if found else None
    if found is None or call is None or found.state != "confirmed":
        return None
    if call.stage(now) != "wishing" or call.state != "running":
        return None
    everybody = {each.person: each for each in await applications.of_cohort(session, call.cohort, ("confirmed",))}
    try:
        possible = candidates(await matchable(session, call), call.matching, call.start)
    except (UnknownStep, ReportingCircle):
        return None  # a coordinator has to correct it first; `mentorship match` says what
    sides: dict[Side, tuple[Choice, ...]] = {
        side: _choices(call, everybody, people)
        for side, people in shown_to(possible, found.person, found.role).items()
    }
    of = {each.person: each.id for each in everybody.values()}
    chosen: dict[Side, tuple[str, ...]] = {
        "wish": tuple(of[person] for person in found.wishes if person in of),
        "take": tuple(of[person] for person in found.would_take if person in of),
    }
    return Wishing(call, found, sides, chosen)


def shown_to(possible: Candidates, person: str, role: str) -> dict[Side, list[str]]:
    """Whom somebody can wish for, and whom they would take: ids of persons, the best first."""
    mentor, mentee = ROLES[role]
    sides: dict[Side, list[str]] = {}
    if mentee:
        sides["wish"] = _mentors_for(possible, person)
    if mentor and role != "peer":
        sides["take"] = _mentees_for(possible, person)
    return sides


def _mentors_for(possible: Candidates, person: str) -> list[str]:
    mentee = next((index for index, each in enumerate(possible.mentees) if each.id == person), None)
    if mentee is None:
        return []
    scores = dict(zip(possible.of[mentee], Scores(possible).of[mentee], strict=True))
    best = sorted(scores, key=lambda mentor: (-scores[mentor], possible.mentors[mentor].id))
    return [possible.mentors[mentor].id for mentor in best[:SHOWN]]


def _mentees_for(possible: Candidates, person: str) -> list[str]:
    mentor = next((index for index, each in enumerate(possible.mentors) if each.id == person), None)
    if mentor is None:
        return []
    of = Scores(possible).of
    scores = {
        mentee: of[mentee][mentors.index(mentor)] for mentee, mentors in enumerate(possible.of) if mentor in mentors
    }
    best = sorted(scores, key=lambda mentee: (-scores[mentee], possible.mentees[mentee].id))
    return [possible.mentees[mentee].id for mentee in best[:SHOWN]]


def _choices(call: Call, everybody: Mapping[str, Application], people: list[str]) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            id=each.id,
            person=each.person,
            title=each.shown_name if call.terms.see == "named" else call.role_label(each.role),
            shown=tuple(
                (name, text)
                for name, text in shown_to_partner(call, each).items()
                if name != "easier"  # for who is matched, and not for who chooses
            ),
        )
        for each in (everybody[person] for person in people if person in everybody)
    )


async def wish(
    database: Database, id_: str, generation: int, typed: Typed, now: datetime
) -> Wished | tuple[FieldFault, ...] | None:
    """Keep somebody's wishes, in the place of earlier ones. Raises TooLate once the time for wishes is over."""

    async def carry_out(session: AsyncSession) -> Wished | tuple[FieldFault, ...] | None:
        found = await applications.find(session, id_, generation, lock=True)
        if found is None:
            return None
        can = await _wishing(session, id_, generation, now)
        if can is None:
            raise TooLate("There is nothing to wish for now: the time for wishes is over, or not yet there.")
        faults: list[FieldFault] = []
        kept: dict[Side, list[str]] = {}
        for side, choices in can.sides.items():
            kept[side] = _read(side, choices, typed, can.call.terms.wishes_at_most, faults)
        if faults:
            return tuple(faults)
        values = {"wishes": kept.get("wish", []), "would_take": kept.get("take", []), "wished_at": now}
        await applications.change(session, id_, **values)
        await requests.note(session, found.cohort, "", now, "wished", found.person, by=found.person)
        return Wished()

    return await in_one(database, carry_out)


def _read(side: Side, choices: tuple[Choice, ...], typed: Typed, at_most: int, faults: list[FieldFault]) -> list[str]:
    """The persons who are wished for, in order; a rank that is given twice is a fault at the second."""
    ranked: dict[str, Choice] = {}
    for choice in choices:
        rank = (typed.get(field_name(side, choice)) or [""])[0]
        if rank not in RANKS[:at_most]:
            continue
        if rank in ranked:
            label = {"1": "first", "2": "second", "3": "third"}[rank]
            faults.append(FieldFault(field_name(side, choice), f"Two have the {label} wish: choose another for one"))
            continue
        ranked[rank] = choice
    return [ranked[rank].person for rank in RANKS if rank in ranked]


def field_name(side: Side, choice: Choice) -> str:
    """The name of the field for a choice: `wish.` or `take.` and the id of its application."""
    return f"{side}.{choice.id}"
