"""Matching people who stand in a file, without a database: who would be with whom, why, and what else would cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from matching.applicants import Applicant, Value
from matching.assignment import UNPLACED
from matching.candidates import ReportingCircle, UnknownStep, candidates
from matching.objective import Impossible, PairIds, Result, Wanted, match
from matching.prices import Price, Prices
from matching.scoring import Part
from matching.shortage import Lack, in_common, what_would_help, why_nobody
from operations.errors import Refused
from operations.spreadsheet import as_csv
from program.faults import Fault, Faults, fault, nearest, quoted
from program.loader import Loaded, load_cohort
from program.matching import Matching
from program.people import PAIR_COLUMNS, Rows, read_pairs, read_people

ROLES: Mapping[str, tuple[bool, bool]] = {"mentor": (True, False), "mentee": (False, True), "both": (True, True)}
"""What the column `role` can say: whether somebody would be a mentor, and whether a mentee."""
ID_COLUMNS = ("wishes", "would_take", "not_with")
"""Columns of ids, parted by spaces or `|`: mentors that a mentee wishes for, mentees that a mentor would gladly take,
people whom somebody must not meet."""


@dataclass(frozen=True)
class Pool:
    """The people of a file, ready to be matched by the rules of their program."""

    loaded: Loaded
    matching: Matching
    people: tuple[Applicant, ...]
    names: Mapping[str, str]
    warnings: tuple[Fault, ...]

    def result(self, wanted: Wanted | None = None) -> Result:
        """The best pairs. Raises Refused for a pin that can't be."""
        try:
            return match(candidates(self.people, self.matching, self.loaded.cohort.start), wanted)
        except Impossible as impossible:
            raise Refused(str(impossible)) from None

    def wanted(self, pins: Sequence[str], bans: Sequence[str], keep: Sequence[PairIds] = ()) -> Wanted:
        """`mentor:mentee`, or `mentor:mentee,mentee`, as pairs. Raises Refused for somebody whom the file lacks."""
        return Wanted(frozenset(self._pairs(pins)), frozenset(self._pairs(bans)), frozenset(keep))

    def _pairs(self, texts: Sequence[str]) -> Iterator[PairIds]:
        for text in texts:
            mentor, colon, mentees = text.partition(":")
            if not colon or not mentees:
                raise Refused(f"{text!r} is no pair; write MENTOR:MENTEE, such as m1:s3")
            for mentee in mentees.split(","):
                yield self.known(mentor), self.known(mentee)

    def known(self, id_: str) -> str:
        """The id of somebody in the file. Raises Refused with those that come near."""
        id_ = id_.strip()
        if id_ in self.names:
            return id_
        near = nearest(id_, list(self.names))
        raise Refused(f"nobody in the file has the id {id_!r}{f'; did you mean {near[0]}?' if near else ''}")


def read_pool(cohort: Path, people: Path) -> Pool:
    """The people in a CSV file, for the cohort in a file. Raises Faults with every fault and its line."""
    loaded = load_cohort(cohort)
    program = loaded.used[loaded.cohort.program].program
    if program.matching is None:
        raise Refused(f"the program {program.program} has no section `matching:`; write one, see docs/matching.md")
    if program.format not in ("one_to_one", "reverse"):
        raise Refused(f"people of the format {program.format} are not matched yet; write their pairs by hand")
    rows = read_people(people)
    faults, warnings = list(rows.faults), list[Fault]()  # its columns are fields here, not a profile
    applicants = tuple(_applicants(rows, program.matching, loaded.cohort.zone, faults, warnings))
    faults += _missing_columns(rows, program.matching, people)
    if not faults:
        faults += _contradictions(rows, applicants, program.matching, loaded)
    if faults:
        raise Faults(faults)
    names = {row["id"]: row.get("name", row["id"]) for row in rows.rows}
    warnings += _unknown_ids(rows, names)
    return Pool(loaded, program.matching, applicants, names, tuple(sorted(set(warnings))))


def _applicants(
    rows: Rows, matching: Matching, zone: str, faults: list[Fault], warnings: list[Fault]
) -> Iterator[Applicant]:
    seen: set[str] = set()
    for index, row in enumerate(rows.rows):
        profile: Mapping[str, str] = row.get("profile", {})
        here, id_ = rows.places[(index,)], row.get("id", "")
        role = profile.get("role", "").strip().lower()
        if not id_:
            faults.append(fault(here, "this person has no id", "Write one, such as s01."))
            continue
        if id_ in seen:
            faults.append(fault(here, f"the id {quoted(id_)} is given twice", "List each person once."))
            continue
        seen.add(id_)
        if role not in ROLES:
            place = rows.places.get((index, "profile", "role"), here)
            what = f"{quoted(role)} is no role" if role else "this person has no role"
            faults.append(fault(place, what, f"Write one of {', '.join(ROLES)}."))
            continue
        mentor, mentee = ROLES[role]
        ids = {name: tuple(profile.get(name, "").replace("|", " ").split()) for name in ID_COLUMNS}
        yield Applicant(
            id_,
            mentor=mentor,
            mentee=mentee,
            capacity=_capacity(rows, index, matching, faults, warnings) if mentor else 0,
            zone=row.get("zone", "") or zone,
            fields={
                **{name: _value(text) for name, text in profile.items() if name not in ("role", *ID_COLUMNS)},
                "email": row.get("email", ""),
            },
            wishes_as_mentee=ids["wishes"],
            wishes_as_mentor=ids["would_take"],
            not_with=frozenset(ids["not_with"]),
        )


def _capacity(rows: Rows, index: int, matching: Matching, faults: list[Fault], warnings: list[Fault]) -> int:
    text = rows.rows[index].get("mentees_at_most", "")
    most = matching.capacity.mentor_at_most
    if not text:
        here = rows.places[(index,)]
        warnings.append(
            fault(here, "this mentor says no number of mentees", "One is assumed; write mentees_at_most.")
        )
        return 1
    place = rows.places[(index, "mentees_at_most")]
    if not text.isdecimal():
        faults.append(fault(place, f"{quoted(text)} is no number of mentees", "Write a whole number, such as 2."))
        return 0
    if int(text) > most:
        warnings.append(fault(place, f"a mentor has {most} mentees at most", f"{most} is assumed instead of {text}."))
    return min(int(text), most)


def _value(text: str) -> Value:
    parts = tuple(part.strip() for part in text.split("|") if part.strip())
    return parts if len(parts) != 1 else parts[0]


def _missing_columns(rows: Rows, matching: Matching, people: Path) -> Iterator[Fault]:
    columns = {name for row in rows.rows for name in row.get("profile", {})} | {"email"}
    reads = [rule.field for rule in matching.rules if rule.field]
    reads += [name for score in matching.score for name in (score.field, score.offered, score.only_if) if name]
    for name in dict.fromkeys(reads):
        if name not in columns:
            near = nearest(name, sorted(columns))
            hint = f"Is it the column `{near[0]}`? " if near else ""
            problem = f"`matching:` of the program reads `{name}`, and no person here has it"
            yield Fault(str(people), 1, 1, problem, f"{hint}Add a column `{name}`, or take it out of the program.")


def _contradictions(rows: Rows, people: Sequence[Applicant], matching: Matching, loaded: Loaded) -> Iterator[Fault]:
    place = {row["id"]: index for index, row in enumerate(rows.rows)}
    try:
        candidates(people, matching, loaded.cohort.start)
    except UnknownStep as unknown:
        index = place[unknown.person]
        order = matching.order_of(unknown.field) or ()
        yield fault(
            rows.places.get((index, "profile", unknown.field), rows.places[(index,)]),
            f"{quoted(unknown.value)} is not in the order of `{unknown.field}`",
            f"Write one of {', '.join(order)}, or add it to `order:` in the program.",
        )
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
    return [(row["mentor"], mentee) for row in rows.rows if "mentor" in row for mentee in row.get("mentees", ())]


# -- what a coordinator reads ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Explained:
    """A result in words. Names are for the coordinator's eyes."""

    pool: Pool
    result: Result

    @cached_property
    def pairs(self) -> tuple[tuple[str, str, int, tuple[Part, ...]], ...]:
        """(mentor, mentee, score, parts of the score), as ids, by mentee."""
        found = self.result.candidates
        return tuple(
            (
                found.mentors[mentor].id, found.mentees[mentee].id, self.result.score_of(mentee, mentor),
                self.result.scores.parts(mentee, mentor),
            )
            for mentee, mentor in self.result.pairs
        )  # fmt: skip

    @cached_property
    def nobody(self) -> tuple[tuple[str, str], ...]:
        """(mentee, why they have nobody), as id and words."""
        found = self.result.candidates
        return tuple((found.mentees[lack.mentee].id, self._why(lack)) for lack in why_nobody(self.result))

    @cached_property
    def free_mentors(self) -> tuple[tuple[str, int], ...]:
        """(mentor, free places) of those who have some, as ids."""
        network = self.result.network
        pinned = [mentor for _, mentor in self.result.pinned]
        return tuple(
            (mentor.id, free)
            for index, mentor in enumerate(self.result.candidates.mentors)
            if (free := mentor.capacity - len(network.who[index]) - pinned.count(index)) > 0
        )

    @cached_property
    def helps(self) -> tuple[str, ...]:
        """What more mentors would bring, the best first, in words."""
        return tuple(
            f"{more} more place{'s' if more > 1 else ''} with a mentor of {_described(help_.kind)} "
            f"would serve {served} more"
            for help_ in what_would_help(self.result)
            for more, served in list(enumerate(help_.served, 1))[-1:]
        )

    def _why(self, lack: Lack) -> str:
        found = self.result.candidates
        if lack.shortage is None:
            rules = ", ".join(f"`{rule.kind}{': ' + rule.field if rule.field else ''}`" for rule in lack.rules)
            if not rules:
                return "everybody is excluded by one of the two"
            return f"no mentor passes {rules}" + ("" if lack.alone else " together")
        shortage = lack.shortage
        people = in_common(found, (found.mentees[mentee] for mentee in shortage.mentees))
        values = {name: tuple(sorted(counts)) for name, counts in people.items() if counts}
        return (
            f"{len(shortage.mentees)} mentees ({_described(values)}) share {shortage.places} "
            f"place{'s' if shortage.places != 1 else ''} with {len(shortage.mentors)} mentors"
        )

    def prices(self, id_: str) -> tuple[tuple[str, int, str, tuple[str, ...]], ...]:
        """For a mentee: (mentor, score, price in words, who would move), the cheapest first. Raises Refused."""
        mentee = self._mentee(id_)
        found = self.result.candidates
        return tuple(
            (
                found.mentors[price.mentor].id, self.result.score_of(mentee, price.mentor), words_of(price),
                self._moves(price),
            )
            for price in Prices(self.result, mentee).all()
            if price.mentor != UNPLACED
        )  # fmt: skip

    def price(self, mentee_id: str, mentor_id: str) -> tuple[str, tuple[str, ...]]:
        """What this pair would cost, in words, and who would move. Raises Refused where a rule forbids it."""
        mentee = self._mentee(mentee_id)
        found = self.result.candidates
        mentors = [mentor.id for mentor in found.mentors]
        if mentor_id not in mentors:
            raise Refused(f"{mentor_id} is no mentor with a place")
        mentor = mentors.index(mentor_id)
        if self.result.network.mentor_of(mentee) == mentor:
            return "this pair is made already", ()
        price = Prices(self.result, mentee).of(mentor)
        if price is None:
            rules = ", ".join(f"`{rule.kind}: {rule.field}`" for rule in found.forbidden_by(mentee, mentor))
            raise Refused(f"{mentor_id} and {mentee_id} can't meet: {rules or 'one of the two excludes the other'}")
        return words_of(price), self._moves(price)

    def _mentee(self, id_: str) -> int:
        ids = [mentee.id for mentee in self.result.candidates.mentees]
        if self.pool.known(id_) not in ids:
            raise Refused(f"{id_} wants no mentor")
        mentee = ids.index(id_)
        if mentee in dict(self.result.pinned):
            raise Refused(f"{id_} is pinned; leave the pin out to see what others cost")
        return mentee

    def _moves(self, price: Price) -> tuple[str, ...]:
        found = self.result.candidates
        return tuple(
            f"{found.mentees[mentee].id} would "
            + (f"be with {found.mentors[after].id}" if after != UNPLACED else "have nobody")
            for mentee, _, after in price.moves[1:]
        )

    def pairs_csv(self) -> str:
        """The pairs as the file that `pairs:` of a cohort names: one row for each mentorship."""
        made = enumerate(((mentor, mentee) for mentor, mentee, _, _ in self.pairs), 1)
        rows = [(f"m{number:02}", "", mentor, mentee, "", "") for number, (mentor, mentee) in made]
        return as_csv(PAIR_COLUMNS, rows, ",")

    def as_object(self) -> dict[str, object]:
        """The result for `--json`: ids, points and words."""
        totals = self.result.totals
        return {
            "served": totals.served,
            "score": totals.score,
            "worst": totals.worst,
            "wishes": list(totals.wishes),
            "pairs": [
                {
                    "mentor": mentor,
                    "mentee": mentee,
                    "score": score,
                    "parts": [{"points": part.points, "words": part.words} for part in parts],
                }
                for mentor, mentee, score, parts in self.pairs
            ],
            "nobody": [{"mentee": mentee, "why": why} for mentee, why in self.nobody],
            "free": [{"mentor": mentor, "places": places} for mentor, places in self.free_mentors],
            "what_would_help": list(self.helps),
        }


def words_of(price: Price) -> str:
    """A price as a coordinator reads it, the highest level only: what comes below it is not compared."""
    if price.is_free:
        return "equally good"
    for name, less in price.levels.items():
        if name == "served":
            return "one person fewer would have a mentor" if less == 1 else f"{less} people fewer would have a mentor"
        if name.startswith("wish_"):
            rank = {"1": "first", "2": "second", "3": "third"}[name[-1]]
            return f"{less} {rank} wish{'es' if less != 1 else ''} fewer"
        return f"{less} point{'s' if less != 1 else ''} less"
    return f"the weakest pair would have {price.worst} point{'s' if price.worst != 1 else ''} less"


def _described(values: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{name} {' or '.join(of)}" for name, of in values.items() if of) or "any kind"
