"""The acts of the coordinators' pages: what each is about, what it asks for, and the change that it makes of it.

One entry for each act of the lifecycle's section 8 and each changing command. A page offers no act that is not here,
and what an entry does is the same function that the command line calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Literal

from lifecycle.keys import MentorshipRef
from operations.cohorts import files
from operations.cohorts.adopt import adoption
from operations.cohorts.checked_again import check_again
from operations.cohorts.load import Faults, file_of, load
from operations.errors import NotFound, Refused
from operations.mentorships import change as changes
from operations.mentorships.change import Change
from operations.mentorships.decide import Newcomer
from operations.mentorships.select import newcomer_of
from program.addresses import problem_of_address
from runtime.settings import Settings
from store.database import Database
from store.people import people

Subject = Literal["mentorship", "task", "person", "cohort"]

NEWCOMER = ("newcomer", "name", "email", "zone")
"""Who comes: an id that is known, or a name and an address."""


@dataclass(frozen=True, slots=True)
class Act:
    """An act that a page offers. `name` is the word of the lifecycle and of the command."""

    name: str
    subject: Subject
    options: tuple[str, ...] = ()
    """The fields that it asks for."""
    required: tuple[str, ...] = ()
    many: bool = False
    """Can be done to a selection at once."""
    final: bool = False
    """Can't be taken back."""
    fresh: bool = False
    """Asks for a fresh sign-in."""
    people: bool = False
    """Is about one person in the mentorship: `person` is a seat."""


ACTS: dict[str, Act] = {
    act.name: act
    for act in (
        Act("pause", "mentorship", ("begin", "until", "tell", "again"), many=True),
        Act("resume", "mentorship", ("again",), many=True),
        Act("extend", "mentorship", ("weeks", "again"), ("weeks",), many=True),
        Act("end", "mentorship", ("reason", "person"), ("reason",), many=True, final=True),
        Act("nudge", "mentorship", ("again",), many=True),
        Act("release", "mentorship", ("again",), many=True),
        Act("adopt", "mentorship", (), many=True),
        Act("replace", "mentorship", ("person", *NEWCOMER), ("person",), final=True, people=True),
        Act("add", "mentorship", ("role", *NEWCOMER), ("role",)),
        Act("remove", "mentorship", ("person",), ("person",), final=True, people=True),
        Act("leave", "mentorship", ("person",), ("person",), final=True, people=True),
        Act("decide", "task", ("decision", "until", "person", *NEWCOMER), ("decision",)),
        Act("correct", "person", ("name", "email", "zone", "language")),
        Act("send-link", "person"),
        Act("erase", "person", final=True, fresh=True),
        Act("reword", "cohort", ("version",)),
        Act("cancel-cohort", "cohort", final=True, fresh=True),
    )
}


def act_of(name: str) -> Act:
    """The act of this name. Raises `NotFound`."""
    if name not in ACTS:
        raise NotFound(f"there is no act {name!r}")
    return ACTS[name]


def checked(act: Act, options: Mapping[str, str]) -> dict[str, str]:
    """The options that an act takes, without blanks. Raises `Refused` where one that it needs is missing."""
    given = {name: value for name in act.options if (value := options.get(name, "").strip())}
    missing = [name for name in act.required if name not in given]
    if missing:
        raise Refused(f"say {' and '.join(missing)}")
    return given


async def with_newcomer(database: Database, options: Mapping[str, str]) -> dict[str, str]:
    """The options with an id for the newcomer where the coordinator gave none: that of the person who has this
    address, or a new one that says nothing. Raises `Refused` where nobody is named."""
    given = dict(options)
    if given.get("newcomer"):
        return given
    email = given.get("email", "")
    if not email:
        raise Refused("say who takes the seat: somebody who is known, or a name and an address")
    problem, remedy = problem_of_address(email, utf8=Settings().smtp_utf8)
    if problem:
        raise Refused(f"{email!r} is no address for mail: {problem}. {remedy}")
    async with database.session() as session:
        known = await people.find(session, email=email)
    if known is not None:
        return given | {"newcomer": known.id}
    return given | {"newcomer": f"p-{token_hex(4)}"}


def newcomer_in(options: Mapping[str, str]) -> Newcomer:
    """The newcomer whom the options name."""
    return Newcomer(*(options.get(name, "") for name in NEWCOMER))


async def change_of(
    database: Database,
    settings: Settings,
    act: Act,
    options: Mapping[str, str],
    refs: Sequence[MentorshipRef],
    now: datetime,
) -> Change:
    """The change that an act about mentorships makes. `now` is program time (UTC). Raises `Refused`."""
    says = options.get
    match act.name:
        case "pause":
            return changes.pause(says("until", ""), says("begin", ""), tell=bool(says("tell")))
        case "resume":
            return changes.resume()
        case "extend":
            weeks = says("weeks", "")
            if not (weeks.isascii() and weeks.isdigit()):
                raise Refused(f"{weeks!r} is no number of whole weeks; write one such as 4")
            return changes.extend(f"{weeks}w")
        case "end":
            return changes.end(says("reason", ""), says("person", ""))
        case "nudge":
            return changes.nudge()
        case "release":
            return changes.release()
        case "adopt":
            return await _adopt(database, settings, refs, now)
        case "replace":
            joins = await newcomer_of(database, refs[0][0], newcomer_in(options))
            return changes.replace_person(says("person", ""), joins)
        case "add":
            joins = await newcomer_of(database, refs[0][0], newcomer_in(options))
            return changes.add(joins, "mentor" if says("role") == "mentor" else "mentee")
        case "remove":
            return changes.remove(says("person", ""))
        case "leave":
            return changes.leave(says("person", ""))
        case _:
            raise NotFound(f"{act.name} is no act about mentorships")


async def _adopt(database: Database, settings: Settings, refs: Sequence[MentorshipRef], now: datetime) -> Change:
    """The programs of the cohort's file: of its latest version that is kept, else as it is on the server."""
    cohort = refs[0][0]
    texts = await files.latest_texts(database, cohort)
    if texts is not None:
        checked = await asyncio.to_thread(check_again, texts, cohort, now, settings, runs=True)
        if checked.loaded is None:
            one = checked.faults[0]
            raise Refused(
                f"the cohort's file has {len(checked.faults)} faults, the first in {one.file}, line {one.line}: "
                f"{one.problem}"
            )
        return await adoption(database, checked.loaded, refs)
    path = file_of("cohorts", Path(cohort), settings.own_config)
    try:
        loaded = await asyncio.to_thread(load, path, now, runs=True, own=settings.own_config)
    except Faults as found:
        first = found.faults[0]
        raise Refused(
            f"the cohort's file has {len(found.faults)} faults, the first in line {first.line}: {first.problem}"
        ) from found
    return await adoption(database, loaded, refs)
