"""Why somebody has nobody: the rule that leaves them without a candidate, or the people who share too few places.

By Hall's theorem (1935) people can't all be served exactly where some of them share fewer places than they are. Shown
to coordinators, by attributes and not by names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from matching.applicants import Applicant
from matching.assignment import UNPLACED
from matching.candidates import Candidates
from matching.objective import Result
from program.matching import Rule


@dataclass(frozen=True, slots=True)
class Shortage:
    """People who share too few places. No smaller set of them does, and leaving any one out serves the others.

    `mentees` and `mentors` are places in the candidates, `places` the rooms of these mentors.
    """

    mentees: tuple[int, ...]
    mentors: tuple[int, ...]
    places: int


@dataclass(frozen=True, slots=True)
class Lack:
    """Why one mentee has nobody: rules that leave no candidate (each alone, or all together), or a shortage."""

    mentee: int
    rules: tuple[Rule, ...]
    """The rules each of which alone leaves nobody; where only several together do, all that forbid somebody."""
    alone: bool
    """Whether a single rule is enough."""
    shortage: Shortage | None


@dataclass(frozen=True, slots=True)
class Help:
    """What more mentors of one kind would bring: `served[n - 1]` more mentees with n more places of this kind.

    Every place serves one more as long as places of this kind help at all; `served` ends where they don't.
    """

    kind: Mapping[str, tuple[str, ...]]
    served: tuple[int, ...]


def why_nobody(result: Result) -> tuple[Lack, ...]:
    """For every mentee without a mentor, why; in the order of their ids."""
    allowed = _allowed(result)
    found: list[Lack] = []
    for mentee in result.unplaced:
        if allowed[mentee]:
            found.append(Lack(mentee, (), False, _shortage_of(result, allowed, mentee)))
        else:
            alone = result.candidates.without(mentee)
            rules = alone or _forbidding(result.candidates, mentee)
            found.append(Lack(mentee, rules, bool(alone), None))
    return tuple(found)


def _allowed(result: Result) -> list[tuple[int, ...]]:
    """For each mentee the mentors that are left by rules, bans and circles; none for those who are pinned."""
    banned = result.wanted.bans | result.cut
    candidates, pinned = result.candidates, dict(result.pinned)
    return [
        ()
        if mentee in pinned
        else tuple(
            mentor
            for mentor in of
            if not banned or (candidates.mentors[mentor].id, candidates.mentees[mentee].id) not in banned
        )
        for mentee, of in enumerate(candidates.of)
    ]


def _forbidding(candidates: Candidates, mentee: int) -> tuple[Rule, ...]:
    everybody = (1 << len(candidates.mentors)) - 1
    pairs = zip(candidates.matching.rules, candidates.masks[mentee], strict=True)
    return tuple(rule for rule, mask in pairs if mask != everybody)


def _shortage_of(result: Result, allowed: Sequence[Sequence[int]], mentee: int) -> Shortage:
    """The people with whom this mentee shares too few places.

    All who can be reached by changing who takes which place. As many as possible are served, so all these places are
    taken by people of the set; a set with fewer places than people that is part of it would contain this mentee, then
    those who take the places of their candidates, and so on: all of them.
    """
    network = result.network
    people, mentors, queue = {mentee}, set[int](), [mentee]
    while queue:
        for mentor in allowed[queue.pop()]:
            if mentor in mentors:
                continue
            mentors.add(mentor)
            for other in network.who[mentor] - people:
                people.add(other)
                queue.append(other)
    return Shortage(tuple(sorted(people)), tuple(sorted(mentors)), sum(network.places[mentor] for mentor in mentors))


# -- in words -----------------------------------------------------------------------------------------------------


def in_common(candidates: Candidates, people: Iterable[Applicant]) -> dict[str, Counter[str]]:
    """What describes these people: for each field that a rule reads, how many have which value."""
    names = dict.fromkeys(rule.field for rule in candidates.matching.rules if rule.kind in _DESCRIBING)
    people = list(people)
    return {name: Counter(value for person in people for value in person.values(name)) for name in names}


_DESCRIBING = ("different", "same", "above", "within")
"""Rules on attributes that a coordinator may read out; not availability, and never who somebody's manager is."""


# -- what would help -------------------------------------------------------------------------------------------------


def what_would_help(result: Result, at_most: int = 5) -> tuple[Help, ...]:
    """For each kind of mentor that there is, how many more mentees 1, 2 … `at_most` more places would serve.

    The best first; kinds that would serve nobody more are left out. Two mentors are of one kind where the same
    mentees could have them.
    """
    candidates, allowed = result.candidates, _allowed(result)
    suited: dict[frozenset[int], int] = {}
    mentees_of: list[list[int]] = [[] for _ in candidates.mentors]
    for mentee, of in enumerate(allowed):
        for mentor in of:
            mentees_of[mentor].append(mentee)
    for mentor, mentees in enumerate(mentees_of):
        suited.setdefault(frozenset(mentees), mentor)
    unplaced = [mentee for mentee in result.unplaced if allowed[mentee]]
    reached = _reached_by(result.network.who, allowed, unplaced)
    found: list[Help] = []
    for mentees, mentor in suited.items():
        more: list[int] = []
        if not mentees.isdisjoint(reached):
            more = _more_served(result, allowed, unplaced, mentees, min(at_most, len(unplaced)))
        if more:
            found.append(Help(kind_of(candidates, mentor), tuple(more)))
    return tuple(sorted(found, key=lambda one: ([-count for count in one.served], sorted(one.kind.items()))))


def _reached_by(who: Sequence[Iterable[int]], allowed: Sequence[Sequence[int]], unplaced: Sequence[int]) -> set[int]:
    """The unplaced, and all who would leave a place for one of them if they got another."""
    people, mentors, queue = set(unplaced), set[int](), [*unplaced]
    while queue:
        for mentor in allowed[queue.pop()]:
            if mentor not in mentors:
                mentors.add(mentor)
                fresh = [other for other in who[mentor] if other not in people]
                people.update(fresh)
                queue += fresh
    return people


def _more_served(
    result: Result, allowed: Sequence[Sequence[int]], unplaced: Sequence[int], suited: frozenset[int], at_most: int
) -> list[int]:
    """How many more are served with 1, 2 … more places for those who are suited, by one augmenting path for each."""
    at, who = [*result.network.at], [{*who} for who in result.network.who]
    waiting, taken = {*unplaced}, set[int]()
    more: list[int] = []
    while len(more) < at_most:
        # From the unplaced to somebody who is suited; the chain says who moves where.
        came_by: dict[int, int | None] = dict.fromkeys(sorted(waiting))
        queue, end, mentors = list(came_by), UNPLACED, set[int]()
        for mentee in queue:
            if mentee in suited and mentee not in taken:
                end = mentee
                break
            for mentor in allowed[mentee]:
                if mentor not in mentors:
                    mentors.add(mentor)
                    for other in sorted(who[mentor]):
                        came_by[other] = mentee
                        queue.append(other)
        if end == UNPLACED:
            break
        taken.add(end)
        moved: int | None = end
        leaves = at[end]
        who[leaves].discard(end)
        while (before := came_by[moved]) is not None:
            leaves, at[before] = at[before], leaves
            who[at[before]].add(before)
            who[leaves].discard(before)
            moved = before
        waiting.discard(moved)
        more.append(len(more) + 1)
    return more


def kind_of(candidates: Candidates, mentor: int) -> dict[str, tuple[str, ...]]:
    """What describes a mentor: field to values, of the fields that a coordinator may read out."""
    names: Sequence[str] = [rule.field for rule in candidates.matching.rules if rule.kind in _DESCRIBING]
    return {name: candidates.mentors[mentor].values(name) for name in dict.fromkeys(names)}
