"""Who could take a seat that is empty: those who applied, pass the rules with who is left, and are free, best first.

After publishing nobody else moves, so only free people and free places are choices. Who refused the other is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from matching.applicants import Applicant, Tags
from matching.candidates import ReportingCircle, UnknownStep, candidates
from matching.groups import can_all_meet
from matching.peers import parts_of_peers
from matching.scoring import Part, parts_of
from operations.applications.applicants import applicant_of, call_of
from operations.errors import NotFound, Refused
from operations.matching.match import in_words
from operations.matching.publish import reasons
from program.models import Format
from store.cohorts import calls, cohorts, past_seats
from store.cohorts.calls import Call
from store.cohorts.cohorts import SeatNow
from store.database import Database
from store.people import applications
from store.people.applications import Application

SHOWN = 6
"""So many choices are shown."""
TWICE = 2
"""After so many refusals a coordinator decides whether somebody is proposed once more."""


@dataclass(frozen=True, slots=True)
class NextChoice:
    """Somebody who could take the seat. `because` is for coordinators: every part of the score."""

    person: str
    name: str
    role: str
    score: int
    because: tuple[str, ...]
    waiting: bool
    """On the waiting list so far."""
    refusals: int
    """How often this person has refused a proposal of this cohort."""
    moves: tuple[str, ...] = ()
    """Who else would move: nobody, once the pairs are published."""

    @property
    def asks_twice(self) -> bool:
        """Whether the person has refused twice: to propose them once more is for a coordinator to decide."""
        return self.refusals >= TWICE

    @property
    def plain(self) -> dict[str, Any]:
        """As an object for `--json` and for the task."""
        return {
            "person": self.person, "name": self.name, "role": self.role, "score": self.score,
            "because": list(self.because), "waiting": self.waiting, "refusals": self.refusals,
            "moves": list(self.moves),
        }  # fmt: skip


async def next_choices(database: Database, cohort: str, mentorship: str) -> tuple[NextChoice, ...]:
    """The best choices for the empty seat of a mentorship that was matched; none where no seat is empty. Raises
    NotFound, and Refused where the rules can't compare those who applied."""
    async with database.session() as session:
        try:
            return await _choices(session, cohort, mentorship)
        except (ReportingCircle, UnknownStep) as error:
            raise Refused(in_words(error)) from None


async def choices_in(session: AsyncSession, cohort: str, mentorship: str) -> tuple[NextChoice, ...]:
    """As `next_choices`, in a session; none where the rules can't compare those who applied. Raises NotFound."""
    try:
        return await _choices(session, cohort, mentorship)
    except (ReportingCircle, UnknownStep):
        return ()


async def _choices(session: AsyncSession, cohort: str, mentorship: str) -> tuple[NextChoice, ...]:
    call = await call_of(session, cohort)
    seats = await cohorts.standings(session, cohort)
    of = seats.get(mentorship)
    if of is None:
        raise NotFound(f"no mentorship {mentorship!r} in {cohort}")
    here = [seat for seat in of if seat.standing in ("invited", "accepted")]
    role = _empty_role(call.program.format, of, here)
    found = await _who_counts(session, cohort)
    people = await _people(session, call, found)
    stay = {seat.person for seat in here if seat.role != role or role == "peer"}
    if not role or not stay <= people.keys():
        return ()
    everybody = [seat for of_one in seats.values() for seat in of_one]
    mentees_of = Counter(seat.person for seat in everybody if seat.role == "mentor" and seat.takes_part)
    placed = {seat.person for seat in everybody if seat.role != "mentor" and seat.takes_part}
    refusals = Counter(seat.person for seat in everybody if seat.standing == "declined")
    free = {id_ for id_, each in people.items() if id_ not in stay and _is_free(each, role, mentees_of, placed)}
    by_person = {each.person: each for each in found}
    suiting = _suiting(call, list(people.values()), stay, free, role)
    if call.program.format == "group":
        suiting = [id_ for id_ in suiting if _makes_a_group(call, people, here, role, id_, mentees_of)]
    choices = [
        NextChoice(
            person=person,
            name=by_person[person].shown_name,
            role=role,
            score=sum(part.points for part in parts),
            because=tuple(part.words for part in parts),
            waiting=by_person[person].state == "waiting",
            refusals=refusals[person],
        )
        for person in suiting
        for parts in [[part for other in sorted(stay) for part in _parts(call, people[person], people[other], role)]]
    ]
    return tuple(sorted(choices, key=lambda each: (each.asks_twice, each.waiting, -each.score, each.person))[:SHOWN])


async def reasons_with(
    session: AsyncSession, cohort: str, newcomer: str, role: str, stay: Sequence[str]
) -> tuple[str, ...]:
    """Why somebody who takes the seat of this role was chosen for those who stay, in words for all of them.

    None where one of them did not apply to this cohort. In a group, a mentee stays with the mentor."""
    call = await calls.find(session, cohort)
    if call is None:
        return ()
    people = await _people(session, call, await _who_counts(session, cohort))
    if newcomer not in people or not stay or any(person not in people for person in stay):
        return ()
    found = [reasons(call, _parts(call, people[newcomer], people[person], role)) for person in stay]
    return tuple(words for words in found[0] if all(words in other for other in found[1:]))


def _empty_role(format_: Format, of: Sequence[SeatNow], here: Sequence[SeatNow]) -> str:
    """The role of the seat that is empty; empty where none is, or everybody has gone."""
    if format_ == "peer":
        return "peer" if len(here) == 1 else ""
    taken = {seat.role for seat in here}
    if not taken:
        return ""
    if "mentor" not in taken:
        return "mentor"
    gone = any(seat.role == "mentee" and seat.standing in ("declined", "silent") for seat in of)
    return "mentee" if "mentee" not in taken or (format_ == "group" and gone) else ""


async def _who_counts(session: AsyncSession, cohort: str) -> list[Application]:
    found = await applications.of_cohort(session, cohort, applications.COUNTS)
    return [each for each in found if each.standing == "active"]


async def _people(session: AsyncSession, call: Call, found: Sequence[Application]) -> dict[str, Applicant]:
    before = await past_seats.together_before(session, [each.person for each in found])
    named = {word: each.person for each in found for word in (each.email.casefold(), each.person_name.casefold())}
    return {each.person: applicant_of(call, each, before.get(each.person, frozenset()), named) for each in found}


def _suiting(call: Call, everybody: Sequence[Applicant], stay: Set[str], free: Set[str], role: str) -> list[str]:
    """Those of the free who break no rule with anybody who stays. Everybody counts for who reports to whom."""
    ways: list[dict[str, int]] = []
    for newcomer_mentors in (True, False) if role == "peer" else (role == "mentor",):
        mentors, mentees = (free, stay) if newcomer_mentors else (stay, free)
        pool = [replace(each, mentor=each.id in mentors, mentee=each.id in mentees, capacity=1) for each in everybody]
        possible = candidates(pool, call.matching, call.start)
        ways.append(
            Counter(
                (possible.mentors[place] if newcomer_mentors else mentee).id
                for mentee, of in zip(possible.mentees, possible.of, strict=True)
                for place in of
            )
        )
    return sorted(id_ for id_ in free if any(way.get(id_, 0) == len(stay) for way in ways))


def _makes_a_group(
    call: Call,
    people: Mapping[str, Applicant],
    here: Sequence[SeatNow],
    role: str,
    newcomer: str,
    groups_of: Counter[str],
) -> bool:
    """Whether all can meet in one slot; a mentor has one group, and no larger one than they take. Who stays and did
    not apply to this cohort is not asked."""
    staying = {seat.person: seat.role for seat in here if seat.role != role or role == "mentee"} | {newcomer: role}
    mentees = [people[id_] for id_, as_ in staying.items() if as_ == "mentee" and id_ in people]
    [mentor] = [people[id_] for id_, as_ in staying.items() if as_ == "mentor"]
    if role == "mentor" and (groups_of[newcomer] or len(mentees) > mentor.capacity):
        return False
    return can_all_meet(mentor, mentees, call.matching, call.start)


def _parts(call: Call, newcomer: Applicant, other: Applicant, role: str) -> tuple[Part, ...]:
    """What the newcomer and one who stays get points for, the most first."""
    matching, tags = call.matching, Tags(call.matching)
    if role == "peer":
        return parts_of_peers(matching, tags, newcomer, other)
    mentee, mentor = (other, newcomer) if role == "mentor" else (newcomer, other)
    found = [part for score in matching.score for part in parts_of(score, matching, tags, mentee, mentor)]
    return tuple(sorted(found, key=lambda part: -part.points))


def _is_free(person: Applicant, role: str, mentees_of: Counter[str], placed: Set[str]) -> bool:
    if role == "mentor":
        return person.mentor and mentees_of[person.id] < person.capacity
    return person.mentee and person.id not in placed
