"""Who could take a seat that is empty: those who applied, pass the rules with who is left, and are free, best first.

After publishing nobody else moves, so only free people and free places are choices. Who refused the other is none.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from matching.applicants import Applicant
from matching.candidates import candidates
from matching.scoring import Scores
from operations.applications.applicants import applicant_of, call_of
from operations.errors import NotFound
from store.cohorts import cohorts, past_seats
from store.database import Database
from store.people import applications

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
    NotFound."""
    async with database.session() as session:
        return await _choices(session, cohort, mentorship)


async def _choices(session: AsyncSession, cohort: str, mentorship: str) -> tuple[NextChoice, ...]:
    call = await call_of(session, cohort)
    seats = await cohorts.standings(session, cohort)
    of = seats.get(mentorship)
    if of is None:
        raise NotFound(f"no mentorship {mentorship!r} in {cohort}")
    here = [seat for seat in of if seat.standing in ("invited", "accepted")]
    taken = {seat.role for seat in here}
    empty = [role for role in ("mentor", "mentee") if role not in taken]
    if len(empty) != 1 or len(here) != 1:
        return ()
    [role], [left] = empty, here
    found = [
        each
        for each in await applications.of_cohort(session, cohort, applications.COUNTS)
        if each.standing == "active"
    ]
    before = await past_seats.together_before(session, [each.person for each in found])
    named = {word: each.person for each in found for word in (each.email.casefold(), each.person_name.casefold())}
    people = {each.person: applicant_of(call, each, before.get(each.person, frozenset()), named) for each in found}
    if left.person not in people:
        return ()
    mentees_of = Counter(
        seat.person for of_one in seats.values() for seat in of_one if seat.role == "mentor" and seat.takes_part
    )
    placed = {
        seat.person for of_one in seats.values() for seat in of_one if seat.role == "mentee" and seat.takes_part
    }
    stays = replace(people[left.person], mentor=role == "mentee", mentee=role == "mentor", capacity=1)
    pool = [stays] + [
        replace(each, mentor=role == "mentor", mentee=role == "mentee", capacity=1)
        for each in people.values()
        if each.id != left.person and _is_free(each, role, mentees_of, placed)
    ]
    possible = candidates(pool, call.matching, call.start)
    scores = Scores(possible)
    refusals = Counter(seat.person for of_one in seats.values() for seat in of_one if seat.standing == "declined")
    by_person = {each.person: each for each in found}
    choices: list[NextChoice] = []
    for mentee, mentors in enumerate(possible.of):
        for place, mentor in enumerate(mentors):
            pair = (possible.mentees[mentee].id, possible.mentors[mentor].id)
            if left.person not in pair:
                continue
            person = next(id_ for id_ in pair if id_ != left.person)
            application = by_person[person]
            choices.append(
                NextChoice(
                    person=person,
                    name=application.shown_name,
                    role=role,
                    score=scores.of[mentee][place],
                    because=tuple(part.words for part in scores.parts(mentee, mentor)),
                    waiting=application.state == "waiting",
                    refusals=refusals[person],
                )
            )
    return tuple(sorted(choices, key=lambda each: (each.asks_twice, each.waiting, -each.score, each.person))[:SHOWN])


def _is_free(person: Applicant, role: str, mentees_of: Counter[str], placed: set[str]) -> bool:
    if role == "mentee":
        return person.mentee and person.id not in placed
    return person.mentor and mentees_of[person.id] < person.capacity
