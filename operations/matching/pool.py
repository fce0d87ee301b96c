"""The people to be matched, read from a file, with every fault and its line.

Reads files only. Nothing here needs a database, and nobody is mailed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import cast

from matching.applicants import Applicant, Tags, Value
from matching.candidates import ReportingCircle, UnknownStep, candidates
from matching.objective import PairIds, Wanted
from operations.errors import Refused
from program.checks.matching_checks import check_fields
from program.faults import Fault, Faults, fault, nearest, quoted
from program.files.people import Rows, read_pairs, read_people
from program.loader import load_cohort
from program.matching import Matching
from program.models import Format
from program.shelf import Shelf

ROLES: Mapping[str, tuple[bool, bool]] = {
    "mentor": (True, False), "mentee": (False, True), "both": (True, True), "peer": (True, True),
}  # fmt: skip
"""What the column `role` can say: whether somebody would be a mentor, and whether a mentee; a peer is both."""
ID_COLUMNS = ("wishes", "would_take", "not_with", "had")
"""Columns of ids, parted by spaces or `|`: mentors that a mentee wishes for, mentees that a mentor would gladly take,
people whom somebody must not meet, and people with whom they were in a mentorship before."""
VALUES_AT_MOST = 50
"""Values of one field of one person. Nobody has more to say, and a pair would be compared by all of them."""


@dataclass(frozen=True)
class Pool:
    """The people of a cohort, ready to be matched by the rules of their program."""

    title: str
    format: Format
    start: date
    """The date on which the cohort starts: which offset from UTC holds."""
    matching: Matching
    people: tuple[Applicant, ...]
    names: Mapping[str, str]
    warnings: tuple[Fault, ...] = ()

    def wanted(self, pins: Sequence[str], bans: Sequence[str], like: Sequence[PairIds] = ()) -> Wanted:
        """`mentor:mentee`, or `mentor:mentee,mentee`, as pairs. Raises Refused for somebody whom the file lacks."""
        return Wanted(frozenset(self._pairs(pins)), frozenset(self._pairs(bans)), frozenset(like))

    def _pairs(self, texts: Sequence[str]) -> Iterator[PairIds]:
        for text in texts:
            mentor, colon, mentees = text.partition(":")
            if not colon or not mentees:
                raise Refused(f"{text!r} is no pair; write MENTOR:MENTEE, such as m1:s3")
            for mentee in mentees.split(","):
                yield self.known(mentor), self.known(mentee)

    def known(self, id_: str) -> str:
        """The id of somebody in the pool. Raises Refused with those that come near."""
        id_ = id_.strip()
        if id_ in self.names:
            return id_
        near = nearest(id_, list(self.names))
        raise Refused(f"nobody in the file has the id {id_!r}{f'; did you mean {near[0]}?' if near else ''}")


# -- from a file ----------------------------------------------------------------------------------------------------


def read_pool(cohort: Path, people: Path, own: Path | None = None) -> Pool:
    """The people in a CSV file, for the cohort in a file. Raises Faults with every fault and its line.

    `own`: the coordinators' own folder, as `program.files.folders` has it.
    """
    loaded = load_cohort(cohort, own=own)
    program = loaded.used[loaded.cohort.program].program
    matching = program.matching
    if matching is None:
        raise Refused(f"the program {program.program} has no section `matching:`; write one, see docs/matching.md")
    rows = read_people(people)
    reading = _Reading(rows, matching, program.format, loaded.cohort.zone)
    applicants = tuple(reading.applicants())
    faults = reading.faults
    source = Shelf.around(cohort, own).program_source(program.program)
    if source is not None and rows.rows:
        faults += check_fields(matching, source, {*rows.columns, "email"}, f"the file {people.name}")
    if not faults:
        faults += _contradictions(rows, applicants, matching, loaded.cohort.start)
    if faults:
        raise Faults(faults)
    names = {row["id"]: row.get("name", row["id"]) for row in rows.rows}
    warnings = (*reading.warnings, *_unknown_ids(rows, names))
    start = loaded.cohort.start
    return Pool(loaded.cohort.title, program.format, start, matching, applicants, names, tuple(sorted(set(warnings))))


class _Reading:
    """Reads rows as applicants; gathers faults and warnings."""

    def __init__(self, rows: Rows, matching: Matching, format_: Format, zone: str) -> None:
        self._rows, self._matching, self._format, self._zone = rows, matching, format_, zone
        self.faults = list(rows.faults)
        self.warnings: list[Fault] = []  # its columns are fields here, not a profile
        self._tags = Tags(matching)
        self._tagged = {
            name for score in matching.score if score.kind == "wanted" for name in (score.wanted, score.offered)
        }
        self._untagged: set[str] = set()

    def applicants(self) -> Iterator[Applicant]:
        """Everybody who can be read."""
        seen: set[str] = set()
        rows = self._rows
        for index, row in enumerate(rows.rows):
            profile: Mapping[str, str] = row.get("profile", {})
            here, id_ = rows.places[(index,)], row.get("id", "")
            if not id_:
                self.faults.append(fault(here, "this person has no id", "Write one, such as s01."))
                continue
            if id_ in seen:
                self.faults.append(fault(here, f"the id {quoted(id_)} is given twice", "List each person once."))
                continue
            seen.add(id_)
            role = self._role(index, profile.get("role", "").strip().lower())
            if role is None:
                continue
            mentor, mentee = ROLES[role]
            ids = {name: tuple(profile.get(name, "").replace("|", " ").split()) for name in ID_COLUMNS}
            yield Applicant(
                id_,
                mentor=mentor,
                mentee=mentee,
                capacity=self._capacity(index) if mentor and role != "peer" else 1,
                zone=row.get("zone", "") or self._zone,
                fields={
                    **{
                        name: self._value(index, name, text)
                        for name, text in profile.items()
                        if name not in ("role", *ID_COLUMNS)
                    },
                    "email": row.get("email", ""),
                },
                wishes_as_mentee=ids["wishes"],
                wishes_as_mentor=ids["would_take"],
                not_with=frozenset(ids["not_with"]),
                had=frozenset(ids["had"]),
            )

    def _role(self, index: int, role: str) -> str | None:
        """The role, if it is one of this format."""
        roles = ["peer"] if self._format == "peer" else [name for name in ROLES if name != "peer"]
        if not role and self._format == "peer":
            return "peer"
        if role in roles:
            return role
        place = self._rows.places.get((index, "profile", "role"), self._rows.places[(index,)])
        what = f"{quoted(role)} is no role in a program of this format" if role else "this person has no role"
        self.faults.append(fault(place, what, f"Write one of {', '.join(roles)}."))
        return None

    def _capacity(self, index: int) -> int:
        text = self._rows.rows[index].get("mentees_at_most", "")
        groups = self._format == "group"
        most = self._matching.groups.most if groups else self._matching.capacity.mentor_at_most
        usual = most if groups else 1
        if not text:
            here = self._rows.places[(index,)]
            remedy = f"{usual} {'is' if usual == 1 else 'are'} assumed; write mentees_at_most."
            self.warnings.append(fault(here, "this mentor says no number of mentees", remedy))
            return usual
        place = self._rows.places[(index, "mentees_at_most")]
        if not text.isdecimal() or len(text) > 6:
            problem = f"{quoted(text)} is no number of mentees"
            self.faults.append(fault(place, problem, "Write a whole number, such as 2."))
            return 0
        if int(text) > most:
            problem = f"a mentor has {most} mentees at most"
            self.warnings.append(fault(place, problem, f"{most} is assumed instead of {text}."))
        elif int(text) < (self._matching.groups.least if groups else 1):
            self.warnings.append(fault(place, "this mentor has no place for anybody", "They are left out."))
        return min(int(text), most)

    def _value(self, index: int, name: str, text: str) -> Value:
        parts = tuple(part.strip() for part in text.split("|") if part.strip())
        place = self._rows.places[(index, "profile", name)]
        if len(parts) > VALUES_AT_MOST:
            problem = f"this cell has {len(parts):,} values, and at most {VALUES_AT_MOST} are compared"
            self.faults.append(fault(place, problem, "Keep those that matter most."))
        elif name in self._tagged and self._matching.tags:
            for part in parts:
                if part.casefold() not in self._untagged and not self._tags.knows(part):
                    self._untagged.add(part.casefold())
                    near = nearest(part, [tag.tag for tag in self._matching.tags])
                    remedy = f"Did you mean `{near[0]}`?" if near else "It is compared as it is."
                    self.warnings.append(fault(place, f"{quoted(part)} is none of the tags", remedy))
        return parts if len(parts) != 1 else parts[0]


def _contradictions(rows: Rows, people: Sequence[Applicant], matching: Matching, start: date) -> Iterator[Fault]:
    """Values that an order misses, and people who report to each other in a circle."""
    place = {row["id"]: index for index, row in enumerate(rows.rows)}
    for rule in matching.rules:
        order = rule.order or ()
        for person in people:
            for value in person.values(rule.field) if rule.kind == "above" else ():
                if value not in order:
                    index = place[person.id]
                    yield fault(
                        rows.places.get((index, "profile", rule.field), rows.places[(index,)]),
                        f"{quoted(value)} is not in the order of `{rule.field}`",
                        f"Write one of {', '.join(order)}, or add it to `order:` in the program.",
                    )
    try:
        candidates(people, matching, start)
    except UnknownStep:
        return  # told above, with all others
    except ReportingCircle as circle:
        index = next(place[person] for person in circle.people if person in place)
        yield fault(rows.places[(index,)], str(circle), "Correct who reports to whom.")


def _unknown_ids(rows: Rows, names: Mapping[str, str]) -> Iterator[Fault]:
    for index, row in enumerate(rows.rows):
        profile: Mapping[str, str] = row.get("profile", {})
        for column in ID_COLUMNS:
            for id_ in profile.get(column, "").replace("|", " ").split():
                if id_ not in names:
                    near = nearest(id_, list(names))
                    remedy = f"Did you mean `{near[0]}`?" if near else "It is left out."
                    yield fault(rows.places[(index, "profile", column)], f"nobody has the id {quoted(id_)}", remedy)


def pairs_in(path: Path) -> list[PairIds]:
    """The pairs of a file that `pairs:` of a cohort can name, such as the one of an earlier run. Raises Faults."""
    rows = read_pairs(path)
    if rows.faults:
        raise Faults(rows.faults)
    found = [(row["mentor"], mentee) for row in rows.rows if "mentor" in row for mentee in row.get("mentees", ())]
    return found + [cast("PairIds", tuple(row["peers"])) for row in rows.rows if len(row.get("peers", ())) == 2]
