"""Why somebody has nobody: the rule that leaves them without a candidate, or the people who share too few places.

By Hall's theorem (1935) people can't all be served exactly where some of them share fewer places than they are. Shown
to coordinators, by attributes and not by names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from matching.applicants import Applicant
from matching.assignment import Network, solve
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
    """What more mentors of one kind would bring: `served[n - 1]` more mentees with n more places of this kind."""

    kind: Mapping[str, tuple[str, ...]]
    served: tuple[int, ...]


def why_nobody(result: Result) -> tuple[Lack, ...]:
    """For every mentee without a mentor, why; in the order of their ids."""
    network = _served_only(result.candidates)
    found: list[Lack] = []
    for mentee in result.unplaced:
        of = result.candidates.of[mentee]
        if not of:
            alone = result.candidates.without(mentee)
            rules = alone or _forbidding(result.candidates, mentee)
            found.append(Lack(mentee, rules, bool(alone), None))
        else:
            found.append(Lack(mentee, (), False, shortage_of(result.candidates, network, mentee)))
    return tuple(found)


def _forbidding(candidates: Candidates, mentee: int) -> tuple[Rule, ...]:
    everybody = (1 << len(candidates.mentors)) - 1
    pairs = zip(candidates.matching.rules, candidates.masks[mentee], strict=True)
    return tuple(rule for rule, mask in pairs if mask != everybody)


def _served_only(candidates: Candidates) -> Network:
    """As many served as possible, whatever their scores."""
    weights = [dict.fromkeys(of, 1) for of in candidates.of]
    return solve(weights, [mentor.capacity for mentor in candidates.mentors])


def shortage_of(candidates: Candidates, network: Network, mentee: int) -> Shortage | None:
    """The people with whom this mentee shares too few places; None where they could be served instead of another.

    Whoever can be reached by changing who takes which place. With as many served as possible, all these places are
    taken by people of the set: a set that contains the mentee and has fewer places than people contains them all.
    """
    free = mentee if network.at[mentee] == len(network.places) - 1 else None
    if free is None:
        # Another optimum leaves this one out: who is without a place in this one, and shares the shortage, stands for
        # the set. Reached backwards: from the unplaced, forwards.
        for other, at in enumerate(network.at):
            if at == len(network.places) - 1 and candidates.of[other]:
                found = _reached(candidates, network, other)
                if mentee in found.mentees:
                    return found
        return None
    return _reached(candidates, network, mentee)


def _reached(candidates: Candidates, network: Network, mentee: int) -> Shortage:
    people, mentors, queue = {mentee}, set[int](), [mentee]
    while queue:
        for mentor in candidates.of[queue.pop()]:
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


def what_would_help(candidates: Candidates, at_most: int = 5) -> tuple[Help, ...]:
    """For each kind of mentor that there is, how many more mentees 1, 2 … `at_most` more places would serve.

    The best first; kinds that would serve nobody more are left out. Two mentors are of one kind where the same
    mentees could have them.
    """
    places = [mentor.capacity for mentor in candidates.mentors]
    suited: dict[frozenset[int], int] = {}
    mentees_of: list[list[int]] = [[] for _ in candidates.mentors]
    for mentee, of in enumerate(candidates.of):
        for mentor in of:
            mentees_of[mentor].append(mentee)
    for mentor, mentees in enumerate(mentees_of):
        suited.setdefault(frozenset(mentees), mentor)
    weights = [dict.fromkeys(of, 1) for of in candidates.of]
    served = -solve(weights, places).cost
    unserved = len(candidates.mentees) - served
    found: list[Help] = []
    for mentees, mentor in suited.items():
        if not mentees or not unserved:
            continue
        more: list[int] = []
        for extra in range(1, min(at_most, unserved) + 1):
            places[mentor] += extra
            more.append(-solve(weights, places).cost - served)
            places[mentor] -= extra
            if len(more) > 1 and more[-1] == more[-2]:
                break
        if more[0]:
            found.append(Help(_kind(candidates, mentor), tuple(more)))
    return tuple(sorted(found, key=lambda one: ([-count for count in one.served], sorted(one.kind.items()))))


def _kind(candidates: Candidates, mentor: int) -> dict[str, tuple[str, ...]]:
    names: Sequence[str] = [rule.field for rule in candidates.matching.rules if rule.kind in _DESCRIBING]
    return {name: candidates.mentors[mentor].values(name) for name in dict.fromkeys(names)}
