"""What an edited cohort file means for mentorships that run: the changes that make them what it says, each as the
event of a change that a coordinator could give, or the reason why it can't be done and what can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from lifecycle.events import Add, End, Event, Extend, Remove, Replace
from program.models import Role
from store.cohorts.compare import Altered

Seat = tuple[Role, str]
"""A role, and the id of who has it."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """One thing that a file wants changed of a mentorship: an event, or why there is none."""

    mentorship: str
    what: str
    """In words, with ids."""
    event: Event | None = None
    refused: str = ""
    """Why it can't be done, and what would work."""


def wanted(cohort: str, altered: Altered, zones: Mapping[str, str], by: str) -> list[FileChange]:
    """What a file wants changed of one mentorship, in the order in which it is done.

    `zones` holds the zone of everybody in the file, `by` the id of who launches.
    """
    key = altered.key
    if altered.state == "over" and altered.said | {"length": altered.says["length"]} == altered.says:
        return []  # its program has become longer or shorter since
    if altered.state == "over":
        final = f"it is closed ({altered.ending or 'over'}), and its record is final"
        return [FileChange(key, "what the file says of it", refused=final)]
    changes: list[FileChange] = []
    before, says = altered.said, altered.says
    if before["program"] != says["program"]:
        other = "it keeps its program; end it, and write a mentorship with a key of its own"
        changes.append(FileChange(key, f"program {before['program']} → {says['program']}", refused=other))
    if before["start"] != says["start"]:
        stays = "its start stays; a pause until a date moves everything that lies ahead"
        changes.append(FileChange(key, f"start {before['start']} → {says['start']}", refused=stays))
    if before["program"] == says["program"] and before["length"] != says["length"]:
        changes.append(_length(cohort, key, before["length"], says["length"], by))
    return changes + _members(cohort, altered, zones, by)


def ending(cohort: str, key: str, by: str) -> FileChange:
    """A mentorship that is not in the file any more ends, without anybody's fault."""
    return FileChange(key, "ends", End(_id(cohort, key, "end"), "no_fault", by))


def _length(cohort: str, key: str, before: int, after: int, by: str) -> FileChange:
    weeks, days = divmod(abs(after - before), 7)
    if after < before:
        what = f"{before - after} days shorter"
        how = "launching makes nothing shorter; adopting the file does"
        return FileChange(key, what, refused=how)
    if days:
        what = f"{after - before} days longer"
        return FileChange(key, what, refused="it can become longer by whole weeks: extend it")
    event = Extend(_id(cohort, key, "extend", str(after)), weeks, by)
    return FileChange(key, f"{weeks} week{'s' if weeks > 1 else ''} longer", event)


def _members(cohort: str, altered: Altered, zones: Mapping[str, str], by: str) -> list[FileChange]:
    key = altered.key
    before: set[Seat] = {(role, person) for role, person in altered.said["members"]}
    says: set[Seat] = {(role, person) for role, person in altered.says["members"]}
    seated = {seat.person for seat in altered.seats if seat.standing != "out"}
    gone = sorted(seat for seat in before - says if seat[1] in seated)
    come = sorted(seat for seat in says - before if seat[1] not in seated)
    swapped = sorted({person for _, person in before - says} & {person for _, person in says - before})
    if swapped:
        stay = "roles stay; end it, and write a mentorship with a key of its own"
        return [FileChange(key, f"another role for {', '.join(swapped)}", refused=stay)]
    changes: list[FileChange] = []
    for role in ("mentor", "mentee", "peer"):
        leaving = [person for its_role, person in gone if its_role == role]
        joining = [person for its_role, person in come if its_role == role]
        if role == "mentee" and altered.format == "group":
            # First who joins, so that the group is not small in between.
            for person in joining:
                event = Add(_id(cohort, key, "add", person), person, role, zones.get(person, ""), by)
                changes.append(FileChange(key, f"{person} joins as {role}", event))
            for person in leaving:
                changes.append(
                    FileChange(key, f"{person} is taken out", Remove(_id(cohort, key, "remove", person), person, by))
                )
            continue
        for person, newcomer in zip(leaving, joining, strict=False):
            event = Replace(
                _id(cohort, key, "replace", person, newcomer), person, newcomer, zones.get(newcomer, ""), by
            )
            changes.append(FileChange(key, f"{newcomer} takes the seat of {person}", event))
        for person in leaving[len(joining) :]:
            alone = "somebody must take the seat: write who, or end it"
            changes.append(FileChange(key, f"{person} is taken out", refused=alone))
        for person in joining[len(leaving) :]:
            empty = f"the seat is empty already, and a task waits: decide it by replacing with {person}"
            changes.append(FileChange(key, f"{person} joins as {role}", refused=empty))
    return changes


def _id(cohort: str, key: str, *content: str) -> str:
    """The same change has the same id however often it is launched, so that it is one update to its workflow."""
    return f"launch/{cohort}/{key}/{content[0]}.{sha256(chr(10).join(content).encode()).hexdigest()[:12]}"
